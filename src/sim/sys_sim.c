/* sys_sim.c - clock, chance, threads and parkers of the simulated world, and its vtable.
 *
 * Threads are fibers on one thread. A thread runs until it parks, joins or, by chance, looks at the monotonic clock; then
 * the scheduler picks one of those that can run. Time passes by a seeded microsecond or two whenever the clock is read,
 * and jumps to the next deadline when nobody can run. A wake-up may be held back a little, which is what a busy machine does.
 *
 * unpark never switches: it may be called with a lock held. Nobody can run and nobody has a deadline, or only the first
 * thread's own look-around comes due again and again: that is a deadlock. */
#include "ground/sys/sys_kv.h"
#include "sim/world.h"

enum { LOOKS_MAX = 500, TURNS_MAX = 4000000, SWITCH_ONE_IN = 4, DELAY_ONE_IN = 8, DELAY_NS = 300000, TICK_NS = 15000 };
enum { PAUSE_ONE_IN = 16, PAUSE_MS = 20 };

static struct sim_world *world_of(struct sys *s) { return (struct sim_world *)s; }

void sim_trace(struct sim_world *w, uint64_t what) { w->trace = mix64(w->trace ^ what); }

static bool chance(struct sim_world *w, uint64_t one_in) { return !w->is_calm && prng_below(&w->prng, one_in) == 0; }

static void give_way(struct sim_world *w)
{
    struct sys_thread *t = w->current;

    if (t != NULL) fiber_leave(&t->fiber, false);
}

/* --- clock and chance --------------------------------------------------------------------------------------------------- */
static int64_t sim_wall_ms(struct sys *s) { return world_of(s)->now_ns / 1000000; }

static int64_t sim_mono_ns(struct sys *s)
{
    struct sim_world *w = world_of(s);

    w->now_ns += w->is_calm ? TICK_NS : 1 + (int64_t)prng_below(&w->prng, 2 * TICK_NS);
    if (chance(w, SWITCH_ONE_IN)) give_way(w);
    return w->now_ns;
}

static uint64_t sim_random(struct sys *s) { return prng_next(&world_of(s)->prng); }

/* --- threads and parkers ------------------------------------------------------------------------------------------------ */
static void thread_main(void *arg)
{
    struct sys_thread *t = arg;

    t->fn(t->arg);
    t->state = THREAD_OVER;
    for (struct sys_thread *other = t->world->threads; other != NULL; other = other->next)
        if (other->state == THREAD_JOINS && other->joins == t) other->state = THREAD_READY;
}

static enum status sim_thread_start(struct sys *s, const char *name, sys_thread_fn fn, void *arg, struct sys_thread **out,
                                    struct err *e)
{
    struct sim_world *w = world_of(s);
    struct sys_thread *t = mem_zalloc(&w->mem, sizeof *t);

    (void)e;
    t->world = w;
    t->name = name;
    t->fn = fn;
    t->arg = arg;
    t->number = w->thread_count++;
    fiber_init(&t->fiber, &w->mem, thread_main, t);
    if (w->last != NULL) w->last->next = t;
    else w->threads = t;
    w->last = t;
    *out = t;
    return S_OK;
}

static void thread_drop(struct sim_world *w, struct sys_thread *t)
{
    struct sys_thread **at = &w->threads;

    w->last = NULL;
    for (; *at != t; at = &(*at)->next) w->last = *at;
    *at = t->next;
    for (struct sys_thread *rest = t->next; rest != NULL; rest = rest->next) w->last = rest;
    fiber_release(&t->fiber, &w->mem);
    mem_free(&w->mem, t);
}

static void sim_thread_join(struct sys *s, struct sys_thread *t)
{
    struct sim_world *w = world_of(s);

    ASSERT(w->current != NULL && w->current != t);
    if (t->state != THREAD_OVER) {
        w->current->state = THREAD_JOINS;
        w->current->joins = t;
        give_way(w);
    }
    ASSERT(t->state == THREAD_OVER);
    thread_drop(w, t);
}

static int sim_cpu_count(struct sys *s)
{
    (void)s;
    return 2;
}

static struct sys_parker *sim_parker_create(struct sys *s) { return mem_zalloc(&world_of(s)->mem, sizeof(struct sys_parker)); }
static void sim_parker_free(struct sys *s, struct sys_parker *p) { mem_free(&world_of(s)->mem, p); }

