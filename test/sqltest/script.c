/* script.c - a test file's text as records. Paragraphs are separated by empty lines; a paragraph is directives, then a verb, the
 * statement, and what is expected behind "----". One that has directives only sets them for the rest of the file. A feed is a table's
 * name, its columns, and rows. */
#include "sqltest.h"

#include "ground/base/buf.h"
#include "ground/base/str.h"

#include <stdlib.h>
#include <string.h>

enum { READ_CHUNK = 64 * 1024 };

struct reader {
    struct script *s;
    struct directives defaults;
    uint32_t at; /* line */
    struct err *e;
};

void lines_add(struct lines *l, struct arena *a, const char *line)
{
    if (l->count == l->capacity) {
        uint32_t capacity = MAX(l->capacity * 2, 16u);
        const char **grown = ARENA_ARRAY(a, const char *, capacity);
        if (l->count > 0) memcpy(grown, l->items, sizeof *grown * l->count);
        l->items = grown;
        l->capacity = capacity;
    }
    l->items[l->count++] = line;
}

static enum status wrong(const struct reader *r, const char *what, const char *text)
{
    return err_set(r->e, E_DATA, "%s:%u: %s '%s'", r->s->path, r->at + 1, what, text);
}

/* The next word of *rest, copied. */
static const char *word(struct reader *r, struct str *rest)
{
    struct str head = {NULL, 0};

    *rest = str_trim(*rest);
    if (!str_cut(rest, ' ', &head)) return "";
    *rest = str_trim(*rest);
    return arena_strndup(r->s->a, head.data, head.size);
}

/* --- directives -------------------------------------------------------------------------------------------------- */
static enum status read_rule(struct reader *r, struct directives *d, bool is_only, struct str rest)
{
    struct str mode;

    if (d->rule_count == WORDS_MAX) return wrong(r, "too many of", "only, skip");
    if (!str_cut(&rest, ':', &mode) || str_trim(rest).size == 0)
        return wrong(r, "a reason is missing behind ':' in", r->s->lines.items[r->at]);
    mode = str_trim(mode);
    rest = str_trim(rest);
    const char *name = arena_strndup(r->s->a, mode.data, mode.size);
    if (!mode_exists(name)) return wrong(r, "no mode is called", name);
    d->rules[d->rule_count++] = (struct mode_rule){is_only, name, arena_strndup(r->s->a, rest.data, rest.size)};
    return S_OK;
}

static enum status read_compare(struct reader *r, struct directives *d, struct str rest)
{
    for (const char *w = word(r, &rest); *w != '\0'; w = word(r, &rest)) {
        if (strcmp(w, "exact") == 0)
            d->compare = COMPARE_EXACT;
        else if (strcmp(w, "folded") == 0)
            d->compare = COMPARE_FOLDED;
        else if (strcmp(w, "ordered") == 0)
            d->compare = COMPARE_ORDERED;
        else if (strcmp(w, "approx") == 0)
            d->approx = atof(word(r, &rest));
        else if (strcmp(w, "by") == 0 && d->by_count < WORDS_MAX)
            d->by[d->by_count++] = word(r, &rest);
        else
            return wrong(r, "no comparison is called", w);
    }
    return S_OK;
}

static enum status read_clock(struct reader *r, struct str rest)
{
    if (r->s->count > 0) return wrong(r, "the clock is set before all statements, not behind some:", r->s->lines.items[r->at]);
    rest = str_trim(rest);
    int64_t ms;
    r->s->clock = arena_strndup(r->s->a, rest.data, rest.size);
    if (!clock_read(rest, &ms)) return wrong(r, "expected 'clock 2020-01-01 00:00:00', not", r->s->lines.items[r->at]);
    return S_OK;
}

static enum status read_error(struct reader *r, struct directives *d, struct str rest)
{
    d->error_mode = word(r, &rest);
    if (!mode_exists(d->error_mode)) return wrong(r, "no mode is called", d->error_mode);
    d->error_regex = arena_strndup(r->s->a, rest.data, rest.size);
    return S_OK;
}

/* *took: it was one. */
static enum status read_directive(struct reader *r, struct directives *d, bool *took)
{
    struct str rest = str_of(r->s->lines.items[r->at]);
    const char *w = word(r, &rest);

