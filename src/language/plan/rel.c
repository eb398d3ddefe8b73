/* rel.c - making nodes, and the keys of their rows. Not here: how plans become jobs (rel_lower.c), how they are printed (explain.c). */
#include "language/plan/rel.h"

#include "ground/base/str.h"
#include "language/plan/rank_rel.h"
#include "language/plan/rel_internal.h"
#include "language/plan/stream_rel.h"

#include <string.h>

#define X(n) extern const struct rel_type rel_##n##_type;
#include "node_registry.def"
#undef X

const struct rel_type *const rel_types[] = {
#define X(n) &rel_##n##_type,
#include "node_registry.def"
#undef X
    NULL,
};

static struct rel *rel_new(struct arena *a, const struct rel_type *type, const struct type *row,
                           struct rel *const *inputs, uint32_t count)
{
    struct rel *r = ARENA_NEW(a, struct rel);
    struct rel **copy = ARENA_ARRAY(a, struct rel *, MAX(count, 1u));

    *r = (struct rel){.type = type, .row = row, .input_count = count, .inputs = copy, .is_bounded = true};
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = inputs[i];
        r->is_bounded &= inputs[i]->is_bounded;
    }
    return r;
}

/* A filter needs the row before an update to see whether it is to be taken back, and then hands it on; so does what is above it. */
static bool hands_before(const struct rel *r)
{
    if (!r->type->passes_changes || (r->modifies & MODIFIES_UPDATES) == 0) return false;
    for (uint32_t i = 0; i < r->input_count; i++) {
        if ((r->inputs[i]->modifies & MODIFIES_UPDATES) == 0) continue;
        if (r->inputs[i]->hands_before || (r->type->wants_before != NULL && r->type->wants_before(r, i))) return true;
    }
    return false;
}

/* Where it is known of a node it is known of all below. */
void rel_say(struct rel *r, const struct rel_said *said)
{
    if (r->said != NULL) return;
    r->said = said;
    for (uint32_t i = 0; i < r->input_count; i++) rel_say(r->inputs[i], said);
}

struct rel *rel_say_as(struct rel *r, const struct rel *old)
{
    if (r != old && old->said != NULL) rel_say(r, old->said);
    return r;
}

void rel_derive(struct rel *r, struct arena *a)
{
    if (r->type->derive != NULL) r->type->derive(r, a);
    if (r->input_count > 0) r->hands_before = hands_before(r);
}

struct rel *rel_over_inputs(struct arena *a, const struct rel *r, struct rel *const *inputs, bool at_end)
{
    struct rel *copy = ARENA_NEW(a, struct rel);

    *copy = *r;
    copy->inputs = inputs;
    copy->modifies = MODIFIES_NOTHING;
    copy->key_count = 0;
    copy->window = NULL;
    copy->monotone = NULL;
    copy->is_empty = false;
    copy->at_end = at_end;
    copy->in_batch = copy->sifted = copy->in_phases = copy->in_joins = copy->in_buckets = copy->normalized = NULL;
    rel_derive(copy, a);
    return copy;
}

/* Gives a new node its body, and derives what follows from it. */
#define BODY(r, T, value)                                                                                              \
    do {                                                                                                               \
        T *body_ = ARENA_NEW(a, T);                                                                                    \
        *body_ = (value);                                                                                              \
        (r)->body = body_;                                                                                             \
        rel_derive((r), a);                                                                                            \
    } while (0)

struct rel *rel_values(struct arena *a, const struct type *row, const struct values_body *body)
{
    struct rel *r = rel_new(a, &rel_values_type, row, NULL, 0);
    BODY(r, struct values_body, *body);
    return r;
}

struct rel *rel_system(struct arena *a, const struct type *row, const struct system_body *body)
{
    struct rel *r = rel_new(a, &rel_system_type, row, NULL, 0);
    BODY(r, struct system_body, *body);
    return r;
}

struct rel *rel_scan(struct arena *a, const struct scan_body *body, const struct type *row)
{
    struct rel *r = rel_new(a, &rel_scan_type, row, NULL, 0);
    BODY(r, struct scan_body, *body);
    r->is_bounded = scan_is_bounded(body->table);
    return r;
}

