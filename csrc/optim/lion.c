/* lion -- Lion (Chen et al. 2023, Algorithm 2).
 *
 *   p <- p - lr sign(beta1 m + (1 - beta1) g)       sign(0) = 0
 *   m <- beta2 m + (1 - beta2) g
 *
 * state: exp_avg m. */
FO_INLINE void lion_loop(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h, bool plain)
{
    real *restrict p = param, *restrict m = state[0];
    const real *restrict g = grad;
    const prologue q = prologue_of(h);
    const real beta1 = h->beta1, rest1 = 1 - h->beta1, beta2 = h->beta2, rest2 = 1 - h->beta2, lr = h->lr;

    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]);
        p[i] = p[i] * q.shrink - lr * sign(beta1 * m[i] + rest1 * d);
        m[i] = beta2 * m[i] + rest2 * d;
    }
}

static void lion(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (is_plain(h))
        lion_loop(n, param, grad, state, h, true);
    else
        lion_loop(n, param, grad, state, h, false);
}
