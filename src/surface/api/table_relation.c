/* table_relation.c - operations on tables: each wraps the query that a table is into one more, by the table of operations below. What
 * a text holds is read by the parser's functions for that place alone, and given its meaning by the binder of SQL. */
#include <thalweg/table.h>

#include "surface/api/table_internal.h"

#include "language/sql/fragment.h"

#include <stdio.h>
#include <string.h>

/* One operation under way. */
struct applying {
    struct tw_env *env;
    struct tw_table *from;
    struct tokens *t;
    struct ast_query *q; /* SELECT * FROM the table */
    struct str text;
    struct tw_here here;
    struct err e;
};

struct operation {
    const char *name;
    enum status (*apply)(struct applying *x);
};

static struct arena *arena_of(struct applying *x) { return &x->env->arena; }

/* --- items -------------------------------------------------------------------------------------------------------- */
static struct ast_expr *name_expr(struct applying *x, const char *name)
{
    struct ast_expr *e = ARENA_NEW(arena_of(x), struct ast_expr);

    *e = (struct ast_expr){.kind = AX_NAME, .height = 1};
    e->name.parts = ARENA_NEW(arena_of(x), struct str);
    e->name.places = ARENA_NEW(arena_of(x), struct ast_place);
    e->name.count = 1;
    e->name.parts[0] = str_of(name);
    return e;
}

static void clear_items(struct ast_select *s)
{
    s->items = NULL;
    s->item_count = 0;
}

static enum status apply_select(struct applying *x)
{
    clear_items(x->q->select);
    if (x->from->group == NULL) return fragment_items(x->text, arena_of(x), x->t, x->q->select, &x->e);
    if (x->from->group[0] == '\0') return fragment_items(x->text, arena_of(x), x->t, x->q->select, &x->e);
    const char *both = arena_printf(arena_of(x), "%s\n; %s", x->text.data, x->from->group);
    return fragment_grouped(str_of(both), arena_of(x), x->t, x->q->select, &x->e);
}

static enum status apply_where(struct applying *x)
{
    return expression_parse_one(x->text, arena_of(x), x->t, &x->q->select->where, &x->e);
}

static enum status apply_as(struct applying *x)
{
    struct ast_table *from = x->q->select->from;

    from->place = (struct ast_place){0, (uint32_t)x->text.size};
    if (from->alias.size == 0) from->alias = STR("t");
    return fragment_names(x->text, arena_of(x), x->t, &from->alias_column_count, &from->alias_columns, &x->e);
}

static enum status apply_distinct(struct applying *x)
{
    x->q->select->distinct = true;
    return tokens_cut(x->t, x->text, NULL, arena_of(x), &x->e);
}

static enum status apply_order_by(struct applying *x)
{
    return fragment_orders(x->text, arena_of(x), x->t, &x->q->order, &x->e);
}

/* --- columns more, other, fewer ----------------------------------------------------------------------------------- */
static int column_of(const struct type *row, struct str name) { return name.size > 0 ? type_field(row, name) : -1; }

/* The name that an item will have: its alias, or that of the column it is. */
static struct str item_name(const struct ast_item *i)
{
    if (i->alias.size > 0) return i->alias;
    return i->x->kind == AX_NAME ? i->x->name.parts[i->x->name.count - 1] : (struct str){0};
}

static enum status add_columns(struct applying *x, bool replaces)
{
    const struct type *row = x->from->row;
    struct ast_select given = {0}, *s = x->q->select;

    TRY(fragment_items(x->text, arena_of(x), x->t, &given, &x->e));
    struct ast_item *items = ARENA_ARRAY(arena_of(x), struct ast_item, row->child_count + given.item_count + 1);
    uint32_t n = 0;
    bool *used = ARENA_ARRAY(arena_of(x), bool, given.item_count + 1);
    for (uint32_t c = 0; c < row->child_count; c++) {
        items[n].x = name_expr(x, row->names[c]);
        for (uint32_t i = 0; i < given.item_count; i++) {
            if (column_of(row, item_name(&given.items[i])) != (int)c) continue;
            if (!replaces)
                return err_set(&x->e, E_GRAPH,
                               "column '%s' is there already; tw_table_add_or_replace_columns takes its place",
                               row->names[c]);
            items[n] = given.items[i];
            used[i] = true;
        }
        n++;
    }
    for (uint32_t i = 0; i < given.item_count; i++)
        if (!used[i]) items[n++] = given.items[i];
    s->items = items;
    s->item_count = n;
    return S_OK;
}

