/* op_driver.c - a chain of the operator under test and one recorder per output port. */
#include "support/op_driver.h"

#include "flow/state/snapshot.h"
#include "flow/task/chain.h"
#include "ground/base/str.h"
#include "support/kv_world.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { PENDING_MAX = 1000000, CALLS_MAX = 10000000, CHUNKS_MAX = 64, CHUNK_BYTES = 4096, BEFORE_MAX = 8 };

struct recorder {
    struct op_driver *driver;
    const char *name; /* NULL: the main output */
};

struct op_driver {
    struct mem own, mem;
    struct arena arena;
    struct sys *sys, clock;
    int64_t now_ms;
    struct err err, error;
    struct op_setup setup;
    struct op_plan plan, record_plans[OP_PORTS_MAX];
    struct recorder recorders[OP_PORTS_MAX];
    struct node_plan nodes[1 + OP_PORTS_MAX];
    struct task_plan task;
    struct chain chain;
    struct state_host host;
    bool has_chain, has_host;
    /* of the instance before */
    struct buf chunks[CHUNKS_MAX], committables;
    struct state_part parts[CHUNKS_MAX];
    struct state_image image, images[BEFORE_MAX];
    struct state_restore restore;
    int64_t watermark, sent_watermark;
    bool is_idle, is_restored;
    enum status status;
    uint32_t pending;
    struct sys_parker *parker; /* with a real clock */
    struct buf text, given, error_text;
    const struct type *types[OP_INPUTS_MAX];
    uint32_t keys[OP_INPUTS_MAX][OP_KEYS_MAX];
};

/* --- recorders -------------------------------------------------------------------------------------------------------- */
static enum status record_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct recorder *r = cx->config;
    struct buf *text = &r->driver->text;

    (void)self;
    (void)input;
    BATCH_EACH(in, i, row)
    {
        if (r->name) buf_printf(text, "%s: ", r->name);
        batch_print_row(in, row, text);
        if (batch_time(in, row) != TIME_MIN) buf_printf(text, "@%lld", (long long)batch_time(in, row));
        buf_append_byte(text, '\n');
    }
    return S_OK;
}

static enum status record_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    const struct recorder *r = cx->config;

    (void)self;
    if (!r->driver->setup.watermarks || r->name) return S_OK;
    if (watermark == WATERMARK_MAX)
        buf_append_text(&r->driver->text, "W@max\n");
    else
        buf_printf(&r->driver->text, "W@%lld\n", (long long)watermark);
    return S_OK;
}

static const struct op_type recorder_type = {.name = "recorder",
                                             .flags = OP_SELECTION | OP_FORMS,
                                             .input_count = 1,
                                             .config_size = sizeof(struct recorder),
                                             .on_batch = record_on_batch,
                                             .on_watermark = record_on_watermark};

/* --- a clock set by hand ------------------------------------------------------------------------------------------------ */
static struct op_driver *driver_of(struct sys *s)
{
    return (struct op_driver *)(void *)((char *)s - offsetof(struct op_driver, clock));
}
static int64_t clock_wall_ms(struct sys *s) { return driver_of(s)->now_ms; }
static int64_t clock_mono_ns(struct sys *s) { return driver_of(s)->now_ms * 1000000; }
static uint64_t clock_random(struct sys *s)
{
    (void)s;
    return 4; /* chosen by fair dice roll */
}
static const struct sys_ops clock_ops = {
    .name = "sim", .wall_ms = clock_wall_ms, .mono_ns = clock_mono_ns, .random = clock_random};

static int64_t host_now_ms(void *arg) { return sys_wall_ms(((struct op_driver *)arg)->sys); }

/* --- making ---------------------------------------------------------------------------------------------------------------- */
static void keys_find(struct op_driver *d, uint32_t input, const char *names)
{
    struct str rest = str_of(names), name;

    if (names == NULL) return;
    d->plan.keys[input] = d->keys[input];
    while (str_cut(&rest, ' ', &name)) {
        int col = type_field(d->types[input], name);
        assert_true(col >= 0);
        d->keys[input][d->plan.key_count[input]++] = (uint32_t)col;
    }
}

static void failed(struct op_driver *d, enum status st)
{
    if (d->status < 0 || st >= 0) return;
    d->status = st;
    d->error = d->err;
    buf_append_text(&d->error_text, d->err.text[0] ? d->err.text : status_text(st));
    if (d->err.hint[0]) buf_printf(&d->error_text, " (%s)", d->err.hint);
}

