/* dots.h -- a few rows times a matrix that lies along k: c[i][j] is the dot product of row i of a and column j of b, both
 * contiguous.
 *
 * LANES partial sums an element, added up in one fixed order; nothing is packed or transposed, each element of b is read once
 * for up to DOTS rows. */
enum { DOTS = 4 };                                             /* columns at a time */
#if FO_VECTOR_BYTES == 64
enum { ROWS_OF_DOTS = 4 };
#else
enum { ROWS_OF_DOTS = 2 };                                     /* eight sums in sixteen registers */
#endif

/* Lanes d apart added, those of x where the lane has no bit of d, those of y where it has. */
FO_INLINE vreal fold(vreal x, vreal y, const int d)
{
    const vint lane = *(const vint *)LANE, of_y = (lane & d) != 0;
    return vshuffle(x, y, lane ^ (of_y & (LANES | d))) + vshuffle(x, y, lane ^ (of_y & LANES) ^ (~of_y & d));
}

/* The sums over the lanes of each of n vectors, a power of two up to LANES: that of x[i] in lane i LANES / n. Each is the
 * same tree of additions, whatever n. */
FO_INLINE vreal add_lanes(const vreal *x, const int n)
{
    vreal y[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < n; i++)
        y[i] = x[i];
#pragma GCC unroll 4
    for (int round = 1; round <= 4; round++) {
        const int d = LANES >> round, pairs = n >> round;
        if (d == 0)
            continue;
        if (pairs == 0)
            y[0] = fold(y[0], y[0], d);
#pragma GCC unroll 8
        for (int i = 0; i < pairs; i++)
            y[i] = fold(y[i], y[i + pairs], d);
    }
    return y[0];
}

/* c = start + rows x cols dot products, their sums in registers; both are powers of two. */
FO_INLINE void dots(const int rows, const int cols, ptrdiff_t k, const real *a, ptrdiff_t a_row, const real *b, ptrdiff_t b_col,
                    real *c, ptrdiff_t c_row, ptrdiff_t c_col, const real *start, ptrdiff_t s_row, ptrdiff_t s_col)
{
    enum { MOST = ROWS_OF_DOTS * DOTS };
    const int count = rows * cols, together = count < LANES ? count : LANES;
    /* one row has little to do but to wait for the next columns, which the hardware does not expect while they are short */
    const bool ahead = rows == 1 && k >= 8 * LANES && k * sizeof(real) <= 2048;
    vreal sum[MOST];
    ptrdiff_t p = 0;
#pragma GCC unroll 16
    for (int s = 0; s < count; s++)
        sum[s] = (vreal){0};
    for (; p + LANES <= k; p += LANES) {
        vreal y[DOTS];
#pragma GCC unroll 16
        for (int j = 0; j < cols; j++) {
            y[j] = vload(b + j * b_col + p);
            if (ahead)
                __builtin_prefetch(b + (cols + j) * b_col + p);
        }
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            const vreal x = vload(a + i * a_row + p);
#pragma GCC unroll 16
            for (int j = 0; j < cols; j++)
                sum[j * rows + i] += x * y[j];
        }
    }
    if (p < k)
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
            for (int j = 0; j < cols; j++)
                sum[j * rows + i] += load_from(a + i * a_row, p, k, 0) * load_from(b + j * b_col, p, k, 0);
#pragma GCC unroll 16
    for (int s = 0; s < count; s += together) {
        const vreal x = add_lanes(sum + s, together);
        if (together == LANES && c_row == 1 && c_col == rows && (!start || (s_row == 1 && s_col == rows))) {
            vstore(c + s, start ? vload(start + s) + x : x);   /* they lie in c as in x */
            continue;
        }
        real sums[LANES];
        vstore(sums, x);
#pragma GCC unroll 16
        for (int t = 0; t < together; t++) {
            const int i = (s + t) % rows, j = (s + t) / rows;
            const real y = sums[t * (LANES / together)];
            c[i * c_row + j * c_col] = start ? start[i * s_row + j * s_col] + y : y;
        }
    }
}

/* Any number of rows and columns. */
static void dots_of(ptrdiff_t rows, ptrdiff_t cols, ptrdiff_t k, const real *a, ptrdiff_t a_row, const real *b, ptrdiff_t b_col,
                    real *c, ptrdiff_t c_row, ptrdiff_t c_col, const real *start, ptrdiff_t s_row, ptrdiff_t s_col)
{
    for (ptrdiff_t j = 0; j < cols;) {
        const int wide = cols - j >= DOTS ? DOTS : 1;
        for (ptrdiff_t i = 0; i < rows;) {
            const int high = rows - i >= ROWS_OF_DOTS ? ROWS_OF_DOTS : rows - i >= 2 ? 2 : 1;
            const real *x = a + i * a_row, *y = b + j * b_col;
            real *to = c + i * c_row + j * c_col;
            const real *from = start ? start + i * s_row + j * s_col : NULL;
            if (wide == 1)
                dots(1, 1, k, x, a_row, y, b_col, to, c_row, c_col, from, s_row, s_col);
            else if (high == 1)
                dots(1, DOTS, k, x, a_row, y, b_col, to, c_row, c_col, from, s_row, s_col);
            else if (high == 2)
                dots(2, DOTS, k, x, a_row, y, b_col, to, c_row, c_col, from, s_row, s_col);
            else
                dots(ROWS_OF_DOTS, DOTS, k, x, a_row, y, b_col, to, c_row, c_col, from, s_row, s_col);
            i += wide == 1 ? 1 : high;
        }
        j += wide;
    }
}
