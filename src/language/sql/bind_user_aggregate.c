/* bind_user_aggregate.c - calls of users' aggregate functions. The engine's aggregates have one argument, a column; of several a ROW
 * of them is it (columns/function/user_aggregate.c). */
#include "language/sql/bind_user_aggregate.h"

#include "columns/function/user_function.h"
#include "ground/base/str.h"

const struct fn_def *bind_user_aggregate_named(const struct query_binder *b, const struct ast_expr *x, bool over)
{
    const struct fn_users *users = b->session != NULL ? b->session->users : NULL;
    bool has_over = x->aggregate != NULL && x->aggregate->over != NULL;

    if (users == NULL || x->kind != AX_CALL || x->op != NULL || x->name.count == 0 || has_over != over) return NULL;
    const struct fn_def *def = users->named(users->arg, x->name.parts, x->name.count);
    return def != NULL && def->is_aggregate ? def : NULL;
}

static enum status fail(struct binder *b, struct ast_place place, const char *text)
{
    return sql_error(b->e, b->t, place.at, place.size, "%s", text);
}

/* Chooses the overload; the arguments become what it takes. */
static enum status arguments_bind(const struct query_binder *b, struct binder *below, const struct ast_expr *x, struct fn_call *call,
                                  struct expr **args)
{
    struct err inner = {0};

    for (uint32_t i = 0; i < call->count; i++) {
        if (x->args.items[i]->kind == AX_STAR) return fail(below, x->args.items[i]->place, "a function of a user's takes values, not *");
        TRY(bind_expr(below, x->args.items[i], &args[i]));
        call->args[i] = args[i]->type;
    }
    if (fn_bind(call, b->a, b->session, &inner) != S_OK) return bind_fail(below, x->place, &inner);
    for (uint32_t i = 0; i < call->count; i++)
        if (expr_coerce(&below->m, args[i], call->args[i], &args[i], &inner) != S_OK)
            return bind_fail(below, x->args.items[i]->place, &inner);
    return S_OK;
}

enum status bind_user_aggregate_call(const struct query_binder *b, struct binder *below, const struct ast_expr *x, const struct fn_def *def,
                                     struct aggregate_call *c, struct expr **argument)
{
    struct fn_call call = {.def = def, .count = x->args.count};
    struct expr **args = ARENA_ARRAY(b->a, struct expr *, MAX(call.count, 1u));

    if (x->aggregate != NULL && (x->aggregate->within.count > 0 || x->aggregate->nulls != 0))
        return fail(below, x->place, "WITHIN GROUP, ORDER BY, RESPECT NULLS and IGNORE NULLS are not supported in this aggregate");
    if (def->makes_rows && (x->aggregate == NULL || !x->aggregate->makes_rows)) {
        err_hint(below->e, "it is a table aggregate function: call it with tw_table_flat_aggregate of the Table API");
        return fail(below, x->place, arena_printf(b->a, "No match found for function signature %s", def->name));
    }
    call.args = ARENA_ARRAY(b->a, const struct type *, MAX(call.count, 1u));
    call.constants = ARENA_ARRAY(b->a, const struct vector *, MAX(call.count, 1u));
    TRY(arguments_bind(b, below, x, &call, args));
    *argument = call.count == 1 ? args[0] : NULL;
    if (call.count > 1) TRY(expr_call(&below->m, STR("ROW"), args, call.count, argument, b->e));
    *c = (struct aggregate_call){.label = def->name, .argument = -1, .filter = -1, .result = call.result};
    (void)user_aggregate_of(&call, b->a, &c->function);
    return S_OK;
}
