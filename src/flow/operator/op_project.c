/* op_project.c - columns by name, renamed, or computed: "a", "a AS b", "price * 908 / 1000 AS p". A column that is only
 * passed on is not copied: the output batch borrows its buffers for the call. */
#include "flow/operator/computed.h"
#include "flow/operator/op_configs.h"

#include "ground/base/str.h"

#include <string.h>

enum { PROJECT_COLUMNS_MAX = 1024 };

static enum status bind_one(const struct op_plan *p, const char *text, struct expr **x, const char **name,
                            struct err *e)
{
    struct str s = str_of(text), alias = {NULL, 0};

    for (size_t i = 0; i + 4 <= s.size && alias.data == NULL; i++) {
        if (!str_equal_nocase((struct str){text + i, 4}, STR(" AS "))) continue;
        alias = str_trim((struct str){text + i + 4, s.size - i - 4});
        s.size = i;
    }
    TRY(expr_parse(p->arena, p->inputs[0], str_trim(s), x, e));
    if (alias.size == 0 && (*x)->kind != EXPR_COLUMN)
        return err_set(e, E_GRAPH, "\"%s\" needs a name: add ' AS name'", text);
    struct str chosen = alias.size > 0 ? alias : (*x)->text;
    *name = arena_strndup(p->arena, chosen.data, chosen.size);
    return S_OK;
}

static enum status project_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct project_config *c = config;

    if (c->columns.count == 0 || c->columns.count > PROJECT_COLUMNS_MAX)
        return err_set(e, E_GRAPH, "between 1 and %d columns are needed", PROJECT_COLUMNS_MAX);
    const char **names = ARENA_ARRAY(p->arena, const char *, c->columns.count);
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, c->columns.count);
    for (uint32_t i = 0; i < c->columns.count; i++) {
        struct expr *x;
        TRY(bind_one(p, c->columns.items[i], &x, &names[i], e));
        types[i] = x->type;
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(names[k], names[i]) == 0) return err_set(e, E_GRAPH, "two columns are named '%s'", names[i]);
    }
    p->outputs[0] = type_row(p->arena, c->columns.count, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void project_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                          uint64_t *const *inputs)
{
    const struct project_config *c = config;
    struct expr *x;
    const char *name;

    for (uint32_t i = 0; i < c->columns.count; i++)
        if (bit_get(outputs[0], i) && bind_one(p, c->columns.items[i], &x, &name, NULL) == S_OK)
            expr_columns(x, inputs[0]);
}

static enum status project_open(struct op_cx *cx, void *self)
{
    const struct project_config *c = cx->config;
    struct fn_session session = {.zone = STR("UTC")};
    struct expr **columns = ARENA_ARRAY(cx->plan->arena, struct expr *, c->columns.count);
    const char *name;

    for (uint32_t i = 0; i < c->columns.count; i++) TRY(bind_one(cx->plan, c->columns.items[i], &columns[i], &name, cx->err));
    computed_open(self, cx, &session, columns);
    return S_OK;
}

static enum status project_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    ASSERT(input == 0);
    return computed_forward(self, cx, in, 0);
}

static void project_close(struct op_cx *cx, void *self, bool failed)
{
    (void)failed;
    computed_close(self, cx);
}

const struct op_type op_project = {
    .name = "project",
    .doc = "columns by name, renamed, or computed",
    .example = "tw_project(bids, \"auction\", \"price * 908 / 1000 AS euro\")",
    .flags = OP_SELECTION,
    .input_count = 1,
    .config_size = sizeof(struct project_config),
    .config_fields = project_config_fields,
    .instance_size = sizeof(struct computed),
    .derive = project_derive,
    .needs = project_needs,
    .open = project_open,
    .on_batch = project_on_batch,
    .close = project_close,
};
