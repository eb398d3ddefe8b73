/* bind_select.c - SELECT from the inside out: tables give columns, WHERE drops rows, groups are made (bind_group.c), functions
 * OVER windows computed (bind_over.c), and the select list is a Calc on top. */
#include "language/sql/bind_group.h"
#include "language/sql/bind_hint.h"
#include "language/sql/bind_join.h"
#include "language/sql/bind_over.h"
#include "language/sql/bind_semi.h"
#include "language/sql/bind_subquery.h"

#include "ground/base/str.h"

#include <string.h>

void bind_column_add(struct query_binder *b, struct bind_columns *c, struct expr *x, const char *name)
{
    if (c->count == c->capacity) {
        uint32_t more = MAX(c->capacity * 2, 16u);
        struct expr **items = ARENA_ARRAY(b->a, struct expr *, more);
        const char **names = ARENA_ARRAY(b->a, const char *, more);
        if (c->count > 0) {
            memcpy(items, c->items, sizeof *items * c->count);
            memcpy(names, c->names, sizeof *names * c->count);
        }
        c->items = items;
        c->names = names;
        c->capacity = more;
    }
    c->items[c->count] = x;
    c->names[c->count++] = name;
}

/* As if the column's name stood there: in a grouped query it must be grouped. */
static enum status star_column(struct query_binder *b, struct binder *x, const struct ast_expr *star, const struct bind_column *c,
                               struct expr **out)
{
    struct str parts[] = {c->table, c->name};
    struct ast_place places[] = {star->place, star->place};
    bool plain = c->table.size == 0;
    struct ast_expr name = {.kind = AX_NAME, .place = star->place, .height = 1};

    if (x->special == NULL) {
        *out = c->x != NULL ? c->x : expr_column(&x->m, x->scope->row, c->col);
        return S_OK;
    }
    name.name = (struct ast_name){star->place, plain ? 1 : 2, parts + plain, places};
    (void)b;
    return bind_expr(x, &name, out);
}

/* The name with one part more. */
static struct ast_expr *name_of_field(struct query_binder *b, const struct ast_expr *star, struct str field)
{
    struct ast_expr *x = ARENA_NEW(b->a, struct ast_expr);
    uint32_t n = star->name.count;
    struct str *parts = ARENA_ARRAY(b->a, struct str, n + 1);
    struct ast_place *places = ARENA_ARRAY(b->a, struct ast_place, n + 1);

    memcpy(parts, star->name.parts, sizeof *parts * n);
    memcpy(places, star->name.places, sizeof *places * n);
    parts[n] = field;
    places[n] = star->place;
    *x = (struct ast_expr){.kind = AX_NAME, .place = star->place, .height = 1, .name = {star->place, n + 1, parts, places}};
    return x;
}

/* r.*: the fields of a column that is a row. */
static enum status add_fields(struct query_binder *b, struct binder *x, struct bind_columns *c, const struct ast_expr *star)
{
    struct err inner = {0};
    struct binder quiet = *x;
    struct ast_expr name = {.kind = AX_NAME, .place = star->place, .height = 1, .name = star->name};
    struct expr *row, *item;

    quiet.e = &inner;
    quiet.special = NULL;
    if (bind_expr(&quiet, &name, &row) != S_OK)
        return sql_error(b->e, b->t, star->place.at, star->place.size, "Unknown identifier '%.*s'", (int)star->name.parts[0].size,
                         star->name.parts[0].data);
    if (row->type->kind != T_ROW)
        return sql_error(b->e, b->t, star->place.at, star->place.size, "Not a record type. The '*' operator requires a record");
    for (uint32_t i = 0; i < row->type->child_count; i++) {
        TRY(bind_expr(x, name_of_field(b, star, str_of(row->type->names[i])), &item));
        bind_column_add(b, c, item, row->type->names[i]);
    }
    return S_OK;
}

