/* fn_string_change.c - text with parts taken out, put in or exchanged: TRIM and its kin, OVERLAY, REPLACE, TRANSLATE, LPAD, RPAD.
 *
 * TRIM, REPLACE and TRANSLATE look at characters. OVERLAY, LPAD and RPAD count UTF-16 units, as Flink's do: a character beyond the
 * BMP counts twice, and half of one that a cut leaves becomes '?'. */
#include "columns/function/fn_text.h"

#include "ground/base/str.h"

/* --- TRIM --------------------------------------------------------------------------------------------------------- */
enum trim_sides { TRIM_LEFT = 1, TRIM_RIGHT = 2 };
struct trim {
    uint32_t sides, text, what; /* arguments by number; what == text: blanks */
};

static bool contains(struct str set, struct str point)
{
    return point.size == 1 ? set.size > 0 && memchr(set.data, point.data[0], set.size) != NULL
                           : memmem(set.data, set.size, point.data, point.size) != NULL;
}

static void trim(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct trim *t = r->call->plan;

    FN_EACH_VALID(r, args, r->call->count, i)
    {
        struct str s = fn_str(args[t->text], i), set = t->what == t->text ? STR(" ") : fn_str(args[t->what], i);
        size_t from = 0, to = s.size, next;
        while ((t->sides & TRIM_LEFT) && from < to && contains(set, str_part(s, from, (next = point_next(s, from)))))
            from = next;
        while ((t->sides & TRIM_RIGHT) && to > from && contains(set, str_part(s, (next = point_before(s, to)), to)))
            to = next;
        fn_put(r, out, i, str_part(s, from, to));
    }
}

/* BOTH, LEADING or TRAILING as the parser hands them over: a constant of type STRING, where a literal is a CHAR. */
static uint32_t sides_of(const struct fn_call *c)
{
    if (c->constants[0] == NULL || c->args[0]->kind != T_VARCHAR || vector_is_null(c->constants[0], 0)) return 0;
    struct str word = fn_str(c->constants[0], 0);
    if (str_equal(word, STR("BOTH"))) return TRIM_LEFT | TRIM_RIGHT;
    return str_equal(word, STR("LEADING")) ? TRIM_LEFT : str_equal(word, STR("TRAILING")) ? TRIM_RIGHT : 0;
}

/* TRIM([side] [what FROM] text); LTRIM, RTRIM and BTRIM (text [, what]). */
static enum status bind_trim(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct trim *t = ARENA_NEW(a, struct trim);
    char which = c->def->name[0];
    uint32_t word = which == 'T' && c->count > 1 ? sides_of(c) : 0, first = word != 0;
    bool nullable = false;

    (void)session;
    if (c->count - first < 1 || c->count - first > 2)
        return fn_wrong_count(c->def->name, "1 or 2", e);
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->args[i]->kind == T_NULL) c->args[i] = &type_string;
        if (!type_is_string(c->args[i]))
            return fn_refuse(c, "texts: cast the others to STRING", e);
        nullable |= i >= first && c->args[i]->nullable;
    }
    t->sides = word != 0 ? word : which == 'L' ? TRIM_LEFT : which == 'R' ? TRIM_RIGHT : TRIM_LEFT | TRIM_RIGHT;
    t->text = which == 'T' ? c->count - 1 : 0;
    t->what = which == 'T' ? first : c->count - 1;
    c->plan = t;
    c->result = which == 'B' ? type_with_null(a, &type_string, nullable)
                             : type_new(a, T_VARCHAR, MAX(c->args[t->text]->precision, 1), 0, nullable);
    c->run = trim;
    return S_OK;
}

/* --- OVERLAY, LPAD, RPAD: UTF-16 units ---------------------------------------------------------------------------- */
struct cut {
    size_t at; /* a byte */
    bool half; /* in the middle of the character there */
};

static size_t unit_count(struct str s)
{
    size_t n = str_utf8_length(s);
    for (size_t i = 0; i < s.size; i++) n += (unsigned char)s.data[i] >= 0xF0;
    return n;
}

static struct cut cut_behind(struct str s, size_t units)
{
    size_t at = 0;

    for (; units > 0 && at < s.size; at = point_next(s, at)) {
        bool two = (unsigned char)s.data[at] >= 0xF0;
        if (two && units == 1) return (struct cut){at, true};
        units -= two ? 2 : 1;
    }
    return (struct cut){at, false};
}

static char *add_head(char *to, struct str s, struct cut c)
{
    to = bytes_add(to, str_part(s, 0, c.at));
    if (c.half) *to++ = '?';
    return to;
}

static char *add_tail(char *to, struct str s, struct cut c)
{
    if (c.half) {
        *to++ = '?';
        c.at = point_next(s, c.at);
    }
    return bytes_add(to, str_part(s, c.at, s.size));
}

