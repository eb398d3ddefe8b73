/* pack.h - packed rows: bytes that are written once and never changed, so that a row takes what it holds and no more.
 *
 *   [bit 0: the row is wide; null bits][of each string the end of its bytes][values][bytes of the strings]
 *
 * Most rows are narrow: ends have 16 bits, and 64-bit integers are the 32 bits that they are above the field's base, which comes from
 * the first rows. A row with a value out of reach, or that is long, is wide: ends have 32 bits, values those of their column. A row has
 * no alignment and knows its own size. Strings are read as views: nothing is copied, and a view is good as long as the row lies where it
 * is. In tables without namespaces long strings that come again and again are kept once (pack_dict.h), and the row has a number in
 * place of the bytes. open structs: hot path. */
#pragma once
#include "flow/state/pack_dict.h"
#include "flow/state/row.h"

enum { PACK_ROWS = 64 }; /* that are written at once: they stay in the first-level cache */
enum pack_form { PACK_NARROW, PACK_WIDE, PACK_FORMS };

struct pack_field {
    uint32_t offset[PACK_FORMS]; /* of the value; not of strings */
    uint8_t phys, width;         /* of a wide value */
    bool nullable, is_text, is_narrow;
    uint16_t text;               /* number among the strings */
    int64_t base;                /* is_narrow: what narrow values are above */
};
#define PACK_NARROW_REFERS (UINT32_C(1) << 15) /* in an end: what lies there is the number of a string that is kept once */
#define PACK_WIDE_REFERS (UINT32_C(1) << 31)

struct pack {
    struct pack_field *fields;
    uint32_t field_count;
    uint32_t head;              /* bytes of bits; 0: rows have one form, PACK_WIDE, and no NULLs */
    uint32_t fixed[PACK_FORMS]; /* bytes before those of the strings; at least 1 */
    uint32_t text_count;
    bool has_nulls, has_bases;
    struct segments *segments;
    struct pack_dict *dicts; /* per string; NULL: rows have all bytes themselves */
    /* What pack_sizes found. */
    uint8_t *forms;          /* of row i */
    uint32_t *numbers;       /* 1 + the number of string t of row i at [t * BATCH_ROWS + i]; 0: the row has its bytes */
};

/* Lists and rows within a row cannot be packed. */
static inline bool pack_fits_value(const struct type *t) { return t->phys != P_LIST && t->phys != P_ROW && t->phys < P_COUNT; }
bool pack_fits(const struct type *row);
/* A row that fits. */
void pack_init(struct pack *p, const struct type *row, bool has_dicts, struct segments *segments, struct mem *mem);
void pack_forget(struct pack *p); /* all rows are gone, with their blocks */
void pack_release(struct pack *p, struct mem *mem);

static inline enum pack_form pack_form_of(const struct pack *p, const void *row)
{
    return p->head == 0 || (*(const uint8_t *)row & 1) != 0 ? PACK_WIDE : PACK_NARROW;
}
/* Where string `text` ends, with PACK_WIDE_REFERS. */
static inline uint32_t pack_end(const struct pack *p, const void *row, enum pack_form form, uint32_t text)
{
    uint32_t wide;
    uint16_t narrow;

    if (form == PACK_WIDE) {
        memcpy(&wide, (const char *)row + p->head + text * sizeof wide, sizeof wide);
        return wide;
    }
    memcpy(&narrow, (const char *)row + p->head + text * sizeof narrow, sizeof narrow);
    return (narrow & ~PACK_NARROW_REFERS) | (narrow & PACK_NARROW_REFERS) << 16;
}
static inline uint32_t pack_size(const struct pack *p, const void *row)
{
    enum pack_form form = pack_form_of(p, row);

    return p->text_count == 0 ? p->fixed[form] : pack_end(p, row, form, p->text_count - 1) & ~PACK_WIDE_REFERS;
}
static inline bool pack_is_null(const struct pack *p, const void *row, uint32_t field)
{
    return p->has_nulls && ((((const uint8_t *)row)[(field + 1) / 8] >> ((field + 1) % 8)) & 1) != 0;
}
static inline struct str pack_text(const struct pack *p, const void *row, const struct pack_field *f)
{
    enum pack_form form = pack_form_of(p, row);
    uint32_t from = f->text == 0 ? p->fixed[form] : pack_end(p, row, form, f->text - 1u) & ~PACK_WIDE_REFERS;
    uint32_t end = pack_end(p, row, form, f->text);
    uint16_t number;

    if (LIKELY((end & PACK_WIDE_REFERS) == 0)) return (struct str){(const char *)row + from, end - from};
    memcpy(&number, (const char *)row + from, sizeof number);
    return text_str(dict_string_at(&p->dicts[f->text], number));
}

/* Where rows come from: rows rows[0..count) of a batch, field f being column cols[f]; strings that are kept once go to blocks. */
struct pack_source {
    const struct batch *batch;
    const uint32_t *cols;
    const uint16_t *rows;
    uint32_t count; /* at most BATCH_ROWS */
    struct blocks *blocks;
};
size_t pack_strings_most(const struct pack *p, const struct pack_source *from); /* bytes that pack_sizes may take for strings, at most */
void pack_sizes(struct pack *p, const struct pack_source *from, uint32_t *sizes); /* the bytes that each takes */
/* After pack_sizes: those numbered which[0..n), n <= PACK_ROWS, to at[i]. */
void pack_write(const struct pack *p, const struct pack_source *from, const uint16_t *which, uint32_t n, char *const *at);
/* v[first + i] = field of rows[i]; NULL gives NULL; strings are views. v is FLAT with room. */
void pack_load(const struct pack *p, const void *const *rows, uint32_t count, uint32_t field, struct vector *v, uint32_t first);
/* The field of a packed row beside row `at` of a column, as vector_compare. */
int pack_compare(const struct pack *p, const void *row, uint32_t field, const struct vector *v, uint32_t at);
