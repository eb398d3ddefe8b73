/* kept_rows.c - see the header. An index finds the latest row of a hash; rows of one hash are linked from the latest back. Rows that
 * were taken back stay as gaps until there are more gaps than rows. */
#include "surface/sql/kept_rows.h"

#include "ground/base/hash.h"

#include <string.h>

enum { ROWS_LEAST = 256 };

void kept_init(struct kept_rows *k, struct mem *mem)
{
    *k = (struct kept_rows){.mem = mem};
    buf_init(&k->line, mem);
}

void kept_release(struct kept_rows *k)
{
    for (uint32_t i = 0; i < k->used; i++) mem_free(k->mem, k->rows[i].cells);
    mem_free(k->mem, k->rows);
    mem_free(k->mem, k->index);
    buf_release(&k->line);
}

/* --- finding ----------------------------------------------------------------------------------------------------- */
/* Where the hash stands in the index, or where it belongs. */
static uint32_t *slot_of(const struct kept_rows *k, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & (k->index_size - 1);

    while (k->index[i] != 0 && k->rows[k->index[i] - 1].hash != hash) i = (i + 1) & (k->index_size - 1);
    return &k->index[i];
}

static void link_row(struct kept_rows *k, uint32_t place)
{
    uint32_t *slot = slot_of(k, k->rows[place].hash);

    k->rows[place].before = *slot;
    *slot = place + 1;
}

/* Closes the gaps and makes room; the index is made anew. */
static void rebuild(struct kept_rows *k)
{
    uint32_t to = 0;

    for (uint32_t i = 0; i < k->used; i++)
        if (k->rows[i].cells != NULL) k->rows[to++] = k->rows[i];
    ASSERT(to == k->alive);
    k->used = to;
    k->first = 0;
    k->capacity = MAX(2 * to, (uint32_t)ROWS_LEAST);
    k->rows = mem_realloc(k->mem, k->rows, sizeof *k->rows * k->capacity);
    for (k->index_size = ROWS_LEAST; k->index_size < 2 * k->capacity;) k->index_size *= 2;
    mem_free(k->mem, k->index);
    k->index = mem_zalloc(k->mem, sizeof *k->index * k->index_size);
    for (uint32_t i = 0; i < k->used; i++) link_row(k, i);
}

/* --- changes ----------------------------------------------------------------------------------------------------- */
static void forget(struct kept_rows *k, struct kept_row *r)
{
    mem_free(k->mem, r->cells);
    r->cells = NULL;
    k->alive--;
}

static void drop_oldest(struct kept_rows *k)
{
    while (k->rows[k->first].cells == NULL) k->first++;
    forget(k, &k->rows[k->first]);
    k->dropped++;
}

static void add(struct kept_rows *k, uint64_t hash)
{
    if (k->used == k->capacity) rebuild(k);
    struct kept_row *r = &k->rows[k->used];
    *r = (struct kept_row){.cells = mem_alloc(k->mem, k->line.size + 1), .size = (uint32_t)k->line.size, .hash = hash};
    memcpy(r->cells, k->line.data, k->line.size);
    link_row(k, k->used++);
    k->alive++;
}

/* A row that is not there was dropped as too old. */
static void take_back(struct kept_rows *k, uint64_t hash)
{
    if (k->index_size == 0) return;
    for (uint32_t at = *slot_of(k, hash); at != 0; at = k->rows[at - 1].before) {
        struct kept_row *r = &k->rows[at - 1];
        if (r->cells == NULL || r->size != k->line.size || memcmp(r->cells, k->line.data, r->size) != 0) continue;
        forget(k, r);
        return;
    }
}

static void print_row(struct kept_rows *k, struct view *v, const struct batch *b, uint32_t row)
{
    buf_clear(&k->line);
    buf_append_byte(&k->line, '\0'); /* so that a row without columns is a text too */
    for (uint32_t c = 0; c < v->row->child_count; c++) {
        view_cell(v, &b->cols[c], row);
        uint32_t size = (uint32_t)v->cell.size;
        buf_append(&k->line, &size, sizeof size);
        buf_append(&k->line, v->cell.data, size);
    }
}

void kept_take(struct kept_rows *k, struct view *v, const struct batch *b)
{
    BATCH_EACH(b, i, row)
    {
        enum row_kind kind = batch_kind(b, row);
        print_row(k, v, b, row);
        uint64_t hash = hash64(k->line.data, k->line.size);
        if (kind == ROW_UPDATE_BEFORE || kind == ROW_DELETE) take_back(k, hash);
        else add(k, hash);
        if (k->alive > v->rows_max) drop_oldest(k);
    }
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
const struct kept_row *kept_next(const struct kept_rows *k, const struct kept_row *r)
{
    for (uint32_t i = r == NULL ? 0 : (uint32_t)(r - k->rows) + 1; i < k->used; i++)
        if (k->rows[i].cells != NULL) return &k->rows[i];
    return NULL;
}

struct str kept_cell(const struct kept_row *r, uint32_t *at)
{
    uint32_t size, from = MAX(*at, 1u);

    ASSERT(from + sizeof size <= r->size);
    memcpy(&size, r->cells + from, sizeof size);
    *at = from + (uint32_t)sizeof size + size;
    return (struct str){r->cells + from + sizeof size, size};
}
