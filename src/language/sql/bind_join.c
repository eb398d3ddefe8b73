/* bind_join.c - the names of a FROM clause's joins: both sides' columns with their tables' names, USING and NATURAL, which merge
 * columns of one name. What is bound is kept as a tree (join_tree.h) until WHERE is known. */
#include "language/sql/bind_join.h"

#include "ground/base/str.h"
#include "language/sql/bind_group.h"
#include "language/sql/bind_hint.h"
#include "language/sql/bind_over.h"
#include "language/sql/bind_subquery.h"
#include "language/sql/bind_unnest.h"
#include "language/sql/join_tree.h"
#include "language/sql/plan_places.h"

#include <string.h>

/* A sub-query in ON of an outer join: its value is a column of one of the sides. */
struct on_value {
    struct on_value *next;
    const struct ast_expr *node;
    uint32_t side;
    struct expr *x; /* over that side's row */
};

struct joining {
    struct query_binder *b;
    const struct ast_table *t;
    enum rel_join_kind kind;
    bool is_lookup; /* FOR SYSTEM_TIME AS OF processing time */
    struct bind_source sides[2];
    struct pulled lateral; /* of a LATERAL query, and its scope */
    uint32_t scope;
    struct join_tree *tree;
    struct ast_list later; /* conditions with sub-queries */
    struct on_value *values;
    struct bind_column *columns; /* of both sides, those that are merged first */
    uint32_t merged, count;
};

static enum rel_join_kind kind_of(const struct ast_table *t)
{
    switch ((enum ast_join)t->join) {
    case JOIN_LEFT: return REL_JOIN_LEFT;
    case JOIN_RIGHT: return REL_JOIN_RIGHT;
    case JOIN_FULL: return REL_JOIN_FULL;
    default: return REL_JOIN_INNER;
    }
}

/* --- both sides -------------------------------------------------------------------------------------------------- */
/* A side with columns that are expressions is made now, so that they are columns. */
static enum status side_settle(struct query_binder *b, struct bind_source *s)
{
    struct bind_column *columns = ARENA_ARRAY(b->a, struct bind_column, s->scope.count + 1);
    uint32_t n = s->scope.row->child_count, more = 0;
    struct calc_body c = {.columns = NULL};
    struct expr *condition = NULL, **items = ARENA_ARRAY(b->a, struct expr *, n + s->scope.count + 1);
    const char **names = ARENA_ARRAY(b->a, const char *, n + s->scope.count + 1);
    struct expr_maker m = {.a = b->a};

    for (uint32_t i = 0; i < s->scope.count; i++) {
        columns[i] = s->scope.columns[i];
        if (columns[i].x == NULL) continue;
        items[n + more] = columns[i].x;
        names[n + more] = arena_printf(b->a, "$m%u", more);
        columns[i].col = n + more++;
        columns[i].x = NULL;
    }
    if (more == 0) return S_OK;
    TRY(bind_join_finish(b, s, &condition));
    for (uint32_t i = 0; i < n; i++) {
        items[i] = expr_column(&m, s->rel->row, i);
        names[i] = s->rel->row->names[i];
    }
    c.count = n + more;
    c.columns = items;
    s->rel = rel_calc(b->a, s->rel, &c, names);
    s->scope.row = s->rel->row;
    s->scope.columns = columns;
    return S_OK;
}

static bool has_table(const struct bind_scope *s, struct str table)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (str_equal(s->columns[i].table, table)) return true;
    return false;
}

static enum status tables_differ(struct joining *j)
{
    const struct bind_scope *right = &j->sides[1].scope;
    struct ast_place place = j->t->right->place;

    for (uint32_t i = 0; i < right->count; i++) {
        struct str table = right->columns[i].table;
        bool seen = i > 0 && str_equal(table, right->columns[i - 1].table);
        if (table.size == 0 || seen || !has_table(&j->sides[0].scope, table)) continue;
        return sql_error(j->b->e, j->b->t, place.at, place.size, "Duplicate relation name '%.*s' in FROM clause",
                         (int)table.size, table.data);
    }
    return S_OK;
}

