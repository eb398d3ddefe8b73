/* op_join_window.c - SQL's join of windows: pairs of rows with equal keys that lie in the same window, once, when it ends; also rows that
 * have a partner there, or none.
 *
 * Rows say in a column when their window ends. Each side keeps them in a log per key, a namespace per end, which is dropped whole. When
 * time passes the end, the keys of the left side are walked, and each of its rows meets what the other side has under its key; then,
 * where rows of the right side come without a partner, the keys of the right side. Candidates are listed, the condition is evaluated
 * on the whole list, and what is left goes out. Behind the last partner of a row stands the row alone: there it is known whether it
 * has met any.
 *
 * Invariants: NULL in a key matches nothing, unless the key is null-safe. A list holds no more rows than the output. Rows are only
 * added; those of windows that have ended are late: dropped and counted. The row's event time is end - 1. */
#include "flow/operator/computed.h"
#include "flow/operator/join_pairs.h"
#include "flow/operator/join_window.h"
#include "flow/operator/window_ends.h"
#include "ground/base/str.h"

#include <string.h>

struct side {
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;
    uint32_t *cols; /* of the input, as in the value row */
    int *fields;    /* per column of the input; -1: not kept */
    uint32_t end_col;
    struct batch *keys;
};

enum { PARTNERS_MAX = 8 * BATCH_ROWS }; /* rows of a key that are listed in one call */
enum phase { IDLE, LEFT_ROWS, RIGHT_ROWS };
/* A candidate is a pair, or a row that is through: what it has met stands before it, or is known. */
enum mark { PAIR, ROW_END, WITH_PARTNER, WITHOUT_PARTNER };

