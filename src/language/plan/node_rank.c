/* node_rank.c - Rank: of the rows of each partition those whose place in an order is first..last. What it has in common with
 * SortLimit and Limit is theirs by rank_rel.h: one operator does all three. */
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rank_rel.h"
#include "language/plan/rel_internal.h"

#include "flow/operator/rank_config.h"
#include "ground/base/str.h"

#include <string.h>

void rank_print_order(const struct rank_order *order, uint32_t count, const struct type *row, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct rank_order *o = &order[i];
        buf_printf(out, "%s%s %s", i > 0 ? ", " : "", row->names[o->col], o->descending ? "DESC" : "ASC");
        if (o->nulls_last != o->descending) buf_append_text(out, o->nulls_last ? " NULLS LAST" : " NULLS FIRST");
    }
}

/* --- strategy ---------------------------------------------------------------------------------------------------- */
/* Do updates move rows forward in this order, or not at all? What was NULL may become a value. */
static bool only_rises(const struct rel *in, const struct rank_order *o)
{
    enum rel_monotone m = (enum rel_monotone)in->monotone[o->col];

    if (m == MONOTONE_CONSTANT) return true;
    if (in->row->children[o->col]->nullable && !o->nulls_last) return false;
    return m == (o->descending ? MONOTONE_GROWS : MONOTONE_FALLS);
}

static bool holds_partition(const struct rank_body *b, const struct rel_key *key)
{
    for (uint32_t i = 0; i < b->partition_count; i++) {
        uint32_t k = 0;
        while (k < key->count && key->cols[k] != b->partition[i]) k++;
        if (k == key->count) return false;
    }
    return key->count > 0;
}

/* The key by which rows replace each other, where they never go and only rise: what falls behind the last place is forgotten. */
static const struct rel_key *update_key(const struct rel *r)
{
    const struct rank_body *b = r->body;
    const struct rel *in = r->inputs[0];

    if (in->modifies != MODIFIES_UPDATES || in->hands_before || in->monotone == NULL || b->order_count == 0) return NULL;
    if (b->last == RANK_UNBOUNDED) return NULL;
    for (uint32_t i = 0; i < b->order_count; i++)
        if (!only_rises(in, &b->order[i])) return NULL;
    for (uint32_t k = 0; k < in->key_count; k++)
        if (holds_partition(b, &in->keys[k])) return &in->keys[k];
    return NULL;
}

