/* test_user_sink.c - writer state of a user's sink: what .snapshot gives comes back by .restore, in a batch per so many rows,
 * also when it is more than a block; what fails is told; a sink that is driven by hand commits when it is asked to. */
#include "flow/operator/user_sink.h"

#include <thalweg/sink.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "ground/base/buf.h"
#include "support/op_driver.h"

struct word {
    struct tw_str word;
    int32_t n;
};
TW_ROW(word, TW_FIELD(word, word, "STRING NOT NULL"), TW_FIELD(word, n, "INT NOT NULL"));
#define WORDS "ROW<word STRING NOT NULL, n INT NOT NULL>"

struct book {
    struct tw_context *cx;
    struct buf text;
    int64_t sum, checkpoint;
    uint32_t states, restored;
    bool fails;
};

static struct book *book_of(struct tw_context *cx) { return *(struct book *const *)(const void *)tw_config(cx).data; }

static enum tw_status open_it(struct tw_context *cx)
{
    book_of(cx)->cx = cx;
    return TW_OK;
}
static enum tw_status write_row(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)kind;
    book_of(cx)->sum += ((const struct word *)in)->n;
    return TW_OK;
}
static enum tw_status snapshot(struct tw_context *cx, int64_t checkpoint)
{
    struct book *b = book_of(cx);
    char name[] = "state";

    b->checkpoint = checkpoint;
    for (uint32_t i = 0; i < b->states; i++) tw_writer_state(cx, &(struct word){{name, 5}, (int32_t)(b->sum + i)});
    name[0] = '!'; /* strings were copied */
    return b->fails ? tw_fail(cx, "no snapshot") : TW_OK;
}
static enum tw_status restore(struct tw_context *cx, const void *state)
{
    struct book *b = book_of(cx);
    const struct word *w = state;

    if (b->restored++ < 3) buf_printf(&b->text, "%.*s=%d ", (int)w->word.size, w->word.data, w->n);
    b->sum += w->n;
    return b->fails ? tw_fail(cx, "no restore") : TW_OK;
}
static enum tw_status prepare(struct tw_context *cx)
{
    tw_committable(cx, &(struct word){TW_STR("sum"), (int32_t)book_of(cx)->sum});
    return TW_OK;
}
static enum tw_status commit(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    const struct word *w = committable;

    buf_printf(&book_of(cx)->text, "commit %d/%u ", w->n, c->retries);
    return TW_OK;
}
TW_FUNCTION(summing_sink) = {.in = &word_row,
                             .writer_state = &word_row,
                             .committable = &word_row,
                             .open = open_it,
                             .sink = write_row,
                             .snapshot = snapshot,
                             .restore = restore,
                             .prepare_commit = prepare,
                             .commit = commit};

struct world {
    struct mem mem;
    struct book book, *at;
    struct function_config config;
    struct op_driver *d;
};

static void world_open(struct world *w, uint32_t batch_rows)
{
    *w = (struct world){0};
    mem_init(&w->mem, "test", 0);
    buf_init(&w->book.text, &w->mem);
    w->at = &w->book;
    w->config.function = (struct function_ref){
        .name = "summing_sink", .fn = &summing_sink, .config = {(const char *)&w->at, sizeof w->at}};
    w->d = op_driver_create(&(struct op_setup){
        .type = op_find("sink_function"), .config = &w->config, .in = WORDS, .batch_rows = batch_rows});
    assert_string_equal(op_driver_error(w->d), "");
    assert_non_null(w->book.cx);
}

static void world_close(struct world *w)
{
    op_driver_free(w->d);
    buf_release(&w->book.text);
    mem_release(&w->mem);
}

/* 150 rows of state: three blocks, in one batch or in many. */
static void state_round_trip(uint32_t batch_rows)
{
    struct world from, to;
    const struct batch *rows;
    uint32_t count = 0;

    world_open(&from, batch_rows);
    world_open(&to, batch_rows);
    op_push(from.d, 0, "a | 10\nb | 20");
    from.book.states = 150;
    for (int again = 0; again < 2; again++) { /* the second one replaces the first */
        assert_int_equal(user_sink_snapshot(from.book.cx, 7, &rows), S_OK);
        count = 0;
        for (const struct batch *b = rows; b != NULL; b = b->next) count += b->count;
        assert_int_equal(count, 150);
    }
    assert_int_equal(from.book.checkpoint, 7);
    assert_int_equal(user_sink_restore(to.book.cx, rows), S_OK);
    assert_int_equal(to.book.restored, 150);
    assert_int_equal(to.book.sum, 150 * 30 + 150 * 149 / 2);
    assert_string_equal(buf_text(&to.book.text), "state=30 state=31 state=32 ");
    world_close(&from);
    world_close(&to);
}

static void writer_state_goes_and_comes(void **state)
{
    (void)state;
    state_round_trip(BATCH_ROWS);
    state_round_trip(7);
    state_round_trip(1);
}

static void no_state_is_no_batch(void **state)
{
    struct world w;
    const struct batch *rows;

    (void)state;
    world_open(&w, 4);
    assert_int_equal(user_sink_snapshot(w.book.cx, 1, &rows), S_OK);
    assert_null(rows);
    assert_int_equal(user_sink_restore(w.book.cx, NULL), S_OK);
    assert_int_equal(w.book.restored, 0);
    world_close(&w);
}

static void failures_are_told(void **state)
{
    struct world w;
    const struct batch *rows;

    (void)state;
    world_open(&w, 4);
    w.book.states = 1;
    assert_int_equal(user_sink_snapshot(w.book.cx, 1, &rows), S_OK);
    w.book.fails = true;
    assert_int_equal(user_sink_restore(w.book.cx, rows), E_USER);
    assert_string_equal(op_driver_cx(w.d)->err->text, "no restore");
    world_close(&w);
    world_open(&w, 4);
    w.book.fails = true;
    assert_int_equal(user_sink_snapshot(w.book.cx, 1, &rows), E_USER);
    assert_string_equal(op_driver_cx(w.d)->err->text, "no snapshot");
    world_close(&w);
}

static void commits_when_asked(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, 4);
    op_push(w.d, 0, "a | 10\nb | 20");
    op_push_end(w.d);
    assert_string_equal(buf_text(&w.book.text), "");
    assert_int_equal(user_sink_commit(w.book.cx), S_OK);
    assert_string_equal(buf_text(&w.book.text), "commit 30/0 ");
    assert_int_equal(user_sink_commit(w.book.cx), S_OK); /* nothing is left */
    assert_string_equal(buf_text(&w.book.text), "commit 30/0 ");
    assert_int_equal(user_sink_prepare(w.book.cx), S_OK); /* as the next checkpoint would */
    assert_int_equal(user_sink_commit(w.book.cx), S_OK);
    assert_string_equal(buf_text(&w.book.text), "commit 30/0 commit 30/0 ");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writer_state_goes_and_comes),
        cmocka_unit_test(no_state_is_no_batch),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(commits_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
