/* fn_regex.c - regular expressions of Java: REGEXP, REGEXP_COUNT, REGEXP_EXTRACT, REGEXP_EXTRACT_ALL, REGEXP_INSTR,
 * REGEXP_REPLACE, REGEXP_SUBSTR, and SIMILAR TO.
 *
 * A constant pattern is checked when the call is bound, and compiled once per evaluator; patterns that vary go through its cache. What
 * is no pattern of Java's makes the answer FALSE or NULL, as in Flink, except for SIMILAR TO, which fails. A pattern of Java's that
 * cannot be said in PCRE2's syntax is refused when it is constant, and fails its row otherwise. */
#include "columns/function/fn_text.h"
#include "columns/function/regex.h"

#include "ground/base/arena.h"

/* Of one evaluator. */
struct matcher {
    struct regex_engine *engine;
    struct buf text; /* a result, or a pattern, that is put together */
};

/* Of a call of SIMILAR TO with a constant pattern. */
struct similar_plan {
    struct str java;
};

static void *matcher_open(const struct fn_call *c, struct mem *mem)
{
    struct matcher *m = mem_alloc(mem, sizeof *m);

    (void)c;
    m->engine = regex_engine_create(mem);
    buf_init(&m->text, mem);
    return m;
}

static void matcher_close(void *state, struct mem *mem)
{
    struct matcher *m = state;

    if (m == NULL) return;
    regex_engine_free(m->engine);
    buf_release(&m->text);
    mem_free(mem, m);
}

/* The row's pattern. One that cannot be compiled: NULL, the row fails when it is FOREIGN; *wrong when it is none of Java's. */
static const struct regex *pattern_of(const struct fn_run *r, const struct vector *const *args, uint32_t i, bool *wrong)
{
    const struct matcher *m = r->state;
    const struct regex *re = regex_get(m->engine, fn_str(args[1], i));

    *wrong = re->mistake.fault == REGEX_WRONG;
    if (re->mistake.fault == REGEX_FOREIGN) row_error(r->errors, i, FN_BAD_ARGUMENT, re->mistake.what);
    return re->code != NULL ? re : NULL;
}

static bool found(const struct fn_run *r, uint32_t i, enum regex_answer answer)
{
    if (answer == REGEX_TOO_HARD) row_error(r->errors, i, FN_BAD_ARGUMENT, REGEX_TOO_HARD_TEXT);
    return answer == REGEX_YES;
}

static bool first_match(const struct fn_run *r, uint32_t i, const struct regex *re, struct str s)
{
    const struct matcher *m = r->state;
    return re != NULL && found(r, i, regex_find(m->engine, re, s, 0));
}

/* --- is it there, where, how often -------------------------------------------------------------------------------- */
/* An empty pattern is found nowhere, as in Flink. */
static void regexp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    bool wrong;

    FN_EACH_VALID(r, args, 2, i)
    VECTOR_VALUES(out, bool)
    [i] = fn_text(args[1], i)->size > 0 && first_match(r, i, pattern_of(r, args, i, &wrong), fn_str(args[0], i));
}

/* Java counts in units of UTF-16. */
static int32_t utf16_units(struct str s)
{
    int32_t n = 0;

    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.data[i];
        n += ((c & 0xC0) != 0x80) + (c >= 0xF0);
    }
    return n;
}

static void instr(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    bool wrong;

    FN_EACH_VALID(r, args, 2, i)
    {
        struct str s = fn_str(args[0], i);
        const struct regex *re = pattern_of(r, args, i, &wrong);
        if (wrong)
            vector_set_null(out, i);
        else
            VECTOR_VALUES(out, int32_t)
            [i] = first_match(r, i, re, s) ? utf16_units(str_part(s, 0, re->spans[0])) + 1 : 0;
    }
}

static int32_t count_of(const struct fn_run *r, uint32_t i, const struct regex *re, struct str s)
{
    const struct matcher *m = r->state;
    size_t from = 0;
    int32_t n = 0;

    while (re != NULL && found(r, i, regex_next(m->engine, re, s, &from))) n++;
    return n;
}

