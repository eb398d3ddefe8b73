/* jpath.c - SQL/JSON paths as Flink reads them: a mode, strict when none is named, then a path of Jayway's.
 *
 *   path := ["strict" | "lax"] ["$"] step*
 *   step := .key | ['key', ...] | [n, ...] | [from:to] | .* | [*] | ..step
 *
 * Taken are names, places (negative ones from the end), slices, wildcards and the deep scan; filters ?() and functions such as
 * length() are refused when the path is read. A definite path (single names and places) finds one value or, strict, fails; others
 * find a list, perhaps an empty one. The recursion is as deep as the document and the path together; the deep scans of a path are
 * at most two, so that their work stays below nodes times depth. */
#include "columns/function/jdoc.h"

#include <string.h>

struct jparser {
    struct arena *a;
    struct str text;
    size_t at;
    struct jpath *path;
    uint32_t scans;
    struct err *e;
};

static char peek(const struct jparser *p) { return p->at < p->text.size ? p->text.data[p->at] : '\0'; }
static void skip_blanks(struct jparser *p)
{
    while (peek(p) == ' ') p->at++;
}

static enum status bad(struct jparser *p, const char *what)
{
    err_hint(p->e, "a path is written lax $.a['b'][0][*]");
    return err_set(p->e, E_GRAPH, "%s in the JSON path '%.*s' at position %zu", what,
                   (int)MIN(p->text.size, (size_t)100), p->text.data, p->at + 1);
}

static struct jstep *step_add(struct jparser *p, enum jstep_kind kind)
{
    struct jstep *s = &p->path->steps[p->path->count++];
    s->kind = (uint8_t)kind;
    return s;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
static enum status read_name(struct jparser *p)
{
    size_t from = p->at;

    while (p->at < p->text.size && strchr(".[( ", peek(p)) == NULL) p->at++;
    if (p->at == from) return bad(p, "a name is missing");
    if (peek(p) == '(') return bad(p, "functions are not taken");
    struct jstep *s = step_add(p, JSTEP_KEYS);
    s->count = 1;
    s->keys = ARENA_NEW(p->a, struct str);
    s->keys[0] = (struct str){arena_strndup(p->a, p->text.data + from, p->at - from), p->at - from};
    return S_OK;
}

/* 'key', with \' and \\ inside. */
static enum status read_quoted(struct jparser *p, struct str *out)
{
    char quote = peek(p), *bytes = arena_zalloc(p->a, p->text.size + 1);
    size_t size = 0;

    for (p->at++; p->at < p->text.size && peek(p) != quote; p->at++) {
        if (peek(p) == '\\') p->at++;
        if (p->at < p->text.size) bytes[size++] = peek(p);
    }
    if (p->at >= p->text.size) return bad(p, "a quote is not closed");
    p->at++;
    *out = (struct str){bytes, size};
    return S_OK;
}

static enum status read_keys(struct jparser *p)
{
    struct jstep *s = step_add(p, JSTEP_KEYS);

    s->keys = ARENA_ARRAY(p->a, struct str, p->text.size);
    for (;;) {
        if (peek(p) != '\'' && peek(p) != '"') return bad(p, "a quoted name is expected");
        TRY(read_quoted(p, &s->keys[s->count++]));
        skip_blanks(p);
        if (peek(p) != ',') return S_OK;
        p->at++;
        skip_blanks(p);
    }
}

static enum status read_place(struct jparser *p, int32_t *out)
{
    size_t from = p->at;
    int64_t value;

    if (peek(p) == '-') p->at++;
    while (peek(p) >= '0' && peek(p) <= '9') p->at++;
    if (!str_to_int64((struct str){p->text.data + from, p->at - from}, &value) || value > INT32_MAX ||
        value < -INT32_MAX)
        return bad(p, "a place is expected");
    *out = (int32_t)value;
    skip_blanks(p);
    return S_OK;
}

/* n, n, ... or from:to */
static enum status read_places(struct jparser *p)
{
    struct jstep *s = step_add(p, JSTEP_PLACES);

