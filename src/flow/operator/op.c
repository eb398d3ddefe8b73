/* op.c - the list of operators, generated from the file names (op_*.c), and the one look-up of columns by name that every
 * derive hook shares, so that a misspelt field reads the same wherever it stands. */
#include "flow/operator/op.h"

#include "ground/base/str.h"

#include <string.h>

#define X(name) extern const struct op_type op_##name;
#include "op_registry.def"
#undef X

const struct op_type *const op_types[] = {
#define X(name) &op_##name,
#include "op_registry.def"
#undef X
    NULL,
};

const struct op_type *op_find(const char *name)
{
    ASSERT(name != NULL);
    for (uint32_t i = 0; op_types[i] != NULL; i++)
        if (strcmp(op_types[i]->name, name) == 0) return op_types[i];
    return NULL;
}

int op_type_field(const struct type *row, const char *stream, const char *name, struct err *e)
{
    char columns[TYPE_NAMES_TEXT_MAX];

    ASSERT(row->kind == T_ROW && name != NULL);
    int found = type_field(row, str_of(name));
    if (found >= 0) return found;
    type_names_list(row, columns);
    err_set(e, E_GRAPH, "field '%s' is not in stream '%s' (has: %s)", name, stream != NULL ? stream : "input", columns);
    int nearest = str_nearest(str_of(name), row->names, row->child_count);
    if (nearest >= 0) err_hint(e, "did you mean '%s'?", row->names[nearest]);
    return -1;
}

int op_plan_field(const struct op_plan *plan, uint32_t input, const char *name, struct err *e)
{
    ASSERT(input < plan->input_count);
    return op_type_field(plan->inputs[input], plan->input_names[input], name, e);
}

enum status op_plan_optional_field(const struct op_plan *plan, uint32_t input, const char *name, int *field, struct err *e)
{
    *field = name[0] == '\0' ? -1 : op_plan_field(plan, input, name, e);
    return *field >= 0 || name[0] == '\0' ? S_OK : E_GRAPH;
}
