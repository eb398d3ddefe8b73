/* table_rows.c - operations row by row: a scalar function makes a row of each row, a table function any number. What it makes is the
 * whole table: columns of the input are those that it is handed. */
#include <thalweg/table.h>

#include "surface/api/table_internal.h"

#include "columns/function/agg.h"
#include "language/sql/fragment.h"

#define RESULT "EXPR$0"

static struct tw_table *fail(struct tw_env *env, struct tw_here h, const struct err *e)
{
    api_table_fail(env, h, e);
    return api_table_broken(env);
}

/* As Flink: a column or a constant alone is no function, and an aggregate is of many rows. */
static enum status call_parse(struct tw_env *env, const char *text, const char *kind, const char *operation, struct tokens *t,
                              struct ast_expr **out, struct err *e)
{
    TRY(expression_parse_one(api_table_text(env, text), &env->arena, t, out, e));
    const struct ast_expr *x = *out;
    bool is_plain = x->kind == AX_NAME || x->kind == AX_LITERAL || x->kind == AX_STAR;
    if (!is_plain && (x->kind != AX_CALL || x->name.count != 1 || agg_find(x->name.parts[0]) == NULL)) return S_OK;
    return sql_error(e, t, x->place.at, x->place.size, "Only a %s function can be used in the %s operator.", kind, operation);
}

/* SELECT of what is listed. */
static enum status select_items(struct tw_env *env, struct ast_query *q, const char *list, struct err *e)
{
    struct tokens *t = ARENA_NEW(&env->arena, struct tokens);

    q->select->items = NULL;
    q->select->item_count = 0;
    return fragment_items(api_table_text(env, list), &env->arena, t, q->select, e);
}

struct tw_table *tw_table_map_at(struct tw_table *t, const char *function, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);
    struct tokens *tokens = ARENA_NEW(&env->arena, struct tokens);
    struct ast_item *item = ARENA_NEW(&env->arena, struct ast_item);
    struct err e = {0};

    if (!api_table_usable(t, h) || api_tables(env, h) == NULL) return api_table_broken(env);
    if (call_parse(env, function, "scalar", "map", tokens, &item->x, &e) != S_OK) return fail(env, h, &e);
    item->alias = STR(RESULT);
    struct ast_query *q = api_table_select(env, t);
    q->select->items = item;
    q->select->item_count = 1;
    struct tw_table *one = api_table_new(env, q, tokens, t->depth + 1, h);
    if (one->is_broken || one->row->children[0]->kind != T_ROW) return one;
    q = api_table_select(env, one);
    if (select_items(env, q, "`" RESULT "`.*", &e) != S_OK) return fail(env, h, &e);
    return api_table_new(env, q, tokens, one->depth + 1, h);
}

struct tw_table *tw_table_flat_map_at(struct tw_table *t, const char *function, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);
    struct tokens *tokens = ARENA_NEW(&env->arena, struct tokens);
    struct ast_table *rows = ARENA_NEW(&env->arena, struct ast_table), *both = ARENA_NEW(&env->arena, struct ast_table);
    struct err e = {0};

    if (!api_table_usable(t, h) || api_tables(env, h) == NULL) return api_table_broken(env);
    *rows = (struct ast_table){.kind = TABLE_CALL, .lateral = true, .alias = STR(RESULT)};
    if (call_parse(env, function, "table", "flatMap", tokens, &rows->x, &e) != S_OK) return fail(env, h, &e);
    if (rows->x->kind != AX_CALL) {
        (void)sql_error(&e, tokens, rows->x->place.at, rows->x->place.size, "Only a table function can be used in the flatMap operator.");
        return fail(env, h, &e);
    }
    rows->place = rows->x->place;
    struct ast_query *q = api_table_select(env, t);
    *both = (struct ast_table){.kind = TABLE_JOIN, .join = JOIN_CROSS, .left = q->select->from, .right = rows, .place = rows->place};
    q->select->from = both;
    if (select_items(env, q, "`" RESULT "`.*", &e) != S_OK) return fail(env, h, &e);
    return api_table_new(env, q, tokens, t->depth + 1, h);
}
