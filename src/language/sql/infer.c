/* infer.c - a file's name as a table: which file stands for the path, its first bytes, and the table that they describe.
 *
 * The file's kind follows from its name. Of a folder or a pattern the first file that is not empty speaks for all; the others
 * must be of the same kind. At most INFER_BYTES are read, so what comes later may not fit: reading the table then says where.
 * Not here: pipes, which cannot be read twice. */
#include "language/sql/infer.h"

#include "columns/column/type.h"
#include "flow/connector/filesystem/file_range.h"
#include "ground/base/str.h"

#include <string.h>

struct infer_format {
    const char *suffix, *format;
    enum status (*infer)(struct arena *a, const struct infer_sample *s, struct infer_schema *out, struct err *e);
};

static const struct infer_format formats[] = {
    {".csv", "csv", infer_csv},    {".tsv", "csv", infer_csv},     {".txt", "csv", infer_csv},
    {".json", "json", infer_json}, {".jsonl", "json", infer_json}, {".ndjson", "json", infer_json},
};

/* The last part of a path, without the suffix of compression. */
static struct str base_name(const char *path)
{
    static const char *const packed[] = {".gz", ".gzip", ".zst", ".zstd"};
    const char *slash = strrchr(path, '/');
    struct str name = str_of(slash != NULL ? slash + 1 : path);

    for (size_t i = 0; i < COUNT_OF(packed); i++)
        if (str_ends(name, str_of(packed[i]))) return (struct str){name.data, name.size - strlen(packed[i])};
    return name;
}

static enum status format_of(const char *path, const struct infer_format **out, struct err *e)
{
    struct str name = base_name(path);

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        size_t size = strlen(formats[i].suffix);
        struct str end = {name.data + name.size - MIN(size, name.size), MIN(size, name.size)};
        *out = &formats[i];
        if (str_equal_nocase(end, str_of(formats[i].suffix))) return S_OK;
    }
    err_set(e, E_DATA, "the name of '%s' does not say what is in it", path);
    err_hint(e, "known are .csv .tsv .txt and .json .jsonl .ndjson, each also with .gz or .zst; for others use CREATE "
                "TABLE with "
                "'connector' = 'filesystem' and a 'format'");
    return E_DATA;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */
static enum status missing(struct arena *a, struct sys *sys, const char *path, struct err *inner, struct err *e)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash == NULL ? "." : slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
    struct fs_list list;
    struct err ignored = {0};

    if (strpbrk(path, "*?") == NULL && fs_glob(sys, folder, false, a, &list, &ignored) == S_OK && list.count > 0) {
        const char **names = ARENA_ARRAY(a, const char *, list.count);
        for (uint32_t i = 0; i < list.count; i++) {
            const char *last = strrchr(list.entries[i].path, '/');
            names[i] = last != NULL ? last + 1 : list.entries[i].path;
        }
        int at = str_nearest(str_of(slash != NULL ? slash + 1 : path), names, list.count);
        if (at >= 0) {
            inner->hint[0] = '\0'; /* the nearest name says more */
            err_hint(inner, "did you mean '%.*s%s'?", slash != NULL ? (int)(slash + 1 - path) : 0, path, names[at]);
        }
    }
    return err_pass_on(e, inner);
}

/* The files of a path: all of one format; *first: the one that is read. */
static enum status files_find(struct arena *a, struct sys *sys, const char *path, const struct infer_format **format,
                              const char **first, struct err *e)
{
    struct fs_list list;
    struct err inner = {0};
    const struct infer_format *other;

    *first = NULL;
    if (fs_glob(sys, path, true, a, &list, &inner) != S_OK) return missing(a, sys, path, &inner, e);
    if (list.count == 0) return err_set(e, E_DATA, "there is no file in '%s'", path);
    TRY(format_of(list.entries[0].path, format, e));
    for (uint32_t i = 0; i < list.count; i++) {
        TRY(format_of(list.entries[i].path, &other, e));
        if (strcmp(other->format, (*format)->format) != 0) {
            err_set(e, E_DATA, "'%s' holds files of several formats: '%s', '%s'", path, list.entries[0].path,
                    list.entries[i].path);
            err_hint(e, "use a pattern such as '*%s'", (*format)->suffix);
            return E_DATA;
        }
        if (*first == NULL && list.entries[i].size > 0) *first = list.entries[i].path;
    }
    if (*first == NULL) *first = list.entries[0].path;
    return S_OK;
}

static enum status sample_fill(struct file_range *f, char *bytes, struct infer_sample *out, struct err *e)
{
    size_t got, size = 0;

    while (size < INFER_BYTES && !out->is_whole) {
        enum status st = file_range_fill(f, bytes + size, INFER_BYTES - size, &got, e);
        if (st != S_OK && st != S_END) return st;
        out->is_whole = st == S_END;
        size += st == S_OK ? got : 0;
    }
    out->text = (struct str){bytes, size};
    return S_OK;
}

static enum status sample_check(struct infer_sample *s, struct err *e)
{
    const char *zero = memchr(s->text.data, '\0', s->text.size);

