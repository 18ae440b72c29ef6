/* dispatch.c -- which table of kernels runs on this CPU. One row a target, best first; the last runs everywhere. */
#include "fastopt.h"
#include <string.h>

extern const fo_kernels fo_baseline_32, fo_baseline_64;

static bool always(void)
{
    return true;
}

#if defined(__x86_64__)
extern const fo_kernels fo_avx2_32, fo_avx2_64, fo_avx512_32, fo_avx512_64;

/* libgcc's and compiler-rt's tests look at what the operating system saves, too */
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

static const struct {
    bool (*runs)(void);
    const fo_kernels *single, *twice;
} targets[] = {
#if defined(__x86_64__)
    {has_avx512, &fo_avx512_32, &fo_avx512_64},
    {has_avx2, &fo_avx2_32, &fo_avx2_64},
#endif
    {always, &fo_baseline_32, &fo_baseline_64},
};
enum { TARGETS = sizeof targets / sizeof *targets };

const char *fo_isa_name(int i)
{
    for (int k = 0; k < TARGETS; k++)
        if (targets[k].runs() && i-- == 0)
            return targets[k].single->isa;
    return NULL;
}

const fo_kernels *fo_select(const char *isa, int bits)
{
    for (int k = 0; k < TARGETS; k++)
        if (targets[k].runs() && strcmp(isa, targets[k].single->isa) == 0)
            return bits == 32 ? targets[k].single : targets[k].twice;
    return NULL;
}

fo_update *fo_find_update(const fo_kernels *kernels, const char *name)
{
    for (const fo_optimizer *row = kernels->optimizers; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row->update;
    return NULL;
}

fo_loss_value *fo_find_loss(const fo_kernels *kernels, const char *name)
{
    for (const fo_loss_row *row = kernels->losses; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row->value;
    return NULL;
}
