/* call.h -- one call of a recurrent layer: what its sequences, its memory and its steps look like to every cell.
 *
 * A token is one step of one sequence; those of a sequence lie behind each other, so that products over all tokens need no
 * gaps where lengths differ. Of each token `slots` arrays of `units` elements are kept, first the pre-activations, in their
 * place the gates, then the gates' gradients. Units are padded to whole vectors; what stands in the padding is finite, and
 * zero wherever it meets a product. */

/* One active sequence at one step. */
typedef struct {
    ptrdiff_t at, sequence, token, before;                     /* its row in the hot arrays; before: the token it follows, or -1 */
    ptrdiff_t in_batch;                                        /* its token among all of (batch, steps) */
    bool last;                                                 /* of its sequence */
    real *y;                                                   /* its y; backward: dy, or NULL */
} row;

/* A row for every sequence, `stride` elements apart; planes of such rows lie behind each other. */
typedef struct { real *data; ptrdiff_t stride; } hot;

typedef struct {
    fo_recurrent l;
    int slots;
    ptrdiff_t units, outputs, tokens, longest;                 /* units, outputs: padded */
    bool ragged, split_units, plain;                           /* plain: tanh and sigmoid, nothing unusual */
    bool fused;                                                /* inference: inputs enter step by step, not by a product over all */
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

/* The rows of this thread at this step: `first` + p `stride` of all, p < count, in the hot arrays from `base` on; and its
 * vectors of units. */
typedef struct { ptrdiff_t first, stride, count, base, vector, vector_end; } part;

static part part_of(const recurrent *n, const fo_team *team)
{
    const ptrdiff_t vectors = n->units / LANES, batch = n->l.batch;
    if (n->split_units)
        return (part){0, 1, batch, 0, fo_share(vectors, team->rank, team->size, n->recurrent[0].wide),
                      fo_share(vectors, team->rank + 1, team->size, n->recurrent[0].wide)};
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

FO_INLINE real *gates_of(const recurrent *n, const row *r, ptrdiff_t v)
{
    return n->gates + r->token * n->slots * n->units + v * LANES;
}

/* Four vectors, `apart` from each other. */
FO_INLINE void store_four(real *to, ptrdiff_t apart, vreal a, vreal b, vreal c, vreal d)
{
    vstore(to, a);
    vstore(to + apart, b);
    vstore(to + 2 * apart, c);
    vstore(to + 3 * apart, d);
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
FO_INLINE void set_state(const recurrent *n, const row *r, const hot *to, ptrdiff_t v, vreal h)
{
    vstore(hot_row(to, r, v), h);
    for (int m = 0; m < n->l.recurrent_masks; m++)
        vstore((real *)plane(n, to, 1 + m) + r->at * to->stride + v * LANES, h * mask_of(n, r, m, v));
}

/* Vector v of what the next step of a row will touch, `next` tokens further on, on its way into the cache: the rows of a step
 * lie too far apart for the hardware to expect them. */
FO_INLINE void expect(const recurrent *n, const row *r, ptrdiff_t next, ptrdiff_t v)
{
    for (int s = 0; n->gates && s < n->slots; s++)
        __builtin_prefetch(gates_of(n, r, v) + (next * n->slots + s) * n->units, 1);
    if (r->y)
        __builtin_prefetch(r->y + next * n->l.outputs + v * LANES, 1);
}

/* Vector v of h after a step leaves for all that want it. */
FO_INLINE void emit(const recurrent *n, const row *r, ptrdiff_t step, ptrdiff_t v, vreal h)
{
    const ptrdiff_t outputs = n->l.outputs;
    set_state(n, r, &n->h[(step + 1) & 1], v, h);
    store_to(r->y, v * LANES, outputs, h);
    if (r->last) {
        store_to((real *)n->l.h_n + r->sequence * outputs, v * LANES, outputs, h);
        return;
    }
    const ptrdiff_t next = n->l.reverse ? -1 : 1;
    if (n->l.keep) {
        real *operand = n->operand + (r->token + next) * n->outputs + v * LANES;
        vstore(operand, h);
        __builtin_prefetch(operand + next * n->outputs, 1);
    }
    expect(n, r, next, v);
}