/* *, t.* and r.* */
static enum status add_star(struct query_binder *b, struct binder *x, struct bind_columns *c, const struct bind_source *from,
                            const struct ast_expr *star)
{
    uint32_t before = c->count;

    for (uint32_t i = 0; i < from->scope.count; i++) {
        const struct bind_column *column = &from->scope.columns[i];
        if (star->name.count > 0 ? !str_equal(column->table, star->name.parts[star->name.count - 1]) : column->is_qualified) continue;
        struct expr *item;
        TRY(star_column(b, x, star, column, &item));
        bind_column_add(b, c, item, bind_text(b, column->name));
    }
    if (c->count > before) return S_OK;
    if (star->name.count == 0)
        return sql_error(b->e, b->t, star->place.at, star->place.size, "SELECT * must have a FROM clause");
    return add_fields(b, x, c, star);
}

/* As Flink names them: the alias, the column's own name, else EXPR$<place>. */
static const char *item_name(struct query_binder *b, const struct ast_item *item, uint32_t place)
{
    if (item->alias.size > 0) return bind_text(b, item->alias);
    if (item->x->kind == AX_NAME) return bind_text(b, item->x->name.parts[item->x->name.count - 1]);
    return arena_printf(b->a, "EXPR$%u", place);
}

static uint32_t first_named(const char *const *names, uint32_t count, const char *name)
{
    uint32_t i = 0;

    while (i < count && strcmp(names[i], name) != 0) i++;
    return i;
}

/* Two columns of one name become a and a0. */
static void make_names_unique(struct query_binder *b, struct bind_columns *c)
{
    const char **given = ARENA_ARRAY(b->a, const char *, c->count + 1);
    uint32_t *tried = ARENA_ARRAY(b->a, uint32_t, c->count + 1); /* by the first column of a given name */

    for (uint32_t i = 0; i < c->count; i++) {
        given[i] = c->names[i];
        uint32_t first = first_named(given, i, given[i]);
        while (first_named(c->names, i, c->names[i]) < i) c->names[i] = arena_printf(b->a, "%s%u", given[i], tried[first]++);
    }
}

enum status bind_condition(struct query_binder *b, struct binder *x, const struct ast_expr *where, const char *clause,
                           struct expr **out)
{
    TRY(bind_expr(x, where, out));
    if ((*out)->type->kind == T_BOOLEAN) return S_OK;
    err_hint(b->e, "compare it with something, or give a BOOLEAN");
    return sql_error(b->e, b->t, where->place.at, where->place.size, "%s clause must be a condition", clause);
}

static enum status bind_items(struct query_binder *b, const struct ast_select *s, const struct bind_source *from, struct binder *x,
                              struct bind_columns *out)
{
    enum status failed = S_OK;

    for (uint32_t i = 0; i < s->item_count; i++) {
        struct expr *item;
        if (s->items[i].x->kind == AX_STAR) {
            TRY(err_go_on(b->e, add_star(b, x, out, from, s->items[i].x), &failed));
            continue;
        }
        enum status st = bind_expr(x, s->items[i].x, &item);
        if (st == S_OK) bind_column_add(b, out, item, item_name(b, &s->items[i], out->count));
        else TRY(err_go_on(b->e, st, &failed));
    }
    if (failed != S_OK) return err_gather(b->e);
    TRY(bind_width(b, s->place, out->count));
    make_names_unique(b, out);
    return S_OK;
}

/* Groups by all columns, without results. */
struct rel *bind_distinct(struct query_binder *b, struct rel *r)
{
    uint32_t *keys = ARENA_ARRAY(b->a, uint32_t, r->row->child_count);

    for (uint32_t i = 0; i < r->row->child_count; i++) keys[i] = i;
    return rel_aggregate(b->a, r, &(struct aggregate_body){.key_count = r->row->child_count, .keys = keys});
}

static enum status no_window(struct query_binder *b, const struct ast_expr *x, const char *text)
{
    const struct ast_expr *call = over_call_in(x);

    return call == NULL ? S_OK : sql_error(b->e, b->t, call->place.at, call->place.size, "%s", text);
}

/* WHERE has failed: the select list is looked at for its own mistakes, where it does not speak of groups or windows. */
static enum status where_failed(struct query_binder *b, const struct ast_select *s, const struct ast_orders *by,
                                const struct bind_source *from, struct binder *x, enum status st)
{
    struct bind_columns ignored = {0};
    enum status failed = S_OK;

    if (grouping_is(b, s, by) || over_is(s) || err_go_on(b->e, st, &failed) != S_OK) return st;
    if (bind_items(b, s, from, x, &ignored) != S_OK) failed = E_DATA;
    err_gather(b->e);
    return failed;
}

