/* team.c -- the only file with OpenMP: how many threads, when they pay, and the region they run in. */
#define _POSIX_C_SOURCE 200809L
#include "team.h"
#include "fastopt.h"
#include <math.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>
#endif

static int default_threads = 1, chosen_threads;                /* chosen: 0 where the user did not say */
static int forced;                                             /* tests: cut even the smallest work */
static int in_forked_child;
static double region_nanoseconds, barrier_nanoseconds;

bool fo_has_openmp(void)
{
#ifdef _OPENMP
    return true;
#else
    return false;
#endif
}

#ifdef _OPENMP
/* libgomp's threads do not survive fork: the next region would wait for them for ever. Whether somebody else has started
 * them (a library that shares our libgomp) cannot be asked, so every child stays serial. */
static void after_fork_in_child(void)
{
    in_forked_child = 1;
}
#endif

int fo_init_threads(int threads)
{
    default_threads = threads;
#ifdef _OPENMP
    return pthread_atfork(NULL, NULL, after_fork_in_child);
#else
    return 0;
#endif
}

void fo_set_num_threads(int n)
{
    __atomic_store_n(&chosen_threads, n, __ATOMIC_RELAXED);
}

int fo_chosen_num_threads(void)
{
    return __atomic_load_n(&chosen_threads, __ATOMIC_RELAXED);
}

int fo_get_num_threads(void)
{
#ifdef _OPENMP
    const int chosen = fo_chosen_num_threads();
    if (chosen > 0)
        return chosen;
    const int openmp = omp_get_max_threads();                  /* threadpoolctl and joblib limit us through this */
    return openmp < default_threads ? openmp : default_threads;
#else
    return 1;
#endif
}

/* Workers compute under the caller's rounding mode and treatment of subnormals, and get their own back. */
void fo_run(int size, fo_task *task, void *context)
{
    long arrivals = 0;
#ifdef _OPENMP
    if (size > 1 && !in_forked_child) {
        const unsigned control = fo_get_control();
#pragma omp parallel num_threads(size)
        {
            const unsigned own = fo_get_control();
            fo_team team = {omp_get_thread_num(), omp_get_num_threads(), &arrivals, 0};
            fo_set_control(control);
            task(context, &team);
            fo_set_control(own);
        }
        return;
    }
#endif
    (void)size;
    fo_team team = {0, 1, &arrivals, 0};
    task(context, &team);
}

static double nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static void nothing(void *context, fo_team *team)
{
    (void)context;
    (void)team;
}

enum { MEETINGS = 10 };

static void meet(void *context, fo_team *team)
{
    (void)context;
    for (int i = 0; i < MEETINGS; i++)
        fo_barrier(team);
}

/* The lower quartile of several regions, the first ones not counted: they start the threads. No more of them than fit into two
 * milliseconds: with more threads than processors each takes long. */
static double quartile(int size, fo_task *task)
{
    enum { WARM = 5, RUNS = 15 };
    const double limit = nanoseconds() + 2e6;
    double runs[RUNS];
    int count = 0;
    for (int i = -WARM; count == 0 || (count < RUNS && nanoseconds() < limit); i++) {
        const double begin = nanoseconds();
        fo_run(size, task, NULL);
        double took = nanoseconds() - begin;
        if (i < 0 && begin < limit)
            continue;
        for (int j = 0; j < count; j++)                        /* insertion, in order */
            if (runs[j] > took) {
                const double larger = runs[j];
                runs[j] = took;
                took = larger;
            }
        runs[count++] = took;
    }
    return runs[count / 4];
}

/* What is measured is kept within bounds, so that a machine busy at this moment does not decide for the life of the process. */
static const double longest = 20000;

double fo_region_nanoseconds(void)
{
    double known;
    __atomic_load(&region_nanoseconds, &known, __ATOMIC_RELAXED);
    if (known > 0)
        return known;
    const int size = fo_get_num_threads();
    if (size == 1 || in_forked_child)
        return 0;                                              /* nothing to measure now */
    known = fmin(fmax(quartile(size, nothing), 500), longest);
    __atomic_store(&region_nanoseconds, &known, __ATOMIC_RELAXED);
    return known;
}

/* Threads that come to a barrier from work wait longer than those that come from the last one: hence the lower bound. */
double fo_barrier_nanoseconds(void)
{
    double known;
    if (__atomic_load_n(&forced, __ATOMIC_RELAXED))
        return 0;
    __atomic_load(&barrier_nanoseconds, &known, __ATOMIC_RELAXED);
    const double region = known > 0 ? 0 : fo_region_nanoseconds();
    if (known > 0 || region == 0)
        return known;
    known = region < longest ? fmin(fmax((quartile(fo_get_num_threads(), meet) - region) / MEETINGS, 150), longest) : longest;
    __atomic_store(&barrier_nanoseconds, &known, __ATOMIC_RELAXED);
    return known;
}

void fo_force_threads(int always)
{
    __atomic_store_n(&forced, always, __ATOMIC_RELAXED);
}

int fo_team_size(double work)
{
#ifdef _OPENMP
    /* below this a region saves a few microseconds at best, and the worker that spins after it takes a core from NumPy's BLAS */
    const double least = 15000;
    const bool force = __atomic_load_n(&forced, __ATOMIC_RELAXED);
    if ((work < least && !force) || in_forked_child || omp_in_parallel())
        return 1;
    const int size = fo_get_num_threads();
    return force || (size > 1 && work > 4 * fo_region_nanoseconds() * size / (size - 1)) ? size : 1;
#else
    (void)work;
    return 1;
#endif
}
