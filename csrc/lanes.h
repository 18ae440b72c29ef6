/* lanes.h -- vectors along a row: its last, partly filled one, and what all lanes come to. gcc makes masked loads and stores of
 * the loops over `left` where the target has them, if each is a function by itself; and halves of vectors of those over `half`. */
#ifndef FO_LANES_H
#define FO_LANES_H
#include "vmath.h"

static __attribute__((noinline)) vreal vload_tail(const real *x, int left, real fill)
{
    real lanes[LANES];
    for (int i = 0; i < LANES; i++)
        lanes[i] = i < left ? x[i] : fill;
    return vload(lanes);
}

static __attribute__((noinline)) void vstore_tail(real *x, int left, vreal v)
{
    real lanes[LANES];
    vstore(lanes, v);
    for (int i = 0; i < LANES; i++)
        if (i < left)
            x[i] = lanes[i];
}

/* x[0] ... x[left - 1], a whole vector at most; `fill` in the lanes beyond. */
FO_INLINE vreal vload_part(const real *x, ptrdiff_t left, real fill)
{
    return left >= LANES ? vload(x) : vload_tail(x, (int)left, fill);
}

FO_INLINE void vstore_part(real *x, ptrdiff_t left, vreal v)
{
    if (left >= LANES)
        vstore(x, v);
    else
        vstore_tail(x, (int)left, v);
}

/* v in the first `left` lanes, 0 in the others. */
FO_INLINE vreal vfirst(vreal v, ptrdiff_t left)
{
    vint lane;
    for (int i = 0; i < LANES; i++)
        lane[i] = i;
    return (vreal)((vint)v & (lane < (ireal)(left < LANES ? left : LANES)));
}

FO_INLINE real vsum(vreal v)
{
    real lanes[LANES];
    vstore(lanes, v);
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
}

FO_INLINE real vlargest(vreal v)
{
    real lanes[LANES];
    vstore(lanes, v);
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
    return lanes[0];
}
#endif
