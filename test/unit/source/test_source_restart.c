/* test_source_restart.c - sources that are restored from checkpoints: however often and wherever one is cut, what comes is what comes
 * of an undisturbed run, rows and watermarks; and with other numbers of subtasks it is the same rows. */
#include "support/folder.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include "flow/connector/values.h"
#include "flow/task/job_shared.h"
#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

enum { OPTIONS_MAX = 16, OUTPUT_MAX = 1 << 18, LINES_MAX = 8192, SUBTASKS_MAX = 4 };

/* A connector as it is set up, and what of times it has. */
struct source_case {
    const char *name, *schema;
    const char *options[2 * OPTIONS_MAX]; /* "connector", ..., NULL; "@x" is the file x in the folder */
    const char *time_field;               /* NULL: no watermarks; else one every 3 rows */
    const char *rows;                     /* of values */
    bool has_letters;                     /* rows that cannot be read come when they come */
};

static const struct source_case cases[] = {
    {.name = "sequence", .options = {"connector", "sequence", "from", "-3", "to", "40"}},
    {.name = "one file of csv",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "filesystem", "path", "@plain.csv", "format", "csv"},
     .time_field = "a"},
    {.name = "csv with a header and quotes",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "filesystem", "path", "@headed.csv", "format", "csv", "csv.header", "true"}},
    {.name = "csv in ranges",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "filesystem", "path", "@long.csv", "format", "csv", "source.split-size", "1 kb"},
     .time_field = "a"},
    {.name = "csv with bad lines",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "filesystem", "path", "@bad.csv", "format", "csv", "on-error", "dead-letter"},
     .has_letters = true},
    {.name = "csv, gzip",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "filesystem", "path", "@plain.csv.gz", "format", "csv"},
     .time_field = "a"},
    {.name = "csv, zstd",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "filesystem", "path", "@plain.csv.zst", "format", "csv"},
     .time_field = "a"},
    {.name = "json",
     .schema = "ROW<a BIGINT, b STRING, c ARRAY<INT>>",
     .options = {"connector", "filesystem", "path", "@lines.json", "format", "json"},
     .time_field = "a"},
    {.name = "raw",
     .schema = "ROW<line STRING>",
     .options = {"connector", "filesystem", "path", "@plain.csv", "format", "raw"}},
    {.name = "a folder",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "filesystem", "path", "@many", "format", "csv"},
     .time_field = "a"},
    {.name = "partitions",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "filesystem", "path", "@days/**/*.csv", "format", "csv"}},
    {.name = "datagen, random",
     .schema = "ROW<a BIGINT, b STRING, c DOUBLE, d BOOLEAN, e ARRAY<INT>>",
     .options = {"connector", "datagen", "number-of-rows", "60", "rows-per-second", "1000000000", "seed", "7",
                 "fields.b.length", "5"}},
    {.name = "datagen, sequence",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "datagen", "rows-per-second", "1000000000", "fields.a.kind", "sequence", "fields.a.start",
                 "10", "fields.a.end", "59", "fields.b.length", "3"},
     .time_field = "a"},
    {.name = "nexmark", .options = {"connector", "nexmark", "events.num", "60", "nexmark.base-time", "1600000000000"}},
    {.name = "nexmark, bids",
     .options = {"connector", "nexmark", "events.num", "40", "nexmark.table", "bid", "nexmark.base-time",
                 "1600000000000"},
     .time_field = "dateTime"},
    {.name = "values",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "values"},
     .rows = "1 | one\n2 | two\n3 | null\n4 | four\n9 | nine",
     .time_field = "a"},
    {.name = "hybrid",
     .schema = "ROW<a BIGINT, b STRING>",
     .options = {"connector", "hybrid", "source-identifiers", "old,new", "old.connector", "filesystem", "old.path",
                 "@many", "old.format", "csv", "new.connector", "datagen", "new.number-of-rows", "20",
                 "new.rows-per-second", "1000000000", "new.fields.b.length", "2"}},
};

static struct {
    struct folder folder;
    struct sys_ops ops;
    int64_t now_ms;
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    struct buf values;
    struct option options[OPTIONS_MAX];
    struct source_config config;
} w;

static int64_t still_wall_ms(struct sys *sys)
{
    (void)sys;
    return w.now_ms;
}

/* --- files ---------------------------------------------------------------------------------------------------------------- */
static void write_gzip(const char *name, const char *text)
{
    gzFile f = gzopen(folder_path(&w.folder, name), "wb");

    assert_non_null(f);
    assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)), strlen(text));
    gzclose(f);
}

static void write_zstd(const char *name, const char *text)
{
    char packed[4096];
    size_t size = ZSTD_compress(packed, sizeof packed, text, strlen(text), 3);
    FILE *f = fopen(folder_path(&w.folder, name), "wb");

    assert_non_null(f);
    assert_false(ZSTD_isError(size));
    assert_int_equal(fwrite(packed, 1, size, f), size);
    fclose(f);
}

