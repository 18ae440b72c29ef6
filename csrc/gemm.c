/* gemm.c -- c (m, n) = start + a (m, k) b (k, n) over any strides, so that every transposition is one of these.
 *
 * After Goto & van de Geijn (2008) and BLIS (Van Zee & van de Geijn 2015): b in panels of NR columns, a in panels of MR rows,
 * a tile of c in registers. Each element of c is summed with k ascending in blocks of KC, which are added in order: the same
 * chain of operations in every variant below, so that neither threads nor the choice of a variant change a bit. The one
 * exception, a few rows times a b that lies along k, has a chain of its own (dots.h), and is chosen by the shapes alone. */

#include "zip.h"
#include "ahead.h"
#include "tile.h"
#include "pack.h"
#include "dots.h"

enum { NC = 524288 / sizeof(real) / KC / NR * NR };            /* columns packed at a time: half of a second-level cache */

/* Rows [rows] x columns [cols] of the result from `row`, `col` on are complete. */
typedef void epilogue(void *context, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t col, ptrdiff_t cols);

typedef struct {
    ptrdiff_t m, n, k;
    const real *a, *b;
    const real *packed;                                        /* b as pack_whole left it; NULL: as it lies */
    real *c;
    ptrdiff_t a_row, a_col, b_row, b_col, c_row, c_col;        /* strides, in elements */
    const real *start;                                         /* added: c itself, a bias (stride 0 over the rows), or NULL */
    ptrdiff_t start_row, start_col;
    epilogue *finish;                                          /* may be NULL */
    void *context;
    bool swapped;                                              /* rows and columns of the result have changed names */
} product;

/* How a product is done: chosen by the shapes and strides of the whole of it, never by a thread's share. */
typedef struct {
    product g;
    bool dots, pack_a, pack_b;
    ptrdiff_t high, strip;                                     /* most rows of a tile, columns of a panel of b */
    double cost;                                               /* rough, in cycles */
} plan;

static product swap(product g)
{
    return (product){g.n, g.m, g.k, g.b, g.a, NULL, g.c, g.b_col, g.b_row, g.a_col, g.a_row, g.c_col, g.c_row,
                     g.start, g.start_col, g.start_row, g.finish, g.context, !g.swapped};
}

/* Strides at which lines fall into few sets of a cache: what is read again and again at such a stride is packed. */
static inline bool collides(ptrdiff_t stride)
{
    return stride * (ptrdiff_t)sizeof(real) % 1024 == 0;
}

/* Columns of a packed b, zeros behind the last ones not counted. */
static inline ptrdiff_t whole_panels(ptrdiff_t n)
{
    return (n + NR - 1) / NR * NR;
}

/* All of b in panels, block of k after block of k, for products that use it again and again: k * whole_panels(n) elements. */
static void pack_whole(const real *b, ptrdiff_t b_row, ptrdiff_t b_col, ptrdiff_t k, ptrdiff_t n, real *to)
{
    for (ptrdiff_t pc = 0; pc < k; pc += KC)
        for (ptrdiff_t j = 0, kc = k - pc < KC ? k - pc : KC; j < n; j += NR)
            pack_columns(b + pc * b_row + j * b_col, b_row, b_col, kc, n - j < NR ? n - j : NR, to + pc * whole_panels(n) + j * kc);
}

static plan plan_of(product g)
{
    plan p = {.g = g};
    const double m = g.m, n = g.n, k = g.k, columns = (g.n + LANES - 1) / LANES;
    p.dots = !g.packed && g.b_row == 1 && g.m <= 2 * ROWS_OF_DOTS && g.k >= (g.m == 1 ? LANES : 2 * LANES);
    if (p.dots) {
        p.pack_a = g.a_col != 1;
        p.cost = n * (k / LANES * (m < 2 ? 2 : m) + 8 * m) + (!p.pack_a ? 0 : m * k / (zips(g.m, g.a_row, g.a_col) ? 8 : 1));
    } else {
        const bool eight = !g.packed && g.m == 8 && zips(8, g.c_row, g.c_col);   /* they are stored together */
        p.high = eight ? 8 : MR, p.strip = eight ? HELD / 8 * LANES : NR;
        /* a b whose blocks stay in the second-level cache, or that few rows use, is read as it lies */
        const bool near = HELD >= 24 && g.b_col == 1 && g.c_col == 1 && g.n >= NR &&
                          (g.k * g.n <= 2 * KC * NC || g.m <= (collides(g.b_row) ? 64 : 256) ||
                           (g.b_row >= 0 && g.b_row <= (g.m <= 256 ? NC : NC / 2)));
        p.pack_b = g.packed || g.b_col != 1 || (!near && ((g.m > 6 && g.k * g.n > 524288) ||
                   (g.m > 36 && (g.k * g.n > 32768 || collides(g.b_row)))));
        p.pack_a = g.a_col != 1 && (p.pack_b || !near) && g.n > 4 * LANES && (g.n > 32 * LANES || collides(g.a_col));
        const double packing = zips(g.k, g.b_row, g.b_col) ? 8 : g.k < LANES ? 1 : 4;        /* elements in a cycle */
        const double storing = g.c_col == 1 ? LANES : zips(g.m, g.c_row, g.c_col) ? 8 : 1;
        p.cost = k * columns * (m < 2 ? 2 : m) + (g.b_col == 1 ? 0 : k * n / packing) + ceil(k / KC) * m * n / storing;
    }
    return p;
}

