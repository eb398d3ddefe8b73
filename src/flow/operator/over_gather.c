/* over_gather.c - turns keys whose time has come, or rows of a batch, into steps: which rows of the state a window takes up, which it
 * lets go, and where results stand.
 *
 * A group of steps ends where results stand: with ROWS each row is a group, with RANGE all rows of one time. A group that does not fit a
 * batch of the output has its rows twice: they are all taken up first, then emitted. Rows that no later window needs are taken out of
 * the state here; they stay readable until the batch is done.
 *
 * A window of RANGE that nothing has touched for half its length more is forgotten: its rows are let go as if a row had come. */
#include "flow/operator/over.h"

#include <string.h>

enum { WORK_MAX = 16 * BATCH_ROWS }; /* rows walked in one call */
enum phase { BEGIN, PAST, ROWS, FORGET, FOUND };

static void step_add(struct op_cx *cx, struct over *s, const void *row, uint8_t kind)
{
    if (s->step_count == s->step_capacity) {
        s->step_capacity = MAX(s->step_capacity * 2, 256u);
        s->steps = mem_realloc(cx->mem, s->steps, sizeof *s->steps * s->step_capacity);
    }
    s->steps[s->step_count++] = (struct over_step){
        .row = row, .key = (uint16_t)s->at, .entry = (uint16_t)s->at, .kind = kind};
}

void over_steps_clear(struct over *s) { s->step_count = s->done = s->group = 0; }

static int64_t time_less(int64_t time, int64_t ms) { return time < TIME_MIN + ms ? TIME_MIN : time - ms; }

/* The rows of the entry's key within two times. */
static enum status walk(struct op_cx *cx, struct over *s, int64_t from, int64_t to, uint8_t kind, uint32_t *worked)
{
    struct state_range r = {.from_word = &from, .to_word = &to};
    struct state_hits hits;
    enum status st;

    do {
        if (*worked >= WORK_MAX) return S_MORE;
        st = state_ordered_scan(s->rows, 0, &s->heads[s->at], 1, &r, &s->scan, &hits);
        if (st != S_OK && st != S_MORE) return st;
        for (uint32_t i = 0; i < hits.count; i++) step_add(cx, s, hits.row[i], kind);
        *worked += hits.count + 1;
    } while (st == S_MORE);
    memset(&s->scan, 0, sizeof s->scan);
    return S_OK;
}

static void remove_rows(struct over *s, uint8_t kind)
{
    for (uint32_t i = s->group; i < s->step_count; i++)
        if ((s->steps[i].kind & kind) != 0) state_row_remove(s->rows, 0, s->heads[s->at], (void *)s->steps[i].row);
}

/* --- ROWS -------------------------------------------------------------------------------------------------------- */
/* The row that falls out of the window when one more comes; *gone NULL: it has room. Rows that were let go before lie in the state until
 * the batch is done: OVER_FIRST says where those that count begin. */
static enum status falls_out(struct over *s, void **gone)
{
    int64_t *count = over_word(s, s->acc_rows[s->at], OVER_COUNT),
            *first = over_word(s, s->acc_rows[s->at], OVER_FIRST);
    struct state_range r = {.from_word = first, .limit = 1};
    struct state_scan scan = {0};
    struct state_hits hits;

    *gone = NULL;
    if (*count <= s->config->preceding) {
        (*count)++;
        return S_OK;
    }
    enum status st = state_ordered_scan(s->rows, 0, &s->heads[s->at], 1, &r, &scan, &hits);
    if (st != S_OK && st != S_MORE) return st;
    if (hits.count == 0) return S_OK;
    *gone = hits.row[0];
    *first = *state_word(state_extra(s->rows, hits.row[0]), s->rows->extra.fields[0].offset);
    state_row_remove(s->rows, 0, s->heads[s->at], hits.row[0]);
    return S_OK;
}

/* Rows that were found become groups of their own: first they are put behind the place of their steps. */
static void rows_set_aside(struct op_cx *cx, struct over *s)
{
    uint32_t n = s->step_count - s->group;

    for (uint32_t i = 0; i < n; i++) {
        s->steps[s->group + i].kind = OVER_ADD | OVER_EMIT | OVER_ENDS;
        if (s->config->bounded) step_add(cx, s, s->steps[s->group + i].row, OVER_ADD | OVER_EMIT | OVER_ENDS);
    }
    s->aside = s->group + n;
    s->filled = s->config->bounded ? s->group : s->step_count;
}

