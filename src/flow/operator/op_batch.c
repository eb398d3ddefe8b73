/* op_batch.c - columns in, columns out: the user's function sees a whole batch as arrays.
 *
 * The C form of a value is the form it has in a column, so arrays are handed over as they lie (batch_columns.c), and those
 * that are made are the columns of the batch that goes out. Only strings and nested values differ: a function fills an array of
 * C values (struct tw_str, struct tw_array ..), which are copied into columns when the batch is emitted. Columns that nobody
 * reads get scratch space, so that a function may fill every column it has.
 *
 * A function either emits columns of its row type `out`, or, having none, passes on rows of its input (tw_batch_select).
 * When as many rows are emitted as came, each keeps the event time and kind of its row; else all take the latest event
 * time of the batch, and are inserts. */
#include "flow/operator/batch_columns.h"
#include "flow/operator/op_configs.h"

#include <string.h>

/* An output column in work. */
struct made_column {
    const struct cform *form;
    struct vector *v;      /* FLAT, or ABSENT: nobody reads it */
    void *space;           /* C values that are not as they lie in v; made on first use */
    uint64_t *validity;    /* as the function sets it; made on first use */
    bool was_asked, has_validity; /* for this batch */
};

struct batch_op {
    struct tw_context cx;
    struct tw_batch columns;
    struct user_row out;
    struct batch *made;       /* the output columns */
    struct made_column *outs; /* per field of out */
    struct batch view;        /* of tw_batch_select */
    uint16_t rows[BATCH_ROWS];
    bool has_answered;
};

static enum status batch_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->batch, "batch", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    if (c->function.fn->out) return user_derive_out(plan, &c->function, e);
    plan->outputs[0] = plan->inputs[0];
    plan->output_count = 1;
    return user_derive_sides(plan, &c->function, e);
}

static void batch_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct function_config *c = config;

    user_op_needs(plan, config, outputs, inputs);
    if (c->function.fn->out == NULL) user_pass_needs(plan, 0, outputs[0], inputs[0]);
}

static void outs_open(struct batch_op *b)
{
    const struct rowconv *c = &b->out.conv;

    b->outs = ARENA_ARRAY(&b->cx.arena, struct made_column, c->field_count + 1);
    for (uint32_t f = 0; f < c->field_count; f++)
        b->outs[f] = (struct made_column){.form = b->out.form->children[f].form, .v = &b->made->cols[c->fields[f].col]};
}

static enum status batch_open(struct op_cx *op, void *self)
{
    struct batch_op *b = self;
    const struct function_config *c = op->config;

    TRY(user_start(&b->cx, op, &c->function, false));
    batch_columns_open(&b->columns, &b->cx);
    if (c->function.fn->out == NULL) return S_OK;
    b->made = batch_create_needed(op->plan->outputs[0], op->needed_out ? op->needed_out[0] : NULL, BATCH_ROWS, op->mem);
    TRY(user_row_bind(&b->cx.arena, b->cx.fn->out, op->plan->outputs[0], NULL, &b->out, op->err));
    outs_open(b);
    return S_OK;
}

static void made_clear(struct batch_op *b)
{
    if (b->made == NULL) return;
    batch_clear(b->made);
    for (uint32_t f = 0; f < b->out.conv.field_count; f++) b->outs[f].was_asked = b->outs[f].has_validity = false;
}

static enum status batch_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct batch_op *b = self;
    struct tw_context *cx = &b->cx;

    (void)op;
    ASSERT(input == 0 && in->sel == NULL);
    TRY(user_begin(cx, 0, in));
    if (cx->done == 0) {
        TRY(batch_columns_begin(&b->columns, in));
        b->has_answered = false;
        made_clear(b);
        cx->batch = NULL; /* there is no current row */
        cx->columns = b;
        TRY(user_check(cx, cx->fn->batch(cx, &b->columns)));
        cx->columns = NULL;
        cx->done = in->count;
    }
    return user_end(cx, true);
}

static void batch_close(struct op_cx *op, void *self, bool failed)
{
    struct batch_op *b = self;

    (void)failed;
    for (uint32_t f = 0; b->outs && f < b->out.conv.field_count; f++) {
        mem_free(op->mem, b->outs[f].space);
        mem_free(op->mem, b->outs[f].validity);
    }
    batch_columns_close(&b->columns);
    batch_free(b->made);
    user_close(&b->cx);
}

/* --- what functions call ------------------------------------------------------------------------------------------------ */
/* The operator of a context, where tw_batch_* may answer. */
static struct batch_op *answering(struct tw_context *cx, bool selects, const char *call)
{
    struct batch_op *b = cx->columns;

    if (b == NULL) {
        user_misuse(cx, "%s can be called in .batch only", call);
    } else if (selects != (b->made == NULL)) {
        user_misuse(cx, "%s: a function with a row type .out emits columns, one without selects rows", call);
    } else if (b->has_answered) {
        user_misuse(cx, "%s: the batch was answered already", call);
    } else {
        return b;
    }
    return NULL;
}

/* Is a column's array that of the function? */
static bool lies_as_made(const struct made_column *c)
{
    return c->v->form == VEC_FLAT && c->v->phys != P_STR && !cform_is_nested(c->form);
}

static struct made_column *out_column(struct batch_op *b, uint32_t field, const char *call)
{
    if (field < b->out.conv.field_count) return &b->outs[field];
    user_misuse(&b->cx, "%s: row type '%s' has no field %u", call, b->out.row->name, field);
    return NULL;
}

