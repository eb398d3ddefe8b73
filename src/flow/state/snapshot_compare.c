/* snapshot_compare.c - saved states beside those that an operator has.
 *
 * The idea: an operator says what states it has by opening them, so it is opened with chunks that have no rows; what is not possible is
 * refused by the very code that restores, and what is there afterwards is compared here.
 *
 * Invariants: nothing is changed. Not here: who opens the operator (flow/task/declare.c), what may change (snapshot_evolve.c). */
#include "flow/state/snapshot_compare.h"

#include "flow/state/sb.h"
#include "flow/state/snapshot_evolve.h"
#include "flow/state/snapshot_timers.h"
#include "flow/state/timer_internal.h"

enum { STATES_MAX = 4096 };

struct saved_state {
    struct state_schema schema;
    uint64_t rows;
};

/* ---- what was saved */

struct finding {
    const struct state_restore *from;
    struct arena *arena;
    struct saved_state *states; /* [STATES_MAX] */
    uint32_t count;
    uint32_t *numbers;          /* [STATES_MAX]: of the schemas of the chunk */
    uint32_t number_count;
    struct buf space, chunk, bytes;
    struct err *e;
};

static struct saved_state *state_find(struct finding *f, const struct state_schema *s)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (schema_is_of(&f->states[i].schema, s)) return &f->states[i];
    return NULL;
}

static enum status schema_find(struct finding *f, const struct chunk_block *b)
{
    struct state_schema *schema = ARENA_NEW(f->arena, struct state_schema);
    struct str bytes;

    if (b->number != f->number_count || f->number_count == STATES_MAX) return err_set(f->e, E_DATA, "a description out of turn");
    TRY(chunk_read(b, &f->space, &bytes, f->e));
    TRY(schema_decode(bytes, f->arena, schema, f->e));
    struct saved_state *state = state_find(f, schema);
    if (state == NULL && f->count == STATES_MAX) return err_set(f->e, E_DATA, "more than %d states", STATES_MAX);
    if (state == NULL) {
        state = &f->states[f->count];
        *state = (struct saved_state){.schema = *schema};
        state->schema.keys = 0;
        buf_clear(&f->bytes);
        schema_encode(&state->schema, &f->bytes);
        chunk_add(&f->chunk, (struct chunk_block){.kind = CHUNK_SCHEMA, .number = f->count++}, (struct str){f->bytes.data, f->bytes.size});
    }
    f->numbers[f->number_count++] = (uint32_t)(state - f->states);
    return S_OK;
}

static enum status chunk_find(struct finding *f, struct str bytes)
{
    struct chunk_reader r;
    struct chunk_block b;
    enum status st;

    TRY(chunk_open(&r, bytes, f->e));
    f->number_count = 0;
    while ((st = chunk_next(&r, &b, f->e)) == S_OK) {
        if (b.kind == CHUNK_SCHEMA) st = schema_find(f, &b);
        else if (b.number >= f->number_count) st = err_set(f->e, E_DATA, "rows that nothing describes");
        else f->states[f->numbers[b.number]].rows += b.rows;
        if (st == S_OK) continue;
        err_wrap(f->e, "the block at byte %zu", b.at);
        return st;
    }
    return st == S_END ? S_OK : st;
}

static enum status chunks_find(struct finding *f)
{
    enum status st = S_OK;

    for (uint32_t i = 0; i < f->from->count; i++)
        for (uint32_t k = 0; k < f->from->subtasks[i].part_count; k++) {
            st = chunk_find(f, f->from->subtasks[i].parts[k].bytes);
            if (st == S_OK) continue;
            err_wrap(f->e, "old subtask %u, chunk %u", i, k);
            if (f->from->operator != NULL) err_wrap(f->e, "operator '%s'", f->from->operator);
            return st;
        }
    return st;
}

enum status saved_states_find(const struct state_restore *from, struct arena *a, struct saved_states *out, struct err *e)
{
    struct mem mem;
    struct finding f = {.from = from, .arena = a, .e = e};

    mem_init(&mem, "saved states", 0);
    buf_init(&f.space, &mem);
    buf_init(&f.chunk, &mem);
    buf_init(&f.bytes, &mem);
    f.states = mem_alloc(&mem, STATES_MAX * sizeof *f.states);
    f.numbers = mem_alloc(&mem, STATES_MAX * sizeof *f.numbers);
    chunk_begin(&f.chunk, MAX(from->max_parallelism, 1u));
    enum status st = chunks_find(&f);
    if (st == S_OK) {
        struct saved_state *items = ARENA_ARRAY(a, struct saved_state, f.count + 1);
        memcpy(items, f.states, f.count * sizeof *items);
        *out = (struct saved_states){{arena_strndup(a, f.chunk.data, f.chunk.size), f.chunk.size}, items, f.count};
    }
    buf_release(&f.space);
    buf_release(&f.chunk);
    buf_release(&f.bytes);
    mem_free(&mem, f.states);
    mem_free(&mem, f.numbers);
    mem_release(&mem);
    return st;
}

