/* normalization -- batch norm (Ioffe & Szegedy 2015) and layer norm (Ba, Kiros & Hinton 2016) of x (R, C), gradients too.
 *
 * Sums over the rows are taken in double over chunks of rows, whose size follows from R alone; then each thread adds those of its
 * columns up in order, so any number of threads comes to the same bits. */
enum { NORM_CHUNKS = 64, NORM_ROWS = 32 };                     /* chunks at most; rows of a chunk, at least */

typedef struct {
    const fo_norm *norm;
    ptrdiff_t size, count;                                     /* rows of a chunk, chunks */
    double *partial;                                           /* (count, 2, C) */
    real *factor;                                              /* (3, C) */
} norm_job;

/* Calls the task with the memory it needs; 0, or -1 where there is none. */
static int run_norm(const fo_norm *n, fo_task *task, double nanoseconds)
{
    norm_job job = {.norm = n};
    job.size = (n->rows + NORM_CHUNKS - 1) / NORM_CHUNKS;
    job.size = job.size < NORM_ROWS ? NORM_ROWS : job.size;
    job.count = (n->rows + job.size - 1) / job.size;
    job.partial = fo_workspace(n->columns * (2 * job.count * sizeof(double) + 3 * sizeof(real)));
    if (!job.partial)
        return -1;
    job.factor = (real *)(job.partial + 2 * job.count * n->columns);
    fo_run(fo_team_size(nanoseconds * n->rows * n->columns), task, &job);
    return 0;
}

/* The rows of a chunk: from `*begin`, their number. */
static ptrdiff_t chunk_rows(const norm_job *job, ptrdiff_t chunk, ptrdiff_t *begin)
{
    *begin = chunk * job->size;
    return job->norm->rows - *begin < job->size ? job->norm->rows - *begin : job->size;
}

/* Mean and sum of squared deviations of each column of n rows. */
static void moments(ptrdiff_t n, ptrdiff_t columns, const real *restrict x, double *restrict mean, double *restrict deviation)
{
    for (ptrdiff_t c = 0; c < columns; c++)
        mean[c] = deviation[c] = 0;
    for (ptrdiff_t r = 0; r < n; r++)
        for (ptrdiff_t c = 0; c < columns; c++)
            mean[c] += x[r * columns + c];
    for (ptrdiff_t c = 0; c < columns; c++)
        mean[c] /= n;
    for (ptrdiff_t r = 0; r < n; r++)
        for (ptrdiff_t c = 0; c < columns; c++) {
            const double d = x[r * columns + c] - mean[c];
            deviation[c] += d * d;
        }
}

/* Those of all chunks together (Chan, Golub & LeVeque 1983), as mean and variance of columns [begin, end). */
static void combine_moments(const norm_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t columns = job->norm->columns;
    real *mean = job->norm->mean, *variance = job->norm->spread;
    for (ptrdiff_t c = begin; c < end; c++) {
        double m = 0, deviation = 0, rows = 0;
        for (ptrdiff_t chunk = 0; chunk < job->count; chunk++) {
            ptrdiff_t first;
            const double n = chunk_rows(job, chunk, &first), *partial = job->partial + 2 * chunk * columns + c;
            const double d = partial[0] - m;
            m += d * (n / (rows + n));
            deviation += partial[columns] + d * d * (rows * n / (rows + n));
            rows += n;
        }
        mean[c] = m;
        variance[c] = deviation / rows;
    }
}

static void batch_forward_task(void *context, fo_team *team)
{
    norm_job *job = context;
    const fo_norm *n = job->norm;
    const ptrdiff_t columns = n->columns;
    const ptrdiff_t first = fo_share(columns, team->rank, team->size, 16), last = fo_share(columns, team->rank + 1, team->size, 16);
    const ptrdiff_t begin = fo_share(n->rows, team->rank, team->size, 1), end = fo_share(n->rows, team->rank + 1, team->size, 1);
    const real *restrict x = n->x, *restrict gamma = n->gamma, *restrict beta = n->beta;
    real *restrict y = n->y, *restrict factor = job->factor;

    if (!n->fixed) {
        const ptrdiff_t to = fo_share(job->count, team->rank + 1, team->size, 1);
        for (ptrdiff_t chunk = fo_share(job->count, team->rank, team->size, 1); chunk < to; chunk++) {
            ptrdiff_t row;
            double *partial = job->partial + 2 * chunk * columns;
            const ptrdiff_t rows = chunk_rows(job, chunk, &row);
            moments(rows, columns, x + row * columns, partial, partial + columns);
        }
        fo_barrier(team);
        combine_moments(job, first, last);
    }
    const real *mean = n->mean, *variance = n->spread;
    for (ptrdiff_t c = first; c < last; c++)
        factor[c] = (gamma ? gamma[c] : 1) / sqrt(variance[c] + n->eps);
    fo_barrier(team);
    for (ptrdiff_t r = begin; r < end; r++)
        if (beta)
            for (ptrdiff_t c = 0; c < columns; c++)
                y[r * columns + c] = (x[r * columns + c] - mean[c]) * factor[c] + beta[c];
        else
            for (ptrdiff_t c = 0; c < columns; c++)
                y[r * columns + c] = (x[r * columns + c] - mean[c]) * factor[c];
}

