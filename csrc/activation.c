/* activation -- y = f(z) and dz = dy f'(z) for every activation; the constants and corners of Keras 3.
 *
 * An element's bits follow from that element alone (softmax: from its row alone), wherever it lies: a part of a vector goes
 * through the same arithmetic as a whole one. Both functions may write to the array that they read. */
static const real SELU_SLOPE = 1.0507009873554805, SELU_FLOOR = 1.7580993408473766;     /* Klambauer et al. 2017 */
static const real TANH_SLOPE = 1.5957691216057308, TANH_CUBIC = 0.07135481627260025;    /* 2 sqrt(2 / pi), 0.044715 times it */

/* By kind, FO_LINEAR and so on. The time is that of a vector, roughly. */
static const fo_activation activations[] = {
    {"linear", 1}, {"relu", 1}, {"leaky_relu", 1}, {"elu", 5}, {"selu", 5}, {"gelu", 13}, {"gelu_tanh", 7}, {"silu", 6},
    {"sigmoid", 6}, {"hard_sigmoid", 2}, {"tanh", 6}, {"softplus", 12}, {"softsign", 2}, {"exponential", 5},
    {"softmax", 12}, {"log_softmax", 12}, {NULL, 0},
};

/* x, beyond +-limit the nearer end: no inf * 0, no inf / inf. NaN stays. */
FO_INLINE vreal bounded(vreal x, real limit)
{
    return vmax(vsplat(-limit), vmin(vsplat(limit), x));
}

/* The argument of the sigmoid by which gelu_tanh approximates the normal distribution function (Hendrycks & Gimpel 2016). */
FO_INLINE vreal tanh_argument(vreal x)
{
    return x * (TANH_SLOPE + TANH_CUBIC * (x * x));
}

FO_INLINE vreal activated(int kind, vreal x, real alpha)
{
    vreal density;
    switch (kind) {
    case FO_RELU: return vmax(vsplat(0), x);
    case FO_LEAKY_RELU: return vselect(x > 0, x, x * alpha);
    case FO_ELU: return vselect(x < 0, vexpm1(x) * alpha, x);
    case FO_SELU: return vselect(x < 0, vexpm1(x) * SELU_FLOOR, x * SELU_SLOPE);
    case FO_GELU: return vmax(vsplat(-NORMAL_LIMIT), x) * vnormal(x, &density);
    case FO_GELU_TANH: return vmax(vsplat(-1000), x) * vsigmoid(tanh_argument(x));
    case FO_SILU: return vmax(vsplat(-1000), x) * vsigmoid(x);
    case FO_SIGMOID: return vsigmoid(x);
    case FO_HARD_SIGMOID: return vmin(vsplat(6), vmax(vsplat(0), x + 3)) / 6;
    case FO_TANH: return vtanh(x);
    case FO_SOFTPLUS: return vsoftplus(x);
    case FO_SOFTSIGN: x = bounded(x, 1e30); return x / (1 + vabs(x));
    case FO_EXPONENTIAL: return vexp(x);
    default: return x;
    }
}

/* The derivative of z sigmoid(u(z)), where u' is `slope`: s + z s (1 - s) slope, s and 1 - s of one exponential of -|u|, which
 * keeps the digits of the smaller one. */
FO_INLINE vreal gated_slope(vreal z, vreal u, vreal slope)
{
    const vreal e = vexp(-vabs(u)), larger = 1 / (1 + e), smaller = e * larger;
    return vselect(u < 0, smaller, larger) + z * slope * larger * smaller;
}

FO_INLINE vreal gradient_of(int kind, vreal dy, vreal y, vreal z, real alpha)
{
    vreal density;
    switch (kind) {
    case FO_RELU: return vselect(y <= 0, vsplat(0), dy);
    case FO_LEAKY_RELU: return vselect(y > 0, dy, dy * alpha);
    case FO_ELU: return vselect(y > 0, dy, dy * (y + alpha));
    case FO_SELU: return dy * vselect(y > 0, vsplat(SELU_SLOPE), y + SELU_FLOOR);
    case FO_GELU: {
        const vreal phi = vnormal(z, &density);
        return dy * (phi + bounded(z, NORMAL_LIMIT) * density);
    }
    case FO_GELU_TANH:
        z = bounded(z, 1000);
        return dy * gated_slope(z, tanh_argument(z), TANH_SLOPE + 3 * TANH_CUBIC * (z * z));
    case FO_SILU:
        z = bounded(z, 1000);
        return dy * gated_slope(z, z, vsplat(1));
    case FO_SIGMOID: return dy * (y * (1 - y));
    case FO_HARD_SIGMOID: return vselect((y <= 0) | (y >= 1), vsplat(0), dy / 6);
    case FO_TANH: return dy * ((1 - y) * (1 + y));
    case FO_SOFTPLUS: return dy * -vexpm1(-y);
    case FO_SOFTSIGN: return dy * ((1 - vabs(y)) * (1 - vabs(y)));
    case FO_EXPONENTIAL: return dy * y;
    default: return dy;
    }
}

