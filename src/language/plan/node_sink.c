/* node_sink.c - Sink: rows into a table's connector, or to the client that asked. */
#include "flow/connector/connector.h"
#include "flow/operator/op_configs.h"
#include "ground/base/str.h"
#include "language/plan/rel.h"

#include <string.h>

static void explain(const struct rel *r, struct buf *out)
{
    const struct sink_body *s = r->body;

    if (s->table != NULL)
        buf_printf(out, "table=[%s.%s.%s], fields=[", s->table->catalog, s->table->database, s->table->name);
    else
        buf_append_text(out, "fields=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

/* The client shows -U; of a table without a key, or with one that is not the query's, a row can be found by all its columns only. */
static bool wants_before(const struct rel *r, uint32_t input)
{
    const struct sink_body *s = r->body;
    uint32_t cols[TYPE_FIELDS_MAX];

    (void)input;
    if (s->table == NULL || s->table->key_count == 0) return true;
    for (uint32_t i = 0; i < s->table->key_count; i++) cols[i] = (uint32_t)type_field(r->row, str_of(s->table->key[i]));
    return !rel_has_key(r->inputs[0], cols, s->table->key_count);
}

static const char *connector_of(const struct table *t)
{
    for (uint32_t i = 0; i < t->options.count; i++)
        if (strcmp(t->options.items[i].key, "connector") == 0) return t->options.items[i].value;
    return NULL;
}

static enum status check(const struct rel *r, struct err *e)
{
    const struct sink_body *s = r->body;
    const char *name = s->table != NULL ? connector_of(s->table) : NULL;
    uint8_t modifies = r->inputs[0]->modifies;
    const struct conn_type *conn;

    if (modifies == MODIFIES_NOTHING || name == NULL) return S_OK;
    TRY(conn_find(name, &conn, e));
    if (conn->sink == NULL || conn->sink->accepts_updates) return S_OK;
    err_hint(e, "write into a table whose connector takes changes, or make rows final, with a window for example");
    return err_set(e, E_UNSUPPORTED, "Table sink '%s.%s.%s' doesn't support consuming %s changes which is produced by node %s",
                   s->table->catalog, s->table->database, s->table->name,
                   modifies == MODIFIES_UPDATES  ? "update"
                   : modifies == MODIFIES_DELETES ? "delete"
                                                  : "update and delete",
                   r->inputs[0]->type->name);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct sink_body *s = r->body;
    struct graph_node *n = graph_add_node(
        l->graph, op_find("sink"), s->table != NULL ? arena_printf(l->a, "Sink: %s", s->table->name) : "Sink: Collect",
        (struct graph_here){0});
    struct sink_config *config = n->config;
    uint32_t count = s->table != NULL ? s->table->options.count : 0, used = 0;
    struct option *options = ARENA_ARRAY(l->a, struct option, MAX(count, 1u));

    config->connector = s->table == NULL ? "collect" : NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(s->table->options.items[i].key, "connector") == 0)
            config->connector = s->table->options.items[i].value;
        else
            options[used++] = s->table->options.items[i];
    }
    if (config->connector == NULL) return err_set(e, E_CONFIG, "table '%s' has no 'connector' option", s->table->name);
    config->options = (struct options){options, used};
    config->handle = l->receiver;
    if (s->table == NULL) n->parallelism = 1;
    *node = l->graph->node_count - 1;
    graph_add_edge(l->graph, inputs[0], *node, 0, (struct graph_here){0});
    return S_OK;
}

const struct rel_type rel_sink_type = {
    .name = "Sink", .doc = "rows into a table, or to the client", .wants_before = wants_before, .check = check,
    .explain = explain, .lower = lower};
