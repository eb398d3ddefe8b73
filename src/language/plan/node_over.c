/* node_over.c - OverAggregate: every row with results of functions over the rows up to it, ordered by time or by a value. Ordered by
 * time (operator `over`) a row goes out once; ordered by a value (`over_sorted`) a row that comes, or goes, changes those behind it. In
 * batch mode rows are sorted, and frames may be any (`over_partition`). */
#include "flow/operator/over.h"
#include "flow/operator/over_partition.h"
#include "flow/operator/over_sorted.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rank_rel.h"

#include <string.h>

static const struct type *order_type(const struct rel *r)
{
    const struct over_body *b = r->body;

    return r->inputs[0]->row->children[b->order[0].col];
}

static bool is_by_time(const struct rel *r)
{
    const struct over_body *b = r->body;

    return b->order_count == 1 && !b->order[0].descending && order_type(r)->time_kind != TIME_NONE;
}

static bool is_rank(const struct over_call *c)
{
    static const char *const names[] = {"row_number", "rank", "dense_rank"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(c->call.function, names[i]) == 0) return true;
    return false;
}

/* ROW_NUMBER alone, in an order that is no time or falls: operator rank tells all places. */
static bool is_numbering(const struct over_body *b, const struct type *in)
{
    bool by_time = b->order_count == 1 && !b->order[0].descending &&
                   in->children[b->order[0].col]->time_kind != TIME_NONE;

    return b->call_count == 1 && strcmp(b->calls[0].call.function, "row_number") == 0 && b->order_count > 0 && !by_time;
}

static bool is_lag(const struct over_call *c) { return strcmp(c->call.function, "lag") == 0; }

/* --- EXPLAIN ----------------------------------------------------------------------------------------------------- */
static void print_call(const struct over_call *c, const struct type *in, struct buf *out)
{
    if (!is_lag(c) && strcmp(c->call.function, "lead") != 0) {
        rel_print_aggregate(&c->call, in, out);
        return;
    }
    buf_printf(out, "%s(%s, %lld%s%s) AS %s", is_lag(c) ? "LAG" : "LEAD", in->names[c->call.argument], (long long)c->offset,
               c->otherwise >= 0 ? ", " : "", c->otherwise >= 0 ? in->names[c->otherwise] : "", c->call.name);
}

/* "2 PRECEDING" */
static void print_bound(int64_t bound, bool is_first, struct buf *out)
{
    if (bound == (is_first ? INT64_MIN : INT64_MAX)) buf_append_text(out, is_first ? "UNBOUNDED PRECEDING" : "UNBOUNDED FOLLOWING");
    else if (bound == 0) buf_append_text(out, "CURRENT ROW");
    else buf_printf(out, "%lld %s", (long long)(bound < 0 ? -bound : bound), bound < 0 ? "PRECEDING" : "FOLLOWING");
}

static bool frames_equal(const struct over_bounds *x, const struct over_bounds *y)
{
    return x->rows == y->rows && x->from == y->from && x->to == y->to;
}

/* "window#0=[SUM(v) AS s ROWS BETWEEN ...], ": calls of one frame together, in the order in which frames come. */
static void print_frames(const struct over_body *b, const struct type *in, struct buf *out)
{
    uint32_t number = 0;

    for (uint32_t i = 0; i < b->call_count; i++) {
        const struct over_bounds *f = &b->calls[i].frame;
        uint32_t k = 0;
        while (!frames_equal(&b->calls[k].frame, f)) k++;
        if (k < i) continue;
        buf_printf(out, "window#%u=[", number++);
        for (; k < b->call_count; k++) {
            if (!frames_equal(&b->calls[k].frame, f)) continue;
            if (k > i) buf_append_text(out, ", ");
            print_call(&b->calls[k], in, out);
        }
        buf_append_text(out, f->rows ? " ROWS BETWEEN " : " RANGE BETWEEN ");
        print_bound(f->from, true, out);
        buf_append_text(out, " AND ");
        print_bound(f->to, false, out);
        buf_append_text(out, "], ");
    }
}

