/* test_rank_many.c - Top-N beside a model: rows that come and go, or replace others, at random, with many equal sort keys or few; places
 * from the first or behind an offset, few and more than the state shows at once, with and without their numbers, netted by batch or not.
 * What was told must be there when it is taken back, and make what the model has. And growth: what a change costs does not depend on how
 * many places there are. */
#include "flow/operator/rank_config.h"
#include "flow/state/sb.h"
#include "ground/base/prng.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define TEXTS(...) {(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))}

enum { PARTITIONS = 3, ROWS_MAX = 8192, LINE = 48 };

/* One row of a partition, in the order of its sort key, then of its coming. */
struct item {
    int64_t v, id;
};
struct model {
    struct item items[PARTITIONS][ROWS_MAX];
    uint32_t counts[PARTITIONS];
    bool is_bounded; /* nothing is taken back */
    int64_t last;
    int64_t next_id;
};

static void model_add(struct model *m, uint32_t k, int64_t v, int64_t id)
{
    uint32_t at = 0, *n = &m->counts[k];

    while (at < *n && m->items[k][at].v >= v) at++;
    assert_true(*n < ROWS_MAX);
    memmove(&m->items[k][at + 1], &m->items[k][at], (*n - at) * sizeof m->items[k][0]);
    m->items[k][at] = (struct item){v, id};
    ++*n;
}

static void model_remove(struct model *m, uint32_t k, uint32_t at)
{
    memmove(&m->items[k][at], &m->items[k][at + 1], (m->counts[k] - at - 1) * sizeof m->items[k][0]);
    m->counts[k]--;
}

/* --- what was told ------------------------------------------------------------------------------------------------ */
struct told {
    char (*lines)[LINE];
    uint32_t count, capacity;
};

static void told_line(struct told *t, const char *line, uint32_t size)
{
    bool adds = line[1] == 'I' || (line[0] == '+' && line[1] == 'U');

    assert_true(size - 2 < LINE);
    if (adds) {
        if (t->count == t->capacity) t->lines = realloc(t->lines, LINE * (t->capacity = t->capacity ? 2 * t->capacity : 64));
        snprintf(t->lines[t->count++], LINE, "%.*s", (int)size - 2, line + 2);
        return;
    }
    for (uint32_t i = t->count; i-- > 0;)
        if (strlen(t->lines[i]) == size - 2 && memcmp(t->lines[i], line + 2, size - 2) == 0) {
            memmove(t->lines[i], t->lines[--t->count], LINE);
            return;
        }
    fail_msg("taken back, but never told: %.*s", (int)size, line);
}

static uint32_t told_take(struct told *t, const char *text)
{
    uint32_t lines = 0;

    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1, lines++) told_line(t, text, (uint32_t)(end - text));
    return lines;
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static void told_check(struct told *t, const struct model *m, const struct rank_config *c)
{
    struct told wanted = {0};
    char line[LINE];

    for (uint32_t k = 0; k < PARTITIONS; k++)
        for (int64_t place = c->first; place <= c->last && place <= m->counts[k]; place++) {
            const struct item *i = &m->items[k][place - 1];
            int n = snprintf(line, sizeof line, "+I[%u, %lld, %lld", k, (long long)i->v, (long long)i->id);
            if (c->number != NULL) n += snprintf(line + n, sizeof line - (size_t)n, ", %lld", (long long)place);
            n += snprintf(line + n, sizeof line - (size_t)n, "]");
            told_line(&wanted, line, (uint32_t)n);
        }
    assert_int_equal(t->count, wanted.count);
    if (t->count > 0) qsort(t->lines, t->count, LINE, by_text);
    if (t->count > 0) qsort(wanted.lines, wanted.count, LINE, by_text);
    for (uint32_t i = 0; i < t->count; i++) assert_string_equal(t->lines[i], wanted.lines[i]);
    free(wanted.lines);
}

