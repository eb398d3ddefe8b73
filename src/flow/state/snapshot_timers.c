/* snapshot_timers.c - timers as columns: a time, and the columns of the key.
 *
 * The idea: every timer that is there is written once, bucket by bucket, each of which is resolved when its turn comes: so no step is
 * long, whatever the number of timers. Timers that move are written as what they come to: the time in the row of their key, for each row that has one. Both read
 * back alike, as timers that are registered; where they are to move, timers_let_move then hands them on.
 *
 * Invariants: a walk looks at chunks of the heap where they lie; resolving a bucket touches no other. Not here: blocks (snapshot_save.c), whose timers (snapshot_load.c). */
#include "flow/state/snapshot_timers.h"

#include "flow/state/snapshot_load.h"
#include "flow/state/snapshot_rows.h"
#include "flow/state/timer_internal.h"

struct timers_walk {
    struct timers *timers;
    struct heap_bucket **buckets;
    uint32_t bucket_count, bucket_capacity, bucket_at; /* the next one */
    uint32_t ready;                                    /* of the ready ones, so many are through */
    const struct heap_chunk *chunk;                    /* of the present bucket; NULL: the next one's turn */
    uint32_t item_at;
    /* Timers that move: the rest of the table. */
    struct state_cursor cursor;
    bool is_through;
    struct batch *keys;
    uint32_t key_at;
    void *rows[BATCH_ROWS];
};

void schema_of_timers_of(const struct timers *t, struct arena *a, struct state_schema *out)
{
    schema_of_timers(t->name, t->key.type, a, out);
    out->is_within = t->is_within;
    out->group_cols = t->group_cols;
}

/* ---- walking */

static void bucket_note(void *arg, struct heap_bucket *b)
{
    struct timers_walk *w = arg;

    if (w->bucket_count == w->bucket_capacity) {
        w->bucket_capacity = MAX(16u, 2 * w->bucket_capacity);
        w->buckets = mem_realloc(w->timers->host->mem, w->buckets, w->bucket_capacity * sizeof(struct heap_bucket *));
    }
    w->buckets[w->bucket_count++] = b;
}

struct timers_walk *timers_walk_create(struct timers *t)
{
    struct timer_heap *h = &t->heap;
    struct timers_walk *w = mem_zalloc(t->host->mem, sizeof *w);

    w->timers = t;
    w->is_through = !h->moves;
    if (h->moves) {
        w->keys = batch_create(t->key.type, BATCH_ROWS, t->host->mem);
    } else {
        timer_heap_merge(h);
        timer_heap_each(h, bucket_note, w);
    }
    return w;
}

void timers_walk_free(struct timers_walk *w)
{
    if (w == NULL) return;
    batch_free(w->keys);
    mem_free(w->timers->host->mem, w->buckets);
    mem_free(w->timers->host->mem, w);
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

/* Of the keys that were fetched those whose rows have a timer. */
static void rows_add(struct timers_walk *w, const struct state_schema *s, struct batch *b)
{
    const struct timer_heap *h = &w->timers->heap;
    int64_t *times = VECTOR_VALUES(&b->cols[s->first[ROLE_TIME]], int64_t) + b->count;
    uint32_t room = b->capacity - b->count, n = 0;
    uint16_t picked[BATCH_ROWS];

    for (; w->key_at < w->keys->count && n < room; w->key_at++) {
        void *row = w->rows[w->key_at];
        if (*state_word(row, h->lies_offset) == 0) continue;
        times[n] = *state_word(row, h->due_offset);
        picked[n++] = (uint16_t)w->key_at;
    }
    for (uint32_t k = 0; k < s->count[ROLE_KEY]; k++)
        vector_copy(&b->cols[s->first[ROLE_KEY] + k], b->count, &w->keys->cols[k], picked, n, &b->heap, b->mem);
    b->count += n;
}

static enum status rows_next(struct timers_walk *w, const struct state_schema *s, struct batch *b)
{
    struct state_table *table = w->timers->heap.table;

    while (b->count < b->capacity) {
        rows_add(w, s, b);
        if (w->key_at < w->keys->count) return S_MORE;
        if (w->is_through) return S_OK;
        uint32_t n;
        batch_clear(w->keys);
        w->key_at = 0;
        enum status st = state_each(table, 0, &w->cursor, w->keys, NULL, w->rows, &n);
        if (st < 0) return st;
        w->is_through = st == S_OK;
    }
    return S_MORE;
}

static uint32_t ready_add(struct timers_walk *w, const struct state_schema *s, struct batch *b)
{
    const struct timer_heap *h = &w->timers->heap;
    uint32_t left = h->ready.count - h->ready.head - w->ready, n = MIN(left, b->capacity - b->count);

    if (n > 0) items_add(w->timers, timer_heap_first(h) + (size_t)w->ready * h->words, n, s, b);
    w->ready += n;
    return left - n;
}

static bool items_next(struct timers_walk *w)
{
    while (w->chunk == NULL && w->bucket_at < w->bucket_count) {
        struct heap_bucket *b = w->buckets[w->bucket_at++];
        timer_bucket_resolve(&w->timers->heap, b);
        w->chunk = b->head;
        w->item_at = 0;
    }
    return w->chunk != NULL;
}

enum status timers_walk_next(struct timers_walk *w, const struct state_schema *s, struct batch *b)
{
    if (ready_add(w, s, b) > 0) return S_MORE;
    if (w->keys != NULL) return rows_next(w, s, b);
    while (items_next(w)) {
        const struct heap_chunk *c = w->chunk;
        uint32_t n = MIN(c->used - w->item_at, b->capacity - b->count);
        if (n == 0) return S_MORE;
        items_add(w->timers, c->items + (size_t)w->item_at * w->timers->heap.words, n, s, b);
        w->item_at += n;
        if (w->item_at < c->used) return S_MORE;
        w->chunk = c->next;
        w->item_at = 0;
    }
    return S_OK;
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
    uint16_t sel[BATCH_ROWS];
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
