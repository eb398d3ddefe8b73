/* op_unnest.c - SQL's UNNEST beside a table: each row once per element of a list that it has. Elements that are rows become their
 * fields, entries of maps key and value; an element of a multiset comes as often as it is in there, a NULL row not at all.
 *
 * The list is evaluated once per batch; then runs of elements are copied until the output is full. The cursor is the row, the
 * element, and its repetition. A condition is evaluated on a full output, and rows that it drops are left out of the selection;
 * of a LEFT join the last row of a row without any stays, with NULLs.
 *
 * Kinds and event times are those of the row. Nothing is kept. */
#include "columns/expr/expr.h"
#include "flow/operator/computed.h"
#include "flow/operator/unnest.h"
#include "ground/base/str.h"

#include <string.h>

static const struct config_field unnest_config_fields[] = {
    CONFIG_FIELD(unnest_config, list, CONF_BYTES, "an encoded expression: an ARRAY, MAP or MULTISET"),
    CONFIG_FIELD(unnest_config, names, CONF_TEXTS, "names of the columns of its elements"),
    CONFIG_FIELD(unnest_config, ordinality, CONF_BOOL, "the last column counts the elements of a row"),
    CONFIG_FIELD(unnest_config, left, CONF_BOOL, "rows without elements come once, with NULLs"),
    CONFIG_FIELD(unnest_config, condition, CONF_BYTES, "an encoded BOOLEAN expression over all columns; empty: none"),
    CONFIG_FIELD(unnest_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_LAST,
};

struct unnest_plan {
    struct fn_session session;
    struct expr *list, *condition; /* condition NULL: none */
    const struct type *row;
    uint32_t first, elements; /* columns of elements; the ordinal stands behind them */
};

struct unnest {
    struct unnest_plan plan;
    struct expr_run *list, *condition;
    struct batch *out;
    /* The batch in work. */
    const struct vector *values; /* NULL: none */
    uint32_t row, element, repeat;
    bool matched; /* an element of the row counted */
    /* What goes out: rows of the input, and of each whether it is the last one of its row. */
    uint16_t rows[BATCH_ROWS], taken[BATCH_ROWS];
    uint64_t last[BATCH_ROWS / 64], without[BATCH_ROWS / 64];
};

/* --- types ------------------------------------------------------------------------------------------------------- */
uint32_t unnest_types(const struct type *list, const struct type **out)
{
    const struct type *element = list->child_count > 0 ? list->children[0] : NULL;

    if (list->kind != T_ARRAY && list->kind != T_MAP && list->kind != T_MULTISET) return 0;
    if (list->kind == T_MAP) {
        memcpy(out, list->children, sizeof *out * 2);
        return 2;
    }
    if (element->kind != T_ROW) {
        out[0] = element;
        return 1;
    }
    memcpy(out, element->children, sizeof *out * element->child_count);
    return element->child_count;
}

const char *unnest_name(const struct type *list, uint32_t i)
{
    if (list->kind == T_MAP) return i == 0 ? "KEY" : "VALUE";
    return list->children[0]->kind == T_ROW ? list->children[0]->names[i] : "EXPR$0";
}

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status row_make(const struct op_plan *p, const struct unnest_config *c, struct unnest_plan *out,
                            struct err *e)
{
    const struct type *in = p->inputs[0];
    uint32_t n = in->child_count, added = out->elements + c->ordinality;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + TYPE_FIELDS_MAX + 1);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + added + 1);

    if (c->names.count != added) return err_set(e, E_CONFIG, "unnest names %u columns of %u", c->names.count, added);
    memcpy(types, in->children, sizeof *types * n);
    memcpy(names, in->names, sizeof *names * n);
    unnest_types(out->list->type, types + n);
    if (c->ordinality) types[n + added - 1] = type_new(p->arena, T_INT, 0, 0, false);
    for (uint32_t i = 0; i < added; i++) {
        names[n + i] = c->names.items[i];
        if (c->left) types[n + i] = type_with_null(p->arena, types[n + i], true);
    }
    out->first = n;
    out->row = type_row(p->arena, n + added, names, types, false);
    return S_OK;
}