static enum status apply_add_columns(struct applying *x) { return add_columns(x, false); }
static enum status apply_add_or_replace_columns(struct applying *x) { return add_columns(x, true); }

static enum status apply_drop_columns(struct applying *x)
{
    const struct type *row = x->from->row;
    struct ast_item *items = ARENA_ARRAY(arena_of(x), struct ast_item, row->child_count + 1);
    bool *dropped = ARENA_ARRAY(arena_of(x), bool, row->child_count + 1);
    struct str *names;
    uint32_t count, n = 0;

    TRY(fragment_names(x->text, arena_of(x), x->t, &count, &names, &x->e));
    for (uint32_t i = 0; i < count; i++) {
        int at = type_field(row, names[i]);
        if (at < 0) return type_field_missing(row, names[i], &x->e);
        dropped[at] = true;
    }
    for (uint32_t c = 0; c < row->child_count; c++)
        if (!dropped[c]) items[n++].x = name_expr(x, row->names[c]);
    if (n == 0) return err_set(&x->e, E_GRAPH, "no column would be left");
    x->q->select->items = items;
    x->q->select->item_count = n;
    return S_OK;
}

static enum status apply_rename_columns(struct applying *x)
{
    const struct type *row = x->from->row;
    struct ast_select given = {0};
    struct ast_item *items = ARENA_ARRAY(arena_of(x), struct ast_item, row->child_count + 1);

    TRY(fragment_items(x->text, arena_of(x), x->t, &given, &x->e));
    for (uint32_t c = 0; c < row->child_count; c++) items[c].x = name_expr(x, row->names[c]);
    for (uint32_t i = 0; i < given.item_count; i++) {
        const struct ast_expr *column = given.items[i].x;
        if (column->kind != AX_NAME || column->name.count != 1 || given.items[i].alias.size == 0)
            return sql_error(&x->e, x->t, column->place.at, column->place.size, "renames are of the form 'old AS new'");
        int at = type_field(row, column->name.parts[0]);
        if (at < 0) return type_field_missing(row, column->name.parts[0], &x->e);
        items[at].alias = given.items[i].alias;
    }
    x->q->select->items = items;
    x->q->select->item_count = row->child_count;
    return S_OK;
}

static const struct operation operations[] = {
    {"select", apply_select},
    {"where", apply_where},
    {"as", apply_as},
    {"distinct", apply_distinct},
    {"order_by", apply_order_by},
    {"add_columns", apply_add_columns},
    {"add_or_replace_columns", apply_add_or_replace_columns},
    {"drop_columns", apply_drop_columns},
    {"rename_columns", apply_rename_columns},
};

/* --- the call ----------------------------------------------------------------------------------------------------- */
static struct tw_table *copy_of(struct tw_table *t)
{
    struct tw_table *copy = ARENA_NEW(&t->env->arena, struct tw_table);

    *copy = *t;
    return copy;
}

/* Nothing is asked yet but whether the text can be read: what its names mean depends on the select list. */
static struct tw_table *group_by(struct tw_table *t, const char *keys, struct tw_here h)
{
    struct tw_table *copy = copy_of(t);
    struct str text = str_trim(api_table_text(t->env, keys));
    struct ast_select s = {0};
    struct tokens tokens;
    struct err e = {0};

    copy->group = arena_strndup(&t->env->arena, text.data, text.size);
    if (text.size == 0 || fragment_group(text, &t->env->arena, &tokens, &s, &e) == S_OK) return copy;
    api_table_fail(t->env, h, &e);
    return api_table_broken(t->env);
}

static struct tw_table *alias(struct tw_table *t, const char *name)
{
    struct tw_table *copy = copy_of(t);

    copy->alias = api_table_text(t->env, name);
    return copy;
}

