/* recurrent.c -- a recurrent layer over its sequences, forward and backward, in one parallel region each.
 *
 * Forward: one product for the inputs of all steps, then the steps. Backward: the steps from last to first, then one product
 * over all tokens for each of dkernel, drecurrent_kernel and dx. Threads have sequences of their own and never wait for each
 * other between the products; where there are too few sequences they share the units, and meet at a barrier each step.
 * Every sum is one chain in either case, so that the results have the same bits. */

/* What a vector of a step's elementwise work takes beside its product, roughly, in nanoseconds. */
static const double cell_nanoseconds[] = {[FO_RNN] = 12, [FO_LSTM] = 45, [FO_GRU] = 30, [FO_GRU_BEFORE] = 35};

typedef struct { forward_cell *cell; const step_weights *weights; const hot *operand; int gate; } forward_stage;   /* operand NULL: h */
typedef struct {
    backward_cell *cell;
    const step_weights *weights;
    const hot *operand;                                        /* NULL: dz, gates of them from gate `gate` on */
    int gate, gates;
    const hot *to;
    bool add, masked;
} backward_stage;

/* ---- the memory of a call */

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
    const int masks = l->recurrent_masks;
    arena a = {memory, 0};
    n->order = take(&a, true, batch * sizeof(int64_t));
    n->length = take(&a, true, batch * sizeof(int64_t));
    n->offset = take(&a, true, batch * sizeof(int64_t));
    n->own_x = take_reals(&a, n->ragged && (l->keep || !n->fused), tokens * l->inputs);
    n->gates = take_reals(&a, l->keep || !n->fused, tokens * n->slots * units);
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
    n->input = take_weights(&a, n->fused, l->inputs, l->gates, l->gates == 1 ? STEP_VECTORS : 1, units);
    n->input_start = take_weights(&a, n->fused && l->bias, 1, n->input.gates, n->input.wide, units);
    n->x_now = take_hot(&a, n->fused, n, l->inputs, 1);
    n->recurrent[0] = take_weights(&a, true, l->outputs, before ? 2 : l->gates, before ? 2 : l->gates == 1 ? STEP_VECTORS : 1, units);
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
    n->recurrent[0] = take_weights(&a, true, l->gates * units, 1, STEP_VECTORS, outputs);
    n->projection = take_weights(&a, projection, outputs, 1, STEP_VECTORS, units);
    for (int i = 0; i < 2; i++)
        n->dz[i] = take_hot(&a, true, n, l->gates * units, 1);
    n->dh = take_hot(&a, true, n, outputs, 1);
    n->dc = take_hot(&a, lstm, n, units, 1);
    n->aside = take_hot(&a, before || projection, n, units, 1);
    return a.used > forward ? a.used : forward;
}

/* The weights of a step up to which the inputs enter step by step: they stay in a second-level cache, while the pre-activations
 * of all steps would pass through memory; and the rows from which on this is no slower than one product. */
enum { MOST_FUSED = 524288 / sizeof(real), LEAST_FUSED = 8 };

/* The sizes of a call, from its arguments alone. */
static recurrent measure(const fo_recurrent *l)
{
    static const int slots[] = {[FO_RNN] = 1, [FO_LSTM] = 4, [FO_GRU] = 4, [FO_GRU_BEFORE] = 4};
    recurrent n = {.l = *l, .slots = l->keep ? slots[l->cell] : l->gates};
    n.units = whole_vectors(l->units), n.outputs = whole_vectors(l->outputs);
    n.plain = l->activation == FO_TANH && l->recurrent_activation == FO_SIGMOID && l->clip == INFINITY && !l->peepholes &&
              !l->projection && !l->input_forget;
    n.fused = l->cell != FO_GRU_BEFORE && !l->input_masks && l->batch >= LEAST_FUSED &&
              (l->inputs + l->outputs) * l->gates * l->units <= MOST_FUSED;
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

typedef struct { int64_t length, sequence; } measured;

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
    int64_t *offset = malloc((batch + 1) * sizeof *offset);
    if (all && offset) {
        for (ptrdiff_t b = 0, at = 0; b < batch; b++) {
            all[b] = (measured){n->l.lengths ? n->l.lengths[b] : n->l.steps, b};
            offset[b] = at;
            at += all[b].length;
        }
        if (n->ragged)
            qsort(all, batch, sizeof *all, longer_first);
        for (ptrdiff_t r = 0; r < batch; r++) {
            n->order[r] = all[r].sequence;
            n->length[r] = all[r].length;
            n->offset[r] = offset[all[r].sequence];
        }
    }
    const int status = all && offset ? 0 : -1;
    free(all);
    free(offset);
    return status;
}

