/* sums.h -- sums over the rows of a matrix: gradients of biases. Each is one chain, blocks of KC rows that are added in order,
 * however many columns are summed together. */

enum { MOST_SUMMED = (FO_VECTOR_BYTES == 64 ? 16 : 8) * LANES };   /* columns whose sums stay in registers */

FO_INLINE void sum_vectors(const int vectors, const real *from, ptrdiff_t rows, ptrdiff_t stride, real *total)
{
    memset(total, 0, vectors * sizeof(vreal));
    for (ptrdiff_t row = 0; row < rows; row += KC) {
        const ptrdiff_t end = row + KC < rows ? row + KC : rows;
        vreal part[MOST_SUMMED / LANES];
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++)
            part[v] = (vreal){0};
        for (ptrdiff_t r = row; r < end; r++)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; v++)
                part[v] += vload(from + r * stride + v * LANES);
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++)
            vstore(total + v * LANES, vload(total + v * LANES) + part[v]);
    }
}

/* total = the sums over the rows of the first columns, of n at most; returns of how many: long stretches of a row at once. */
static ptrdiff_t sum_columns(const real *from, ptrdiff_t rows, ptrdiff_t stride, ptrdiff_t n, real *total)
{
    if (n >= MOST_SUMMED)
        sum_vectors(MOST_SUMMED / LANES, from, rows, stride, total);
    else if (n >= 4 * LANES)
        sum_vectors(4, from, rows, stride, total);
    else if (n >= LANES)
        sum_vectors(1, from, rows, stride, total);
    else {
        memset(total, 0, n * sizeof(real));
        for (ptrdiff_t row = 0; row < rows; row += KC) {
            real part[LANES] = {0};
            for (ptrdiff_t r = row; r < (row + KC < rows ? row + KC : rows); r++)
                for (ptrdiff_t j = 0; j < n; j++)
                    part[j] += from[r * stride + j];
            for (ptrdiff_t j = 0; j < n; j++)
                total[j] += part[j];
        }
        return n;
    }
    return n >= MOST_SUMMED ? MOST_SUMMED : n >= 4 * LANES ? 4 * LANES : LANES;
}
