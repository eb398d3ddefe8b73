/* rank_batch.c - operator rank where the changes of a batch are netted, however many places there are, and where rows may be taken back:
 * what a batch did to a place, or to the rows of the places, is told once.
 *
 * The rows of a batch are put into the order of their partition, and those that are taken back stay in it, marked, until all is told; so
 * does what falls behind the last place where it is forgotten. In this order of both - the rows before and those now - each change is an
 * event with a number. A place before has the row of that place without those that were added, a place now that without those that are
 * gone. With numbers the two are walked side by side from the first event on; where they meet nothing is told up to the next event,
 * which is looked up. Without, only the events and the rows between the edges of before and now can have come in or gone out.
 *
 * So a batch costs log n steps per row, and what is told. The steps of the work are those of enum phase, each taken up again where it
 * stood. Not here: rows that replace others, time to live (rank_row.c); few places (rank_net.c). */
#include "flow/operator/group_firsts.h"
#include "flow/operator/rank_internal.h"

#include "ground/base/sort.h"

#include <string.h>

enum { IS_ADDED = 1, IS_GONE = 2 }; /* state_element.matches, during a batch */
enum phase { PHASE_BEGIN, PHASE_ROWS, PHASE_FALL, PHASE_NUMBER, PHASE_TELL };
enum { PASSES = 6 }; /* without numbers: deletes, then inserts; each of rows between the first places, events, rows between the last ones */

struct event {
    void *row;
    uint32_t partition, input; /* a row of the batch with its sort key */
    uint32_t ties;             /* rows with this sort key before it */
    uint32_t number;           /* in the order of both */
    bool has_number;
};

/* Of the places before, or of those now. */
struct side {
    struct rank_cursor cursor;
    uint32_t without;    /* rows with this mark are passed over */
    void *row;           /* at hand; NULL: it is to be looked for, or there is none */
    uint32_t number;     /* of the row behind it */
    uint32_t from, end;  /* of the places that count: numbers of the first row, and of that behind the last */
};

struct rank_batch {
    struct mem *mem;
    struct group_firsts firsts;
    uint32_t inputs[BATCH_ROWS]; /* by partition: its first row in the batch */
    struct event *events;
    uint32_t count, capacity;
    uint32_t *sorted, *space;    /* events by partition and number */
    uint8_t phase;
    uint32_t at;                 /* partitions, or events, that are done in this phase */
    /* telling */
    bool is_telling;             /* a partition is at hand: events first..end */
    uint32_t first, end, next, pass;
    int64_t place;
    struct side before, now;
};

bool rank_batch_serves(const struct rank_config *c) { return c->nets && c->unique.count == 0 && c->ttl_ms == 0; }

void rank_batch_open(struct op_cx *cx, struct rank *s)
{
    struct rank_batch *b = mem_zalloc(cx->mem, sizeof *b);

    s->batch = b;
    b->mem = cx->mem;
    b->before.without = IS_ADDED;
    b->now.without = IS_GONE;
}

void rank_batch_close(struct rank *s)
{
    struct rank_batch *b = s->batch;

    if (b == NULL) return;
    mem_free(b->mem, b->events);
    mem_free(b->mem, b->sorted);
    mem_free(b->mem, b->space);
    mem_free(b->mem, b);
}

/* --- rows come and go ---------------------------------------------------------------------------------------------- */
static uint32_t *mark_of(const struct rank *s, const void *row) { return &state_element_of(s->table, row)->matches; }

bool rank_batch_is_gone(const struct rank *s, const void *row) { return (*mark_of(s, row) & IS_GONE) != 0; }

static struct event *event_add(struct rank *s, void *row, uint32_t input, uint32_t mark)
{
    struct rank_batch *b = s->batch;

