/* node_calc.c - Calc: filter and projection in one operator. */
#include "flow/operator/calc.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel_internal.h"

#include <string.h>

void calc_explain(const struct rel *r, struct buf *out)
{
    const struct calc_body *c = r->body;
    const struct type *in = r->inputs[0]->row;

    buf_append_text(out, "select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        bool plain = c->count == 0 || (c->columns[i]->kind == EXPR_COLUMN &&
                                       str_equal(str_of(in->names[c->columns[i]->col]), str_of(r->row->names[i])));
        if (!plain) {
            expr_print(c->columns[i], in, out);
            buf_append_text(out, " AS ");
        }
        buf_append_text(out, r->row->names[i]);
    }
    buf_append_byte(out, ']');
    if (c->condition == NULL) return;
    buf_append_text(out, ", where=[");
    expr_print(c->condition, in, out);
    buf_append_byte(out, ']');
}

/* --- changelog --------------------------------------------------------------------------------------------------- */
/* Does the expression tell apart whatever the column tells apart? The column itself, and injective functions of it. */
static bool keeps_apart(const struct expr *x, uint32_t col)
{
    if (x->kind == EXPR_COLUMN) return x->col == col;
    if (x->kind != EXPR_CALL || x->count == 0 || (x->call->def->flags & FN_INJECTIVE) == 0) return false;
    for (uint32_t i = 1; i < x->count; i++)
        if (x->args[i]->kind != EXPR_CONSTANT) return false;
    return keeps_apart(x->args[0], col);
}

/* The output column that stands for column `col` of the input, or -1. */
static int output_of(const struct calc_body *c, uint32_t col)
{
    if (c->count == 0) return (int)col;
    for (uint32_t i = 0; i < c->count; i++)
        if (keeps_apart(c->columns[i], col)) return (int)i;
    return -1;
}

bool calc_lies_by(const struct rel *r, const uint32_t *cols, uint32_t count)
{
    const struct calc_body *c = r->body;
    uint32_t below[TYPE_FIELDS_MAX];

    for (uint32_t i = 0; i < count; i++) {
        if (c->count > 0 && c->columns[cols[i]]->kind != EXPR_COLUMN) return false;
        below[i] = c->count > 0 ? c->columns[cols[i]]->col : cols[i];
    }
    return rel_lies_by(r->inputs[0], below, count);
}

static void keep_key(struct rel *r, struct arena *a, const struct rel_key *k)
{
    uint32_t *cols = ARENA_ARRAY(a, uint32_t, k->count + 1);

    for (uint32_t i = 0; i < k->count; i++) {
        int col = output_of(r->body, k->cols[i]);
        if (col < 0) return;
        cols[i] = (uint32_t)col;
    }
    rel_add_key(r, a, cols, k->count);
}

/* The output column that is column `col` of the input, or -1. */
static int same_column(const struct calc_body *c, int col)
{
    if (c->count == 0 || col < 0) return col;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->columns[i]->kind == EXPR_COLUMN && c->columns[i]->col == (uint32_t)col) return (int)i;
    return -1;
}

/* A window's columns under their new numbers; a window of which nothing is left is none. */
static void keep_window(struct rel *r, struct arena *a)
{
    const struct rel_window *below = r->inputs[0]->window;
    struct rel_window *w = ARENA_NEW(a, struct rel_window);
    int *partition = ARENA_ARRAY(a, int, MAX(below->partition_count, 1u));

    *w = *below;
    int *const cols[] = {&w->start, &w->end, &w->time};
    for (size_t i = 0; i < COUNT_OF(cols); i++) {
        *cols[i] = same_column(r->body, *cols[i]);
        w->twins[i] = same_column(r->body, w->twins[i]);
        if (*cols[i] >= 0) continue;
        *cols[i] = w->twins[i];
        w->twins[i] = -1;
    }
    for (uint32_t i = 0; i < w->partition_count; i++) partition[i] = same_column(r->body, below->partition[i]);
    w->partition = partition;
    if (w->start >= 0 || w->end >= 0 || w->time >= 0) r->window = w;
}

