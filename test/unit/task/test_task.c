/* test_task.c - chains in a task: depth-first delivery that survives a lack of credit and spent budgets, the order of
 * rows, watermarks and ends, selections for operators that take none, processing time, failures with a name. The
 * operators here are made for the test; no thread, no sleeping. */
#include "flow/task/task.h"

#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* --- operators ---------------------------------------------------------------------------------------------------------- */
/* Source: values 0..count-1, `step` per poll, then a watermark equal to the last value; every third poll says idle. */
struct count_config {
    int64_t count, step;
};
struct count {
    int64_t next, polls;
};

static enum status count_poll(struct op_cx *cx, void *self)
{
    const struct count_config *c = cx->config;
    struct count *s = self;

    if (s->next == c->count) {
        op_emit_watermark(cx, WATERMARK_MAX);
        return S_END;
    }
    if (++s->polls % 3 == 0) return S_IDLE;
    struct batch *out = op_out(cx, 0);
    batch_use_times(out);
    for (int64_t i = 0; i < c->step && s->next < c->count && out->count < out->capacity; i++, s->next++) {
        VECTOR_VALUES(&out->cols[0], int64_t)[out->count] = s->next;
        out->times[out->count++] = s->next;
    }
    op_emit_watermark(cx, s->next - 1);
    return S_OK;
}

static const struct op_type op_count = {.name = "count",
                                        .flags = OP_SOURCE,
                                        .config_size = sizeof(struct count_config),
                                        .instance_size = sizeof(struct count),
                                        .poll = count_poll,
                                        .makes_watermarks = true};

/* Passes even values as a selection. */
struct even {
    uint16_t rows[BATCH_ROWS];
};

static enum status even_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct even *s = self;
    uint32_t n = 0;

    (void)input;
    BATCH_EACH(in, i, row) if (VECTOR_VALUES(&in->cols[0], int64_t)[row] % 2 == 0) s->rows[n++] = (uint16_t)row;
    in->sel = s->rows;
    in->sel_count = n;
    op_forward(cx, 0, in);
    return S_OK;
}

static const struct op_type op_even = {.name = "even",
                                       .flags = OP_SELECTION,
                                       .input_count = 1,
                                       .instance_size = sizeof(struct even),
                                       .on_batch = even_on_batch};

/* Every value `copies` times, one output batch per call: answers S_MORE all the time. */
struct repeat {
    uint32_t row, copy;
};
enum { COPIES = 3 };

static enum status repeat_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct repeat *s = self;
    struct batch *out = op_out(cx, 0);

    (void)input;
    assert_null(in->sel); /* this operator takes no selection */
    for (; s->row < in->count; s->row++, s->copy = 0)
        for (; s->copy < COPIES; s->copy++) {
            if (out->count == out->capacity) return S_MORE;
            VECTOR_VALUES(&out->cols[0], int64_t)[out->count++] = VECTOR_VALUES(&in->cols[0], int64_t)[s->row];
        }
    s->row = 0;
    return S_OK;
}

static const struct op_type op_repeat = {
    .name = "repeat", .input_count = 1, .instance_size = sizeof(struct repeat), .on_batch = repeat_on_batch};

/* Writes what it sees into the buffer of its config: values, W<watermark>, E; fails at value `fail_at`. */
struct record_config {
    struct buf *text;
    int64_t fail_at;
};

static enum status record_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct record_config *c = cx->config;

    (void)self;
    (void)input;
    for (uint32_t i = 0; i < in->count; i++) {
        int64_t value = VECTOR_VALUES(&in->cols[0], int64_t)[i];
        if (value == c->fail_at) return err_set(cx->err, E_USER, "value %lld is refused", (long long)value);
        buf_printf(c->text, "%lld ", (long long)value);
    }
    return S_OK;
}

static enum status record_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    const struct record_config *c = cx->config;

    (void)self;
    if (watermark == WATERMARK_MAX)
        buf_append_text(c->text, "Wmax ");
    else
        buf_printf(c->text, "W%lld ", (long long)watermark);
    return S_OK;
}

