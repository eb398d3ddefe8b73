/* op_hash_set.c - SQL's INTERSECT and EXCEPT in batch mode, with and without ALL: rows are only added, and each comes, as often as its
 * counts on both sides say, when both inputs have ended.
 *
 * State: whole rows with the two counts, as that of op_set.c. When it takes three quarters of its memory, no more rows are made there:
 * those that it has are counted on, all others are put aside, sorted by their hash (hashed_rows.h), the side being their mark, files and
 * all. At the end they come back with equal rows together: these are counted, come out, and are forgotten before the next ones. What
 * was in memory comes last.
 *
 * Invariants: a row is not forgotten before all that have its hash have come; counts are zero once it came out, so that equal rows of
 * the same stage give nothing. Not here: rows that are taken back. */
#include "flow/operator/hashed_rows.h"
#include "flow/operator/set_config.h"
#include "flow/operator/whole_rows.h"

#include <string.h>

struct hash_set {
    struct whole_rows whole;
    struct batch *out, *keys; /* keys: rows that the walk at the end has found */
    struct state_cursor cursor;
    bool has_ended[2], is_walked, is_last;
    uint32_t done; /* rows at hand that came out */
    int64_t given; /* how often the next one did */
    uint16_t numbers[BATCH_ROWS];
    /* beyond memory */
    struct hashed_rows beyond;
    bool is_full, is_over; /* no rows are made in memory; those put aside have come back */
    bool is_fed, is_whole; /* the rows of the stage are counted; there are no more of their hashes */
    uint32_t rest_count, fed;
    uint16_t rest[BATCH_ROWS]; /* rows of the batch that are put aside */
    uint64_t hashes[BATCH_ROWS], sides[BATCH_ROWS];
};

static const struct config_field hash_set_config_fields[] = {
    CONFIG_FIELD(set_config, is_except, CONF_BOOL,
                 "rows of the first input that are not in the second; else rows of both"),
    CONFIG_FIELD(set_config, all, CONF_BOOL, "a row as often as its counts say, else once"),
    SPILL_FIELDS(offsetof(struct set_config, spill)),
    CONFIG_LAST,
};

/* --- opening ----------------------------------------------------------------------------------------------------- */
static enum status hash_set_open(struct op_cx *cx, void *self)
{
    static const char *const counts[] = {"left", "right"};
    const struct set_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    uint32_t rows = MAX(cx->batch_rows, 2u);
    struct hash_set *s = self;

    TRY(whole_rows_open(&s->whole, cx, "counts", counts, COUNT_OF(counts), 0));
    s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, rows, cx->mem);
    s->keys = batch_create(whole_rows_type(p), rows, cx->mem);
    if (c->spill.memory > 0) hashed_rows_init(&s->beyond, cx, &c->spill, c->spill.memory / 4, 0, false);
    return S_OK;
}

static void hash_set_close(struct op_cx *cx, void *self, bool failed)
{
    struct hash_set *s = self;

    (void)cx;
    (void)failed;
    whole_rows_close(&s->whole);
    batch_free(s->out);
    batch_free(s->keys);
    hashed_rows_release(&s->beyond);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static void row_count(struct hash_set *s, uint32_t i, uint32_t input)
{
    ++*whole_rows_value(&s->whole, s->whole.rows[i], input);
    state_write(s->whole.table, i);
}

/* Rows of the batch that are in memory are counted, the others are those to put aside. */
static enum status known_count(struct hash_set *s, uint32_t input, const struct batch *in)
{
    TRY(whole_rows_find(&s->whole, in, s->hashes));
    s->rest_count = 0;
    BATCH_EACH(in, i, row)
    {
        if (s->whole.rows[i] != NULL) {
            row_count(s, i, input);
            continue;
        }
        s->hashes[s->rest_count] = s->hashes[i];
        s->sides[s->rest_count] = input;
        s->rest[s->rest_count++] = (uint16_t)row;
    }
    whole_rows_done(&s->whole);
    return S_OK;
}

static enum status put_aside(struct hash_set *s, uint32_t input, const struct batch *in)
{
    struct batch view = *in;

    if (!s->beyond.is_adding) TRY(known_count(s, input, in));
    view.sel = s->rest;
    view.sel_count = s->rest_count;
    return s->rest_count == 0 ? S_OK : hashed_rows_add(&s->beyond, &view, s->hashes, s->sides);
}

static enum status hash_set_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    int64_t memory = ((const struct set_config *)cx->config)->spill.memory;
    struct hash_set *s = self;
    uint32_t rows = batch_rows(in);

    if (s->is_full) return put_aside(s, input, in);
    TRY(whole_rows_resolve(&s->whole, in));
    for (uint32_t i = 0; i < rows; i++) row_count(s, i, input);
    whole_rows_done(&s->whole);
    s->is_full = memory > 0 && state_host_bytes(cx->state) > (size_t)(memory - memory / 4);
    return S_OK;
}

