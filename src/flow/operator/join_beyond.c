/* join_beyond.c - a join in batch mode whose rows do not fit memory.
 *
 * When both sides take three quarters of it, no more rows are taken in. A row that comes then meets those in memory, and is put aside
 * with a mark that says whether it has met one, sorted by the hash of its key (hashed_rows.h), files and all. When both inputs have
 * ended, rows in memory have met all others: those that come alone do, and memory is empty again. What is left are pairs of rows that
 * were put aside. The rows of one side are loaded, as many as fit; those of the other side up to the same hash meet them; loaded rows
 * that come alone do; and so on.
 *
 * Where the rows of one hash do not fit (a key that all have, no key at all) some of them are loaded at a time. Rows of the other side
 * that have this hash are then needed again: they are written down anew, with their marks, and read first the next time.
 *
 * Invariants: a row comes alone when it has met all it can. A step ends with what its batches borrow still there. */
#include "flow/operator/join_run.h"

#include <string.h>

enum { SHARE_OF_SORT = 8 }; /* of the memory, each */

static int64_t memory_of(const struct op_cx *cx)
{
    const struct join_config *c = cx->config;

    return c->at_end ? c->spill.memory : 0;
}

static bool memory_is_full(const struct op_cx *cx)
{
    int64_t memory = memory_of(cx);

    return memory > 0 && state_host_bytes(cx->state) > (size_t)(memory - memory / 4);
}

void join_beyond_open(struct op_cx *cx, struct join *s)
{
    const struct spill_config *spill = &((const struct join_config *)cx->config)->spill;

    for (uint32_t side = 0; side < 2 && memory_of(cx) > 0; side++)
        hashed_rows_init(&s->beyond.rows[side], cx, spill, spill->memory / SHARE_OF_SORT, side, false);
}

void join_beyond_close(struct join *s)
{
    for (uint32_t side = 0; side < 2; side++) {
        hashed_rows_release(&s->beyond.rows[side]);
        hashed_rows_release(&s->beyond.again[side]);
    }
}

void join_beyond_check(struct op_cx *cx, struct join *s) { s->beyond.is_full = memory_is_full(cx); }

/* --- putting aside ----------------------------------------------------------------------------------------------- */
/* Rows of the batch that are not settled, with their marks. */
static void rest_add_begin(struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    struct join_beyond *b = &s->beyond;

    batch_hash(in, p->keys[input], p->key_count[input], b->hashes);
    b->rest_count = 0;
    BATCH_EACH(in, i, row)
    {
        uint32_t n = b->rest_count;
        b->rest[n] = (uint16_t)row;
        b->hashes[n] = b->hashes[i];
        s->marks[n] = s->marks[i];
        b->rest_count += !bit_get(s->settled, i);
    }
}

static enum status rest_add(struct join *s, struct hashed_rows *to, const struct batch *in)
{
    struct batch view = *in;

    if (s->beyond.rest_count == 0) return S_OK;
    view.sel = s->beyond.rest;
    view.sel_count = s->beyond.rest_count;
    return hashed_rows_add(to, &view, s->beyond.hashes, s->marks);
}

enum status join_beyond_add(struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in)
{
    struct join_beyond *b = &s->beyond;

    if (!b->is_listed) {
        s->fate = JOIN_ASIDE;
        TRY(join_meet(cx, s, input, in));
        rest_add_begin(cx, s, input, in);
        b->is_listed = true;
    }
    TRY(rest_add(s, &b->rows[input], in));
    b->is_listed = false;
    return S_OK;
}

/* --- loading ----------------------------------------------------------------------------------------------------- */
static void bound_end(struct join_beyond *b)
{
    b->is_last = true;
    b->is_split = false;
    b->bound = INT64_MAX;
    b->step = JOIN_STEP_PROBE;
}

static enum status rows_load(struct op_cx *cx, struct join *s, uint32_t n)
{
    struct join_beyond *b = &s->beyond;
    struct hashed_rows *h = &b->rows[b->build];
    struct join_side *side = &s->sides[b->build];
    const struct op_plan *p = cx->plan;
    static const uint64_t none[BATCH_ROWS / 64];
    struct batch view = hashed_rows_view(h, n);

    struct state_keys keys = state_keys_of(&view, p->keys[b->build], p->key_count[b->build], hashed_rows_hashes(h));
    TRY(join_side_reserve(side, &keys, none));
    TRY(join_side_apply(side, &view));
    for (uint32_t i = 0; i < n; i++) join_matches_set(side, i, hashed_rows_marks(h)[i] != 0);
    state_done(side->table);
    b->bound = (int64_t)hashed_rows_hashes(h)[n - 1];
    return S_OK;
}

static enum status step_load(struct op_cx *cx, struct join *s)
{
    struct join_beyond *b = &s->beyond;
    struct hashed_rows *h = &b->rows[b->build];

    TRY(hashed_rows_next(h));
    if (h->stage->count == 0) {
        bound_end(b);
        return S_MORE;
    }
    uint32_t whole = hashed_rows_whole(h), n = whole > 0 ? whole : h->stage->count;
    TRY(rows_load(cx, s, n));
    hashed_rows_take(h, n);
    if (memory_is_full(cx)) b->step = JOIN_STEP_LOOK;
    return S_MORE;
}