static void plan_make(struct op_driver *d)
{
    const struct op_setup *s = &d->setup;
    const char *texts[OP_INPUTS_MAX] = {s->in, s->in2, s->in3};

    d->plan.arena = &d->arena;
    d->plan.users = s->users;
    for (uint32_t i = 0; i < OP_INPUTS_MAX && texts[i]; i++) {
        d->types[i] = d->plan.inputs[i] = rows_type(&d->arena, texts[i]);
        d->plan.input_count++;
    }
    keys_find(d, 0, s->keys);
    keys_find(d, 1, s->keys2);
    keys_find(d, 2, s->keys3);
    failed(d, s->type->derive ? s->type->derive(&d->plan, s->config, &d->err) : S_OK);
}

static void chain_make(struct op_driver *d)
{
    const struct op_setup *s = &d->setup;
    uint32_t count = 1;

    d->nodes[0] = (struct node_plan){
        .type = s->type, .config = s->config, .plan = &d->plan, .name = s->type->name, .uid = "test"};
    for (uint32_t p = 0; p < d->plan.output_count; p++) {
        struct op_plan *plan = &d->record_plans[p];
        d->recorders[p] = (struct recorder){d, d->plan.port_names[p]};
        if (s->unused_port && strcmp(s->unused_port, p ? d->plan.port_names[p] : "") == 0) continue;
        *plan = (struct op_plan){.arena = &d->arena, .inputs = {d->plan.outputs[p]}, .input_count = 1};
        d->nodes[count++] = (struct node_plan){
            .type = &recorder_type, .config = &d->recorders[p], .plan = plan, .name = "recorder", .parent_port = p};
    }
    d->task = (struct task_plan){.name = "test",
                                 .job = s->job,
                                 .subtask = s->subtask,
                                 .parallelism = MAX(1, s->parallelism),
                                 .max_parallelism = 128,
                                 .batch_rows = s->batch_rows ? s->batch_rows : BATCH_ROWS,
                                 .nodes = d->nodes,
                                 .node_count = count};
    chain_init(&d->chain, &d->task, &d->mem, d->sys, NULL, &d->err);
    d->has_chain = true;
}

static void host_make(struct op_driver *d)
{
    const char *backend = d->setup.backend ? d->setup.backend : "hashmap";

    d->host = (struct state_host){.backend = sb_find(backend),
                                  .bytes_max = d->setup.state_bytes_max,
                                  .mem = &d->mem,
                                  .group_count = 128,
                                  .max_parallelism = 128,
                                  .subtask = d->setup.subtask,
                                  .parallelism = d->setup.parallelism,
                                  .now_ms = host_now_ms,
                                  .now_arg = d,
                                  .sys = &kv_world,
                                  .behind = &kv_world_settings,
                                  .err = &d->err};
    assert_non_null(d->host.backend);
    state_host_init(&d->host);
    d->has_host = true;
    d->chain.nodes[0].cx.state = &d->host;
}

/* The chain, the host and an instance in them. */
static void instance_open(struct op_driver *d)
{
    const struct op_setup *s = &d->setup;
    bool is_keeper = s->checkpoints && (s->type->flags & OP_KEEPS) != 0;

    chain_make(d);
    if (d->plan.key_count[0] > 0 || (s->type->flags & OP_STATE) != 0 || is_keeper) host_make(d);
    struct node *n = &d->chain.nodes[0];
    n->cx.parker = d->parker;
    n->cx.is_checkpointed = s->checkpoints;
    n->opened = true;
    if (d->has_host && d->is_restored) d->host.restore = &d->restore;
    if (d->is_restored) {
        n->cx.watermark = d->watermark;
        n->sent_watermark = d->sent_watermark;
        n->is_idle = d->is_idle;
        if (s->type->on_time) n->cx.wake_ms = TIME_MIN;
    }
    failed(d, s->type->open ? s->type->open(&n->cx, n->self) : S_OK);
    enum status st = S_MORE;
    while (d->status >= 0 && st == S_MORE && d->is_restored && d->committables.size > 0 && s->type->recover)
        failed(d, st = s->type->recover(&n->cx, n->self, (struct str){d->committables.data, d->committables.size}));
    d->host.restore = NULL;
}

static void instance_close(struct op_driver *d, bool has_failed)
{
    struct node *n = &d->chain.nodes[0];

    if (!d->has_chain) return;
    if (d->setup.type->close) d->setup.type->close(&n->cx, n->self, has_failed);
    if (d->has_host) state_host_release(&d->host);
    chain_release(&d->chain, &d->mem);
    d->has_chain = d->has_host = false;
    if (!d->setup.leaves_memory) return;
    mem_release(&d->mem);
    mem_init(&d->mem, "operator", 0);
}

