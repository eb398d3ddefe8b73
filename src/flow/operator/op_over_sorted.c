/* op_over_sorted.c - SQL's aggregates OVER all rows up to the current one in the order of a value that is no time, over a changelog: a
 * row that comes or goes changes the results of those behind it, which are updated one by one.
 *
 * State: an ordered map, (partition, value) -> row and the words of the calls up to it. A row is worked on in groups: the rows of its
 * own value, then value by value what stands behind; with ROWS every row is a group. Each takes the words of the one before, adds its
 * rows, and is done when that is what it had already: then nothing behind it changes either. What comes out, and its sequence, is that
 * of Flink's operators, whatever the batches.
 *
 * Invariants: a row's group is begun only when its walk is there; a pair of changes goes out only when the output has room for both.
 * What is emitted lies in the state, removed rows too, until the batch is done. Results that are values are those of over_values.h.
 * DISTINCT looks at all rows before, too (over_distinct.h). Not here: what is folded of all values at once (PERCENTILE). */
#include "flow/operator/over_sorted.h"
#include "flow/operator/over_distinct.h"
#include "flow/operator/over_values.h"
#include "flow/state/shape.h"

#include <string.h>

enum { WORK_MAX = 16 * BATCH_ROWS }; /* rows looked at in one call */

struct over_sorted {
    const struct over_sorted_config *config;
    struct group_call *calls;
    uint32_t call_count, first_result, first_value, order, words, word_offset; /* words: bytes of the calls in a row */
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;  /* the values of the batch */
    uint32_t *cols, col_count; /* that are kept: column i of the input is field i */
    struct batch *out, *work;  /* work: rows of the walk from work_first on */
    uint32_t work_first, work_count;
    uint32_t done, used, worked;
    bool is_resolved;
    void *heads[BATCH_ROWS];
    /* the row in work */
    bool is_begun, is_added, is_emitting, is_same; /* is_same: the group at hand has the words that it had */
    uint8_t walking;        /* enum where: what is being walked, from `scan` on */
    struct state_scan scan;
    void *before;           /* the last row of a lesser value; NULL: there is none */
    uint32_t peers;         /* rows of its value */
    void *mine;
    uint32_t mine_at; /* of the walk */
    void **walk;      /* rows of its value and behind, in order */
    uint32_t walk_count, walk_capacity;
    uint32_t group, end, step; /* of the walk: the group at hand, the next one to be emitted */
    struct over_values values; /* results at hand that are values */
    struct over_distinct distinct;
    bool *left_out;            /* by call: the row at hand is not for it */
    void **lesser;             /* DISTINCT: all rows of lesser values */
    uint32_t lesser_count, lesser_capacity;
    char *acc;                 /* words behind the group */
    /* changes */
    char *snapshots;
    const void *from[BATCH_ROWS + 2];
    void *accs[BATCH_ROWS + 2];
    uint16_t numbers[BATCH_ROWS + 2];
};

