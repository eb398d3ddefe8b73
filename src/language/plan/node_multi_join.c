/* node_multi_join.c - MultiJoin: inner and left joins of many inputs by a common key, with nothing kept in between. Its rows, keys and
 * changes are those of the joins of two that it stands for (body's `chain`); its columns are those of all inputs.
 *
 * Rows before updates are asked of all inputs: a row that is taken back is found by its values. Where the joins of two update without
 * deleting, both rows of an update meet the same partners, and the one before is not told when nobody needs it. */
#include "flow/operator/multi_join.h"
#include "ground/base/str.h"
#include "language/plan/multi_join_rel.h"
#include "language/plan/rel_internal.h"

static const struct type *row_of(struct arena *a, struct rel *const *inputs, uint32_t count,
                                 const struct multi_join_body *b)
{
    uint32_t n = 0, columns = 0;

    for (uint32_t i = 0; i < count; i++) columns += inputs[i]->row->child_count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, columns + 1);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < inputs[i]->row->child_count; k++) {
            const struct type *t = inputs[i]->row->children[k];
            if (t->time_kind != TIME_NONE) t = type_with_time(a, t, TIME_NONE);
            types[n++] = b->is_left[i] ? type_with_null(a, t, true) : t;
        }
    return type_row(a, n, b->names, types, false);
}

struct rel *rel_multi_join_node(struct arena *a, struct rel *const *inputs, uint32_t count,
                                const struct multi_join_body *body)
{
    struct rel *r = ARENA_NEW(a, struct rel);
    struct multi_join_body *copy = ARENA_NEW(a, struct multi_join_body);

    *copy = *body;
    *r = (struct rel){.type = &rel_multi_join_type,
                      .row = row_of(a, inputs, count, body),
                      .input_count = count,
                      .inputs = inputs,
                      .body = copy};
    r->is_bounded = true;
    for (uint32_t i = 0; i < count; i++) r->is_bounded &= inputs[i]->is_bounded;
    rel_derive(r, a);
    return r;
}

/* --- keys and changes -------------------------------------------------------------------------------------------- */
static void derive(struct rel *r, struct arena *a)
{
    const struct multi_join_body *b = r->body;

    r->modifies = b->chain->modifies;
    r->is_empty = b->chain->is_empty;
    for (uint32_t i = 0; i < b->chain->key_count; i++) {
        const struct rel_key *key = &b->chain->keys[i];
        uint32_t *cols = ARENA_ARRAY(a, uint32_t, key->count + 1);
        for (uint32_t k = 0; k < key->count; k++) cols[k] = b->cols[key->cols[k]];
        rel_add_key(r, a, cols, key->count);
    }
}

static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true;
}

static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct multi_join_body *b = r->body;

    *cols = b->keys[input];
    return (int)b->key_count;
}

/* By the key of an input that always has a row. */
static bool lies_by(const struct rel *r, const uint32_t *cols, uint32_t count)
{
    const struct multi_join_body *b = r->body;

    if (count != b->key_count) return false;
    for (uint32_t k = 0; k < count; k++) {
        bool found = false;
        for (uint32_t i = 0, first = 0; i < r->input_count && !found; first += r->inputs[i++]->row->child_count)
            found = !b->is_left[i] && cols[k] == first + b->keys[i][k];
        if (!found) return false;
    }
    return true;
}

/* --- EXPLAIN ----------------------------------------------------------------------------------------------------- */
static void print_names(const struct type *row, const uint32_t *cols, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", row->names[cols[i]]);
}

static void print_keys(const struct rel *r, struct buf *out)
{
    for (uint32_t i = 0; i < r->input_count; i++) {
        const struct rel *in = r->inputs[i];
        if (i > 0) buf_append_text(out, ", ");
        if (in->key_count == 0) buf_append_text(out, "noUniqueKey");
        for (uint32_t k = 0; k < in->key_count; k++) {
            buf_append_text(out, k > 0 ? ", (" : "(");
            print_names(in->row, in->keys[k].cols, in->keys[k].count, out);
            buf_append_byte(out, ')');
        }
    }
}

