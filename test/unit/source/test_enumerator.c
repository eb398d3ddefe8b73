/* test_enumerator.c - one enumerator for all subtasks of a source: opened once, asked by any, closed with the job. */
#include "flow/source/enumerator.h"
#include "flow/task/job_shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static int opened, closed;
static bool fails;

struct counting {
    uint32_t next;
};

static enum status counting_open(struct source_cx *cx, void *self)
{
    opened++;
    ((struct counting *)self)->next = 1;
    return fails ? err_set(cx->err, E_NOT_FOUND, "the folder is missing") : S_OK;
}

static enum status counting_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a, struct split *out)
{
    struct counting *c = self;

    if (c->next == 3) {
        cx->wake_ms = 700;
        c->next++;
        return S_IDLE;
    }
    if (c->next > 4) return S_END;
    out->id = arena_printf(a, "%u for %u", c->next++, subtask);
    return S_OK;
}

static void counting_close(struct source_cx *cx, void *self)
{
    (void)cx;
    (void)self;
    closed++;
}

static const struct source_type counting_source = {.enumerator_size = sizeof(struct counting), .enumerator_open = counting_open,
                                                   .enumerator_next = counting_next, .enumerator_close = counting_close};

struct world {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct job_shared *job;
    struct err err[2];
    struct op_cx op[2];
    struct source_cx cx[2];
};

static void world_make(struct world *w, bool with_job)
{
    static const struct options none = {NULL, 0};

    memset(w, 0, sizeof *w);
    opened = closed = 0;
    mem_init(&w->mem, "test", 0);
    arena_init(&w->arena, &w->mem, 0);
    w->sys = sys_linux_create_quiet();
    if (with_job) w->job = job_shared_create(w->sys, "test", &none);
    for (uint32_t i = 0; i < 2; i++) {
        w->op[i] = (struct op_cx){.name = "source", .uid = "s", .job = w->job, .sys = w->sys, .mem = &w->mem, .err = &w->err[i]};
        w->cx[i] = (struct source_cx){.op = &w->op[i], .sys = w->sys, .mem = &w->mem, .subtask = i, .parallelism = 2, .err = &w->err[i]};
    }
}

static void world_free(struct world *w)
{
    job_shared_free(w->job);
    mem_release(&w->mem);
    sys_linux_free(w->sys);
}

static void test_one_for_all(void **state)
{
    struct world w;
    struct split s;
    int64_t wake;

    (void)state;
    fails = false;
    world_make(&w, true);
    struct enumerator *a = enumerator_join(&counting_source, &w.cx[0]);
    assert_int_equal(opened, 0); /* by whoever asks first */
    assert_int_equal(enumerator_ask(a, &w.cx[0], &w.arena, &s, &wake), S_OK);
    assert_string_equal(s.id, "1 for 0");
    enumerator_leave(a, &w.cx[0]); /* the first is through before the second begins */
    struct enumerator *b = enumerator_join(&counting_source, &w.cx[1]);
    assert_ptr_equal(a, b);
    assert_int_equal(enumerator_ask(b, &w.cx[1], &w.arena, &s, &wake), S_OK);
    assert_string_equal(s.id, "2 for 1");
    assert_int_equal(enumerator_ask(b, &w.cx[1], &w.arena, &s, &wake), S_IDLE);
    assert_int_equal(wake, 700);
    assert_int_equal(enumerator_ask(b, &w.cx[1], &w.arena, &s, &wake), S_OK);
    assert_int_equal(wake, INT64_MAX);
    assert_int_equal(enumerator_ask(a, &w.cx[0], &w.arena, &s, &wake), S_END);
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 0);
    world_free(&w);
    assert_int_equal(closed, 1);
}

static void test_sources_have_their_own(void **state)
{
    struct world w;

    (void)state;
    world_make(&w, true);
    w.op[1].uid = "other";
    assert_ptr_not_equal(enumerator_join(&counting_source, &w.cx[0]), enumerator_join(&counting_source, &w.cx[1]));
    world_free(&w);
    assert_int_equal(closed, 0); /* none was opened */
}

/* Everybody who asks hears why it could not be opened, and it is not tried again. */
static void test_failure_to_open(void **state)
{
    struct world w;
    struct split s;
    int64_t wake;

    (void)state;
    fails = true;
    world_make(&w, true);
    for (uint32_t i = 0; i < 2; i++) {
        struct enumerator *en = enumerator_join(&counting_source, &w.cx[i]);
        assert_int_equal(enumerator_ask(en, &w.cx[i], &w.arena, &s, &wake), E_NOT_FOUND);
        assert_string_equal(w.err[i].text, "the folder is missing");
    }
    assert_int_equal(opened, 1);
    world_free(&w);
    fails = false;
}

static void test_without_a_job(void **state)
{
    struct world w;
    struct split s;
    int64_t wake;

    (void)state;
    world_make(&w, false);
    size_t used = w.mem.used;
    struct enumerator *en = enumerator_join(&counting_source, &w.cx[0]);
    assert_int_equal(enumerator_ask(en, &w.cx[0], &w.arena, &s, &wake), S_OK);
    enumerator_leave(en, &w.cx[0]);
    assert_int_equal(closed, 1);
    arena_release(&w.arena);
    assert_int_equal(w.mem.used, used);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_for_all),
        cmocka_unit_test(test_sources_have_their_own),
        cmocka_unit_test(test_failure_to_open),
        cmocka_unit_test(test_without_a_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