static void scope_join(struct joining *j)
{
    const struct bind_scope *left = &j->sides[0].scope, *right = &j->sides[1].scope;

    j->columns = ARENA_ARRAY(j->b->a, struct bind_column,
                             left->count + right->count + MIN(left->count, right->count) + 1);
    memcpy(j->columns, left->columns, sizeof *j->columns * left->count);
    for (uint32_t i = 0; i < right->count; i++) {
        j->columns[left->count + i] = right->columns[i];
        j->columns[left->count + i].col += left->row->child_count;
    }
    j->count = left->count + right->count;
}

/* --- USING, NATURAL ---------------------------------------------------------------------------------------------- */
static enum status column_by_name(struct joining *j, uint32_t side, struct str name, struct ast_place place, uint32_t *out)
{
    uint32_t first = side == 0 ? 0 : j->sides[0].scope.count, found = 0;

    for (uint32_t i = 0; i < j->sides[side].scope.count; i++) {
        const struct bind_column *c = &j->sides[side].scope.columns[i];
        if (c->is_qualified || !str_equal(c->name, name)) continue;
        *out = first + i;
        found++;
    }
    if (found == 1) return S_OK;
    if (found == 0)
        return sql_error(j->b->e, j->b->t, place.at, place.size, "Column '%.*s' not found in any table", (int)name.size,
                         name.data);
    return sql_error(j->b->e, j->b->t, place.at, place.size,
                     "Column name '%.*s' in NATURAL join or USING clause is not unique on one side of join",
                     (int)name.size, name.data);
}

/* COALESCE(left, right), as in Flink; where one of the columns is that by itself, it stands for both and keeps its keys. */
static enum status merged_column(struct joining *j, struct expr *const pair[2], struct expr **out)
{
    struct expr_maker m = {.a = j->b->a, .session = j->b->session};
    bool right = j->kind == REL_JOIN_RIGHT ||
                 (j->kind == REL_JOIN_INNER && pair[0]->type->nullable && !pair[1]->type->nullable);

    *out = pair[right];
    if (j->kind != REL_JOIN_FULL && type_equal_ignoring_null(pair[0]->type, pair[1]->type)) return S_OK;
    return expr_branch(&m, EXPR_COALESCE, pair, 2, out, j->b->e);
}

/* One column of both sides: they must be equal, and are one for whoever names it without a table. */
static enum status merge(struct joining *j, struct str name, struct ast_place place, struct bind_column *merged)
{
    struct expr_maker m = {.a = j->b->a, .session = j->b->session};
    struct expr *before[2], *after[2], *equal;
    struct err inner = {0};

    for (uint32_t side = 0; side < 2; side++) {
        uint32_t at = 0;
        TRY(column_by_name(j, side, name, place, &at));
        j->columns[at].is_qualified = true;
        before[side] = expr_column(&m, j->tree->pair, j->columns[at].col);
        after[side] = expr_column(&m, j->tree->row, j->columns[at].col);
    }
    if (expr_call(&m, STR("="), before, 2, &equal, &inner) != S_OK)
        return sql_error(j->b->e, j->b->t, place.at, place.size,
                         "Column '%.*s' matched using NATURAL keyword or USING clause has incompatible types",
                         (int)name.size, name.data);
    join_tree_add(j->tree, j->b->a, equal);
    *merged = (struct bind_column){.name = name};
    return merged_column(j, after, &merged->x);
}

static bool is_common(const struct joining *j, const struct bind_column *c)
{
    const struct bind_scope *right = &j->sides[1].scope;

    for (uint32_t i = 0; !c->is_qualified && i < right->count; i++)
        if (!right->columns[i].is_qualified && str_equal(right->columns[i].name, c->name)) return true;
    return false;
}

static enum status merge_all(struct joining *j)
{
    const struct bind_scope *left = &j->sides[0].scope;
    struct bind_column *merged = ARENA_ARRAY(j->b->a, struct bind_column, left->count + j->t->using.count + 1), *all;

