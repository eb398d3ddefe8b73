/* op_batch.c - columns in, columns out: the user's function sees a whole batch as arrays.
 *
 * The C form of a value is the form it has in a column, so arrays are handed over as they lie; only strings differ and are
 * read through tw_batch_str, and written through an array of struct tw_str that is copied when the batch is emitted. Columns
 * that nobody reads get scratch space, so that a function may fill every column it has.
 *
 * A function either emits columns of its row type `out`, or, having none, passes on rows of its input (tw_batch_select).
 * When as many rows are emitted as came, each keeps the event time and kind of its row; else all take the latest event
 * time of the batch, and are inserts. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

#include <string.h>

struct tw_batch {
    const struct batch *in;
    const struct user_row *row;
    struct tw_context *cx;
};

struct batch_op {
    struct tw_context cx;
    struct tw_batch columns;
    struct user_row out;
    struct batch *made;     /* the output columns */
    void **spaces;          /* per field of out: strings of the user, or a column that nobody reads; made on first use */
    struct batch view;      /* of tw_batch_select */
    uint16_t rows[BATCH_ROWS];
    bool has_answered;
};

/* A column of nested values is several vectors, for which tw_batch_values has no word. */
static enum status row_is_flat(const struct function_ref *f, const struct type *columns, const char *hook, struct err *e)
{
    for (uint32_t i = 0; i < columns->child_count; i++) {
        const struct type *t = columns->children[i];
        if (t->child_count == 0 && t->phys != P_ROW) continue;
        err_set(e, E_GRAPH, "function '%s': .batch sees columns of plain values, but field '%s' of its %s is nested", f->name,
                columns->names[i], hook);
        err_hint(e, "use .map, .flat_map or .process for rows with ARRAY, MAP, MULTISET or ROW");
        return E_GRAPH;
    }
    return S_OK;
}

static enum status batch_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;
    const struct type *in;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->batch, "batch", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_row_type(plan->arena, c->function.fn->in, &in, e));
    TRY(row_is_flat(&c->function, in, ".in", e));
    if (c->function.fn->out) {
        TRY(user_derive_out(plan, &c->function, e));
        return row_is_flat(&c->function, plan->outputs[0], ".out", e);
    }
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

static enum status batch_open(struct op_cx *op, void *self)
{
    struct batch_op *b = self;
    const struct function_config *c = op->config;

    if (c->function.fn && c->function.fn->out) {
        b->made = batch_create_needed(op->plan->outputs[0], op->needed_out ? op->needed_out[0] : NULL, BATCH_ROWS, op->mem);
        b->spaces = mem_zalloc(op->mem, sizeof *b->spaces * MAX(1, user_row_fields(c->function.fn->out)));
    }
    TRY(user_start(&b->cx, op, &c->function, false));
    b->columns = (struct tw_batch){.row = &b->cx.in[0].row, .cx = &b->cx};
    if (b->made == NULL) return S_OK;
    return user_row_bind(&b->cx.arena, b->cx.fn->out, op->plan->outputs[0], NULL, &b->out, op->err);
}

/* A NULL that the function's row type has no word for. */
static enum status nulls_check(const struct batch_op *b, const struct batch *in)
{
    const struct user_row *r = b->columns.row;

    if (r->conv.null_offset != ROWCONV_NO_NULLS) return S_OK;
    for (uint32_t f = 0; f < r->conv.field_count; f++) {
        const struct vector *v = &in->cols[r->conv.fields[f].col];
        for (uint32_t i = 0; v->validity && i < in->count; i++) {
            if (bit_get(v->validity, i)) continue;
            err_set(b->cx.op->err, E_DATA, "NULL in column '%s', but row type '%s' has no place for it",
                    in->schema->names[r->conv.fields[f].col], r->row->name);
            err_hint(b->cx.op->err, "give the row type a null mask with TW_NULLS, and look at tw_batch_validity");
            return E_DATA;
        }
    }
    return S_OK;
}

static enum status batch_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct batch_op *b = self;
    struct tw_context *cx = &b->cx;

    (void)op;
    ASSERT(input == 0 && in->sel == NULL);
    TRY(user_begin(cx, 0, in));
    if (cx->done == 0) {
        TRY(nulls_check(b, in));
        b->columns.in = in;
        b->has_answered = false;
        if (b->made) batch_clear(b->made);
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
    uint32_t fields = b->out.conv.field_count;

    (void)failed;
    user_close(&b->cx);
    for (uint32_t f = 0; b->spaces && f < fields; f++) mem_free(op->mem, b->spaces[f]);
    mem_free(op->mem, b->spaces);
    batch_free(b->made);
}

/* --- what functions call ------------------------------------------------------------------------------------------------ */
static const struct vector *column(const struct tw_batch *b, uint32_t field)
{
    if (field < b->row->conv.field_count) return &b->in->cols[b->row->conv.fields[field].col];
    user_misuse(b->cx, "column %u was asked for, but row type '%s' has %u fields", field, b->row->row->name, b->row->conv.field_count);
    return NULL;
}

uint32_t tw_batch_rows(const struct tw_batch *b) { return b->in->count; }
const int64_t *tw_batch_times(const struct tw_batch *b) { return b->in->times; }

const void *tw_batch_values(const struct tw_batch *b, uint32_t field)
{
    const struct vector *v = column(b, field);

    return v ? v->data : NULL;
}

const uint64_t *tw_batch_validity(const struct tw_batch *b, uint32_t field)
{
    const struct vector *v = column(b, field);

    return v ? v->validity : NULL;
}

struct tw_str tw_batch_str(const struct tw_batch *b, uint32_t field, uint32_t row)
{
    const struct vector *v = column(b, field);
    const struct text *t;

    if (v == NULL) return (struct tw_str){"", 0};
    if (v->phys != P_STR || row >= b->in->count) {
        user_misuse(b->cx, "tw_batch_str: row %u of column %u is no string", row, field);
        return (struct tw_str){"", 0};
    }
    t = &VECTOR_VALUES(v, const struct text)[row];
    return (struct tw_str){text_data(t), t->size};
}

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

void *tw_batch_out(struct tw_context *cx, uint32_t field)
{
    struct batch_op *b = answering(cx, false, "tw_batch_out");
    const struct vector *v;

    if (b == NULL) return NULL;
    if (field >= b->out.conv.field_count) {
        user_misuse(cx, "tw_batch_out: row type '%s' has no field %u", b->out.row->name, field);
        return NULL;
    }
    v = &b->made->cols[b->out.conv.fields[field].col];
    if (v->form == VEC_FLAT && v->phys != P_STR) return v->data;
    if (b->spaces[field] == NULL) b->spaces[field] = mem_zalloc(cx->op->mem, phys_width((enum phys)v->phys) * BATCH_ROWS);
    return b->spaces[field];
}

static void strings_write(struct batch_op *b, uint32_t rows)
{
    for (uint32_t f = 0; f < b->out.conv.field_count; f++) {
        struct vector *v = &b->made->cols[b->out.conv.fields[f].col];
        const struct tw_str *from = b->spaces[f];
        if (v->phys != P_STR || v->form != VEC_FLAT) continue;
        for (uint32_t i = 0; i < rows; i++) {
            struct tw_str s = from ? from[i] : (struct tw_str){"", 0};
            VECTOR_VALUES(v, struct text)[i] = text_put(&b->made->heap, s.size ? s.data : "", s.size);
        }
    }
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
    strings_write(b, rows);
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
