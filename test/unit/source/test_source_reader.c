/* test_source_reader.c - splits in turn, watermarks of several splits, idleness, alignment, rate and dead letters, against a
 * source whose splits are little scripts, on a clock set by hand. */
#include "flow/source/source_reader.h"
#include "flow/source/source_reader_internal.h"
#include "ground/base/str.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* --- a source of scripts ------------------------------------------------------------------------------------------------
 * A split is a text of words: a number is a row with that time, "~" says once that there is nothing now, "~500" the same
 * with a wish to be asked at 500, "?x" is a row that cannot be read. A split that ends in "..." never ends. A text that
 * begins with "@500 " is handed out from 500 on. */
struct script_config {
    const char *const *splits; /* ends with NULL */
    struct watermark_config watermark;
    double rows_per_second;
    uint32_t splits_max;
    bool own_times;            /* rows bring their times along */
    struct source_reader *reader; /* answer */
};
struct script_enumerator {
    uint32_t next;
};
struct script_split {
    const char *at;
};

static const struct script_config *config_of(const struct source_cx *cx)
{
    return (const struct script_config *)(const void *)cx->rows.data;
}

static enum status script_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a, struct split *out)
{
    struct script_enumerator *en = self;
    const char *text = config_of(cx)->splits[en->next];
    int64_t from = 0;

    (void)subtask;
    if (text == NULL) return S_END;
    if (text[0] == '@') from = strtoll(text + 1, NULL, 10);
    if (sys_wall_ms(cx->sys) < from) {
        cx->wake_ms = from;
        return S_IDLE;
    }
    en->next++;
    out->id = arena_printf(a, "script-%u", en->next);
    out->bytes = str_of(text[0] == '@' ? strchr(text, ' ') : text);
    return S_OK;
}

static enum status script_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    (void)cx;
    (void)reader;
    ((struct script_split *)split)->at = what->bytes.data;
    return S_OK;
}

static void row_add(const struct source_cx *cx, struct batch *out, int64_t value)
{
    if (out->cols[0].form == VEC_FLAT) VECTOR_VALUES(&out->cols[0], int64_t)[out->count] = value;
    if (config_of(cx)->own_times) {
        if (out->times == NULL) batch_use_times(out);
        out->times[out->count] = value;
    }
    out->count++;
}

static enum status script_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct script_split *s = split;

    (void)reader;
    while (out->count < out->capacity) {
        while (*s->at == ' ') s->at++;
        if (*s->at == '\0') return S_END;
        if (strcmp(s->at, "...") == 0) return S_IDLE;
        if (*s->at == '~') {
            s->at++;
            if (*s->at >= '0' && *s->at <= '9') cx->wake_ms = strtoll(s->at, (char **)&s->at, 10);
            return S_IDLE;
        }
        if (*s->at == '?') {
            cx->bad_records++;
            if (cx->dead_letter != NULL)
                cx->dead_letter(cx->dead_letter_arg, "script:1:2", "not a number", (struct str){s->at, 2});
            s->at += 2;
            continue;
        }
        row_add(cx, out, strtoll(s->at, (char **)&s->at, 10));
    }
    return S_OK;
}

static const struct source_type script_source = {.enumerator_size = sizeof(struct script_enumerator),
                                                 .split_size = sizeof(struct script_split),
                                                 .splits_at_once = 16,
                                                 .enumerator_next = script_next,
                                                 .split_open = script_split_open,
                                                 .split_read = script_split_read};

static enum status script_derive(struct op_plan *plan, const void *config, struct err *e)
{
    (void)config;
    plan->output_count = 2;
    plan->port_names[1] = "dead-letter";
    TRY(type_parse(plan->arena, STR("ROW<ts BIGINT>"), &plan->outputs[0], e));
    return type_parse(plan->arena, STR(DEAD_LETTER_ROW), &plan->outputs[1], e);
}

static enum status script_open(struct op_cx *cx, void *self)
{
    struct script_config *c = (struct script_config *)cx->config;
    struct source_plan plan = {.type = &script_source,
                               .rows = {(const char *)c, sizeof *c},
                               .schema = cx->plan->outputs[0],
                               .watermark = c->watermark,
                               .rows_per_second = c->rows_per_second,
                               .splits_max = c->splits_max,
                               .has_dead_letters = true};

    plan.watermark.periodic_ms = 200;
    plan.watermark.alignment_interval_ms = 1000;
    c->reader = self;
    return source_reader_open(self, cx, &plan);
}

