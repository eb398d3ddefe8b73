/* hashed_rows.c - rows with the hash of their keys and a number beside them, in a row_sort. Hashes are sorted as BIGINT: which of two
 * comes first means nothing, as long as it is always the same one.
 *
 * Invariants: all rows are +I; times are not kept. Not here: what the rows are for (op_hash_aggregate.c, join_beyond.c). */
#include "flow/operator/hashed_rows.h"

#include <string.h>

static const struct type *schema_of(struct arena *a, const struct type *in)
{
    uint32_t n = in->child_count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 2);
    const char **names = ARENA_ARRAY(a, const char *, n + 2);

    for (uint32_t i = 0; i < n; i++) {
        types[i] = in->children[i];
        names[i] = in->names[i];
    }
    types[n] = types[n + 1] = type_new(a, T_BIGINT, 0, 0, false);
    names[n] = "$hash";
    names[n + 1] = "$mark";
    return type_row(a, n + 2, names, types, false);
}

void hashed_rows_init(struct hashed_rows *h, struct op_cx *cx, const struct spill_config *spill, int64_t memory,
                      uint32_t input, bool halves)
{
    struct arena *a = cx->plan->arena;
    const uint64_t *needed = cx->needed_in != NULL ? cx->needed_in[input] : NULL;

    *h = (struct hashed_rows){.cx = cx, .input = cx->plan->inputs[input], .spill = *spill, .halves = halves};
    uint32_t n = h->input->child_count;

    h->spill.memory = MAX(memory, 1);
    h->schema = schema_of(a, h->input);
    h->needed = ARENA_ARRAY(a, uint64_t, (n + 2) / 64 + 1);
    for (uint32_t i = 0; i < n; i++)
        if (needed == NULL || bit_get(needed, i)) bit_set(h->needed, i);
    bit_set(h->needed, n);
    bit_set(h->needed, n + 1);
    h->by[0].col = n;
    h->by_count = 1;
    row_sort_init(&h->sort, cx, &h->spill, h->schema, h->needed, h->by, h->by_count);
}

void hashed_rows_order(struct hashed_rows *h, uint32_t col)
{
    ASSERT(h->count == 0);
    h->by[1].col = col;
    h->by_count = 2;
    bit_clear(h->needed, h->input->child_count + 1);
    hashed_rows_clear(h);
}

void hashed_rows_clear(struct hashed_rows *h)
{
    row_sort_release(&h->sort);
    row_sort_init(&h->sort, h->cx, &h->spill, h->schema, h->needed, h->by, h->by_count);
    if (h->stage != NULL) batch_clear(h->stage);
    h->is_adding = h->is_staged = h->is_over = false;
    h->count = 0;
    h->bytes = 0;
}

void hashed_rows_release(struct hashed_rows *h)
{
    row_sort_release(&h->sort);
    batch_free(h->stage);
    batch_free(h->spare);
    *h = (struct hashed_rows){0};
}

/* A column of numbers of the selected rows, to stand beside those of a batch. */
static struct vector numbers_vector(struct hashed_rows *h, const struct batch *in, uint32_t col,
                                    const uint64_t *numbers)
{
    uint64_t *values = ARENA_ARRAY(h->cx->scratch, uint64_t, MAX(in->count, 1u));

    BATCH_EACH(in, i, row) values[row] = numbers != NULL ? numbers[i] : 0;
    const struct type *t = h->schema->children[col];
    return (struct vector){
        .type = t, .form = VEC_FLAT, .phys = (uint8_t)t->phys, .capacity = in->count, .data = values};
}

enum status hashed_rows_add(struct hashed_rows *h, const struct batch *in, const uint64_t *hashes,
                            const uint64_t *marks)
{
    uint32_t n = h->input->child_count;
    struct batch with = *in;

    if (!h->is_adding) {
        with.schema = h->schema;
        with.cols = ARENA_ARRAY(h->cx->scratch, struct vector, n + 2);
        memcpy(with.cols, in->cols, sizeof *in->cols * n);
        with.cols[n] = numbers_vector(h, in, n, hashes);
        if (h->by_count == 1) with.cols[n + 1] = numbers_vector(h, in, n + 1, marks);
        else with.cols[n + 1] = (struct vector){.type = h->schema->children[n + 1], .form = VEC_ABSENT, .phys = P_I64};
        with.col_count = n + 2;
        with.kinds = NULL;
        with.times = NULL;
        h->count += batch_rows(in);
        h->bytes += batch_bytes(in);
    }
    enum status st = row_sort_add(&h->sort, &with);
    h->is_adding = st == S_MORE;
    return st;
}

enum status hashed_rows_next(struct hashed_rows *h)
{
    if (h->is_staged) return S_OK;
    if (h->stage == NULL) {
        h->stage = batch_create_needed(h->schema, h->needed, MAX(h->cx->batch_rows, 2u), h->cx->mem);
        h->spare = batch_create_needed(h->schema, h->needed, MAX(h->cx->batch_rows, 2u), h->cx->mem);
    }
    while (!h->is_over && h->stage->count < h->stage->capacity) {
        uint32_t before = h->stage->count;
        enum status st = row_sort_next(&h->sort, h->stage, h->stage->capacity - before);
        if (st != S_OK && st != S_MORE) return st;
        h->is_over = st == S_OK;
        if (st == S_MORE && h->stage->count == before) return S_MORE;
    }
    h->is_staged = true;
    return S_OK;
}

void hashed_rows_take(struct hashed_rows *h, uint32_t count)
{
    struct batch *stage = h->stage;
    uint16_t rest[BATCH_ROWS];

    ASSERT(count <= stage->count);
    h->is_staged = false;
    if (count == 0) return;
    for (uint32_t i = count; i < stage->count; i++) rest[i - count] = (uint16_t)i;
    batch_append(h->spare, stage, rest, stage->count - count);
    h->stage = h->spare;
    h->spare = stage;
    batch_clear(stage);
}

uint32_t hashed_rows_whole(const struct hashed_rows *h)
{
    const uint64_t *hashes = hashed_rows_hashes(h);
    uint32_t n = h->stage->count, shift = h->halves ? 32 : 0;

    if (h->is_over) return n;
    while (n > 0 && hashes[n - 1] >> shift == hashes[h->stage->count - 1] >> shift) n--;
    return n;
}

struct batch hashed_rows_view(const struct hashed_rows *h, uint32_t count)
{
    struct batch view = *h->stage;

    view.schema = h->input;
    view.col_count = h->input->child_count;
    view.count = count;
    return view;
}
