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
 * In batch mode (at_end) such rows wait: pairs go out as they are found, and when both inputs have ended a walk over the side's rows
 * gives those that come alone, once. Rows that do not fit memory: join_beyond.c. One side that is read first: join_build.c.
 *
 * Invariants: NULL in a key matches nothing (unless the key is null-safe), and such a row is not kept. A call scans at most two
 * blocks and fills at most one batch. Not here: windows, time bounds, joins that keep no state. */
#include "flow/operator/join_run.h"

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
    CONFIG_FIELD(join_config, at_end, CONF_BOOL, "rows alone come when both inputs have ended, which only add rows"),
    CONFIG_FIELD(join_config, build, CONF_TEXT, "at_end: the one side that is kept, and read first: left or right; empty: both are"),
    CONFIG_FIELD(join_config, everywhere, CONF_BOOL, "all rows of that side go to each task"),
    CONFIG_FIELD(join_config, left_ttl_ms, CONF_INT, "ms until an untouched row of the left side is forgotten; 0: never"),
    CONFIG_FIELD(join_config, right_ttl_ms, CONF_INT, "ms until an untouched row of the right side is forgotten; 0: never"),
    SPILL_FIELDS(offsetof(struct join_config, spill)),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static struct join_spec spec_of(const struct join_config *c)
{
    return (struct join_spec){.kind = c->kind, .names = c->names, .condition = c->condition, .zone = c->zone};
}

static enum status join_derive(struct op_plan *p, const void *config, struct err *e)
{
    struct join_spec spec = spec_of(config);
    struct join_plan plan;

    return join_plan_derive(p, &spec, &plan, e);
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
    struct join_spec spec = spec_of(c);
    struct join_plan plan;

    if (join_plan_read(p, &spec, &plan, NULL) != S_OK) return;
    for (uint32_t side = 0; side < 2; side++) {
        const struct text_list *unique = side == 0 ? &c->left_unique : &c->right_unique;
        uint32_t *cols = ARENA_ARRAY(p->arena, uint32_t, unique->count + 1);
        join_columns_read(&plan, side, p->inputs[side]->child_count, outputs[0], inputs[side]);
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

    join_columns_read(&s->plan, side, count, cx->needed_out != NULL ? cx->needed_out[0] : NULL, kept);
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
                                  .ttl_ms = side == 0 ? c->left_ttl_ms : c->right_ttl_ms};
    if (spec.is_after_only && !spec.is_one_row && unique->count == 0)
        return err_set(cx->err, E_CONFIG, "a side whose rows are replaced needs the columns by which they are");
    return join_side_open(cx, &s->sides[side], &spec);
}

static enum status join_open(struct op_cx *cx, void *self)
{
    struct join_spec spec = spec_of(cx->config);
    struct join *s = self;

    TRY(join_plan_read(cx->plan, &spec, &s->plan, cx->err));
    TRY(join_build_open(cx, s));
    join_pairs_open(cx, &s->pairs, &s->plan);
    for (uint32_t side = 0; side < 2; side++) {
        TRY(side_open(cx, s, side));
        s->pairs.kept[side] = (struct join_kept){s->sides[side].table, s->sides[side].fields, s->sides[side].twins};
    }
    s->pairs.borrows = true;
    s->at_end = ((const struct join_config *)cx->config)->at_end;
    for (uint32_t side = 0; side < 2 && s->at_end; side++)
        s->keys[side] = batch_create(s->sides[side].def.key, MIN(cx->batch_rows, (uint32_t)BATCH_ROWS), cx->mem);
    join_beyond_open(cx, s);
    return S_OK;
}

static void join_close(struct op_cx *cx, void *self, bool failed)
{
    struct join *s = self;

    (void)failed;
    for (uint32_t side = 0; side < 2; side++) {
        join_side_close(cx, &s->sides[side]);
        batch_free(s->keys[side]);
    }
    join_pairs_close(&s->pairs);
    join_build_close(s);
    join_beyond_close(s);
}

