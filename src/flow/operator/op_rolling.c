/* op_rolling.c - rolling aggregates of a keyed stream: sum, min and max keep the other columns of the key's first row, min_by
 * and max_by the whole row of the extreme; every input row emits the aggregate so far.
 *
 * Column by column, over the state rows of all keys of the batch (rolling.c does the aggregated one). State holds the
 * columns that somebody downstream reads, except the key's, which every row brings along. Of equal extremes the first
 * stays, as in Flink; with min_by_last and max_by_last (first = false) the latest.
 *
 * min_by and max_by: what a row emits is the best row before it, which lies in state or further up in this batch. A small
 * table by state row says which; columns are then copied in runs from the one or the other, and the winners that are left
 * at the end of the batch are stored. */
#include "flow/operator/op_configs.h"
#include "flow/operator/rolling.h"
#include "flow/state/state.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <string.h>

enum { SEEN_SLOTS = 2 * BATCH_ROWS, IN_STATE = UINT16_MAX };

static const char *const kind_names[] = {[ROLLING_SUM] = "sum",
                                         [ROLLING_MIN] = "min",
                                         [ROLLING_MAX] = "max",
                                         [ROLLING_MIN_BY] = "min_by",
                                         [ROLLING_MAX_BY] = "max_by",
                                         [ROLLING_MIN_BY_LAST] = "min_by_last",
                                         [ROLLING_MAX_BY_LAST] = "max_by_last"};

/* The latest winner of this batch per state row. */
struct seen {
    const void *row;
    uint32_t generation;
    uint16_t winner;
};

struct rolling {
    enum rolling_kind kind;
    uint32_t col;     /* aggregated column of the input; field 0 of the state */
    uint32_t *stored; /* input column of state field 1 + i */
    uint32_t stored_count;
    struct arena arena;
    struct state_def def;
    struct state_table *table;
    uint32_t done;
    bool is_resolved;
    void *rows[BATCH_ROWS];
    uint64_t created[BATCH_ROWS / 64];
    uint16_t numbers[BATCH_ROWS]; /* row numbers of the input */
    /* min_by, max_by */
    struct seen *seen;
    uint32_t generation;
    bool won[BATCH_ROWS];
    uint16_t source[BATCH_ROWS]; /* the input row that a row emits, or IN_STATE */
    void *part_rows[BATCH_ROWS];
    uint16_t part_numbers[BATCH_ROWS];
};

static bool kind_parse(const char *name, enum rolling_kind *out)
{
    for (uint32_t k = 0; k < COUNT_OF(kind_names); k++) {
        if (name == NULL || strcmp(name, kind_names[k]) != 0) continue;
        *out = (enum rolling_kind)k;
        return true;
    }
    return false;
}

/* --- graph time ------------------------------------------------------------------------------------------------------- */
static enum status rolling_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct rolling_config *c = config;
    enum rolling_kind kind;
    struct buf text;
    int col;

    if (!kind_parse(c->aggregate, &kind)) {
        err_set(e, E_GRAPH, "unknown rolling aggregate '%s'; there are sum, min, max, min_by, max_by, min_by_last, max_by_last",
                c->aggregate ? c->aggregate : "");
        return E_GRAPH;
    }
    col = op_plan_field(plan, 0, c->field ? c->field : "", e);
    if (col < 0) return E_GRAPH;
    plan->outputs[0] = plan->inputs[0];
    plan->output_count = 1;
    if (rolling_accepts(kind, plan->inputs[0]->children[col])) return S_OK;
    buf_init(&text, plan->arena->mem);
    type_print(plan->inputs[0]->children[col], &text);
    err_set(e, E_GRAPH, "%s of column '%s', which is %s", kind_names[kind], c->field, buf_text(&text));
    err_hint(e, kind == ROLLING_SUM ? "sums are of TINYINT to BIGINT, FLOAT and DOUBLE"
                                    : "compare plain values, not arrays, maps or rows");
    buf_release(&text);
    return E_GRAPH;
}

static void rolling_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs,
                          uint64_t *const *inputs)
{
    const struct rolling_config *c = config;

    for (uint32_t i = 0; i < plan->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    for (uint32_t k = 0; k < plan->key_count[0]; k++) bit_set(inputs[0], plan->keys[0][k]);
    bit_set(inputs[0], (uint32_t)type_field(plan->inputs[0], str_of(c->field)));
}

/* --- opening ----------------------------------------------------------------------------------------------------------- */
static bool is_key(const struct op_plan *plan, uint32_t col)
{
    for (uint32_t k = 0; k < plan->key_count[0]; k++)
        if (plan->keys[0][k] == col) return true;
    return false;
}

static bool is_read(const struct op_cx *cx, uint32_t col)
{
    return cx->needed_out == NULL || cx->needed_out[0] == NULL || bit_get(cx->needed_out[0], col);
}

static const struct type *row_of(struct arena *a, const struct type *in, const uint32_t *cols, uint32_t count,
                                 bool first_not_null)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, count);
    const char **names = ARENA_ARRAY(a, const char *, count);

    for (uint32_t i = 0; i < count; i++) {
        types[i] = i == 0 && first_not_null ? type_with_null(a, in->children[cols[0]], false) : in->children[cols[i]];
        names[i] = in->names[cols[i]];
    }
    return type_row(a, count, names, types, false);
}

