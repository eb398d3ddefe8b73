/* test_barrier.c - a checkpoint through two tasks: what is before the barrier and what is behind it, who takes it by itself, what is
 * told when it is complete, how a task that commits ends, and how restored tasks begin. Operators and port are the test's. */
#include "flow/operator/kept_words.h"
#include "flow/task/task.h"

#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* --- operators ---------------------------------------------------------------------------------------------------------- */
/* Source: 0, 1, 2, ... one row per poll; each is its watermark, too. It waits at `limit`, or ends there. */
struct limit {
    int64_t limit;
    bool ends, commits; /* commits: the operator behind it does */
};
struct count {
    int64_t next;
};

static enum status count_poll(struct op_cx *cx, void *self)
{
    struct count *s = self;
    const struct limit *l = *(const struct limit *const *)cx->config;

    if (s->next == l->limit) return l->ends ? S_END : S_IDLE;
    struct batch *out = op_out(cx, 0);
    VECTOR_VALUES(&out->cols[0], int64_t)[out->count++] = s->next++;
    op_emit_watermark(cx, s->next - 1);
    return S_OK;
}
static const struct op_type op_count = {.name = "count",
                                        .flags = OP_SOURCE,
                                        .config_size = sizeof(struct limit *),
                                        .instance_size = sizeof(struct count),
                                        .poll = count_poll,
                                        .makes_watermarks = true};

/* Holds rows back until a barrier comes, one per call then. */
struct holds {
    int64_t first, end;
};

static enum status holds_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct holds *s = self;

    (void)cx, (void)input;
    s->end = VECTOR_VALUES(&in->cols[0], int64_t)[in->count - 1] + 1;
    return S_OK;
}

static enum status holds_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct holds *s = self;

    (void)checkpoint;
    if (s->first == s->end) return S_OK;
    struct batch *out = op_out(cx, 0);
    VECTOR_VALUES(&out->cols[0], int64_t)[out->count++] = s->first++;
    return s->first == s->end ? S_OK : S_MORE;
}
static const struct op_type op_holds = {.name = "holds",
                                        .input_count = 1,
                                        .instance_size = sizeof(struct holds),
                                        .on_batch = holds_on_batch,
                                        .on_barrier = holds_on_barrier};

/* Writes what happens to it into the buffer of its config; commits. */
static struct buf *log_of(struct op_cx *cx) { return *(struct buf *const *)cx->config; }

static enum status sink_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    (void)self, (void)input;
    for (uint32_t i = 0; i < in->count; i++)
        buf_printf(log_of(cx), "%lld ", (long long)VECTOR_VALUES(&in->cols[0], int64_t)[i]);
    return S_OK;
}
static enum status sink_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    (void)self;
    buf_printf(log_of(cx), "W%lld ", (long long)watermark);
    return S_OK;
}
static enum status sink_open(struct op_cx *cx, void *self)
{
    int64_t none = 0;
    bool is_own;

    return kept_words_open(self, cx, "checkpoint", &none, 1, &is_own);
}
static void sink_close(struct op_cx *cx, void *self, bool failed)
{
    (void)cx, (void)failed;
    kept_words_close(self);
}
static enum status sink_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    buf_printf(log_of(cx), "#%lld ", (long long)checkpoint);
    return kept_words_save(self, &checkpoint);
}
static enum status sink_prepare(struct op_cx *cx, void *self, int64_t checkpoint, struct buf *committables)
{
    (void)self;
    if (checkpoint == 13) return err_set(cx->err, E_IO, "the disk is full");
    buf_printf(committables, "c%lld", (long long)checkpoint);
    return S_OK;
}
static enum status sink_on_complete(struct op_cx *cx, void *self, int64_t checkpoint)
{
    (void)self;
    buf_printf(log_of(cx), "!%lld ", (long long)checkpoint);
    return S_OK;
}
static enum status sink_recover(struct op_cx *cx, void *self, struct str committables)
{
    (void)self;
    buf_printf(log_of(cx), "recover %.*s ", (int)committables.size, committables.data);
    return S_OK;
}
static bool sink_commits(const void *config) { return config != NULL; }
static enum status sink_commit(struct op_cx *cx, void *self)
{
    (void)cx, (void)self;
    fail(); /* with checkpoints they say what is to be committed */
    return S_OK;
}
static const struct op_type op_commits = {.name = "commits",
                                          .flags = OP_STATE,
                                          .instance_size = sizeof(struct kept_words),
                                          .open = sink_open,
                                          .close = sink_close,
                                          .input_count = 1,
                                          .config_size = sizeof(struct buf *),
                                          .on_batch = sink_on_batch,
                                          .on_watermark = sink_on_watermark,
                                          .on_barrier = sink_on_barrier,
                                          .prepare = sink_prepare,
                                          .on_complete = sink_on_complete,
                                          .recover = sink_recover,
                                          .commits = sink_commits,
                                          .commit = sink_commit};

