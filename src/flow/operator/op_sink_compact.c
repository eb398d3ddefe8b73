/* op_sink_compact.c - a changelog into a table whose primary key is not the changelog's own key, where only one row may stand under a
 * primary key (ON CONFLICT DO ERROR and DO NOTHING; Flink's WatermarkCompactingSinkMaterializer). As the rows of an update need not come
 * one right after the other, nothing is judged between watermarks.
 *
 * Rows wait under their event time, which is the watermark under which they left their task (op_sink_stamp.c), until the watermark is
 * there. Then, key by key: the row that was shown and those that waited are played through (upsert_rows.h). One row is left: it is
 * shown. None: what was shown goes. Several: an error, or the first stays and the others are forgotten.
 *
 * State: `waiting`, a log per (event time, primary key) of kinds and rows; `shown`, the row of each primary key; what upsert_rows has
 * is there during a watermark only. A call works on one batch of keys or of rows, S_MORE between them; what may be pending comes
 * before anything is changed. */
#include "columns/column/sql_text.h"
#include "flow/operator/upsert_rows.h"

#include <string.h>

enum phase { PHASE_SEED, PHASE_PLAY, PHASE_JUDGE };

struct compact {
    struct upsert_rows u;
    struct state_def waiting_def, shown_def;
    struct state_table *waiting, *shown;
    struct state_probe entry;           /* of `waiting` */
    uint32_t *entry_cols;               /* the kind's, then u.cols */
    struct vector *view_cols;           /* of the input, and the kind */
    struct batch *kinds;                /* its column */
    struct batch *keys, *in, *old, *out; /* old: rows that are shown */
    /* The watermark in work. */
    bool is_busy, has_keys, more_keys, has_rows, is_last_scan;
    enum phase phase;
    int64_t ns;
    struct state_cursor cursor;
    struct state_scan scan;
    struct state_hits hits;
    uint32_t done;                      /* rows of `in` that were played */
    void *heads[BATCH_ROWS], *rows[BATCH_ROWS];
    const void *left[BATCH_ROWS];
};

/* --- opening ----------------------------------------------------------------------------------------------------- */
static const struct type *entry_row(const struct op_plan *p, struct compact *s)
{
    uint32_t n = s->u.col_count, in = p->inputs[0]->child_count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 1);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + 1);

    s->entry_cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    types[0] = type_new(p->arena, T_TINYINT, 0, 0, false);
    names[0] = "$kind";
    s->entry_cols[0] = in;
    for (uint32_t i = 0; i < n; i++) {
        types[i + 1] = p->inputs[0]->children[s->u.cols[i]];
        names[i + 1] = p->inputs[0]->names[s->u.cols[i]];
        s->entry_cols[i + 1] = s->u.cols[i];
    }
    return type_row(p->arena, n + 1, names, types, false);
}

static void defs_make(struct compact *s, const struct op_plan *p, const struct upsert_config *c)
{
    s->waiting_def = (struct state_def){.name = "waiting",
                                        .version = 1,
                                        .upgrade = STATE_UPGRADE_COLUMNS,
                                        .shape = STATE_LOG,
                                        .namespaced = true,
                                        .key = s->u.rows_def.key,
                                        .value = entry_row(p, s)};
    s->shown_def = (struct state_def){.name = "shown",
                                      .version = 1,
                                      .upgrade = STATE_UPGRADE_COLUMNS,
                                      .shape = STATE_MAP,
                                      .key = s->u.rows_def.key,
                                      .value = s->u.rows_def.value,
                                      .ttl = state_ttl_of(c->ttl_ms)};
}

/* A row that is not there has NULLs for a moment. */
static struct batch *batch_nullable(struct op_cx *cx, const struct type *row, uint32_t capacity)
{
    struct arena *a = cx->plan->arena;
    const struct type **types = ARENA_ARRAY(a, const struct type *, row->child_count + 1);

    for (uint32_t i = 0; i < row->child_count; i++) types[i] = type_with_null(a, row->children[i], true);
    return batch_create(type_row(a, row->child_count, row->names, types, false), capacity, cx->mem);
}

static enum status compact_open(struct op_cx *cx, void *self)
{
    struct upsert_config rows_live = {.unique = ((const struct upsert_config *)cx->config)->unique};
    const struct op_plan *p = cx->plan;
    struct compact *s = self;
    static const char *const kind_names[] = {"$kind"};

