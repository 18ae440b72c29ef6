/* ema -- exponential average of the parameters (Polyak & Juditsky 1992, with a fixed horizon).
 *
 *   a <- decay a + (1 - decay) p */
static void ema(ptrdiff_t n, void *average, const void *param, double decay)
{
    real *restrict a = average;
    const real *restrict p = param;
    const real keep = decay, take = 1 - decay;
    for (ptrdiff_t i = 0; i < n; i++)
        a[i] = keep * a[i] + take * p[i];
}