/* --- a batch: who meets whom ------------------------------------------------------------------------------------- */
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
    join_no_keys(p, &((const struct join_config *)cx->config)->null_safe, input, in, s->no_key);
    TRY(join_side_find(&s->sides[1 - input], &keys, s->no_key));
    if (s->fate == JOIN_KEEP) TRY(join_side_reserve(&s->sides[input], &keys, s->no_key));
    s->scan = (struct state_scan){0};
    TRY(block_scan(s, input, in));
    if (s->fate == JOIN_KEEP) TRY(join_side_apply(&s->sides[input], in));
    else memcpy(s->settled, s->no_key, sizeof s->settled);
    s->row = s->matched = 0;
    s->begun = true;
    return join_pairs_filter(cx, &s->pairs, input, in, &s->hits);
}

/* --- a batch: what comes out ------------------------------------------------------------------------------------- */
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

    if (!other->counts || (adds && s->fate == JOIN_KEEP && bit_get(s->sides[input].replaces, key))) return false;
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

    if (s->repeat == 0) s->turns = match_count(s, input, adds) && !s->at_end;
    enum row_kind alone = adds == k->matched ? ROW_INSERT : ROW_DELETE;
    if (s->turns && alone == ROW_DELETE) join_pairs_put(&s->pairs, alone, row, false, theirs);
    if (k->pairs) join_pairs_put(&s->pairs, kind_of(cx, s, input, in, row), row, true, theirs);
    if (s->turns && alone == ROW_INSERT) join_pairs_put(&s->pairs, alone, row, false, theirs);
    s->matched++;
    if (++s->repeat < join_row_count(&s->sides[1 - input], theirs)) return;
    s->repeat = 0;
    s->hit++;
}

/* Of a row that is not taken in: does it come alone now? */
static bool comes_now(struct join *s, uint32_t input)
{
    const struct join_kind *k = s->plan.kind;
    bool met = s->matched > 0 || (s->fate != JOIN_ASIDE && s->marks[s->row] != 0);

    if (s->fate == JOIN_LAST) return k->alone[input] && met == k->matched;
    s->marks[s->row] = met;
    if (!met || k->pairs || !k->alone[input]) return false;
    bit_set(s->settled, s->row); /* one partner decides of a semi and an anti join */
    return k->matched;
}

/* All hits of the row have been seen. */
static void row_finish(const struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in, uint32_t row)
{
    const struct join_kind *k = s->plan.kind;
    bool waits = s->at_end && !bit_get(s->no_key, s->row), comes;

    if (s->fate == JOIN_KEEP && join_adds(in, row) && k->alone[input]) join_matches_set(&s->sides[input], s->row, s->matched);
    if (s->fate == JOIN_KEEP || !waits) comes = k->alone[input] && !waits && (s->matched > 0) == k->matched;
    else comes = comes_now(s, input);
    if (comes) join_pairs_put(&s->pairs, kind_of(cx, s, input, in, row), row, true, NULL);
    s->matched = 0;
    s->row++;
}

/* Lists until the list is full, or more hits are needed. */
static void rows_list(const struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in)
{
    uint32_t rows = batch_rows(in);

    while (s->row < rows && !join_pairs_full(&s->pairs, 2)) {
        uint32_t row = batch_row(in, s->row);
        if (s->hit < s->hits.count && s->hits.key[s->hit] == s->row)
            hit_emit(cx, s, input, in, row);
        else if (s->hit == s->hits.count && s->scan_more)
            return;
        else
            row_finish(cx, s, input, in, row);
    }
}

enum status join_meet(struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in)
{
    if (!s->begun) TRY(batch_begin(cx, s, input, in));
    join_pairs_begin(&s->pairs);
    rows_list(cx, s, input, in);
    if (s->row < batch_rows(in) && s->hit == s->hits.count && s->scan_more) {
        TRY(block_scan(s, input, in));
        TRY(join_pairs_filter(cx, &s->pairs, input, in, &s->hits));
    }
    join_pairs_forward(cx, &s->pairs, input, in);
    if (s->row < batch_rows(in)) return S_MORE;
    for (uint32_t side = 0; side < 2; side++) state_done(s->sides[side].table);
    s->begun = false;
    return S_OK;
}

