/* op_changelog_normalize.c - upserts, or changes of which some may come twice, as a changelog: +I for a key that was not there, -U and
 * +U for one that was, -D with the whole row for one that goes. What changes nothing, and what takes away a key that is not there, is
 * left out.
 *
 * State: map key -> the other columns that are needed, as they were last. A condition, where there is one, belongs to the rows: one for
 * which it is not true is as good as gone, and only those for which it is are kept.
 *
 * The keys of a batch are resolved at the top. Then it is worked on in stretches in which no key comes twice, so that the rows before
 * are loaded, compared and stored column by column. Of a key only the last row of the batch counts, as in Flink's mini-batches, and
 * rows before updates go out first; with emit_every each row has its change, in order, and a stretch ends before a key comes again.
 *
 * With a time to live a row that changes nothing is an update all the same: it keeps the row alive further down (Flink's rule). */
#include "columns/expr/expr.h"
#include "flow/operator/computed.h"
#include "flow/operator/group_firsts.h"
#include "flow/operator/normalize_config.h"

#include "ground/base/str.h"

#include <string.h>

/* A row of a stretch. */
struct normalize_row {
    uint16_t row, key;  /* of the batch; of its keys */
    uint16_t old;       /* the row before, in `old`, when was_there */
    bool was_there;
    int8_t change;      /* enum row_kind: ROW_INSERT, ROW_UPDATE_AFTER, ROW_DELETE; -1: none */
};

struct normalize {
    struct fn_session session;
    struct expr_run *condition; /* NULL: none */
    struct state_def def;
    struct state_table *table;
    uint32_t *cols, col_count; /* that are kept; column i is field i */
    struct batch *out, *old;   /* old: rows before, of the stretch */
    bool is_resolved;
    struct group_firsts unique;
    void *rows[BATCH_ROWS];              /* by key of the batch */
    uint64_t passes[BATCH_ROWS / 64];    /* by row of the batch */
    uint16_t worked[BATCH_ROWS];         /* which of the selected rows make changes, in order */
    uint32_t worked_count, done;
    uint32_t seen[BATCH_ROWS], generation; /* by key: the stretch that it was in last */
    struct normalize_row stretch[BATCH_ROWS];
    uint32_t count; /* of the stretch */
    const void *from[BATCH_ROWS];
    void *to[BATCH_ROWS];
    uint16_t numbers[BATCH_ROWS];
};