    if (b->count == b->capacity) {
        b->capacity = MAX(2 * b->capacity, 64u);
        b->events = mem_realloc(b->mem, b->events, sizeof *b->events * b->capacity);
        b->sorted = mem_realloc(b->mem, b->sorted, sizeof *b->sorted * b->capacity);
        b->space = mem_realloc(b->mem, b->space, sizeof *b->space * b->capacity);
    }
    *mark_of(s, row) = mark;
    b->events[b->count] = (struct event){.row = row, .partition = b->firsts.key_of[input], .input = input};
    return &b->events[b->count++];
}

static enum status row_add(struct rank *s, const struct batch *in, uint32_t i)
{
    int64_t upto, below;

    TRY(rank_before(s, i, true, &upto));
    if (!s->keeps_all && upto >= s->last) return S_OK; /* it never comes to stand in a place */
    TRY(rank_before(s, i, false, &below));
    TRY(rank_insert(s, in, i));
    event_add(s, s->mine, i, IS_ADDED)->ties = (uint32_t)(upto - below);
    return S_OK;
}

/* What is not there cannot be taken back: as if nothing had come. */
static enum status row_take_back(struct rank *s, const struct batch *in, uint32_t i)
{
    uint32_t at;
    void *row;

    TRY(rank_find(s, in, i, &row, &at));
    if (row == NULL) return S_OK;
    if (*mark_of(s, row) & IS_ADDED) *mark_of(s, row) |= IS_GONE;
    else event_add(s, row, i, IS_GONE)->ties = at;
    return S_OK;
}

static enum status rows_go(struct rank *s, const struct batch *in)
{
    for (uint32_t n = batch_rows(in); s->done < n; s->done++) {
        enum row_kind kind = batch_kind(in, batch_row(in, s->done));
        if (s->worked++ >= RANK_WORK_MAX) return S_MORE;
        if (kind == ROW_INSERT || kind == ROW_UPDATE_AFTER) TRY(row_add(s, in, s->done));
        else TRY(row_take_back(s, in, s->done));
    }
    return S_OK;
}

/* Where only the places are kept, what stands behind the last one goes. */
static enum status rows_fall(struct rank *s)
{
    struct rank_batch *b = s->batch;

    for (; b->at < b->firsts.count && !s->keeps_all; b->at++) {
        uint32_t input = b->inputs[b->at], rows = state_head_rows(s->heads[input]);
        void *row;
        if (rows <= s->last) continue;
        rank_cursor_open(&b->now.cursor, s->last, rows);
        for (uint32_t number = (uint32_t)s->last; number < rows; number++) {
            TRY(rank_cursor_next(s, &b->now.cursor, s->heads[input], &row));
            ASSERT(row != NULL);
            if (*mark_of(s, row) & IS_ADDED) {
                *mark_of(s, row) |= IS_GONE;
                continue;
            }
            struct event *e = event_add(s, row, input, IS_GONE);
            e->number = number;
            e->has_number = true;
        }
    }
    return S_OK;
}

/* --- the order of both --------------------------------------------------------------------------------------------- */
static bool comes_before(void *arg, uint32_t x, uint32_t y)
{
    const struct event *a = &((const struct rank_batch *)arg)->events[x], *b = &((const struct rank_batch *)arg)->events[y];

    return a->partition != b->partition ? a->partition < b->partition : a->number < b->number;
}

static enum status events_number(struct rank *s)
{
    struct rank_batch *b = s->batch;
    int64_t below;

    for (; b->at < b->count; b->at++) {
        struct event *e = &b->events[b->at];
        b->sorted[b->at] = b->at;
        if (e->has_number) continue;
        TRY(rank_before(s, e->input, false, &below));
        e->number = (uint32_t)below + e->ties;
    }
    sort_stable(b->sorted, b->space, b->count, comes_before, b);
    return S_OK;
}

static const struct event *event_at(const struct rank_batch *b, uint32_t i) { return &b->events[b->sorted[i]]; }

/* The number of the row of a place of one side; of one behind all where there is none. */
static uint32_t number_of(const struct rank *s, const struct side *side, int64_t place)
{
    const struct rank_batch *b = s->batch;
    int64_t number = place - 1;

    for (uint32_t i = b->first; i < b->end && event_at(b, i)->number <= number; i++)
        if (*mark_of(s, event_at(b, i)->row) & side->without) number++;
    return (uint32_t)MIN(number, (int64_t)UINT32_MAX);
}

