/* rprop -- Rprop without backtracking (Riedmiller & Braun 1993; iRprop-, Igel & Huesken 2000).
 *
 *   s <- clip(s eta, step_min, step_max)            eta = eta_plus where g and prev agree in sign, eta_minus where they
 *                                                   differ, else 1 (then clipped only with clamp_unchanged)
 *   g <- 0 where they differ
 *   p <- p - s sign(g),  prev <- g
 *   at the first step s is lr before it is changed
 *   delayed       p <- p - prev where they do not differ,  prev <- s sign(g)        the step before, as optax has it
 *
 * state: prev, step_size s. */
FO_INLINE void rprop_loop(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h, bool plain)
{
    real *restrict p = param, *restrict prev = state[0], *restrict s = state[1];
    const real *restrict g = grad;
    const prologue q = prologue_of(h);
    const real eta_minus = h->eta_minus, eta_plus = h->eta_plus, low = h->step_min, high = h->step_max;
    const bool clamp_unchanged = h->clamp_unchanged, delayed = h->delayed, first = h->first;
    const real lr = h->lr;

    for (ptrdiff_t i = 0; i < n; i++) {
        const real d = gradient(&q, plain, g[i], p[i]), before = prev[i], turn = d * before;
        real eta = turn != turn ? turn : 1;                    /* NaN stays; one question a line, or gcc branches */
        eta = turn > 0 ? eta_plus : eta;
        eta = turn < 0 ? eta_minus : eta;
        const real size = (first ? lr : s[i]) * eta;
        real clipped = size < low ? low : size;
        clipped = clipped > high ? high : clipped;
        clipped = turn == 0 && !clamp_unchanged ? size : clipped;
        s[i] = clipped;
        const real kept = turn < 0 ? 0 : d, move = clipped * sign(kept), last = turn < 0 ? 0 : before;
        prev[i] = delayed ? move : kept;
        p[i] = p[i] * q.shrink - (delayed ? last : move);
    }
}

static void rprop(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h)
{
    if (is_plain(h))
        rprop_loop(n, param, grad, state, h, true);
    else
        rprop_loop(n, param, grad, state, h, false);
}