struct join_window {
    struct join_plan plan;
    struct side sides[2];
    struct window_ends ends;
    struct batch *out, *tested; /* tested: what the condition reads */
    struct expr_run *condition; /* NULL: none */
    uint32_t plain[OP_KEYS_MAX];
    bool null_safe[OP_KEYS_MAX];
    void *heads[BATCH_ROWS], *partners[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    /* what fires */
    enum phase phase;
    int64_t end;
    bool is_loaded, is_last, scan_more;
    struct state_cursor cursor;
    uint32_t n, hit;
    struct state_scan scan;
    struct state_hits hits;
    /* the row at hand, and what the other side has under its key */
    bool has_matched; /* in an earlier list, or this one */
    void **theirs;
    uint32_t their_count, their_capacity, their_at, their_key;
    struct state_scan their_scan; /* their rows are listed from there on */
    bool their_listed;            /* all of them are */
    /* candidates */
    uint32_t count;
    const void *left[BATCH_ROWS], *right[BATCH_ROWS];
    uint8_t marks[BATCH_ROWS]; /* enum mark */
};

static const struct config_field join_window_config_fields[] = {
    CONFIG_FIELD(join_window_config, kind, CONF_TEXT, "inner, left, right, full, semi, anti"),
    CONFIG_FIELD(join_window_config, names, CONF_TEXTS, "names of the columns of both sides"),
    CONFIG_FIELD(join_window_config, condition, CONF_BYTES,
                 "an encoded BOOLEAN expression over both sides; empty: none"),
    CONFIG_FIELD(join_window_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_FIELD(join_window_config, null_safe, CONF_TEXTS, "per key: true when NULL equals NULL; empty: never"),
    CONFIG_FIELD(join_window_config, left_end, CONF_TEXT, "column with the end of a left row's window"),
    CONFIG_FIELD(join_window_config, windows_zone, CONF_TEXT, "time zone in which windows of instants lie; empty: UTC"),
    CONFIG_FIELD(join_window_config, right_end, CONF_TEXT, "column with the end of a right row's window"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static struct join_spec spec_of(const struct join_window_config *c)
{
    return (struct join_spec){
        .kind = c->kind, .names = c->names, .condition = c->condition, .zone = c->zone, .keeps_times = true};
}

static enum status end_column(const struct op_plan *p, const struct join_window_config *c, uint32_t input,
                              uint32_t *out, struct err *e)
{
    const char *name = input == 0 ? c->left_end : c->right_end;
    int col = op_plan_field(p, input, name, e);

    if (col < 0) return E_GRAPH;
    *out = (uint32_t)col;
    const struct type *t = p->inputs[input]->children[col];
    if (t->kind == T_BIGINT || (t->kind == T_TIMESTAMP && t->precision <= 3)) return S_OK; /* ms */
    return err_set(e, E_GRAPH, "'%s' is no time in ms", name);
}

static enum status join_window_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct join_window_config *c = config;
    struct join_spec spec = spec_of(c);
    struct join_plan plan;
    uint32_t end;

    for (uint32_t i = 0; i < 2; i++) TRY(end_column(p, c, i, &end, e));
    return join_plan_derive(p, &spec, &plan, e);
}

static void join_window_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                              uint64_t *const *inputs)
{
    const struct join_window_config *c = config;
    struct join_spec spec = spec_of(c);
    struct join_plan plan;
    uint32_t end;

    if (join_plan_read(p, &spec, &plan, NULL) != S_OK) return;
    for (uint32_t side = 0; side < 2; side++) {
        join_columns_read(&plan, side, p->inputs[side]->child_count, outputs[0], inputs[side]);
        for (uint32_t i = 0; i < p->key_count[side]; i++) bit_set(inputs[side], p->keys[side][i]);
        if (end_column(p, c, side, &end, NULL) == S_OK) bit_set(inputs[side], end);
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static enum status side_open(struct op_cx *cx, struct join_window *s, uint32_t input)
{
    const struct op_plan *p = cx->plan;
    struct side *side = &s->sides[input];
    uint32_t count = p->inputs[input]->child_count;
    uint64_t *kept = arena_zalloc(p->arena, sizeof *kept * (count / 64 + 1));

    join_columns_read(&s->plan, input, count, cx->needed_out != NULL ? cx->needed_out[0] : NULL, kept);
    TRY(end_column(p, cx->config, input, &side->end_col, cx->err));
    side->def = (struct state_def){
        .name = input == 0 ? "left" : "right",
        .version = 1,
        .upgrade = STATE_UPGRADE_COLUMNS,
        .shape = STATE_LOG,
        .namespaced = true,
        .key = join_key_row(p, input),
        .value = join_columns_kept(p->arena, p->inputs[input], kept, &side->cols, &side->fields)};
    TRY(state_open(cx->state, &side->def, &side->table, cx->err));
    TRY(state_probe_init(&side->probe, side->def.value, cx->mem, cx->err));
    side->keys = batch_create(side->def.key, cx->batch_rows, cx->mem);
    return S_OK;
}

static void condition_open(struct op_cx *cx, struct join_window *s)
{
    uint64_t *read = arena_zalloc(cx->plan->arena, sizeof *read * (s->plan.both->child_count / 64 + 1));

    if (s->plan.condition == NULL) return;
    expr_columns(s->plan.condition, read);
    s->condition = computed_evaluator(cx, &s->plan.session, s->plan.condition);
    s->tested = batch_create_needed(s->plan.both, read, BATCH_ROWS, cx->mem);
}

static enum status join_window_open(struct op_cx *cx, void *self)
{
    const struct join_window_config *c = cx->config;
    struct join_spec spec = spec_of(c);
    struct join_window *s = self;

    TRY(join_plan_read(cx->plan, &spec, &s->plan, cx->err));
    for (uint32_t k = 0; k < OP_KEYS_MAX; k++) {
        s->plain[k] = k;
        s->null_safe[k] = k < c->null_safe.count && strcmp(c->null_safe.items[k], "true") == 0;
    }
    for (uint32_t i = 0; i < 2; i++) TRY(side_open(cx, s, i));
    s->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL,
                                 cx->batch_rows, cx->mem);
    condition_open(cx, s);
    return window_ends_init(&s->ends, cx, c->windows_zone);
}

static void join_window_close(struct op_cx *cx, void *self, bool failed)
{
    struct join_window *s = self;

    (void)failed;
    for (uint32_t i = 0; i < 2; i++) {
        state_close(s->sides[i].table);
        if (s->sides[i].probe.mem != NULL) state_probe_release(&s->sides[i].probe);
        batch_free(s->sides[i].keys);
    }
    expr_run_free(s->condition);
    batch_free(s->tested);
    batch_free(s->out);
    mem_free(cx->mem, s->theirs);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static enum status join_window_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct op_plan *p = cx->plan;
    struct join_window *s = self;
    struct side *side = &s->sides[input];
    struct window_ends *w = &s->ends;

    ASSERT(input < 2 && s->phase == IDLE);
    while (window_ends_next(w, in, side->end_col, p->keys[input], p->key_count[input])) {
        struct state_keys keys = {.batch = in,
                                  .cols = p->keys[input],
                                  .col_count = p->key_count[input],
                                  .count = w->n,
                                  .sel = w->rows,
                                  .hashes = w->row_hashes};
        TRY(state_resolve(side->table, w->end, &keys, STATE_INSERT, s->heads, NULL));
        state_probe_fill(&side->probe, in, side->cols, w->rows, w->n);
        TRY(state_log_append(side->table, w->end, s->heads, &side->probe, NULL, NULL));
        state_done(side->table);
        window_ends_done(w);
    }
    return S_OK;
}

/* --- firing: whom rows meet --------------------------------------------------------------------------------------- */
static bool end_first(struct state_table *table, int64_t *end)
{
    uint32_t count;
    const int64_t *live = state_namespaces(table, &count);

    if (count > 0) *end = MIN(*end, live[0]);
    return count > 0;
}

static void walk_begin(struct join_window *s, enum phase phase)
{
    s->phase = phase;
    s->is_loaded = s->is_last = s->has_matched = false;
    s->cursor = (struct state_cursor){0};
    s->their_at = 0;
}

/* The window that ends first, by `watermark`. */
static bool window_begin(struct join_window *s, int64_t watermark)
{
    int64_t end = INT64_MAX;

    if (s->phase != IDLE) return true;
    bool any = end_first(s->sides[0].table, &end);
    any |= end_first(s->sides[1].table, &end);
    if (!any || end - 1 > watermark) return false;
    s->end = end;
    walk_begin(s, LEFT_ROWS);
    return true;
}

static bool key_is_null(const struct join_window *s, const struct batch *keys, uint32_t row)
{
    for (uint32_t k = 0; k < keys->col_count; k++)
        if (!s->null_safe[k] && vector_is_null(&keys->cols[k], row)) return true;
    return false;
}

/* The next keys of the side that is walked, and what both sides have under them. S_END: there are no more. */
static enum status keys_load(struct join_window *s, uint32_t side)
{
    struct batch *keys = s->sides[side].keys;

    if (!s->is_loaded) {
        if (s->is_last) return S_END;
        batch_clear(keys);
        s->n = 0;
        enum status st = state_each(s->sides[side].table, s->end, &s->cursor, keys, NULL, s->heads, &s->n);
        if (st != S_OK && st != S_MORE) return st;
        s->is_last = st == S_OK;
        s->is_loaded = s->scan_more = true;
        s->scan = (struct state_scan){0};
        s->hits.count = s->hit = 0;
        s->their_key = UINT32_MAX;
        batch_hash(keys, s->plain, keys->col_count, s->hashes);
    }
    if (s->their_key == UINT32_MAX && s->hits.count == 0) {
        struct state_keys found = state_keys_of(keys, s->plain, keys->col_count, s->hashes);
        TRY(state_resolve(s->sides[1 - side].table, s->end, &found, STATE_READ, s->partners, NULL));
        for (uint32_t i = 0; i < s->n; i++)
            if (s->partners[i] != NULL && key_is_null(s, keys, i)) s->partners[i] = NULL;
    }
    if (s->hit < s->hits.count || !s->scan_more) return S_OK;
    enum status st = state_scan(s->sides[side].table, s->end, s->heads, s->n, &s->scan, &s->hits);
    if (st != S_OK && st != S_MORE) return st;
    s->scan_more = st == S_MORE;
    s->hit = 0;
    return S_OK;
}

/* All rows of the other side under key number `key`. false: there may be more, but time is up. */
static bool partners_find(struct op_cx *cx, struct join_window *s, uint32_t other, uint32_t key)
{
    void *row;

    if (s->their_key != key) {
        s->their_key = key;
        s->their_count = 0;
        s->their_scan = (struct state_scan){0};
        s->their_listed = s->partners[key] == NULL;
    }
    for (uint32_t n = 0; !s->their_listed; n++) {
        if (n == PARTNERS_MAX) return false;
        row = state_head_next(s->sides[other].table, s->end, s->partners[key], &s->their_scan);
        s->their_listed = row == NULL;
        if (row == NULL) break;
        if (s->their_count == s->their_capacity) {
            s->their_capacity = MAX(s->their_capacity * 2, 64u);
            s->theirs = mem_realloc(cx->mem, s->theirs, sizeof *s->theirs * s->their_capacity);
        }
        s->theirs[s->their_count++] = row;
    }
    return true;
}

static void candidate(struct join_window *s, uint32_t side, const void *mine, const void *other, enum mark mark)
{
    s->left[s->count] = side == 0 ? mine : other;
    s->right[s->count] = side == 0 ? other : mine;
    s->marks[s->count++] = (uint8_t)mark;
}

/* Candidates of the rows at hand, as many as fit. Where nobody asks for more than whether a row has partners, it comes alone. */
static void candidates_list(struct op_cx *cx, struct join_window *s, uint32_t side)
{
    bool alone = s->plan.kind->alone[side], counts = (side == 1 || !s->plan.kind->pairs) && s->condition == NULL;

    for (; s->hit < s->hits.count; s->hit++) {
        const void *mine = s->hits.row[s->hit];
        if (!partners_find(cx, s, 1 - side, s->hits.key[s->hit])) return;
        while (!counts && s->their_at < s->their_count && s->count < s->out->capacity)
            candidate(s, side, mine, s->theirs[s->their_at++], PAIR);
        if (s->count == s->out->capacity && (alone || (!counts && s->their_at < s->their_count))) return;
        if (alone)
            candidate(s, side, mine, NULL, !counts ? ROW_END : s->their_count > 0 ? WITH_PARTNER : WITHOUT_PARTNER);
        s->their_at = 0;
    }
}

/* --- firing: what comes out ---------------------------------------------------------------------------------------- */
static void side_fill(const struct join_window *s, uint32_t input, const void *const *rows, uint32_t n,
                      struct batch *out)
{
    const struct side *side = &s->sides[input];
    uint32_t first = input == 0 ? 0 : s->plan.left,
             last = input == 0 ? MIN(s->plan.left, out->col_count) : out->col_count;

    for (uint32_t c = first; c < last; c++)
        if (out->cols[c].form != VEC_ABSENT)
            state_rows_load(side->table, rows, n, (uint32_t)side->fields[c - first], &out->cols[c], 0, &out->heap,
                            out->mem);
}

/* Sets the bits of candidates that the condition takes. */
static enum status condition_test(struct op_cx *cx, struct join_window *s, uint64_t *passes)
{
    const void *left[BATCH_ROWS], *right[BATCH_ROWS];
    uint16_t numbers[BATCH_ROWS], taken[BATCH_ROWS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->count; i++) {
        if (s->marks[i] != PAIR) continue;
        if (s->condition == NULL) bit_set(passes, i);
        left[n] = s->left[i];
        right[n] = s->right[i];
        numbers[n++] = (uint16_t)i;
    }
    if (s->condition == NULL || n == 0) return S_OK;
    batch_clear(s->tested);
    side_fill(s, 0, left, n, s->tested);
    side_fill(s, 1, right, n, s->tested);
    s->tested->count = n;
    TRY(expr_select(s->condition, s->tested, sys_wall_ms(cx->sys), taken, &n, cx->err));
    for (uint32_t i = 0; i < n; i++) bit_set(passes, numbers[taken[i]]);
    return S_OK;
}

static enum status candidates_emit(struct op_cx *cx, struct join_window *s, uint32_t side)
{
    uint64_t passes[BATCH_ROWS / 64] = {0};
    uint32_t n = 0;

    TRY(condition_test(cx, s, passes));
    for (uint32_t i = 0; i < s->count; i++) {
        bool is_out = bit_get(passes, i) && side == 0 && s->plan.kind->pairs;
        s->has_matched |= bit_get(passes, i);
        if (s->marks[i] != PAIR) {
            bool has = s->marks[i] == ROW_END ? s->has_matched : s->marks[i] == WITH_PARTNER;
            is_out = has == s->plan.kind->matched;
            s->has_matched = false;
        }
        if (!is_out) continue;
        s->left[n] = s->left[i];
        s->right[n++] = s->right[i];
    }
    s->count = 0;
    if (n == 0) return S_OK;
    batch_clear(s->out);
    side_fill(s, 0, s->left, n, s->out);
    if (s->plan.kind->pairs) side_fill(s, 1, s->right, n, s->out);
    s->out->count = n;
    batch_use_times(s->out);
    for (uint32_t i = 0; i < n; i++) s->out->times[i] = window_zone_instant(&s->ends.zone, s->end - 1);
    op_forward(cx, 0, s->out);
    return S_OK;
}

/* The walk of the phase at hand is over. */
static void walk_end(struct join_window *s)
{
    if (s->phase == LEFT_ROWS && s->plan.kind->pairs && s->plan.kind->alone[1]) {
        walk_begin(s, RIGHT_ROWS);
        return;
    }
    for (uint32_t i = 0; i < 2; i++) state_drop(s->sides[i].table, s->end);
    s->phase = IDLE;
}

/* One list of candidates, or the end of a walk, per call. */
static enum status join_window_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct join_window *s = self;

    if (!window_begin(s, window_zone_passed(&s->ends.zone, watermark))) return S_OK;
    uint32_t side = s->phase == RIGHT_ROWS;
    enum status st = keys_load(s, side);
    if (st == S_END) {
        walk_end(s);
        return S_MORE;
    }
    TRY(st);
    candidates_list(cx, s, side);
    TRY(candidates_emit(cx, s, side));
    if (s->hit < s->hits.count || s->scan_more) return S_MORE;
    for (uint32_t i = 0; i < 2; i++) state_done(s->sides[i].table);
    s->is_loaded = false;
    return S_MORE;
}

const struct op_type op_join_window = {
    .name = "join_window",
    .doc = "SQL: pairs of rows with equal keys that lie in the same window, when it ends",
    .example = "SELECT * FROM windowed a JOIN windowed b ON a.id = b.id AND a.window_start = b.window_start AND "
               "a.window_end = b.window_end",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 2,
    .config_size = sizeof(struct join_window_config),
    .config_fields = join_window_config_fields,
    .instance_size = sizeof(struct join_window),
    .derive = join_window_derive,
    .needs = join_window_needs,
    .open = join_window_open,
    .on_batch = join_window_on_batch,
    .on_watermark = join_window_on_watermark,
    .close = join_window_close,
};