static const struct config_field over_sorted_config_fields[] = {
    GROUP_CALLS_FIELDS(offsetof(struct over_sorted_config, calls)),
    GROUP_CALLS_FIELD(offsetof(struct over_sorted_config, calls), emit_before, CONF_BOOL, "updates come with the row before"),
    GROUP_CALLS_FIELD(offsetof(struct over_sorted_config, calls), ttl_ms, CONF_INT, "ms until an untouched row is forgotten; 0: never"),
    CONFIG_FIELD(over_sorted_config, order, CONF_TEXT, "column by which rows are ordered"),
    CONFIG_FIELD(over_sorted_config, nulls_last, CONF_BOOL, "NULL is behind all values, not before"),
    CONFIG_FIELD(over_sorted_config, rows, CONF_BOOL,
                 "ROWS: each row by itself; else RANGE, rows of equal values together"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status over_sorted_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct over_sorted_config *c = config;
    const struct type *in = p->inputs[0];
    uint32_t n = in->child_count, calls = c->calls.functions.count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + calls);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + calls);
    struct group_call *read;

    if (c->order == NULL) return err_set(e, E_CONFIG, "order is missing");
    if (op_plan_field(p, 0, c->order, e) < 0) return E_GRAPH;
    TRY(group_calls_read(p->arena, p, &c->calls, &read, e));
    memcpy(types, in->children, sizeof *types * n);
    memcpy(names, in->names, sizeof *names * n);
    for (uint32_t i = 0; i < calls; i++) {
        if ((read[i].agg.keep != AGG_KEEP_NOTHING && !over_value_fits(&read[i])) ||
            read[i].filter >= 0 || read[i].agg.type->open != NULL)
            return err_set(e, E_UNSUPPORTED, "%s of this type is not supported yet OVER a window that is not ordered by time",
                           read[i].agg.type->name);
        types[n + i] = read[i].agg.result;
        names[n + i] = c->calls.names.items[i];
    }
    p->outputs[0] = type_row(p->arena, n + calls, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void over_sorted_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                              uint64_t *const *inputs)
{
    const struct over_sorted_config *c = config;
    struct group_call *calls;
    int order = op_plan_field(p, 0, c->order, NULL);

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (order >= 0) bit_set(inputs[0], (uint32_t)order);
    if (group_calls_read(p->arena, p, &c->calls, &calls, NULL) != S_OK) return;
    for (uint32_t i = 0; i < c->calls.functions.count; i++)
        if (calls[i].agg.argument != NULL) bit_set(inputs[0], calls[i].agg.col);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static bool is_kept(const struct op_cx *cx, uint32_t col)
{
    const struct op_plan *p = cx->plan;

    for (uint32_t k = 0; k < p->key_count[0]; k++)
        if (p->keys[0][k] == col) return false;
    return cx->needed_in == NULL || cx->needed_in[0] == NULL || bit_get(cx->needed_in[0], col);
}

/* The columns that are kept, then the words of the calls, then results that are values. */
static const struct type *kept_row(struct op_cx *cx, struct over_sorted *s)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = p->inputs[0]->child_count, words = 0;

    for (uint32_t i = 0; i < s->call_count; i++) words += s->calls[i].agg.words;
    s->words = words * (uint32_t)sizeof(int64_t);
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + words + s->call_count);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + words + s->call_count);
    s->cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (!is_kept(cx, i)) continue;
        types[s->col_count] = p->inputs[0]->children[i];
        names[s->col_count] = arena_printf(p->arena, "c%u", i);
        s->cols[s->col_count++] = i;
    }
    for (uint32_t w = 0; w < words; w++) {
        types[s->col_count + w] = type_new(p->arena, T_BIGINT, 0, 0, false);
        names[s->col_count + w] = arena_printf(p->arena, "w%u", w);
    }
    n = s->first_value = s->col_count + words;
    for (uint32_t i = 0; i < s->call_count; i++) {
        if (!over_value_fits(&s->calls[i])) continue;
        types[n] = type_with_null(p->arena, s->calls[i].agg.result, true);
        names[n++] = arena_printf(p->arena, "v%u", i);
    }
    return type_row(p->arena, n, names, types, false);
}

/* The words lie behind each other: fields keep their order. */
static void words_place(struct over_sorted *s)
{
    uint32_t words = s->words / (uint32_t)sizeof(int64_t), at = 0;

    for (uint32_t w = 0; w < words; w++) {
        uint32_t offset = s->table->value.fields[s->col_count + w].offset;
        if (w == 0) s->word_offset = offset;
        ASSERT(offset == s->word_offset + w * sizeof(int64_t));
    }
    for (uint32_t i = 0; i < s->call_count; i++) {
        s->calls[i].agg.offset = at;
        at += s->calls[i].agg.words * (uint32_t)sizeof(int64_t);
    }
}

static enum status over_sorted_open(struct op_cx *cx, void *self)
{
    const struct over_sorted_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct over_sorted *s = self;
    uint32_t rows = MAX(cx->batch_rows, 2u);

    s->config = c;
    s->call_count = c->calls.functions.count;
    s->first_result = p->inputs[0]->child_count;
    s->order = (uint32_t)op_plan_field(p, 0, c->order, cx->err);
    TRY(group_calls_read(p->arena, p, &c->calls, &s->calls, cx->err));
    s->def = (struct state_def){
        .name = "rows",
        .version = 1,
        .shape = STATE_ORDERED,
        .sort_nulls_last = c->nulls_last,
        .key = type_row_of(p->arena, p->inputs[0], p->keys[0], p->key_count[0]),
        .sort_key = type_row_of(p->arena, p->inputs[0], &s->order, 1),
        .value = kept_row(cx, s),
        .ttl = state_ttl_of(c->calls.ttl_ms)};
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    TRY(state_probe_init(&s->probe, s->def.sort_key, cx->mem, cx->err));
    words_place(s);
    over_values_open(&s->values, cx, s->calls, s->call_count, s->first_result, s->first_value);
    s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, rows, cx->mem);
    s->work = batch_create_needed(p->inputs[0], cx->needed_in != NULL ? cx->needed_in[0] : NULL, BATCH_ROWS, cx->mem);
    int *fields = ARENA_ARRAY(p->arena, int, p->inputs[0]->child_count + 1);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++) fields[i] = -1;
    for (uint32_t i = 0; i < s->col_count; i++) fields[s->cols[i]] = (int)i;
    over_distinct_open(&s->distinct, cx, s->calls, s->call_count, fields);
    s->left_out = mem_zalloc(cx->mem, s->call_count + 1);
    s->acc = mem_alloc(cx->mem, s->words + sizeof(int64_t));
    s->snapshots = mem_alloc(cx->mem, (size_t)(s->words + sizeof(int64_t)) * rows);
    return S_OK;
}

