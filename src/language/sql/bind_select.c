/* bind_select.c - SELECT from the inside out: tables give columns, WHERE drops rows, groups are made (bind_group.c), and the select
 * list is a Calc on top. */
#include "language/sql/bind_group.h"
#include "language/sql/bind_join.h"

#include "ground/base/str.h"

#include <string.h>

struct columns {
    uint32_t count, capacity;
    struct expr **items;
    const char **names;
};

static enum status add_column(struct query_binder *b, struct columns *c, struct expr *x, const char *name)
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
    return S_OK;
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

/* * and t.* */
static enum status add_star(struct query_binder *b, struct binder *x, struct columns *c, const struct bind_source *from,
                            const struct ast_expr *star)
{
    uint32_t before = c->count;

    for (uint32_t i = 0; i < from->scope.count; i++) {
        const struct bind_column *column = &from->scope.columns[i];
        if (star->name.count > 0 ? !str_equal(column->table, star->name.parts[star->name.count - 1]) : column->is_qualified) continue;
        struct expr *item;
        TRY(star_column(b, x, star, column, &item));
        TRY(add_column(b, c, item, bind_text(b, column->name)));
    }
    if (c->count > before) return S_OK;
    if (star->name.count == 0)
        return sql_error(b->e, b->t, star->place.at, star->place.size, "SELECT * must have a FROM clause");
    return sql_error(b->e, b->t, star->place.at, star->place.size, "Unknown identifier '%.*s'",
                     (int)star->name.parts[0].size, star->name.parts[0].data);
}

/* As Flink names them: the alias, the column's own name, else EXPR$<place>. */
static const char *item_name(struct query_binder *b, const struct ast_item *item, uint32_t place)
{
    if (item->alias.size > 0) return bind_text(b, item->alias);
    if (item->x->kind == AX_NAME) return bind_text(b, item->x->name.parts[item->x->name.count - 1]);
    return arena_printf(b->a, "EXPR$%u", place);
}

/* Two columns of one name become a and a0. */
static void make_names_unique(struct query_binder *b, struct columns *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const char *name = c->names[i];
        for (uint32_t n = 0, k = 0; k < i;) {
            if (strcmp(c->names[k], c->names[i]) != 0) {
                k++;
                continue;
            }
            c->names[i] = arena_printf(b->a, "%s%u", name, n++);
            k = 0;
        }
    }
}

static enum status refuse_rest(struct query_binder *b, const struct ast_select *s)
{
    return s->qualify != NULL ? bind_not_yet(b, s->qualify->place, "QUALIFY") : S_OK;
}

enum status bind_condition(struct query_binder *b, struct binder *x, const struct ast_expr *where, const char *clause,
                           struct expr **out)
{
    TRY(bind_expr(x, where, out));
    if ((*out)->type->kind == T_BOOLEAN) return S_OK;
    return sql_error(b->e, b->t, where->place.at, where->place.size, "%s clause must be a condition", clause);
}

static enum status bind_items(struct query_binder *b, const struct ast_select *s, const struct bind_source *from, struct binder *x,
                              struct columns *out)
{
    for (uint32_t i = 0; i < s->item_count; i++) {
        struct expr *item;
        if (s->items[i].x->kind == AX_STAR) {
            TRY(add_star(b, x, out, from, s->items[i].x));
            continue;
        }
        TRY(bind_expr(x, s->items[i].x, &item));
        TRY(add_column(b, out, item, item_name(b, &s->items[i], out->count)));
    }
    make_names_unique(b, out);
    return S_OK;
}

/* Every row once: groups by all columns, without results. */
static struct rel *distinct(struct query_binder *b, struct rel *r)
{
    uint32_t *keys = ARENA_ARRAY(b->a, uint32_t, r->row->child_count);

    for (uint32_t i = 0; i < r->row->child_count; i++) keys[i] = i;
    return rel_aggregate(b->a, r, &(struct aggregate_body){.key_count = r->row->child_count, .keys = keys});
}

enum status bind_select(struct query_binder *b, const struct ast_select *s, struct rel **out)
{
    struct bind_source from;
    struct columns columns = {0};
    struct calc_body calc = {0};
    struct grouping *grouping = NULL;

    TRY(refuse_rest(b, s));
    if (s->from != NULL)
        TRY(bind_table(b, s->from, &from));
    else
        bind_nothing(b, &from);
    struct binder x = bind_expr_binder(b, &from.scope);
    if (s->where != NULL) TRY(bind_condition(b, &x, s->where, "WHERE", &calc.condition));
    TRY(bind_join_finish(b, &from, &calc.condition));
    if (grouping_is(s)) {
        TRY(grouping_bind(b, s, &from, calc.condition, &x, &grouping));
        calc.condition = NULL;
        if (s->having != NULL) TRY(bind_condition(b, &x, s->having, "HAVING", &calc.condition));
    }
    TRY(bind_items(b, s, &from, &x, &columns));
    calc.count = columns.count;
    calc.columns = columns.items;
    *out = rel_calc(b->a, from.rel, &calc, columns.names);
    if (s->distinct) *out = distinct(b, *out);
    return S_OK;
}