static enum status rolling_open(struct op_cx *cx, void *self)
{
    const struct rolling_config *c = cx->config;
    const struct op_plan *plan = cx->plan;
    const struct type *in = plan->inputs[0];
    struct rolling *r = self;
    uint32_t *cols;

    arena_init(&r->arena, cx->mem, 1024);
    cols = ARENA_ARRAY(&r->arena, uint32_t, in->child_count + 1);
    if (!kind_parse(c->aggregate, &r->kind))
        return err_set(cx->err, E_CONFIG, "unknown rolling aggregate '%s'", c->aggregate);
    r->col = cols[0] = (uint32_t)type_field(in, str_of(c->field));
    r->stored = cols + 1;
    for (uint32_t i = 0; i < in->child_count; i++)
        if (i != r->col && !is_key(plan, i) && is_read(cx, i)) r->stored[r->stored_count++] = i;
    if (r->kind >= ROLLING_MIN_BY) r->seen = mem_zalloc(cx->mem, sizeof *r->seen * SEEN_SLOTS);
    r->def = (struct state_def){.name = kind_names[r->kind],
                                .version = 1,
                                .shape = STATE_MAP,
                                .key = row_of(&r->arena, in, plan->keys[0], plan->key_count[0], false),
                                .value = row_of(&r->arena, in, cols, 1 + r->stored_count, true)};
    return state_open(cx->state, &r->def, &r->table, cx->err);
}

static void rolling_close(struct op_cx *cx, void *self, bool failed)
{
    struct rolling *r = self;

    (void)failed;
    state_close(r->table);
    mem_free(cx->mem, r->seen);
    arena_release(&r->arena);
}

/* --- the batch ----------------------------------------------------------------------------------------------------------- */
static enum status nulls_refuse(struct op_cx *cx, const struct batch *in, uint32_t col, const char *what)
{
    const struct vector *v = &in->cols[col];

    if (vector_values(v)->validity == NULL) return S_OK;
    BATCH_EACH(in, i, row)
    {
        if (!vector_is_null(v, row)) continue;
        err_set(cx->err, E_DATA, "a row has NULL in the %s column '%s'", what, in->schema->names[col]);
        err_hint(cx->err, "remove such rows before it, for example with tw_filter");
        return E_DATA;
    }
    return S_OK;
}

static enum status rows_resolve(struct op_cx *cx, struct rolling *r, const struct batch *in)
{
    const struct op_plan *plan = cx->plan;
    uint64_t hashes[BATCH_ROWS];
    struct state_keys keys;

    if (r->is_resolved) return S_OK;
    for (uint32_t k = 0; k < plan->key_count[0]; k++) TRY(nulls_refuse(cx, in, plan->keys[0][k], "key"));
    TRY(nulls_refuse(cx, in, r->col, "aggregated"));
    batch_hash(in, plan->keys[0], plan->key_count[0], hashes);
    keys = state_keys_of(in, plan->keys[0], plan->key_count[0], hashes);
    TRY(state_resolve(r->table, 0, &keys, STATE_INSERT, r->rows, r->created));
    BATCH_EACH(in, i, row) r->numbers[i] = (uint16_t)row;
    r->is_resolved = true;
    return S_OK;
}

/* The columns of some rows into their state rows. */
static void columns_store(struct rolling *r, const struct batch *in, uint32_t count)
{
    for (uint32_t f = 0; f < r->stored_count && count > 0; f++)
        state_rows_store(r->table, 0, r->part_rows, count, 1 + f, &in->cols[r->stored[f]], r->part_numbers);
}

static void new_rows_store(struct rolling *r, const struct batch *in, uint32_t n)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (!bit_get(r->created, r->done + i)) continue;
        r->part_rows[count] = r->rows[r->done + i];
        r->part_numbers[count++] = r->numbers[r->done + i];
    }
    columns_store(r, in, count);
}

static void stored_load(struct rolling *r, uint32_t from, uint32_t count, uint32_t field, struct vector *v,
                        uint32_t first, struct batch *out)
{
    const void *const *rows = (const void *const *)(r->rows + from);

    state_rows_load(r->table, rows, count, 1 + field, v, first, &out->heap, out->mem);
}

static struct seen *seen_of(struct rolling *r, const void *row)
{
    uint32_t at = (uint32_t)(mix64((uintptr_t)row) % SEEN_SLOTS);

