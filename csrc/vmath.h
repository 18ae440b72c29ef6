/* vmath.h -- exp, log, tanh, the logistic and the normal distribution function and their kin on vreal, each written once for
 * both dtypes.
 *
 * Straight-line arithmetic of the compiler's vector extension: no branches, no tables to gather from, no calls, no state.
 * A lane's result depends on that lane alone, so a tail padded to a whole vector has the bits it would have inside the
 * body. NaN in, NaN out. Without FMA (baseline x86) a result may differ in its last bit from that of the other targets.
 *
 * Each comment states a bound in ULP of the result, subnormal results included. tests/vmath_sweep.c holds the functions
 * to it; "seen" is its worst over every float32, and over about 10^9 doubles, on baseline, avx2 and avx512. */
#ifndef FO_VMATH_H
#define FO_VMATH_H
#include "real.h"

/* Each table holds the minimax polynomial (Remez exchange, relative error of the function named) of the remainder that
 * stands beside it, 0.1 % wider than the interval the reduction leaves, rounded to the dtype.
 * LN2_HI ends in so many zeros that n * LN2_HI is exact for every exponent n (Cody & Waite 1980). */
#if FO_BITS == 64
typedef uint64_t ureal;
enum { FRACTION_BITS = 52, EXPONENT_BIAS = 1023, DEEP = 512 };
static const real ROUNDER = 0x1.8p52, SMALLEST_NORMAL = 0x1p-1022, TWO_TO_MINUS_DEEP = 0x1p-512, EXP_LIMIT = 1000;
static const real NORMAL_LIMIT = 39;
static const real LOG2E = 1.4426950408889634, LN2_HI = 0x1.62e42fefa3p-1, LN2_LO = 0x1.3de6af278ece6p-42;
static const ureal SQRT_HALF_BITS = 0x3fe6a09e667f3bcd;
static const real EXP_REST[] = {  /* (exp(r) - 1 - r) / r^2, |r| <= ln(2)/2; 2^-55.2 of exp(r) - 1 */
    0.5,                   0.16666666666666602,    0.04166666666661967,    0.008333333333388386,   0.0013888888920669017,
    0.00019841269709362517, 2.4801516107734246e-05, 2.7557424951283384e-06, 2.7622337208768345e-07, 2.504600046012211e-08};
static const real TANH_REST[] = {  /* ((exp(2r) - 1) / 2 - r) / r^2, -0.111 <= r <= 0.2359; 2^-54.9 of (exp(2r) - 1) / 2 */
    0.9999999999999993,   0.6666666666666449,   0.3333333333340045,    0.13333333334136627,   0.04444444426674694,
    0.012698412137070705, 0.003174621280926331, 0.0007054340639963642, 0.0001405150278373837, 2.8735133289124033e-05};
static const real LOG_REST[] = {  /* (2 artanh(s) - 2s) / s^3 by powers of s^2, s^2 <= 0.02944; 2^-59.1 of 2 artanh(s) */
    0.6666666666666735,  0.39999999999411096, 0.2857142874326189, 0.22222198476086233,
    0.18183569733958313, 0.1531390340794581,  0.14797506013892778};
static const real LOG1P_REST[] = {  /* as LOG_REST, s^2 <= 1/9; 2^-59.4 of 2 artanh(s) */
    0.6666666666666631, 0.40000000000156627, 0.2857142854791494, 0.22222223966955498, 0.18181743988224347,
    0.15386559276969033, 0.13300973282923653, 0.1210615478664948, 0.08339527073257588, 0.17020125482599777};
static const real HAZARD_NUMERATOR[] = {  /* over the next: exp(-a^2/2) / Phi(-a) - a sqrt(2 pi), 0 <= a <= 39;
    2^-57.8 of exp(-a^2/2) / Phi(-a) */
    1.75, 2.1676680893423264, 1.3729893905032506, 0.5645493802754078, 0.16366540349891484,
    0.034434733784586155, 0.005243883848622072, 0.000558034931917835, 3.786206459569068e-05, 1.2628280558193145e-06};
static const real HAZARD_DENOMINATOR[] = {
    0.875, 1.4823349241197181, 1.2420515611717506, 0.6664026556715522, 0.2513835819504175,
    0.06938640370352074, 0.014179697105566533, 0.002122216503439512, 0.00022363131995049835, 1.5104778382810403e-05,
    5.037955043843301e-07};
