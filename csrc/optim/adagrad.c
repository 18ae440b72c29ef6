/* adagrad -- AdaGrad (Duchi, Hazan & Singer 2011).
 *
 *   s <- s + g^2
 *   p <- p - lr / (1 + (t - 1) lr_decay) g / d
 *
 *   eps outside   d = sqrt(s) + eps
 *   eps inside    d = sqrt(s + eps)
 *
 * state: sum s. */
FO_INLINE void adagrad_loop(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h, bool plain)
{
    real *restrict p = param, *restrict s = state[0];
    const real *restrict g = grad;
    const prologue q = prologue_of(h);
    const bool inside = h->eps_mode == FO_EPS_INSIDE;
    const real eps_root = inside ? h->eps : 0, eps = inside ? 0 : h->eps;
    const real rate = h->lr / (1 + (h->step - 1) * h->lr_decay);

    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]), sum = s[i] + d * d;
        s[i] = sum;
        p[i] = p[i] * q.shrink - rate * (d / (sqrt(sum + eps_root) + eps));
    }
}

static void adagrad(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (is_plain(h))
        adagrad_loop(n, param, grad, state, h, true);
    else
        adagrad_loop(n, param, grad, state, h, false);
}