const struct text_list *rel_scanned_metadata(const struct rel *r) { return &((const struct scan_body *)r->body)->metadata; }

struct rel *rel_stream(struct arena *a, const struct stream_source *s)
{
    struct rel *r = rel_new(a, &rel_stream_type, s->row, NULL, 0);
    BODY(r, const struct stream_source *, s);
    r->is_bounded = false;
    return r;
}

struct rel *rel_stream_sink(struct arena *a, struct rel *input, const struct stream_sink *s)
{
    struct rel *r = rel_new(a, &rel_stream_sink_type, input->row, &input, 1);
    BODY(r, struct stream_sink, *s);
    return r;
}

const struct table *rel_scanned(const struct rel *r)
{
    return r->type == &rel_scan_type ? ((const struct scan_body *)r->body)->table : NULL;
}

struct rel *rel_drop_before(struct arena *a, struct rel *input)
{
    struct rel *r = rel_new(a, &rel_drop_before_type, input->row, &input, 1);
    rel_derive(r, a);
    return r;
}

struct rel *rel_normalize(struct arena *a, struct rel *input, const struct normalize_body *body)
{
    struct rel *r = rel_new(a, &rel_normalize_type, input->row, &input, 1);
    BODY(r, struct normalize_body, *body);
    return r;
}

struct rel *rel_watermark(struct arena *a, struct rel *input, const struct type *row, const struct watermark_body *body)
{
    struct rel *r = rel_new(a, &rel_watermark_type, row, &input, 1);
    BODY(r, struct watermark_body, *body);
    return r;
}

/* A rank whose places nobody reads need not know them: then rows do not move. */
static struct rel *without_places(struct arena *a, struct rel *input, const struct calc_body *c)
{
    uint64_t read[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    if (input->type != &rel_rank_type || c->count == 0) return input;
    struct rank_body body = *(const struct rank_body *)input->body;
    if (body.number == NULL) return input;
    if (c->condition != NULL) expr_columns(c->condition, read);
    for (uint32_t i = 0; i < c->count; i++) expr_columns(c->columns[i], read);
    if (bit_get(read, input->row->child_count - 1)) return input;
    body.number = NULL;
    return rel_rank(a, input->inputs[0], &body);
}

struct rel *rel_calc(struct arena *a, struct rel *input, const struct calc_body *given, const char *const *names)
{
    struct calc_body merged = *given, *body = &merged;

    while (calc_merge(a, &input, body)) continue;
    input = without_places(a, input, body);
    bool waits = expr_is_async(body->condition);
    for (uint32_t i = 0; i < body->count && !waits; i++) waits = expr_is_async(body->columns[i]);
    if (waits) return calc_async(a, input, body, names);
    const struct type **types = ARENA_ARRAY(a, const struct type *, MAX(body->count, 1u));

    for (uint32_t i = 0; i < body->count; i++) types[i] = body->columns[i]->type;
    struct rel *r = rel_new(a, &rel_calc_type,
                            body->count > 0 ? type_row(a, body->count, names, types, false) : input->row, &input, 1);
    BODY(r, struct calc_body, *body);
    return r;
}

struct rel *rel_of_calc(struct arena *a, const struct rel_type *type, const struct type *row, struct rel *input, const struct calc_body *body)
{
    struct rel *r = rel_new(a, type, row, &input, 1);

    BODY(r, struct calc_body, *body);
    return r;
}

struct rel *rel_renamed(struct arena *a, struct rel *r, const char *const *names)
{
    struct expr_maker m = {.a = a};
    struct calc_body c = {.count = r->row->child_count};
    struct expr **columns = ARENA_ARRAY(a, struct expr *, MAX(c.count, 1u));
    bool same = true;

