/* snapshots.c - saving and restoring hosts in tests. */
#include "support/snapshots.h"

#include "flow/state/snapshot_chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

void snapshots_init(struct snapshots *s, uint32_t count, uint32_t max_parallelism)
{
    memset(s, 0, sizeof *s);
    assert_in_range(count, 1, SNAPSHOT_SUBTASKS);
    mem_init(&s->mem, "snapshots", 0);
    s->restore = (struct state_restore){.subtasks = s->images, .count = count, .max_parallelism = max_parallelism, .operator = "test"};
}

void snapshots_release(struct snapshots *s)
{
    for (uint32_t i = 0; i < s->restore.count; i++) {
        for (uint32_t k = 0; k < s->images[i].part_count; k++) buf_release(&s->chunks[i][k]);
        mem_free(&s->mem, s->chunks[i]);
        mem_free(&s->mem, s->parts[i]);
    }
    assert_int_equal(s->mem.used, 0);
    mem_release(&s->mem);
}

static void chunk_take(struct snapshots *s, uint32_t subtask, struct buf *chunk)
{
    uint32_t n = s->images[subtask].part_count;
    struct buf made;

    buf_init(&made, &s->mem);
    if (state_chunk_finish((struct str){chunk->data, chunk->size}, &made).data == made.data) {
        buf_release(chunk);
        *chunk = made;
    }
    s->chunks[subtask] = mem_realloc(&s->mem, s->chunks[subtask], (n + 1) * sizeof *chunk);
    s->parts[subtask] = mem_realloc(&s->mem, s->parts[subtask], (n + 1) * sizeof(struct state_part));
    s->chunks[subtask][n] = *chunk;
    s->parts[subtask][n] = (struct state_part){{chunk->data, chunk->size}};
    s->images[subtask] = (struct state_image){s->parts[subtask], n + 1};
    buf_init(chunk, &s->mem);
}

void snapshots_save(struct snapshots *s, uint32_t subtask, struct state_host *h, size_t limit) { snapshots_save_part(s, subtask, h, NULL, limit); }

void snapshots_save_part(struct snapshots *s, uint32_t subtask, struct state_host *h, const struct state_part_of *part, size_t limit)
{
    struct state_save *save;
    struct buf chunk;
    struct err e = {0};
    enum status st;

    buf_init(&chunk, &s->mem);
    enum status made = part != NULL ? state_save_create_part(h, part, &save, &e) : state_save_create(h, &save, &e);
    assert_int_equal(made, S_OK);
    while ((st = state_save_step(save, &chunk, limit, &e)) == S_MORE) {
        if (chunk.size >= limit) chunk_take(s, subtask, &chunk);
    }
    if (st != S_OK) fail_msg("save: %s", e.text);
    if (chunk.size > 0) chunk_take(s, subtask, &chunk);
    state_save_free(save);
    for (uint32_t i = 0; i < s->images[subtask].part_count; i++)
        assert_int_equal(state_part_check(s->parts[subtask][i].bytes, &e), S_OK);
}

struct state_host keyed_host_of(struct keyed *k, uint32_t i, uint32_t n, const struct state_restore *restore)
{
    struct state_host h = k->host;
    uint32_t max = h.max_parallelism;

    h.group_first = (i * max + n - 1) / n;
    h.group_count = ((i + 1) * max + n - 1) / n - h.group_first;
    h.subtask = i;
    h.parallelism = n;
    h.restore = restore;
    h.tables = NULL;
    h.timers = NULL;
    state_host_init(&h);
    return h;
}

/* The state of one host, in as many pieces. */
static void split(struct keyed *k, const struct keyed_opener *o, const struct snapshots *from, struct snapshots *to, size_t limit)
{
    uint32_t n = to->restore.count;

    for (uint32_t i = 0; i < n; i++) {
        struct state_host h = keyed_host_of(k, i, n, &from->restore);
        o->open(o->arg, &h);
        snapshots_save(to, i, &h, limit);
        o->close(o->arg);
        state_host_release(&h);
    }
}

static void host_replace(struct keyed *k, const struct keyed_opener *o, const struct snapshots *with)
{
    struct state_host fresh = keyed_host_of(k, 0, 1, &with->restore);

    state_host_release(&k->host);
    k->host = fresh;
    o->open(o->arg, &k->host);
    k->host.restore = NULL;
}

