/* test_snapshot_survey.c - what chunks hold is told without a host: test/fuzz/corpus/state_chunk/every_shape_1, whose content
 * test_snapshot_file.c knows. */
#include "flow/state/snapshot_survey.h"
#include "flow/state/snapshot_chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct mem mem;
static struct arena arena;
static struct buf file;

static int begin(void **state)
{
    FILE *f = fopen(THALWEG_TEST_DIR "/fuzz/corpus/state_chunk/every_shape_1", "rb");

    (void)state;
    if (f == NULL) return -1;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    buf_init(&file, &mem);
    buf_reserve(&file, 1 << 20);
    file.size = fread(file.data, 1, 1 << 20, f);
    fclose(f);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_release(&file);
    arena_release(&arena);
    bool is_all = mem.used == 0;
    mem_release(&mem);
    return is_all ? 0 : -1;
}

static struct str whole(void) { return (struct str){file.data, file.size}; }

/* "name kind shape keys rows schema" */
static const char *told(const struct survey_state *x)
{
    struct buf text;

    buf_init(&text, &mem);
    buf_printf(&text, "%s %s %s %llu %llu ", x->name, x->kind, x->shape, (unsigned long long)x->keys,
               (unsigned long long)x->rows);
    survey_schema_text(x, &text);
    const char *kept = arena_strndup(&arena, text.data, text.size);
    buf_release(&text);
    return kept;
}

/* 20 keys with 3 rows each, of which two are equal in the multiset. */
static const char *const every[] = {
    "map keyed MAP 20 20 (k BIGINT NOT NULL) -> (v BIGINT NOT NULL, s STRING)",
    "spaces keyed MAP 60 60 (k INT, l STRING) -> (v BIGINT NOT NULL, s STRING) by namespace",
    "fades keyed MAP 20 20 (k STRING) -> (v BIGINT NOT NULL, s STRING)",
    "log keyed LOG 20 60 (k BIGINT NOT NULL) -> (a ARRAY<INT>, r ROW<`x` BOOLEAN, `y` DECIMAL(30, 2)>, m MAP<STRING, "
    "DOUBLE>)",
    "multiset keyed MULTISET 20 40 (k INT, l STRING) -> (v BIGINT NOT NULL, s STRING)",
    "packed keyed PACKED 20 60 (k BIGINT NOT NULL) -> (t TIMESTAMP(9), d DECIMAL(30, 1), s STRING, b BOOLEAN)",
    "places keyed PLACES 20 60 (k BIGINT NOT NULL) -> (t TIMESTAMP(9), d DECIMAL(30, 1), s STRING, b BOOLEAN)",
    "entries keyed MAP 20 60 (k STRING) (s STRING, n FLOAT) -> (v BIGINT NOT NULL, s STRING)",
    "ordered keyed ORDERED 20 60 (k BIGINT NOT NULL) (s STRING, n FLOAT) -> (a ARRAY<INT>, r ROW<`x` BOOLEAN, `y` "
    "DECIMAL(30, 2)>, m MAP<STRING, DOUBLE>)",
    "list list LOG 0 20 (v BIGINT NOT NULL)",
    "rules broadcast MAP 0 20 (v BIGINT NOT NULL) -> (v BIGINT NOT NULL, s STRING)",
    "event timers  0 20 (k BIGINT NOT NULL)",
    "windows timers  0 20 (k INT, l STRING)",
    NULL,
};

static void every_state_is_told(void **state)
{
    struct state_survey s;
    struct err e = {0};
    uint64_t bytes = CHUNK_HEADER;

    (void)state;
    state_survey_begin(&s, &arena);
    if (state_survey_add(&s, 0, whole(), &e) != S_OK) fail_msg("%s", e.text);
    const struct survey_state *x = s.first;
    for (uint32_t i = 0; every[i] != NULL; i++, x = x->next) {
        assert_non_null(x);
        assert_string_equal(told(x), every[i]);
        bytes += x->bytes;
    }
    assert_null(x);
    assert_int_equal(bytes, file.size); /* all of it belongs to some state */
}

/* Keys are counted once for a subtask, rows for each chunk. */
static void subtasks_add_up(void **state)
{
    struct state_survey s;

    (void)state;
    state_survey_begin(&s, &arena);
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(state_survey_add(&s, i / 2, whole(), NULL), S_OK);
    assert_string_equal(s.first->name, "map");
    assert_int_equal(s.first->keys, 40);
    assert_int_equal(s.first->rows, 60);
}

static void damage_is_told_with_its_place(void **state)
{
    struct state_survey s;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < file.size; i++) {
        file.data[i] ^= 0x10;
        state_survey_begin(&s, &arena);
        err_clear(&e);
        assert_int_equal(state_survey_add(&s, 0, whole(), &e), E_DATA);
        assert_non_null(strstr(e.text, "byte "));
        file.data[i] ^= 0x10;
    }
    state_survey_begin(&s, &arena);
    err_clear(&e);
    assert_int_equal(state_survey_add(&s, 0, (struct str){file.data, file.size - 1}, &e), E_DATA);
    assert_non_null(strstr(e.text, "a block of state is cut off"));
}

/* The same name, but another state: the second chunk is another job's. */
static void chunks_must_agree(void **state)
{
    struct state_survey s;
    struct buf other;
    struct err e = {0};
    struct chunk_reader r;
    struct chunk_block b;
    struct buf space;
    struct str bytes;

    (void)state;
    buf_init(&other, &mem);
    buf_init(&space, &mem);
    assert_int_equal(chunk_open(&r, whole(), &e), S_OK);
    assert_int_equal(chunk_next(&r, &b, &e), S_OK);
    assert_int_equal(chunk_read(&b, &space, &bytes, &e), S_OK);
    char *changed = arena_strndup(&arena, bytes.data, bytes.size);
    changed[1 + 1 + 3] ^= 1; /* kind, "map", version */
    chunk_begin(&other, r.max_parallelism);
    chunk_add(&other, b, (struct str){changed, bytes.size});
    state_survey_begin(&s, &arena);
    assert_int_equal(state_survey_add(&s, 0, whole(), &e), S_OK);
    assert_int_equal(state_survey_add(&s, 1, (struct str){other.data, other.size}, &e), E_DATA);
    assert_string_equal(e.text, "the block at byte 24: state 'map' is not what an earlier chunk said: it is of version "
                                "1 there, of version 0 now");
    buf_release(&other);
    buf_release(&space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_state_is_told), cmocka_unit_test(subtasks_add_up),
                                       cmocka_unit_test(damage_is_told_with_its_place),
                                       cmocka_unit_test(chunks_must_agree)};

    return cmocka_run_group_tests(tests, begin, end);
}