static void *values_ask(struct batch_op *b, struct made_column *c)
{
    void *values;

    if (!lies_as_made(c) && c->space == NULL) c->space = mem_zalloc(b->cx.op->mem, (size_t)c->form->size * BATCH_ROWS);
    values = lies_as_made(c) ? c->v->data : c->space;
    if (!c->was_asked) memset(values, 0, (size_t)c->form->size * b->columns.in->count);
    c->was_asked = true;
    return values;
}

void *tw_batch_out(struct tw_context *cx, uint32_t field)
{
    struct batch_op *b = answering(cx, false, "tw_batch_out");
    struct made_column *c = b ? out_column(b, field, "tw_batch_out") : NULL;

    return c ? values_ask(b, c) : NULL;
}

uint64_t *tw_batch_out_validity(struct tw_context *cx, uint32_t field)
{
    struct batch_op *b = answering(cx, false, "tw_batch_out_validity");
    struct made_column *c = b ? out_column(b, field, "tw_batch_out_validity") : NULL;

    if (c == NULL) return NULL;
    if (!c->v->type->nullable) {
        user_misuse(cx, "tw_batch_out_validity: field '%s' of row type '%s' is NOT NULL; NULL needs a mask by TW_NULLS in it",
                    b->out.form->type->names[field], b->out.row->name);
        return NULL;
    }
    if (c->validity == NULL) c->validity = mem_alloc(cx->op->mem, BATCH_ROWS / 8);
    if (!c->has_validity) memset(c->validity, 0xff, BATCH_ROWS / 8);
    c->has_validity = true;
    return c->validity;
}

static const char *value_write(struct batch_op *b, struct made_column *c, uint32_t row)
{
    const char *from = (const char *)c->space + (size_t)row * c->form->size, *why;
    struct tw_str s;

    if (cform_check(c->form, from, &why) != S_OK) return why;
    if (c->v->phys != P_STR) return cform_write(c->form, from, c->v, row, &b->made->heap, b->made->mem) == S_OK ? NULL : CFORM_FULL;
    memcpy(&s, from, sizeof s);
    VECTOR_VALUES(c->v, struct text)[row] = text_put(&b->made->heap, s.size ? s.data : "", s.size);
    return NULL;
}

/* Answers what is wrong with a value, or NULL. */
static const char *column_write(struct batch_op *b, struct made_column *c, uint32_t rows)
{
    const char *why = NULL;

    if (c->v->form != VEC_FLAT) return NULL;
    if (!c->was_asked && c->v->type->nullable) {
        for (uint32_t i = 0; i < rows; i++) cform_write_null(c->v, i);
        return NULL;
    }
    if (!c->was_asked) values_ask(b, c);
    if (lies_as_made(c) && !c->has_validity) return NULL;
    for (uint32_t i = 0; i < rows && why == NULL; i++) {
        if (c->has_validity && !bit_get(c->validity, i)) cform_write_null(c->v, i);
        else if (!lies_as_made(c)) why = value_write(b, c, i);
    }
    return why;
}

static void stamps_write(struct batch *out, const struct batch *in)
{
    int64_t latest = TIME_MIN;

    if (in->times) batch_use_times(out);
    if (out->count == in->count) {
        if (in->times) memcpy(out->times, in->times, in->count * sizeof *in->times);
        if (in->kinds) {
            batch_use_kinds(out);
            memcpy(out->kinds, in->kinds, in->count);
        }
        return;
    }
    for (uint32_t i = 0; in->times && i < in->count; i++) latest = MAX(latest, in->times[i]);
    for (uint32_t i = 0; in->times && i < out->count; i++) out->times[i] = latest;
}

void tw_batch_emit(struct tw_context *cx, uint32_t rows)
{
    struct batch_op *b = answering(cx, false, "tw_batch_emit");

    if (b == NULL) return;
    if (rows > b->columns.in->count) {
        user_misuse(cx, "tw_batch_emit: %u rows out of %u; there is room for as many as came in", rows, b->columns.in->count);
        return;
    }
    b->has_answered = true;
    for (uint32_t f = 0; f < b->out.conv.field_count; f++) {
        const char *why = column_write(b, &b->outs[f], rows);
        if (why == NULL) continue;
        user_misuse(cx, "row type '%s', field '%s': %s", b->out.row->name, b->out.form->type->names[f], why);
        return;
    }
    b->made->count = rows;
    stamps_write(b->made, b->columns.in);
    if (rows > 0) op_forward(cx->op, 0, b->made);
}

void tw_batch_select(struct tw_context *cx, const uint16_t *rows, uint32_t count)
{
    struct batch_op *b = answering(cx, true, "tw_batch_select");

    if (b == NULL) return;
    for (uint32_t i = 0; i < count; i++) {
        if (count <= BATCH_ROWS && rows[i] < b->columns.in->count && (i == 0 || rows[i] > rows[i - 1])) continue;
        user_misuse(cx, "tw_batch_select: rows must ascend and be below %u", b->columns.in->count);
        return;
    }
    b->has_answered = true;
    if (count == 0) return;
    memcpy(b->rows, rows, count * sizeof *rows);
    b->view = *b->columns.in;
    b->view.sel = b->rows;
    b->view.sel_count = count;
    op_forward(cx->op, 0, &b->view);
}

const struct op_type op_batch = {
    .name = "batch",
    .doc = "whole batches as columns, by the function's .batch",
    .example = "tw_map_batches(bids, &to_euro_columns)",
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct batch_op),
    .derive = batch_derive,
    .needs = batch_needs,
    .blocks = user_op_blocks,
    .open = batch_open,
    .on_batch = batch_on_batch,
    .close = batch_close,
};
