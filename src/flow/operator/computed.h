/* computed.h - columns computed from those of a batch, as `project` and `calc` pass them on: a view whose columns are what the
 * expressions answer. Nothing is copied; the view is good during the call. */
#pragma once
#include "columns/expr/expr.h"
#include "flow/operator/op.h"

struct computed {
    uint32_t count;
    struct expr_run **runs; /* [count]; NULL: nobody needs the column */
    struct batch out;       /* the view */
};

/* An evaluator for one batch after another. An expression that draws has a number of chance of its own. */
struct expr_run *computed_evaluator(const struct op_cx *cx, const struct fn_session *session, const struct expr *x);
/* Of the operator's output row: evaluators for the columns that somebody needs. The instance is cleared memory. */
void computed_open(struct computed *c, const struct op_cx *cx, const struct fn_session *session, struct expr *const *columns);
/* Evaluates for the selected rows of `in`: the view is c->out. E_DATA: a row failed. */
enum status computed_view(struct computed *c, struct op_cx *cx, const struct batch *in, int64_t now_ms) CHECKED;
/* The same, and forwards it to port 0. */
enum status computed_forward(struct computed *c, struct op_cx *cx, const struct batch *in, int64_t now_ms) CHECKED;
void computed_close(struct computed *c, const struct op_cx *cx); /* also when it was not opened */
