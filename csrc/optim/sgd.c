/* sgd -- gradient descent with momentum (Polyak 1964), Nesterov's form of it (Sutskever et al. 2013).
 *
 *   without momentum       p <- p - lr g
 *   velocity "sum"         b <- momentum b + (1 - dampening) g, at the first step b <- g
 *            "average"     b <- momentum b + (1 - momentum) g
 *            "step"        b <- momentum b + lr g               the learning rate inside
 *   then                   p <- p - lr b, for "step" p <- p - b
 *   nesterov               the same sum once more in place of b, undampened: momentum b + g, ... + (1 - momentum) g, ... + lr g
 *
 * state: momentum_buffer b (with momentum only). */
FO_INLINE void sgd_momentum(ptrdiff_t n, real *restrict p, const real *restrict g, real *restrict b, const fo_hyper *h,
                            bool plain)
{
    const prologue q = prologue_of(h);
    const bool first = h->velocity == FO_VELOCITY_SUM && h->first;
    const bool nesterov = h->nesterov;
    const double part = h->velocity == FO_VELOCITY_STEP ? h->lr : h->velocity == FO_VELOCITY_AVERAGE ? 1 - h->momentum : 1;
    const real momentum = h->momentum, ahead = part;
    const real keep = first ? 0 : h->momentum;
    const real take = h->velocity == FO_VELOCITY_SUM && !first ? 1 - h->dampening : part;
    const real rate = h->velocity == FO_VELOCITY_STEP ? 1 : h->lr;

    if (first)
        memset(b, 0, n * sizeof *b);                           /* whatever was there: 0 times a NaN is none */
    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]);
        const real velocity = keep * b[i] + take * d;
        b[i] = velocity;
        p[i] = p[i] * q.shrink - rate * (nesterov ? momentum * velocity + ahead * d : velocity);
    }
}

FO_INLINE void sgd_descent(ptrdiff_t n, real *restrict p, const real *restrict g, const fo_hyper *h, bool plain)
{
    const prologue q = prologue_of(h);
    const real lr = h->lr;
    for (ptrdiff_t i = 0; i < n; i++)
        p[i] = p[i] * q.shrink - lr * gradient(&q, plain, g[i], p[i]);
}

static void sgd(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (h->momentum != 0 && is_plain(h))
        sgd_momentum(n, param, grad, state[0], h, true);
    else if (h->momentum != 0)
        sgd_momentum(n, param, grad, state[0], h, false);
    else if (is_plain(h))
        sgd_descent(n, param, grad, h, true);
    else
        sgd_descent(n, param, grad, h, false);
}
