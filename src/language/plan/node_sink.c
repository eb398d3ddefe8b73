/* node_sink.c - Sink: rows into a table's connector, or to the client that asked.
 *
 * What stands between the query and the connector is the sink's own: checks of values against the table (NOT NULL, lengths), and
 * where rows of the query with different keys can have one primary key, what makes one row of them (sink_conflict.c). */
#include "flow/operator/op_configs.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/sink_rel.h"

#include <string.h>

static void explain_targets(const struct sink_body *s, struct buf *out)
{
    if (s->target_count == 0) return;
    buf_append_text(out, "targetColumns=[");
    for (uint32_t i = 0; i < s->target_count; i++) buf_printf(out, "%s[%u]", i > 0 ? "," : "", s->targets[i]);
    buf_append_text(out, "], ");
}

static void explain(const struct rel *r, struct buf *out)
{
    static const char *const conflicts[] = {"", "NOTHING", "ERROR", "DEDUPLICATE"};
    const struct sink_body *s = r->body;

    if (s->table != NULL) buf_printf(out, "table=[%s.%s.%s], ", s->table->catalog, s->table->database, s->table->name);
    explain_targets(s, out);
    buf_append_text(out, "fields=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
    if (sink_is_materialized(r)) buf_append_text(out, ", upsertMaterialize=[true]");
    if (s->conflict != SINK_CONFLICT_UNSAID) buf_printf(out, ", conflictStrategy=[%s]", conflicts[s->conflict]);
}

/* The client shows -U. A connector that replaces rows needs none where a row replaces the query's own; else the row before an update may
 * have another key, and must be taken back. */
static bool wants_before(const struct rel *r, uint32_t input)
{
    const struct sink_body *s = r->body;
    uint32_t cols[TYPE_FIELDS_MAX];

    (void)input;
    if (s->table == NULL) return !s->is_explained;
    if (!sink_is_upsert(s->table)) return true;
    sink_key(r, cols);
    return s->table->key_count > 0 && !rel_has_key(r->inputs[0], cols, s->table->key_count);
}

/* Where rows replace those with their key, a key is enough to delete one. */
static bool takes_keys(const struct rel *r, uint32_t input)
{
    const struct sink_body *s = r->body;

    return s->table == NULL ? s->is_explained : s->table->key_count > 0 && !wants_before(r, input) && !sink_is_materialized(r);
}

/* --- lowering ---------------------------------------------------------------------------------------------------- */
static void node_add(const struct sink_body *s, struct lowering *l)
{
    const struct table *t = s->table;
    struct graph_node *n = graph_add_node(l->graph, op_find("sink"), t != NULL ? arena_printf(l->a, "Sink: %s", t->name) : "Sink: Collect",
                                          (struct graph_here){0});
    struct sink_config *config = n->config;
    uint32_t count = t != NULL ? t->options.count : 0, used = 0;
    struct option *options = ARENA_ARRAY(l->a, struct option, MAX(count, 1u));

    config->connector = t == NULL ? "collect" : table_option(t, "connector");
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(t->options.items[i].key, "connector") != 0) options[used++] = t->options.items[i];
    ASSERT(config->connector != NULL); /* bind_insert.c has found it */
    config->options = (struct options){options, used};
    config->handle = l->receiver;
    if (s->parts.count > 0) config->partitions = (struct text_list){t->partitions, t->partition_count};
    n->parallelism = t == NULL ? 1 : sink_parallelism(t);
}

/* Checks of values, and the table's names. */
static uint32_t enforce(const struct rel *r, struct lowering *l, uint32_t input)
{
    const struct sink_body *s = r->body;
    struct expr_maker m = {.a = l->a, .session = l->session};
    struct expr **columns = ARENA_ARRAY(l->a, struct expr *, r->row->child_count + 1);
    struct calc_body c = s->enforce;
    bool is_named = true;

    if (s->table == NULL) return input;
    for (uint32_t i = 0; i < r->row->child_count; i++) is_named &= str_equal(str_of(r->row->names[i]), str_of(s->row->names[i]));
    if (is_named && c.count == 0 && c.condition == NULL) return input;
    if (c.count == 0) {
        for (uint32_t i = 0; i < r->row->child_count; i++) columns[i] = expr_column(&m, r->row, i);
        c.columns = columns;
        c.count = r->row->child_count;
    }
    return lower_calc(l, &c, s->row->names, input);
}

static uint32_t tasks_of(const struct lowering *l, uint32_t node)
{
    const struct graph_node *n = l->graph->nodes[node];

    return n->single ? 1 : n->parallelism > 0 ? n->parallelism : l->graph->default_parallelism;
}

/* Rows of an update must not overtake each other: where tasks are of another number they are spread by the primary key. */
static enum status check_order(const struct rel *r, const struct lowering *l, uint32_t input, struct err *e)
{
    const struct table *t = ((const struct sink_body *)r->body)->table;
    uint32_t tasks = t != NULL ? sink_parallelism(t) : 0, from = tasks_of(l, input);

    if (tasks == 0 || tasks == from || t->key_count > 0 || r->inputs[0]->modifies == MODIFIES_NOTHING) return S_OK;
    err_hint(e, "add PRIMARY KEY (...) NOT ENFORCED to the table, or leave 'sink.parallelism' away");
    return err_set(e, E_DATA,
                   "The sink for table '%s.%s.%s' has a configured parallelism of %u, while the input parallelism is %u. Since the "
                   "configured parallelism is different from the input's parallelism and the changelog mode is not insert-only, a "
                   "primary key is required but could not be found.",
                   t->catalog, t->database, t->name, tasks, from);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct sink_body *s = r->body;

    TRY(check_order(r, l, inputs[0], e));
    uint32_t last = enforce(r, l, inputs[0]);
    bool is_spread = false;

    if (s->table != NULL) last = sink_lower_conflict(r, l, last, &is_spread);
    if (s->parts.count > 0) last = lower_calc(l, &s->parts, s->part_names, last);
    node_add(s, l);
    *node = l->graph->node_count - 1;
    struct graph_edge *edge = graph_add_edge(l->graph, last, *node, 0, (struct graph_here){0});
    if (is_spread) sink_spread(r, l, edge);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct sink_body *s = r->body;
    struct buf *out = logical_begin(l, "Sink");

    if (s->table != NULL) buf_printf(out, "table=[%s.%s.%s], ", s->table->catalog, s->table->database, s->table->name);
    explain_targets(s, out);
    buf_append_text(out, "fields=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
    logical_end(l);
}

const struct rel_type rel_sink_type = {
    .name = "Sink", .doc = "rows into a table, or to the client", .wants_before = wants_before, .takes_keys = takes_keys, .check = sink_check, .advise = sink_advise,
    .explain = explain, .logical = logical, .lower = lower};

const struct sink_body *rel_sink_body(const struct rel *r)
{
    ASSERT(r->type == &rel_sink_type);
    return r->body;
}