static enum status record_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    const struct record_config *c = cx->config;

    (void)self;
    (void)input;
    buf_append_text(c->text, "E");
    return S_OK;
}

static const struct op_type op_record = {.name = "record",
                                         .input_count = 1,
                                         .config_size = sizeof(struct record_config),
                                         .on_batch = record_on_batch,
                                         .on_watermark = record_on_watermark,
                                         .on_end = record_on_end};

/* Its state is on its way, twice for each batch. */
struct waits {
    uint32_t asked;
};

static enum status waits_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct waits *s = self;

    (void)input;
    if (++s->asked % 3 != 0) return S_PENDING;
    op_forward(cx, 0, in);
    return S_OK;
}

static const struct op_type op_waits = {
    .name = "waits", .input_count = 1, .instance_size = sizeof(struct waits), .on_batch = waits_on_batch};

static enum status told_on_idle(struct op_cx *cx, void *self)
{
    const struct record_config *c = cx->config;

    (void)self;
    buf_append_text(c->text, "| ");
    return S_OK;
}

/* Records that it was told to hand out what it holds, too. */
static const struct op_type op_told = {.name = "told",
                                       .input_count = 1,
                                       .config_size = sizeof(struct record_config),
                                       .on_batch = record_on_batch,
                                       .on_watermark = record_on_watermark,
                                       .on_end = record_on_end,
                                       .on_idle = told_on_idle};

/* --- fixture ------------------------------------------------------------------------------------------------------------- */
struct fixture {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct op_plan plan;
    struct buf text;
};

static void open_fixture(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->text, &f->mem);
    f->sys = sys_linux_create_quiet();
    assert_int_equal(type_parse(&f->arena, STR("ROW<v BIGINT NOT NULL>"), &f->plan.inputs[0], NULL), S_OK);
    f->plan.arena = &f->arena;
    f->plan.outputs[0] = f->plan.inputs[0];
    f->plan.input_count = f->plan.output_count = 1;
}

static void close_fixture(struct fixture *f)
{
    buf_release(&f->text);
    arena_release(&f->arena);
    sys_linux_free(f->sys);
    mem_release(&f->mem);
}

static struct node_plan node(struct fixture *f, const struct op_type *type, const void *config, uint32_t parent)
{
    return (struct node_plan){.type = type, .config = config, .plan = &f->plan, .name = type->name, .parent = parent};
}

static enum status run_to_end(struct task *t)
{
    enum status st = task_open(t);

    while (st == S_OK || st == S_IDLE) st = task_step(t);
    return st;
}

static void a_chain_keeps_order_and_loses_nothing(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    struct count_config count = {7, 4};
    struct record_config record = {&f.text, -1};
    struct node_plan nodes[] = {node(&f, &op_count, &count, 0), node(&f, &op_even, NULL, 0),
                                node(&f, &op_repeat, NULL, 1), node(&f, &op_record, &record, 2)};
    struct task_plan plan = {
        .name = "t", .parallelism = 1, .max_parallelism = 128, .batch_rows = 4, .nodes = nodes, .node_count = 4};
    struct task *t = task_create(&plan, f.sys, NULL);
    assert_int_equal(run_to_end(t), S_END);
    assert_string_equal(buf_text(&f.text), "0 0 0 2 2 2 W3 4 4 4 6 6 6 W6 Wmax E");
    assert_int_equal(task_metrics(t, 3)->rows_in.value, 12);
    task_free(t);
    close_fixture(&f);
}

static void a_tree_delivers_to_every_branch(void **state)
{
    struct fixture f;
    struct buf other;

    (void)state;
    open_fixture(&f);
    buf_init(&other, &f.mem);
    struct count_config count = {3, 2};
    struct record_config first = {&f.text, -1}, second = {&other, -1};
    struct node_plan nodes[] = {node(&f, &op_count, &count, 0), node(&f, &op_repeat, NULL, 0),
                                node(&f, &op_record, &first, 1), node(&f, &op_record, &second, 0)};
    struct task_plan plan = {
        .name = "t", .parallelism = 1, .max_parallelism = 128, .batch_rows = 2, .nodes = nodes, .node_count = 4};
    struct task *t = task_create(&plan, f.sys, NULL);
    assert_int_equal(run_to_end(t), S_END);
    assert_string_equal(buf_text(&f.text), "0 0 0 1 1 1 W1 2 2 2 W2 Wmax E");
    assert_string_equal(buf_text(&other), "0 1 W1 2 W2 Wmax E");
    task_free(t);
    buf_release(&other);
    close_fixture(&f);
}