static struct tw_table *unknown_operation(struct tw_env *env, const char *name, struct tw_here h)
{
    const char *names[COUNT_OF(operations) + 2];

    for (size_t i = 0; i < COUNT_OF(operations); i++) names[i] = operations[i].name;
    names[COUNT_OF(operations)] = "group_by";
    names[COUNT_OF(operations) + 1] = "alias";
    int near = str_nearest(str_of(name), names, COUNT_OF(names));
    api_mistake(env, h, "tables have no operation '%s'%s%s%s", name, near >= 0 ? "; did you mean '" : "",
                near >= 0 ? names[near] : "", near >= 0 ? "'?" : "");
    return api_table_broken(env);
}

struct tw_table *tw_table_apply_at(struct tw_table *t, const char *operation, const char *text, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);
    struct applying x = {.env = env, .from = t, .here = h};

    if (t->is_broken || api_tables(env, h) == NULL) return api_table_broken(env);
    if (strcmp(operation, "select") != 0 && !api_table_usable(t, h)) return api_table_broken(env);
    if (strcmp(operation, "group_by") == 0) return group_by(t, text, h);
    if (strcmp(operation, "alias") == 0) return alias(t, text);
    x.t = ARENA_NEW(&env->arena, struct tokens);
    x.text = api_table_text(env, text);
    x.q = api_table_select(env, t);
    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        if (strcmp(operations[i].name, operation) != 0) continue;
        if (operations[i].apply(&x) == S_OK) return api_table_new(env, x.q, x.t, t->depth + 1, h);
        api_table_fail(env, h, &x.e);
        return api_table_broken(env);
    }
    return unknown_operation(env, operation, h);
}

struct tw_table *tw_table_window_at(struct tw_table *t, const char *function, const char *arguments, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);
    struct tokens *tokens = ARENA_NEW(&env->arena, struct tokens);
    struct ast_expr *call, *data = ARENA_NEW(&env->arena, struct ast_expr);
    struct err e = {0};

    if (!api_table_usable(t, h) || api_tables(env, h) == NULL) return api_table_broken(env);
    struct str text = api_table_text(env, arguments), name = api_table_text(env, function);
    if (fragment_arguments(text, &env->arena, tokens, name.data, &call, &e) != S_OK) {
        api_table_fail(env, h, &e);
        return api_table_broken(env);
    }
    struct ast_expr **args = ARENA_ARRAY(&env->arena, struct ast_expr *, call->args.count + 1);
    *data = (struct ast_expr){.kind = AX_TABLE, .height = 1, .table = api_table_ref(env, t)};
    data->table->argument = true;
    args[0] = data;
    for (uint32_t i = 0; i < call->args.count; i++) args[i + 1] = call->args.items[i];
    call->args = (struct ast_list){call->args.count + 1, args};
    struct ast_query *q = api_table_select(env, t);
    *q->select->from = (struct ast_table){.kind = TABLE_CALL, .place = call->place, .x = call};
    return api_table_new(env, q, tokens, t->depth + 1, h);
}

/* --- how many ------------------------------------------------------------------------------------------------------ */
static struct ast_expr *number(struct tw_env *env, int64_t value)
{
    struct ast_expr *x = ARENA_NEW(&env->arena, struct ast_expr);

    *x = (struct ast_expr){.kind = AX_LITERAL, .literal = LITERAL_INTEGER, .height = 1};
    x->text = str_of(arena_printf(&env->arena, "%lld", (long long)value));
    return x;
}

struct tw_table *tw_table_cut_at(struct tw_table *t, int64_t offset, int64_t fetch, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);
    struct ast_query *q;

    if (!api_table_usable(t, h) || api_tables(env, h) == NULL) return api_table_broken(env);
    if (offset < 0 || fetch < -1) {
        api_mistake(env, h, "a number of rows is not negative");
        return api_table_broken(env);
    }
    if (t->query->order.count > 0 && t->query->limit == NULL &&
        t->query->offset == NULL) { /* the first ones of that order */
        q = ARENA_NEW(&env->arena, struct ast_query);
        *q = *t->query;
    } else {
        q = api_table_select(env, t);
    }
    if (fetch >= 0) q->limit = number(env, fetch);
    if (offset > 0) q->offset = number(env, offset);
    return api_table_new(env, q, q->t, t->depth + 1, h);
}

