/* dense.c -- the dense layer, y = activation(x kernel + bias), forward and backward: one parallel region each.
 *
 * Forward starts the sums with the bias and applies the activation to rows that they have just left in cache. Backward turns dy
 * into dz first, then every thread does its share of the two products and of the column sums. */

/* What a vector of column sums takes, roughly, in nanoseconds. */
static const double pass_nanoseconds = 1;

static double activation_nanoseconds(const fo_dense *d)
{
    return (double)d->rows * ((d->outputs + LANES - 1) / LANES) * (activations[d->activation].nanoseconds + pass_nanoseconds);
}

/* Rows of z become y. */
static void finish_rows(void *context, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t col, ptrdiff_t cols)
{
    const fo_dense *d = context;
    real *y = (real *)d->y + row * d->outputs + col;
    const real *z = d->z ? (const real *)d->z + row * d->outputs + col : y;
    if (cols == d->outputs)                                    /* whole rows lie behind each other */
        activate(rows * cols, d->activation, d->alpha, z, y);
    else
        for (ptrdiff_t i = 0; i < rows; i++)
            activate(cols, d->activation, d->alpha, z + i * d->outputs, y + i * d->outputs);
}

typedef struct {
    const fo_dense *dense;
    real *dz;                                                  /* backward: where the gradient of z lies */
    int failed;
} dense_job;

static void forward_task(void *context, fo_team *team)
{
    dense_job *job = context;
    const fo_dense *d = job->dense;
    const product g = {.m = d->rows, .n = d->outputs, .k = d->inputs, .a = d->x, .a_row = d->inputs, .a_col = 1,
                       .b = d->kernel, .b_row = d->outputs, .b_col = 1, .c = d->z ? d->z : d->y, .c_row = d->outputs, .c_col = 1,
                       .start = d->bias, .start_row = 0, .start_col = 1,
                       .finish = over_rows(d->activation) || (d->activation == FO_LINEAR && !d->z) ? NULL : finish_rows,
                       .context = (void *)d};
    if (gemm_share(&g, team->rank, team->size))
        __atomic_store_n(&job->failed, 1, __ATOMIC_RELAXED);
    if (over_rows(d->activation)) {
        fo_barrier(team);
        const ptrdiff_t row = fo_share(d->rows, team->rank, team->size, 1), at = row * d->outputs;
        softmax_rows(fo_share(d->rows, team->rank + 1, team->size, 1) - row, d->outputs, g.c + at, (real *)d->y + at,
                     d->activation == FO_LOG_SOFTMAX);
    }
}

static int dense_forward(const fo_dense *d)
{
    dense_job job = {.dense = d};
    fo_run(fo_team_size(gemm_nanoseconds(d->rows, d->outputs, d->inputs) + activation_nanoseconds(d)), forward_task, &job);
    return -job.failed;
}

/* This thread's share of dbias = or += the sums over the rows of dz. */
static void bias_gradient(const fo_dense *d, const real *dz, const fo_team *team)
{
    const ptrdiff_t end = fo_share(d->outputs, team->rank + 1, team->size, LANES);
    real total[MOST_SUMMED], *to = d->dbias;
    for (ptrdiff_t j = fo_share(d->outputs, team->rank, team->size, LANES), n; j < end; j += n) {
        n = sum_columns(dz + j, d->rows, d->outputs, end - j, total);
        for (ptrdiff_t i = 0; i < n; i++)
            to[j + i] = d->accumulate ? to[j + i] + total[i] : total[i];
    }
}

static void backward_task(void *context, fo_team *team)
{
    dense_job *job = context;
    const fo_dense *d = job->dense;
    const ptrdiff_t outputs = d->outputs;
    const real *dz = d->dy;
    if (d->activation != FO_LINEAR) {
        const ptrdiff_t row = fo_share(d->rows, team->rank, team->size, 1);
        const ptrdiff_t rows = fo_share(d->rows, team->rank + 1, team->size, 1) - row;
        const ptrdiff_t at = row * outputs;
        const real *z = d->z ? (const real *)d->z + at : NULL;
        if (over_rows(d->activation))
            softmax_gradient_rows(rows, outputs, dz + at, (const real *)d->y + at, job->dz + at, d->activation == FO_LOG_SOFTMAX);
        else
            activation_gradient(rows * outputs, d->activation, d->alpha, dz + at, (const real *)d->y + at, z, job->dz + at);
        dz = job->dz;
        fo_barrier(team);
    }
    if (d->dbias)
        bias_gradient(d, dz, team);
    const product dkernel = {.m = d->inputs, .n = outputs, .k = d->rows, .a = d->x, .a_row = 1, .a_col = d->inputs,
                             .b = dz, .b_row = outputs, .b_col = 1, .c = d->dkernel, .c_row = outputs, .c_col = 1,
                             .start = d->accumulate ? d->dkernel : NULL, .start_row = outputs, .start_col = 1};
    const product dx = {.m = d->rows, .n = d->inputs, .k = outputs, .a = dz, .a_row = outputs, .a_col = 1,
                        .b = d->kernel, .b_row = 1, .b_col = outputs, .c = d->dx, .c_row = d->inputs, .c_col = 1};
    if ((d->dkernel && gemm_share(&dkernel, team->rank, team->size)) || (d->dx && gemm_share(&dx, team->rank, team->size)))
        __atomic_store_n(&job->failed, 1, __ATOMIC_RELAXED);
}

static int dense_backward(const fo_dense *d)
{
    dense_job job = {.dense = d, .dz = (void *)d->dy};
    real *own = NULL;
    if (d->activation != FO_LINEAR && !d->overwrite_dy) {
        own = malloc((d->rows * d->outputs + 1) * sizeof(real));   /* never of no size */
        if (!own)
            return -1;
        job.dz = own;
    }
    const double one = gemm_nanoseconds(d->rows, d->outputs, d->inputs);
    fo_run(fo_team_size(((d->dkernel != NULL) + (d->dx != NULL)) * one + activation_nanoseconds(d)), backward_task, &job);
    free(own);
    return -job.failed;
}
