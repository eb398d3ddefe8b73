/* bind_order.c - ORDER BY, OFFSET, LIMIT and FETCH: the first rows in an order are a ranking of all rows, whose place nobody sees.
 *
 * A stream has no last row: an order without LIMIT must begin with a time there, and in batch mode it sorts; in a query inside another
 * one it means nothing and is left out.
 * Names mean columns of the select list first, then what stands below it; numbers are places in the list. What is ordered by but
 * not selected is a column until the order is made. */
#include "language/sql/bind_query.h"

#include "ground/base/str.h"

static enum status alias_find(struct binder *b, const struct ast_expr *x, struct expr **out, bool *done)
{
    const struct alias_binder *a = b->arg;
    struct binder inner = *b;

    *done = false;
    for (uint32_t i = 0; x->kind == AX_NAME && x->name.count == 1 && i < a->count && !*done; i++) {
        if (!str_equal(x->name.parts[0], str_of(a->columns->names[i]))) continue;
        *out = a->columns->items[i];
        *done = true;
    }
    if (*done || a->x->special == NULL) return S_OK;
    inner.special = a->x->special;
    inner.arg = a->x->arg;
    return a->x->special(&inner, x, out, done);
}

struct binder alias_binder_init(struct alias_binder *a, const struct binder *x, const struct bind_columns *columns)
{
    struct binder b = *x;

    *a = (struct alias_binder){x, columns, columns->count};
    b.special = alias_find;
    b.arg = a;
    return b;
}

/* --- ORDER BY ---------------------------------------------------------------------------------------------------- */
static bool count_of(const struct ast_expr *x, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < x->text.size; i++) {
        char c = x->text.data[i];
        if (c < '0' || c > '9' || *out > (INT64_MAX - (c - '0')) / 10) return false;
        *out = *out * 10 + (c - '0');
    }
    return true;
}

static bool is_ordinal(const struct ast_expr *x) { return x->kind == AX_LITERAL && x->literal == LITERAL_INTEGER; }

static enum status ordinal(struct query_binder *b, const struct ast_expr *x, uint32_t count, uint32_t *col)
{
    int64_t n;

    if (!count_of(x, &n) || n < 1 || n > count)
        return sql_error(b->e, b->t, x->place.at, x->place.size, "Ordinal out of range");
    *col = (uint32_t)n - 1;
    return S_OK;
}

/* The column of an expression, which may become one. */
static enum status column_of(struct query_binder *b, const struct ast_expr *ast, struct expr *x, struct bind_columns *c, uint32_t visible,
                             bool is_distinct, uint32_t *col)
{
    for (*col = 0; *col < c->count; (*col)++)
        if (expr_equal(c->items[*col], x)) return S_OK;
    if (is_distinct)
        return sql_error(b->e, b->t, ast->place.at, ast->place.size, "Expression '%.*s' is not in the select clause",
                         (int)MIN(ast->place.size, (uint32_t)100), b->t->text.data + ast->place.at);
    bind_column_add(b, c, x, arena_printf(b->a, "$s%u", c->count - visible));
    return S_OK;
}

enum status bind_order(struct query_binder *b, const struct ast_orders *by, struct binder *x, struct bind_columns *c, bool is_distinct,
                       struct bind_order *out)
{
    struct alias_binder aliases;
    struct binder with = alias_binder_init(&aliases, x, c);

    *out = (struct bind_order){.visible = c->count, .items = ARENA_ARRAY(b->a, struct rank_order, by->count + 1)};
    for (uint32_t i = 0; i < by->count; i++) {
        const struct ast_order *o = &by->items[i];
        struct expr *item;
        uint32_t col = 0, k = 0;
        if (is_ordinal(o->x)) {
            TRY(ordinal(b, o->x, out->visible, &col));
        } else {
            TRY(bind_expr(&with, o->x, &item));
            if (item->kind == EXPR_CONSTANT) continue;
            TRY(column_of(b, o->x, item, c, out->visible, is_distinct, &col));
        }
        while (k < out->count && out->items[k].col != col) k++;
        if (k < out->count) continue; /* it is decided already */
        out->items[out->count++] =
            (struct rank_order){col, o->descending, o->nulls == NULLS_DEFAULT ? o->descending : o->nulls == NULLS_LAST};
    }
    if (by->count > 0) TRY(bind_width(b, by->items[0].x->place, c->count));
    return S_OK;
}

