/* adamax -- Adamax (Kingma & Ba 2015, Algorithm 2).
 *
 *   m <- beta1 m + (1 - beta1) g
 *   eps max       u <- max(beta2 u, |g| + eps),  d = u
 *   eps outside   u <- max(beta2 u, |g|),        d = u + eps
 *   p <- p - lr / (1 - beta1^t) m / d
 *
 * state: exp_avg m, exp_inf u. */
FO_INLINE void adamax_loop(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h, bool plain)
{
    real *restrict p = param, *restrict m = state[0], *restrict u = state[1];
    const real *restrict g = grad;
    const prologue q = prologue_of(h);
    const bool within = h->eps_mode == FO_EPS_MAX;
    const real beta1 = h->beta1, rest1 = 1 - h->beta1, beta2 = h->beta2;
    const real eps_max = within ? h->eps : 0, eps = within ? 0 : h->eps;
    const real rate = h->lr / (1 - h->beta1_power);

    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]);
        const real first = beta1 * m[i] + rest1 * d, size = largest(beta2 * u[i], fabs(d) + eps_max);
        m[i] = first;
        u[i] = size;
        p[i] = p[i] * q.shrink - rate * (first / (size + eps));
    }
}

static void adamax(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (is_plain(h))
        adamax_loop(n, param, grad, state, h, true);
    else
        adamax_loop(n, param, grad, state, h, false);
}
