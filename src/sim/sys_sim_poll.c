/* sys_sim_poll.c - readiness in the simulated world: a set looks at its files one by one, and a thread that waits is woken
 * whenever any socket of the world changed; then it looks again. Files and standard streams are always ready. */
#include "sim/world.h"

struct watched {
    struct watched *next;
    struct sys_file *file;
    uint32_t events;
    void *arg;
};

struct sys_poll {
    struct sys_poll *next;
    struct sys_parker *parker;
    struct watched *files; /* oldest first */
    bool is_woken;
};

static struct sim_world *world_of(struct sys *s) { return (struct sim_world *)s; }

enum status sim_poll_create(struct sys *s, struct sys_poll **out, struct err *e)
{
    struct sim_world *w = world_of(s);

    (void)e;
    *out = mem_zalloc(&w->mem, sizeof **out);
    (*out)->parker = sys_parker_create(s);
    (*out)->next = w->polls;
    w->polls = *out;
    return S_OK;
}

void sim_poll_free(struct sys *s, struct sys_poll *p)
{
    struct sim_world *w = world_of(s);
    struct sys_poll **at = &w->polls;

    while (*at != p) at = &(*at)->next;
    *at = p->next;
    while (p->files != NULL) sim_poll_remove(s, p, p->files->file);
    sys_parker_free(s, p->parker);
    mem_free(&w->mem, p);
}

static struct watched **place_of(struct sys_poll *p, const struct sys_file *f)
{
    struct watched **at = &p->files;

    while (*at != NULL && (*at)->file != f) at = &(*at)->next;
    return at;
}

enum status sim_poll_set(struct sys *s, struct sys_poll *p, struct sys_file *f, uint32_t events, void *arg,
                         struct err *e)
{
    struct watched **at = place_of(p, f);

    (void)e;
    ASSERT(arg != NULL);
    if (*at == NULL) {
        *at = mem_zalloc(&world_of(s)->mem, sizeof **at);
        (*at)->file = f;
    }
    (*at)->events = events;
    (*at)->arg = arg;
    sys_unpark(s, p->parker);
    return S_OK;
}

void sim_poll_remove(struct sys *s, struct sys_poll *p, struct sys_file *f)
{
    struct watched **at = place_of(p, f), *gone = *at;

    if (gone == NULL) return;
    *at = gone->next;
    mem_free(&world_of(s)->mem, gone);
}

static uint32_t ready_now(const struct watched *f)
{
    uint32_t is = f->file->socket != NULL ? sim_socket_ready(f->file->socket) : SYS_READY_READ | SYS_READY_WRITE;

    return f->events & is & ~(uint32_t)SYS_READY_ONCE;
}

static uint32_t look(struct sys_poll *p, struct sys_poll_event *events, uint32_t max)
{
    uint32_t count = 0;

    for (struct watched *f = p->files; f != NULL && count < max; f = f->next) {
        uint32_t ready = ready_now(f);
        if (ready == 0) continue;
        events[count++] = (struct sys_poll_event){f->arg, ready};
        if ((f->events & SYS_READY_ONCE) != 0) f->events = 0;
    }
    return count;
}

enum status sim_poll_wait(struct sys *s, struct sys_poll *p, int64_t timeout_ns, struct sys_poll_event *events,
                          uint32_t max, uint32_t *count, struct err *e)
{
    (void)e;
    *count = look(p, events, max);
    if (*count == 0 && !p->is_woken && timeout_ns > 0) {
        sys_park(s, p->parker, timeout_ns);
        *count = look(p, events, max);
    }
    p->is_woken = false;
    return S_OK;
}

void sim_poll_wake(struct sys *s, struct sys_poll *p)
{
    p->is_woken = true;
    sys_unpark(s, p->parker);
}

void sim_poll_changed(struct sim_world *w)
{
    for (struct sys_poll *p = w->polls; p != NULL; p = p->next) sys_unpark(&w->sys, p->parker);
}