static enum status rows_put_back(struct over *s)
{
    for (; s->aside < s->step_count; s->aside++) {
        struct over_step step = s->steps[s->aside];
        void *gone;
        TRY(falls_out(s, &gone));
        if (gone != NULL) {
            s->steps[s->filled] = step;
            s->steps[s->filled].row = gone;
            s->steps[s->filled++].kind = OVER_TAKE_BACK;
        }
        s->steps[s->filled++] = step;
    }
    s->step_count = s->filled;
    return S_OK;
}

/* --- RANGE ------------------------------------------------------------------------------------------------------- */
static void range_end(struct op_cx *cx, struct over *s)
{
    uint32_t first = s->group, end = s->step_count;

    while (first < end && s->steps[first].kind == OVER_TAKE_BACK) first++;
    bool fits = end - s->group <= s->out->capacity;
    for (uint32_t i = first; fits && i < end; i++) s->steps[i].kind = OVER_ADD | OVER_EMIT;
    for (uint32_t i = first; !fits && i < end; i++) step_add(cx, s, s->steps[i].row, OVER_EMIT);
    if (s->step_count > s->group) s->steps[s->step_count - 1].kind |= OVER_ENDS;
}

static bool is_forgotten(const struct over *s, int64_t time)
{
    int64_t *cleanup;

    if (s->config->rows || !s->config->bounded) return false;
    cleanup = over_word(s, s->acc_rows[s->at], OVER_CLEANUP);
    return *cleanup != 0 && *cleanup <= time;
}

/* The words of a key may live shorter than the rows it has seen: without them these rows were in no window. */
static void stale_drop(struct over *s, int64_t time)
{
    int64_t before = time - 1;
    struct state_range r = {.to_word = &before};

    if (s->config->calls.ttl_ms == 0 || !s->config->rows || !s->config->bounded || s->heads[s->at] == NULL) return;
    if (*over_word(s, s->acc_rows[s->at], OVER_COUNT) == 0) state_ordered_remove(s->rows, 0, s->heads[s->at], &r, 0);
}

/* --- an entry ---------------------------------------------------------------------------------------------------- */
static enum status entry_walk(struct op_cx *cx, struct over *s, int64_t time, uint32_t *worked)
{
    bool is_range = s->config->bounded && !s->config->rows;

    if (s->phase == BEGIN) {
        s->group = s->step_count;
        stale_drop(s, time);
        memset(&s->scan, 0, sizeof s->scan);
        s->phase = is_forgotten(s, s->times[s->at]) ? FORGET : is_range ? PAST : ROWS;
    }
    if (s->phase == FORGET) return walk(cx, s, TIME_MIN, INT64_MAX, OVER_TAKE_BACK, worked);
    if (s->phase == PAST) {
        int64_t far = time_less(time, s->config->preceding);
        int64_t *first = over_word(s, s->acc_rows[s->at], OVER_FIRST);
        if (far > *first) TRY(walk(cx, s, *first, far - 1, OVER_TAKE_BACK, worked));
        *first = MAX(*first, far);
        s->phase = ROWS;
    }
    return walk(cx, s, time, time, OVER_ADD, worked);
}

static enum status entry_end(struct op_cx *cx, struct over *s, int64_t time)
{
    if (s->phase == FORGET) {
        remove_rows(s, OVER_TAKE_BACK);
        if (s->step_count > s->group) s->steps[s->step_count - 1].kind |= OVER_ENDS;
        return S_OK;
    }
    if (s->phase == ROWS) {
        remove_rows(s, s->config->bounded ? OVER_TAKE_BACK : OVER_ADD);
        if (s->config->rows)
            rows_set_aside(cx, s);
        else
            range_end(cx, s);
        s->phase = FOUND;
    }
    if (s->config->rows && s->config->bounded) TRY(rows_put_back(s));
    if (s->config->bounded) *over_word(s, s->acc_rows[s->at], OVER_LAST) = time;
    return S_OK;
}

/* A row of a batch at hand, of a window of ROWS: found[] is where it lies. */
static enum status row_gather(struct op_cx *cx, struct over *s)
{
    void *gone;

    TRY(falls_out(s, &gone));
    if (gone != NULL) step_add(cx, s, gone, OVER_TAKE_BACK);
    step_add(cx, s, s->found[s->at], OVER_ADD | OVER_EMIT | OVER_ENDS);
    return S_OK;
}

enum status over_gather(struct op_cx *cx, struct over *s)
{
    uint32_t worked = 0;

    while (s->at < s->due_count && s->step_count - s->done < s->out->capacity) {
        int64_t time = s->times[s->at] - (s->time_col < 0);
        if (!s->is_waiting) {
            TRY(row_gather(cx, s));
            s->at++;
            continue;
        }
        if (s->phase != FOUND) TRY(entry_walk(cx, s, time, &worked));
        TRY(entry_end(cx, s, time));
        s->phase = BEGIN;
        s->at++;
    }
    return S_OK;
}
