/* op_hash_deduplicate.c - SQL's ROW_NUMBER() OVER (PARTITION BY ... ORDER BY time) = 1 in batch mode: one row per key, the first or the
 * last by event time or as they come, when the input has ended. Of rows of one time the first is the first to come, the last the last.
 *
 * State: map key -> time, and the columns that somebody reads. When it takes three quarters of its memory no more keys are made there:
 * rows of keys that are there are compared on, all others are put aside, sorted by the hash of their keys (hashed_rows.h), files and
 * all. At the end they come back with the rows of a key together: these are compared, the key's row comes out, and is forgotten before
 * the next ones. What was in memory comes last.
 *
 * Invariants: a key is not forgotten before all that have its hash have come. Not here: rows that are taken back. */
#include "flow/operator/dedup_config.h"
#include "flow/operator/group_firsts.h"
#include "flow/operator/hashed_rows.h"
#include "flow/operator/row_time.h"

#include <string.h>

enum { FIELD_TIME, FIELD_FIRST, NONE = UINT16_MAX };

struct hash_dedup {
    struct state_def def;
    struct state_table *table;
    int time_col;              /* -1: as they come */
    uint32_t *cols, col_count; /* that are kept; column i is field FIELD_FIRST + i */
    struct group_firsts unique;
    void *rows[BATCH_ROWS]; /* of the batch's keys, and then of those that come out */
    uint64_t created[BATCH_ROWS / 64], hashes[BATCH_ROWS];
    int64_t times[BATCH_ROWS];
    uint16_t best[BATCH_ROWS]; /* per key: the row of the batch that takes the place, or NONE */
    struct batch *out, *keys;  /* keys: that come out, in their columns of the input */
    struct state_cursor cursor;
    bool is_walked, is_last;
    /* beyond memory */
    struct hashed_rows beyond;
    bool is_full, is_over; /* no keys are made in memory; rows put aside have come back */
    bool is_fed, is_whole; /* the rows of the stage were compared; there are no more of their keys */
    uint32_t rest_count, fed;
    uint16_t rest[BATCH_ROWS]; /* rows of the batch that are put aside */
};

static const struct config_field hash_dedup_config_fields[] = {
    CONFIG_FIELD(hash_dedup_config, time, CONF_TEXT, "column with the rows' time; none: as they come"),
    CONFIG_FIELD(hash_dedup_config, keep_last, CONF_BOOL, "the last row, not the first"),
    SPILL_FIELDS(offsetof(struct hash_dedup_config, spill)),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static const char *time_of(const void *config) { return ((const struct hash_dedup_config *)config)->time; }

static enum status hash_dedup_derive(struct op_plan *p, const void *config, struct err *e)
{
    int col;

    TRY(row_time_column(p, 0, time_of(config), &col, e));
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void hash_dedup_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    int col;

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (row_time_column(p, 0, time_of(config), &col, NULL) == S_OK && col >= 0) bit_set(inputs[0], (uint32_t)col);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static bool is_key(const struct op_plan *p, uint32_t col)
{
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        if (p->keys[0][k] == col) return true;
    return false;
}

/* Time, and the columns that are kept. */
static const struct type *kept_row(struct op_cx *cx, struct hash_dedup *s)
{
    const struct op_plan *p = cx->plan;
    const uint64_t *needed = cx->needed_out != NULL ? cx->needed_out[0] : NULL;
    uint32_t n = p->inputs[0]->child_count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + FIELD_FIRST);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + FIELD_FIRST);

    s->cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    types[FIELD_TIME] = type_new(p->arena, T_BIGINT, 0, 0, false);
    names[FIELD_TIME] = "$time";
    for (uint32_t i = 0; i < n; i++) {
        if (is_key(p, i) || (needed != NULL && !bit_get(needed, i))) continue;
        types[FIELD_FIRST + s->col_count] = p->inputs[0]->children[i];
        names[FIELD_FIRST + s->col_count] = p->inputs[0]->names[i];
        s->cols[s->col_count++] = i;
    }
    return type_row(p->arena, FIELD_FIRST + s->col_count, names, types, false);
}

static struct batch *keys_batch(struct op_cx *cx, uint32_t rows)
{
    const struct op_plan *p = cx->plan;
    uint64_t *keys = ARENA_ARRAY(p->arena, uint64_t, p->inputs[0]->child_count / 64 + 1);

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(keys, p->keys[0][i]);
    return batch_create_needed(p->inputs[0], keys, rows, cx->mem);
}

static enum status hash_dedup_open(struct op_cx *cx, void *self)
{
    const struct hash_dedup_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    uint32_t rows = MAX(cx->batch_rows, 2u);
    struct hash_dedup *s = self;

