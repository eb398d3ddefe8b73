/* fn_like.c - LIKE: '%' stands for any text, '_' for one character that ends no line (as a regex's dot, which Flink makes of it).
 * There is no escape character unless ESCAPE names one; it may only precede '%', '_' and itself.
 *
 * A pattern becomes bytes and what each of them means. Constant patterns are read once, and those that are a text with '%' at its
 * ends, or none, are compared as such. All others are matched by trying again behind the last '%' alone: an earlier one need never
 * be reconsidered, so the work is at most length times length. */
#include "columns/function/fn_text.h"

#include "ground/base/arena.h"
#include "ground/base/buf.h"
#include "ground/base/str.h"

enum meaning { M_BYTE, M_ONE, M_ANY };
enum shape { SHAPE_EXACT, SHAPE_PREFIX, SHAPE_SUFFIX, SHAPE_CONTAINS, SHAPE_GENERAL };

struct pattern {
    const char *bytes;
    const uint8_t *meanings;
    size_t size;
    enum shape shape;
    struct str literal; /* of the simple shapes */
};

/* --- reading ------------------------------------------------------------------------------------------------------ */
/* Simple shapes: literal bytes with '%' at none, one or both ends. */
static void find_shape(struct pattern *p)
{
    size_t from = 0, to = p->size;
    bool head, tail;

    while (from < to && p->meanings[from] == M_ANY) from++;
    head = from > 0;
    while (to > from && p->meanings[to - 1] == M_ANY) to--;
    tail = to < p->size || (head && from == to);
    p->literal = (struct str){p->bytes + from, to - from};
    p->shape = head ? (tail ? SHAPE_CONTAINS : SHAPE_SUFFIX) : tail ? SHAPE_PREFIX : SHAPE_EXACT;
    for (size_t i = from; i < to; i++)
        if (p->meanings[i] != M_BYTE) p->shape = SHAPE_GENERAL;
}

/* Reads a pattern into bytes and meanings, which have room for text.size each. NULL, or what is wrong. */
static const char *pattern_read(struct pattern *p, struct str text, struct str escape, char *bytes, uint8_t *meanings)
{
    size_t n = 0;

    if (escape.size > 0 && point_next(escape, 0) < escape.size) return "the escape of LIKE is one character";
    for (size_t at = 0, next; at < text.size; at = next) {
        next = point_next(text, at);
        bool escaped = escape.size > 0 && str_equal(str_part(text, at, next), escape);
        if (escaped) {
            at = next;
            if (at == text.size) return "an escape of LIKE stands at the end of the pattern";
            next = point_next(text, at);
            struct str c = str_part(text, at, next);
            if (!str_equal(c, escape) && c.data[0] != '%' && c.data[0] != '_')
                return "an escape of LIKE stands before neither '%' nor '_' nor itself";
        }
        bool plain = escaped || (text.data[at] != '%' && text.data[at] != '_');
        for (size_t k = at; k < next; k++, n++) {
            bytes[n] = text.data[k];
            meanings[n] = plain ? M_BYTE : text.data[k] == '%' ? M_ANY : M_ONE;
        }
    }
    *p = (struct pattern){.bytes = bytes, .meanings = meanings, .size = n};
    find_shape(p);
    return NULL;
}

/* --- matching ----------------------------------------------------------------------------------------------------- */
static bool ends_line(uint32_t c) { return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029; }

/* One step of the pattern at byte `at`; answers the next byte, or `at` when it does not fit. */
static size_t step(const struct pattern *p, size_t k, struct str s, size_t at)
{
    size_t next;

    if (p->meanings[k] == M_BYTE) return s.data[at] == p->bytes[k] ? at + 1 : at;
    return ends_line(point_at(s, at, &next)) ? at : next;
}

/* Where the part of the pattern behind a '%' may begin, from `at` on; the size of s when nowhere. */
static size_t next_start(const struct pattern *p, size_t k, struct str s, size_t at)
{
    if (at == s.size || p->meanings[k] != M_BYTE) return at;
    const char *found = memchr(s.data + at, p->bytes[k], s.size - at);
    return found != NULL ? (size_t)(found - s.data) : s.size;
}

static bool match_general(const struct pattern *p, struct str s)
{
    size_t at = 0, k = 0, behind_any = SIZE_MAX, mark = 0;

    while (at < s.size) {
        if (k < p->size && p->meanings[k] == M_ANY) {
            behind_any = ++k;
            if (k == p->size) return true;
            if (p->meanings[k] != M_ANY) at = mark = next_start(p, k, s, at);
            continue;
        }
        size_t next = k < p->size ? step(p, k, s, at) : at;
        if (next > at) {
            at = next;
            k++;
            continue;
        }
        if (behind_any == SIZE_MAX) return false;
        k = behind_any;
        at = mark = next_start(p, k, s, point_next(s, mark));
    }
    while (k < p->size && p->meanings[k] == M_ANY) k++;
    return k == p->size;
}

