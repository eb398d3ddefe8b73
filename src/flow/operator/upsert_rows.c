/* upsert_rows.c - the rows under each primary key of a sink: found by what tells them apart, and in the order of their coming.
 *
 * State: `places` is a map, (primary key, what tells rows apart) -> {place, count}; `rows` is an ordered map, (primary key, place) ->
 * the other columns. Places grow: a row that comes has the last one's and one more.
 *
 * Invariants: a place in `places` has its row in `rows`, and each row there is in `places`. What a verb gives is readable until
 * upsert_done, also when a later row of the batch replaces it: a row is never written over, but removed and inserted. */
#include "flow/operator/upsert_rows.h"

#include <string.h>

const struct config_field upsert_config_fields[] = {
    CONFIG_FIELD(upsert_config, unique, CONF_TEXTS, "the key of the changelog; empty: its rows are told apart by all columns"),
    CONFIG_FIELD(upsert_config, fails, CONF_BOOL, "a second row under a key is an error, else it is left out"),
    CONFIG_FIELD(upsert_config, ttl_ms, CONF_INT, "ms until an untouched row is forgotten; 0: never"),
    CONFIG_LAST,
};

enum status upsert_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct upsert_config *c = config;

    for (uint32_t i = 0; i < c->unique.count; i++)
        if (op_plan_field(p, 0, c->unique.items[i], e) < 0) return E_GRAPH;
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static bool is_key(const struct op_plan *p, uint32_t col)
{
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        if (p->keys[0][k] == col) return true;
    return false;
}

static void columns_pick(struct upsert_rows *u, const struct op_plan *p, const struct upsert_config *c)
{
    uint32_t n = p->inputs[0]->child_count;

    u->id_cols = ARENA_ARRAY(p->arena, uint32_t, n + p->key_count[0] + c->unique.count + 1);
    u->cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    for (uint32_t k = 0; k < p->key_count[0]; k++) u->id_cols[u->id_count++] = p->keys[0][k];
    for (uint32_t i = 0; i < n; i++)
        if (!is_key(p, i)) u->cols[u->col_count++] = i;
    for (uint32_t i = 0; !u->is_unique && i < u->col_count; i++) u->id_cols[u->id_count++] = u->cols[i];
    for (uint32_t i = 0; i < c->unique.count; i++) {
        int col = op_plan_field(p, 0, c->unique.items[i], NULL);
        ASSERT(col >= 0);
        if (!is_key(p, (uint32_t)col)) u->id_cols[u->id_count++] = (uint32_t)col;
    }
}

static const struct type *words_row(struct arena *a, const char *const *names, uint32_t count)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, count);

    for (uint32_t i = 0; i < count; i++) types[i] = type_new(a, T_BIGINT, 0, 0, false);
    return type_row(a, count, names, types, false);
}

static void defs_make(struct upsert_rows *u, const struct op_plan *p, const struct upsert_config *c)
{
    static const char *const names[] = {"place", "count"};
    struct state_ttl ttl = state_ttl_of(c->ttl_ms);

    u->rows_def = (struct state_def){.name = "rows",
                                     .version = 1,
                                     .upgrade = STATE_UPGRADE_COLUMNS,
                                     .shape = STATE_ORDERED,
                                     .key = type_row_of(p->arena, p->inputs[0], p->keys[0], p->key_count[0]),
                                     .sort_key = words_row(p->arena, names, 1),
                                     .value = type_row_of(p->arena, p->inputs[0], u->cols, u->col_count),
                                     .ttl = ttl};
    u->places_def = (struct state_def){.name = "places",
                                       .version = 1,
                                       .shape = STATE_MAP,
                                       .key = type_row_of(p->arena, p->inputs[0], u->id_cols, u->id_count),
                                       .is_within = u->id_count > p->key_count[0],
                                       .group_cols = p->key_count[0],
                                       .value = words_row(p->arena, names, 2),
                                       .ttl = ttl};
}

enum status upsert_open(struct op_cx *cx, struct upsert_rows *u, const struct upsert_config *c)
{
    u->is_unique = c->unique.count > 0;
    columns_pick(u, cx->plan, c);
    defs_make(u, cx->plan, c);
    TRY(state_open(cx->state, &u->rows_def, &u->rows, cx->err));
    TRY(state_open(cx->state, &u->places_def, &u->places, cx->err));
    u->place_at = u->places->value.fields[0].offset;
    u->count_at = u->places->value.fields[1].offset;
    u->one = batch_create(u->rows_def.sort_key, 1, cx->mem);
    u->one->count = 1;
    return state_probe_init(&u->probe, u->rows_def.sort_key, cx->mem, cx->err);
}