    TRY(row_time_column(p, 0, c->time, &s->time_col, cx->err));
    s->def = (struct state_def){.name = "rows",
                                .version = 1,
                                .shape = STATE_MAP,
                                .key = type_row_of(p->arena, p->inputs[0], p->keys[0], p->key_count[0]),
                                .value = kept_row(cx, s)};
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, rows, cx->mem);
    s->keys = keys_batch(cx, rows);
    if (c->spill.memory > 0) hashed_rows_init(&s->beyond, cx, &c->spill, c->spill.memory / 4, 0, false);
    return S_OK;
}

static void hash_dedup_close(struct op_cx *cx, void *self, bool failed)
{
    struct hash_dedup *s = self;

    (void)cx;
    (void)failed;
    state_close(s->table);
    batch_free(s->out);
    batch_free(s->keys);
    hashed_rows_release(&s->beyond);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static int64_t *time_word(const struct hash_dedup *s, void *row)
{
    return state_word(row, s->table->value.fields[FIELD_TIME].offset);
}

static enum status times_read(struct op_cx *cx, struct hash_dedup *s, const struct batch *in)
{
    const struct vector *v = s->time_col >= 0 ? &in->cols[s->time_col] : NULL;

    BATCH_EACH(in, i, row)
    {
        if (v != NULL && vector_is_null(v, row)) return row_time_missing(cx, in, row);
        s->times[i] = v != NULL ? VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)] : 0;
    }
    return S_OK;
}

/* The keys of the batch once each, in state. */
static enum status keys_resolve(struct op_cx *cx, struct hash_dedup *s, const struct batch *in, enum state_intent intent)
{
    const struct op_plan *p = cx->plan;

    batch_hash(in, p->keys[0], p->key_count[0], s->hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], s->hashes);
    group_firsts_find(&s->unique, &keys);
    return state_resolve(s->table, 0, &s->unique.keys, intent, s->rows, s->created);
}

/* Which rows of the batch take the places of those that are there, or of none. */
static void best_find(struct hash_dedup *s, const struct batch *in, bool keep_last)
{
    for (uint32_t k = 0; k < s->unique.count; k++) s->best[k] = NONE;
    BATCH_EACH(in, i, row)
    {
        uint32_t k = s->unique.key_of[i];
        if (s->rows[k] == NULL) continue;
        int64_t *time = time_word(s, s->rows[k]);
        bool is_new = s->best[k] == NONE && bit_get(s->created, k);
        if (!is_new && (keep_last ? s->times[i] < *time : s->times[i] >= *time)) continue;
        *time = s->times[i];
        s->best[k] = (uint16_t)row;
    }
}

static void best_store(struct hash_dedup *s, const struct batch *in)
{
    void *rows[BATCH_ROWS];
    uint16_t from[BATCH_ROWS];
    uint32_t n = 0;

    for (uint32_t k = 0; k < s->unique.count; k++) {
        rows[n] = s->rows[k];
        from[n] = s->best[k];
        n += s->best[k] != NONE;
    }
    for (uint32_t f = 0; f < s->col_count && n > 0; f++)
        state_rows_store(s->table, 0, rows, n, FIELD_FIRST + f, &in->cols[s->cols[f]], from);
}

/* Rows of keys that are not in memory are those to put aside. */
static void rest_find(struct hash_dedup *s, const struct batch *in)
{
    s->rest_count = 0;
    BATCH_EACH(in, i, row)
    {
        s->hashes[s->rest_count] = s->hashes[i];
        s->rest[s->rest_count] = (uint16_t)row;
        s->rest_count += s->rows[s->unique.key_of[i]] == NULL;
    }
}

static enum status rows_take(struct op_cx *cx, struct hash_dedup *s, const struct batch *in, enum state_intent intent)
{
    TRY(times_read(cx, s, in));
    TRY(keys_resolve(cx, s, in, intent));
    best_find(s, in, ((const struct hash_dedup_config *)cx->config)->keep_last);
    best_store(s, in);
    if (intent == STATE_UPDATE) rest_find(s, in);
    state_done(s->table);
    return S_OK;
}

static enum status hash_dedup_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    int64_t memory = ((const struct hash_dedup_config *)cx->config)->spill.memory;
    struct hash_dedup *s = self;
    struct batch view = *in;

    ASSERT(input == 0);
    if (!s->is_full) {
        TRY(rows_take(cx, s, in, STATE_INSERT));
        s->is_full = memory > 0 && state_host_bytes(cx->state) > (size_t)(memory - memory / 4);
        return S_OK;
    }
    if (!s->beyond.is_adding) TRY(rows_take(cx, s, in, STATE_UPDATE));
    view.sel = s->rest;
    view.sel_count = s->rest_count;
    return s->rest_count == 0 ? S_OK : hashed_rows_add(&s->beyond, &view, s->hashes, NULL);
}

