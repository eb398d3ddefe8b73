/* group_firsts.c - finds keys of a batch that are equal, by their hashes and then by their columns. Many batches have few keys, or runs
 * of one: a key that equals the one before it is not looked for. The order of keys is that of their first rows. */
#include "flow/operator/group_firsts.h"

#include <string.h>

enum { PLACES = 2 * BATCH_ROWS };

static bool column_equals(const struct vector *v, uint32_t a, uint32_t b)
{
    if (v->form == VEC_CONST) return true;
    if (v->form == VEC_FLAT && (v->validity == NULL || (bit_get(v->validity, a) && bit_get(v->validity, b)))) {
        if (v->phys == P_I64) return VECTOR_VALUES(v, int64_t)[a] == VECTOR_VALUES(v, int64_t)[b];
        if (v->phys == P_STR) return text_equal(&VECTOR_VALUES(v, struct text)[a], &VECTOR_VALUES(v, struct text)[b]);
    }
    return vector_compare(v, a, v, b) == 0;
}

bool group_rows_equal(const struct state_keys *k, uint32_t a, uint32_t b)
{
    for (uint32_t c = 0; c < k->col_count; c++)
        if (!column_equals(&k->batch->cols[k->cols[c]], a, b)) return false;
    return true;
}

void group_firsts_find(struct group_firsts *f, const struct state_keys *keys)
{
    uint16_t places[PLACES]; /* number of the key, and one */
    uint32_t last = 0;

    memset(places, 0, sizeof places);
    f->count = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        uint32_t row = keys->sel != NULL ? keys->sel[i] : i;
        uint64_t hash = keys->hashes[i];
        if (f->count == 0 || f->hashes[last] != hash || !group_rows_equal(keys, f->rows[last], row)) {
            uint32_t at = (uint32_t)(hash % PLACES);
            while (places[at] != 0 && (f->hashes[places[at] - 1] != hash || !group_rows_equal(keys, f->rows[places[at] - 1], row)))
                at = (at + 1) % PLACES;
            if (places[at] == 0) {
                f->rows[f->count] = (uint16_t)row;
                f->hashes[f->count] = hash;
                places[at] = (uint16_t)++f->count;
            }
            last = places[at] - 1u;
        }
        f->key_of[i] = (uint16_t)last;
    }
    f->keys = *keys;
    f->keys.sel = f->rows;
    f->keys.hashes = f->hashes;
    f->keys.count = f->count;
}