static int batch_norm_forward(const fo_norm *n)
{
    return run_norm(n, batch_forward_task, n->fixed ? 0.3 : 1.5);
}

/* Sums over the chunks of columns [begin, end): dbeta of the first ones, dgamma of the second. */
static void combine_sums(const norm_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t columns = job->norm->columns;
    double *total = job->partial;                              /* that of the first chunk */
    for (ptrdiff_t c = begin; c < end; c++)
        for (ptrdiff_t chunk = 1; chunk < job->count; chunk++) {
            total[c] += job->partial[2 * chunk * columns + c];
            total[columns + c] += job->partial[(2 * chunk + 1) * columns + c];
        }
}

static void batch_backward_task(void *context, fo_team *team)
{
    norm_job *job = context;
    const fo_norm *n = job->norm;
    const ptrdiff_t columns = n->columns;
    const ptrdiff_t first = fo_share(columns, team->rank, team->size, 16), last = fo_share(columns, team->rank + 1, team->size, 16);
    const ptrdiff_t begin = fo_share(n->rows, team->rank, team->size, 1), end = fo_share(n->rows, team->rank + 1, team->size, 1);
    const ptrdiff_t to = fo_share(job->count, team->rank + 1, team->size, 1);
    const real *restrict x = n->x, *restrict dy = n->dy, *restrict gamma = n->gamma;
    const real *restrict mean = n->mean, *restrict variance = n->spread;
    real *restrict dx = n->y, *restrict dgamma = n->dgamma, *restrict dbeta = n->dbeta;
    real *restrict along = job->factor, *restrict middle = along + columns, *restrict back = middle + columns;

    for (ptrdiff_t chunk = fo_share(job->count, team->rank, team->size, 1); chunk < to; chunk++) {
        double *restrict sum = job->partial + 2 * chunk * columns, *restrict product = sum + columns;
        ptrdiff_t row;
        const ptrdiff_t rows = chunk_rows(job, chunk, &row);
        for (ptrdiff_t c = 0; c < columns; c++)
            sum[c] = product[c] = 0;
        for (ptrdiff_t at = row * columns; at < (row + rows) * columns; at += columns)
            for (ptrdiff_t c = 0; c < columns; c++) {
                sum[c] += dy[at + c];
                product[c] += dy[at + c] * (x[at + c] - mean[c]);
            }
    }
    fo_barrier(team);
    combine_sums(job, first, last);
    for (ptrdiff_t c = first; c < last; c++) {
        const double rstd = 1 / sqrt(variance[c] + n->eps), slope = (gamma ? gamma[c] : 1) * rstd;
        const double sum = n->rows ? job->partial[c] : 0, product = n->rows ? job->partial[columns + c] * rstd : 0;
        dbeta[c] = sum;
        dgamma[c] = product;
        along[c] = slope;
        middle[c] = slope * sum / n->rows;
        back[c] = slope * rstd * product / n->rows;
    }
    fo_barrier(team);
    for (ptrdiff_t at = begin * columns; at < end * columns; at += columns)
        if (n->fixed)
            for (ptrdiff_t c = 0; c < columns; c++)
                dx[at + c] = along[c] * dy[at + c];
        else
            for (ptrdiff_t c = 0; c < columns; c++)
                dx[at + c] = along[c] * dy[at + c] - middle[c] - (x[at + c] - mean[c]) * back[c];
}

static int batch_norm_backward(const fo_norm *n)
{
    return run_norm(n, batch_backward_task, 1.5);
}