static const uint8_t *keep_monotone(const struct calc_body *c, const struct rel *in, struct arena *a)
{
    uint8_t *out = ARENA_ARRAY(a, uint8_t, c->count + 1);

    if (c->count == 0) return in->monotone;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct expr *x = c->columns[i];
        out[i] = x->kind == EXPR_COLUMN ? in->monotone[x->col] : x->kind == EXPR_CONSTANT ? MONOTONE_CONSTANT : MONOTONE_NOT;
    }
    return out;
}

/* Where a condition drops the row after an update, the one before takes it back: as Flink's, such a -U is not called a delete. */
void calc_derive(struct rel *r, struct arena *a)
{
    const struct rel *in = r->inputs[0];
    const struct calc_body *c = r->body;

    r->modifies = in->modifies;
    r->is_empty = in->is_empty || rel_condition_fails(c->condition);
    if (in->monotone != NULL) r->monotone = keep_monotone(c, in, a);
    for (uint32_t k = 0; k < in->key_count; k++) keep_key(r, a, &in->keys[k]);
    if (in->window != NULL) keep_window(r, a);
}

/* Does the condition, if there is one, read nothing but a key? */
static bool is_of_key(const struct rel *r)
{
    const struct calc_body *c = r->body;
    uint64_t read[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    if (c->condition == NULL) return true;
    expr_columns(c->condition, read);
    for (uint32_t k = 0; k < r->inputs[0]->key_count; k++) {
        const struct rel_key *key = &r->inputs[0]->keys[k];
        uint64_t rest[COUNT_OF(read)], any = 0;
        memcpy(rest, read, sizeof rest);
        for (uint32_t i = 0; i < key->count; i++) bit_clear(rest, key->cols[i]);
        for (size_t w = 0; w < COUNT_OF(rest); w++) any |= rest[w];
        if (any == 0) return true;
    }
    return false;
}

/* A row that the condition drops after an update must be taken back; only where it reads nothing but a key do both rows of an update
 * share its answer. */
bool calc_wants_before(const struct rel *r, uint32_t input)
{
    (void)input;
    return r->wants_before || !is_of_key(r);
}

bool calc_takes_keys(const struct rel *r, uint32_t input)
{
    (void)input;
    return !r->wants_rows && is_of_key(r);
}

/* --- advice ------------------------------------------------------------------------------------------------------ */
/* The call that makes the expression another one each time it is evaluated; NULL: none does. */
static const char *changing_call(const struct expr *x)
{
    if (x->det < FN_PER_ROW) return NULL;
    for (uint32_t i = 0; i < x->count; i++) {
        const char *inner = changing_call(x->args[i]);
        if (inner != NULL) return inner;
    }
    return x->kind == EXPR_CALL ? x->call->def->name : NULL;
}

static const char *condition_advice(const struct expr *condition, const char *call, struct arena *a)
{
    struct buf text;

    buf_init(&text, a->mem);
    expr_print_digest(condition, &text);
    const char *out = arena_printf(a, "There exists non deterministic function: '%s' in condition: '%s' which may cause wrong result in update "
                                      "pipeline.", call, buf_text(&text));
    buf_release(&text);
    return out;
}

/* Flink's words. The rows of an update must be the same when one takes the other back. */
const char *calc_advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    const struct calc_body *c = r->body;
    const char *column = NULL, *call = c->condition != NULL ? changing_call(c->condition) : NULL;

    (void)s;
    if (r->inputs[0]->modifies == MODIFIES_NOTHING || !(r->wants_before || r->key_count == 0)) return NULL;
    if (call != NULL) return condition_advice(c->condition, call, a);
    for (uint32_t i = 0; i < c->count && call == NULL; i++) {
        call = changing_call(c->columns[i]);
        column = r->row->names[i];
    }
    if (call == NULL) return NULL;
    return arena_printf(a, "The column(s): %s(generated by non-deterministic function: %s ) can not satisfy the determinism requirement for "
                           "correctly processing update message('UB'/'UA'/'D' in changelogMode, not 'I' only), this usually happens when "
                           "input node has no upsertKey(upsertKeys=[{}]) or current node outputs non-deterministic update messages. "
                           "Please consider removing these non-deterministic columns or making them deterministic by using "
                           "deterministic functions.", column, call);
}

/* --- lowering ---------------------------------------------------------------------------------------------------- */
struct str lower_exprs(struct lowering *l, struct expr *const *list, uint32_t count)
{
    struct buf out;

