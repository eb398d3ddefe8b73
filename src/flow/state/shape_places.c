/* shape_places.c - the verbs of PLACES: key -> packed rows in an order that the operator keeps, for the first rows of partitions.
 *
 * The idea: each row is a block of its own, written once; the head has the list of (order, row), of 16 bytes each: a sole place in
 * itself, more in a block that grows by halves. So whoever looks for a row's place sees numbers side by side, and no row.
 *
 * Invariants: a head of one row has it in `place`, of several their block in `first`. A row that left its head stays where it is
 * until it is freed. Not here: the order, and time to live. */
#include "flow/state/shape_verbs.h"

static struct state_place *list_of(const struct hm_table *t, struct bag *b)
{
    return b->rows > 1 ? block_at(&t->segments, b->first) : &b->place;
}

const struct state_place *hm_places(const struct state_table *base, const void *head)
{
    return list_of(hm_of_const(base), (struct bag *)(uintptr_t)head);
}

/* A block for so many places, those that there are not being kept. */
static void list_resize(struct hm_table *t, struct space *s, struct bag *b, uint32_t count)
{
    bool had_block = b->rows > 1;
    uint32_t room = had_block ? block_room(&t->segments, b->first) / (uint32_t)sizeof(struct state_place) : 1;

    if (count <= room && (count > 1 || !had_block)) return;
    if (had_block) block_give(&s->blocks, &t->segments, b->first);
    if (count > 1) b->first = block_take(&s->blocks, &t->segments, sizeof(struct state_place) * (count + (count > 4 ? count / 2 : 0)));
}

void places_put(struct hm_table *t, struct space *s, struct bag *b, const struct state_place *places, uint32_t count)
{
    list_resize(t, s, b, count);
    b->rows = count;
    memcpy(list_of(t, b), places, sizeof *places * count);
}

void hm_places_set(struct state_table *base, int64_t ns, void *head, const struct state_place *places, uint32_t count)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    struct bag *b = head;

    places_put(t, s, b, places, count);
    if (count == 0) bag_touch(t, s, b);
    head_mark(t, s, b);
}

const void *hm_place_row(const struct state_table *base, uint64_t row)
{
    return block_at(&hm_of_const(base)->segments, ref_of_word(row));
}

enum status hm_places_write(struct state_table *base, int64_t ns, const struct batch *in, const uint32_t *cols, const uint16_t *rows,
                            uint32_t count, uint64_t *out)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    struct pack_source from = {in, cols, rows, count, &s->blocks};
    uint32_t sizes[BATCH_ROWS];
    uint16_t which[PACK_ROWS];
    char *at[PACK_ROWS];

    ASSERT(t->bag->is_places && count <= BATCH_ROWS);
    TRY(strings_budget(t, &from));
    pack_sizes(&t->bag->pack, &from, sizes);
    TRY(packed_budget(t, sizes, count));
    for (uint32_t done = 0, n; done < count; done += n) {
        n = MIN(count - done, (uint32_t)PACK_ROWS);
        for (uint32_t i = 0; i < n; i++) {
            struct state_ref ref = block_take(&s->blocks, &t->segments, sizes[done + i]);
            at[i] = block_at(&t->segments, ref);
            which[i] = (uint16_t)(done + i);
            out[done + i] = ref_word(ref);
        }
        pack_write(base->pack, &from, which, n, at);
    }
    return S_OK;
}

void hm_places_free(struct state_table *base, int64_t ns, const uint64_t *rows, uint32_t count)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);

    for (uint32_t i = 0; i < count; i++) block_give(&s->blocks, &t->segments, ref_of_word(rows[i]));
}

void places_clear(struct hm_table *t, struct space *s, struct bag *b)
{
    const struct state_place *places = list_of(t, b);

    for (uint32_t i = 0; i < b->rows; i++) block_give(&s->blocks, &t->segments, ref_of_word(places[i].row));
    if (b->rows > 1) block_give(&s->blocks, &t->segments, b->first);
    b->rows = b->used = 0;
    b->place = (struct state_place){0, 0};
}
