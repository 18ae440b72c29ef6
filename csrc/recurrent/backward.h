/* backward.h -- the steps backward: for each the cell, then the product that takes its gradient to the state before. */

typedef struct {
    backward_cell *cell;
    const step_weights *weights;
    const hot *operand;                                        /* NULL: dz, gates of them from gate `gate` on */
    int gate, gates;
    const hot *to;
    bool add, masked;
} backward_stage;

static void run_backward_stage(const recurrent *n, const backward_stage *stage, const row *rows, ptrdiff_t active, ptrdiff_t step,
                               ptrdiff_t v, ptrdiff_t v_end)
{
    const step_weights *w = stage->weights;
    const hot *operand = stage->operand ? stage->operand : &n->dz[step & 1];
    const int masks = stage->masked ? n->l.recurrent_masks : 0, parts = masks > 1 ? stage->gates : 1;
    const ptrdiff_t k = stage->operand ? w->k : stage->gates * n->units;
    real sums[HELD * LANES] __attribute__((aligned(64)));
    for (int wide; v < v_end; v += wide) {
        wide = next_block(w, v_end - v);
        const ptrdiff_t width = wide * LANES;
        for (ptrdiff_t i = 0, high; i < active; i += high) {
            high = tile_height(active - i);
            real *to = hot_row(stage->to, rows + i, v);
            tile t = {.k = k / parts, .a_row = operand->stride, .a_col = 1, .b_row = w->gates * width, .to = masks ? sums : to,
                      .to_row = masks ? width : stage->to->stride, .start = stage->add && !masks ? to : NULL,
                      .start_row = stage->to->stride};
            for (int g = 0; g < parts; g++) {
                const ptrdiff_t from = (stage->gate + g) * n->units;
                t.a = operand->data + rows[i].at * operand->stride + from;
                t.b = w->packed + v * LANES * w->gates * w->k + (w->gates == 1 ? from : g) * width;
                if (w->gates > parts) {
                    t.k = n->units, t.a_row = n->units;
                    multiply_gates_of(w->gates, wide, &t);
                } else
                    multiply_tile_of(high, wide, &t);
                for (ptrdiff_t e = 0; masks && e < high * wide; e++) {
                    real *at = to + e / wide * stage->to->stride + e % wide * LANES;
                    const int mask = masks > 1 ? stage->gate + g : 0;
                    const vreal dh = vload(sums + e * LANES) * mask_of(n, rows + i + e / wide, mask, v + e % wide);
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
