/* rnn.c -- the plain recurrent cell (Elman 1990): h = f(z), z = x kernel + h' recurrent_kernel + bias. The slot of a token is h. */

static void rnn_forward(const recurrent *n, const row *rows, int high, ptrdiff_t step, ptrdiff_t v, int wide, const real *sums)
{
    for (int i = 0; i < high; i++)
        for (int j = 0; j < wide; j++) {
            real *kept = gates_of(n, rows + i, v + j);
            const vreal z = vload(kept) + vload(sums + (i * wide + j) * LANES);
            const vreal h = n->plain ? vtanh(z) : gate(n, false, FO_TANH, z);
            if (n->l.keep)
                vstore(kept, h);
            emit(n, rows + i, step, v + j, h);
        }
}

static void rnn_backward(const recurrent *n, const row *rows, ptrdiff_t count, ptrdiff_t step, ptrdiff_t v, ptrdiff_t v_end)
{
    const hot *to = &n->dz[step & 1];
    for (ptrdiff_t i = 0; i < count; i++) {
        const row *r = rows + i;
        for (ptrdiff_t u = v; u < v_end; u++) {
            real *kept = gates_of(n, r, u);
            vreal dh = vload(hot_row(&n->dh, r, u));
            if (r->y)
                dh += load_from(r->y, u * LANES, n->l.units, 0);
            const vreal dz = gate_slope(n, n->plain, FO_TANH, dh, vload(kept));
            vstore(kept, dz);
            vstore(hot_row(to, r, u), dz);
        }
    }
}