static enum status join_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct join *s = self;

    ASSERT(input < 2);
    if (s->build.side == 1 - (int)input) return join_build_probe(cx, s, in);
    if (s->beyond.is_full) return join_beyond_add(cx, s, input, in);
    TRY(join_meet(cx, s, input, in));
    join_beyond_check(cx, s);
    return S_OK;
}

/* --- the end ----------------------------------------------------------------------------------------------------- */
/* The next heads of the side, and the first of their rows. */
static enum status alone_begin(struct join *s, struct join_side *side)
{
    uint32_t n = 0;

    batch_clear(s->keys[s->side]);
    enum status st = state_each(side->table, 0, &s->cursor, s->keys[s->side], NULL, side->heads, &n);
    if (st != S_OK && st != S_MORE) return st;
    s->is_last = st == S_OK;
    s->scan = (struct state_scan){0};
    s->hits.count = s->hit = s->repeat = 0;
    s->scan_more = n > 0;
    s->begun = true;
    return S_OK;
}

/* Lists rows that come alone, until the list is full or there are no more. */
static enum status alone_list(struct join *s, struct join_side *side)
{
    while (!join_pairs_full(&s->pairs, 1)) {
        if (s->hit < s->hits.count) {
            void *row = s->hits.row[s->hit];
            bool comes = (join_matches(side, row) > 0) == s->plan.kind->matched;
            if (comes) join_pairs_put(&s->pairs, ROW_INSERT, 0, false, row);
            if (comes && ++s->repeat < join_row_count(side, row)) continue;
            s->repeat = 0;
            s->hit++;
            continue;
        }
        if (!s->scan_more) return S_OK;
        if (s->pairs.out->count > 0) return S_MORE; /* what is pending must come before anything is emitted */
        enum status st = join_side_scan(side, s->keys[s->side]->count, &s->scan, &s->hits);
        if (st != S_OK && st != S_MORE) return st;
        s->scan_more = st == S_MORE;
        s->hit = 0;
    }
    return S_MORE;
}

enum status join_alone(struct op_cx *cx, struct join *s)
{
    struct join_side *side = &s->sides[s->side];

    if (!s->begun) TRY(alone_begin(s, side));
    join_pairs_begin(&s->pairs);
    enum status st = alone_list(s, side);
    if (st != S_OK && st != S_MORE) return st;
    join_pairs_forward(cx, &s->pairs, 1 - s->side, NULL);
    if (st == S_MORE) return S_MORE;
    state_done(side->table);
    s->begun = false;
    if (!s->is_last) return S_MORE;
    s->cursor = (struct state_cursor){0};
    return S_OK;
}

static enum status join_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct join *s = self;

    s->has_ended[input] = true;
    if (s->build.side != JOIN_BUILDS_BOTH && s->has_ended[s->build.side]) TRY(join_build_release(cx, s));
    if (!s->at_end || !s->has_ended[1 - input]) return S_OK;
    while (s->side < 2 && !s->plan.kind->alone[s->side]) s->side++;
    if (s->side == 2) return s->beyond.is_full ? join_beyond_run(cx, s) : S_OK;
    TRY(join_alone(cx, s));
    s->side++;
    return S_MORE;
}

const struct op_type op_join = {
    .name = "join",
    .doc = "SQL: a regular join of two changelogs, whose rows are kept",
    .example = "SELECT * FROM orders LEFT JOIN payments ON orders.id = payments.order_id",
    .flags = OP_SELECTION | OP_FORMS | OP_AT_END | OP_STATE,
    .input_count = 2,
    .config_size = sizeof(struct join_config),
    .config_fields = join_config_fields,
    .instance_size = sizeof(struct join),
    .derive = join_derive,
    .needs = join_needs,
    .open = join_open,
    .on_batch = join_on_batch,
    .on_end = join_on_end,
    .close = join_close,
};