/* One activation over n elements: its gradient where dy is given, else its values of z. */
FO_INLINE void each(int kind, ptrdiff_t n, real alpha, const real *dy, const real *y, const real *z, real *to)
{
    const bool of_z = !dy || kind == FO_GELU || kind == FO_GELU_TANH || kind == FO_SILU;
    if (!dy)
        for (ptrdiff_t i = 0; i < n; i += LANES)
            store_to(to, i, n, activated(kind, load_from(z, i, n, 0), alpha));
    else
        for (ptrdiff_t i = 0; i < n; i += LANES) {
            const vreal x = load_from(of_z ? z : y, i, n, 0);
            store_to(to, i, n, gradient_of(kind, load_from(dy, i, n, 0), x, x, alpha));
        }
}

static void elementwise(int kind, ptrdiff_t n, real alpha, const real *dy, const real *y, const real *z, real *to)
{
    switch (kind) {  /* so that each loop is compiled for a kind known there */
    case FO_LINEAR: each(FO_LINEAR, n, alpha, dy, y, z, to); break;
    case FO_RELU: each(FO_RELU, n, alpha, dy, y, z, to); break;
    case FO_LEAKY_RELU: each(FO_LEAKY_RELU, n, alpha, dy, y, z, to); break;
    case FO_ELU: each(FO_ELU, n, alpha, dy, y, z, to); break;
    case FO_SELU: each(FO_SELU, n, alpha, dy, y, z, to); break;
    case FO_GELU: each(FO_GELU, n, alpha, dy, y, z, to); break;
    case FO_GELU_TANH: each(FO_GELU_TANH, n, alpha, dy, y, z, to); break;
    case FO_SILU: each(FO_SILU, n, alpha, dy, y, z, to); break;
    case FO_SIGMOID: each(FO_SIGMOID, n, alpha, dy, y, z, to); break;
    case FO_HARD_SIGMOID: each(FO_HARD_SIGMOID, n, alpha, dy, y, z, to); break;
    case FO_TANH: each(FO_TANH, n, alpha, dy, y, z, to); break;
    case FO_SOFTPLUS: each(FO_SOFTPLUS, n, alpha, dy, y, z, to); break;
    case FO_SOFTSIGN: each(FO_SOFTSIGN, n, alpha, dy, y, z, to); break;
    case FO_EXPONENTIAL: each(FO_EXPONENTIAL, n, alpha, dy, y, z, to); break;
    }
}

/* y = f(z), n elements of an elementwise activation; y may be z. */
static void activate(ptrdiff_t n, int kind, real alpha, const real *z, real *y)
{
    elementwise(kind, n, alpha, NULL, NULL, z, y);
}

/* dz = dy f'(z); dz may be dy. gelu, gelu_tanh and silu read z and not y, the others y and not z. */
static void activation_gradient(ptrdiff_t n, int kind, real alpha, const real *dy, const real *y, const real *z, real *dz)
{
    elementwise(kind, n, alpha, dy, y, z, dz);
}

#include "softmax.c"

/* Whether an activation looks at whole rows, not at elements. */
static inline bool over_rows(int activation)
{
    return activation == FO_SOFTMAX || activation == FO_LOG_SOFTMAX;
}

typedef struct {
    ptrdiff_t rows, cols;
    int kind;
    real alpha;
    const real *dy, *y, *z;                                    /* dy NULL: forward */
    real *to;
} activation_job;

static void activation_task(void *context, fo_team *team)
{
    const activation_job *job = context;
    const bool by_rows = over_rows(job->kind), log = job->kind == FO_LOG_SOFTMAX;
    const ptrdiff_t total = by_rows ? job->rows : job->rows * job->cols, grain = by_rows ? 1 : 64;
    const ptrdiff_t begin = fo_share(total, team->rank, team->size, grain);
    const ptrdiff_t n = fo_share(total, team->rank + 1, team->size, grain) - begin, at = by_rows ? begin * job->cols : begin;
    const real *dy = job->dy ? job->dy + at : NULL, *y = job->y ? job->y + at : NULL, *z = job->z ? job->z + at : NULL;
    if (by_rows && dy)
        softmax_gradient_rows(n, job->cols, dy, y, job->to + at, log);
    else if (by_rows)
        softmax_rows(n, job->cols, z, job->to + at, log);
    else if (dy)
        activation_gradient(n, job->kind, job->alpha, dy, y, z, job->to + at);
    else
        activate(n, job->kind, job->alpha, z, job->to + at);
}

static void run_activation(activation_job job)
{
    const double vectors = (double)job.rows * ((job.cols + LANES - 1) / LANES);
    fo_run(fo_team_size(vectors * activations[job.kind].nanoseconds), activation_task, &job);
}

static void activation_forward(ptrdiff_t rows, ptrdiff_t cols, int kind, double alpha, const void *z, void *y)
{
    run_activation((activation_job){rows, cols, kind, alpha, NULL, NULL, z, y});
}

static void activation_backward(ptrdiff_t rows, ptrdiff_t cols, int kind, double alpha, const void *dy, const void *y,
                                const void *z, void *dz)
{
    run_activation((activation_job){rows, cols, kind, alpha, dy, y, z, dz});
}
