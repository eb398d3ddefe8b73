/* op_group_aggregate.c - SQL's GROUP BY over a changelog: aggregates per key, and for every key that a batch touches the change of
 * its row: +I when it is new, -U and +U when a value changed, -D when its last row is gone.
 *
 * A stretch of rows is taken at once. The accumulators of its keys are copied, the rows applied, and then old and new ones stand in
 * one list, as the changes are emitted: the result hooks run once over that list. Updates that change nothing, and -U that nobody
 * needs, are left out by a selection. A stretch ends where the output is full; with emit_every also before a key comes again, so
 * that each row has its change, as in Flink without mini-batch.
 *
 * State: the key's number of rows, then the words of the calls (agg.h), then the values of calls that keep one; what others keep
 * (group_keep.h) lies in tables of their own. Values that are kept are not copied before: their results before the stretch are written
 * before it is applied, those behind it after. */
#include "flow/operator/group_alive.h"
#include "flow/operator/group_calls.h"

#include <string.h>

/* Keys of a stretch, in the order in which they came. */
struct group_key {
    void *row;
    uint32_t first;  /* row of the selected rows that brought it */
    uint32_t number; /* of the batch's keys */
    bool is_new;
    bool restarts; /* its group went and came again within the batch */
};

struct group_aggregate {
    struct group_call *calls;
    uint32_t call_count;
    struct state_def def;
    struct state_table *table;
    struct batch *out;
    char *old; /* accumulators of the keys before the stretch */
    char *parts; /* merges: of the rows of a stretch, in the form of accumulators; else NULL */
    uint32_t words;
    uint32_t done, generation, key_count;
    bool is_resolved, skips_same;
    bool narrows; /* only rows of `alive` count, of the batch at hand */
    struct group_alive alive;
    struct group_firsts unique; /* the batch's keys */
    void *rows[BATCH_ROWS]; /* by row of the batch */
    struct group_key keys[BATCH_ROWS];
    uint32_t seen[BATCH_ROWS]; /* by number of the key: the generation that it was in last */
    /* what is emitted */
    void *acc[BATCH_ROWS + 2];
    uint16_t numbers[BATCH_ROWS + 2], selection[BATCH_ROWS + 2];
    uint16_t firsts[BATCH_ROWS + 2]; /* the selected row that brought the key */
};

static const struct config_field group_config_fields[] = {
    GROUP_CALLS_FIELDS(0),
    CONFIG_FIELD(group_config, merges, CONF_BOOL, "the input has partial results: the keys, then words"),
    CONFIG_FIELD(group_config, types, CONF_TEXTS, "types of arguments, of partial results; empty: COUNT(*)"),
    CONFIG_FIELD(group_config, emit_before, CONF_BOOL, "updates come with the row before"),
    CONFIG_FIELD(group_config, emit_every, CONF_BOOL, "every row makes a change, not every batch"),
    CONFIG_FIELD(group_config, retracts, CONF_BOOL, "rows may be taken back"),
    CONFIG_FIELD(group_config, ttl_ms, CONF_INT, "ms until an untouched group is forgotten; 0: never"),
    CONFIG_LAST,
};

/* --- opening ----------------------------------------------------------------------------------------------------- */
static enum status group_open(struct op_cx *cx, void *self)
{
    const struct group_config *c = cx->config;
    struct group_aggregate *s = self;
    uint32_t words = 1, rows = MAX(cx->batch_rows, 2u);

