/* adadelta -- AdaDelta (Zeiler 2012, Algorithm 1).
 *
 *   v <- rho v + (1 - rho) g^2
 *   u = sqrt(a + eps) / sqrt(v + eps) g
 *   a <- rho a + (1 - rho) u^2
 *   p <- p - lr u
 *
 * state: square_avg v, acc_delta a. */
FO_INLINE void adadelta_loop(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h, bool plain)
{
    real *restrict p = param, *restrict v = state[0], *restrict a = state[1];
    const real *restrict g = grad;
    const prologue q = prologue_of(h);
    const real rho = h->rho, rest = 1 - h->rho, eps = h->eps, lr = h->lr;

    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]), square = rho * v[i] + rest * d * d;
        const real u = sqrt(a[i] + eps) / sqrt(square + eps) * d;
        v[i] = square;
        a[i] = rho * a[i] + rest * u * u;
        p[i] = p[i] * q.shrink - lr * u;
    }
}

static void adadelta(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (is_plain(h))
        adadelta_loop(n, param, grad, state, h, true);
    else
        adadelta_loop(n, param, grad, state, h, false);
}
