/* layer.c -- a recurrent layer over its sequences, forward and backward, in one parallel region each.
 *
 * Forward: one product for the inputs of all steps (small inference: step by step), then the steps. Backward: the steps from
 * last to first, then one product over all tokens for each of dkernel, drecurrent_kernel and dx. Threads have sequences of
 * their own and never wait for each other between the products; where there are too few sequences they share the units, and
 * meet at a barrier each step. Every sum is the same chains in either case, chosen by the sizes alone, so that the results
 * have the same bits. */

#include "weights.h"
#include "call.h"
#include "cell.h"
#include "rnn.h"
#include "lstm.h"
#include "gru.h"
#include "memory.h"
#include "forward.h"
#include "backward.h"
#include "products.h"

/* What a vector of a step's elementwise work takes beside its product, roughly, in nanoseconds. */
static const double cell_nanoseconds[] = {[FO_RNN] = 12, [FO_LSTM] = 45, [FO_GRU] = 30, [FO_GRU_BEFORE] = 35};

typedef struct {
    recurrent n;
    row *rows;                                                 /* `batch` of them for each thread */
} recurrent_job;

/* Copies of what the steps read, padded and packed; the tokens of sequences side by side. */
static void prepare_forward(recurrent *n, const fo_team *team)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t units = n->units, width = l->units, columns = l->gates * width, inputs = l->inputs;
    const ptrdiff_t row = fo_share(l->batch, team->rank, team->size, 1), end = fo_share(l->batch, team->rank + 1, team->size, 1);
    for (ptrdiff_t r = row; n->own_x && r < end; r++)
        memcpy(n->own_x + n->offset[r] * inputs, (const real *)l->x + n->order[r] * l->steps * inputs,
               n->length[r] * inputs * sizeof(real));
    const ptrdiff_t slots = fo_share(n->tokens * n->slots, team->rank + 1, team->size, 1);
    for (ptrdiff_t s = fo_share(n->tokens * n->slots, team->rank, team->size, 1); units > width && !n->fused && s < slots; s++)
        memset(n->gates + s * units + width, 0, (units - width) * sizeof(real));
    if (team->rank == 0) {
        const real *bias = l->bias, *peepholes = l->peepholes;
        for (ptrdiff_t j = 0; n->start && j < columns; j++)
            n->start[j] = j < 2 * width ? bias[j] + bias[columns + j] : bias[j];
        for (ptrdiff_t j = 0; n->recurrent_bias && j < units; j++)
            n->recurrent_bias[j] = j < width ? bias[columns + 2 * width + j] : 0;
        for (ptrdiff_t j = 0; peepholes && j < 3 * units; j++)
            n->peepholes[j] = j % units < width ? peepholes[j / units * width + j % units] : 0;
        if (n->input_start.packed)
            pack_step(&n->input_start, n->start ? n->start : bias, 0, 1, width, width, &(fo_team){.size = 1});
    }
    if (n->fused)
        pack_step(&n->input, l->kernel, columns, 1, width, width, team);
    pack_step(&n->recurrent[0], l->recurrent_kernel, columns, 1, width, width, team);
    if (l->cell == FO_GRU_BEFORE)
        pack_step(&n->recurrent[1], (const real *)l->recurrent_kernel + 2 * width, columns, 1, width, width, team);
    if (l->projection)
        pack_step(&n->projection, l->projection, l->outputs, 1, 0, l->outputs, team);
}

static void forward_recurrent_task(void *context, fo_team *team)
{
    recurrent_job *job = context;
    recurrent *n = &job->n;
    prepare_forward(n, team);
    fo_barrier(team);
    if (!n->fused) {
        input_products(n, team);
        fo_barrier(team);
    }
    forward_steps(n, team, job->rows + team->rank * n->l.batch);
}

static void backward_recurrent_task(void *context, fo_team *team)
{
    recurrent_job *job = context;
    recurrent *n = &job->n;
    const fo_recurrent *l = &n->l;
    pack_step_transposed(&n->recurrent[0], l->recurrent_kernel, l->gates * l->units, l->units, l->outputs, l->gates, n->units,
                         team);
    if (l->projection)
        pack_step_transposed(&n->projection, l->projection, l->outputs, l->outputs, l->units, 1, n->outputs, team);
    fo_barrier(team);
    backward_steps(n, team, job->rows + team->rank * l->batch);
    fo_barrier(team);
    weight_gradients(n, team);
    if (l->dx)
        input_gradient(n, team);
}

/* What a step takes in one thread, roughly: few rows wait for weights that come from a farther cache, and the cell of one vector
 * alone takes as long as two. */
static double step_nanoseconds(const recurrent *n, ptrdiff_t rows, ptrdiff_t vectors)
{
    const double weights = (double)n->l.outputs * n->l.gates * vectors, bytes = weights * sizeof(vreal);
    const double least = bytes > 786432 ? 4 : bytes > 24576 ? 1.5 : 1;
    return 0.33 * weights * (rows > least ? rows : least) + (rows * vectors < 2 ? 2 : rows * vectors) * cell_nanoseconds[n->l.cell];
}

/* Runs a pass with as many products over all tokens as `products_over_tokens`, each about as large as that of the inputs. Threads
 * share the units of all rows, rather than the rows, where these are too few to keep each of them busy. */
static int run_recurrent(recurrent_job *job, fo_task *task, double products_over_tokens)
{
    recurrent *n = &job->n;
    const fo_recurrent *l = &n->l;
    step_weights *const w = &n->recurrent[0];
    const ptrdiff_t vectors = n->units / LANES, busy = l->batch * (n->longest > 0);
    const double steps = busy ? step_nanoseconds(n, busy, vectors) * n->tokens / busy : 0;
    const double products = products_over_tokens * gemm_nanoseconds(n->tokens, l->gates * l->units, l->inputs);
    int size = fo_team_size(steps + products);
    if (size > 1 && vectors > 1 && l->cell != FO_GRU_BEFORE && !l->projection && !n->fused) {
        w->wide = block_width(l->batch, w->gates, (vectors + size - 1) / size);
        const ptrdiff_t blocks = (vectors + w->wide - 1) / w->wide, most = (blocks + size - 1) / size * w->wide;
        n->split_units = step_nanoseconds(n, l->batch, most) + fo_barrier_nanoseconds() <
                         step_nanoseconds(n, (l->batch + size - 1) / size, vectors);
    }
    if (!n->split_units)
        w->wide = block_width(l->batch, w->gates, w->vectors);
    if (l->batch == 1 && !n->split_units)
        size = fo_team_size(products);                         /* one row alone keeps one thread busy */
    job->rows = malloc((size * l->batch + 1) * sizeof(row));
    if (!job->rows)
        return -1;
    fo_run(size, task, job);
    free(job->rows);
    return -n->failed;
}

static size_t recurrent_size(const fo_recurrent *l)
{
    recurrent n = measure(l);
    return lay_out(&n, NULL, true);
}

static int recurrent_forward(const fo_recurrent *l)
{
    recurrent_job job = {.n = measure(l)};
    lay_out(&job.n, l->memory, false);
    job.n.x = job.n.own_x ? job.n.own_x : l->x;
    return order_sequences(&job.n) ? -1 : run_recurrent(&job, forward_recurrent_task, 1);
}

static int recurrent_backward(const fo_recurrent *l)
{
    recurrent_job job = {.n = measure(l)};
    lay_out(&job.n, l->memory, true);
    job.n.x = job.n.ragged ? job.n.own_x : l->x;
    return run_recurrent(&job, backward_recurrent_task, 3);
}