static enum status unnest_read(const struct op_plan *p, const struct unnest_config *c, struct unnest_plan *out,
                               struct err *e)
{
    struct expr_maker m = {.a = p->arena, .session = &out->session};
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, TYPE_FIELDS_MAX);
    const uint8_t *at = (const uint8_t *)c->list.data;

    *out = (struct unnest_plan){.session = {.zone = str_of(c->zone), .users = p->users}};
    TRY(expr_decode(&m, p->inputs[0], &at, at + c->list.size, &out->list, e));
    out->elements = unnest_types(out->list->type, types);
    if (out->elements == 0) return err_set(e, E_GRAPH, "unnest takes an ARRAY, MAP or MULTISET");
    TRY(row_make(p, c, out, e));
    at = (const uint8_t *)c->condition.data;
    if (c->condition.size == 0) return S_OK;
    TRY(expr_decode(&m, out->row, &at, at + c->condition.size, &out->condition, e));
    return out->condition->type->kind == T_BOOLEAN ? S_OK : err_set(e, E_GRAPH, "the condition is not BOOLEAN");
}

static enum status unnest_derive(struct op_plan *p, const void *config, struct err *e)
{
    struct unnest_plan plan;

    TRY(unnest_read(p, config, &plan, e));
    p->outputs[0] = plan.row;
    p->output_count = 1;
    return S_OK;
}

/* Columns that come out, or that the condition reads; outputs NULL: all. */
static void columns_filled(const struct unnest_plan *plan, const uint64_t *outputs, uint64_t *bits)
{
    for (uint32_t i = 0; i < plan->row->child_count; i++)
        if (outputs == NULL || bit_get(outputs, i)) bit_set(bits, i);
    if (plan->condition != NULL) expr_columns(plan->condition, bits);
}

static void unnest_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                         uint64_t *const *inputs)
{
    struct unnest_plan plan;
    uint64_t bits[(2 * TYPE_FIELDS_MAX + 64) / 64] = {0};

    if (unnest_read(p, config, &plan, NULL) != S_OK) return;
    columns_filled(&plan, outputs[0], bits);
    for (uint32_t i = 0; i < plan.first; i++)
        if (bit_get(bits, i)) bit_set(inputs[0], i);
    expr_columns(plan.list, inputs[0]);
}

/* --- running ----------------------------------------------------------------------------------------------------- */
static enum status unnest_open(struct op_cx *cx, void *self)
{
    struct unnest *s = self;
    uint64_t *bits;

    TRY(unnest_read(cx->plan, cx->config, &s->plan, cx->err));
    s->list = computed_evaluator(cx, &s->plan.session, s->plan.list);
    if (s->plan.condition != NULL) s->condition = computed_evaluator(cx, &s->plan.session, s->plan.condition);
    uint32_t words = s->plan.row->child_count / 64 + 1;
    bits = ARENA_ARRAY(cx->plan->arena, uint64_t, words);
    columns_filled(&s->plan, cx->needed_out != NULL ? cx->needed_out[0] : NULL, bits);
    s->out = batch_create_needed(s->plan.row, bits, cx->batch_rows, cx->mem);
    return S_OK;
}

static void unnest_close(struct op_cx *cx, void *self, bool failed)
{
    struct unnest *s = self;

    (void)cx;
    (void)failed;
    expr_run_free(s->list);
    expr_run_free(s->condition);
    batch_free(s->out);
}

static struct list_ref list_of(const struct unnest *s, uint32_t row)
{
    if (vector_is_null(s->values, row)) return (struct list_ref){0};
    return VECTOR_VALUES(vector_values(s->values), struct list_ref)[vector_at(s->values, row)];
}

