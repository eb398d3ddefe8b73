/* feed.c - a feed's rows as a file of the connector `script`, and the two statements that make a table of it: one over the file, with a
 * column more that says where the watermark stands behind each row, and a view without that column.
 *
 * "watermark T" belongs to the row before it. "advance 5 s" is a pause. Cells are written as in expected rows; in a feed of changes the
 * kind stands before them ("+U 1 | x"). */
#include "sqltest.h"

#include "columns/column/timestamp.h"
#include "ground/base/buf.h"
#include "ground/base/str.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64, CELL_MAX = 64 * 1024 };
#define WATERMARK STR("watermark ")
#define ADVANCE STR("advance ")

struct feed_column {
    struct str text, name;
    bool is_computed; /* or the primary key: not in the rows */
};

bool clock_read(struct str text, int64_t *ms)
{
    struct ts96 t;

    if (!timestamp_parse(text, &t)) return false;
    *ms = t.ms;
    return true;
}

/* --- columns ----------------------------------------------------------------------------------------------------- */
static bool is_computed(struct str column)
{
    struct str name;

    (void)str_cut(&column, ' ', &name);
    return str_starts(str_trim(column), STR("AS "));
}

static bool is_key(struct str column) { return str_starts(column, STR("PRIMARY KEY ")); }

/* "(a INT, m MAP<INT, INT>, p AS PROCTIME())": commas in brackets part nothing. */
static uint32_t columns_cut(const char *text, struct feed_column *out)
{
    struct str all = {text + 1, strlen(text) - 1};
    uint32_t count = 0, depth = 0;
    size_t first = 0;

    if (str_ends(all, STR(")"))) all.size--;
    for (size_t i = 0; i <= all.size && count < COLUMNS_MAX; i++) {
        char c = i < all.size ? all.data[i] : ',';
        depth += c == '(' || c == '<';
        depth -= (c == ')' || c == '>') && depth > 0;
        if (c != ',' || (depth > 0 && i < all.size)) continue;
        struct feed_column *column = &out[count++];
        column->text = str_trim((struct str){all.data + first, i - first});
        struct str rest = column->text;
        (void)str_cut(&rest, ' ', &column->name);
        column->is_computed = is_computed(column->text) || is_key(column->text);
        first = i + 1;
    }
    return count;
}

/* What stands behind the name of the column of event time. */
static struct str type_of(const struct feed_column *columns, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_equal(columns[i].name, str_of(name)) && !columns[i].is_computed)
            return str_trim((struct str){columns[i].text.data + columns[i].name.size, columns[i].text.size - columns[i].name.size});
    return STR("TIMESTAMP(3)");
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
/* 'a\x0ab' without its quotes. */
static void put_unquoted(struct str cell, struct buf *out)
{
    for (size_t i = 1; i + 1 < cell.size; i++) {
        char hex[3] = "";
        if (cell.data[i] != '\\') {
            buf_append_byte(out, cell.data[i]);
        } else if (cell.data[++i] == 'x' && i + 2 < cell.size) {
            memcpy(hex, cell.data + i + 1, 2);
            buf_append_byte(out, (char)strtol(hex, NULL, 16));
            i += 2;
        } else {
            buf_append_byte(out, cell.data[i]);
        }
    }
}

static void put_cell(struct str cell, struct buf *scratch, struct buf *out)
{
    buf_clear(scratch);
    if (cell.size > 1 && cell.data[0] == '\'') put_unquoted(cell, scratch);
    else buf_append(scratch, cell.data, cell.size);
    struct str s = {scratch->data, scratch->size};
    bool plain = s.size > 0 && memchr(s.data, ',', s.size) == NULL && memchr(s.data, '"', s.size) == NULL && memchr(s.data, '\n', s.size) == NULL;
    if (plain) {
        buf_append(out, s.data, s.size);
        return;
    }
    buf_append_byte(out, '"');
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] == '"') buf_append_byte(out, '"');
        buf_append_byte(out, s.data[i]);
    }
    buf_append_byte(out, '"');
}

static void put_row(const char *line, bool has_kind, struct buf *scratch, struct buf *out)
{
    if (has_kind && strlen(line) > 3 && line[2] == ' ') {
        buf_append(out, line, 3);
        line += 3;
    }
    for (const char *bar, *at = line; at != NULL; at = bar != NULL ? bar + 3 : NULL) {
        bar = strstr(at, " | ");
        if (at > line) buf_append_byte(out, ',');
        put_cell((struct str){at, bar != NULL ? (size_t)(bar - at) : strlen(at)}, scratch, out);
    }
}