static bool sim_park(struct sys *s, struct sys_parker *p, int64_t timeout_ns)
{
    struct sim_world *w = world_of(s);
    struct sys_thread *t = w->current;

    ASSERT(t != NULL);
    if (!p->is_notified) {
        p->sleeper = t;
        t->parker = p;
        t->state = THREAD_PARKED;
        t->deadline_ns = timeout_ns > INT64_MAX - w->now_ns ? INT64_MAX : w->now_ns + timeout_ns;
    }
    give_way(w);
    p->sleeper = NULL;
    p->is_notified = false;
    return false;
}

static void sim_unpark(struct sys *s, struct sys_parker *p)
{
    struct sim_world *w = world_of(s);
    struct sys_thread *t = p->sleeper;

    p->is_notified = true;
    if (t == NULL || t->state != THREAD_PARKED) return;
    sim_trace(w, t->number + UINT64_C(1000));
    if (chance(w, DELAY_ONE_IN)) t->deadline_ns = MIN(t->deadline_ns, w->now_ns + 1 + (int64_t)prng_below(&w->prng, DELAY_NS));
    else t->state = THREAD_READY;
}

/* --- the scheduler ------------------------------------------------------------------------------------------------------ */
static struct sys_thread *pick_ready(struct sim_world *w)
{
    uint64_t ready = 0;

    for (struct sys_thread *t = w->threads; t != NULL; t = t->next) ready += t->state == THREAD_READY;
    if (ready == 0) return NULL;
    uint64_t pick = w->is_calm ? w->turns % ready : prng_below(&w->prng, ready);
    for (struct sys_thread *t = w->threads;; t = t->next)
        if (t->state == THREAD_READY && pick-- == 0) return t;
}

/* Lets those run whose deadline has come; with none ready, time jumps to the next. False: there is no deadline. */
static bool pass_time(struct sim_world *w, bool jump)
{
    int64_t next = INT64_MAX;

    for (struct sys_thread *t = w->threads; t != NULL; t = t->next)
        if (t->state == THREAD_PARKED) next = MIN(next, t->deadline_ns);
    if (next == INT64_MAX) return false;
    if (jump) w->now_ns = MAX(w->now_ns, next);
    for (struct sys_thread *t = w->threads; t != NULL; t = t->next)
        if (t->state == THREAD_PARKED && t->deadline_ns <= w->now_ns) t->state = THREAD_READY;
    return true;
}

static void report_threads(struct sim_world *w, struct buf *out)
{
    for (struct sys_thread *t = w->threads; t != NULL; t = t->next) {
        buf_printf(out, "  thread %u '%s' ", t->number, t->name);
        if (t->state == THREAD_JOINS) buf_printf(out, "waits for the end of '%s'\n", t->joins->name);
        else if (t->state != THREAD_PARKED) buf_append_text(out, t->state == THREAD_OVER ? "is over\n" : "can run\n");
        else if (t->deadline_ns == INT64_MAX) buf_append_text(out, "sleeps until it is woken\n");
        else buf_printf(out, "sleeps, at most %lld us\n", (long long)(t->deadline_ns - w->now_ns) / 1000);
    }
}

enum sim_end sim_world_run(struct sim_world *w, sys_thread_fn fn, void *arg, struct buf *report)
{
    struct sys_thread *first;
    enum status st = sim_thread_start(&w->sys, "main", fn, arg, &first, NULL);
    enum sim_end end = SIM_FINISHED;

    ASSERT(st == S_OK);
    while (first->state != THREAD_OVER) {
        pass_time(w, false);
        struct sys_thread *t = pick_ready(w);
        if (t == NULL && !pass_time(w, true)) end = SIM_DEADLOCK;
        if (w->idle_rounds > w->looks_max) end = SIM_DEADLOCK;
        if (w->turns++ > TURNS_MAX) end = SIM_ENDLESS;
        if (end != SIM_FINISHED) break;
        if (t == NULL) continue;
        w->idle_rounds = t == first ? w->idle_rounds + 1 : 0;
        sim_trace(w, t->number ^ (uint64_t)w->now_ns);
        w->current = t;
        fiber_enter(&t->fiber);
        w->current = NULL;
    }
    if (end != SIM_FINISHED) report_threads(w, report);
    else ASSERT(w->threads == first && first->next == NULL);
    while (w->threads != NULL) thread_drop(w, w->threads);
    return end;
}

/* --- the rest ----------------------------------------------------------------------------------------------------------- */
static bool sim_is_terminal(struct sys *s, int fd)
{
    (void)s, (void)fd;
    return false;
}

