/* lstm.h -- long short-term memory (Hochreiter & Schmidhuber 1997; forget gate, Gers et al. 2000; peepholes, Gers & Schmidhuber
 * 2000; projection, Sak et al. 2014): c = f c' + i g, h = o tanh(c). The slots of a token are i, f, g, o. */

enum { I_GATE, F_GATE, G_GATE, O_GATE };

/* Any cell, vector by vector. */
static void lstm_vector(const recurrent *n, const block *b, int at, int j)
{
    const ptrdiff_t units = n->units, v = b->v + j, width = b->wide * LANES;
    const row *r = b->rows + at;
    const real *sums = sums_of(b, at, j);
    const ptrdiff_t apart = inputs_apart(n, b);
    const real *inputs = inputs_of(n, b, at, j);
    real *state = hot_row(&n->c, r, v);
    const real *p = n->peepholes ? n->peepholes + v * LANES : NULL;
    vreal z[4];
    for (int g = 0; g < 4; g++)
        z[g] = vload(inputs + g * apart) + vload(sums + g * width);
    vreal c = vload(state);
    if (p) {
        z[I_GATE] += c * vload(p);
        z[F_GATE] += c * vload(p + units);
    }
    const vreal i = gate(n, false, FO_SIGMOID, z[I_GATE]), g = gate(n, false, FO_TANH, z[G_GATE]);
    const vreal f = n->l.input_forget ? 1 - i : gate(n, false, FO_SIGMOID, z[F_GATE]);
    c = f * c + i * g;
    if (p)
        z[O_GATE] += c * vload(p + 2 * units);
    const vreal o = gate(n, false, FO_SIGMOID, z[O_GATE]);
    const vreal h = o * activated_by(n->l.activation, c, n->l.alpha);
    vstore(state, c);
    if (n->l.keep) {
        store_four(gates_of(n, r, v), units, i, f, g, o);
        vstore(n->cell + r->token * units + v * LANES, c);
    }
    if (r->last)
        store_to((real *)n->l.c_n + r->sequence * n->l.units, v * LANES, n->l.units, c);
    if (!n->l.projection)
        emit(n, r, b->step, v, h);
    else {
        vstore(hot_row(&n->m, r, v), h);
        if (n->l.keep)
            vstore(n->hidden + r->token * units + v * LANES, h);
    }
}

/* The ordinary cell, first gates and c, then h, over a block: a vector alone is a chain of operations that wait for each other. */
FO_INLINE void lstm_plain(const recurrent *n, const block *b, const int wide)
{
    const ptrdiff_t width = wide * LANES, units = n->units, apart = inputs_apart(n, b);
    real out[BLOCK_ROWS * LANES] __attribute__((aligned(64)));
    for (int i = 0; i < b->high; i++)
        for (int j = 0; j < wide; j++) {
            const row *r = b->rows + i;
            const ptrdiff_t v = b->v + j;
            const real *z = sums_of(b, i, j), *inputs = inputs_of(n, b, i, j);
            real *state = hot_row(&n->c, r, v);
            const vreal in = vsigmoid(vload(inputs) + vload(z)), forget = vsigmoid(vload(inputs + apart) + vload(z + width));
            const vreal g = vtanh(vload(inputs + 2 * apart) + vload(z + 2 * width));
            const vreal o = vsigmoid(vload(inputs + 3 * apart) + vload(z + 3 * width));
            const vreal c = forget * vload(state) + in * g;
            vstore(state, c);
            vstore(out + (i * wide + j) * LANES, o);
            if (n->l.keep) {
                store_four(gates_of(n, r, v), units, in, forget, g, o);
                vstore(n->cell + r->token * units + v * LANES, c);
                __builtin_prefetch(n->cell + (r->token + (n->l.reverse ? -1 : 1)) * units + v * LANES, 1);
            }
        }
    for (int i = 0; i < b->high; i++)
        for (int j = 0; j < wide; j++) {
            const row *r = b->rows + i;
            const vreal c = vload(hot_row(&n->c, r, b->v + j));
            if (r->last)
                store_to((real *)n->l.c_n + r->sequence * n->l.units, (b->v + j) * LANES, n->l.units, c);
            emit(n, r, b->step, b->v + j, vload(out + (i * wide + j) * LANES) * vtanh(c));
        }
}

static void lstm_forward(const recurrent *n, const block *b)
{
    if (n->plain && b->wide == 1)
        lstm_plain(n, b, 1);
    else if (n->plain)
        lstm_plain(n, b, b->wide);
    else
        for (int i = 0; i < b->high; i++)
            for (int j = 0; j < b->wide; j++)
                lstm_vector(n, b, i, j);
}

/* The second product of a step, h = m projection. */
static void projection_forward(const recurrent *n, const block *b)
{
    for (int i = 0; i < b->high; i++)
        for (int j = 0; j < b->wide; j++)
            emit(n, b->rows + i, b->step, b->v + j, vload(sums_of(b, i, j)));
}