    TRY(upsert_open(cx, &s->u, &rows_live));
    defs_make(s, p, cx->config);
    TRY(state_open(cx->state, &s->waiting_def, &s->waiting, cx->err));
    TRY(state_open(cx->state, &s->shown_def, &s->shown, cx->err));
    TRY(state_probe_init(&s->entry, s->waiting_def.value, cx->mem, cx->err));
    s->view_cols = ARENA_ARRAY(p->arena, struct vector, p->inputs[0]->child_count + 1);
    s->kinds = batch_create(type_row(p->arena, 1, kind_names, s->waiting_def.value->children, false), BATCH_ROWS, cx->mem);
    s->keys = batch_create(s->u.rows_def.key, cx->batch_rows, cx->mem);
    s->in = batch_nullable(cx, p->inputs[0], BATCH_ROWS);
    s->old = batch_nullable(cx, s->u.rows_def.value, cx->batch_rows);
    s->out = batch_create(p->inputs[0], cx->batch_rows, cx->mem);
    return S_OK;
}

static void compact_close(struct op_cx *cx, void *self, bool failed)
{
    struct compact *s = self;

    (void)cx;
    (void)failed;
    if (s->entry.mem != NULL) state_probe_release(&s->entry);
    state_close(s->shown);
    state_close(s->waiting);
    upsert_close(&s->u);
    for (struct batch **b = (struct batch *[]){s->kinds, s->keys, s->in, s->old, s->out, NULL}; *b != NULL; b++) batch_free(*b);
}

/* --- rows wait --------------------------------------------------------------------------------------------------- */
/* The batch with a column for the kinds of its rows. */
static struct batch entries_of(struct compact *s, const struct batch *in)
{
    struct batch view = *in;
    int8_t *kinds = VECTOR_VALUES(&s->kinds->cols[0], int8_t);

    for (uint32_t i = 0; i < in->count; i++) kinds[i] = (int8_t)batch_kind(in, i);
    s->kinds->count = in->count;
    memcpy(s->view_cols, in->cols, sizeof *s->view_cols * in->col_count);
    s->view_cols[in->col_count] = s->kinds->cols[0];
    view.cols = s->view_cols;
    view.col_count++;
    return view;
}

/* Rows from `first` on with one event time. */
static uint32_t run_end(const struct batch *in, const uint16_t *rows, uint32_t first)
{
    uint32_t end = first + 1;

    while (end < batch_rows(in) && batch_time(in, rows[end]) == batch_time(in, rows[first])) end++;
    return end;
}

static enum status compact_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct op_plan *p = cx->plan;
    struct compact *s = self;
    uint32_t n = batch_rows(in), end;
    uint16_t rows[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];

    ASSERT(input == 0 && !s->is_busy);
    for (uint32_t i = 0; i < n; i++) rows[i] = (uint16_t)batch_row(in, i);
    batch_hash(in, p->keys[0], p->key_count[0], hashes);
    for (uint32_t i = 0; i < n; i = end) {
        end = run_end(in, rows, i);
        struct state_keys keys = {in, p->keys[0], p->key_count[0], end - i, rows + i, hashes + i};
        TRY(state_resolve(s->waiting, batch_time(in, rows[i]), &keys, STATE_INSERT, s->heads + i, NULL));
    }
    struct batch view = entries_of(s, in);
    for (uint32_t i = 0; i < n; i = end) {
        end = run_end(in, rows, i);
        state_probe_fill(&s->entry, &view, s->entry_cols, rows + i, end - i);
        TRY(state_log_append(s->waiting, batch_time(in, rows[i]), s->heads + i, &s->entry, NULL, NULL));
    }
    state_done(s->waiting);
    return S_OK;
}

/* --- keys of an event time --------------------------------------------------------------------------------------- */
/* The next batch of keys; s->more_keys: others follow. */
static enum status keys_next(struct compact *s)
{
    uint32_t n = 0;

    if (s->has_keys) return S_OK;
    batch_clear(s->keys);
    enum status st = state_each(s->waiting, s->ns, &s->cursor, s->keys, NULL, s->heads, &n);
    if (st != S_OK && st != S_MORE) return st;
    s->more_keys = st == S_MORE;
    s->keys->count = n;
    s->has_keys = true;
    s->has_rows = false;
    s->scan = (struct state_scan){0};
    return S_OK;
}

/* The batch of keys is done: on to the next one, or to the next phase. */
static void keys_done(struct compact *s)
{
    s->has_keys = false;
    if (s->more_keys) return;
    s->cursor = (struct state_cursor){0};
    s->phase++;
}

static struct state_keys keys_of(const struct compact *s, const uint32_t *cols, uint64_t *hashes)
{
    batch_hash(s->keys, cols, s->keys->col_count, hashes);
    return (struct state_keys){s->keys, cols, s->keys->col_count, s->keys->count, NULL, hashes};
}