/* ---- the steps forward */

static void run_forward_stage(const recurrent *n, const forward_stage *stage, const row *rows, ptrdiff_t active, ptrdiff_t step,
                              ptrdiff_t v, ptrdiff_t v_end)
{
    const step_weights *w = stage->weights;
    const hot *operand = stage->operand ? stage->operand : &n->h[step & 1];
    const ptrdiff_t apart = n->l.batch * operand->stride;
    const bool each = !stage->operand && n->l.recurrent_masks > 1, fused = n->fused && !stage->operand;
    real sums[HELD * LANES] __attribute__((aligned(64))), inputs[HELD * LANES] __attribute__((aligned(64)));
    for (int wide; v < v_end; v += wide) {
        wide = v_end - v < w->wide ? v_end - v : w->wide;
        const ptrdiff_t width = w->gates * wide * LANES, before = v * LANES * w->gates;
        for (ptrdiff_t i = 0, high; i < active; i += high) {
            high = tile_height(active - i);
            tile t = {.k = w->k, .a = operand->data + rows[i].at * operand->stride, .a_row = operand->stride, .a_col = 1,
                      .b = w->packed + before * w->k, .b_row = width, .to = sums, .to_row = width};
            if (fused) {
                const tile x = {.k = n->input.k, .a = hot_row(&n->x_now, rows + i, 0), .a_row = n->x_now.stride, .a_col = 1,
                                .b = n->input.packed + before * n->input.k, .b_row = width, .to = inputs, .to_row = width,
                                .start = n->input_start.packed ? n->input_start.packed + before : NULL};
                step_tile(high, w->gates * wide, &x);
            }
            if (!each) {
                t.a += stage->operand ? 0 : plane_of(n, 0) * apart;
                step_tile(high, w->gates * wide, &t);
            } else
                for (int g = 0; g < w->gates; g++, t.b += wide * LANES, t.to += wide * LANES) {
                    t.a = operand->data + rows[i].at * operand->stride + plane_of(n, stage->gate + g) * apart;
                    step_tile(high, wide, &t);
                }
            const block done = {rows + i, high, wide, w->gates, step, v, sums, fused ? inputs : NULL};
            stage->cell(n, &done);
        }
    }
}

/* The states before the first step, and the results of sequences that have none; zeros in y behind the ends. */
static void begin_forward(const recurrent *n, const part *own)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t v_end = n->split_units ? own->vector_end : n->outputs / LANES;
    for (ptrdiff_t p = 0; p < own->count; p++) {
        const ptrdiff_t r = own->first + p * own->stride, b = n->order[r], length = n->length[r];
        const ptrdiff_t token = n->offset[r] + (l->reverse ? length - 1 : 0);
        const row first = {.at = own->base + p, .sequence = b};
        for (ptrdiff_t v = own->vector; v < v_end; v++) {
            const vreal h = l->h0 ? load_from((const real *)l->h0 + b * l->outputs, v * LANES, l->outputs, 0) : (vreal){0};
            set_state(n, &first, &n->h[0], v, h);
            if (length == 0)
                store_to((real *)l->h_n + b * l->outputs, v * LANES, l->outputs, h);
            else if (l->keep)
                vstore(n->operand + token * n->outputs + v * LANES, h);
        }
        for (ptrdiff_t v = own->vector; l->cell == FO_LSTM && v < own->vector_end; v++) {
            const vreal c = l->c0 ? load_from((const real *)l->c0 + b * l->units, v * LANES, l->units, 0) : (vreal){0};
            vstore(hot_row(&n->c, &first, v), c);
            if (l->keep)
                vstore(n->first_cell + b * n->units + v * LANES, c);
            if (length == 0)
                store_to((real *)l->c_n + b * l->units, v * LANES, l->units, c);
        }
        if (own->vector == 0)
            memset((real *)l->y + (b * l->steps + length) * l->outputs, 0, (l->steps - length) * l->outputs * sizeof(real));
    }
}

