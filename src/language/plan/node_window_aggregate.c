/* node_window_aggregate.c - WindowAggregate: aggregates of groups and windows. A window's rows come out once, when it ends, and are
 * never changed. In batch mode windows that do not overlap, and calls that cannot be merged, are groups by key and end (hash_aggregate);
 * others share slices as in a stream, and rows beyond memory come in the order of their times.
 *
 * Windows are decided by a time attribute, or by columns that some node below filled (a window of a window). */
#include "flow/operator/group_fold.h"
#include "flow/operator/hash_aggregate.h"
#include "flow/operator/sql_window.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/window_rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    static const char *const properties[] = {"start", "end", "rowtime"};
    const struct window_aggregate_body *b = r->body;
    const struct aggregate_body *g = &b->groups;
    const struct type *in = r->inputs[0]->row;
    uint32_t results = g->key_count + g->call_count;

    if (g->key_count > 0) buf_append_text(out, "groupBy=[");
    for (uint32_t i = 0; i < g->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_text(out, g->key_count > 0 ? "], window=[" : "window=[");
    rel_print_window(&b->window, in, b->rowtime >= 0 ? in->names[b->rowtime] : NULL, out);
    buf_append_text(out, "], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        if (i < g->key_count)
            buf_append_text(out, r->row->names[i]);
        else if (i < results)
            rel_print_aggregate(&g->calls[i - g->key_count], in, out);
        else
            buf_printf(out, "%s('w$) AS %s",
                       b->window.processing_time && i == results + 2 ? "proctime" : properties[i - results],
                       r->row->names[i]);
    }
    buf_append_byte(out, ']');
}

/* The keys of sessions are keys of the groups, and so come first. */
static void keep_partition(const struct rel *r, struct arena *a, struct rel_window *w)
{
    const struct window_aggregate_body *b = r->body;
    int *partition = ARENA_ARRAY(a, int, MAX(w->partition_count, 1u));

    for (uint32_t i = 0; i < w->partition_count; i++) {
        partition[i] = -1;
        for (uint32_t k = 0; k < b->groups.key_count; k++)
            if ((int)b->groups.keys[k] == w->partition[i]) partition[i] = (int)k;
    }
    w->partition = partition;
}

void window_aggregate_keys(struct rel *r, struct arena *a)
{
    const struct window_aggregate_body *b = r->body;
    uint32_t keys = b->groups.key_count, *cols = ARENA_ARRAY(a, uint32_t, keys + 2);

    for (uint32_t i = 0; i < keys; i++) cols[i] = i;
    cols[keys] = keys + b->groups.call_count;
    cols[keys + 1] = cols[keys] + 1;
    rel_add_key(r, a, cols, keys + 2);
}

static void derive(struct rel *r, struct arena *a)
{
    const struct window_aggregate_body *b = r->body;
    struct rel_window *w = ARENA_NEW(a, struct rel_window);
    int first = (int)(b->groups.key_count + b->groups.call_count);

    *w = b->window;
    w->start = first;
    w->end = first + 1;
    w->time = first + 2;
    w->twins[0] = w->twins[1] = w->twins[2] = -1;
    r->window = w;
    keep_partition(r, a, w);
    window_aggregate_keys(r, a);
}

bool window_aggregate_wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true;
}

int window_aggregate_distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct window_aggregate_body *b = r->body;

    (void)input;
    *cols = b->groups.keys;
    return (int)b->groups.key_count;
}

enum status rel_check_window(const struct rel_window *w, struct err *e)
{
    if (w->kind != WINDOW_HOP || w->size_ms % w->slide_ms == 0) return S_OK;
    err_hint(e, "let the size be a multiple of the slide: the next one is %lld ms",
             (long long)((w->size_ms + w->slide_ms - 1) / w->slide_ms * w->slide_ms));
    return err_set(
        e, E_UNSUPPORTED,
        "HOP table function based aggregate requires size must be an integral multiple of slide, but got size %lld ms "
        "and slide %lld ms",
        (long long)w->size_ms, (long long)w->slide_ms);
}

static enum status check(const struct rel *r, struct err *e)
{
    return rel_check_window(&((const struct window_aggregate_body *)r->body)->window, e);
}

/* Are all rows of a window there when the input has ended, and not before? */
static bool ends_with_input(const struct lowering *l, const struct window_aggregate_body *b)
{
    return l->is_batch && !b->window.processing_time;
}