    s->call_count = c->functions.count;
    TRY(group_calls_read(cx->plan->arena, cx->plan, c, &s->calls, cx->err));
    for (uint32_t i = 0; i < s->call_count; i++) words += s->calls[i].agg.words;
    s->def = (struct state_def){.name = "groups",
                                .version = 1,
                                .shape = STATE_MAP,
                                .key = type_row_of(cx->plan->arena, cx->plan->inputs[0], cx->plan->keys[0], cx->plan->key_count[0]),
                                .value = group_home_row(cx->plan->arena, c, s->calls, c->retracts),
                                .upgrade = STATE_UPGRADE_PARTS,
                                .ttl = state_ttl_of(c->ttl_ms)};
    s->skips_same = c->ttl_ms == 0; /* an update that changes nothing keeps the row alive further down */
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    for (uint32_t i = 0; i < s->call_count; i++)
        if (group_keep_is_one(&s->calls[i].agg, c->retracts)) s->calls[i].home.table = s->table;
    for (uint32_t i = 0; i < s->call_count; i++)
        s->calls[i].agg.offset = s->table->value.fields[s->calls[i].first_field < words ? s->calls[i].first_field : 0].offset;
    s->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, rows, cx->mem);
    s->old = mem_alloc(cx->mem, (size_t)s->table->value.size * rows);
    s->words = words;
    if (c->merges) s->parts = mem_alloc(cx->mem, (size_t)s->table->value.size * BATCH_ROWS);
    return group_calls_open(cx, c, s->calls, s->call_count, 0, &s->def, false);
}

static void group_close(struct op_cx *cx, void *self, bool failed)
{
    struct group_aggregate *s = self;

    (void)failed;
    if (s->calls != NULL) group_calls_close(cx, s->calls, s->call_count);
    state_close(s->table);
    batch_free(s->out);
    mem_free(cx->mem, s->old);
    mem_free(cx->mem, s->parts);
}

/* --- a stretch of rows ------------------------------------------------------------------------------------------- */
static enum status resolve(struct op_cx *cx, struct group_aggregate *s, const struct batch *in)
{
    const struct group_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS];
    void *found[BATCH_ROWS];
    uint32_t rows = batch_rows(in);
    bool may_miss = c->retracts && !c->merges && in->kinds != NULL;

    if (s->is_resolved) return S_OK;
    batch_hash(in, p->keys[0], p->key_count[0], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], hashes);
    group_firsts_find(&s->unique, &keys);
    TRY(state_resolve(s->table, 0, &s->unique.keys, STATE_INSERT, found, NULL));
    for (uint32_t i = 0; i < rows; i++) s->rows[i] = found[s->unique.key_of[i]];
    s->narrows = may_miss && group_alive_find(&s->alive, in, &s->unique, found, s->rows, s->table->value.fields[0].offset, c->emit_every);
    if (s->narrows) {
        in = &s->alive.view;
        keys.count = batch_rows(in);
    }
    TRY(group_calls_resolve(s->calls, s->call_count, 0, in, &keys, &s->unique, s->narrows ? s->alive.restarts : NULL, s->rows));
    s->is_resolved = true;
    return S_OK;
}

static int64_t *row_count(const struct group_aggregate *s, void *row) { return state_word(row, s->table->value.fields[0].offset); }

/* Collects the keys of a stretch from row s->done on; answers its length. */
static uint32_t stretch_begin(struct group_aggregate *s, uint32_t rows, bool every)
{
    uint32_t i = s->done, room = s->out->capacity / 2;

    s->generation++;
    s->key_count = 0;
    for (; i < rows; i++) {
        void *row = s->rows[i];
        uint32_t number = s->unique.key_of[i];
        bool is_seen = s->seen[number] == s->generation;
        if (is_seen && !every) continue;
        if (is_seen || s->key_count == room) break;
        s->seen[number] = s->generation;
        memcpy(s->old + (size_t)s->key_count * s->table->value.size, row, s->table->value.size);
        bool restarts = s->narrows && bit_get(s->alive.restarts, number);
        s->keys[s->key_count++] = (struct group_key){row, i, number, *row_count(s, row) == 0, restarts};
        if (restarts) {
            bit_clear(s->alive.restarts, number);
            memset(row, 0, s->table->value.size);
        }
    }
    return i - s->done;
}

static void rows_count(struct group_aggregate *s, const struct batch *in, uint32_t n)
{
    for (uint32_t i = s->done; i < s->done + n; i++) {
        enum row_kind kind = batch_kind(in, batch_row(in, i));
        int64_t *count = row_count(s, s->rows[i]);
        if (kind == ROW_INSERT || kind == ROW_UPDATE_AFTER) (*count)++;
        else if (*count > 0) (*count)--;
    }
}

/* Rows that are parts of groups: their words lie in columns. */
static enum status parts_add(struct op_cx *cx, struct group_aggregate *s, const struct batch *in, uint32_t n)
{
    uint32_t keys = cx->plan->key_count[0];
    size_t size = s->table->value.size;
    void *other[BATCH_ROWS];

