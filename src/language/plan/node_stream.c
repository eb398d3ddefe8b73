/* node_stream.c - DataStreamScan: rows of a stream that a program made. Lowered into the program's own graph it is the stream itself;
 * into another one, as when a result is asked for before the program is executed, the operators that it comes from are copied with
 * all that they read. */
#include "language/plan/rel_internal.h"
#include "language/plan/stream_rel.h"

static void derive(struct rel *r, struct arena *a)
{
    const struct stream_source *s = *(const struct stream_source *const *)r->body;

    source_derive(r, s->changes);
    if (s->key_count > 0) rel_add_key(r, a, s->key, s->key_count);
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct stream_source *s = *(const struct stream_source *const *)r->body;

    buf_printf(out, "table=[[%s]], fields=[", s->name);
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct stream_source *s = *(const struct stream_source *const *)r->body;

    (void)inputs;
    if (*s->is_gone) {
        err_hint(e, "make stream and table anew behind tw_execute");
        return err_set(e, E_GRAPH, "table '%s' is of a stream that belongs to a job that was executed already",
                       s->name);
    }
    *node = s->node;
    if (l->graph == s->graph) return S_OK;
    if (l->copies == NULL) l->copies = ARENA_ARRAY(l->a, uint32_t, GRAPH_NODES_MAX);
    *node = graph_copy(s->graph, s->node, l->graph, l->copies);
    return S_OK;
}

const struct rel_type rel_stream_type = {.name = "DataStreamScan",
                                         .doc = "rows of a stream of the program",
                                         .derive = derive,
                                         .explain = explain,
                                         .lower = lower};