/* As Flink names what holds the rows: by what may come in. */
void rank_print_strategy(const struct rel *r, struct buf *out)
{
    const struct rel_key *key = update_key(r);

    if (key == NULL) {
        buf_append_text(out, r->inputs[0]->modifies == MODIFIES_NOTHING ? "AppendFastStrategy" : "RetractStrategy");
        return;
    }
    buf_append_text(out, "UpdateFastStrategy[");
    for (uint32_t i = 0; i < key->count; i++) buf_printf(out, "%s%u", i > 0 ? "," : "", key->cols[i]);
    buf_append_byte(out, ']');
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct rank_body *b = r->body;

    if (!r->at_end) buf_append_text(out, "strategy=[");
    if (!r->at_end) rank_print_strategy(r, out);
    buf_printf(out, "%srankType=[%s], rankRange=[rankStart=%lld, rankEnd=", r->at_end ? "" : "], ", b->function, (long long)b->first);
    if (b->last == RANK_UNBOUNDED) buf_append_text(out, "unlimited], partitionBy=[");
    else buf_printf(out, "%lld], partitionBy=[", (long long)b->last);
    for (uint32_t i = 0; i < b->partition_count; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", r->inputs[0]->row->names[b->partition[i]]);
    buf_append_text(out, "], orderBy=[");
    rank_print_order(b->order, b->order_count, r->inputs[0]->row, out);
    buf_append_text(out, r->at_end ? "], global=[true], select=[" : "], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

static bool is_numbering(const struct rank_body *b) { return b->function == NULL || strcmp(b->function, "ROW_NUMBER") == 0; }

/* In batch mode rows are sorted, but those of few places of one partition. */
bool rank_ends(const struct rank_body *b) { return !is_numbering(b) || b->last > RANK_NET_LAST_MAX || b->partition_count > 0; }

/* A place by ROW_NUMBER holds one row. What was a key stays one where a row is not replaced by another: not where places are told, as a
 * row may take its new place before it has left the old one, nor where there is one place. */
static void derive_keys(struct rel *r, struct arena *a)
{
    const struct rank_body *b = r->body;
    const struct rel *in = r->inputs[0];
    uint32_t *cols = ARENA_ARRAY(a, uint32_t, b->partition_count + 1), n = b->partition_count;

    r->is_empty = b->is_limit && (in->is_empty || b->last < b->first);
    for (uint32_t i = 0; i < n; i++) cols[i] = b->partition[i];
    if (b->number != NULL) cols[n++] = in->row->child_count;
    if (b->first == b->last) n = b->partition_count;
    if (is_numbering(b) && (b->number != NULL || b->first == b->last)) rel_add_key(r, a, cols, n);
    if (!r->at_end && (b->number != NULL || b->first > 1 || b->last == 1)) return;
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
}

/* Rows that stand as they came never move but when some are taken back. */
void rank_rel_derive(struct rel *r, struct arena *a)
{
    const struct rank_body *b = r->body;
    const struct rel *in = r->inputs[0];

    derive_keys(r, a);
    if (r->at_end) return;
    if (in->modifies == MODIFIES_NOTHING && b->order_count == 0) return;
    r->modifies = MODIFIES_DELETES;
    if (b->order_count > 0 || b->number != NULL || b->first > 1) r->modifies |= MODIFIES_UPDATES;
}

bool rank_rel_wants_before(const struct rel *r, uint32_t input)
{
    (void)input;
    return update_key(r) == NULL; /* the row that is taken back must be found */
}

int rank_rel_distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct rank_body *b = r->body;

    (void)input;
    *cols = b->partition;
    return (int)b->partition_count;
}

static bool lies_by(const struct rel *r, const uint32_t *cols, uint32_t count)
{
    const struct rank_body *b = r->body;

    return count == b->partition_count && memcmp(cols, b->partition, sizeof *cols * count) == 0;
}

static enum status check(const struct rel *r, struct err *e)
{
    const struct rank_body *b = r->body;

    if (is_numbering(b) || r->at_end) return S_OK;
    ASSERT(b->last != RANK_UNBOUNDED); /* it is a function OVER a window then (bind_rank_bounds.c) */
    err_hint(e, "ROW_NUMBER() ranks rows of a stream; %s() does in batch mode: SET 'execution.runtime-mode' = 'batch'", b->function);
    return err_set(e, E_UNSUPPORTED, "%s() on streaming table is not supported currently", b->function);
}

void lower_order(struct lowering *l, const struct type *row, const struct rank_order *order, uint32_t count,
                 struct text_list *const lists[3])
{
    const char **texts[3];

    for (uint32_t k = 0; k < 3; k++) {
        texts[k] = ARENA_ARRAY(l->a, const char *, count + 1);
        *lists[k] = (struct text_list){texts[k], count};
    }
    for (uint32_t i = 0; i < count; i++) {
        texts[0][i] = row->names[order[i].col];
        texts[1][i] = order[i].descending ? "desc" : "asc";
        texts[2][i] = order[i].nulls_last ? "last" : "first";
    }
}

/* Rows that can have no place are sifted out before they are spread: where rows are only added, told batch by batch, and places are few. */
static uint32_t lower_sift(const struct rel *r, struct lowering *l, uint32_t input)
{
    const struct rank_body *b = r->body;
    const struct rel *in = r->inputs[0];
    bool fits = !l->emit_every && in->modifies == MODIFIES_NOTHING && l->ttl_ms == 0 && b->order_count > 0 && b->last <= RANK_NET_LAST_MAX;

    if (!fits || rel_lies_by(in, b->partition, b->partition_count)) return input;
    struct rank_sift_config *c = graph_add_node(l->graph, op_find("rank_sift"), "LocalRank", (struct graph_here){0})->config;
    uint32_t node = l->graph->node_count - 1;
    const char **names = ARENA_ARRAY(l->a, const char *, b->partition_count + 1);

    for (uint32_t i = 0; i < b->partition_count; i++) names[i] = in->row->names[b->partition[i]];
    c->partition = (struct text_list){names, b->partition_count};
    lower_order(l, in->row, b->order, b->order_count, (struct text_list *const[]){&c->order, &c->directions, &c->nulls});
    c->last = b->last;
    graph_add_edge(l->graph, input, node, 0, (struct graph_here){0});
    return node;
}

enum status rank_rel_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct rank_body *b = r->body;
    uint32_t input = lower_sift(r, l, inputs[0]);
    struct graph_node *n = graph_add_node(l->graph, op_find("rank"), r->type->name, (struct graph_here){0});
    struct rank_config *c = n->config;

    (void)e;
    lower_order(l, r->inputs[0]->row, b->order, b->order_count, (struct text_list *const[]){&c->order, &c->directions, &c->nulls});
    c->first = b->first;
    c->last = b->last;
    c->number = b->number;
    c->emit_before = r->wants_before;
    const struct rel_key *key = update_key(r);
    c->nets = !l->emit_every;
    c->retracts = r->inputs[0]->modifies != MODIFIES_NOTHING && key == NULL;
    const char **unique = ARENA_ARRAY(l->a, const char *, key != NULL ? key->count : 1);
    for (uint32_t i = 0; key != NULL && i < key->count; i++) unique[i] = r->inputs[0]->row->names[key->cols[i]];
    c->unique = (struct text_list){unique, key != NULL ? key->count : 0};
    c->ttl_ms = l->ttl_ms;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, input, *node, 0);
    return S_OK;
}