static void forward_steps(const recurrent *n, fo_team *team, row *rows)
{
    const part own = part_of(n, team);
    const fo_recurrent *l = &n->l;
    const forward_stage first = {l->cell == FO_RNN ? rnn_forward : l->cell == FO_LSTM ? lstm_forward :
                                 l->cell == FO_GRU ? gru_forward : gru_gates_forward, &n->recurrent[0], NULL, 0};
    const forward_stage state = {gru_state_forward, &n->recurrent[1], &n->reset, 2};
    const forward_stage project = {projection_forward, &n->projection, &n->m, 0};
    begin_forward(n, &own);
    for (ptrdiff_t step = 0; step < n->longest; step++) {
        if (n->split_units)
            fo_barrier(team);
        const ptrdiff_t active = rows_at(n, &own, step, l->y, rows);
        for (ptrdiff_t i = 0; n->fused && i < active; i++)
            memcpy(hot_row(&n->x_now, rows + i, 0), (const real *)l->x + rows[i].in_batch * l->inputs, l->inputs * sizeof(real));
        run_forward_stage(n, &first, rows, active, step, own.vector, own.vector_end);
        if (l->cell == FO_GRU_BEFORE)
            run_forward_stage(n, &state, rows, active, step, own.vector, own.vector_end);
        if (l->projection)
            run_forward_stage(n, &project, rows, active, step, 0, n->outputs / LANES);
    }
}

/* ---- the steps backward */

static void run_backward_stage(const recurrent *n, const backward_stage *stage, const row *rows, ptrdiff_t active, ptrdiff_t step,
                               ptrdiff_t v, ptrdiff_t v_end)
{
    const step_weights *w = stage->weights;
    const hot *operand = stage->operand ? stage->operand : &n->dz[step & 1];
    const int masks = stage->masked ? n->l.recurrent_masks : 0, parts = masks > 1 ? stage->gates : 1;
    const ptrdiff_t k = stage->operand ? w->k : stage->gates * n->units;
    real sums[HELD * LANES] __attribute__((aligned(64)));
    for (int wide; v < v_end; v += wide) {
        wide = v_end - v < STEP_VECTORS ? v_end - v : STEP_VECTORS;
        const ptrdiff_t width = wide * LANES;
        for (ptrdiff_t i = 0, high; i < active; i += high) {
            high = tile_height(active - i);
            real *to = hot_row(stage->to, rows + i, v);
            tile t = {.k = k / parts, .a_row = operand->stride, .a_col = 1, .b_row = width, .to = masks ? sums : to,
                      .to_row = masks ? width : stage->to->stride, .start = stage->add && !masks ? to : NULL,
                      .start_row = stage->to->stride};
            for (int g = 0; g < parts; g++) {
                const ptrdiff_t from = (stage->gate + g) * n->units;
                t.a = operand->data + rows[i].at * operand->stride + from;
                t.b = w->packed + v * LANES * w->k + from * width;
                step_tile(high, wide, &t);
                for (ptrdiff_t e = 0; masks && e < high * wide; e++) {
                    real *at = to + e / wide * stage->to->stride + e % wide * LANES;
                    const vreal dh = vload(sums + e * LANES) * mask_of(n, rows + i + e / wide, masks > 1 ? stage->gate + g : 0, v + e % wide);
                    vstore(at, stage->add || g ? vload(at) + dh : dh);
                }
            }
        }
    }
}

/* dh and dc of rows whose last step this is. */
static void begin_backward(const recurrent *n, const part *own, const row *r)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t v_end = n->split_units ? own->vector_end : n->outputs / LANES;
    for (ptrdiff_t v = own->vector; v < v_end; v++)
        vstore(hot_row(&n->dh, r, v),
               l->dh_n ? load_from((const real *)l->dh_n + r->sequence * l->outputs, v * LANES, l->outputs, 0) : (vreal){0});
    for (ptrdiff_t v = own->vector; l->cell == FO_LSTM && v < own->vector_end; v++)
        vstore(hot_row(&n->dc, r, v),
               l->dc_n ? load_from((const real *)l->dc_n + r->sequence * l->units, v * LANES, l->units, 0) : (vreal){0});
}

