/* snapshot_read_all.c - many chunks of a snapshot are read by several threads.
 *
 * The idea: reading a chunk and looking at its digest takes a core while storage is fast, and waits while it is slow; either way several at a
 * time are faster. Each thread takes the next chunk that nobody has, into memory of its own, which goes over at the end.
 *
 * Invariants: what fails is told by the first chunk, in order, that did. Little is read by the caller alone. Not here: what a chunk must be
 * (snapshot_read.c). */
#include "control/snapshot/snapshot_read.h"

enum { READERS_MAX = 4, THREADS_FROM = 16 * 1024 * 1024 };

struct reading {
    struct snapshot_reader *r;
    const struct snapshot_chunk_place *places;
    uint32_t count;
    struct sys_atomic_u64 next;
};

struct reading_thread {
    struct reading *of;
    struct sys_thread *thread;
    struct mem mem;
    uint32_t at; /* the chunk that failed */
    enum status status;
    struct err err;
};

static void reading_main(void *arg)
{
    struct reading_thread *me = arg;
    struct reading *of = me->of;

    while (me->status == S_OK) {
        uint64_t at = sys_atomic_add(&of->next, 1);
        if (at >= of->count) return;
        me->at = (uint32_t)at;
        me->status = snapshot_reader_place(of->r, &of->places[at], &me->mem, of->places[at].out, &me->err);
    }
}

static uint32_t threads_wanted(const struct reading *of)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < of->count; i++) bytes += of->places[i].handle->path != NULL ? of->places[i].handle->size : 0;
    return bytes < THREADS_FROM ? 0 : (uint32_t)MIN(MIN(sys_cpu_count(of->r->sys), READERS_MAX), (int)of->count) - 1;
}

enum status snapshot_reader_places(struct snapshot_reader *r, const struct snapshot_chunk_place *places, uint32_t count, struct mem *mem,
                                   struct err *e)
{
    struct reading of = {.r = r, .places = places, .count = count};
    struct reading_thread all[READERS_MAX] = {0};
    const struct reading_thread *first = NULL;
    uint32_t helpers = threads_wanted(&of), started = 0;

    for (uint32_t i = 0; i <= helpers; i++) {
        all[i].of = &of;
        mem_init(&all[i].mem, "chunks", 0);
    }
    while (started < helpers && sys_thread_start(r->sys, "restore-reader", reading_main, &all[1 + started], &all[1 + started].thread, NULL) == S_OK)
        started++;
    reading_main(&all[0]);
    for (uint32_t i = 0; i <= helpers; i++) {
        if (all[i].thread != NULL) sys_thread_join(r->sys, all[i].thread);
        mem_move(&all[i].mem, mem);
        if (all[i].status != S_OK && (first == NULL || all[i].at < first->at)) first = &all[i];
    }
    return first == NULL ? S_OK : err_pass_on(e, &first->err);
}
