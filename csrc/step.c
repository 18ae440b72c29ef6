/* step.c -- one optimizer step over all tensors: one parallel region, one pass over memory.
 *
 * The tensors lie end to end in one list of elements, of which each thread takes a share; updates are elementwise, and
 * tensors are cut at multiples of GRAIN, so the cuts change no bit. Clipping by norm and the finite check read the
 * gradients once before that, in chunks of a constant size whose sums every thread adds up in the same order. */
#include "fastopt.h"
#include "strided.h"
#include "team.h"
#include <math.h>
#include <stdlib.h>

enum { GRAIN = 64, BUFFER = 1024, CHUNK = 8192 };              /* elements: of a cut, a gathered piece, a chunk of norm or ema */

/* What the work of a step takes on one core, roughly: 0.01 ns a byte read or written holds within a factor of two for
 * every rule, for those bound by division in cache and those bound by memory. */
static const double nanoseconds_per_byte = 0.01;

typedef struct { double all, clipped; } squares;

typedef struct {
    fo_tensor *tensors;
    ptrdiff_t count, total, chunks;                            /* elements and chunks of the tensors that have a gradient */
    const fo_options *options;
    fo_result *result;
    squares *partial;                                          /* one a chunk, NULL where no norm is asked for */
} job;

/* NAdam's momentum; beta1 for the rules that have no schedule of it. */
static double momentum_at(const fo_hyper *h, double step)
{
    return h->scheduled_momentum ? h->beta1 * (1 - 0.5 * pow(0.96, step * h->momentum_decay)) : h->beta1;
}

void fo_at_step(fo_hyper *h, double step, double born, double mu_product)
{
    h->step = step;
    h->first = step - born == 1;
    h->beta1_power = h->bias_correction && h->beta1 != 0 ? pow(h->beta1, step) : 0;
    h->beta2_power = h->bias_correction && h->beta2 != 0 ? pow(h->beta2, step) : 0;
    h->mu = momentum_at(h, step);
    h->mu_next = momentum_at(h, step + 1);
    h->mu_product = mu_product * h->mu;
}

static void update_strided(const fo_tensor *t, const fo_hyper *h, ptrdiff_t begin, ptrdiff_t end)
{
    _Alignas(64) char param[BUFFER * 8], grad[BUFFER * 8];
    for (ptrdiff_t n; begin < end; begin += n) {
        void *state[FO_STATES];
        n = end - begin < BUFFER ? end - begin : BUFFER;
        for (int k = 0; k < FO_STATES; k++)
            state[k] = t->state[k] ? t->state[k] + begin * t->itemsize : NULL;
        copy_strided(t->param, t->layout->param_stride, t->layout, begin, n, param, t->itemsize, false);
        copy_strided((char *)t->grad, t->layout->grad_stride, t->layout, begin, n, grad, t->itemsize, false);
        t->update(n, param, grad, state, h);
        copy_strided(t->param, t->layout->param_stride, t->layout, begin, n, param, t->itemsize, true);
        if (t->ema && h->ema >= 0)
            t->kernels->ema(n, t->ema + begin * t->itemsize, param, h->ema);
    }
}

static void update(const fo_tensor *t, const fo_hyper *h, ptrdiff_t begin, ptrdiff_t end)
{
    if (!t->direct) {
        update_strided(t, h, begin, end);
        return;
    }
    const ptrdiff_t piece = t->ema ? CHUNK : end - begin;      /* the average follows while the parameters are in cache */
    for (ptrdiff_t n; begin < end; begin += n) {
        void *state[FO_STATES];
        n = end - begin < piece ? end - begin : piece;
        for (int k = 0; k < FO_STATES; k++)
            state[k] = t->state[k] ? t->state[k] + begin * t->itemsize : NULL;
        t->update(n, t->param + begin * t->itemsize, t->grad + begin * t->itemsize, state, h);
        if (t->ema && h->ema >= 0)
            t->kernels->ema(n, t->ema + begin * t->itemsize, t->param + begin * t->itemsize, h->ema);
    }
}

/* Where position `at` cuts a tensor. The elements that an update has beyond whole vectors are then the tensor's last ones for any
 * cut: of a b - c d the compiler contracts one product in the vectors, and maybe the other one beyond them (gcc 12, arm64). */
static ptrdiff_t cut(ptrdiff_t at, ptrdiff_t size)
{
    return at <= 0 ? 0 : at < size ? at / GRAIN * GRAIN : size;
}

static ptrdiff_t chunks_of(const fo_tensor *t)
{
    return (t->size + CHUNK - 1) / CHUNK;
}

/* NaN goes through as in the framework: torch's and the plain factor become NaN with the norm, Keras's for Inf, too; that for each
 * tensor by itself is the plain one in Keras. */
static double clip_factor_of(double norm, const fo_options *options)
{
    const double limit = options->clip_norm;
    if (isinf(limit))
        return 1;
    if (options->clip_rule == FO_CLIP_KERAS && !options->clip_each)
        return isfinite(norm) ? limit * fmin(1 / norm, 1 / limit) : NAN;
    const double factor = limit / (options->clip_rule == FO_CLIP_TORCH ? norm + 1e-6 : norm);
    return factor > 1 ? 1 : factor;
}

static double norm_of(const squares *partial, ptrdiff_t chunks)
{
    double sum = 0;
    for (ptrdiff_t chunk = 0; chunk < chunks; chunk++)
        sum += partial[chunk].clipped;
    return sqrt(sum);
}

