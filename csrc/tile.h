/* tile.h -- the innermost product: a tile of c in registers while k runs. Over 90 % of the FMA peak from the first cache levels. */

enum { VECTORS = 2, NR = VECTORS * LANES, KC = 256 };
#if FO_VECTOR_BYTES == 64
enum { MR = 12, HELD = 24 };                                   /* rows of a tile, and vectors of sums held in 32 registers */
#else
enum { MR = 6, HELD = 12 };                                    /* of 16 */
#endif
enum { PANEL_ROWS = (MR + LANES - 1) / LANES * LANES };        /* of a packed panel of a: whole vectors */

/* What a tile is made of: k columns of a, k rows of b that lie b_row apart, where the sums go, and what is added to them. */
typedef struct {
    ptrdiff_t k;
    const real *a;
    ptrdiff_t a_row, a_col;
    const real *b;
    ptrdiff_t b_row;
    real *to;
    ptrdiff_t to_row;
    const real *start;                                         /* NULL: nothing */
    ptrdiff_t start_row;
} tile;

/* to (rows, vectors * LANES) = start + a b: the sums stay in registers while k runs. */
FO_INLINE void multiply_tile(const int rows, const int vectors, const tile *t)
{
    const ptrdiff_t a_row = t->a_row, a_col = t->a_col, b_row = t->b_row;
    const real *a = t->a, *b = t->b;
    vreal sum[HELD];
    if (t->k > 64)                                             /* c will be there when the sums are */
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v += 64 / sizeof(vreal) < 1 ? 1 : 64 / sizeof(vreal))
                __builtin_prefetch(t->to + i * t->to_row + v * LANES, 1);
#pragma GCC unroll 32
    for (int s = 0; s < rows * vectors; s++)
        sum[s] = (vreal){0};
    for (ptrdiff_t k = t->k; k > 0; k--, a += a_col, b += b_row) {
        vreal x[HELD];
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++)
            x[v] = vload(b + v * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++)
                sum[i * vectors + v] += a[i * a_row] * x[v];
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++) {
            const vreal x = sum[i * vectors + v];
            vstore(t->to + i * t->to_row + v * LANES, t->start ? vload(t->start + i * t->start_row + v * LANES) + x : x);
        }
}

/* The widest tile of so many rows, in vectors: a row of b is read in long stretches, and no sum waits for the one before. */
static inline int vectors_of(int rows)
{
    return rows == 1 ? HELD / 3 * 2 : HELD / rows >= 8 ? 8 : HELD / rows >= 4 ? 4 : 2;
}

/* The tile of a height and width known only now: one vector, VECTORS, or vectors_of(rows). */
static void multiply_tile_of(int rows, int vectors, const tile *t)
{
    const bool one = vectors == 1, two = vectors == 2;
    switch (rows) {
    case 1: one ? multiply_tile(1, 1, t) : two ? multiply_tile(1, 2, t) : multiply_tile(1, HELD / 3 * 2, t); break;
#if FO_VECTOR_BYTES == 64
    case 2: one ? multiply_tile(2, 1, t) : two ? multiply_tile(2, 2, t) : multiply_tile(2, 8, t); break;
    case 3: one ? multiply_tile(3, 1, t) : two ? multiply_tile(3, 2, t) : multiply_tile(3, 8, t); break;
    case 4: one ? multiply_tile(4, 1, t) : two ? multiply_tile(4, 2, t) : multiply_tile(4, 4, t); break;
    case 5: one ? multiply_tile(5, 1, t) : two ? multiply_tile(5, 2, t) : multiply_tile(5, 4, t); break;
    case 6: one ? multiply_tile(6, 1, t) : two ? multiply_tile(6, 2, t) : multiply_tile(6, 4, t); break;
    case 7: one ? multiply_tile(7, 1, t) : multiply_tile(7, 2, t); break;
    case 8: one ? multiply_tile(8, 1, t) : multiply_tile(8, 2, t); break;
    case 9: one ? multiply_tile(9, 1, t) : multiply_tile(9, 2, t); break;
    case 10: one ? multiply_tile(10, 1, t) : multiply_tile(10, 2, t); break;
    case 11: one ? multiply_tile(11, 1, t) : multiply_tile(11, 2, t); break;
    case 12: one ? multiply_tile(12, 1, t) : multiply_tile(12, 2, t); break;
#else
    case 2: one ? multiply_tile(2, 1, t) : two ? multiply_tile(2, 2, t) : multiply_tile(2, 4, t); break;
    case 3: one ? multiply_tile(3, 1, t) : two ? multiply_tile(3, 2, t) : multiply_tile(3, 4, t); break;
    case 4: one ? multiply_tile(4, 1, t) : multiply_tile(4, 2, t); break;
    case 5: one ? multiply_tile(5, 1, t) : multiply_tile(5, 2, t); break;
    case 6: one ? multiply_tile(6, 1, t) : multiply_tile(6, 2, t); break;
#endif
    }
}

/* c (rows, cols) = start + t, whose rows lie NR apart; the longer axis of memory inside. */
static void merge(const real *t, ptrdiff_t rows, ptrdiff_t cols, real *c, ptrdiff_t c_row, ptrdiff_t c_col,
                  const real *start, ptrdiff_t start_row, ptrdiff_t start_col)
{
    if (zips(rows, c_row, c_col) && (!start || (start_row == 1 && start_col == rows))) {
        const ptrdiff_t done = zip(rows, t, NR, cols, c, start);
        t += done, c += done * c_col, start = start ? start + done * start_col : NULL, cols -= done;
    }
    const bool by_rows = c_col == 1;
    const ptrdiff_t slow = by_rows ? rows : cols, fast = by_rows ? cols : rows;
    const ptrdiff_t t_slow = by_rows ? NR : 1, t_fast = by_rows ? 1 : NR;
    const ptrdiff_t c_slow = by_rows ? c_row : c_col, c_fast = by_rows ? 1 : c_row;
    const ptrdiff_t s_slow = by_rows ? start_row : start_col, s_fast = by_rows ? start_col : start_row;
    if (!start)
        for (ptrdiff_t i = 0; i < slow; i++, t += t_slow, c += c_slow)
            for (ptrdiff_t j = 0; j < fast; j++)
                c[j * c_fast] = t[j * t_fast];
    else
        for (ptrdiff_t i = 0; i < slow; i++, t += t_slow, c += c_slow, start += s_slow)
            for (ptrdiff_t j = 0; j < fast; j++)
                c[j * c_fast] = start[j * s_fast] + t[j * t_fast];
}
