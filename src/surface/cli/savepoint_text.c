/* savepoint_text.c - see savepoint_text.h. The table has the same columns below every operator, as wide as the widest of all needs. */
#include "surface/cli/savepoint_text.h"

#include "columns/column/timestamp.h"
#include "ground/base/str.h"
#include "surface/gateway/answer.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 7, FIRST_NUMBER = 3, LAST_NUMBER = 5 };
static const char *const titles[COLUMNS] = {"STATE", "KIND", "SHAPE", "KEYS", "ROWS", "BYTES", "SCHEMA"};

/* --- as a table ------------------------------------------------------------------------------------------------------------- */
static void append_name(struct buf *out, const char *name)
{
    for (const char *p = name; *p != '\0'; p++) buf_append_byte(out, (unsigned char)*p < ' ' || *p == 127 ? '?' : *p);
}

static const char *number(struct arena *a, uint64_t value)
{
    return arena_printf(a, "%llu", (unsigned long long)value);
}

static const char *schema_cell(struct snapshot_reader *r, const struct survey_state *s)
{
    struct buf text, plain;

    buf_init(&text, &r->mem);
    buf_init(&plain, &r->mem);
    survey_schema_text(s, &text);
    if (s->ttl_ms > 0) buf_printf(&text, ", lives %lld ms", (long long)s->ttl_ms);
    append_name(&plain, buf_text(&text));
    const char *cell = arena_strndup(&r->arena, buf_text(&plain), plain.size);
    buf_release(&text);
    buf_release(&plain);
    return cell;
}

static void cells_of(struct snapshot_reader *r, const struct survey_state *s, const char *cells[COLUMNS])
{
    struct arena *a = &r->arena;
    bool is_keyed = strcmp(s->kind, "keyed") == 0;
    struct buf name;

    buf_init(&name, &r->mem);
    append_name(&name, s->name);
    cells[0] = arena_strndup(a, buf_text(&name), name.size);
    buf_release(&name);
    cells[1] = s->kind;
    cells[2] = s->shape[0] != '\0' ? s->shape : "-";
    cells[3] = is_keyed ? number(a, s->keys) : "-";
    cells[4] = number(a, s->rows);
    cells[5] = number(a, s->bytes);
    cells[6] = schema_cell(r, s);
}

static size_t width_of(const char *cell)
{
    return str_is_utf8(str_of(cell)) ? str_utf8_length(str_of(cell)) : strlen(cell);
}

static void put_cells(const char *const cells[COLUMNS], const size_t widths[COLUMNS], struct buf *out)
{
    for (uint32_t i = 0; i < COLUMNS; i++) {
        int pad = (int)(widths[i] - MIN(widths[i], width_of(cells[i])));
        bool is_number = i >= FIRST_NUMBER && i <= LAST_NUMBER;
        buf_append_text(out, "  ");
        if (is_number) buf_printf(out, "%*s", pad, "");
        buf_append_text(out, cells[i]);
        if (!is_number && i + 1 < COLUMNS) buf_printf(out, "%*s", pad, "");
    }
    buf_append_byte(out, '\n');
}

static void put_heading(const struct inspected_operator *o, struct buf *out)
{
    const struct snapshot_operator *saved = o->saved;

    buf_append_byte(out, '\n');
    append_name(out, saved->name);
    buf_append_text(out, "\n  uid ");
    append_name(out, saved->uid != NULL ? saved->uid : "-");
    buf_printf(out, ", id %s, parallelism %u of %u, %llu bytes of state", saved->id, saved->parallelism,
               saved->max_parallelism, (unsigned long long)o->bytes);
    if (o->committables > 0) buf_printf(out, ", %llu bytes to commit", (unsigned long long)o->committables);
    if (o->finished > 0) buf_printf(out, ", %u subtask%s finished", o->finished, o->finished == 1 ? "" : "s");
    buf_append_byte(out, '\n');
}

static void put_head(struct snapshot_reader *r, struct buf *out)
{
    const struct snapshot_metadata *m = &r->metadata;
    struct ts96 time = {.ms = m->time_ms};

    buf_printf(out, "%-11s ", snapshot_kind_name(m->kind));
    append_name(out, r->uri);
    buf_append_text(out, "\njob         ");
    append_name(out, m->job_name);
    buf_printf(out, " (%s)\ncheckpoint  %lld\ntime        ", m->job_id, (long long)m->checkpoint);
    timestamp_print(time, 3, out);
    buf_printf(out, " UTC\nbytes       %llu of state, %llu of metadata\noperators   %u\n",
               (unsigned long long)metadata_state_bytes(m), (unsigned long long)r->size, m->operator_count);
}

struct table_row {
    const char *cells[COLUMNS];
};