static void count(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    bool wrong;

    FN_EACH_VALID(r, args, 2, i)
    {
        const struct regex *re = pattern_of(r, args, i, &wrong);
        if (wrong)
            vector_set_null(out, i);
        else
            VECTOR_VALUES(out, int32_t)[i] = count_of(r, i, re, fn_str(args[0], i));
    }
}

/* --- parts -------------------------------------------------------------------------------------------------------- */
/* Which group a call asks for; Java cuts the number to 32 bits. */
static int32_t group_asked(const struct fn_run *r, const struct vector *const *args, uint32_t i, int32_t fallback)
{
    return r->call->count > 2 ? (int32_t)VECTOR_VALUES(args[2], int64_t)[vector_at(args[2], i)] : fallback;
}

/* REGEXP_EXTRACT and REGEXP_SUBSTR: a group of the first match. */
static void extract(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    uint32_t n = r->call->count;
    bool wrong;

    FN_EACH_VALID(r, args, n, i)
    {
        fn_text_fetch(r, args[0], i + FN_AHEAD);
        struct str s = fn_str(args[0], i), part;
        const struct regex *re = pattern_of(r, args, i, &wrong);
        int32_t group = group_asked(r, args, i, 0);
        if (first_match(r, i, re, s) && group >= 0 && (uint32_t)group <= re->groups &&
            regex_group(re, s, (uint32_t)group, &part))
            fn_put(r, out, i, part);
        else
            vector_set_null(out, i);
    }
}

static void add_element(const struct fn_run *r, struct vector *out, const struct str *part)
{
    struct vector *elements = &out->children[0];

    if (elements->used == elements->capacity) vector_child_reserve(out, elements->used + 1, r->mem);
    uint32_t at = elements->used++;
    if (part == NULL) {
        vector_set_null(elements, at);
        return;
    }
    vector_set_valid(elements, at);
    fn_put(r, elements, at, *part);
}

static void extract_all(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct matcher *m = r->state;
    uint32_t n = r->call->count;
    bool wrong;

    FN_EACH_VALID(r, args, n, i)
    {
        struct str s = fn_str(args[0], i), part;
        const struct regex *re = pattern_of(r, args, i, &wrong);
        int64_t group = n > 2 ? VECTOR_VALUES(args[2], int64_t)[vector_at(args[2], i)] : 1;
        struct list_ref *list = &VECTOR_VALUES(out, struct list_ref)[i];
        size_t from = 0;

        *list = (struct list_ref){out->children[0].used, 0};
        if (re == NULL || group < 0 || group > (int64_t)re->groups) {
            vector_set_null(out, i);
            continue;
        }
        for (; found(r, i, regex_next(m->engine, re, s, &from)); list->count++)
            add_element(r, out, regex_group(re, s, (uint32_t)group, &part) ? &part : NULL);
    }
}

/* --- REGEXP_REPLACE ----------------------------------------------------------------------------------------------- */
/* The replacement is a text: Flink gives '$' and '\' in it no meaning. */
static bool replaced(const struct fn_run *r, uint32_t i, const struct regex *re, struct str s, struct str by)
{
    struct matcher *m = r->state;
    size_t from = 0, done = 0;

    buf_clear(&m->text);
    while (found(r, i, regex_next(m->engine, re, s, &from))) {
        buf_append(&m->text, s.data + done, re->spans[0] - done);
        buf_append(&m->text, by.data, by.size);
        done = re->spans[1];
        if (m->text.size > FN_TEXT_MAX) {
            row_error(r->errors, i, FN_BAD_ARGUMENT, FN_TEXT_TOO_LONG);
            return false;
        }
    }
    buf_append(&m->text, s.data + done, s.size - done);
    return true;
}