static const struct config_field normalize_config_fields[] = {
    CONFIG_FIELD(normalize_config, condition, CONF_BYTES, "an encoded BOOLEAN expression that cannot fail; empty keeps every row"),
    CONFIG_FIELD(normalize_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_FIELD(normalize_config, emit_before, CONF_BOOL, "updates come with the row before"),
    CONFIG_FIELD(normalize_config, emit_every, CONF_BOOL, "every row makes a change, not every batch"),
    CONFIG_FIELD(normalize_config, ttl_ms, CONF_INT, "ms until a key that is not written is forgotten; 0: never"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status condition_read(const struct op_plan *p, const struct normalize_config *c, const struct fn_session *session,
                                  struct expr **out, struct err *e)
{
    const struct expr_maker m = {.a = p->arena, .session = session};
    const uint8_t *at = (const uint8_t *)c->condition.data;

    *out = NULL;
    if (c->condition.size == 0) return S_OK;
    TRY(expr_decode(&m, p->inputs[0], &at, at + c->condition.size, out, e));
    return (*out)->type->kind == T_BOOLEAN ? S_OK : err_set(e, E_GRAPH, "the condition is not BOOLEAN");
}

static struct fn_session session_of(const struct op_plan *p, const struct normalize_config *c)
{
    return (struct fn_session){.zone = str_of(c->zone), .users = p->users};
}

static enum status normalize_derive(struct op_plan *p, const void *config, struct err *e)
{
    struct fn_session session = session_of(p, config);
    struct expr *condition;

    if (p->key_count[0] == 0) return err_set(e, E_GRAPH, "changes are normalized by key: the input needs one");
    TRY(condition_read(p, config, &session, &condition, e));
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void normalize_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    struct fn_session session = session_of(p, config);
    struct expr *condition;

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (condition_read(p, config, &session, &condition, NULL) == S_OK && condition != NULL) expr_columns(condition, inputs[0]);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static bool is_kept(const struct op_cx *cx, uint32_t col)
{
    const struct op_plan *p = cx->plan;

    if (cx->needed_out != NULL && cx->needed_out[0] != NULL && !bit_get(cx->needed_out[0], col)) return false;
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        if (p->keys[0][k] == col) return false;
    return true;
}

static const struct type *kept_row(struct op_cx *cx, struct normalize *s)
{
    const struct op_plan *p = cx->plan;

    s->cols = ARENA_ARRAY(p->arena, uint32_t, p->inputs[0]->child_count + 1);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (is_kept(cx, i)) s->cols[s->col_count++] = i;
    return type_row_of(p->arena, p->inputs[0], s->cols, s->col_count);
}

static enum status normalize_open(struct op_cx *cx, void *self)
{
    const struct normalize_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    const uint64_t *needed = cx->needed_out != NULL ? cx->needed_out[0] : NULL;
    struct normalize *s = self;
    struct expr *condition;

    s->session = session_of(p, c);
    TRY(condition_read(p, c, &s->session, &condition, cx->err));
    if (condition != NULL) s->condition = computed_evaluator(cx, &s->session, condition);
    s->def = (struct state_def){.name = "rows",
                                .version = 1,
                                .upgrade = STATE_UPGRADE_COLUMNS,
                                .shape = STATE_MAP,
                                .key = type_row_of(p->arena, p->inputs[0], p->keys[0], p->key_count[0]),
                                .value = kept_row(cx, s),
                                .ttl = state_ttl_of(c->ttl_ms)};
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    s->out = batch_create_needed(p->outputs[0], needed, MAX(cx->batch_rows, 2u), cx->mem);
    s->old = batch_create_needed(p->outputs[0], needed, MAX(cx->batch_rows, 2u), cx->mem);
    return S_OK;
}

static void normalize_close(struct op_cx *cx, void *self, bool failed)
{
    struct normalize *s = self;

    (void)cx;
    (void)failed;
    expr_run_free(s->condition);
    state_close(s->table);
    batch_free(s->out);
    batch_free(s->old);
}

/* --- the top of a batch ------------------------------------------------------------------------------------------ */
static enum status passes_find(struct op_cx *cx, struct normalize *s, const struct batch *in)
{
    uint16_t rows[BATCH_ROWS];
    uint32_t n = 0;

    if (s->condition == NULL) return S_OK;
    memset(s->passes, 0, sizeof s->passes);
    TRY(expr_select(s->condition, in, sys_wall_ms(cx->sys), rows, &n, cx->err));
    for (uint32_t i = 0; i < n; i++) bit_set(s->passes, rows[i]);
    return S_OK;
}

/* All rows, or the last one of each key. */
static void worked_find(struct normalize *s, uint32_t rows, bool every)
{
    uint64_t later[BATCH_ROWS / 64] = {0};
    uint32_t n = BATCH_ROWS;

    for (uint32_t i = rows; i-- > 0;) {
        if (!every && bit_get(later, s->unique.key_of[i])) continue;
        bit_set(later, s->unique.key_of[i]);
        s->worked[--n] = (uint16_t)i;
    }
    s->worked_count = BATCH_ROWS - n;
    memmove(s->worked, s->worked + n, sizeof *s->worked * s->worked_count);
}

static enum status resolve(struct op_cx *cx, struct normalize *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS];

    if (s->is_resolved) return S_OK;
    batch_hash(in, p->keys[0], p->key_count[0], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], hashes);
    group_firsts_find(&s->unique, &keys);
    TRY(state_resolve(s->table, 0, &s->unique.keys, STATE_RESERVE, s->rows, NULL));
    TRY(passes_find(cx, s, in));
    worked_find(s, batch_rows(in), ((const struct normalize_config *)cx->config)->emit_every);
    s->is_resolved = true;
    return S_OK;
}

/* --- a stretch --------------------------------------------------------------------------------------------------- */
/* As many rows as the output has room for with the rows before them, and no key twice. */
static void stretch_take(struct normalize *s, const struct batch *in)
{
    uint32_t first = s->done, old = 0;

    s->count = 0;
    s->generation++;
    for (; s->done < s->worked_count && 2 * (s->done - first + 1) <= s->out->capacity; s->done++) {
        uint32_t i = s->worked[s->done], key = s->unique.key_of[i];
        if (s->seen[key] == s->generation) break;
        s->seen[key] = s->generation;
        struct normalize_row *r = &s->stretch[s->count++];
        *r = (struct normalize_row){.row = (uint16_t)batch_row(in, i), .key = (uint16_t)key, .was_there = state_is_set(s->table, key)};
        if (r->was_there) r->old = (uint16_t)old++;
    }
}

static void old_load(struct op_cx *cx, struct normalize *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    struct batch *old = s->old;
    uint32_t n = 0;

    batch_clear(old);
    for (uint32_t i = 0; i < s->count; i++) {
        if (!s->stretch[i].was_there) continue;
        s->from[n] = s->rows[s->stretch[i].key];
        s->numbers[n++] = s->stretch[i].row;
    }
    if (n == 0) return;
    for (uint32_t f = 0; f < s->col_count; f++)
        state_rows_load(s->table, s->from, n, f, &old->cols[s->cols[f]], 0, &old->heap, old->mem);
    for (uint32_t k = 0; k < p->key_count[0]; k++) {
        struct vector *v = &old->cols[p->keys[0][k]];
        if (v->form != VEC_ABSENT) vector_copy(v, 0, &in->cols[p->keys[0][k]], s->numbers, n, &old->heap, old->mem);
    }
    old->count = n;
}

static bool is_same(const struct normalize *s, const struct batch *in, const struct normalize_row *r)
{
    for (uint32_t f = 0; f < s->col_count; f++)
        if (vector_compare(&s->old->cols[s->cols[f]], r->old, &in->cols[s->cols[f]], r->row) != 0) return false;
    return true;
}

static int8_t change_of(const struct normalize *s, const struct batch *in, const struct normalize_row *r, bool skips_same)
{
    enum row_kind kind = batch_kind(in, r->row);
    bool adds = kind == ROW_INSERT || kind == ROW_UPDATE_AFTER;
    bool passes = adds && (s->condition == NULL || bit_get(s->passes, r->row));

    if (!r->was_there) return passes ? ROW_INSERT : -1;
    if (!passes) return ROW_DELETE; /* what the condition reads need not be kept: it comes first */
    return skips_same && is_same(s, in, r) ? -1 : ROW_UPDATE_AFTER;
}

/* --- what goes out ----------------------------------------------------------------------------------------------- */
/* Where a row that goes out comes from: the rows before, or the batch. */
struct normalize_put {
    bool is_old;
    uint16_t row;
};

static uint32_t put_old(struct normalize *s, const struct normalize_row *r, bool before, struct normalize_put *puts, uint32_t n)
{
    bool goes = r->change == ROW_DELETE || (r->change == ROW_UPDATE_AFTER && before);

    if (!goes) return n;
    s->out->kinds[n] = (uint8_t)(r->change == ROW_DELETE ? ROW_DELETE : ROW_UPDATE_BEFORE);
    puts[n] = (struct normalize_put){true, r->old};
    return n + 1;
}

static uint32_t put_new(struct normalize *s, const struct normalize_row *r, struct normalize_put *puts, uint32_t n)
{
    if (r->change != ROW_INSERT && r->change != ROW_UPDATE_AFTER) return n;
    s->out->kinds[n] = (uint8_t)r->change;
    puts[n] = (struct normalize_put){false, r->row};
    return n + 1;
}

/* Neighbours from one side are copied together. */
static void puts_copy(struct normalize *s, const struct batch *in, const struct normalize_put *puts, uint32_t count)
{
    struct batch *out = s->out;

    for (uint32_t first = 0, n; first < count; first += n) {
        const struct batch *from = puts[first].is_old ? s->old : in;
        for (n = 0; first + n < count && puts[first + n].is_old == puts[first].is_old; n++) s->numbers[n] = puts[first + n].row;
        for (uint32_t c = 0; c < out->col_count; c++)
            if (out->cols[c].form != VEC_ABSENT) vector_copy(&out->cols[c], first, &from->cols[c], s->numbers, n, &out->heap, out->mem);
    }
}

static void stretch_put(struct op_cx *cx, struct normalize *s, const struct batch *in)
{
    const struct normalize_config *c = cx->config;
    struct normalize_put puts[BATCH_ROWS];
    uint32_t n = 0;

    batch_clear(s->out);
    batch_use_kinds(s->out);
    for (uint32_t i = 0; i < s->count; i++) {
        n = put_old(s, &s->stretch[i], c->emit_before, puts, n);
        if (c->emit_every) n = put_new(s, &s->stretch[i], puts, n);
    }
    for (uint32_t i = 0; i < s->count && !c->emit_every; i++) n = put_new(s, &s->stretch[i], puts, n);
    puts_copy(s, in, puts, n);
    s->out->count = n;
    if (n > 0) op_forward(cx, 0, s->out);
}

/* Rows that are there now into the state, others out of it. */
static void stretch_store(struct normalize *s, const struct batch *in)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->count; i++) {
        const struct normalize_row *r = &s->stretch[i];
        if (r->change == ROW_DELETE) state_erase(s->table, r->key);
        if (r->change != ROW_INSERT && r->change != ROW_UPDATE_AFTER) continue;
        state_write(s->table, r->key);
        s->to[n] = s->rows[r->key];
        s->numbers[n++] = r->row;
    }
    for (uint32_t f = 0; f < s->col_count && n > 0; f++)
        state_rows_store(s->table, 0, s->to, n, f, &in->cols[s->cols[f]], s->numbers);
}

static enum status normalize_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct normalize_config *c = cx->config;
    struct normalize *s = self;

    ASSERT(input == 0);
    TRY(resolve(cx, s, in));
    stretch_take(s, in);
    old_load(cx, s, in);
    for (uint32_t i = 0; i < s->count; i++) s->stretch[i].change = change_of(s, in, &s->stretch[i], c->ttl_ms == 0);
    stretch_store(s, in);
    stretch_put(cx, s, in);
    if (s->done < s->worked_count) return S_MORE;
    state_done(s->table);
    s->done = 0;
    s->is_resolved = false;
    return S_OK;
}

const struct op_type op_changelog_normalize = {
    .name = "changelog_normalize",
    .doc = "SQL: upserts, or changes that may come twice, as a changelog",
    .example = "SELECT COUNT(*) FROM users -- a table with a primary key whose source brings upserts",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct normalize_config),
    .config_fields = normalize_config_fields,
    .instance_size = sizeof(struct normalize),
    .derive = normalize_derive,
    .needs = normalize_needs,
    .open = normalize_open,
    .on_batch = normalize_on_batch,
    .close = normalize_close,
};