static void a_failure_names_the_operator(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    struct count_config count = {10, 4};
    struct record_config record = {&f.text, 5};
    struct node_plan nodes[] = {node(&f, &op_count, &count, 0), node(&f, &op_record, &record, 0)};
    struct task_plan plan = {.name = "t",
                             .parallelism = 2,
                             .subtask = 1,
                             .max_parallelism = 128,
                             .batch_rows = 4,
                             .nodes = nodes,
                             .node_count = 2};
    struct task *t = task_create(&plan, f.sys, NULL);
    assert_int_equal(run_to_end(t), E_USER);
    assert_string_equal(task_err(t)->text, "operator 'record' (subtask 2/2): value 5 is refused");
    assert_int_equal(task_state(t), TASK_FAILED);
    task_free(t);
    close_fixture(&f);
}

static int64_t still_mono_ns(struct sys *sys)
{
    (void)sys;
    return 1000000000;
}

/* Two tasks over a channel of one tiny shell: the sender is out of credit most of the time. The clock stands still, so the
 * second watermark that would travel alone is held, and the last one takes its place. */
static void two_tasks_over_a_narrow_channel(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    struct sys_ops still = *f.sys->ops;
    still.mono_ns = still_mono_ns;
    f.sys->ops = &still;
    struct count_config count = {100, 64};
    struct record_config record = {&f.text, -1};
    struct channel *c = channel_create(&f.mem, f.plan.outputs[0], NULL, 3, 1);
    channel_connect(c, f.sys, NULL, NULL);
    struct node_plan source[] = {node(&f, &op_count, &count, 0), node(&f, &op_repeat, NULL, 0)},
                     sink[] = {node(&f, &op_record, &record, 0)};
    struct output_plan output = {
        .node = 1, .writer = {.partitioner = PART_FORWARD, .parallelism = 1}, .channels = &c, .channel_count = 1};
    struct gate_input input = {&c, 1, NULL};
    struct task_plan first = {.name = "a",
                              .parallelism = 1,
                              .max_parallelism = 128,
                              .batch_rows = 64,
                              .nodes = source,
                              .node_count = 2,
                              .outputs = &output,
                              .output_count = 1};
    struct task_plan second = {.name = "b",
                               .parallelism = 1,
                               .max_parallelism = 128,
                               .batch_rows = 64,
                               .nodes = sink,
                               .node_count = 1,
                               .inputs = &input,
                               .input_count = 1};
    struct task *a = task_create(&first, f.sys, NULL), *b = task_create(&second, f.sys, NULL);
    assert_int_equal(task_open(a), S_OK);
    assert_int_equal(task_open(b), S_OK);
    enum status sa = S_OK, sb = S_OK;
    while (sb != S_END) {
        if (sa != S_END) sa = task_step(a);
        assert_true(sa >= 0);
        sb = task_step(b);
        assert_true(sb >= 0);
    }
    struct buf expected;
    buf_init(&expected, &f.mem);
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < COPIES; k++) buf_printf(&expected, "%d ", i);
        if (i == 63) buf_printf(&expected, "W%d ", i);
    }
    buf_append_text(&expected, "Wmax E");
    assert_string_equal(buf_text(&f.text), buf_text(&expected));
    buf_release(&expected);
    task_close(a, false);
    task_close(b, false);
    task_free(b);
    task_free(a);
    channel_free(c);
    close_fixture(&f);
}

