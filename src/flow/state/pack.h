/* pack.h - packed rows: bytes that are written once and never changed, so that a row takes what it holds and no more.
 *
 *   [values at fixed places, as wide as in a column; of a string the end of its bytes, a u32][null bits][bytes of the strings]
 *
 * A row has no alignment and knows its own size. Strings are read as views: nothing is copied, and a view is good as long as the
 * row lies where it is. In tables without namespaces long strings that come again and again are kept once (pack_dict.h), and the row
 * has a reference in place of the bytes. open structs: hot path. */
#pragma once
#include "flow/state/pack_dict.h"
#include "flow/state/row.h"

enum { PACK_ROWS = 64 }; /* that are written at once: they stay in the first-level cache */

struct pack_field {
    uint32_t offset; /* of the value, or of a string's end, with PACK_REFERS */
    uint32_t before; /* where the end of the string before this one is; PACK_FIRST: there is none */
    uint8_t phys, width;
    bool nullable, is_text;
    uint16_t text; /* number among the strings */
};
#define PACK_FIRST UINT32_MAX
#define PACK_REFERS (UINT32_C(1) << 31) /* what lies there is a struct pack_reference */
struct pack_reference {
    struct state_ref ref;
    uint32_t size;
};

struct pack {
    struct pack_field *fields;
    uint32_t field_count;
    uint32_t null_offset, null_bytes;
    uint32_t fixed;    /* bytes before those of the strings; at least 1 */
    uint32_t last_end; /* where the row's size is; PACK_FIRST: it is `fixed` */
    uint32_t text_count;
    struct segments *segments;
    struct pack_dict *dicts; /* per string; NULL: rows have all bytes themselves */
    struct state_ref *refs;  /* what pack_sizes found: of string t of row i at [t * BATCH_ROWS + i] */
};

/* Lists and rows within a row cannot be packed. */
static inline bool pack_fits_value(const struct type *t) { return t->phys != P_LIST && t->phys != P_ROW && t->phys < P_COUNT; }
bool pack_fits(const struct type *row);
/* A row that fits. */
void pack_init(struct pack *p, const struct type *row, bool has_dicts, struct segments *segments, struct mem *mem);
void pack_forget(struct pack *p); /* all rows are gone, with their blocks */
void pack_release(struct pack *p, struct mem *mem);

static inline uint32_t pack_word(const void *row, uint32_t offset)
{
    uint32_t word;

    memcpy(&word, (const char *)row + offset, sizeof word);
    return word;
}
static inline uint32_t pack_size(const struct pack *p, const void *row)
{
    return p->last_end == PACK_FIRST ? p->fixed : pack_word(row, p->last_end) & ~PACK_REFERS;
}
static inline bool pack_is_null(const struct pack *p, const void *row, uint32_t field)
{
    return p->null_bytes > 0 && ((((const uint8_t *)row)[p->null_offset + field / 8] >> (field % 8)) & 1) != 0;
}
static inline struct str pack_text(const struct pack *p, const void *row, const struct pack_field *f)
{
    uint32_t from = f->before == PACK_FIRST ? p->fixed : pack_word(row, f->before) & ~PACK_REFERS, end = pack_word(row, f->offset);
    struct pack_reference r;

    if ((end & PACK_REFERS) == 0) return (struct str){(const char *)row + from, end - from};
    memcpy(&r, (const char *)row + from, sizeof r);
    return (struct str){block_at(p->segments, r.ref), r.size};
}

/* Where rows come from: rows rows[0..count) of a batch, field f being column cols[f]; strings that are kept once go to blocks. */
struct pack_source {
    const struct batch *batch;
    const uint32_t *cols;
    const uint16_t *rows;
    uint32_t count; /* at most BATCH_ROWS */
    struct blocks *blocks;
};
void pack_sizes(struct pack *p, const struct pack_source *from, uint32_t *sizes); /* the bytes that each takes */
/* After pack_sizes: those numbered which[0..n), n <= PACK_ROWS, to at[i]. */
void pack_write(const struct pack *p, const struct pack_source *from, const uint16_t *which, uint32_t n, char *const *at);
/* v[first + i] = field of rows[i]; NULL gives NULL; strings are views. v is FLAT with room. */
void pack_load(const struct pack *p, const void *const *rows, uint32_t count, uint32_t field, struct vector *v, uint32_t first);
/* The field of a packed row beside row `at` of a column, as vector_compare. */
int pack_compare(const struct pack *p, const void *row, uint32_t field, const struct vector *v, uint32_t at);
