/* snapshot_survey.c - goes through chunks block by block and adds up what each state has.
 *
 * The idea: schemas say what a state is, headers of blocks how many rows they have; so no table is made and no row is turned into a
 * value. Still every block is read and its checksum looked at: what is told is what could be restored.
 *
 * Invariants: chunks are untrusted; a state is what its first chunk says, and all others must agree. Not here: rows as values
 * (snapshot_load.c), where chunks lie (control/snapshot). */
#include "flow/state/snapshot_survey.h"

#include "columns/column/batch.h"
#include "flow/state/snapshot_schema.h"
#include "ground/base/str.h"

enum { STATES_MAX = 4096 };

/* A chunk on its way. */
struct survey {
    struct state_survey *to;
    struct buf space;
    struct survey_state **states; /* of its schemas, by number */
    uint32_t count, subtask;
    struct err *e;
};

void state_survey_begin(struct state_survey *s, struct arena *arena)
{
    *s = (struct state_survey){.arena = arena};
    s->last = &s->first;
}

/* ---- states */

static const char *kind_name(const struct state_schema *s)
{
    static const char *const sharing[] = {"keyed", "list", "union list", "broadcast"};

    return s->kind == SCHEMA_TIMERS ? "timers" : sharing[s->sharing];
}

static struct survey_state *state_add(struct state_survey *to, const struct state_schema *schema)
{
    static const char *const shapes[] = {"MAP", "LOG", "MULTISET", "PACKED", "PLACES", "ORDERED"};
    struct survey_state *s = ARENA_NEW(to->arena, struct survey_state);

    *s = (struct survey_state){.name = schema->name,
                               .kind = kind_name(schema),
                               .shape = schema->kind == SCHEMA_TIMERS ? "" : shapes[schema->shape],
                               .ttl_ms = schema->ttl.update != STATE_TTL_OFF ? schema->ttl.ms : 0,
                               .column_count = schema->column_count,
                               .schema = schema};
    s->columns = ARENA_ARRAY(to->arena, struct survey_column, schema->column_count + 1);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct schema_column *c = &schema->columns[i];
        s->columns[i] = (struct survey_column){schema_role_name(schema, c->role), c->name, type_text(to->arena, c->type)};
    }
    *to->last = s;
    to->last = &s->next;
    to->count++;
    return s;
}

static struct survey_state *state_find(const struct state_survey *to, const struct state_schema *schema)
{
    struct survey_state *s = to->first;

    while (s != NULL && !schema_is_of(s->schema, schema)) s = s->next;
    return s;
}

/* ---- blocks */

static enum status schema_survey(struct survey *c, const struct chunk_block *b)
{
    struct state_schema *schema = ARENA_NEW(c->to->arena, struct state_schema);
    struct err differs = {0};
    struct str bytes;

    if (b->number != c->count || c->count == STATES_MAX) return err_set(c->e, E_DATA, "a description out of turn");
    TRY(chunk_read(b, &c->space, &bytes, c->e));
    TRY(schema_decode(bytes, c->to->arena, schema, c->e));
    struct survey_state *s = state_find(c->to, schema);
    if (s == NULL && c->to->count == STATES_MAX) return err_set(c->e, E_DATA, "more than %d states", STATES_MAX);
    if (s == NULL) s = state_add(c->to, schema);
    if (schema_fits(schema, s->schema, &differs) != S_OK)
        return err_set(c->e, E_DATA, "state '%s' is not what an earlier chunk said: %s", s->name, differs.text);
    if (s->subtask != c->subtask + 1 && schema->kind == SCHEMA_TABLE && schema->sharing == STATE_KEYED)
        s->keys += schema->keys;
    s->subtask = c->subtask + 1;
    s->bytes += BLOCK_HEADER + b->stored;
    c->states[c->count++] = s;
    return S_OK;
}

/* The rows stay bytes; that there are as many as the header says is their first word. */
static enum status rows_survey(struct survey *c, const struct chunk_block *b)
{
    struct str bytes;
    uint32_t rows = 0;

    if (b->number >= c->count) return err_set(c->e, E_DATA, "rows that nothing describes");
    TRY(chunk_read(b, &c->space, &bytes, c->e));
    if (bytes.size >= sizeof rows) memcpy(&rows, bytes.data, sizeof rows);
    if (rows != b->rows || rows == 0 || rows > BATCH_ROWS)
        return err_set(c->e, E_DATA, "its rows are not those that it speaks of");
    if (b->kind == CHUNK_ROWS) c->states[b->number]->rows += rows;
    c->states[b->number]->bytes += BLOCK_HEADER + b->stored;
    return S_OK;
}

static enum status chunk_survey(struct survey *c, struct str chunk)
{
    struct chunk_reader r;
    struct chunk_block b;
    enum status st;

    TRY(chunk_open(&r, chunk, c->e));
    while ((st = chunk_next(&r, &b, c->e)) == S_OK) {
        if (b.kind == CHUNK_SCHEMA)
            st = schema_survey(c, &b);
        else
            st = rows_survey(c, &b);
        if (st == S_OK) continue;
        err_wrap(c->e, "the block at byte %zu", b.at);
        return st;
    }
    return st == S_END ? S_OK : st;
}

enum status state_survey_add(struct state_survey *s, uint32_t subtask, struct str chunk, struct err *e)
{
    struct survey c = {.to = s, .subtask = subtask, .e = e};
    struct mem mem;

    mem_init(&mem, "survey", 0);
    buf_init(&c.space, &mem);
    c.states = mem_alloc(&mem, STATES_MAX * sizeof(struct survey_state *));
    enum status st = chunk_survey(&c, chunk);
    mem_free(&mem, c.states);
    buf_release(&c.space);
    mem_release(&mem);
    return st;
}

/* ---- as text */

static void columns_text(const struct survey_state *s, enum schema_role role, const char *before, struct buf *out)
{
    uint32_t first = s->schema->first[role], count = s->schema->count[role];

    if (count == 0) return;
    buf_append_text(out, before);
    buf_append_byte(out, '(');
    for (uint32_t i = 0; i < count; i++) {
        const struct survey_column *c = &s->columns[first + i];
        if (i > 0) buf_append_text(out, ", ");
        buf_append_text(out, c->name);
        buf_append_byte(out, ' ');
        buf_append_text(out, c->type);
    }
    buf_append_byte(out, ')');
}

void survey_schema_text(const struct survey_state *s, struct buf *out)
{
    size_t from = out->size;

    columns_text(s, ROLE_KEY, "", out);
    columns_text(s, ROLE_EXTRA, out->size > from ? " " : "", out);
    columns_text(s, ROLE_VALUE, out->size > from ? " -> " : "", out);
    if (s->schema->namespaced) buf_append_text(out, " by namespace");
}
