/* snapshot_save.c - the state of a host as chunks: one table after the other, then timers, a block of rows at a time.
 *
 * The idea: rows become columns of a batch, as an operator would read them, and the batch a block. A table of plain rows is walked by
 * state_each, straight into the batch; of a table with heads, keys are fetched into a batch of their own and each stands for as many
 * rows as its head has. A block holds rows of one table, of as many namespaces as fit.
 *
 * Invariants: a chunk has the schema of all whose rows it has; tables come in the order in which they were opened, rows in that of
 * state_each and, below a key, in their own. Blocks have so many rows that they hold about BLOCK_BYTES. Nothing is changed.
 * Not here: columns (snapshot_rows.c), the bytes of blocks (snapshot_chunk.c). */
#include "flow/state/snapshot.h"

#include "columns/column/batch_codec.h"
#include "flow/state/sb.h"
#include "flow/state/snapshot_rows.h"
#include "flow/state/snapshot_timers.h"
#include "flow/state/timer_internal.h"

enum { BLOCK_BYTES = 256 * 1024, BLOCK_ROWS_MIN = 16, BLOCK_ROWS_FIRST = 256, HEADS_AHEAD = 8, SPACES_PER_STEP = 512 };
#define NOT_IN_CHUNK UINT32_MAX

struct state_save {
    struct state_host *host;
    struct state_table **tables;
    struct timers **timers;
    uint32_t table_count, timers_count, at; /* tables come first */
    bool is_open;                 /* what follows is of the present table or timers */
    struct arena arena;
    struct state_schema schema;
    uint32_t number, next_number; /* of its schema in the chunk; of the next schema */
    struct batch *rows;           /* of a block */
    struct buf bytes;
    struct timers_walk *walk;     /* of timers; the rest of tables */
    const int64_t *spaces;
    uint32_t space_count, space_at;
    struct state_cursor cursor;
    bool is_walked;               /* state_each is through with the namespace */
    /* Tables with heads. */
    struct batch *keys;
    uint32_t key_at;
    struct state_scan scan;
    void *heads[BATCH_ROWS];
    void *found[BATCH_ROWS];
    uint16_t owners[BATCH_ROWS];  /* of what was found: its key's row in keys */
    int64_t orders[BATCH_ROWS];   /* PLACES */
    uint64_t hashes[BATCH_ROWS];
    uint32_t key_cols[STATE_KEY_COLS];
};

enum status state_save_create(struct state_host *h, struct state_save **out, struct err *e)
{
    struct state_save *s = mem_zalloc(h->mem, sizeof *s);
    uint32_t count = 0;

    (void)e;
    s->host = h;
    arena_init(&s->arena, h->mem, 0);
    buf_init(&s->bytes, h->mem);
    for (struct state_table *t = h->tables; t != NULL; t = t->next) s->table_count++;
    s->tables = mem_alloc(h->mem, (s->table_count + 1) * sizeof(struct state_table *));
    for (struct state_table *t = h->tables; t != NULL; t = t->next) s->tables[s->table_count - ++count] = t;
    for (struct timers *t = h->timers; t != NULL; t = t->next) s->timers_count++;
    s->timers = mem_alloc(h->mem, (s->timers_count + 1) * sizeof(struct timers *));
    count = 0;
    for (struct timers *t = h->timers; t != NULL; t = t->next) s->timers[s->timers_count - ++count] = t;
    *out = s;
    return S_OK;
}

/* ---- a table */

static bool has_heads(const struct state_table *t) { return t->def->shape != STATE_MAP || t->def->map_key != NULL; }

static uint64_t keys_of(struct state_table *t, const int64_t *spaces, uint32_t count)
{
    uint64_t keys = 0;

    for (uint32_t i = 0; i < count; i++) keys += state_count(t, spaces[i]);
    return keys;
}

static void table_open(struct state_save *s, struct state_table *t)
{
    static const int64_t no_space[1] = {0};

    schema_of_table(t, &s->arena, &s->schema);
    s->spaces = no_space;
    s->space_count = 1;
    if (t->def->namespaced) s->spaces = state_namespaces(t, &s->space_count);
    s->schema.keys = keys_of(t, s->spaces, s->space_count);
    if (has_heads(t)) s->keys = batch_create(t->def->key, BATCH_ROWS, s->host->mem);
    s->space_at = s->key_at = 0;
    s->cursor = (struct state_cursor){0};
    s->scan = (struct state_scan){0};
    s->is_walked = false;
}

