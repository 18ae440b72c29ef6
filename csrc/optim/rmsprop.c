/* rmsprop -- RMSprop (Tieleman & Hinton 2012), centered (Graves 2013), with momentum.
 *
 *   v <- alpha v + (1 - alpha) g^2
 *   a <- alpha a + (1 - alpha) g,  w = v - a^2        centered; else w = v
 *   u = g / d
 *   b <- momentum b + u,  p <- p - lr b               with momentum; lr_in_momentum: b <- momentum b + lr u, p <- p - b
 *   p <- p - lr u                                     without
 *
 *   eps outside   d = sqrt(w) + eps
 *   eps inside    d = sqrt(w + eps)
 *
 * v - a^2 is a variance: where rounding makes it negative it counts as 0.
 * state: square_avg v, grad_avg a (centered only), momentum_buffer b (with momentum only). */
FO_INLINE void rmsprop_loop(ptrdiff_t n, real *restrict p, const real *restrict g, real *restrict v,
                            real *restrict a, real *restrict b, const fo_hyper *h, bool centered, bool momentum,
                            bool plain)
{
    const prologue q = prologue_of(h);
    const bool inside = h->eps_mode == FO_EPS_INSIDE;
    const real eps_root = inside ? h->eps : 0, eps = inside ? 0 : h->eps;
    const real alpha = h->alpha, rest = 1 - h->alpha, keep = h->momentum;
    const real take = h->lr_in_momentum ? h->lr : 1;
    const real rate = momentum && h->lr_in_momentum ? 1 : h->lr;

    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]), square = alpha * v[i] + rest * d * d;
        real size = square;
        v[i] = square;
        if (centered) {
            const real average = alpha * a[i] + rest * d;
            a[i] = average;
            size -= average * average;
            size = size < 0 ? 0 : size;
        }
        real u = d / (sqrt(size + eps_root) + eps);
        if (momentum)
            b[i] = u = keep * b[i] + take * u;
        p[i] = p[i] * q.shrink - rate * u;
    }
}

static void rmsprop(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (h->centered && h->momentum != 0)
        rmsprop_loop(n, param, grad, state[0], state[1], state[2], h, true, true, false);
    else if (h->centered)
        rmsprop_loop(n, param, grad, state[0], state[1], NULL, h, true, false, false);
    else if (h->momentum != 0)
        rmsprop_loop(n, param, grad, state[0], NULL, state[2], h, false, true, false);
    else if (is_plain(h))
        rmsprop_loop(n, param, grad, state[0], NULL, NULL, h, false, false, true);
    else
        rmsprop_loop(n, param, grad, state[0], NULL, NULL, h, false, false, false);
}