/* Every row waits for state, so the task is hardly ever without input; what is behind is told once per wait all the same. */
static void a_sink_is_told_that_state_is_awaited(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    struct count_config count = {3, 1};
    struct record_config record = {&f.text, -1};
    struct node_plan nodes[] = {node(&f, &op_count, &count, 0), node(&f, &op_waits, NULL, 0),
                                node(&f, &op_told, &record, 1)};
    struct task_plan plan = {
        .name = "t", .parallelism = 1, .max_parallelism = 128, .batch_rows = 4, .nodes = nodes, .node_count = 3};
    struct task *t = task_create(&plan, f.sys, NULL);
    assert_int_equal(run_to_end(t), S_END);
    assert_string_equal(buf_text(&f.text), "| 0 W0 | 1 W1 | | 2 W2 Wmax E");
    task_close(t, false);
    task_free(t);
    close_fixture(&f);
}

static void cancellation_ends_a_task(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    struct count_config count = {INT64_MAX, 4};
    struct record_config record = {&f.text, -1};
    struct node_plan nodes[] = {node(&f, &op_count, &count, 0), node(&f, &op_record, &record, 0)};
    struct task_plan plan = {
        .name = "t", .parallelism = 1, .max_parallelism = 128, .batch_rows = 4, .nodes = nodes, .node_count = 2};
    struct task *t = task_create(&plan, f.sys, NULL);
    assert_int_equal(task_open(t), S_OK);
    assert_int_equal(task_step(t), S_OK);
    task_cancel(t);
    assert_int_equal(task_step(t), E_CANCELED);
    task_close(t, true);
    assert_int_equal(task_state(t), TASK_CANCELED);
    task_free(t);
    close_fixture(&f);
}

/* --- a clock by hand ------------------------------------------------------------------------------------------------------ */
struct hand_sys {
    struct sys sys; /* first: what tasks see */
    struct sys_ops ops;
    int64_t mono_ns, wall_ms, tick_ns; /* mono_ns moves by tick_ns when asked for */
    char lines[2048];
};

static int64_t hand_mono_ns(struct sys *s)
{
    struct hand_sys *h = (struct hand_sys *)(void *)s;

    return h->mono_ns += h->tick_ns;
}

static int64_t hand_wall_ms(struct sys *s) { return ((struct hand_sys *)(void *)s)->wall_ms; }

static void hand_log(void *arg, enum log_level level, const char *line, size_t size)
{
    struct hand_sys *h = arg;

    (void)level;
    size_t used = strlen(h->lines);
    assert_true(used + size + 2 < sizeof h->lines);
    memcpy(h->lines + used, line, size);
    memcpy(h->lines + used + size, "\n", 2);
}

static void hand_sys_init(struct hand_sys *h, struct sys *linux_sys)
{
    *h = (struct hand_sys){.sys = *linux_sys, .ops = *linux_sys->ops, .mono_ns = 1, .wall_ms = 1};
    h->ops.mono_ns = hand_mono_ns;
    h->ops.wall_ms = hand_wall_ms;
    h->sys.ops = &h->ops;
}

/* Its call for value v lasts took_ms[v]; the clock moves, nobody waits. */
struct slow_config {
    struct hand_sys *hand;
    const int *took_ms;
};

static enum status slow_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct slow_config *c = cx->config;

    (void)self;
    (void)input;
    for (uint32_t i = 0; i < in->count; i++)
        c->hand->mono_ns += c->took_ms[VECTOR_VALUES(&in->cols[0], int64_t)[i]] * INT64_C(1000000);
    op_forward(cx, 0, in);
    return S_OK;
}

static const struct op_type op_slow = {
    .name = "slow", .input_count = 1, .config_size = sizeof(struct slow_config), .on_batch = slow_on_batch};

#define SLOW_LINE(subtask, ms)                                                                                         \
    "1970-01-01 00:00:00.000 INFO  task - operator 'slow' (subtask " subtask ") kept its worker for " ms               \
    " ms; other tasks wait meanwhile. A function that may block is marked TW_BLOCKING\n"