/* Never the same millisecond twice: no watermark is held back. */
static int64_t clock_ns;
static int64_t next_mono_ns(struct sys *sys)
{
    (void)sys;
    return clock_ns += 2000000;
}

/* --- two tasks ------------------------------------------------------------------------------------------------------------ */
struct fixture {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct sys_ops ops;
    struct op_plan plan;
    struct buf text, port_text;
    struct buf *sink_config;
    struct limit limit, *source_config;
    struct channel *channel;
    struct snapshot_port port;
    struct output_plan output;
    struct gate_input input;
    struct node_plan first_nodes[2], second_nodes[1];
    struct task_plan first, second;
    struct task *a, *b;
    int64_t part, first_part; /* of the last chunk; of the last node that was acknowledged */
};

static enum status port_chunk(void *arg, const struct snapshot_place *where, struct buf *bytes,
                              struct sys_parker *waiting)
{
    ((struct fixture *)arg)->part = where->part;
    (void)waiting;
    assert_string_equal(where->uid, "commits"); /* no other operator here has state */
    if (where->checkpoint == 14) return E_IO;
    buf_clear(bytes);
    return S_OK;
}
static void port_acknowledge(void *arg, const struct snapshot_ack *ack)
{
    struct fixture *f = arg;

    buf_printf(&f->port_text, "ack %lld of %u:", (long long)ack->checkpoint, ack->vertex);
    for (uint32_t i = 0; i < ack->node_count; i++) {
        const struct node_snapshot *n = &ack->nodes[i];
        f->first_part = n->first_part;
        buf_printf(&f->port_text, " %s %lld/%lld%s%s%.*s", n->uid, (long long)n->watermark,
                   (long long)n->sent_watermark, n->is_idle ? " idle" : "", n->committables.size > 0 ? " " : "",
                   (int)n->committables.size, n->committables.data);
    }
    buf_append_text(&f->port_text, "\n");
}
static void port_decline(void *arg, int64_t checkpoint, uint32_t vertex, uint32_t subtask, const struct err *why)
{
    struct fixture *f = arg;

    buf_printf(&f->port_text, "decline %lld of %u.%u: %s\n", (long long)checkpoint, vertex, subtask, why->text);
}
static void port_wants(void *arg, uint32_t vertex, uint32_t subtask)
{
    struct fixture *f = arg;

    buf_printf(&f->port_text, "wanted by %u.%u\n", vertex, subtask);
}

static void port_committed(void *arg, int64_t checkpoint, uint32_t vertex, uint32_t subtask)
{
    struct fixture *f = arg;

    buf_printf(&f->port_text, "committed %lld by %u.%u\n", (long long)checkpoint, vertex, subtask);
}

static struct node_plan node(struct fixture *f, const struct op_type *type, const void *config)
{
    return (struct node_plan){.type = type, .config = config, .plan = &f->plan, .name = type->name, .uid = type->name};
}