/* --- in batch mode ----------------------------------------------------------------------------------------------- */
void rank_partition_edge(struct lowering *l, const struct rel *r, uint32_t from, uint32_t to)
{
    const struct rank_body *b = r->body;
    const char **names = ARENA_ARRAY(l->a, const char *, MAX(b->partition_count, 1u));

    if (r->type->distribution == rank_rel_distribution) {
        lower_edge(l, r, from, to, 0);
        return;
    }
    for (uint32_t i = 0; i < b->partition_count; i++) names[i] = r->inputs[0]->row->names[b->partition[i]];
    lower_hash_edge(l, from, to, names, b->partition_count);
}

static int64_t half_of(int64_t memory) { return memory == MEMORY_SHARE ? MEMORY_HALF_SHARE : memory / 2; }

/* Where places are few, rows that cannot have one are sifted out before the others are sorted, each by half of the memory. */
static uint32_t lower_part(const struct rel *r, struct lowering *l, uint32_t input)
{
    const struct rank_body *b = r->body;
    struct rank_config *c = graph_add_node(l->graph, op_find("rank"), "LocalRank", (struct graph_here){0})->config;
    uint32_t node = l->graph->node_count - 1;

    lower_order(l, r->inputs[0]->row, b->order, b->order_count, (struct text_list *const[]){&c->order, &c->directions, &c->nulls});
    c->first = 1;
    c->last = b->last;
    c->nets = c->is_part = true;
    c->memory = half_of(l->spill.memory);
    rank_partition_edge(l, r, input, node);
    return node;
}

void lower_rank_at_end(const struct rel *r, struct lowering *l, uint32_t input, uint32_t *node)
{
    const struct rank_body *b = r->body;
    bool is_few = is_numbering(b) && b->last <= RANK_NET_LAST_MAX;

    if (is_few) input = lower_part(r, l, input);
    struct rank_sorted_config *c = graph_add_node(l->graph, op_find("rank_sorted"), r->type->name, (struct graph_here){0})->config;
    char *function = arena_strdup(l->a, b->function);

    for (char *at = function; *at != '\0'; at++) *at = *at == '_' ? '_' : (char)(*at | 0x20);
    lower_order(l, r->inputs[0]->row, b->order, b->order_count, (struct text_list *const[]){&c->order, &c->directions, &c->nulls});
    c->function = function;
    c->first = b->first;
    c->last = b->last;
    c->number = b->number;
    c->spill = l->spill;
    if (is_few) c->spill.memory = half_of(c->spill.memory);
    *node = l->graph->node_count - 1;
    rank_partition_edge(l, r, input, *node);
    if (is_few) l->graph->edges[l->graph->edge_count - 1]->partitioner = PART_FORWARD;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    if (!r->at_end) return rank_rel_lower(r, l, inputs, node, e);
    lower_rank_at_end(r, l, inputs[0], node);
    return S_OK;
}

