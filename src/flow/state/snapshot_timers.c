/* snapshot_timers.c - timers as columns: a time, and the columns of the key.
 *
 * The idea: every timer of the barrier is written once, bucket by bucket, each of which is copied, sorted and resolved when its turn
 * comes, so no step is long, whatever the number of timers; the heap goes on meanwhile. Timers that move are in the rows of a table, and written as
 * what they come to whenever such a row is: the time in the row. Both read back alike, as timers that are registered; where they are
 * to move, timers_let_move then hands them on.
 *
 * Not here: blocks (snapshot_save.c), whose timers (snapshot_load.c), how the heap stands still (timer_freeze.c). */
#include "flow/state/snapshot_timers.h"

#include "flow/state/snapshot_load.h"
#include "flow/state/snapshot_rows.h"
#include "flow/state/timer_internal.h"
#include "flow/state/timer_sort.h"

struct timers_walk {
    struct timers *timers;
    uint32_t ready, piece; /* so many are through */
    uint64_t *items, *room; /* of a bucket, sorted and resolved */
    uint32_t count, at, capacity;
};

void schema_of_timers_of(const struct timers *t, struct arena *a, struct state_schema *out)
{
    schema_of_timers(t->name, t->key.type, a, out);
    out->is_within = t->is_within;
    out->group_cols = t->group_cols;
}

/* ---- walking */

struct timers_walk *timers_walk_create(struct timers *t)
{
    struct timers_walk *w = mem_zalloc(t->host->mem, sizeof *w);

    w->timers = t;
    timer_heap_freeze(&t->heap);
    return w;
}

void timers_walk_free(struct timers_walk *w)
{
    if (w == NULL) return;
    struct mem *mem = w->timers->host->mem;
    timer_heap_thaw(&w->timers->heap);
    mem_free(mem, w->items);
    mem_free(mem, w->room);
    mem_free(mem, w);
}

static void items_add(struct timers *t, const uint64_t *items, uint32_t n, const struct state_schema *s, struct batch *b)
{
    int64_t *times = VECTOR_VALUES(&b->cols[s->first[ROLE_TIME]], int64_t) + b->count;
    uint32_t cols[STATE_KEY_COLS];

    t->keys.has_nulls = false;
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t *item = items + (size_t)i * t->heap.words;
        bool is_null = (item[0] & WHEN_NULL) != 0;
        times[i] = timer_heap_time(item[0]);
        t->keys.nulls[i] = is_null;
        t->keys.has_nulls |= is_null;
        if (t->key.form == KEY_WORD) t->keys.words[i] = (int64_t)(item[1] ^ KEY_SIGN);
        else t->keys.views[i] = item[2] != 0 ? timer_heap_bytes(&t->heap, item[2]) : (struct str){"", 0};
    }
    for (uint32_t k = 0; k < s->count[ROLE_KEY]; k++) cols[k] = s->first[ROLE_KEY] + k;
    key_scatter(&t->key, &t->keys, n, b, cols, b->count);
    b->count += n;
}

struct state_table *timers_move_in(const struct timers *t) { return t->heap.moves ? t->heap.table : NULL; }

void timers_of_rows(const struct timers *t, const struct state_schema *s, const struct state_taken *taken, struct batch *b, uint32_t *at)
{
    const struct timer_heap *h = &t->heap;
    int64_t *times = VECTOR_VALUES(&b->cols[s->first[ROLE_TIME]], int64_t) + b->count;
    uint32_t room = b->capacity - b->count, n = 0;
    uint16_t picked[BATCH_ROWS];

    for (; *at < taken->count && n < room; ++*at) {
        void *row = taken->rows[*at];
        if (*state_word(row, h->lies_offset) == 0) continue;
        times[n] = *state_word(row, h->due_offset);
        picked[n++] = taken->owners[*at];
    }
    for (uint32_t k = 0; k < s->count[ROLE_KEY]; k++)
        vector_copy(&b->cols[s->first[ROLE_KEY] + k], b->count, &taken->keys->cols[k], picked, n, &b->heap, b->mem);
    b->count += n;
}

