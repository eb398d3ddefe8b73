/* answer.c - a text run in a session, and its changelog folded while it comes: a table of lines with counts. A row that is taken back
 * must be there at that moment, in every mode. */
#include "sqlgen.h"

#include "columns/column/sql_text.h"
#include "ground/base/str.h"
#include "surface/sql/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES_MIN = 64 };
#define NEAR 1e-9

struct fold {
    struct arena *a;
    struct answer *out;
    struct buf line;
    struct answer_line *places; /* a hash table; text NULL: free */
    uint32_t place_count, used;
};

static uint64_t hash_text(const char *text)
{
    uint64_t h = 7;

    for (; *text != '\0'; text++) h = mix64(h ^ (unsigned char)*text);
    return h;
}

static struct answer_line *find(struct answer_line *places, uint32_t count, const char *text)
{
    uint32_t at = (uint32_t)hash_text(text) & (count - 1);

    while (places[at].text != NULL && strcmp(places[at].text, text) != 0) at = (at + 1) & (count - 1);
    return &places[at];
}

static struct answer_line *place_of(struct fold *f, const char *text)
{
    if (f->used * 2 >= f->place_count) {
        uint32_t count = MAX(f->place_count * 2, (uint32_t)PLACES_MIN);
        struct answer_line *grown = ARENA_ARRAY(f->a, struct answer_line, count);
        for (uint32_t i = 0; i < f->place_count; i++)
            if (f->places[i].text != NULL) *find(grown, count, f->places[i].text) = f->places[i];
        f->places = grown;
        f->place_count = count;
    }
    struct answer_line *p = find(f->places, f->place_count, text);
    if (p->text == NULL) {
        p->text = arena_strdup(f->a, text);
        f->used++;
    }
    return p;
}

/* --- what comes ----------------------------------------------------------------------------------------------------- */
static enum status on_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    struct fold *f = arg;

    (void)is_changelog;
    (void)e;
    buf_clear(&f->line);
    for (uint32_t i = 0; i < row->child_count; i++) {
        type_print(row->children[i], &f->line);
        buf_append_byte(&f->line, CELL_END);
    }
    f->out->types = arena_strdup(f->a, buf_text(&f->line));
    return S_OK;
}

static void row_line(struct fold *f, const struct batch *b, uint32_t row)
{
    buf_clear(&f->line);
    for (uint32_t c = 0; c < b->col_count; c++) {
        if (vector_is_null(&b->cols[c], row))
            buf_append_text(&f->line, "\\N");
        else
            sql_text_print(&b->cols[c], row, 0, &f->line);
        buf_append_byte(&f->line, CELL_END);
    }
}

static enum status on_rows(void *arg, const struct batch *b, struct err *e)
{
    struct fold *f = arg;

    (void)e;
    BATCH_EACH(b, i, row)
    {
        enum row_kind kind = batch_kind(b, row);
        bool adds = kind == ROW_INSERT || kind == ROW_UPDATE_AFTER;
        row_line(f, b, row);
        struct answer_line *p = place_of(f, buf_text(&f->line));
        p->count += adds ? 1 : -1;
        f->out->row_count += adds ? 1 : -1;
        f->out->taken_back |= p->count < 0;
    }
    return S_OK;
}

static enum status on_end(void *arg, struct err *e) { return (void)arg, (void)e, S_OK; }
static enum status on_said(void *arg, const char *text, struct err *e) { return (void)arg, (void)text, (void)e, S_OK; }

static int by_text(const void *x, const void *y)
{
    return strcmp(((const struct answer_line *)x)->text, ((const struct answer_line *)y)->text);
}

static void lines_take(struct fold *f)
{
    struct answer *out = f->out;

    out->lines = ARENA_ARRAY(f->a, struct answer_line, f->used + 1);
    for (uint32_t i = 0; i < f->place_count; i++)
        if (f->places[i].text != NULL && f->places[i].count != 0) out->lines[out->line_count++] = f->places[i];
    if (out->line_count > 1) qsort(out->lines, out->line_count, sizeof *out->lines, by_text);
}

/* --- running -------------------------------------------------------------------------------------------------------- */
struct sql_session *session_open(struct sys *sys, const char *const *config)
{
    struct sql_session *s = sql_session_create(&(struct sql_session_options){.sys = sys});

    for (uint32_t i = 0; config[i] != NULL; i += 2) {
        enum status st = sql_session_set(s, config[i], config[i + 1], NULL);
        ASSERT(st == S_OK);
    }
    return s;
}

void session_run(struct sql_session *s, const char *sql, struct arena *a, struct answer *out)
{
    struct fold f = {.a = a, .out = out};
    struct sql_listener to = {.arg = &f, .begin = on_begin, .rows = on_rows, .end = on_end, .said = on_said};
    struct tokens t;
    struct statement st;
    struct err e = {0};

    *out = (struct answer){0};
    buf_init(&f.line, a->mem);
    out->status = statement_parse_one(str_of(sql), a, &t, &st, &e);
    if (out->status == S_OK) out->status = sql_session_run(s, &t, &st, &to, &e);
    if (out->status != S_OK) out->error = arena_printf(a, "%s\n%s", e.text, e.excerpt);
    lines_take(&f);
    buf_release(&f.line);
}

/* --- comparing ------------------------------------------------------------------------------------------------------ */
static bool cells_near(const char *x, size_t x_size, const char *y, size_t y_size)
{
    char *x_end, *y_end;

    if (x_size == y_size && memcmp(x, y, x_size) == 0) return true;
    double a = strtod(x, &x_end), b = strtod(y, &y_end);
    return x_end == x + x_size && y_end == y + y_size && x_size > 0 && y_size > 0 &&
           fabs(a - b) <= NEAR * fmax(fabs(a), fabs(b));
}

static bool lines_near(const struct answer_line *x, const struct answer_line *y)
{
    const char *p = x->text, *q = y->text;

    if (x->count != y->count) return false;
    while (*p != '\0' && *q != '\0') {
        const char *p_end = strchr(p, CELL_END), *q_end = strchr(q, CELL_END);
        if (!cells_near(p, (size_t)(p_end - p), q, (size_t)(q_end - q))) return false;
        p = p_end + 1;
        q = q_end + 1;
    }
    return *p == *q;
}

static const char *shown(struct arena *a, const struct answer_line *l)
{
    char *text = arena_printf(a, "%lld x %s", (long long)l->count, l->text);

    for (char *c = text; *c != '\0'; c++)
        if (*c == CELL_END) *c = '|';
    return text;
}

const char *answers_differ(struct arena *a, const struct answer *x, const struct answer *y)
{
    uint32_t i = 0, n = MIN(x->line_count, y->line_count);

    if (x->taken_back || y->taken_back) return "a row is taken back that is not there";
    while (i < n && lines_near(&x->lines[i], &y->lines[i])) i++;
    if (i == x->line_count && i == y->line_count) return NULL;
    return arena_printf(a, "%u and %u different rows; the first: %s <> %s", x->line_count, y->line_count,
                        i < x->line_count ? shown(a, &x->lines[i]) : "nothing",
                        i < y->line_count ? shown(a, &y->lines[i]) : "nothing");
}
