/* test_window_cleanup.c - nothing stays behind: when all windows are past their lateness (or purged), the tables and timers
 * of the window engine hold nothing. Every assigner with every trigger it takes, over accumulators and over rows, with
 * batches of one row and of many, on the plain backend and on the one that is always pending. */
#include <thalweg/thalweg.h>

#include "flow/operator/window_internal.h"
#include "support/op_driver.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct row {
    int64_t v;
};
TW_ROW(row, TW_FIELD(row, v, "BIGINT NOT NULL"));

/* --- an operator around the engine, whose insides the test looks at -------------------------------------------------------- */
struct probe_config {
    struct window_config window;
    bool rows; /* kept; else an accumulator */
    struct window_engine **engine;
    uint32_t *cleared;
};
struct probe {
    struct window_fold fold;
    struct window_engine *engine;
    struct op_cx *op;
};

static enum status fold_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                            struct batch *in, const uint16_t *rows, uint32_t n)
{
    (void)f, (void)ns;
    for (uint32_t i = 0; i < n; i++)
        *state_word(acc[i], t->value.fields[0].offset) += VECTOR_VALUES(&in->cols[1], int64_t)[rows[i]];
    return S_OK;
}

static enum status fold_merge(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                              struct state_table *from, int64_t from_ns, void *const *other, uint32_t n)
{
    (void)f, (void)ns, (void)from_ns;
    for (uint32_t i = 0; i < n; i++)
        *state_word(acc[i], t->value.fields[0].offset) += *state_word(other[i], from->value.fields[0].offset);
    return S_OK;
}

static enum status probe_fire(void *arg, const struct window_firing *f)
{
    struct probe *p = arg;
    struct batch *out = op_out(p->op, 0);

    VECTOR_VALUES(&out->cols[0], int64_t)
    [out->count] = f->acc != NULL ? *state_word(f->acc, f->table->value.fields[0].offset) : f->rows[0]->total;
    out->count++;
    return S_OK;
}

static enum status probe_clear(void *arg, const struct window_firing *f)
{
    const struct probe_config *c = ((struct probe *)arg)->op->config;

    (void)f;
    ++*c->cleared;
    return S_OK;
}

static enum status probe_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct probe_config *c = config;
    const char **names = ARENA_ARRAY(p->arena, const char *, 1);
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, 1);

    names[0] = "n";
    types[0] = type_new(p->arena, T_BIGINT, 0, 0, false);
    p->outputs[p->output_count++] = type_row(p->arena, 1, names, types, false);
    return window_engine_derive(p, &c->window, e);
}

static enum status probe_open(struct op_cx *op, void *self)
{
    const struct probe_config *c = op->config;
    struct probe *p = self;

    p->op = op;
    p->fold = (struct window_fold){.acc = op->plan->outputs[0], .add = fold_add, .merge = fold_merge};
    struct window_plan plan = {.config = &c->window,
                               .fold = c->rows ? NULL : &p->fold,
                               .late_port = {WINDOW_NO_PORT},
                               .arg = p,
                               .fire = probe_fire,
                               .clear = probe_clear};
    TRY(window_engine_create(op, &plan, &p->engine));
    *c->engine = p->engine;
    return S_OK;
}

static enum status probe_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    (void)op;
    return window_engine_on_batch(((struct probe *)self)->engine, input, in);
}
static enum status probe_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    (void)op;
    return window_engine_on_watermark(((struct probe *)self)->engine, watermark);
}
static enum status probe_on_time(struct op_cx *op, void *self, int64_t now_ms)
{
    (void)op;
    return window_engine_on_time(((struct probe *)self)->engine, now_ms);
}
static void probe_close(struct op_cx *op, void *self, bool failed)
{
    (void)op;
    (void)failed;
    window_engine_free(((struct probe *)self)->engine);
}

static const struct op_type probe_type = {.name = "probe",
                                          .flags = OP_NEEDS_KEY | OP_SELECTION | OP_STATE,
                                          .input_count = 1,
                                          .config_size = sizeof(struct probe_config),
                                          .instance_size = sizeof(struct probe),
                                          .derive = probe_derive,
                                          .open = probe_open,
                                          .on_batch = probe_on_batch,
                                          .on_watermark = probe_on_watermark,
                                          .on_time = probe_on_time,
                                          .close = probe_close};

static uint64_t entries(const struct state_table *t) { return t != NULL ? state_count(t, 0) : 0; }

/* What the engine holds, as text: a failure says where something stayed. */
static const char *held(const struct window_engine *e, char *text, size_t size)
{
    snprintf(text, size, "contents %llu rows %llu last %llu sessions %llu event timers %llu processing timers %llu",
             (unsigned long long)entries(e->contents), (unsigned long long)entries(e->logs[0].table),
             (unsigned long long)entries(e->last), (unsigned long long)(entries(e->sessions ? e->sessions->latest : NULL) + entries(e->sessions ? e->sessions->others : NULL)),
             (unsigned long long)timers_count(e->event), (unsigned long long)timers_count(e->processing));
    return text;
}
static const char *const nothing = "contents 0 rows 0 last 0 sessions 0 event timers 0 processing timers 0";

