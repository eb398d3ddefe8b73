/* op_join_temporal.c - SQL's event-time temporal join: each left row beside the version of the right row of its key that was the
 * latest at the left row's time.
 *
 * Right rows are versions, key -> row by time; one that is deleted leaves a version that says so. Left rows wait, by time too, until
 * the watermark has reached them: then no earlier version can come but a late one. Each time of either side has a timer of its key.
 * When it is due, a block of waiting rows is taken, the versions of all are found by one ranged scan that goes back one row, and
 * pairs come out by key, time and as the left rows came. Then versions behind the latest one at the watermark are forgotten.
 *
 * Kinds of changes are those of the left row; -U of the right side says nothing that the row behind it does not. Each block is a
 * unit: it asks for all state that may be pending, then removes what it took, and ends its batch of state.
 *
 * Invariants: state of rows that wait is never scanned beyond the watermark. Not here: processing time, time to live. */
#include "flow/operator/computed.h"
#include "flow/operator/join_pairs.h"
#include "flow/operator/join_temporal.h"
#include "flow/operator/row_time.h"
#include "flow/state/timer.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <string.h>

static const struct config_field join_temporal_config_fields[] = {
    CONFIG_FIELD(join_temporal_config, kind, CONF_TEXT, "inner, left"),
    CONFIG_FIELD(join_temporal_config, names, CONF_TEXTS, "names of the columns of both sides"),
    CONFIG_FIELD(join_temporal_config, condition, CONF_BYTES,
                 "an encoded BOOLEAN expression over both sides; empty: none"),
    CONFIG_FIELD(join_temporal_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_FIELD(join_temporal_config, null_safe, CONF_TEXTS, "per key: true when NULL equals NULL; empty: never"),
    CONFIG_FIELD(join_temporal_config, left_time, CONF_TEXT, "column with the left rows' time"),
    CONFIG_FIELD(join_temporal_config, right_time, CONF_TEXT, "column with the time from which a right row holds"),
    CONFIG_LAST,
};

/* state_element.matches: the kind of a left row; whether a right row is there. */
struct side {
    struct state_def def;
    struct state_table *table;
    struct state_probe sort_keys;
    uint32_t col_count, *cols;
    int *fields;
    int time_col;
};

struct join_temporal {
    struct join_plan plan;
    struct side sides[2];
    struct timers *timers;
    struct expr_run *condition;
    struct batch *out, *tested;
    /* The batch, or the keys, in work. */
    uint64_t hashes[BATCH_ROWS], no_key[BATCH_ROWS / 64];
    int64_t times[BATCH_ROWS];
    void *heads[2][BATCH_ROWS], *rows[BATCH_ROWS];
    /* Keys whose time has come. */
    struct batch *keys;
    int64_t *due;
    uint32_t cols[OP_KEYS_MAX], count;
    bool taken, versions_left; /* versions_left: all rows have come out, old versions are to be forgotten */
    const void *seen[2 * BATCH_ROWS]; /* heads of the keys in work, by address */
    struct state_hits waiting, versions;
    void *left[BATCH_ROWS], *right[BATCH_ROWS]; /* rows of the block */
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static struct join_spec spec_of(const struct join_temporal_config *c)
{
    return (struct join_spec){
        .kind = c->kind, .names = c->names, .condition = c->condition, .zone = c->zone, .keeps_times = true};
}

static enum status join_temporal_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct join_temporal_config *c = config;
    struct join_spec spec = spec_of(c);
    struct join_plan plan;
    int col;

    TRY(row_time_column(p, 0, c->left_time, &col, e));
    TRY(row_time_column(p, 1, c->right_time, &col, e));
    TRY(join_plan_derive(p, &spec, &plan, e));
    if (plan.kind->pairs && !plan.kind->alone[1]) return S_OK;
    return err_set(e, E_CONFIG, "a temporal join is inner or left");
}

static void join_temporal_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                                uint64_t *const *inputs)
{
    const struct join_temporal_config *c = config;
    struct join_spec spec = spec_of(c);
    struct join_plan plan;
    int col;

    if (join_plan_read(p, &spec, &plan, NULL) != S_OK) return;
    for (uint32_t side = 0; side < 2; side++) {
        join_columns_read(&plan, side, p->inputs[side]->child_count, outputs[0], inputs[side]);
        for (uint32_t i = 0; i < p->key_count[side]; i++) bit_set(inputs[side], p->keys[side][i]);
        if (row_time_column(p, side, side == 0 ? c->left_time : c->right_time, &col, NULL) == S_OK)
            bit_set(inputs[side], (uint32_t)col);
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static enum status side_open(struct op_cx *cx, struct join_temporal *s, uint32_t input)
{
    static const char *const names[] = {"time"};
    const struct join_temporal_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct side *side = &s->sides[input];
    uint32_t count = p->inputs[input]->child_count;
    uint64_t *kept = ARENA_ARRAY(p->arena, uint64_t, count / 64 + 1);
    const struct type *time[] = {type_new(p->arena, T_BIGINT, 0, 0, false)};

    join_columns_read(&s->plan, input, count, cx->needed_out != NULL ? cx->needed_out[0] : NULL, kept);
    TRY(row_time_column(p, input, input == 0 ? c->left_time : c->right_time, &side->time_col, cx->err));
    side->def = (struct state_def){
        .name = input == 0 ? "left" : "versions",
        .version = 1,
        .upgrade = STATE_UPGRADE_COLUMNS,
        .shape = STATE_ORDERED,
        .sort_unique = input == 1,
        .key = join_key_row(p, input),
        .sort_key = type_row(p->arena, 1, names, time, false),
        .value = join_columns_kept(p->arena, p->inputs[input], kept, &side->cols, &side->fields)};
    side->col_count = side->def.value->child_count;
    TRY(state_open(cx->state, &side->def, &side->table, cx->err));
    return state_probe_init(&side->sort_keys, side->def.sort_key, cx->mem, cx->err);
}

static void condition_open(struct op_cx *cx, struct join_temporal *s)
{
    uint32_t count = s->plan.both->child_count;
    uint64_t *read = ARENA_ARRAY(cx->plan->arena, uint64_t, count / 64 + 1);

    if (s->plan.condition == NULL) return;
    expr_columns(s->plan.condition, read);
    s->condition = computed_evaluator(cx, &s->plan.session, s->plan.condition);
    s->tested = batch_create_needed(s->plan.both, read, BATCH_ROWS, cx->mem);
}

static enum status join_temporal_open(struct op_cx *cx, void *self)
{
    struct join_spec spec = spec_of(cx->config);
    struct join_temporal *s = self;

    TRY(join_plan_read(cx->plan, &spec, &s->plan, cx->err));
    for (uint32_t side = 0; side < 2; side++) TRY(side_open(cx, s, side));
    TRY(timers_create(cx->state, "event", s->sides[0].def.key, &s->timers, cx->err));
    condition_open(cx, s);
    s->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL,
                                 cx->batch_rows, cx->mem);
    s->keys = batch_create(s->sides[0].def.key, cx->batch_rows, cx->mem);
    s->due = mem_alloc(cx->mem, sizeof *s->due * cx->batch_rows);
    for (uint32_t k = 0; k < OP_KEYS_MAX; k++) s->cols[k] = k;
    return S_OK;
}

static void join_temporal_close(struct op_cx *cx, void *self, bool failed)
{
    struct join_temporal *s = self;

    (void)failed;
    timers_free(s->timers);
    for (uint32_t i = 0; i < 2; i++) {
        state_close(s->sides[i].table);
        if (s->sides[i].sort_keys.mem != NULL) state_probe_release(&s->sides[i].sort_keys);
    }
    expr_run_free(s->condition);
    batch_free(s->tested);
    batch_free(s->out);
    batch_free(s->keys);
    mem_free(cx->mem, s->due);
}

/* --- a batch: its rows are kept ---------------------------------------------------------------------------------- */
static enum status times_find(struct op_cx *cx, struct join_temporal *s, uint32_t input, const struct batch *in)
{
    const struct vector *v = &in->cols[s->sides[input].time_col];

    BATCH_EACH(in, i, row)
    {
        if (vector_is_null(v, row))
            return row_time_missing(cx, in, row);
        s->times[i] = VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)];
    }
    return S_OK;
}

