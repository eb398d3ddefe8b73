/* op_join.c - SQL's regular join of two changelogs: both sides are kept for ever (or until their time to live), and each row that
 * comes meets what the other side has under its key.
 *
 * A batch finds the heads of its keys on both sides, scans the other side's rows, and takes its own rows in; then the pairs are
 * listed in the order of the batch, per row as the other side's rows came, and the columns of a full list are filled at once. A
 * condition is evaluated on each block of a scan before its pairs are listed. As no row of a batch meets another of the same input,
 * that is the same as row by row.
 *
 * Rows that come out alone: of an outer side (NULLs beside it) and of an anti join those that nothing matches, of a semi join those
 * that something does. So each row of such a side knows how many rows match it, and comes or goes when the other side's first match
 * comes or its last one goes. As in Flink such joins emit +I and -D only, and an inner join hands on the kinds of its input.
 *
 * Invariants: NULL in a key matches nothing (unless the key is null-safe), and such a row is not kept. A call scans at most two
 * blocks and fills at most one batch. Not here: windows, time bounds, joins that keep no state. */
#include "columns/expr/expr.h"
#include "flow/operator/computed.h"
#include "flow/operator/join_side.h"
#include "flow/operator/join.h"
#include "ground/base/str.h"

#include <string.h>

static const struct config_field join_config_fields[] = {
    CONFIG_FIELD(join_config, kind, CONF_TEXT, "inner, left, right, full, semi, anti"),
    CONFIG_FIELD(join_config, names, CONF_TEXTS, "names of the columns of both sides"),
    CONFIG_FIELD(join_config, condition, CONF_BYTES, "an encoded BOOLEAN expression over both sides; empty: none"),
    CONFIG_FIELD(join_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_FIELD(join_config, null_safe, CONF_TEXTS, "per key: true when NULL equals NULL; empty: never"),
    CONFIG_FIELD(join_config, left_unique, CONF_TEXTS, "columns by which rows of the left side are replaced"),
    CONFIG_FIELD(join_config, right_unique, CONF_TEXTS, "columns by which rows of the right side are replaced"),
    CONFIG_FIELD(join_config, left_row, CONF_BOOL, "the left side has at most one row per key"),
    CONFIG_FIELD(join_config, right_row, CONF_BOOL, "the right side has at most one row per key"),
    CONFIG_FIELD(join_config, left_after, CONF_BOOL, "updates of the left side come without the row before"),
    CONFIG_FIELD(join_config, right_after, CONF_BOOL, "updates of the right side come without the row before"),
    CONFIG_FIELD(join_config, left_appends, CONF_BOOL, "the left side's rows are only added"),
    CONFIG_FIELD(join_config, right_appends, CONF_BOOL, "the right side's rows are only added"),
    CONFIG_FIELD(join_config, emit_before, CONF_BOOL, "updates come with the row before"),
    CONFIG_FIELD(join_config, ttl_ms, CONF_INT, "ms until an untouched row is forgotten; 0: never"),
    CONFIG_LAST,
};

/* What a kind of join emits. */
struct join_kind {
    const char *name;
    bool pairs;    /* rows of both sides beside each other */
    bool alone[2]; /* rows of this side come alone */
    bool matched;  /* when something matches them, not when nothing does */
};

static const struct join_kind kinds[] = {
    {"inner", true, {false, false}, false}, {"left", true, {true, false}, false}, {"right", true, {false, true}, false},
    {"full", true, {true, true}, false},    {"semi", false, {true, false}, true}, {"anti", false, {true, false}, false},
};

struct join_plan {
    const struct join_kind *kind;
    struct fn_session session;
    const struct type *both; /* columns of both sides */
    struct expr *condition;  /* NULL: none */
    uint32_t left;           /* columns of the left side */
};

struct join {
    struct join_plan plan;
    struct join_side sides[2];
    struct expr_run *condition;
    struct batch *out, *pairs; /* pairs: what the condition reads */
    /* The batch in work. */
    bool begun, scan_more, turns; /* turns: the row of this hit comes or goes */
    uint32_t row, hit, repeat, matched;
    struct state_scan scan;
    struct state_hits hits;
    uint64_t no_key[BATCH_ROWS / 64];
    /* What is emitted: rows of the batch beside rows of the other side's state. */
    uint16_t ours[BATCH_ROWS];
    void *theirs[BATCH_ROWS];
    uint64_t without_ours[BATCH_ROWS / 64];
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status kind_read(const char *name, const struct join_kind **out, struct err *e)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(kinds[i].name, name) != 0) continue;
        *out = &kinds[i];
        return S_OK;
    }
    return err_set(e, E_CONFIG, "unknown kind of join '%s'", name);
}

