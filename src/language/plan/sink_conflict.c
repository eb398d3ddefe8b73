/* sink_conflict.c - tables with a primary key that is not the query's: rows with different keys may then meet under one primary key.
 * ON CONFLICT says what becomes of them, and must be said (Flink 2.3): the last one counts (sink_materialize), or there may be one only
 * at each watermark (sink_stamp, then sink_compact).
 *
 * Where the primary key holds one of the query's keys there is nothing to decide. Rows of one primary key are worked on in one task. */
#include "flow/connector/connector.h"
#include "flow/operator/upsert_rows.h"
#include "ground/base/str.h"
#include "language/plan/rel_internal.h"
#include "language/plan/sink_rel.h"

#include <string.h>

extern const struct rel_type rel_watermark_type;

uint32_t sink_parallelism(const struct table *t)
{
    const char *text = table_option(t, "sink.parallelism");
    int64_t value = 0;

    if (text == NULL || !str_to_int64(str_of(text), &value) || value < 1 || value > INT32_MAX) return 0; /* the connector says so */
    return (uint32_t)value;
}

/* What is wrong with the connector is said when the sink is lowered. */
static bool takes_changes(const struct table *t)
{
    const char *name = table_option(t, "connector");
    const struct conn_type *conn;

    return name == NULL || conn_find(name, &conn, NULL) != S_OK || conn->sink == NULL || conn_takes_changes(conn, &t->options);
}

static const struct sink_type *sink_of(const struct table *t)
{
    const char *name = table_option(t, "connector");
    const struct conn_type *conn;

    return name != NULL && conn_find(name, &conn, NULL) == S_OK ? conn->sink : NULL;
}

bool sink_is_upsert(const struct table *t)
{
    const struct sink_type *sink = sink_of(t);

    return sink != NULL && sink->is_upsert;
}

void sink_key(const struct rel *r, uint32_t *cols)
{
    const struct sink_body *s = r->body;

    for (uint32_t i = 0; i < s->table->key_count; i++) cols[i] = (uint32_t)type_field(s->row, str_of(s->table->key[i]));
}

static bool holds_query_key(const struct rel *r)
{
    const struct sink_body *s = r->body;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    uint32_t cols[TYPE_FIELDS_MAX];

    sink_key(r, cols);
    for (uint32_t i = 0; i < s->table->key_count; i++) bit_set(bits, cols[i]);
    return rel_covers_key(r->inputs[0], bits);
}

static bool has_conflicts(const struct rel *r)
{
    const struct sink_body *s = r->body;

    return s->table != NULL && s->table->key_count > 0 && r->inputs[0]->modifies != MODIFIES_NOTHING && !holds_query_key(r);
}

bool sink_is_materialized(const struct rel *r)
{
    const struct sink_body *s = r->body;

    switch ((enum sink_materialize)s->settings.sink.materialize) {
    case MATERIALIZE_NONE: return false;
    case MATERIALIZE_FORCE: return s->table != NULL && s->table->key_count > 0;
    case MATERIALIZE_AUTO: break;
    }
    return has_conflicts(r);
}

/* The least of the query's keys; NULL: it has none that could tell rows apart. */
static const struct rel_key *query_key(const struct rel *r)
{
    const struct rel *in = r->inputs[0];
    const struct rel_key *least = NULL;

    for (uint32_t k = 0; k < in->key_count; k++)
        if (in->keys[k].count > 0 && (least == NULL || in->keys[k].count < least->count)) least = &in->keys[k];
    return least;
}