/* Are there more rows of the last hash? */
static enum status step_look(struct op_cx *cx, struct join *s)
{
    struct join_beyond *b = &s->beyond;
    struct hashed_rows *h = &b->rows[b->build];

    (void)cx;
    TRY(hashed_rows_next(h));
    b->is_split = h->stage->count > 0 && (int64_t)hashed_rows_hashes(h)[0] == b->bound;
    b->step = JOIN_STEP_PROBE;
    if (h->stage->count == 0) bound_end(b);
    return S_MORE;
}

/* --- probing ----------------------------------------------------------------------------------------------------- */
static struct hashed_rows *source_of(struct join_beyond *b)
{
    return b->again[b->reading].count > 0 ? &b->again[b->reading] : &b->rows[1 - b->build];
}

/* Rows of the stage that share a fate: those below the bound, else those that lie on it. */
static uint32_t rows_of_a_fate(const struct join_beyond *b, const struct hashed_rows *h, enum join_fate *fate)
{
    const uint64_t *hashes = hashed_rows_hashes(h);
    uint32_t n = 0;

    *fate = JOIN_LAST;
    while (n < h->stage->count && (int64_t)hashes[n] < b->bound) n++;
    if (n > 0) return n;
    if (b->is_split) *fate = JOIN_AGAIN;
    while (n < h->stage->count && (int64_t)hashes[n] == b->bound) n++;
    return n;
}

static enum status step_probe(struct op_cx *cx, struct join *s)
{
    struct join_beyond *b = &s->beyond;
    struct hashed_rows *h = source_of(b);

    TRY(hashed_rows_next(h));
    if (h->stage->count == 0 && h != &b->rows[1 - b->build]) {
        hashed_rows_clear(h);
        return S_MORE;
    }
    b->probed = rows_of_a_fate(b, h, &s->fate);
    if (b->probed == 0) {
        b->step = JOIN_STEP_ALONE;
        return S_MORE;
    }
    struct batch view = hashed_rows_view(h, b->probed);
    if (!s->begun) memcpy(s->marks, hashed_rows_marks(h), sizeof *s->marks * b->probed);
    TRY(join_meet(cx, s, 1 - b->build, &view));
    if (s->fate == JOIN_AGAIN) rest_add_begin(cx, s, 1 - b->build, &view);
    b->step = JOIN_STEP_PROBED;
    return S_MORE;
}

static enum status step_probed(struct op_cx *cx, struct join *s)
{
    const struct join_config *c = cx->config;
    struct join_beyond *b = &s->beyond;
    struct hashed_rows *h = source_of(b), *again = &b->again[1 - b->reading];

    if (s->fate == JOIN_AGAIN) {
        struct batch view = hashed_rows_view(h, b->probed);
        if (again->cx == NULL)
            hashed_rows_init(again, cx, &c->spill, c->spill.memory / SHARE_OF_SORT, 1 - b->build, false);
        TRY(rest_add(s, again, &view));
    }
    hashed_rows_take(h, b->probed);
    b->step = JOIN_STEP_PROBE;
    return S_MORE;
}

/* --- the course -------------------------------------------------------------------------------------------------- */
static enum status step_begin(struct op_cx *cx, struct join *s)
{
    struct join_beyond *b = &s->beyond;

    (void)cx;
    for (uint32_t side = 0; side < 2; side++) state_drop(s->sides[side].table, 0);
    b->build = b->rows[0].bytes < b->rows[1].bytes ? 0 : 1;
    b->step = JOIN_STEP_LOAD;
    return S_MORE;
}

static enum status step_alone(struct op_cx *cx, struct join *s)
{
    struct join_beyond *b = &s->beyond;

    if (s->plan.kind->alone[b->build]) {
        s->side = b->build;
        enum status st = join_alone(cx, s);
        s->side = 2;
        if (st != S_OK) return st;
    }
    b->step = JOIN_STEP_CLEAR;
    return S_MORE;
}

static enum status step_clear(struct op_cx *cx, struct join *s)
{
    struct join_beyond *b = &s->beyond;

    (void)cx;
    state_drop(s->sides[b->build].table, 0);
    b->reading = 1 - b->reading;
    b->step = JOIN_STEP_LOAD;
    return b->is_last ? S_OK : S_MORE;
}

enum status join_beyond_run(struct op_cx *cx, struct join *s)
{
    static enum status (*const steps[])(struct op_cx * cx, struct join * s) = {
        [JOIN_STEP_BEGIN] = step_begin, [JOIN_STEP_LOAD] = step_load,     [JOIN_STEP_LOOK] = step_look,
        [JOIN_STEP_PROBE] = step_probe, [JOIN_STEP_PROBED] = step_probed, [JOIN_STEP_ALONE] = step_alone,
        [JOIN_STEP_CLEAR] = step_clear};

    return steps[s->beyond.step](cx, s);
}
