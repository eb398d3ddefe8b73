/* node_window_join.c - WindowJoin: a join of two inputs with windows of one kind, on start and end of them, too. Its rows come once, when
 * the window ends. In batch mode such a join is one as others are (batch_join.c). */
#include "language/plan/join_rel.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel_internal.h"

#include "flow/operator/join_window.h"

static bool is_start(const struct rel_window *w, uint32_t col)
{
    return (int)col == w->start || (int)col == w->twins[0];
}
static bool is_end(const struct rel_window *w, uint32_t col) { return (int)col == w->end || (int)col == w->twins[1]; }

static bool same_windows(const struct rel_window *x, const struct rel_window *y)
{
    return x->kind == y->kind && x->size_ms == y->size_ms && x->slide_ms == y->slide_ms &&
           x->offset_ms == y->offset_ms && x->processing_time == y->processing_time &&
           x->time_type->kind == y->time_type->kind;
}

uint32_t window_join_keys(struct rel *const inputs[2], uint32_t *const cols[2], bool *null_safe, uint32_t count)
{
    const struct rel_window *left = inputs[0]->window, *right = inputs[1]->window;
    bool start = false, end = false;
    uint32_t n = 0;

    if (left == NULL || right == NULL || !same_windows(left, right)) return count;
    for (uint32_t i = 0; i < count; i++) {
        start |= is_start(left, cols[0][i]) && is_start(right, cols[1][i]);
        end |= is_end(left, cols[0][i]) && is_end(right, cols[1][i]);
    }
    for (uint32_t i = 0; start && end && i < count; i++) {
        if (is_start(left, cols[0][i]) && is_start(right, cols[1][i])) continue;
        if (is_end(left, cols[0][i]) && is_end(right, cols[1][i])) continue;
        cols[0][n] = cols[0][i];
        cols[1][n] = cols[1][i];
        null_safe[n++] = null_safe[i];
    }
    return start && end ? n : count;
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct join_body *b = r->body;

    for (uint32_t i = 0; i < 2; i++) {
        buf_append_text(out, i == 0 ? "leftWindow=[" : "rightWindow=[");
        rel_print_window(r->inputs[i]->window, r->inputs[i]->row, NULL, out);
        buf_append_text(out, "], ");
    }
    buf_printf(out, "joinType=[%s], where=[", join_explain_name((enum rel_join_kind)b->kind));
    join_explain_where(r, b, b->condition, out);
    buf_append_text(out, "], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

static int moved(int col, uint32_t by) { return col < 0 ? -1 : col + (int)by; }

/* The window's columns: those of a side whose rows are always there; where both are, the other's say the same. */
static void derive_window(struct rel *r, struct arena *a)
{
    const struct join_body *b = r->body;
    uint32_t left = r->inputs[0]->row->child_count;
    struct rel_window *w = ARENA_NEW(a, struct rel_window);
    const struct rel_window *right = r->inputs[1]->window;

    if (b->kind == REL_JOIN_FULL) return;
    r->window = w;
    *w = *r->inputs[b->kind == REL_JOIN_RIGHT]->window;
    if (b->kind == REL_JOIN_RIGHT) {
        int *partition = ARENA_ARRAY(a, int, MAX(w->partition_count, 1u));
        for (uint32_t i = 0; i < w->partition_count; i++) partition[i] = moved(right->partition[i], left);
        w->partition = partition;
        w->start = moved(right->start, left);
        w->end = moved(right->end, left);
        w->time = moved(right->time, left);
    }
    const int twins[] = {right->start, right->end, right->time};
    for (uint32_t i = 0; i < 3; i++) w->twins[i] = b->kind == REL_JOIN_INNER ? moved(twins[i], left) : -1;
}

static void derive(struct rel *r, struct arena *a)
{
    const struct join_body *b = r->body;
    const struct rel *left = r->inputs[0], *right = r->inputs[1];
    bool alone = b->kind == REL_JOIN_SEMI || b->kind == REL_JOIN_ANTI;

    derive_window(r, a);
    for (uint32_t i = 0; i < left->key_count; i++) {
        if (alone) rel_add_key(r, a, left->keys[i].cols, left->keys[i].count);
        for (uint32_t k = 0; !alone && k < right->key_count; k++) {
            uint32_t n = left->keys[i].count, *cols = ARENA_ARRAY(a, uint32_t, n + right->keys[k].count + 1);
            for (uint32_t c = 0; c < n; c++) cols[c] = left->keys[i].cols[c];
            for (uint32_t c = 0; c < right->keys[k].count; c++)
                cols[n + c] = left->row->child_count + right->keys[k].cols[c];
            rel_add_key(r, a, cols, n + right->keys[k].count);
        }
    }
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct window_join_body *b = r->body;

    logical_join(r, &b->all, b->all.condition, l);
}

static enum status check(const struct rel *r, struct err *e)
{
    if (r->inputs[0]->window->processing_time) {
        rel_hint_event_time(e);
        return err_set(e, E_UNSUPPORTED, "Processing time Window Join is not supported yet.");
    }
    return rel_check_appends(r, "StreamPhysicalWindowJoin", rel_hint_appends, e);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct join_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("join_window"), "WindowJoin", (struct graph_here){0});
    struct join_window_config *c = n->config;

    (void)e;
    c->kind = join_operator_name((enum rel_join_kind)b->kind);
    c->names = (struct text_list){b->names, r->inputs[0]->row->child_count + r->inputs[1]->row->child_count};
    c->null_safe = join_null_safe(l, b);
    if (b->condition != NULL) c->condition = lower_exprs(l, (struct expr *const[]){b->condition}, 1);
    c->zone = lower_zone(l);
    c->left_end = r->inputs[0]->row->names[r->inputs[0]->window->end];
    c->right_end = r->inputs[1]->row->names[r->inputs[1]->window->end];
    c->windows_zone = lower_window_zone(l, r->inputs[0]->window);
    *node = l->graph->node_count - 1;
    for (uint32_t i = 0; i < 2; i++) lower_edge(l, r, inputs[i], *node, i);
    return S_OK;
}

const struct rel_type rel_window_join_type = {.name = "WindowJoin",
                                              .doc = "pairs of rows of one window, when it ends",
                                              .derive = derive,
                                              .distribution = join_distribution,
                                              .check = check,
                                              .passes = join_side_passes, .narrow = window_join_narrow,
                                              .explain = explain,
                                              .logical = logical,
                                              .lower = lower};
