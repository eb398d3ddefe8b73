/* test_corruption.c - every byte of a snapshot's metadata is damaged in several ways, every beginning of it is taken for the whole, and a
 * file of state is damaged ten thousand times at random: each time it is told, by name, and nothing is loaded.
 *
 * The state is that of test/fuzz/corpus/state_chunk/every_shape_1, which has a state of every shape; once in a file of its own, once in
 * the metadata. The seed is fixed: what fails once fails always. */
#include "control/snapshot/snapshot_inspect.h"
#include "ground/base/prng.h"
#include "support/folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CORRUPTIONS = 10000, SIZE_MOST = 64 * 1024, TEXT_MOST = 4096 };
#define JOB "10000000000000000000000000000000"
#define OPERATOR "a0000000000000000000000000000000"

static struct {
    struct folder folder;
    struct sys *sys;
    struct mem mem;
    struct buf metadata;
    char chunk[SIZE_MOST];
    size_t chunk_size;
} w;

static void file_write(const char *name, const void *bytes, size_t size)
{
    /* not truncated first: file systems take that for a file that must reach the disk at once */
    int f = open(folder_path(&w.folder, name), O_WRONLY | O_CREAT, 0600);

    assert_true(f >= 0);
    assert_int_equal(pwrite(f, bytes, size, 0), size);
    assert_int_equal(ftruncate(f, (off_t)size), 0);
    assert_int_equal(close(f), 0);
}

static void metadata_make(void)
{
    struct str chunk = {w.chunk, w.chunk_size};
    const struct snapshot_handle handles[] = {
        {.path = "state-0", .size = chunk.size, .digest = hash64(chunk.data, chunk.size)},
        {.bytes = chunk, .size = chunk.size, .digest = hash64(chunk.data, chunk.size)},
    };
    const struct snapshot_subtask subtasks[] = {{.watermark = 7, .committables = {"files", 5}, .handles = handles, .handle_count = 1},
                                                {.watermark = 9, .handles = handles + 1, .handle_count = 1}};
    const struct snapshot_operator op = {
        .id = OPERATOR, .name = "counts", .uid = "counts", .parallelism = 2, .max_parallelism = 128, .subtasks = subtasks};
    struct snapshot_metadata m = {
        .job_id = JOB, .job_name = "clicks", .checkpoint = 12, .time_ms = 1000, .operators = &op, .operator_count = 1};

    metadata_encode(&m, &w.metadata);
}

static int set_up(void **state)
{
    FILE *f = fopen(THALWEG_TEST_DIR "/fuzz/corpus/state_chunk/every_shape_1", "rb");

    (void)state;
    if (f == NULL) return -1;
    w.chunk_size = fread(w.chunk, 1, SIZE_MOST, f);
    fclose(f);
    folder_make(&w.folder);
    folder_write(&w.folder, "chk-12/_metadata", "");
    w.sys = sys_linux_create_quiet();
    mem_init(&w.mem, "test", 0);
    buf_init(&w.metadata, &w.mem);
    metadata_make();
    file_write("chk-12/_metadata", w.metadata.data, w.metadata.size);
    file_write("chk-12/state-0", w.chunk, w.chunk_size);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_release(&w.mem);
    sys_linux_free(w.sys);
    folder_remove(&w.folder);
    return 0;
}

/* As whoever restores or inspects it reads it: everything. */
static enum status read_all(struct err *e)
{
    struct snapshot_reader *r;
    const struct inspected_operator *all;

    *e = (struct err){0};
    enum status st = snapshot_reader_open(w.sys, folder_path(&w.folder, "chk-12"), &r, e);
    if (st != S_OK) return st;
    st = snapshot_inspect(r, &all, e);
    snapshot_reader_close(r);
    return st;
}

/* The damage is told, and the file that has it. */
static void expect_damage(const char *file, const char *what, size_t at)
{
    struct err e;
    enum status st = read_all(&e);

    if (st != S_OK && st != E_UNKNOWN && strstr(e.text, file) != NULL) return;
    fail_msg("%s, %s at byte %zu: status %d, '%s'", file, what, at, (int)st, e.text);
}

static void what_is_whole_is_read(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(read_all(&e), S_OK);
    assert_true(w.chunk_size > 5000);
}