/* --- functions ------------------------------------------------------------------------------------------------------------------ */
static enum tw_status assign(struct tw_context *cx, const void *in, int64_t time, struct tw_window *windows,
                             uint32_t max, uint32_t *count)
{
    (void)cx, (void)in, (void)max;
    windows[0] = (struct tw_window){time / 10 * 10, time / 10 * 10 + 10};
    windows[1] = (struct tw_window){time, time + 3};
    *count = 2;
    return TW_OK;
}
static const struct tw_function own_windows = {.in = &row_row, .assign = assign};

static enum tw_status difference(struct tw_context *cx, const void *a, const void *b, double *out)
{
    (void)cx;
    *out = (double)(((const struct row *)b)->v - ((const struct row *)a)->v);
    return TW_OK;
}
static const struct tw_function delta = {.in = &row_row, .delta = difference};

static const struct tw_state seen = {.name = "rows", .kind = TW_VALUE, .value = "BIGINT"};
static enum tw_status on_element(struct tw_context *cx, const void *in, int64_t time_ms, const struct tw_window *w,
                                 enum tw_trigger_result *r)
{
    (void)in;
    tw_value_set_long(cx, &seen, tw_value_long(cx, &seen, 0) + 1);
    if (time_ms != INT64_MIN && w->end != INT64_MAX) tw_register_trigger_timer(cx, w->end - 1, true);
    if (tw_value_long(cx, &seen, 0) == 2) *r = TW_FIRE;
    return TW_OK;
}
static enum tw_status on_merge(struct tw_context *cx, const struct tw_window *w)
{
    tw_register_trigger_timer(cx, w->end - 1, true);
    return TW_OK;
}
static enum tw_status clear(struct tw_context *cx, const struct tw_window *w)
{
    if (w->end != INT64_MAX) tw_delete_trigger_timer(cx, w->end - 1, true);
    tw_state_clear(cx, &seen);
    return TW_OK;
}
static const struct tw_function custom = {
    .in = &row_row, .on_element = on_element, .on_merge = on_merge, .clear = clear, .states = {&seen}};
#define FN(f)                                                                                                          \
    {                                                                                                                  \
        .name = #f, .fn = &f                                                                                           \
    }

/* --- cases ---------------------------------------------------------------------------------------------------------------------- */
static const struct {
    struct window_config window;
    uint32_t windows, by_clock; /* that are made and cleared: by event time, by processing time */
} assigners[] = {
    {{.assigner = TW_TUMBLING, .size_ms = 10}, 6, 9},
    {{.assigner = TW_TUMBLING, .size_ms = 10, .lateness_ms = 7}, 8, 9},
    {{.assigner = TW_SLIDING, .size_ms = 10, .slide_ms = 3}, 24, 30},
    {{.assigner = TW_SLIDING, .size_ms = 3, .slide_ms = 10}, 4, 3},
    {{.assigner = TW_SESSION, .gap_ms = 5}, 6, 9},
    {{.assigner = TW_SESSION, .gap_ms = 5, .lateness_ms = 7}, 7, 9},
    {{.assigner = TW_CUSTOM_WINDOWS, .assign = FN(own_windows)}, 17, 18},
    {{.assigner = TW_CUSTOM_WINDOWS, .assign = FN(own_windows), .merging = true}, 6, 9},
    {{.assigner = TW_CUSTOM_WINDOWS, .assign = FN(own_windows), .merging = true, .lateness_ms = 7}, 7, 9},
};

static const struct window_config triggers[] = {
    {.trigger = TW_TRIGGER_DEFAULT},
    {.trigger = TW_TRIGGER_CONTINUOUS_EVENT_TIME, .trigger_interval_ms = 4},
    {.trigger = TW_TRIGGER_CONTINUOUS_PROCESSING_TIME, .trigger_interval_ms = 4},
    {.trigger = TW_TRIGGER_COUNT, .trigger_count = 2},
    {.trigger = TW_TRIGGER_DELTA, .trigger_threshold = 2, .trigger_function = FN(delta)},
    {.trigger = TW_TRIGGER_PROCESSING_TIMEOUT, .trigger_interval_ms = 4},
    {.trigger = TW_TRIGGER_PROCESSING_TIMEOUT,
     .trigger_interval_ms = 4,
     .trigger_reset = true,
     .trigger_keep = true,
     .trigger_nested = TW_TRIGGER_CONTINUOUS_EVENT_TIME},
    {.trigger = TW_TRIGGER_PROCESSING_TIMEOUT,
     .trigger_interval_ms = 4,
     .trigger_threshold = 2,
     .trigger_nested = TW_TRIGGER_DELTA,
     .trigger_function = FN(delta)},
    {.trigger = TW_TRIGGER_NEVER},
    {.trigger = TW_TRIGGER_CUSTOM, .trigger_function = FN(custom)},
};