    for (uint32_t i = 0; i < c.count; i++) {
        columns[i] = expr_column(&m, r->row, i);
        same &= str_equal(str_of(r->row->names[i]), str_of(names[i]));
    }
    if (same) return r;
    c.columns = columns;
    if (r->type != &rel_values_type) return rel_calc(a, r, &c, names);
    struct rel *copy = ARENA_NEW(a, struct rel); /* only its row knows the names */
    *copy = *r;
    copy->row = type_row(a, c.count, names, r->row->children, false);
    return copy;
}

struct rel *rel_expand(struct arena *a, struct rel *input, const struct expand_body *body, const char *const *names)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, body->count);

    for (uint32_t i = 0; i < body->count; i++) {
        bool nullable = false;
        for (uint32_t s = 0; s < body->set_count; s++) nullable |= body->columns[s * body->count + i]->type->nullable;
        types[i] = type_with_null(a, body->columns[i]->type, nullable);
    }
    struct rel *r = rel_new(a, &rel_expand_type, type_row(a, body->count, names, types, false), &input, 1);
    BODY(r, struct expand_body, *body);
    return r;
}

struct rel *rel_aggregate(struct arena *a, struct rel *input, const struct aggregate_body *body)
{
    uint32_t n = body->key_count + body->call_count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);
    const char **names = ARENA_ARRAY(a, const char *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        bool is_key = i < body->key_count;
        types[i] = is_key ? input->row->children[body->keys[i]] : body->calls[i - body->key_count].result;
        if (types[i]->time_kind != TIME_NONE) types[i] = type_with_time(a, types[i], TIME_NONE); /* groups are not ordered by time */
        names[i] = is_key ? input->row->names[body->keys[i]] : body->calls[i - body->key_count].name;
    }
    struct rel *r = rel_new(a, &rel_aggregate_type, type_row(a, n, names, types, false), &input, 1), *known;
    BODY(r, struct aggregate_body, *body);
    known = aggregate_over_nothing(a, r);
    return known != NULL ? known : r;
}

static const struct rel_type *rank_type(const struct rel *input, const struct rank_body *body)
{
    if (body->is_limit) return body->order_count > 0 ? &rel_sort_limit_type : &rel_limit_type;
    if (!rank_is_windowed(input, body))
        return body->number == NULL && rank_is_deduplicate(input, body) ? &rel_deduplicate_type : &rel_rank_type;
    return rank_is_deduplicate(input, body) ? &rel_window_deduplicate_type : &rel_window_rank_type;
}

static struct rank_body rank_with_keys(struct arena *a, const struct rel *input, const struct rank_body *given)
{
    const struct rel_window *w = input->window;
    struct rank_body body = *given;
    uint32_t *keys = ARENA_ARRAY(a, uint32_t, body.partition_count + 1), n = 0;

    for (uint32_t i = 0; i < body.partition_count; i++) {
        int col = (int)body.partition[i];
        if (w == NULL || (col != w->start && col != w->end && col != w->time)) keys[n++] = body.partition[i];
    }
    body.keys = keys;
    body.key_count = n;
    return body;
}

struct rel *rel_rank(struct arena *a, struct rel *input, const struct rank_body *body)
{
    uint32_t n = input->row->child_count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    const struct type *row = input->row;

    for (uint32_t i = 0; i < n; i++) {
        types[i] = row->children[i];
        names[i] = row->names[i];
    }
    if (body->number != NULL) {
        types[n] = type_new(a, T_BIGINT, 0, 0, false);
        names[n] = body->number;
        row = type_row(a, n + 1, names, types, false);
    }
    struct rel *r = rel_new(a, rank_type(input, body), row, &input, 1);
    BODY(r, struct rank_body, rank_with_keys(a, input, body));
    return r;
}

struct rel *rel_over(struct arena *a, struct rel *input, const struct over_body *body)
{
    uint32_t n = input->row->child_count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + body->call_count);
    const char **names = ARENA_ARRAY(a, const char *, n + body->call_count);

    memcpy(types, input->row->children, sizeof *types * n);
    memcpy(names, input->row->names, sizeof *names * n);
    for (uint32_t i = 0; i < body->call_count; i++) {
        types[n + i] = body->calls[i].call.result;
        names[n + i] = body->calls[i].call.name;
    }
    struct rel *r = rel_new(a, &rel_over_type, type_row(a, n + body->call_count, names, types, false), &input, 1);
    BODY(r, struct over_body, *body);
    return r;
}