/* Columns of both sides; with NULLs where a side may have no row. What comes out has no event time. */
static const struct type *both_sides(const struct op_plan *p, const struct join_config *c, const bool nullable[2])
{
    uint32_t left = p->inputs[0]->child_count, n = left + p->inputs[1]->child_count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        const struct type *t = i < left ? p->inputs[0]->children[i] : p->inputs[1]->children[i - left];
        if (t->time_kind != TIME_NONE) t = type_with_time(p->arena, t, TIME_NONE);
        types[i] = nullable[i >= left] ? type_with_null(p->arena, t, true) : t;
    }
    return type_row(p->arena, n, c->names.items, types, false);
}

static enum status join_read(const struct op_plan *p, const struct join_config *c, struct join_plan *out, struct err *e)
{
    static const bool neither[2];
    struct expr_maker m = {.a = p->arena, .session = &out->session};
    const uint8_t *at = (const uint8_t *)c->condition.data;

    *out = (struct join_plan){.session = {.zone = str_of(c->zone)}, .left = p->inputs[0]->child_count};
    TRY(kind_read(c->kind, &out->kind, e));
    if (c->names.count != out->left + p->inputs[1]->child_count)
        return err_set(e, E_CONFIG, "a join names each column of both sides");
    if (p->key_count[0] != p->key_count[1])
        return err_set(e, E_GRAPH, "the sides of a join have keys of different length");
    out->both = both_sides(p, c, neither);
    if (c->condition.size == 0) return S_OK;
    TRY(expr_decode(&m, out->both, &at, at + c->condition.size, &out->condition, e));
    return out->condition->type->kind == T_BOOLEAN ? S_OK : err_set(e, E_GRAPH, "the condition is not BOOLEAN");
}

static enum status keys_check(const struct op_plan *p, struct err *e)
{
    for (uint32_t i = 0; i < p->key_count[0]; i++) {
        const struct type *l = p->inputs[0]->children[p->keys[0][i]], *r = p->inputs[1]->children[p->keys[1][i]];
        if (type_is_string(l) && type_is_string(r)) continue;
        if (!type_equal_ignoring_null(l, r)) return err_set(e, E_GRAPH, "key %u of a join has two types", i + 1);
    }
    return S_OK;
}

static enum status join_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct join_config *c = config;
    struct join_plan plan;

    if (p->inputs[0]->child_count + p->inputs[1]->child_count > TYPE_FIELDS_MAX)
        return err_set(e, E_GRAPH, "a join has at most %d columns of both sides", TYPE_FIELDS_MAX);
    TRY(join_read(p, c, &plan, e));
    TRY(keys_check(p, e));
    bool nullable[2] = {plan.kind->pairs && plan.kind->alone[1], plan.kind->pairs && plan.kind->alone[0]};
    const struct type *row = both_sides(p, c, nullable);
    p->outputs[0] = plan.kind->pairs ? row : type_row(p->arena, plan.left, row->names, row->children, false);
    p->output_count = 1;
    return S_OK;
}