/* The rectangle of rows i_begin .. i_end and columns j_begin .. j_end of the result, in this thread. */
static void multiply_rectangle(const plan *p, ptrdiff_t i_begin, ptrdiff_t i_end, ptrdiff_t j_begin, ptrdiff_t j_end, real *space)
{
    const product *g = &p->g;
    real *const packed_a = space, *const packed_b = space + PANEL_ROWS * KC;
    real edge[8 * NR] __attribute__((aligned(64)));
    if (i_begin == i_end)                                      /* more threads than panels */
        return;
    /* panels of rows of about equal heights: four and four, not six and two; the first `taller` ones have a row more */
    const ptrdiff_t heights = (i_end - i_begin + p->high - 1) / p->high;
    const ptrdiff_t height = (i_end - i_begin) / heights, taller = (i_end - i_begin) % heights;
    const bool far_a = g->a_col == 1 && (i_end - i_begin) * g->k > KC * NC;    /* more than half a second-level cache */
    for (ptrdiff_t jc = j_begin; jc < j_end; jc += NC) {
        const ptrdiff_t nc = j_end - jc < NC ? j_end - jc : NC;
        ptrdiff_t pc = 0;
        do {
            const ptrdiff_t kc = g->k - pc < KC ? g->k - pc : KC;
            const real *b = g->b + pc * g->b_row + jc * g->b_col;
            const bool last = pc + kc == g->k;
            const real *start = pc ? g->c : g->start;          /* later blocks add to the earlier ones */
            const ptrdiff_t start_row = pc ? g->c_row : g->start_row, start_col = pc ? g->c_col : g->start_col;
            const bool straight = g->c_col == 1 && (!start || start_col == 1);
            const real *panels = g->packed ? g->packed + pc * whole_panels(g->n) + jc * kc : packed_b;
            if (!g->packed && (p->pack_b || g->n < LANES))
                for (ptrdiff_t j = 0; j < nc; j += p->strip)
                    pack_columns(b + j * g->b_col, g->b_row, g->b_col, kc, nc - j < p->strip ? nc - j : p->strip,
                                 packed_b + j * kc);
            const ptrdiff_t next = p->pack_b || heights == 1 ? 0 : g->k - pc - kc < KC ? g->k - pc - kc : KC;
            const ptrdiff_t widest = p->pack_b || !straight ? p->strip : vectors_of(height) * LANES;
            const ahead columns = {g->a + (pc + kc) * g->a_col + i_begin, g->a_col, i_end - i_begin, next, 0, NULL};
            ahead below, block = {b + kc * g->b_row, g->b_row, nc, next, 0, g->a_row == 1 && !p->pack_a ? &columns : NULL};
            const ptrdiff_t of_block = next ? fetches(&block, heights * ((nc + widest - 1) / widest)) : 0;
            for (ptrdiff_t i = i_begin, rows, count, panel = 0; i < i_end; i += count * rows, panel += count) {
                rows = height + (panel < taller);
                const ptrdiff_t wide = p->pack_b || !straight ? p->strip : vectors_of(rows) * LANES;
                /* so few columns: all panels of this height at once */
                count = (rows != 5 && rows != 6) || nc > wide || nc % LANES || !straight || p->pack_a ? 1 :
                        (panel < taller ? taller : heights) - panel;
                if (g->finish && count > 64)                   /* which wants to find them in a cache */
                    count = 64;
                tile t = {.k = kc, .a = g->a + i * g->a_row + pc * g->a_col, .a_row = g->a_row, .a_col = g->a_col,
                          .below = count - 1};
                if (next)
                    t.ahead = &block, t.fetches = of_block;
                else if (far_a) {
                    const ptrdiff_t left = i_end - i - rows;
                    below = (ahead){t.a + rows * g->a_row, g->a_row, kc, left < count * rows ? left : count * rows, 0, NULL};
                    t.ahead = &below, t.fetches = fetches(&below, count * ((nc + wide - 1) / wide));
                }
                if (p->pack_a) {
                    pack_rows(t.a, t.a_row, t.a_col, rows, kc, packed_a);
                    t.a = packed_a, t.a_row = 1, t.a_col = PANEL_ROWS;
                }
                for (ptrdiff_t j = 0, cols; j < nc; j += cols) {
                    cols = nc - j >= wide ? wide : nc - j < p->strip ? nc - j : p->strip;
                    if (!p->pack_b && cols > LANES && g->n < NR) /* no row of b is as long as so many vectors */
                        cols = cols < g->n / LANES * LANES ? cols : g->n / LANES * LANES;
                    const int vectors = (cols + LANES - 1) / LANES;
                    const ptrdiff_t width = vectors * LANES;
                    const bool packed = p->pack_b || g->n < LANES;
                    const bool whole = cols == width && straight;
                    /* b as it lies: the last vectors begin so much earlier that they end with the row */
                    const ptrdiff_t early = packed || jc + j + width <= g->n ? 0 : jc + j + width - g->n;
                    real *c = g->c + i * g->c_row + (jc + j) * g->c_col;
                    t.b = packed ? panels + j * kc : b + j - early;
                    t.b_row = packed ? width : g->b_row;
                    if (kc > 64 && g->c_col == 1)
                        t.c = c, t.c_row = g->c_row;
                    t.to = whole ? c : edge;
                    t.to_row = whole ? g->c_row : NR;
                    const real *from = start ? start + i * start_row + (jc + j) * start_col : NULL;
                    t.start = whole ? from : NULL;
                    t.start_row = start_row;
                    multiply_tile_of(rows, vectors, &t);
                    if (!whole)
                        merge(edge + early, rows, cols, c, g->c_row, g->c_col, from, start_row, start_col);
                }
                if (last && g->finish && !g->swapped)
                    g->finish(g->context, i, count * rows, jc, nc);
            }
            pc += kc;
        } while (pc < g->k);
    }
}