static void before_take(struct op_driver *d)
{
    const struct op_setup *s = &d->setup;

    assert_true(s->before_count <= BEFORE_MAX);
    for (uint32_t i = 0; i < s->before_count; i++) d->images[i] = s->before[i]->image;
    d->restore = (struct state_restore){.subtasks = d->images, .count = s->before_count, .max_parallelism = 128};
    d->is_restored = s->before_count > 0;
    d->watermark = d->sent_watermark = TIME_MIN;
}

struct op_driver *op_driver_create(const struct op_setup *setup)
{
    struct mem own;
    struct op_driver *d;

    mem_init(&own, "driver", 0);
    d = mem_zalloc(&own, sizeof *d);
    mem_init(&d->own, "driver", 0);
    mem_move(&own, &d->own);
    mem_init(&d->mem, "operator", 0);
    arena_init(&d->arena, &d->own, 0);
    buf_init(&d->text, &d->own);
    buf_init(&d->given, &d->own);
    buf_init(&d->committables, &d->own);
    buf_init(&d->error_text, &d->own);
    for (uint32_t i = 0; i < CHUNKS_MAX; i++) buf_init(&d->chunks[i], &d->own);
    d->setup = *setup;
    d->clock = (struct sys){.ops = &clock_ops, .mem = &d->own};
    d->sys = setup->sys ? setup->sys : &d->clock;
    plan_make(d);
    if (d->status < 0) return d;
    before_take(d);
    if (setup->sys && setup->sys->ops->parker_create) d->parker = sys_parker_create(setup->sys);
    instance_open(d);
    return d;
}

void op_driver_free(struct op_driver *d)
{
    struct mem own;

    instance_close(d, d->status < 0);
    if (d->parker) sys_parker_free(d->sys, d->parker);
    assert_int_equal(d->mem.used, 0); /* nothing was left behind */
    mem_release(&d->mem);
    mem_init(&own, "driver", 0);
    mem_move(&d->own, &own);
    mem_release(&own);
}

const char *op_driver_error(struct op_driver *d) { return buf_text(&d->error_text); }
const struct type *op_driver_output(struct op_driver *d, uint32_t port) { return d->plan.outputs[port]; }
struct op_cx *op_driver_cx(struct op_driver *d) { return &d->chain.nodes[0].cx; }
uint32_t op_pending_count(const struct op_driver *d) { return d->pending; }
int64_t op_next_wake(struct op_driver *d) { return chain_deadline_ms(&d->chain); }

/* --- driving ---------------------------------------------------------------------------------------------------------------- */
static void settle(struct op_driver *d, enum status st)
{
    for (uint32_t calls = 0; st != S_OK && st >= 0; calls++) {
        assert_true(calls < CALLS_MAX);
        assert_true(st == S_MORE || st == S_PENDING);
        d->pending += st == S_PENDING;
        assert_true(d->pending < PENDING_MAX);
        if (st == S_PENDING && d->parker && d->setup.backend == NULL)
            sys_park(d->sys, d->parker, INT64_MAX); /* a helper thread has what is missing */
        d->chain.budget = 1 + calls % 7;            /* a short breath now and then */
        st = chain_drain(&d->chain);
    }
    if (st < 0) failed(d, st);
}

static void give(struct op_driver *d, enum work work, uint32_t input, struct batch *in, int64_t value)
{
    if (d->status < 0) return;
    chain_give(&d->chain, work, input, in, value);
    d->chain.budget = 1 << 20;
    settle(d, chain_drain(&d->chain));
}

static void host_save(struct op_driver *d)
{
    struct state_save *save = NULL;
    enum status st = S_MORE;
    uint32_t at = 0;

    for (uint32_t i = 0; i < CHUNKS_MAX; i++) buf_clear(&d->chunks[i]);
    if (d->has_host) assert_int_equal(state_save_create(&d->host, &save, &d->err), S_OK);
    for (; d->has_host && st == S_MORE; at += d->chunks[at].size >= CHUNK_BYTES) {
        assert_true(at < CHUNKS_MAX);
        failed(d, st = state_save_step(save, &d->chunks[at], CHUNK_BYTES, &d->err));
    }
    state_save_free(save);
    d->image = (struct state_image){.parts = d->parts};
    for (uint32_t i = 0; i < CHUNKS_MAX && d->chunks[i].size > 0; i++)
        d->parts[d->image.part_count++].bytes = (struct str){d->chunks[i].data, d->chunks[i].size};
    d->restore = (struct state_restore){.subtasks = &d->image, .count = 1, .max_parallelism = 128};
}

