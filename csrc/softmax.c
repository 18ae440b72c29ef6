/* softmax and log_softmax of each row of z (rows, cols), and their gradients. The largest element of a row is subtracted first,
 * so nothing overflows; sums run over lanes, then across them, in an order that follows from `cols` alone.
 *
 *   softmax      y = exp(z - m) / s, s = sum exp(z - m)      dz = y (dy - sum dy y)
 *   log_softmax  y = z - m - log(s)                          dz = dy - exp(y) sum dy */

FO_INLINE void softmax_row(ptrdiff_t cols, const real *z, real *y, bool log)
{
    if (cols <= LANES) {  /* all of it stays in registers: half the time at 10 columns */
        const vreal x = load_from(z, 0, cols, -INFINITY), d = x - across(x, true), e = vexp(d), s = across(e, false);
        store_to(y, 0, cols, log ? d - vlog(s) : e * (1 / s));
        return;
    }
    vreal m = vsplat(-INFINITY), s = vsplat(0);
    for (ptrdiff_t j = 0; j < cols; j += LANES)
        m = vmax(m, load_from(z, j, cols, -INFINITY));  /* may lose a NaN, which the sum then finds */
    m = across(m, true);
    for (ptrdiff_t j = 0; j < cols; j += LANES) {
        const vreal e = vexp(load_from(z, j, cols, -INFINITY) - m);
        s += e;
        if (!log)
            store_to(y, j, cols, e);
    }
    s = across(s, false);
    const vreal scale = 1 / s, shift = log ? vlog(s) : s;
    for (ptrdiff_t j = 0; j < cols; j += LANES)
        store_to(y, j, cols, log ? load_from(z, j, cols, 0) - m - shift : load_from(y, j, cols, 0) * scale);
}

FO_INLINE void softmax_gradient_row(ptrdiff_t cols, const real *dy, const real *y, real *dz, bool log)
{
    vreal s = vsplat(0);
    for (ptrdiff_t j = 0; j < cols; j += LANES)
        s += log ? load_from(dy, j, cols, 0) : load_from(dy, j, cols, 0) * load_from(y, j, cols, 0);
    s = across(s, false);
    for (ptrdiff_t j = 0; j < cols; j += LANES) {
        const vreal d = load_from(dy, j, cols, 0), x = load_from(y, j, cols, 0);
        store_to(dz, j, cols, log ? d - vexp(x) * s : x * (d - s));
    }
}

/* y may be z. */
static void softmax_rows(ptrdiff_t rows, ptrdiff_t cols, const real *z, real *y, bool log)
{
    for (ptrdiff_t i = 0; i < rows; i++)
        if (log)
            softmax_row(cols, z + i * cols, y + i * cols, true);
        else
            softmax_row(cols, z + i * cols, y + i * cols, false);
}

/* dz may be dy. */
static void softmax_gradient_rows(ptrdiff_t rows, ptrdiff_t cols, const real *dy, const real *y, real *dz, bool log)
{
    for (ptrdiff_t i = 0; i < rows; i++)
        if (log)
            softmax_gradient_row(cols, dy + i * cols, y + i * cols, dz + i * cols, true);
        else
            softmax_gradient_row(cols, dy + i * cols, y + i * cols, dz + i * cols, false);
}
