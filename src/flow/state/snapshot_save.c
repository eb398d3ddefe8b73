/* snapshot_save.c - the state of a host, as of one moment, as chunks: one table after the other, then timers, a block of rows at a time.
 *
 * The idea: rows become columns of a batch, as an operator would read them, and the batch a block. Rows come from tables that are frozen
 * (sb.h): some at a time when it is their table's turn, others, of any table, because they are about to change. Blocks that are full wait
 * in a line until there is a chunk to take them. A block holds rows of one table, of as many namespaces as fit.
 *
 * Invariants: a chunk has the schema of all whose rows it has, and each schema is in some chunk; rows of a key are in their order. Blocks
 * have so many rows that they hold about BLOCK_BYTES. Not here: columns (snapshot_rows.c), the bytes of blocks (snapshot_chunk.c), what
 * stands still how (freeze.c, timer_freeze.c). */
#include "flow/state/snapshot.h"

#include "columns/column/batch_codec.h"
#include "flow/state/snapshot_rows.h"
#include "flow/state/snapshot_timers.h"
#include "flow/state/timer_internal.h"

enum { BLOCK_BYTES = 256 * 1024, BLOCK_ROWS_MIN = 16, BLOCK_ROWS_FIRST = 256, STEP_BYTES = 1024 * 1024, LARGE_FROM = 512 * 1024 };
#define NOT_IN_CHUNK UINT32_MAX

/* A block that waits. */
struct block_line {
    struct block_line *next;
    struct chunk_block head;
    struct buf bytes;
};

/* A table, or a set of timers. */
struct item {
    struct state_save *save;
    struct state_table *table; /* NULL: timers */
    struct timers *timers;
    struct state_taker taker;
    struct timers_walk *walk;
    struct item *moved;        /* timers that are in rows of the table */
    struct arena arena;
    struct state_schema schema;
    struct batch *rows;        /* of a block */
    struct batch *gone, *dropped; /* of a part: keys and namespaces that went; NULL: there were none */
    uint32_t number;           /* of its schema in the chunk */
    bool is_said;              /* the schema is in some chunk */
    struct block_line *first, **last;
    uint32_t key_cols[STATE_KEY_COLS];
};

struct state_save {
    struct state_host *host;
    struct item *items; /* tables come first */
    uint32_t count, at; /* which one's turn it is */
    uint32_t next_number; /* of the next schema of the chunk */
    bool is_draft; /* blocks are packed later, by somebody else */
    struct chunk_part part; /* number 0: it is all that there is */
    bool is_empty;          /* nothing is in the chunk yet */
    size_t waiting;     /* bytes of blocks in lines */
    struct buf schema;
    uint64_t hashes[BATCH_ROWS];
};

/* ---- blocks */

/* From the least to the greatest that occurs; operator state has none. */
static void groups_find(struct item *x, const struct batch *rows, struct chunk_block *b)
{
    uint64_t least = UINT64_MAX, most = 0, *hashes = x->save->hashes;
    uint32_t max = x->save->host->max_parallelism;

    if (x->schema.sharing != STATE_KEYED) return;
    if (x->table == NULL) timers_columns_hash(x->timers, &x->schema, rows, hashes);
    else state_def_hash(x->table->def, rows, x->key_cols, hashes);
    for (uint32_t i = 0; i < rows->count; i++) {
        least = MIN(least, hashes[i]);
        most = MAX(most, hashes[i]);
    }
    b->group_first = state_key_group(least, max);
    b->group_count = state_key_group(most, max) - b->group_first + 1;
}

/* So many rows that the next block is about as large as it should be. */
static uint32_t rows_wanted(size_t bytes, uint32_t rows)
{
    return (uint32_t)MIN(MAX(BLOCK_BYTES / (bytes / rows + 1), (size_t)BLOCK_ROWS_MIN), (size_t)BATCH_ROWS);
}

static size_t block_add(struct item *x, struct batch *rows, struct chunk_block head)
{
    struct mem *mem = x->save->host->mem;
    struct block_line *b = mem_zalloc(mem, sizeof *b);

    b->head = head;
    b->head.rows = rows->count;
    buf_init(&b->bytes, mem);
    batch_encode(rows, &b->bytes);
    x->save->waiting += b->bytes.size;
    *x->last = b;
    x->last = &b->next;
    return b->bytes.size;
}

/* The rows that are there become a block, which waits. */
static void block_close(struct item *x)
{
    struct chunk_block head = {.kind = CHUNK_ROWS};
    uint32_t rows = x->rows->count;

    if (rows == 0) return;
    groups_find(x, x->rows, &head);
    size_t size = block_add(x, x->rows, head);
    x->rows->capacity = BATCH_ROWS;
    batch_clear(x->rows);
    x->rows->capacity = rows_wanted(size, rows);
}