    while (r->seen[at].generation == r->generation && r->seen[at].row != row) at = (at + 1) % SEEN_SLOTS;
    if (r->seen[at].generation != r->generation)
        r->seen[at] = (struct seen){.row = row, .generation = r->generation, .winner = IN_STATE};
    return &r->seen[at];
}

/* Which row each row emits; answers how many winners are left, listed in part_rows and part_numbers. */
static uint32_t winners_find(struct rolling *r, uint32_t n)
{
    uint32_t count = 0;

    r->generation++;
    for (uint32_t i = 0; i < n; i++) {
        struct seen *s = seen_of(r, r->rows[r->done + i]);
        if (r->won[i]) s->winner = (uint16_t)i;
        r->source[i] = s->winner;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!r->won[i] || seen_of(r, r->rows[r->done + i])->winner != i) continue;
        r->part_rows[count] = r->rows[r->done + i];
        r->part_numbers[count++] = r->numbers[r->done + i];
    }
    return count;
}

/* One column of the best rows, in runs of rows that come from state and rows that come from this batch. */
static void best_copy(struct rolling *r, const struct batch *in, uint32_t field, uint32_t n, struct vector *v,
                      struct batch *out)
{
    uint16_t numbers[BATCH_ROWS];

    for (uint32_t i = 0, end; i < n; i = end) {
        bool in_state = r->source[i] == IN_STATE;
        for (end = i; end < n && (r->source[end] == IN_STATE) == in_state; end++)
            if (!in_state) numbers[end - i] = r->numbers[r->done + r->source[end]];
        if (in_state)
            stored_load(r, r->done + i, end - i, field, v, i, out);
        else
            vector_copy(v, i, &in->cols[r->stored[field]], numbers, end - i, &out->heap, out->mem);
    }
}

static void others_write(struct op_cx *cx, struct rolling *r, const struct batch *in, uint32_t n, struct batch *out)
{
    const struct op_plan *plan = cx->plan;
    bool by = r->kind >= ROLLING_MIN_BY;
    uint32_t winners = by ? winners_find(r, n) : 0;

    for (uint32_t k = 0; k < plan->key_count[0]; k++) {
        uint32_t col = plan->keys[0][k];
        if (col != r->col && is_read(cx, col))
            vector_copy(&out->cols[col], 0, &in->cols[col], r->numbers + r->done, n, &out->heap, out->mem);
    }
    for (uint32_t f = 0; f < r->stored_count; f++) {
        struct vector *v = &out->cols[r->stored[f]];
        if (by)
            best_copy(r, in, f, n, v, out);
        else
            stored_load(r, r->done, n, f, v, 0, out);
    }
    if (by) columns_store(r, in, winners);
}

static void chunk_apply(struct op_cx *cx, struct rolling *r, const struct batch *in, uint32_t n)
{
    struct batch *out = op_out(cx, 0);
    struct rolling_run run = {.kind = r->kind,
                              .table = r->table,
                              .state = r->rows + r->done,
                              .created = r->created,
                              .first = r->done,
                              .count = n,
                              .rows = r->numbers + r->done,
                              .in = &in->cols[r->col],
                              .out = is_read(cx, r->col) ? &out->cols[r->col] : NULL,
                              .heap = &out->heap,
                              .won = r->seen ? r->won : NULL};

    ASSERT(out->count == 0);
    if (r->seen == NULL) new_rows_store(r, in, n);
    rolling_apply(&run);
    others_write(cx, r, in, n, out);
    out->count = n;
    if (in->times == NULL) return;
    batch_use_times(out);
    for (uint32_t i = 0; i < n; i++) out->times[i] = in->times[r->numbers[r->done + i]];
}

static enum status rolling_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct rolling *r = self;
    uint32_t rows = batch_rows(in), n;

    ASSERT(input == 0 && rows <= BATCH_ROWS && r->done <= rows);
    TRY(rows_resolve(cx, r, in));
    n = MIN(rows - r->done, op_room(cx, 0));
    if (n > 0) chunk_apply(cx, r, in, n);
    r->done += n;
    if (r->done < rows) return S_MORE;
    state_done(r->table);
    r->done = 0;
    r->is_resolved = false;
    return S_OK;
}

const struct op_type op_rolling = {
    .name = "rolling",
    .doc = "per key, the sum, minimum or maximum of a column so far, emitted for every row",
    .example = "tw_sum(tw_key_by(sales, \"shop\"), \"amount\")",
    .flags = OP_SELECTION | OP_FORMS | OP_NEEDS_KEY,
    .input_count = 1,
    .config_size = sizeof(struct rolling_config),
    .config_fields = rolling_config_fields,
    .instance_size = sizeof(struct rolling),
    .derive = rolling_derive,
    .needs = rolling_needs,
    .open = rolling_open,
    .on_batch = rolling_on_batch,
    .close = rolling_close,
};