/* dh, now whole, is kept for the gradient of the projection. */
static void projection_backward(const recurrent *n, const row *rows, ptrdiff_t count, ptrdiff_t step, ptrdiff_t v, ptrdiff_t v_end)
{
    (void)step;
    for (ptrdiff_t i = 0; i < count; i++)
        for (ptrdiff_t u = v; u < v_end; u++) {
            real *from = hot_row(&n->dh, rows + i, u);
            vreal dh = vload(from);
            if (rows[i].y)
                dh += load_from(rows[i].y, u * LANES, n->l.outputs, 0);
            vstore(from, dh);
            vstore(n->dh_kept + rows[i].token * n->outputs + u * LANES, dh);
        }
}

/* c before the step of a row. */
FO_INLINE vreal cell_before(const recurrent *n, const row *r, ptrdiff_t v)
{
    const real *from = r->before < 0 ? n->first_cell + r->sequence * n->units : n->cell + r->before * n->units;
    return vload(from + v * LANES);
}

FO_INLINE void lstm_row_backward(const recurrent *n, const bool plain, const row *r, ptrdiff_t step, ptrdiff_t v)
{
    const ptrdiff_t units = n->units;
    real *kept = gates_of(n, r, v), *state = hot_row(&n->dc, r, v), *to = hot_row(&n->dz[step & 1], r, v);
    const real *p = n->peepholes ? n->peepholes + v * LANES : NULL;
    const vreal i = vload(kept), f = vload(kept + units), g = vload(kept + 2 * units), o = vload(kept + 3 * units);
    const vreal before = cell_before(n, r, v), c = vload(n->cell + r->token * units + v * LANES);
    if (r->before >= 0) {
        expect(n, r, r->before - r->token, v);
        __builtin_prefetch(n->cell + (2 * r->before - r->token) * units + v * LANES);
    }
    vreal dh;
    if (!plain && n->l.projection)
        dh = vload(hot_row(&n->aside, r, v));
    else {
        dh = vload(hot_row(&n->dh, r, v));
        if (r->y)
            dh += load_from(r->y, v * LANES, n->l.units, 0);
    }
    const vreal squashed = plain ? vtanh(c) : activated_by(n->l.activation, c, n->l.alpha);
    const vreal dzo = gate_slope(n, plain, FO_SIGMOID, dh * squashed, o);
    vreal dc = vload(state);
    dc += plain ? gradient_of(FO_TANH, dh * o, squashed, squashed, 0) : slope_by(n->l.activation, dh * o, squashed, n->l.alpha);
    if (!plain && p)
        dc += dzo * vload(p + 2 * units);
    const bool coupled = !plain && n->l.input_forget;
    const vreal dzi = gate_slope(n, plain, FO_SIGMOID, coupled ? dc * (g - before) : dc * g, i);
    const vreal dzf = coupled ? vsplat(0) : gate_slope(n, plain, FO_SIGMOID, dc * before, f);
    const vreal dzg = gate_slope(n, plain, FO_TANH, dc * i, g);
    dc *= f;
    if (!plain && p)
        dc += dzi * vload(p) + dzf * vload(p + units);
    vstore(state, dc);
    store_four(kept, units, dzi, dzf, dzg, dzo);
    store_four(to, units, dzi, dzf, dzg, dzo);
}

static void lstm_backward(const recurrent *n, const row *rows, ptrdiff_t count, ptrdiff_t step, ptrdiff_t v, ptrdiff_t v_end)
{
    for (ptrdiff_t i = 0; i < count; i++)
        for (ptrdiff_t u = v; u < v_end; u++)
            if (n->plain)
                lstm_row_backward(n, true, rows + i, step, u);
            else
                lstm_row_backward(n, false, rows + i, step, u);
}

/* This thread's share of the gradients of the peepholes: sums over the tokens, in order. */
static void peephole_gradients(const recurrent *n, const fo_team *team)
{
    const ptrdiff_t units = n->units, width = n->l.units, end = fo_share(width, team->rank + 1, team->size, LANES);
    real *to = n->l.dpeepholes;
    for (ptrdiff_t u = fo_share(width, team->rank, team->size, LANES); u < end; u += LANES) {
        vreal sum[3] = {{0}};
        for (ptrdiff_t s = 0; s < n->l.batch; s++)
            for (ptrdiff_t k = 0; k < n->length[s]; k++) {
                const ptrdiff_t token = n->offset[s] + k, first = n->l.reverse ? n->length[s] - 1 : 0;
                const real *dz = n->gates + token * 4 * units + u;
                const vreal before = vload(k == first ? n->first_cell + n->order[s] * units + u :
                                           n->cell + (token + (n->l.reverse ? 1 : -1)) * units + u);
                sum[0] += vload(dz) * before;
                sum[1] += vload(dz + units) * before;
                sum[2] += vload(dz + 3 * units) * vload(n->cell + token * units + u);
            }
        for (int g = 0; g < 3; g++)
            store_to(to + g * width, u, width, n->l.accumulate ? load_from(to + g * width, u, width, 0) + sum[g] : sum[g]);
    }
}
