/* job_nested.c - rows with arrays, maps and structs inside through two exchanges, and the same in every kind of keyed state, in
 * the accumulators of windows and as columns. Lengths of 0 to 5, and NULL everywhere. */
#include "sim/sim_rows.h"

#include <thalweg/window.h>

#include <string.h>

enum { NESTED_MAX = 6 };

struct nested_pair {
    uint64_t nulls;
    int64_t number;
    struct tw_str text;
};
TW_ROW(nested_pair, TW_NULLS(nested_pair, nulls), TW_FIELD(nested_pair, number, "BIGINT"),
       TW_FIELD(nested_pair, text, "STRING NOT NULL"));
struct nested_event {
    int64_t key, time;
    struct tw_decimal wide;
    struct tw_array numbers; /* BIGINT */
    struct tw_array pairs;   /* struct nested_pair */
    struct tw_map names;     /* struct tw_str -> struct tw_array of BIGINT */
    struct nested_pair one;
    uint64_t nulls;
};
TW_ROW(nested_event, TW_FIELD(nested_event, key, "BIGINT NOT NULL"),
       TW_FIELD(nested_event, time, "TIMESTAMP(3) NOT NULL"), TW_FIELD(nested_event, wide, "DECIMAL(38, 4) NOT NULL"),
       TW_FIELD(nested_event, numbers, "ARRAY<BIGINT>"), TW_FIELD_OF(nested_event, pairs, "ARRAY<ROW>", nested_pair),
       TW_FIELD(nested_event, names, "MAP<STRING, ARRAY<BIGINT>>"),
       TW_FIELD_OF(nested_event, one, "ROW NOT NULL", nested_pair), TW_NULLS(nested_event, nulls));

static const struct tw_str texts[] = {{"a", 1},
                                      {"", 0},
                                      {"twelve bytes", 12},
                                      {"a text beyond twelve bytes", 26},
                                      {"e", 1},
                                      {"another text beyond twelve bytes", 32}};

static struct nested_pair pair_of(int64_t n)
{
    return (struct nested_pair){.nulls = n % 3 == 0, .number = n % 3 ? n * n : 0, .text = texts[n % NESTED_MAX]};
}

/* Everything is a function of the row. */
static enum tw_status make(struct tw_context *cx, const void *in)
{
    const struct sim_event *e = in;
    uint32_t n = (uint32_t)e->number % NESTED_MAX;
    uint64_t third_is_null = 1 << 2;
    int64_t numbers[NESTED_MAX];
    struct nested_pair pairs[NESTED_MAX];
    struct tw_array arrays[NESTED_MAX];
    struct nested_event out = {.key = e->key, .time = e->time, .one = pair_of(e->number)};

    for (uint32_t i = 0; i < NESTED_MAX; i++) {
        numbers[i] = e->number * 1000 + i;
        pairs[i] = pair_of(e->number + i);
        arrays[i] = (struct tw_array){numbers, i == 4 ? &third_is_null : NULL, i};
    }
    out.wide = tw_decimal_put((tw_int128)e->number * INT64_MAX * (e->number % 2 ? 1000 : -1000));
    out.numbers = (struct tw_array){numbers, &third_is_null, n};
    out.pairs = (struct tw_array){pairs, e->number % 4 ? NULL : &third_is_null, NESTED_MAX - n};
    out.names = (struct tw_map){texts, arrays, &third_is_null, n};
    out.nulls = e->number % 7 == 0 ? 1 << 3 : e->number % 11 == 0 ? 1 << 5 : 0;
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(nested_make) = {.in = &sim_event_row, .out = &nested_event_row, .process = make};

/* --- state ---------------------------------------------------------------------------------------------------------- */
/* Numbers of both, the last NESTED_MAX of them. */
static struct tw_array join(struct tw_context *cx, const struct tw_array *a, const struct tw_array *b)
{
    const struct tw_array *parts[] = {a, b};
    int64_t *items = tw_scratch(cx, sizeof *items * NESTED_MAX);
    uint64_t *nulls = tw_scratch(cx, sizeof *nulls);
    uint32_t total = a->count + b->count, skip = total - MIN(total, NESTED_MAX), n = 0;