/* --- results ----------------------------------------------------------------------------------------------------- */
/* Row i of those at hand as often as there is room for it; false: there is more of it. */
static bool row_give(struct hash_set *s, const struct set_config *c, uint32_t i, bool forgets)
{
    int64_t *left = whole_rows_value(&s->whole, s->whole.rows[i], 0),
            *right = whole_rows_value(&s->whole, s->whole.rows[i], 1);
    int64_t times = set_answer(c, *left, *right),
            now = MIN(times - s->given, (int64_t)(s->out->capacity - s->out->count));

    for (int64_t k = 0; k < now; k++) s->numbers[s->out->count++] = (uint16_t)i;
    s->given += now;
    if (s->given < times) return false;
    if (forgets && (*left | *right) != 0) {
        *left = *right = 0;
        state_erase(s->whole.table, i);
    }
    s->given = 0;
    return true;
}

/* The first n rows of a batch, whose counts are at hand. S_MORE: the output was full. */
static enum status rows_give(struct op_cx *cx, struct hash_set *s, const struct batch *from, uint32_t n, bool forgets)
{
    batch_clear(s->out);
    while (s->done < n && row_give(s, cx->config, s->done, forgets)) s->done++;
    for (uint32_t i = 0; i < s->out->col_count; i++) {
        struct vector *to = &s->out->cols[i];
        if (to->form != VEC_ABSENT)
            vector_copy(to, 0, &from->cols[i], s->numbers, s->out->count, &s->out->heap, s->out->mem);
    }
    if (s->out->count > 0) op_forward(cx, 0, s->out);
    if (s->done < n) return S_MORE;
    s->done = 0;
    return S_OK;
}

/* The next rows that are in memory. */
static enum status walk_on(struct op_cx *cx, struct hash_set *s)
{
    uint32_t n = 0;

    if (!s->is_walked) {
        batch_clear(s->keys);
        enum status st = state_each(s->whole.table, 0, &s->cursor, s->keys, s->whole.cols, s->whole.rows, &n);
        if (st != S_OK && st != S_MORE) return st;
        s->is_last = st == S_OK;
        s->is_walked = true;
    }
    TRY(rows_give(cx, s, s->keys, s->keys->count, false));
    state_done(s->whole.table);
    s->is_walked = false;
    return s->is_last ? S_OK : S_MORE;
}

/* --- taking up --------------------------------------------------------------------------------------------------- */
/* All rows of the stage but those whose hash may have more, or some of that one. */
static enum status stage_feed(struct hash_set *s)
{
    uint32_t whole = hashed_rows_whole(&s->beyond), n = whole > 0 ? whole : s->beyond.stage->count - 1;
    struct batch view = hashed_rows_view(&s->beyond, n);

    TRY(whole_rows_resolve(&s->whole, &view));
    for (uint32_t i = 0; i < n; i++) row_count(s, i, (uint32_t)hashed_rows_marks(&s->beyond)[i]);
    s->is_whole = whole > 0;
    s->fed = n;
    s->is_fed = true;
    return S_OK;
}

/* Some of the rows that were put aside. S_OK: there are no more. */
static enum status take_up(struct op_cx *cx, struct hash_set *s)
{
    TRY(hashed_rows_next(&s->beyond));
    if (s->beyond.stage->count == 0) return S_OK;
    if (!s->is_fed) TRY(stage_feed(s));
    struct batch view = hashed_rows_view(&s->beyond, s->fed);
    if (s->is_whole) TRY(rows_give(cx, s, &view, s->fed, true));
    whole_rows_done(&s->whole);
    hashed_rows_take(&s->beyond, s->fed);
    s->is_fed = false;
    return S_MORE;
}

static enum status hash_set_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct hash_set *s = self;

    s->has_ended[input] = true;
    if (!s->has_ended[1 - input]) return S_OK;
    if (s->beyond.count > 0 && !s->is_over) {
        TRY(take_up(cx, s));
        s->is_over = true;
    }
    return walk_on(cx, s);
}

const struct op_type op_hash_set = {
    .name = "hash_set",
    .doc = "SQL in batch mode: rows of both inputs, or of the first without those of the second, when both have ended",
    .example = "SELECT id FROM a EXCEPT SELECT id FROM b",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 2,
    .config_size = sizeof(struct set_config),
    .config_fields = hash_set_config_fields,
    .instance_size = sizeof(struct hash_set),
    .derive = set_derive,
    .open = hash_set_open,
    .on_batch = hash_set_on_batch,
    .on_end = hash_set_on_end,
    .close = hash_set_close,
};