/* Columns of a side that are read from its rows: outputs NULL is all. */
static void columns_read(const struct join_plan *plan, uint32_t side, uint32_t count, const uint64_t *outputs,
                         uint64_t *bits)
{
    uint64_t condition[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    uint32_t first = side == 0 ? 0 : plan->left;

    ASSERT(plan->both->child_count <= TYPE_FIELDS_MAX);
    if (plan->condition != NULL) expr_columns(plan->condition, condition);
    for (uint32_t i = 0; i < count; i++) {
        bool is_out = (plan->kind->pairs || side == 0) && (outputs == NULL || bit_get(outputs, first + i));
        if (is_out || bit_get(condition, first + i)) bit_set(bits, i);
    }
}

static void names_read(const struct op_plan *p, uint32_t input, const struct text_list *names, uint32_t *cols)
{
    for (uint32_t i = 0; i < names->count; i++) {
        int col = op_plan_field(p, input, names->items[i], NULL);
        ASSERT(col >= 0);
        cols[i] = (uint32_t)col;
    }
}

static void join_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                       uint64_t *const *inputs)
{
    const struct join_config *c = config;
    struct join_plan plan;

    if (join_read(p, c, &plan, NULL) != S_OK) return;
    for (uint32_t side = 0; side < 2; side++) {
        const struct text_list *unique = side == 0 ? &c->left_unique : &c->right_unique;
        uint32_t *cols = ARENA_ARRAY(p->arena, uint32_t, unique->count + 1);
        columns_read(&plan, side, p->inputs[side]->child_count, outputs[0], inputs[side]);
        for (uint32_t i = 0; i < p->key_count[side]; i++) bit_set(inputs[side], p->keys[side][i]);
        names_read(p, side, unique, cols);
        for (uint32_t i = 0; i < unique->count; i++) bit_set(inputs[side], cols[i]);
        bit_set(inputs[side], 0); /* something must be kept, so that rows can be counted */
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static enum status side_open(struct op_cx *cx, struct join *s, uint32_t side)
{
    const struct join_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    const struct text_list *unique = side == 0 ? &c->left_unique : &c->right_unique;
    uint32_t count = p->inputs[side]->child_count, *cols = ARENA_ARRAY(p->arena, uint32_t, unique->count + 1);
    uint64_t *kept = ARENA_ARRAY(p->arena, uint64_t, count / 64 + 1);

    memset(kept, 0, sizeof *kept * (count / 64 + 1));
    columns_read(&s->plan, side, count, cx->needed_out != NULL ? cx->needed_out[0] : NULL, kept);
    uint64_t any = 0;
    for (uint32_t w = 0; w < count / 64 + 1; w++) any |= kept[w];
    if (any == 0) bit_set(kept, 0);
    names_read(p, side, unique, cols);
    struct join_side_spec spec = {.name = side == 0 ? "left" : "right",
                                  .input = side,
                                  .is_one_row = side == 0 ? c->left_row : c->right_row,
                                  .is_after_only = side == 0 ? c->left_after : c->right_after,
                                  .appends = side == 0 ? c->left_appends : c->right_appends,
                                  .counts = s->plan.kind->alone[side],
                                  .kept = kept,
                                  .unique = cols,
                                  .unique_count = unique->count,
                                  .ttl_ms = c->ttl_ms};
    if (spec.is_after_only && !spec.is_one_row && unique->count == 0)
        return err_set(cx->err, E_CONFIG, "a side whose rows are replaced needs the columns by which they are");
    return join_side_open(cx, &s->sides[side], &spec);
}

static void condition_open(struct op_cx *cx, struct join *s)
{
    uint32_t count = s->plan.both->child_count;
    uint64_t *read = ARENA_ARRAY(cx->plan->arena, uint64_t, count / 64 + 1);

    if (s->plan.condition == NULL) return;
    memset(read, 0, sizeof *read * (count / 64 + 1));
    expr_columns(s->plan.condition, read);
    s->condition = computed_evaluator(cx, &s->plan.session, s->plan.condition);
    s->pairs = batch_create_needed(s->plan.both, read, BATCH_ROWS, cx->mem);
}

static enum status join_open(struct op_cx *cx, void *self)
{
    struct join *s = self;

    TRY(join_read(cx->plan, cx->config, &s->plan, cx->err));
    for (uint32_t side = 0; side < 2; side++) TRY(side_open(cx, s, side));
    condition_open(cx, s);
    s->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL,
                                 MAX(cx->batch_rows, 2u), cx->mem);
    return S_OK;
}

static void join_close(struct op_cx *cx, void *self, bool failed)
{
    struct join *s = self;

    (void)failed;
    for (uint32_t side = 0; side < 2; side++) join_side_close(cx, &s->sides[side]);
    expr_run_free(s->condition);
    batch_free(s->pairs);
    batch_free(s->out);
}

/* --- a batch: who meets whom ------------------------------------------------------------------------------------- */
static void no_keys_find(const struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in)
{
    const struct join_config *c = cx->config;
    const struct op_plan *p = cx->plan;

    memset(s->no_key, 0, sizeof s->no_key);
    for (uint32_t k = 0; k < p->key_count[input]; k++) {
        const struct vector *v = &in->cols[p->keys[input][k]];
        if (vector_values(v)->validity == NULL) continue;
        if (k < c->null_safe.count && strcmp(c->null_safe.items[k], "true") == 0) continue;
        BATCH_EACH(in, i, row) if (vector_is_null(v, row)) bit_set(s->no_key, i);
    }
}

/* Columns of the batch beside those of state: rows ours[i] (theirs[i]) make row i of `out`, whose columns are those of both sides. */
static void sides_fill(struct join *s, uint32_t input, const struct batch *in, const uint16_t *ours,
                       void *const *theirs, uint32_t n, struct batch *out)
{
    const struct join_side *other = &s->sides[1 - input];

    for (uint32_t c = 0; c < out->col_count; c++) {
        struct vector *v = &out->cols[c];
        uint32_t side = c >= s->plan.left, col = side == 0 ? c : c - s->plan.left;
        if (v->form == VEC_ABSENT) continue;
        if (side == input)
            vector_copy(v, 0, &in->cols[col], ours, n, &out->heap, out->mem);
        else
            state_rows_load(other->table, (const void *const *)theirs, n, (uint32_t)other->fields[col], v, 0,
                            &out->heap, out->mem);
    }
    out->count = n;
}

/* Leaves the hits that the condition takes. */
static enum status hits_filter(struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in)
{
    struct state_hits *h = &s->hits;
    uint16_t numbers[BATCH_ROWS], taken[BATCH_ROWS];
    uint32_t n = h->count;

    if (s->condition == NULL || n == 0) return S_OK;
    for (uint32_t i = 0; i < n; i++) numbers[i] = (uint16_t)batch_row(in, h->key[i]);
    batch_clear(s->pairs);
    sides_fill(s, input, in, numbers, h->row, n, s->pairs);
    TRY(expr_select(s->condition, s->pairs, sys_wall_ms(cx->sys), taken, &n, cx->err));
    for (uint32_t i = 0; i < n; i++) {
        h->key[i] = h->key[taken[i]];
        h->row[i] = h->row[taken[i]];
    }
    h->count = n;
    return S_OK;
}

static enum status block_scan(struct join *s, uint32_t input, const struct batch *in)
{
    enum status st = join_side_scan(&s->sides[1 - input], batch_rows(in), &s->scan, &s->hits);

    if (st != S_OK && st != S_MORE) return st;
    s->scan_more = st == S_MORE;
    s->hit = s->repeat = 0;
    return S_OK;
}

/* All that may be pending, then the batch's own rows are taken in. */
static enum status batch_begin(struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS];

    batch_hash(in, p->keys[input], p->key_count[input], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[input], p->key_count[input], hashes);
    no_keys_find(cx, s, input, in);
    TRY(join_side_find(&s->sides[1 - input], &keys, s->no_key));
    TRY(join_side_reserve(&s->sides[input], &keys, s->no_key));
    s->scan = (struct state_scan){0};
    TRY(block_scan(s, input, in));
    TRY(join_side_apply(&s->sides[input], in));
    s->row = s->matched = 0;
    s->begun = true;
    return hits_filter(cx, s, input, in);
}

