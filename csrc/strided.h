/* strided.h -- elements of an array of any strides, copied to and from a contiguous buffer in the order of fo_layout.
 *
 * Arrays that are not contiguous pass through such buffers chunk by chunk, so that kernels only know contiguous ones. */
#ifndef FO_STRIDED_H
#define FO_STRIDED_H
#include "fastopt.h"
#include <string.h>

static inline void copy_elements(char *to, ptrdiff_t to_stride, const char *from, ptrdiff_t from_stride, ptrdiff_t n, int itemsize)
{
    if (to_stride == itemsize && from_stride == itemsize)
        memcpy(to, from, n * itemsize);
    else if (itemsize == 4)
        for (ptrdiff_t i = 0; i < n; i++)
            memcpy(to + i * to_stride, from + i * from_stride, 4);
    else
        for (ptrdiff_t i = 0; i < n; i++)
            memcpy(to + i * to_stride, from + i * from_stride, 8);
}

/* Elements begin .. begin + n of `array` into `buffer`, or back out of it. */
static inline void copy_strided(char *array, const ptrdiff_t *stride, const fo_layout *layout, ptrdiff_t begin, ptrdiff_t n,
                                char *buffer, int itemsize, bool out_of_buffer)
{
    const int last = layout->ndim - 1;
    const ptrdiff_t row = layout->shape[last];
    for (ptrdiff_t done = 0, in_row; done < n; done += in_row) {
        ptrdiff_t rest = begin + done;
        const ptrdiff_t column = rest % row;
        char *at = array + column * stride[last];
        rest /= row;
        for (int axis = last - 1; axis >= 0; axis--) {
            at += rest % layout->shape[axis] * stride[axis];
            rest /= layout->shape[axis];
        }
        in_row = row - column < n - done ? row - column : n - done;
        if (out_of_buffer)
            copy_elements(at, stride[last], buffer + done * itemsize, itemsize, in_row, itemsize);
        else
            copy_elements(buffer + done * itemsize, itemsize, at, stride[last], in_row, itemsize);
    }
}
#endif
