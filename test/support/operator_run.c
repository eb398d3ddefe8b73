/* operator_run.c - a task of three operators: a source that reads the script, the one under test, and one recorder per
 * output port. */
#include "support/operator_run.h"

#include "flow/task/task.h"
#include "ground/base/str.h"
#include "support/rows.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LINES_MAX = 100000 };

/* --- script source ------------------------------------------------------------------------------------------------------ */
struct script_config {
    const char *text;
};
struct script {
    const char *at;
};

static enum status script_open(struct op_cx *cx, void *self)
{
    const struct script_config *c = cx->config;

    ((struct script *)self)->at = c->text;
    return S_OK;
}

static bool next_line(struct script *s, struct str *line)
{
    const char *end = strchr(s->at, '\n');

    if (*s->at == '\0') return false;
    *line = str_trim((struct str){s->at, end != NULL ? (size_t)(end - s->at) : strlen(s->at)});
    s->at = end != NULL ? end + 1 : s->at + strlen(s->at);
    return true;
}

static void say_watermark(struct op_cx *cx, struct str line)
{
    int64_t value = WATERMARK_MAX;
    struct str text = str_trim((struct str){line.data + 1, line.size - 1});

    if (!str_equal(text, STR("max"))) assert_true(str_to_int64(text, &value));
    op_emit_watermark(cx, value);
}

static enum status script_poll(struct op_cx *cx, void *self)
{
    struct script *s = self;
    struct batch *out = op_out(cx, 0);
    struct str line;

    while (out->count < out->capacity) {
        if (!next_line(s, &line)) {
            op_emit_watermark(cx, WATERMARK_MAX);
            return S_END;
        }
        if (line.size == 0) continue;
        if (line.data[0] == 'W') {
            say_watermark(cx, line);
            return S_OK;
        }
        char *text = strndup(line.data, line.size);
        rows_add(out, text);
        free(text);
    }
    return S_OK;
}

static const struct op_type op_script = {.name = "script",
                                         .flags = OP_SOURCE,
                                         .config_size = sizeof(struct script_config),
                                         .instance_size = sizeof(struct script),
                                         .open = script_open,
                                         .poll = script_poll,
                                         .makes_watermarks = true};

/* --- recorder ------------------------------------------------------------------------------------------------------------- */
struct recording {
    struct buf text;
    size_t sorted_upto; /* lines before that offset are final */
    bool sorted;
};
struct recorder_config {
    struct recording *to;
    uint32_t port;
};

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorts the lines since the last watermark. */
static void settle(struct recording *r)
{
    if (!r->sorted) return;
    char *from = strdup(buf_text(&r->text) + r->sorted_upto), *lines[4096];
    size_t count = 0;
    for (char *line = strtok(from, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(count < COUNT_OF(lines));
        lines[count++] = line;
    }
    qsort(lines, count, sizeof *lines, by_text);
    r->text.size = r->sorted_upto;
    for (size_t i = 0; i < count; i++) buf_printf(&r->text, "%s\n", lines[i]);
    r->sorted_upto = r->text.size;
    free(from);
}

static enum status recorder_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct recorder_config *c = cx->config;

    (void)self;
    (void)input;
    BATCH_EACH(in, i, row)
    {
        if (c->port > 0) buf_printf(&c->to->text, "%u: ", c->port);
        batch_print_row(in, row, &c->to->text);
        if (batch_time(in, row) != TIME_MIN) buf_printf(&c->to->text, "@%lld", (long long)batch_time(in, row));
        buf_append_byte(&c->to->text, '\n');
    }
    return S_OK;
}

static enum status recorder_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    const struct recorder_config *c = cx->config;

    (void)self;
    if (c->port > 0) return S_OK;
    settle(c->to);
    if (watermark == WATERMARK_MAX)
        buf_append_text(&c->to->text, "W max\n");
    else
        buf_printf(&c->to->text, "W %lld\n", (long long)watermark);
    c->to->sorted_upto = c->to->text.size;
    return S_OK;
}

static const struct op_type op_recorder = {.name = "recorder",
                                           .flags = OP_SELECTION | OP_FORMS,
                                           .input_count = 1,
                                           .config_size = sizeof(struct recorder_config),
                                           .on_batch = recorder_on_batch,
                                           .on_watermark = recorder_on_watermark};

/* --- the task --------------------------------------------------------------------------------------------------------------- */
static enum status run_task(struct operator_run *r, const struct task_plan *plan, struct sys *sys)
{
    struct task *t = task_create(plan, sys, NULL);
    enum status st = task_open(t);

    while (st == S_OK || st == S_IDLE) st = task_step(t);
    task_close(t, st != S_END);
    snprintf(r->error, sizeof r->error, "%s", task_err(t)->text);
    task_free(t);
    return st;
}

static void resolve_keys(struct operator_run *r, struct op_plan *p, uint32_t *keys)
{
    for (; p->key_count[0] < COUNT_OF(r->keys) && r->keys[p->key_count[0]] != NULL; p->key_count[0]++) {
        int col = type_field(p->inputs[0], str_of(r->keys[p->key_count[0]]));
        assert_true(col >= 0);
        keys[p->key_count[0]] = (uint32_t)col;
    }
    p->keys[0] = keys;
}

char *operator_run(struct operator_run *r, const char *script)
{
    struct mem mem;
    struct arena arena;
    struct err err = {0};
    uint32_t keys[4];
    mem_init(&mem, "operator_run", 0);
    arena_init(&arena, &mem, 0);
    struct sys *sys = sys_linux_create_quiet();
    struct recording to = {.sorted = r->sorted};
    buf_init(&to.text, &mem);
    const struct type *schema = rows_type(&arena, r->schema);
    struct op_plan source = {.arena = &arena, .outputs = {schema}, .output_count = 1},
                   plan = {.arena = &arena, .inputs = {schema}, .input_count = 1};
    resolve_keys(r, &plan, keys);
    if (r->type->derive(&plan, r->config, &err) != S_OK) fail_msg("%s (%s)", err.text, err.hint);

    struct script_config script_config = {script};
    struct recorder_config recorders[OP_PORTS_MAX];
    struct op_plan recorder_plans[OP_PORTS_MAX];
    struct node_plan nodes[2 + OP_PORTS_MAX] = {
        {.type = &op_script, .config = &script_config, .plan = &source, .name = "script"},
        {.type = r->type, .config = r->config, .plan = &plan, .name = r->type->name}};
    for (uint32_t p = 0; p < plan.output_count; p++) {
        recorders[p] = (struct recorder_config){&to, p};
        recorder_plans[p] = (struct op_plan){.arena = &arena, .inputs = {plan.outputs[p]}, .input_count = 1};
        nodes[2 + p] = (struct node_plan){.type = &op_recorder,
                                          .config = &recorders[p],
                                          .plan = &recorder_plans[p],
                                          .name = "recorder",
                                          .parent = 1,
                                          .parent_port = p};
    }
    struct task_plan task = {.name = "test",
                             .parallelism = 1,
                             .max_parallelism = 128,
                             .batch_rows = r->batch_rows != 0 ? r->batch_rows : BATCH_ROWS,
                             .nodes = nodes,
                             .node_count = 2 + plan.output_count,
                             .backend = r->backend};
    r->status = run_task(r, &task, sys);
    settle(&to);
    char *text = strdup(buf_text(&to.text));
    buf_release(&to.text);
    arena_release(&arena);
    sys_linux_free(sys);
    assert_int_equal(mem.used, 0);
    return text;
}