static struct window_config combined(const struct window_config *a, const struct window_config *t, bool purging)
{
    struct window_config c = *t;

    c.assigner = a->assigner, c.size_ms = a->size_ms, c.slide_ms = a->slide_ms, c.gap_ms = a->gap_ms;
    c.lateness_ms = a->lateness_ms, c.assign = a->assign, c.merging = a->merging, c.count = a->count;
    c.processing_time = a->processing_time;
    c.trigger_purging = purging;
    return c;
}

static void run(struct op_driver *d)
{
    op_set_time(d, 3);
    op_push(d, 0, "@1 a | 1\n@9 a | 2\n@2 b | 3\n@4 a | 9\n@33 a | 4\n@31 c | 1\n");
    op_push_watermark(d, 8);
    op_set_time(d, 9);
    op_push(d, 0, "@12 a | 7\n@6 b | 5\n@3 a | 1\n@37 a | 2\n@34 a | 2\n@1 c | 8\n");
    op_push_watermark(d, 14);
    op_set_time(d, 21);
    op_push(d, 0, "@11 a | 7\n@7 b | 5\n@5 a | 1\n@32 c | 2\n");
    op_push_watermark(d, 100);
    op_push(d, 0, "@5 a | 1\n@99 c | 2\n@90 b | 2\n");
    op_set_time(d, 50);
    op_push_watermark(d, 200);
    op_set_time(d, 1000);
    op_push_end(d);
}

static void check(const struct window_config *window, uint32_t windows, const char *what)
{
    static const uint32_t sizes[] = {1, 0};
    static const char *const backends[] = {"hashmap", "pending"};

    for (uint32_t i = 0; i < 8; i++) {
        struct window_engine *e = NULL;
        uint32_t cleared = 0;
        struct probe_config c = {.window = *window, .rows = i / 4, .engine = &e, .cleared = &cleared};
        struct op_setup setup = {.type = &probe_type,
                                 .config = &c,
                                 .in = "ROW<k STRING NOT NULL, v BIGINT NOT NULL>",
                                 .keys = "k",
                                 .batch_rows = sizes[i / 2 % 2],
                                 .backend = backends[i % 2]};
        struct op_driver *d = op_driver_create(&setup);
        char text[256];
        assert_string_equal(op_driver_error(d), "");
        run(d);
        assert_string_equal(op_driver_error(d), "");
        if (strcmp(held(e, text, sizeof text), nothing) != 0 || cleared != windows)
            fail_msg("%s, %s: %s; %u windows cleared, not %u", what, c.rows ? "rows" : "accumulator", text, cleared,
                     windows);
        op_driver_free(d);
    }
}

static void nothing_stays(void **state)
{
    (void)state;
    for (size_t a = 0; a < COUNT_OF(assigners); a++)
        for (size_t t = 0; t < COUNT_OF(triggers); t++)
            for (int purging = 0; purging < 2; purging++)
                for (int clock = 0; clock < 2; clock++) {
                    char what[96];
                    struct window_config c = combined(&assigners[a].window, &triggers[t], purging);
                    c.processing_time = clock;
                    if (window_is_merging(&c) && !window_trigger_merges(&c)) continue;
                    if (clock && c.trigger == TW_TRIGGER_CUSTOM) continue; /* its timers are of event time */
                    snprintf(what, sizeof what, "assigner %zu, trigger %zu, purging %d, clock %d", a, t, purging,
                             clock);
                    check(&c, clock ? assigners[a].by_clock : assigners[a].windows, what);
                }
}

/* Windows that never end hold nothing once they are purged. */
static void purged_windows_leave_nothing(void **state)
{
    static const struct window_config windows[] = {
        {.assigner = TW_COUNT, .count = 1, .trigger_count = 1},
        {.assigner = TW_GLOBAL, .trigger = TW_TRIGGER_COUNT, .trigger_count = 1, .trigger_purging = true},
        {.assigner = TW_GLOBAL, .trigger = TW_TRIGGER_END_OF_STREAM, .trigger_purging = true},
        {.assigner = TW_GLOBAL,
         .trigger = TW_TRIGGER_PROCESSING_TIMEOUT,
         .trigger_interval_ms = 3,
         .trigger_purging = true},
        {.assigner = TW_GLOBAL,
         .trigger = TW_TRIGGER_PROCESSING_TIMEOUT,
         .trigger_interval_ms = 3,
         .trigger_nested = TW_TRIGGER_DELTA,
         .trigger_function = FN(delta),
         .trigger_purging = true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(windows); i++) {
        char what[32];
        snprintf(what, sizeof what, "window %zu", i);
        check(&windows[i], 0, what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_stays), cmocka_unit_test(purged_windows_leave_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
