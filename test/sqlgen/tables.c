/* tables.c - tables of a seed: a few columns of several types, few different values so that joins and groups meet, NULLs, skew, and
 * rows that are there twice. Values are small on purpose: sums of them are exact in doubles and do not overflow. */
#include "sqlgen.h"

#include <string.h>

enum { ROWS_MAX = 24, WORD_KINDS = 10 };

const char *const gtype_names[G_TYPES] = {"INT",         "BIGINT",  "DOUBLE", "DECIMAL(10, 2)",
                                          "VARCHAR(40)", "BOOLEAN", "DATE",   "TIMESTAMP(3)"};

/* Skewed: small numbers come often. */
static int64_t small_number(struct gen *g, uint32_t most)
{
    int64_t n = chance(g, 60) ? pick(g, 4) : pick(g, most);

    return chance(g, 25) ? -n : n;
}

static void put_word(struct gen *g, struct buf *out)
{
    static const char *const words[WORD_KINDS] = {"", "a", "b", "ab", "Abc", "xyz", "a b", "12", "-7", "zz top"};

    buf_printf(out, "'%s'", words[chance(g, 60) ? pick(g, 4) : pick(g, WORD_KINDS)]);
}

static void put_date(struct gen *g, struct buf *out)
{
    buf_printf(out, "20%02u-%02u-%02u", 19 + pick(g, 3), 1 + pick(g, 12), 1 + pick(g, 28));
}

static void put_plain(struct gen *g, enum gtype t, struct buf *out)
{
    int64_t n = small_number(g, 100);

    switch (t) {
    case G_INT:
    case G_BIGINT: buf_printf(out, "%lld", (long long)n); break;
    case G_DOUBLE: buf_printf(out, "%lld.%s", (long long)n, (const char *[]){"0", "25", "5", "75"}[pick(g, 4)]); break;
    case G_DECIMAL: buf_printf(out, "%lld.%02u", (long long)n, pick(g, 4) * 13); break;
    case G_TEXT: put_word(g, out); break;
    case G_BOOL: buf_append_text(out, chance(g, 50) ? "TRUE" : "FALSE"); break;
    case G_DATE:
        buf_append_text(out, "DATE '");
        put_date(g, out);
        buf_append_byte(out, '\'');
        break;
    case G_TIMESTAMP:
        buf_append_text(out, "TIMESTAMP '");
        put_date(g, out);
        buf_printf(out, " %02u:%02u:00'", pick(g, 24), pick(g, 4) * 15);
        break;
    case G_TYPES: ASSERT(!"no type");
    }
}

void put_literal(struct gen *g, enum gtype t, struct buf *out)
{
    bool bare = t == G_DATE || t == G_TIMESTAMP || t == G_BOOL;

    if (chance(g, 6)) {
        buf_printf(out, "CAST(NULL AS %s)", gtype_names[t]);
        return;
    }
    if (bare) {
        put_plain(g, t, out);
        return;
    }
    buf_append_text(out, "CAST(");
    put_plain(g, t, out);
    buf_printf(out, " AS %s)", gtype_names[t]);
}

/* --- tables --------------------------------------------------------------------------------------------------------- */
static const char *cell(struct gen *g, enum gtype t, struct buf *scratch)
{
    if (chance(g, 15)) return NULL;
    buf_clear(scratch);
    put_plain(g, t, scratch);
    return arena_strndup(g->a, scratch->data, scratch->size);
}

/* Event times go up, some twice. */
static const char *stream_time(struct gen *g, uint32_t *seconds)
{
    *seconds += pick(g, 8);
    return arena_printf(g->a, "TIMESTAMP '2020-01-01 00:%02u:%02u'", *seconds / 60 % 60, *seconds % 60);
}

