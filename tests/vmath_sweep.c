/* vmath_sweep -- the functions of csrc/vmath.h against the C library in the next wider type.
 *
 *   cc -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast -DFO_BITS=32 -I../csrc vmath_sweep.c -lm
 *   ./a.out [stride [function]]
 *
 * float32: every stride-th of the 2^32 bit patterns, all of them with stride 1, against double. float64: every stride-th
 * upper half, each with a scrambled lower half, and 2^28 / stride numbers spread over the interval where the function bends,
 * against long double.
 * For both the neighbours of all multiples of ln(2)/2 and powers of sqrt(2): there reductions step, and results overflow,
 * become subnormal and vanish.
 *
 * One line a function: its worst error and where. Exit code 1 where a bound is exceeded, a result leaves the function's
 * range, a special value is wrong or a result depends on its lane. tests/test_vmath.py compiles and runs it. */
#include "real.h"
#include "vmath.h"
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if FO_BITS == 64
typedef long double wide;
static const real LARGEST = DBL_MAX, SMALLEST = 0x1p-1074;
#else
typedef double wide;
static const real LARGEST = FLT_MAX, SMALLEST = 0x1p-149;
#endif

/* The correct results. For tiny and for large x, which most bit patterns are, two terms of the series and the limit are as
 * exact as the library, and quick. */
static wide correct_exp(wide x)
{
    return fabs(x) < 0x1p-34 ? 1 + x : x > 1000 ? (wide)INFINITY : x < -1000 ? 0 : exp(x);
}

static wide correct_log(wide x)
{
    return x < 0 ? (wide)NAN : log(x);
}

static wide correct_tanh(wide x)
{
    return fabs(x) < 0x1p-17 ? x - x * x * x / 3 : fabs(x) > 50 ? copysign((wide)1, x) : tanh(x);
}

