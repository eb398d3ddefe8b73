/* kept_rows.c - see the header. An index finds the latest row of a hash; rows of one hash are linked. Rows that were taken back leave
 * gaps, which are closed when the places are used up, so that rows keep their order. */
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
    for (uint32_t i = 0; i < k->used; i++) mem_free(k->mem, k->rows[i]);
    mem_free(k->mem, k->rows);
    mem_free(k->mem, k->index);
    buf_release(&k->line);
}

/* --- finding ----------------------------------------------------------------------------------------------------- */
/* Where the hash stands in the index, or where it belongs. */
static struct kept_slot *slot_of(const struct kept_rows *k, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & (k->index_size - 1);

    while (k->index[i].is_taken && k->index[i].hash != hash) i = (i + 1) & (k->index_size - 1);
    return &k->index[i];
}

static void link_row(struct kept_rows *k, struct kept_row *r)
{
    struct kept_slot *s = slot_of(k, r->hash);

    k->taken += !s->is_taken;
    if (!s->is_taken) *s = (struct kept_slot){.hash = r->hash, .is_taken = true};
    r->before = s->latest;
    r->after = NULL;
    if (r->before != NULL) r->before->after = r;
    s->latest = r;
}

static void unlink_row(struct kept_rows *k, struct kept_row *r)
{
    if (r->before != NULL) r->before->after = r->after;
    if (r->after != NULL) r->after->before = r->before;
    else slot_of(k, r->hash)->latest = r->before;
}

/* --- room -------------------------------------------------------------------------------------------------------- */
/* A larger index, without hashes of which no row is left. */
static void reindex(struct kept_rows *k)
{
    struct kept_slot *old = k->index;
    uint32_t old_size = k->index_size;

    for (k->index_size = ROWS_LEAST; k->index_size < 4 * MAX(k->alive, k->capacity / 2);) k->index_size *= 2;
    k->index = mem_zalloc(k->mem, sizeof *k->index * k->index_size);
    k->taken = 0;
    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i].latest == NULL) continue;
        *slot_of(k, old[i].hash) = old[i];
        k->taken++;
    }
    mem_free(k->mem, old);
}

/* Closes the gaps and makes room. */
static void compact(struct kept_rows *k)
{
    uint32_t to = 0;

    for (uint32_t i = 0; i < k->used; i++) {
        if (k->rows[i] == NULL) continue;
        k->rows[i]->place = to;
        k->rows[to++] = k->rows[i];
    }
    ASSERT(to == k->alive);
    k->used = to;
    k->first = 0;
    k->capacity = MAX(2 * to, (uint32_t)ROWS_LEAST);
    k->rows = mem_realloc(k->mem, k->rows, sizeof *k->rows * k->capacity);
}

/* --- changes ----------------------------------------------------------------------------------------------------- */
static void forget(struct kept_rows *k, struct kept_row *r)
{
    unlink_row(k, r);
    k->rows[r->place] = NULL;
    k->alive--;
    mem_free(k->mem, r);
}

static void drop_oldest(struct kept_rows *k)
{
    while (k->rows[k->first] == NULL) k->first++;
    forget(k, k->rows[k->first]);
    k->dropped++;
}

/* The row of k->line, in the place that was vacated, or behind all others. */
static void add(struct kept_rows *k, uint64_t hash)
{
    uint32_t vacated = k->vacated;
    struct kept_row *r = mem_alloc(k->mem, sizeof *r + k->line.size);

    if (vacated == 0 && k->used == k->capacity) compact(k);
    if (2 * k->taken >= k->index_size) reindex(k);
    *r = (struct kept_row){.hash = hash, .place = vacated > 0 ? vacated - 1 : k->used++, .size = (uint32_t)k->line.size};
    memcpy(r->cells, k->line.data, k->line.size);
    k->rows[r->place] = r;
    k->alive++;
    k->vacated = 0;
    link_row(k, r);
}

/* The place of the row of k->line, counted from 1, which is a gap now; 0: it is not there, since it was dropped as too old. */
static uint32_t take_back(struct kept_rows *k, uint64_t hash)
{
    struct kept_row *r = k->index_size > 0 ? slot_of(k, hash)->latest : NULL;

    while (r != NULL && (r->size != k->line.size || memcmp(r->cells, k->line.data, r->size) != 0)) r = r->before;
    if (r == NULL) return 0;
    uint32_t place = r->place + 1;
    forget(k, r);
    return place;
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
        if (kind != ROW_UPDATE_AFTER) k->vacated = 0;
        if (kind == ROW_UPDATE_BEFORE) k->vacated = take_back(k, hash);
        else if (kind == ROW_DELETE) (void)take_back(k, hash);
        else add(k, hash);
        if (k->alive > v->rows_max) drop_oldest(k);
    }
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
const struct kept_row *kept_next(const struct kept_rows *k, const struct kept_row *r)
{
    for (uint32_t i = r == NULL ? 0 : r->place + 1; i < k->used; i++)
        if (k->rows[i] != NULL) return k->rows[i];
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
