/* rnn.h -- the plain recurrent cell (Elman 1990): h = f(z), z = x kernel + h' recurrent_kernel + bias. The slot of a token is h. */

static void rnn_forward(const recurrent *n, const block *b)
{
    for (int i = 0; i < b->high; i++)
        for (int j = 0; j < b->wide; j++) {
            const vreal z = vload(inputs_of(n, b, i, j)) + vload(sums_of(b, i, j));
            const vreal h = n->plain ? vtanh(z) : gate(n, false, FO_TANH, z);
            if (n->l.keep)
                vstore(gates_of(n, b->rows + i, b->v + j), h);
            emit(n, b->rows + i, b->step, b->v + j, h);
        }
}

static void rnn_backward(const recurrent *n, const row *rows, ptrdiff_t count, ptrdiff_t step, ptrdiff_t v, ptrdiff_t v_end)
{
    const hot *to = &n->dz[step & 1];
    for (ptrdiff_t i = 0; i < count; i++) {
        const row *r = rows + i;
        for (ptrdiff_t u = v; u < v_end; u++) {
            real *kept = gates_of(n, r, u);
            if (r->before >= 0)
                expect(n, r, r->before - r->token, u);
            vreal dh = vload(hot_row(&n->dh, r, u));
            if (r->y)
                dh += load_from(r->y, u * LANES, n->l.units, 0);
            const vreal dz = gate_slope(n, n->plain, FO_TANH, dh, vload(kept));
            vstore(kept, dz);
            vstore(hot_row(to, r, u), dz);
        }
    }
}