/* What is left of dh and dc before the first step. */
static void end_backward(const recurrent *n, const part *own)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t v_end = n->split_units ? own->vector_end : n->outputs / LANES;
    for (ptrdiff_t p = 0; p < own->count; p++) {
        const ptrdiff_t r = own->first + p * own->stride;
        const row first = {.at = own->base + p, .sequence = n->order[r]};
        if (n->length[r] == 0)
            begin_backward(n, own, &first);
        for (ptrdiff_t v = own->vector; l->dh0 && v < v_end; v++)
            store_to((real *)l->dh0 + first.sequence * l->outputs, v * LANES, l->outputs, vload(hot_row(&n->dh, &first, v)));
        for (ptrdiff_t v = own->vector; l->dc0 && v < own->vector_end; v++)
            store_to((real *)l->dc0 + first.sequence * l->units, v * LANES, l->units, vload(hot_row(&n->dc, &first, v)));
    }
}

static void backward_steps(const recurrent *n, fo_team *team, row *rows)
{
    const part own = part_of(n, team);
    const fo_recurrent *l = &n->l;
    const step_weights *w = &n->recurrent[0];
    const backward_stage ordinary[] = {{l->cell == FO_RNN ? rnn_backward : l->cell == FO_LSTM ? lstm_backward : gru_backward,
                                        w, NULL, 0, l->gates, &n->dh, l->cell == FO_GRU, true}};
    const backward_stage reset_before[] = {{gru_backward, w, NULL, 2, 1, &n->aside, false, false},
                                           {gru_reset_backward, w, NULL, 0, 2, &n->dh, true, true}};
    const backward_stage projected[] = {{projection_backward, &n->projection, &n->dh, 0, 0, &n->aside, false, false}, ordinary[0]};
    const backward_stage *stages = l->projection ? projected : l->cell == FO_GRU_BEFORE ? reset_before : ordinary;
    const int count = stages == ordinary ? 1 : 2;
    for (ptrdiff_t step = n->longest - 1; step >= 0; step--) {
        const ptrdiff_t active = rows_at(n, &own, step, l->dy, rows);
        for (ptrdiff_t i = 0; i < active; i++)
            if (rows[i].last)
                begin_backward(n, &own, rows + i);
        for (int s = 0; s < count; s++) {
            const backward_stage *stage = stages + s;
            const ptrdiff_t vectors = n->outputs / LANES, to = (stage->to == &n->dh ? n->outputs : n->units) / LANES;
            stage->cell(n, rows, active, step, own.vector, stage->operand ? vectors : own.vector_end);
            if (n->split_units)
                fo_barrier(team);
            run_backward_stage(n, stage, rows, active, step, own.vector, n->split_units ? own.vector_end : to);
        }
    }
    end_backward(n, &own);
}

/* ---- the products over all tokens */

static int slot_of(const recurrent *n, int gate, bool of_state)
{
    return of_state && n->l.cell == FO_GRU && gate == 2 ? 3 : gate;
}

/* How many gates from `gate` on one product does: they must lie side by side, and have one operand. */
static int gates_together(const recurrent *n, int gate, bool of_state)
{
    const int gates = n->l.gates, masks = of_state ? n->l.recurrent_masks : n->l.input_masks;
    if (n->units != n->l.units || masks > 1)
        return 1;
    return of_state && (n->l.cell == FO_GRU || n->l.cell == FO_GRU_BEFORE) ? (gate == 0 ? 2 : 1) : gates;
}

/* This thread's share of to = from, masked: rows of `width` elements, `stride` apart in from, one for each token. */
static void mask_tokens(const recurrent *n, const fo_team *team, const real *from, ptrdiff_t stride, ptrdiff_t width,
                        const real *mask, int masks, int number, real *to)
{
    const ptrdiff_t end = fo_share(n->l.batch, team->rank + 1, team->size, 1);
    for (ptrdiff_t r = fo_share(n->l.batch, team->rank, team->size, 1); r < end; r++) {
        const real *m = mask + (n->order[r] * masks + number) * width;
        for (ptrdiff_t token = n->offset[r]; token < n->offset[r] + n->length[r]; token++)
            for (ptrdiff_t j = 0; j < width; j++)
                to[token * width + j] = from[token * stride + j] * m[j];
    }
}

