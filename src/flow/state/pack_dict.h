/* pack_dict.h - long strings of one field that come again and again (an address, a name of a device) are kept once; rows refer to
 * them. Of a table without namespaces: what is in the dictionary stays as long as the table. Internal to flow/state. */
#pragma once
#include "columns/column/batch.h"
#include "flow/state/block.h"

enum {
    DICT_SIZE_MIN = 24,   /* shorter strings are not worth it */
    DICT_SIZE_MAX = 1024,
    DICT_STRINGS_MAX = 64 * 1024, /* numbers have 16 bits */
    DICT_WINDOW = 4096,   /* strings looked for, after which it is judged */
    DICT_AHEAD = 16, /* strings between two steps of looking for one */
};

struct dict_slot {
    uint32_t hash, size; /* size 0: free */
    uint32_t segment;    /* where it lies */
    uint16_t offset;
    uint16_t number;
};

struct pack_dict {
    struct mem *mem;
    struct segments *segments;
    struct dict_slot *slots;
    uint32_t mask, count; /* slots less one; strings */
    struct text *strings; /* by number: views of them, there for as long as rows are that refer to them */
    uint32_t string_room;
    uint32_t seen, hits;  /* since it was judged last */
    bool is_off;          /* too few come again */
};

void dict_init(struct pack_dict *d, struct segments *segments, struct mem *mem);
void dict_release(struct pack_dict *d);
size_t dict_growth(const struct pack_dict *d, uint32_t count); /* bytes of its index, if so many strings are added */
void dict_clear(struct pack_dict *d); /* the strings are gone with their blocks */
/* A text of a column; NULL is an empty one. */
static inline struct str dict_text(const struct vector *v, const struct vector *base, uint32_t row)
{
    return vector_is_null(v, row) ? (struct str){"", 0} : text_str(&VECTOR_VALUES(base, struct text)[vector_at(v, row)]);
}
/* The bytes of a long text that another task wrote, before they are looked at. */
static inline __attribute__((always_inline)) void dict_text_fetch(const struct vector *v, const struct vector *base, uint32_t row)
{
    const struct text *t = &VECTOR_VALUES(base, struct text)[vector_at(v, row)];

    if (t->size <= TEXT_INLINE || vector_is_null(v, row)) return;
    __builtin_prefetch(t->far);
    __builtin_prefetch(t->far + t->size - 1);
}
/* numbers[i] = 1 + the number of the text in row rows[i], below DICT_STRINGS_MAX; 0: it is not there, and the row has to have it.
 * count <= BATCH_ROWS. */
void dict_find(struct pack_dict *d, struct blocks *b, const struct vector *v, const uint16_t *rows, uint32_t count, uint32_t *numbers);
/* A view: who reads it is spared a look at the bytes. */
static inline const struct text *dict_string_at(const struct pack_dict *d, uint32_t number) { return &d->strings[number]; }