/* Of equal items the last holds, unless it is a deletion. */
static uint32_t items_resolve(const struct timer_heap *h, uint64_t *items, uint32_t count)
{
    uint32_t words = h->words, kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *item = items + (size_t)i * words;
        bool is_last = i + 1 == count || timer_heap_compare(h, item, item + words) != 0;
        if (!is_last || (item[0] & WHEN_DELETION)) continue;
        if (kept != i) memmove(items + (size_t)kept * words, item, words * sizeof *item);
        kept++;
    }
    return kept;
}

static void piece_copy(struct timers_walk *w, const struct heap_piece *p)
{
    struct mem *mem = w->timers->host->mem;
    uint32_t words = w->timers->heap.words;

    if (w->count + p->count > w->capacity) {
        w->capacity = MAX(w->count + p->count, 2 * w->capacity);
        w->items = mem_realloc(mem, w->items, (size_t)w->capacity * words * sizeof *w->items);
        w->room = mem_realloc(mem, w->room, (size_t)w->capacity * words * sizeof *w->room);
    }
    memcpy(w->items + (size_t)w->count * words, p->items, (size_t)p->count * words * sizeof *p->items);
    w->count += p->count;
}

/* The next bucket with timers; false: there is none. */
static bool bucket_next(struct timers_walk *w)
{
    const struct timer_heap *h = &w->timers->heap;
    const struct heap_frozen *f = h->frozen;
    bool is_last = false;

    for (w->count = w->at = 0; w->count == 0 && w->piece < f->piece_count; is_last = false) {
        while (!is_last) {
            piece_copy(w, &f->pieces[w->piece]);
            is_last = f->pieces[w->piece++].is_last;
        }
        w->timers->heap.steps += w->count;
        timer_sort(h, w->items, w->room, w->count);
        w->count = items_resolve(h, w->items, w->count);
    }
    return w->count > 0;
}

enum status timers_walk_next(struct timers_walk *w, const struct state_schema *s, struct batch *b)
{
    const struct heap_frozen *f = w->timers->heap.frozen;
    uint32_t words = w->timers->heap.words, n = MIN(f->ready_count - w->ready, b->capacity - b->count);

    if (n > 0) items_add(w->timers, f->ready + (size_t)w->ready * words, n, s, b);
    w->ready += n;
    while (w->ready == f->ready_count) {
        if (w->at == w->count && !bucket_next(w)) return S_OK;
        n = MIN(w->count - w->at, b->capacity - b->count);
        if (n == 0) return S_MORE;
        items_add(w->timers, w->items + (size_t)w->at * words, n, s, b);
        w->at += n;
    }
    return S_MORE;
}

/* ---- back */

void timers_columns_hash(const struct timers *t, const struct state_schema *s, const struct batch *b, uint64_t *hashes)
{
    uint32_t cols[STATE_KEY_COLS];

    for (uint32_t k = 0; k < s->count[ROLE_KEY]; k++) cols[k] = s->first[ROLE_KEY] + k;
    timers_hash(t, b, cols, hashes);
}

struct registering {
    struct timers *timers;
    const struct state_schema *own;
};

static void loaded_hash(void *arg, const struct batch *b, uint64_t *out)
{
    const struct registering *r = arg;

    timers_columns_hash(r->timers, r->own, b, out);
}

static enum status loaded_put(void *arg, const struct loaded_rows *rows, struct err *e)
{
    const struct registering *r = arg;
    const int64_t *all = VECTOR_VALUES(&rows->batch->cols[rows->schema->first[ROLE_TIME]], int64_t);
    uint32_t cols[STATE_KEY_COLS], first = rows->schema->first[ROLE_KEY], count = rows->schema->count[ROLE_KEY];
    int64_t times[BATCH_ROWS];

    (void)e;
    for (uint32_t k = 0; k < count; k++) cols[k] = first + k;
    for (uint32_t i = 0; i < rows->count; i++) times[i] = all[rows->sel != NULL ? rows->sel[i] : i];
    struct state_keys keys = {.batch = rows->batch, .cols = cols, .col_count = count, .count = rows->count, .sel = rows->sel, .hashes = rows->hashes};
    return timers_register(r->timers, &keys, times);
}

enum status snapshot_load_timers(struct timers *t, struct err *e)
{
    struct state_schema own;
    struct arena a;
    struct registering r = {t, &own};
    struct err *said = t->host->err;