static void update_share(const job *j, const fo_team *team, double clip_factor)
{
    const squares *partial = j->options->clip_each ? j->partial : NULL;
    const ptrdiff_t from = fo_share(j->total, team->rank, team->size, 1), to = fo_share(j->total, team->rank + 1, team->size, 1);
    const unsigned control = fo_get_control();
    const fo_hyper *hyper = NULL;
    fo_hyper h = {.step = -1};
    double product = 1;
    ptrdiff_t start = 0;
    for (const fo_tensor *t = j->tensors; t < j->tensors + j->count && start < to; t++) {
        if (!t->grad || t->size == 0)
            continue;
        const ptrdiff_t begin = cut(from - start, t->size), end = cut(to - start, t->size);
        const squares *own = partial;
        start += t->size;
        if (partial)
            partial += chunks_of(t);
        if (begin >= end)
            continue;
        if (t->hyper != hyper || t->step + 1 != h.step || t->mu_product != product || (t->step == t->born) != h.first) {
            hyper = t->hyper;
            product = t->mu_product;
            h = *hyper;
            h.grad_scale = j->options->grad_scale;
            h.clip_value = j->options->clip_value;
            fo_at_step(&h, t->step + 1, t->born, product);
            fo_set_control(h.flush_subnormals ? control | FO_FLUSH : control);
        }
        h.clip_factor = hyper->clip_factor * (own ? clip_factor_of(norm_of(own, chunks_of(t)), j->options) : clip_factor);
        update(t, &h, begin, end);
    }
    fo_set_control(control);
}

static ptrdiff_t chunk_size(const fo_tensor *t, ptrdiff_t begin)
{
    return t->size - begin < CHUNK ? t->size - begin : CHUNK;
}

/* A chunk of the gradient, contiguous: where it lies, or gathered into the buffer. */
static const char *chunk_of(const fo_tensor *t, ptrdiff_t begin, char *buffer)
{
    if (t->direct)
        return t->grad + begin * t->itemsize;
    copy_strided((char *)t->grad, t->layout->grad_stride, t->layout, begin, chunk_size(t, begin), buffer, t->itemsize, false);
    return buffer;
}

/* Through a pointer: gcc's ThreadSanitizer does not see a structure that a function returns being stored. */
static void squares_of_chunk(const fo_tensor *t, ptrdiff_t begin, const fo_options *options, squares *to)
{
    _Alignas(64) char buffer[CHUNK * 8];
    double sums[2];
    t->kernels->sum_of_squares(chunk_size(t, begin), chunk_of(t, begin, buffer), options->grad_scale, options->clip_value, sums);
    *to = (squares){sums[0], sums[1]};
}

/* The first tensor whose gradient is not finite, or -1; a sum may overflow without that (float64 above 1e154). */
static ptrdiff_t find_nonfinite(const job *j)
{
    const squares *partial = j->partial;
    for (const fo_tensor *t = j->tensors; t < j->tensors + j->count; t++)
        for (ptrdiff_t begin = 0; t->grad && begin < t->size; begin += CHUNK, partial++) {
            _Alignas(64) char buffer[CHUNK * 8];
            if (!isfinite(partial->all) &&
                !t->kernels->all_finite(chunk_size(t, begin), chunk_of(t, begin, buffer), j->options->grad_scale))
                return t - j->tensors;
        }
    return -1;
}

static void step(void *context, fo_team *team)
{
    job *j = context;
    double factor = 1;
    if (j->partial) {
        const ptrdiff_t from = fo_share(j->chunks, team->rank, team->size, 1);
        const ptrdiff_t to = fo_share(j->chunks, team->rank + 1, team->size, 1);
        ptrdiff_t chunk = 0;
        for (const fo_tensor *t = j->tensors; t < j->tensors + j->count && chunk < to; t++)
            for (ptrdiff_t begin = 0; t->grad && begin < t->size; begin += CHUNK, chunk++)
                if (chunk >= from && chunk < to)
                    squares_of_chunk(t, begin, j->options, &j->partial[chunk]);
        fo_barrier(team);

        double all = 0;
        for (chunk = 0; chunk < j->chunks; chunk++)
            all += j->partial[chunk].all;
        const double norm = norm_of(j->partial, j->chunks);
        const ptrdiff_t nonfinite = isfinite(all) ? -1 : find_nonfinite(j);
        const bool skipped = nonfinite >= 0 && j->options->skip_nonfinite;
        if (team->rank == 0)
            *j->result = (fo_result){norm, skipped, nonfinite};
        if (skipped)
            return;
        factor = clip_factor_of(norm, j->options);             /* not read where each tensor has its own */
    }
    update_share(j, team, factor);
}

int fo_step(fo_tensor *tensors, ptrdiff_t count, const fo_options *options, fo_result *result)
{
    job j = {.tensors = tensors, .count = count, .options = options, .result = result};
    double bytes = 0;
    for (const fo_tensor *t = tensors; t < tensors + count; t++) {
        if (!t->grad)
            continue;
        int arrays = 3 + (t->ema ? 2 : 0) + (options->want_norm ? 1 : 0);
        for (int k = 0; k < FO_STATES; k++)
            arrays += t->state[k] ? 2 : 0;
        bytes += (double)t->size * t->itemsize * arrays;
        j.total += t->size;
        j.chunks += chunks_of(t);
    }
    *result = (fo_result){NAN, 0, -1};
    if (options->want_norm && !(j.partial = malloc((j.chunks + 1) * sizeof *j.partial)))
        return -1;
    fo_run(fo_team_size(bytes * nanoseconds_per_byte), step, &j);
    free(j.partial);
    if (result->skipped)
        return 0;
    for (fo_tensor *t = tensors; t < tensors + count; t++)
        if (t->grad || options->count_all) {
            t->step += 1;
            t->mu_product *= momentum_at(t->hyper, t->step);
        }
    return 0;
}
