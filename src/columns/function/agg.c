/* agg.c - finds aggregates by name and binds them to a column: "name(column) [AS alias]". */
#include "columns/function/agg.h"

#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

#define X(n) extern const struct agg_type agg_##n;
#include "agg_registry.def"
#undef X
const struct agg_type *const agg_types[] = {
#define X(n) &agg_##n,
#include "agg_registry.def"
#undef X
    NULL};

const struct agg_type *agg_find(struct str name)
{
    for (uint32_t i = 0; agg_types[i] != NULL; i++)
        if (str_equal_nocase(name, str_of(agg_types[i]->name))) return agg_types[i];
    return NULL;
}

static enum status find_type(struct str name, const struct agg_type **out, struct err *e)
{
    const char *names[64] = {NULL};
    char all[512] = "";
    size_t used = 0;
    uint32_t count = 0;

    for (; agg_types[count] != NULL && count < COUNT_OF(names); count++) {
        names[count] = agg_types[count]->name;
        if (str_equal_nocase(name, str_of(names[count]))) {
            *out = agg_types[count];
            return S_OK;
        }
    }
    int near = str_nearest(name, names, count);
    for (uint32_t i = 0; i < count && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", names[i]);
    err_set(e, E_CONFIG, "unknown aggregate '%.*s'; there are %s", (int)name.size, name.data, all);
    if (near >= 0) err_hint(e, "did you mean '%s'?", names[near]);
    return E_CONFIG;
}

static enum status find_column(struct agg *a, const struct type *row, struct str column, struct err *e)
{
    int col = type_field(row, column);

    if (col < 0) return type_field_missing(row, column, e);
    a->col = (uint32_t)col;
    a->argument = row->children[col];
    return S_OK;
}

/* Cuts " AS alias" off the end, case-insensitively. */
static struct str cut_alias(struct str *text)
{
    for (size_t i = 0; i + 4 <= text->size; i++) {
        struct str word = {text->data + i, 4};
        if (!str_equal_nocase(word, STR(" AS "))) continue;
        struct str alias = str_trim((struct str){text->data + i + 4, text->size - i - 4});
        text->size = i;
        return alias;
    }
    return *text;
}

enum status agg_bind(struct agg *a, struct arena *arena, const struct type *row, struct str text, const char **alias, struct err *e)
{
    struct str name, rest = str_trim(text);
    struct str given = cut_alias(&rest);

    ASSERT(row->kind == T_ROW);
    memset(a, 0, sizeof *a);
    rest = str_trim(rest);
    if (rest.size < 3 || rest.data[rest.size - 1] != ')' || !str_cut(&rest, '(', &name))
        return err_set(e, E_CONFIG, "aggregate '%.*s' is not of the form name(column)", (int)text.size, text.data);
    rest = str_trim((struct str){rest.data, rest.size - 1});
    TRY(find_type(str_trim(name), &a->type, e));
    if (!str_equal(rest, STR("*"))) TRY(find_column(a, row, rest, e));
    *alias = arena_strndup(arena, given.data, given.size);
    return a->type->bind(a, arena, e);
}