    *took = true;
    if (w[0] == '#' || strcmp(w, "oracle") == 0) return S_OK; /* the latter is read by tools/oracle */
    if (strcmp(w, "only") == 0 || strcmp(w, "skip") == 0) return read_rule(r, d, w[0] == 'o', rest);
    if (strcmp(w, "compare") == 0) return read_compare(r, d, rest);
    if (strcmp(w, "error") == 0) return read_error(r, d, rest);
    if (strcmp(w, "clock") == 0) return read_clock(r, rest);
    *took = false;
    return S_OK;
}

/* --- records ----------------------------------------------------------------------------------------------------- */
static bool is_empty(const struct reader *r)
{
    return r->at == r->s->lines.count || r->s->lines.items[r->at][0] == '\0';
}
static bool is_rule(const char *line) { return strncmp(line, "----", 4) == 0; }

/* "feed bids by ts changes I,UA,D", its columns, and lines of rows. */
static enum status read_feed(struct reader *r, struct record *out, struct str rest)
{
    out->verb = VERB_FEED;
    out->feed = word(r, &rest);
    for (const char *more = word(r, &rest); *more != '\0'; more = word(r, &rest)) {
        const char **to = strcmp(more, "by") == 0 ? &out->by : strcmp(more, "changes") == 0 ? &out->changes : NULL;
        if (to != NULL) *to = word(r, &rest);
        if (to == NULL || **to == '\0')
            return wrong(r, "expected 'feed TABLE', then 'by COLUMN', 'changes I,UA,D', or nothing, not", r->s->lines.items[r->at]);
    }
    if (*out->feed == '\0') return wrong(r, "a feed has a name, unlike", r->s->lines.items[r->at]);
    out->line = ++r->at;
    if (is_empty(r) || r->s->lines.items[r->at][0] != '(') return wrong(r, "a feed begins with its columns, not", is_empty(r) ? "" : r->s->lines.items[r->at]);
    out->sql = r->s->lines.items[r->at++];
    out->feed_first = r->at;
    while (!is_empty(r)) r->at++;
    out->sql_end = r->at;
    return S_OK;
}

static enum status read_verb(struct reader *r, struct record *out)
{
    struct str rest = str_of(r->s->lines.items[r->at]);
    const char *verb = word(r, &rest);

    if (strcmp(verb, "feed") == 0) return read_feed(r, out, rest);
    const char *more = word(r, &rest);
    if (strcmp(verb, "statement") != 0 && strcmp(verb, "query") != 0)
        return wrong(r, "expected a directive, statement, query or feed, not", verb);
    out->verb = verb[0] == 's' ? VERB_STATEMENT : VERB_QUERY;
    out->wants_error = strcmp(more, "error") == 0;
    if (*more != '\0' && !out->wants_error && strcmp(more, "ok") != 0)
        return wrong(r, "expected ok or error, not", more);
    out->line = ++r->at;
    return S_OK;
}

/* A line of SQL; ${FOLDER} is the folder of the file, where its data lies, ${LIBRARIES} that of test/functions, compiled. */
static void add_sql(const struct reader *r, const char *line, struct buf *sql)
{
    static const char folder[] = "${FOLDER}", libraries[] = "${LIBRARIES}";
    const char *slash = strrchr(r->s->path, '/'), *at;

    while ((at = strstr(line, "${")) != NULL) {
        buf_append(sql, line, (size_t)(at - line));
        line = at + 2;
        if (strncmp(at, folder, sizeof folder - 1) == 0) {
            if (slash == NULL) buf_append_byte(sql, '.');
            else buf_append(sql, r->s->path, (size_t)(slash - r->s->path));
            line = at + sizeof folder - 1;
        } else if (strncmp(at, libraries, sizeof libraries - 1) == 0) {
            buf_append_text(sql, SQLTEST_LIBRARIES);
            line = at + sizeof libraries - 1;
        } else {
            buf_append_text(sql, "${");
        }
    }
    buf_append_text(sql, line);
}