static void open_fixture(struct fixture *f, struct limit limit, const struct task_restore *first,
                         const struct task_restore *second)
{
    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->text, &f->mem);
    buf_init(&f->port_text, &f->mem);
    f->sys = sys_linux_create_quiet();
    f->ops = *f->sys->ops;
    f->ops.mono_ns = next_mono_ns;
    f->sys->ops = &f->ops;
    assert_int_equal(type_parse(&f->arena, STR("ROW<v BIGINT NOT NULL>"), &f->plan.inputs[0], NULL), S_OK);
    f->plan.arena = &f->arena;
    f->plan.outputs[0] = f->plan.inputs[0];
    f->plan.input_count = f->plan.output_count = 1;
    f->limit = limit;
    f->source_config = &f->limit;
    f->sink_config = &f->text;
    f->port = (struct snapshot_port){
        .chunk = port_chunk, .acknowledge = port_acknowledge, .decline = port_decline, .wants = port_wants, .arg = f};
    f->channel = channel_create(&f->mem, f->plan.outputs[0], NULL, 4, 2);
    channel_connect(f->channel, f->sys, NULL, NULL);
    f->first_nodes[0] = node(f, &op_count, &f->source_config);
    f->first_nodes[1] = limit.commits ? node(f, &op_commits, &f->sink_config) : node(f, &op_holds, NULL);
    f->second_nodes[0] = node(f, &op_commits, &f->sink_config);
    f->output = (struct output_plan){.node = 1,
                                     .writer = {.partitioner = PART_FORWARD, .parallelism = 1},
                                     .channels = &f->channel,
                                     .channel_count = 1};
    f->input = (struct gate_input){&f->channel, 1, NULL};
    f->first = (struct task_plan){.name = "a",
                                  .vertex = 0,
                                  .parallelism = 1,
                                  .max_parallelism = 128,
                                  .batch_rows = 4,
                                  .nodes = f->first_nodes,
                                  .node_count = 2,
                                  .outputs = &f->output,
                                  .output_count = 1,
                                  .snapshots = &f->port,
                                  .restore = first};
    f->second = (struct task_plan){.name = "b",
                                   .vertex = 1,
                                   .parallelism = 1,
                                   .max_parallelism = 128,
                                   .batch_rows = 4,
                                   .nodes = f->second_nodes,
                                   .node_count = 1,
                                   .inputs = &f->input,
                                   .input_count = 1,
                                   .snapshots = &f->port,
                                   .restore = second};
    f->a = task_create(&f->first, f->sys, NULL);
    f->b = task_create(&f->second, f->sys, NULL);
    assert_int_equal(task_open(f->a), S_OK);
    assert_int_equal(task_open(f->b), S_OK);
}

static void close_fixture(struct fixture *f)
{
    task_close(f->a, true);
    task_close(f->b, true);
    task_free(f->b);
    task_free(f->a);
    channel_free(f->channel);
    buf_release(&f->text);
    buf_release(&f->port_text);
    arena_release(&f->arena);
    sys_linux_free(f->sys);
    mem_release(&f->mem);
}

/* Until neither has anything to do; answers how the second stands. */
static enum status run(struct fixture *f)
{
    enum status a = task_state(f->a) == TASK_RUNNING ? S_OK : S_END, b = S_OK;

    for (int quiet = 0; quiet < 3 && b != S_END;) {
        if (a != S_END) a = task_step(f->a);
        if (a == S_END) task_close(f->a, false);
        b = task_step(f->b);
        assert_true(a >= 0 && b >= 0);
        quiet = a != S_OK && b != S_OK ? quiet + 1 : 0;
    }
    return b;
}

static void expect(struct buf *text, const char *expected)
{
    assert_string_equal(buf_text(text), expected);
    buf_clear(text);
}

/* What was held back is in front of the barrier; the commits of the end wait for a checkpoint behind it. */
static void a_job_ends_with_a_checkpoint(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){3, true, false}, NULL, NULL);
    task_trigger(f.a, 5); /* before its first row */
    task_trigger(f.b, 5); /* takes it from the barrier all the same */
    assert_int_equal(run(&f), S_IDLE);
    expect(
        &f.port_text,
        "ack 5 of 0: count -9223372036854775808/-9223372036854775808 holds -9223372036854775808/-9223372036854775808\n"
        "ack 5 of 1: commits -9223372036854775808/-9223372036854775808 c5\n"
        "wanted by 1.0\n");
    expect(&f.text, "#5 W0 W1 W2 ");
    task_complete(f.b, 5);
    assert_int_equal(run(&f), S_IDLE);
    task_trigger(f.b, 6);
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.port_text, "ack 6 of 1: commits 2/2 c6\n");
    task_complete(f.b, 6);
    assert_int_equal(run(&f), S_END);
    expect(&f.text, "!5 #6 !6 ");
    close_fixture(&f);
}

