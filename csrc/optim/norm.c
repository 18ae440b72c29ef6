/* norm -- what clipping by the global norm and the finite check read of a gradient, in one pass.
 *
 * Squares are summed in double, in interleaved sums: a fixed order, and no float32 square overflows. A sum of
 * unclipped squares that is not finite betrays a non-finite element; in float64 also one above 1e154, so the caller
 * looks for the element itself before it believes it. */
enum { SUMS = 32 };

FO_INLINE double added_up(const double *sums)
{
    double total = 0;
    for (int j = 0; j < SUMS; j++)
        total += sums[j];
    return total;
}

static void sum_of_squares(ptrdiff_t n, const void *grad, double grad_scale, double clip_value, double *squares)
{
    const real *restrict g = grad;
    const real scale = 1 / grad_scale, limit = clip_value;
    double all[SUMS] = {0}, clipped[SUMS] = {0};
    for (ptrdiff_t i = 0; i < n; i += SUMS) {
        const int width = n - i < SUMS ? (int)(n - i) : SUMS;
        for (int j = 0; j < width; j++) {
            const real x = g[i + j] * scale, y = x > limit ? limit : x < -limit ? -limit : x;
            all[j] += (double)x * x;
            clipped[j] += (double)y * y;
        }
    }
    squares[0] = added_up(all);
    squares[1] = added_up(clipped);
}

static bool all_finite(ptrdiff_t n, const void *grad, double grad_scale)
{
    const real *g = grad;
    const real scale = 1 / grad_scale;
    for (ptrdiff_t i = 0; i < n; i++) {
        const real x = g[i] * scale;
        if (!isfinite(x))
            return false;
    }
    return true;
}