    s->places = ARENA_ARRAY(p->a, int32_t, p->text.size + 2);
    if (peek(p) != ':') {
        do {
            if (peek(p) == ',') p->at++;
            skip_blanks(p);
            TRY(read_place(p, &s->places[s->count++]));
        } while (peek(p) == ',');
    }
    if (peek(p) != ':') return S_OK;
    if (s->count > 1) return bad(p, "a slice has one beginning");
    p->at++;
    s->kind = JSTEP_SLICE;
    s->has_from = s->count == 1;
    s->has_to = peek(p) != ']';
    if (s->has_to) TRY(read_place(p, &s->places[1]));
    return s->has_from || s->has_to ? S_OK : bad(p, "a slice needs a beginning or an end");
}

static enum status read_brackets(struct jparser *p)
{
    p->at++;
    skip_blanks(p);
    if (peek(p) == '*') {
        p->at++;
        step_add(p, JSTEP_ALL);
    } else if (peek(p) == '?') {
        return bad(p, "filters are not taken");
    } else if (peek(p) == '\'' || peek(p) == '"') {
        TRY(read_keys(p));
    } else {
        TRY(read_places(p));
    }
    skip_blanks(p);
    if (peek(p) != ']') return bad(p, "']' is expected");
    p->at++;
    return S_OK;
}

static enum status read_step(struct jparser *p)
{
    if (peek(p) == '[') return read_brackets(p);
    if (peek(p) != '.') return bad(p, "'.' or '[' is expected");
    p->at++;
    if (peek(p) == '.') {
        p->at++;
        if (++p->scans > JPATH_SCANS_MAX) return bad(p, "more than two '..' are");
        step_add(p, JSTEP_SCAN);
        if (peek(p) == '[') return read_brackets(p);
    }
    if (peek(p) == '*') {
        p->at++;
        step_add(p, JSTEP_ALL);
        return S_OK;
    }
    return read_name(p);
}

/* "strict " or "lax ", in any case; none is strict. */
static bool read_mode(struct jparser *p, const char *word)
{
    size_t n = strlen(word);
    bool is = p->text.size > p->at + n && p->text.data[p->at + n] == ' ' &&
              str_equal_nocase((struct str){p->text.data + p->at, n}, str_of(word));

    if (is) p->at += n;
    skip_blanks(p);
    return is;
}

/* Names of several members are one value at the end, and several before. */
static bool step_is_definite(const struct jpath *p, uint32_t i)
{
    const struct jstep *s = &p->steps[i];
    return (s->kind == JSTEP_KEYS && (s->count == 1 || i + 1 == p->count)) ||
           (s->kind == JSTEP_PLACES && s->count == 1);
}

enum status jpath_compile(struct arena *a, struct str text, struct jpath *out, struct err *e)
{
    struct jparser p = {.a = a, .text = str_trim(text), .path = out, .e = e};

