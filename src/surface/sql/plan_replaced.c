/* plan_replaced.c - see the header. Sinks are known by their numbers in the graph; the list may come from anywhere, and is checked. */
#include "surface/sql/plan_replaced.h"

#include "flow/connector/connector.h"
#include "flow/operator/op_configs.h"
#include "ground/base/str.h"
#include "surface/gateway/answer.h"

#include <string.h>

/* --- COMPILE ----------------------------------------------------------------------------------------------------- */
/* A sink's node has a table's options but for the connector. */
static struct options sink_options(struct arena *a, const struct options *o)
{
    struct option *items = ARENA_ARRAY(a, struct option, MAX(o->count, 1u));
    uint32_t count = 0;

    for (uint32_t i = 0; i < o->count; i++)
        if (strcmp(o->items[i].key, "connector") != 0) items[count++] = o->items[i];
    return (struct options){items, count};
}

static bool are_equal(const struct options *x, const struct options *y)
{
    bool equal = x->count == y->count;

    for (uint32_t i = 0; i < x->count && equal; i++)
        equal = strcmp(x->items[i].key, y->items[i].key) == 0 && strcmp(x->items[i].value, y->items[i].value) == 0;
    return equal;
}

/* The place where rows are staged is that of one sink alone. */
static uint32_t staged_node(const struct graph *g, const struct options *staged)
{
    const struct op_type *sink = op_find("sink");
    uint32_t i = 0;

    while (i < g->node_count &&
           (g->nodes[i]->type != sink || !are_equal(&((const struct sink_config *)g->nodes[i]->config)->options, staged)))
        i++;
    ASSERT(i < g->node_count);
    return i;
}

void plan_replaced_keep(struct rel *const *sinks, uint32_t count, struct graph *g, struct buf *list)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct sink_body *s = rel_sink_body(sinks[i]);
        if (s->replaced == NULL) continue;
        struct options staged = sink_options(g->arena, &s->table->options);
        uint32_t node = staged_node(g, &staged);
        struct sink_config *c = g->nodes[node]->config;
        c->options = sink_options(g->arena, &s->replaced->options);
        buf_printf(list, "%s{ \"node\" : %u, \"all\" : %s }", list->size == 0 ? "[" : ", ", node, s->replaces_all ? "true" : "false");
    }
    if (list->size > 0) buf_append_byte(list, ']');
}

/* --- EXECUTE ----------------------------------------------------------------------------------------------------- */
static struct options with_connector(struct arena *a, const struct sink_config *c)
{
    struct option *items = ARENA_ARRAY(a, struct option, c->options.count + 1);

    if (c->options.count > 0) memcpy(items, c->options.items, sizeof *items * c->options.count);
    items[c->options.count] = (struct option){"connector", c->connector};
    return (struct options){items, c->options.count + 1};
}

static enum status stage_sink(struct run *r, struct sink_config *c, struct job_replacement *out, struct err *e)
{
    const struct conn_type *type;

    TRY(conn_find(c->connector, &type, e));
    if (type->sink == NULL || type->sink->rewrite == NULL)
        return err_set(e, E_DATA, "it is damaged: connector '%s' does not replace rows", c->connector);
    out->rewrite = type->sink->rewrite;
    out->table = with_connector(&r->arena, c);
    TRY(out->rewrite->stage(&out->table, sys_random(r->s->options.sys), &r->arena, &out->staged, e));
    c->options = sink_options(&r->arena, &out->staged);
    return S_OK;
}

static enum status stage_all(struct run *r, struct str list, struct graph *g, struct update *out, struct err *e)
{
    struct job_replacement *items = ARENA_ARRAY(&r->arena, struct job_replacement, g->node_count + 1);
    const struct op_type *sink = op_find("sink");
    struct str item;
    int64_t before = -1;

    for (size_t at = 0; answer_next(list, &at, &item);) {
        int64_t node = answer_int(answer_member(item, "node"), -1);
        if (node <= before || node >= g->node_count || g->nodes[node]->type != sink)
            return err_set(e, E_DATA, "it is damaged: \"replaced\" does not list sinks of the graph in their order");
        struct job_replacement *x = &items[out->replacement_count++];
        x->all = str_equal(answer_member(item, "all"), STR("true"));
        TRY(stage_sink(r, g->nodes[node]->config, x, e));
        before = node;
    }
    out->replacements = items;
    return S_OK;
}

enum status plan_replaced_stage(struct run *r, struct str list, struct str graph, struct update *out, struct err *e)
{
    struct graph g;
    struct buf bytes;

    *out = (struct update){.graph = graph};
    if (list.size == 0) return S_OK;
    if (list.data[0] != '[') return err_set(e, E_DATA, "it is damaged: \"replaced\" is no list");
    graph_init(&g, &r->arena);
    TRY(graph_decode(&g, graph, e));
    TRY(stage_all(r, list, &g, out, e));
    buf_init(&bytes, &r->mem);
    graph_encode(&g, &bytes);
    out->graph = (struct str){arena_strndup(&r->arena, bytes.data, bytes.size), bytes.size};
    buf_release(&bytes);
    return S_OK;
}