static void replace(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct matcher *m = r->state;
    bool wrong;

    FN_EACH_VALID(r, args, 3, i)
    {
        const struct regex *re = pattern_of(r, args, i, &wrong);
        if (wrong && r->call->result->nullable)
            vector_set_null(out, i);
        else if (wrong)
            row_error(r->errors, i, FN_BAD_ARGUMENT, "no regular expression, and the result may not be NULL");
        else if (re != NULL && replaced(r, i, re, fn_str(args[0], i), fn_str(args[2], i)))
            fn_put(r, out, i, (struct str){(const char *)m->text.data, m->text.size});
    }
}

/* --- SIMILAR TO --------------------------------------------------------------------------------------------------- */
static struct str similar_java(const struct fn_run *r, const struct vector *const *args, uint32_t i)
{
    const struct similar_plan *plan = r->call->plan;
    struct matcher *m = r->state;
    struct regex_mistake mistake;

    if (plan != NULL) return plan->java;
    buf_clear(&m->text);
    if (regex_similar(fn_str(args[1], i), r->call->count > 2 ? fn_str(args[2], i) : STR(""), &m->text, &mistake) ==
        REGEX_FINE)
        return (struct str){(const char *)m->text.data, m->text.size};
    row_error(r->errors, i, FN_BAD_ARGUMENT, mistake.what);
    return (struct str){0};
}

static void similar(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct matcher *m = r->state;
    uint32_t n = r->call->count;

    FN_EACH_VALID(r, args, n, i)
    {
        struct str java = similar_java(r, args, i);
        if (java.data == NULL) continue;
        const struct regex *re = regex_get(m->engine, java);
        if (re->code == NULL)
            row_error(r->errors, i, FN_BAD_ARGUMENT, re->mistake.what);
        else
            VECTOR_VALUES(out, bool)[i] = first_match(r, i, re, fn_str(args[0], i));
    }
}

/* --- binding ------------------------------------------------------------------------------------------------------ */
static bool is_known(const struct fn_call *c, uint32_t i)
{
    return c->constants[i] != NULL && !vector_is_null(c->constants[i], 0);
}

static enum status refuse(const struct fn_call *c, struct str pattern, const struct regex_mistake *m, bool placed,
                          struct err *e)
{
    enum status st = m->fault == REGEX_FOREIGN ? E_UNSUPPORTED : E_GRAPH;
    int shown = (int)MIN(pattern.size, (size_t)200);

    if (!placed) return err_set(e, st, "%s: %s, in '%.*s'", c->def->name, m->what, shown, pattern.data);
    return err_set(e, st, "%s: %s, at position %zu of '%.*s'", c->def->name, m->what,
                   str_utf8_length(str_part(pattern, 0, m->at)) + 1, shown, pattern.data);
}

static enum status check_pattern(struct fn_call *c, struct arena *a, struct err *e)
{
    struct regex_mistake m;

    (void)a;
    if (!is_known(c, 1)) return S_OK;
    struct str pattern = fn_str(c->constants[1], 0);
    return regex_check(pattern, &m) == REGEX_FOREIGN ? refuse(c, pattern, &m, m.at > 0, e) : S_OK;
}

static enum status check_similar(struct fn_call *c, struct arena *a, struct err *e)
{
    struct regex_mistake m;
    struct buf java;
    enum status st = S_OK;

    if (!is_known(c, 1) || (c->count > 2 && !is_known(c, 2))) return S_OK;
    struct str pattern = fn_str(c->constants[1], 0);
    buf_init(&java, a->mem);
    bool ok = regex_similar(pattern, c->count > 2 ? fn_str(c->constants[2], 0) : STR(""), &java, &m) == REGEX_FINE;
    if (!ok) {
        st = refuse(c, pattern, &m, true, e);
    } else if (regex_check((struct str){(const char *)java.data, java.size}, &m) != REGEX_FINE) {
        st = refuse(c, pattern, &m, false, e);
    } else {
        struct similar_plan *plan = ARENA_NEW(a, struct similar_plan);
        plan->java = (struct str){arena_strndup(a, (const char *)java.data, java.size), java.size};
        c->plan = plan;
    }
    buf_release(&java);
    return st;
}

