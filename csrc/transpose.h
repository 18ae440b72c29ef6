/* transpose.h -- LANES x LANES elements, rows and columns exchanged, in registers: log2(LANES) rounds in which pairs of vectors
 * trade blocks of 1, 2, 4, ... lanes (Eklundh 1972). */

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

FO_INLINE void transpose(const real *from, ptrdiff_t from_row, real *to, ptrdiff_t to_row)
{
    vreal x[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        x[i] = vload(from + i * from_row);
#pragma GCC unroll 4
    for (int d = 1; d < LANES; d *= 2) {
        vint even, odd;
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) {
            even[i] = i & d ? i - d + LANES : i;
            odd[i] = i & d ? i + LANES : i + d;
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++)
            if (!(i & d)) {
                const vreal low = vshuffle(x[i], x[i + d], even), high = vshuffle(x[i], x[i + d], odd);
                x[i] = low;
                x[i + d] = high;
            }
    }
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        vstore(to + i * to_row, x[i]);
}
