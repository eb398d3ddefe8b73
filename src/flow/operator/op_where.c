/* op_where.c - keeps the rows for which `column op literal` is true, as a selection: no row is copied. NULL is not true. */
#include "columns/expr/expr.h"
#include "flow/operator/op.h"

#include "ground/base/str.h"

#include <string.h>

struct where_config {
    const char *field, *op, *literal;
};
static const struct config_field where_config_fields[] = {
    CONFIG_FIELD(where_config, field, CONF_TEXT, "column to compare"),
    CONFIG_FIELD(where_config, op, CONF_TEXT, "one of = <> < <= > >="),
    CONFIG_FIELD(where_config, literal, CONF_TEXT, "value to compare with, as text of the column's type"),
    CONFIG_LAST,
};

struct where {
    struct expr_run *run;
    uint16_t rows[BATCH_ROWS];
};

static bool is_comparison(const char *op)
{
    static const char *const all[] = {"=", "<>", "<", "<=", ">", ">="};

    for (uint32_t i = 0; i < COUNT_OF(all); i++)
        if (strcmp(op, all[i]) == 0) return true;
    return false;
}

static enum status bind(const struct op_plan *p, const struct where_config *c, struct expr **out, struct err *e)
{
    struct expr_maker m = {.a = p->arena};
    struct expr *args[2];

    if (c->op != NULL && !is_comparison(c->op))
        return err_set(e, E_GRAPH, "'%s' is not a comparison; there are =, <>, <, <=, > and >=", c->op);
    if (c->field == NULL || c->op == NULL || c->literal == NULL) return err_set(e, E_GRAPH, "a column, an operator and a value are needed");
    TRY(expr_parse(p->arena, p->inputs[0], str_of(c->field), &args[0], e));
    TRY(expr_constant(&m, args[0]->type, str_of(c->literal), &args[1], e));
    TRY(expr_call(&m, str_of(c->op), args, 2, out, e));
    return (*out)->type->kind == T_BOOLEAN ? S_OK : err_set(e, E_GRAPH, "'%s' is not a comparison", c->op);
}

static enum status where_derive(struct op_plan *p, const void *config, struct err *e)
{
    struct expr *x;

    TRY(bind(p, config, &x, e));
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void where_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    struct expr *x;

    for (uint32_t w = 0; w < (p->inputs[0]->child_count + 63) / 64; w++) inputs[0][w] = outputs[0][w];
    if (bind(p, config, &x, NULL) == S_OK) expr_columns(x, inputs[0]);
}

static enum status where_open(struct op_cx *cx, void *self)
{
    struct where *s = self;
    struct expr *x;

    TRY(bind(cx->plan, cx->config, &x, cx->err));
    struct fn_session session = {.zone = STR("UTC"), .chance = x->det == FN_RANDOM ? sys_random(cx->sys) : 0};
    s->run = expr_run_create(x, &session, BATCH_ROWS, cx->mem);
    return S_OK;
}

static enum status where_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct where *s = self;
    uint32_t n;

    ASSERT(input == 0);
    TRY(expr_select(s->run, in, 0, s->rows, &n, cx->err));
    if (n < batch_rows(in)) {
        in->sel = s->rows;
        in->sel_count = n;
    }
    if (n > 0) op_forward(cx, 0, in);
    return S_OK;
}

static void where_close(struct op_cx *cx, void *self, bool failed)
{
    struct where *s = self;

    (void)cx;
    (void)failed;
    expr_run_free(s->run);
}

const struct op_type op_where = {
    .name = "where",
    .doc = "keeps rows whose column compares true with a value",
    .example = "tw_where(bids, \"price\", \">\", \"1000\")",
    .flags = OP_SELECTION,
    .input_count = 1,
    .config_size = sizeof(struct where_config),
    .config_fields = where_config_fields,
    .instance_size = sizeof(struct where),
    .derive = where_derive,
    .needs = where_needs,
    .open = where_open,
    .on_batch = where_on_batch,
    .close = where_close,
};