/* The host begins anew with what `one` has. */
static void begin_anew(struct keyed *k, const struct keyed_opener *o, const struct snapshots *one, uint32_t through, size_t limit)
{
    uint32_t max = k->host.max_parallelism;
    struct snapshots more;

    o->close(o->arg);
    if (through == 1) {
        host_replace(k, o, one);
        return;
    }
    snapshots_init(&more, MIN(through, max), max);
    split(k, o, one, &more, limit);
    host_replace(k, o, &more);
    snapshots_release(&more);
}

void keyed_restart(struct keyed *k, const struct keyed_opener *o, uint32_t through, size_t limit)
{
    struct snapshots one;

    snapshots_init(&one, 1, k->host.max_parallelism);
    snapshots_save(&one, 0, &k->host, limit);
    begin_anew(k, o, &one, through, limit);
    snapshots_release(&one);
}

/* ---- while the host is worked with */

static void first_part(struct apart *a, struct keyed *k)
{
    snapshots_init(&a->out, 1, k->host.max_parallelism);
    a->has_parts = true;
    a->number = 7;
    for (uint32_t i = 0; i < COUNT_OF(a->bases); i++) a->bases[i] = a->number;
}

void apart_begin(struct apart *a, struct keyed *k, size_t limit)
{
    struct state_part_of part = {.is_first = !a->has_parts};
    struct err e = {0};

    assert_false(a->is_on);
    if (part.is_first) first_part(a, k);
    else a->number += 3;
    part.number = a->number;
    if (!part.is_first && a->number % 2 == 0) { /* every other has all of one range */
        a->range = (a->range + 1) % state_host_ranges(&k->host);
        state_host_range(&k->host, a->range, &part.base_first, &part.base_count);
        a->bases[a->range] = a->number;
    }
    a->host = &k->host;
    a->limit = limit;
    a->is_on = true;
    buf_init(&a->chunk, &a->out.mem);
    assert_int_equal(state_save_create_part(&k->host, &part, &a->save, &e), S_OK);
    if (a->number % 2 == 1) state_save_draft(a->save); /* as tasks do it */
}

void apart_step(struct apart *a)
{
    struct err e = {0};

    if (a->save == NULL) return;
    enum status st = state_save_step(a->save, &a->chunk, a->limit, &e);
    if (st < 0) fail_msg("save: %s", e.text);
    if (a->chunk.size >= a->limit || (st == S_OK && a->chunk.size > 0)) chunk_take(&a->out, 0, &a->chunk);
    if (st == S_MORE) return;
    assert_int_equal(state_save_waiting(a->save), 0);
    state_save_free(a->save);
    a->save = NULL;
}

/* Parts before the oldest one that some range needs go. */
static void old_parts_drop(struct apart *a)
{
    uint32_t gone = 0, n = a->out.images[0].part_count;
    struct chunk_reader r;
    uint64_t oldest = UINT64_MAX;
    struct err e = {0};

    for (uint32_t i = 0; i < state_host_ranges(a->host); i++) oldest = MIN(oldest, a->bases[i]);
    for (; gone < n; gone++) {
        assert_int_equal(chunk_open(&r, a->out.parts[0][gone].bytes, &e), S_OK);
        if (r.part.number >= oldest) break;
        buf_release(&a->out.chunks[0][gone]);
    }
    memmove(a->out.chunks[0], a->out.chunks[0] + gone, (n - gone) * sizeof *a->out.chunks[0]);
    memmove(a->out.parts[0], a->out.parts[0] + gone, (n - gone) * sizeof *a->out.parts[0]);
    a->out.images[0].part_count = n - gone;
}

void apart_end(struct apart *a)
{
    while (a->save != NULL) apart_step(a);
    if (a->is_on && a->number != 0) old_parts_drop(a);
    a->is_on = false;
}

void apart_drop(struct apart *a)
{
    if (!a->has_parts) return;
    state_save_free(a->save);
    if (a->is_on) buf_release(&a->chunk);
    snapshots_release(&a->out);
    *a = (struct apart){0};
}

void apart_back(struct apart *a, struct keyed *k, const struct keyed_opener *o, uint32_t through)
{
    assert_true(a->is_on);
    apart_end(a);
    begin_anew(k, o, &a->out, through, a->limit);
    apart_drop(a);
}
