/* tile.h -- the innermost product: a tile of c in registers while k runs. Over 90 % of the FMA peak from the first cache levels. */

enum { MR = 6, VECTORS = FO_VECTOR_BYTES == 64 ? 4 : 2 };      /* rows of a tile, vectors in a row: for 32 registers, or 16 */
enum { HELD = MR * VECTORS, NR = VECTORS * LANES, KC = 256 };
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
    ptrdiff_t below;                                           /* tiles of five or six rows that follow in the same columns */
    const real *c;                                             /* where the sums will end: fetched meanwhile; or NULL */
    ptrdiff_t c_row;
    ahead *ahead;                                              /* fetched meanwhile, so many times by each tile; or NULL */
    ptrdiff_t fetches;
} tile;

/* sum += the next k columns of a times rows of b. */
FO_INLINE void multiply_columns(const int rows, const int vectors, ptrdiff_t k, const real **a, ptrdiff_t a_row, ptrdiff_t a_col,
                                const real **b, ptrdiff_t b_row, vreal *sum)
{
    for (; k > 0; k--, *a += a_col, *b += b_row) {
        vreal x[HELD];
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++)
            x[v] = vload(*b + v * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++)
                sum[i * vectors + v] += (*a)[i * a_row] * x[v];
    }
}

/* Row i of c: it will be there when the sums are. */
FO_INLINE void expect_row(const int vectors, const tile *t, ptrdiff_t i)
{
#pragma GCC unroll 16
    for (int v = 0; v < vectors; v += 64 / sizeof(vreal))
        __builtin_prefetch(t->c + i * t->c_row + v * LANES, 1);
}

/* to (rows, vectors * LANES) = start + a b: the sums stay in registers while k runs. */
FO_INLINE void multiply_tile(const int rows, const int vectors, const tile *t)
{
    const volatile tile *own = t;                              /* multiples of a stride that all kinds share would take registers */
    const real *a = t->a, *b = t->b;
    vreal sum[HELD];
#pragma GCC unroll 32
    for (int s = 0; s < rows * vectors; s++)
        sum[s] = (vreal){0};
    if (t->ahead && rows * vectors >= HELD * 2 / 3)            /* a narrower tile is done soon, and what it reads is expected */
        for (ptrdiff_t p = 0; p < PARTS; p++) {
            if (t->c && p < rows)
                expect_row(vectors, t, p);
            fetch(t->ahead, (p + 1) * t->fetches / PARTS - p * t->fetches / PARTS);
            const ptrdiff_t k = (p + 1) * own->k / PARTS - p * own->k / PARTS;
            multiply_columns(rows, vectors, k, &a, own->a_row, own->a_col, &b, own->b_row, sum);
        }
    else {
        for (int i = 0; t->c && i < rows; i++)
            expect_row(vectors, t, i);
        multiply_columns(rows, vectors, t->k, &a, own->a_row, own->a_col, &b, own->b_row, sum);
    }
    real *to = t->to;
    const real *start = t->start;
    const ptrdiff_t to_row = t->to_row, start_row = t->start_row;
    if (start)
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++, to += to_row, start += start_row)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++)
                vstore(to + v * LANES, vload(start + v * LANES) + sum[i * vectors + v]);
    else
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++, to += to_row)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++)
                vstore(to + v * LANES, sum[i * vectors + v]);
}

/* `column`: and all the tiles below, each in the place of the one before. */
FO_INLINE void multiply_tiles(const int rows, const int vectors, const bool column, tile *t)
{
    for (;; t->below--) {
        multiply_tile(rows, vectors, t);
        if (!column || t->below == 0)
            return;
        t->a += rows * t->a_row, t->to += rows * t->to_row;
        t->start = t->start ? t->start + rows * t->start_row : NULL;
        t->c = t->c ? t->c + rows * t->c_row : NULL;
    }
}

/* The widest tile of so many rows, in vectors: a row of b is read in long stretches, and no sum waits for the one before. */
static inline int vectors_of(int rows)
{
    return rows == 1 ? HELD / 3 * 2 : HELD / rows >= 8 ? 8 : HELD / rows >= 4 ? 4 : HELD / rows >= 2 ? 2 : 1;
}

