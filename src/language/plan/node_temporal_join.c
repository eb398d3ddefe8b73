/* node_temporal_join.c - TemporalJoin: each left row beside the version of a right row that held at its time (FOR SYSTEM_TIME AS OF a
 * time of the left row). A right table has versions when it has a key and an event time: a table says so itself, of a view or query
 * it is what its rows are unique by, such as the partition of a ROW_NUMBER() = 1. */
#include "flow/operator/join_temporal.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/join_rel.h"
#include "language/plan/narrow_rel.h"

#include <string.h>

static int rowtime_of(const struct type *row)
{
    for (uint32_t i = 0; i < row->child_count; i++)
        if (row->children[i]->time_kind == TIME_ROWTIME) return (int)i;
    return -1;
}

/* --- the key of versions ----------------------------------------------------------------------------------------- */
static const char *const *key_names(const struct rel *r, uint32_t *count)
{
    const struct table *t = rel_scanned(r);

    *count = t != NULL ? t->key_count : 0;
    return t != NULL ? t->key : NULL;
}

/* The columns of r by which its rows are unique, if only as its table says; false: there are none. Room for OP_KEYS_MAX. */
static bool version_key(const struct rel *r, uint32_t *cols, uint32_t *count)
{
    uint32_t below[OP_KEYS_MAX], n = 0;

    if (r->key_count > 0 && r->keys[0].count <= OP_KEYS_MAX) {
        *count = r->keys[0].count;
        if (*count > 0) memcpy(cols, r->keys[0].cols, sizeof *cols * *count);
        return true;
    }
    if (r->input_count == 0) {
        const char *const *names = key_names(r, count);
        if (*count > OP_KEYS_MAX) return false;
        for (uint32_t i = 0; i < *count; i++) cols[i] = (uint32_t)type_field(r->row, str_of(names[i]));
        return *count > 0;
    }
    if (r->type == &rel_watermark_type) return version_key(r->inputs[0], cols, count);
    if (r->type != &rel_calc_type || !version_key(r->inputs[0], below, &n)) return false;
    const struct calc_body *c = r->body;
    *count = n;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = 0;
        while (i < r->row->child_count &&
               (c->count == 0 ? i != below[k] : c->columns[i]->kind != EXPR_COLUMN || c->columns[i]->col != below[k]))
            i++;
        if (i == r->row->child_count) return false;
        cols[k] = i;
    }
    return true;
}

/* Do the keys of the join hold it? */
static bool has_version_key(const struct rel *r, uint32_t *cols, uint32_t *count)
{
    const struct temporal_join_body *b = r->body;

    if (!version_key(r->inputs[1], cols, count)) return false;
    for (uint32_t i = 0; i < *count; i++) {
        uint32_t k = 0;
        while (k < b->join.key_count && b->join.keys[1][k] != cols[i]) k++;
        if (k == b->join.key_count) return false;
    }
    return true;
}

