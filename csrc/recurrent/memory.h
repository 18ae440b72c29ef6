/* memory.h -- how large a call is, where everything lies in its memory, and in which order its sequences come. */

typedef struct { char *memory; size_t used; } arena;

static void *take(arena *a, bool wanted, size_t bytes)
{
    char *at = wanted && a->memory ? a->memory + a->used : NULL;
    a->used += wanted ? (bytes + 63) / 64 * 64 : 0;
    return at;
}

static real *take_reals(arena *a, bool wanted, ptrdiff_t count)
{
    return take(a, wanted, count * sizeof(real));
}

/* Rows of a hot array lie a line more than their elements apart: at powers of two they would share few sets of a cache. */
static hot take_hot(arena *a, bool wanted, const recurrent *n, ptrdiff_t elements, int planes)
{
    const ptrdiff_t stride = elements + 64 / (ptrdiff_t)sizeof(real);
    return (hot){take_reals(a, wanted, planes * n->l.batch * stride), stride};
}

static step_weights take_weights(arena *a, bool wanted, ptrdiff_t k, int gates, int wide, ptrdiff_t columns)
{
    return (step_weights){take_reals(a, wanted, k * gates * columns), k, columns / LANES, gates, wide};
}

/* Where everything lies in the memory of a call, which serves both passes; returns its bytes. Without memory, those alone. */
static size_t lay_out(recurrent *n, void *memory, bool backward)
{
    const fo_recurrent *l = &n->l;
    const bool lstm = l->cell == FO_LSTM, before = l->cell == FO_GRU_BEFORE, projection = l->projection != NULL;
    const ptrdiff_t units = n->units, outputs = n->outputs, batch = l->batch, tokens = n->tokens;
    const int masks = l->recurrent_masks, gates = before ? 2 : l->gates, wide = STEP_VECTORS / gates;
    arena a = {memory, 0};
    n->order = take(&a, true, batch * sizeof(int64_t));
    n->length = take(&a, true, batch * sizeof(int64_t));
    n->offset = take(&a, true, batch * sizeof(int64_t));
    n->own_x = take_reals(&a, n->ragged && !n->fused, tokens * l->inputs);
    n->gates = take_reals(&a, !n->fused, tokens * n->slots * units);
    n->cell = take_reals(&a, lstm && l->keep, tokens * units);
    n->first_cell = take_reals(&a, lstm && l->keep, batch * units);
    n->operand = take_reals(&a, l->keep, tokens * outputs);
    n->hidden = take_reals(&a, projection && l->keep, tokens * units);
    n->dh_kept = take_reals(&a, projection && l->keep, tokens * outputs);
    n->masked = take_reals(&a, l->input_masks || masks, tokens * (l->inputs > outputs ? l->inputs : outputs));
    n->peepholes = take_reals(&a, l->peepholes != NULL, 3 * units);
    const size_t kept = a.used;
    n->recurrent_bias = take_reals(&a, l->cell == FO_GRU && l->bias, units);
    n->start = take_reals(&a, l->cell == FO_GRU && l->bias, l->gates * l->units);
    n->input = take_weights(&a, n->fused, l->inputs, gates, wide, units);
    n->input_start = take_weights(&a, n->fused && l->bias, 1, gates, wide, units);
    n->x_now = take_hot(&a, n->fused, n, l->inputs, 1);
    n->recurrent[0] = take_weights(&a, true, l->outputs, gates, wide, units);
    n->recurrent[1] = take_weights(&a, before, l->outputs, 1, STEP_VECTORS, units);
    n->projection = take_weights(&a, projection, l->units, 1, STEP_VECTORS, outputs);
    for (int i = 0; i < 2; i++)
        n->h[i] = take_hot(&a, true, n, outputs, 1 + masks);
    n->c = take_hot(&a, lstm, n, units, 1);
    n->reset = take_hot(&a, before, n, units, 1);
    n->m = take_hot(&a, projection, n, units, 1);
    const size_t forward = a.used;
    if (!l->keep || (memory && !backward))
        return forward;
    a.used = kept;                                             /* the backward pass in the place of what forward alone needs */
    const int apart = batch == 1 && !before ? l->gates : 1;    /* gates of which each has sums of its own */
    n->recurrent[0] = take_weights(&a, true, l->gates / apart * units, apart, STEP_VECTORS / apart, outputs);
    n->projection = take_weights(&a, projection, outputs, 1, STEP_VECTORS, units);
    for (int i = 0; i < 2; i++)
        n->dz[i] = take_hot(&a, true, n, l->gates * units, 1);
    n->dh = take_hot(&a, true, n, outputs, 1);
    n->dc = take_hot(&a, lstm, n, units, 1);
    n->aside = take_hot(&a, before || projection, n, units, 1);
    return a.used > forward ? a.used : forward;
}

/* The weights of a step up to which the inputs enter step by step, where no gates are kept: they stay in a second-level cache,
 * while the pre-activations of all steps would pass through memory; and the rows from which on this is no slower than one product.
 * So many inputs and units, that its sums are the same chains. */
enum { MOST_FUSED = 524288 / sizeof(real), LEAST_FUSED = 8 };

/* The sizes of a call, from its arguments alone. */
static recurrent measure(const fo_recurrent *l)
{
    static const int slots[] = {[FO_RNN] = 1, [FO_LSTM] = 4, [FO_GRU] = 4, [FO_GRU_BEFORE] = 4};
    recurrent n = {.l = *l, .slots = l->keep ? slots[l->cell] : l->gates};
    n.units = whole_vectors(l->units), n.outputs = whole_vectors(l->outputs);
    n.plain = l->activation == FO_TANH && l->recurrent_activation == FO_SIGMOID && l->clip == INFINITY && !l->peepholes &&
              !l->projection && !l->input_forget;
    n.fused = !l->keep && l->cell != FO_GRU_BEFORE && !l->input_masks && l->batch >= LEAST_FUSED && l->inputs <= KC &&
              l->units > 2 * ROWS_OF_DOTS && (l->inputs + l->outputs) * l->gates * l->units <= MOST_FUSED;
    n.tokens = l->batch * l->steps, n.longest = l->batch ? l->steps : 0;
    if (l->lengths) {
        n.tokens = n.longest = 0;
        for (ptrdiff_t b = 0; b < l->batch; b++) {
            n.tokens += l->lengths[b];
            n.longest = l->lengths[b] > n.longest ? l->lengths[b] : n.longest;
        }
        n.ragged = n.tokens < l->batch * l->steps;
    }
    return n;
}

typedef struct { int64_t length, sequence, offset; } measured;

static int longer_first(const void *a, const void *b)
{
    const measured *x = a, *y = b;
    return x->length != y->length ? (x->length < y->length) - (x->length > y->length) :
           (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* The sequences by falling length; their tokens lie in the order of the batch. -1 where memory is missing. */
static int order_sequences(recurrent *n)
{
    const ptrdiff_t batch = n->l.batch;
    measured *all = malloc((batch + 1) * sizeof *all);
    if (!all)
        return -1;
    for (ptrdiff_t b = 0, at = 0; b < batch; at += all[b++].length)
        all[b] = (measured){n->l.lengths ? n->l.lengths[b] : n->l.steps, b, at};
    if (n->ragged)
        qsort(all, batch, sizeof *all, longer_first);
    for (ptrdiff_t r = 0; r < batch; r++)
        n->order[r] = all[r].sequence, n->length[r] = all[r].length, n->offset[r] = all[r].offset;
    free(all);
    return 0;
}