/* Row k of s->in has the primary key number[k] of s->keys, and the columns of rows[k] from field `first` on. */
static void rows_fill(struct op_cx *cx, struct compact *s, const struct state_table *t, uint32_t first, const uint16_t *number,
                      void *const *rows, uint32_t n)
{
    const struct op_plan *p = cx->plan;

    batch_clear(s->in);
    batch_use_kinds(s->in);
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        vector_copy(&s->in->cols[p->keys[0][k]], 0, &s->keys->cols[k], number, n, &s->in->heap, s->in->mem);
    for (uint32_t i = 0; i < s->u.col_count; i++)
        state_rows_load(t, (const void *const *)rows, n, first + i, &s->in->cols[s->u.cols[i]], 0, &s->in->heap, s->in->mem);
    s->in->count = n;
}

static void key_columns(const struct op_cx *cx, uint32_t *cols)
{
    for (uint32_t k = 0; k < cx->plan->key_count[0]; k++) cols[k] = k;
}

/* --- seeding and playing ----------------------------------------------------------------------------------------- */
/* The rows of s->in change what is there. */
static enum status rows_play(struct op_cx *cx, struct compact *s)
{
    bool was_last;
    void *row;

    TRY(upsert_resolve(cx, &s->u, s->in));
    for (; s->done < s->in->count; s->done++) {
        enum row_kind kind = batch_kind(s->in, s->done);
        bool adds = kind == ROW_INSERT || kind == ROW_UPDATE_AFTER;
        if (adds) TRY(upsert_add(&s->u, s->in, s->done, &row));
        else TRY(upsert_remove(&s->u, s->in, s->done, &row, &was_last));
    }
    upsert_done(&s->u);
    s->done = 0;
    return S_OK;
}

/* What is shown of the keys is there before what waited. */
static enum status keys_seed(struct op_cx *cx, struct compact *s)
{
    uint16_t numbers[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    uint32_t cols[OP_KEYS_MAX], n = 0;

    TRY(keys_next(s));
    key_columns(cx, cols);
    struct state_keys keys = keys_of(s, cols, hashes);
    TRY(state_resolve(s->shown, 0, &keys, STATE_READ, s->rows, NULL));
    for (uint32_t i = 0; i < s->keys->count; i++) {
        if (s->rows[i] == NULL) continue;
        s->rows[n] = s->rows[i];
        numbers[n++] = (uint16_t)i;
    }
    rows_fill(cx, s, s->shown, 0, numbers, s->rows, n);
    memset(s->in->kinds, ROW_INSERT, n);
    if (n > 0) TRY(rows_play(cx, s));
    state_done(s->shown);
    keys_done(s);
    return S_MORE;
}

static enum status keys_play(struct op_cx *cx, struct compact *s)
{
    TRY(keys_next(s));
    if (!s->has_rows) {
        enum status st = state_scan(s->waiting, s->ns, s->heads, s->keys->count, &s->scan, &s->hits);
        if (st != S_OK && st != S_MORE) return st;
        s->has_rows = true;
        rows_fill(cx, s, s->waiting, 1, s->hits.key, s->hits.row, s->hits.count);
        batch_clear(s->kinds);
        state_rows_load(s->waiting, (const void *const *)s->hits.row, s->hits.count, 0, &s->kinds->cols[0], 0, &s->kinds->heap,
                        s->kinds->mem);
        if (s->hits.count > 0) memcpy(s->in->kinds, VECTOR_VALUES(&s->kinds->cols[0], int8_t), s->hits.count);
        s->is_last_scan = st == S_OK;
    }
    if (s->in->count > 0) TRY(rows_play(cx, s));
    s->has_rows = false;
    if (s->is_last_scan) keys_done(s);
    return S_MORE;
}

/* --- judging ----------------------------------------------------------------------------------------------------- */
static enum status conflict(struct op_cx *cx, const struct compact *s, uint32_t i)
{
    struct buf key;