/* Windows that overlap share slices, unless a call cannot be put together from them: then rows come once per window. */
static enum status shares_slices(struct lowering *l, const struct window_aggregate_body *b, const struct type *in,
                                 const struct group_config *c, bool *shares, struct err *e)
{
    const struct op_plan p = {.arena = l->a, .users = l->session->users, .inputs = {in}, .input_count = 1};
    struct group_call *calls;

    *shares = b->window.kind != WINDOW_TUMBLE || !ends_with_input(l, b);
    if (b->window.kind == WINDOW_TUMBLE) return S_OK;
    TRY(group_calls_read(l->a, &p, c, &calls, e));
    *shares = group_fold_merges(calls, c->functions.count);
    if (b->window.kind == WINDOW_SESSION && group_calls_hold(calls, c->functions.count)) *shares = false;
    return S_OK;
}

/* Sessions found while rows are aggregated. */
static uint32_t lower_sessions(struct lowering *l, const struct window_groups_config *w, const char *time)
{
    struct graph_node *n = graph_add_node(l->graph, op_find("session_groups"), "WindowAggregate", (struct graph_here){0});

    *(struct session_groups_config *)n->config = (struct session_groups_config){.calls = w->calls,
                                                                                .time = time,
                                                                                .gap_ms = w->size_ms,
                                                                                .processing_time = w->processing_time,
                                                                                .local_time = w->local_time,
                                                                                .zone = w->zone,
                                                                                .bounds = w->bounds,
                                                                                .spill = w->spill};
    return l->graph->node_count - 1;
}

static struct text_list with_one_more(struct arena *a, struct text_list list, const char *text)
{
    const char **items = ARENA_ARRAY(a, const char *, list.count + 1);

    for (uint32_t i = 0; i < list.count; i++) items[i] = list.items[i];
    items[list.count] = text;
    return (struct text_list){items, list.count + 1};
}

/* A window's end says where it starts, but for sessions: these have one start for a key and an end, which the rows say. */
static void add_start_call(struct lowering *l, struct window_groups_config *w, const char *start)
{
    struct group_config *c = &w->calls;

    c->functions = with_one_more(l->a, c->functions, "min");
    c->arguments = with_one_more(l->a, c->arguments, start);
    c->names = with_one_more(l->a, c->names, "$first");
    c->distinct = with_one_more(l->a, c->distinct, "false");
    c->filters = with_one_more(l->a, c->filters, "");
    c->parameters = with_one_more(l->a, c->parameters, "");
    w->kind = SQL_TUMBLE;
}

/* The columns of the node out of those that the operator has with the start as a call behind the others. */
static uint32_t lower_start(struct lowering *l, const struct rel *r, const struct type *start, uint32_t input)
{
    const struct window_aggregate_body *b = r->body;
    uint32_t n = r->row->child_count, first = b->groups.key_count + b->groups.call_count;
    const struct type **types = ARENA_ARRAY(l->a, const struct type *, n + 1);
    const char **names = ARENA_ARRAY(l->a, const char *, n + 1);
    struct expr **columns = ARENA_ARRAY(l->a, struct expr *, n);
    struct expr_maker m = {.a = l->a, .session = l->session};

    for (uint32_t i = 0; i <= n; i++) {
        types[i] = i == first ? start : r->row->children[i - (i > first)];
        names[i] = i == first ? "$first" : r->row->names[i - (i > first)];
    }
    const struct type *row = type_row(l->a, n + 1, names, types, false);
    for (uint32_t i = 0; i < n; i++) columns[i] = expr_column(&m, row, i <= first ? i : i + 1);
    struct calc_body c = {.count = n, .columns = columns};
    return lower_calc(l, &c, r->row->names, input);
}

static const char *const plain_bounds[] = {"$start", "$end", "$time"}; /* no column of SQL is called that */

static const char **key_names(struct lowering *l, const struct aggregate_body *g, const struct type *in, const char *end)
{
    const char **names = ARENA_ARRAY(l->a, const char *, g->key_count + 1);

    for (uint32_t i = 0; i < g->key_count; i++) names[i] = in->names[g->keys[i]];
    names[g->key_count] = end;
    return names;
}

/* In batch mode a window is a part of the group's key: by its end, of which the columns are made behind. */
static uint32_t lower_hashed(struct lowering *l, const struct rel *r, const struct window_groups_config *w, uint32_t input)
{
    const struct aggregate_body *g = &((const struct window_aggregate_body *)r->body)->groups;
    struct hash_aggregate_config *c = graph_add_node(l->graph, op_find("hash_aggregate"), r->type->name, (struct graph_here){0})->config;
    uint32_t node = l->graph->node_count - 1;

    c->calls = w->calls;
    c->spill = l->spill_groups;
    lower_hash_edge(l, input, node, key_names(l, g, r->inputs[0]->row, w->end), g->key_count + 1);
    *(struct window_bounds_config *)graph_add_node(l->graph, op_find("window_bounds"), "WindowBounds", (struct graph_here){0})->config =
        (struct window_bounds_config){.end = w->end,
                                      .start = w->calls.names.count > g->call_count ? "$first" : "",
                                      .kind = w->kind,
                                      .size_ms = w->size_ms,
                                      .offset_ms = w->offset_ms,
                                      .local_time = w->local_time,
                                      .zone = w->zone,
                                      .bounds = w->bounds};
    graph_add_edge(l->graph, node, l->graph->node_count - 1, 0, (struct graph_here){0});
    return l->graph->node_count - 1;
}

