/* test_window_many.c - one key with very many open sessions, its rows in no order: what a row costs must not follow from how
 * many sessions are open, and a hook must end after a bounded piece of work. Steps are counted, not time: nodes that searches
 * look at, sessions that a batch loads, firings between two answers of a hook. */
#include <thalweg/thalweg.h>

#include "flow/operator/window_spans.h"
#include "support/op_driver.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { STEPS_PER_ROW = 60, GAP = 10, APART = 15, SPREAD = 7919 /* a prime: rows i * SPREAD mod n are all rows, far from one another */ };

struct two {
    int64_t k, g;
};
TW_ROW(two, TW_FIELD(two, k, "BIGINT NOT NULL"), TW_FIELD(two, g, "BIGINT NOT NULL"));

static enum tw_status gap_of(struct tw_context *cx, const void *in, int64_t *gap)
{
    (void)cx;
    *gap = ((const struct two *)in)->g;
    return TW_OK;
}
static const struct tw_function gaps = {.in = &two_row, .session_gap = gap_of};

/* --- an operator around the engine, whose insides the test looks at -------------------------------------------------- */
struct probe {
    struct window_fold fold;
    struct window_engine *engine;
    struct op_cx *op;
};

struct probe_config {
    struct window_config window;
    /* What was seen. */
    struct probe **probe;
    uint64_t *fired, *rows, *hooks, *fired_at_most, *loaded_at_most;
    int64_t *last_end;
};

static enum status fold_add(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                            struct batch *in, const uint16_t *rows, uint32_t n)
{
    (void)f, (void)ns, (void)in, (void)rows;
    for (uint32_t i = 0; i < n; i++) ++*state_word(acc[i], t->value.fields[0].offset);
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

/* Sessions of one key fire in the order of their ends. */
static enum status probe_fire(void *arg, const struct window_firing *f)
{
    struct probe *p = arg;
    const struct probe_config *c = p->op->config;
    int64_t n = *state_word(f->acc, f->table->value.fields[0].offset);
    struct batch *out = op_out(p->op, 0);

    assert_true(f->window.end > *c->last_end);
    *c->last_end = f->window.end;
    ++*c->fired;
    *c->rows += (uint64_t)n;
    VECTOR_VALUES(&out->cols[0], int64_t)[out->count++] = n;
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
    struct window_plan plan = {
        .config = &c->window, .fold = &p->fold, .late_port = {WINDOW_NO_PORT}, .arg = p, .fire = probe_fire};
    *c->probe = p;
    return window_engine_create(op, &plan, &p->engine);
}

static void hook_ends(struct probe *p, uint64_t fired_before)
{
    const struct probe_config *c = p->op->config;
    const struct window_engine *e = p->engine;
    uint64_t loaded = e->spans != NULL ? e->spans->span_count : e->sessions->node_count;

    ++*c->hooks;
    *c->fired_at_most = MAX(*c->fired_at_most, *c->fired - fired_before);
    *c->loaded_at_most = MAX(*c->loaded_at_most, loaded);
}

static enum status probe_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct probe *p = self;
    uint64_t before = *((const struct probe_config *)op->config)->fired;
    enum status st = window_engine_on_batch(p->engine, input, in);

    hook_ends(p, before);
    return st;
}

static enum status probe_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    struct probe *p = self;
    uint64_t before = *((const struct probe_config *)op->config)->fired;
    enum status st = window_engine_on_watermark(p->engine, watermark);

    hook_ends(p, before);
    return st;
}

static void probe_close(struct op_cx *op, void *self, bool failed)
{
    (void)op, (void)failed;
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
                                          .close = probe_close};

/* --- runs ------------------------------------------------------------------------------------------------------------- */
struct run {
    struct op_driver *d;
    struct batch *in;
    struct mem mem;
    struct probe *probe;
    struct probe_config config;
    uint64_t fired, rows, hooks, fired_at_most, loaded_at_most;
    int64_t last_end, gap;
    uint64_t pushed;
};

static uint64_t steps_of(const struct run *r)
{
    const struct window_engine *e = r->probe->engine;

    return e->spans != NULL ? e->spans->order.steps : e->sessions->order.steps;
}

static void flush(struct run *r)
{
    r->pushed += r->in->count;
    if (r->in->count > 0) op_push_batch(r->d, 0, r->in);
    batch_clear(r->in);
    batch_use_times(r->in);
}

static void row(struct run *r, int64_t time)
{
    VECTOR_VALUES(&r->in->cols[0], int64_t)[r->in->count] = 1;
    VECTOR_VALUES(&r->in->cols[1], int64_t)[r->in->count] = r->gap;
    r->in->times[r->in->count++] = time;
    if (r->in->count == BATCH_ROWS) flush(r);
}