/* Values 0..count-1, one per poll; a step ends with the poll that says idle, which is every third. */
static void run_slow(struct fixture *f, const int *took_ms, int64_t count, bool is_blocking, const char *lines)
{
    struct hand_sys hand;
    struct log log = {.level = LOG_INFO, .write = hand_log, .arg = &hand};

    hand_sys_init(&hand, f->sys);
    struct count_config config = {count, 1};
    struct slow_config slow = {&hand, took_ms};
    struct record_config record = {&f->text, -1};
    struct node_plan nodes[] = {node(f, &op_count, &config, 0), node(f, &op_slow, &slow, 0),
                                node(f, &op_record, &record, 1)};
    struct task_plan plan = {.name = "t",
                             .parallelism = 2,
                             .subtask = 1,
                             .max_parallelism = 128,
                             .batch_rows = 4,
                             .blocking = is_blocking,
                             .nodes = nodes,
                             .node_count = 3};
    struct task *t = task_create(&plan, &hand.sys, &log);
    assert_int_equal(run_to_end(t), S_END);
    assert_string_equal(hand.lines, lines);
    task_free(t);
}

/* Two rows per step: 0 1 | 2 3 | 4 5 | ... The first long step only starts the timing of calls. */
static void a_long_step_is_reported_once_a_minute_with_the_operators_name(void **state)
{
    static const int once[8] = {0, 50, 0, 0, 0, 0, 0, 0}, again[8] = {0, 50, 0, 70, 0, 80, 0, 0},
                     later[8] = {0, 50, 70, 0, 0, 80, 60001, 0}, short_ones[8] = {9, 0, 9, 0, 9, 0, 10, 0};
    struct fixture f;

    (void)state;
    open_fixture(&f);
    run_slow(&f, short_ones, 8, false, "");
    run_slow(&f, once, 8, false, "");
    run_slow(&f, again, 8, false, SLOW_LINE("2/2", "70"));
    run_slow(&f, later, 8, false, SLOW_LINE("2/2", "70") SLOW_LINE("2/2", "60001"));
    run_slow(&f, again, 8, true, ""); /* has a thread of its own */
    close_fixture(&f);
}

/* Puts out value 7 when processing time reaches 5. */
static enum status alarm_open(struct op_cx *cx, void *self)
{
    (void)self;
    op_wake_at(cx, 5);
    return S_OK;
}

static enum status alarm_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    (void)self;
    (void)input;
    op_forward(cx, 0, in);
    return S_OK;
}

static enum status alarm_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct batch *out = op_out(cx, 0);

    (void)self;
    (void)now_ms;
    VECTOR_VALUES(&out->cols[0], int64_t)[out->count++] = 7;
    return S_OK;
}

static const struct op_type op_alarm = {
    .name = "alarm", .input_count = 1, .open = alarm_open, .on_batch = alarm_on_batch, .on_time = alarm_on_time};

