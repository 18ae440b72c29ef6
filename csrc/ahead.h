/* ahead.h -- what later tiles will read, on its way into the second-level cache while an earlier one runs: a few lines at a time,
 * for a core waits for few of them at once, and a burst holds up the tile's own. */

enum { FETCHED = 256 / sizeof(real), PARTS = 8 };              /* elements in one go; a tile has so many parts of k */

/* Rows of `cols` elements from `row` on, the first `col` of which are done; then others. */
typedef struct ahead {
    const real *row;
    ptrdiff_t stride, cols, rows, col;
    const struct ahead *then;
} ahead;

/* Of `tiles` tiles that fetch all of it: how often each of them does. */
static inline ptrdiff_t fetches(const ahead *a, ptrdiff_t tiles)
{
    ptrdiff_t all = 0;
    for (; a; a = a->then)
        all += a->rows * ((a->cols + FETCHED - 1) / FETCHED);
    return (all + tiles - 1) / tiles;
}

FO_INLINE void fetch(ahead *a, ptrdiff_t times)
{
    for (; times > 0 && a->rows > 0; times--) {
        const char *lines = (const char *)(a->row + a->col);
        for (int line = 0; line < 4; line++)
            __builtin_prefetch(lines + line * 64, 0, 2);
        const ptrdiff_t col = a->col + FETCHED, over = -(ptrdiff_t)(col >= a->cols);   /* all bits or none: no branch */
        a->row += over & a->stride, a->rows += over, a->col = ~over & col;
        if (a->rows == 0 && a->then)
            *a = *a->then;
    }
}
