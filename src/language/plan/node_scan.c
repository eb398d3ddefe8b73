/* node_scan.c - TableSourceScan: rows of a table's connector. */
#include "flow/connector/connector.h"
#include "flow/operator/op_configs.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/rel_internal.h"

#include <string.h>

static void explain(const struct rel *r, struct buf *out)
{
    const struct scan_body *s = r->body;

    buf_printf(out, "table=[[%s, %s, %s", s->table->catalog, s->table->database, s->table->name);
    for (uint32_t i = 0; i < s->metadata.count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : ", metadata=[", s->metadata.items[i]);
    buf_printf(out, "%s]], fields=[", s->metadata.count > 0 ? "]" : "");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

bool scan_is_bounded(const struct table *t)
{
    const char *name = table_option(t, "connector");
    const struct conn_type *c;

    if (name == NULL || conn_find(name, &c, NULL) != S_OK || c->source == NULL || c->source->boundedness == NULL) return true;
    return conn_options_check(c, &t->options, NULL) != S_OK || c->source->boundedness(&t->options, c->options) == BOUNDED;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct scan_body *s = r->body;
    struct option *options = ARENA_ARRAY(l->a, struct option, MAX(s->table->options.count, 1u));
    const char *connector = table_option(s->table, "connector");
    uint32_t count = 0;

    (void)inputs;
    for (uint32_t i = 0; i < s->table->options.count; i++)
        if (strcmp(s->table->options.items[i].key, "connector") != 0) options[count++] = s->table->options.items[i];
    if (connector == NULL) {
        err_hint(e, "add 'connector' = '...' to its WITH clause");
        return err_set(e, E_CONFIG,
                       "Table options do not contain an option key 'connector' for discovering a connector: table '%s'",
                       s->table->name);
    }
    struct graph_node *n = graph_add_node(l->graph, op_find("source"), arena_printf(l->a, "Source: %s", s->table->name),
                                          (struct graph_here){0});
    struct source_config *config = n->config;
    *config = (struct source_config){.connector = connector, .options = {options, count}, .schema = r->row, .metadata = s->metadata};
    *node = l->graph->node_count - 1;
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct scan_body *s = r->body;

    buf_printf(logical_begin(l, "TableScan"), "table=[[%s, %s, %s]]", s->table->catalog, s->table->database, s->table->name);
    logical_end(l);
}

const struct rel_type rel_scan_type = {
    .name = "TableSourceScan", .doc = "rows of a table's connector", .explain = explain, .logical = logical, .lower = lower};