/* --- results ----------------------------------------------------------------------------------------------------- */
static void columns_fill(struct op_cx *cx, struct hash_dedup *s)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = s->keys->count;
    const void *from[BATCH_ROWS];

    for (uint32_t i = 0; i < n; i++) from[i] = s->rows[i];
    for (uint32_t i = 0; i < p->key_count[0]; i++) {
        struct vector *to = &s->out->cols[p->keys[0][i]];
        if (to->form != VEC_ABSENT) vector_copy(to, 0, &s->keys->cols[p->keys[0][i]], NULL, n, &s->out->heap, s->out->mem);
    }
    for (uint32_t f = 0; f < s->col_count && n > 0; f++)
        state_rows_load(s->table, from, n, FIELD_FIRST + f, &s->out->cols[s->cols[f]], 0, &s->out->heap, s->out->mem);
    s->out->count = n;
}

/* The rows of s->keys, whose places in state are at hand. */
static void keys_give(struct op_cx *cx, struct hash_dedup *s)
{
    batch_clear(s->out);
    columns_fill(cx, s);
    if (s->out->count > 0) op_forward(cx, 0, s->out);
}

/* The next keys that are in memory. */
static enum status walk_on(struct op_cx *cx, struct hash_dedup *s)
{
    uint32_t n = 0;

    batch_clear(s->keys);
    enum status st = state_each(s->table, 0, &s->cursor, s->keys, cx->plan->keys[0], s->rows, &n);
    if (st != S_OK && st != S_MORE) return st;
    s->keys->count = n;
    keys_give(cx, s);
    state_done(s->table);
    return st;
}

/* --- taking up --------------------------------------------------------------------------------------------------- */
/* Rows of the stage into the places of their keys: of all keys but the last, which may have more, or some of that one. */
static enum status stage_feed(struct op_cx *cx, struct hash_dedup *s)
{
    uint32_t whole = hashed_rows_whole(&s->beyond), n = whole > 0 ? whole : s->beyond.stage->count - 1;
    struct batch view = hashed_rows_view(&s->beyond, n);

    TRY(rows_take(cx, s, &view, STATE_INSERT));
    s->is_whole = whole > 0;
    batch_clear(s->keys);
    if (s->is_whole) batch_append(s->keys, &view, s->unique.rows, s->unique.count);
    s->fed = n;
    s->is_fed = true;
    return S_OK;
}

static enum status keys_give_and_forget(struct op_cx *cx, struct hash_dedup *s)
{
    uint64_t all[BATCH_ROWS / 64];

    batch_hash(s->keys, cx->plan->keys[0], cx->plan->key_count[0], s->hashes);
    struct state_keys keys = state_keys_of(s->keys, cx->plan->keys[0], cx->plan->key_count[0], s->hashes);
    TRY(state_resolve(s->table, 0, &keys, STATE_UPDATE, s->rows, NULL));
    keys_give(cx, s);
    memset(all, 0xff, sizeof all);
    state_remove(s->table, all);
    state_done(s->table);
    return S_OK;
}

/* Some of the rows that were put aside. S_OK: there are no more. */
static enum status take_up(struct op_cx *cx, struct hash_dedup *s)
{
    TRY(hashed_rows_next(&s->beyond));
    if (s->beyond.stage->count == 0) return S_OK;
    if (!s->is_fed) TRY(stage_feed(cx, s));
    if (s->is_whole) TRY(keys_give_and_forget(cx, s));
    hashed_rows_take(&s->beyond, s->fed);
    s->is_fed = false;
    return S_MORE;
}

static enum status hash_dedup_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct hash_dedup *s = self;

    ASSERT(input == 0);
    if (s->beyond.count > 0 && !s->is_over) {
        TRY(take_up(cx, s));
        s->is_over = true;
    }
    return walk_on(cx, s);
}

const struct op_type op_hash_deduplicate = {
    .name = "hash_deduplicate",
    .doc = "SQL in batch mode: the first or the last row of each key, by time, when the input has ended",
    .example = "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder ORDER BY ts DESC) AS n FROM bids) WHERE n = 1",
    .flags = OP_SELECTION | OP_FORMS | OP_AT_END | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct hash_dedup_config),
    .config_fields = hash_dedup_config_fields,
    .instance_size = sizeof(struct hash_dedup),
    .derive = hash_dedup_derive,
    .needs = hash_dedup_needs,
    .open = hash_dedup_open,
    .on_batch = hash_dedup_on_batch,
    .on_end = hash_dedup_on_end,
    .close = hash_dedup_close,
};
