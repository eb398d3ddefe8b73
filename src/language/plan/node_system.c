/* node_system.c - TableSourceScan of a system table: what the session knew when the statement was bound, as constants. */
#include "language/plan/logical.h"
#include "language/plan/rel_internal.h"

static void derive(struct rel *r, struct arena *a)
{
    (void)a;
    r->is_empty = ((const struct system_body *)r->body)->values.row_count == 0;
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct system_body *s = r->body;

    buf_printf(out, "table=[[%s, %s, %s]], fields=[", s->table->catalog, s->table->database, s->table->name);
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct system_body *s = r->body;

    (void)inputs;
    return values_lower(r->row, &s->values, arena_printf(l->a, "Source: %s", s->table->name), l, node, e);
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct system_body *s = r->body;

    buf_printf(logical_begin(l, "TableScan"), "table=[[%s, %s, %s]]", s->table->catalog, s->table->database,
               s->table->name);
    logical_end(l);
}

const struct rel_type rel_system_type = {.name = "TableSourceScan",
                                         .doc = "rows of a system table",
                                         .derive = derive,
                                         .explain = explain,
                                         .logical = logical,
                                         .lower = lower};
