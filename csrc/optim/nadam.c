/* nadam -- NAdam (Dozat 2016).
 *
 *   mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),  or beta1 where no momentum_decay is given
 *   m <- beta1 m + (1 - beta1) g
 *   v <- beta2 v + (1 - beta2) g^2
 *   p <- p - lr ((1 - mu_t) / (1 - mu_1...mu_t) g + mu_{t+1} / (1 - mu_1...mu_{t+1}) m) / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * state: exp_avg m, exp_avg_sq v. */
FO_INLINE void nadam_loop(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h, bool plain)
{
    real *restrict p = param, *restrict m = state[0], *restrict v = state[1];
    const real *restrict g = grad;
    const prologue q = prologue_of(h);
    const real beta1 = h->beta1, rest1 = 1 - h->beta1, beta2 = h->beta2, rest2 = 1 - h->beta2;
    const real inner = 1 / (1 - h->beta2_power), eps = h->eps;
    const real of_gradient = h->lr * (1 - h->mu) / (1 - h->mu_product);
    const real of_average = h->lr * h->mu_next / (1 - h->mu_product * h->mu_next);

    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]);
        const real first = beta1 * m[i] + rest1 * d, second = beta2 * v[i] + rest2 * d * d;
        m[i] = first;
        v[i] = second;
        p[i] = p[i] * q.shrink - (of_gradient * d + of_average * first) / (sqrt(second * inner) + eps);
    }
}

static void nadam(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (is_plain(h))
        nadam_loop(n, param, grad, state, h, true);
    else
        nadam_loop(n, param, grad, state, h, false);
}