/* The frame that all calls have. */
static void print_frame(const struct over_body *b, struct buf *out)
{
    buf_printf(out, "window=[ %s BETWEEN ", b->rows ? "ROWS" : "RANGE");
    if (b->bounded)
        buf_printf(out, "%lld", (long long)b->preceding);
    else
        buf_append_text(out, "UNBOUNDED");
    buf_append_text(out, " PRECEDING AND CURRENT ROW], ");
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct over_body *b = r->body;
    const struct type *in = r->inputs[0]->row;

    if (b->partition_count > 0) buf_append_text(out, "partitionBy=[");
    for (uint32_t i = 0; i < b->partition_count; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", in->names[b->partition[i]]);
    if (b->partition_count > 0) buf_append_text(out, "], ");
    if (b->order_count > 0) buf_append_text(out, "orderBy=[");
    for (uint32_t i = 0; i < b->order_count; i++)
        buf_printf(out, "%s%s %s", i > 0 ? ", " : "", in->names[b->order[i].col],
                   b->order[i].descending ? "DESC" : "ASC");
    if (b->order_count > 0) buf_append_text(out, "], ");
    if (r->at_end) print_frames(b, in, out);
    else print_frame(b, out);
    buf_append_text(out, "select=[");
    for (uint32_t i = 0; i < in->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", in->names[i]);
    for (uint32_t i = 0; i < b->call_count; i++) {
        buf_append_text(out, ", ");
        print_call(&b->calls[i], in, out);
    }
    buf_append_byte(out, ']');
}

/* What a call of batch mode has beside the usual frame. */
static void print_own_frame(const struct over_bounds *f, struct buf *out)
{
    bool is_whole = f->from == INT64_MIN && f->to == INT64_MAX;

    if (is_whole || (!f->rows && f->from == INT64_MIN && f->to == 0)) return;
    buf_append_text(out, f->rows ? " ROWS " : " RANGE ");
    if (f->to != 0) buf_append_text(out, "BETWEEN ");
    print_bound(f->from, true, out);
    if (f->to != 0) buf_append_text(out, " AND ");
    if (f->to != 0) print_bound(f->to, false, out);
}

/* "SUM($2) OVER (PARTITION BY $1 ORDER BY $0 NULLS FIRST ROWS 10 PRECEDING)" */
static void print_window(const struct rel *r, const struct over_call *c, struct buf *out)
{
    const struct over_body *b = r->body;

    buf_append_text(out, " OVER (");
    for (uint32_t i = 0; i < b->partition_count; i++)
        buf_printf(out, "%s$%u", i > 0 ? ", " : "PARTITION BY ", b->partition[i]);
    for (uint32_t i = 0; i < b->order_count; i++)
        buf_printf(out, "%s$%u%s NULLS %s",
                   i > 0                    ? ", "
                   : b->partition_count > 0 ? " ORDER BY "
                                            : "ORDER BY ",
                   b->order[i].col, b->order[i].descending ? " DESC" : "", b->order[i].nulls_last ? "LAST" : "FIRST");
    if (c->frame.from != c->frame.to)
        print_own_frame(&c->frame, out);
    else if (b->bounded && b->rows)
        buf_printf(out, " ROWS %lld PRECEDING", (long long)b->preceding);
    else if (b->bounded)
        buf_printf(out, " RANGE %lld:INTERVAL SECOND PRECEDING", (long long)b->preceding);
    else if (b->rows && !is_rank(&b->calls[0]))
        buf_append_text(out, " ROWS UNBOUNDED PRECEDING");
    buf_append_text(out, ")]");
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct over_body *b = r->body;
    const struct type *row = r->inputs[0]->row;
    struct buf *out = logical_begin(l, "Project");

    for (uint32_t i = 0; i < row->child_count; i++) buf_printf(out, "%s%s=[$%u]", i > 0 ? ", " : "", row->names[i], i);
    for (uint32_t i = 0; i < b->call_count; i++) {
        const struct over_call *c = &b->calls[i];
        buf_printf(out, ", %s=[", c->call.name);
        for (const char *p = c->call.function; *p != '\0'; p++)
            buf_append_byte(out, *p >= 'a' && *p <= 'z' ? (unsigned char)(*p - 32) : (unsigned char)*p);
        buf_append_text(out, c->call.distinct ? "(DISTINCT " : "(");
        if (c->call.argument >= 0) buf_printf(out, "$%d", c->call.argument);
        if (is_lag(c)) buf_printf(out, ", %lld", (long long)c->offset);
        if (c->otherwise >= 0) buf_printf(out, ", $%d", c->otherwise);
        buf_append_byte(out, ')');
        print_window(r, c, out);
    }
    logical_end(l);
}

/* --- planning ---------------------------------------------------------------------------------------------------- */
/* Columns stay where they are, and with them what is a key, and what says the windows of a row. */
static void derive(struct rel *r, struct arena *a)
{
    const struct rel *in = r->inputs[0];

    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
    r->window = in->window;
    r->modifies = r->at_end || is_by_time(r) ? MODIFIES_NOTHING : MODIFIES_UPDATES | MODIFIES_DELETES;
}

static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true; /* the row that is taken back must be found */
}

static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct over_body *b = r->body;

    (void)input;
    *cols = b->partition;
    return (int)b->partition_count;
}

