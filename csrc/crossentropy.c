/* crossentropy -- categorical cross-entropy, -sum t log(p) over the C classes of a row. Targets are (R, C), drawn towards 1 / C by
 * label smoothing, or labels (R), a t of 1 at one class and 0 elsewhere. The gradient's row serves as workspace. */

/* The targets of a row from class i on, 0 beyond its end. */
FO_INLINE vreal targets(const real *t, ptrdiff_t i, ptrdiff_t columns, real keep, real shift)
{
    const vreal v = load_from(t, i, columns, 0) * keep + shift;
    const ireal left = columns - i < LANES ? columns - i : LANES;
    return (vreal)((vint)v & (*(const vint *)LANE < left));
}

static void logs(real *x, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i += LANES)
        store_to(x, i, n, vlog(load_from(x, i, n, 1)));
}

/* Elements of a row in whole vectors. */
FO_INLINE ptrdiff_t padded(ptrdiff_t columns)
{
    return (columns + LANES - 1) / LANES * LANES;
}

/* From logits x, stable: with m = max x, e = exp(x - m), s = sum e: -log(p) = log(s) - (x - m), slope e sum(t) / s - t. Rows are
 * worked on in whole vectors, padded with e = 0, on the stack; a row too long for that, alone, in its gradient's place. */
static void logits_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    const ptrdiff_t columns = l->columns, width = padded(columns) <= PIECE ? padded(columns) : columns;
    const real *x = (const real *)l->y_pred + begin * columns, *t = (const real *)l->y_true + begin * columns;
    const real keep = 1 - l->label_smoothing, shift = l->label_smoothing / columns;
    real *dy = (real *)l->dy + begin * columns, piece[PIECE], largest[PIECE], sums[PIECE], log_sums[PIECE];
    real *e = width <= PIECE ? piece : dy;

    for (ptrdiff_t r = 0; r < n; r++) {
        const real *row = x + r * columns;
        vreal most = vsplat(-INFINITY);
        for (ptrdiff_t i = 0; i < columns; i += LANES)
            most = vmax(most, load_from(row, i, columns, -INFINITY));
        most = across(most, true);
        largest[r] = most[0];
        for (ptrdiff_t i = 0; i < columns; i += LANES)
            store_to(e + r * width, i, width, load_from(row, i, columns, -INFINITY) - most);
    }
    for (ptrdiff_t i = 0; i < n * width; i += LANES)
        store_to(e, i, n * width, vexp(load_from(e, i, n * width, 0)));
    for (ptrdiff_t r = 0; r < n; r++) {
        vreal sum = {0};
        for (ptrdiff_t i = 0; i < width; i += LANES)
            sum += load_from(e + r * width, i, width, 0);
        sums[r] = log_sums[r] = across(sum, false)[0];
    }
    logs(log_sums, n);
    for (ptrdiff_t r = 0; r < n; r++, x += columns, t += columns, dy += columns, e += width) {
        const double weight = weight_of(l, begin + r);
        const real base = largest[r], part = weight;
        if (l->labels) {
            const int64_t label = l->labels[begin + r];
            const real factor = weight / sums[r], slope = e[label] * factor - part;
            for (ptrdiff_t i = 0; i < columns; i += LANES)
                store_to(dy, i, columns, load_from(e, i, width, 0) * factor);
            dy[label] = slope;
            each[r] = log_sums[r] - (x[label] - base);
            continue;
        }
        vreal total = {0}, loss = {0};
        for (ptrdiff_t i = 0; i < columns; i += LANES) {
            const vreal target = targets(t, i, columns, keep, shift);
            total += target;
            loss += target * (log_sums[r] - (load_from(x, i, columns, base) - base));
        }
        const real factor = weight * across(total, false)[0] / sums[r];
        for (ptrdiff_t i = 0; i < columns; i += LANES)
            store_to(dy, i, columns, load_from(e, i, width, 0) * factor - targets(t, i, columns, keep, shift) * part);
        each[r] = across(loss, false)[0];
    }
}

/* From probabilities y: q = y / s with s = sum y, p = q clipped; slope (g - t / q) / s with g = sum t, and where q was clipped,
 * its t counts as 0 in both. */
static void probabilities_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    const ptrdiff_t columns = l->columns;
    const real low = EPSILON, high = 1 - EPSILON;
    const real *y = (const real *)l->y_pred + begin * columns, *t = (const real *)l->y_true + begin * columns;
    const real keep = 1 - l->label_smoothing, shift = l->label_smoothing / columns;
    real *dy = (real *)l->dy + begin * columns, shares[PIECE];

    for (ptrdiff_t r = 0; r < n; r++, y += columns, t += columns, dy += columns) {
        vreal sum = {0}, loss = {0}, total = {0};
        for (ptrdiff_t i = 0; i < columns; i += LANES)
            sum += load_from(y, i, columns, 0);
        const real s = across(sum, false)[0], factor = weight_of(l, begin + r) / s;
        if (l->labels) {
            const int64_t label = l->labels[begin + r];
            const real q = y[label] / s;
            const real g = q < low || q > high ? 0 : factor;
            shares[r] = q < low ? low : q > high ? high : q;
            for (ptrdiff_t i = 0; i < columns; i++)
                dy[i] = g;
            if (g != 0)                                        /* q may be 0 where it was clipped */
                dy[label] -= g / q;
            continue;
        }
        for (ptrdiff_t i = 0; i < columns; i += LANES) {
            const vreal q = load_from(y, i, columns, 1) / s, target = targets(t, i, columns, keep, shift);
            loss -= target * vlog(clip(q, low, high));
            total += inside(q, low, high, target);
            store_to(dy, i, columns, inside(q, low, high, target / q));
        }
        const real g = across(total, false)[0];
        for (ptrdiff_t i = 0; i < columns; i += LANES)
            store_to(dy, i, columns, (g - load_from(dy, i, columns, 0)) * factor);
        each[r] = across(loss, false)[0];
    }
    if (l->labels) {
        logs(shares, n);
        for (ptrdiff_t r = 0; r < n; r++)
            each[r] = -shares[r];
    }
}

static double categorical_crossentropy(const fo_loss *l)
{
    return loss_of_blocks(l, l->from_logits ? logits_block : probabilities_block, padded(l->columns), 1);
}