/* A row that nothing can meet is not kept: but a left row of a LEFT join, which comes alone. */
static void kept_find(struct join_temporal *s, uint32_t input, const struct batch *in)
{
    BATCH_EACH(in, i, row)
    {
        bool waits = input == 0 && (s->plan.kind->alone[0] || !bit_get(s->no_key, i));
        bool holds = input == 1 && !bit_get(s->no_key, i) && batch_kind(in, row) != ROW_UPDATE_BEFORE;
        if (!waits && !holds) s->heads[input][i] = NULL;
    }
}

static void rows_store(struct join_temporal *s, uint32_t input, const struct batch *in)
{
    struct side *side = &s->sides[input];
    uint16_t numbers[BATCH_ROWS];

    BATCH_EACH(in, i, row)
    {
        enum row_kind kind = batch_kind(in, row);
        numbers[i] = (uint16_t)row;
        if (s->rows[i] == NULL) continue;
        state_element_of(side->table, s->rows[i])->matches = input == 0 ? kind : kind != ROW_DELETE;
    }
    for (uint32_t f = 0; f < side->col_count; f++)
        state_rows_store(side->table, 0, s->rows, batch_rows(in), f, &in->cols[side->cols[f]], numbers);
}

/* Of the rows that were taken in. */
static enum status timers_set(struct join_temporal *s, uint32_t input, const struct state_keys *keys)
{
    struct state_keys some = *keys;
    uint16_t taken[BATCH_ROWS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < keys->count; i++) {
        if (s->rows[i] == NULL) continue;
        state_row_write(s->sides[input].table, 0, s->heads[input][i], s->rows[i]);
        taken[n] = keys->sel != NULL ? keys->sel[i] : (uint16_t)i;
        s->hashes[n] = s->hashes[i];
        s->times[n++] = MAX(s->times[i], TIMER_FIRST);
    }
    some.sel = taken;
    some.count = n;
    return n > 0 ? timers_register(s->timers, &some, s->times) : S_OK;
}