    const struct ast_name *using = &j->t->using;

    for (uint32_t i = 0; i < using->count; i++) TRY(merge(j, using->parts[i], using->places[i], &merged[j->merged++]));
    for (uint32_t i = 0; j->t->natural && i < left->count; i++)
        if (is_common(j, &left->columns[i])) TRY(merge(j, left->columns[i].name, j->t->place, &merged[j->merged++]));
    all = ARENA_ARRAY(j->b->a, struct bind_column, j->merged + j->count + 1);
    memcpy(all, merged, sizeof *all * j->merged);
    memcpy(all + j->merged, j->columns, sizeof *all * j->count);
    j->columns = all;
    j->count += j->merged;
    return S_OK;
}

/* --- sub-queries in ON of outer joins ---------------------------------------------------------------------------- */
static enum status value_try(struct joining *j, const struct ast_expr *node, uint32_t side, struct err *e)
{
    struct query_binder *b = ARENA_NEW(j->b->a, struct query_binder);
    struct binder *x = ARENA_NEW(j->b->a, struct binder);
    struct on_value *v = ARENA_NEW(j->b->a, struct on_value);
    struct expr *nothing = NULL;

    *b = *j->b;
    b->e = e;
    TRY(bind_join_finish(b, &j->sides[side], &nothing));
    struct bind_source before = j->sides[side];
    *x = bind_expr_binder(b, &j->sides[side].scope);
    subqueries_allow(b, x, &j->sides[side]);
    *v = (struct on_value){.next = j->values, .node = node, .side = side};
    enum status st = bind_expr(x, node, &v->x);
    if (st == S_OK) j->values = v;
    else j->sides[side] = before;
    return st;
}

/* A row keeps its partners when a value stands beside it. Names are those of one side: the first one that knows them. */
static enum status values_bind(struct joining *j, const struct ast_expr *x)
{
    struct err inner = {0};

    for (uint32_t i = 0; !bind_is_subquery(x) && i < x->args.count; i++) TRY(values_bind(j, x->args.items[i]));
    if (!bind_is_subquery(x)) return S_OK;
    for (uint32_t side = 0; side < 2; side++)
        if (value_try(j, x, side, &inner) == S_OK) return S_OK;
    err_hint(j->b->e, "a sub-query in ON of an outer join speaks of columns of one of the tables");
    return value_try(j, x, 0, j->b->e);
}

static enum status on_value_find(struct binder *x, const struct ast_expr *node, struct expr **out)
{
    struct joining *j = x->query_arg;
    const struct type *pair = j->tree->pair;
    uint32_t left = j->tree->left;

    for (const struct on_value *v = j->values; v != NULL; v = v->next) {
        if (v->node != node) continue;
        struct expr **columns = v->side == 0 ? expr_columns_of(x->m.a, pair, 0, left)
                                             : expr_columns_of(x->m.a, pair, left, pair->child_count - left);
        *out = expr_moved(x->m.a, v->x, columns, NULL, 0);
        return S_OK;
    }
    return sql_error(x->e, x->t, node->place.at, node->place.size, "a sub-query cannot stand here");
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
static void later_add(struct joining *j, struct ast_expr *x)
{
    struct ast_expr **items = ARENA_ARRAY(j->b->a, struct ast_expr *, j->later.count + 1);

    if (j->later.count > 0) memcpy(items, j->later.items, sizeof *items * j->later.count);
    items[j->later.count++] = x;
    j->later.items = items;
}

static enum status bind_on_parts(struct joining *j, struct binder *x, struct ast_expr *on)
{
    bool is_and = on->kind == AX_CALL && on->op != NULL && str_equal(on->text, STR("AND"));
    struct expr *condition;