/* ---- what went */

static struct batch *void_batch(struct item *x, bool has_keys)
{
    struct batch *b = batch_create(x->schema.row, BATCH_ROWS, x->save->host->mem);

    schema_void_columns(&x->schema, b, has_keys);
    return b;
}

static void gone_close(struct item *x)
{
    struct chunk_block head = {.kind = CHUNK_GONE};

    if (x->gone == NULL || x->gone->count == 0) return;
    groups_find(x, x->gone, &head);
    (void)block_add(x, x->gone, head);
    batch_clear(x->gone);
    schema_void_columns(&x->schema, x->gone, true);
}

static void dropped_close(struct item *x)
{
    const struct chunk_part *p = &x->save->part;
    struct chunk_block head = {.kind = CHUNK_DROPPED, .group_first = p->group_first, .group_count = p->group_count};

    if (x->dropped == NULL || x->dropped->count == 0) return;
    (void)block_add(x, x->dropped, head);
    batch_clear(x->dropped);
    schema_void_columns(&x->schema, x->dropped, false);
}

static void gone_take(void *arg, int64_t ns, const struct batch *keys, uint32_t count)
{
    struct item *x = arg;
    uint16_t rows[BATCH_ROWS];

    for (uint32_t i = 0; i < count; i++) rows[i] = (uint16_t)i;
    if (x->gone == NULL) x->gone = void_batch(x, true);
    if (x->gone->count + count > BATCH_ROWS) gone_close(x);
    struct batch *b = x->gone;
    if (x->schema.count[ROLE_NAMESPACE] > 0)
        for (uint32_t i = 0; i < count; i++) VECTOR_VALUES(&b->cols[x->schema.first[ROLE_NAMESPACE]], int64_t)[b->count + i] = ns;
    for (uint32_t k = 0; k < x->schema.count[ROLE_KEY]; k++)
        vector_copy(&b->cols[x->key_cols[k]], b->count, &keys->cols[k], rows, count, &b->heap, b->mem);
    b->count += count;
}

static void dropped_take(void *arg, int64_t ns)
{
    struct item *x = arg;

    if (x->dropped == NULL) x->dropped = void_batch(x, false);
    if (x->dropped->count == BATCH_ROWS) dropped_close(x);
    if (x->schema.count[ROLE_NAMESPACE] > 0)
        VECTOR_VALUES(&x->dropped->cols[x->schema.first[ROLE_NAMESPACE]], int64_t)[x->dropped->count] = ns;
    x->dropped->count++;
}

static void block_put(const struct state_save *s, struct buf *out, struct chunk_block head, const struct buf *bytes)
{
    struct str content = {bytes->data, bytes->size};

    if (s->is_draft) chunk_add_draft(out, head, content);
    else chunk_add(out, head, content);
}

static void schema_say(struct item *x, struct buf *out)
{
    struct state_save *s = x->save;

    if (x->number != NOT_IN_CHUNK) return;
    x->number = s->next_number++;
    x->is_said = true;
    buf_clear(&s->schema);
    schema_encode(&x->schema, &s->schema);
    block_put(s, out, (struct chunk_block){.kind = CHUNK_SCHEMA, .number = x->number}, &s->schema);
}

static void block_free(struct state_save *s, struct block_line *b)
{
    s->waiting -= b->bytes.size;
    buf_release(&b->bytes);
    mem_free(s->host->mem, b);
}

static struct block_line *block_first(struct item *x)
{
    struct block_line *b = x->first;

    if (b == NULL) return NULL;
    x->first = b->next;
    if (x->first == NULL) x->last = &x->first;
    return b;
}

/* Blocks of the item that wait go into the chunk; one at least, of all items, however small the limit. */
static void blocks_write(struct item *x, struct buf *out, size_t limit)
{
    struct block_line *b;

    while ((out->size < limit || x->save->is_empty) && (b = block_first(x)) != NULL) {
        x->save->is_empty = false;
        schema_say(x, out);
        b->head.number = x->number;
        block_put(x->save, out, b->head, &b->bytes);
        block_free(x->save, b);
    }
}

/* ---- rows */

static void space_column(struct item *x, int64_t ns, uint32_t n)
{
    if (x->schema.count[ROLE_NAMESPACE] == 0) return;
    int64_t *to = VECTOR_VALUES(&x->rows->cols[x->schema.first[ROLE_NAMESPACE]], int64_t) + x->rows->count;
    for (uint32_t i = 0; i < n; i++) to[i] = ns;
}

