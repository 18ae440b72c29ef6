/* forward.h -- the steps forward: for each the product of the state, fused with the cell. */

/* A product of a step, from gate `gate` on, and what finishes it; operand NULL: h. */
typedef struct { forward_cell *cell; const step_weights *weights; const hot *operand; int gate; } forward_stage;

static void run_forward_stage(const recurrent *n, const forward_stage *stage, const row *rows, ptrdiff_t active, ptrdiff_t step,
                              ptrdiff_t v, ptrdiff_t v_end)
{
    const step_weights *w = stage->weights;
    const hot *operand = stage->operand ? stage->operand : &n->h[step & 1];
    const ptrdiff_t apart = n->l.batch * operand->stride;
    const bool each = !stage->operand && n->l.recurrent_masks > 1, fused = n->fused && !stage->operand;
    enum { SUMS = BLOCK_ROWS * STEP_VECTORS * LANES };
    real sums[SUMS] __attribute__((aligned(64))), inputs[SUMS] __attribute__((aligned(64)));
    for (int wide; v < v_end; v += wide) {
        wide = next_block(w, v_end - v);
        const ptrdiff_t width = w->gates * wide * LANES, before = v * LANES * w->gates;
        for (ptrdiff_t first = 0, count; first < active; first += count) {
            count = active - first < BLOCK_ROWS ? active - first : BLOCK_ROWS;
            for (ptrdiff_t i = 0, high; i < count; i += high) {
                const ptrdiff_t at = rows[first + i].at;
                high = tile_height(count - i);
                tile t = {.k = w->k, .a = operand->data + at * operand->stride, .a_row = operand->stride, .a_col = 1,
                          .b = w->packed + before * w->k, .b_row = width, .to = sums + i * width, .to_row = width};
                if (fused) {
                    tile x = {.k = n->input.k, .a = n->x_now.data + at * n->x_now.stride, .a_row = n->x_now.stride,
                                    .a_col = 1, .b = n->input.packed + before * n->input.k, .b_row = width,
                                    .to = inputs + i * width, .to_row = width,
                                    .start = n->input_start.packed ? n->input_start.packed + before : NULL};
                    multiply_tile_of(high, w->gates * wide, &x);
                }
                if (!each) {
                    t.a += stage->operand ? 0 : plane_of(n, 0) * apart;
                    multiply_tile_of(high, w->gates * wide, &t);
                } else
                    for (int g = 0; g < w->gates; g++, t.b += wide * LANES, t.to += wide * LANES) {
                        t.a = operand->data + at * operand->stride + plane_of(n, stage->gate + g) * apart;
                        multiply_tile_of(high, wide, &t);
                    }
            }
            const block done = {rows + first, count, wide, w->gates, step, v, sums, fused ? inputs : NULL};
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
        if (own->vector == 0 && own->vector_end > 0)           /* a share may be empty */
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
        for (ptrdiff_t i = 0; n->fused && i < active; i++) {
            const real *x = (const real *)l->x + rows[i].in_batch * l->inputs;
            memcpy(hot_row(&n->x_now, rows + i, 0), x, l->inputs * sizeof(real));
            for (ptrdiff_t j = 0; !rows[i].last && j < l->inputs; j += 64 / sizeof(real))
                __builtin_prefetch(x + (l->reverse ? -l->inputs : l->inputs) + j);
        }
        run_forward_stage(n, &first, rows, active, step, own.vector, own.vector_end);
        if (l->cell == FO_GRU_BEFORE)
            run_forward_stage(n, &state, rows, active, step, own.vector, own.vector_end);
        if (l->projection)
            run_forward_stage(n, &project, rows, active, step, 0, n->outputs / LANES);
    }
}