static enum status join_temporal_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct join_temporal_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct join_temporal *s = self;
    struct side *side = &s->sides[input];

    ASSERT(input < 2);
    TRY(times_find(cx, s, input, in));
    batch_hash(in, p->keys[input], p->key_count[input], s->hashes);
    struct state_keys keys = state_keys_of(in, p->keys[input], p->key_count[input], s->hashes);
    join_no_keys(p, &c->null_safe, input, in, s->no_key);
    TRY(state_resolve(side->table, 0, &keys, STATE_RESERVE, s->heads[input], NULL));
    kept_find(s, input, in);
    struct vector times = {.phys = P_I64, .form = VEC_FLAT, .data = s->times};
    struct batch b = {.cols = &times, .col_count = 1, .count = keys.count, .capacity = BATCH_ROWS};
    state_probe_fill(&side->sort_keys, &b, NULL, NULL, keys.count);
    TRY(state_ordered_insert(side->table, 0, s->heads[input], &side->sort_keys, s->rows, NULL));
    rows_store(s, input, in);
    TRY(timers_set(s, input, &keys));
    state_done(side->table);
    return S_OK;
}

/* --- rows whose time has come ------------------------------------------------------------------------------------ */
static enum status timers_take(struct join_temporal *s, int64_t watermark)
{
    batch_clear(s->keys);
    s->count = 0;
    enum status st = timers_due(s->timers, watermark, s->keys, NULL, s->due, &s->count);
    if (st != S_OK && st != S_MORE) return st;
    s->taken = s->count > 0;
    s->versions_left = false;
    return S_OK;
}