static void over_sorted_close(struct op_cx *cx, void *self, bool failed)
{
    struct over_sorted *s = self;

    (void)failed;
    state_close(s->table);
    state_probe_release(&s->probe);
    batch_free(s->out);
    batch_free(s->work);
    over_values_close(&s->values);
    over_distinct_close(&s->distinct);
    mem_free(cx->mem, s->left_out);
    mem_free(cx->mem, s->lesser);
    mem_free(cx->mem, s->acc);
    mem_free(cx->mem, s->snapshots);
    mem_free(cx->mem, s->walk);
}

/* --- changes ----------------------------------------------------------------------------------------------------- */
static char *words_of(const struct over_sorted *s, void *row) { return (char *)row + s->word_offset; }

static bool has_room(const struct over_sorted *s) { return s->used + 2 <= s->out->capacity && s->worked < WORK_MAX; }

/* With the results that a row has, or with those at hand. */
static void put(struct over_sorted *s, void *row, enum row_kind kind, bool own)
{
    uint32_t n = s->used++;

    ASSERT_ROW(n < s->out->capacity);
    s->from[n] = row;
    s->numbers[n] = (uint16_t)s->done;
    s->out->kinds[n] = (uint8_t)kind;
    s->accs[n] = s->snapshots + (size_t)n * (s->words + sizeof(int64_t));
    memcpy(s->accs[n], own ? words_of(s, row) : s->acc, s->words);
    over_values_put(&s->values, s->table, own ? row : NULL, s->out, n);
}

/* The results at hand are those of the row from now on. */
static void results_store(struct over_sorted *s, void *row)
{
    memcpy(words_of(s, row), s->acc, s->words);
    over_values_store(&s->values, s->table, row);
}

static void changes_emit(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = s->used;

    for (uint32_t i = 0; i < n; i++) s->numbers[i] = (uint16_t)batch_row(in, s->numbers[i]);
    s->out->count = n;
    for (uint32_t k = 0; k < p->key_count[0]; k++) {
        struct vector *v = &s->out->cols[p->keys[0][k]];
        if (v->form != VEC_ABSENT)
            vector_copy(v, 0, &in->cols[p->keys[0][k]], s->numbers, n, &s->out->heap, s->out->mem);
    }
    for (uint32_t i = 0; i < s->col_count; i++) {
        struct vector *v = &s->out->cols[s->cols[i]];
        if (v->form != VEC_ABSENT) state_rows_load(s->table, s->from, n, i, v, 0, &s->out->heap, s->out->mem);
    }
    for (uint32_t c = 0; c < s->call_count; c++) {
        struct vector *v = &s->out->cols[s->first_result + c];
        if (v->form != VEC_ABSENT && s->calls[c].agg.keep == AGG_KEEP_NOTHING)
            s->calls[c].agg.type->result(&s->calls[c].agg, s->accs, n, v, 0);
    }
    if (n > 0) op_forward(cx, 0, s->out);
}

/* --- the rows of a partition ------------------------------------------------------------------------------------- */
static void walk_add(struct op_cx *cx, struct over_sorted *s, void *const *rows, uint32_t count)
{
    while (s->walk_count + count > s->walk_capacity) {
        s->walk_capacity = MAX(s->walk_capacity * 2, 64u);
        s->walk = mem_realloc(cx->mem, s->walk, sizeof *s->walk * s->walk_capacity);
    }
    if (count > 0) memcpy(s->walk + s->walk_count, rows, sizeof *rows * count);
    s->walk_count += count;
    s->worked += count;
}