void op_checkpoint(struct op_driver *d, int64_t checkpoint)
{
    struct node *n = &d->chain.nodes[0];
    uint32_t at = 0;

    assert_true(d->setup.checkpoints);
    if (d->status < 0) return;
    d->chain.budget = 1 << 20;
    for (enum status st = S_MORE; st != S_OK && d->status >= 0;)
        settle(d, st = chain_barrier(&d->chain, checkpoint, &at));
    if (d->status < 0) return;
    buf_clear(&d->committables);
    if (d->setup.type->prepare) failed(d, d->setup.type->prepare(&n->cx, n->self, checkpoint, &d->committables));
    host_save(d);
    d->watermark = n->cx.watermark;
    d->sent_watermark = n->sent_watermark;
    d->is_idle = n->is_idle;
}

void op_complete(struct op_driver *d, int64_t checkpoint)
{
    struct node *n = &d->chain.nodes[0];
    enum status st = S_MORE;

    while (d->status >= 0 && st == S_MORE) failed(d, st = d->setup.type->on_complete(&n->cx, n->self, checkpoint));
}

void op_fail_over(struct op_driver *d)
{
    if (d->status < 0) return;
    instance_close(d, true);
    assert_int_equal(d->mem.used, 0);
    d->is_restored = true;
    instance_open(d);
}

void op_restart(struct op_driver *d)
{
    op_checkpoint(d, 1);
    op_fail_over(d);
}

void op_push_batch(struct op_driver *d, uint32_t input, struct batch *b) { give(d, WORK_BATCH, input, b, 0); }

void op_push(struct op_driver *d, uint32_t input, const char *rows)
{
    uint32_t step = d->setup.batch_rows ? d->setup.batch_rows : BATCH_ROWS;
    struct batch *all, *part;
    uint16_t list[BATCH_ROWS];

    if (d->status < 0) return;
    all = rows_batch(d->types[input], &d->own, rows);
    part = batch_create(d->types[input], step, &d->own);
    for (uint32_t i = 0; i < all->count; i += step) {
        uint32_t n = MIN(step, all->count - i);
        for (uint32_t k = 0; k < n; k++) list[k] = (uint16_t)(i + k);
        batch_clear(part);
        batch_append(part, all, list, n);
        op_push_batch(d, input, part);
    }
    batch_free(part);
    batch_free(all);
}

void op_push_watermark(struct op_driver *d, int64_t watermark) { give(d, WORK_WATERMARK, 0, NULL, watermark); }

void op_push_end(struct op_driver *d)
{
    op_push_watermark(d, WATERMARK_MAX);
    for (uint32_t i = 0; i < d->plan.input_count; i++) give(d, WORK_END, i, NULL, 0);
}

void op_set_time(struct op_driver *d, int64_t now_ms)
{
    assert_true(now_ms >= d->now_ms);
    d->now_ms = now_ms;
    if (d->status < 0) return;
    d->chain.budget = 1 << 20;
    settle(d, chain_time(&d->chain, now_ms));
}

bool op_poll_once(struct op_driver *d)
{
    give(d, WORK_POLL, 0, NULL, 0);
    return d->status >= 0 && d->chain.nodes[0].poll_answer == S_OK;
}

bool op_has_ended(const struct op_driver *d) { return d->chain.nodes[0].poll_answer == S_END; }

void op_poll(struct op_driver *d)
{
    while (op_poll_once(d)) continue;
}

void op_idle(struct op_driver *d)
{
    struct node *n = &d->chain.nodes[0];

    if (d->status >= 0 && d->setup.type->on_idle) failed(d, d->setup.type->on_idle(&n->cx, n->self));
}

static uint32_t lines_of(const struct buf *b)
{
    uint32_t lines = 0;

    for (size_t i = 0; i < b->size; i++) lines += b->data[i] == '\n';
    return lines;
}

void op_await(struct op_driver *d, uint32_t lines)
{
    while (d->status >= 0 && lines_of(&d->text) < lines) {
        int64_t next = chain_deadline_ms(&d->chain), now = sys_wall_ms(d->sys);
        if (next > now) sys_park(d->sys, d->parker, next == INT64_MAX ? INT64_MAX : (next - now) * 1000000);
        d->chain.budget = 1 << 20;
        settle(d, chain_time(&d->chain, sys_wall_ms(d->sys)));
    }
}

const char *op_output(struct op_driver *d)
{
    buf_clear(&d->given);
    if (d->text.size > 0) buf_append(&d->given, d->text.data, d->text.size);
    buf_clear(&d->text);
    return buf_text(&d->given);
}
