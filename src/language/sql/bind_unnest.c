/* bind_unnest.c - UNNEST(list) [WITH ORDINALITY] behind FROM: the list is an expression over the table to its left, and its elements
 * are the columns of a table that each row has for itself. Which names these columns have is Flink's: those of the alias, else
 * of the fields of an element; the alias itself where there is one column. */
#include "language/sql/bind_unnest.h"

#include "flow/operator/unnest.h"
#include "ground/base/str.h"
#include "language/sql/sql_function.h"
#include "language/sql/join_tree.h"

static enum status no_list(struct query_binder *b, const struct ast_table *t, const struct type *type)
{
    return sql_error(b->e, b->t, t->place.at, t->place.size,
                     "Cannot apply 'UNNEST' to arguments of type 'UNNEST(<%s>)'. Supported form(s): "
                     "'UNNEST(<MULTISET>)', 'UNNEST(<ARRAY>)', 'UNNEST(<MAP>)'",
                     type_text(b->a, type_with_null(b->a, type, true)));
}

static enum status wrong_degree(struct query_binder *b, const struct ast_table *t, uint32_t count)
{
    return sql_error(b->e, b->t, t->place.at, t->place.size,
                     "List of column aliases must have same degree as table; table has %u columns, whereas alias list "
                     "has %u columns",
                     count, t->alias_column_count);
}

static struct str column_name(const struct ast_table *t, const struct type *list, uint32_t i, uint32_t count)
{
    if (t->alias_column_count > 0) return t->alias_columns[i];
    if (t->ordinality && i + 1 == count) return STR("ORDINALITY");
    bool one = count == 1 && t->kind == TABLE_UNNEST && list->children[0]->kind != T_ROW && t->alias.size > 0;
    return one ? t->alias : str_of(unnest_name(list, i));
}

bool bind_is_table_function(const struct query_binder *b, const struct ast_table *t)
{
    const struct fn_users *users = b->session != NULL ? b->session->users : NULL;
    if (t->kind != TABLE_CALL || users == NULL || t->x->kind != AX_CALL) return false;
    const struct fn_def *def = users->named(users->arg, t->x->name.parts, t->x->name.count);

    return def != NULL && def->is_table;
}

enum status bind_unnest(struct query_binder *b, const struct ast_table *t, const struct bind_scope *left,
                        struct correlate_body *list, struct bind_scope *out)
{
    struct binder x = bind_expr_binder(b, left);
    const struct type **types = ARENA_ARRAY(b->a, const struct type *, TYPE_FIELDS_MAX + 1);

    TRY(t->kind == TABLE_CALL ? bind_table_call(&x, t->x, &list->list) : bind_expr(&x, t->x, &list->list));
    if (list->list == NULL) return bind_no_function(b, t);
    uint32_t n = unnest_types(list->list->type, types);
    if (n == 0) return no_list(b, t, list->list->type);
    list->ordinality = t->ordinality;
    if (t->ordinality) types[n++] = type_new(b->a, T_INT, 0, 0, false);
    if (t->alias_column_count > 0 && t->alias_column_count != n) return wrong_degree(b, t, n);
    const char **names = ARENA_ARRAY(b->a, const char *, n);
    for (uint32_t i = 0; i < n; i++) names[i] = bind_text(b, column_name(t, list->list->type, i, n));
    *out = bind_scope_of(b, type_row(b->a, n, names, types, false), t->alias);
    return S_OK;
}

/* One row stands for the table to the left. */
enum status bind_unnest_alone(struct query_binder *b, const struct ast_table *t, struct bind_source *out)
{
    struct expr_maker m = {.a = b->a, .session = b->session};
    struct correlate_body list = {0};
    struct bind_source left;
    struct bind_scope right;

    bind_nothing(b, &left);
    TRY(bind_unnest(b, t, &left.scope, &list, &right));
    struct join_tree *tree = join_tree_of_list(b->a, &left, right.row, &list);
    struct rel *r = rel_correlate(b->a, left.rel, tree->list);
    struct calc_body c = {.count = right.row->child_count};
    struct expr **columns = ARENA_ARRAY(b->a, struct expr *, c.count);
    for (uint32_t i = 0; i < c.count; i++) columns[i] = expr_column(&m, r->row, tree->left + i);
    c.columns = columns;
    out->rel = rel_calc(b->a, r, &c, right.row->names);
    out->scope = right;
    out->scope.row = out->rel->row;
    return S_OK;
}

enum status bind_no_function(struct query_binder *b, const struct ast_table *t)
{
    struct str name = t->x->name.count > 0 ? t->x->name.parts[t->x->name.count - 1] : t->x->text;
    static const char *const names[] = {"TUMBLE", "HOP", "CUMULATE", "SESSION", "UNNEST"};
    int near = str_nearest(name, names, COUNT_OF(names));
    const char *instead = sql_function_later(name);

    if (instead != NULL) err_hint(b->e, "%s", instead);
    if (instead != NULL)
        return sql_error(b->e, b->t, t->x->place.at, t->x->place.size, "%.*s is not supported yet", (int)MIN(name.size, (size_t)100), name.data);
    if (near >= 0)
        err_hint(b->e, "did you mean '%s'?", names[near]);
    else
        err_hint(b->e,
                 "functions of tables are TUMBLE, HOP, CUMULATE and SESSION; UNNEST(...) makes rows of an array, map or multiset");
    return sql_error(b->e, b->t, t->x->place.at, t->x->place.size, "No match found for function signature %.*s(%s)",
                     (int)MIN(name.size, (size_t)100), name.data, t->x->args.count > 0 ? "..." : "");
}