/* The input that gate `gate` sees, (tokens, inputs); all threads together. */
static const real *masked_input(const recurrent *n, fo_team *team, int gate)
{
    const fo_recurrent *l = &n->l;
    if (!l->input_masks)
        return n->x;
    if (l->input_masks > 1 || gate == 0) {
        fo_barrier(team);
        mask_tokens(n, team, n->x, l->inputs, l->inputs, l->input_mask, l->input_masks, gate, n->masked);
        fo_barrier(team);
    }
    return n->masked;
}

static void share(recurrent *n, const product *g, const fo_team *team)
{
    if (gemm_share(g, team->rank, team->size))
        __atomic_store_n(&n->failed, 1, __ATOMIC_RELAXED);
}

/* The pre-activations that come from the inputs, into the slots of the gates. */
static void input_products(recurrent *n, fo_team *team)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t columns = l->gates * l->units;
    for (int g = 0, count; g < l->gates; g += count) {
        count = gates_together(n, g, false);
        const real *bias = n->start ? n->start : l->bias;
        const product z = {.m = n->tokens, .n = count * l->units, .k = l->inputs, .a = masked_input(n, team, g), .a_row = l->inputs,
                           .a_col = 1, .b = (const real *)l->kernel + g * l->units, .b_row = columns, .b_col = 1,
                           .c = n->gates + g * n->units, .c_row = n->slots * n->units, .c_col = 1,
                           .start = bias ? bias + g * l->units : NULL, .start_row = 0, .start_col = 1};
        share(n, &z, team);
    }
}

/* Gradients of weights: to (rows, gates * units) = operand^T dz, for the gates from g on. */
static void weight_product(recurrent *n, fo_team *team, const real *operand, ptrdiff_t stride, ptrdiff_t rows, int gate, int count,
                           int slot, real *to)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t columns = l->gates * l->units;
    real *c = to + gate * l->units;
    const product dw = {.m = rows, .n = count * l->units, .k = n->tokens, .a = operand, .a_row = 1, .a_col = stride,
                        .b = n->gates + slot * n->units, .b_row = n->slots * n->units, .b_col = 1, .c = c, .c_row = columns, .c_col = 1,
                        .start = l->accumulate ? c : NULL, .start_row = columns, .start_col = 1};
    share(n, &dw, team);
}

static void weight_gradients(recurrent *n, fo_team *team)
{
    const fo_recurrent *l = &n->l;
    for (int g = 0, count; l->dkernel && g < l->gates; g += count) {
        count = gates_together(n, g, false);
        weight_product(n, team, masked_input(n, team, g), l->inputs, l->inputs, g, count, slot_of(n, g, false), l->dkernel);
    }
    for (int g = 0, count; l->drecurrent && g < l->gates; g += count) {
        count = gates_together(n, g, true);
        const bool reset = l->cell == FO_GRU_BEFORE && g == 2;
        const real *operand = reset ? n->gates + 3 * n->units : l->recurrent_masks ? n->masked : n->operand;
        const ptrdiff_t stride = reset ? n->slots * n->units : l->recurrent_masks ? l->outputs : n->outputs;
        if (!reset && l->recurrent_masks && (l->recurrent_masks > 1 || g == 0)) {
            fo_barrier(team);
            mask_tokens(n, team, n->operand, n->outputs, l->outputs, l->recurrent_mask, l->recurrent_masks, g, n->masked);
            fo_barrier(team);
        }
        weight_product(n, team, operand, stride, l->outputs, g, count, slot_of(n, g, true), l->drecurrent);
    }
    const int biases = l->cell == FO_GRU ? 2 : 1;
    for (int g = 0; l->dbias && g < biases * l->gates; g++)
        add_rows(n->gates + slot_of(n, g % l->gates, g >= l->gates) * n->units, n->tokens, n->slots * n->units,
                 fo_share(l->units, team->rank, team->size, LANES), fo_share(l->units, team->rank + 1, team->size, LANES),
                 (real *)l->dbias + g * l->units, l->accumulate);
    if (l->dpeepholes)
        peephole_gradients(n, team);
    if (l->dprojection) {
        const product dp = {.m = l->units, .n = l->outputs, .k = n->tokens, .a = n->hidden, .a_row = 1, .a_col = n->units,
                            .b = n->dh_kept, .b_row = n->outputs, .b_col = 1, .c = l->dprojection, .c_row = l->outputs, .c_col = 1,
                            .start = l->accumulate ? l->dprojection : NULL, .start_row = l->outputs, .start_col = 1};
        share(n, &dp, team);
    }
}