static enum status script_poll(struct op_cx *cx, void *self)
{
    (void)cx;
    return source_reader_poll(self);
}

static void script_close(struct op_cx *cx, void *self, bool failed)
{
    (void)cx;
    (void)failed;
    source_reader_close(self, false);
}

static const struct op_type op_script = {.name = "script",
                                         .flags = OP_SOURCE,
                                         .config_size = sizeof(struct script_config),
                                         .instance_size = sizeof(struct source_reader),
                                         .derive = script_derive,
                                         .open = script_open,
                                         .poll = script_poll,
                                         .close = script_close,
                                         .makes_watermarks = true};

#define SPLITS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct op_driver *start(struct script_config *c, uint32_t batch_rows)
{
    return op_driver_create(
        &(struct op_setup){.type = &op_script, .config = c, .batch_rows = batch_rows, .watermarks = true});
}

/* --- watermarks by row count -------------------------------------------------------------------------------------- */
static void test_watermarks_stand_at_the_same_rows(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 5, 2048};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct script_config c = {
            .splits = SPLITS("10 40 20 50 30 90 60"),
            .watermark = {.kind = WATERMARK_BOUNDED, .out_of_orderness_ms = 10, .every_rows = 3, .time_field = "ts"}};
        struct op_driver *d = start(&c, sizes[i]);
        op_poll(d);
        assert_string_equal(op_output(d), "+I[10]@10\n+I[40]@40\n+I[20]@20\nW@29\n"
                                          "+I[50]@50\n+I[30]@30\n+I[90]@90\nW@79\n+I[60]@60\nW@max\n");
        op_driver_free(d);
    }
}

/* Two splits take turns of every_rows rows; the watermark is the least of both. */
static void test_least_of_splits_whatever_the_batches(void **state)
{
    static const uint32_t sizes[] = {1, 2, 2048};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct script_config c = {.splits = SPLITS("10 20 30 40", "5 6 100 110 120"),
                                  .watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 2, .time_field = "ts"}};
        struct op_driver *d = start(&c, sizes[i]);
        op_poll(d);
        /* 20 - 1 of the first against 6 - 1 of the second; 40 - 1 once the second has come to 110; the first then ends
         * and leaves the minimum */
        assert_string_equal(op_output(d), "+I[10]@10\n+I[20]@20\n+I[5]@5\n+I[6]@6\nW@5\n+I[30]@30\n+I[40]@40\n"
                                          "+I[100]@100\n+I[110]@110\nW@39\nW@109\n+I[120]@120\nW@max\n");
        op_driver_free(d);
    }
}

static void test_one_split_after_the_other(void **state)
{
    struct script_config c = {.splits = SPLITS("10 20", "15 16", "30 31"), .splits_max = 1,
                              .watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 1, .time_field = "ts"}};
    struct op_driver *d = start(&c, 0);

    (void)state;
    op_poll(d);
    /* a new split begins behind: the watermark waits for it, and does not go back */
    assert_string_equal(
        op_output(d),
        "+I[10]@10\nW@9\n+I[20]@20\nW@19\n+I[15]@15\n+I[16]@16\n+I[30]@30\nW@29\n+I[31]@31\nW@30\nW@max\n");
    op_driver_free(d);
}

static void test_times_that_rows_bring_along(void **state)
{
    struct script_config c = {
        .splits = SPLITS("7 3"), .own_times = true, .watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 2}};
    struct op_driver *d = start(&c, 0);

    (void)state;
    op_poll(d);
    assert_string_equal(op_output(d), "+I[7]@7\n+I[3]@3\nW@6\nW@max\n");
    op_driver_free(d);
}

static void test_without_watermarks(void **state)
{
    struct script_config c = {.splits = SPLITS("7 3")};
    struct op_driver *d = start(&c, 1);

    (void)state;
    op_poll(d);
    assert_string_equal(op_output(d), "+I[7]\n+I[3]\nW@max\n");
    op_driver_free(d);
}

/* A time that has come already is none to sleep until: the split is asked again a moment later, not never. */
static void test_asked_again_in_the_same_millisecond(void **state)
{
    struct script_config c = {.splits = SPLITS("~100 7 ~100 8 ~40 9")};
    struct op_driver *d = start(&c, 0);

    (void)state;
    op_set_time(d, 100);
    op_poll(d);
    assert_string_equal(op_output(d), "");
    assert_int_equal(op_next_wake(d), 101);
    for (int i = 0; i < 2; i++) {
        op_set_time(d, 101 + i);
        op_poll(d);
        assert_string_equal(op_output(d), i == 0 ? "+I[7]\n" : "+I[8]\n"); /* rows and silence in one answer */
        assert_int_equal(op_next_wake(d), 102 + i);
    }
    op_set_time(d, 103);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[9]\nW@max\n");
    op_driver_free(d);
}

