/* system_table.c - see the header. A system table has no connector; struct table points to the descriptor and to who knows its rows. */
#include "language/catalog/system_table.h"

#include "ground/base/str.h"
#include "language/catalog/catalog.h"

#include <string.h>

const struct system_table *system_table_find(const struct system_tables *t, const char *schema, const char *name)
{
    for (uint32_t i = 0; t != NULL && t->items[i] != NULL; i++)
        if (strcmp(t->items[i]->schema, schema) == 0 && strcmp(t->items[i]->name, name) == 0) return t->items[i];
    return NULL;
}

const struct system_function *system_function_find(const struct system_tables *t, struct str name)
{
    if (t == NULL || t->functions == NULL) return NULL;
    for (uint32_t i = 0; t->functions[i] != NULL; i++)
        if (str_equal_nocase(name, str_of(t->functions[i]->table.name))) return t->functions[i];
    return NULL;
}

const struct table *system_table_open(const struct system_tables *t, const struct system_table *s, const char *catalog,
                                      struct arena *a)
{
    struct table *out = ARENA_NEW(a, struct table);
    uint32_t count = 0;

    while (s->columns[count].name != NULL) count++;
    struct table_column *columns = ARENA_ARRAY(a, struct table_column, count);
    const char **names = ARENA_ARRAY(a, const char *, count);
    const struct type **types = ARENA_ARRAY(a, const struct type *, count);
    for (uint32_t i = 0; i < count; i++) {
        enum status st = type_parse(a, str_of(s->columns[i].type), &types[i], NULL);
        ASSERT(st == S_OK);
        names[i] = s->columns[i].name;
        columns[i] = (struct table_column){.name = names[i], .type = types[i], .comment = s->columns[i].doc};
    }
    *out = (struct table){.catalog = arena_strdup(a, catalog),
                          .database = s->schema,
                          .name = s->name,
                          .column_count = count,
                          .columns = columns,
                          .comment = s->doc,
                          .system = s,
                          .system_arg = t->arg,
                          .row = type_row(a, count, names, types, false)};
    return out;
}

struct system_rows system_table_rows(const struct table *t, struct arena *a)
{
    struct system_rows rows = {.arg = t->system_arg, .catalog = t->catalog, .a = a, .columns = t->column_count};

    t->system->rows(&rows);
    return rows;
}

const char **system_row_add(struct system_rows *rows)
{
    if (rows->count == rows->capacity) {
        uint32_t capacity = MAX(rows->capacity * 2, 64u);
        const char **more = ARENA_ARRAY(rows->a, const char *, (size_t)capacity * rows->columns);
        if (rows->count > 0) memcpy(more, rows->cells, sizeof *more * rows->count * rows->columns);
        rows->cells = more;
        rows->capacity = capacity;
    }
    const char **row = rows->cells + (size_t)rows->count++ * rows->columns;
    memset(row, 0, sizeof *row * rows->columns);
    return row;
}