    arena_init(&a, t->host->mem, 0);
    schema_of_timers_of(t, &a, &own);
    struct loader l = {.host = t->host, .own = &own, .hash = loaded_hash, .put = loaded_put, .arg = &r};
    t->host->err = e;
    enum status st = load_rows(&l, e);
    t->host->err = said;
    arena_release(&a);
    return st;
}

/* ---- timers that move from now on */

struct mover {
    struct batch *keys;
    uint32_t cols[STATE_KEY_COLS], count;
    uint16_t sel[BATCH_ROWS], picked[BATCH_ROWS];
    int64_t times[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS], handles[BATCH_ROWS];
    void *rows[BATCH_ROWS];
};

/* A key without a row has no timer. */
static enum status batch_move(struct mover *m, struct timers *to)
{
    struct state_table *table = to->heap.table;
    uint32_t key_cols = to->key.type->child_count, n = 0;
    enum status st;

    timers_hash(to, m->keys, m->cols, m->hashes);
    struct state_keys keys = state_keys_of(m->keys, m->cols, key_cols, m->hashes);
    do {
        st = state_resolve(table, 0, &keys, STATE_UPDATE, m->rows, NULL);
    } while (st == S_PENDING);
    for (uint32_t i = 0; st == S_OK && i < m->count; i++) {
        if (m->rows[i] == NULL) continue;
        m->sel[n] = (uint16_t)i;
        m->times[n] = m->times[i];
        m->handles[n] = state_handle(table, i);
        m->rows[n++] = m->rows[i];
    }
    struct state_keys there = {.batch = m->keys, .cols = m->cols, .col_count = key_cols, .count = n, .sel = m->sel};
    if (st == S_OK) st = timers_put(to, &there, m->times, m->rows, m->handles);
    state_done(table);
    return st;
}

/* Rows of parts say themselves when their timers are due. */
static enum status rows_adopt(struct mover *m, struct timers *to, struct state_cursor *c)
{
    const struct timer_heap *h = &to->heap;
    uint32_t n;

    m->count = 0;
    enum status st = state_each(h->table, 0, c, m->keys, NULL, m->rows, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (*state_word(m->rows[i], h->lies_offset) == 0) continue;
        m->times[m->count] = *state_word(m->rows[i], h->due_offset);
        m->picked[m->count++] = (uint16_t)i;
    }
    return st;
}

enum status snapshot_adopt_timers(struct timers *to)
{
    struct mem *mem = to->host->mem;
    struct mover *m = mem_zalloc(mem, sizeof *m);
    struct state_cursor c = {0};
    enum status st = S_MORE;

    m->keys = batch_create(to->key.type, BATCH_ROWS, mem);
    struct batch *all = batch_create(to->key.type, BATCH_ROWS, mem), *some = m->keys;
    for (uint32_t k = 0; k < STATE_KEY_COLS; k++) m->cols[k] = k;
    while (st == S_MORE) {
        batch_clear(all);
        m->keys = all;
        st = rows_adopt(m, to, &c);
        if (st < 0) break;
        m->keys = some;
        batch_clear(some);
        for (uint32_t k = 0; k < some->col_count; k++) vector_copy(&some->cols[k], 0, &all->cols[k], m->picked, m->count, &some->heap, mem);
        some->count = m->count;
        enum status moved = m->count > 0 ? batch_move(m, to) : S_OK;
        if (moved != S_OK) st = moved;
    }
    batch_free(all);
    batch_free(some);
    mem_free(mem, m);
    return st;
}

enum status snapshot_move_timers(struct timers *from, struct timers *to)
{
    struct mem *mem = to->host->mem;
    struct mover *m = mem_zalloc(mem, sizeof *m);
    enum status st = S_MORE;

    m->keys = batch_create(to->key.type, BATCH_ROWS, mem);
    for (uint32_t k = 0; k < STATE_KEY_COLS; k++) m->cols[k] = k;
    while (st == S_MORE) {
        batch_clear(m->keys);
        st = timers_due(from, INT64_MAX, m->keys, NULL, m->times, &m->count);
        if (st == S_OK || st == S_MORE) {
            enum status moved = batch_move(m, to);
            if (moved != S_OK) st = moved;
        }
    }
    batch_free(m->keys);
    mem_free(mem, m);
    return st;
}
