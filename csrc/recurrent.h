/* recurrent.h -- one call of a recurrent layer: what its sequences, its memory and its steps look like to every cell.
 *
 * A token is one step of one sequence; those of a sequence lie behind each other, so that products over all tokens need no
 * gaps where lengths differ. Of each token `slots` arrays of `units` elements are kept, first the pre-activations, in their
 * place the gates, then the gates' gradients. Units are padded to whole vectors; what stands in the padding is finite, and
 * zero wherever it meets a product.
 *
 * The product of a step is fused with the cell: weights are packed so that all gates of a few units leave one tile together,
 * as DeepCPU (Zhang et al. 2018) and LIBXSMM's cells (Banerjee et al. 2019) do. */

enum { STEP_VECTORS = 4, STEP_ROWS = HELD / STEP_VECTORS };    /* the largest tile of a step */

/* Weights in blocks of columns: [block][k][gate][vector of the block][lane]; the last block may be narrower. */
typedef struct {
    real *packed;
    ptrdiff_t k, vectors;                                      /* vectors: of one gate */
    int gates, wide;                                           /* wide: vectors of one gate in a block */
} step_weights;

/* One active sequence at one step. */
typedef struct {
    ptrdiff_t at, sequence, token, before;                     /* its row in the hot arrays; before: the token it follows, or -1 */
    ptrdiff_t in_batch;                                        /* its token among all of (batch, steps) */
    bool last;                                                 /* of its sequence */
    real *y;                                                   /* backward: dy, or NULL */
} row;

/* Rows of which each keeps `stride` elements, one for every sequence; `planes` of them. */
typedef struct { real *data; ptrdiff_t stride; } hot;

typedef struct {
    fo_recurrent l;
    int slots;
    ptrdiff_t units, outputs, tokens, longest;                 /* units, outputs: padded */
    bool ragged, split_units, plain;                           /* plain: tanh and sigmoid, nothing unusual */
    bool fused;                                                /* inputs enter step by step, not by a product over all of them */
    int64_t *order, *length, *offset;                          /* by row: place in the batch, steps, first token */
    const real *x;                                             /* (tokens, inputs) */
    real *own_x, *masked, *start;
    real *gates, *cell, *first_cell, *operand, *hidden, *dh_kept;
    real *peepholes, *recurrent_bias;
    step_weights input, input_start, recurrent[2], projection; /* two: the gates of GRU with the reset before, then its state */
    hot x_now, h[2], c, reset, m;                              /* h: one plane as it is, the others with masks */
    hot dz[2], dh, dc, aside;
    int failed;
} recurrent;