    for (uint32_t p = 0; p < 2; p++) {
        for (uint32_t i = 0; i < parts[p]->count; i++) {
            if (skip > 0) {
                skip--;
                continue;
            }
            if (tw_is_null(parts[p]->nulls, i)) *nulls |= UINT64_C(1) << n;
            items[n++] = ((const int64_t *)parts[p]->items)[i];
        }
    }
    return (struct tw_array){items, nulls, n};
}

static enum tw_status join_two(struct tw_context *cx, const void *a, const void *b, void *out)
{
    *(struct tw_array *)out = join(cx, a, b);
    return TW_OK;
}
struct nested_numbers {
    struct tw_array numbers;
};
TW_ROW(nested_numbers, TW_FIELD(nested_numbers, numbers, "ARRAY<BIGINT>"));
TW_FUNCTION(nested_join) = {.in = &nested_numbers_row, .reduce = join_two};

static const struct tw_state latest = {.name = "latest", .kind = TW_VALUE, .value = "MAP<STRING, ARRAY<BIGINT>>"};
static const struct tw_state pairs = {.name = "pairs", .kind = TW_LIST, .value = "ROW", .row = &nested_pair_row};
static const struct tw_state by_numbers = {
    .name = "by numbers", .kind = TW_MAP, .map_key = "ARRAY<BIGINT>", .value = "ARRAY<ROW>", .row = &nested_pair_row};
static const struct tw_state by_pair = {
    .name = "by pair", .kind = TW_MAP, .map_key = "ROW", .key_row = &nested_pair_row, .value = "BIGINT"};
static const struct tw_state joined = {
    .name = "joined", .kind = TW_REDUCING, .value = "ARRAY<BIGINT>", .function = &nested_join};

/* How often the pair came. What the caller does not say of it is different each time. */
static int64_t seen(struct tw_context *cx, const struct nested_pair *pair)
{
    struct nested_pair key = *pair;
    int64_t count = 0;

    if (key.nulls & 1) key.number = tw_time(cx);
    tw_map_get(cx, &by_pair, &key, &count);
    count++;
    if (key.nulls & 1) key.number = -1;
    tw_map_put(cx, &by_pair, &key, &count);
    return count;
}

/* Emits what the key's rows so far have left, then keeps what this one brings. */
static enum tw_status remember(struct tw_context *cx, const void *in)
{
    const struct nested_event *e = in;
    struct nested_event out = *e;
    struct tw_array key = {e->numbers.items, e->numbers.nulls, MIN(e->numbers.count, 1)};
    uint32_t count = tw_list_size(cx, &pairs);

    tw_reducing_add(cx, &joined, &e->numbers);
    tw_reducing_get(cx, &joined, &out.numbers);
    out.nulls = 0;
    out.time += seen(cx, &e->one);
    if (!tw_value_get(cx, &latest, &out.names)) out.nulls |= 1 << 5;
    if (!tw_map_get(cx, &by_numbers, &key, &out.pairs)) out.nulls |= 1 << 4;
    if (count > 0 && !tw_list_get(cx, &pairs, (uint32_t)e->wide.low % count, &out.one))
        return tw_fail(cx, "a pair is lost");
    tw_collect(cx, &out);
    tw_list_add(cx, &pairs, &e->one);
    if (!(e->nulls & 1 << 5)) tw_value_set(cx, &latest, &e->names);
    tw_map_put(cx, &by_numbers, &key, &e->pairs);
    return TW_OK;
}
TW_FUNCTION(nested_remember) = {.in = &nested_event_row,
                                .out = &nested_event_row,
                                .states = {&latest, &pairs, &by_numbers, &by_pair, &joined},
                                .process = remember};

/* --- windows -------------------------------------------------------------------------------------------------------- */
struct nested_sum {
    struct tw_decimal sum;
    struct tw_array numbers;
    struct nested_pair last;
};
#define SUM_FIELDS(S)                                                                                                  \
    TW_FIELD(S, sum, "DECIMAL(38, 4)"), TW_FIELD(S, numbers, "ARRAY<BIGINT>"), TW_FIELD_OF(S, last, "ROW", nested_pair)
TW_ROW(nested_sum, SUM_FIELDS(nested_sum));
struct nested_result {
    struct tw_decimal sum;
    struct tw_array numbers;
    struct nested_pair last;
    int64_t key, window_start;
};
TW_ROW(nested_result, TW_FIELD(nested_result, key, "BIGINT"), TW_FIELD(nested_result, window_start, "TIMESTAMP(3)"),
       SUM_FIELDS(nested_result));

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    const struct nested_event *e = in;
    struct nested_sum *s = acc;

    s->sum = tw_decimal_put(tw_decimal_get(s->sum) + tw_decimal_get(e->wide));
    s->numbers = join(cx, &s->numbers, &e->numbers);
    s->last = e->one;
    return TW_OK;
}

static enum tw_status merge(struct tw_context *cx, void *acc, const void *other)
{
    const struct nested_sum *o = other;
    struct nested_sum *s = acc;