#else
typedef uint32_t ureal;
enum { FRACTION_BITS = 23, EXPONENT_BIAS = 127, DEEP = 64 };
static const real ROUNDER = 0x1.8p23, SMALLEST_NORMAL = 0x1p-126, TWO_TO_MINUS_DEEP = 0x1p-64, EXP_LIMIT = 110;
static const real NORMAL_LIMIT = 15;
static const real LOG2E = 1.44269504, LN2_HI = 0x1.62e4p-1, LN2_LO = 0x1.7f7d1cp-20;
static const ureal SQRT_HALF_BITS = 0x3f3504f3;
static const real EXP_REST[] = {0.5, 0.16666548, 0.04166684, 0.0083661275, 0.0013899618};     /* 2^-26.1 */
static const real TANH_REST[] = {1.0000004, 0.6666695, 0.33324984, 0.13320585, 0.049326617};  /* 2^-25.7 */
static const real LOG_REST[] = {0.66666776, 0.39977497, 0.29873073};                         /* 2^-30.0 */
static const real LOG1P_REST[] = {0.6666641, 0.40021598, 0.2800053, 0.28018796};  /* 2^-27.7 */
static const real HAZARD_NUMERATOR[] = {1.75, 1.1060522, 0.36594978, 0.06587143, 0.005522869};  /* a <= 15; 2^-30.4 */
static const real HAZARD_DENOMINATOR[] = {0.875, 0.951527, 0.49678546, 0.15016952, 0.026289277, 0.0022031025};
#endif
enum {
    EXP_TERMS = sizeof EXP_REST / sizeof(real),
    TANH_TERMS = sizeof TANH_REST / sizeof(real),
    LOG_TERMS = sizeof LOG_REST / sizeof(real),
    LOG1P_TERMS = sizeof LOG1P_REST / sizeof(real),
    HAZARD_TERMS = sizeof HAZARD_NUMERATOR / sizeof(real),  /* one more in the denominator */
};

/* Shifts are done unsigned: there is no arithmetic shift of 64-bit lanes before AVX-512. */
typedef ureal vuint __attribute__((vector_size(FO_VECTOR_BYTES)));
static const ureal SIGN = (ureal)1 << (FO_BITS - 1), FRACTION = ((ureal)1 << FRACTION_BITS) - 1;

static inline vreal vsplat(real a)
{
    return a - (vreal){0};  /* not +, which would lose the sign of -0 */
}

/* mask, of a comparison, ? a : b. Of ^ gcc makes a blend for every target, of | none for AVX-512. */
static inline vreal vselect(vint mask, vreal a, vreal b)
{
    return (vreal)((mask & (vint)a) ^ (~mask & (vint)b));
}

static inline vreal vabs(vreal x)
{
    return (vreal)((vuint)x & ~SIGN);
}

/* Where a or b is NaN, vmin and vmax return b. */
static inline vreal vmin(vreal a, vreal b)
{
    return vselect(a < b, a, b);
}

static inline vreal vmax(vreal a, vreal b)
{
    return vselect(a > b, a, b);
}

/* Correctly rounded: gcc and clang make one instruction of this loop. */
static inline vreal vsqrt(vreal x)
{
    vreal y;
    for (int i = 0; i < LANES; i++)
        y[i] = sqrt(x[i]);
    return y;
}

/* c[0] + c[1] x + ... by Horner's rule: the fewest operations, and callers have enough vectors in flight to hide its
 * latency. */
static inline vreal vpolynomial(vreal x, const real *c, int terms)
{
    vreal y = vsplat(c[terms - 1]);
    for (int i = terms - 2; i >= 0; i--)
        y = y * x + c[i];
    return y;
}

/* x = n ln(2) + r, n an integer, |r| <= ln(2)/2. Adding 1.5 * 2^FRACTION_BITS leaves n rounded in the low bits of the
 * sum, where `bias` is added to it: returned << FRACTION_BITS is 2^n for bias EXPONENT_BIAS. |x| <= EXP_LIMIT. */
static inline vuint exp_reduce(vreal x, int bias, vreal *r)
{
    const real rounder = ROUNDER + bias;
    const vreal t = x * LOG2E + rounder, n = t - rounder;
    *r = x - n * LN2_HI - n * LN2_LO;
    return (vuint)t;
}

/* exp(r) - 1 for |r| <= ln(2)/2, exact in relation to itself. */
static inline vreal exp_minus_1(vreal r)
{
    return r + r * r * vpolynomial(r, EXP_REST, EXP_TERMS);
}

/* y 2^n, n from exp_reduce with bias 2 EXPONENT_BIAS: multiplied in two halves, so that n may lie outside of the exponents of
 * normal numbers and a subnormal result is rounded once. */
static inline vreal exp_scale(vreal y, vuint n)
{
    const vuint half = n << (FRACTION_BITS - 1) & ~FRACTION, rest = (n << FRACTION_BITS) - half;
    return y * (vreal)half * (vreal)rest;
}