static void lesser_add(struct op_cx *cx, struct over_sorted *s, void *const *rows, uint32_t count)
{
    while (s->lesser_count + count > s->lesser_capacity) {
        s->lesser_capacity = MAX(s->lesser_capacity * 2, 64u);
        s->lesser = mem_realloc(cx->mem, s->lesser, sizeof *s->lesser * s->lesser_capacity);
    }
    if (count > 0) memcpy(s->lesser + s->lesser_count, rows, sizeof *rows * count);
    s->lesser_count += count;
    s->worked += count;
}

enum where { LESSER, BEFORE, EQUAL, BEHIND }; /* the value of the row in work; lesser: all of these, as DISTINCT asks what they have */

/* Appends rows of its partition to the walk, of those before only the last; or all lesser ones to these. S_MORE: time is up. */
static enum status walk_rows(struct op_cx *cx, struct over_sorted *s)
{
    enum where where = (enum where)s->walking;
    struct state_probe bound = s->probe;
    struct state_range r = {.from = where > BEFORE ? &bound : NULL,
                            .to = where != BEHIND ? &bound : NULL,
                            .from_open = where == BEHIND,
                            .to_open = where <= BEFORE,
                            .descending = where == BEFORE,
                            .limit = where == BEFORE ? 1 : 0};
    struct state_hits hits;
    enum status st;

    bound.rows = state_probe_at(&s->probe, s->done);
    bound.count = 1;
    do {
        if (s->worked >= WORK_MAX) return S_MORE;
        st = state_ordered_scan(s->table, 0, &s->heads[s->done], 1, &r, &s->scan, &hits);
        if (st != S_OK && st != S_MORE) return st;
        if (where == LESSER) lesser_add(cx, s, hits.row, hits.count);
        else walk_add(cx, s, hits.row, hits.count);
    } while (st == S_MORE);
    memset(&s->scan, 0, sizeof s->scan);
    return S_OK;
}

/* Loads what is read of the rows of the walk around the i-th one, and of the one before it. */
static void work_load(struct op_cx *cx, struct over_sorted *s, const struct batch *in, uint32_t i)
{
    const struct op_plan *p = cx->plan;
    uint32_t first = i > 0 ? i - 1 : 0, n = MIN(s->walk_count - first, (uint32_t)BATCH_ROWS);
    uint16_t rows[BATCH_ROWS];

    if (s->work_count > 0 && i >= s->work_first && i < s->work_first + s->work_count) return;
    batch_clear(s->work);
    for (uint32_t f = 0; f < s->col_count; f++)
        state_rows_load(s->table, (const void *const *)s->walk + first, n, f, &s->work->cols[s->cols[f]], 0,
                        &s->work->heap, s->work->mem);
    for (uint32_t k = 0; k < n; k++) rows[k] = (uint16_t)batch_row(in, s->done);
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        vector_copy(&s->work->cols[p->keys[0][k]], 0, &in->cols[p->keys[0][k]], rows, n, &s->work->heap, s->work->mem);
    s->work_first = first;
    s->work_count = n;
}

static void row_store(struct over_sorted *s, const struct batch *in)
{
    uint16_t row = (uint16_t)batch_row(in, s->done);

    for (uint32_t i = 0; i < s->col_count; i++)
        state_rows_store(s->table, 0, &s->mine, 1, i, &in->cols[s->cols[i]], &row);
}

/* The first of the rows walked that equals the row in work; -1: none does. */
static int64_t equal_find(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    uint32_t row = batch_row(in, s->done);

    for (uint32_t i = 0, f; i < s->walk_count; i++) {
        work_load(cx, s, in, i);
        for (f = 0; f < s->col_count; f++)
            if (vector_compare(&s->work->cols[s->cols[f]], i - s->work_first, &in->cols[s->cols[f]], row) != 0) break;
        if (f == s->col_count) return i;
    }
    return -1;
}

/* --- groups ------------------------------------------------------------------------------------------------------ */
/* Do rows i - 1 and i of the walk belong to one group? */
static bool is_together(struct op_cx *cx, struct over_sorted *s, const struct batch *in, uint32_t i)
{
    if (s->config->rows || i >= s->walk_count) return false;
    work_load(cx, s, in, i);
    return vector_compare(&s->work->cols[s->order], i - 1 - s->work_first, &s->work->cols[s->order],
                          i - s->work_first) == 0;
}

/* MIN and MAX count their values; nothing is taken back here, and with a count no row would ever leave them as they were. */
static void words_settle(struct over_sorted *s)
{
    for (uint32_t c = 0; c < s->call_count; c++) {
        const struct agg *a = &s->calls[c].agg;
        if (a->keep != AGG_KEEP_NOTHING || (strcmp(a->type->name, "min") != 0 && strcmp(a->type->name, "max") != 0))
            continue;
        int64_t *count = agg_word(a, s->acc, 1);
        *count = *count > 0;
    }
}

