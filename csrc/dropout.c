/* dropout -- y = x / (1 - rate), or 0 where the element's random word is below rate 2^32 (Srivastava et al. 2014). The words are
 * those of Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011): block i of four elements has the counter (i, step), two words each,
 * and the key seed. Nothing else decides, so any share of the elements can be computed by itself. */
#include <string.h>

enum { COUNTERS = 32, DROPOUT_PIECE = 4 * COUNTERS };         /* loops of 16 or less gcc 12 unrolls, and vectorises no more */

/* words[4 b + k]: word k of counter block + b. */
FO_INLINE void philox(uint64_t block, uint64_t step, uint64_t seed, uint32_t *words)
{
    uint32_t c0[COUNTERS], c1[COUNTERS], c2[COUNTERS], c3[COUNTERS], k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int b = 0; b < COUNTERS; b++) {
        c0[b] = (uint32_t)(block + b);
        c1[b] = (uint32_t)((block + b) >> 32);
        c2[b] = (uint32_t)step;
        c3[b] = (uint32_t)(step >> 32);
    }
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
        for (int b = 0; b < COUNTERS; b++) {
            const uint64_t p0 = (uint64_t)0xD2511F53u * c0[b], p1 = (uint64_t)0xCD9E8D57u * c2[b];
            const uint32_t high0 = (uint32_t)(p0 >> 32), high1 = (uint32_t)(p1 >> 32);
            c0[b] = high1 ^ c1[b] ^ k0;
            c1[b] = (uint32_t)p1;
            c2[b] = high0 ^ c3[b] ^ k1;
            c3[b] = (uint32_t)p0;
        }
    for (int b = 0; b < COUNTERS; b++) {
        words[4 * b] = c0[b];
        words[4 * b + 1] = c1[b];
        words[4 * b + 2] = c2[b];
        words[4 * b + 3] = c3[b];
    }
}

typedef struct {
    ptrdiff_t n;
    const real *x;
    real *y;                                                   /* x itself, or apart from it */
    double rate;
    uint64_t seed, step;
} dropout_job;

static void dropout_task(void *context, fo_team *team)
{
    const dropout_job *job = context;
    const ptrdiff_t end = fo_share(job->n, team->rank + 1, team->size, DROPOUT_PIECE);
    const uint32_t bound = (uint32_t)(job->rate * 0x1p32);     /* rate < 1 */
    const real scale = 1 / (1 - job->rate);
    for (ptrdiff_t i = fo_share(job->n, team->rank, team->size, DROPOUT_PIECE); i < end; i += DROPOUT_PIECE) {
        const size_t bytes = (end - i < DROPOUT_PIECE ? end - i : DROPOUT_PIECE) * sizeof(real);
        uint32_t words[DROPOUT_PIECE];
        real values[DROPOUT_PIECE] = {0};
        memcpy(values, job->x + i, bytes);
        philox((uint64_t)i / 4, job->step, job->seed, words);
        for (int j = 0; j < DROPOUT_PIECE; j++)
            values[j] = words[j] < bound ? 0 : values[j] * scale;
        memcpy(job->y + i, values, bytes);
    }
}

static void dropout(ptrdiff_t n, const void *x, void *y, double rate, uint64_t seed, uint64_t step)
{
    dropout_job job = {n, x, y, rate, seed, step};
    if (rate < 1)
        fo_run(fo_team_size(0.7 * n), dropout_task, &job);
    else if (n > 0)
        memset(y, 0, n * sizeof(real));
}