/* --- places -------------------------------------------------------------------------------------------------------- */
static void side_open(struct side *side, uint32_t number)
{
    side->row = NULL;
    side->number = number;
    rank_cursor_open(&side->cursor, number, UINT32_MAX);
}

/* side->row: that of the next place, NULL where there is none. */
static enum status side_next(struct rank *s, struct side *side, void *head)
{
    while (side->row == NULL) {
        TRY(rank_cursor_next(s, &side->cursor, head, &side->row));
        if (side->row == NULL) return S_OK;
        side->number++;
        if (*mark_of(s, side->row) & side->without) side->row = NULL;
    }
    return S_OK;
}

/* From place b->place on, whose rows are those behind the events before. */
static void sides_open(struct rank *s)
{
    struct rank_batch *b = s->batch;

    side_open(&b->before, number_of(s, &b->before, b->place));
    side_open(&b->now, number_of(s, &b->now, b->place));
}

/* Both have the same row: nothing differs up to the next event. False: there is none. */
static bool places_skip(struct rank *s)
{
    struct rank_batch *b = s->batch;
    uint32_t number = b->now.number - 1;

    while (b->next < b->end && event_at(b, b->next)->number <= number) b->next++;
    if (b->next == b->end) return false;
    b->place += event_at(b, b->next)->number - number;
    side_open(&b->before, event_at(b, b->next)->number);
    side_open(&b->now, event_at(b, b->next)->number);
    return true;
}

/* S_MORE: the output is full. */
static enum status places_tell(struct rank *s, void *head, bool emit_before)
{
    struct rank_batch *b = s->batch;

    while (b->place <= s->last) {
        if (!rank_has_room(s)) return S_MORE;
        TRY(side_next(s, &b->before, head));
        TRY(side_next(s, &b->now, head));
        void *before = b->before.row, *now = b->now.row;
        if (before == NULL && now == NULL) break;
        if (before == now) {
            if (!places_skip(s)) break;
            continue;
        }
        if (before == NULL) rank_put(s, now, ROW_INSERT, b->place);
        else if (now == NULL) rank_put(s, before, ROW_DELETE, b->place);
        else rank_put_update(s, before, now, b->place, emit_before);
        b->before.row = b->now.row = NULL;
        b->place++;
    }
    return S_OK;
}

/* --- rows without places ------------------------------------------------------------------------------------------- */
static bool counts(const struct rank *s, const struct side *side, const void *row, uint32_t number)
{
    return number >= side->from && number < side->end && (*mark_of(s, row) & side->without) == 0;
}

static void row_tell(struct rank *s, void *row, uint32_t number)
{
    struct rank_batch *b = s->batch;
    bool was = counts(s, &b->before, row, number), is = counts(s, &b->now, row, number);

    if (b->pass < PASSES / 2 && was && !is) rank_put(s, row, ROW_DELETE, 0);
    if (b->pass >= PASSES / 2 && is && !was) rank_put(s, row, ROW_INSERT, 0);
}

/* Rows between the edges of before and now. */
static void pass_begin(struct rank *s)
{
    struct rank_batch *b = s->batch;
    bool is_first = b->pass % (PASSES / 2) == 0;
    uint32_t x = is_first ? b->before.from : b->before.end, y = is_first ? b->now.from : b->now.end;

    b->next = b->first;
    b->now.number = MIN(x, y);
    rank_cursor_open(&b->now.cursor, MIN(x, y), MAX(x, y));
}

static enum status pass_go(struct rank *s, void *head)
{
    struct rank_batch *b = s->batch;
    void *row;