static void item_open(struct state_save *s)
{
    if (s->at < s->table_count) {
        table_open(s, s->tables[s->at]);
    } else {
        struct timers *t = s->timers[s->at - s->table_count];
        s->walk = timers_walk_create(t);
        schema_of_timers_of(t, &s->arena, &s->schema);
    }
    for (uint32_t k = 0; k < s->schema.count[ROLE_KEY]; k++) s->key_cols[k] = s->schema.first[ROLE_KEY] + k;
    s->rows = batch_create(s->schema.row, BATCH_ROWS, s->host->mem);
    s->rows->capacity = BLOCK_ROWS_FIRST;
    s->number = NOT_IN_CHUNK;
    s->is_open = true;
}

static void item_close(struct state_save *s)
{
    if (!s->is_open) return;
    s->rows->capacity = BATCH_ROWS;
    batch_free(s->rows);
    batch_free(s->keys);
    timers_walk_free(s->walk);
    s->rows = s->keys = NULL;
    s->walk = NULL;
    arena_reset(&s->arena);
    s->is_open = false;
}

void state_save_free(struct state_save *s)
{
    if (s == NULL) return;
    item_close(s);
    arena_release(&s->arena);
    buf_release(&s->bytes);
    mem_free(s->host->mem, s->tables);
    mem_free(s->host->mem, s->timers);
    mem_free(s->host->mem, s);
}

/* ---- rows of a block */

static void space_column(struct state_save *s, uint32_t n)
{
    if (s->schema.count[ROLE_NAMESPACE] == 0) return;
    int64_t *to = VECTOR_VALUES(&s->rows->cols[s->schema.first[ROLE_NAMESPACE]], int64_t) + s->rows->count;
    for (uint32_t i = 0; i < n; i++) to[i] = s->spaces[s->space_at];
}

/* Plain rows. */
static enum status entries_add(struct state_save *s, struct state_table *t)
{
    struct batch *b = s->rows;
    uint32_t before = b->count, n;
    enum status st = state_each(t, s->spaces[s->space_at], &s->cursor, b, s->key_cols, s->found, &n);

    if (st < 0) return st;
    b->count = before;
    space_column(s, n);
    columns_of_rows(t, &s->schema, s->found, n, b);
    b->count += n;
    s->is_walked = st == S_OK;
    return S_OK;
}

/* The next keys, with their heads. */
static enum status keys_fetch(struct state_save *s, struct state_table *t)
{
    uint32_t n;

    batch_clear(s->keys);
    enum status st = state_each(t, s->spaces[s->space_at], &s->cursor, s->keys, NULL, s->heads, &n);
    if (st < 0) return st;
    s->key_at = 0;
    s->is_walked = st == S_OK;
    return S_OK;
}

/* Rows of the keys that were fetched, as many as there is room for. */
static uint32_t heads_walk(struct state_save *s, struct state_table *t)
{
    uint32_t room = s->rows->capacity - s->rows->count, found = 0;
    bool are_places = t->def->shape == STATE_PLACES;

    while (found < room && s->key_at < s->keys->count) {
        void *head = s->heads[s->key_at];
        if (s->key_at + HEADS_AHEAD < s->keys->count) state_head_fetch(t, s->heads[s->key_at + HEADS_AHEAD]);
        uint32_t step = s->scan.step, most = room - found, n = t->type->walk(t, head, &s->scan, s->found + found, most);
        const struct state_place *places = are_places && n > 0 ? state_places(t, head) + step : NULL;
        for (uint32_t i = 0; i < n; i++) s->owners[found + i] = (uint16_t)s->key_at;
        for (uint32_t i = 0; i < n && are_places; i++) s->orders[found + i] = (int64_t)places[i].order;
        found += n;
        if (n == most) break; /* there may be more of it */
        s->key_at++;
        s->scan = (struct state_scan){0};
    }
    return found;
}

static enum status heads_add(struct state_save *s, struct state_table *t)
{
    struct batch *b = s->rows;

    if (s->key_at == s->keys->count) TRY(keys_fetch(s, t));
    uint32_t n = heads_walk(s, t);
    space_column(s, n);
    for (uint32_t k = 0; k < s->schema.count[ROLE_KEY]; k++)
        vector_copy(&b->cols[s->key_cols[k]], b->count, &s->keys->cols[k], s->owners, n, &b->heap, b->mem);
    columns_of_rows(t, &s->schema, s->found, n, b);
    if (s->schema.count[ROLE_ORDER] > 0)
        memcpy(VECTOR_VALUES(&b->cols[s->schema.first[ROLE_ORDER]], int64_t) + b->count, s->orders, n * sizeof *s->orders);
    b->count += n;
    return S_OK;
}

