/* view_expand.c - see the header. Names are looked up as binding does: the tables of FROM are bound for their columns, the queries
 * around a sub-query come after its own tables. A name that nobody here knows, or that two tables have, stays as it is: an alias of
 * the select list, a field. What comes out is read and bound again, and must give the same row. */
#include "language/sql/view_expand.h"

#include "columns/function/agg.h"
#include "columns/function/fn.h"
#include "ground/base/str.h"
#include "language/sql/print.h"

#include <string.h>

/* Columns that names may mean, inside out. */
struct visible {
    const struct visible *around; /* NULL: none */
    const struct bind_scope *scope;
};

struct expanding {
    struct query_binder b; /* with the WITH queries that are visible */
    const struct visible *names;
    uint32_t *unnamed; /* sub-queries behind FROM that got a name so far */
};

static bool expand_query(struct expanding *x, struct ast_query *q);
static bool expand(struct expanding *x, struct ast_expr *e);

/* --- names ------------------------------------------------------------------------------------------------------- */
static void set_parts(struct expanding *x, struct ast_name *n, uint32_t before, const struct str *front)
{
    struct str *parts = ARENA_ARRAY(x->b.a, struct str, n->count + before);
    struct ast_place *places = ARENA_ARRAY(x->b.a, struct ast_place, n->count + before);

    for (uint32_t i = 0; i < n->count + before; i++) {
        parts[i] = i < before ? front[i] : n->parts[i - before];
        places[i] = n->place;
    }
    n->parts = parts;
    n->places = places;
    n->count += before;
}

/* How many columns of that name there are, and the table of the last one. */
static uint32_t find(const struct bind_scope *scope, struct str name, struct str *table)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < scope->count; i++) {
        if (!str_equal(scope->columns[i].name, name)) continue;
        *table = scope->columns[i].table;
        found++;
    }
    return found;
}

static bool is_table(const struct bind_scope *scope, struct str table)
{
    for (uint32_t i = 0; i < scope->count; i++)
        if (str_equal(scope->columns[i].table, table)) return true;
    return false;
}

static bool expand_name(struct expanding *x, struct ast_name *n)
{
    for (const struct visible *v = x->names; v != NULL; v = v->around) {
        struct str table = {0};
        if (n->count > 1 && is_table(v->scope, n->parts[0])) return true;
        uint32_t found = find(v->scope, n->parts[0], &table);
        if (found == 1 && table.size > 0) set_parts(x, n, 1, &table);
        if (found > 0) return true;
    }
    return true;
}

/* Of a table: all three parts. A WITH query has one. */
static bool expand_table_name(struct expanding *x, struct ast_name *n, bool *is_with)
{
    struct object_name name;

    *is_with = false;
    for (const struct bind_with *w = x->b.with; n->count == 1 && w != NULL; w = w->outer)
        *is_with |= str_equal(w->cte->name, n->parts[0]);
    if (*is_with || n->count > 2) return true;
    if (bind_name(&x->b, n, &name) != S_OK) return false;
    struct str front[] = {str_of(name.catalog != NULL ? name.catalog : catalogs_current(x->b.catalogs)),
                          str_of(name.database != NULL ? name.database : catalogs_current_database(x->b.catalogs))};
    set_parts(x, n, 3 - n->count, front);
    return true;
}

/* --- expressions ------------------------------------------------------------------------------------------------- */
static bool expand_list(struct expanding *x, struct ast_list *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (!expand(x, l->items[i])) return false;
    return true;
}

static bool expand_orders(struct expanding *x, struct ast_orders *o)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (!expand(x, o->items[i].x)) return false;
    return true;
}

static bool expand_window(struct expanding *x, struct ast_window *w)
{
    if (!expand_list(x, &w->partition) || !expand_orders(x, &w->order)) return false;
    return (w->from.x == NULL || expand(x, w->from.x)) && (w->to.x == NULL || expand(x, w->to.x));
}

static bool expand_aggregate(struct expanding *x, struct ast_aggregate *a)
{
    if (a == NULL) return true;
    if (!expand_orders(x, &a->within) || (a->filter != NULL && !expand(x, a->filter))) return false;
    return a->over == NULL || expand_window(x, a->over);
}

/* In capitals, as Flink has them. */
static void upper_name(struct expanding *x, struct ast_name *n)
{
    if (n->count != 1 || (fn_find(n->parts[0]) == NULL && agg_find(n->parts[0]) == NULL)) return;
    struct str *part = ARENA_NEW(x->b.a, struct str);
    char *text = arena_strndup(x->b.a, n->parts[0].data, n->parts[0].size);
    for (char *c = text; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 32);
    *part = (struct str){text, n->parts[0].size};
    n->parts = part;
}

static bool expand(struct expanding *x, struct ast_expr *e)
{
    switch ((enum ast_expr_kind)e->kind) {
    case AX_NAME: return expand_name(x, &e->name);
    case AX_QUERY: return expand_query(x, e->query);
    case AX_TABLE:
    case AX_DESCRIPTOR: return false; /* of table functions */
    case AX_CALL:
        if (e->op == NULL) upper_name(x, &e->name);
        return expand_list(x, &e->args) && expand_aggregate(x, e->aggregate);
    default: return expand_list(x, &e->args) && (e->query == NULL || expand_query(x, e->query));
    }
}

