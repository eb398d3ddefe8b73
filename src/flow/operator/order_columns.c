/* order_columns.c - see order_columns.h. */
#include "flow/operator/order_columns.h"

#include <string.h>

enum status order_columns_read(const struct op_plan *p, const struct text_list *columns, const struct text_list *directions,
                               const struct text_list *nulls, struct order_column **out, struct err *e)
{
    struct order_column *list = ARENA_ARRAY(p->arena, struct order_column, columns->count + 1);

    *out = list;
    if (columns->count > ORDER_COLUMNS_MAX) return err_set(e, E_CONFIG, "rows can be ordered by %d columns at most", ORDER_COLUMNS_MAX);
    if (directions->count != columns->count || nulls->count != columns->count)
        return err_set(e, E_CONFIG, "an order needs as many directions, and places of NULL, as columns");
    for (uint32_t i = 0; i < columns->count; i++) {
        int col = op_plan_field(p, 0, columns->items[i], e);
        if (col < 0) return E_GRAPH;
        list[i] = (struct order_column){(uint32_t)col, strcmp(directions->items[i], "desc") == 0, strcmp(nulls->items[i], "last") == 0};
    }
    return S_OK;
}

/* Of two places in a column. */
static int compare(const struct order_column *by, const struct vector *x, uint32_t a, const struct vector *y, uint32_t b)
{
    bool null_a = vector_is_null(x, a), null_b = vector_is_null(y, b);

    if (null_a || null_b) return by->nulls_last ? null_a - null_b : null_b - null_a;
    int order = vector_compare(x, a, y, b);
    return by->descending ? -order : order;
}

int order_columns_compare(const struct order_column *by, uint32_t count, const struct batch *x, uint32_t row_x, const struct batch *y,
                          uint32_t row_y)
{
    int order = 0;

    for (uint32_t i = 0; i < count && order == 0; i++) order = compare(&by[i], &x->cols[by[i].col], row_x, &y->cols[by[i].col], row_y);
    return order;
}

uint64_t order_columns_prefix(const struct order_column *by, const struct batch *b, uint32_t row)
{
    const struct vector *v = &b->cols[by->col];

    if (vector_is_null(v, row)) return by->nulls_last ? UINT64_MAX : 0;
    uint64_t prefix = vector_order_prefix(v, row);
    return by->descending ? ~prefix : prefix;
}

bool order_columns_prefix_is_value(const struct order_column *by, const struct type *row)
{
    const struct type *t = row->children[by->col];

    if (t->nullable) return false; /* NULL has the prefix of a value */
    return t->phys == P_BOOL || t->phys == P_I8 || t->phys == P_I16 || t->phys == P_I32 || t->phys == P_I64;
}