static void print_hints(const struct rel *r, struct buf *out)
{
    const struct multi_join_body *b = r->body;
    bool any = false;

    for (uint32_t i = 0; i < r->input_count; i++) any |= b->ttl[i].text != NULL;
    if (!any) return;
    buf_append_text(out, ", stateTtlHints=[[[STATE_TTL options:[");
    for (uint32_t i = 0; i < r->input_count; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", b->ttl[i].text != NULL ? b->ttl[i].text : "0s");
    buf_append_text(out, "]]]]");
}

/* As Flink's planner names types: without NOT NULL, and the two that have a short name by the long one. */
static void print_type(const struct type *t, struct buf *out)
{
    struct type plain = *t;

    plain.nullable = true;
    if (t->kind == T_VARCHAR && t->precision == INT32_MAX)
        buf_append_text(out, "VARCHAR(2147483647)");
    else if (t->kind == T_VARBINARY && t->precision == INT32_MAX)
        buf_append_text(out, "VARBINARY(2147483647)");
    else if (t->kind == T_INT)
        buf_append_text(out, "INTEGER");
    else
        type_print(&plain, out);
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct multi_join_body *b = r->body;

    buf_append_text(out, "commonJoinKey=[");
    print_names(r->inputs[0]->row, b->keys[0], b->key_count, out);
    buf_append_text(out, "], joinTypes=[");
    for (uint32_t i = 1; i < r->input_count; i++)
        buf_printf(out, "%s%s", i > 1 ? ", " : "", b->is_left[i] ? "LEFT" : "INNER");
    buf_append_text(out, "], inputUniqueKeys=[");
    print_keys(r, out);
    buf_append_byte(out, ']');
    print_hints(r, out);
    buf_append_text(out, ", joinConditions=[");
    for (uint32_t i = 1; i < r->input_count; i++) buf_printf(out, "%s%s", i > 1 ? ", " : "", b->where[i]);
    buf_append_text(out, "], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? "," : "", r->row->names[i]);
    buf_append_text(out, "], rowType=[RecordType(");
    for (uint32_t i = 0; i < r->row->child_count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_type(r->row->children[i], out);
        buf_printf(out, " %s", r->row->names[i]);
    }
    buf_append_text(out, ")]");
}

static const char *advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    const struct multi_join_body *b = r->body;
    bool grows = false;

    for (uint32_t i = 0; i < r->input_count; i++)
        grows |= !r->inputs[i]->is_bounded && (b->ttl[i].text != NULL ? b->ttl[i].ms : s->ttl_ms) == 0;
    return grows ? arena_printf(
                       a,
                       "the join where %s keeps all rows for ever: add an interval bound or set 'table.exec.state.ttl'",
                       b->where[1])
                 : NULL;
}

/* --- lowering ---------------------------------------------------------------------------------------------------- */
static struct text_list list_of(const char **items, uint32_t count) { return (struct text_list){items, count}; }

static void inputs_lower(const struct rel *r, struct lowering *l, struct multi_join_config *c)
{
    const struct multi_join_body *b = r->body;
    uint32_t n = r->input_count, asked = 0;
    const char **kinds = ARENA_ARRAY(l->a, const char *, n), **asks = ARENA_ARRAY(l->a, const char *, n),
               **required = ARENA_ARRAY(l->a, const char *, n), **appends = ARENA_ARRAY(l->a, const char *, n),
               **ttl = ARENA_ARRAY(l->a, const char *, n);
    struct expr **conditions = ARENA_ARRAY(l->a, struct expr *, n);

    for (uint32_t i = 0; i < n; i++) {
        int64_t ms = b->ttl[i].text != NULL ? b->ttl[i].ms : l->ttl_ms;
        kinds[i] = b->is_left[i] ? "left" : "inner";
        asks[i] = b->conditions[i] != NULL ? "true" : "false";
        if (b->conditions[i] != NULL) conditions[asked++] = b->conditions[i];
        required[i] = arena_printf(l->a, "%u", b->required[i]);
        appends[i] = r->inputs[i]->modifies == MODIFIES_NOTHING ? "true" : "false";
        ttl[i] = arena_printf(l->a, "%lld", (long long)ms);
    }
    c->kinds = list_of(kinds, n);
    c->asks = list_of(asks, n);
    c->required = list_of(required, n);
    c->appends = list_of(appends, n);
    c->ttl_ms = list_of(ttl, n);
    if (asked > 0) c->conditions = lower_exprs(l, conditions, asked);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct multi_join_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("multi_join"), "MultiJoin", (struct graph_here){0});
    struct multi_join_config *c = n->config;
    bool updates = (r->modifies & MODIFIES_UPDATES) != 0, deletes = (r->modifies & MODIFIES_DELETES) != 0;

    (void)e;
    c->names = (struct text_list){b->names, r->row->child_count};
    c->zone = lower_zone(l);
    c->emit_before = r->wants_before;
    c->drop_before = updates && !deletes && !r->wants_before;
    inputs_lower(r, l, c);
    *node = l->graph->node_count - 1;
    for (uint32_t i = 0; i < r->input_count; i++) lower_edge(l, r, inputs[i], *node, i);
    return S_OK;
}

const struct rel_type rel_multi_join_type = {.name = "MultiJoin",
                                             .doc = "rows of many inputs by a common key, with nothing kept in between",
                                             .derive = derive,
                                             .wants_before = wants_before,
                                             .distribution = distribution,
                                             .lies_by = lies_by,
                                             .advise = advise,
                                             .explain = explain,
                                             .lower = lower};