static void table_make(struct gen *g, struct gtable *t, uint32_t number)
{
    struct buf scratch;
    uint32_t seconds = 0;

    *t = (struct gtable){.name = arena_printf(g->a, "t%u", number), .column_count = 2 + pick(g, COLUMNS_MAX - 1)};
    t->is_stream = number + 1 == g->table_count;
    t->row_count = chance(g, 80) ? 1 + pick(g, 10) : pick(g, ROWS_MAX);
    if (t->row_count == 0) t->row_count = 1;
    for (uint32_t c = 0; c < t->column_count; c++)
        t->types[c] = (uint8_t)(c < 2 && !chance(g, 40) ? G_INT : pick_type(g));
    if (t->is_stream) t->types[0] = G_TIMESTAMP;
    t->cells = ARENA_ARRAY(g->a, const char *, t->row_count * t->column_count);
    buf_init(&scratch, g->a->mem);
    for (uint32_t r = 0; r < t->row_count; r++) {
        const char **row = t->cells + (size_t)r * t->column_count;
        bool twice = r > 0 && !t->is_stream && chance(g, 10);
        for (uint32_t c = 0; c < t->column_count; c++)
            row[c] = twice                    ? row[(int64_t)c - t->column_count]
                     : t->is_stream && c == 0 ? stream_time(g, &seconds)
                                              : cell(g, (enum gtype)t->types[c], &scratch);
    }
    buf_release(&scratch);
}

void tables_make(struct gen *g)
{
    g->table_count = 2 + pick(g, TABLES_MAX - 1);
    for (uint32_t i = 0; i < g->table_count; i++) table_make(g, &g->tables[i], i);
}

/* --- as statements -------------------------------------------------------------------------------------------------- */
static void put_cells(const struct gtable *t, uint32_t row, struct buf *out)
{
    for (uint32_t c = 0; c < t->column_count; c++) {
        const char *cell = t->cells[(size_t)row * t->column_count + c];
        buf_append_text(out, c > 0 ? ", " : "(");
        if (cell == NULL)
            buf_printf(out, "CAST(NULL AS %s)", gtype_names[t->types[c]]);
        else if (row == 0 && t->types[c] != G_BOOL)
            buf_printf(out, "CAST(%s AS %s)", cell, gtype_names[t->types[c]]);
        else
            buf_append_text(out, cell);
    }
    buf_append_byte(out, ')');
}

void csv_cell_put(const char *cell, struct buf *out)
{
    const char *quote = cell != NULL ? strchr(cell, '\'') : NULL;

    if (cell == NULL) buf_append_text(out, "NULL");
    else if (quote == NULL) buf_append_text(out, cell);
    else if (quote[1] == '\'') buf_append_text(out, "\"\""); /* an empty text */
    else buf_append(out, quote + 1, strlen(quote + 1) - 1);
}

/* Its file has the cells as csv does: no quotes, nothing for NULL. */
static void put_stream(const struct gtable *t, const char *path, struct buf *out)
{
    buf_printf(out, "CREATE TABLE %s (", t->name);
    for (uint32_t c = 0; c < t->column_count; c++) buf_printf(out, "c%u %s, ", c, gtype_names[t->types[c]]);
    buf_printf(out,
               "WATERMARK FOR c0 AS c0 - INTERVAL '1' SECOND) WITH ('connector' = 'filesystem', 'format' = 'csv', 'csv.null-literal' = "
               "'NULL', 'path' = '%s')",
               path);
}

const char *table_statement(struct gen *g, const struct gtable *t, const char *path)
{
    struct buf out;

    buf_init(&out, g->a->mem);
    if (t->is_stream) {
        put_stream(t, path, &out);
    } else {
        buf_printf(&out, "CREATE VIEW %s AS SELECT", t->name);
        for (uint32_t c = 0; c < t->column_count; c++)
            buf_printf(&out, "%s CAST(c%u AS %s) AS c%u", c > 0 ? "," : "", c, gtype_names[t->types[c]], c);
        buf_append_text(&out, " FROM (VALUES ");
        for (uint32_t r = 0; r < t->row_count; r++) {
            if (r > 0) buf_append_text(&out, ", ");
            put_cells(t, r, &out);
        }
        buf_append_text(&out, ") AS v (");
        for (uint32_t c = 0; c < t->column_count; c++) buf_printf(&out, "%sc%u", c > 0 ? ", " : "", c);
        buf_append_byte(&out, ')');
    }
    const char *text = arena_strndup(g->a, out.data, out.size);
    buf_release(&out);
    return text;
}