void upsert_close(struct upsert_rows *u)
{
    if (u->probe.mem != NULL) state_probe_release(&u->probe);
    batch_free(u->one);
    state_close(u->places);
    state_close(u->rows);
}

/* --- a batch ----------------------------------------------------------------------------------------------------- */
enum status upsert_resolve(struct op_cx *cx, struct upsert_rows *u, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS], within[BATCH_ROWS];

    if (u->is_resolved) return S_OK;
    batch_hash(in, p->keys[0], p->key_count[0], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], hashes);
    TRY(state_resolve(u->rows, 0, &keys, STATE_RESERVE, u->heads, NULL));
    state_def_hash(&u->places_def, in, u->id_cols, within);
    struct state_keys ids = state_keys_of(in, u->id_cols, u->id_count, within);
    TRY(state_resolve(u->places, 0, &ids, STATE_RESERVE, u->found, NULL));
    u->is_resolved = true;
    return S_OK;
}

void upsert_done(struct upsert_rows *u)
{
    state_done(u->rows);
    state_done(u->places);
    u->is_resolved = false;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static int64_t *place_of(const struct upsert_rows *u, uint32_t i) { return state_word(u->found[i], u->place_at); }
static int64_t *count_of(const struct upsert_rows *u, uint32_t i) { return state_word(u->found[i], u->count_at); }

/* The row at the place of row i of the batch; NULL: its time to live is over. */
static enum status row_find(struct upsert_rows *u, uint32_t i, void **row)
{
    struct state_range at = {.from_word = place_of(u, i), .to_word = place_of(u, i)};
    struct state_scan c = {0};
    struct state_hits hits;

    TRY(state_ordered_scan(u->rows, 0, &u->heads[i], 1, &at, &c, &hits));
    ASSERT(hits.count <= 1);
    *row = hits.count > 0 ? hits.row[0] : NULL;
    return S_OK;
}

static enum status row_insert(struct upsert_rows *u, const struct batch *in, uint32_t i, int64_t place, void **row)
{
    static const uint32_t col = 0;
    uint16_t number = (uint16_t)batch_row(in, i);

    VECTOR_VALUES(&u->one->cols[0], int64_t)[0] = place;
    state_probe_fill(&u->probe, u->one, &col, NULL, 1);
    TRY(state_ordered_insert(u->rows, 0, &u->heads[i], &u->probe, row, NULL));
    for (uint32_t f = 0; f < u->col_count; f++) state_rows_store(u->rows, 0, row, 1, f, &in->cols[u->cols[f]], &number);
    return S_OK;
}

static int64_t next_place(struct upsert_rows *u, uint32_t i)
{
    const void *last = upsert_edge(u, i, true);

    if (last == NULL) return 0;
    return *state_word(state_extra(u->rows, last), u->rows->extra.fields[0].offset) + 1;
}

enum status upsert_add(struct upsert_rows *u, const struct batch *in, uint32_t i, void **row)
{
    bool is_there = state_is_set(u->places, i);
    int64_t place = next_place(u, i);
    void *old = NULL;

    if (is_there) TRY(row_find(u, i, &old));
    if (is_there && u->is_unique && old != NULL) place = *place_of(u, i);
    if (old != NULL) state_row_remove(u->rows, 0, u->heads[i], old);
    TRY(row_insert(u, in, i, place, row));
    *place_of(u, i) = place;
    *count_of(u, i) = is_there && !u->is_unique && old != NULL ? *count_of(u, i) + 1 : 1;
    state_write(u->places, i);
    return S_OK;
}

/* A row that was forgotten, as if it had been there. */
static enum status row_pass(struct upsert_rows *u, const struct batch *in, uint32_t i, void **row)
{
    TRY(row_insert(u, in, i, 0, row));
    state_row_remove(u->rows, 0, u->heads[i], *row);
    return S_OK;
}

enum status upsert_remove(struct upsert_rows *u, const struct batch *in, uint32_t i, void **row, bool *was_last)
{
    *row = NULL;
    *was_last = true;
    if (!state_is_set(u->places, i)) return upsert_count(u, i) == 0 ? row_pass(u, in, i, row) : S_OK;
    TRY(row_find(u, i, row));
    if (*row != NULL && *count_of(u, i) > 1) {
        --*count_of(u, i);
        state_write(u->places, i);
        *row = NULL;
        return S_OK;
    }
    state_erase(u->places, i);
    if (*row == NULL) return S_OK;
    *was_last = *row == upsert_edge(u, i, true);
    state_row_remove(u->rows, 0, u->heads[i], *row);
    return S_OK;
}