static void overlay(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    uint32_t n = r->call->count;

    FN_EACH_VALID(r, args, n, i)
    {
        struct str s = fn_str(args[0], i), with = fn_str(args[1], i);
        int64_t start = fn_int(args[2], i), units = (int64_t)unit_count(s);
        int64_t length = n > 3 ? fn_int(args[3], i) : (int64_t)unit_count(with);
        if (start <= 0 || start > units) {
            fn_put(r, out, i, s);
            continue;
        }
        char *bytes = fn_room(r, i, s.size + with.size + 2), *at = bytes;
        if (bytes == NULL) continue;
        at = add_head(at, s, cut_behind(s, (size_t)start - 1));
        at = bytes_add(at, with);
        if (length > 0 && start + length <= units) at = add_tail(at, s, cut_behind(s, (size_t)(start - 1 + length)));
        fn_keep(out, i, bytes, (size_t)(at - bytes));
    }
}

/* Padding of `units` units: the whole pad as often as it fits, then its head. */
static char *add_padding(char *to, struct str pad, size_t pad_units, size_t units)
{
    for (; units >= pad_units; units -= pad_units) to = bytes_add(to, pad);
    return add_head(to, pad, cut_behind(pad, units));
}

static void pad_text(const struct fn_run *r, const struct vector *const *args, struct vector *out, bool left)
{
    FN_EACH_VALID(r, args, 3, i)
    {
        struct str s = fn_str(args[0], i), pad = fn_str(args[2], i);
        int32_t length = fn_int(args[1], i);
        if (length < 0 || pad.size == 0) {
            vector_set_null(out, i);
            continue;
        }
        size_t units = unit_count(s), pad_units = unit_count(pad),
               missing = (size_t)length > units ? (size_t)length - units : 0;
        char *bytes = fn_room(r, i, s.size + (missing / pad_units + 1) * pad.size + 2), *at = bytes;
        if (bytes == NULL) continue;
        if (left) at = add_padding(at, pad, pad_units, missing);
        at = add_head(at, s, cut_behind(s, (size_t)length));
        if (!left) at = add_padding(at, pad, pad_units, missing);
        fn_keep(out, i, bytes, (size_t)(at - bytes));
    }
}

static void lpad(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    pad_text(r, args, out, true);
}
static void rpad(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    pad_text(r, args, out, false);
}

/* --- REPLACE ------------------------------------------------------------------------------------------------------ */
static const char *find(struct str s, size_t from, struct str what)
{
    return what.size == 1 ? memchr(s.data + from, what.data[0], s.size - from)
                          : memmem(s.data + from, s.size - from, what.data, what.size);
}

static size_t matches(struct str s, struct str what)
{
    size_t n = 0, at = 0;

    for (const char *found; at <= s.size && (found = find(s, at, what)) != NULL; n++)
        at = (size_t)(found - s.data) + what.size;
    return n;
}

/* An empty text stands before each UTF-16 unit and at the end: it even parts the halves of one character. */
static char *add_between(char *to, struct str s, struct str with)
{
    for (size_t at = 0, next; at < s.size; at = next) {
        next = point_next(s, at);
        bool two = (unsigned char)s.data[at] >= 0xF0;
        to = bytes_add(bytes_add(to, with), two ? STR("?") : str_part(s, at, next));
        if (two) to = bytes_add(bytes_add(to, with), STR("?"));
    }
    return bytes_add(to, with);
}

static char *add_replaced(char *to, struct str s, struct str what, struct str with)
{
    size_t at = 0;

    for (const char *found; (found = find(s, at, what)) != NULL; at = (size_t)(found - s.data) + what.size)
        to = bytes_add(bytes_add(to, str_part(s, at, (size_t)(found - s.data))), with);
    return bytes_add(to, str_part(s, at, s.size));
}

static void replace(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 3, i)
    {
        struct str s = fn_str(args[0], i), what = fn_str(args[1], i), with = fn_str(args[2], i);
        size_t n = what.size == 0 ? unit_count(s) + 1 : matches(s, what);
        if (n == 0) {
            fn_put(r, out, i, s);
            continue;
        }
        size_t size = s.size - n * what.size + n * with.size;
        char *bytes = fn_room(r, i, size);
        if (bytes == NULL) continue;
        char *end = what.size == 0 ? add_between(bytes, s, with) : add_replaced(bytes, s, what, with);
        fn_keep(out, i, bytes, (size_t)(end - bytes));
    }
}

/* --- TRANSLATE ---------------------------------------------------------------------------------------------------- */
/* What becomes of the point: itself, its counterpart in `to`, or nothing when `to` is too short. The first place counts. */
static struct str translated(struct str point, struct str from, struct str to)
{
    size_t to_at = 0;

    for (size_t at = 0, next; at < from.size; at = next) {
        next = point_next(from, at);
        size_t to_next = to_at < to.size ? point_next(to, to_at) : to.size;
        if (next - at == point.size && memcmp(from.data + at, point.data, point.size) == 0)
            return str_part(to, to_at, to_next);
        to_at = to_next;
    }
    return point;
}

/* The answers for ASCII, which most texts are. */
struct translation {
    struct str from, to, ascii[128];
    char bytes[128];
};

static void translation_set(struct translation *t, struct str from, struct str to)
{
    t->from = from;
    t->to = to;
    for (unsigned c = 0; c < 128; c++) {
        t->bytes[c] = (char)c;
        t->ascii[c] = translated((struct str){&t->bytes[c], 1}, from, to);
    }
}