    for (uint32_t i = 0; is_and && i < on->args.count; i++) TRY(bind_on_parts(j, x, on->args.items[i]));
    if (is_and) return S_OK;
    if (j->kind == REL_JOIN_INNER && bind_has_subquery(on)) {
        later_add(j, on);
        return S_OK;
    }
    TRY(bind_condition(j->b, x, on, "ON", &condition));
    join_tree_add(j->tree, j->b->a, condition);
    return S_OK;
}

/* ON sees the columns of both sides as they are, without the NULLs of an outer join. */
static enum status bind_on(struct joining *j)
{
    struct bind_scope scope = {j->tree->pair, j->count, j->columns};
    struct binder x = bind_expr_binder(j->b, &scope);

    x.query = on_value_find;
    x.query_arg = j;
    if (j->t->on == NULL) return S_OK;
    return bind_on_parts(j, &x, j->t->on);
}

/* Conditions with sub-queries wait for WHERE: where that is the same, as no join above makes rows without this one. */
static enum status later_join(struct joining *j)
{
    bool keeps[] = {j->kind == REL_JOIN_INNER || j->kind == REL_JOIN_LEFT, j->kind == REL_JOIN_INNER || j->kind == REL_JOIN_RIGHT};

    for (uint32_t side = 0; side < 2; side++) {
        const struct ast_list *later = &j->sides[side].later;
        if (later->count > 0 && !keeps[side])
            err_hint(j->b->e, "put the inner join into a query of its own: (SELECT ... FROM a JOIN b ON ...)");
        if (later->count > 0 && !keeps[side])
            return sql_error(j->b->e, j->b->t, later->items[0]->place.at, later->items[0]->place.size, "a sub-query cannot stand here");
        for (uint32_t i = 0; i < later->count; i++) later_add(j, later->items[i]);
    }
    return S_OK;
}

static enum status check_condition(struct query_binder *b, const struct ast_table *t)
{
    bool has = t->on != NULL || t->natural || t->using.count > 0 || t->join == JOIN_CROSS || t->join == JOIN_COMMA;

    const struct ast_expr *window = over_call_in(t->on), *call = aggregate_call_in(b, t->on);
    const struct ast_expr *wrong = window != NULL ? window : call;

    if (wrong != NULL)
        return sql_error(b->e, b->t, wrong->place.at, wrong->place.size, "%s expression is illegal in ON clause",
                         window != NULL ? "Windowed aggregate" : "Aggregate");
    if (has) return S_OK;
    return sql_error(b->e, b->t, t->place.at, t->place.size,
                     "INNER, LEFT, RIGHT or FULL join requires a condition (NATURAL keyword or ON or USING clause)");
}

/* --- FOR SYSTEM_TIME AS OF --------------------------------------------------------------------------------------- */
static enum status as_of_fail(struct joining *j, const char *text)
{
    struct ast_place place = j->t->right->as_of->place;
    return sql_error(j->b->e, j->b->t, place.at, place.size, "%s", text);
}

static enum status as_of_type(struct joining *j, const struct type *type)
{
    if (type->kind == T_TIMESTAMP || type->kind == T_TIMESTAMP_LTZ) return S_OK;
    return as_of_fail(j, arena_printf(j->b->a, "The system time period specification expects Timestamp type but is '%s'",
                                      type_text(j->b->a, type_with_null(j->b->a, type, true))));
}

/* A time of the left table: a column of it. */
static enum status bind_as_of(struct joining *j, int *out)
{
    struct binder x = bind_expr_binder(j->b, &j->sides[0].scope);
    const struct ast_expr *as_of = j->t->right->as_of;
    struct err inner = {0};
    struct expr *time;

