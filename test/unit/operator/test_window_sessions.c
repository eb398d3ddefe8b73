/* test_window_sessions.c - sessions beside a model of Flink's MergingWindowSet that is too simple to be wrong: a list of
 * sessions, searched from end to end for each row and each watermark. Random rows out of order, of a few keys, with and
 * without lateness, a purging trigger, watermarks that jump; batches of one row and of many; a backend that is pending. */
#include <thalweg/thalweg.h>

#include "ground/base/prng.h"
#include "ground/base/str.h"
#include "support/op_driver.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window_columns;

enum { GAP = 10, KEYS = 3, SESSIONS_MAX = 4000, LINES_MAX = 8000, LINE_SIZE = 48 };

struct session {
    int64_t start, end, rows;
    int key;
    bool is_live, is_due; /* it has not fired since it last grew */
};

struct model {
    struct session sessions[SESSIONS_MAX];
    uint32_t count;
    int64_t watermark, lateness;
    bool purges;
    char lines[LINES_MAX][LINE_SIZE];
    uint32_t line_count;
};

static void fire(struct model *m, struct session *s)
{
    s->is_due = false;
    if (s->rows == 0) return;
    assert_true(m->line_count < LINES_MAX);
    snprintf(m->lines[m->line_count++], LINE_SIZE, "%d %lld %lld %lld", s->key, (long long)s->start, (long long)s->end,
             (long long)s->rows);
    if (m->purges) s->rows = 0;
}

static void row(struct model *m, int key, int64_t time)
{
    struct session new = {.start = time, .end = time + GAP, .key = key, .is_live = true, .rows = 1};
    bool merges = false;

    for (uint32_t i = 0; i < m->count; i++) {
        struct session *s = &m->sessions[i];
        if (!s->is_live || s->key != key || s->start > time + GAP || s->end < time) continue;
        new.start = s->start < new.start ? s->start : new.start;
        new.end = s->end > new.end ? s->end : new.end;
        new.rows += s->rows;
        s->is_live = false;
        merges = true;
    }
    if (!merges && new.end - 1 + m->lateness <= m->watermark) return;
    new.is_due = new.end - 1 > m->watermark;
    assert_true(m->count < SESSIONS_MAX);
    m->sessions[m->count++] = new;
    if (!new.is_due) fire(m, &m->sessions[m->count - 1]);
}

static void watermark(struct model *m, int64_t time)
{
    m->watermark = time;
    for (uint32_t i = 0; i < m->count; i++) {
        struct session *s = &m->sessions[i];
        if (s->is_live && s->is_due && s->end - 1 <= time) fire(m, s);
        if (s->end - 1 + m->lateness <= time) s->is_live = false;
    }
}

/* What the operator emitted, in the model's words. */
static void read_lines(struct op_driver *d, struct model *m)
{
    long long start, end, n;
    int key, used;

    for (const char *at = op_output(d); (at = strchr(at, '[')) != NULL; at += used) {
        char from[2][32];
        assert_true(m->line_count < LINES_MAX);
        assert_int_equal(sscanf(at, "[%d, %31[^,], %31[^,], %lld]@%lld%n", &key, from[0], from[1], &n, &end, &used), 5);
        /* Times are below a minute: "1970-01-01T00:00:SS.mmm". */
        start = (long long)(atof(from[0] + strlen("1970-01-01T00:00:")) * 1000 + 0.5);
        snprintf(m->lines[m->line_count++], LINE_SIZE, "%d %lld %lld %lld", key, start, end + 1, n);
    }
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

/* Which key comes first at one time is not said. */
static void same_lines(struct model *m, struct model *o)
{
    qsort(m->lines, m->line_count, LINE_SIZE, by_text);
    qsort(o->lines, o->line_count, LINE_SIZE, by_text);
    for (uint32_t i = 0; i < m->line_count && i < o->line_count; i++) assert_string_equal(o->lines[i], m->lines[i]);
    assert_int_equal(o->line_count, m->line_count);
    m->line_count = o->line_count = 0;
}

static void run(struct model *m, struct model *o, uint64_t seed, uint32_t batch_rows, const char *backend)
{
    static const char *const count[] = {"count(*) AS n"};
    struct prng prng;
    struct mem mem;
    struct buf text;
    int64_t now = 100, width = 10 + (int64_t)(seed % 7) * 30;

    prng_init(&prng, seed);
    mem_init(&mem, "test", 0);
    buf_init(&text, &mem);
    m->count = m->line_count = o->line_count = 0;
    m->watermark = INT64_MIN;
    m->lateness = seed % 2 ? 25 : 0;
    m->purges = seed % 3 == 0;
    struct window_config c = {.assigner = TW_SESSION,
                              .gap_ms = GAP,
                              .lateness_ms = m->lateness,
                              .trigger_purging = m->purges,
                              .aggregates = {count, 1}};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = &op_window_columns,
                                                              .config = &c,
                                                              .in = "ROW<k INT NOT NULL>",
                                                              .keys = "k",
                                                              .unused_port = "late",
                                                              .batch_rows = batch_rows,
                                                              .backend = backend});
    for (int step = 0; step < 40; step++) {
        buf_clear(&text);
        for (uint64_t n = prng_next(&prng) % 30; n > 0; n--) {
            int key = (int)(prng_next(&prng) % KEYS);
            int64_t time = now + (int64_t)(prng_next(&prng) % (uint64_t)width) - width / 2;
            time = time < 0 ? 0 : time;
            buf_printf(&text, "@%lld %d\n", (long long)time, key);
            row(m, key, time);
        }
        if (text.size > 0) op_push(d, 0, buf_text(&text));
        now += (int64_t)(prng_next(&prng) % 40);
        if (prng_next(&prng) % 2) {
            int64_t w = now - (int64_t)(prng_next(&prng) % 60);
            w = w > m->watermark ? w : m->watermark;
            watermark(m, w);
            op_push_watermark(d, w);
        }
        read_lines(d, o);
        same_lines(m, o);
    }
    watermark(m, INT64_MAX);
    op_push_end(d);
    read_lines(d, o);
    same_lines(m, o);
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
    buf_release(&text);
    mem_release(&mem);
}

static void random_sessions(void **state)
{
    static const uint32_t sizes[] = {0, 1, 3};
    struct model *m = calloc(1, sizeof *m), *o = calloc(1, sizeof *o);

    (void)state;
    for (uint64_t seed = 1; seed <= 120; seed++)
        for (uint32_t i = 0; i < 3; i++) run(m, o, seed, sizes[i], seed % 5 == 0 ? "pending" : "hashmap");
    free(m);
    free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_sessions)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