    buf_init(&out, l->a->mem);
    for (uint32_t i = 0; i < count; i++) {
        expr_encode(list[i], &out);
        l->graph->nodes[l->graph->node_count - 1]->is_random |= list[i]->det >= FN_PER_ROW;
    }
    struct str s = {arena_strndup(l->a, out.size > 0 ? out.data : "", out.size), out.size};
    buf_release(&out);
    return s;
}

const char *lower_zone(struct lowering *l)
{
    if (l->session == NULL || l->session->zone.size == 0) return NULL;
    return arena_strndup(l->a, l->session->zone.data, l->session->zone.size);
}

uint32_t lower_calc(struct lowering *l, const struct calc_body *c, const char *const *names, uint32_t input)
{
    struct graph_node *n = graph_add_node(l->graph, op_find("calc"), "Calc", (struct graph_here){0});
    struct calc_config *config = n->config;
    uint32_t node = l->graph->node_count - 1;

    if (c->condition != NULL) config->condition = lower_exprs(l, (struct expr *[]){c->condition}, 1);
    if (c->count > 0) {
        config->columns = lower_exprs(l, c->columns, c->count);
        config->names = (struct text_list){names, c->count};
    }
    config->zone = lower_zone(l);
    graph_add_edge(l->graph, input, node, 0, (struct graph_here){0});
    return node;
}

/* The Calc that picks the columns of a scan is the last node: it goes, and this one reads the source. */
static struct calc_body over_source(struct lowering *l, const struct calc_body *c, struct expr **columns, uint32_t count, uint32_t *input)
{
    struct calc_body out = {.count = c->count > 0 ? c->count : count, .columns = columns};
    struct expr **own = ARENA_ARRAY(l->a, struct expr *, c->count + 1);

    ASSERT(*input == l->graph->node_count - 1);
    l->graph->node_count--;
    *input = l->graph->edges[--l->graph->edge_count]->from;
    for (uint32_t i = 0; i < c->count; i++) own[i] = expr_substitute(l->a, c->columns[i], columns);
    if (c->count > 0) out.columns = own;
    if (c->condition != NULL) out.condition = expr_substitute(l->a, c->condition, columns);
    return out;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    struct expr **columns = scan_columns(r->inputs[0], l->a);
    struct calc_body body = *(const struct calc_body *)r->body;
    uint32_t input = inputs[0];

    (void)e;
    if (columns != NULL) body = over_source(l, &body, columns, r->inputs[0]->row->child_count, &input);
    *node = lower_calc(l, &body, r->row->names, input);
    return S_OK;
}

/* All columns as they are. */
static bool only_renames(const struct rel *r)
{
    const struct calc_body *c = r->body;
    bool same = c->condition == NULL && c->count == r->inputs[0]->row->child_count;

    for (uint32_t i = 0; i < c->count; i++) same = same && c->columns[i]->kind == EXPR_COLUMN && c->columns[i]->col == i;
    return same;
}

void calc_logical(const struct rel *r, struct logical *l)
{
    const struct calc_body *c = r->body;
    const char *const *names = l->names != NULL ? l->names : r->row->names;
    struct buf *out;

    if (only_renames(r)) {
        l->names = names;
        return;
    }
    if (c->count > 0) {
        out = logical_begin(l, "Project");
        for (uint32_t i = 0; i < c->count; i++) {
            buf_printf(out, "%s%s=[", i > 0 ? ", " : "", names[i]);
            expr_print_digest(c->columns[i], out);
            buf_append_byte(out, ']');
        }
        logical_end(l);
    }
    if (c->condition == NULL) return;
    out = logical_begin(l, "Filter");
    buf_append_text(out, "condition=[");
    expr_print_digest(c->condition, out);
    buf_append_byte(out, ']');
    logical_end(l);
}

const struct rel_type rel_calc_type = {.name = "Calc", .passes_changes = true,
                                       .doc = "rows for which a condition is true, and columns computed from them",
                                       .derive = calc_derive,
                                       .wants_before = calc_wants_before,
                                       .takes_keys = calc_takes_keys,
                                       .lies_by = calc_lies_by,
                                       .advise = calc_advise,
                                       .narrow = calc_narrow,
                                       .explain = calc_explain,
                                       .logical = calc_logical, .lower = lower};