static void add_window_columns(struct arena *a, uint32_t first, const struct rel_window *w, bool is_group_window,
                               const struct type **types, const char **names)
{
    static const char *const plain[] = {"window_start", "window_end", "window_time"}, *const of_group[] = {"w$start", "w$end", "w$rowtime"};
    const char *const *added = is_group_window ? of_group : plain;

    for (uint32_t i = 0; i < 3; i++) {
        names[first + i] = added[i];
        types[first + i] = i < 2 ? type_new(a, T_TIMESTAMP, 3, 0, false) : w->time_type;
    }
}

struct rel *rel_window_tvf(struct arena *a, struct rel *input, const struct window_tvf_body *body)
{
    uint32_t n = input->row->child_count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 3);
    const char **names = ARENA_ARRAY(a, const char *, n + 3);

    memcpy(types, input->row->children, sizeof *types * n);
    memcpy(names, input->row->names, sizeof *names * n);
    add_window_columns(a, n, &body->window, false, types, names);
    struct rel *r = rel_new(a, &rel_window_tvf_type, type_row(a, n + 3, names, types, false), &input, 1);
    BODY(r, struct window_tvf_body, *body);
    return r;
}

struct rel *rel_window_aggregate(struct arena *a, struct rel *input, const struct window_aggregate_body *body)
{
    const struct aggregate_body *g = &body->groups;
    uint32_t n = g->key_count + g->call_count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 3);
    const char **names = ARENA_ARRAY(a, const char *, n + 3);

    for (uint32_t i = 0; i < n; i++) {
        bool is_key = i < g->key_count;
        types[i] = is_key ? input->row->children[g->keys[i]] : g->calls[i - g->key_count].result;
        names[i] = is_key ? input->row->names[g->keys[i]] : g->calls[i - g->key_count].name;
    }
    add_window_columns(a, n, &body->window, body->is_group_window, types, names);
    const struct rel_type *type = body->is_group_window ? &rel_group_window_aggregate_type : &rel_window_aggregate_type;
    struct rel *r = rel_new(a, type, type_row(a, n + 3, names, types, false), &input, 1);
    BODY(r, struct window_aggregate_body, *body);
    return r;
}

struct rel *rel_union(struct arena *a, const struct type *row, struct rel *const *inputs, uint32_t count)
{
    struct rel *r = rel_new(a, &rel_union_type, row, inputs, count);
    rel_derive(r, a);
    return r;
}

struct rel *rel_join(struct arena *a, struct rel *left, struct rel *right, const struct join_body *body)
{
    struct rel *inputs[] = {left, right};
    const struct type *row = rel_join_row(a, (enum rel_join_kind)body->kind, left->row, right->row, body->names);
    struct rel *r = rel_new(a, &rel_join_type, row, inputs, 2);

    BODY(r, struct join_body, *body);
    return r;
}

struct rel *rel_interval_join(struct arena *a, struct rel *left, struct rel *right, const struct interval_join_body *body)
{
    struct rel *inputs[] = {left, right};
    enum rel_join_kind kind = (enum rel_join_kind)body->join.kind;
    struct rel *r = rel_new(a, &rel_interval_join_type, rel_join_row_timed(a, kind, left->row, right->row, body->join.names), inputs, 2);

    BODY(r, struct interval_join_body, *body);
    return r;
}

/* The left row's times with what comes beside it, whose times are plain ones. */
static const struct type *left_timed_row(struct arena *a, const struct join_body *b, const struct type *left, const struct type *right)
{
    const struct type *row = rel_join_row(a, (enum rel_join_kind)b->kind, left, right, b->names);
    const struct type **types = ARENA_ARRAY(a, const struct type *, row->child_count + 1);

    memcpy(types, row->children, sizeof *types * row->child_count);
    memcpy(types, left->children, sizeof *types * left->child_count);
    return type_row(a, row->child_count, b->names, types, false);
}

struct rel *rel_temporal_join(struct arena *a, struct rel *left, struct rel *right, const struct temporal_join_body *body)
{
    struct rel *inputs[] = {left, right};
    struct rel *r = rel_new(a, &rel_temporal_join_type, left_timed_row(a, &body->join, left->row, right->row), inputs, 2);

