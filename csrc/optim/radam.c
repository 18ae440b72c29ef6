/* radam -- Rectified Adam (Liu et al. 2020, Algorithm 2).
 *
 *   m <- beta1 m + (1 - beta1) g                    c1 = 1 - beta1^t, c2 = 1 - beta2^t
 *   v <- beta2 v + (1 - beta2) g^2
 *   rho = rho_inf - 2 t beta2^t / c2,  rho_inf = 2 / (1 - beta2) - 1
 *   r = sqrt((rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho))
 *   p <- p - lr r / c1 m / d                        where rho > threshold
 *   p <- p - lr / c1 m                              else
 *
 *   eps outside   d = sqrt(v / c2) + eps
 *   eps hat       d = (sqrt(v) + eps) / sqrt(c2)
 *
 * state: exp_avg m, exp_avg_sq v. */
FO_INLINE void radam_loop(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h, bool plain)
{
    real *restrict p = param, *restrict m = state[0], *restrict v = state[1];
    const real *restrict g = grad;
    const prologue q = prologue_of(h);
    const real beta1 = h->beta1, rest1 = 1 - h->beta1, beta2 = h->beta2, rest2 = 1 - h->beta2, eps = h->eps;
    const double c1 = 1 - h->beta1_power, c2 = 1 - h->beta2_power;
    const double rho_inf = 2 / (1 - h->beta2) - 1, rho = rho_inf - 2 * h->step * h->beta2_power / c2;
    const bool rectified = rho > h->threshold;
    const double r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho));
    const bool hat = h->eps_mode == FO_EPS_HAT;
    const real outer = hat ? 1 : 1 / sqrt(c2);
    const real rate = !rectified ? h->lr / c1 : hat ? h->lr * r * sqrt(c2) / c1 : h->lr * r / c1;

    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]);
        const real first = beta1 * m[i] + rest1 * d, second = beta2 * v[i] + rest2 * d * d;
        m[i] = first;
        v[i] = second;
        p[i] = p[i] * q.shrink - rate * (rectified ? first / (sqrt(second) * outer + eps) : first);
    }
}

static void radam(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (is_plain(h))
        radam_loop(n, param, grad, state, h, true);
    else
        radam_loop(n, param, grad, state, h, false);
}