static void held_rows_go_in_front_of_the_barrier(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){2, false, false}, NULL, NULL);
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.text, "W0 W1 ");
    task_trigger(f.a, 1);
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.text, "0 1 #1 ");
    expect(&f.port_text, "ack 1 of 0: count -9223372036854775808/1 holds 1/1\nack 1 of 1: commits 1/1 c1\n");
    f.limit.limit = 3;
    task_trigger(f.a, 2);
    task_trigger(f.a, 3); /* of two that were ordered the later one is taken */
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.text, "#3 W2 "); /* a barrier goes before what is polled next */
    task_complete(f.b, 3);
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.text, "!3 ");
    close_fixture(&f);
}

static void a_task_that_cannot_save_goes_on(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){1, false, false}, NULL, NULL);
    task_trigger(f.a, 14);
    assert_int_equal(run(&f), S_IDLE);
    task_trigger(f.a, 15);
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.text, "#14 W0 0 #15 ");
    assert_non_null(strstr(buf_text(&f.port_text), "decline 14 of 1.0: operator 'commits' (subtask 1/1): "));
    assert_non_null(strstr(buf_text(&f.port_text), "ack 15 of 1: commits 0/0 c15\n"));
    close_fixture(&f);
}

/* Rows that it had taken may be gone: only the checkpoint before has them. */
static void a_task_that_cannot_prepare_fails(void **state)
{
    enum status st = S_OK;
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){1, false, false}, NULL, NULL);
    assert_int_equal(run(&f), S_IDLE);
    task_trigger(f.a, 13);
    for (int i = 0; i < 10 && st >= 0; i++) {
        assert_true(task_step(f.a) >= 0);
        st = task_step(f.b);
    }
    assert_int_equal(st, E_IO);
    assert_non_null(strstr(task_err(f.b)->text, "the disk is full"));
    assert_non_null(strstr(task_err(f.b)->text, "operator 'commits'"));
    assert_null(strstr(buf_text(&f.port_text), " 13 of 1"));
    close_fixture(&f);
}

/* What was prepared is committed first; then those behind a task hear what they had heard, and nothing below it is news. */
static void restored_tasks_begin_where_they_stood(void **state)
{
    const struct str committables[] = {STR("x"), STR("y")};
    const struct node_restore
        first_nodes[] = {{.watermark = TIME_MIN, .sent_watermark = 1}, {.watermark = 1, .sent_watermark = 1}},
        second_nodes[] = {{.watermark = 1, .sent_watermark = 1, .committables = committables, .committable_count = 2}};
    const struct task_restore first = {.nodes = first_nodes}, second = {.nodes = second_nodes};
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){4, false, false}, &first, &second);
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.text, "recover x recover y W2 W3 ");
    task_trigger(f.a, 9);
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.text, "0 1 2 3 #9 ");
    close_fixture(&f);
}

/* A task that had ended says so again, and nothing else of it runs. */
/* With the watermark of its end, since those behind it may be restored from a time before. */
static void a_task_that_had_ended_ends_again(void **state)
{
    const struct node_restore second_nodes[] = {{.watermark = 7, .sent_watermark = 7}};
    const struct task_restore first = {.is_finished = true}, second = {.nodes = second_nodes};
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){4, true, false}, &first, &second);
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.port_text, "wanted by 1.0\n");
    task_trigger(f.b, 2);
    assert_int_equal(run(&f), S_IDLE);
    task_complete(f.b, 2);
    assert_int_equal(run(&f), S_END);
    expect(&f.text, "W9223372036854775807 #2 !2 ");
    close_fixture(&f);
}

/* Nobody reads what it would send behind its end, so it sends nothing. */
static void a_task_at_its_end_takes_any_number_of_checkpoints(void **state)
{
    char last[64];
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){.limit = 1, .ends = true, .commits = true}, NULL, NULL);
    assert_int_equal(run(&f), S_IDLE);
    for (int64_t id = 21; id < 60; id++) {
        task_trigger(f.a, id);
        assert_int_equal(run(&f), S_IDLE);
        snprintf(last, sizeof last, "ack %lld of 0:", (long long)id);
        assert_non_null(strstr(buf_text(&f.port_text), last));
    }
    close_fixture(&f);
}

