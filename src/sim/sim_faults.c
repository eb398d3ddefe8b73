/* sim_faults.c - what goes wrong in a simulated world, and when. A seed wants each fault with probability 1/4 and says how often
 * chance is asked in vain; each fires a few times at most, so that every run comes to its end.
 *
 * A process that dies keeps running, but nothing of it reaches the disk any more and it is told to end: what it does from then on
 * is what it never did. So its memory is given back in order, which a leak would show. */
#include "sim/world.h"

#include <string.h>

enum { WANTED_ONE_IN = 4, FIRES_MAX = 3, FULL_NS = 50000000, LOOKS_MAX = 20000, PASSES_MAX = 5 };

static const char *const names[SIM_FAULT_COUNT] = {"task-fails", "process-dies", "power-fails", "write-fails",
                                                   "disk-full",  "unknown",      "bit-flips",   "crashes",
                                                   "rescales"};

const char *sim_fault_name(enum sim_fault f) { return names[f]; }

static void choose_crash(struct sim_faults *f, struct prng *p)
{
    f->crash_at = (enum sys_crash_point)(1 + prng_below(p, CRASH_POINT_COUNT - 1));
    f->crash_passes = f->crash_at >= CRASH_C20 ? 1 : 1 + (uint32_t)prng_below(p, PASSES_MAX); /* those come seldom */
}

/* They begin when the world is as the job expects it. */
void sim_faults_choose(struct sim_world *w, struct prng *p)
{
    static const uint64_t often[] = {3, 10, 30, 100};
    struct sim_faults *f = &w->faults;

    w->looks_max = LOOKS_MAX; /* pauses between attempts are long */
    f->one_in = often[prng_below(p, COUNT_OF(often))];
    bool any = false;
    for (uint32_t i = 0; i < SIM_RESCALES; i++) any |= f->wants[i] = prng_below(p, WANTED_ONE_IN) == 0;
    choose_crash(f, p);
    if (!any) f->wants[prng_below(p, SIM_BIT_FLIPS)] = true; /* bits flip where another fault has ended a process */
}

void sim_faults_none(struct sim_world *w)
{
    w->looks_max = LOOKS_MAX;
    w->faults.one_in = 1;
}

bool sim_fault_fires(struct sim_world *w, enum sim_fault which, uint64_t times)
{
    struct sim_faults *f = &w->faults;

    if (!f->is_on || f->is_dead || !f->wants[which] || f->fired[which] == FIRES_MAX) return false;
    if (prng_below(&w->prng, f->one_in * times) != 0) return false;
    f->fired[which]++;
    sim_trace(w, which + UINT64_C(2000));
    return true;
}

static void die(struct sim_world *w, bool is_power)
{
    w->faults.is_dead = true;
    w->faults.is_power = is_power;
    w->signal = SYS_SIGNAL_TERM;
}

void sim_crash_point(struct sys *s, uint32_t at)
{
    struct sim_world *w = (struct sim_world *)s;
    struct sim_faults *f = &w->faults;

    if (!f->is_on || f->is_dead || !f->wants[SIM_CRASHES] || f->fired[SIM_CRASHES] == FIRES_MAX) return;
    if (f->crash_at != at || --f->crash_passes > 0) return;
    f->fired[SIM_CRASHES]++;
    f->crashed[at]++;
    sim_trace(w, at + UINT64_C(3000));
    die(w, prng_below(&w->prng, 2) == 0);
    choose_crash(f, &w->prng);
}

/* Does the process die here? */
static bool dies(struct sim_world *w, uint64_t times)
{
    if (sim_fault_fires(w, SIM_PROCESS_DIES, times))
        die(w, false);
    else if (sim_fault_fires(w, SIM_POWER_FAILS, times))
        die(w, true);
    return w->faults.is_dead;
}

bool sim_task_fails(struct sys *s)
{
    struct sim_world *w = (struct sim_world *)s;

    (void)dies(w, 50);
    return sim_fault_fires(w, SIM_TASK_FAILS, 20);
}

enum status sim_disk_works(struct sim_world *w, const char *path, struct err *e)
{
    struct sim_faults *f = &w->faults;

    if (!f->is_on) return S_OK;
    if (dies(w, 2)) return err_set(e, E_IO, "cannot write '%s': the process has died", path);
    if (f->full_until_ns > w->now_ns || sim_fault_fires(w, SIM_DISK_FULL, 3)) {
        if (f->full_until_ns <= w->now_ns) f->full_until_ns = w->now_ns + 1 + (int64_t)prng_below(&w->prng, FULL_NS);
        return err_set(e, E_IO, "cannot write '%s': No space left on device", path);
    }
    if (sim_fault_fires(w, SIM_WRITE_FAILS, 3)) return err_set(e, E_IO, "cannot write '%s': Input/output error", path);
    return S_OK;
}

enum status sim_folder_works(struct sim_world *w, const char *path, struct err *e)
{
    struct sim_faults *f = &w->faults;

    if (!f->is_on) return S_OK;
    if (dies(w, 2)) return err_set(e, E_IO, "cannot sync '%s': the process has died", path);
    if (sim_fault_fires(w, SIM_UNKNOWN, 2)) return err_set(e, E_IO, "cannot sync '%s': Input/output error", path);
    return S_OK;
}

bool sim_life_ended(struct sim_world *w)
{
    if (!w->faults.is_dead) return false;
    if (w->faults.is_power) sim_disk_lose(w);
    w->faults.is_dead = w->faults.is_power = false;
    w->faults.full_until_ns = 0;
    w->signal = SYS_SIGNAL_NONE;
    w->idle_rounds = 0;
    choose_crash(&w->faults, &w->prng);
    if (prng_below(&w->prng, 3) == 0) { /* the next process restores something */
        w->faults.crash_at = prng_below(&w->prng, 2) == 0 ? CRASH_C23 : CRASH_C24;
        w->faults.crash_passes = 1;
    }
    return true;
}