/* --- periodic ones ------------------------------------------------------------------------------------------------ */
static void test_periodic_watermarks(void **state)
{
    struct script_config c = {.splits = SPLITS("10 20 ~199 30 ~ ..."),
                              .watermark = {.kind = WATERMARK_MONOTONOUS, .time_field = "ts"}};
    struct op_driver *d = start(&c, 0);

    (void)state;
    op_poll(d);
    assert_string_equal(op_output(d), "+I[10]@10\n+I[20]@20\n");
    assert_int_equal(op_next_wake(d), 199);
    op_set_time(d, 199);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[30]@30\n");
    op_set_time(d, 200);
    op_poll(d);
    assert_string_equal(op_output(d), "W@29\n");
    assert_int_equal(op_next_wake(d), INT64_MAX); /* nothing new to say */
    op_driver_free(d);
}

/* A split that is over before its watermark was due; the next one comes later. */
static void test_a_short_split_is_heard_of(void **state)
{
    struct script_config c = {.splits = SPLITS("10 20", "@3000 5", "@3001 30"),
                              .watermark = {.kind = WATERMARK_MONOTONOUS, .time_field = "ts"}};
    struct op_driver *d = start(&c, 0);

    (void)state;
    op_poll(d);
    assert_string_equal(op_output(d), "+I[10]@10\n+I[20]@20\n");
    assert_int_equal(op_next_wake(d), 200);
    op_set_time(d, 200);
    op_poll(d);
    assert_string_equal(op_output(d), "W@19\n");
    op_set_time(d, 3000);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[5]@5\n"); /* it does not go back */
    op_set_time(d, 3001);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[30]@30\nW@max\n");
    op_driver_free(d);
}

/* --- idleness ----------------------------------------------------------------------------------------------------- */
static void test_idle_split_does_not_hold_back(void **state)
{
    struct script_config c = {
        .splits = SPLITS("10 ~100 100 ~250 200 ~350 300 ~551 400 ...", "1 ~200 2 ..."),
        .watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 1, .idleness_ms = 300, .time_field = "ts"}};
    struct op_driver *d = start(&c, 0);

    (void)state;
    op_poll(d);
    assert_string_equal(op_output(d), "+I[10]@10\n+I[1]@1\nW@0\n");
    for (int64_t now = 100; now < 300; now += 50) {
        op_set_time(d, now);
        op_poll(d);
    }
    assert_string_equal(op_output(d), "+I[100]@100\n+I[2]@2\nW@1\n+I[200]@200\n");
    assert_false(c.reader->is_idle);
    op_set_time(d, 350);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[300]@300\n");
    op_set_time(d, 551); /* the second is silent since 200 */
    op_poll(d);
    assert_string_equal(op_output(d), "+I[400]@400\nW@399\n");
    assert_false(c.reader->is_idle);
    op_set_time(d, 900);
    op_poll(d);
    assert_string_equal(op_output(d), "");
    assert_true(c.reader->is_idle); /* all of them: the subtask is */
    op_driver_free(d);
}

/* The last active split ends: what is left is idle, so the subtask is; what ended is not counted as idle. */
static void test_finished_is_not_idle(void **state)
{
    struct script_config c = {
        .splits = SPLITS("10 ~500 20", "5 ..."),
        .watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 1, .idleness_ms = 400, .time_field = "ts"}};
    struct op_driver *d = start(&c, 0);

    (void)state;
    op_poll(d);
    assert_string_equal(op_output(d), "+I[10]@10\n+I[5]@5\nW@4\n");
    op_set_time(d, 400);
    op_poll(d);
    assert_true(c.reader->is_idle); /* both were silent for 400 ms */
    op_set_time(d, 500);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[20]@20\nW@19\n");
    assert_true(c.reader->is_idle); /* the first came back and ended; only the idle one is left */
    assert_int_equal(c.reader->split_count, 1);
    op_driver_free(d);
}

