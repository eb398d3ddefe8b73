/* rowops.h - whole rows: hash, equality, order, copying a probe row into a table, giving back its strings.
 * Internal to flow/state. "Stored" rows lie in a table (struct state_text), probe rows outside (struct text). */
#pragma once
#include "flow/state/block.h"
#include "flow/state/row.h"

static inline struct str stored_text(const struct segments *s, const struct state_text *f)
{
    if (f->size <= TEXT_INLINE) return (struct str){f->prefix, f->size};
    return (struct str){block_at(s, (struct state_ref){f->segment, f->offset}), f->size};
}
static inline bool field_is_text(const struct state_field *f) { return f->form >= STATE_STRING; }

void stored_text_set(struct segments *s, struct blocks *b, struct state_text *field, struct str value);
void stored_text_free(struct segments *s, struct blocks *b, struct state_text *field); /* leaves it empty */

uint64_t probe_hash(const struct state_layout *l, const void *probe);
bool row_equals_probe(const struct state_layout *l, const struct segments *s, const void *stored, const void *probe);
/* Writes into memory that holds no row yet. */
void row_from_probe(const struct state_layout *l, struct segments *s, struct blocks *b, void *stored, const void *probe);
/* The other way, borrowing: the strings of the probe row are those of the stored one. */
void probe_from_row(const struct state_layout *l, const struct segments *s, void *probe, const void *stored);
void row_free_texts(const struct state_layout *l, struct segments *s, struct blocks *b, void *stored);

/* Order of sort keys: bit i of descending / nulls_last speaks of field i. */
struct row_order {
    const struct state_layout *layout;
    uint64_t descending, nulls_last;
    bool exact; /* equal prefixes mean equal keys */
};
void row_order_init(struct row_order *o, const struct state_layout *l, uint64_t descending, uint64_t nulls_last);
/* The first field as a number of the same order. */
uint64_t row_order_prefix(const struct row_order *o, const void *row);
uint64_t row_order_word_prefix(const struct row_order *o, int64_t word); /* of a sole WORD field that is not NULL */
int row_order_compare(const struct row_order *o, const struct segments *s, const void *stored, const void *probe);

/* One value of type ARRAY, MAP, MULTISET or ROW as bytes, and back into row `at` of a FLAT vector. */
void nested_encode(const struct vector *v, uint32_t row, struct buf *out);
void nested_encode_key(const struct vector *v, uint32_t row, struct buf *out); /* equal maps give equal bytes */
void nested_decode(struct str bytes, struct vector *v, uint32_t at, struct text_heap *heap, struct mem *mem);