/* dx = dz kernel^T, masked as the input was; where lengths differ x is no longer needed, and dx takes its place first. */
static void input_gradient(recurrent *n, fo_team *team)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t inputs = l->inputs, row = fo_share(l->batch, team->rank, team->size, 1);
    const ptrdiff_t end = fo_share(l->batch, team->rank + 1, team->size, 1);
    real *to = n->ragged ? n->own_x : l->dx;
    fo_barrier(team);
    for (int g = 0, count; g < l->gates; g += count) {
        count = gates_together(n, g, false);
        const bool each = l->input_masks > 1;
        const product dx = {.m = n->tokens, .n = inputs, .k = count * l->units, .a = n->gates + g * n->units,
                            .a_row = n->slots * n->units, .a_col = 1, .b = (const real *)l->kernel + g * l->units, .b_row = 1,
                            .b_col = l->gates * l->units, .c = each ? n->masked : to, .c_row = inputs, .c_col = 1,
                            .start = g && !each ? to : NULL, .start_row = inputs, .start_col = 1};
        share(n, &dx, team);
        fo_barrier(team);
        for (ptrdiff_t r = row; each && r < end; r++) {
            const real *mask = (const real *)l->input_mask + (n->order[r] * l->gates + g) * inputs;
            for (ptrdiff_t token = n->offset[r]; token < n->offset[r] + n->length[r]; token++)
                for (ptrdiff_t j = 0; j < inputs; j++) {
                    const real slope = n->masked[token * inputs + j] * mask[j];
                    to[token * inputs + j] = g ? to[token * inputs + j] + slope : slope;
                }
        }
        if (each)
            fo_barrier(team);
    }
    if (l->input_masks == 1)
        mask_tokens(n, team, to, inputs, inputs, l->input_mask, 1, 0, to);
    for (ptrdiff_t r = row; n->ragged && r < end; r++) {       /* this thread has masked these very sequences */
        real *dx = (real *)l->dx + n->order[r] * l->steps * inputs;
        memcpy(dx, to + n->offset[r] * inputs, n->length[r] * inputs * sizeof(real));
        memset(dx + n->length[r] * inputs, 0, (l->steps - n->length[r]) * inputs * sizeof(real));
    }
}

/* ---- the two passes */

typedef struct {
    recurrent n;
    row *rows;                                                 /* `batch` of them for each thread */
} recurrent_job;

/* Copies of what the steps read, padded and packed; the tokens of sequences side by side. */
static void prepare_forward(recurrent *n, const fo_team *team)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t units = n->units, width = l->units, columns = l->gates * width, inputs = l->inputs;
    const ptrdiff_t row = fo_share(l->batch, team->rank, team->size, 1), end = fo_share(l->batch, team->rank + 1, team->size, 1);
    for (ptrdiff_t r = row; n->own_x && r < end; r++)
        memcpy(n->own_x + n->offset[r] * inputs, (const real *)l->x + n->order[r] * l->steps * inputs,
               n->length[r] * inputs * sizeof(real));
    const ptrdiff_t slots = fo_share(n->tokens * n->slots, team->rank + 1, team->size, 1);
    for (ptrdiff_t s = fo_share(n->tokens * n->slots, team->rank, team->size, 1); units > width && !n->fused && s < slots; s++)
        memset(n->gates + s * units + width, 0, (units - width) * sizeof(real));
    if (team->rank == 0) {
        const real *bias = l->bias, *peepholes = l->peepholes;
        for (ptrdiff_t j = 0; n->start && j < columns; j++)
            n->start[j] = j < 2 * width ? bias[j] + bias[columns + j] : bias[j];
        for (ptrdiff_t j = 0; n->recurrent_bias && j < units; j++)
            n->recurrent_bias[j] = j < width ? bias[columns + 2 * width + j] : 0;
        for (ptrdiff_t j = 0; peepholes && j < 3 * units; j++)
            n->peepholes[j] = j % units < width ? peepholes[j / units * width + j % units] : 0;
        if (n->input_start.packed)
            pack_step(&n->input_start, n->start ? n->start : bias, 0, 1, width, width, &(fo_team){.size = 1});
    }
    if (n->fused)
        pack_step(&n->input, l->kernel, columns, 1, width, width, team);
    pack_step(&n->recurrent[0], l->recurrent_kernel, columns, 1, width, width, team);
    if (l->cell == FO_GRU_BEFORE)
        pack_step(&n->recurrent[1], (const real *)l->recurrent_kernel + 2 * width, columns, 1, width, width, team);
    if (l->projection)
        pack_step(&n->projection, l->projection, l->outputs, 1, 0, l->outputs, team);
}

