/* node_stream_sink.c - Sink of a table that goes on as a stream of the program. */
#include "flow/operator/table_bridge.h"
#include "ground/base/str.h"
#include "language/plan/stream_rel.h"

static void derive(struct rel *r, struct arena *a)
{
    const struct rel *in = r->inputs[0];

    r->modifies = in->modifies;
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct stream_sink *s = r->body;

    buf_printf(out, "table=[%s], fields=[", s->name);
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)input;
    return ((const struct stream_sink *)r->body)->mode == STREAM_CHANGES;
}

/* Of upserts by a key, that is enough to delete a row. */
static bool takes_keys(const struct rel *r, uint32_t input)
{
    const struct stream_sink *s = r->body;

    (void)input;
    return s->mode == STREAM_UPSERTS && s->key != NULL;
}

/* Rows of one key must be versions of one row. */
static enum status check_key(const struct rel *r, struct err *e)
{
    const struct stream_sink *s = r->body;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    struct str list = str_of(s->key), one;

    while (list.size > 0) {
        (void)str_cut(&list, ',', &one);
        int col = type_field(r->row, str_trim(one));
        if (col < 0) return err_set(e, E_GRAPH, "the key '%s' names a column that the table does not have: '%.*s'", s->key,
                                    (int)str_trim(one).size, str_trim(one).data);
        bit_set(bits, (uint32_t)col);
    }
    if (r->inputs[0]->modifies == MODIFIES_NOTHING || rel_covers_key(r->inputs[0], bits)) return S_OK;
    err_hint(e, "name the columns that the table is grouped by, or take all changes with TW_CHANGELOG_ALL");
    return err_set(e, E_UNSUPPORTED, "rows of the table that have the same '%s' are not versions of one row: its updates cannot be told "
                   "by that key", s->key);
}

static enum status check(const struct rel *r, struct err *e)
{
    const struct stream_sink *s = r->body;
    uint8_t modifies = r->inputs[0]->modifies;

    if (s->mode == STREAM_RETRACTS) modifies &= MODIFIES_UPDATES;
    if (s->mode == STREAM_UPSERTS && s->key != NULL) return check_key(r, e);
    if (s->mode == STREAM_CHANGES || s->mode == STREAM_UPSERTS || modifies == MODIFIES_NOTHING) return S_OK;
    err_hint(e, "take it as a stream of changes, with tw_to_changelog_stream");
    return err_set(e, E_UNSUPPORTED,
                   "Table sink '%s' doesn't support consuming %s changes which is produced by node %s", s->name,
                   modifies == MODIFIES_UPDATES   ? "update"
                   : modifies == MODIFIES_DELETES ? "delete"
                                                  : "update and delete",
                   r->inputs[0]->type->name);
}

/* The only time attribute; -2: there are several. */
static int rowtime_of(const struct type *row)
{
    int found = -1;

    for (uint32_t i = 0; i < row->child_count; i++)
        if (row->children[i]->time_kind == TIME_ROWTIME) found = found == -1 ? (int)i : -2;
    return found;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct stream_sink *s = r->body;
    int rowtime = rowtime_of(r->row);

    if (rowtime == -2) {
        err_hint(e, "cast all but one of them to TIMESTAMP(3)");
        return err_set(e, E_UNSUPPORTED,
                       "Found more than one rowtime attribute field in the query when converting it to a stream");
    }
    struct graph_node *n = graph_add_node(l->graph, op_find("to_stream"), "TableToDataStream", (struct graph_here){0});
    *(struct to_stream_config *)n->config = (struct to_stream_config){
        .time_column = rowtime >= 0 ? r->row->names[rowtime] : NULL, .drops_before = s->mode == STREAM_UPSERTS};
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_stream_sink_type = {.name = "StreamSink",
                                              .doc = "rows of a table as a stream of the program",
                                              .derive = derive,
                                              .wants_before = wants_before,
                                              .takes_keys = takes_keys,
                                              .check = check,
                                              .explain = explain,
                                              .lower = lower};