    buf_init(&key, cx->mem);
    for (uint32_t k = 0; k < s->keys->col_count; k++) {
        buf_printf(&key, "%s%s=", k > 0 ? ", " : "", s->u.rows_def.key->names[k]);
        sql_text_print(&s->keys->cols[k], i, NULL, &key);
    }
    enum status st = err_set(cx->err, E_DATA,
                             "Primary key constraint violation: multiple distinct records with the same primary key detected. "
                             "Conflicting key: [%s]. Use ON CONFLICT DO NOTHING to keep the first record.",
                             buf_text(&key));
    buf_release(&key);
    return st;
}

static bool is_same(const struct compact *s, uint32_t i)
{
    for (uint32_t f = 0; f < s->u.col_count; f++)
        if (vector_compare(&s->old->cols[f], i, &s->in->cols[s->u.cols[f]], i) != 0) return false;
    return true;
}

/* What becomes of key i: the kind of its change, or -1 when there is none. */
static int verdict(const struct compact *s, uint32_t i, uint32_t count)
{
    bool was_shown = state_is_set(s->shown, i);

    if (count == 0) return was_shown ? ROW_DELETE : -1;
    if (!was_shown) return ROW_INSERT;
    return count > 1 || is_same(s, i) ? -1 : ROW_UPDATE_AFTER;
}

static void key_show(struct op_cx *cx, struct compact *s, uint32_t i, enum row_kind kind)
{
    const struct op_plan *p = cx->plan;
    uint16_t number = (uint16_t)i;
    uint32_t n = s->out->count++;

    s->out->kinds[n] = (uint8_t)kind;
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        vector_copy(&s->out->cols[p->keys[0][k]], n, &s->keys->cols[k], &number, 1, &s->out->heap, s->out->mem);
    for (uint32_t f = 0; f < s->u.col_count; f++) {
        uint32_t col = s->u.cols[f];
        const struct vector *from = kind == ROW_DELETE ? &s->old->cols[f] : &s->in->cols[col];
        vector_copy(&s->out->cols[col], n, from, &number, 1, &s->out->heap, s->out->mem);
        if (kind != ROW_DELETE) state_rows_store(s->shown, 0, &s->rows[i], 1, f, from, &number);
    }
    if (kind == ROW_DELETE) state_erase(s->shown, i);
    else state_write(s->shown, i);
}

/* The first of what is left of each key, and what is shown of it, beside each other. */
static enum status keys_load(struct op_cx *cx, struct compact *s)
{
    uint16_t numbers[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    uint32_t cols[OP_KEYS_MAX], n = s->keys->count;

    key_columns(cx, cols);
    struct state_keys keys = keys_of(s, cols, hashes);
    TRY(state_resolve(s->shown, 0, &keys, STATE_RESERVE, s->rows, NULL));
    TRY(state_resolve(s->u.rows, 0, &keys, STATE_READ, s->u.heads, NULL));
    for (uint32_t i = 0; i < n; i++) {
        numbers[i] = (uint16_t)i;
        s->left[i] = s->u.heads[i] != NULL ? upsert_edge(&s->u, i, false) : NULL;
    }
    rows_fill(cx, s, s->u.rows, 0, numbers, (void *const *)s->left, n);
    batch_clear(s->old);
    for (uint32_t f = 0; f < s->u.col_count; f++)
        state_rows_load(s->shown, (const void *const *)s->rows, n, f, &s->old->cols[f], 0, &s->old->heap, s->old->mem);
    s->old->count = n;
    return S_OK;
}

static enum status keys_judge(struct op_cx *cx, struct compact *s)
{
    const struct upsert_config *c = cx->config;

    TRY(keys_next(s));
    TRY(keys_load(cx, s));
    batch_clear(s->out);
    batch_use_kinds(s->out);
    for (uint32_t i = 0; i < s->keys->count; i++) {
        uint32_t count = upsert_count(&s->u, i);
        if (count > 1 && c->fails) return conflict(cx, s, i);
        int kind = verdict(s, i, count);
        if (kind >= 0) key_show(cx, s, i, (enum row_kind)kind);
    }
    state_done(s->u.rows);
    state_done(s->shown);
    keys_done(s);
    if (s->out->count > 0) op_forward(cx, 0, s->out);
    return S_MORE;
}

/* --- watermarks -------------------------------------------------------------------------------------------------- */
/* The earliest event time that the watermark has reached. */
static bool time_next(struct compact *s, int64_t watermark)
{
    uint32_t count;
    const int64_t *times = state_namespaces(s->waiting, &count);

    if (count == 0 || times[0] > watermark) return false;
    s->ns = times[0];
    s->phase = PHASE_SEED;
    s->cursor = (struct state_cursor){0};
    s->is_busy = true;
    return true;
}

static enum status compact_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    static enum status (*const phases[])(struct op_cx *, struct compact *) = {keys_seed, keys_play, keys_judge};
    struct compact *s = self;

    if (!s->is_busy && !time_next(s, watermark)) return S_OK;
    if (s->phase <= PHASE_JUDGE) return phases[s->phase](cx, s);
    state_done(s->waiting);
    state_drop(s->waiting, s->ns);
    state_drop(s->u.rows, 0);
    state_drop(s->u.places, 0);
    s->is_busy = false;
    return S_MORE;
}

const struct op_type op_sink_compact = {
    .name = "sink_compact",
    .doc = "SQL: the one row under a table's primary key, at each watermark; the first of several, or an error",
    .example = "INSERT INTO users SELECT name, city FROM logins GROUP BY name, city ON CONFLICT DO NOTHING",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct upsert_config),
    .config_fields = upsert_config_fields,
    .instance_size = sizeof(struct compact),
    .derive = upsert_derive,
    .open = compact_open,
    .on_batch = compact_on_batch,
    .on_watermark = compact_on_watermark,
    .close = compact_close,
};
