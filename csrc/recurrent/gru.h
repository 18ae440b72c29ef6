/* gru.h -- the gated recurrent unit (Cho et al. 2014): h = z h' + (1 - z) n, with the reset after the recurrent product,
 * n = f(xn + r q), q = h' recurrent_kernel + its bias, or before it, n = f(xn + (r h') recurrent_kernel). The slots of a token
 * are z, r, n and, with the reset after, q; the gradient leaves dq there, or, with the reset before, r h'. */

FO_INLINE vreal blend(vreal z, vreal h, vreal n)
{
    return z * h + (1 - z) * n;
}

FO_INLINE void gru_block(const recurrent *n, const block *b, const bool plain, const int wide)
{
    const ptrdiff_t width = wide * LANES, apart = inputs_apart(n, b);
    for (int i = 0; i < b->high; i++)
        for (int j = 0; j < wide; j++) {
            const row *r = b->rows + i;
            const ptrdiff_t v = b->v + j;
            const real *sums = sums_of(b, i, j), *inputs = inputs_of(n, b, i, j);
            const vreal bias = n->recurrent_bias ? vload(n->recurrent_bias + v * LANES) : (vreal){0};
            const vreal z = gate(n, plain, FO_SIGMOID, vload(inputs) + vload(sums));
            const vreal reset = gate(n, plain, FO_SIGMOID, vload(inputs + apart) + vload(sums + width));
            const vreal q = vload(sums + 2 * width) + bias;
            const vreal state = gate(n, plain, FO_TANH, vload(inputs + 2 * apart) + reset * q);
            if (n->l.keep)
                store_four(gates_of(n, r, v), n->units, z, reset, state, q);
            emit(n, r, b->step, v, blend(z, vload(hot_row(&n->h[b->step & 1], r, v)), state));
        }
}

static void gru_forward(const recurrent *n, const block *b)
{
    if (n->plain && b->wide == 1)
        gru_block(n, b, true, 1);
    else
        gru_block(n, b, n->plain, b->wide);
}

/* The reset before the product: first the gates and r h', ... */
static void gru_gates_forward(const recurrent *n, const block *b)
{
    const ptrdiff_t units = n->units;
    const hot *h = &n->h[b->step & 1];
    for (int i = 0; i < b->high; i++)
        for (int j = 0; j < b->wide; j++) {
            const row *r = b->rows + i;
            real *kept = gates_of(n, r, b->v + j);
            const real *sums = sums_of(b, i, j);
            const vreal reset = gate(n, n->plain, FO_SIGMOID, vload(kept + units) + vload(sums + b->wide * LANES));
            const vreal masked = vload(plane(n, h, plane_of(n, 2)) + r->at * h->stride + (b->v + j) * LANES);
            vstore(kept, gate(n, n->plain, FO_SIGMOID, vload(kept) + vload(sums)));
            vstore(kept + units, reset);
            vstore(hot_row(&n->reset, r, b->v + j), reset * masked);
        }
}

/* ... then the state. */
static void gru_state_forward(const recurrent *n, const block *b)
{
    for (int i = 0; i < b->high; i++)
        for (int j = 0; j < b->wide; j++) {
            const row *r = b->rows + i;
            const ptrdiff_t v = b->v + j;
            real *kept = gates_of(n, r, v);
            const vreal state = gate(n, n->plain, FO_TANH, vload(kept + 2 * n->units) + vload(sums_of(b, i, j)));
            vstore(kept + 2 * n->units, state);
            emit(n, r, b->step, v, blend(vload(kept), vload(hot_row(&n->h[b->step & 1], r, v)), state));
        }
}

/* dz and dn; in the place of dh what of it h' gets past the product. */
FO_INLINE void gru_rows_backward(const recurrent *n, const bool plain, const bool after, const row *rows, ptrdiff_t count,
                                 ptrdiff_t step, ptrdiff_t v, ptrdiff_t v_end)
{
    const ptrdiff_t units = n->units;
    for (ptrdiff_t i = 0; i < count; i++) {
        const row *r = rows + i;
        for (ptrdiff_t u = v; u < v_end; u++) {
            real *kept = gates_of(n, r, u), *carried = hot_row(&n->dh, r, u), *to = hot_row(&n->dz[step & 1], r, u);
            const vreal z = vload(kept), state = vload(kept + 2 * units);
            const vreal before = vload(n->operand + r->token * n->outputs + u * LANES);
            if (r->before >= 0) {
                expect(n, r, r->before - r->token, u);
                __builtin_prefetch(n->operand + r->before * n->outputs + u * LANES);
            }
            vreal dh = vload(carried);
            if (r->y)
                dh += load_from(r->y, u * LANES, n->l.units, 0);
            const vreal dz = gate_slope(n, plain, FO_SIGMOID, dh * (before - state), z);
            const vreal dn = gate_slope(n, plain, FO_TANH, dh * (1 - z), state);
            vstore(carried, dh * z);
            vstore(kept, dz);
            vstore(kept + 2 * units, dn);
            vstore(to, dz);
            if (after) {
                const vreal reset = vload(kept + units), q = vload(kept + 3 * units);
                const vreal dr = gate_slope(n, plain, FO_SIGMOID, dn * q, reset), dq = dn * reset;
                vstore(kept + units, dr);
                vstore(kept + 3 * units, dq);
                vstore(to + units, dr);
                vstore(to + 2 * units, dq);
            } else
                vstore(to + 2 * units, dn);
        }
    }
}

static void gru_backward(const recurrent *n, const row *rows, ptrdiff_t count, ptrdiff_t step, ptrdiff_t v, ptrdiff_t v_end)
{
    if (n->plain && n->l.cell == FO_GRU)
        gru_rows_backward(n, true, true, rows, count, step, v, v_end);
    else
        gru_rows_backward(n, n->plain, n->l.cell == FO_GRU, rows, count, step, v, v_end);
}

/* The reset before the product: dr, once the gradient of r h' is known. */
static void gru_reset_backward(const recurrent *n, const row *rows, ptrdiff_t count, ptrdiff_t step, ptrdiff_t v, ptrdiff_t v_end)
{
    const ptrdiff_t units = n->units;
    for (ptrdiff_t i = 0; i < count; i++) {
        const row *r = rows + i;
        for (ptrdiff_t u = v; u < v_end; u++) {
            real *kept = gates_of(n, r, u), *carried = hot_row(&n->dh, r, u);
            const vreal reset = vload(kept + units), slope = vload(hot_row(&n->aside, r, u));
            const vreal mask = n->l.recurrent_masks ? mask_of(n, r, plane_of(n, 2) - 1, u) : vsplat(1);
            const vreal masked = vload(n->operand + r->token * n->outputs + u * LANES) * mask;
            const vreal dr = gate_slope(n, n->plain, FO_SIGMOID, slope * masked, reset);
            vstore(carried, vload(carried) + slope * reset * mask);
            vstore(kept + units, dr);
            vstore(kept + 3 * units, reset * masked);
            vstore(hot_row(&n->dz[step & 1], r, u) + units, dr);
        }
    }
}