static bool contains(struct str s, struct str what)
{
    if (what.size == 0) return true;
    return (what.size == 1 ? memchr(s.data, what.data[0], s.size) : memmem(s.data, s.size, what.data, what.size)) !=
           NULL;
}

static bool matches(const struct pattern *p, struct str s)
{
    switch (p->shape) {
    case SHAPE_EXACT: return str_equal(s, p->literal);
    case SHAPE_PREFIX: return str_starts(s, p->literal);
    case SHAPE_SUFFIX: return str_ends(s, p->literal);
    case SHAPE_CONTAINS: return contains(s, p->literal);
    case SHAPE_GENERAL: return match_general(p, s);
    }
    return false;
}

/* --- kernels ------------------------------------------------------------------------------------------------------ */
static void like_constant(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct pattern *p = r->call->plan;
    FN_EACH_VALID(r, args, 1, i) VECTOR_VALUES(out, bool)[i] = matches(p, fn_str(args[0], i));
}

/* The pattern differs from row to row: it is read into space that stays. */
static void like(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct buf *space = r->state;
    uint32_t n = r->call->count;
    struct pattern p;

    FN_EACH_VALID(r, args, n, i)
    {
        struct str text = fn_str(args[1], i), escape = n > 2 ? fn_str(args[2], i) : STR("");
        buf_clear(space);
        buf_reserve(space, text.size * 2 + 1);
        char *bytes = (char *)space->data;
        const char *wrong = pattern_read(&p, text, escape, bytes, (uint8_t *)bytes + text.size);
        if (wrong != NULL)
            row_error(r->errors, i, FN_BAD_ARGUMENT, wrong);
        else
            VECTOR_VALUES(out, bool)[i] = matches(&p, fn_str(args[0], i));
    }
}

static void *like_open(const struct fn_call *c, struct mem *mem)
{
    if (c->plan != NULL) return NULL;
    struct buf *space = mem_alloc(mem, sizeof *space);
    buf_init(space, mem);
    return space;
}

static void like_close(void *state, struct mem *mem)
{
    buf_release(state);
    mem_free(mem, state);
}

static enum status read_constant(struct fn_call *c, struct arena *a, struct err *e)
{
    struct str text = fn_str(c->constants[1], 0), escape = c->count > 2 ? fn_str(c->constants[2], 0) : STR("");
    struct pattern *p = ARENA_NEW(a, struct pattern);

    text.data = arena_strndup(a, text.data, text.size);
    const char *wrong = pattern_read(p, text, escape, ARENA_ARRAY(a, char, text.size + 1),
                                     ARENA_ARRAY(a, uint8_t, text.size + 1));
    if (wrong != NULL) return err_set(e, E_GRAPH, "%s: '%.200s'", wrong, text.data);
    c->plan = p;
    c->run = like_constant;
    return S_OK;
}

static enum status bind_like(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    bool nullable = false, fixed = true;

    (void)session;
    if (c->count < 2 || c->count > 3) return fn_wrong_count("LIKE", "2 or 3", e);
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->args[i]->kind == T_NULL) c->args[i] = &type_string;
        if (!type_is_string(c->args[i])) return fn_refuse(c, "texts: cast the others to STRING", e);
        nullable |= c->args[i]->nullable;
        if (i > 0) fixed &= c->constants[i] != NULL && !vector_is_null(c->constants[i], 0);
    }
    c->result = type_with_null(a, &type_boolean, nullable);
    c->run = like;
    return fixed ? read_constant(c, a, e) : S_OK;
}

static const struct fn_def functions[] = {
    {.name = "LIKE",
     .usage = "text [NOT] LIKE pattern [ESCAPE character]",
     .doc = "does a text match a pattern? '%' stands for any text, '_' for a character, ESCAPE names a character "
            "before them",
     .examples = FN_EXAMPLES({"'abc' LIKE 'a%'", "TRUE"}, {"'100%' LIKE '%!%' ESCAPE '!'", "TRUE"}),
     .flags = FN_MAY_FAIL,
     .bind = bind_like,
     .open = like_open,
     .close = like_close},
    {0},
};

const struct fn_type fn_like = {
    .name = "like", .doc = "text compared with patterns", .example = "'abc' LIKE 'a%'", .functions = functions};