static bool is_skipped(const struct unnest *s, uint32_t child)
{
    const struct vector *element = &vector_values(s->values)->children[0];
    return s->plan.list->type->kind != T_MAP && element->phys == P_ROW && vector_is_null(element, child);
}

/* How often a multiset has it; 1 of others. */
static uint32_t repeats(const struct unnest *s, uint32_t child)
{
    if (s->plan.list->type->kind != T_MULTISET) return 1;
    const struct vector *counts = &vector_values(s->values)->children[1];
    return (uint32_t)MAX(VECTOR_VALUES(counts, int32_t)[vector_at(counts, child)], 0);
}

/* The vector with column k of the elements. */
static const struct vector *element_column(const struct unnest *s, uint32_t k)
{
    const struct vector *children = vector_values(s->values)->children;

    if (s->plan.list->type->kind == T_MAP) return &children[k];
    return children[0].phys == P_ROW ? &children[0].children[k] : &children[0];
}

/* Rows first..first+n of the children as rows at..at+n of the output. */
static void elements_put(struct unnest *s, uint32_t at, uint32_t first, uint32_t n)
{
    for (uint32_t k = 0; k < s->plan.elements; k++) {
        struct vector *v = &s->out->cols[s->plan.first + k];
        if (v->form != VEC_ABSENT) vector_copy_run(v, at, element_column(s, k), first, n, &s->out->heap, s->out->mem);
    }
}

static void ordinals_put(struct op_cx *cx, struct unnest *s, uint32_t at, uint32_t ordinal, uint32_t n)
{
    const struct unnest_config *c = cx->config;
    struct vector *v = &s->out->cols[s->out->col_count - 1];

    if (!c->ordinality || v->form == VEC_ABSENT) return;
    for (uint32_t i = 0; i < n; i++) VECTOR_VALUES(v, int32_t)[at + i] = (int32_t)(ordinal + i);
}

static void nulls_put(struct unnest *s, uint32_t at)
{
    for (uint32_t c = s->plan.first; c < s->out->col_count; c++)
        if (s->out->cols[c].form != VEC_ABSENT) vector_set_null(&s->out->cols[c], at);
}

static void mark(struct unnest *s, uint32_t row, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        s->rows[s->out->count + i] = (uint16_t)row;
        bit_clear(s->last, s->out->count + i);
        bit_clear(s->without, s->out->count + i);
    }
    s->out->count += n;
}

/* Elements of the row from the cursor on, as many as have room and lie together. */
static void run_take(struct op_cx *cx, struct unnest *s, uint32_t row, struct list_ref list)
{
    uint32_t at = s->out->count, room = s->out->capacity - at, first = list.first + s->element, n = 1;
    bool plain = s->plan.list->type->kind != T_MULTISET;

    if (is_skipped(s, first) || s->repeat >= repeats(s, first)) {
        s->element++;
        s->repeat = 0;
        return;
    }
    while (plain && n < room && s->element + n < list.count && !is_skipped(s, first + n)) n++;
    elements_put(s, at, first, n);
    ordinals_put(cx, s, at, s->element + 1, n);
    mark(s, row, n);
    if (plain)
        s->element += n;
    else
        s->repeat++;
}

/* The row is done: of a LEFT join it has come, or comes with NULLs. */
static bool row_end(struct op_cx *cx, struct unnest *s, uint32_t row, bool any)
{
    const struct unnest_config *c = cx->config;

    if (c->left && !any) {
        if (s->out->count == s->out->capacity) return false;
        nulls_put(s, s->out->count);
        mark(s, row, 1);
        bit_set(s->without, s->out->count - 1);
    } else if (any) {
        bit_set(s->last, s->out->count - 1);
    }
    s->row++;
    s->element = s->repeat = 0;
    return true;
}

/* Has the row brought an element into this output, or one before? */
static bool has_come(const struct unnest *s, uint32_t row, struct list_ref list)
{
    if (s->out->count > 0 && s->rows[s->out->count - 1] == row) return true;
    for (uint32_t i = 0; i < list.count; i++)
        if (!is_skipped(s, list.first + i) && repeats(s, list.first + i) > 0) return true;
    return false;
}