static char *add_translated(char *at, struct str s, const struct translation *t, bool table)
{
    for (size_t k = 0, next; k < s.size; k = next) {
        next = point_next(s, k);
        unsigned char c = (unsigned char)s.data[k];
        at = bytes_add(at, c < 128 && table ? t->ascii[c] : translated(str_part(s, k, next), t->from, t->to));
    }
    return at;
}

/* A missing second text translates nothing, a missing third takes the characters out. */
static void translate(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    bool fixed = args[1]->form == VEC_CONST && args[2]->form == VEC_CONST, ready = false;
    struct translation t;

    FN_EACH(r, i)
    {
        if (vector_is_null(args[0], i)) {
            vector_set_null(out, i);
            continue;
        }
        struct str s = fn_str(args[0], i);
        struct str from = vector_is_null(args[1], i) ? STR("") : fn_str(args[1], i);
        struct str to = vector_is_null(args[2], i) ? STR("") : fn_str(args[2], i);
        if (fixed && !ready) translation_set(&t, from, to);
        ready = fixed;
        t.from = from;
        t.to = to;
        char *bytes = fn_room(r, i, str_is_ascii(to) ? s.size : s.size * 4);
        if (bytes == NULL) continue;
        fn_keep(out, i, bytes, (size_t)(add_translated(bytes, s, &t, fixed) - bytes));
    }
}

/* --- the table ---------------------------------------------------------------------------------------------------- */
static const struct type *refine_first_null(const struct fn_call *c, struct arena *a)
{
    return type_with_null(a, c->result, c->args[0]->nullable);
}

static const struct type *refine_overlay(const struct fn_call *c, struct arena *a)
{
    int64_t length = (int64_t)c->args[0]->precision + c->args[1]->precision;

    if (c->args[0]->kind == T_NULL || c->args[1]->kind == T_NULL) return c->result;
    return type_new(a, T_VARCHAR, (int32_t)MAX(MIN(length, (int64_t)INT32_MAX), 1), 0, c->result->nullable);
}

static const struct fn_def functions[] = {
    {.name = "TRIM",
     .usage = "TRIM([BOTH | LEADING | TRAILING] [characters FROM] text)",
     .doc = "without blanks, or other characters, at both ends or one of them",
     .examples = FN_EXAMPLES({"TRIM('  a ')", "a"}, {"TRIM(LEADING 'x' FROM 'xxax')", "ax"}),
     .bind = bind_trim},
    {.name = "LTRIM",
     .usage = "LTRIM(text[, characters])",
     .doc = "without blanks, or other characters, at the beginning",
     .examples = FN_EXAMPLES({"LTRIM('xyxa', 'xy')", "a"}),
     .bind = bind_trim},
    {.name = "RTRIM",
     .usage = "RTRIM(text[, characters])",
     .doc = "without blanks, or other characters, at the end",
     .examples = FN_EXAMPLES({"RTRIM('axyx', 'xy')", "a"}),
     .bind = bind_trim},
    {.name = "BTRIM",
     .usage = "BTRIM(text[, characters])",
     .doc = "without blanks, or other characters, at both ends",
     .examples = FN_EXAMPLES({"BTRIM('xyaxy', 'xy')", "a"}),
     .bind = bind_trim},
    {.name = "OVERLAY",
     .doc = "with a part replaced: from a position on, of a length (that of the new text when none is given)",
     .examples = FN_EXAMPLES({"OVERLAY('abcdef' PLACING 'XY' FROM 2 FOR 4)", "aXYf"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING, STRING, INT -> STRING", overlay},
                               {"STRING, STRING, INT, INT -> STRING", overlay}),
     .refine = refine_overlay},
    {.name = "REPLACE",
     .doc = "with every occurrence of the second text replaced by the third",
     .examples = FN_EXAMPLES({"REPLACE('hello', 'l', 'L')", "heLLo"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING, STRING, STRING -> STRING", replace})},
    {.name = "TRANSLATE",
     .doc = "with each character of the second text exchanged for the one at its place in the third, or taken out",
     .examples = FN_EXAMPLES({"TRANSLATE('abcab', 'abc', 'xy')", "xyxy"}),
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING, STRING, STRING -> STRING", translate}),
     .refine = refine_first_null},
    {.name = "LPAD",
     .doc = "filled up at the left, or cut, to a length; NULL when the length is negative or the padding empty",
     .examples = FN_EXAMPLES({"LPAD('hi', 5, '*')", "***hi"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING, INT, STRING -> STRING", lpad})},
    {.name = "RPAD",
     .doc = "filled up at the right, or cut, to a length; NULL when the length is negative or the padding empty",
     .examples = FN_EXAMPLES({"RPAD('hi', 5, '*')", "hi***"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING, INT, STRING -> STRING", rpad})},
    {0},
};

const struct fn_type fn_string_change = {.name = "string_change",
                                         .doc = "text with parts taken out, put in or exchanged",
                                         .example = "TRIM('  a ')",
                                         .functions = functions};