static void read_sql(struct reader *r, struct record *out)
{
    struct buf sql;

    buf_init(&sql, r->s->a->mem);
    for (; !is_empty(r) && !is_rule(r->s->lines.items[r->at]); r->at++) {
        if (sql.size > 0) buf_append_byte(&sql, '\n');
        add_sql(r, r->s->lines.items[r->at], &sql);
    }
    out->sql = arena_strdup(r->s->a, buf_text(&sql));
    out->sql_end = r->at;
    buf_release(&sql);
}

static enum status read_blocks(struct reader *r, struct record *out)
{
    while (!is_empty(r)) {
        struct str rest = str_of(r->s->lines.items[r->at] + 4);
        if (out->block_count == BLOCKS_MAX) return wrong(r, "too many blocks", "----");
        struct block *b = &out->blocks[out->block_count++];
        const char *in = word(r, &rest);
        if (*in != '\0') {
            b->mode = arena_strndup(r->s->a, rest.data, rest.size);
            if (strcmp(in, "in") != 0 || !mode_exists(b->mode))
                return wrong(r, "expected '---- in MODE', not", r->s->lines.items[r->at]);
        }
        b->first = ++r->at;
        while (!is_empty(r) && !is_rule(r->s->lines.items[r->at])) r->at++;
        b->count = r->at - b->first;
    }
    return S_OK;
}

static struct record *record_add(struct script *s)
{
    if (s->count == s->capacity) {
        s->capacity = MAX(s->capacity * 2, 64u);
        struct record *grown = ARENA_ARRAY(s->a, struct record, s->capacity);
        if (s->count > 0) memcpy(grown, s->records, sizeof *grown * s->count);
        s->records = grown;
    }
    return &s->records[s->count++];
}

static enum status read_paragraph(struct reader *r)
{
    struct directives d = r->defaults;
    bool took = true;

    for (; !is_empty(r); r->at++) {
        TRY(read_directive(r, &d, &took));
        if (!took) break;
    }
    if (is_empty(r)) {
        r->defaults = d;
        return S_OK;
    }
    struct record *out = record_add(r->s);
    out->d = d;
    TRY(read_verb(r, out));
    if (out->verb == VERB_FEED) return S_OK;
    read_sql(r, out);
    return read_blocks(r, out);
}

/* --- the file ---------------------------------------------------------------------------------------------------- */
static enum status read_text(struct sys *sys, const char *path, struct buf *text, struct err *e)
{
    struct sys_file *f;
    size_t got = 1;
    enum status st = S_OK;

    TRY(sys_file_open(sys, path, SYS_READ, &f, e));
    while (st == S_OK && got > 0) {
        buf_reserve(text, READ_CHUNK);
        st = sys_file_read(sys, f, text->data + text->size, READ_CHUNK, &got, e);
        if (st == S_OK) text->size += got;
    }
    sys_file_close(sys, f);
    return st;
}

enum status script_read(struct script *s, struct sys *sys, const char *path, struct arena *a, struct err *e)
{
    struct reader r = {.s = s, .e = e};
    struct buf text;
    struct str line;

    *s = (struct script){.path = path, .a = a};
    buf_init(&text, a->mem);
    enum status st = read_text(sys, path, &text, e);
    for (struct str rest = {text.data, text.size}; st == S_OK && str_cut(&rest, '\n', &line);)
        lines_add(&s->lines, a, arena_strndup(a, line.data, line.size));
    for (; st == S_OK && r.at < s->lines.count; r.at += r.at < s->lines.count && is_empty(&r)) st = read_paragraph(&r);
    buf_release(&text);
    return st;
}

const struct block *record_block(const struct record *r, const struct mode *m)
{
    const struct block *any = NULL;

    for (uint32_t i = 0; i < r->block_count; i++) {
        if (r->blocks[i].mode == NULL)
            any = &r->blocks[i];
        else if (mode_is(m, r->blocks[i].mode))
            return &r->blocks[i];
    }
    return any;
}

const char *record_skips(const struct record *r, const struct mode *m)
{
    if (m->absent != NULL) return m->absent;
    for (uint32_t i = 0; i < r->d.rule_count; i++)
        if (mode_is(m, r->d.rules[i].mode) != r->d.rules[i].is_only) return r->d.rules[i].reason;
    if (r->d.compare == COMPARE_EXACT && mode_is(m, "batch")) return "batch mode has no changes";
    return NULL;
}
