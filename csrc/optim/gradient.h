/* gradient.h -- what a step makes of a gradient before the rule sees it, the same for every optimizer:
 *
 *   g <- clip(g / grad_scale, -clip_value, clip_value) * clip_factor, negated to maximize
 *   p <- p (1 - lr weight_decay)              decoupled weight decay
 *   g <- g + weight_decay p                   L2 weight decay, else
 *
 * In the frequent case none of the gradient's part is asked for. Such a step is `plain`: every kernel is an inline loop over
 * that flag, compiled once for either value. */
typedef struct { real scale, limit, factor, l2, shrink; } prologue;

FO_INLINE prologue prologue_of(const fo_hyper *h)
{
    return (prologue){
        .scale = 1 / h->grad_scale,
        .limit = h->clip_value,
        .factor = h->maximize ? -h->clip_factor : h->clip_factor,
        .l2 = h->decoupled_weight_decay ? 0 : h->weight_decay,
        .shrink = h->decoupled_weight_decay ? 1 - h->lr * h->weight_decay : 1,
    };
}

static bool is_plain(const fo_hyper *h)
{
    return h->grad_scale == 1 && isinf(h->clip_value) && h->clip_factor == 1 && !h->maximize &&
           (h->weight_decay == 0 || h->decoupled_weight_decay);
}

/* The comparisons let NaN through; 0 p is not added, for p may be infinite. */
FO_INLINE real gradient(const prologue *q, bool plain, real g, real p)
{
    if (plain)
        return g;
    g *= q->scale;
    g = g > q->limit ? q->limit : g;
    g = g < -q->limit ? -q->limit : g;
    g *= q->factor;
    return q->l2 != 0 ? g + q->l2 * p : g;
}

/* The larger one, NaN where either is. */
FO_INLINE real largest(real a, real b)
{
    return a >= b || a != a ? a : b;
}

/* -1, 0 or 1; NaN for NaN. */
FO_INLINE real sign(real x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}