/* --- a run -------------------------------------------------------------------------------------------------------- */
/* Appends a change to the text: mostly a new row, or one that is there, or one that is not, taken back. */
static void change_make(struct model *m, struct prng *random, bool retracts, uint32_t keys, char *text, size_t *used)
{
    uint32_t k = (uint32_t)prng_below(random, PARTITIONS);
    int64_t v = (int64_t)prng_below(random, keys), id;
    const char *kind = "";

    if (retracts && prng_below(random, 5) < 2 && m->counts[k] > 0) {
        uint32_t at = (uint32_t)prng_below(random, m->counts[k]);
        kind = "-D ";
        v = m->items[k][at].v;
        id = m->items[k][at].id;
        model_remove(m, k, at);
    } else if (retracts && prng_below(random, 20) == 0) {
        kind = "-U ";
        id = -1;
    } else {
        id = m->next_id++;
        model_add(m, k, v, id);
    }
    *used += (size_t)sprintf(text + *used, "%s%s%u | %lld | %lld", *used > 0 ? "\n" : "", kind, k, (long long)v, (long long)id);
}

struct run {
    const char *backend;
    uint32_t batch_rows, rows, keys;
    bool retracts, nets, numbered;
    int64_t first, last;
};

static void run(const struct run *r, uint64_t seed)
{
    struct rank_config c = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = r->first, .last = r->last,
                            .emit_before = true, .retracts = r->retracts, .nets = r->nets, .number = r->numbered ? "n" : NULL};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("rank"), .config = &c,
                                                              .in = "ROW<k INT, v BIGINT, id BIGINT>", .keys = "k",
                                                              .batch_rows = r->batch_rows, .backend = r->backend});
    struct model *m = calloc(1, sizeof *m);
    struct told told = {0};
    struct prng random;
    char *text = malloc(64 * 200);

    prng_init(&random, seed);
    for (uint32_t done = 0; done < r->rows;) {
        uint32_t n = 1 + (uint32_t)prng_below(&random, 150);
        size_t used = 0;
        for (uint32_t i = 0; i < n; i++) change_make(m, &random, r->retracts, r->keys, text, &used);
        op_push(d, 0, text);
        assert_string_equal(op_driver_error(d), "");
        told_take(&told, op_output(d));
        told_check(&told, m, &c);
        done += n;
    }
    op_driver_free(d);
    free(told.lines);
    free(text);
    free(m);
}

static void runs(bool retracts, bool nets)
{
    static const int64_t places[][2] = {{1, 1}, {1, 3}, {2, 5}, {4, 4}, {1, 200}, {150, 300}, {1, INT64_MAX}, {100, INT64_MAX}};
    static const uint32_t sizes[] = {0, 1, 7};

    for (uint32_t p = 0; p < COUNT_OF(places); p++)
        for (uint32_t v = 0; v < 12; v++) {
            struct run r = {.backend = v % 2 ? "pending" : "hashmap", .batch_rows = sizes[v / 2 % 3], .rows = 900, .keys = v % 3 == 0 ? 9 : v % 3 == 1 ? 1000 : 1,
                            .retracts = retracts, .nets = nets, .numbered = v < 6, .first = places[p][0], .last = places[p][1]};
            run(&r, 100 * p + v);
        }
}

static void rows_are_only_added(void **state)
{
    (void)state;
    runs(false, false);
    runs(false, true);
}

static void rows_are_taken_back(void **state)
{
    (void)state;
    runs(true, false);
    runs(true, true);
}

/* --- growth ------------------------------------------------------------------------------------------------------- */
enum { CHANGES = 64 };
struct work {
    uint64_t verbs, rows, told;
};

/* The hashmap, counting what it is asked for: verbs, and rows that it hands out. */
static struct {
    struct sb_type type;
    uint64_t verbs, rows;
} counting;

static enum status counting_scan(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                                 struct state_scan *c, struct state_hits *hits)
{
    enum status st = sb_find("hashmap")->ordered_scan(t, ns, heads, count, r, c, hits);

