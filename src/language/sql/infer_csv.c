/* infer_csv.c - the columns of delimited text: the delimiter, whether a header names them, and their types.
 *
 * The delimiter is the one of , ; tab | that cuts most records into as many fields as the first. Records that have another number
 * of fields say nothing about types: reading the file will complain of them, at their place. A header is a first record that no
 * column of its kind can hold (words above numbers), or, where all is text, words that do not come again below. */
#include "language/sql/infer.h"

#include "columns/column/type.h"
#include "flow/format/csv_scan.h"
#include "ground/base/str.h"

#include <string.h>

struct csv_column_guess {
    bool seen, seen_again; /* a value; the text of the first record */
    uint32_t kinds;
    int32_t precision;
    struct str head; /* the first record's */
    uint32_t head_kinds;
    int32_t head_precision;
};

struct csv_guess {
    struct arena *a;
    const struct infer_sample *s;
    struct csv_syntax syntax;
    struct csv_record record;
    size_t at;
    uint32_t fields; /* of the first record */
    uint32_t rows;   /* below it */
    struct csv_column_guess *columns;
    struct err *e;
};

/* The next record that is whole; false: there is none in the sample. Empty lines are records of one empty field. */
static bool record_next(struct csv_guess *g, const char **data)
{
    size_t left = g->s->text.size - g->at;

    if (left == 0) return false;
    *data = g->s->text.data + g->at;
    csv_record_start(&g->record);
    if (!csv_record_scan(&g->syntax, &g->record, *data, (uint32_t)left, g->s->is_whole)) return false;
    g->at += g->record.size;
    return true;
}

/* A field without its quotes; in g->a only when that changes its text. */
static struct str field_text(struct csv_guess *g, const char *data, struct csv_field f, bool *quoted)
{
    struct str t = {data + f.start, f.end - f.start};

    *quoted = t.size >= 2 && t.data[0] == '"' && t.data[t.size - 1] == '"';
    if (!*quoted) return t;
    t = (struct str){t.data + 1, t.size - 2};
    if (memchr(t.data, '"', t.size) == NULL) return t;
    char *copy = arena_strndup(g->a, t.data, t.size);
    size_t n = 0;
    for (size_t i = 0; i < t.size; i++) {
        copy[n++] = t.data[i];
        i += t.data[i] == '"'; /* of two the first */
    }
    return (struct str){copy, n};
}

/* --- the delimiter ----------------------------------------------------------------------------------------------- */
static uint32_t records_alike(struct csv_guess *g, char delimiter, uint32_t *fields)
{
    uint32_t alike = 0;
    const char *data;

    g->syntax.delimiter = delimiter;
    g->at = 0;
    *fields = 0;
    for (uint32_t i = 0; i <= INFER_ROWS && record_next(g, &data); i++) {
        if (i == 0) *fields = g->record.field_count;
        alike += g->record.field_count == *fields;
    }
    return alike;
}

static void delimiter_find(struct csv_guess *g)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    uint32_t best = 0, alike, fields;
    char delimiter = ',';

    g->fields = 1;
    for (size_t i = 0; i < sizeof candidates; i++) {
        alike = records_alike(g, candidates[i], &fields);
        if (fields < 2 || alike < best || (alike == best && fields <= g->fields)) continue;
        best = alike;
        g->fields = fields;
        delimiter = candidates[i];
    }
    g->syntax.delimiter = delimiter;
    g->at = 0;
}

/* --- types ------------------------------------------------------------------------------------------------------- */
static void head_take(struct csv_guess *g, const char *data)
{
    for (uint32_t i = 0; i < g->fields; i++) {
        struct csv_column_guess *c = &g->columns[i];
        bool quoted;
        c->kinds = INFER_ANY;
        c->head = field_text(g, data, g->record.fields[i], &quoted);
        c->head_kinds = infer_text_kinds(c->head, &c->head_precision);
    }
}

static void row_take(struct csv_guess *g, const char *data)
{
    for (uint32_t i = 0; i < g->fields; i++) {
        struct csv_column_guess *c = &g->columns[i];
        bool quoted;
        struct str t = field_text(g, data, g->record.fields[i], &quoted);
        if (t.size == 0 && !quoted) continue; /* NULL */
        c->seen = true;
        c->seen_again |= str_equal(t, c->head);
        c->kinds &= infer_text_kinds(t, &c->precision);
    }
    g->rows++;
}

