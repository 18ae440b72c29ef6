/* team.h -- threads as a kernel sees them: its rank in the team, its share of the work, the barrier.
 *
 * fo_run opens the one parallel region of a public call and runs the task once in every thread that came; the barrier
 * counts those, not the ones asked for. */
#ifndef FO_TEAM_H
#define FO_TEAM_H
#include <sched.h>
#include <stddef.h>

typedef struct {
    int rank, size;
    long *arrivals;                                            /* of all threads at all barriers of this region so far */
    long expected;                                             /* what arrivals must reach before this thread goes on */
} fo_team;

typedef void fo_task(void *context, fo_team *team);
void fo_run(int size, fo_task *task, void *context);

/* Where the share of this rank begins, in multiples of `grain`; the share of rank ends where that of rank + 1 begins. */
static inline ptrdiff_t fo_share(ptrdiff_t total, int rank, int size, ptrdiff_t grain)
{
    const ptrdiff_t grains = (total + grain - 1) / grain, begin = grains / size * rank + grains % size * rank / size;
    return begin * grain < total ? begin * grain : total;
}

/* The floating-point control word of this thread, and the bits that make results and operands below the smallest normal
 * number count as zero. */
#if defined(__x86_64__)
enum { FO_FLUSH = 0x8040 };
static inline unsigned fo_get_control(void) { return __builtin_ia32_stmxcsr(); }
static inline void fo_set_control(unsigned control) { __builtin_ia32_ldmxcsr(control); }
#elif defined(__aarch64__)
enum { FO_FLUSH = 1 << 24 };
static inline unsigned fo_get_control(void)
{
    unsigned long control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return (unsigned)control;
}
static inline void fo_set_control(unsigned control) { __asm__ volatile("msr fpcr, %0" : : "r"((unsigned long)control)); }
#else
enum { FO_FLUSH = 0 };
static inline unsigned fo_get_control(void) { return 0; }
static inline void fo_set_control(unsigned control) { (void)control; }
#endif

static inline void fo_barrier(fo_team *team)
{
    if (team->size == 1)
        return;
    team->expected += team->size;
    __atomic_add_fetch(team->arrivals, 1, __ATOMIC_ACQ_REL);
    for (long spins = 0; __atomic_load_n(team->arrivals, __ATOMIC_ACQUIRE) < team->expected; spins++) {
        if (spins > 4000)
            sched_yield();                                     /* more threads than cores: let the late one run */
#if defined(__x86_64__)
        else
            __builtin_ia32_pause();
#endif
    }
}
#endif