    if (b->pass % (PASSES / 2) == 1) {
        for (; b->next < b->end; b->next++) {
            if (!rank_has_room(s)) return S_MORE;
            row_tell(s, event_at(b, b->next)->row, event_at(b, b->next)->number);
        }
        return S_OK;
    }
    for (;;) {
        if (!rank_has_room(s)) return S_MORE;
        TRY(rank_cursor_next(s, &b->now.cursor, head, &row));
        if (row == NULL) return S_OK;
        if (*mark_of(s, row) == 0) row_tell(s, row, b->now.number); /* else it is an event */
        b->now.number++;
    }
}

/* S_MORE: the output is full. */
static enum status rows_tell(struct rank *s, void *head)
{
    struct rank_batch *b = s->batch;

    for (; b->pass < PASSES; b->pass++, pass_begin(s)) TRY(pass_go(s, head));
    return S_OK;
}

/* --- a batch ------------------------------------------------------------------------------------------------------- */
static void partition_begin(struct rank *s)
{
    struct rank_batch *b = s->batch;
    uint32_t partition = event_at(b, b->first)->partition;

    b->end = b->first;
    while (b->end < b->count && event_at(b, b->end)->partition == partition) b->end++;
    b->next = b->first;
    b->pass = 0;
    b->place = MAX((int64_t)event_at(b, b->first)->number + 1, s->first);
    s->done = b->inputs[partition];
    for (uint32_t i = 0; i < 2; i++) {
        struct side *side = i == 0 ? &b->before : &b->now;
        side->from = number_of(s, side, s->first);
        side->end = s->last < UINT32_MAX ? number_of(s, side, s->last + 1) : UINT32_MAX;
    }
    if (s->is_numbered || s->first == s->last) sides_open(s);
    else pass_begin(s);
    b->is_telling = true;
}

/* S_MORE: the output is full. */
static enum status partitions_tell(struct rank *s, bool emit_before)
{
    struct rank_batch *b = s->batch;

    for (; b->first < b->count; b->first = b->end) {
        if (!b->is_telling) partition_begin(s);
        void *head = s->heads[s->done];
        if (s->is_numbered || s->first == s->last) TRY(places_tell(s, head, emit_before));
        else TRY(rows_tell(s, head));
        b->is_telling = false;
    }
    return S_OK;
}

/* What is gone leaves the order, and can be read until the batch is done. */
static void events_end(struct rank *s)
{
    struct rank_batch *b = s->batch;

    for (uint32_t i = 0; i < b->count; i++) {
        bool is_gone = rank_batch_is_gone(s, b->events[i].row);
        *mark_of(s, b->events[i].row) = 0;
        if (is_gone) state_row_remove(s->table, 0, s->heads[b->events[i].input], b->events[i].row);
    }
    b->phase = PHASE_BEGIN;
}

static void batch_begin(struct rank *s, const struct op_plan *p, const struct batch *in)
{
    struct rank_batch *b = s->batch;
    uint64_t hashes[BATCH_ROWS];

    batch_hash(in, p->keys[0], p->key_count[0], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], hashes);
    group_firsts_find(&b->firsts, &keys);
    for (uint32_t i = batch_rows(in); i-- > 0;) b->inputs[b->firsts.key_of[i]] = i;
    b->count = b->at = b->first = 0;
    b->is_telling = false;
}

static enum status phase_work(struct rank *s, const struct op_plan *p, const struct batch *in, bool emit_before)
{
    struct rank_batch *b = s->batch;

    switch ((enum phase)b->phase) {
    case PHASE_BEGIN: batch_begin(s, p, in); break;
    case PHASE_ROWS: TRY(rows_go(s, in)); break;
    case PHASE_FALL: TRY(rows_fall(s)); break;
    case PHASE_NUMBER: TRY(events_number(s)); break;
    case PHASE_TELL:
        TRY(partitions_tell(s, emit_before));
        events_end(s);
        return S_OK;
    }
    b->phase++;
    b->at = 0;
    return S_OK;
}

enum status rank_batch_work(struct rank *s, const struct op_plan *p, const struct batch *in, bool emit_before)
{
    do TRY(phase_work(s, p, in, emit_before));
    while (s->batch->phase != PHASE_BEGIN);
    return S_OK;
}
