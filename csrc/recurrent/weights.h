/* weights.h -- the weights of a step, packed so that all gates of a few units leave one tile together, as DeepCPU (Zhang et al.
 * 2018) and LIBXSMM's cells (Banerjee et al. 2019) do; and that tile. */

enum { STEP_VECTORS = 4, STEP_ROWS = HELD / STEP_VECTORS };    /* the largest tile of a step */
enum { BLOCK_ROWS = 4 * STEP_ROWS };                           /* rows whose tiles the cell finishes together */

/* Weights in blocks of columns: [block][k][gate][vector of the block][lane]; the last blocks may be narrower. */
typedef struct {
    real *packed;
    ptrdiff_t k, vectors;                                      /* vectors: of one gate */
    int gates, wide;                                           /* wide: vectors of one gate in a block */
} step_weights;

/* Vectors of one gate in a block, of those that a thread has, for tiles of so many rows. One row alone is wide, so that its sums
 * do not wait for each other, and their cells neither. */
static int block_width(ptrdiff_t rows, int gates, ptrdiff_t vectors)
{
    int wide = rows > 1 ? STEP_VECTORS / gates : gates > 1 ? HELD / 6 : vectors_of(1);
    while (rows == 1 && wide > 1 && wide > vectors)
        wide /= 2;
    return wide;
}

/* The next block where so many vectors are left. */
static inline int next_block(const step_weights *w, ptrdiff_t left)
{
    const int narrow = STEP_VECTORS / w->gates;
    return left >= w->wide ? w->wide : left < narrow ? (int)left : narrow;
}

/* Tiles of about equal heights: eight and eight, not twelve and four. */
static inline int tile_height(ptrdiff_t left)
{
    const ptrdiff_t tiles = (left + STEP_ROWS - 1) / STEP_ROWS;
    return (int)((left + tiles - 1) / tiles);
}

/* Columns `count` of `columns` of a block, k rows to_row apart, zeros for the others; element (p, j) is from[p down + j across]. */
static void pack_strip(const real *from, ptrdiff_t down, ptrdiff_t across, ptrdiff_t k, ptrdiff_t count, ptrdiff_t columns,
                       real *to, ptrdiff_t to_row)
{
    ptrdiff_t p = 0;
    count = count < 0 ? 0 : count < columns ? count : columns;
    if (down == 1 && across != 1)
        for (; p + LANES <= k; p += LANES)
            for (ptrdiff_t j = 0; j < count; j += LANES)
                transpose(from + p + j * across, across, count - j, to + p * to_row + j, to_row);
    for (; p < k; p++)
        if (across == 1)
            memcpy(to + p * to_row, from + p * down, count * sizeof(real));
        else
            for (ptrdiff_t j = 0; j < count; j++)
                to[p * to_row + j] = from[p * down + j * across];
    if (count < columns)
        for (p = 0; p < k; p++)
            memset(to + p * to_row + count, 0, (columns - count) * sizeof(real));
}

/* This thread's share of the blocks of w: gate g of columns `size` begins at from + g gate; see pack_strip. */
static void pack_step(const step_weights *w, const real *from, ptrdiff_t down, ptrdiff_t across, ptrdiff_t gate, ptrdiff_t size,
                      const fo_team *team)
{
    const ptrdiff_t end = fo_share(w->vectors, team->rank + 1, team->size, w->wide);
    for (ptrdiff_t v = fo_share(w->vectors, team->rank, team->size, w->wide), wide; v < end; v += wide) {
        wide = next_block(w, end - v);
        const ptrdiff_t row = w->gates * wide * LANES;
        for (int g = 0; g < w->gates; g++)
            pack_strip(from + g * gate + v * LANES * across, down, across, w->k, size - v * LANES, wide * LANES,
                       w->packed + v * LANES * w->gates * w->k + g * wide * LANES, row);
    }
}

/* The same of the transpose, from (size, gates * width), whose columns are those of one gate. Where w has one gate, k runs over
 * those of `from`, each `units` long, zeros in their padding; otherwise they lie beside each other. */
static void pack_step_transposed(const step_weights *w, const real *from, ptrdiff_t row, ptrdiff_t width, ptrdiff_t size,
                                 int gates, ptrdiff_t units, const fo_team *team)
{
    const ptrdiff_t end = fo_share(w->vectors, team->rank + 1, team->size, w->wide);
    for (ptrdiff_t v = fo_share(w->vectors, team->rank, team->size, w->wide), wide; v < end; v += wide / LANES) {
        wide = next_block(w, end - v) * LANES;
        const ptrdiff_t to_row = w->gates * wide;
        for (int g = 0; g < gates; g++) {
            real *to = w->packed + v * LANES * w->gates * w->k + g * (w->gates == 1 ? units * wide : wide);
            pack_strip(from + g * width + v * LANES * row, 1, row, width, size - v * LANES, wide, to, to_row);
            for (ptrdiff_t k = width; k < units; k++)
                memset(to + k * to_row, 0, wide * sizeof(real));
        }
    }
}

/* to (vectors * LANES) = start + the products of `gates` rows a, a_row apart, each with its part of b: every gate has sums of
 * its own, since those of one alone would wait for each other. */
FO_INLINE void multiply_gates(const int gates, const int vectors, const tile *t)
{
    const real *a = t->a, *b = t->b;
    vreal sum[HELD];
#pragma GCC unroll 16
    for (int s = 0; s < gates * vectors; s++)
        sum[s] = (vreal){0};
    for (ptrdiff_t k = 0; k < t->k; k++, b += t->b_row)
#pragma GCC unroll 16
        for (int s = 0; s < gates * vectors; s++)
            sum[s] += a[s / vectors * t->a_row + k] * vload(b + s * LANES);
#pragma GCC unroll 16
    for (int v = 0; v < vectors; v++) {
        vreal x = sum[v];
#pragma GCC unroll 4
        for (int g = 1; g < gates; g++)
            x += sum[g * vectors + v];
        vstore(t->to + v * LANES, t->start ? vload(t->start + v * LANES) + x : x);
    }
}

/* One, two or HELD / 6 vectors. */
FO_INLINE void multiply_gates_by(const int gates, int vectors, const tile *t)
{
    if (vectors == 1)
        multiply_gates(gates, 1, t);
    else if (vectors == 2)
        multiply_gates(gates, 2, t);
    else
        multiply_gates(gates, HELD / 6, t);
}

/* Three or four gates. */
static void multiply_gates_of(int gates, int vectors, const tile *t)
{
    if (gates == 3)
        multiply_gates_by(3, vectors, t);
    else
        multiply_gates_by(4, vectors, t);
}
