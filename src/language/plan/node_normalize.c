/* node_normalize.c - ChangelogNormalize: on a source of upserts, and with table.exec.source.cdc-events-duplicate on any source of
 * changes with a primary key. It knows each key's row, so it can give -U and whole rows of what is deleted, and leaves out what comes
 * twice. Where nobody needs that rel_plan takes it out (normalize_is_needed), by Flink's rules.
 *
 * Conditions on the key go below: all rows of a key share their answer. Others the node asks itself, so that it keeps no row for which
 * they are not true; unless several nodes read the same rows, which are one then and keep one state. */
#include "flow/connector/connector.h"
#include "flow/operator/normalize_config.h"
#include "ground/base/str.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"
#include "language/plan/stream_rel.h"

uint8_t table_changes(const struct table *t)
{
    const char *name = table_option(t, "connector");
    const struct conn_type *conn;

    if (t->stream != NULL) return t->stream->changes;
    return name != NULL && conn_find(name, &conn, NULL) == S_OK ? conn_changes(conn, &t->options) : CHANGES_NONE;
}

void source_derive(struct rel *r, uint8_t changes)
{
    r->modifies = MODIFIES_NOTHING;
    if ((changes & CHANGES_AFTER) != 0) r->modifies |= MODIFIES_UPDATES;
    if ((changes & CHANGES_DELETE) != 0) r->modifies |= MODIFIES_DELETES;
    r->hands_before = (changes & CHANGES_BEFORE) != 0;
    r->deletes_by_key = (changes & CHANGES_DELETE_BY_KEY) != 0;
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct normalize_body *b = r->body;

    buf_append_text(out, "key=[");
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[b->keys[i]]);
    buf_append_byte(out, ']');
    if (b->filter == NULL) return;
    buf_append_text(out, ", condition=[");
    expr_print(b->filter, r->row, out);
    buf_append_byte(out, ']');
}

/* --- changelog --------------------------------------------------------------------------------------------------- */
static void derive(struct rel *r, struct arena *a)
{
    const struct normalize_body *b = r->body;

    r->modifies = MODIFIES_UPDATES | MODIFIES_DELETES;
    r->is_empty = rel_condition_fails(b->filter);
    rel_add_key(r, a, b->keys, b->key_count);
}

static bool needs_nothing(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return false;
}

static bool takes_keys(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true;
}

static const struct rel *source_below(const struct rel *r)
{
    while (r->input_count > 0) r = r->inputs[0];
    return r;
}

/* What a connector knows of a row beside its record it may not know when the row goes. */
bool normalize_is_needed(const struct rel *r)
{
    const struct normalize_body *b = r->body;

    return b->filter != NULL || r->wants_before || b->may_repeat || scan_reads_metadata(source_below(r)) ||
           (r->wants_rows && r->inputs[0]->deletes_by_key);
}

static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct normalize_body *b = r->body;

    (void)input;
    *cols = b->keys;
    return (int)b->key_count;
}

static bool lies_by(const struct rel *r, const uint32_t *cols, uint32_t count)
{
    const struct normalize_body *b = r->body;

    for (uint32_t i = 0; i < count; i++)
        if (count != b->key_count || cols[i] != b->keys[i]) return false;
    return true;
}

/* --- rewrites ---------------------------------------------------------------------------------------------------- */
static bool is_key(const struct normalize_body *b, uint32_t col)
{
    for (uint32_t i = 0; i < b->key_count; i++)
        if (b->keys[i] == col) return true;
    return false;
}

static int passes(const struct rel *r, uint32_t input, uint32_t col)
{
    (void)input;
    return is_key(r->body, col) ? (int)col : -1;
}

static bool reads_keys(const struct rel *r, const struct expr *x)
{
    uint64_t read[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    expr_columns(x, read);
    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(read, i) && !is_key(r->body, i)) return false;
    return true;
}

static struct rel *strengthen(struct arena *a, struct rel *r, struct conditions *c)
{
    struct expr_maker m = {.a = a};
    struct normalize_body body = *(const struct normalize_body *)r->body;
    struct conditions own = {0}, rest = {0};

    for (uint32_t i = 0; i < c->count; i++) {
        const struct expr *x = c->items[i];
        bool takes = !body.is_shared && x->det == FN_PURE && !x->may_fail && !reads_keys(r, x);
        conditions_add(a, takes ? &own : &rest, c->items[i]);
    }
    if (own.count == 0) return r;
    *c = rest;
    body.filter = calc_and(a, body.filter, conditions_all(&m, &own));
    return rel_normalize(a, r->inputs[0], &body);
}

static struct rel *narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct normalize_body body = *(const struct normalize_body *)r->body;
    uint32_t *keys = ARENA_ARRAY(n->a, uint32_t, body.key_count + 1), *now;
    uint64_t *read = narrow_none(n, r->row);

    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(needed, i)) bit_set(read, i);
    for (uint32_t i = 0; i < body.key_count; i++) bit_set(read, body.keys[i]);
    if (body.filter != NULL) expr_columns(body.filter, read);
    struct rel *input = narrow_input(n, r->inputs[0], read, &now);
    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(read, i)) at[i] = now[i];
    if (input == r->inputs[0]) return (struct rel *)r;
    for (uint32_t i = 0; i < body.key_count; i++) keys[i] = now[body.keys[i]];
    body.keys = keys;
    body.filter = narrow_expr(n, body.filter, input->row, now);
    return rel_normalize(n->a, input, &body);
}

static void shared_find(struct rel *r, const struct rel **seen, uint32_t *count, uint32_t max)
{
    const struct rel *source = r->type == &rel_normalize_type ? source_below(r) : NULL;

    for (uint32_t i = 0; i < r->input_count; i++) shared_find(r->inputs[i], seen, count, max);
    if (source == NULL || rel_scanned(source) == NULL) return;
    for (uint32_t i = 0; i < *count; i++) {
        if (seen[i] == r) return;
        if (!scan_equal(source_below(seen[i]), source)) continue;
        ((struct normalize_body *)seen[i]->body)->is_shared = true;
        ((struct normalize_body *)r->body)->is_shared = true;
    }
    if (*count < max) seen[(*count)++] = r;
}

/* Several that read the same rows are told so, once, before conditions move. */
void normalize_find_shared(struct rel *const *plans, uint32_t count)
{
    enum { READERS_MAX = 256 };
    const struct rel *seen[READERS_MAX];
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++) shared_find(plans[i], seen, &found, READERS_MAX);
}

/* --- lowering ---------------------------------------------------------------------------------------------------- */
static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct normalize_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("changelog_normalize"), "ChangelogNormalize", (struct graph_here){0});
    struct normalize_config *c = n->config;

    (void)e;
    *node = l->graph->node_count - 1;
    c->emit_before = r->wants_before;
    c->emit_every = l->emit_every;
    c->ttl_ms = l->ttl_ms;
    if (b->filter != NULL) {
        c->condition = lower_exprs(l, (struct expr *const[]){b->filter}, 1);
        c->zone = lower_zone(l);
    }
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_normalize_type = {.name = "ChangelogNormalize",
                                            .doc = "upserts, or changes that may come twice, as a changelog",
                                            .derive = derive,
                                            .wants_before = needs_nothing,
                                            .takes_keys = takes_keys,
                                            .distribution = distribution,
                                            .lies_by = lies_by,
                                            .passes = passes,
                                            .strengthen = strengthen,
                                            .narrow = narrow,
                                            .explain = explain,
                                            .lower = lower};
