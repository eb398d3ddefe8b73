/* computed.c - evaluators of an operator's output columns and the view through which they are passed on. Columns that nobody
 * downstream reads have no evaluator and are ABSENT. */
#include "flow/operator/computed.h"

struct expr_run *computed_evaluator(const struct op_cx *cx, const struct fn_session *session, const struct expr *x)
{
    struct fn_session own = *session;

    own.chance = x->det == FN_RANDOM ? sys_random(cx->sys) : 0;
    struct expr_run *run = expr_run_create(x, &own, BATCH_ROWS, cx->mem);
    expr_run_watch(run, &cx->watermark);
    return run;
}

static bool is_needed(const struct op_cx *cx, uint32_t col)
{
    return cx->needed_out == NULL || cx->needed_out[0] == NULL || bit_get(cx->needed_out[0], col);
}

void computed_open(struct computed *c, const struct op_cx *cx, const struct fn_session *session, struct expr *const *columns)
{
    const struct type *row = cx->plan->outputs[0];

    c->count = row->child_count;
    c->runs = mem_zalloc(cx->mem, sizeof(struct expr_run *) * MAX(c->count, 1u));
    c->out = (struct batch){.schema = row, .col_count = c->count, .mem = cx->mem};
    c->out.cols = mem_zalloc(cx->mem, sizeof *c->out.cols * MAX(c->count, 1u));
    for (uint32_t i = 0; i < c->count; i++) {
        c->out.cols[i] = (struct vector){.type = row->children[i], .phys = row->children[i]->phys, .form = VEC_ABSENT};
        if (is_needed(cx, i)) c->runs[i] = computed_evaluator(cx, session, columns[i]);
    }
}

enum status computed_view(struct computed *c, struct op_cx *cx, const struct batch *in, int64_t now_ms)
{
    const struct vector *v;

    for (uint32_t i = 0; i < c->count; i++) {
        if (c->runs[i] == NULL) continue;
        TRY(expr_eval(c->runs[i], in, now_ms, &v, cx->err));
        c->out.cols[i] = *v;
    }
    c->out.count = c->out.capacity = in->count;
    c->out.sel = in->sel;
    c->out.sel_count = in->sel_count;
    c->out.kinds = in->kinds;
    c->out.times = in->times;
    c->out.watermark = TIME_MIN;
    return S_OK;
}

enum status computed_forward(struct computed *c, struct op_cx *cx, const struct batch *in, int64_t now_ms)
{
    TRY(computed_view(c, cx, in, now_ms));
    op_forward(cx, 0, &c->out);
    return S_OK;
}

void computed_close(struct computed *c, const struct op_cx *cx)
{
    for (uint32_t i = 0; i < c->count; i++) expr_run_free(c->runs[i]);
    mem_free(cx->mem, c->runs);
    mem_free(cx->mem, c->out.cols);
}
