/* files.c - functions for SQL that wait for something outside, here for files: the first line of one, and all its lines as rows.
 * TW_SQL_ASYNC: many are read at a time on threads of their own, while the task goes on; rows keep their order.
 *
 * Build:  cc -shared -fPIC files.c $(pkg-config --cflags thalweg) -o files.so
 * Use:    CREATE FUNCTION first_line AS 'file_first_line' LANGUAGE C USING ARTIFACT 'files.so';
 *         SET 'table.exec.async-scalar.max-concurrent-operations' = '50'; */
#include <thalweg/sql_function.h>

#include <stdio.h>
#include <string.h>

/* An instance is in one call at a time: this memory is its own. */
struct reader {
    char path[4096], line[65536];
};

static FILE *file_open(struct tw_call *c, const void *args)
{
    struct reader *r = tw_call_self(c);
    const struct tw_str *path = args;

    snprintf(r->path, sizeof r->path, "%.*s", (int)path->size, path->data);
    return fopen(r->path, "r");
}

static size_t line_read(struct reader *r, FILE *f)
{
    return fgets(r->line, sizeof r->line, f) != NULL ? strcspn(r->line, "\r\n") : 0;
}

/* --- one value: NULL where there is no such file ------------------------------------------------------------------------------- */
static enum tw_status first_line(struct tw_call *c, const void *args, void *result)
{
    struct reader *r = tw_call_self(c);
    FILE *f = file_open(c, args);

    if (f == NULL) return tw_result_null(c);
    *(struct tw_str *)result = (struct tw_str){r->line, line_read(r, f)}; /* copied when the call is over */
    fclose(f);
    return TW_OK;
}
TW_SQL_FUNCTION(file_first_line) = {
    .kind = TW_SQL_SCALAR,
    .flags = TW_SQL_ASYNC,
    .self_size = sizeof(struct reader),
    .overloads = {{"STRING -> STRING", .run_row = first_line}},
};

/* --- rows: a file that is not there fails the call, which is then repeated, as table.exec.async-table.* says ---------------------- */
struct line {
    int32_t number;
    struct tw_str text;
};

static enum tw_status lines(struct tw_call *c, const void *args)
{
    struct reader *r = tw_call_self(c);
    FILE *f = file_open(c, args);

    if (f == NULL) return tw_call_fail(c, "cannot read '%s'", r->path);
    for (int32_t n = 1; !feof(f); n++) {
        size_t size = line_read(r, f);
        if (size > 0) tw_call_emit(c, &(struct line){n, {r->line, size}});
    }
    fclose(f);
    return TW_OK;
}
TW_SQL_FUNCTION(file_lines) = {
    .kind = TW_SQL_TABLE,
    .flags = TW_SQL_ASYNC,
    .self_size = sizeof(struct reader),
    .overloads = {{"STRING -> ROW<number INT NOT NULL, text STRING>", .rows = lines}},
};