/* --- two tables ---------------------------------------------------------------------------------------------------- */
struct combination {
    const char *name;
    uint8_t kind; /* enum ast_query_kind; QUERY_SELECT: a join */
    uint8_t join; /* enum ast_join */
    bool all;
};

static const struct combination combinations[] = {
    {"join", QUERY_SELECT, JOIN_INNER, false},
    {"left_outer_join", QUERY_SELECT, JOIN_LEFT, false},
    {"right_outer_join", QUERY_SELECT, JOIN_RIGHT, false},
    {"full_outer_join", QUERY_SELECT, JOIN_FULL, false},
    {"union", QUERY_UNION, 0, false},
    {"union_all", QUERY_UNION, 0, true},
    {"intersect", QUERY_INTERSECT, 0, false},
    {"intersect_all", QUERY_INTERSECT, 0, true},
    {"minus", QUERY_EXCEPT, 0, false},
    {"minus_all", QUERY_EXCEPT, 0, true},
};

static const struct combination *combination_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(combinations); i++)
        if (strcmp(combinations[i].name, name) == 0) return &combinations[i];
    return NULL;
}

/* Plain names in conditions need names that differ, as in Flink's Table API; an alias tells the others apart. */
static bool names_differ(struct tw_table *t, struct tw_table *u, struct tw_here h)
{
    for (uint32_t i = 0; i < t->row->child_count && (t->alias.size == 0 || u->alias.size == 0); i++) {
        if (type_field(u->row, str_of(t->row->names[i])) < 0) continue;
        api_mistake(t->env, h,
                    "join relations with ambiguous names: '%s' is a column of both tables; rename one with "
                    "tw_table_rename_columns, or name both tables with tw_table_alias",
                    t->row->names[i]);
        return false;
    }
    return true;
}

static struct tw_table *join(struct tw_table *t, struct tw_table *u, const struct combination *c, const char *condition,
                             struct tw_here h)
{
    struct tw_env *env = t->env;
    struct tokens *tokens = NULL;
    struct ast_query *q = api_table_select(env, t);
    struct ast_table *both = ARENA_NEW(&env->arena, struct ast_table);
    struct err e = {0};

    if (!names_differ(t, u, h)) return api_table_broken(env);
    *both = (struct ast_table){
        .kind = TABLE_JOIN, .join = c->join, .left = q->select->from, .right = api_table_ref(env, u)};
    if (condition == NULL) {
        both->join = c->join == JOIN_INNER ? JOIN_CROSS : c->join;
        if (c->join != JOIN_INNER) condition = "TRUE";
    }
    if (condition != NULL) {
        tokens = ARENA_NEW(&env->arena, struct tokens);
        if (expression_parse_one(api_table_text(env, condition), &env->arena, tokens, &both->on, &e) != S_OK) {
            api_table_fail(env, h, &e);
            return api_table_broken(env);
        }
        both->place = both->on->place;
    }
    q->select->from = both;
    return api_table_new(env, q, tokens, MAX(t->depth, u->depth) + 1, h);
}

struct tw_table *tw_table_combine_at(struct tw_table *t, struct tw_table *u, const char *operation,
                                     const char *condition, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);
    const struct combination *c = combination_find(operation);

    if (!api_table_usable(t, h) || !api_table_usable(u, h) || api_tables(env, h) == NULL) return api_table_broken(env);
    if (u->env != env) {
        api_mistake(u->env, h, "the tables belong to different environments");
        api_mistake(env, h, "the tables belong to different environments");
        return api_table_broken(env);
    }
    if (c == NULL) return unknown_operation(env, operation, h);
    if (c->kind == QUERY_SELECT) return join(t, u, c, condition, h);
    struct ast_query *q = ARENA_NEW(&env->arena, struct ast_query);
    *q = (struct ast_query){
        .kind = c->kind, .all = c->all, .left = api_table_select(env, t), .right = api_table_select(env, u)};
    return api_table_new(env, q, NULL, MAX(t->depth, u->depth) + 1, h);
}