enum status bind_order_of(struct query_binder *b, const struct ast_orders *by, struct rel **r, struct bind_order *out)
{
    struct bind_scope scope = bind_scope_of(b, (*r)->row, (struct str){0});
    struct binder x = bind_expr_binder(b, &scope);
    struct bind_columns c = {0};

    *out = (struct bind_order){.visible = scope.count};
    if (by->count == 0) return S_OK;
    for (uint32_t i = 0; i < scope.count; i++) bind_column_add(b, &c, expr_column(&x.m, (*r)->row, i), (*r)->row->names[i]);
    TRY(bind_order(b, by, &x, &c, false, out));
    if (c.count > scope.count) *r = rel_calc(b->a, *r, &(struct calc_body){.count = c.count, .columns = c.items}, c.names);
    return S_OK;
}

/* --- LIMIT ------------------------------------------------------------------------------------------------------- */
/* A number that int64 does not hold is as good as none. */
static int64_t rows_of(const struct ast_expr *x, int64_t none)
{
    int64_t n;

    if (x == NULL) return none;
    return count_of(x, &n) ? n : INT64_MAX;
}

bool bind_is_ordered(const struct query_binder *b, const struct ast_query *q)
{
    return q->order.count > 0 && (!b->is_nested || q->limit != NULL || rows_of(q->offset, 0) > 0);
}

/* By time, ascending, the rows of a stream are sorted as watermarks come. */
static bool is_by_time(const struct bind_order *order, const struct type *row)
{
    return order->count > 0 && row->children[order->items[0].col]->time_kind != TIME_NONE && !order->items[0].descending;
}

static enum status no_fetch(struct query_binder *b, const struct ast_query *q)
{
    if (q->offset != NULL && rows_of(q->offset, 0) > 0) {
        err_hint(b->e, "say how many rows: LIMIT n");
        return sql_error(b->e, b->t, q->offset->place.at, q->offset->place.size,
                         "FETCH is missed, which on streaming table is not supported currently.");
    }
    err_hint(b->e, "add LIMIT n: the first n rows are kept up to date; or begin with a time attribute, ascending");
    return sql_error(b->e, b->t, q->order.items[0].x->place.at, q->order.items[0].x->place.size,
                     "Sort on a non-time-attribute field is not supported.");
}

static struct rel *first_columns(struct query_binder *b, struct rel *r, uint32_t count)
{
    struct expr_maker m = {.a = b->a};
    struct expr **columns = ARENA_ARRAY(b->a, struct expr *, count + 1);

    if (count == r->row->child_count) return r;
    for (uint32_t i = 0; i < count; i++) columns[i] = expr_column(&m, r->row, i);
    return rel_calc(b->a, r, &(struct calc_body){.count = count, .columns = columns}, r->row->names);
}

static enum status no_rows(struct query_binder *b, struct rel **r)
{
    struct expr_maker m = {.a = b->a};
    struct calc_body c = {0};

    TRY(expr_constant(&m, &type_boolean, STR("FALSE"), &c.condition, b->e));
    *r = rel_calc(b->a, *r, &c, NULL);
    return S_OK;
}

enum status bind_limit(struct query_binder *b, const struct ast_query *q, const struct bind_order *order, struct rel **r)
{
    int64_t offset = rows_of(q->offset, 0), fetch = rows_of(q->limit, INT64_MAX);
    struct rank_body body = {.order_count = order->count, .order = order->items, .function = "ROW_NUMBER", .is_limit = true};
    struct sort_body sort = {order->count, order->items};

    if (q->limit == NULL && !bind_is_ordered(b, q) && offset == 0) return S_OK;
    if (q->limit == NULL && !b->is_batch && (offset > 0 || !is_by_time(order, (*r)->row))) return no_fetch(b, q);
    if (q->limit == NULL && offset == 0) {
        *r = b->is_batch ? rel_sort(b->a, *r, &sort) : rel_temporal_sort(b->a, *r, &sort);
        bind_said(b, (*r)->inputs[0], q->kind == QUERY_SELECT ? q->select->place : q->place);
        bind_said(b, *r, q->order.items[0].x->place);
        *r = first_columns(b, *r, order->visible);
        return S_OK;
    }
    if (fetch == 0) {
        TRY(no_rows(b, r));
    } else {
        body.first = offset == INT64_MAX ? offset : offset + 1;
        body.last = fetch > INT64_MAX - offset ? INT64_MAX : offset + fetch;
        *r = rel_rank(b->a, *r, &body);
    }
    *r = first_columns(b, *r, order->visible);
    return S_OK;
}
