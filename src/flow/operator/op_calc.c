/* op_calc.c - SQL's projection and filter in one: rows for which a condition is true, and computed columns of them. Expressions
 * travel as bytes (expr_codec.c). The condition narrows a selection; columns are computed for the selected rows alone, so that a
 * row which the condition drops cannot fail. A column that is only passed on is not copied. */
#include "columns/expr/expr.h"
#include "flow/operator/calc.h"

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
    struct expr_run **columns; /* [count]; NULL: nobody needs it */
    struct batch out;          /* a view: its columns are copies of vector headers */
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

    *out = (struct calc_plan){.session = {.zone = str_of(c->zone)}};
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
static bool is_needed(const struct op_cx *cx, uint32_t col)
{
    return cx->needed_out == NULL || cx->needed_out[0] == NULL || bit_get(cx->needed_out[0], col);
}

/* Every expression that draws has a number of chance of its own. */
static struct expr_run *evaluator(const struct op_cx *cx, const struct fn_session *session, const struct expr *x)
{
    struct fn_session own = *session;

    own.chance = x->det == FN_RANDOM ? sys_random(cx->sys) : 0;
    return expr_run_create(x, &own, BATCH_ROWS, cx->mem);
}

static enum status calc_open(struct op_cx *cx, void *self)
{
    struct calc *s = self;
    const struct type *row = cx->plan->outputs[0];

    TRY(calc_read(cx->plan, cx->config, &s->plan, cx->err));
    if (s->plan.condition != NULL) s->condition = evaluator(cx, &s->plan.session, s->plan.condition);
    if (s->plan.columns == NULL) return S_OK;
    s->columns = mem_zalloc(cx->mem, sizeof(struct expr_run *) * MAX(s->plan.count, 1u));
    s->out = (struct batch){.schema = row, .col_count = s->plan.count, .mem = cx->mem};
    s->out.cols = mem_zalloc(cx->mem, sizeof *s->out.cols * MAX(s->plan.count, 1u));
    for (uint32_t i = 0; i < s->plan.count; i++) {
        s->out.cols[i] = (struct vector){.type = row->children[i], .phys = row->children[i]->phys, .form = VEC_ABSENT};
        if (is_needed(cx, i)) s->columns[i] = evaluator(cx, &s->plan.session, s->plan.columns[i]);
    }
    return S_OK;
}

static enum status compute(struct op_cx *cx, struct calc *s, struct batch *in)
{
    const struct vector *v;

    for (uint32_t i = 0; i < s->plan.count; i++) {
        if (s->columns[i] == NULL) continue;
        TRY(expr_eval(s->columns[i], in, sys_wall_ms(cx->sys), &v, cx->err));
        s->out.cols[i] = *v;
    }
    s->out.count = s->out.capacity = in->count;
    s->out.sel = in->sel;
    s->out.sel_count = in->sel_count;
    s->out.kinds = in->kinds;
    s->out.times = in->times;
    s->out.watermark = TIME_MIN;
    op_forward(cx, 0, &s->out);
    return S_OK;
}

static enum status calc_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct calc *s = self;
    uint32_t n = batch_rows(in);

    ASSERT(input == 0);
    if (s->condition != NULL) {
        TRY(expr_select(s->condition, in, sys_wall_ms(cx->sys), s->rows, &n, cx->err));
        if (n < batch_rows(in)) {
            in->sel = s->rows;
            in->sel_count = n;
        }
    }
    if (n == 0) return S_OK;
    if (s->plan.columns != NULL) return compute(cx, s, in);
    op_forward(cx, 0, in);
    return S_OK;
}

static void calc_close(struct op_cx *cx, void *self, bool failed)
{
    struct calc *s = self;

    (void)failed;
    expr_run_free(s->condition);
    for (uint32_t i = 0; s->columns != NULL && i < s->plan.count; i++) expr_run_free(s->columns[i]);
    mem_free(cx->mem, s->columns);
    mem_free(cx->mem, s->out.cols);
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
