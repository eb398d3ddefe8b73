/* loop.c - one thread's turn: wait, then call what was posted, what is ready, what is due.
 *
 * A turn calls the posts that stood there when it began and the timers that were due then: whoever posts or sets a timer
 * from a callback is called in the next turn, so nobody starves the others. A turn gives each ready file one call.
 *
 * Watches and timers are records of a free list each, so that they keep their address and steady state allocates nothing.
 * A watch that goes while events wait in `events` is crossed out there: its record may be someone else's before they are
 * through. A timer that is canceled stays in the queue, marked, until its time comes or half of the queue is such: then
 * the queue is made anew.
 *
 * The lock guards the posts and the free list of watches, which other threads touch; it is never held during a call. */
#include "ground/net/loop.h"

#include "ground/base/pqueue.h"

enum { WATCHES = 4096, TIMERS = 65536, POSTS = 4096, EVENTS = 64, SWEEP_MIN = 64 };

struct loop_watch {
    struct loop_watch *next; /* while it is free */
    struct sys_file *file;
    loop_ready_fn fn;
    void *arg;
};

struct loop_timer {
    struct loop_timer *next; /* while it is free */
    loop_fn fn;              /* NULL: canceled */
    void *arg;
};

struct post {
    loop_fn fn;
    void *arg;
};

struct loop {
    struct sys *sys;
    const char *name;
    struct mem mem, watch_mem; /* the latter behind the lock */
    struct loop_limits limits;
    struct sys_poll *poll;
    struct sys_lock *lock;
    struct loop_watch *free_watches;
    uint32_t watch_count;
    struct post *posts; /* a ring; [limits.posts] */
    uint32_t post_first, post_count;
    struct pqueue timers;
    struct loop_timer *free_timers;
    uint32_t canceled; /* of the timers in the queue */
    struct sys_poll_event events[EVENTS];
    uint32_t event_at, event_count;
    struct sys_atomic_u64 is_stopped;
};

/* --- life ------------------------------------------------------------------------------------------------------------- */
enum status loop_create(struct sys *sys, const char *name, const struct loop_limits *limits, struct loop **out,
                        struct err *e)
{
    struct sys_poll *poll = NULL;
    struct mem mem;

    TRY(sys_poll_create(sys, &poll, e));
    mem_init(&mem, name, 0);
    struct loop *l = mem_zalloc(&mem, sizeof *l);
    mem_init(&l->mem, name, 0);
    mem_move(&mem, &l->mem);
    mem_init(&l->watch_mem, name, 0);
    l->sys = sys;
    l->name = name;
    l->poll = poll;
    if (limits != NULL) l->limits = *limits;
    if (l->limits.watches == 0) l->limits.watches = WATCHES;
    if (l->limits.timers == 0) l->limits.timers = TIMERS;
    if (l->limits.posts == 0) l->limits.posts = POSTS;
    l->lock = sys_lock_create(sys);
    l->posts = mem_zalloc(&l->mem, sizeof *l->posts * l->limits.posts);
    pqueue_init(&l->timers, &l->mem);
    *out = l;
    return S_OK;
}

void loop_free(struct loop *l)
{
    struct mem mem;

    if (l == NULL) return;
    sys_poll_free(l->sys, l->poll);
    sys_lock_free(l->sys, l->lock);
    mem_release(&l->watch_mem);
    mem_init(&mem, l->name, 0);
    mem_move(&l->mem, &mem);
    mem_release(&mem);
}

/* --- files ------------------------------------------------------------------------------------------------------------ */
static struct loop_watch *watch_take(struct loop *l)
{
    struct loop_watch *w = NULL;

    sys_lock_take(l->lock);
    if (l->watch_count < l->limits.watches) {
        w = l->free_watches;
        if (w != NULL)
            l->free_watches = w->next;
        else
            w = mem_zalloc(&l->watch_mem, sizeof *w);
        l->watch_count++;
    }
    sys_lock_give(l->lock);
    return w;
}

static void watch_give(struct loop *l, struct loop_watch *w)
{
    sys_lock_take(l->lock);
    *w = (struct loop_watch){.next = l->free_watches};
    l->free_watches = w;
    l->watch_count--;
    sys_lock_give(l->lock);
}

enum status loop_watch(struct loop *l, struct sys_file *f, uint32_t events, loop_ready_fn fn, void *arg,
                       struct loop_watch **out, struct err *e)
{
    struct loop_watch *w = watch_take(l);

    ASSERT(f != NULL && fn != NULL);
    if (w == NULL)
        return err_set(e, E_BUDGET, "loop '%s' watches %u files already, its limit", l->name, l->limits.watches);
    w->file = f;
    w->fn = fn;
    w->arg = arg;
    *out = w; /* before the file can be ready: fn may look at it */
    enum status st = sys_poll_set(l->sys, l->poll, f, events, w, e);
    if (st != S_OK) {
        *out = NULL;
        watch_give(l, w);
    }
    return st;
}

enum status loop_watch_set(struct loop *l, struct loop_watch *w, uint32_t events, struct err *e)
{
    ASSERT(w->fn != NULL);
    return sys_poll_set(l->sys, l->poll, w->file, events, w, e);
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
    if (w == NULL) return;
    ASSERT(w->fn != NULL);
    sys_poll_remove(l->sys, l->poll, w->file);
    for (uint32_t i = l->event_at; i < l->event_count; i++)
        if (l->events[i].arg == w) l->events[i].arg = NULL;
    watch_give(l, w);
}

static uint32_t run_files(struct loop *l)
{
    uint32_t did = 0;

    for (l->event_at = 0; l->event_at < l->event_count;) {
        struct sys_poll_event event = l->events[l->event_at++];
        const struct loop_watch *w = event.arg;
        if (w == NULL) continue;
        w->fn(w->arg, event.ready);
        did++;
    }
    l->event_at = l->event_count = 0;
    return did;
}

