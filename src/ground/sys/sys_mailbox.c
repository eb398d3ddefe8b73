/* sys_mailbox.c - messages from any thread to one owner: a list under a mutex, and the owner's parker. The same code
 * serves both worlds, because waiting goes through sys_park. */
#include "ground/sys/sys.h"

#include <pthread.h>

struct message {
    struct message *next;
    void *body;
};

struct sys_mailbox {
    pthread_mutex_t lock;
    struct mem mem;
    struct message *first, *last, *spare;
    struct sys_parker *parker;
};

struct sys_mailbox *sys_mailbox_create(struct sys *s)
{
    struct mem mem;
    mem_init(&mem, "mailbox", 0);
    struct sys_mailbox *m = mem_zalloc(&mem, sizeof *m);
    int failed = pthread_mutex_init(&m->lock, NULL);

    ASSERT(failed == 0);
    mem_init(&m->mem, "mailbox", 0);
    mem_move(&mem, &m->mem);
    m->parker = sys_parker_create(s);
    return m;
}

void sys_mailbox_free(struct sys *s, struct sys_mailbox *m)
{
    struct mem mem;

    if (m == NULL) return;
    sys_parker_free(s, m->parker);
    pthread_mutex_destroy(&m->lock);
    mem_init(&mem, "mailbox", 0);
    mem_move(&m->mem, &mem);
    mem_release(&mem);
}

void sys_mailbox_send(struct sys *s, struct sys_mailbox *m, void *body)
{
    ASSERT(body != NULL);
    pthread_mutex_lock(&m->lock);
    struct message *one = m->spare;
    if (one != NULL) m->spare = one->next;
    else one = mem_alloc(&m->mem, sizeof *one);
    *one = (struct message){.body = body};
    if (m->last != NULL) m->last->next = one;
    else m->first = one;
    m->last = one;
    pthread_mutex_unlock(&m->lock);
    sys_unpark(s, m->parker);
}

static void *take_now(struct sys_mailbox *m)
{
    void *body = NULL;

    pthread_mutex_lock(&m->lock);
    struct message *one = m->first;
    if (one != NULL) {
        body = one->body;
        m->first = one->next;
        if (m->first == NULL) m->last = NULL;
        one->next = m->spare;
        m->spare = one;
    }
    pthread_mutex_unlock(&m->lock);
    return body;
}

void *sys_mailbox_take(struct sys *s, struct sys_mailbox *m, int64_t timeout_ns)
{
    int64_t deadline = timeout_ns == INT64_MAX ? INT64_MAX : sys_mono_ns(s) + timeout_ns;

    for (;;) {
        void *body = take_now(m);
        int64_t left = deadline == INT64_MAX ? INT64_MAX : deadline - sys_mono_ns(s);
        if (body != NULL || left <= 0) return body;
        sys_park(s, m->parker, left);
    }
}