/* The same for a few rows against a b that lies along k. */
static void multiply_by_dots(const plan *p, ptrdiff_t j_begin, ptrdiff_t j_end, real *space)
{
    const product *g = &p->g;
    const real *a = g->a;
    ptrdiff_t a_row = g->a_row;
    if (p->pack_a) {
        const ptrdiff_t done = zips(g->m, a_row, g->a_col) ? unzip(g->m, a, g->k, space, g->k) : 0;
        for (ptrdiff_t i = 0; i < g->m; i++)
            for (ptrdiff_t k = done; k < g->k; k++)
                space[i * g->k + k] = a[i * a_row + k * g->a_col];
        a = space, a_row = g->k;
    }
    dots_of(g->m, j_end - j_begin, g->k, a, a_row, g->b + j_begin * g->b_col, g->b_col, g->c + j_begin * g->c_col, g->c_row,
            g->c_col, g->start ? g->start + j_begin * g->start_col : NULL, g->start_row, g->start_col);
}

/* The share of `rank` in a product: a rectangle, cut so that all threads together pack least. */
static int gemm_share(const product *given, int rank, int size)
{
    const plan straight = plan_of(*given), turned = plan_of(swap(*given));
    const plan *p = !given->packed && turned.cost < straight.cost ? &turned : &straight;
    const product *g = &p->g;
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
    if (p->dots)
        across = size;
    const int down = size / across, row = rank / across, col = rank % across;
    const ptrdiff_t i = fo_share(g->m, row, down, MR), i_end = fo_share(g->m, row + 1, down, MR);
    const ptrdiff_t j = fo_share(g->n, col, across, NR), j_end = fo_share(g->n, col + 1, across, NR);
    const ptrdiff_t panels = g->packed ? 0 : KC * (g->n < NC ? whole_panels(g->n) : NC);
    real *space = fo_workspace((!p->dots ? PANEL_ROWS * KC + panels : p->pack_a ? g->m * g->k : 1) * sizeof(real));
    if (!space)
        return -1;
    if (p->dots)
        multiply_by_dots(p, j, j_end, space);
    else
        multiply_rectangle(p, i, i_end, j, j_end, space);
    if (g->finish && g->swapped)
        g->finish(g->context, j, j_end - j, i, i_end - i);
    else if (g->finish && p->dots)
        g->finish(g->context, i, i_end - i, j, j_end - j);
    return 0;
}

/* What a product takes on one core, roughly, in nanoseconds: a vector of sums in a cycle at 3 GHz, and 50 bytes in a nanosecond. */
static double gemm_nanoseconds(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k)
{
    return 0.33 * m * n * k / LANES + 0.02 * sizeof(real) * ((double)m * k + (double)k * n + (double)m * n);
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
    gemm_job job = {{.m = a->rows, .n = b->cols, .k = a->cols, .a = a->data, .a_row = a->row, .a_col = a->col,
                     .b = b->data, .b_row = b->row, .b_col = b->col, .packed = b->packed,
                     .c = (void *)c->data, .c_row = c->row, .c_col = c->col,
                     .start = accumulate ? c->data : NULL, .start_row = c->row, .start_col = c->col}, 0};
    fo_run(fo_team_size(gemm_nanoseconds(a->rows, b->cols, a->cols)), gemm_task, &job);
    return -job.failed;
}

static ptrdiff_t packed_size(ptrdiff_t k, ptrdiff_t n)
{
    return k * whole_panels(n);
}

static void pack_matrix(const fo_matrix *b, void *to)
{
    pack_whole(b->data, b->row, b->col, b->rows, b->cols, to);
}