/* --- a batch: what comes out ------------------------------------------------------------------------------------- */
static void put(struct join *s, enum row_kind kind, uint32_t ours, bool with_ours, void *theirs)
{
    uint32_t n = s->out->count++;

    s->ours[n] = (uint16_t)ours;
    s->theirs[n] = theirs;
    s->out->kinds[n] = (uint8_t)kind;
    if (with_ours)
        bit_clear(s->without_ours, n);
    else
        bit_set(s->without_ours, n);
}

/* Of what the batch's row i makes. */
static enum row_kind kind_of(const struct op_cx *cx, const struct join *s, uint32_t input, const struct batch *in,
                             uint32_t row)
{
    const struct join_config *c = cx->config;
    const struct join_kind *k = s->plan.kind;
    enum row_kind kind = batch_kind(in, row);
    bool is_plain = k->pairs && (k->alone[0] || k->alone[1]) && !s->sides[input].is_after_only;

    if (is_plain) return join_adds(in, row) ? ROW_INSERT : ROW_DELETE;
    return kind == ROW_UPDATE_BEFORE && !c->emit_before ? ROW_DELETE : kind;
}

/* The match is counted in the other side's row; answers whether that comes or goes because of it. */
static bool match_count(struct join *s, uint32_t input, bool adds)
{
    struct join_side *other = &s->sides[1 - input];
    uint32_t key = s->hits.key[s->hit];
    void *row = s->hits.row[s->hit];

    if (!other->counts || (adds && bit_get(s->sides[input].replaces, key))) return false;
    uint32_t before = join_matches(other, row);
    if (!adds && before == 0) return false; /* what is taken back was forgotten, and has not been counted */
    join_matches_change(other, key, row, adds ? before + 1 : before - 1);
    return before == (adds ? 0 : 1);
}