/* A row is not ended before the next output when this one is full: its last element must be in the one that is marked. */
static void rows_take(struct op_cx *cx, struct unnest *s, const struct batch *in)
{
    uint32_t total = batch_rows(in);

    while (s->row < total) {
        uint32_t row = batch_row(in, s->row);
        struct list_ref list = list_of(s, row);
        while (s->element < list.count && s->out->count < s->out->capacity) run_take(cx, s, row, list);
        bool rest = false;
        for (uint32_t i = s->element; i < list.count && !rest; i++)
            rest = !is_skipped(s, list.first + i) &&
                   (i > s->element ? repeats(s, list.first + i) > 0 : s->repeat < repeats(s, list.first + i));
        if (rest || !row_end(cx, s, row, has_come(s, row, list))) return;
    }
}

/* Which rows go out; answers how many. */
static enum status rows_select(struct op_cx *cx, struct unnest *s, uint32_t *count)
{
    const struct unnest_config *c = cx->config;
    uint32_t n = 0, k = 0;

    TRY(expr_select(s->condition, s->out, sys_wall_ms(cx->sys), s->taken, &n, cx->err));
    uint16_t passed[BATCH_ROWS];
    memcpy(passed, s->taken, sizeof *passed * n);
    *count = 0;
    for (uint32_t i = 0; i < s->out->count; i++) {
        bool without = bit_get(s->without, i), passes = !without && k < n && passed[k] == i;
        while (k < n && passed[k] <= i) k++;
        s->matched |= passes;
        bool alone = without || (c->left && bit_get(s->last, i) && !s->matched);
        if (alone && !without) nulls_put(s, i);
        if (passes || alone) s->taken[(*count)++] = (uint16_t)i;
        if (bit_get(s->last, i) || without) s->matched = false;
    }
    return S_OK;
}

static void rest_fill(struct unnest *s, const struct batch *in)
{
    uint32_t n = s->out->count;

    for (uint32_t c = 0; c < s->plan.first; c++)
        if (s->out->cols[c].form != VEC_ABSENT)
            vector_copy(&s->out->cols[c], 0, &in->cols[c], s->rows, n, &s->out->heap, s->out->mem);
    if (in->kinds != NULL) batch_use_kinds(s->out);
    if (in->times != NULL) batch_use_times(s->out);
    for (uint32_t i = 0; in->kinds != NULL && i < n; i++) s->out->kinds[i] = in->kinds[s->rows[i]];
    for (uint32_t i = 0; in->times != NULL && i < n; i++) s->out->times[i] = in->times[s->rows[i]];
}

static enum status unnest_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct unnest *s = self;

    ASSERT(input == 0);
    if (s->values == NULL) TRY(expr_eval(s->list, in, sys_wall_ms(cx->sys), &s->values, cx->err));
    batch_clear(s->out);
    rows_take(cx, s, in);
    rest_fill(s, in);
    if (s->condition != NULL && s->out->count > 0) {
        uint32_t n;
        TRY(rows_select(cx, s, &n));
        s->out->sel = s->taken;
        s->out->sel_count = n;
    }
    if (s->out->count > 0) op_forward(cx, 0, s->out);
    if (s->row < batch_rows(in)) return S_MORE;
    s->row = 0;
    s->values = NULL;
    return S_OK;
}

const struct op_type op_unnest = {
    .name = "unnest",
    .doc = "SQL: each row once per element of an array, map or multiset that it has",
    .example = "SELECT id, tag FROM posts CROSS JOIN UNNEST(tags) AS t (tag)",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct unnest_config),
    .config_fields = unnest_config_fields,
    .instance_size = sizeof(struct unnest),
    .derive = unnest_derive,
    .needs = unnest_needs,
    .open = unnest_open,
    .on_batch = unnest_on_batch,
    .close = unnest_close,
};
