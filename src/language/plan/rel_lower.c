/* rel_lower.c - plans on their way to a job: what each node has to know of changes (rel_plan), and which operators they become, from the
 * sources on (rel_lower).
 *
 * Rows before updates and whole rows of deletions are made only where somebody reads them: what those above ask for goes down the plan.
 * Not here: making nodes (rel.c). */
#include "language/plan/rel.h"

#include "language/plan/rel_internal.h"
#include "language/plan/reuse.h"

extern const struct rel_type rel_sort_type, rel_temporal_sort_type;

/* --- changelogs -------------------------------------------------------------------------------------------------- */
static enum status check(struct rel *r, const struct rel_said **said, struct err *e)
{
    enum status st = S_OK;

    if (r->planned) return S_OK;
    for (uint32_t i = 0; i < r->input_count && st == S_OK; i++) st = check(r->inputs[i], said, e);
    r->planned = st == S_OK;
    if (st == S_OK && r->type->check != NULL) st = r->type->check(r, e);
    if (st != S_OK && *said == NULL) *said = r->said;
    return st;
}

static void demand(struct rel *r, bool before, bool rows)
{
    before |= r->input_count > 0 && r->hands_before; /* what a source brings is not asked for by that */
    if ((r->wants_before || !before) && (r->wants_rows || !rows) && r->is_asked) return;
    r->is_asked = true;
    r->wants_before |= before;
    r->wants_rows |= rows;
    for (uint32_t i = 0; i < r->input_count; i++) {
        bool updates = (r->inputs[i]->modifies & MODIFIES_UPDATES) != 0;
        bool wants = r->type->wants_before != NULL ? r->type->wants_before(r, i) : r->wants_before;
        demand(r->inputs[i], updates && wants, r->type->takes_keys == NULL || !r->type->takes_keys(r, i));
    }
}

static bool is_idle(const struct rel *r)
{
    if (r->type == &rel_normalize_type) return !normalize_is_needed(r);
    return r->type == &rel_drop_before_type && r->wants_before;
}

/* Takes nodes out that nobody needs, now that it is known what is asked of them. */
static void settle(struct rel *r)
{
    struct rel **inputs = (struct rel **)r->inputs; /* of the arena, made for this node */

    if (r->settled) return;
    r->settled = true;
    for (uint32_t i = 0; i < r->input_count; i++) {
        settle(inputs[i]);
        while (is_idle(inputs[i])) inputs[i] = inputs[i]->inputs[0];
        r->deletes_by_key |= r->type->passes_changes && inputs[i]->deletes_by_key;
    }
}

enum status rel_plan(struct rel *const *sinks, uint32_t count, const struct rel_said **said, struct err *e)
{
    for (uint32_t i = 0; i < count; i++) {
        TRY(check(sinks[i], said, e));
        demand(sinks[i], false, false);
    }
    for (uint32_t i = 0; i < count; i++) settle(sinks[i]);
    return S_OK;
}

void rel_print_changes(const struct rel *r, struct buf *out)
{
    if (r->type == &rel_sink_type) {
        buf_append_text(out, "NONE");
        return;
    }
    buf_append_text(out, "I");
    if ((r->modifies & MODIFIES_UPDATES) != 0) buf_append_text(out, r->wants_before || r->hands_before ? ",UB,UA" : ",UA");
    if ((r->modifies & MODIFIES_DELETES) != 0) buf_append_text(out, r->deletes_by_key ? ",PD" : ",D");
}

/* --- EXPLAIN and lowering ---------------------------------------------------------------------------------------- */
int rel_distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    return r->type->distribution != NULL ? r->type->distribution(r, input, cols) : DISTRIBUTION_ANY;
}

bool rel_lies_by(const struct rel *r, const uint32_t *cols, uint32_t count)
{
    return count > 0 && r->type->lies_by != NULL && r->type->lies_by(r, cols, count);
}