    *out = (struct jpath){.definite = true, .steps = ARENA_ARRAY(a, struct jstep, JPATH_STEPS_MAX + 2)};
    if (!read_mode(&p, "strict")) out->lax = read_mode(&p, "lax");
    if (p.at >= p.text.size) return bad(&p, "a path is missing");
    if (peek(&p) == '$')
        p.at++;
    else if (peek(&p) != '[' && peek(&p) != '.')
        TRY(read_name(&p)); /* "a.b" is "$.a.b" */
    while (p.at < p.text.size) {
        if (out->count >= JPATH_STEPS_MAX) return bad(&p, "too many steps are");
        TRY(read_step(&p));
    }
    for (uint32_t i = 0; i < out->count; i++) out->definite &= step_is_definite(out, i);
    return S_OK;
}

/* --- finding ----------------------------------------------------------------------------------------------------- */
struct finder {
    const struct jpath *path;
    struct jdoc *d;
    struct jfound *out;
};

/* False: too many, the path fails. */
static bool hit_add(struct finder *f, uint32_t node, const struct jstep *members)
{
    struct jfound *o = f->out;

    if (o->count == JPATH_HITS_MAX) return false;
    if (o->count == o->capacity) {
        o->capacity = MAX(16u, o->capacity * 2);
        o->hits = mem_realloc(o->mem, o->hits, sizeof *o->hits * o->capacity);
    }
    o->hits[o->count++] = (struct jhit){node, members};
    return true;
}

/* False: a strict path names what is not there. `definite`: so were all steps before. */
static bool find(struct finder *f, uint32_t i, uint32_t node, bool definite);

static bool find_keys(struct finder *f, uint32_t i, uint32_t node, bool definite)
{
    const struct jstep *s = &f->path->steps[i];
    bool last = i + 1 == f->path->count, one = step_is_definite(f->path, i);

    if (f->d->nodes[node].kind != J_OBJECT) return !definite;
    if (s->count > 1 && last) return hit_add(f, node, s);
    for (uint32_t k = 0; k < s->count; k++) {
        uint32_t child = jdoc_member(f->d, node, s->keys[k]);
        if (child == UINT32_MAX && !last && definite && one) return false;
        if (child != UINT32_MAX && !find(f, i + 1, child, definite && one)) return false;
    }
    return true;
}

static uint32_t length_of(const struct jdoc *d, uint32_t node)
{
    uint32_t n = 0;

    JDOC_EACH(d, node, child) n++;
    return n;
}

/* Elements low..high of an array. */
static bool find_range(struct finder *f, uint32_t i, uint32_t node, int64_t low, int64_t high, bool definite)
{
    int64_t at = 0;

    JDOC_EACH(f->d, node, child)
    {
        if (at >= low && at < high && !find(f, i + 1, child, definite)) return false;
        at++;
    }
    return true;
}

/* With two ends, Jayway walks from the first to the second as they are written: negative places count from the end one by one. */
static bool find_slice(struct finder *f, uint32_t i, uint32_t node, int64_t n)
{
    const struct jstep *s = &f->path->steps[i];
    int64_t from = s->has_from ? s->places[0] : 0, to = s->has_to ? MIN((int64_t)s->places[1], n) : n;

    if (!s->has_to && from < 0) from = MAX(n + from, 0);
    if (!s->has_from && to < 0) to = n + to;
    for (int64_t at = MAX(from, -n); at < MIN(to, (int64_t)0); at++)
        if (!find_range(f, i, node, n + at, n + at + 1, false)) return false;
    return find_range(f, i, node, MAX(from, 0), to, false);
}

static bool find_places(struct finder *f, uint32_t i, uint32_t node, bool definite)
{
    const struct jstep *s = &f->path->steps[i];

    if (f->d->nodes[node].kind != J_ARRAY) return !definite;
    int64_t n = length_of(f->d, node);
    if (s->kind == JSTEP_SLICE) return find_slice(f, i, node, n);
    for (uint32_t k = 0; k < s->count; k++) {
        int64_t place = s->places[k] < 0 ? n + s->places[k] : s->places[k];
        if (!find_range(f, i, node, place, place + 1, definite && s->count == 1)) return false;
    }
    return true;
}

static bool find_all(struct finder *f, uint32_t i, uint32_t node)
{
    if (f->d->nodes[node].kind < J_ARRAY) return true;
    if (f->d->nodes[node].kind == J_OBJECT) jdoc_hide(f->d, node);
    JDOC_EACH(f->d, node, child)
    if (!f->d->nodes[child].hidden && !find(f, i + 1, child, false)) return false;
    return true;
}

/* The next step at this node and at all below it. */
static bool find_deep(struct finder *f, uint32_t i, uint32_t node)
{
    if (f->d->nodes[node].kind < J_ARRAY) return true;
    if (!find(f, i + 1, node, false)) return false;
    if (f->d->nodes[node].kind == J_OBJECT) jdoc_hide(f->d, node);
    JDOC_EACH(f->d, node, child)
    if (!f->d->nodes[child].hidden && !find_deep(f, i, child)) return false;
    return true;
}

static bool find(struct finder *f, uint32_t i, uint32_t node, bool definite)
{
    if (i == f->path->count) return hit_add(f, node, NULL);
    switch ((enum jstep_kind)f->path->steps[i].kind) {
    case JSTEP_KEYS: return find_keys(f, i, node, definite);
    case JSTEP_PLACES:
    case JSTEP_SLICE: return find_places(f, i, node, definite);
    case JSTEP_ALL: return find_all(f, i, node);
    case JSTEP_SCAN: return find_deep(f, i, node);
    }
    return true;
}

void jpath_find(const struct jpath *p, struct jdoc *d, bool valid, struct jfound *out)
{
    struct finder f = {p, d, out};

    out->count = 0;
    out->result = p->lax ? JRES_NULL : JRES_ERROR;
    if (!valid) return;
    bool good = find(&f, 0, 0, true);
    if (!p->definite) {
        if (!good) out->count = 0;
        if (good || p->lax) out->result = JRES_LIST;
        return;
    }
    if (!good || out->count == 0) return;
    const struct jhit *hit = &out->hits[out->count - 1];
    out->hits[0] = *hit;
    out->count = 1;
    bool null = hit->members == NULL && d->nodes[hit->node].kind == J_NULL; /* a strict path fails at null, too */
    out->result = !null ? JRES_ONE : p->lax ? JRES_NULL : JRES_ERROR;
}