/* Adds the rows of the group that begins at s->group; sets where it ends. */
static void group_sum(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    s->end = s->step = s->group;
    do {
        void *acc = s->acc;
        work_load(cx, s, in, s->end);
        uint16_t row = (uint16_t)(s->end - s->work_first);
        bool is_mine = s->walk[s->end] == s->mine, counts = s->is_added || !is_mine;
        if (counts) over_distinct_add(&s->distinct, s->work, row, in, batch_row(in, s->done), is_mine, s->left_out);
        for (uint32_t c = 0; c < s->call_count && counts; c++) {
            const struct agg *a = &s->calls[c].agg;
            if (a->keep == AGG_KEEP_NOTHING && !s->left_out[c])
                a->type->add(a, &acc, a->argument != NULL ? &s->work->cols[a->col] : NULL, &row, 1);
        }
        if (counts) over_values_add(&s->values, s->work, row, s->left_out);
        s->end++;
        s->worked++;
    } while (is_together(cx, s, in, s->end));
    words_settle(s);
}

/* Did the words of the group's rows stay what they were? True where there is none but the row in work. */
static bool is_same(struct over_sorted *s)
{
    if (!over_distinct_settled(&s->distinct)) return false;
    for (uint32_t i = s->group; i < s->end; i++)
        if (s->walk[i] != s->mine)
            return memcmp(words_of(s, s->walk[i]), s->acc, s->words) == 0 &&
                   over_values_same(&s->values, s->table, s->walk[i]);
    return true;
}

static void put_mine(struct over_sorted *s, enum row_kind kind)
{
    if (!s->is_added) {
        put(s, s->mine, ROW_DELETE, true);
        return;
    }
    results_store(s, s->mine);
    put(s, s->mine, kind, false);
}

/* S_MORE: the output is full. */
static enum status group_emit(struct over_sorted *s, enum row_kind kind, bool same)
{
    for (; s->step < s->end; s->step++) {
        void *row = s->walk[s->step];
        if (row != s->mine && same) continue;
        if (!has_room(s)) return S_MORE;
        if (row == s->mine) {
            put_mine(s, kind);
            continue;
        }
        if (s->config->calls.emit_before) put(s, row, ROW_UPDATE_BEFORE, true);
        results_store(s, row);
        state_row_write(s->table, 0, s->heads[s->done], row);
        put(s, row, ROW_UPDATE_AFTER, false);
    }
    return S_OK;
}

/* Group after group until nothing changes any more. */
static enum status groups_go(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    enum row_kind kind = batch_kind(in, batch_row(in, s->done));

    for (;;) {
        if (!s->is_emitting) {
            if (!has_room(s)) return S_MORE;
            group_sum(cx, s, in);
            s->is_same = is_same(s);
            s->is_emitting = true;
        }
        TRY(group_emit(s, kind, s->is_same));
        s->is_emitting = false;
        bool has_mine = s->mine_at >= s->group && s->mine_at < s->end;
        s->group = s->end;
        if (s->group >= s->walk_count || (s->is_same && !has_mine)) return S_OK;
    }
}

/* --- a row ------------------------------------------------------------------------------------------------------- */
/* With ROWS those of its own value that stand before it are before, too. */
static void distinct_begin(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    if (s->distinct.count == 0) return;
    lesser_add(cx, s, s->walk, s->group);
    over_distinct_begin(&s->distinct, s->table, s->lesser, s->lesser_count, s->walk_count, in, batch_row(in, s->done));
}

/* Where the first group begins, and the words before it: with ROWS they are those of the row before. */
static void groups_begin(struct op_cx *cx, struct over_sorted *s, const struct batch *in, void *before)
{
    s->group = s->config->rows ? s->mine_at : 0;
    if (s->group > 0) before = s->walk[s->group - 1];
    distinct_begin(cx, s, in);
    over_values_begin(&s->values, s->table, before);
    if (before != NULL)
        memcpy(s->acc, words_of(s, before), s->words);
    else
        memset(s->acc, 0, s->words);
    s->is_emitting = false;
    s->work_count = 0;
}

