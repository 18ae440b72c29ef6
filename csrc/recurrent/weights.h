/* weights.h -- the weights of a step, packed so that all gates of a few units leave one tile together, as DeepCPU (Zhang et al.
 * 2018) and LIBXSMM's cells (Banerjee et al. 2019) do; and that tile. */

enum { STEP_VECTORS = 4, STEP_ROWS = HELD / STEP_VECTORS };    /* the largest tile of a step */
enum { BLOCK_ROWS = 4 * STEP_ROWS };                           /* rows whose tiles the cell finishes together */

/* Weights in blocks of columns: [block][k][gate][vector of the block][lane]; the last block may be narrower. */
typedef struct {
    real *packed;
    ptrdiff_t k, vectors;                                      /* vectors: of one gate */
    int gates, wide;                                           /* wide: vectors of one gate in a block */
} step_weights;

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
    const ptrdiff_t blocks = (w->vectors + w->wide - 1) / w->wide;
    const ptrdiff_t end = fo_share(blocks, team->rank + 1, team->size, 1);
    for (ptrdiff_t b = fo_share(blocks, team->rank, team->size, 1); b < end; b++) {
        const ptrdiff_t v = b * w->wide, wide = w->vectors - v < w->wide ? w->vectors - v : w->wide, row = w->gates * wide * LANES;
        for (int g = 0; g < w->gates; g++)
            pack_strip(from + g * gate + v * LANES * across, down, across, w->k, size - v * LANES, wide * LANES,
                       w->packed + v * LANES * w->gates * w->k + g * wide * LANES, row);
    }
}

/* The same of the transpose: k runs over `gates` gates of `units` each, zeros in their padding; the columns are those of one
 * gate. from is (size, gates * width). */
static void pack_step_transposed(const step_weights *w, const real *from, ptrdiff_t row, ptrdiff_t width, ptrdiff_t size,
                                 int gates, ptrdiff_t units, const fo_team *team)
{
    const ptrdiff_t blocks = (w->vectors + w->wide - 1) / w->wide;
    const ptrdiff_t end = fo_share(blocks, team->rank + 1, team->size, 1);
    for (ptrdiff_t b = fo_share(blocks, team->rank, team->size, 1); b < end; b++) {
        const ptrdiff_t v = b * w->wide, wide = (w->vectors - v < w->wide ? w->vectors - v : w->wide) * LANES;
        for (int g = 0; g < gates; g++) {
            real *to = w->packed + v * LANES * w->k + g * units * wide;
            pack_strip(from + g * width + v * LANES * row, 1, row, width, size - v * LANES, wide, to, wide);
            memset(to + width * wide, 0, (units - width) * wide * sizeof(real));
        }
    }
}