/* --- checks ------------------------------------------------------------------------------------------------------ */
static void names_print(const struct type *row, const uint32_t *cols, uint32_t count, struct buf *out)
{
    buf_append_byte(out, '[');
    for (uint32_t i = 0; i < count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", row->names[cols[i]]);
    buf_append_byte(out, ']');
}

static enum status strategy_missing(const struct rel *r, struct err *e)
{
    const struct sink_body *s = r->body;
    const struct rel_key *key = query_key(r);
    uint32_t cols[TYPE_FIELDS_MAX];
    struct mem mem;
    struct buf text;

    mem_init(&mem, "plan", 0);
    buf_init(&text, &mem);
    sink_key(r, cols);
    buf_printf(&text, "The query has an upsert key that differs from the primary key of the sink table '%s.%s.%s'. Primary key: ",
               s->table->catalog, s->table->database, s->table->name);
    names_print(s->row, cols, s->table->key_count, &text);
    buf_append_text(&text, ", upsert key: ");
    if (key != NULL) names_print(r->row, key->cols, key->count, &text);
    else buf_append_text(&text, "none");
    enum status st = err_set(
        e, E_DATA,
        "%s. This can lead to non-deterministic results when multiple records with different upsert keys map to the same primary "
        "key. Please specify an ON CONFLICT clause to define how conflicts should be handled: ON CONFLICT DO DEDUPLICATE (update to "
        "the latest record, state intensive, since we need to keep the entire history), or ON CONFLICT DO ERROR (fail on conflict), "
        "or ON CONFLICT DO NOTHING (keep first record).",
        buf_text(&text));
    buf_release(&text);
    mem_release(&mem);
    return st;
}

static enum status changes_refused(const struct rel *r, struct err *e)
{
    const struct sink_body *s = r->body;
    uint8_t modifies = r->inputs[0]->modifies;

    err_hint(e, "write into a table whose connector takes changes, or make rows final, with a window for example");
    return err_set(e, E_UNSUPPORTED, "Table sink '%s.%s.%s' doesn't support consuming %s changes which is produced by node %s",
                   s->table->catalog, s->table->database, s->table->name,
                   modifies == MODIFIES_UPDATES   ? "update"
                   : modifies == MODIFIES_DELETES ? "delete"
                                                  : "update and delete",
                   rel_called(r->inputs[0]));
}

enum status sink_check(const struct rel *r, struct err *e)
{
    const struct sink_body *s = r->body;
    bool appends = r->inputs[0]->modifies == MODIFIES_NOTHING;

    if (!appends && s->table != NULL && !takes_changes(s->table)) return changes_refused(r, e);
    if (s->settings.is_batch) return S_OK; /* rows come once */
    if (appends && s->conflict != SINK_CONFLICT_UNSAID) {
        err_hint(e, "leave ON CONFLICT away: no row of this query is ever changed");
        return err_set(e, E_DATA,
                       "ON CONFLICT clause is only allowed for upsert sinks. The sink '%s.%s.%s' is not an upsert sink because it only "
                       "accepts INSERT (append-only) changes.",
                       s->table->catalog, s->table->database, s->table->name);
    }
    bool is_asked = s->conflict == SINK_CONFLICT_UNSAID && !s->settings.sink.conflict_is_optional;
    if (is_asked && s->settings.sink.materialize == MATERIALIZE_AUTO && has_conflicts(r)) return strategy_missing(r, e);
    return S_OK;
}

/* --- advice ------------------------------------------------------------------------------------------------------ */
static bool has_watermarks(const struct rel *r)
{
    if (r->type == &rel_watermark_type) return true;
    for (uint32_t i = 0; i < r->input_count; i++)
        if (has_watermarks(r->inputs[i])) return true;
    return false;
}

const char *sink_advise(const struct rel *r, const struct plan_settings *settings, struct arena *a)
{
    const struct sink_body *s = r->body;
    bool compacts = s->conflict == SINK_CONFLICT_NOTHING || s->conflict == SINK_CONFLICT_ERROR;

    if (r->inputs[0]->is_bounded || !has_conflicts(r)) return NULL;
    if (s->settings.sink.materialize == MATERIALIZE_NONE)
        return arena_printf(a, "rows of table '%s' overwrite each other: its primary key is not the query's key, and "
                               "'table.exec.sink.upsert-materialize' is NONE", s->table->name);
    if (compacts && !has_watermarks(r))
        return arena_printf(a, "no row comes to table '%s' before the input ends: ON CONFLICT DO %s needs watermarks, and no source has "
                               "any; declare WATERMARK FOR a column of one", s->table->name,
                            s->conflict == SINK_CONFLICT_ERROR ? "ERROR" : "NOTHING");
    if (compacts || settings->ttl_ms > 0) return NULL;
    return arena_printf(a, "all rows under each primary key of table '%s' are kept for ever, as it is not the query's key: group by it, "
                           "or set 'table.exec.state.ttl'", s->table->name);
}

/* --- lowering ---------------------------------------------------------------------------------------------------- */
void sink_spread(const struct rel *r, struct lowering *l, struct graph_edge *edge)
{
    const struct sink_body *s = r->body;
    const char **names = ARENA_ARRAY(l->a, const char *, s->table->key_count);

    for (uint32_t i = 0; i < s->table->key_count; i++) names[i] = s->table->key[i];
    edge->has_partitioner = true;
    edge->partitioner = PART_HASH;
    edge->keys = (struct text_list){names, s->table->key_count};
}

static uint32_t materialize(const struct rel *r, struct lowering *l, uint32_t input)
{
    const struct sink_body *s = r->body;
    const struct rel_key *key = query_key(r);
    bool compacts = s->conflict == SINK_CONFLICT_NOTHING || s->conflict == SINK_CONFLICT_ERROR;
    const char **names = ARENA_ARRAY(l->a, const char *, key != NULL ? key->count : 1);

    if (compacts) {
        graph_add_node(l->graph, op_find("sink_stamp"), "WatermarkTimestampAssigner", (struct graph_here){0});
        graph_add_edge(l->graph, input, l->graph->node_count - 1, 0, (struct graph_here){0});
        input = l->graph->node_count - 1;
    }
    struct graph_node *n = graph_add_node(l->graph, op_find(compacts ? "sink_compact" : "sink_materialize"), "SinkMaterializer",
                                          (struct graph_here){0});
    struct upsert_config *c = n->config;
    for (uint32_t i = 0; key != NULL && i < key->count; i++) names[i] = s->row->names[key->cols[i]];
    c->unique = (struct text_list){names, key != NULL ? key->count : 0};
    c->fails = s->conflict == SINK_CONFLICT_ERROR;
    c->ttl_ms = s->settings.ttl_ms;
    n->parallelism = sink_parallelism(s->table);
    sink_spread(r, l, graph_add_edge(l->graph, input, l->graph->node_count - 1, 0, (struct graph_here){0}));
    return l->graph->node_count - 1;
}

uint32_t sink_lower_conflict(const struct rel *r, struct lowering *l, uint32_t input, bool *is_spread)
{
    const struct sink_body *s = r->body;
    bool appends = r->inputs[0]->modifies == MODIFIES_NOTHING;

    if (sink_is_materialized(r) && !appends) return materialize(r, l, input);
    if (s->table->key_count == 0) return input;
    uint32_t tasks = sink_parallelism(s->table);
    *is_spread = s->settings.sink.shuffle == SHUFFLE_FORCE ? tasks != 1 : s->settings.sink.shuffle == SHUFFLE_AUTO && tasks > 1;
    return input;
}
