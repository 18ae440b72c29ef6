/* workspace.h -- memory that a kernel works in, kept from call to call by each thread: fresh pages cost more than small
 * products. */
#ifndef FO_WORKSPACE_H
#define FO_WORKSPACE_H
#include <stddef.h>

/* At least `bytes`, on a 64-byte boundary, until the next call in this thread; NULL where there is no memory. */
void *fo_workspace(size_t bytes);
#endif