/* exp(x) = 2^n exp(r) (Cody & Waite 1980). Inf above ln(largest), 0 below ln(smallest subnormal / 2).
 * float32: < 1.1 ULP, seen 1.035; float64: < 1.1 ULP, seen 1.032. */
static inline vreal vexp(vreal x)
{
    vreal r;
    x = vmax(vsplat(-EXP_LIMIT), vmin(vsplat(EXP_LIMIT), x));
    const vuint n = exp_reduce(x, 2 * EXPONENT_BIAS, &r);
    return exp_scale(1 + exp_minus_1(r), n);
}

/* exp(min(x, 0)) - 1 = 2^n (exp(r) - 1) + (2^n - 1): activations need no others, whose 2^n may overflow before the result does.
 * 0 at -0.
 * float32: < 1.5 ULP, seen 1.032; float64: < 1.5 ULP, seen 1.216. */
static inline vreal vexpm1(vreal x)
{
    vreal r;
    x = vmax(vsplat(-40), vmin(vsplat(0), x));  /* -1 from -38 on */
    const vreal s = (vreal)(exp_reduce(x, EXPONENT_BIAS, &r) << FRACTION_BITS);
    return s * exp_minus_1(r) + (s - 1);
}

/* sigmoid(x) = 1 / (1 + exp(-x)) = s / (1 + s + p) with x = n ln(2) + r, s = 2^n exact, p = exp(-r) - 1 (the reduction of
 * Cody & Waite 1980): no exp(-x) is ever rounded, and no sign tested. The numerator is 2^DEEP s, undone at the end, for
 * subnormal results. Never above 1.
 * float32: < 2 ULP, seen 1.9991; float64: < 2 ULP, seen 1.9995; both just below 0, where the sum is rounded twice (3/2 ULP)
 * and the quotient once (1/2). 1 + max(s, 2^-FRACTION_BITS) first, the rest of s to p: 1.7 ULP, for up to 25 % more time. */
static inline vreal vsigmoid(vreal x)
{
    vreal r;
    x = vmax(vsplat(-EXP_LIMIT), vmin(vsplat(40), x));  /* 1 from x = 37 on */
    const vreal s = (vreal)(exp_reduce(x, EXPONENT_BIAS + DEEP, &r) << FRACTION_BITS);
    return s / (1 + (s * TWO_TO_MINUS_DEEP + exp_minus_1(-r))) * TWO_TO_MINUS_DEEP;
}

/* tanh(x) = h / (1 + h), h = (exp(2|x|) - 1) / 2 with the reduction of Cody & Waite 1980: no cancellation near 0. Two turns
 * bring 2.5 ULP down: h / (1 + h) = m - m h / (1 + h) with m = min(h, 1), so that the roundings of sum and quotient sit in the
 * smaller term; and n, of |x| = n ln(2)/2 + r, is rounded from 0.18 lower, as h = 2^n (exp(2r) - 1) / 2 + (2^n - 1) / 2
 * cancels most at n = 1, r < 0. Odd; tanh(x) is x for tiny x, -0 included.
 * float32: < 2 ULP, seen 1.837 with FMA, 1.981 without; float64: < 2 ULP with FMA, seen 1.872, < 2.2 without, seen 2.070.
 * Carrying the rounding error of h along costs 10 to 25 % of the time, and leaves as much elsewhere. */
static inline vreal vtanh(vreal x)
{
    const real rounder = ROUNDER + EXPONENT_BIAS, shift = 0.0624;  /* 0.18 ln(2)/2 */
    const vreal a = vmin(vsplat(20), vabs(x));                     /* 1 from 19.1 on */
    const vreal t = (a - shift) * (2 * LOG2E) + rounder, n = t - rounder;
    const vreal s = (vreal)((vuint)t << FRACTION_BITS);
    const vreal r = a - n * (LN2_HI / 2) - n * (LN2_LO / 2);
    const vreal p = r + r * r * vpolynomial(r, TANH_REST, TANH_TERMS);
    const vreal h = s * p + (s * (real)0.5 - (real)0.5), m = vmin(vsplat(1), h);
    return (vreal)((vuint)(m - m * (m / (1 + h))) | ((vuint)x & SIGN));
}

/* log(x) = k ln(2) + log(1 + f), x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), in the form of FreeBSD's e_log.c (Ng 1993):
 * with s = f / (2 + f), log(1 + f) = 2 artanh(s) = f - f^2/2 + s (f^2/2 + s^2 LOG_REST(s^2)), so that f enters unrounded.
 * log(+-0) = -inf, log(x < 0) = NaN, log(inf) = inf; subnormal x are scaled first.
 * float32: < 0.9 ULP, seen 0.840; float64: < 0.9 ULP, seen 0.843. */