static void rows_add(struct item *x, const struct state_taken *rows, uint32_t from, uint32_t n)
{
    struct batch *b = x->rows;

    space_column(x, rows->ns, n);
    for (uint32_t k = 0; k < x->schema.count[ROLE_KEY]; k++)
        vector_copy(&b->cols[x->key_cols[k]], b->count, &rows->keys->cols[k], rows->owners + from, n, &b->heap, b->mem);
    columns_of_rows(x->table, &x->schema, rows->rows + from, n, b);
    if (rows->orders != NULL)
        memcpy(VECTOR_VALUES(&b->cols[x->schema.first[ROLE_ORDER]], int64_t) + b->count, rows->orders + from, n * sizeof *rows->orders);
    b->count += n;
}

/* Of a table: because it is its turn, or because they change. */
static void rows_take(void *arg, const struct state_taken *rows)
{
    struct item *x = arg;

    for (uint32_t at = 0, n; at < rows->count; at += n) {
        n = MIN(rows->count - at, x->rows->capacity - x->rows->count);
        rows_add(x, rows, at, n);
        if (x->rows->count == x->rows->capacity) block_close(x);
    }
    for (uint32_t at = 0; x->moved != NULL && at < rows->count;) {
        timers_of_rows(x->moved->timers, &x->moved->schema, rows, x->moved->rows, &at);
        if (x->moved->rows->count == x->moved->rows->capacity) block_close(x->moved);
    }
}

/* ---- items */

static uint64_t keys_of(struct state_table *t)
{
    uint64_t keys = 0;
    uint32_t count;

    if (!t->def->namespaced) return state_count(t, 0);
    const int64_t *spaces = state_namespaces(t, &count);
    for (uint32_t i = 0; i < count; i++) keys += state_count(t, spaces[i]);
    return keys;
}

static void item_init(struct state_save *s, struct item *x)
{
    x->save = s;
    x->last = &x->first;
    x->number = NOT_IN_CHUNK;
    arena_init(&x->arena, s->host->mem, 0);
    if (x->table != NULL) {
        schema_of_table(x->table, &x->arena, &x->schema);
        x->schema.keys = keys_of(x->table);
    } else {
        schema_of_timers_of(x->timers, &x->arena, &x->schema);
    }
    for (uint32_t k = 0; k < x->schema.count[ROLE_KEY]; k++) x->key_cols[k] = x->schema.first[ROLE_KEY] + k;
    x->rows = batch_create(x->schema.row, BATCH_ROWS, s->host->mem);
    x->rows->capacity = BLOCK_ROWS_FIRST;
    x->taker = (struct state_taker){rows_take, gone_take, dropped_take, x};
    x->schema.has_words = s->part.number > 0;
}

/* What is not told apart by keys is whole in each part. */
static struct freezing freezing_of(const struct state_save *s, const struct state_def *d, bool is_first)
{
    bool is_keyed = d->sharing == STATE_KEYED && d->key->child_count > 0;

    if (s->part.number == 0 || !is_keyed) return (struct freezing){.what = FREEZE_ALL};
    return (struct freezing){is_first ? FREEZE_BASE : FREEZE_CHANGES, s->part.base_first, s->part.base_count};
}

/* From now on it is as it is now, for us. */
static void item_freeze(struct state_save *s, struct item *x, bool is_first)
{
    if (x->table == NULL) {
        x->walk = timers_walk_create(x->timers);
        struct state_table *in = timers_move_in(x->timers);
        for (uint32_t i = 0; in != NULL && s->part.number == 0 && i < s->count; i++)
            if (s->items[i].table == in) s->items[i].moved = x;
    } else {
        const struct freezing how = freezing_of(s, x->table->def, is_first);
        x->table->type->freeze(x->table, &x->taker, &how);
        dropped_close(x);
        gone_close(x);
    }
}

static void item_thaw(struct item *x)
{
    if (x->table != NULL) x->table->type->thaw(x->table);
    timers_walk_free(x->walk);
    x->walk = NULL;
}

static void item_release(struct item *x)
{
    struct block_line *b;

    item_thaw(x);
    while ((b = block_first(x)) != NULL) block_free(x->save, b);
    x->rows->capacity = BATCH_ROWS;
    batch_free(x->rows);
    batch_free(x->gone);
    batch_free(x->dropped);
    arena_release(&x->arena);
}

/* About a block of its rows more. S_OK: those were the last. */
static enum status item_walk(struct item *x)
{
    if (x->walk != NULL) {
        enum status st = timers_walk_next(x->walk, &x->schema, x->rows);
        if (st == S_MORE) block_close(x);
        return st;
    }
    return x->table->type->frozen_next(x->table, x->rows->capacity);
}

