/* pool_ahead.c - see pool_ahead.h.
 *
 * The idea: the kernel clears each page that is touched for the first time, which is a fifth of the time of a restore. So the regions that
 * will be needed are asked for at once, and a thread has the kernel make them ready, a few ahead of the one that is filled. It writes nothing
 * into them, so it does not matter who comes first.
 *
 * Not here: what lies in regions (pool.c). */
#include "flow/state/pool_ahead.h"

#include "ground/sys/sys_memory.h"

enum { REGIONS_AHEAD = 8, PIECE = 2 * 1024 * 1024 };

struct pool_ahead {
    struct sys *sys;
    struct sys_thread *thread;
    struct sys_parker *parker;
    struct sys_atomic_u64 taken, stops;
    uint32_t count;
    char *regions[];
};

/* False: nobody wants it any more. */
static bool region_populate(const struct pool_ahead *a, char *region)
{
    for (uint32_t at = 0; at < POOL_AHEAD_REGION; at += PIECE) {
        if (sys_atomic_load(&a->stops) != 0) return false;
        sys_memory_populate(region + at, PIECE);
    }
    return true;
}

static void ahead_main(void *arg)
{
    struct pool_ahead *a = arg;

    for (uint32_t i = 0; i < a->count; i++) {
        while (i >= sys_atomic_load(&a->taken) + REGIONS_AHEAD && sys_atomic_load(&a->stops) == 0) sys_park(a->sys, a->parker, INT64_MAX);
        if (!region_populate(a, a->regions[i])) return;
    }
}

void pool_ahead_start(struct state_pool *p, struct sys *sys, size_t bytes)
{
    uint32_t count = (uint32_t)(MIN(bytes, pool_room(p)) / POOL_AHEAD_REGION);

    if (sys == NULL || p->ahead != NULL || p->mem->limit != 0 || bytes < POOL_AHEAD_FROM) return;
    struct pool_ahead *a = mem_zalloc(p->mem, sizeof *a + count * sizeof *a->regions);
    a->sys = sys;
    a->count = count;
    for (uint32_t i = 0; i < count; i++) a->regions[i] = mem_pages(p->mem, POOL_AHEAD_REGION);
    a->parker = sys_parker_create(sys);
    p->ahead = a;
    if (sys_thread_start(sys, "memory-ahead", ahead_main, a, &a->thread, NULL) != S_OK) pool_ahead_stop(p);
}

char *pool_ahead_take(struct state_pool *p)
{
    struct pool_ahead *a = p->ahead;
    uint64_t at = a != NULL ? sys_atomic_load(&a->taken) : 0;

    if (a == NULL || at == a->count) return NULL;
    sys_atomic_store(&a->taken, at + 1);
    sys_unpark(a->sys, a->parker);
    return a->regions[at];
}

void pool_ahead_stop(struct state_pool *p)
{
    struct pool_ahead *a = p->ahead;

    if (a == NULL) return;
    sys_atomic_store(&a->stops, 1);
    sys_unpark(a->sys, a->parker);
    if (a->thread != NULL) sys_thread_join(a->sys, a->thread);
    sys_parker_free(a->sys, a->parker);
    for (uint64_t i = sys_atomic_load(&a->taken); i < a->count; i++) mem_free(p->mem, a->regions[i]);
    mem_free(p->mem, a);
    p->ahead = NULL;
}
