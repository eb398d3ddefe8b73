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