/* --- tables ------------------------------------------------------------------------------------------------------ */
static bool expand_from(struct expanding *x, struct ast_table *t)
{
    bool is_with;

    t->lines = true;
    switch ((enum ast_table_kind)t->kind) {
    case TABLE_NAME:
        if (t->alias.size == 0) t->alias = t->name.parts[t->name.count - 1];
        return expand_table_name(x, &t->name, &is_with) && (t->as_of == NULL || expand(x, t->as_of));
    case TABLE_QUERY: {
        struct expanding inner = *x;
        if (!t->lateral) inner.names = x->names != NULL ? x->names->around : NULL;
        return expand_query(&inner, t->query);
    }
    case TABLE_JOIN: return expand_from(x, t->left) && expand_from(x, t->right) && (t->on == NULL || expand(x, t->on));
    case TABLE_UNNEST: return expand(x, t->x);
    case TABLE_FILE:
    case TABLE_CALL: return false;
    }
    return false;
}

/* --- queries ----------------------------------------------------------------------------------------------------- */
static struct ast_expr *star_column(struct expanding *x, const struct bind_column *c, struct ast_place place)
{
    struct ast_expr *e = ARENA_NEW(x->b.a, struct ast_expr);
    struct str *name = ARENA_NEW(x->b.a, struct str);

    *name = c->name;
    *e = (struct ast_expr){
        .kind = AX_NAME, .place = place, .height = 1, .name = {.place = place, .count = 1, .parts = name}};
    set_parts(x, &e->name, c->table.size > 0 ? 1 : 0, &c->table);
    return e;
}

static bool expand_items(struct expanding *x, struct ast_select *s, const struct bind_scope *scope)
{
    struct ast_item *items = ARENA_ARRAY(x->b.a, struct ast_item, (size_t)s->item_count * (scope->count + 1u) + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->item_count; i++) {
        struct ast_expr *e = s->items[i].x;
        if (e->kind != AX_STAR) {
            if (!expand(x, e)) return false;
            items[count++] = s->items[i];
            continue;
        }
        for (uint32_t c = 0; c < scope->count; c++) {
            const struct bind_column *column = &scope->columns[c];
            if (e->name.count > 0 && !str_equal(column->table, e->name.parts[e->name.count - 1])) continue;
            items[count++] = (struct ast_item){.x = star_column(x, column, e->place)};
        }
    }
    s->items = items;
    s->item_count = count;
    return true;
}

static bool has_merged(const struct bind_scope *scope)
{
    for (uint32_t i = 0; i < scope->count; i++)
        if (scope->columns[i].is_qualified || scope->columns[i].x != NULL) return true;
    return false;
}

/* As Flink calls sub-queries without a name. */
static void name_queries(struct expanding *x, struct ast_table *t)
{
    if (t->kind == TABLE_JOIN) {
        name_queries(x, t->left);
        name_queries(x, t->right);
    } else if (t->kind == TABLE_QUERY && t->alias.size == 0) {
        t->alias = str_of(arena_printf(x->b.a, "EXPR$%u", (*x->unnamed)++));
    }
}

static bool expand_select(struct expanding *x, struct ast_select *s, struct ast_orders *order)
{
    struct bind_source source = {0};
    struct visible names = {x->names, &source.scope};
    struct expanding inner = *x;

    s->lines = true;
    if (s->from != NULL) name_queries(x, s->from);
    if (s->from != NULL && bind_table(&inner.b, s->from, &source) != S_OK) return false;
    if (has_merged(&source.scope)) return false;
    inner.names = &names;
    if (!expand_items(&inner, s, &source.scope) || !expand_list(&inner, &s->group) || !expand_orders(&inner, order))
        return false;
    if ((s->where != NULL && !expand(&inner, s->where)) || (s->having != NULL && !expand(&inner, s->having)))
        return false;
    if (s->qualify != NULL && !expand(&inner, s->qualify)) return false;
    for (uint32_t i = 0; i < s->window_count; i++)
        if (!expand_window(&inner, &s->windows[i])) return false;
    return s->from == NULL || expand_from(&inner, s->from);
}

static bool expand_query(struct expanding *x, struct ast_query *q)
{
    struct expanding inner = *x;
    bool is_with;

    q->lines = true;
    for (uint32_t i = 0; i < q->cte_count; i++) {
        if (!expand_query(&inner, q->ctes[i].query)) return false;
        struct bind_with *w = ARENA_NEW(x->b.a, struct bind_with);
        *w = (struct bind_with){.outer = inner.b.with, .cte = &q->ctes[i]};
        inner.b.with = w;
    }
    switch ((enum ast_query_kind)q->kind) {
    case QUERY_SELECT: return expand_select(&inner, q->select, &q->order);
    case QUERY_VALUES: return expand_list(&inner, &q->rows);
    case QUERY_TABLE: return expand_table_name(&inner, &q->table, &is_with);
    default: return expand_query(&inner, q->left) && expand_query(&inner, q->right);
    }
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
static bool means_the_same(struct query_binder *b, const char *text, const struct type *row)
{
    struct query_binder again = *b;
    struct tokens *tokens = ARENA_NEW(b->a, struct tokens);
    struct statement s;
    struct err none = {0};
    struct rel *plan;

    again.e = &none;
    again.t = tokens;
    if (statement_parse_one(str_of(text), b->a, tokens, &s, &none) != S_OK || bind_query(&again, s.body, &plan) != S_OK)
        return false;
    if (plan->row->child_count != row->child_count || !type_equal(plan->row, row)) return false;
    for (uint32_t i = 0; i < row->child_count; i++)
        if (strcmp(plan->row->names[i], row->names[i]) != 0) return false;
    return true;
}

bool view_expand(struct query_binder *b, struct ast_query *q, const struct type *row, const char **text)
{
    struct err none = {0};
    uint32_t unnamed = 0;
    struct expanding x = {.b = *b, .unnamed = &unnamed};
    struct buf out;

    x.b.e = &none;
    if (!expand_query(&x, q)) return false;
    buf_init(&out, b->a->mem);
    print_query(q, &out);
    *text = arena_strndup(b->a, out.data, out.size);
    buf_release(&out);
    return means_the_same(b, *text, row);
}