#define MATCHER .open = matcher_open, .close = matcher_close, .check = check_pattern

static const struct fn_def functions[] = {
    {.name = "REGEXP",
     .doc = "does a regular expression of Java's match a part of a text?",
     .examples = FN_EXAMPLES({"REGEXP('abc', 'b|x')", "TRUE"}, {"REGEXP('abc', '^b')", "FALSE"}),
     .flags = FN_MAY_FAIL | FN_COSTLY,
     .overloads = FN_OVERLOADS({"STRING, STRING -> BOOLEAN", regexp}),
     MATCHER},
    {.name = "REGEXP_COUNT",
     .doc = "how often a regular expression matches in a text; NULL when it is none",
     .examples = FN_EXAMPLES({"REGEXP_COUNT('foobar', 'o')", "2"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     .overloads = FN_OVERLOADS({"STRING, STRING -> INT", count}),
     MATCHER},
    {.name = "REGEXP_EXTRACT",
     .doc = "what the first match of a regular expression took, or one of its groups; NULL when there is none",
     .examples = FN_EXAMPLES({"REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "bar"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     .overloads = FN_OVERLOADS({"STRING, STRING -> STRING", extract}, {"STRING, STRING, BIGINT -> STRING", extract}),
     MATCHER},
    {.name = "REGEXP_EXTRACT_ALL",
     .doc = "what a group (1 unless it is named) took in each match of a regular expression; NULL when there is no "
            "such group",
     .examples = FN_EXAMPLES({"REGEXP_EXTRACT_ALL('100-200, 300-400', '(\\d+)-(\\d+)', 2)", "[200, 400]"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     .overloads = FN_OVERLOADS({"STRING, STRING -> ARRAY<STRING>", extract_all},
                               {"STRING, STRING, BIGINT -> ARRAY<STRING>", extract_all}),
     MATCHER},
    {.name = "REGEXP_INSTR",
     .doc =
         "where a regular expression first matches, from 1, as Java counts; 0 when it does not, NULL when it is none",
     .examples = FN_EXAMPLES({"REGEXP_INSTR('abc', '[b-c]')", "2"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     .overloads = FN_OVERLOADS({"STRING, STRING -> INT", instr}),
     MATCHER},
    {.name = "REGEXP_REPLACE",
     .doc = "every match of a regular expression exchanged for a text",
     .examples = FN_EXAMPLES({"REGEXP_REPLACE('foobar', 'oo|ar', '')", "fb"}),
     .flags = FN_MAY_FAIL | FN_COSTLY,
     .overloads = FN_OVERLOADS({"STRING, STRING, STRING -> STRING", replace}),
     MATCHER},
    {.name = "REGEXP_SUBSTR",
     .doc = "what the first match of a regular expression took; NULL when there is none",
     .examples = FN_EXAMPLES({"REGEXP_SUBSTR('hello', 'l+')", "ll"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     .overloads = FN_OVERLOADS({"STRING, STRING -> STRING", extract}),
     MATCHER},
    {.name = "SIMILAR TO",
     .doc = "does a pattern of SQL's match a whole text? '%' and '_' as in LIKE, groups, '|', repetitions and classes "
            "as in regular "
            "expressions",
     .examples = FN_EXAMPLES({"'abc' SIMILAR TO 'a(b|c)+'", "TRUE"}, {"'a%' SIMILAR TO '_!%' ESCAPE '!'", "TRUE"}),
     .flags = FN_MAY_FAIL | FN_COSTLY,
     .overloads = FN_OVERLOADS({"STRING, STRING -> BOOLEAN", similar}, {"STRING, STRING, STRING -> BOOLEAN", similar}),
     .open = matcher_open,
     .close = matcher_close,
     .check = check_similar},
    {0},
};

const struct fn_type fn_regex = {
    .name = "regex", .doc = "regular expressions", .example = "REGEXP('abc', 'b')", .functions = functions};