    counting.verbs++;
    counting.rows += hits->count;
    return st;
}

static enum status counting_count(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                                  uint32_t *rows)
{
    counting.verbs++;
    return sb_find("hashmap")->ordered_count(t, ns, heads, count, r, rows);
}

enum { APART = 1000 };

/* Rows from..end. Those within `falling` come in the order in which they stand, so that few places move; those behind come anywhere among
 * the last of them, where less than `below` has room. */
static void rows_put(struct op_driver *d, const char *kind, uint64_t from, uint64_t end, uint64_t falling, uint64_t below)
{
    char text[64 * 1000];

    while (from < end) {
        char *to = text;
        for (uint64_t n = MIN(end - from, UINT64_C(1000)); n > 0; n--, from++) {
            uint64_t v = from < falling ? (falling - from) * APART : (from * UINT64_C(0x9E3779B97F4A7C15) >> 20) % below;
            to += sprintf(to, "%s%s0 | %llu | %llu", to > text ? "\n" : "", kind, (unsigned long long)v, (unsigned long long)from);
        }
        op_push(d, 0, text);
        assert_string_equal(op_driver_error(d), "");
    }
}


static void counting_begin(struct op_driver *d)
{
    counting.type = *sb_find("hashmap");
    counting.type.ordered_scan = counting_scan;
    counting.type.ordered_count = counting_count;
    counting.verbs = counting.rows = 0;
    for (struct state_table *t = op_driver_cx(d)->state->tables; t != NULL; t = t->next) t->type = &counting.type;
}

static struct work counting_end(struct op_driver *d)
{
    struct work w = {.verbs = counting.verbs, .rows = counting.rows};

    for (struct state_table *t = op_driver_cx(d)->state->tables; t != NULL; t = t->next) t->type = sb_find("hashmap");
    for (const char *at = op_output(d); (at = strchr(at, '\n')) != NULL; at++) w.told++;
    return w;
}

/* What CHANGES rows cost that come, and go again where rows go, to `places` rows that are there. */
static struct work work_of(struct rank_config c, uint32_t places, uint32_t batch_rows)
{
    uint64_t all = (uint64_t)places * APART, below = c.number != NULL ? all / 100 : all;
    struct op_driver *d;
    struct work w;

    if (c.first > 1) c.first = places / 2;
    c.last = places;
    d = op_driver_create(&(struct op_setup){.type = op_find("rank"), .config = &c, .in = "ROW<k INT, v BIGINT, id BIGINT>", .keys = "k",
                                            .batch_rows = batch_rows});
    rows_put(d, "", 0, places, places, below);
    (void)op_output(d);
    counting_begin(d);
    rows_put(d, "", places, places + CHANGES, places, below);
    if (c.retracts) rows_put(d, "-D ", places, places + CHANGES, places, below);
    w = counting_end(d);
    op_driver_free(d);
    return w;
}

static void a_change_costs_what_is_told(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 16; v++) {
        struct rank_config c = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = v & 1 ? 2 : 1,
                                .emit_before = true, .retracts = (v & 2) != 0, .nets = (v & 4) != 0, .number = v & 8 ? "n" : NULL};
        uint32_t batch_rows = c.nets ? 0 : 1;
        struct work few = work_of(c, 1000, batch_rows), many = work_of(c, 100000, batch_rows);
        uint64_t changes = c.retracts ? 2 * CHANGES : CHANGES;
        /* verbs hand out some rows at once: they are asked more often where more is told */
        assert_true(few.verbs <= 6 * changes + few.told / 512 && many.verbs <= 6 * changes + many.told / 512);
        assert_true(few.rows <= 4 * changes + few.told && many.rows <= 4 * changes + many.told);
        if (c.number == NULL && (c.first == 1 || c.nets)) assert_true(many.told <= 2 * changes);
    }
}

