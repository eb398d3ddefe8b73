/* op_set.c - SQL's INTERSECT and EXCEPT, with and without ALL: of each row the state knows how often each side has it, and from that
 * follows how often it is there: the smaller count, or the first without the second. The key of the stream is some of the columns.
 * A change of a count is a change of the answer by one row at most, so each row makes at most one.
 *
 * A side may take back what the other has not seen yet: counts may be below zero, and are read as zero. */
#include "flow/operator/set_config.h"
#include "flow/state/shape.h"

#include <string.h>

struct set_operation {
    struct state_def def;
    struct state_table *table;
    struct batch *out;
    uint32_t *cols, col_count;
    uint32_t offsets[2]; /* of the counts in the state's row */
    uint32_t done;
    bool is_resolved;
    void *rows[BATCH_ROWS];
    uint16_t numbers[BATCH_ROWS];
};

static const struct config_field set_config_fields[] = {
    CONFIG_FIELD(set_config, is_except, CONF_BOOL, "rows of the first input that are not in the second; else rows of both"),
    CONFIG_FIELD(set_config, all, CONF_BOOL, "a row as often as its counts say, else once"),
    CONFIG_FIELD(set_config, ttl_ms, CONF_INT, "ms until an untouched row is forgotten; 0: never"),
    CONFIG_LAST,
};

static enum status set_derive(struct op_plan *p, const void *config, struct err *e)
{
    (void)config;
    if (p->inputs[0]->child_count != p->inputs[1]->child_count)
        return err_set(e, E_GRAPH, "a set operation needs inputs of equal columns");
    if (p->key_count[0] != p->key_count[1] || memcmp(p->keys[0], p->keys[1], sizeof(uint32_t) * p->key_count[0]) != 0)
        return err_set(e, E_GRAPH, "the inputs of a set operation must be keyed by the same columns");
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static const struct type *counts_row(struct arena *a)
{
    const struct type *types[2] = {type_new(a, T_BIGINT, 0, 0, false), type_new(a, T_BIGINT, 0, 0, false)};
    static const char *const names[] = {"left", "right"};

    return type_row(a, 2, names, types, false);
}

/* All columns, the keys first: they decide the key group. */
static const struct type *key_row(const struct op_plan *p, struct set_operation *s)
{
    const struct type *in = p->inputs[0];
    uint32_t n = 0;

    s->cols = ARENA_ARRAY(p->arena, uint32_t, in->child_count + 1);
    for (; n < p->key_count[0]; n++) s->cols[n] = p->keys[0][n];
    for (uint32_t i = 0, k; i < in->child_count; i++) {
        for (k = 0; k < p->key_count[0] && p->keys[0][k] != i;) k++;
        if (k == p->key_count[0]) s->cols[n++] = i;
    }
    s->col_count = n;
    return type_row_of(p->arena, in, s->cols, n);
}

static enum status set_open(struct op_cx *cx, void *self)
{
    const struct set_config *c = cx->config;
    struct set_operation *s = self;

    s->def = (struct state_def){.name = "counts",
                                .version = 1,
                                .shape = STATE_MAP,
                                .key = key_row(cx->plan, s),
                                .value = counts_row(cx->plan->arena),
                                .ttl = {.ms = c->ttl_ms, .update = c->ttl_ms > 0 ? STATE_TTL_ON_CREATE_AND_WRITE : STATE_TTL_OFF}};
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    for (uint32_t i = 0; i < 2; i++) s->offsets[i] = s->table->value.fields[i].offset;
    s->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, cx->batch_rows, cx->mem);
    return S_OK;
}

static void set_close(struct op_cx *cx, void *self, bool failed)
{
    struct set_operation *s = self;

    (void)cx;
    (void)failed;
    state_close(s->table);
    batch_free(s->out);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
/* How often the row is there. */
static int64_t answer(const struct set_config *c, int64_t left, int64_t right)
{
    left = MAX(left, 0);
    right = MAX(right, 0);
    if (c->is_except) return c->all ? MAX(left - right, 0) : left > 0 && right == 0;
    return c->all ? MIN(left, right) : left > 0 && right > 0;
}

static enum status resolve(struct op_cx *cx, struct set_operation *s, const struct batch *in)
{
    uint64_t hashes[BATCH_ROWS];

    if (s->is_resolved) return S_OK;
    if (cx->plan->key_count[0] == s->col_count) batch_hash(in, s->cols, s->col_count, hashes);
    else state_hash_within(in, s->cols, cx->plan->key_count[0], s->col_count, hashes);
    struct state_keys keys = state_keys_of(in, s->cols, s->col_count, hashes);
    TRY(state_resolve(s->table, 0, &keys, STATE_INSERT, s->rows, NULL));
    s->is_resolved = true;
    return S_OK;
}

static void row_count(struct set_operation *s, const struct set_config *c, uint32_t input, enum row_kind kind, uint32_t i, uint32_t number)
{
    int64_t *left = state_word(s->rows[i], s->offsets[0]), *right = state_word(s->rows[i], s->offsets[1]);
    int64_t *mine = input == 0 ? left : right, before = answer(c, *left, *right), after;

    *mine += kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? 1 : -1;
    after = answer(c, *left, *right);
    ASSERT_ROW(after - before >= -1 && after - before <= 1);
    if (after != before) {
        s->numbers[s->out->count] = (uint16_t)number;
        s->out->kinds[s->out->count++] = after > before ? ROW_INSERT : ROW_DELETE;
    }
    if (*left == 0 && *right == 0) state_erase(s->table, i);
    else state_write(s->table, i);
}

static enum status set_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct set_operation *s = self;
    uint32_t rows = batch_rows(in);

    TRY(resolve(cx, s, in));
    batch_clear(s->out);
    batch_use_kinds(s->out);
    for (; s->done < rows && s->out->count < s->out->capacity; s->done++) {
        uint32_t number = batch_row(in, s->done);
        row_count(s, cx->config, input, batch_kind(in, number), s->done, number);
    }
    for (uint32_t i = 0; i < s->col_count; i++) {
        struct vector *to = &s->out->cols[i];
        if (to->form != VEC_ABSENT) vector_copy(to, 0, &in->cols[i], s->numbers, s->out->count, &s->out->heap, s->out->mem);
    }
    if (s->out->count > 0) op_forward(cx, 0, s->out);
    if (s->done < rows) return S_MORE;
    state_done(s->table);
    s->done = 0;
    s->is_resolved = false;
    return S_OK;
}

const struct op_type op_set = {
    .name = "set",
    .doc = "SQL: rows of both inputs, or of the first without those of the second",
    .example = "SELECT id FROM a EXCEPT SELECT id FROM b",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 2,
    .config_size = sizeof(struct set_config),
    .config_fields = set_config_fields,
    .instance_size = sizeof(struct set_operation),
    .derive = set_derive,
    .open = set_open,
    .on_batch = set_on_batch,
    .close = set_close,
};