/* Rows come once per window already, or do so from here on: `end` says which one it is. */
static uint32_t lower_ends(struct lowering *l, const struct rel *r, struct window_groups_config *c, uint32_t input)
{
    const struct window_aggregate_body *b = r->body;
    const struct type *in = r->inputs[0]->row;
    bool is_session = b->window.kind == WINDOW_SESSION, is_attached = b->rowtime < 0;

    if (!is_attached) input = lower_window_tvf(l, &b->window, in, (uint32_t)b->rowtime, plain_bounds, input);
    if (is_session) add_start_call(l, c, is_attached ? in->names[b->window.start] : plain_bounds[0]);
    c->end = is_attached ? in->names[b->window.end] : plain_bounds[1];
    if (ends_with_input(l, b)) return lower_hashed(l, r, c, input);
    struct graph_node *n = graph_add_node(l->graph, op_find("window_groups"), "WindowAggregate", (struct graph_here){0});
    *(struct window_groups_config *)n->config = *c;
    uint32_t node = l->graph->node_count - 1;
    lower_edge(l, r, input, node, 0);
    return is_session ? lower_start(l, r, type_new(l->a, T_TIMESTAMP, 3, 0, true), node) : node;
}

struct window_groups_config window_aggregate_config(const struct rel *r, struct lowering *l)
{
    const struct window_aggregate_body *b = r->body;
    const struct type *in = r->inputs[0]->row;
    struct window_groups_config c = {.kind = b->window.kind,
                                     .size_ms = b->window.size_ms,
                                     .slide_ms = b->window.slide_ms,
                                     .offset_ms = b->window.offset_ms,
                                     .processing_time = b->window.processing_time,
                                     .local_time = b->window.time_type->kind == T_TIMESTAMP_LTZ,
                                     .time = b->rowtime >= 0 && !b->window.processing_time ? in->names[b->rowtime] : "",
                                     .end = "",
                                     .zone = lower_window_zone(l, &b->window),
                                     .bounds = {r->row->names + b->groups.key_count + b->groups.call_count, 3}};

    lower_aggregate_calls(l, &b->groups, in, &c.calls);
    c.calls.retracts = r->inputs[0]->modifies != MODIFIES_NOTHING;
    if (ends_with_input(l, b)) c.spill = l->spill_groups;
    return c;
}

enum status window_aggregate_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct window_aggregate_body *b = r->body;
    const struct type *in = r->inputs[0]->row;
    struct window_groups_config config = window_aggregate_config(r, l);
    bool shares = false;

    if (b->rowtime >= 0) TRY(shares_slices(l, b, in, &config.calls, &shares, e));
    if (!shares) {
        *node = lower_ends(l, r, &config, inputs[0]);
        return S_OK;
    }
    if (b->window.kind == WINDOW_SESSION) *node = lower_sessions(l, &config, config.time);
    else {
        struct graph_node *n = graph_add_node(l->graph, op_find("window_groups"), "WindowAggregate", (struct graph_here){0});
        *(struct window_groups_config *)n->config = config;
        *node = l->graph->node_count - 1;
    }
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct window_aggregate_body *b = r->body;
    uint32_t n = r->inputs[0]->row->child_count;
    int bounds[] = {b->rowtime >= 0 ? (int)n : b->window.start, b->rowtime >= 0 ? (int)n + 1 : b->window.end};

    logical_aggregate(r, &b->groups, bounds, 2, l);
    if (b->rowtime < 0) return;
    struct buf *out = logical_begin(l, "TableFunctionScan");
    buf_append_text(out, "invocation=[");
    rel_print_window(&b->window, r->inputs[0]->row, r->inputs[0]->row->names[b->rowtime], out);
    buf_append_byte(out, ']');
    logical_end(l);
}

const struct rel_type rel_window_aggregate_type = {
    .name = "WindowAggregate",
    .doc = "aggregates of groups and windows, once each, when the window ends",
    .derive = derive,
    .wants_before = window_aggregate_wants_before,
    .distribution = window_aggregate_distribution,
    .check = check,
    .passes = window_aggregate_passes,
    .explain = explain,
    .logical = logical,
    .lower = window_aggregate_lower};
