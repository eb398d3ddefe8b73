/* bind_parts.c - writing a partitioned table: its partition columns go last, as text, since they become the names of folders. */
#include "flow/connector/connector.h"
#include "ground/base/str.h"
#include "language/sql/bind_table.h"

#include <string.h>

static bool takes_parts(const struct table *t)
{
    const char *name = table_option(t, "connector");
    const struct conn_type *c;

    return name == NULL || conn_find(name, &c, NULL) != S_OK || c->sink == NULL || c->sink->has_partitions;
}

enum status bind_parts(struct query_binder *b, const struct table *t, struct ast_place place, const struct type *row, struct sink_body *sink)
{
    struct expr_maker m = {.a = b->a, .session = b->session};
    uint32_t n = row->child_count, at = 0;
    struct expr **columns = ARENA_ARRAY(b->a, struct expr *, n);
    const char **names = ARENA_ARRAY(b->a, const char *, n);

    if (t->partition_count == 0) return S_OK;
    if (!takes_parts(t))
        return sql_error(b->e, b->t, place.at, place.size, "Table '%s.%s.%s' is a partitioned table, but its connector cannot write one",
                         t->catalog, t->database, t->name);
    for (uint32_t i = 0; i < n; i++)
        if (!table_is_partition(t, row->names[i])) columns[at++] = expr_column(&m, row, i);
    for (uint32_t k = 0; k < t->partition_count; k++, at++) {
        columns[at] = expr_column(&m, row, (uint32_t)type_field(row, str_of(t->partitions[k])));
        TRY(expr_cast(&m, columns[at], type_with_null(b->a, &type_string, columns[at]->type->nullable), false, &columns[at], b->e));
    }
    for (uint32_t i = 0; i < n; i++) names[i] = i < n - t->partition_count ? row->names[columns[i]->col] : t->partitions[i + t->partition_count - n];
    sink->parts = (struct calc_body){.count = n, .columns = columns};
    sink->part_names = names;
    return S_OK;
}