static void write_files(void)
{
    static const char plain[] =
        "1,one\n2,two\n5,five\n3,\"three\nlines\"\n4,four\r\n\n9,nine\n8,\"a \"\"quote\"\"\"\n12,\n11,eleven\n13,x";

    char text[8192] = "";
    for (int i = 0; i < 50; i++) snprintf(text + strlen(text), 200, "%d,%0*d\n", i * 7 % 50, 40 + i * 3 % 60, i);
    folder_write(&w.folder, "long.csv", text);
    folder_write(&w.folder, "plain.csv", plain);
    write_gzip("plain.csv.gz", plain);
    write_zstd("plain.csv.zst", plain);
    folder_write(&w.folder, "headed.csv", "a,b\n1,one\n2,\"t,w,o\"\n3,three\n4,four\n");
    folder_write(&w.folder, "bad.csv", "1,one\nx,two\n3,three\ny,four\nz,five\n6,six\n");
    folder_write(
        &w.folder, "lines.json",
        "{\"a\":1,\"b\":\"x\",\"c\":[1,2]}\n{\"a\":2}\n{\"b\":\"\\u00e4\",\"a\":7,\"c\":[]}\n{\"a\":4,\"b\":null}\n");
    folder_write(&w.folder, "many/a.csv", "1,a\n2,a\n3,a\n4,a\n");
    folder_write(&w.folder, "many/b.csv", "3,b\n4,b\n5,b\n");
    folder_write(&w.folder, "many/c.csv", "");
    folder_write(&w.folder, "many/d.csv", "6,d\n10,d\n7,d\n8,d\n9,d\n");
    folder_write(&w.folder, "many/e.csv", "11,e\n");
    folder_write(&w.folder, "days/day=1/x.csv", "1,x\n2,x\n");
    folder_write(&w.folder, "days/day=2/x.csv", "3,x\n4,x\n5,x\n");
}

static int set_up(void **state)
{
    (void)state;
    folder_make(&w.folder);
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.values, &w.mem);
    w.now_ms = 1700000000000;
    w.sys = sys_linux_create_quiet();
    w.ops = *w.sys->ops;
    w.ops.wall_ms = still_wall_ms;
    w.sys->ops = &w.ops;
    write_files();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_release(&w.values);
    arena_release(&w.arena);
    mem_release(&w.mem);
    sys_linux_free(w.sys);
    folder_remove(&w.folder);
    return 0;
}

/* --- running a case --------------------------------------------------------------------------------------------------------- */
static const struct op_type *source_type(void)
{
    const struct op_type *const *t = op_types;

    while (strcmp((*t)->name, "source") != 0) t++;
    return *t;
}

static void configure(const struct source_case *c)
{
    uint32_t count = 0;

    w.config = (struct source_config){.connector = c->options[1]};
    for (uint32_t i = 2; c->options[i] != NULL; i += 2) {
        const char *value = c->options[i + 1];
        if (value[0] == '@') value = arena_strdup(&w.arena, folder_path(&w.folder, value + 1));
        w.options[count++] = (struct option){c->options[i], value};
    }
    w.config.options = (struct options){w.options, count};
    if (c->schema != NULL) w.config.schema = rows_type(&w.arena, c->schema);
    if (c->rows != NULL) {
        struct batch *b = rows_batch(w.config.schema, &w.mem, c->rows);
        buf_clear(&w.values);
        values_encode(b, &w.values);
        batch_free(b);
        w.config.rows = (struct str){w.values.data, w.values.size};
    }
    if (c->time_field != NULL)
        w.config.watermark = (struct watermark_config){
            .kind = 2, .out_of_orderness_ms = 2, .every_rows = 3, .time_field = c->time_field};
}

static struct op_setup setup_of(uint32_t batch_rows)
{
    return (struct op_setup){.type = source_type(),
                             .config = &w.config,
                             .batch_rows = batch_rows,
                             .sys = w.sys,
                             .watermarks = true,
                             .leaves_memory = strcmp(w.config.connector, "nexmark") == 0,
                             .checkpoints = true};
}

static void append_output(struct op_driver *d, char *out)
{
    const char *more = op_output(d);

    assert_true(strlen(out) + strlen(more) < OUTPUT_MAX);
    strcat(out, more);
}

/* Restarted after each `every`-th call; 0: never. */
static void run_alone(uint32_t batch_rows, uint32_t every, char *out)
{
    struct op_setup s = setup_of(batch_rows);
    struct op_driver *d = op_driver_create(&s);

    out[0] = '\0';
    if (every == 1) op_restart(d); /* before the first row, too */
    for (uint32_t calls = 1; calls < 10000 && !op_has_ended(d); calls++) {
        if (!op_poll_once(d)) w.now_ms += 20; /* it wants to be asked again */
        if (every > 0 && calls % every == 0 && !op_has_ended(d)) op_restart(d);
    }
    assert_string_equal(op_driver_error(d), "");
    assert_true(op_has_ended(d));
    append_output(d, out);
    op_driver_free(d);
}

