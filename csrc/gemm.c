/* gemm.c -- c (m, n) = a (m, k) b (k, n), or c + a b, over any strides, so that every transposition is one of these.
 *
 * After Goto & van de Geijn (2008) and BLIS (Van Zee & van de Geijn 2015): b in panels of NR columns, a in panels of MR rows,
 * a tile of c in registers. Each element of c is summed with k ascending in blocks of KC, which are added in order: the same
 * chain of operations in every variant below, so that neither threads nor the choice of a variant change a bit. The one
 * exception, a few rows times a b that lies along k, has a chain of its own (dots.c), and is chosen by the shapes alone. */

enum { VECTORS = 2, NR = VECTORS * LANES, KC = 256 };
#if FO_VECTOR_BYTES == 64
enum { MR = 12 };                                              /* 24 of 32 registers hold sums */
#else
enum { MR = 6 };                                               /* 12 of 16 */
#endif
enum { NC = 524288 / sizeof(real) / KC / NR * NR };            /* columns packed at a time: half of a second-level cache */

/* Rows [rows] x columns [cols] of the result from `row`, `col` on are complete. */
typedef void epilogue(void *context, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t col, ptrdiff_t cols);

typedef struct {
    ptrdiff_t m, n, k;
    const real *a, *b;
    real *c;
    ptrdiff_t a_row, a_col, b_row, b_col, c_row, c_col;        /* strides, in elements */
    bool accumulate;
    epilogue *finish;                                          /* may be NULL */
    void *context;
    bool swapped;                                              /* rows and columns of the result have changed names */
} product;

/* What a tile is made of: k columns of a, k rows of b that lie b_row apart, and where the sums go. */
typedef struct {
    ptrdiff_t k;
    const real *a;
    ptrdiff_t a_row, a_col;
    const real *b;
    ptrdiff_t b_row;
    real *to;
    ptrdiff_t to_row;
    bool add;
} tile;

/* to (rows, vectors * LANES) = a b or to + a b: the sums stay in registers while k runs. */
FO_INLINE void multiply_tile(const int rows, const int vectors, const tile *t)
{
    const ptrdiff_t a_row = t->a_row, a_col = t->a_col, b_row = t->b_row;
    const real *a = t->a, *b = t->b;
    vreal sum[MR][VECTORS];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++)
            sum[i][v] = (vreal){0};
    for (ptrdiff_t k = t->k; k > 0; k--, a += a_col, b += b_row) {
        vreal x[VECTORS];
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++)
            x[v] = vload(b + v * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++)
                sum[i][v] += a[i * a_row] * x[v];
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++) {
            real *at = t->to + i * t->to_row + v * LANES;
            vstore(at, t->add ? vload(at) + sum[i][v] : sum[i][v]);
        }
}

/* The tile of a height and width known only now: up to MR rows, one vector or VECTORS. */
static void multiply_tile_of(int rows, int vectors, const tile *t)
{
    const bool narrow = vectors == 1;
    switch (rows) {
    case 1: narrow ? multiply_tile(1, 1, t) : multiply_tile(1, VECTORS, t); break;
    case 2: narrow ? multiply_tile(2, 1, t) : multiply_tile(2, VECTORS, t); break;
    case 3: narrow ? multiply_tile(3, 1, t) : multiply_tile(3, VECTORS, t); break;
    case 4: narrow ? multiply_tile(4, 1, t) : multiply_tile(4, VECTORS, t); break;
    case 5: narrow ? multiply_tile(5, 1, t) : multiply_tile(5, VECTORS, t); break;
    case 6: narrow ? multiply_tile(6, 1, t) : multiply_tile(6, VECTORS, t); break;
#if FO_VECTOR_BYTES == 64
    case 7: narrow ? multiply_tile(7, 1, t) : multiply_tile(7, VECTORS, t); break;
    case 8: narrow ? multiply_tile(8, 1, t) : multiply_tile(8, VECTORS, t); break;
    case 9: narrow ? multiply_tile(9, 1, t) : multiply_tile(9, VECTORS, t); break;
    case 10: narrow ? multiply_tile(10, 1, t) : multiply_tile(10, VECTORS, t); break;
    case 11: narrow ? multiply_tile(11, 1, t) : multiply_tile(11, VECTORS, t); break;
    case 12: narrow ? multiply_tile(12, 1, t) : multiply_tile(12, VECTORS, t); break;
#endif
    }
}