/* A task that is held up is not idle: of the time between two polls that found rows only a moment counts. */
static void test_being_held_up_is_not_idleness(void **state)
{
    struct script_config c = {
        .splits = SPLITS("1 2 3 4 5 6 7 8 ...", "1 ~ ~ ~ ~ ~ ~ ~ ~ ~ ~ ..."),
        .watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 1, .idleness_ms = 500, .time_field = "ts"}};
    struct op_driver *d = start(&c, 1);
    struct op_cx *cx = op_driver_cx(d);

    (void)state;
    for (int64_t i = 0; i < 4; i++) { /* one row per poll, and ten seconds between polls */
        assert_int_equal(op_script.poll(cx, c.reader), S_OK);
        assert_int_equal(op_out(cx, 0)->count, 1);
        batch_clear(op_out(cx, 0));
        op_set_time(d, (i + 1) * 10000);
    }
    assert_false(c.reader->splits->next->is_idle);
    assert_int_equal(c.reader->active_ms, 300);
    op_poll(d);
    op_driver_free(d);
}

static void test_no_split_yet(void **state)
{
    struct script_config c = {
        .splits = SPLITS("@1000 10", "@3000 20"),
        .watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 1, .idleness_ms = 500, .time_field = "ts"}};
    struct op_driver *d = start(&c, 0);

    (void)state;
    op_poll(d);
    assert_int_equal(op_next_wake(d), 500);
    assert_false(c.reader->is_idle);
    op_set_time(d, 500);
    op_poll(d);
    assert_true(c.reader->is_idle);
    assert_int_equal(op_next_wake(d), 1000);
    op_set_time(d, 1000);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[10]@10\nW@9\n");
    op_set_time(d, 3000);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[20]@20\nW@19\nW@max\n");
    op_driver_free(d);
}

/* --- rate --------------------------------------------------------------------------------------------------------- */
static void test_rate_limit(void **state)
{
    struct script_config c = {.splits = SPLITS("1 2 3 4 5 6 7 8 9"), .rows_per_second = 10};
    struct op_driver *d = start(&c, 0);

    (void)state;
    op_poll(d);
    assert_string_equal(op_output(d), "+I[1]\n");
    assert_int_equal(op_next_wake(d), 100);
    op_set_time(d, 99);
    op_poll(d);
    assert_string_equal(op_output(d), "");
    op_set_time(d, 300);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[2]\n+I[3]\n+I[4]\n");
    op_set_time(d, 60000); /* what a long stall left undone is not made up for */
    op_poll(d);
    assert_string_equal(op_output(d), "+I[5]\n");
    op_driver_free(d);
}

/* --- dead letters ------------------------------------------------------------------------------------------------- */
static void test_dead_letters(void **state)
{
    struct script_config c = {.splits = SPLITS("1 ?a ?b 2 ?c")};
    struct op_driver *d = start(&c, 2);

    (void)state;
    op_poll(d);
    assert_string_equal(
        op_output(d),
        "+I[1]\n+I[2]\n"
        "dead-letter: +I[script:1:2, not a number, x'3f61']\ndead-letter: +I[script:1:2, not a number, x'3f62']\n"
        "dead-letter: +I[script:1:2, not a number, x'3f63']\nW@max\n");
    assert_int_equal(op_driver_cx(d)->metrics->dead_letters.value, 3);
    assert_int_equal(op_driver_cx(d)->metrics->errors_skipped.value, 0);
    op_driver_free(d);

    d = op_driver_create(&(struct op_setup){.type = &op_script, .config = &c, .unused_port = "dead-letter"});
    op_poll(d);
    assert_string_equal(op_output(d), "+I[1]\n+I[2]\n");
    assert_int_equal(op_driver_cx(d)->metrics->errors_skipped.value, 3); /* nobody listens: counted */
    op_driver_free(d);
}

