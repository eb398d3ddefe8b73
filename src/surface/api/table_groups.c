/* table_groups.c - aggregate and flatAggregate: the keys of each group, and what one function makes of its rows. Both are a query that
 * groups, with a query above it that takes the result apart: a ROW into its columns, the rows of a table aggregate function, which
 * come as a list, into rows (UNNEST). So what a group put out before is taken back with the list that it was. */
#include <thalweg/table.h>

#include "surface/api/table_internal.h"

#include "columns/function/agg.h"
#include "language/sql/fragment.h"

#include <string.h>

/* One of the two under way. */
struct grouping {
    struct tw_env *env;
    struct tw_table *from;
    struct str function, names;
    bool makes_rows;
    struct tw_here here;
};

static struct tw_table *fail(const struct grouping *g, const struct err *e)
{
    api_table_fail(g->env, g->here, e);
    return api_table_broken(g->env);
}

/* --- the group ------------------------------------------------------------------------------------------------------ */
/* Is it the call of such a function? As Flink: nothing else is taken. */
static enum status call_check(const struct grouping *g, struct api_tables *a, struct err *e)
{
    struct tokens *t = ARENA_NEW(&g->env->arena, struct tokens);
    const struct fn_users *users = sql_session_users(a->session);
    struct ast_expr *x;

    TRY(expression_parse_one(g->function, &g->env->arena, t, &x, e));
    bool is_call = x->kind == AX_CALL && x->op == NULL && x->name.count > 0;
    const struct fn_def *user = is_call && users != NULL ? users->named(users->arg, x->name.parts, x->name.count)
                                                         : NULL;
    bool is_plain = user != NULL ? user->is_aggregate && !user->makes_rows
                                 : is_call && x->name.count == 1 && agg_find(x->name.parts[0]) != NULL;
    if (g->makes_rows ? user != NULL && user->makes_rows : is_plain) return S_OK;
    return sql_error(e, t, x->place.at, x->place.size, "Only %s function can be used in the %s operator.",
                     g->makes_rows ? "a table aggregate" : "an aggregate",
                     g->makes_rows ? "flatAggregate" : "aggregate");
}

/* SELECT keys, function FROM the table GROUP BY keys */
static struct tw_table *grouped(const struct grouping *g)
{
    struct arena *a = &g->env->arena;
    struct tokens *t = ARENA_NEW(a, struct tokens);
    struct ast_query *q = api_table_select(g->env, g->from);
    struct ast_select *s = q->select;
    const char *keys = g->from->group != NULL ? g->from->group : "";
    bool all = keys[0] == '\0';
    const char *text = arena_printf(a, "%s%s%s%s%s", keys, all ? "" : ", ", g->function.data, all ? "" : "\n; ", keys);
    struct err e = {0};

    s->items = NULL;
    s->item_count = 0;
    enum status st = all ? fragment_items(str_of(text), a, t, s, &e) : fragment_grouped(str_of(text), a, t, s, &e);
    if (st != S_OK) return fail(g, &e);
    struct ast_expr *call = s->items[s->item_count - 1].x;
    if (g->makes_rows && call->aggregate == NULL) call->aggregate = ARENA_NEW(a, struct ast_aggregate);
    if (g->makes_rows) call->aggregate->makes_rows = true;
    return api_table_new(g->env, q, t, g->from->depth + 1, g->here);
}

/* --- above it --------------------------------------------------------------------------------------------------------- */
/* "`a`, `b`, " of the keys. */
static const char *keys_text(const struct grouping *g, const struct type *row)
{
    const char *text = "";

    for (uint32_t i = 0; i + 1 < row->child_count; i++)
        text = arena_printf(&g->env->arena, "%s`%s`, ", text, row->names[i]);
    return text;
}

static struct tw_table *apart(const struct grouping *g, struct tw_table *t)
{
    struct arena *a = &g->env->arena;
    const struct type *result = t->row->children[t->row->child_count - 1];
    const char *name = t->row->names[t->row->child_count - 1]; /* what SQL calls it, by its place */
    struct tokens *tokens = ARENA_NEW(a, struct tokens);
    struct ast_query *q = api_table_select(g->env, t);
    struct err e = {0};

    if (!g->makes_rows && result->kind != T_ROW) return t;
    if (g->makes_rows) {
        struct ast_table *rows = ARENA_NEW(a, struct ast_table), *both = ARENA_NEW(a, struct ast_table);
        *rows = (struct ast_table){.kind = TABLE_UNNEST, .alias = str_of(name)};
        if (expression_parse_one(str_of(arena_printf(a, "`%s`", name)), a, tokens, &rows->x, &e) != S_OK)
            return fail(g, &e);
        *both = (struct ast_table){.kind = TABLE_JOIN, .join = JOIN_CROSS, .left = q->select->from, .right = rows};
        q->select->from = both;
    }
    const char *list = arena_printf(a, "%s`%s`.*", keys_text(g, t->row), name);
    q->select->items = NULL;
    q->select->item_count = 0;
    if (fragment_items(str_of(list), a, tokens, q->select, &e) != S_OK) return fail(g, &e);
    return api_table_new(g->env, q, tokens, t->depth + 1, g->here);
}

/* The function's columns, behind the keys, get these names. */
static struct tw_table *named(const struct grouping *g, struct tw_table *t, uint32_t keys)
{
    struct tokens *tokens = ARENA_NEW(&g->env->arena, struct tokens);
    const char *all = "";
    struct str *names;
    struct err e = {0};
    uint32_t count;

    if (fragment_names(g->names, &g->env->arena, tokens, &count, &names, &e) != S_OK) return fail(g, &e);
    if (count != t->row->child_count - keys) {
        (void)err_set(&e, E_GRAPH, "%u names for the %u columns of %s", count, t->row->child_count - keys,
                      g->function.data);
        return fail(g, &e);
    }
    for (uint32_t i = 0; i < keys; i++) all = arena_printf(&g->env->arena, "%s`%s`, ", all, t->row->names[i]);
    return tw_table_apply_at(t, "as", arena_printf(&g->env->arena, "%s%s", all, g->names.data), g->here);
}

static struct tw_table *aggregate(struct tw_table *t, const char *function, const char *names, bool makes_rows,
                                  struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);
    struct grouping g = {.env = env, .from = t, .makes_rows = makes_rows, .here = h};
    struct api_tables *a = t->is_broken ? NULL : api_tables(env, h);
    struct err e = {0};

    if (a == NULL) return api_table_broken(env);
    g.function = str_trim(api_table_text(env, function));
    g.function = api_table_text(env, arena_strndup(&env->arena, g.function.data, g.function.size));
    g.names = api_table_text(env, names);
    if (call_check(&g, a, &e) != S_OK) return fail(&g, &e);
    struct tw_table *one = grouped(&g);
    if (one->is_broken) return one;
    uint32_t keys = one->row->child_count - 1;
    struct tw_table *out = apart(&g, one);
    return names == NULL || out->is_broken ? out : named(&g, out, keys);
}

struct tw_table *tw_table_aggregate_at(struct tw_table *t, const char *function, const char *names, struct tw_here h)
{
    return aggregate(t, function, names, false, h);
}

struct tw_table *tw_table_flat_aggregate_at(struct tw_table *t, const char *function, const char *names,
                                            struct tw_here h)
{
    return aggregate(t, function, names, true, h);
}
