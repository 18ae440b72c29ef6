/* adam -- Adam (Kingma & Ba 2015, Algorithm 1), AMSGrad (Reddi, Kale & Kumar 2018), AdamW (Loshchilov & Hutter 2019).
 *
 *   m <- beta1 m + (1 - beta1) g                 c1 = 1 - beta1^t, c2 = 1 - beta2^t; both 1 without bias correction
 *   v <- beta2 v + (1 - beta2) g^2
 *   w <- v, or the largest v so far              amsgrad: of v, or of v / c2 ("corrected"), which then needs no c2 below
 *   p <- p - lr / c1 m / d
 *
 *   eps outside   d = sqrt(w / c2 + eps_root) + eps
 *   eps hat       d = (sqrt(w) + eps) / sqrt(c2)
 *   eps inside    d = sqrt(w / c2 + eps)
 *
 * state: exp_avg m, exp_avg_sq v, max_exp_avg_sq w (amsgrad only). */
FO_INLINE void adam_loop(ptrdiff_t n, real *restrict p, const real *restrict g, real *restrict m, real *restrict v,
                         real *restrict w, const fo_hyper *h, bool amsgrad, bool plain)
{
    const prologue q = prologue_of(h);
    const bool corrected = h->amsgrad == FO_AMSGRAD_CORRECTED, inside = h->eps_mode == FO_EPS_INSIDE;
    const double c1 = 1 - h->beta1_power, c2 = 1 - h->beta2_power, c2_below = corrected ? 1 : c2;
    const real beta1 = h->beta1, rest1 = 1 - h->beta1, beta2 = h->beta2, rest2 = 1 - h->beta2;
    const real keep = corrected ? 1 / c2 : 1;
    /* d = sqrt(w inner + eps_root) outer + eps. Where nothing is added under the root, c2 stays outside of it, as in
     * torch; the factors of 1 and the sums with 0 are exact. */
    const real eps_root = inside ? h->eps : h->eps_root, eps = inside ? 0 : h->eps;
    const real inner = h->eps_mode == FO_EPS_HAT || eps_root == 0 ? 1 : 1 / c2_below;
    const real outer = h->eps_mode == FO_EPS_HAT || eps_root != 0 ? 1 : 1 / sqrt(c2_below);
    const real rate = h->eps_mode == FO_EPS_HAT ? h->lr * sqrt(c2_below) / c1 : h->lr / c1;

    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]);
        const real first = beta1 * m[i] + rest1 * d, second = beta2 * v[i] + rest2 * d * d;
        real size = second;
        m[i] = first;
        v[i] = second;
        if (amsgrad)
            w[i] = size = largest(w[i], size * keep);
        p[i] = p[i] * q.shrink - rate * (first / (sqrt(size * inner + eps_root) * outer + eps));
    }
}

static void adam(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (h->amsgrad)
        adam_loop(n, param, grad, state[0], state[1], state[2], h, true, false);
    else if (is_plain(h))
        adam_loop(n, param, grad, state[0], state[1], NULL, h, false, true);
    else
        adam_loop(n, param, grad, state[0], state[1], NULL, h, false, false);
}
