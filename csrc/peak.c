/* peak -- what no product can exceed: multiply-adds in registers in every thread, as many at a time as hide their latency. */
enum { CHAINS = 12 };

typedef struct {
    ptrdiff_t turns;
    int threads;
} peak_job;

static void peak_task(void *context, fo_team *team)
{
    peak_job *job = context;
    const vreal factor = vsplat((real)0.75), term = vsplat(1);     /* towards 4 */
    vreal sum[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        sum[i] = vsplat(job->turns + i);                           /* unknown here: the compiler leaves out what stays at 4 */
    for (ptrdiff_t t = 0; t < job->turns; t++)
#pragma GCC unroll 16
        for (int i = 0; i < CHAINS; i++)
            sum[i] = sum[i] * factor + term;
    for (int i = 1; i < CHAINS; i++)
        sum[0] += sum[i];
    volatile vreal result = sum[0];                                /* or all of it would be left out */
    (void)result;
    if (team->rank == 0)
        job->threads = team->size;
}

static double fma_peak(ptrdiff_t turns)
{
    peak_job job = {.turns = turns};
    fo_run(fo_get_num_threads(), peak_task, &job);
    return 2.0 * CHAINS * LANES * turns * job.threads;
}