static bool is_word(struct str t)
{
    t = str_trim(t);
    return t.size > 0 &&
           ((t.data[0] | 32) >= 'a' && (t.data[0] | 32) <= 'z' ? true : t.data[0] == '_' || (t.data[0] & 0x80));
}

static bool header_found(const struct csv_guess *g)
{
    bool words = true, again = false;

    for (uint32_t i = 0; i < g->fields; i++)
        if (g->columns[i].head_kinds != 0) return false; /* a value */
    for (uint32_t i = 0; i < g->fields; i++) {
        const struct csv_column_guess *c = &g->columns[i];
        if (c->head.size > 0 && c->seen && c->kinds != 0) return true;
        words &= is_word(c->head);
        again |= c->seen_again;
    }
    return words && !again;
}

/* The first record is data like the others. */
static void head_is_row(struct csv_guess *g)
{
    for (uint32_t i = 0; i < g->fields; i++) {
        struct csv_column_guess *c = &g->columns[i];
        if (c->head.size == 0) continue;
        c->seen = true;
        c->kinds &= c->head_kinds;
        c->precision = MAX(c->precision, c->head_precision);
    }
    g->rows++;
}

/* --- names ------------------------------------------------------------------------------------------------------- */
static bool is_taken(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

/* A name that none before it has: id, id_1, id_2; f3 for an empty one. *changed: the header says something else. */
static const char *name_unique(struct csv_guess *g, const char *const *names, uint32_t at, struct str wanted,
                               bool *changed)
{
    const char *base = wanted.size > 0 ? arena_strndup(g->a, wanted.data, wanted.size) : arena_printf(g->a, "f%u", at),
               *name = base;

    for (uint32_t n = 1; is_taken(names, at, name); n++) name = arena_printf(g->a, "%s_%u", base, n);
    *changed |= wanted.size == 0 || name != base;
    return name;
}

static void schema_fill(struct csv_guess *g, struct infer_schema *out)
{
    const char **names = ARENA_ARRAY(g->a, const char *, g->fields);
    const struct type **types = ARENA_ARRAY(g->a, const struct type *, g->fields);
    bool header = header_found(g), changed = false;

    if (!header) head_is_row(g);
    for (uint32_t i = 0; i < g->fields; i++) {
        const struct csv_column_guess *c = &g->columns[i];
        names[i] = header ? name_unique(g, names, i, str_trim(c->head), &changed) : arena_printf(g->a, "f%u", i);
        types[i] = infer_type(g->a, c->seen, c->kinds, c->precision);
    }
    out->column_count = g->fields;
    out->names = names;
    out->types = types;
    if (header) out->options[out->option_count++] = (struct option){"csv.header", changed ? "skip" : "true"};
    if (g->syntax.delimiter != ',')
        out->options[out->option_count++] = (struct option){"csv.field-delimiter", g->syntax.delimiter == '\t'  ? "\\t"
                                                                                   : g->syntax.delimiter == ';' ? ";"
                                                                                                                : "|"};
}

enum status infer_csv(struct arena *a, const struct infer_sample *s, struct infer_schema *out, struct err *e)
{
    struct csv_guess g = {.a = a, .s = s, .syntax = {.quote = '"', .escape = CSV_NONE}, .e = e};
    const char *data;

    g.record.fields_max = TYPE_FIELDS_MAX;
    g.record.fields = ARENA_ARRAY(a, struct csv_field, TYPE_FIELDS_MAX);
    delimiter_find(&g);
    if (!record_next(&g, &data))
        return err_set(e, E_DATA, "'%s': its first record does not end within the first %d KiB", s->file,
                       INFER_BYTES / 1024);
    if (g.fields > TYPE_FIELDS_MAX)
        return err_set(e, E_DATA, "'%s': its first record has %u fields, a table has at most %d", s->file, g.fields,
                       TYPE_FIELDS_MAX);
    g.columns = ARENA_ARRAY(a, struct csv_column_guess, g.fields);
    head_take(&g, data);
    while (g.rows < INFER_ROWS && record_next(&g, &data))
        if (g.record.field_count == g.fields) row_take(&g, data);
    schema_fill(&g, out);
    return S_OK;
}