static inline vreal vlog(vreal x)
{
    const ureal one = (ureal)EXPONENT_BIAS << FRACTION_BITS;
    const real two_to_fraction = (ureal)1 << FRACTION_BITS, scale = 2 * two_to_fraction;
    const vint tiny = x < SMALLEST_NORMAL;
    const vuint u = (vuint)vselect(tiny, x * scale, x) + (one - SQRT_HALF_BITS);  /* k in its exponent, 1 + f in the rest */
    /* the exponent, put into the fraction of 2^FRACTION_BITS: 64-bit integers have no conversion before AVX-512 */
    const vreal biased = (vreal)(u >> FRACTION_BITS | (ureal)(EXPONENT_BIAS + FRACTION_BITS) << FRACTION_BITS);
    const real bias = two_to_fraction + EXPONENT_BIAS;
    const vreal k = biased - vselect(tiny, vsplat(bias + FRACTION_BITS + 1), vsplat(bias));
    const vreal f = (vreal)((u & FRACTION) + SQRT_HALF_BITS) - 1;
    const vreal s = f / (2 + f), z = s * s, half_square = (real)0.5 * f * f;
    const vreal rest = s * (half_square + z * vpolynomial(z, LOG_REST, LOG_TERMS)) + k * LN2_LO;
    vreal y = k * LN2_HI - ((half_square - rest) - f);
    y = vselect(x < (real)INFINITY, y, x);
    y = vselect(x == 0, vsplat(-INFINITY), y);
    return (vreal)((vint)y | (x < 0));  /* all bits set are a NaN */
}

/* log(1 + x) for 0 <= x <= 1, where the form of vlog needs no exponent: s = x / (2 + x) <= 1/3.
 * float32: < 1.5 ULP, seen 1.323; float64: < 1.5 ULP, seen 1.363. */
static inline vreal vlog1p(vreal x)
{
    const vreal s = x / (2 + x), z = s * s, half_square = (real)0.5 * x * x;
    return x - (half_square - s * (half_square + z * vpolynomial(z, LOG1P_REST, LOG1P_TERMS)));
}

/* softplus(x) = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)): never overflows.
 * float32: < 2.5 ULP, seen 2.061; float64: < 2.5 ULP, seen 1.996. */
static inline vreal vsoftplus(vreal x)
{
    return vmax(vsplat(0), x) + vlog1p(vexp(-vabs(x)));
}

/* Phi(x), the distribution function of the standard normal, and its density phi(x) = exp(-x^2/2) / sqrt(2 pi), which comes with
 * it. With a = |x|, Phi(-a) = exp(-a^2/2) / (a sqrt(2 pi) + P(a) / Q(a)) = exp(-a^2/2) Q / (a sqrt(2 pi) Q + P): positive
 * coefficients alone, so nothing cancels, and the errors of P and Q vanish as a grows; Phi(a) = 1 - Phi(-a). exp magnifies a
 * relative error of a^2 up to 760 times, so a^2 is kept in two parts, the square of the upper half of a's digits exact
 * (Dekker 1971).
 * Phi: float32: < 4 ULP with FMA, seen 3.709, < 5 without, seen 4.268; float64: the same, seen 3.826 and 4.256.
 * phi: float32: < 2.5 ULP, seen 2.199; float64: < 2.5 ULP, seen 2.327. */
static inline vreal vnormal(vreal x, vreal *density)
{
    const ureal lower_half = ((ureal)1 << (FRACTION_BITS + 2) / 2) - 1;
    const real root = (real)2.5066282746310005, inverse_root = (real)0.39894228040143268;    /* sqrt(2 pi) */
    const vreal a = vmin(vsplat(NORMAL_LIMIT), vabs(x));                                     /* beyond it both are 0 */
    const vreal upper = (vreal)((vuint)a & ~lower_half);
    const vreal square = upper * upper * (real)-0.5, left_out = (a - upper) * (a + upper) * (real)-0.5;
    const vreal exponent = square + left_out;
    vreal r;
    const vuint n = exp_reduce(exponent, 2 * EXPONENT_BIAS, &r);
    const vreal e = 1 + exp_minus_1(r + (square - exponent + left_out));
    const vreal p = vpolynomial(a, HAZARD_NUMERATOR, HAZARD_TERMS), q = vpolynomial(a, HAZARD_DENOMINATOR, HAZARD_TERMS + 1);
    const vreal tail = exp_scale(e * (q / (a * root * q + p)), n);
    *density = exp_scale(e * inverse_root, n);
    return vselect(x > 0, 1 - tail, tail);
}
#endif