static inline ptrdiff_t whole_vectors(ptrdiff_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* rows x vectors of sums, both known only now. */
FO_INLINE void step_tile_of_rows(const int rows, int vectors, const tile *t)
{
    switch (vectors) {
    case 1: multiply_tile(rows, 1, t); break;
    case 2: multiply_tile(rows, 2, t); break;
    case 3: multiply_tile(rows, 3, t); break;
    default: multiply_tile(rows, STEP_VECTORS, t);
    }
}

static void step_tile(int rows, int vectors, const tile *t)
{
    switch (rows) {
    case 1: step_tile_of_rows(1, vectors, t); break;
    case 2: step_tile_of_rows(2, vectors, t); break;
#if FO_VECTOR_BYTES == 64
    case 3: step_tile_of_rows(3, vectors, t); break;
    case 4: step_tile_of_rows(4, vectors, t); break;
    case 5: step_tile_of_rows(5, vectors, t); break;
#endif
    default: step_tile_of_rows(STEP_ROWS, vectors, t);
    }
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

/* The rows of this thread at this step: `first` + p `stride` of all, p < count, in the hot arrays from `base` on; and its
 * vectors of units. */
typedef struct { ptrdiff_t first, stride, count, base, vector, vector_end; } part;

static part part_of(const recurrent *n, const fo_team *team)
{
    const ptrdiff_t vectors = n->units / LANES, batch = n->l.batch;
    if (n->split_units)
        return (part){0, 1, batch, 0, fo_share(vectors, team->rank, team->size, STEP_VECTORS),
                      fo_share(vectors, team->rank + 1, team->size, STEP_VECTORS)};
    const ptrdiff_t each = batch / team->size, rest = batch % team->size, rank = team->rank;
    return (part){rank, team->size, each + (rank < rest), rank * each + (rank < rest ? rank : rest), 0, vectors};
}

/* The rows of `own` that have step `step`, listed; longer sequences come first, so they are the first ones. */
static ptrdiff_t rows_at(const recurrent *n, const part *own, ptrdiff_t step, const real *y, row *rows)
{
    ptrdiff_t p = 0;
    for (; p < own->count; p++) {
        const ptrdiff_t r = own->first + p * own->stride, length = n->length[r], sequence = n->order[r];
        if (length <= step)
            break;
        const ptrdiff_t t = n->l.reverse ? length - 1 - step : step, token = n->offset[r] + t;
        const ptrdiff_t in_batch = sequence * n->l.steps + t;
        rows[p] = (row){own->base + p, sequence, token, step == 0 ? -1 : n->l.reverse ? token + 1 : token - 1, in_batch,
                        step + 1 == length, y ? (real *)y + in_batch * n->l.outputs : NULL};
    }
    return p;
}

/* Tiles of about equal heights: eight and eight, not twelve and four. */
static inline int tile_height(ptrdiff_t left)
{
    const ptrdiff_t tiles = (left + STEP_ROWS - 1) / STEP_ROWS;
    return (int)((left + tiles - 1) / tiles);
}

FO_INLINE real *gates_of(const recurrent *n, const row *r, ptrdiff_t v)
{
    return n->gates + r->token * n->slots * n->units + v * LANES;
}

FO_INLINE real *hot_row(const hot *a, const row *r, ptrdiff_t v)
{
    return a->data + r->at * a->stride + v * LANES;
}

/* The plane of h that gate g of the recurrent product reads. */
static inline int plane_of(const recurrent *n, int gate)
{
    return n->l.recurrent_masks <= 1 ? n->l.recurrent_masks : 1 + gate;
}

static inline const real *plane(const recurrent *n, const hot *h, int number)
{
    return h->data + number * n->l.batch * h->stride;
}

FO_INLINE vreal mask_of(const recurrent *n, const row *r, int number, ptrdiff_t v)
{
    const real *mask = (const real *)n->l.recurrent_mask + (r->sequence * n->l.recurrent_masks + number) * n->l.outputs;
    return load_from(mask, v * LANES, n->l.outputs, 0);
}

/* h, with its masks, to be the state before the next step of a row; `to` are the planes of that step. */
static void set_state(const recurrent *n, const row *r, const hot *to, ptrdiff_t v, vreal h)
{
    vstore(hot_row(to, r, v), h);
    for (int m = 0; m < n->l.recurrent_masks; m++)
        vstore((real *)plane(n, to, 1 + m) + r->at * to->stride + v * LANES, h * mask_of(n, r, m, v));
}

/* Vector v of h after a step leaves for all that want it. */
FO_INLINE void emit(const recurrent *n, const row *r, ptrdiff_t step, ptrdiff_t v, vreal h)
{
    const ptrdiff_t outputs = n->l.outputs;
    const hot *to = &n->h[(step + 1) & 1];
    if (n->l.recurrent_masks)
        set_state(n, r, to, v, h);
    else
        vstore(hot_row(to, r, v), h);
    store_to(r->y, v * LANES, outputs, h);
    if (r->last)
        store_to((real *)n->l.h_n + r->sequence * outputs, v * LANES, outputs, h);
    else if (n->l.keep)
        vstore(n->operand + (r->token + (n->l.reverse ? -1 : 1)) * n->outputs + v * LANES, h);
}

/* An elementwise activation or its derivative, of a kind known only now. */
static __attribute__((noinline)) vreal activated_by(int kind, vreal z, real alpha)
{
    return activated(kind, z, alpha);
}

static __attribute__((noinline)) vreal slope_by(int kind, vreal dy, vreal y, real alpha)
{
    return gradient_of(kind, dy, y, y, alpha);
}

/* A gate of its pre-activation, and back; `plain`: of kind `usual`, without a limit. */
FO_INLINE vreal gate(const recurrent *n, const bool plain, const int usual, vreal z)
{
    if (plain)
        return activated(usual, z, 0);
    const bool state = usual == FO_TANH;
    if (n->l.clip < INFINITY)
        z = vmax(vsplat(-n->l.clip), vmin(vsplat(n->l.clip), z));
    return activated_by(state ? n->l.activation : n->l.recurrent_activation, z, state ? n->l.alpha : n->l.recurrent_alpha);
}

FO_INLINE vreal gate_slope(const recurrent *n, const bool plain, const int usual, vreal dy, vreal y)
{
    if (plain)
        return gradient_of(usual, dy, y, y, 0);
    const bool state = usual == FO_TANH;
    const int kind = state ? n->l.activation : n->l.recurrent_activation;
    const real alpha = state ? n->l.alpha : n->l.recurrent_alpha;
    vreal dz = slope_by(kind, dy, y, alpha);
    if (n->l.clip < INFINITY) {                                /* at the limits, which no kind passes through twice, it is 0 */
        const vreal low = activated_by(kind, vsplat(-n->l.clip), alpha), high = activated_by(kind, vsplat(n->l.clip), alpha);
        dz = vselect((y <= low) | (y >= high), vsplat(0), dz);
    }
    return dz;
}

/* `high` rows and `wide` vectors from v on of a step, with what their recurrent products came to and, where inputs are fused,
 * those of the inputs, each [row][gate][vector][lane]. */
typedef struct {
    const row *rows;
    int high, wide, gates;
    ptrdiff_t step, v;
    const real *sums, *inputs;
} block;

/* What finishes a block: state and results from its sums. */
typedef void forward_cell(const recurrent *n, const block *b);

FO_INLINE const real *sums_of(const block *b, int i, int j)
{
    return b->sums + (i * b->gates * b->wide + j) * LANES;
}

/* The pre-activations as the inputs alone make them, of row i and vector j; those of the next gate are *apart further on. */
FO_INLINE const real *inputs_of(const recurrent *n, const block *b, int i, int j, ptrdiff_t *apart)
{
    *apart = b->inputs ? b->wide * LANES : n->units;
    return b->inputs ? b->inputs + (i * b->gates * b->wide + j) * LANES : gates_of(n, b->rows + i, b->v + j);
}

/* The gradients of the pre-activations of a step, for vectors v to v_end of its rows. */
typedef void backward_cell(const recurrent *n, const row *rows, ptrdiff_t count, ptrdiff_t step, ptrdiff_t v, ptrdiff_t v_end);
