/* op_set.c - SQL's INTERSECT and EXCEPT, with and without ALL: of each row the state knows how often each side has it, and from that
 * follows how often it is there: the smaller count, or the first without the second. The key of the stream is some of the columns.
 * A change of a count is a change of the answer by one row at most, so each row makes at most one.
 *
 * A side may take back what the other has not seen yet: counts may be below zero, and are read as zero. */
#include "flow/operator/set_config.h"
#include "flow/operator/whole_rows.h"

#include <string.h>

struct set_operation {
    struct whole_rows whole;
    struct batch *out;
    uint32_t done;
    uint16_t numbers[BATCH_ROWS];
};

static const struct config_field set_config_fields[] = {
    CONFIG_FIELD(set_config, is_except, CONF_BOOL, "rows of the first input that are not in the second; else rows of both"),
    CONFIG_FIELD(set_config, all, CONF_BOOL, "a row as often as its counts say, else once"),
    CONFIG_FIELD(set_config, ttl_ms, CONF_INT, "ms until an untouched row is forgotten; 0: never"),
    CONFIG_LAST,
};

enum status set_derive(struct op_plan *p, const void *config, struct err *e)
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
static enum status set_open(struct op_cx *cx, void *self)
{
    static const char *const counts[] = {"left", "right"};
    const struct set_config *c = cx->config;
    struct set_operation *s = self;

    TRY(whole_rows_open(&s->whole, cx, "counts", counts, COUNT_OF(counts), c->ttl_ms));
    s->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, cx->batch_rows, cx->mem);
    return S_OK;
}

static void set_close(struct op_cx *cx, void *self, bool failed)
{
    struct set_operation *s = self;

    (void)cx;
    (void)failed;
    whole_rows_close(&s->whole);
    batch_free(s->out);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
int64_t set_answer(const struct set_config *c, int64_t left, int64_t right)
{
    left = MAX(left, 0);
    right = MAX(right, 0);
    if (c->is_except) return c->all ? MAX(left - right, 0) : left > 0 && right == 0;
    return c->all ? MIN(left, right) : left > 0 && right > 0;
}

static void row_count(struct set_operation *s, const struct set_config *c, uint32_t input, enum row_kind kind, uint32_t i, uint32_t number)
{
    int64_t *left = whole_rows_value(&s->whole, s->whole.rows[i], 0), *right = whole_rows_value(&s->whole, s->whole.rows[i], 1);
    int64_t *mine = input == 0 ? left : right, before = set_answer(c, *left, *right), after;

    *mine += kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? 1 : -1;
    after = set_answer(c, *left, *right);
    ASSERT_ROW(after - before >= -1 && after - before <= 1);
    if (after != before) {
        s->numbers[s->out->count] = (uint16_t)number;
        s->out->kinds[s->out->count++] = after > before ? ROW_INSERT : ROW_DELETE;
    }
    if (*left == 0 && *right == 0) state_erase(s->whole.table, i);
    else state_write(s->whole.table, i);
}

static enum status set_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct set_operation *s = self;
    uint32_t rows = batch_rows(in);

    TRY(whole_rows_resolve(&s->whole, in));
    batch_clear(s->out);
    batch_use_kinds(s->out);
    for (; s->done < rows && s->out->count < s->out->capacity; s->done++) {
        uint32_t number = batch_row(in, s->done);
        row_count(s, cx->config, input, batch_kind(in, number), s->done, number);
    }
    for (uint32_t i = 0; i < s->out->col_count; i++) {
        struct vector *to = &s->out->cols[i];
        if (to->form != VEC_ABSENT) vector_copy(to, 0, &in->cols[i], s->numbers, s->out->count, &s->out->heap, s->out->mem);
    }
    if (s->out->count > 0) op_forward(cx, 0, s->out);
    if (s->done < rows) return S_MORE;
    whole_rows_done(&s->whole);
    s->done = 0;
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
