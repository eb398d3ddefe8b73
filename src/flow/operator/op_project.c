/* op_project.c - columns by name, renamed, or computed: "a", "a AS b", "price * 908 / 1000 AS p". A column that is only
 * passed on is not copied: the output batch borrows its buffers for the call. */
#include "columns/expr/expr.h"
#include "flow/operator/op_configs.h"

#include "ground/base/str.h"

#include <string.h>

enum { PROJECT_COLUMNS_MAX = 1024 };

struct project {
    struct expr_run **runs; /* NULL: nobody needs the column */
    uint32_t count;
    struct batch out; /* a view: its columns are copies of vector headers */
};

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
    struct project *s = self;
    struct expr *x;
    const char *name;

    s->count = c->columns.count;
    s->runs = mem_zalloc(cx->mem, sizeof(struct expr_run *) * s->count);
    s->out = (struct batch){.schema = cx->plan->outputs[0], .col_count = s->count, .mem = cx->mem};
    s->out.cols = mem_zalloc(cx->mem, sizeof *s->out.cols * s->count);
    for (uint32_t i = 0; i < s->count; i++) {
        s->out.cols[i] = (struct vector){.type = cx->plan->outputs[0]->children[i],
                                         .phys = cx->plan->outputs[0]->children[i]->phys,
                                         .form = VEC_ABSENT};
        if (cx->needed_out != NULL && cx->needed_out[0] != NULL && !bit_get(cx->needed_out[0], i)) continue;
        TRY(bind_one(cx->plan, c->columns.items[i], &x, &name, cx->err));
        struct fn_session session = {.zone = STR("UTC"), .chance = x->det == FN_RANDOM ? sys_random(cx->sys) : 0};
        s->runs[i] = expr_run_create(x, &session, BATCH_ROWS, cx->mem);
    }
    return S_OK;
}

static enum status project_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct project *s = self;
    const struct vector *v;

    ASSERT(input == 0);
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->runs[i] == NULL) continue;
        TRY(expr_eval(s->runs[i], in, 0, &v, cx->err));
        s->out.cols[i] = *v;
    }
    s->out.count = s->out.capacity = in->count;
    s->out.sel = in->sel;
    s->out.sel_count = in->sel_count;
    s->out.kinds = in->kinds;
    s->out.times = in->times;
    s->out.watermark = TIME_MIN;
    op_forward(cx, 0, &s->out);
    return S_OK;
}

static void project_close(struct op_cx *cx, void *self, bool failed)
{
    struct project *s = self;

    (void)failed;
    for (uint32_t i = 0; i < s->count; i++) expr_run_free(s->runs[i]);
    mem_free(cx->mem, s->runs);
    mem_free(cx->mem, s->out.cols);
}

const struct op_type op_project = {
    .name = "project",
    .doc = "columns by name, renamed, or computed",
    .example = "tw_project(bids, \"auction\", \"price * 908 / 1000 AS euro\")",
    .flags = OP_SELECTION,
    .input_count = 1,
    .config_size = sizeof(struct project_config),
    .config_fields = project_config_fields,
    .instance_size = sizeof(struct project),
    .derive = project_derive,
    .needs = project_needs,
    .open = project_open,
    .on_batch = project_on_batch,
    .close = project_close,
};