static void every_byte_of_the_metadata(void **state)
{
    char *copy = malloc(w.metadata.size);

    (void)state;
    for (size_t at = 0; at < w.metadata.size; at++) {
        char byte = w.metadata.data[at];
        const char changed[] = {(char)(byte ^ (1 << at % 8)), (char)~byte, (char)(byte + 1)};
        for (size_t i = 0; i < sizeof changed; i++) {
            memcpy(copy, w.metadata.data, w.metadata.size);
            copy[at] = changed[i];
            file_write("chk-12/_metadata", copy, w.metadata.size);
            expect_damage("_metadata", "another byte", at);
        }
    }
    free(copy);
}

static void every_beginning_of_the_metadata(void **state)
{
    (void)state;
    for (size_t size = 0; size < w.metadata.size; size++) {
        file_write("chk-12/_metadata", w.metadata.data, size);
        expect_damage("_metadata", "the end", size);
    }
    buf_append(&w.metadata, "x", 1);
    file_write("chk-12/_metadata", w.metadata.data, w.metadata.size);
    expect_damage("_metadata", "more than there was", w.metadata.size);
}

/* --- state ------------------------------------------------------------------------------------------------------------ */
/* Changes bytes, how many there are, or their order; answers what it did. */
static const char *corrupt(struct prng *p, char *bytes, size_t *size)
{
    size_t at = (size_t)prng_below(p, *size), length = 1 + (size_t)prng_below(p, MIN(*size - at, (size_t)512));

    switch (prng_below(p, 6)) {
    case 0: bytes[at] ^= (char)(1 << prng_below(p, 8)); return "a bit";
    case 1:
        for (size_t i = at; i < at + length; i++) bytes[i] = (char)prng_next(p);
        return "random bytes";
    case 2: memset(bytes + at, 0, length); return "zeros";
    case 3: *size = at; return "the end";
    case 4:
        *size += length;
        for (size_t i = *size - length; i < *size; i++) bytes[i] = (char)prng_next(p);
        return "more at the end";
    default:
        memmove(bytes + at, bytes + at + length, *size - at - length);
        *size -= length;
        return "bytes that are missing";
    }
}

static void ten_thousand_corruptions_of_state(void **state)
{
    char copy[SIZE_MOST];
    struct prng p;

    (void)state;
    prng_init(&p, 12);
    for (uint32_t done = 0; done < CORRUPTIONS;) {
        size_t size = w.chunk_size;
        memcpy(copy, w.chunk, size);
        const char *what = corrupt(&p, copy, &size);
        if (size == w.chunk_size && memcmp(copy, w.chunk, size) == 0) continue; /* zeros in the place of zeros */
        file_write("chk-12/state-0", copy, size);
        expect_damage("state-0", what, done);
        done++;
    }
}

/* Whoever means harm makes the digest right: what reads the chunk must bear it, too. A chunk that ends early between two blocks is whole
 * to itself, and only the digest knows better; all others are told. */
static void corruptions_behind_a_right_digest(void **state)
{
    char copy[SIZE_MOST];
    struct prng p;
    uint32_t told = 0;

    (void)state;
    prng_init(&p, 13);
    for (uint32_t i = 0; i < CORRUPTIONS; i++) {
        size_t size = w.chunk_size;
        struct arena a;
        struct state_survey survey;
        struct err e = {0};
        memcpy(copy, w.chunk, size);
        const char *what = corrupt(&p, copy, &size);
        bool is_same = size == w.chunk_size && memcmp(copy, w.chunk, size) == 0, is_short = strcmp(what, "the end") == 0;
        arena_init(&a, &w.mem, 0);
        state_survey_begin(&survey, &a);
        enum status st = state_survey_add(&survey, 0, (struct str){copy, size}, &e);
        if (st != S_OK) assert_true(e.text[0] != '\0');
        else if (!is_same && !is_short && size >= w.chunk_size) fail_msg("%s: taken, corruption %u", what, i);
        told += st != S_OK;
        arena_release(&a);
    }
    assert_true(told > CORRUPTIONS * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_whole_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_byte_of_the_metadata, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_beginning_of_the_metadata, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ten_thousand_corruptions_of_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(corruptions_behind_a_right_digest, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