/* c (rows, cols) = or += t, whose rows lie NR apart. */
static void merge(const real *t, int rows, int cols, real *c, ptrdiff_t c_row, ptrdiff_t c_col, bool add)
{
    if (c_col == 1)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < cols; j++)
                c[i * c_row + j] = add ? c[i * c_row + j] + t[i * NR + j] : t[i * NR + j];
    else
        for (int j = 0; j < cols; j++)
            for (int i = 0; i < rows; i++)
                c[i * c_row + j * c_col] = add ? c[i * c_row + j * c_col] + t[i * NR + j] : t[i * NR + j];
}

/* One panel of b, k rows of NR columns, of which `cols` exist; zeros stand for the others. */
static void pack_columns(const real *b, ptrdiff_t b_row, ptrdiff_t b_col, ptrdiff_t k, ptrdiff_t cols, real *restrict to)
{
    if (b_col == 1 && cols == NR) {
        for (ptrdiff_t p = 0; p < k; p++)
            for (int v = 0; v < VECTORS; v++)
                vstore(to + p * NR + v * LANES, vload(b + p * b_row + v * LANES));
        return;
    }
    if (b_row == 1 && cols == NR) {
        ptrdiff_t p = 0;
        for (; p + LANES <= k; p += LANES)
            for (int v = 0; v < VECTORS; v++)
                transpose(b + p + v * LANES * b_col, b_col, to + p * NR + v * LANES, NR);
        for (; p < k; p++)
            for (int j = 0; j < NR; j++)
                to[p * NR + j] = b[p + j * b_col];
        return;
    }
    for (ptrdiff_t p = 0; p < k; p++)
        for (ptrdiff_t j = 0; j < NR; j++)
            to[p * NR + j] = j < cols ? b[p * b_row + j * b_col] : 0;
}

/* Up to MR rows of a, column by column, MR apart. */
static void pack_rows(const real *a, ptrdiff_t a_row, ptrdiff_t a_col, int rows, ptrdiff_t k, real *restrict to)
{
    if (a_row == 1 && rows == MR)
        for (ptrdiff_t p = 0; p < k; p++)
            for (int i = 0; i < MR; i++)
                to[p * MR + i] = a[p * a_col + i];
    else
        for (int i = 0; i < rows; i++)
            for (ptrdiff_t p = 0; p < k; p++)
                to[p * MR + i] = a[i * a_row + p * a_col];
}

/* Strides at which lines fall into few sets of a cache: what is read again and again at such a stride is packed. */
static inline bool collides(ptrdiff_t stride)
{
    return stride * (ptrdiff_t)sizeof(real) % 1024 == 0;
}

/* The rectangle of rows i .. i_end and columns j .. j_end of the result, in this thread. */
static void multiply_rectangle(const product *g, ptrdiff_t i_begin, ptrdiff_t i_end, ptrdiff_t j_begin, ptrdiff_t j_end, real *space)
{
    real *const packed_a = space, *const packed_b = space + MR * KC;
    real edge[MR * NR] __attribute__((aligned(64)));
    /* chosen by the whole product, so by the shapes alone */
    const bool pack_b = g->b_col != 1 || (g->m > 3 * MR && (g->k * g->n > 32768 || collides(g->b_row)));
    const bool pack_a = g->n > 2 * NR && (g->n > 16 * NR || collides(g->a_row == 1 ? g->a_col : g->a_row));
    const ptrdiff_t panels_of_rows = (i_end - i_begin + MR - 1) / MR;
    for (ptrdiff_t jc = j_begin; jc < j_end; jc += NC) {
        const ptrdiff_t nc = j_end - jc < NC ? j_end - jc : NC;
        ptrdiff_t pc = 0;
        do {
            const ptrdiff_t kc = g->k - pc < KC ? g->k - pc : KC;
            const real *b = g->b + pc * g->b_row + jc * g->b_col;
            const bool add = g->accumulate || pc > 0, last = pc + kc == g->k;
            for (ptrdiff_t j = 0; j < nc; j += NR)
                if (pack_b || nc - j < NR)
                    pack_columns(b + j * g->b_col, g->b_row, g->b_col, kc, nc - j < NR ? nc - j : NR, packed_b + j * kc);
            for (ptrdiff_t r = 0; r < panels_of_rows; r++) {
                /* panels of about equal heights: eight and eight, not twelve and four */
                const ptrdiff_t i = i_begin + fo_share(i_end - i_begin, r, panels_of_rows, 1);
                const int rows = i_begin + fo_share(i_end - i_begin, r + 1, panels_of_rows, 1) - i;
                tile t = {.k = kc, .a = g->a + i * g->a_row + pc * g->a_col, .a_row = g->a_row, .a_col = g->a_col};
                if (pack_a) {
                    pack_rows(t.a, t.a_row, t.a_col, rows, kc, packed_a);
                    t.a = packed_a, t.a_row = 1, t.a_col = MR;
                }
                for (ptrdiff_t j = 0; j < nc; j += NR) {
                    const int cols = nc - j < NR ? nc - j : NR, vectors = cols > LANES ? VECTORS : 1;
                    const bool packed = pack_b || cols < NR;
                    const bool whole = cols == vectors * LANES && g->c_col == 1;
                    real *c = g->c + i * g->c_row + (jc + j) * g->c_col;
                    t.b = packed ? packed_b + j * kc : b + j;
                    t.b_row = packed ? NR : g->b_row;
                    t.to = whole ? c : edge;
                    t.to_row = whole ? g->c_row : NR;
                    t.add = whole && add;
                    multiply_tile_of(rows, vectors, &t);
                    if (!whole)
                        merge(edge, rows, cols, c, g->c_row, g->c_col, add);
                }
                if (last && g->finish && !g->swapped)
                    g->finish(g->context, i, rows, jc, nc);
            }
            pc += kc;
        } while (pc < g->k);
    }
    if (g->finish && g->swapped)
        g->finish(g->context, j_begin, j_end - j_begin, i_begin, i_end - i_begin);
}

