/* pack.h -- panels of a and b as the tiles read them. */

/* LANES x LANES elements, rows and columns exchanged in registers: log2(LANES) rounds in which pairs of vectors trade blocks
 * of 1, 2, 4, ... lanes (Eklundh 1972). */
FO_INLINE void transpose(const real *from, ptrdiff_t from_row, ptrdiff_t rows, real *to, ptrdiff_t to_row)
{
    vreal x[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        x[i] = vload(from + (i < rows ? i : 0) * from_row);    /* the lanes of rows that do not exist are not read */
#pragma GCC unroll 4
    for (int d = 1; d < LANES; d *= 2) {
        const vint lane = *(const vint *)LANE, even = (lane & ~d) + (((lane & d) != 0) & LANES), odd = even + d;
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

/* A panel, k rows of `width` elements, of which `count` exist; what stands for the others is never used. Neighbours in a row
 * of the panel lie `across` apart in `from`, rows `down`. */
FO_INLINE void pack(const int width, const real *from, ptrdiff_t down, ptrdiff_t across, ptrdiff_t k, ptrdiff_t count,
                    real *restrict to)
{
    ptrdiff_t p = 0;
    if (across == 1 && (count == width || down >= count))      /* whole vectors, as long as they end within the panel */
        for (; p < k && (count == width || p * down + width <= (k - 1) * down + count); p++)
            for (int j = 0; j < width; j += LANES)
                vstore(to + p * width + j, vload(from + p * down + j));
    else if (down == 1 && k >= LANES)
        for (; p < k; p += LANES) {
            if (p + LANES > k)
                p = k - LANES;                                 /* the last ones once more rather than one by one */
            for (ptrdiff_t j = 0; j < count; j += LANES)
                if (count - j >= LANES)
                    transpose(from + p + j * across, across, LANES, to + p * width + j, width);
                else
                    transpose(from + p + j * across, across, count - j, to + p * width + j, width);
        }
    const ptrdiff_t done = p == 0 && zips(k, down, across) ? unzip(k, from, count, to, width) : 0;
    for (; p < k; p++)
        for (ptrdiff_t j = done; j < count; j++)
            to[p * width + j] = from[p * down + j * across];
}

/* Columns of b, NR at most, in as few vectors as they fit. */
static void pack_columns(const real *b, ptrdiff_t b_row, ptrdiff_t b_col, ptrdiff_t k, ptrdiff_t cols, real *to)
{
    switch ((cols + LANES - 1) / LANES) {
    case 1: pack(LANES, b, b_row, b_col, k, cols, to); break;
    case 2: pack(2 * LANES, b, b_row, b_col, k, cols, to); break;
    case 3: pack(3 * LANES, b, b_row, b_col, k, cols, to); break;
    default: pack(NR, b, b_row, b_col, k, cols, to);
    }
}

/* Rows of a. */
static void pack_rows(const real *a, ptrdiff_t a_row, ptrdiff_t a_col, ptrdiff_t rows, ptrdiff_t k, real *to)
{
    pack(PANEL_ROWS, a, a_col, a_row, k, rows, to);
}