/* A key that is due at several times has its head once. */
static void heads_once(struct join_temporal *s)
{
    memset(s->seen, 0, sizeof s->seen);
    for (uint32_t i = 0; i < s->count; i++) {
        const void *head = s->heads[0][i] != NULL ? s->heads[0][i] : s->heads[1][i];
        uint32_t at = (uint32_t)(mix64((uintptr_t)head) % COUNT_OF(s->seen));
        if (head == NULL) continue;
        while (s->seen[at] != NULL && s->seen[at] != head) at = (at + 1) % (uint32_t)COUNT_OF(s->seen);
        if (s->seen[at] == head) s->heads[0][i] = s->heads[1][i] = NULL;
        s->seen[at] = head;
    }
}

static enum status heads_resolve(struct join_temporal *s)
{
    uint32_t cols = s->sides[0].def.key->child_count;

    batch_hash(s->keys, s->cols, cols, s->hashes);
    struct state_keys keys = state_keys_of(s->keys, s->cols, cols, s->hashes);
    for (uint32_t i = 0; i < 2; i++) TRY(state_resolve(s->sides[i].table, 0, &keys, STATE_UPDATE, s->heads[i], NULL));
    heads_once(s);
    return S_OK;
}

static int64_t time_of(const struct side *side, const void *row)
{
    return *state_word(state_extra(side->table, row), side->table->extra.fields[0].offset);
}

/* The first rows that wait, as many as go out at once. */
static enum status waiting_find(struct op_cx *cx, struct join_temporal *s, int64_t watermark)
{
    struct state_scan scan = {0};
    struct state_range range = {.to_word = s->times};

    for (uint32_t i = 0; i < s->count; i++) s->times[i] = watermark;
    enum status st = state_ordered_scan(s->sides[0].table, 0, s->heads[0], s->count, &range, &scan, &s->waiting);
    if (st != S_OK && st != S_MORE) return st;
    s->waiting.count = MIN(s->waiting.count, cx->batch_rows);
    return S_OK;
}

/* versions: the latest one at times[i] of the key of each of `count` heads, as hits. */
static enum status versions_find(struct join_temporal *s, void *const *heads, uint32_t count)
{
    struct state_scan scan = {0};
    struct state_range range = {.to_word = s->times, .descending = true, .limit = 1};
    enum status st = state_ordered_scan(s->sides[1].table, 0, heads, count, &range, &scan, &s->versions);

    ASSERT(st != S_MORE); /* one for each */
    return st;
}

static void pairs_fill(struct join_temporal *s, void *const *left, void *const *right, uint32_t n, struct batch *out)
{
    for (uint32_t c = 0; c < out->col_count; c++) {
        uint32_t side = c >= s->plan.left, col = side == 0 ? c : c - s->plan.left;
        if (out->cols[c].form == VEC_ABSENT) continue;
        state_rows_load(s->sides[side].table, (const void *const *)(side == 0 ? left : right), n,
                        (uint32_t)s->sides[side].fields[col], &out->cols[c], 0, &out->heap, out->mem);
    }
    out->count = n;
}

/* right[i] becomes NULL where the condition does not take the pair. */
static enum status pairs_test(struct op_cx *cx, struct join_temporal *s, uint32_t n)
{
    uint16_t with[BATCH_ROWS], taken[BATCH_ROWS];
    void *left[BATCH_ROWS], *right[BATCH_ROWS];
    uint32_t count = 0, passed = 0;

