/* node_normalize.c - ChangelogNormalize: on a source of upserts, and with table.exec.source.cdc-events-duplicate on any source of
 * changes with a primary key. It knows each key's row, so it can give -U and whole rows of what is deleted, and leaves out what comes
 * twice. Where nobody needs that rel_plan takes it out (normalize_is_needed), by Flink's rules. Which conditions go below it and which
 * it asks itself, so that it keeps no row for which they are not true: rewrite_normalize.c. */
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

const struct rel *source_below(const struct rel *r)
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
                                            .narrow = narrow,
                                            .explain = explain,
                                            .lower = lower};
