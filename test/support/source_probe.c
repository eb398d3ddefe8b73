/* source_probe.c - the runtime's part in front of a connector, reduced to one thread and a clock that stands still. */
#include "support/source_probe.h"

#include "support/rows.h"
#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct source_probe *clock_owner;
static struct sys_ops probe_ops;

static int64_t probe_wall_ms(struct sys *s)
{
    (void)s;
    return clock_owner->now_ms;
}

static int64_t probe_mono_ns(struct sys *s)
{
    (void)s;
    return clock_owner->now_ms * 1000000;
}

static void world_open(struct source_probe *p, const char *conn, const char *const *kv)
{
    uint32_t count = 0;

    mem_init(&p->mem, "test", 0);
    arena_init(&p->arena, &p->mem, 0);
    buf_init(&p->text, &p->mem);
    p->sys = sys_linux_create_quiet();
    probe_ops = *p->sys->ops;
    probe_ops.wall_ms = probe_wall_ms;
    probe_ops.mono_ns = probe_mono_ns;
    p->sys->ops = &probe_ops;
    clock_owner = p;
    err_clear(&p->err);
    while (kv != NULL && kv[count * 2] != NULL) count++;
    struct option *items = ARENA_ARRAY(&p->arena, struct option, count + 1);
    for (uint32_t i = 0; i < count; i++) items[i] = (struct option){kv[i * 2], kv[i * 2 + 1]};
    p->options = (struct options){items, count};
    assert_int_equal(conn_find(conn, &p->conn, &p->err), S_OK);
    assert_non_null(p->conn->source);
}

static enum status plan_check(struct source_probe *p, const char *schema)
{
    const struct source_type *t = p->conn->source;
    const struct type *row = NULL;

    TRY(conn_options_check(p->conn, &p->options, &p->err));
    if (schema != NULL) TRY(type_parse(&p->arena, str_of(schema), &row, &p->err));
    if (t->schema != NULL) TRY(t->schema(&p->arena, &p->options, p->conn->options, &row, &p->err));
    assert_non_null(row);
    if (t->check != NULL) TRY(t->check(&p->options, p->conn->options, row, &p->err));
    p->cx.schema = p->cx.read = row;
    return S_OK;
}

enum status probe_check(struct source_probe *p, const char *conn, const char *schema, const char *const *kv)
{
    world_open(p, conn, kv);
    return plan_check(p, schema);
}

void probe_open_needed(struct source_probe *p, const char *conn, const char *schema, uint32_t parallelism,
                       const char *const *kv, const uint64_t *needed)
{
    world_open(p, conn, kv);
    enum status st = plan_check(p, schema);
    if (st != S_OK) fail_msg("%s (%s)", p->err.text, p->err.hint);
    const struct source_type *t = p->conn->source;
    p->needed = needed;
    p->op = (struct op_cx){.name = "source",
                           .parallelism = parallelism,
                           .batch_rows = BATCH_ROWS,
                           .mem = &p->mem,
                           .sys = p->sys,
                           .err = &p->err};
    p->cx.op = &p->op;
    p->cx.needed = needed;
    p->cx.options = &p->options;
    p->cx.option_defs = p->conn->options;
    p->cx.sys = p->sys;
    p->cx.mem = &p->mem;
    p->cx.parallelism = parallelism;
    p->cx.err = &p->err;
    p->enumerator = mem_zalloc(&p->mem, t->enumerator_size + 1);
    p->reader = mem_zalloc(&p->mem, t->reader_size + 1);
    if (t->enumerator_open != NULL) assert_int_equal(t->enumerator_open(&p->cx, p->enumerator), S_OK);
    if (t->reader_open != NULL) assert_int_equal(t->reader_open(&p->cx, p->reader), S_OK);
}

void probe_open(struct source_probe *p, const char *conn, const char *schema, uint32_t parallelism,
                const char *const *kv)
{
    probe_open_needed(p, conn, schema, parallelism, kv, NULL);
}

void probe_close(struct source_probe *p)
{
    const struct source_type *t = p->conn->source;

    if (p->reader != NULL && t->reader_close != NULL) t->reader_close(&p->cx, p->reader);
    if (p->enumerator != NULL && t->enumerator_close != NULL) t->enumerator_close(&p->cx, p->enumerator);
    buf_release(&p->text);
    arena_release(&p->arena);
    mem_release(&p->mem);
    sys_linux_free(p->sys);
    *p = (struct source_probe){.now_ms = 0};
}

static enum status split_start(struct source_probe *p, struct probe_split *s)
{
    const struct source_type *t = p->conn->source;

    s->self = mem_zalloc(&p->mem, t->split_size + 1);
    return t->split_open(&p->cx, p->reader, s->self, &s->what);
}

enum status probe_next(struct source_probe *p, uint32_t subtask, struct probe_split *out)
{
    TRY(p->conn->source->enumerator_next(&p->cx, p->enumerator, subtask, &p->arena, &out->what));
    return split_start(p, out);
}

enum status probe_reopen(struct source_probe *p, const char *id, struct str position, struct probe_split *out)
{
    out->what = (struct split){id, position};
    return split_start(p, out);
}

void probe_split_close(struct source_probe *p, struct probe_split *s)
{
    if (p->conn->source->split_close != NULL) p->conn->source->split_close(&p->cx, p->reader, s->self);
    mem_free(&p->mem, s->self);
}

struct batch *probe_batch(struct source_probe *p, uint32_t capacity)
{
    return batch_create_needed(p->cx.schema, p->needed, capacity, &p->mem);
}

enum status probe_read(struct source_probe *p, struct probe_split *s, struct batch *out)
{
    batch_clear(out);
    enum status st = p->conn->source->split_read(&p->cx, p->reader, s->self, out);
    assert_true(out->count <= out->capacity);
    return st;
}

static void rows_add_text(struct source_probe *p, const struct batch *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        batch_print_row(b, i, &p->text);
        if (b->times != NULL) buf_printf(&p->text, "@%lld", (long long)b->times[i]);
        buf_append_byte(&p->text, '\n');
    }
}

static enum status split_print(struct source_probe *p, struct probe_split *s, uint32_t capacity)
{
    struct batch *b = probe_batch(p, capacity);
    enum status st;

    do {
        st = probe_read(p, s, b);
        rows_add_text(p, b);
    } while (st == S_OK);
    batch_free(b);
    return st;
}

const char *probe_rows(struct source_probe *p, struct probe_split *s, uint32_t capacity, enum status *last)
{
    buf_clear(&p->text);
    *last = split_print(p, s, capacity);
    return buf_text(&p->text);
}

const char *probe_all(struct source_probe *p, uint32_t capacity)
{
    struct probe_split s;
    enum status st = S_END;

    buf_clear(&p->text);
    for (uint32_t subtask = 0; subtask < p->cx.parallelism; subtask++) { /* each asks until there is nothing for it */
        while ((st = probe_next(p, subtask, &s)) == S_OK) {
            st = split_print(p, &s, capacity);
            if (st != S_END) fail_msg("split %s answered %s: %s", s.what.id, status_text(st), p->err.text);
            probe_split_close(p, &s);
        }
        if (st != S_END) break;
    }
    if (st != S_END) fail_msg("the enumerator answered %s: %s", status_text(st), p->err.text);
    return buf_text(&p->text);
}