static wide correct_sigmoid(wide x)
{
    const wide e = correct_exp(-fabs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

static wide correct_sqrt(wide x)
{
    return x < 0 ? (wide)NAN : sqrt(x);
}

static wide correct_expm1(wide x)
{
    return x > 0 ? 0 : fabs(x) < 0x1p-34 ? x + x * x / 2 : x < -50 ? -1 : expm1(x);
}

static wide correct_log1p(wide x)
{
    return fabs(x) < 0x1p-34 ? x - x * x / 2 : log1p(x);
}

static wide correct_softplus(wide x)
{
    return x > 0 ? x + correct_log1p(correct_exp(-x)) : correct_log1p(correct_exp(x));
}

/* erfc(-x sqrt(1/2)) / 2. The argument's rounding, which the tail magnifies x^2 times, is corrected for. */
static wide correct_normal(wide x)
{
    const wide root = sqrt((wide)0.5), root_left_out = fma(-root, root, (wide)0.5) / (2 * root), root_pi = sqrt(acos((wide)-1));
    if (fabs(x) < 0x1p-34 || fabs(x) > 40)
        return fabs(x) > 40 ? x > 0 : (wide)0.5 + x * root / root_pi;
    const wide t = -x * root, left_out = fma(-x, root, -t) - x * root_left_out;
    return erfc(t) / 2 - left_out * exp(-t * t) / root_pi;
}

static wide correct_density(wide x)
{
    const wide root_two_pi = sqrt(2 * acos((wide)-1)), square = x * x;
    if (fabs(x) < 0x1p-34 || fabs(x) > 40)
        return fabs(x) > 40 ? 0 : 1 / root_two_pi;
    return correct_exp(-square / 2) * (1 - fma(x, x, -square) / 2) / root_two_pi;
}

static vreal vphi(vreal x)
{
    vreal density;
    return vnormal(x, &density);
}

static vreal vdensity(vreal x)
{
    vreal density;
    vnormal(x, &density);
    return density;
}

/* The positive half of the arguments, taken to the unit interval and back. */
static vreal vlog1p_of_unit(vreal x)
{
    return vlog1p(vmin(vsplat(1), vabs(x)));
}

static wide correct_log1p_of_unit(wide x)
{
    return correct_log1p(fabs(x) > 1 ? 1 : fabs(x));
}

/* Whether the library computes in `wide`: long double may be double (macOS), or its functions may be (musl, arm64). */
static bool library_is_wider(void)
{
    const wide x = 0.3, results[] = {exp(x), log(x), tanh(x)};
    return results[0] != (real)results[0] && results[1] != (real)results[1] && results[2] != (real)results[2];
}

/* gcc and clang then contract products and sums, and errors are smaller. */
#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
enum { FMA = 1 };
#else
enum { FMA = 0 };
#endif

/* What vmath.h promises. */
typedef struct function {
    const char *name;
    vreal (*computed)(vreal);
    wide (*correct)(wide);
    double bound32, bound64;  /* ULP */
    real least, most;         /* of the results */
    real begin, end;          /* where it bends */
    bool rises;               /* nowhere falls */
    real special[9][2];       /* argument, result, to the bit */
} function;

static const function functions[] = {
    {"vexp", vexp, correct_exp, 1.1, 1.1, 0, INFINITY, -750, 715, true,
     {{0, 1}, {-0.0, 1}, {SMALLEST, 1}, {-SMALLEST, 1}, {LARGEST, INFINITY}, {-LARGEST, 0},
      {INFINITY, INFINITY}, {-INFINITY, 0}, {NAN, NAN}}},
    {"vlog", vlog, correct_log, 0.9, 0.9, -INFINITY, INFINITY, 0.25, 4, true,
     {{0, -INFINITY}, {-0.0, -INFINITY}, {1, 0}, {-1, NAN}, {-SMALLEST, NAN}, {-LARGEST, NAN},
      {INFINITY, INFINITY}, {-INFINITY, NAN}, {NAN, NAN}}},
    {"vtanh", vtanh, correct_tanh, 2, FMA ? 2 : 2.2, -1, 1, -2, 2, true,
     {{0, 0}, {-0.0, -0.0}, {SMALLEST, SMALLEST}, {-SMALLEST, -SMALLEST}, {LARGEST, 1}, {-LARGEST, -1},
      {INFINITY, 1}, {-INFINITY, -1}, {NAN, NAN}}},
    {"vsigmoid", vsigmoid, correct_sigmoid, 2, 2, 0, 1, -40, 40, true,
     {{0, 0.5}, {-0.0, 0.5}, {SMALLEST, 0.5}, {-SMALLEST, 0.5}, {LARGEST, 1}, {-LARGEST, 0},
      {INFINITY, 1}, {-INFINITY, 0}, {NAN, NAN}}},
    {"vsqrt", vsqrt, correct_sqrt, 0.5, 0.501, -0.0, INFINITY, 0.25, 4, true,
     {{0, 0}, {-0.0, -0.0}, {1, 1}, {-1, NAN}, {-SMALLEST, NAN}, {-LARGEST, NAN},
      {INFINITY, INFINITY}, {-INFINITY, NAN}, {NAN, NAN}}},
    {"vexpm1", vexpm1, correct_expm1, 1.5, 1.5, -1, 0, -3, 0, true,
     {{0, 0}, {-0.0, 0}, {SMALLEST, 0}, {-SMALLEST, -SMALLEST}, {LARGEST, 0}, {-LARGEST, -1},
      {INFINITY, 0}, {-INFINITY, -1}, {NAN, NAN}}},
    {"vlog1p", vlog1p_of_unit, correct_log1p_of_unit, 1.5, 1.5, 0, 0.6931472, 0, 1, false,
     {{0, 0}, {-0.0, 0}, {SMALLEST, SMALLEST}, {1, 0.69314718055994531}, {-1, 0.69314718055994531},
      {LARGEST, 0.69314718055994531}, {INFINITY, 0.69314718055994531}, {-INFINITY, 0.69314718055994531}, {NAN, NAN}}},
    {"vsoftplus", vsoftplus, correct_softplus, 2.5, 2.5, 0, INFINITY, -40, 40, true,
     {{0, 0.69314718055994531}, {-0.0, 0.69314718055994531}, {SMALLEST, 0.69314718055994531},
      {-SMALLEST, 0.69314718055994531}, {LARGEST, LARGEST}, {-LARGEST, 0},
      {INFINITY, INFINITY}, {-INFINITY, 0}, {NAN, NAN}}},
    {"vphi", vphi, correct_normal, FMA ? 4 : 5, FMA ? 4 : 5, 0, 1, -39, 9, true,
     {{0, 0.5}, {-0.0, 0.5}, {SMALLEST, 0.5}, {-SMALLEST, 0.5}, {LARGEST, 1}, {-LARGEST, 0},
      {INFINITY, 1}, {-INFINITY, 0}, {NAN, NAN}}},
    {"vdensity", vdensity, correct_density, 2.5, 2.5, 0, 0.39894229, -39, 39, false,
     {{0, 0.39894228040143268}, {-0.0, 0.39894228040143268}, {SMALLEST, 0.39894228040143268},
      {-SMALLEST, 0.39894228040143268}, {LARGEST, 0}, {-LARGEST, 0},
      {INFINITY, 0}, {-INFINITY, 0}, {NAN, NAN}}},
};

/* Arguments wait in x until it is full, then are computed and judged together. */
enum { BATCH = 1024 };
typedef union batch {
    real e[BATCH];
    ureal bits[BATCH];
    vreal v[BATCH / LANES];
} batch;

typedef struct sweep {
    const function *f;
    batch x;
    int filled;
    bool in_order;  /* the arguments in x: those of one sign by their size */
    long batches, failures;
    double worst;
    real at;
} sweep;

static bool same(real a, real b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* The error of y in units of the last place that `correct` has in the dtype. */
static double ulps(real y, wide correct)
{
    if (y == (real)correct ? isinf(y) : isnan(y) && isnan(correct))
        return 0;
    if (!isfinite(y) || !isfinite((real)correct))
        return INFINITY;
    const int smallest = 1 - EXPONENT_BIAS, exponent = correct == 0 ? smallest : ilogb(correct);
    return (double)fabs(ldexp(y - correct, FRACTION_BITS - (exponent > smallest ? exponent : smallest)));
}

static void fail(sweep *s, const char *what, real x, real y, real expected)
{
    if (s->failures++ < 5)
        printf("%s: %s: at x = %.17g got %.17g, expected %.17g\n", s->f->name, what, (double)x, (double)y,
               (double)expected);
}

/* The same arguments in other lanes. */
static void judge_lanes(sweep *s, const batch *y)
{
    static batch x, again;
    for (int i = 0; i < BATCH; i++)
        x.e[i] = s->x.e[BATCH - 1 - i];
    for (int j = 0; j < BATCH / LANES; j++)
        again.v[j] = s->f->computed(x.v[j]);
    for (int i = 0; i < BATCH; i++)
        if (!same(y->e[i], again.e[BATCH - 1 - i]))
            fail(s, "depends on the lane", s->x.e[i], again.e[BATCH - 1 - i], y->e[i]);
}

/* Whether all results are those of the first and the last argument, which are the same: then a function that rises has no other
 * between them. So it is for most bit patterns, of numbers next to 0 or far away from it. */
static bool flat(const sweep *s, const batch *y)
{
    const real first = s->x.e[0], last = s->x.e[BATCH - 1];
    const real value = s->f->correct(first);
    if (!s->f->rises || !s->in_order || !(value == (real)s->f->correct(last)) || signbit(first) != signbit(last))
        return false;
    int others = 0;
    for (int i = 0; i < BATCH; i++)
        others += y->e[i] != value;
    return others == 0;
}

static void judge(sweep *s)
{
    static batch y;
    for (int j = 0; j < BATCH / LANES; j++)
        y.v[j] = s->f->computed(s->x.v[j]);
    for (int i = flat(s, &y) ? BATCH : 0; i < BATCH; i++) {
        const wide correct = s->f->correct(s->x.e[i]);
        if (y.e[i] < s->f->least || y.e[i] > s->f->most)
            fail(s, "outside of its range", s->x.e[i], y.e[i], (real)correct);
        if (y.e[i] == (real)correct)
            continue;  /* by far the most; within the 0.5 ULP that `worst` starts from */
        const double error = ulps(y.e[i], correct);
        if (error > s->worst)
            s->worst = error, s->at = s->x.e[i];
    }
    if (s->batches++ % 16 == 0)
        judge_lanes(s, &y);
    s->filled = 0;
}

static inline void add(sweep *s, ureal pattern)
{
    s->x.bits[s->filled++] = pattern;
    if (s->filled == BATCH)
        judge(s);
}

static ureal pattern_of(real x)
{
    ureal pattern;
    memcpy(&pattern, &x, sizeof x);
    return pattern;
}

/* Steele, Lea & Flood 2014 (SplitMix64): an even and reproducible scatter of 0, 1, 2... */
static uint64_t scramble(uint64_t i)
{
    i *= 0x9e3779b97f4a7c15;
    i = (i ^ i >> 30) * 0xbf58476d1ce4e5b9;
    i = (i ^ i >> 27) * 0x94d049bb133111eb;
    return i ^ i >> 31;
}

/* A batch at a time; the last one goes on with the first patterns. */
static void sweep_patterns(sweep *s, uint64_t stride)
{
    s->in_order = true;
    for (uint64_t begin = 0; begin < (uint64_t)1 << 32; begin += BATCH * stride) {
        for (uint64_t j = 0; j < BATCH; j++) {
            const uint64_t i = begin + j * stride;
            s->x.bits[j] = FO_BITS == 64 ? (ureal)(i << 32 | scramble(i) >> 32) : (ureal)i;
        }
        judge(s);
    }
    s->in_order = false;
}

static void finish_batch(sweep *s)
{
    while (s->filled > 0)
        add(s, pattern_of(1));
}

static void sweep_interval(sweep *s, uint64_t stride)
{
    const real begin = s->f->begin, width = s->f->end - begin;
    for (uint64_t i = 0; i < ((uint64_t)1 << 28) / stride; i++)
        add(s, pattern_of(begin + width * (real)0x1p-64 * scramble(i)));
}

static void sweep_edges(sweep *s)
{
    for (int k = -2200; k <= 2200; k++)
        for (int neighbour = -32; neighbour <= 32; neighbour++) {
            add(s, pattern_of((real)(k * 0.34657359027997264)) + neighbour);
            add(s, pattern_of((real)exp2(k / 2.0)) + neighbour);
        }
}

/* Each special value in each lane, among lanes of another. */
static void check_special(sweep *s)
{
    const int n = sizeof s->f->special / sizeof s->f->special[0];
    for (int i = 0; i < n; i++)
        for (int lane = 0; lane < LANES; lane++) {
            vreal x = vsplat(s->f->special[(i + 1 + lane) % n][0]);
            x[lane] = s->f->special[i][0];
            const vreal y = s->f->computed(x);
            if (!same(y[lane], s->f->special[i][1]))
                fail(s, "special value", x[lane], y[lane], s->f->special[i][1]);
        }
}

/* NaN and the sign of zero in the functions that the others are made of. */
static bool helpers_hold(void)
{
    const vreal nan = vsplat(NAN), zero = vsplat(0), one = vsplat(1), two = vsplat(2);
    bool hold = true;
    for (int i = 0; i < LANES; i++) {
        vint mask = {0};
        mask[i] = -1;
        for (int j = 0; j < LANES; j++)
            hold &= vselect(mask, one, two)[j] == (i == j ? 1 : 2);
        hold &= same(vsplat(-0.0)[i], -0.0) && same(vabs(-zero)[i], 0) && same(vabs(-two)[i], 2) && isnan(vabs(nan)[i]);
        hold &= vmin(one, two)[i] == 1 && vmin(two, one)[i] == 1 && vmax(one, two)[i] == 2 && vmax(two, one)[i] == 2;
        hold &= vmin(nan, one)[i] == 1 && isnan(vmin(one, nan)[i]) && vmax(nan, one)[i] == 1 && isnan(vmax(one, nan)[i]);
        hold &= same(vmin(zero, -zero)[i], -0.0) && same(vmax(-zero, zero)[i], 0);
    }
    return hold;
}

static bool holds(const function *f, uint64_t stride)
{
    static sweep s;
    s = (sweep){.f = f, .worst = 0.5};
    check_special(&s);
    sweep_edges(&s);
    finish_batch(&s);
    sweep_patterns(&s, stride);
    if (FO_BITS == 64)
        sweep_interval(&s, stride);
    finish_batch(&s);

    const double library = library_is_wider() ? 0 : 2, bound = library + (FO_BITS == 64 ? f->bound64 : f->bound32);
    const bool within = s.worst <= bound && s.failures == 0;
    printf("%-9s max %.4f ULP at x = %.17g (%a), bound %g%s\n", f->name, s.worst, (double)s.at, (double)s.at, bound,
           within ? "" : "  FAILED");
    return within;
}

int main(int argc, char **argv)
{
    const long stride = argc > 1 ? atol(argv[1]) : 1;
    if (stride < 1) {
        fprintf(stderr, "usage: vmath_sweep [stride [function]], stride >= 1\n");
        return 2;
    }
    bool all = helpers_hold();
    if (!all)
        printf("vsplat, vselect, vabs, vmin or vmax is wrong  FAILED\n");
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (argc < 3 || strcmp(argv[2], functions[i].name) == 0)
            all &= holds(&functions[i], stride);
    return all ? 0 : 1;
}
