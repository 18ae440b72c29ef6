/* workspace.c -- one buffer a thread, grown to the largest request, freed when the thread ends. */
#define _POSIX_C_SOURCE 200809L
#include "workspace.h"
#include <pthread.h>
#include <stdlib.h>

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int no_key;

static _Thread_local void *buffer;
static _Thread_local size_t capacity;

static void make_key(void)
{
    no_key = pthread_key_create(&key, free);
}

void *fo_workspace(size_t bytes)
{
    if (bytes <= capacity)
        return buffer;
    void *larger = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!larger)
        return NULL;
    pthread_once(&once, make_key);
    free(buffer);
    buffer = larger;
    capacity = bytes;
    if (!no_key)
        pthread_setspecific(key, buffer);
    return buffer;
}