static void stop(struct fixture *f, int64_t checkpoint, bool drains)
{
    f->port.committed = port_committed;
    assert_int_equal(run(f), S_IDLE);
    buf_clear(&f->text);
    task_stop(f->a, checkpoint, drains);
    task_stop(f->b, checkpoint, drains);
    task_trigger(f->a, checkpoint);
    task_trigger(f->b, checkpoint);
    assert_int_equal(run(f), S_IDLE);
}

/* Behind the barrier nothing is read, though there would be more; a checkpoint of before does not end it. */
static void a_job_stops_with_its_barrier(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){2, false, false}, NULL, NULL);
    stop(&f, 4, false);
    expect(&f.text, "0 1 #4 ");
    expect(&f.port_text, "ack 4 of 0: count -9223372036854775808/1 holds 1/1\nack 4 of 1: commits 1/1 c4\n");
    f.limit.limit = 10;
    task_complete(f.a, 3);
    task_complete(f.b, 3);
    assert_int_equal(run(&f), S_IDLE);
    expect(&f.text, "!3 ");
    task_complete(f.a, 4);
    task_complete(f.b, 4);
    assert_int_equal(run(&f), S_END);
    expect(&f.text, "!4 ");
    assert_int_equal(task_state(f.a), TASK_FINISHED);
    expect(&f.port_text, "committed 3 by 0.0\ncommitted 3 by 1.0\ncommitted 4 by 0.0\ncommitted 4 by 1.0\n");
    close_fixture(&f);
}

/* The end of time passes, and the savepoint is taken behind it; whoever goes on from there begins a time of his own. */
static void a_job_that_drains_ends_first(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){2, false, false}, NULL, NULL);
    stop(&f, 4, true);
    expect(&f.text, "W9223372036854775807 #4 ");
    expect(&f.port_text,
           "ack 4 of 0: count -9223372036854775808/-9223372036854775808 holds -9223372036854775808/-9223372036854775808\n"
           "ack 4 of 1: commits -9223372036854775808/-9223372036854775808 c4\n");
    task_complete(f.a, 4);
    task_complete(f.b, 4);
    assert_int_equal(run(&f), S_END);
    expect(&f.text, "!4 ");
    close_fixture(&f);
}

/* Which parts a checkpoint is made of. */
static void takes_parts(struct fixture *f, int64_t checkpoint, int64_t part, int64_t first_part)
{
    task_trigger(f->a, checkpoint);
    assert_int_equal(run(f), S_IDLE);
    assert_int_equal(f->part, part);
    assert_int_equal(f->first_part, first_part);
    buf_clear(&f->port_text);
}

static void a_part_builds_on_one_that_is_complete(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, (struct limit){2, false, false}, NULL, NULL);
    f.port.parts_from = 1;
    assert_int_equal(run(&f), S_IDLE);
    takes_parts(&f, 1, 1, 1);
    task_complete(f.b, 1);
    takes_parts(&f, 2, 2, 1);
    takes_parts(&f, 3, 3, 3); /* nobody said that 2 is there */
    task_complete(f.b, 3);
    takes_parts(&f, 4 | SNAPSHOT_WHOLE, 0, 0); /* a savepoint */
    task_complete(f.b, 4);
    takes_parts(&f, 5, 5, 3);
    task_complete(f.b, 5);
    f.port.parts_from = UINT64_MAX; /* little state */
    takes_parts(&f, 6, 0, 0);
    task_complete(f.b, 6);
    f.port.parts_from = 1;
    takes_parts(&f, 7, 7, 7);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_ends_with_a_checkpoint),
        cmocka_unit_test(held_rows_go_in_front_of_the_barrier),
        cmocka_unit_test(a_task_that_cannot_save_goes_on),
        cmocka_unit_test(restored_tasks_begin_where_they_stood),
        cmocka_unit_test(a_task_that_had_ended_ends_again),
        cmocka_unit_test(a_task_that_cannot_prepare_fails),
        cmocka_unit_test(a_task_at_its_end_takes_any_number_of_checkpoints),
        cmocka_unit_test(a_job_stops_with_its_barrier),
        cmocka_unit_test(a_job_that_drains_ends_first),
        cmocka_unit_test(a_part_builds_on_one_that_is_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