/* One to four vectors, as far as the registers hold them, or vectors_of(rows), known only now; for one row six, eight or twelve,
 * too. */
FO_INLINE void multiply_tile_of_rows(const int rows, int vectors, const bool column, tile *t)
{
    if (rows == 1 && vectors > 4 && vectors < vectors_of(1))
        switch (vectors) {
        case 6: multiply_tiles(rows, 6, column, t); return;
        case 8: multiply_tiles(rows, 8, column, t); return;
        default: multiply_tiles(rows, HELD / 2, column, t); return;
        }
    switch (vectors) {
    case 1: multiply_tiles(rows, 1, column, t); break;
    case 2: multiply_tiles(rows, 2 * rows <= HELD ? 2 : 1, column, t); break;
    case 3: multiply_tiles(rows, 3 * rows <= HELD ? 3 : 1, column, t); break;
    case 4: multiply_tiles(rows, 4 * rows <= HELD ? 4 : 1, column, t); break;
    default: multiply_tiles(rows, vectors_of(rows), column, t);
    }
}

/* The same for up to eight rows. */
static void multiply_tile_of(int rows, int vectors, tile *t)
{
    if (t->below) {
        if (rows == 5)
            multiply_tile_of_rows(5, vectors, true, t);
        else
            multiply_tile_of_rows(6, vectors, true, t);
        return;
    }
    switch (rows) {
    case 1: multiply_tile_of_rows(1, vectors, false, t); break;
    case 2: multiply_tile_of_rows(2, vectors, false, t); break;
    case 3: multiply_tile_of_rows(3, vectors, false, t); break;
    case 4: multiply_tile_of_rows(4, vectors, false, t); break;
    case 5: multiply_tile_of_rows(5, vectors, false, t); break;
    case 6: multiply_tile_of_rows(6, vectors, false, t); break;
    case 7: multiply_tile_of_rows(7, vectors, false, t); break;
    default: multiply_tile_of_rows(8, vectors, false, t);
    }
}

typedef real vhalf __attribute__((vector_size(FO_VECTOR_BYTES / 2), aligned(sizeof(real)), may_alias));

/* Rows without gaps in them. */
FO_INLINE void merge_rows(const real *t, ptrdiff_t rows, ptrdiff_t cols, real *c, ptrdiff_t c_row,
                          const bool add, const real *start, ptrdiff_t start_row)
{
    for (; rows > 0; rows--, t += NR, c += c_row) {
        ptrdiff_t j = 0;
        for (; j + LANES / 2 <= cols; j += LANES / 2) {
            const vhalf x = *(const vhalf *)(t + j);
            if (add)
                *(vhalf *)(c + j) = *(const vhalf *)(start + j) + x;
            else
                *(vhalf *)(c + j) = x;
        }
        for (; j < cols; j++)
            c[j] = add ? start[j] + t[j] : t[j];
        start = add ? start + start_row : NULL;
    }
}

/* c (rows, cols) = start + t, whose rows lie NR apart. */
static void merge(const real *t, ptrdiff_t rows, ptrdiff_t cols, real *c, ptrdiff_t c_row, ptrdiff_t c_col,
                  const real *start, ptrdiff_t start_row, ptrdiff_t start_col)
{
    if (zips(rows, c_row, c_col) && (!start || (start_row == 1 && start_col == rows))) {
        const ptrdiff_t done = zip(rows, t, NR, cols, c, start);
        t += done, c += done * c_col, start = start ? start + done * start_col : NULL, cols -= done;
    }
    if (c_col == 1 && !start)
        merge_rows(t, rows, cols, c, c_row, false, NULL, 0);
    else if (c_col == 1 && start_col == 1)
        merge_rows(t, rows, cols, c, c_row, true, start, start_row);
    else if (start)
        for (; cols > 0; cols--, t++, c += c_col, start += start_col)
            for (ptrdiff_t i = 0; i < rows; i++)
                c[i * c_row] = start[i * start_row] + t[i * NR];
    else
        for (; cols > 0; cols--, t++, c += c_col)
            for (ptrdiff_t i = 0; i < rows; i++)
                c[i * c_row] = t[i * NR];
}