    x.e = &inner;
    if (j->kind == REL_JOIN_RIGHT || j->kind == REL_JOIN_FULL)
        return as_of_fail(j, j->kind == REL_JOIN_RIGHT ? "Unknown join type RIGHT" : "Unknown join type FULL");
    if (bind_expr(&x, as_of, &time) != S_OK) {
        struct str alias = j->t->right->alias.size > 0 ? j->t->right->alias : j->t->right->name.parts[j->t->right->name.count - 1];
        if (as_of->kind == AX_NAME && as_of->name.count == 2 && str_equal(as_of->name.parts[0], alias))
            return as_of_fail(j, "Temporal Table Join requires time attribute in the left table, but no time attribute found.");
        x.e = j->b->e;
        return bind_expr(&x, as_of, &time);
    }
    TRY(as_of_type(j, time->type));
    if (time->kind != EXPR_COLUMN)
        return as_of_fail(j, "Temporal table join currently only supports 'FOR SYSTEM_TIME AS OF' left table's time attribute field");
    j->is_lookup = time->type->time_kind == TIME_PROCTIME;
    *out = (int)time->col;
    return S_OK;
}

/* A query for each row of the left side: its rows, with what says to which row they belong behind their columns. As in Flink an
 * aggregate of nothing is no row. */
static enum status bind_lateral(struct joining *j)
{
    struct query_binder *b = j->b;
    const struct ast_table *t = j->t->right;
    struct binder *x = ARENA_NEW(b->a, struct binder);
    struct expr *nothing = NULL;
    struct within w;

    if (j->kind == REL_JOIN_RIGHT || j->kind == REL_JOIN_FULL)
        return sql_error(b->e, b->t, t->place.at, t->place.size, "Unknown join type %s", j->kind == REL_JOIN_RIGHT ? "RIGHT" : "FULL");
    TRY(bind_join_finish(b, &j->sides[0], &nothing));
    *x = bind_expr_binder(b, &j->sides[0].scope);
    TRY(bind_query_within(b, x, t->query, &w));
    w.d.outer = j->sides[0].rel;
    TRY(decorrelate(&w.d, w.rel, &j->lateral));
    j->lateral.is_total = false;
    const struct type *row = w.rel->row;
    if (t->alias_column_count > 0 && t->alias_column_count != row->child_count)
        return sql_error(b->e, b->t, t->place.at, t->place.size,
                         "List of column aliases must have same degree as table; table has %u columns, whereas alias list has %u columns",
                         row->child_count, t->alias_column_count);
    const char **names = ARENA_ARRAY(b->a, const char *, row->child_count + 1);
    for (uint32_t i = 0; i < row->child_count; i++) names[i] = t->alias_column_count > 0 ? bind_text(b, t->alias_columns[i]) : row->names[i];
    TRY(pulled_flatten(&w.d, &j->lateral, names));
    j->scope = w.d.scope;
    j->sides[1].rel = j->lateral.rel;
    j->sides[1].scope = bind_scope_of(b, j->lateral.rel->row, t->alias);
    j->sides[1].scope.count = row->child_count;
    return S_OK;
}

/* Which rows of a lateral query belong to which row of the left side. */
static void lateral_conditions(struct joining *j)
{
    struct arena *a = j->b->a;
    struct expr **left = expr_columns_of(a, j->tree->pair, 0, j->tree->left);
    struct expr **right = expr_columns_of(a, j->tree->pair, j->tree->left, j->tree->pair->child_count - j->tree->left);

    for (uint32_t i = 0; i < j->lateral.conditions.count; i++)
        join_tree_add(j->tree, a, expr_moved(a, j->lateral.conditions.items[i], right, left, j->scope));
}

static enum status bind_right(struct joining *j, int *as_of)
{
    struct ast_table right = *j->t->right;

    *as_of = -1;
    if (right.lateral && right.kind == TABLE_QUERY) return bind_lateral(j);
    if (right.as_of != NULL) TRY(bind_as_of(j, as_of));
    right.as_of = NULL;
    TRY(bind_table(j->b, &right, &j->sides[1]));
    return side_settle(j->b, &j->sides[1]);
}

/* The left side has failed: the right one is looked at for its own mistakes, where it stands by itself. */
static enum status left_failed(struct joining *j, enum status st)
{
    const struct ast_table *right = j->t->right;
    struct bind_source ignored;
    enum status failed = S_OK;