    for (uint32_t i = 0; i < n; i++) other[i] = s->parts + i * size;
    for (uint32_t w = 0; w < s->words; w++) {
        const struct vector *v = &in->cols[keys + w];
        uint32_t offset = s->table->value.fields[w].offset;
        for (uint32_t i = 0; i < n; i++)
            *state_word(other[i], offset) = VECTOR_VALUES(v, int64_t)[vector_at(v, batch_row(in, s->done + i))];
    }
    TRY(group_calls_merge(s->calls, s->call_count, s->rows + s->done, other, n));
    TRY(group_calls_merge_values(s->calls, s->call_count, in, s->rows, s->done + n));
    for (uint32_t k = 0; k < s->key_count; k++) /* nothing is taken back from nothing */
        *row_count(s, s->keys[k].row) = MAX(*row_count(s, s->keys[k].row), 0);
    return S_OK;
}

/* --- emitting ---------------------------------------------------------------------------------------------------- */
static void put(struct group_aggregate *s, void *acc, enum row_kind kind, uint32_t number, uint32_t first)
{
    uint32_t n = s->out->count++;

    s->acc[n] = acc;
    s->out->kinds[n] = (uint8_t)kind;
    s->numbers[n] = (uint16_t)number;
    s->firsts[n] = (uint16_t)first;
}

static void out_clear(struct group_aggregate *s)
{
    batch_clear(s->out);
    s->out->sel = NULL;
    batch_use_kinds(s->out);
}

static void changes_list(struct group_aggregate *s, const struct batch *in)
{
    for (uint32_t k = 0; k < s->key_count; k++) {
        const struct group_key *key = &s->keys[k];
        char *old = s->old + (size_t)k * s->table->value.size;
        uint32_t number = batch_row(in, key->first);
        bool is_gone = *row_count(s, key->row) == 0;
        if (!key->is_new) put(s, old, is_gone ? ROW_DELETE : ROW_UPDATE_BEFORE, number, key->first);
        if (!is_gone) put(s, key->row, key->is_new ? ROW_INSERT : ROW_UPDATE_AFTER, number, key->first);
    }
}

/* Results of values that are kept, as things stand: of the rows before, or of those after. */
static void kept_fill(struct op_cx *cx, struct group_aggregate *s, bool before)
{
    uint32_t keys = cx->plan->key_count[0];

    for (uint32_t c = 0; c < s->call_count; c++) {
        if (s->calls[c].keep == NULL || s->out->cols[keys + c].form == VEC_ABSENT) continue;
        for (uint32_t i = 0; i < s->out->count; i++) {
            bool is_before = s->out->kinds[i] == ROW_UPDATE_BEFORE || s->out->kinds[i] == ROW_DELETE;
            if (is_before == before) group_keep_result(s->calls[c].keep, s->firsts[i], s->out, keys + c, i);
        }
    }
}

static void columns_fill(struct op_cx *cx, struct group_aggregate *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint32_t keys = p->key_count[0], n = s->out->count;

    for (uint32_t i = 0; i < keys; i++)
        if (s->out->cols[i].form != VEC_ABSENT)
            vector_copy(&s->out->cols[i], 0, &in->cols[p->keys[0][i]], s->numbers, n, &s->out->heap, s->out->mem);
    for (uint32_t c = 0; c < s->call_count; c++)
        if (s->out->cols[keys + c].form != VEC_ABSENT && s->calls[c].keep == NULL)
            group_call_results(&s->calls[c], s->acc, n, s->out, keys + c, 0);
}

static bool is_same(const struct group_aggregate *s, uint32_t keys, uint32_t before, uint32_t after)
{
    for (uint32_t c = keys; c < s->out->col_count; c++) {
        const struct vector *v = &s->out->cols[c];
        if (v->form != VEC_ABSENT && vector_compare(v, before, v, after) != 0) return false;
    }
    return true;
}