void savepoint_table(struct snapshot_reader *r, const struct inspected_operator *operators, struct buf *out)
{
    uint32_t count = 0, at = 0;
    size_t widths[COLUMNS];

    for (uint32_t i = 0; i < r->metadata.operator_count; i++) count += operators[i].states.count;
    struct table_row *rows = ARENA_ARRAY(&r->arena, struct table_row, count + 1);
    for (uint32_t c = 0; c < COLUMNS; c++) widths[c] = strlen(titles[c]);
    for (uint32_t i = 0; i < r->metadata.operator_count; i++) {
        for (const struct survey_state *s = operators[i].states.first; s != NULL; s = s->next, at++) {
            cells_of(r, s, rows[at].cells);
            for (uint32_t c = 0; c < COLUMNS; c++) widths[c] = MAX(widths[c], width_of(rows[at].cells[c]));
        }
    }
    put_head(r, out);
    at = 0;
    for (uint32_t i = 0; i < r->metadata.operator_count; i++) {
        put_heading(&operators[i], out);
        if (operators[i].states.count > 0) put_cells(titles, widths, out);
        for (uint32_t s = 0; s < operators[i].states.count; s++) put_cells(rows[at++].cells, widths, out);
    }
}

/* --- as JSON ---------------------------------------------------------------------------------------------------------------- */
static void put_text(struct buf *out, const char *before, const char *text)
{
    buf_append_text(out, before);
    if (text != NULL)
        answer_quote(str_of(text), out);
    else
        buf_append_text(out, "null");
}

static void put_number(struct buf *out, const char *before, uint64_t value)
{
    buf_printf(out, "%s%llu", before, (unsigned long long)value);
}

static void put_state(const struct survey_state *s, struct buf *out)
{
    put_text(out, "{\"name\":", s->name);
    put_text(out, ",\"kind\":", s->kind);
    put_text(out, ",\"shape\":", s->shape[0] != '\0' ? s->shape : NULL);
    put_number(out, ",\"ttl-ms\":", (uint64_t)MAX(s->ttl_ms, 0));
    if (strcmp(s->kind, "keyed") == 0)
        put_number(out, ",\"keys\":", s->keys);
    else
        put_text(out, ",\"keys\":", NULL);
    put_number(out, ",\"rows\":", s->rows);
    put_number(out, ",\"bytes\":", s->bytes);
    buf_append_text(out, ",\"columns\":[");
    for (uint32_t i = 0; i < s->column_count; i++) {
        put_text(out, i > 0 ? ",{\"role\":" : "{\"role\":", s->columns[i].role);
        put_text(out, ",\"name\":", s->columns[i].name);
        put_text(out, ",\"type\":", s->columns[i].type);
        buf_append_byte(out, '}');
    }
    buf_append_text(out, "]}");
}

static void put_operator(const struct inspected_operator *o, struct buf *out)
{
    put_text(out, "{\"name\":", o->saved->name);
    put_text(out, ",\"uid\":", o->saved->uid);
    put_text(out, ",\"id\":", o->saved->id);
    put_number(out, ",\"parallelism\":", o->saved->parallelism);
    put_number(out, ",\"max-parallelism\":", o->saved->max_parallelism);
    put_number(out, ",\"finished-subtasks\":", o->finished);
    put_number(out, ",\"bytes\":", o->bytes);
    put_number(out, ",\"committable-bytes\":", o->committables);
    buf_append_text(out, ",\"states\":[");
    for (const struct survey_state *s = o->states.first; s != NULL; s = s->next) {
        put_state(s, out);
        if (s->next != NULL) buf_append_byte(out, ',');
    }
    buf_append_text(out, "]}");
}

void savepoint_json(struct snapshot_reader *r, const struct inspected_operator *operators, struct buf *out)
{
    const struct snapshot_metadata *m = &r->metadata;

    put_text(out, "{\"path\":", r->uri);
    put_text(out, ",\"kind\":", snapshot_kind_name(m->kind));
    put_text(out, ",\"job-id\":", m->job_id);
    put_text(out, ",\"job-name\":", m->job_name);
    put_number(out, ",\"checkpoint-id\":", (uint64_t)m->checkpoint);
    buf_printf(out, ",\"time-ms\":%lld", (long long)m->time_ms);
    put_number(out, ",\"state-bytes\":", metadata_state_bytes(m));
    put_number(out, ",\"metadata-bytes\":", r->size);
    buf_append_text(out, ",\"operators\":[");
    for (uint32_t i = 0; i < m->operator_count; i++) {
        put_operator(&operators[i], out);
        if (i + 1 < m->operator_count) buf_append_byte(out, ',');
    }
    buf_append_text(out, "]}\n");
}