/* Rows of one sort key, of which some in between go and come. */
static struct work work_of_ties(struct rank_config c, uint32_t ties, uint32_t batch_rows)
{
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("rank"), .config = &c, .in = "ROW<k INT, v BIGINT, id BIGINT>", .keys = "k", .batch_rows = batch_rows});
    char text[64 * 1000], *to;

    for (uint32_t from = 0; from < ties;) {
        to = text;
        for (uint32_t n = 0; n < 1000; n++, from++) to += sprintf(to, "%s0 | 7 | %u", n > 0 ? "\n" : "", from);
        op_push(d, 0, text);
    }
    (void)op_output(d);
    counting_begin(d);
    to = text;
    for (uint32_t i = 0; i < CHANGES; i++) {
        uint32_t id = ties / CHANGES * i + ties / 200;
        to += sprintf(to, "%s-D 0 | 7 | %u\n0 | 7 | %u", i > 0 ? "\n" : "", id, id);
    }
    op_push(d, 0, text);
    assert_string_equal(op_driver_error(d), "");
    struct work w = counting_end(d);
    op_driver_free(d);
    return w;
}

static void what_equal_sort_keys_cost_does_not_grow(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 2; v++) {
        struct rank_config c = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1, .last = 5,
                                .emit_before = true, .retracts = true, .nets = v == 1};
        struct work few = work_of_ties(c, 1000, v == 1 ? 0 : 1), many = work_of_ties(c, 100000, v == 1 ? 0 : 1);
        assert_true(few.verbs <= 2 * CHANGES * 8 && many.verbs <= 2 * CHANGES * 8);
        assert_true(few.rows <= 2 * CHANGES * 64 && many.rows <= few.rows + 2 * CHANGES);
    }
}

/* --- rows that replace others ------------------------------------------------------------------------------------- */
/* Rows of 40 keys per partition, or many, rise by and by; some stay as they are. */
static void rise_make(struct model *m, struct prng *random, uint32_t keys, uint32_t values, char *text, size_t *used)
{
    uint32_t k = (uint32_t)prng_below(random, PARTITIONS), at = 0;
    int64_t id = (int64_t)prng_below(random, keys), v = 0;

    while (at < m->counts[k] && m->items[k][at].id != id) at++;
    if (at < m->counts[k]) v = m->items[k][at].v;
    int64_t more = prng_below(random, 4) == 0 ? 0 : (int64_t)prng_below(random, values);
    if (at == m->counts[k] || more > 0) {
        if (at < m->counts[k]) model_remove(m, k, at);
        model_add(m, k, v + more, id);
    }
    *used += (size_t)sprintf(text + *used, "%s%u | %lld | %lld", *used > 0 ? "\n" : "", k, (long long)(v + more), (long long)id);
}

static void rows_replace_others(void **state)
{
    static const uint32_t sizes[] = {0, 1, 7};

    (void)state;
    for (uint32_t v = 0; v < 24; v++) {
        struct rank_config c = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1,
                                .last = v % 4 == 0 ? 5 : v % 4 == 1 ? 33 : v % 4 == 2 ? 60 : 1000, .unique = TEXTS("k", "id"),
                                .emit_before = true, .number = "n"};
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("rank"), .config = &c, .in = "ROW<k INT, v BIGINT, id BIGINT>",
                                                                  .keys = "k", .batch_rows = sizes[v / 8],
                                                                  .backend = v / 4 % 2 ? "pending" : "hashmap"});
        struct model *m = calloc(1, sizeof *m);
        struct told told = {0};
        struct prng random;
        char *text = malloc(64 * 200);
        prng_init(&random, 1000 + v);
        for (uint32_t done = 0; done < 3000; done += 150) {
            size_t used = 0;
            for (uint32_t i = 0; i < 150; i++) rise_make(m, &random, v % 3 ? 200 : 40, v % 2 ? 3 : 1000, text, &used);
            op_push(d, 0, text);
            assert_string_equal(op_driver_error(d), "");
            told_take(&told, op_output(d));
            told_check(&told, m, &c);
        }
        op_driver_free(d);
        free(told.lines);
        free(text);
        free(m);
    }
}