/* The clock for flushing stands still, so that only idleness sends a builder off. */
static void what_a_timer_puts_out_while_idle_leaves_at_once(void **state)
{
    struct fixture f;
    struct hand_sys hand;
    struct gate_event event;

    (void)state;
    open_fixture(&f);
    hand_sys_init(&hand, f.sys);
    struct channel *in = channel_create(&f.mem, f.plan.outputs[0], NULL, 64, 2),
                   *out = channel_create(&f.mem, f.plan.outputs[0], NULL, 64, 2);
    channel_connect(in, &hand.sys, NULL, NULL);
    channel_connect(out, &hand.sys, NULL, NULL);
    struct node_plan nodes[] = {node(&f, &op_alarm, NULL, 0)};
    struct output_plan output = {.writer = {.partitioner = PART_FORWARD, .parallelism = 1}, .channels = &out, .channel_count = 1};
    struct gate_input input = {&in, 1, NULL}, behind = {&out, 1, NULL};
    struct task_plan plan = {.name = "t",
                             .parallelism = 1,
                             .max_parallelism = 128,
                             .batch_rows = 64,
                             .nodes = nodes,
                             .node_count = 1,
                             .inputs = &input,
                             .input_count = 1,
                             .outputs = &output,
                             .output_count = 1};
    struct task *t = task_create(&plan, &hand.sys, NULL);
    struct gate *gate = gate_create(&behind, 1, &f.mem, 0);
    assert_int_equal(task_open(t), S_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(task_step(t), S_IDLE);
    assert_int_equal(gate_next(gate, &event), S_IDLE);
    assert_int_equal(task_deadline_ms(t), 5);
    hand.wall_ms = 5;
    assert_int_equal(task_step(t), S_IDLE);
    assert_int_equal(gate_next(gate, &event), S_OK);
    assert_int_equal(event.kind, GATE_BATCH);
    assert_int_equal(event.batch->count, 1);
    assert_int_equal(VECTOR_VALUES(&event.batch->cols[0], int64_t)[0], 7);
    assert_int_equal(gate_next(gate, &event), S_IDLE);
    gate_free(gate);
    task_free(t);
    channel_free(in);
    channel_free(out);
    close_fixture(&f);
}

/* Endless watermarks and no row; with the last poll of the step's budget the clock begins to move. */
enum { POLLS_PER_STEP = 1024 }; /* 32,768 rows at 32 a call */
struct rising_config {
    struct hand_sys *hand;
};

static enum status rising_poll(struct op_cx *cx, void *self)
{
    const struct rising_config *c = cx->config;
    int64_t *polls = self;

    op_emit_watermark(cx, 10 + ++*polls);
    if (*polls == POLLS_PER_STEP) c->hand->tick_ns = 60000;
    return S_OK;
}

static const struct op_type op_rising = {.name = "rising",
                                         .flags = OP_SOURCE,
                                         .config_size = sizeof(struct rising_config),
                                         .instance_size = sizeof(int64_t),
                                         .poll = rising_poll,
                                         .makes_watermarks = true};

/* The channel has no room for control, and the watermarks wait for their millisecond, so flushing fails at the end of the
 * step: the task has moved all the same, and goes on. */
static void a_flush_without_room_does_not_replace_the_steps_answer(void **state)
{
    struct fixture f;
    struct hand_sys hand;

    (void)state;
    open_fixture(&f);
    hand_sys_init(&hand, f.sys);
    struct rising_config rising = {&hand};
    struct channel *out = channel_create(&f.mem, f.plan.outputs[0], NULL, 64, 2);
    channel_connect(out, &hand.sys, NULL, NULL);
    struct node_plan nodes[] = {node(&f, &op_rising, &rising, 0)};
    struct writer_plan forward = {.partitioner = PART_FORWARD, .parallelism = 1};
    struct output_plan output = {.writer = forward, .channels = &out, .channel_count = 1};
    struct task_plan plan = {.name = "t",
                             .parallelism = 1,
                             .max_parallelism = 128,
                             .batch_rows = 64,
                             .nodes = nodes,
                             .node_count = 1,
                             .outputs = &output,
                             .output_count = 1};
    struct writer *filler = writer_create(&forward, &out, 1, &f.mem);
    assert_int_equal(writer_control(filler, ELEMENT_WATERMARK, 1), S_OK);
    while (writer_control(filler, ELEMENT_STATUS, 0) == S_OK) continue;
    struct task *t = task_create(&plan, &hand.sys, NULL);
    assert_int_equal(task_open(t), S_OK);
    assert_int_equal(task_step(t), S_OK);
    assert_int_equal(task_watermark(t), 10 + POLLS_PER_STEP);
    assert_int_equal(hand.tick_ns, 60000);
    task_free(t);
    writer_free(filler);
    channel_free(out);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_keeps_order_and_loses_nothing),
        cmocka_unit_test(a_tree_delivers_to_every_branch),
        cmocka_unit_test(a_failure_names_the_operator),
        cmocka_unit_test(two_tasks_over_a_narrow_channel),
        cmocka_unit_test(a_sink_is_told_that_state_is_awaited),
        cmocka_unit_test(cancellation_ends_a_task),
        cmocka_unit_test(what_a_timer_puts_out_while_idle_leaves_at_once),
        cmocka_unit_test(a_flush_without_room_does_not_replace_the_steps_answer),
        cmocka_unit_test(a_long_step_is_reported_once_a_minute_with_the_operators_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