static bool space_is_through(const struct state_save *s) { return s->is_walked && (s->keys == NULL || s->key_at == s->keys->count); }

static void space_next(struct state_save *s)
{
    s->space_at++;
    s->cursor = (struct state_cursor){0};
    s->is_walked = false;
    s->key_at = 0;
    if (s->keys != NULL) batch_clear(s->keys);
}

static enum status table_fill(struct state_save *s, struct state_table *t)
{
    uint32_t spaces = 0;

    while (s->space_at < s->space_count) {
        if (s->rows->count == s->rows->capacity || spaces == SPACES_PER_STEP) return S_MORE;
        TRY(s->keys != NULL ? heads_add(s, t) : entries_add(s, t));
        if (!space_is_through(s)) continue;
        space_next(s);
        spaces++;
    }
    return S_OK;
}

/* Fills a block; S_OK: those were the last rows. */
static enum status block_fill(struct state_save *s)
{
    if (s->walk != NULL) return timers_walk_next(s->walk, &s->schema, s->rows);
    struct state_table *t = s->tables[s->at];
    enum status st = table_fill(s, t);
    t->type->rest(t);
    return st;
}

/* ---- blocks */

static void schema_write(struct state_save *s, struct buf *out)
{
    if (s->number != NOT_IN_CHUNK) return;
    s->number = s->next_number++;
    buf_clear(&s->bytes);
    schema_encode(&s->schema, &s->bytes);
    chunk_add(out, (struct chunk_block){.kind = CHUNK_SCHEMA, .number = s->number}, (struct str){s->bytes.data, s->bytes.size});
}

/* From the least to the greatest that occurs; operator state has none. */
static void groups_find(struct state_save *s, struct chunk_block *b)
{
    uint64_t least = UINT64_MAX, most = 0;

    if (s->schema.sharing != STATE_KEYED) return;
    if (s->walk != NULL) timers_columns_hash(s->timers[s->at - s->table_count], &s->schema, s->rows, s->hashes);
    else state_def_hash(s->tables[s->at]->def, s->rows, s->key_cols, s->hashes);
    for (uint32_t i = 0; i < s->rows->count; i++) {
        least = MIN(least, s->hashes[i]);
        most = MAX(most, s->hashes[i]);
    }
    b->group_first = state_key_group(least, s->host->max_parallelism);
    b->group_count = state_key_group(most, s->host->max_parallelism) - b->group_first + 1;
}

/* So many rows that the next block is about as large as it should be. */
static uint32_t rows_wanted(const struct state_save *s)
{
    size_t each = s->bytes.size / s->rows->count + 1;

    return (uint32_t)MIN(MAX(BLOCK_BYTES / each, (size_t)BLOCK_ROWS_MIN), (size_t)BATCH_ROWS);
}

static void block_write(struct state_save *s, struct buf *out)
{
    struct chunk_block b = {.kind = CHUNK_ROWS, .number = s->number, .rows = s->rows->count};

    if (s->rows->count == 0) return;
    groups_find(s, &b);
    buf_clear(&s->bytes);
    batch_encode(s->rows, &s->bytes);
    chunk_add(out, b, (struct str){s->bytes.data, s->bytes.size});
    uint32_t wanted = rows_wanted(s);
    s->rows->capacity = BATCH_ROWS;
    batch_clear(s->rows);
    s->rows->capacity = wanted;
}

enum status state_save_step(struct state_save *s, struct buf *out, size_t limit, struct err *e)
{
    uint32_t count = s->table_count + s->timers_count;

    if (s->at == count) return S_OK;
    if (out->size >= limit && out->size > 0) return S_MORE;
    if (out->size == 0) {
        chunk_begin(out, s->host->max_parallelism);
        s->number = NOT_IN_CHUNK;
        s->next_number = 0;
    }
    if (!s->is_open) item_open(s);
    enum status st = block_fill(s);
    if (st != S_OK && st != S_MORE) return err_set(e, st, "the state cannot be read");
    schema_write(s, out);
    block_write(s, out);
    if (st == S_MORE) return S_MORE;
    item_close(s);
    return ++s->at < count ? S_MORE : S_OK;
}