    if (s->condition == NULL) return S_OK;
    for (uint32_t i = 0; i < n; i++) {
        if (s->right[i] == NULL) continue;
        left[count] = s->left[i];
        right[count] = s->right[i];
        with[count++] = (uint16_t)i;
    }
    if (count == 0) return S_OK;
    batch_clear(s->tested);
    pairs_fill(s, left, right, count, s->tested);
    TRY(expr_select(s->condition, s->tested, sys_wall_ms(cx->sys), taken, &passed, cx->err));
    for (uint32_t i = 0, k = 0; i < count; i++) {
        if (k < passed && taken[k] == i)
            k++;
        else
            s->right[with[i]] = NULL;
    }
    return S_OK;
}

/* The block goes out, and is no longer kept. */
static void block_emit(struct op_cx *cx, struct join_temporal *s)
{
    struct side *left = &s->sides[0];
    uint32_t n = 0;

    batch_clear(s->out);
    batch_use_kinds(s->out);
    for (uint32_t i = 0; i < s->waiting.count; i++) {
        state_row_remove(left->table, 0, s->heads[0][s->waiting.key[i]], s->left[i]);
        if (s->right[i] == NULL && !s->plan.kind->alone[0]) continue;
        s->out->kinds[n] = (uint8_t)state_element_of(left->table, s->left[i])->matches;
        s->left[n] = s->left[i];
        s->right[n++] = s->right[i];
    }
    if (n == 0) return;
    pairs_fill(s, s->left, s->right, n, s->out);
    op_forward(cx, 0, s->out);
}

static enum status block_join(struct op_cx *cx, struct join_temporal *s)
{
    void *heads[BATCH_ROWS];
    uint32_t n = s->waiting.count;

    for (uint32_t i = 0; i < n; i++) {
        heads[i] = s->heads[1][s->waiting.key[i]];
        s->left[i] = s->waiting.row[i];
        s->right[i] = NULL;
        s->times[i] = time_of(&s->sides[0], s->left[i]);
    }
    TRY(versions_find(s, heads, n));
    for (uint32_t i = 0; i < s->versions.count; i++)
        if (state_element_of(s->sides[1].table, s->versions.row[i])->matches != 0)
            s->right[s->versions.key[i]] = s->versions.row[i];
    TRY(pairs_test(cx, s, n));
    block_emit(cx, s);
    return S_OK;
}

/* Of the versions up to the watermark only the latest can still be met. */
static enum status versions_forget(struct join_temporal *s, int64_t watermark)
{
    struct state_range range = {.to_word = s->times, .to_open = true};

    for (uint32_t i = 0; i < s->count; i++) s->times[i] = watermark;
    TRY(versions_find(s, s->heads[1], s->count));
    for (uint32_t k = 0; k < s->versions.count; k++) {
        uint32_t i = s->versions.key[k];
        s->times[i] = time_of(&s->sides[1], s->versions.row[k]);
        (void)state_ordered_remove(s->sides[1].table, 0, s->heads[1][i], &range, i);
    }
    return S_OK;
}

static enum status join_temporal_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct join_temporal *s = self;

    if (!s->taken) TRY(timers_take(s, watermark));
    if (!s->taken) return S_OK;
    TRY(heads_resolve(s));
    if (!s->versions_left) {
        TRY(waiting_find(cx, s, watermark));
        s->versions_left = s->waiting.count == 0;
    }
    TRY(s->versions_left ? versions_forget(s, watermark) : block_join(cx, s));
    s->taken = !s->versions_left;
    for (uint32_t i = 0; i < 2; i++) state_done(s->sides[i].table);
    return S_MORE;
}

const struct op_type op_join_temporal = {
    .name = "join_temporal",
    .doc = "SQL: each row beside the version of another table's row that held at its time",
    .example = "SELECT * FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.currency = r.currency",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 2,
    .config_size = sizeof(struct join_temporal_config),
    .config_fields = join_temporal_config_fields,
    .instance_size = sizeof(struct join_temporal),
    .derive = join_temporal_derive,
    .needs = join_temporal_needs,
    .open = join_temporal_open,
    .on_batch = join_temporal_on_batch,
    .on_watermark = join_temporal_on_watermark,
    .close = join_temporal_close,
};
