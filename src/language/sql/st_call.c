/* st_call.c - CALL: runs a procedure of a catalog. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

/* What a call in an expression may have and this one not: DISTINCT, *, FILTER, OVER ... */
static enum status check_arguments(struct parser *p, const struct ast_expr *call)
{
    if (call->aggregate != NULL)
        return sql_error(p->e, p->t, call->place.at, call->place.size,
                         "a procedure takes values, not what belongs to an aggregate");
    for (uint32_t i = 0; i < call->args.count; i++) {
        const struct ast_expr *x = call->args.items[i];
        if (x->kind == AX_STAR)
            return sql_error(p->e, p->t, x->place.at, x->place.size, "a procedure takes values, not *");
    }
    return S_OK;
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct call_procedure *c = ARENA_NEW(p->a, struct call_procedure);
    struct ast_name name;

    (void)start;
    *body = c;
    p->at++;
    TRY(parse_name(p, "the procedure's name", &name));
    TRY(parse_call(p, name, &c->call));
    return check_arguments(p, c->call);
}

static void print(const void *body, struct buf *out)
{
    const struct call_procedure *c = body;

    buf_append_text(out, "CALL ");
    print_expr(c->call, out);
}

const struct st_type st_call = {
    .name = "call",
    .doc = "Runs a procedure of a catalog.",
    .example = "CALL c.sys.compact('flights', level => 2)",
    .starts = {"CALL"},
    .parse = parse,
    .print = print,
};
