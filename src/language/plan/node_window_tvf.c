/* node_window_tvf.c - WindowTableFunction: TUMBLE, HOP, CUMULATE and SESSION as functions of tables. Each row comes once per window
 * that it lies in. Also: how windows are shown. */
#include "flow/operator/sql_window.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel.h"

/* The greatest unit that leaves nothing over, as Flink shows times. */
static void print_ms(int64_t ms, struct buf *out)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;

    while (ms == 0 ? i + 1 < COUNT_OF(units) : ms % units[i].ms != 0) i++;
    buf_printf(out, "%lld %s", (long long)(ms / units[i].ms), units[i].name);
}

static void print_part(const char *name, int64_t ms, struct buf *out)
{
    buf_printf(out, ", %s=[", name);
    print_ms(ms, out);
    buf_append_byte(out, ']');
}

void rel_print_window(const struct rel_window *w, const struct type *row, const char *rowtime, struct buf *out)
{
    static const char *const names[] = {
        [WINDOW_TUMBLE] = "TUMBLE", [WINDOW_HOP] = "HOP", [WINDOW_CUMULATE] = "CUMULATE", [WINDOW_SESSION] = "SESSION"};

    buf_printf(out, "%s(", names[w->kind]);
    if (rowtime != NULL)
        buf_printf(out, "time_col=[%s]", rowtime);
    else
        buf_printf(out, "win_start=[%s], win_end=[%s]", row->names[w->start], row->names[w->end]);
    if (w->kind == WINDOW_SESSION) {
        print_part("gap", w->size_ms, out);
        for (uint32_t i = 0; i < w->partition_count; i++)
            buf_printf(out, "%s%s", i == 0 ? ", partition keys=[" : ", ", row->names[w->partition[i]]);
        buf_append_text(out, w->partition_count > 0 ? "])" : ")");
        return;
    }
    print_part(w->kind == WINDOW_CUMULATE ? "max_size" : "size", w->size_ms, out);
    if (w->kind != WINDOW_TUMBLE) print_part(w->kind == WINDOW_HOP ? "slide" : "step", w->slide_ms, out);
    if (w->offset_ms != 0) print_part("offset", w->offset_ms, out);
    buf_append_byte(out, ')');
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct window_tvf_body *b = r->body;

    buf_append_text(out, "window=[");
    rel_print_window(&b->window, r->row, r->row->names[b->rowtime], out);
    buf_append_byte(out, ']');
}

/* A row is there once per window: a key of the input, with the window. */
static void derive(struct rel *r, struct arena *a)
{
    const struct rel *in = r->inputs[0];
    const struct window_tvf_body *b = r->body;
    struct rel_window *w = ARENA_NEW(a, struct rel_window);
    int n = (int)in->row->child_count;

    *w = b->window;
    w->start = n;
    w->end = n + 1;
    w->time = n + 2;
    w->twins[0] = w->twins[1] = w->twins[2] = -1;
    r->window = w;
    r->modifies = in->modifies;
    for (uint32_t k = 0; k < in->key_count; k++) {
        uint32_t count = in->keys[k].count, *cols = ARENA_ARRAY(a, uint32_t, count + 2);
        for (uint32_t i = 0; i < count; i++) cols[i] = in->keys[k].cols[i];
        cols[count] = (uint32_t)n;
        cols[count + 1] = (uint32_t)n + 1;
        rel_add_key(r, a, cols, count + 2);
    }
}

/* Rows of one session are where those of its key are. */
static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct window_tvf_body *b = r->body;

    (void)input;
    if (b->window.kind != WINDOW_SESSION) return -1;
    *cols = (const uint32_t *)b->window.partition; /* none is negative here */
    return (int)b->window.partition_count;
}

static enum status check(const struct rel *r, struct err *e)
{
    const struct window_tvf_body *b = r->body;

    if (b->window.kind != WINDOW_SESSION || r->inputs[0]->modifies == MODIFIES_NOTHING) return S_OK;
    err_hint(e, "aggregate the sessions: GROUP BY the keys of PARTITION BY, window_start and window_end");
    return err_set(e, E_UNSUPPORTED, "SESSION of rows that are updated or deleted is not supported yet without an aggregation");
}

/* An update may move a row into another window. */
static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true;
}

const char *lower_window_zone(struct lowering *l, const struct rel_window *w)
{
    const char *zone = w->time_type->kind == T_TIMESTAMP_LTZ ? lower_zone(l) : NULL;

    return zone != NULL ? zone : "";
}

static uint32_t lower_session_tvf(struct lowering *l, const struct rel_window *w, const struct type *in, uint32_t rowtime,
                                  const char *const *bounds, uint32_t input)
{
    struct graph_node *n = graph_add_node(l->graph, op_find("session_tvf"), "WindowTableFunction", (struct graph_here){0});
    const char **names = ARENA_ARRAY(l->a, const char *, MAX(w->partition_count, 1u));

    *(struct session_tvf_config *)n->config = (struct session_tvf_config){
        .time = in->names[rowtime], .gap_ms = w->size_ms, .processing_time = w->processing_time, .zone = lower_window_zone(l, w),
        .bounds = {bounds, bounds != NULL ? 3 : 0}};
    if (l->is_batch) ((struct session_tvf_config *)n->config)->spill = l->spill_groups;
    for (uint32_t i = 0; i < w->partition_count; i++) names[i] = in->names[w->partition[i]];
    lower_hash_edge(l, input, l->graph->node_count - 1, names, w->partition_count);
    return l->graph->node_count - 1;
}

uint32_t lower_window_tvf(struct lowering *l, const struct rel_window *w, const struct type *in, uint32_t rowtime, const char *const *bounds,
                          uint32_t input)
{
    if (w->kind == WINDOW_SESSION) return lower_session_tvf(l, w, in, rowtime, bounds, input);
    struct graph_node *n = graph_add_node(l->graph, op_find("window_tvf"), "WindowTableFunction",
                                          (struct graph_here){0});
    struct window_tvf_config *c = n->config;

    *c = (struct window_tvf_config){.time_field = in->names[rowtime],
                                    .kind = w->kind,
                                    .size_ms = w->size_ms,
                                    .slide_ms = w->slide_ms,
                                    .offset_ms = w->offset_ms,
                                    .processing_time = w->processing_time,
                                    .zone = lower_window_zone(l, w),
                                    .bounds = {bounds, bounds != NULL ? 3 : 0}};
    graph_add_edge(l->graph, input, l->graph->node_count - 1, 0, (struct graph_here){0});
    return l->graph->node_count - 1;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct window_tvf_body *b = r->body;

    (void)e;
    *node = lower_window_tvf(l, &b->window, r->inputs[0]->row, b->rowtime, NULL, inputs[0]);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct window_tvf_body *b = r->body;
    struct buf *out = logical_begin(l, "TableFunctionScan");

    buf_append_text(out, "invocation=[");
    rel_print_window(&b->window, r->row, r->row->names[b->rowtime], out);
    buf_append_byte(out, ']');
    logical_end(l);
}

const struct rel_type rel_window_tvf_type = {.name = "WindowTableFunction", .passes_changes = true,
                                             .doc = "rows once per window that they lie in",
                                             .derive = derive,
                                             .wants_before = wants_before,
                                             .distribution = distribution,
                                             .check = check,
                                             .passes = window_tvf_passes, .narrow = window_tvf_narrow,
                                             .explain = explain,
                                             .logical = logical, .lower = lower};