static enum status check_input(const struct rel *r, struct err *e)
{
    const struct rel *in = r->inputs[0];
    const char *what = in->modifies == MODIFIES_UPDATES   ? "update"
                       : in->modifies == MODIFIES_DELETES ? "delete"
                                                          : "update and delete";

    while (in->input_count == 1 && in->type == &rel_calc_type) in = in->inputs[0];
    err_hint(e, "a window ordered by time takes rows that are only added");
    return err_set(e, E_UNSUPPORTED,
                   "StreamPhysicalOverAggregate doesn't support consuming %s changes which is produced by node %s",
                   what, rel_called(in));
}

/* In the order in which Flink looks. */
const char *rel_over_refused(const struct over_body *b, const struct type *in, const char **hint)
{
    *hint = "order it by one time attribute, ascending: a column of WATERMARK FOR, or one AS PROCTIME()";
    if (is_numbering(b, in)) return NULL;
    if (b->order_count != 1) return "The window can only be ordered by a single time column.";
    if (b->order[0].descending) return "The window can only be ordered in ASCENDING mode.";
    if (b->ends_elsewhere) {
        *hint = "let the frame end at CURRENT ROW; batch mode has others: SET 'execution.runtime-mode' = 'batch'";
        return "OVER RANGE FOLLOWING windows are not supported yet.";
    }
    if (in->children[b->order[0].col]->time_kind != TIME_NONE) return NULL;
    if (b->bounded) return "Non-time attribute sort is not supported for bounded OVER window.";
    for (uint32_t i = 0; i < b->call_count; i++)
        if (is_lag(&b->calls[i])) return "LAG is not supported in a window that is not ordered by time.";
    return NULL;
}

static enum status check(const struct rel *r, struct err *e)
{
    const char *hint, *why = rel_over_refused(r->body, r->inputs[0]->row, &hint);

    if (r->at_end) return S_OK;
    if (is_by_time(r) && r->inputs[0]->modifies != MODIFIES_NOTHING) return check_input(r, e);
    if (why == NULL) return S_OK;
    err_hint(e, "%s", hint);
    return err_set(e, E_UNSUPPORTED, "%s", why);
}

/* By time old rows go; by a value any of them may be needed again. */
static const char *advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    (void)a;
    if (r->at_end || is_by_time(r) || s->ttl_ms > 0 || r->inputs[0]->is_bounded) return NULL;
    return "this window keeps all rows for ever: order it by a time attribute or set 'table.exec.state.ttl'";
}

/* --- lowering ---------------------------------------------------------------------------------------------------- */
/* Aggregates for the operator: places of rows are their number. */
static void lower_calls(const struct rel *r, struct lowering *l, struct group_config *c)
{
    const struct over_body *b = r->body;
    struct aggregate_call *calls = ARENA_ARRAY(l->a, struct aggregate_call, b->call_count + 1);
    struct aggregate_body body = {.calls = calls};

    for (uint32_t i = 0; i < b->call_count; i++) {
        if (is_lag(&b->calls[i])) continue;
        calls[body.call_count] = b->calls[i].call;
        if (is_rank(&b->calls[i])) calls[body.call_count].function = "count";
        body.call_count++;
    }
    lower_aggregate_calls(l, &body, r->inputs[0]->row, c);
}

static void lower_lags(const struct rel *r, struct lowering *l, struct over_config *c)
{
    const struct over_body *b = r->body;
    struct text_list *const lists[] = {&c->lag_values, &c->lag_offsets, &c->lag_defaults, &c->lag_names};
    const struct type *in = r->inputs[0]->row;
    const char **texts[COUNT_OF(lists)];
    uint32_t n = 0;

    for (size_t k = 0; k < COUNT_OF(lists); k++) texts[k] = ARENA_ARRAY(l->a, const char *, b->call_count + 1);
    for (uint32_t i = 0; i < b->call_count; i++) {
        const struct over_call *call = &b->calls[i];
        if (!is_lag(call)) continue;
        texts[0][n] = in->names[call->call.argument];
        texts[1][n] = arena_printf(l->a, "%lld", (long long)call->offset);
        texts[2][n] = call->otherwise >= 0 ? in->names[call->otherwise] : "";
        texts[3][n++] = call->call.name;
    }
    for (size_t k = 0; k < COUNT_OF(lists); k++) *lists[k] = (struct text_list){texts[k], n};
}