/* A row that takes the place before its own, among `places`. */
static struct work work_of_updates(uint32_t places)
{
    struct rank_config c = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1, .last = places,
                            .unique = TEXTS("k", "id"), .emit_before = true, .number = "n"};
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("rank"), .config = &c, .in = "ROW<k INT, v BIGINT, id BIGINT>", .keys = "k", .batch_rows = 1});
    char text[64 * CHANGES], *to = text;

    rows_put(d, "", 0, places, places, 1);
    (void)op_output(d);
    counting_begin(d);
    for (uint64_t i = 0; i < CHANGES; i++) {
        uint64_t id = (places - 2) / CHANGES * i + 1;
        to += sprintf(to, "%s0 | %llu | %llu", i > 0 ? "\n" : "", (unsigned long long)((places - id) * APART + APART + 1), (unsigned long long)id);
    }
    op_push(d, 0, text);
    assert_string_equal(op_driver_error(d), "");
    struct work w = counting_end(d);
    op_driver_free(d);
    return w;
}

static void what_an_update_costs_does_not_grow(void **state)
{
    struct work few = work_of_updates(1000), many = work_of_updates(100000);

    (void)state;
    assert_int_equal(few.told, 4 * CHANGES);
    assert_int_equal(many.told, 4 * CHANGES);
    assert_true(few.verbs <= 8 * CHANGES && many.verbs <= 8 * CHANGES);
    assert_true(many.rows <= few.rows && few.rows <= 6 * CHANGES);
}

/* In one batch a row falls out, comes again, and falls out again. */
static void a_key_falls_out_twice(void **state)
{
    enum { PLACES = 40 };
    struct rank_config c = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1, .last = PLACES,
                            .unique = TEXTS("k", "id"), .emit_before = true, .number = "n"};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("rank"), .config = &c, .in = "ROW<k INT, v BIGINT, id BIGINT>", .keys = "k"});
    char text[64 * 3 * PLACES], *to = text;

    (void)state;
    for (int i = 0; i < PLACES; i++) to += sprintf(to, "0 | %d | %d\n", 10 + i, i);
    for (int i = 0; i < PLACES; i++) to += sprintf(to, "0 | %d | %d\n", 100 + i, 100 + i);
    to += sprintf(to, "0 | 101 | 0\n");
    for (int i = 0; i < 5; i++) to += sprintf(to, "0 | %d | %d%s", 500 + i, 200 + i, i < 4 ? "\n" : "");
    op_push(d, 0, text);
    assert_string_equal(op_driver_error(d), "");
    assert_int_equal(state_host_count(op_driver_cx(d)->state), 1 + PLACES);
    op_driver_free(d);
}

/* Entries of rows that fell out of the places go. */
static void keys_of_rows_that_fell_out_go(void **state)
{
    enum { PLACES = 100, ROWS = 5000 };
    struct rank_config c = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1, .last = PLACES,
                            .unique = TEXTS("k", "id"), .emit_before = true, .number = "n"};
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("rank"), .config = &c, .in = "ROW<k INT, v BIGINT, id BIGINT>", .keys = "k", .batch_rows = 7});
    char text[64];

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        sprintf(text, "0 | %d | %d", i, i);
        op_push(d, 0, text);
        (void)op_output(d);
    }
    assert_int_equal(state_host_count(op_driver_cx(d)->state), 1 + PLACES);
    op_driver_free(d);
}

/* --- rows that live for a time ------------------------------------------------------------------------------------- */
enum { TTL_MS = 1000 };

static struct op_driver *forgetting(const struct rank_config *c, uint32_t batch_rows, const char *backend)
{
    return op_driver_create(&(struct op_setup){.type = op_find("rank"), .config = c, .in = "ROW<k INT, v BIGINT, id BIGINT>", .keys = "k",
                                               .batch_rows = batch_rows, .backend = backend});
}

