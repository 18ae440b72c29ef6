/* real.h -- the dtype and the vector of this translation unit; the only file that knows them.
 * <tgmath.h> makes sqrt and fabs follow the type of their argument; it refuses vectors, for which vmath.h stands in. */
#ifndef FO_REAL_H
#define FO_REAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tgmath.h>

#ifndef FO_BITS
#define FO_BITS 32
#endif
#ifndef FO_VECTOR_BYTES
#define FO_VECTOR_BYTES 16
#endif

#if FO_BITS == 64
typedef double real;
typedef int64_t ireal;
#else
typedef float real;
typedef int32_t ireal;
#endif
typedef real vreal __attribute__((vector_size(FO_VECTOR_BYTES)));
typedef ireal vint __attribute__((vector_size(FO_VECTOR_BYTES)));
enum { LANES = FO_VECTOR_BYTES / sizeof(real) };

/* A vector anywhere in an array: of no alignment but its elements'. */
typedef real vloose __attribute__((vector_size(FO_VECTOR_BYTES), aligned(sizeof(real)), may_alias));
static inline vreal vload(const real *from) { return *(const vloose *)from; }
static inline void vstore(real *to, vreal x) { *(vloose *)to = x; }

/* Lanes of x and, from LANES on, of y. */
static inline vreal vshuffle(vreal x, vreal y, vint lanes)
{
#ifdef __clang__
    vreal z;
    for (int i = 0; i < LANES; i++)
        z[i] = lanes[i] < LANES ? x[lanes[i]] : y[lanes[i] - LANES];
    return z;
#else
    return __builtin_shuffle(x, y, lanes);
#endif
}

/* For the one loop of a kernel that is written over flags known at the call: each call gets a loop without them. */
#define FO_INLINE static inline __attribute__((always_inline))
#endif
