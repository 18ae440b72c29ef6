/* embedding.c -- rows of a matrix by number, and the gradient of the matrix: each row of dy added to the row that it came from. */

enum { EMBEDDING_AHEAD = 8, EMBEDDING_PAIR = 128 };            /* rows between that added to and that fetched; bytes of two lines */

static void gather_task(void *context, fo_team *team)
{
    const fo_embedding *e = context;
    const ptrdiff_t columns = e->columns, end = fo_share(e->count, team->rank + 1, team->size, 1);
    const real *restrict embeddings = e->embeddings;
    real *restrict y = e->y;
    for (ptrdiff_t i = fo_share(e->count, team->rank, team->size, 1); i < end; i++)
        memcpy(y + i * columns, embeddings + e->indices[i] * columns, columns * sizeof(real));
}

static ptrdiff_t embedding_forward(const fo_embedding *e)
{
    const ptrdiff_t outside = first_outside(e->count, e->indices, e->vocabulary);
    if (outside < 0)
        fo_run(fo_team_size(4.0 * e->count + 0.3 * e->count * e->columns), gather_task, (void *)e);
    return outside;
}

/* The column where the pair of cache lines of row[column] begins. */
FO_INLINE ptrdiff_t line_begins(const real *row, ptrdiff_t column)
{
    const ptrdiff_t back = (uintptr_t)(row + column) % EMBEDDING_PAIR / sizeof(real);
    return column < back ? 0 : column - back;
}

/* Adds row i of dy to row target[i] of the sum, i ascending, in the columns of this thread: whole pairs of cache lines, wherever
 * the row begins. A line that two threads add to travels between their cores at every row, and everything takes four times as
 * long; lines are fetched in pairs, and cut inside a pair it takes half as long again. */
static void scatter_rows(ptrdiff_t count, ptrdiff_t columns, const real *restrict dy, const int64_t *restrict target,
                         real *restrict sum, const fo_team *team)
{
    const ptrdiff_t first = fo_share(columns, team->rank, team->size, 1), last = fo_share(columns, team->rank + 1, team->size, 1);
    for (ptrdiff_t i = 0; i < count; i++) {
        const real *restrict from = dy + i * columns;
        real *restrict to = sum + target[i] * columns;
        const ptrdiff_t begin = line_begins(to, first), end = last == columns ? columns : line_begins(to, last);
        if (i + EMBEDDING_AHEAD < count)
            for (ptrdiff_t c = begin; c < end; c += 64 / sizeof(real))
                __builtin_prefetch(sum + target[i + EMBEDDING_AHEAD] * columns + c, 1);
        for (ptrdiff_t c = begin; c < end; c++)
            to[c] += from[c];
    }
}

/* A thread owns columns, not rows of the matrix: frequent indices would leave the others idle. */
static void scatter_task(void *context, fo_team *team)
{
    const fo_embedding *e = context;
    if (!e->accumulate) {
        const ptrdiff_t size = e->vocabulary * e->columns, begin = fo_share(size, team->rank, team->size, 16);
        memset((real *)e->dembeddings + begin, 0, (fo_share(size, team->rank + 1, team->size, 16) - begin) * sizeof(real));
        fo_barrier(team);
    }
    scatter_rows(e->count, e->columns, e->dy, e->indices, e->dembeddings, team);
}

/* A row-sparse gradient is the same sum with fewer rows: number the distinct indices in the order in which they come, pass those
 * numbers to scatter_rows as targets, and zero as many rows as there are; the distinct indices go with them. */
static ptrdiff_t embedding_backward(const fo_embedding *e)
{
    const ptrdiff_t outside = first_outside(e->count, e->indices, e->vocabulary);
    if (outside < 0)
        fo_run(fo_team_size(4.0 * e->count + 0.3 * e->count * e->columns + (e->accumulate ? 0 : 0.1 * e->vocabulary * e->columns)),
               scatter_task, (void *)e);
    return outside;
}