static void forward_recurrent_task(void *context, fo_team *team)
{
    recurrent_job *job = context;
    recurrent *n = &job->n;
    prepare_forward(n, team);
    fo_barrier(team);
    if (!n->fused) {
        input_products(n, team);
        fo_barrier(team);
    }
    forward_steps(n, team, job->rows + team->rank * n->l.batch);
}

static void backward_recurrent_task(void *context, fo_team *team)
{
    recurrent_job *job = context;
    recurrent *n = &job->n;
    const fo_recurrent *l = &n->l;
    pack_step_transposed(&n->recurrent[0], l->recurrent_kernel, l->gates * l->units, l->units, l->outputs, l->gates, n->units, team);
    if (l->projection)
        pack_step_transposed(&n->projection, l->projection, l->outputs, l->outputs, l->units, 1, n->outputs, team);
    fo_barrier(team);
    backward_steps(n, team, job->rows + team->rank * l->batch);
    fo_barrier(team);
    weight_gradients(n, team);
    if (l->dx)
        input_gradient(n, team);
}

/* What the steps take in one thread, and whether threads should share the units of all rows rather than the rows: where rows
 * are too few to keep a thread busy while its weights come from a farther cache. */
static double step_nanoseconds(const recurrent *n, ptrdiff_t rows, ptrdiff_t vectors)
{
    const double weights = (double)n->l.outputs * n->l.gates * vectors, bytes = weights * sizeof(vreal);
    const double least = bytes > 786432 ? 4 : bytes > 24576 ? 1.5 : 1;
    return 0.33 * weights * (rows > least ? rows : least) + (double)rows * vectors * cell_nanoseconds[n->l.cell];
}

static int run_recurrent(recurrent_job *job, fo_task *task, double input_products_done)
{
    recurrent *n = &job->n;
    const fo_recurrent *l = &n->l;
    const double barrier = 1500;
    const ptrdiff_t vectors = n->units / LANES, busy = l->batch * (n->longest > 0);
    const double steps = busy ? step_nanoseconds(n, busy, vectors) * n->tokens / busy : 0;
    const int size = fo_team_size(steps + input_products_done * gemm_nanoseconds(n->tokens, l->gates * l->units, l->inputs));
    n->split_units = size > 1 && l->cell != FO_GRU_BEFORE && !l->projection && !n->fused && vectors >= 2 * STEP_VECTORS &&
                     step_nanoseconds(n, l->batch, (vectors + size - 1) / size) + barrier <
                     step_nanoseconds(n, (l->batch + size - 1) / size, vectors);
    job->rows = malloc((size * l->batch + 1) * sizeof(row));
    if (!job->rows)
        return -1;
    fo_run(size, task, job);
    free(job->rows);
    return -n->failed;
}

static size_t recurrent_size(const fo_recurrent *l)
{
    recurrent n = measure(l);
    return lay_out(&n, NULL, true);
}

static int recurrent_forward(const fo_recurrent *l)
{
    recurrent_job job = {.n = measure(l)};
    lay_out(&job.n, l->memory, false);
    job.n.x = job.n.own_x ? job.n.own_x : l->x;
    return order_sequences(&job.n) ? -1 : run_recurrent(&job, forward_recurrent_task, 1);
}

static int recurrent_backward(const fo_recurrent *l)
{
    recurrent_job job = {.n = measure(l)};
    lay_out(&job.n, l->memory, true);
    job.n.x = job.n.ragged ? job.n.own_x : l->x;
    return run_recurrent(&job, backward_recurrent_task, 3);
}