/* The place that row `id` was given, the last time it was told; 0: it was not. */
static int64_t place_told(const char *text, int64_t id)
{
    long long v, told, place, out = 0;

    for (; *text != '\0'; text = strchr(text, '\n') + 1)
        if (text[0] == '+' && sscanf(text + 2, "[0, %lld, %lld, %lld]", &v, &told, &place) == 3 && told == id) out = place;
    return out;
}

/* What is expired has no place any more, and is not told. */
static void places_are_those_of_rows_that_live(void **state)
{
    enum { STEPS = 3000 };
    static int64_t values[STEPS], times[STEPS];

    (void)state;
    for (uint32_t v = 0; v < 4; v++) {
        struct rank_config c = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1, .last = INT64_MAX,
                                .emit_before = true, .retracts = v % 2 == 0, .number = "n", .ttl_ms = TTL_MS};
        struct op_driver *d = forgetting(&c, v % 2 ? 1 : 0, v / 2 ? "pending" : "hashmap");
        struct prng random;
        int64_t now = 5000, before;
        prng_init(&random, v);
        for (int64_t i = 0; i < STEPS; i++) {
            char text[64];
            now += prng_below(&random, 40) == 0 ? 700 : (int64_t)prng_below(&random, 4);
            values[i] = (int64_t)prng_below(&random, i % 2 ? 5 : 1000);
            times[i] = now;
            before = 0;
            for (int64_t k = 0; k < i; k++) before += values[k] >= values[i] && times[k] + TTL_MS > now;
            op_set_time(d, now);
            snprintf(text, sizeof text, "0 | %lld | %lld", (long long)values[i], (long long)i);
            op_push(d, 0, text);
            assert_string_equal(op_driver_error(d), "");
            assert_int_equal(place_told(op_output(d), i), before + 1);
        }
        op_set_time(d, now + TTL_MS);
        op_push(d, 0, "1 | 1 | 1\n1 | 2 | 2\n1 | 3 | 3");
        (void)op_output(d);
        assert_int_equal(state_host_count(op_driver_cx(d)->state), 1); /* all others are swept */
        op_driver_free(d);
    }
}

/* CPU time of rows that come one by one to so many that live. */
static clock_t time_beside(uint32_t rows)
{
    enum { MORE = 3000 };
    struct rank_config c = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1, .last = 3,
                            .emit_before = true, .retracts = true, .ttl_ms = TTL_MS};
    struct op_driver *d = forgetting(&c, 1, NULL);
    char text[64];

    op_set_time(d, 1);
    rows_put(d, "", 0, rows, rows, 1);
    (void)op_output(d);
    clock_t from = clock();
    for (uint32_t i = 0; i < MORE; i++) {
        op_set_time(d, 2 + i / 10);
        snprintf(text, sizeof text, "0 | %u | %u", i % 7 * 1000, rows + i);
        op_push(d, 0, text);
        (void)op_output(d);
    }
    clock_t took = clock() - from;
    op_driver_free(d);
    return took;
}

/* A hundred times the rows: a walk over all of them would take a hundred times as long. */
static void rows_that_live_are_not_walked(void **state)
{
    clock_t few = time_beside(1000), many = time_beside(100000);

    (void)state;
    if (many >= 10 * few) fail_msg("beside 1,000 rows %ld us, beside 100,000 %ld us", (long)few, (long)many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_only_added), cmocka_unit_test(rows_are_taken_back),
                                       cmocka_unit_test(a_change_costs_what_is_told),
                                       cmocka_unit_test(what_equal_sort_keys_cost_does_not_grow),
                                       cmocka_unit_test(rows_replace_others), cmocka_unit_test(what_an_update_costs_does_not_grow),
                                       cmocka_unit_test(keys_of_rows_that_fell_out_go), cmocka_unit_test(a_key_falls_out_twice),
                                       cmocka_unit_test(places_are_those_of_rows_that_live),
                                       cmocka_unit_test(rows_that_live_are_not_walked)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
