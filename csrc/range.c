/* range.c -- whether numbers lie where they may: one pass without a way out, for the answer is mostly yes. */

/* Whether all numbers are finite and in [low, high]. */
static bool all_within(ptrdiff_t n, const void *numbers, double low, double high)
{
    const real *x = numbers, least = low, most = high;
    vint inside = ~(vint){0};
    for (ptrdiff_t i = 0; i < n; i += LANES) {
        const vreal v = load_from(x, i, n, x[i]);
        inside &= (v >= least) & (v <= most) & (vabs(v) < (real)INFINITY);
    }
    for (int lane = 0; lane < LANES; lane++)
        if (!inside[lane])
            return false;
    return true;
}

/* The position of the first index that is not in [0, limit); -1 where there is none. */
static ptrdiff_t first_outside(ptrdiff_t n, const int64_t *indices, int64_t limit)
{
    const uint64_t end = limit < 0 ? 0 : limit;
    uint64_t outside = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        outside |= (uint64_t)indices[i] >= end;
    for (ptrdiff_t i = 0; outside; i++)
        if ((uint64_t)indices[i] >= end)
            return i;
    return -1;
}