static enum status lower_numbering(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node,
                                   struct err *e)
{
    const struct over_body *b = r->body;
    struct rank_body body = {.partition_count = b->partition_count,
                             .order_count = b->order_count,
                             .partition = b->partition,
                             .order = b->order,
                             .first = 1,
                             .last = RANK_UNBOUNDED,
                             .function = "ROW_NUMBER",
                             .number = b->calls[0].call.name};
    struct rel *ranking = rel_rank(l->a, r->inputs[0], &body);

    ranking->wants_before = r->wants_before;
    return rank_rel_lower(ranking, l, inputs, node, e);
}

static enum status lower_sorted(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node)
{
    const struct over_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("over_sorted"), "OverAggregate", (struct graph_here){0});
    struct over_sorted_config *c = n->config;

    lower_calls(r, l, &c->calls);
    c->order = r->inputs[0]->row->names[b->order[0].col];
    c->nulls_last = b->order[0].nulls_last;
    c->rows = b->rows;
    c->calls.emit_before = r->wants_before;
    c->calls.ttl_ms = l->ttl_ms;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

/* As the operator has a bound; "" where there is none. */
static const char *bound_text(struct lowering *l, int64_t bound)
{
    return bound == INT64_MIN || bound == INT64_MAX ? "" : arena_printf(l->a, "%lld", (long long)bound);
}

/* The order without times of the clock, of which a query in batch mode has one. */
static uint32_t order_without_clock(const struct over_body *b, const struct type *in, struct rank_order *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->order_count; i++)
        if (in->children[b->order[i].col]->time_kind != TIME_PROCTIME) out[n++] = b->order[i];
    return n;
}

static enum status lower_partition(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node)
{
    const struct over_body *b = r->body;
    const struct type *in = r->inputs[0]->row;
    struct graph_node *n = graph_add_node(l->graph, op_find("over_partition"), "OverAggregate", (struct graph_here){0});
    struct over_partition_config *c = n->config;
    struct aggregate_call *calls = ARENA_ARRAY(l->a, struct aggregate_call, b->call_count + 1);
    struct text_list *const lists[] = {&c->frames, &c->from, &c->to, &c->offsets, &c->otherwise};
    const char **texts[COUNT_OF(lists)];

    for (size_t k = 0; k < COUNT_OF(lists); k++) {
        texts[k] = ARENA_ARRAY(l->a, const char *, b->call_count + 1);
        *lists[k] = (struct text_list){texts[k], b->call_count};
    }
    for (uint32_t i = 0; i < b->call_count; i++) {
        const struct over_call *call = &b->calls[i];
        calls[i] = call->call;
        texts[0][i] = call->frame.rows ? "rows" : "range";
        texts[1][i] = bound_text(l, call->frame.from);
        texts[2][i] = bound_text(l, call->frame.to);
        texts[3][i] = arena_printf(l->a, "%lld", (long long)call->offset);
        texts[4][i] = call->otherwise >= 0 ? in->names[call->otherwise] : "";
    }
    lower_aggregate_calls(l, &(struct aggregate_body){.call_count = b->call_count, .calls = calls}, in, &c->calls);
    struct rank_order *order = ARENA_ARRAY(l->a, struct rank_order, b->order_count + 1);
    uint32_t orders = order_without_clock(b, in, order);
    c->spill = l->spill;
    lower_order(l, in, order, orders, (struct text_list *const[]){&c->order, &c->directions, &c->nulls});
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    if (r->at_end) return lower_partition(r, l, inputs, node);
    if (is_numbering(r->body, r->inputs[0]->row)) return lower_numbering(r, l, inputs, node, e);
    if (!is_by_time(r)) return lower_sorted(r, l, inputs, node);
    const struct over_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("over"), "OverAggregate", (struct graph_here){0});
    struct over_config *c = n->config;

    (void)e;
    lower_calls(r, l, &c->calls);
    lower_lags(r, l, c);
    if (order_type(r)->time_kind == TIME_ROWTIME) c->time = r->inputs[0]->row->names[b->order[0].col];
    c->rows = b->rows;
    c->bounded = b->bounded;
    c->preceding = b->preceding;
    c->calls.retracts = b->bounded;
    c->calls.ttl_ms = l->ttl_ms;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_over_type = {.name = "OverAggregate",
                                       .doc = "every row with results of functions over the rows up to it",
                                       .ends = true,
                                       .derive = derive,
                                       .wants_before = wants_before,
                                       .distribution = distribution,
                                       .check = check,
                                       .advise = advise,
                                       .passes = over_passes, .narrow = over_narrow,
                                       .explain = explain,
                                       .logical = logical,
                                       .lower = lower};