    BODY(r, struct temporal_join_body, *body);
    return r;
}

struct rel *rel_lookup_join(struct arena *a, struct rel *left, const struct lookup_join_body *body)
{
    struct rel *r = rel_new(a, &rel_lookup_join_type, left_timed_row(a, &body->join, left->row, body->right), &left, 1);

    BODY(r, struct lookup_join_body, *body);
    return r;
}

struct rel *rel_window_join(struct arena *a, struct rel *left, struct rel *right, const struct window_join_body *body)
{
    struct rel *inputs[] = {left, right};
    const struct type *row = rel_join_row_timed(a, (enum rel_join_kind)body->join.kind, left->row, right->row, body->join.names);
    struct rel *r = rel_new(a, &rel_window_join_type, row, inputs, 2);

    BODY(r, struct window_join_body, *body);
    return r;
}

struct rel *rel_correlate(struct arena *a, struct rel *input, const struct correlate_body *body)
{
    if (expr_is_async(body->list)) return correlate_async(a, input, body);
    struct rel *r = rel_new(a, &rel_correlate_type, rel_correlate_row(a, input->row, body), &input, 1);
    BODY(r, struct correlate_body, *body);
    return r;
}

struct rel *rel_set(struct arena *a, const struct type *row, struct rel *const sides[2], const struct set_body *body)
{
    struct rel *r = rel_new(a, &rel_set_type, row, sides, 2);
    BODY(r, struct set_body, *body);
    return r;
}

struct rel *rel_sort(struct arena *a, struct rel *input, const struct sort_body *body)
{
    struct rel *r = rel_new(a, &rel_sort_type, input->row, &input, 1);
    BODY(r, struct sort_body, *body);
    return r;
}

struct rel *rel_temporal_sort(struct arena *a, struct rel *input, const struct sort_body *body)
{
    struct rel *r = rel_new(a, &rel_temporal_sort_type, input->row, &input, 1);
    BODY(r, struct sort_body, *body);
    return r;
}

struct rel *rel_fold(struct arena *a, struct rel *input)
{
    struct rel *r = rel_new(a, &rel_fold_type, input->row, &input, 1);
    rel_derive(r, a);
    return r;
}

struct rel *rel_sink(struct arena *a, struct rel *input, const struct sink_body *body)
{
    struct rel *r = rel_new(a, &rel_sink_type, input->row, &input, 1);
    BODY(r, struct sink_body, *body);
    return r;
}

/* --- keys -------------------------------------------------------------------------------------------------------- */
bool rel_covers_key(const struct rel *r, const uint64_t *bits)
{
    for (uint32_t k = 0; k < r->key_count; k++) {
        uint32_t i = 0;
        while (i < r->keys[k].count && bit_get(bits, r->keys[k].cols[i])) i++;
        if (i == r->keys[k].count) return true;
    }
    return false;
}

static uint32_t sorted_columns(const uint32_t *cols, uint32_t count, uint32_t *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = n;
        while (at > 0 && out[at - 1] > cols[i]) at--;
        if (at > 0 && out[at - 1] == cols[i]) continue;
        memmove(out + at + 1, out + at, sizeof *out * (n - at));
        out[at] = cols[i];
        n++;
    }
    return n;
}

bool rel_has_key(const struct rel *r, const uint32_t *cols, uint32_t count)
{
    uint32_t sorted[TYPE_FIELDS_MAX];

    ASSERT(count <= COUNT_OF(sorted));
    count = sorted_columns(cols, count, sorted);
    for (uint32_t k = 0; k < r->key_count; k++)
        if (r->keys[k].count == count && memcmp(r->keys[k].cols, sorted, sizeof *sorted * count) == 0) return true;
    return false;
}

void rel_add_key(struct rel *r, struct arena *a, const uint32_t *cols, uint32_t count)
{
    uint32_t *sorted = ARENA_ARRAY(a, uint32_t, count + 1);

    if (r->key_count == REL_KEYS_MAX || rel_has_key(r, cols, count)) return;
    count = sorted_columns(cols, count, sorted);
    r->keys[r->key_count++] = (struct rel_key){count, sorted};
}