/* Rows that are where their key wants them stay in their task. */
void lower_edge(struct lowering *l, const struct rel *r, uint32_t from, uint32_t to, uint32_t input)
{
    struct graph_edge *edge = graph_add_edge(l->graph, from, to, input, (struct graph_here){0});
    const uint32_t *cols = NULL;
    int count = rel_distribution(r, input, &cols);
    const char **names = ARENA_ARRAY(l->a, const char *, MAX(count, 1));

    if (count == 0) l->graph->nodes[to]->single = true;
    edge->has_partitioner = count > 0 || count == DISTRIBUTION_BROADCAST;
    if (count == DISTRIBUTION_BROADCAST) edge->partitioner = PART_BROADCAST;
    if (count <= 0) return;
    for (int i = 0; i < count; i++) names[i] = r->inputs[input]->row->names[cols[i]];
    edge->partitioner = rel_lies_by(r->inputs[input], cols, (uint32_t)count) ? PART_FORWARD : PART_HASH;
    edge->keys = (struct text_list){names, (uint32_t)count};
}

void lower_hash_edge(struct lowering *l, uint32_t from, uint32_t to, const char *const *names, uint32_t count)
{
    struct graph_edge *edge = graph_add_edge(l->graph, from, to, 0, (struct graph_here){0});

    if (count == 0) l->graph->nodes[to]->single = true;
    if (count == 0) return;
    edge->has_partitioner = true;
    edge->partitioner = PART_HASH;
    edge->keys = (struct text_list){names, count};
}

const char *rel_called(const struct rel *r) { return r->type->planned_as != NULL ? r->type->planned_as : r->type->name; }

const char rel_hint_appends[] = "windows are worked on when they are over: let rows below them only be added, or aggregate without a window";

void rel_hint_event_time(struct err *e)
{
    err_hint(e, "make its windows of event time: WATERMARK FOR a column of the table, and that column in DESCRIPTOR");
}

enum status rel_check_appends(const struct rel *r, const char *node, const char *hint, struct err *e)
{
    for (uint32_t i = 0; i < r->input_count; i++) {
        uint8_t modifies = r->inputs[i]->modifies;
        if (modifies == MODIFIES_NOTHING) continue;
        if (hint != NULL) err_hint(e, "%s", hint);
        return err_set(e, E_UNSUPPORTED, "%s doesn't support consuming %s changes which is produced by node %s", node,
                       modifies == MODIFIES_UPDATES   ? "update"
                       : modifies == MODIFIES_DELETES ? "delete"
                                                      : "update and delete",
                       rel_called(r->inputs[i]));
    }
    return S_OK;
}

static bool is_ordered(const struct rel *r)
{
    while (r->type == &rel_calc_type) r = r->inputs[0];
    return r->type == &rel_sort_type || r->type == &rel_temporal_sort_type;
}

/* Rows that are updated, or were put into an order, keep it: what reads them where they all are in one task is one task too. */
static void keep_single(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t first)
{
    bool single = false;

    for (uint32_t i = 0; i < r->input_count; i++) {
        const uint32_t *cols;
        bool stay = r->inputs[i]->modifies != MODIFIES_NOTHING || is_ordered(r->inputs[i]);
        single |= stay && rel_distribution(r, i, &cols) == DISTRIBUTION_ANY && l->graph->nodes[inputs[i]]->single;
    }
    for (uint32_t i = first; single && i < l->graph->node_count; i++) l->graph->nodes[i]->single = true;
}

enum status rel_too_many(struct err *e)
{
    err_hint(e, "write parts of it into tables or views with INSERTs of their own");
    return err_set(e, E_BUDGET, "the statement needs more than %d operators", GRAPH_NODES_MAX);
}

enum status rel_lower(const struct rel *r, struct lowering *l, uint32_t *node, struct err *e)
{
    uint32_t *inputs = ARENA_ARRAY(l->a, uint32_t, MAX(r->input_count, 1u));

    for (uint32_t i = 0; i < r->input_count; i++) {
        enum status below = rel_lower(r->inputs[i], l, &inputs[i], e);
        if (below != S_OK && l->said == NULL) l->said = r->said;
        TRY(below);
    }
    if (l->graph->node_count == GRAPH_NODES_MAX)
        return rel_too_many(e);
    uint32_t first = l->graph->node_count;
    enum status st = r->type->lower(r, l, inputs, node, e);
    if (st != S_OK) l->said = r->said;
    TRY(st);
    keep_single(r, l, inputs, first);
    if (l->nodes != NULL) reuse_map_add(l->nodes, l->a, r, *node - (scan_columns(r, l->a) != NULL)); /* the source before its Calc */
    return S_OK;
}