/* --- alignment ---------------------------------------------------------------------------------------------------- */
static void test_alignment_pauses_who_is_ahead(void **state)
{
    struct script_config fast = {.splits = SPLITS("0 100 200 300 400 500 600 ..."),
                                 .watermark = {.kind = WATERMARK_MONOTONOUS,
                                               .every_rows = 1,
                                               .time_field = "ts",
                                               .alignment_group = "g",
                                               .alignment_max_drift_ms = 250}};
    struct script_config slow = fast;
    struct op_driver *a, *b;
    struct job_shared *job;

    (void)state;
    slow.splits = SPLITS("0 ~ 100 ~ 300 ~ ...");
    struct sys *sys = sys_linux_create_quiet();
    job = job_shared_create(sys, "test", NULL);
    a = start(&fast, 1);
    b = start(&slow, 1);
    /* the driver knows no job: join the group here, as open does with one */
    assert_int_equal(alignment_join(&fast.reader->member, job, "g", NULL), S_OK);
    assert_int_equal(alignment_join(&slow.reader->member, job, "g", NULL), S_OK);
    op_poll(b);
    assert_string_equal(op_output(b), "+I[0]@0\nW@-1\n");
    op_set_time(a, 10);
    op_set_time(b, 10);
    op_poll(b);
    op_poll(a);
    assert_string_equal(op_output(a), "+I[0]@0\nW@-1\n"); /* the other has said nothing yet when this one looks */
    op_set_time(a, 20);
    op_poll(a); /* the other is at -1 now: up to 249 is allowed, the row at 300 is the one that passes it */
    assert_string_equal(op_output(a), "+I[100]@100\nW@99\n+I[200]@200\nW@199\n+I[300]@300\nW@299\n");
    assert_int_equal(op_next_wake(a), 1020);
    op_set_time(b, 1030);
    op_poll(b);
    op_set_time(b, 1031);
    op_poll(b);
    op_set_time(a, 1030);
    op_poll(a); /* the other is at 99 or 299: at least one more row is allowed */
    assert_true(str_starts(str_of(op_output(a)), STR("+I[400]@400\n")));
    op_driver_free(b);
    op_driver_free(a);
    job_shared_free(job);
    sys_linux_free(sys);
}

/* --- what is measured --------------------------------------------------------------------------------------------------- */
struct measured {
    struct sys_ops ops;
    int64_t now_ms;
    struct sys *sys;
    struct job_shared *job;
    struct op_driver *d;
};

static int64_t measured_wall_ms(struct sys *sys) { return ((struct measured *)(void *)(uintptr_t)sys->ops)->now_ms; }
static int64_t measured_mono_ns(struct sys *sys) { return measured_wall_ms(sys) * 1000000; }

static void measured_open(struct measured *m, struct script_config *c)
{
    *m = (struct measured){.now_ms = 1000, .sys = sys_linux_create_quiet()};
    m->ops = *m->sys->ops;
    m->ops.wall_ms = measured_wall_ms;
    m->ops.mono_ns = measured_mono_ns;
    m->sys->ops = &m->ops;
    m->job = job_shared_create(m->sys, "test", NULL);
    m->d = op_driver_create(&(struct op_setup){
        .type = &op_script, .config = c, .batch_rows = 1, .watermarks = true, .sys = m->sys, .job = m->job});
}

static void measured_close(struct measured *m)
{
    op_driver_free(m->d);
    job_shared_free(m->job);
    sys_linux_free(m->sys);
}

static void poll_at(struct measured *m, int64_t now_ms)
{
    m->now_ms = now_ms;
    op_poll(m->d);
    op_output(m->d);
}

static double value_of(struct measured *m, const char *name)
{
    struct metric_view v;

    if (!metrics_find(job_metrics(m->job), "script", 0, name, &v)) fail_msg("there is no %s", name);
    assert_int_equal(v.kind, METRIC_GAUGE);
    return v.value;
}

/* "watermark | active paused idle, in all | of each second", of the one split. */
static void expect_split(struct measured *m, int64_t now_ms, const char *text)
{
    static const char *const names[] = {
        "currentWatermark", "accumulatedActiveTimeMs", "accumulatedPausedTimeMs", "accumulatedIdleTimeMs",
        "activeTimeMsPerSecond", "pausedTimeMsPerSecond", "idleTimeMsPerSecond"};
    double v[COUNT_OF(names)];
    char got[256];

    m->now_ms = now_ms;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char name[128];
        snprintf(name, sizeof name, "split.script-1.watermark.%s", names[i]);
        v[i] = value_of(m, name);
    }
    snprintf(got, sizeof got, "%.0f | %.0f %.0f %.0f | %.1f %.1f %.1f", v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
    assert_string_equal(got, text);
}

static void test_an_idle_split_is_measured(void **state)
{
    struct script_config c = {
        .splits = SPLITS("10 20 ~1500 30"),
        .watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 1, .time_field = "ts", .idleness_ms = 100}};
    struct measured m;

    (void)state;
    measured_open(&m, &c);
    assert_int_equal(metrics_count(job_metrics(m.job)), 0);
    poll_at(&m, 1000);
    expect_split(&m, 1000, "19 | 0 0 0 | 0.0 0.0 0.0");
    expect_split(&m, 1050, "19 | 50 0 0 | 1000.0 0.0 0.0");
    poll_at(&m, 1100); /* nothing for 100 ms */
    expect_split(&m, 1400, "19 | 100 0 300 | 250.0 0.0 750.0");
    poll_at(&m, 1500); /* a row, and the end: the split's measures go with it */
    struct metric_view v;
    assert_false(metrics_find(job_metrics(m.job), "script", 0, "split.script-1.watermark.currentWatermark", &v));
    assert_int_equal(metrics_count(job_metrics(m.job)), 1);
    measured_close(&m);
}

