/* snapshot_save.c - the state of a host, as of one moment, as chunks: one table after the other, then timers, a block of rows at a time.
 *
 * The idea: rows become columns of a batch, as an operator would read them, and the batch a block. Rows come from tables that are frozen
 * (sb.h): some at a time when it is their table's turn, others, of any table, because they are about to change. Blocks that are full wait
 * in a line until there is a chunk to take them. A block holds rows of one table, of as many namespaces as fit.
 *
 * Invariants: a chunk has the schema of all whose rows it has, and each schema is in some chunk; rows of a key are in their order. Blocks
 * have so many rows that they hold about BLOCK_BYTES. Not here: columns (snapshot_rows.c), the bytes of blocks (snapshot_chunk.c), what
 * stands still how (freeze.c, timer_freeze.c, snapshot_each.c). */
#include "flow/state/snapshot.h"

#include "columns/column/batch_codec.h"
#include "flow/state/snapshot_each.h"
#include "flow/state/snapshot_rows.h"
#include "flow/state/snapshot_timers.h"
#include "flow/state/timer_internal.h"

enum { BLOCK_BYTES = 256 * 1024, BLOCK_ROWS_MIN = 16, BLOCK_ROWS_FIRST = 256 };
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
    struct each_walk *each;    /* of a table that is not frozen */
    struct timers_walk *walk;
    struct item *moved;        /* timers that are in rows of the table */
    struct arena arena;
    struct state_schema schema;
    struct batch *rows;        /* of a block */
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
    bool is_apart;
    size_t waiting;     /* bytes of blocks in lines */
    struct buf schema;
    uint64_t hashes[BATCH_ROWS];
};

/* ---- blocks */

/* From the least to the greatest that occurs; operator state has none. */
static void groups_find(struct item *x, struct chunk_block *b)
{
    uint64_t least = UINT64_MAX, most = 0, *hashes = x->save->hashes;
    uint32_t max = x->save->host->max_parallelism;

    if (x->schema.sharing != STATE_KEYED) return;
    if (x->table == NULL) timers_columns_hash(x->timers, &x->schema, x->rows, hashes);
    else state_def_hash(x->table->def, x->rows, x->key_cols, hashes);
    for (uint32_t i = 0; i < x->rows->count; i++) {
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

/* The rows that are there become a block, which waits. */
static void block_close(struct item *x)
{
    struct mem *mem = x->save->host->mem;
    uint32_t rows = x->rows->count;

    if (rows == 0) return;
    struct block_line *b = mem_zalloc(mem, sizeof *b);
    b->head = (struct chunk_block){.kind = CHUNK_ROWS, .rows = rows};
    groups_find(x, &b->head);
    buf_init(&b->bytes, mem);
    batch_encode(x->rows, &b->bytes);
    x->save->waiting += b->bytes.size;
    *x->last = b;
    x->last = &b->next;
    x->rows->capacity = BATCH_ROWS;
    batch_clear(x->rows);
    x->rows->capacity = rows_wanted(b->bytes.size, rows);
}

static void schema_say(struct item *x, struct buf *out)
{
    struct state_save *s = x->save;

    if (x->number != NOT_IN_CHUNK) return;
    x->number = s->next_number++;
    x->is_said = true;
    buf_clear(&s->schema);
    schema_encode(&x->schema, &s->schema);
    chunk_add(out, (struct chunk_block){.kind = CHUNK_SCHEMA, .number = x->number}, (struct str){s->schema.data, s->schema.size});
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

    while ((out->size < limit || out->size == CHUNK_HEADER) && (b = block_first(x)) != NULL) {
        schema_say(x, out);
        b->head.number = x->number;
        chunk_add(out, b->head, (struct str){b->bytes.data, b->bytes.size});
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
    x->taker = (struct state_taker){rows_take, x};
}

/* From now on it is as it is now, for us. */
static void item_freeze(struct state_save *s, struct item *x)
{
    if (x->table == NULL) {
        x->walk = timers_walk_create(x->timers);
        struct state_table *in = timers_move_in(x->timers);
        for (uint32_t i = 0; in != NULL && i < s->count; i++)
            if (s->items[i].table == in) s->items[i].moved = x;
    } else if (x->table->type->freeze != NULL) {
        x->table->type->freeze(x->table, &x->taker, FREEZE_ALL);
    } else {
        x->each = each_walk_create(x->table, &x->taker);
        s->is_apart = false;
    }
}

static void item_thaw(struct item *x)
{
    if (x->table != NULL && x->table->type->freeze != NULL) x->table->type->thaw(x->table);
    each_walk_free(x->each);
    timers_walk_free(x->walk);
    x->each = NULL;
    x->walk = NULL;
}

static void item_release(struct item *x)
{
    struct block_line *b;

    item_thaw(x);
    while ((b = block_first(x)) != NULL) block_free(x->save, b);
    x->rows->capacity = BATCH_ROWS;
    batch_free(x->rows);
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
    if (x->each != NULL) return each_walk_next(x->each, x->rows->capacity);
    return x->table->type->frozen_next(x->table, x->rows->capacity) ? S_MORE : S_OK;
}

/* ---- all of it */

enum status state_save_create(struct state_host *h, struct state_save **out, struct err *e)
{
    struct state_save *s = mem_zalloc(h->mem, sizeof *s);
    uint32_t tables = 0, timers = 0, at = 0;

    (void)e;
    s->host = h;
    s->is_apart = true;
    buf_init(&s->schema, h->mem);
    for (struct state_table *t = h->tables; t != NULL; t = t->next) tables++;
    for (struct timers *t = h->timers; t != NULL; t = t->next) timers++;
    s->count = tables + timers;
    s->items = mem_zalloc(h->mem, (s->count + 1) * sizeof *s->items);
    for (struct state_table *t = h->tables; t != NULL; t = t->next) s->items[tables - ++at].table = t;
    at = 0;
    for (struct timers *t = h->timers; t != NULL; t = t->next) s->items[s->count - ++at].timers = t;
    for (uint32_t i = 0; i < s->count; i++) item_init(s, &s->items[i]);
    for (uint32_t i = 0; i < s->count; i++) item_freeze(s, &s->items[i]);
    *out = s;
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

bool state_save_is_apart(const struct state_save *s) { return s->is_apart; }
size_t state_save_waiting(const struct state_save *s) { return s->waiting; }

/* Whose turn it is goes on; rows of timers that move come with those of their table, which has been through before. */
static enum status turn_take(struct state_save *s)
{
    struct item *x = &s->items[s->at];
    enum status st = item_walk(x);

    if (st == S_MORE) return S_OK;
    if (st != S_OK) return st;
    block_close(x);
    item_thaw(x);
    s->at++;
    return S_OK;
}

static void chunk_start(struct state_save *s, struct buf *out)
{
    if (out->size > 0) return;
    chunk_begin(out, s->host->max_parallelism);
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
        if (st != S_OK) return err_set(e, st, "the state cannot be read");
    }
    chunk_start(s, out);
    lines_write(s, out, limit);
    return s->at == s->count && s->waiting == 0 ? S_OK : S_MORE;
}