/* Rows, each with the watermark behind it; NULL: none. */
static enum status put_rows(const struct script *s, const struct record *r, struct buf *out, struct err *e)
{
    struct buf scratch;
    enum status st = S_OK;

    buf_init(&scratch, s->a->mem);
    for (uint32_t i = r->feed_first; st == S_OK && i < r->sql_end; i++) {
        const char *line = s->lines.items[i], *next = i + 1 < r->sql_end ? s->lines.items[i + 1] : "";
        if (str_starts(str_of(line), ADVANCE)) {
            if (s->clock == NULL) st = err_set(e, E_DATA, "%s:%u: to advance, the file needs a clock", s->path, i + 1);
            buf_printf(out, "@pause %s\n", line + ADVANCE.size);
        } else if (str_starts(str_of(line), WATERMARK)) {
            if (i == r->feed_first || r->by == NULL)
                st = err_set(e, E_DATA, "%s:%u: a watermark stands behind a row of a feed 'by' a column", s->path, i + 1);
        } else {
            put_row(line, r->changes != NULL, &scratch, out);
            bool is_followed = str_starts(str_of(next), WATERMARK);
            if (r->by != NULL) buf_printf(out, ",%s", is_followed ? next + WATERMARK.size : "NULL");
            buf_append_byte(out, '\n');
        }
    }
    buf_release(&scratch);
    return st;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
static const char *table_text(const struct script *s, const struct record *r, const struct feed_column *columns, uint32_t count, const char *path)
{
    struct buf out;

    buf_init(&out, s->a->mem);
    buf_printf(&out, "CREATE TABLE %s__feed (", r->feed);
    for (uint32_t i = 0; i < count; i++) buf_printf(&out, "%s%.*s", i > 0 ? ", " : "", (int)columns[i].text.size, columns[i].text.data);
    if (r->by != NULL) {
        struct str type = type_of(columns, count, r->by);
        buf_printf(&out, ", `__wm` %.*s, WATERMARK FOR %s AS `__wm`", (int)type.size, type.data, r->by);
    }
    buf_printf(&out,
               ") WITH ('connector' = 'script', 'path' = '%s', 'format' = 'csv', 'csv.null-literal' = 'NULL'%s", path,
               r->by != NULL ? ", 'scan.watermark.emit.strategy' = 'on-event'" : "");
    if (r->changes != NULL) buf_printf(&out, ", 'changelog-mode' = '%s'", r->changes);
    buf_append_byte(&out, ')');
    const char *text = arena_strdup(s->a, buf_text(&out));
    buf_release(&out);
    return text;
}

static const char *view_text(const struct script *s, const struct record *r, const struct feed_column *columns, uint32_t count)
{
    struct buf out;

    buf_init(&out, s->a->mem);
    buf_printf(&out, "CREATE VIEW %s AS SELECT ", r->feed);
    for (uint32_t i = 0; i < count; i++)
        if (!is_key(columns[i].text)) buf_printf(&out, "%s%.*s", i > 0 ? ", " : "", (int)columns[i].name.size, columns[i].name.data);
    buf_printf(&out, " FROM %s__feed", r->feed);
    const char *text = arena_strdup(s->a, buf_text(&out));
    buf_release(&out);
    return text;
}

enum status feed_make(const struct script *s, struct sys *sys, const struct record *r, const char *path,
                      const char *statements[FEED_STATEMENTS], struct err *e)
{
    struct feed_column columns[COLUMNS_MAX];
    uint32_t count = columns_cut(r->sql, columns);
    struct buf out;
    struct sys_file *f;

    statements[0] = table_text(s, r, columns, count, path);
    statements[1] = view_text(s, r, columns, count);
    buf_init(&out, s->a->mem);
    enum status st = put_rows(s, r, &out, e);
    if (st == S_OK) st = sys_file_open(sys, path, SYS_WRITE | SYS_CREATE | SYS_TRUNCATE, &f, e);
    if (st == S_OK) {
        st = sys_file_write(sys, f, out.data, out.size, e);
        sys_file_close(sys, f);
    }
    buf_release(&out);
    return st;
}