static enum status no_aggregate(struct query_binder *b, const struct ast_expr *x, const char *text)
{
    const struct ast_expr *call = aggregate_call_in(b, x);

    if (call != NULL) err_hint(b->e, "HAVING asks for groups; WHERE drops rows before there are any");
    return call == NULL ? S_OK : sql_error(b->e, b->t, call->place.at, call->place.size, "%s", text);
}

/* FROM, WHERE, GROUP BY and HAVING: *x binds what stands above them; *condition is still to be put on. */
static enum status bind_below(struct query_binder *b, const struct ast_select *s, const struct ast_orders *by, struct bind_source *from,
                              struct binder *x, struct expr **condition)
{
    struct grouping *grouping = NULL;

    if (s->from != NULL)
        TRY(bind_table(b, s->from, from));
    else
        bind_nothing(b, from);
    *x = bind_expr_binder(b, &from->scope);
    TRY(no_window(b, s->where, "Windowed aggregate expression is illegal in WHERE clause"));
    TRY(no_aggregate(b, s->where, "Aggregate expression is illegal in WHERE clause"));
    TRY(no_window(b, s->having, "Aggregate functions over windows are not supported yet."));
    subqueries_allow(b, x, from);
    if (s->where != NULL && bind_has_subquery(s->where)) TRY(bind_semi(b, x, s->where, from, condition));
    else if (s->where != NULL) {
        enum status st = bind_condition(b, x, s->where, "WHERE", condition);
        if (st != S_OK) return where_failed(b, s, by, from, x, st);
    }
    TRY(bind_later(b, x, from, condition));
    TRY(bind_join_finish(b, from, condition));
    if (s->where != NULL) TRY(ranking_filter(b, s->where->place, &from->rel, condition));
    if (!grouping_is(b, s, by)) return S_OK;
    TRY(grouping_bind(b, s, by, from, *condition, x, &grouping));
    *condition = NULL;
    return s->having != NULL ? bind_condition(b, x, s->having, "HAVING", condition) : S_OK;
}

/* The conditions of QUALIFY may speak of columns of the select list. */
static enum status bind_qualify(struct query_binder *b, const struct ast_select *s, struct binder *x, struct bind_source *from,
                                const struct bind_columns *columns, struct expr **condition)
{
    struct alias_binder aliases;

    if (!over_is(s))
        return sql_error(b->e, b->t, s->qualify->place.at, s->qualify->place.size,
                         "QUALIFY expression '%.*s' must contain a window function",
                         (int)MIN(s->qualify->place.size, (uint32_t)100), b->t->text.data + s->qualify->place.at);
    struct binder with = alias_binder_init(&aliases, x, columns);
    TRY(bind_condition(b, &with, s->qualify, "QUALIFY", condition));
    return ranking_filter(b, s->qualify->place, &from->rel, condition);
}

static enum status select_make(struct query_binder *b, const struct ast_select *s, const struct ast_orders *by,
                               struct bind_order *order, struct rel **out)
{
    struct bind_source from;
    struct bind_columns columns = {0};
    struct calc_body calc = {0};
    struct binder x;

    TRY(bind_select_hints(b, s));
    TRY(bind_below(b, s, by, &from, &x, &calc.condition));
    if (over_is(s)) {
        TRY(over_bind(b, s, &from, calc.condition, &x));
        calc.condition = NULL;
    }
    TRY(bind_items(b, s, &from, &x, &columns));
    if (s->qualify != NULL) TRY(bind_qualify(b, s, &x, &from, &columns, &calc.condition));
    TRY(bind_order(b, by, &x, &columns, s->distinct, order));
    calc.count = columns.count;
    calc.columns = columns.items;
    calc.alone = b->session->plain;
    *out = rel_calc(b->a, from.rel, &calc, columns.names);
    if (s->distinct) {
        TRY(bind_keys_fit(b, s->place, columns.count));
        *out = bind_distinct(b, *out);
    }
    return S_OK;
}

enum status bind_select(struct query_binder *b, const struct ast_select *s, const struct ast_orders *by, struct bind_order *order,
                        struct rel **out)
{
    const struct ast_hints *outer = b->hints;
    enum status st = select_make(b, s, by, order, out);

    b->hints = outer;
    return st;
}
