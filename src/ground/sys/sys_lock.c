/* sys_lock.c - a mutex with an owner's discipline: taken for a few dozen instructions on the control plane, never held
 * while waiting for anything. The same code serves both worlds: fibers of the simulation do not yield inside. */
#include "ground/sys/sys.h"

#include <pthread.h>

struct sys_lock {
    pthread_mutex_t mutex;
    struct mem mem;
};

struct sys_lock *sys_lock_create(struct sys *s)
{
    struct mem mem;
    mem_init(&mem, "lock", 0);
    struct sys_lock *l = mem_zalloc(&mem, sizeof *l);
    int failed = pthread_mutex_init(&l->mutex, NULL);

    (void)s;
    ASSERT(failed == 0);
    mem_init(&l->mem, "lock", 0);
    mem_move(&mem, &l->mem);
    return l;
}

void sys_lock_free(struct sys *s, struct sys_lock *l)
{
    struct mem mem;

    (void)s;
    if (l == NULL) return;
    pthread_mutex_destroy(&l->mutex);
    mem_init(&mem, "lock", 0);
    mem_move(&l->mem, &mem);
    mem_release(&mem);
}

void sys_lock_take(struct sys_lock *l)
{
    int failed = pthread_mutex_lock(&l->mutex);

    ASSERT(failed == 0);
}

void sys_lock_give(struct sys_lock *l)
{
    int failed = pthread_mutex_unlock(&l->mutex);

    ASSERT(failed == 0);
}