static int compare_lines(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The lines in order, without watermarks. */
static void sort_lines(char *text)
{
    static char *lines[LINES_MAX], copy[OUTPUT_MAX];
    char *rest = strcpy(copy, text), *line;
    uint32_t count = 0;

    while ((line = strsep(&rest, "\n")) != NULL)
        if (line[0] != '\0' && strncmp(line, "W@", 2) != 0) lines[count++] = line;
    qsort(lines, count, sizeof *lines, compare_lines);
    text[0] = '\0';
    for (uint32_t i = 0; i < count; i++) strcat(strcat(text, lines[i]), "\n");
}

static void wherever_it_is_cut_the_rows_are_the_same(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 2048}, steps[] = {1, 2, 3, 5, 8};
    static char whole[OUTPUT_MAX], cut[OUTPUT_MAX];

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        configure(&cases[i]);
        run_alone(2048, 0, whole);
        if (cases[i].has_letters) sort_lines(whole);
        assert_true(strlen(whole) > 20);
        for (uint32_t k = 0; k < COUNT_OF(sizes) * COUNT_OF(steps); k++) {
            run_alone(sizes[k % COUNT_OF(sizes)], steps[k / COUNT_OF(sizes)], cut);
            if (cases[i].has_letters) sort_lines(cut);
            if (strcmp(whole, cut) != 0)
                fail_msg("%s, batches of %u, restarted after each %u: %s\nundisturbed: %s", cases[i].name,
                         sizes[k % COUNT_OF(sizes)], steps[k / COUNT_OF(sizes)], cut, whole);
        }
    }
}

/* --- other numbers of subtasks ------------------------------------------------------------------------------------------------ */
struct attempt {
    struct op_driver *subtasks[SUBTASKS_MAX];
    struct job_shared *job;
    uint32_t count;
};

static void attempt_begin(struct attempt *a, uint32_t count, const struct attempt *before)
{
    *a = (struct attempt){.job = job_shared_create(w.sys, "test", NULL), .count = count};
    for (uint32_t i = 0; i < count; i++) {
        struct op_setup s = setup_of(2);
        s.job = a->job;
        s.subtask = i;
        s.parallelism = count;
        s.watermarks = false;
        s.before = before->subtasks;
        s.before_count = before->count;
        a->subtasks[i] = op_driver_create(&s);
    }
}

static void attempt_end(struct attempt *a, char *out)
{
    for (uint32_t i = 0; i < a->count; i++) {
        assert_string_equal(op_driver_error(a->subtasks[i]), "");
        append_output(a->subtasks[i], out);
        op_driver_free(a->subtasks[i]);
    }
    job_shared_free(a->job);
}

/* Each subtask in turn, `calls` times; the last attempt to its end. */
static bool attempt_run(struct attempt *a, uint32_t calls)
{
    uint32_t ended = 0;

    for (uint32_t k = 0; k < calls && ended < a->count; k++) {
        ended = 0;
        for (uint32_t i = 0; i < a->count; i++) {
            if (!op_has_ended(a->subtasks[i])) op_poll_once(a->subtasks[i]);
            ended += op_has_ended(a->subtasks[i]);
        }
        w.now_ms += 20; /* who waits for the others is asked again */
    }
    return ended == a->count;
}

static void run_rescaled(uint32_t calls, const uint32_t *counts, char *out)
{
    struct attempt before = {.count = 0}, now;

    out[0] = '\0';
    for (uint32_t n = 0; counts[n] > 0; n++) {
        attempt_begin(&now, counts[n], &before);
        if (before.count > 0) attempt_end(&before, out);
        bool is_last = counts[n + 1] == 0;
        if (!attempt_run(&now, is_last ? 10000 : calls) && is_last) {
            for (uint32_t i = 0; i < now.count; i++) append_output(now.subtasks[i], out);
            fail_msg("connector %s, from %u subtasks by %u to %u, after %u calls each: not all end: %s",
                     w.config.connector, counts[0], counts[1], counts[2], calls, out);
        }
        if (!is_last)
            for (uint32_t i = 0; i < now.count; i++) op_checkpoint(now.subtasks[i], 1);
        before = now;
    }
    attempt_end(&before, out);
    sort_lines(out);
}

static void in_other_numbers_of_subtasks_the_rows_are_the_same(void **state)
{
    static const uint32_t counts[][4] = {{2, 3, 1}, {1, 4, 2}, {3, 2, 4}, {1, 1, 3}};
    static char whole[OUTPUT_MAX], cut[OUTPUT_MAX];

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        configure(&cases[i]);
        run_alone(2048, 0, whole);
        sort_lines(whole);
        for (uint32_t k = 0; k < 6 * COUNT_OF(counts); k++) {
            run_rescaled(k / COUNT_OF(counts), counts[k % COUNT_OF(counts)], cut);
            if (strcmp(whole, cut) != 0)
                fail_msg("%s, %u subtasks at first, restarted after %u calls: %s\nundisturbed: %s", cases[i].name,
                         counts[k % COUNT_OF(counts)][0], (uint32_t)(k / COUNT_OF(counts)), cut, whole);
        }
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(wherever_it_is_cut_the_rows_are_the_same),
        T(in_other_numbers_of_subtasks_the_rows_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