static enum status copy_schema(const struct chunk_block *b, struct buf *space, struct buf *out, struct err *e)
{
    struct str bytes;

    TRY(chunk_read(b, space, &bytes, e));
    chunk_add(out, (struct chunk_block){.kind = CHUNK_SCHEMA, .number = b->number}, bytes);
    return S_OK;
}

enum status chunk_schemas(struct str chunk, uint32_t max_parallelism, struct buf *out, struct err *e)
{
    struct chunk_reader r;
    struct chunk_block b;
    struct mem mem;
    struct buf space;

    mem_init(&mem, "schemas", 0);
    buf_init(&space, &mem);
    chunk_begin(out, MAX(max_parallelism, 1u));
    enum status st = chunk_open(&r, chunk, e);
    while (st == S_OK && (st = chunk_next(&r, &b, e)) == S_OK)
        if (b.kind == CHUNK_SCHEMA) st = copy_schema(&b, &space, out, e);
    mem_release(&mem);
    return st == S_END ? S_OK : st;
}

/* ---- beside what there is */

const char *state_fate_name(enum state_fate fate)
{
    static const char *const names[] = {"kept", "migrated", "lost", "new"};

    return names[fate];
}

static const char *kind_of(const struct state_schema *s)
{
    static const char *const sharing[] = {"keyed", "list", "union list", "broadcast"};

    return s->kind == SCHEMA_TIMERS ? "timers" : sharing[s->sharing];
}

/* All states of the host, in the order in which they were opened: tables, then timers. */
static struct state_schema *own_schemas(const struct state_host *h, struct arena *a, uint32_t *count)
{
    uint32_t tables = 0, timers = 0, at;

    for (const struct state_table *t = h->tables; t != NULL; t = t->next) tables++;
    for (const struct timers *t = h->timers; t != NULL; t = t->next) timers++;
    struct state_schema *all = ARENA_ARRAY(a, struct state_schema, tables + timers + 1);
    at = tables;
    for (const struct state_table *t = h->tables; t != NULL; t = t->next) schema_of_table(t, a, &all[--at]);
    at = tables + timers;
    for (const struct timers *t = h->timers; t != NULL; t = t->next) schema_of_timers_of(t, a, &all[--at]);
    *count = tables + timers;
    return all;
}

static const char *changes_of(const struct state_schema *stored, const struct schema_evolution *ev, struct arena *a)
{
    struct mem mem;
    struct buf text;

    mem_init(&mem, "changes", 0);
    buf_init(&text, &mem);
    evolution_print(stored, ev, &text);
    const char *copy = arena_strndup(a, text.data, text.size);
    buf_release(&text);
    mem_release(&mem);
    return copy;
}

/* S_OK: the operator was opened with them, so they fit. */
static struct state_outcome outcome_of(const struct state_schema *stored, const struct state_schema *own, struct arena *a)
{
    struct state_outcome o = {own->name, kind_of(own), STATE_KEPT, ""};
    struct schema_evolution ev;

    if (schema_evolve(stored, own, a, &ev, NULL) != S_OK || ev.is_same) return o;
    o.fate = STATE_MIGRATED;
    o.changes = changes_of(stored, &ev, a);
    return o;
}

void state_outcomes_of(const struct state_host *h, const struct saved_states *saved, struct arena *a, struct state_outcomes *out)
{
    uint32_t own_count = 0, n = 0;
    struct state_schema *own = h != NULL ? own_schemas(h, a, &own_count) : NULL;
    bool *taken = ARENA_ARRAY(a, bool, own_count + 1);
    struct state_outcome *items = ARENA_ARRAY(a, struct state_outcome, own_count + saved->count + 1);

    for (uint32_t i = 0; i < saved->count; i++) {
        const struct state_schema *s = &saved->items[i].schema;
        uint32_t k = 0;
        while (k < own_count && !schema_is_of(s, &own[k])) k++;
        if (k < own_count) taken[k] = true;
        if (k < own_count) items[n++] = outcome_of(s, &own[k], a);
        else if (saved->items[i].rows > 0) items[n++] = (struct state_outcome){s->name, kind_of(s), STATE_LOST, ""};
    }
    for (uint32_t k = 0; k < own_count; k++)
        if (!taken[k]) items[n++] = (struct state_outcome){own[k].name, kind_of(&own[k]), STATE_NEW, ""};
    *out = (struct state_outcomes){items, n};
}

void state_outcomes_lost(const struct saved_states *saved, struct arena *a, struct state_outcomes *out)
{
    state_outcomes_of(NULL, saved, a, out);
}