static product swap(product g)
{
    return (product){g.n, g.m, g.k, g.b, g.a, g.c, g.b_col, g.b_row, g.a_col, g.a_row, g.c_col, g.c_row,
                     g.accumulate, g.finish, g.context, !g.swapped};
}

/* What a product costs beside the sums that it must do, in vectors: lanes left empty, packing, stores along the wrong axis. */
static double waste(const product *g)
{
    const double m = g->m, n = g->n, k = g->k, columns = (g->n + LANES - 1) / LANES;
    return k * columns * (m < 4 ? 4 : m) + (g->b_col == 1 ? 0 : k * n / 2) + (g->c_col == 1 ? m * columns : m * n);
}

/* The share of `rank` in a product: a rectangle, cut so that all threads together pack least. */
static int gemm_share(const product *given, int rank, int size)
{
    const product turned = swap(*given);
    const product *g = waste(&turned) < waste(given) ? &turned : given;
    if (g->m == 0 || g->n == 0)
        return 0;
    int across = 1;                                            /* threads side by side; the others below each other */
    double least = INFINITY;
    for (int s = 1; s <= size; s++)
        if (size % s == 0) {
            const double rows = (double)g->m * s / size, cols = (double)g->n / s;
            const double cost = (rows < MR ? MR / rows : 1) * (cols < NR ? NR / cols : 1) * (rows + 2 * cols);
            if (cost < least)
                least = cost, across = s;
        }
    const int down = size / across, row = rank / across, col = rank % across;
    real *space = fo_workspace((MR * KC + (KC + 1) * (size_t)(g->n < NC ? (g->n + NR - 1) / NR * NR : NC)) * sizeof(real));
    if (!space)
        return -1;
    multiply_rectangle(g, fo_share(g->m, row, down, MR), fo_share(g->m, row + 1, down, MR), fo_share(g->n, col, across, NR),
                       fo_share(g->n, col + 1, across, NR), space);
    return 0;
}

/* What a product takes on one core, roughly, in nanoseconds: a vector of sums in a cycle at 3 GHz. */
static double gemm_nanoseconds(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k)
{
    return 0.33 * m * n * k / LANES;
}

typedef struct {
    product product;
    int failed;
} gemm_job;

static void gemm_task(void *context, fo_team *team)
{
    gemm_job *job = context;
    if (gemm_share(&job->product, team->rank, team->size))
        __atomic_store_n(&job->failed, 1, __ATOMIC_RELAXED);
}

static int gemm(const fo_matrix *a, const fo_matrix *b, const fo_matrix *c, bool accumulate)
{
    gemm_job job = {{a->rows, b->cols, a->cols, a->data, b->data, (void *)c->data, a->row, a->col, b->row, b->col, c->row, c->col,
                     accumulate, NULL, NULL, false}, 0};
    fo_run(fo_team_size(gemm_nanoseconds(a->rows, b->cols, a->cols)), gemm_task, &job);
    return -job.failed;
}