static void layer_forward_task(void *context, fo_team *team)
{
    const fo_norm *n = context;
    const ptrdiff_t columns = n->columns, end = fo_share(n->rows, team->rank + 1, team->size, 1);
    const real *restrict gamma = n->gamma, *restrict beta = n->beta;
    for (ptrdiff_t r = fo_share(n->rows, team->rank, team->size, 1); r < end; r++) {
        const real *restrict x = (const real *)n->x + r * columns;
        real *restrict y = (real *)n->y + r * columns;
        const double mean = sum_of(x, columns) / columns;
        double squares[8] = {0}, square = 0;
        for (ptrdiff_t i = 0; i < columns; i += 8) {
            const int width = columns - i < 8 ? (int)(columns - i) : 8;
            for (int j = 0; j < width; j++)
                squares[j] += (x[i + j] - mean) * (x[i + j] - mean);
        }
        for (int j = 0; j < 8; j++)
            square += squares[j];
        const real middle = mean, rstd = 1 / sqrt(square / columns + n->eps);
        ((real *)n->mean)[r] = middle;
        ((real *)n->spread)[r] = rstd;
        for (ptrdiff_t c = 0; c < columns; c++)
            y[c] = (x[c] - middle) * rstd;
        if (gamma)
            for (ptrdiff_t c = 0; c < columns; c++)
                y[c] *= gamma[c];
        if (beta)
            for (ptrdiff_t c = 0; c < columns; c++)
                y[c] += beta[c];
    }
}

static int layer_norm_forward(const fo_norm *n)
{
    fo_run(fo_team_size(1.5 * n->rows * n->columns), layer_forward_task, (void *)n);
    return 0;
}

/* dx of a row, and what it adds to the column sums: with normal = (x - mean) rstd and slope = dy gamma,
 * dx = (slope - mean(slope) - normal mean(slope normal)) rstd. dx holds the slope at first. */
static void layer_row_backward(const fo_norm *n, ptrdiff_t r, double *restrict sum, double *restrict product)
{
    const ptrdiff_t columns = n->columns;
    const real *restrict x = (const real *)n->x + r * columns, *restrict dy = (const real *)n->dy + r * columns;
    const real *restrict gamma = n->gamma;
    const real mean = ((const real *)n->mean)[r], rstd = ((const real *)n->spread)[r];
    real *restrict dx = (real *)n->y + r * columns;
    double slopes[8] = {0}, products[8] = {0};
    for (ptrdiff_t c = 0; c < columns; c++) {
        sum[c] += dy[c];
        product[c] += dy[c] * ((x[c] - mean) * rstd);
        dx[c] = gamma ? dy[c] * gamma[c] : dy[c];
    }
    for (ptrdiff_t i = 0; i < columns; i += 8) {
        const int width = columns - i < 8 ? (int)(columns - i) : 8;
        for (int j = 0; j < width; j++) {
            slopes[j] += dx[i + j];
            products[j] += (double)dx[i + j] * ((x[i + j] - mean) * rstd);
        }
    }
    for (int j = 1; j < 8; j++) {
        slopes[0] += slopes[j];
        products[0] += products[j];
    }
    const real middle = slopes[0] / columns, back = products[0] / columns;
    for (ptrdiff_t c = 0; c < columns; c++)
        dx[c] = (dx[c] - middle - (x[c] - mean) * rstd * back) * rstd;
}

static void layer_backward_task(void *context, fo_team *team)
{
    norm_job *job = context;
    const fo_norm *n = job->norm;
    const ptrdiff_t columns = n->columns, to = fo_share(job->count, team->rank + 1, team->size, 1);
    const ptrdiff_t first = fo_share(columns, team->rank, team->size, 16), last = fo_share(columns, team->rank + 1, team->size, 16);
    for (ptrdiff_t chunk = fo_share(job->count, team->rank, team->size, 1); chunk < to; chunk++) {
        double *sum = job->partial + 2 * chunk * columns;
        ptrdiff_t row;
        const ptrdiff_t end = chunk_rows(job, chunk, &row);
        for (ptrdiff_t c = 0; c < 2 * columns; c++)
            sum[c] = 0;
        for (ptrdiff_t r = 0; r < end; r++)
            layer_row_backward(n, row + r, sum, sum + columns);
    }
    fo_barrier(team);
    combine_sums(job, first, last);
    for (ptrdiff_t c = first; c < last; c++) {
        ((real *)n->dbeta)[c] = n->rows ? job->partial[c] : 0;
        ((real *)n->dgamma)[c] = n->rows ? job->partial[columns + c] : 0;
    }
}

static int layer_norm_backward(const fo_norm *n)
{
    return run_norm(n, layer_backward_task, 2);
}