/* --- hooks ------------------------------------------------------------------------------------------------------- */
static void names_append(const char *what, const char *const *names, const uint32_t *cols, uint32_t count,
                         struct buf *out)
{
    buf_printf(out, ", %s(", what);
    for (uint32_t i = 0; i < count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", names[cols[i]]);
    buf_append_byte(out, ')');
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct temporal_join_body *b = r->body;
    uint32_t left = r->inputs[0]->row->child_count, cols[OP_KEYS_MAX], count = 0;
    const char *const *names = b->join.names;

    (void)version_key(r->inputs[1], cols, &count);
    buf_printf(out, "joinType=[%s], where=[(", join_explain_name((enum rel_join_kind)b->join.kind));
    join_explain_where(r, &b->join, b->join.condition, out);
    buf_printf(out, " AND __TEMPORAL_JOIN_CONDITION(%s, %s", names[b->time],
               names[left + (uint32_t)MAX(rowtime_of(r->inputs[1]->row), 0)]);
    names_append("__TEMPORAL_JOIN_CONDITION_PRIMARY_KEY", names + left, cols, count, out);
    names_append("__TEMPORAL_JOIN_LEFT_KEY", names, b->join.keys[0], b->join.key_count, out);
    names_append("__TEMPORAL_JOIN_RIGHT_KEY", names + left, b->join.keys[1], b->join.key_count, out);
    buf_append_text(out, "))], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

/* One row comes of each left row, and goes with it. */
static void derive(struct rel *r, struct arena *a)
{
    const struct temporal_join_body *b = r->body;
    const struct rel *left = r->inputs[0];

    r->modifies = left->modifies;
    for (uint32_t k = 0; k < left->key_count; k++)
        if (join_key_within(&b->join, 0, &left->keys[k])) rel_add_key(r, a, left->keys[k].cols, left->keys[k].count);
}

/* An update of the left side may come at another time, or under another key. Versions say what holds, not what did. */
static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    return input == 0;
}

static enum status types_differ(const struct type *left, const struct type *right, struct err *e)
{
    struct mem mem;
    struct buf texts[2];

    mem_init(&mem, "check", 0);
    for (uint32_t i = 0; i < 2; i++) {
        buf_init(&texts[i], &mem);
        type_print(i == 0 ? left : right, &texts[i]);
    }
    enum status st = err_set(
        e, E_UNSUPPORTED,
        "Event-Time Temporal Table Join requires same rowtime type in left table and versioned table, but the "
        "rowtime types are %s and %s.",
        buf_text(&texts[0]), buf_text(&texts[1]));
    for (uint32_t i = 0; i < 2; i++) buf_release(&texts[i]);
    mem_release(&mem);
    return st;
}

static enum status check(const struct rel *r, struct err *e)
{
    const struct temporal_join_body *b = r->body;
    uint32_t cols[OP_KEYS_MAX], count = 0;
    int rowtime = rowtime_of(r->inputs[1]->row);

    if (b->join.key_count == 0) {
        err_hint(e, "say in ON which columns of both tables are equal: versions are told apart by the primary key of the right one");
        return err_set(e, E_UNSUPPORTED, "Currently the join key in Temporal Table Join can not be empty.");
    }
    if (!has_version_key(r, cols, &count)) {
        err_hint(e, "declare PRIMARY KEY (...) NOT ENFORCED, or join a view of ROW_NUMBER() OVER (PARTITION BY key "
                    "ORDER BY time DESC) = 1, "
                    "by all columns of the key");
        return err_set(e, E_UNSUPPORTED,
                       "Temporal Table Join requires primary key in versioned table, but no primary key can be found.");
    }
    if (rowtime < 0) {
        err_hint(e, "declare WATERMARK FOR its time");
        return err_set(e, E_UNSUPPORTED,
                       "Event-Time Temporal Table Join requires both primary key and row time attribute in versioned "
                       "table, but no row time attribute can be found.");
    }
    const struct type *left = r->inputs[0]->row->children[b->time], *right = r->inputs[1]->row->children[rowtime];
    return left->kind == right->kind ? S_OK : types_differ(left, right, e);
}

/* Rows of the left side go with the watermark, versions but the latest of each key, too. */
static const char *advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    const struct rel *right = r->inputs[1];
    uint32_t cols[OP_KEYS_MAX], count = 0;
    struct buf keys;

    (void)s; /* there is no time to live */
    if (right->is_bounded || !version_key(right, cols, &count)) return NULL;
    buf_init(&keys, a->mem);
    for (uint32_t i = 0; i < count; i++) buf_printf(&keys, "%s%s", i > 0 ? ", " : "", right->row->names[cols[i]]);
    const char *out = arena_printf(a,
                                   "the latest version of each %s is kept for ever, whatever 'table.exec.state.ttl' says: where there are more and "
                                   "more of them, look up a table that lies outside by FOR SYSTEM_TIME AS OF a processing time",
                                   buf_text(&keys));
    buf_release(&keys);
    return out;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct temporal_join_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("join_temporal"), "TemporalJoin", (struct graph_here){0});
    struct join_temporal_config *c = n->config;

    if (l->is_batch) {
        err_hint(e, "SET 'execution.runtime-mode' = 'streaming'");
        return err_set(e, E_UNSUPPORTED, "Temporal Table Join by event time is not supported in batch mode");
    }
    c->kind = join_operator_name((enum rel_join_kind)b->join.kind);
    c->names = (struct text_list){b->join.names, r->row->child_count};
    c->null_safe = join_null_safe(l, &b->join);
    if (b->join.condition != NULL) c->condition = lower_exprs(l, (struct expr *const[]){b->join.condition}, 1);
    c->zone = lower_zone(l);
    c->left_time = r->inputs[0]->row->names[b->time];
    c->right_time = r->inputs[1]->row->names[rowtime_of(r->inputs[1]->row)];
    *node = l->graph->node_count - 1;
    for (uint32_t i = 0; i < 2; i++) lower_edge(l, r, inputs[i], *node, i);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct temporal_join_body *b = r->body;

    logical_join(r, &b->join, b->join.condition, l);
}

const struct rel_type rel_temporal_join_type = {
    .name = "TemporalJoin", .passes_changes = true,
    .doc = "each row beside the version of another table's row that held at its time",
    .derive = derive,
    .wants_before = wants_before,
    .distribution = join_distribution,
    .check = check,
    .advise = advise,
    .passes = left_passes,
    .explain = explain,
    .logical = logical, .lower = lower};