/* One of the pairs of the hit, and the other side's row alone where that turns. */
static void hit_emit(const struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in, uint32_t row)
{
    const struct join_kind *k = s->plan.kind;
    bool adds = join_adds(in, row);
    void *theirs = s->hits.row[s->hit];

    if (s->repeat == 0) s->turns = match_count(s, input, adds);
    enum row_kind alone = adds == k->matched ? ROW_INSERT : ROW_DELETE;
    if (s->turns && alone == ROW_DELETE) put(s, alone, row, false, theirs);
    if (k->pairs) put(s, kind_of(cx, s, input, in, row), row, true, theirs);
    if (s->turns && alone == ROW_INSERT) put(s, alone, row, false, theirs);
    s->matched++;
    if (++s->repeat < join_row_count(&s->sides[1 - input], theirs)) return;
    s->repeat = 0;
    s->hit++;
}

/* All hits of the row have been seen. */
static void row_finish(const struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in, uint32_t row)
{
    const struct join_kind *k = s->plan.kind;

    if (join_adds(in, row) && k->alone[input]) join_matches_set(&s->sides[input], s->row, s->matched);
    if (k->alone[input] && (s->matched > 0) == k->matched) put(s, kind_of(cx, s, input, in, row), row, true, NULL);
    s->matched = 0;
    s->row++;
}

/* Lists until the list is full, or more hits are needed. */
static void rows_list(const struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in)
{
    uint32_t rows = batch_rows(in);

    while (s->row < rows && s->out->count + 2 <= s->out->capacity) {
        uint32_t row = batch_row(in, s->row);
        if (s->hit < s->hits.count && s->hits.key[s->hit] == s->row)
            hit_emit(cx, s, input, in, row);
        else if (s->hit == s->hits.count && s->scan_more)
            return;
        else
            row_finish(cx, s, input, in, row);
    }
}

static void list_forward(struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in)
{
    uint32_t n = s->out->count;

    if (n == 0) return;
    sides_fill(s, input, in, s->ours, s->theirs, n, s->out);
    for (uint32_t c = 0; c < s->out->col_count; c++) {
        struct vector *v = &s->out->cols[c];
        if (v->form == VEC_ABSENT || (c >= s->plan.left) != input) continue;
        for (uint32_t i = 0; i < n; i++) {
            if (!bit_get(s->without_ours, i)) continue;
            vector_set_null(v, i);
        }
    }
    op_forward(cx, 0, s->out);
}

static enum status join_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct join *s = self;

    ASSERT(input < 2);
    if (!s->begun) TRY(batch_begin(cx, s, input, in));
    batch_clear(s->out);
    batch_use_kinds(s->out);
    rows_list(cx, s, input, in);
    if (s->row < batch_rows(in) && s->hit == s->hits.count && s->scan_more) {
        TRY(block_scan(s, input, in));
        TRY(hits_filter(cx, s, input, in));
    }
    list_forward(cx, s, input, in);
    if (s->row < batch_rows(in)) return S_MORE;
    for (uint32_t side = 0; side < 2; side++) state_done(s->sides[side].table);
    s->begun = false;
    return S_OK;
}

const struct op_type op_join = {
    .name = "join",
    .doc = "SQL: a regular join of two changelogs, whose rows are kept",
    .example = "SELECT * FROM orders LEFT JOIN payments ON orders.id = payments.order_id",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 2,
    .config_size = sizeof(struct join_config),
    .config_fields = join_config_fields,
    .instance_size = sizeof(struct join),
    .derive = join_derive,
    .needs = join_needs,
    .open = join_open,
    .on_batch = join_on_batch,
    .close = join_close,
};