static void test_a_paused_split_and_the_drift_are_measured(void **state)
{
    struct script_config c = {.splits = SPLITS("0 100 200 300 400 500 600 ..."),
                              .watermark = {.kind = WATERMARK_MONOTONOUS,
                                            .every_rows = 1,
                                            .time_field = "ts",
                                            .alignment_group = "g",
                                            .alignment_max_drift_ms = 250}};
    struct alignment_member other;
    struct metric_view v;
    struct measured m;

    (void)state;
    measured_open(&m, &c);
    assert_int_equal(alignment_join(&other, m.job, "g", NULL), S_OK);
    poll_at(&m, 1000); /* row 0; nobody has seen the other yet */
    assert_false(metrics_find(job_metrics(m.job), "script", 0, "watermarkAlignmentDrift", &v));
    expect_split(&m, 1000, "-1 | 0 0 0 | 0.0 0.0 0.0");
    alignment_report(&other, -1);
    poll_at(&m, 1010); /* up to 249 is allowed; the row at 300 passes it */
    assert_true(value_of(&m, "watermarkAlignmentDrift") == 299 - 249);
    expect_split(&m, 1510, "299 | 0 510 0 | 0.0 1000.0 0.0");
    alignment_report(&other, 200);
    poll_at(&m, 2010); /* up to 450 */
    assert_true(value_of(&m, "watermarkAlignmentDrift") == 499 - 450);
    alignment_report(&other, INT64_MAX);
    poll_at(&m, 3010); /* only its own 499 counts: up to 749, and there is nothing more */
    assert_true(value_of(&m, "watermarkAlignmentDrift") == 599 - 749);
    expect_split(&m, 4010, "599 | 1000 2010 0 | 332.2 667.8 0.0");
    measured_close(&m);
}

/* Of two ids that are told alike the second split goes without, and is read all the same. */
static void test_a_long_id_and_one_that_is_taken(void **state)
{
    struct script_config c = {.splits = SPLITS("1 ...")};
    struct split_metrics first, second, third;
    struct metric_view v;
    struct measured m;
    char id[1000], name[512];
    struct err e = {0};

    (void)state;
    measured_open(&m, &c);
    memset(id, 'x', sizeof id);
    id[sizeof id - 1] = '\0';
    id[998] = 'y';
    assert_int_equal(split_metrics_open(&first, op_driver_cx(m.d), id, &e), S_OK);
    assert_int_equal(split_metrics_open(&second, op_driver_cx(m.d), id + 1, &e), E_USER);
    snprintf(name, sizeof name, "split....%s.watermark.currentWatermark", id + 999 - 400);
    assert_true(metrics_find(job_metrics(m.job), "script", 0, name, &v));
    split_metrics_close(&first);
    split_metrics_close(&second);
    assert_false(metrics_find(job_metrics(m.job), "script", 0, name, &v));
    assert_int_equal(split_metrics_open(&third, op_driver_cx(m.d), id + 1, &e), S_OK); /* the name is free again */
    split_metrics_close(&third);
    measured_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watermarks_stand_at_the_same_rows),
        cmocka_unit_test(test_least_of_splits_whatever_the_batches),
        cmocka_unit_test(test_one_split_after_the_other),
        cmocka_unit_test(test_times_that_rows_bring_along),
        cmocka_unit_test(test_without_watermarks),
        cmocka_unit_test(test_asked_again_in_the_same_millisecond),
        cmocka_unit_test(test_periodic_watermarks),
        cmocka_unit_test(test_a_short_split_is_heard_of),
        cmocka_unit_test(test_idle_split_does_not_hold_back),
        cmocka_unit_test(test_finished_is_not_idle),
        cmocka_unit_test(test_being_held_up_is_not_idleness),
        cmocka_unit_test(test_no_split_yet),
        cmocka_unit_test(test_rate_limit),
        cmocka_unit_test(test_dead_letters),
        cmocka_unit_test(test_alignment_pauses_who_is_ahead),
        cmocka_unit_test(test_an_idle_split_is_measured),
        cmocka_unit_test(test_a_paused_split_and_the_drift_are_measured),
        cmocka_unit_test(test_a_long_id_and_one_that_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
