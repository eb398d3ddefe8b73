/* op_calc.c - SQL's projection and filter in one: rows for which a condition is true, and computed columns of them. Expressions
 * travel as bytes (expr_codec.c). The condition narrows a selection; columns are computed for the selected rows alone, so that a
 * row which the condition drops cannot fail. A column that is only passed on is not copied. */
#include "columns/expr/expr.h"
#include "flow/operator/calc.h"
#include "flow/operator/computed.h"

#include "ground/base/str.h"

#include <string.h>

enum { CALC_COLUMNS_MAX = 65536 };

static const struct config_field calc_config_fields[] = {
    CONFIG_FIELD(calc_config, condition, CONF_BYTES, "an encoded BOOLEAN expression; empty keeps every row"),
    CONFIG_FIELD(calc_config, columns, CONF_BYTES,
                 "encoded expressions, one behind the other; empty passes the columns on"),
    CONFIG_FIELD(calc_config, names, CONF_TEXTS, "names of the computed columns"),
    CONFIG_FIELD(calc_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_LAST,
};

struct calc_plan {
    struct fn_session session;
    struct expr *condition; /* NULL: none */
    struct expr **columns;  /* NULL: as they come */
    uint32_t count;
};

struct calc {
    struct calc_plan plan;
    struct expr_run *condition;
    struct computed columns;
    uint16_t rows[BATCH_ROWS];
};

/* --- reading the configuration ----------------------------------------------------------------------------------- */
static enum status read_columns(const struct op_plan *p, const struct calc_config *c, const struct expr_maker *m,
                                struct calc_plan *out, struct err *e)
{
    const uint8_t *at = (const uint8_t *)c->columns.data, *end = at + c->columns.size;

    out->count = c->names.count;
    if (out->count > CALC_COLUMNS_MAX)
        return err_set(e, E_GRAPH, "at most %d columns are computed at once", CALC_COLUMNS_MAX);
    out->columns = ARENA_ARRAY(p->arena, struct expr *, MAX(out->count, 1u));
    for (uint32_t i = 0; i < out->count; i++) TRY(expr_decode(m, p->inputs[0], &at, end, &out->columns[i], e));
    return at == end ? S_OK : err_set(e, E_DATA, "there are more expressions than names");
}

static enum status calc_read(const struct op_plan *p, const struct calc_config *c, struct calc_plan *out, struct err *e)
{
    struct expr_maker m = {.a = p->arena};
    const uint8_t *at = (const uint8_t *)c->condition.data;

    *out = (struct calc_plan){.session = {.zone = str_of(c->zone), .users = p->users}};
    m.session = &out->session;
    if (c->condition.size > 0) {
        TRY(expr_decode(&m, p->inputs[0], &at, at + c->condition.size, &out->condition, e));
        if (out->condition->type->kind != T_BOOLEAN) return err_set(e, E_GRAPH, "the condition is not BOOLEAN");
    }
    return c->names.count > 0 ? read_columns(p, c, &m, out, e) : S_OK;
}

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status calc_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct calc_config *c = config;
    struct calc_plan plan;

    TRY(calc_read(p, c, &plan, e));
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    if (plan.columns == NULL) return S_OK;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, plan.count);
    for (uint32_t i = 0; i < plan.count; i++) types[i] = plan.columns[i]->type;
    p->outputs[0] = type_row(p->arena, plan.count, c->names.items, types, false);
    return S_OK;
}

static void calc_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                       uint64_t *const *inputs)
{
    struct calc_plan plan;

    if (calc_read(p, config, &plan, NULL) != S_OK) return;
    if (plan.condition != NULL) expr_columns(plan.condition, inputs[0]);
    for (uint32_t i = 0; i < plan.count; i++)
        if (bit_get(outputs[0], i)) expr_columns(plan.columns[i], inputs[0]);
    for (uint32_t w = 0; plan.columns == NULL && w < (p->inputs[0]->child_count + 63) / 64; w++)
        inputs[0][w] |= outputs[0][w];
}

/* --- running ----------------------------------------------------------------------------------------------------- */
static enum status calc_open(struct op_cx *cx, void *self)
{
    struct calc *s = self;

    TRY(calc_read(cx->plan, cx->config, &s->plan, cx->err));
    if (s->plan.condition != NULL) s->condition = computed_evaluator(cx, &s->plan.session, s->plan.condition);
    if (s->plan.columns != NULL) computed_open(&s->columns, cx, &s->plan.session, s->plan.columns);
    return S_OK;
}

static enum status calc_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct calc *s = self;
    uint32_t n = batch_rows(in);
    int64_t now_ms = sys_wall_ms(cx->sys);

    ASSERT(input == 0);
    if (s->condition != NULL) {
        TRY(expr_select(s->condition, in, now_ms, s->rows, &n, cx->err));
        if (n < batch_rows(in)) {
            in->sel = s->rows;
            in->sel_count = n;
        }
    }
    if (n == 0) return S_OK;
    if (s->plan.columns != NULL) return computed_forward(&s->columns, cx, in, now_ms);
    op_forward(cx, 0, in);
    return S_OK;
}

static void calc_close(struct op_cx *cx, void *self, bool failed)
{
    struct calc *s = self;

    (void)failed;
    expr_run_free(s->condition);
    computed_close(&s->columns, cx);
}

const struct op_type op_calc = {
    .name = "calc",
    .doc = "SQL: rows for which a condition is true, and columns computed from them",
    .example = "SELECT price * 2 AS twice FROM bids WHERE price > 1000",
    .flags = OP_SELECTION,
    .input_count = 1,
    .config_size = sizeof(struct calc_config),
    .config_fields = calc_config_fields,
    .instance_size = sizeof(struct calc),
    .derive = calc_derive,
    .needs = calc_needs,
    .open = calc_open,
    .on_batch = calc_on_batch,
    .close = calc_close,
};
