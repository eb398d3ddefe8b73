/* user_elements.c - walking over the rows of a group. */
#include "flow/operator/user_elements.h"

void user_elements_init(struct tw_elements *e, struct tw_context *cx, const struct user_row *row)
{
    *e = (struct tw_elements){.cx = cx, .row = row};
    arena_init(&e->items, cx->arena.mem, 0);
}

void user_elements_release(struct tw_elements *e)
{
    if (e->cx == NULL) return;
    for (uint32_t i = 0; i < e->block_capacity; i++) {
        if (e->blocks[i] == NULL) break;
        mem_free(e->cx->arena.mem, e->blocks[i]->structs);
        mem_free(e->cx->arena.mem, e->blocks[i]);
    }
    mem_free(e->cx->arena.mem, e->blocks);
    arena_release(&e->items);
    e->cx = NULL;
}

static void group_begin(struct tw_elements *e, uint32_t total)
{
    ASSERT(e->cx != NULL);
    e->total = total;
    e->at = e->read = e->block_count = 0;
    e->single = NULL;
    arena_reset(&e->items);
    e->next = NULL;
    e->batch = NULL;
}

void user_elements_rows(struct tw_elements *e, uint32_t total, elements_next_fn next, void *arg)
{
    group_begin(e, total);
    e->next = next;
    e->arg = arg;
}

void user_elements_one(struct tw_elements *e, const void *row, int64_t time_ms)
{
    group_begin(e, 1);
    e->single = row;
    e->single_time = time_ms;
}

void user_elements_end(struct tw_elements *e) { group_begin(e, 0); }

static struct elements_block *block_next(struct tw_elements *e)
{
    struct mem *mem = e->cx->arena.mem;

    if (e->block_count == e->block_capacity) {
        uint32_t capacity = e->block_capacity ? e->block_capacity * 2 : 8;
        e->blocks = mem_realloc(mem, e->blocks, capacity * sizeof *e->blocks);
        for (uint32_t i = e->block_capacity; i < capacity; i++) e->blocks[i] = NULL;
        e->block_capacity = capacity;
    }
    struct elements_block **b = &e->blocks[e->block_count++];
    if (*b == NULL) {
        *b = mem_zalloc(mem, sizeof **b);
        (*b)->structs = mem_alloc(mem, (size_t)e->row->conv.size * ROWCONV_ROWS);
    }
    (*b)->count = 0;
    return *b;
}

/* Reads up to 64 further rows into a block: every block but the last is full, so that a row's block follows from its number. */
static enum status block_fill(struct tw_elements *e)
{
    struct elements_block *block = block_next(e);
    uint32_t bad;

    while (block->count < ROWCONV_ROWS) {
        if (e->batch == NULL || e->batch_at == batch_rows(e->batch)) {
            e->batch_at = 0;
            TRY(e->next(e->arg, &e->batch));
            if (e->batch == NULL) break;
            continue;
        }
        uint32_t n = MIN(ROWCONV_ROWS - block->count, batch_rows(e->batch) - e->batch_at);
        char *to = block->structs + (size_t)block->count * e->row->conv.size;
        if (rowconv_read(&e->row->conv, e->batch, e->batch_at, n, to, &e->items, &bad) != S_OK) {
            user_misuse(e->cx, "NULL in column '%s', but row type '%s' has no place for it",
                        e->batch->schema->names[e->row->conv.fields[bad].col], e->row->row->name);
            return E_DATA;
        }
        for (uint32_t i = 0; i < n; i++) block->times[block->count + i] = batch_time(e->batch, batch_row(e->batch, e->batch_at + i));
        block->count += n;
        e->batch_at += n;
    }
    e->read += block->count;
    return S_OK;
}

static void elements_failed(struct tw_elements *e, enum status st)
{
    user_misuse(e->cx, "the rows of the group could not be read: %s", status_text(st));
    e->total = e->at;
}

const void *tw_next(struct tw_elements *e)
{
    if (e->at == e->total) return NULL;
    if (e->single) {
        e->at++;
        return e->single;
    }
    if (e->at == e->read) {
        enum status st = block_fill(e);
        if (st == S_OK && e->at == e->read) st = E_DATA; /* fewer than was said */
        if (st != S_OK) {
            elements_failed(e, st);
            return NULL;
        }
    }
    const struct elements_block *b = e->blocks[e->at / ROWCONV_ROWS];
    return b->structs + (size_t)(e->at++ % ROWCONV_ROWS) * e->row->conv.size;
}

uint32_t tw_element_count(struct tw_elements *e) { return e->total; }

int64_t tw_element_time(struct tw_elements *e)
{
    if (e->at == 0) return TW_NO_TIME;
    if (e->single) return e->single_time;
    return e->blocks[(e->at - 1) / ROWCONV_ROWS]->times[(e->at - 1) % ROWCONV_ROWS];
}

void tw_rewind(struct tw_elements *e) { e->at = 0; }