/* The rows of its value and those behind; before it only the last. S_MORE: time is up. */
static enum status row_walk(struct op_cx *cx, struct over_sorted *s)
{
    if (s->walking == LESSER) {
        if (s->scan.step == 0) s->lesser_count = 0;
        if (s->distinct.count > 0) TRY(walk_rows(cx, s));
        s->walk_count = s->work_count = 0;
        s->walking = BEFORE;
    }
    if (s->walking == BEFORE) {
        TRY(walk_rows(cx, s));
        s->before = s->walk_count > 0 ? s->walk[0] : NULL;
        s->walk_count = 0;
        s->walking = EQUAL;
    }
    if (s->walking == EQUAL) {
        TRY(walk_rows(cx, s));
        s->peers = s->walk_count;
        s->walking = BEHIND;
    }
    TRY(walk_rows(cx, s));
    s->walking = LESSER;
    return S_OK;
}

/* A row that is taken back and is not there is passed over: *is_there. */
static enum status row_begin(struct op_cx *cx, struct over_sorted *s, const struct batch *in, bool *is_there)
{
    enum row_kind kind = batch_kind(in, batch_row(in, s->done));
    struct state_probe one = s->probe;

    TRY(row_walk(cx, s));
    uint32_t peers = s->peers;
    s->is_added = kind == ROW_INSERT || kind == ROW_UPDATE_AFTER;
    *is_there = true;
    if (s->is_added) {
        one.rows = state_probe_at(&s->probe, s->done);
        one.count = 1;
        TRY(state_ordered_insert(s->table, 0, &s->heads[s->done], &one, &s->mine, NULL));
        row_store(s, in);
        walk_add(cx, s, &s->mine, 1);
        memmove(s->walk + peers + 1, s->walk + peers, sizeof *s->walk * (s->walk_count - 1 - peers));
        s->walk[peers] = s->mine;
        s->mine_at = peers;
    } else {
        uint32_t all = s->walk_count;
        s->walk_count = peers;
        int64_t at = equal_find(cx, s, in);
        s->walk_count = all;
        *is_there = at >= 0;
        if (at < 0) return S_OK;
        s->mine_at = (uint32_t)at;
        s->mine = s->walk[at];
        state_row_remove(s->table, 0, s->heads[s->done], s->mine);
    }
    groups_begin(cx, s, in, s->before);
    return S_OK;
}

/* --- a batch ----------------------------------------------------------------------------------------------------- */
static enum status resolve(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS];
    uint16_t all[BATCH_ROWS];

    if (s->is_resolved) return S_OK;
    batch_hash(in, p->keys[0], p->key_count[0], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], hashes);
    TRY(state_resolve(s->table, 0, &keys, STATE_RESERVE, s->heads, NULL));
    for (uint32_t i = 0; i < batch_rows(in); i++) all[i] = (uint16_t)batch_row(in, i);
    state_probe_fill(&s->probe, in, &s->order, all, batch_rows(in));
    s->is_resolved = true;
    return S_OK;
}

/* S_MORE: the output is full, or time is up. */
static enum status rows_work(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    for (uint32_t n = batch_rows(in); s->done < n; s->done++) {
        if (!s->is_begun) {
            bool is_there;
            if (!has_room(s)) return S_MORE;
            TRY(row_begin(cx, s, in, &is_there));
            if (!is_there) continue;
            s->is_begun = true;
        }
        TRY(groups_go(cx, s, in));
        s->is_begun = false;
    }
    return S_OK;
}

static enum status over_sorted_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct over_sorted *s = self;
    enum status st;

    ASSERT(input == 0 && s->done <= batch_rows(in));
    TRY(resolve(cx, s, in));
    batch_clear(s->out);
    batch_use_kinds(s->out);
    s->used = s->worked = 0;
    st = rows_work(cx, s, in);
    if (st != S_OK && st != S_MORE && (st != S_PENDING || s->used == 0)) return st;
    changes_emit(cx, s, in);
    if (st != S_OK) return S_MORE; /* what is pending is asked for again, behind what was emitted */
    state_done(s->table);
    s->done = 0;
    s->is_resolved = false;
    return S_OK;
}

const struct op_type op_over_sorted = {
    .name = "over_sorted",
    .doc = "SQL: every row of a changelog with aggregates of the rows before it in the order of a value",
    .example = "SELECT *, SUM(price) OVER (PARTITION BY item ORDER BY price) FROM bids",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct over_sorted_config),
    .config_fields = over_sorted_config_fields,
    .instance_size = sizeof(struct over_sorted),
    .derive = over_sorted_derive,
    .needs = over_sorted_needs,
    .open = over_sorted_open,
    .on_batch = over_sorted_on_batch,
    .close = over_sorted_close,
};
