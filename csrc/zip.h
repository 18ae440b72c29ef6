/* zip.h -- matrices of 2, 4 or 8 columns without gaps between their rows, and the same with a column in each line of memory:
 * whole vectors are taken apart and put together in registers, by log2(columns) rounds of a perfect shuffle. */

/* Whether zip and unzip know a matrix whose columns are neighbours in memory. */
static inline bool zips(ptrdiff_t columns, ptrdiff_t column, ptrdiff_t row)
{
    return (columns == 2 || columns == 4 || columns == 8) && columns < LANES && column == 1 && row == columns;
}

FO_INLINE void unzip_vectors(const int columns, vreal *x)
{
    const vint even = *(const vint *)LANE * 2, odd = even + 1;
#pragma GCC unroll 3
    for (int round = 1; round < columns; round *= 2) {
        vreal y[8];
#pragma GCC unroll 4
        for (int i = 0; i < columns / 2; i++) {
            y[i] = vshuffle(x[2 * i], x[2 * i + 1], even);
            y[i + columns / 2] = vshuffle(x[2 * i], x[2 * i + 1], odd);
        }
#pragma GCC unroll 8
        for (int i = 0; i < columns; i++)
            x[i] = y[i];
    }
}

FO_INLINE void zip_vectors(const int columns, vreal *x)
{
    const vint lane = *(const vint *)LANE, low = (lane >> 1) + (lane & 1) * LANES, high = low + LANES / 2;
#pragma GCC unroll 3
    for (int round = 1; round < columns; round *= 2) {
        vreal y[8];
#pragma GCC unroll 4
        for (int i = 0; i < columns / 2; i++) {
            y[2 * i] = vshuffle(x[i], x[i + columns / 2], low);
            y[2 * i + 1] = vshuffle(x[i], x[i + columns / 2], high);
        }
#pragma GCC unroll 8
        for (int i = 0; i < columns; i++)
            x[i] = y[i];
    }
}

FO_INLINE ptrdiff_t unzip_columns(const int columns, const real *from, ptrdiff_t rows, real *to, ptrdiff_t line)
{
    ptrdiff_t i = 0;
    for (; i + LANES <= rows; i += LANES) {
        vreal x[8];
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++)
            x[j] = vload(from + i * columns + j * LANES);
        unzip_vectors(columns, x);
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++)
            vstore(to + i + j * line, x[j]);
    }
    return i;
}

FO_INLINE ptrdiff_t zip_columns(const int columns, const real *from, ptrdiff_t line, ptrdiff_t rows, real *to, const real *start)
{
    ptrdiff_t i = 0;
    for (; i + LANES <= rows; i += LANES) {
        vreal x[8];
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++)
            x[j] = vload(from + i + j * line);
        zip_vectors(columns, x);
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const ptrdiff_t at = i * columns + j * LANES;
            vstore(to + at, start ? vload(start + at) + x[j] : x[j]);
        }
    }
    return i;
}

/* Each column to its line; returns how many rows that was: whole vectors of them. */
static ptrdiff_t unzip(ptrdiff_t columns, const real *from, ptrdiff_t rows, real *to, ptrdiff_t line)
{
    return columns == 2 ? unzip_columns(2, from, rows, to, line) : columns == 4 ? unzip_columns(4, from, rows, to, line) :
           unzip_columns(8, from, rows, to, line);
}

/* The way back, added to `start`, which lies like `to`, or is NULL. */
static ptrdiff_t zip(ptrdiff_t columns, const real *from, ptrdiff_t line, ptrdiff_t rows, real *to, const real *start)
{
    return columns == 2 ? zip_columns(2, from, line, rows, to, start) : columns == 4 ? zip_columns(4, from, line, rows, to, start) :
           zip_columns(8, from, line, rows, to, start);
}
