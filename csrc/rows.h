/* rows.h -- what kernels over rows share: vectors of a row whose end need not be the end of a vector, and sums across lanes. */

/* The first n < LANES elements of a vector, the others `fill`. Out of line gcc makes masked moves of these loops, where the
 * target has them; inlined it unrolls them, and a softmax over 10 columns takes three times as long. Pieces of 8, 4, 2 and 1
 * elements through memory take twice as long: the vector waits for them. */
static __attribute__((noinline)) vreal load_part(const real *from, ireal n, real fill)
{
    union { real e[LANES]; vreal v; } part;
    for (ireal j = 0; j < LANES; j++)
        part.e[j] = j < n ? from[j] : fill;
    return part.v;
}

static __attribute__((noinline)) void store_part(real *to, ireal n, vreal x)
{
    const union { vreal v; real e[LANES]; } part = {x};
    for (ireal j = 0; j < LANES; j++)
        if (j < n)
            to[j] = part.e[j];
}

/* Elements i... of n, those beyond the end `fill`. */
FO_INLINE vreal load_from(const real *from, ptrdiff_t i, ptrdiff_t n, real fill)
{
    return n - i >= LANES ? vload(from + i) : load_part(from + i, n - i, fill);
}

FO_INLINE void store_to(real *to, ptrdiff_t i, ptrdiff_t n, vreal x)
{
    if (n - i >= LANES)
        vstore(to + i, x);
    else
        store_part(to + i, n - i, x);
}

static const ireal LANE[] __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* In every lane the largest of all lanes, or their sum: in log2(LANES) rounds lanes meet those 8, 4, 2 and 1 apart. */
FO_INLINE vreal across(vreal x, bool largest)
{
#pragma GCC unroll 4
    for (int d = LANES / 2; d > 0; d /= 2) {
        const vreal other = vshuffle(x, x, *(const vint *)LANE ^ d);
        x = largest ? vmax(x, other) : x + other;
    }
    return x;
}
