/* bench_columns.c - ns per row of what every operator does with batches: appending, hashing, conversion to C structs, each
 * beside a plain loop over arrays that does the same without batches. The last line is what a batch of one row costs. */
#include "bench.h"

#include "columns/column/rowconv.h"
#include "ground/base/hash.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 9, BATCHES = 500, HALF = BATCH_ROWS / 2 };

struct user_text {
    const char *data;
    size_t size;
};

struct user_row {
    int64_t key;
    int32_t number;
    double value;
    struct user_text name;
};

static const struct rowconv_field fields[] = {
    {.col = 0, .offset = offsetof(struct user_row, key), .phys = P_I64},
    {.col = 1, .offset = offsetof(struct user_row, number), .phys = P_I32},
    {.col = 2, .offset = offsetof(struct user_row, value), .phys = P_F64},
    {.col = 3, .offset = offsetof(struct user_row, name), .phys = P_STR},
};
static const struct rowconv layout = {
    .size = sizeof(struct user_row), .null_offset = ROWCONV_NO_NULLS, .field_count = 4, .fields = fields};

/* All that a case works on. The arrays are the batch's values once more, for the plain loops. */
struct world {
    struct batch *rows, *longs, *bigints, *out, *long_out, *bigint_out;
    uint16_t half[HALF];
    uint64_t hashes[BATCH_ROWS];
    struct user_row structs[BATCH_ROWS];
    int64_t keys[BATCH_ROWS], keys_out[BATCH_ROWS];
    struct text names[BATCH_ROWS], names_out[BATCH_ROWS];
    char bytes[BATCH_ROWS * 32];
};

/* ---- the cases: one batch of work each */

static void append_bigint(struct world *w)
{
    batch_clear(w->bigint_out);
    batch_append(w->bigint_out, w->bigints, NULL, 0);
}

static void plain_bigint(struct world *w)
{
    memcpy(w->keys_out, w->keys, sizeof w->keys);
}

static void append_half(struct world *w)
{
    batch_clear(w->bigint_out);
    batch_append(w->bigint_out, w->bigints, w->half, HALF);
}

static void plain_half(struct world *w)
{
    for (uint32_t i = 0; i < HALF; i++) w->keys_out[i] = w->keys[w->half[i]];
}

static void append_row(struct world *w)
{
    batch_clear(w->out);
    batch_append(w->out, w->rows, w->half, HALF);
}

static void plain_row(struct world *w)
{
    for (uint32_t i = 0; i < HALF; i++) w->structs[i] = w->structs[w->half[i]]; /* half[i] >= i */
}

static void append_long(struct world *w)
{
    batch_clear(w->long_out);
    batch_append(w->long_out, w->longs, NULL, 0);
}

static void plain_long(struct world *w)
{
    const struct text *from = w->longs->cols[0].data;
    char *at = w->bytes;

    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        w->names_out[i] = from[i];
        memcpy(at, from[i].far, from[i].size);
        w->names_out[i].far = at;
        at += from[i].size;
    }
}

static void hash_bigint(struct world *w)
{
    static const uint32_t col = 0;
    batch_hash(w->bigints, &col, 1, w->hashes);
}

static void plain_hash(struct world *w)
{
    for (uint32_t i = 0; i < BATCH_ROWS; i++) w->hashes[i] = hash64_u64((uint64_t)w->keys[i]);
}

static void hash_name(struct world *w)
{
    static const uint32_t col = 3;
    batch_hash(w->rows, &col, 1, w->hashes);
}

static void plain_hash_name(struct world *w)
{
    for (uint32_t i = 0; i < BATCH_ROWS; i++) w->hashes[i] = hash64(text_data(&w->names[i]), w->names[i].size);
}

static void hash_two(struct world *w)
{
    static const uint32_t cols[] = {0, 1};
    batch_hash(w->rows, cols, 2, w->hashes);
}

static void plain_hash_two(struct world *w)
{
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        uint64_t a = hash64_u64((uint64_t)w->keys[i]), b = hash64_u64((uint64_t)(int64_t)w->structs[i].number);
        w->hashes[i] = hash64_u64(a * UINT64_C(0x9e3779b97f4a7c15) + b);
    }
}

static void read_structs(struct world *w)
{
    uint32_t bad;

    for (uint32_t i = 0; i < BATCH_ROWS; i += ROWCONV_ROWS) {
        if (rowconv_read(&layout, w->rows, i, ROWCONV_ROWS, w->structs + i, NULL, &bad) != S_OK) exit(1);
    }
}

static void plain_read(struct world *w)
{
    const int32_t *numbers = w->rows->cols[1].data;
    const double *values = w->rows->cols[2].data;

    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        w->structs[i] =
            (struct user_row){w->keys[i], numbers[i], values[i], {text_data(&w->names[i]), w->names[i].size}};
    }
}

static void write_structs(struct world *w)
{
    batch_clear(w->out);
    for (uint32_t i = 0; i < BATCH_ROWS; i += ROWCONV_ROWS)
        ASSERT(rowconv_write(&layout, w->structs + i, ROWCONV_ROWS, w->out) == S_OK);
}