    if (zero != NULL) {
        err_set(e, E_DATA, "'%s' is no text: byte %zu is zero", s->file, (size_t)(zero - s->text.data));
        err_hint(e, "text in UTF-16 must be converted to UTF-8 first");
        return E_DATA;
    }
    if (str_starts(s->text, STR("\xef\xbb\xbf"))) s->text = (struct str){s->text.data + 3, s->text.size - 3};
    if (str_trim(s->text).size > 0) return S_OK;
    err_set(e, E_DATA, "'%s' is empty: nothing says what its columns are", s->file);
    err_hint(e, "declare them with CREATE TABLE");
    return E_DATA;
}

static enum status sample_read(struct arena *a, struct sys *sys, struct infer_sample *out, struct err *e)
{
    struct op_cx cx = {.sys = sys, .mem = a->mem};
    char *bytes = arena_alloc(a, INFER_BYTES + 64); /* scanning may look a little beyond */
    struct file_range f;
    struct sys_stat stat;
    const struct fs_type *fs;
    const char *path;

    TRY(fs_find(out->file, &fs, &path, e));
    TRY(sys_file_stat(sys, path, &stat, e));
    if (!stat.is_regular) {
        err_set(e, E_DATA, "'%s' is no regular file: it cannot be looked at before it is read", out->file);
        err_hint(e, "declare its columns with CREATE TABLE");
        return E_DATA;
    }
    TRY(file_range_open(&f, &cx, out->file, 0, INT64_MAX, e));
    enum status st = sample_fill(&f, bytes, out, e);
    file_range_close(&f);
    memset(bytes + out->text.size, 0, 64);
    return st == S_OK ? sample_check(out, e) : st;
}

/* --- the table --------------------------------------------------------------------------------------------------- */
/* flights.csv.gz -> flights; of a folder its name, of a pattern what remains; always a word. */
static const char *table_name(struct arena *a, const char *path)
{
    char *copy = arena_strdup(a, path);
    size_t size = strlen(copy), n = 0;

    while (size > 1 && copy[size - 1] == '/') copy[--size] = '\0';
    struct str name = base_name(copy);
    const char *dot = memchr(name.data, '.', name.size);
    char *out = arena_alloc(a, name.size + 2);
    if (dot != NULL && dot > name.data) name.size = (size_t)(dot - name.data);
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];
        bool fits = ((c | 32) >= 'a' && (c | 32) <= 'z') || (n > 0 && c >= '0' && c <= '9') || c >= 0x80;
        if (fits)
            out[n++] = (char)c;
        else if (n > 0 && out[n - 1] != '_')
            out[n++] = '_';
    }
    while (n > 0 && out[n - 1] == '_') n--;
    out[n] = '\0';
    return n > 0 ? out : "t";
}

static void watermark_propose(struct arena *a, struct table *t)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, t->column_count);

    for (uint32_t i = 0; i < t->column_count; i++) types[i] = t->columns[i].type;
    for (uint32_t i = 0; i < t->column_count; i++) {
        if ((types[i]->kind != T_TIMESTAMP && types[i]->kind != T_TIMESTAMP_LTZ) || types[i]->precision > 3) continue; /* as Flink has it */
        const char *name = t->columns[i].name;
        t->watermark_column = name;
        char *quoted = arena_alloc(a, strlen(name) * 2 + 3), *at = quoted;
        *at++ = '`';
        for (const char *c = name; *c != '\0'; c++) {
            if (*c == '`') *at++ = '`';
            *at++ = *c;
        }
        *at++ = '`';
        *at = '\0';
        t->watermark = arena_printf(a, "%s - INTERVAL '5' SECOND", quoted);
        break;
    }
}

static void table_fill(struct arena *a, const char *path, const char *format, const struct infer_schema *s,
                       struct table *t)
{
    struct table_column *columns = ARENA_ARRAY(a, struct table_column, s->column_count);
    struct option *items = ARENA_ARRAY(a, struct option, 3 + s->option_count);

    for (uint32_t i = 0; i < s->column_count; i++)
        columns[i] = (struct table_column){.name = s->names[i], .type = s->types[i]};
    items[0] = (struct option){"connector", "filesystem"};
    items[1] = (struct option){"path", path};
    items[2] = (struct option){"format", format};
    memcpy(items + 3, s->options, sizeof *items * s->option_count);
    *t = (struct table){.name = table_name(a, path),
                        .column_count = s->column_count,
                        .columns = columns,
                        .options = {items, 3 + s->option_count},
                        .row = type_row(a, s->column_count, s->names, s->types, false),
                        .inferred_from = path};
}

enum status infer_table(struct arena *a, struct sys *sys, struct str file, bool propose, struct table *out,
                        struct err *e)
{
    const char *path = arena_strndup(a, file.data, file.size);
    const struct infer_format *format;
    struct infer_sample s = {0};
    struct infer_schema schema = {0};

    if (strlen(path) != file.size || file.size == 0) return err_set(e, E_DATA, "a file's name is expected");
    TRY(files_find(a, sys, path, &format, &s.file, e));
    TRY(sample_read(a, sys, &s, e));
    enum status st = format->infer(a, &s, &schema, e);
    if (st != S_OK) err_hint(e, "declare the table with CREATE TABLE, connector 'filesystem'");
    TRY(st);
    table_fill(a, path, format->format, &schema, out);
    if (propose) watermark_propose(a, out);
    return S_OK;
}