static void logical_places(const struct rank_body *b, uint32_t col, struct logical *l)
{
    struct buf *out = logical_begin(l, "Filter");

    if (b->first == b->last) buf_printf(out, "condition=[=($%u, %lld)]", col, (long long)b->first);
    else if (b->first == 1) buf_printf(out, "condition=[<=($%u, %lld)]", col, (long long)b->last);
    else if (b->last == RANK_UNBOUNDED) buf_printf(out, "condition=[>=($%u, %lld)]", col, (long long)b->first);
    else buf_printf(out, "condition=[AND(>=($%u, %lld), <=($%u, %lld))]", col, (long long)b->first, col, (long long)b->last);
    logical_end(l);
}

void rank_rel_logical(const struct rel *r, struct logical *l)
{
    const struct rank_body *b = r->body;
    const struct type *row = r->inputs[0]->row;

    if (b->first > 1 || b->last != RANK_UNBOUNDED) logical_places(b, row->child_count, l);
    struct buf *out = logical_begin(l, "Project");
    for (uint32_t i = 0; i < row->child_count; i++) buf_printf(out, "%s=[$%u], ", row->names[i], i);
    buf_printf(out, "%s=[%s() OVER (", b->number != NULL ? b->number : "w0$o0", b->function);
    for (uint32_t i = 0; i < b->partition_count; i++) buf_printf(out, "%s$%u", i > 0 ? ", " : "PARTITION BY ", b->partition[i]);
    for (uint32_t i = 0; i < b->order_count; i++)
        buf_printf(out, "%s$%u%s NULLS %s", i > 0 ? ", " : b->partition_count > 0 ? " ORDER BY " : "ORDER BY ", b->order[i].col,
                   b->order[i].descending ? " DESC" : "", b->order[i].nulls_last ? "LAST" : "FIRST");
    buf_append_text(out, ")]");
    logical_end(l);
}

/* Partitions grow in number; over rows that change all of them are kept, as each may be among the first again. */
const char *rank_rel_advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    const struct rank_body *b = r->body;
    const struct rel *in = r->inputs[0];
    struct buf keys;

    if (r->at_end || s->ttl_ms > 0 || in->is_bounded) return NULL;
    if (in->modifies != MODIFIES_NOTHING && r->type != &rel_deduplicate_type && update_key(r) == NULL)
        return "this Top-N is over rows that change, and keeps all of them for ever: set 'table.exec.state.ttl'";
    if (b->partition_count == 0) return NULL;
    buf_init(&keys, a->mem);
    for (uint32_t i = 0; i < b->partition_count; i++) buf_printf(&keys, "%s%s", i > 0 ? ", " : "", in->row->names[b->partition[i]]);
    const char *out = arena_printf(a, "the first rows of each %s are kept for ever: partition by a window too or set 'table.exec.state.ttl'",
                                   buf_text(&keys));
    buf_release(&keys);
    return out;
}

const struct rel_type rel_rank_type = {.name = "Rank",
                                       .doc = "rows of each partition by their places in an order",
                                       .ends = true,
                                       .derive = rank_rel_derive,
                                       .wants_before = rank_rel_wants_before,
                                       .distribution = rank_rel_distribution,
                                       .lies_by = lies_by,
                                       .check = check,
                                       .advise = rank_rel_advise,
                                       .passes = rank_rel_passes, .narrow = rank_rel_narrow,
                                       .explain = explain,
                                       .logical = rank_rel_logical,
                                       .lower = lower};