/* ---- all of it */

static struct state_save *save_make(struct state_host *h, const struct state_part_of *part)
{
    struct state_save *s = mem_zalloc(h->mem, sizeof *s);
    uint32_t tables = 0, timers = 0, at = 0;

    s->host = h;
    if (part != NULL) s->part = (struct chunk_part){part->number, h->group_first, h->group_count, part->base_first, part->base_count};
    if (part != NULL && part->is_first) {
        s->part.base_first = h->group_first;
        s->part.base_count = h->group_count;
    }
    buf_init(&s->schema, h->mem);
    for (struct state_table *t = h->tables; t != NULL; t = t->next) tables++;
    for (struct timers *t = h->timers; t != NULL; t = t->next) timers++;
    s->count = tables + timers;
    s->items = mem_zalloc(h->mem, (s->count + 1) * sizeof *s->items);
    for (struct state_table *t = h->tables; t != NULL; t = t->next) s->items[tables - ++at].table = t;
    at = 0;
    for (struct timers *t = h->timers; t != NULL; t = t->next) s->items[s->count - ++at].timers = t;
    for (uint32_t i = 0; i < s->count; i++) item_init(s, &s->items[i]);
    for (uint32_t i = 0; i < s->count; i++) item_freeze(s, &s->items[i], part != NULL && part->is_first);
    return s;
}

enum status state_save_create(struct state_host *h, struct state_save **out, struct err *e)
{
    (void)e;
    *out = save_make(h, NULL);
    return S_OK;
}

enum status state_save_create_part(struct state_host *h, const struct state_part_of *part, struct state_save **out, struct err *e)
{
    (void)e;
    ASSERT(part->number > 0);
    *out = save_make(h, part);
    return S_OK;
}

void state_save_free(struct state_save *s)
{
    if (s == NULL) return;
    for (uint32_t i = 0; i < s->count; i++) item_release(&s->items[i]);
    buf_release(&s->schema);
    mem_free(s->host->mem, s->items);
    mem_free(s->host->mem, s);
}

void state_save_draft(struct state_save *s) { s->is_draft = true; }
struct str state_chunk_finish(struct str draft, struct buf *space) { return chunk_finish(draft, space); }
size_t state_save_waiting(const struct state_save *s) { return s->waiting; }

/* Whose turn it is goes on; rows of timers that move come with those of their table, which has been through before. */
static enum status turn_take(struct state_save *s)
{
    struct item *x = &s->items[s->at];
    enum status st = item_walk(x);

    if (st == S_MORE) return S_OK;
    if (st != S_OK) return st;
    block_close(x);
    gone_close(x);
    item_thaw(x);
    s->at++;
    return S_OK;
}

/* A chunk that becomes large gets its room at once: a buffer that doubles is copied as often. */
static void room_make(struct buf *out, size_t limit)
{
    if (out->size > LARGE_FROM && out->size < limit && limit < SIZE_MAX / 2) buf_reserve(out, limit - out->size + STEP_BYTES);
}

static void chunk_start(struct state_save *s, struct buf *out)
{
    if (out->size > 0) return;
    if (s->part.number > 0) chunk_begin_part(out, s->host->max_parallelism, &s->part);
    else chunk_begin(out, s->host->max_parallelism);
    if (s->is_draft) chunk_begin_draft(out, 0);
    s->is_empty = true;
    for (uint32_t i = 0; i < s->count; i++) s->items[i].number = NOT_IN_CHUNK;
    s->next_number = 0;
}

static void lines_write(struct state_save *s, struct buf *out, size_t limit)
{
    for (uint32_t i = 0; i < s->count && s->waiting > 0; i++) blocks_write(&s->items[i], out, limit);
    for (uint32_t i = 0; i < s->at; i++) /* a state without rows is there as well */
        if (!s->items[i].is_said) schema_say(&s->items[i], out);
}

enum status state_save_step(struct state_save *s, struct buf *out, size_t limit, struct err *e)
{
    if (s->count == 0) return S_OK;
    if (out->size >= limit && out->size > 0) return S_MORE;
    bool was_over = s->at == s->count;
    if (!was_over) {
        enum status st = turn_take(s);
        if (st < S_OK && s->host->err != NULL && s->host->err->status != S_OK) (void)!err_pass_on(e, s->host->err);
        if (st != S_OK) return err_set(e, st, "the state cannot be read");
    }
    chunk_start(s, out);
    room_make(out, limit);
    lines_write(s, out, MIN(limit, out->size + STEP_BYTES)); /* what changed has become more than one step's work */
    return s->at == s->count && s->waiting == 0 ? S_OK : S_MORE;
}