/* --- timers ----------------------------------------------------------------------------------------------------------- */
enum status loop_timer(struct loop *l, int64_t due_ns, loop_fn fn, void *arg, struct loop_timer **out, struct err *e)
{
    struct loop_timer *t = l->free_timers;

    ASSERT(fn != NULL);
    if (l->timers.count - l->canceled >= l->limits.timers)
        return err_set(e, E_BUDGET, "loop '%s' has %u timers already, its limit", l->name, l->limits.timers);
    if (t != NULL)
        l->free_timers = t->next;
    else
        t = mem_zalloc(&l->mem, sizeof *t);
    *t = (struct loop_timer){.fn = fn, .arg = arg};
    pqueue_push(&l->timers, due_ns, t);
    if (out != NULL) *out = t;
    return S_OK;
}

static void timer_give(struct loop *l, struct loop_timer *t)
{
    *t = (struct loop_timer){.next = l->free_timers};
    l->free_timers = t;
}

/* Without the canceled ones. Order stays: they come out in order and go in in order. */
static void timers_sweep(struct loop *l)
{
    struct pqueue kept;
    const struct pqueue_entry *first;

    pqueue_init(&kept, &l->mem);
    kept.next_turn = l->timers.next_turn; /* a turn under way does not take them for older than itself */
    while ((first = pqueue_first(&l->timers)) != NULL) {
        int64_t due_ns = first->key;
        struct loop_timer *t = pqueue_pop(&l->timers);
        if (t->fn != NULL)
            pqueue_push(&kept, due_ns, t);
        else
            timer_give(l, t);
    }
    pqueue_release(&l->timers);
    l->timers = kept;
    l->canceled = 0;
}

void loop_timer_cancel(struct loop *l, struct loop_timer *t)
{
    if (t == NULL) return;
    ASSERT(t->fn != NULL);
    t->fn = NULL;
    l->canceled++;
    if (l->canceled >= SWEEP_MIN && l->canceled > l->timers.count / 2) timers_sweep(l);
}

static uint32_t run_timers(struct loop *l)
{
    const struct pqueue_entry *first = pqueue_first(&l->timers);
    uint32_t did = 0;

    if (first == NULL) return 0;
    int64_t now = sys_mono_ns(l->sys);
    uint64_t end = l->timers.next_turn; /* those set from here on wait for the next turn */
    while ((first = pqueue_first(&l->timers)) != NULL && first->key <= now && first->turn < end) {
        struct loop_timer t, *record = pqueue_pop(&l->timers);
        t = *record;
        timer_give(l, record);
        if (t.fn == NULL) {
            l->canceled--;
            continue;
        }
        t.fn(t.arg);
        did++;
    }
    return did;
}

/* --- posts ------------------------------------------------------------------------------------------------------------ */
enum status loop_post(struct loop *l, loop_fn fn, void *arg)
{
    bool was_empty = false, is_full;

    ASSERT(fn != NULL);
    sys_lock_take(l->lock);
    is_full = l->post_count == l->limits.posts;
    if (!is_full) {
        was_empty = l->post_count == 0;
        l->posts[(l->post_first + l->post_count++) % l->limits.posts] = (struct post){fn, arg};
    }
    sys_lock_give(l->lock);
    if (was_empty) sys_poll_wake(l->sys, l->poll);
    return is_full ? S_FULL : S_OK;
}

static uint32_t posts_waiting(struct loop *l)
{
    sys_lock_take(l->lock);
    uint32_t count = l->post_count;
    sys_lock_give(l->lock);
    return count;
}

static uint32_t run_posts(struct loop *l)
{
    uint32_t count = posts_waiting(l);

    for (uint32_t i = 0; i < count; i++) {
        sys_lock_take(l->lock);
        struct post one = l->posts[l->post_first];
        l->post_first = (l->post_first + 1) % l->limits.posts;
        l->post_count--;
        sys_lock_give(l->lock);
        one.fn(one.arg);
    }
    return count;
}

/* --- turns ------------------------------------------------------------------------------------------------------------ */
/* How long may be waited? Not past the first timer, and not at all while a post waits. */
static int64_t wait_ns(struct loop *l, int64_t timeout_ns)
{
    const struct pqueue_entry *first = pqueue_first(&l->timers);

    if (timeout_ns == 0 || posts_waiting(l) > 0) return 0;
    if (first == NULL) return timeout_ns;
    int64_t now = sys_mono_ns(l->sys);
    return first->key <= now ? 0 : MIN(timeout_ns, first->key - now);
}

enum status loop_turn(struct loop *l, int64_t timeout_ns, uint32_t *did, struct err *e)
{
    ASSERT(l->event_count == 0); /* a callback does not turn the loop */
    *did = 0;
    TRY(sys_poll_wait(l->sys, l->poll, wait_ns(l, timeout_ns), l->events, EVENTS, &l->event_count, e));
    *did = run_posts(l);
    *did += run_files(l);
    *did += run_timers(l);
    return S_OK;
}

enum status loop_run(struct loop *l, struct err *e)
{
    uint32_t did;

    while (sys_atomic_load(&l->is_stopped) == 0) TRY(loop_turn(l, INT64_MAX, &did, e));
    run_posts(l);
    sys_atomic_store(&l->is_stopped, 0);
    return S_OK;
}

void loop_wake(struct loop *l) { sys_poll_wake(l->sys, l->poll); }

void loop_stop(struct loop *l)
{
    sys_atomic_store(&l->is_stopped, 1);
    sys_poll_wake(l->sys, l->poll);
}