/* What the groups kept that went: their results are written. */
static void restarts_clear(struct group_aggregate *s)
{
    for (uint32_t k = 0; s->narrows && k < s->key_count; k++)
        for (uint32_t c = 0; s->keys[k].restarts && c < s->call_count; c++)
            if (s->calls[c].keep != NULL) group_keep_clear(s->calls[c].keep, s->keys[k].first);
}

/* Leaves out updates that change nothing, and rows before updates that nobody needs. */
static void changes_select(struct group_aggregate *s, uint32_t keys, bool emit_before)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->out->count; i++) {
        if (s->out->kinds[i] == ROW_UPDATE_BEFORE) {
            if (s->skips_same && is_same(s, keys, i, i + 1)) i++;
            else if (emit_before) s->selection[n++] = (uint16_t)i;
            continue;
        }
        s->selection[n++] = (uint16_t)i;
    }
    if (n == s->out->count) return;
    s->out->sel = s->selection;
    s->out->sel_count = n;
}

/* Parts of one group may come in two batches: what values that are still to be taken back are taken from must be there until then. */
static bool has_values(const struct group_aggregate *s, void *row)
{
    bool has = false;

    for (uint32_t c = 0; c < s->call_count && s->parts != NULL; c++)
        for (uint32_t w = 0; s->calls[c].is_distinct && w < s->calls[c].agg.words; w++)
            has |= *state_word(row, s->table->value.fields[s->calls[c].first_field + w].offset) != 0;
    return has;
}

static void groups_end(struct group_aggregate *s)
{
    for (uint32_t k = 0; k < s->key_count; k++) {
        bool is_gone = *row_count(s, s->keys[k].row) == 0 && !has_values(s, s->keys[k].row);
        if (is_gone) state_erase(s->table, s->keys[k].number);
        else state_write(s->table, s->keys[k].number);
        for (uint32_t c = 0; is_gone && c < s->call_count; c++) {
            if (s->calls[c].keep != NULL) group_keep_clear(s->calls[c].keep, s->keys[k].first);
            if (s->calls[c].distinct != NULL) group_distinct_clear(s->calls[c].distinct, s->keys[k].number);
        }
    }
}

/* Keys that only took back from nothing: state was made for them. */
static void nothing_erase(struct group_aggregate *s)
{
    for (uint32_t k = 0; k < s->unique.count; k++)
        if (!bit_get(s->alive.counted, k)) state_erase(s->table, k);
}

static enum status batch_done(struct group_aggregate *s)
{
    group_calls_done(s->calls, s->call_count);
    if (s->narrows) nothing_erase(s);
    state_done(s->table);
    s->done = 0;
    s->is_resolved = false;
    return S_OK;
}

static enum status group_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct group_config *c = cx->config;
    struct group_aggregate *s = self;

    ASSERT(input == 0);
    TRY(resolve(cx, s, in));
    if (s->narrows) in = &s->alive.view;
    uint32_t rows = batch_rows(in);
    ASSERT(s->done <= rows);
    out_clear(s);
    uint32_t n = stretch_begin(s, rows, c->emit_every);
    if (c->merges) TRY(parts_add(cx, s, in, n));
    else rows_count(s, in, n);
    changes_list(s, in);
    kept_fill(cx, s, true);
    restarts_clear(s);
    if (!c->merges) TRY(group_calls_apply(s->calls, s->call_count, in, s->rows, s->done, n));
    kept_fill(cx, s, false);
    columns_fill(cx, s, in);
    TRY(group_calls_check(s->calls, s->call_count));
    changes_select(s, cx->plan->key_count[0], c->emit_before);
    groups_end(s);
    if (batch_rows(s->out) > 0) op_forward(cx, 0, s->out);
    s->done += n;
    return s->done < rows ? S_MORE : batch_done(s);
}

const struct op_type op_group_aggregate = {
    .name = "group_aggregate",
    .doc = "SQL: aggregates per group of a changelog, and the changes of their rows",
    .example = "SELECT bidder, COUNT(*) FROM bids GROUP BY bidder",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct group_config),
    .config_fields = group_config_fields,
    .instance_size = sizeof(struct group_aggregate),
    .derive = group_calls_derive,
    .needs = group_calls_needs,
    .open = group_open,
    .on_batch = group_on_batch,
    .close = group_close,
};