/* n rows, one per session of the first n, `behind` its start, in no order. */
static void pass(struct run *r, uint64_t n, uint64_t every, int64_t behind)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = i * SPREAD % n;
        if (at % every == 0) row(r, (int64_t)at * APART + behind);
    }
    flush(r);
}

static void run_begin(struct run *r, int64_t lateness, bool is_dynamic, const char *backend)
{
    *r = (struct run){.last_end = INT64_MIN, .gap = GAP};
    mem_init(&r->mem, "test", 0);
    r->config = (struct probe_config){.window = {.assigner = TW_SESSION, .gap_ms = GAP, .lateness_ms = lateness},
                                      .probe = &r->probe,
                                      .fired = &r->fired,
                                      .rows = &r->rows,
                                      .hooks = &r->hooks,
                                      .fired_at_most = &r->fired_at_most,
                                      .loaded_at_most = &r->loaded_at_most,
                                      .last_end = &r->last_end};
    if (is_dynamic) r->config.window.assign = (struct function_ref){.name = "gaps", .fn = &gaps};
    r->d = op_driver_create(&(struct op_setup){
        .type = &probe_type, .config = &r->config, .in = "ROW<k BIGINT NOT NULL, g BIGINT NOT NULL>", .keys = "k", .backend = backend});
    assert_string_equal(op_driver_error(r->d), "");
    r->in = batch_create(op_driver_cx(r->d)->plan->inputs[0], BATCH_ROWS, &r->mem);
    flush(r);
}

static void run_end(struct run *r)
{
    op_push_end(r->d);
    assert_string_equal(op_driver_error(r->d), "");
    assert_int_equal(r->rows, r->pushed);
    batch_free(r->in);
    op_driver_free(r->d);
    mem_release(&r->mem);
}

/* Answers the steps of all rows: n sessions are begun, all grow, and every tenth comes together with the one behind it. */
static uint64_t many(struct run *r, uint64_t n, int64_t lateness, const char *backend)
{
    run_begin(r, lateness, false, backend);
    pass(r, n, 1, 0);
    pass(r, n, 1, 2);
    pass(r, n, 10, GAP);
    uint64_t steps = steps_of(r);
    assert_in_range(steps, 1, STEPS_PER_ROW * r->pushed);
    op_push_watermark(r->d, (int64_t)n * APART / 3);
    assert_in_range(r->fired, n * 3 / 10 - 2, n * 3 / 10 + 2);
    run_end(r);
    assert_int_equal(r->fired, n - n / 10);
    /* A row begins a session, or meets two at most and the one behind them; of such rows, and of timers, few come at once. */
    assert_in_range(r->loaded_at_most, 1, BATCH_ROWS);
    assert_in_range(r->fired_at_most, 1, 300);
    return steps;
}

static void growth(int64_t lateness, uint64_t n)
{
    struct run r;
    uint64_t few = many(&r, n, lateness, NULL), ten_times = many(&r, 10 * n, lateness, NULL);

    assert_in_range(ten_times, 1, 11 * few);
}

static void ten_times_the_sessions(void **state)
{
    (void)state;
    growth(0, 30000);
}

static void ten_times_the_sessions_with_lateness(void **state)
{
    (void)state;
    growth(1, 10000);
}

/* One row reaches over all sessions: they come together a few per call. */
static void one_row_joins_all(uint64_t n, int64_t lateness, const char *backend)
{
    struct run r;

    run_begin(&r, lateness, true, backend);
    pass(&r, n, 1, 0);
    r.hooks = r.loaded_at_most = 0;
    r.gap = (int64_t)n * APART;
    row(&r, 1);
    flush(&r);
    assert_in_range(r.loaded_at_most, 1, 600);
    assert_in_range(r.hooks, n / 256, (n / 256 + 20) * (backend != NULL ? 6 : 1));
    row(&r, (int64_t)n * APART / 2);
    run_end(&r);
    assert_int_equal(r.fired, 1);
}

static void a_long_gap(void **state)
{
    (void)state;
    one_row_joins_all(20000, 0, NULL);
    one_row_joins_all(3000, 0, "pending");
    one_row_joins_all(20000, 1, NULL);
    one_row_joins_all(3000, 1, "pending");
}

static void pending_state(void **state)
{
    struct run r;

    (void)state;
    many(&r, 10000, 0, "pending");
    many(&r, 10000, 1, "pending");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ten_times_the_sessions),
                                       cmocka_unit_test(ten_times_the_sessions_with_lateness),
                                       cmocka_unit_test(a_long_gap), cmocka_unit_test(pending_state)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