    s->sum = tw_decimal_put(tw_decimal_get(s->sum) + tw_decimal_get(o->sum));
    s->numbers = join(cx, &s->numbers, &o->numbers);
    s->last = o->last;
    return TW_OK;
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    const struct nested_sum *s = acc;
    struct nested_result *r = out;

    (void)cx;
    r->sum = s->sum;
    r->numbers = s->numbers;
    r->last = s->last;
    return TW_OK;
}
TW_FUNCTION(nested_sums) = {.in = &nested_event_row,
                            .acc = &nested_sum_row,
                            .out = &nested_result_row,
                            .add = add,
                            .merge = merge,
                            .result = result};

/* --- columns -------------------------------------------------------------------------------------------------------- */
struct nested_digest {
    int64_t key, sum;
    struct tw_array numbers, pairs;
    struct tw_map names;
    uint64_t nulls;
};
TW_ROW(nested_digest, TW_FIELD(nested_digest, key, "BIGINT NOT NULL"), TW_FIELD(nested_digest, sum, "BIGINT NOT NULL"),
       TW_FIELD(nested_digest, numbers, "ARRAY<BIGINT>"), TW_FIELD_OF(nested_digest, pairs, "ARRAY<ROW>", nested_pair),
       TW_FIELD(nested_digest, names, "MAP<STRING, ARRAY<BIGINT>>"), TW_NULLS(nested_digest, nulls));
enum { EVENT_KEY, EVENT_NUMBERS = 3, EVENT_PAIRS, EVENT_NAMES };

/* All that lies in value i of a level, at any depth. */
static int64_t level_sum(const struct tw_column *c, uint32_t i)
{
    int64_t sum = 0;

    if (!tw_is_valid(c->validity, i)) return 1;
    if (c->kind == TW_COLUMN_VALUES) return ((const int64_t *)c->values)[i];
    if (c->kind == TW_COLUMN_STRINGS) return (int64_t)tw_column_str(c, i).size;
    bool is_list = c->kind == TW_COLUMN_SPANS;
    uint32_t first = is_list ? c->spans[i].first : i, end = is_list ? first + c->spans[i].count : i + 1;
    for (uint32_t e = first; e < end; e++)
        for (uint32_t k = 0; k < c->child_count; k++) sum = sum * 3 + level_sum(&c->children[k], e);
    return sum % 1000000007;
}

static void pass(struct tw_context *cx, const struct tw_batch *in, uint32_t from, uint32_t to, size_t size)
{
    char *values = tw_batch_out(cx, to);
    uint64_t *validity = tw_batch_out_validity(cx, to);

    for (uint32_t row = 0; row < tw_batch_rows(in); row++)
        if (!tw_batch_get(in, from, row, values + row * size)) tw_set_null(validity, row);
}

static enum tw_status digest(struct tw_context *cx, const struct tw_batch *in)
{
    int64_t *keys = tw_batch_out(cx, 0), *sums = tw_batch_out(cx, 1);
    uint32_t rows = tw_batch_rows(in);

    if (rows > 0) memcpy(keys, tw_batch_values(in, EVENT_KEY), rows * sizeof *keys);
    for (uint32_t f = EVENT_NUMBERS; f <= EVENT_NAMES; f++)
        for (uint32_t row = 0; row < rows; row++) sums[row] += level_sum(tw_batch_column(in, f), row);
    pass(cx, in, EVENT_NUMBERS, 2, sizeof(struct tw_array));
    pass(cx, in, EVENT_PAIRS, 3, sizeof(struct tw_array));
    pass(cx, in, EVENT_NAMES, 4, sizeof(struct tw_map));
    tw_batch_emit(cx, rows);
    return TW_OK;
}
TW_FUNCTION(nested_columns) = {.in = &nested_event_row, .out = &nested_digest_row, .batch = digest};

static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_process(tw_key_by(sim_events(env), "key"), &nested_make);
    struct tw_stream *kept = tw_process(tw_key_by(s, "key"), &nested_remember);

    tw_print(tw_window_aggregate(tw_key_by(s, "key"), TW_TUMBLE(9000), &nested_sums));
    tw_print(tw_window_aggregate(tw_key_by(s, "key"), TW_SESSIONS(4000), &nested_sums));
    tw_print(kept);
    tw_print(tw_map_batches(s, &nested_columns));
    return tw_execute(env, "nested values");
}

const struct sim_job job_nested = {.name = "nested",
                                   .doc = "arrays, maps and structs in rows, states and windows",
                                   .compare = SIM_ANY_ORDER,
                                   .run = run};