static void plain_write(struct world *w)
{
    int32_t *numbers = w->out->cols[1].data;
    double *values = w->out->cols[2].data;

    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        const struct user_row *r = &w->structs[i];
        w->keys_out[i] = r->key;
        numbers[i] = r->number;
        values[i] = r->value;
        w->names_out[i] = text_view(r->name.data, r->name.size);
    }
}

/* ---- the frame */

struct column_case {
    const char *name;
    void (*engine)(struct world *), (*plain)(struct world *);
    uint32_t rows;
    struct world *world;
};

static double run(struct bench *b, void (*work)(struct world *), const struct column_case *c)
{
    uint32_t batches = (uint32_t)bench_size(b, BATCHES, 2);
    int64_t start = sys_mono_ns(b->sys);

    for (uint32_t i = 0; i < batches; i++) {
        work(c->world);
        __asm__ volatile("" ::"r"(c->world) : "memory"); /* the plain loops' results count as used */
    }
    return (double)(sys_mono_ns(b->sys) - start) / ((double)batches * c->rows);
}

static double engine(struct bench *b, void *arg) { return run(b, ((struct column_case *)arg)->engine, arg); }
static double by_hand(struct bench *b, void *arg) { return run(b, ((struct column_case *)arg)->plain, arg); }

static struct batch *batch_of(struct arena *a, const char *type)
{
    const struct type *t;

    if (type_parse(a, str_of(type), &t, NULL) != S_OK) exit(1);
    return batch_create(t, BATCH_ROWS, a->mem);
}

static void world_fill(struct world *w, struct arena *a)
{
    static const char row[] = "ROW<k BIGINT, n INT, v DOUBLE, s STRING>";

    w->rows = batch_of(a, row);
    w->out = batch_of(a, row);
    w->longs = batch_of(a, "ROW<s STRING>");
    w->long_out = batch_of(a, "ROW<s STRING>");
    w->bigints = batch_of(a, "ROW<k BIGINT>");
    w->bigint_out = batch_of(a, "ROW<k BIGINT>");
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        char name[40];
        int size = snprintf(name, sizeof name, "name %u", i * 7919 % 100000);
        w->keys[i] = VECTOR_VALUES(&w->rows->cols[0], int64_t)[i] = VECTOR_VALUES(&w->bigints->cols[0], int64_t)[i] =
            i * INT64_C(7919);
        VECTOR_VALUES(&w->rows->cols[1], int32_t)[i] = (int32_t)i;
        VECTOR_VALUES(&w->rows->cols[2], double)[i] = i * 0.5;
        w->names[i] = VECTOR_VALUES(&w->rows->cols[3], struct text)[i] = text_put(&w->rows->heap, name, (size_t)size);
        size = snprintf(name, sizeof name, "a name of 24 bytes %05u", i);
        VECTOR_VALUES(&w->longs->cols[0], struct text)[i] = text_put(&w->longs->heap, name, (size_t)size);
        if (i % 2) w->half[i / 2] = (uint16_t)i;
    }
    w->rows->count = w->longs->count = w->bigints->count = BATCH_ROWS;
    read_structs(w);
}

/* Appends, hashes and clears batches of one row: the fixed cost of a hop. */
static double one_row(struct bench *b, void *arg)
{
    static const uint16_t row = 7;
    static const uint32_t col = 0;
    struct world *w = arg;
    uint64_t times = bench_size(b, 1000000, 1000), h, sum = 0, once;
    int64_t start = sys_mono_ns(b->sys);

    for (uint64_t i = 0; i < times; i++) {
        batch_clear(w->out);
        batch_append(w->out, w->rows, &row, 1);
        batch_hash(w->out, &col, 1, &h);
        sum += h;
    }
    double ns = (double)(sys_mono_ns(b->sys) - start) / (double)times;
    once = hash64_u64((uint64_t)w->keys[row]);
    bench_same("sum of hashes", (int64_t)sum, (int64_t)(once * times));
    return ns;
}

int main(int argc, char **argv)
{
    static struct world w;
    static struct column_case cases[] = {
        {"append, BIGINT", append_bigint, plain_bigint, BATCH_ROWS, &w},
        {"append, BIGINT, every second row", append_half, plain_half, HALF, &w},
        {"append, 4 columns, every second row", append_row, plain_row, HALF, &w},
        {"append, strings of 24 bytes", append_long, plain_long, BATCH_ROWS, &w},
        {"hash, BIGINT", hash_bigint, plain_hash, BATCH_ROWS, &w},
        {"hash, short strings", hash_name, plain_hash_name, BATCH_ROWS, &w},
        {"hash, BIGINT and INT", hash_two, plain_hash_two, BATCH_ROWS, &w},
        {"to structs, 4 fields", read_structs, plain_read, BATCH_ROWS, &w},
        {"from structs, 4 fields", write_structs, plain_write, BATCH_ROWS, &w},
    };
    struct bench b;

    bench_start(&b, argc, argv, "columns");
    world_fill(&w, &b.arena);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        bench_run(&b, &(struct bench_case){
                          .name = cases[i].name, .unit = "ns/row", .engine = engine, .limit = by_hand, .arg = &cases[i], .runs = ROUNDS});
    bench_run(&b, &(struct bench_case){
                      .name = "clear, append, hash: a row of 4 columns", .unit = "ns", .engine = one_row, .arg = &w, .runs = ROUNDS});
    return bench_end(&b);
}
