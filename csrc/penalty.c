/* penalty -- l1 sum |w| + l2 sum w^2 of n weights, and its gradient l1 sign(w) + 2 l2 w, written or added to what is there. Sums
 * in double, of chunks whose size follows from n alone, added in order. */
enum { PENALTY_CHUNKS = 256, PENALTY_CHUNK = 4096 };           /* chunks at most; elements of a chunk, at least */

typedef struct {
    ptrdiff_t n, size, count;                                  /* elements, those of a chunk, chunks */
    const real *w;
    real *gradient;
    double l1, l2;
    bool accumulate;
    double partial[PENALTY_CHUNKS];
} penalty_job;

static double penalty_of(ptrdiff_t n, const real *restrict w, real *restrict gradient, double l1, double l2, bool accumulate)
{
    const real first = l1, second = 2 * l2;
    double sizes[SUMS] = {0}, squares[SUMS] = {0};
    for (ptrdiff_t i = 0; i < n; i += SUMS) {
        const int width = n - i < SUMS ? (int)(n - i) : SUMS;
        for (int j = 0; j < width; j++) {
            const real x = w[i + j], slope = first * sign(x) + second * x;
            sizes[j] += fabs((double)x);
            squares[j] += (double)x * x;
            gradient[i + j] = accumulate ? gradient[i + j] + slope : slope;
        }
    }
    return l1 * added_up(sizes) + l2 * added_up(squares);
}

static void penalty_task(void *context, fo_team *team)
{
    penalty_job *job = context;
    const ptrdiff_t to = fo_share(job->count, team->rank + 1, team->size, 1);
    for (ptrdiff_t chunk = fo_share(job->count, team->rank, team->size, 1); chunk < to; chunk++) {
        const ptrdiff_t begin = chunk * job->size, n = job->n - begin < job->size ? job->n - begin : job->size;
        job->partial[chunk] = penalty_of(n, job->w + begin, job->gradient + begin, job->l1, job->l2, job->accumulate);
    }
}

static double penalty(ptrdiff_t n, const void *param, void *gradient, double l1, double l2, bool accumulate)
{
    penalty_job job = {.n = n, .w = param, .gradient = gradient, .l1 = l1, .l2 = l2, .accumulate = accumulate};
    double sum = 0;
    job.size = (n + PENALTY_CHUNKS - 1) / PENALTY_CHUNKS;
    job.size = job.size < PENALTY_CHUNK ? PENALTY_CHUNK : job.size;
    job.count = (n + job.size - 1) / job.size;
    fo_run(fo_team_size(0.3 * n), penalty_task, &job);
    for (ptrdiff_t i = 0; i < job.count; i++)
        sum += job.partial[i];
    return sum;
}