static int sim_terminal_columns(struct sys *s, int fd)
{
    (void)s, (void)fd;
    return 80;
}

static int sim_terminal_rows(struct sys *s, int fd)
{
    (void)s, (void)fd;
    return 24;
}

static void sim_signal_forget(struct sys *s) { world_of(s)->signal = SYS_SIGNAL_NONE; }

static enum sys_signal sim_signal_take(struct sys *s)
{
    enum sys_signal signal = world_of(s)->signal;

    world_of(s)->signal = SYS_SIGNAL_NONE;
    return signal;
}

static int64_t sim_source_pause_ms(struct sys *s)
{
    struct sim_world *w = world_of(s);

    return chance(w, w->faults.is_on ? PAUSE_ONE_IN / 4 : PAUSE_ONE_IN) ? 1 + (int64_t)prng_below(&w->prng, PAUSE_MS) : 0;
}

static void trace_element(struct sys *s, uint64_t what) { sim_trace(world_of(s), what); }

static int64_t sim_memory_bytes(struct sys *s)
{
    (void)s;
    return INT64_C(8) << 30;
}

static int64_t sim_resident_bytes(struct sys *s) { return (int64_t)world_of(s)->mem.used; }

static const struct sys_ops sim_ops = {
    .name = "simulated",
    .wall_ms = sim_wall_ms,
    .mono_ns = sim_mono_ns,
    .random = sim_random,
    .thread_start = sim_thread_start,
    .thread_join = sim_thread_join,
    .cpu_count = sim_cpu_count,
    .parker_create = sim_parker_create,
    .parker_free = sim_parker_free,
    .park = sim_park,
    .unpark = sim_unpark,
    .file_open = sim_file_open,
    .file_read = sim_file_read,
    .file_write = sim_file_write,
    .file_seek = sim_file_seek,
    .file_sync = sim_file_sync,
    .file_stat = sim_file_stat,
    .file_rename = sim_file_rename,
    .file_set_mode = sim_file_set_mode,
    .file_real = sim_file_real,
    .file_delete = sim_file_delete,
    .dir_make = sim_dir_make,
    .dir_delete = sim_dir_delete,
    .dir_list = sim_dir_list,
    .dir_sync = sim_dir_sync,
    .file_standard = sim_file_standard,
    .file_close = sim_file_close,
    .address_find = sim_address_find,
    .socket_begin = sim_socket_begin,
    .socket_finish = sim_socket_finish,
    .socket_listen = sim_socket_listen,
    .socket_accept = sim_socket_accept,
    .socket_pair = sim_socket_pair,
    .file_read_some = sim_file_read_some,
    .file_write_some = sim_file_write_some,
    .poll_create = sim_poll_create,
    .poll_free = sim_poll_free,
    .poll_set = sim_poll_set,
    .poll_remove = sim_poll_remove,
    .poll_wait = sim_poll_wait,
    .poll_wake = sim_poll_wake,
    .is_terminal = sim_is_terminal,
    .terminal_columns = sim_terminal_columns,
    .terminal_rows = sim_terminal_rows,
    .signal_take = sim_signal_take,
    .signal_forget = sim_signal_forget,
    .resident_bytes = sim_resident_bytes,
    .memory_bytes = sim_memory_bytes,
    .kv_open = kv_memory_open,
    .source_pause_ms = sim_source_pause_ms,
    .trace = trace_element,
    .task_fails = sim_task_fails,
    .crash_point = sim_crash_point,
};

struct sim_world *sim_world_create(uint64_t seed, bool is_calm)
{
    struct mem mem;
    mem_init(&mem, "world", 0);
    struct sim_world *w = mem_zalloc(&mem, sizeof *w);

    mem_init(&w->mem, "world", 0);
    mem_move(&mem, &w->mem);
    w->sys = (struct sys){.ops = &sim_ops, .mem = &w->mem};
    w->is_calm = is_calm;
    w->now_ns = SIM_START_NS;
    w->looks_max = LOOKS_MAX;
    w->next_port = SIM_FIRST_PORT;
    w->trace = seed;
    prng_init(&w->prng, seed);
    for (int i = 0; i < 3; i++) buf_init(&w->standard[i], &w->mem);
    return w;
}

void sim_world_free(struct sim_world *w)
{
    struct mem mem;

    if (w == NULL) return;
    ASSERT(w->threads == NULL);
    mem_init(&mem, "world", 0);
    mem_move(&w->mem, &mem);
    mem_release(&mem);
}