    if (right->lateral || right->as_of != NULL || right->kind == TABLE_UNNEST || right->kind == TABLE_CALL) return st;
    if (err_go_on(j->b->e, st, &failed) != S_OK) return st;
    if (bind_table(j->b, right, &ignored) != S_OK) failed = E_DATA;
    err_gather(j->b->e);
    return failed;
}

/* From the right table on. */
static const struct rel_said *said_of(const struct joining *j)
{
    struct ast_place from = j->t->right->place, to = j->t->on != NULL ? j->t->on->place : from;
    struct rel_said *said = ARENA_NEW(j->b->a, struct rel_said);

    if (from.size == 0) return NULL; /* of a program's tree */
    *said = (struct rel_said){j->b->t, {from.at, MAX(from.at + from.size, to.at + to.size) - from.at}};
    return said;
}

/* Both sides and the tree over them. */
static enum status bind_sides(struct joining *j)
{
    struct query_binder *b = j->b;
    const struct ast_table *right = j->t->right;
    struct correlate_body list = {.left = j->kind == REL_JOIN_LEFT};
    int as_of = -1;

    enum status st = bind_table(b, j->t->left, &j->sides[0]);
    if (st != S_OK) return left_failed(j, st);
    TRY(side_settle(b, &j->sides[0]));
    if (right->kind == TABLE_UNNEST || (right->lateral && bind_is_table_function(b, right))) {
        if (j->kind == REL_JOIN_RIGHT || j->kind == REL_JOIN_FULL)
            return sql_error(b->e, b->t, right->place.at, right->place.size, "Unknown join type %s",
                             j->kind == REL_JOIN_RIGHT ? "RIGHT" : "FULL");
        TRY(bind_unnest(b, right, &j->sides[0].scope, &list, &j->sides[1].scope));
    } else {
        TRY(bind_right(j, &as_of));
        bool values = j->kind != REL_JOIN_INNER && j->t->on != NULL && j->lateral.rel == NULL && as_of < 0;
        if (values && bind_has_subquery(j->t->on)) TRY(values_bind(j, j->t->on));
    }
    if (j->sides[0].scope.row->child_count + j->sides[1].scope.row->child_count > TYPE_FIELDS_MAX)
        return sql_error(b->e, b->t, j->t->place.at, j->t->place.size, "a join has at most %d columns of both sides",
                         TYPE_FIELDS_MAX);
    if (list.list != NULL) j->tree = join_tree_of_list(b->a, &j->sides[0], j->sides[1].scope.row, &list);
    else j->tree = join_tree_create(b->a, j->kind, &j->sides[0], &j->sides[1]);
    j->tree->said = said_of(j);
    lateral_conditions(j);
    join_tree_as_of(j->tree, b->a, j->sides[0].scope.row, as_of, j->is_lookup);
    j->tree->ttl[0] = bind_hint_ttl(b, j->t->left);
    j->tree->ttl[1] = bind_hint_ttl(b, right);
    j->tree->hints = bind_hint_join(b, j->t->left, right);
    j->tree->lookup = bind_hint_lookup(b, right);
    return S_OK;
}

enum status bind_join(struct query_binder *b, const struct ast_table *t, struct bind_source *out)
{
    struct joining j = {.b = b, .t = t, .kind = kind_of(t)};

    TRY(check_condition(b, t));
    TRY(bind_sides(&j));
    TRY(tables_differ(&j));
    scope_join(&j);
    TRY(merge_all(&j));
    TRY(bind_on(&j));
    TRY(later_join(&j));
    *out = (struct bind_source){.join = j.tree, .scope = {j.tree->row, j.count, j.columns}, .later = j.later};
    return S_OK;
}

enum status bind_join_finish(struct query_binder *b, struct bind_source *from, struct expr **condition)
{
    struct expr_maker m = {.a = b->a, .session = b->session};

    if (from->join == NULL) return S_OK;
    TRY(join_tree_plan(&m, from->join, condition, &from->rel, b->e));
    from->join = NULL;
    from->scope.row = from->rel->row; /* an interval join keeps time attributes */
    return S_OK;
}
