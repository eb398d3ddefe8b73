/* row.h - the one row encoding in memory: 8-aligned fields at known offsets, null bits at the end, strings as 16-byte
 * references. A layout is computed once from a T_ROW; reading and writing a field is then one load or store.
 *
 * open structs: hot path. In a row: BOOLEAN..BIGINT, DATE, TIME, TIMESTAMP (precision <= 6), intervals, DECIMAL(<= 18) are
 * an int64_t; FLOAT and DOUBLE a double; DECIMAL above 18 an int128 (8-aligned: copy it with memcpy); TIMESTAMP(7-9) a
 * struct ts96; CHAR, VARCHAR, BINARY, VARBINARY and, encoded as bytes, ARRAY, MAP, MULTISET, ROW a struct state_text.
 * A new row is all zero: numbers 0, strings empty, nothing NULL. */
#pragma once
#include "columns/column/batch.h"

struct state_table;

/* Up to 12 bytes inline, else 4-byte prefix, segment and offset. Never a pointer: rows can be written out as they lie. */
struct state_text {
    uint32_t size;
    char prefix[4];
    union {
        char rest[8];
        struct {
            uint32_t segment, offset;
        };
    };
};
_Static_assert(sizeof(struct state_text) == 16, "strings are 16-byte references");

enum state_field_form { STATE_WORD, STATE_REAL, STATE_WIDE, STATE_STRING, STATE_NESTED }; /* 8, 8, 16, 16, 16 bytes */

struct state_field {
    uint32_t offset; /* from the row's pointer */
    uint8_t form;    /* enum state_field_form */
    uint8_t phys;    /* enum phys of the column */
    bool nullable;
};

struct state_layout {
    const struct type *type; /* T_ROW */
    struct state_field *fields;
    uint32_t field_count;
    uint32_t null_offset; /* bit i = field i is NULL; meaningful when has_nulls */
    uint32_t size;        /* bytes, a multiple of 8 */
    uint32_t text_count;  /* fields of form STRING or NESTED */
    bool has_nulls;       /* some field is nullable */
};

/* Fields in the order of the type. E_UNSUPPORTED with a sentence for a type that cannot be kept. */
enum status state_layout_init(struct state_layout *l, const struct type *row, struct mem *mem, struct err *e) CHECKED;
void state_layout_release(struct state_layout *l, struct mem *mem);

static inline int64_t *state_word(void *row, uint32_t offset) { return (int64_t *)((char *)row + offset); }
static inline double *state_real(void *row, uint32_t offset) { return (double *)((char *)row + offset); }
static inline struct state_text *state_text_at(void *row, uint32_t offset) { return (struct state_text *)((char *)row + offset); }
static inline uint64_t *state_null_word(const struct state_layout *l, const void *row, uint32_t field)
{
    return (uint64_t *)((char *)row + l->null_offset) + (field >> 6);
}
static inline bool state_is_null(const struct state_layout *l, const void *row, uint32_t field)
{
    return l->has_nulls && ((*state_null_word(l, row, field) >> (field & 63)) & 1);
}
static inline void state_set_null(const struct state_layout *l, void *row, uint32_t field)
{
    *state_null_word(l, row, field) |= UINT64_C(1) << (field & 63);
}
static inline void state_set_valid(const struct state_layout *l, void *row, uint32_t field)
{
    if (l->has_nulls) *state_null_word(l, row, field) &= ~(UINT64_C(1) << (field & 63));
}

/* View of a string field; valid until the field is set again or the table's batch is done. */
struct str state_text_get(const struct state_table *t, const struct state_text *field);
/* Copies value into the field of a row of namespace ns, reusing or giving back what the field held. */
void state_text_set(struct state_table *t, int64_t ns, struct state_text *field, struct str value);

/* One field of many rows <-> one column. rows[i] NULL is skipped by store and becomes NULL in load (outer joins).
 * store: rows[i].field = v[sel ? sel[i] : i]; any form of vector; NULL values set the null bit.
 * load: v[first + i] = rows[i].field; v is FLAT with room; long strings are copied to heap. */
void state_rows_store(struct state_table *t, int64_t ns, void *const *rows, uint32_t count, uint32_t field,
                      const struct vector *v, const uint16_t *sel);
void state_rows_load(const struct state_table *t, const void *const *rows, uint32_t count, uint32_t field, struct vector *v,
                     uint32_t first, struct text_heap *heap, struct mem *mem);
/* The same of the map key or the sort key that lies before each row. */
void state_extra_load(const struct state_table *t, const void *const *rows, uint32_t count, uint32_t field, struct vector *v,
                      uint32_t first, struct text_heap *heap, struct mem *mem);
/* A probe row is a row outside any table, of the same layout: its string fields are struct text (far bytes by pointer,
 * which must live as long as the probe). Keys of map entries, sort keys and values to append are passed as probe rows. */
struct state_probe {
    struct state_layout layout;
    struct mem *mem;
    char *rows;          /* count * layout.size bytes */
    struct buf bytes;    /* encoded nested values */
    uint32_t count, capacity;
};
enum status state_probe_init(struct state_probe *p, const struct type *row, struct mem *mem, struct err *e) CHECKED;
void state_probe_release(struct state_probe *p);
/* Fills rows[0..count) from columns cols[f] of b (NULL = 0..), rows sel[i] (NULL = 0..count-1). Strings point into b. */
void state_probe_fill(struct state_probe *p, const struct batch *b, const uint32_t *cols, const uint16_t *sel, uint32_t count);
static inline void *state_probe_at(const struct state_probe *p, uint32_t i) { return p->rows + (size_t)i * p->layout.size; }
