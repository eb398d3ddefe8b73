/* function_bind.c - choosing an overload: the first whose arguments are the given types, else the first that implicit casts reach.
 *
 * Signatures are texts of SQL types, read when a call is bound: "INT, STRING -> STRING". Lengths, precisions and nullability
 * of arguments are not compared; what a function makes of them is the business of its bind hook. */
#include "columns/function/fn.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

#include <string.h>

struct signature {
    const struct type *args[FN_SIGNATURE_ARGS_MAX];
    uint32_t count;
    bool more; /* the last one once or more */
    const struct type *result;
};

/* The next type of a list: commas inside brackets part no arguments. */
static struct str next_type(struct str *rest)
{
    uint32_t depth = 0;

    for (size_t i = 0; i < rest->size; i++) {
        char c = rest->data[i];
        depth += c == '<' || c == '(';
        depth -= c == '>' || c == ')';
        if (c != ',' || depth > 0) continue;
        struct str one = {rest->data, i};
        *rest = (struct str){rest->data + i + 1, rest->size - i - 1};
        return str_trim(one);
    }
    struct str one = str_trim(*rest);
    rest->size = 0;
    return one;
}

bool fn_signature_cut(const char *text, struct fn_signature *s)
{
    const char *arrow = strstr(text, "->");

    *s = (struct fn_signature){0};
    if (arrow == NULL) return false;
    struct str rest = str_trim((struct str){text, (size_t)(arrow - text)});
    while (rest.size > 0) {
        struct str one = next_type(&rest);
        if (s->more || s->count == COUNT_OF(s->args)) return false;
        s->more = str_ends(one, STR("..."));
        if (s->more) one = str_trim((struct str){one.data, one.size - 3});
        if (one.size == 0) return false;
        s->args[s->count++] = one;
    }
    s->result = str_trim(str_of(arrow + 2));
    return s->result.size > 0;
}

/* Those of users were read before, when they were made. */
static void read_type(struct arena *a, struct str text, const struct type **out)
{
    enum status st = type_parse(a, text, out, NULL);
    ASSERT(st == S_OK);
}

static bool is_bare_row(struct str text)
{
    struct str word = {text.data, MIN(text.size, (size_t)3)};

    return str_equal_nocase(word, STR("ROW")) && memchr(text.data, '<', text.size) == NULL && memchr(text.data, '(', text.size) == NULL;
}

static void signature_read(struct signature *s, struct arena *a, const char *text)
{
    struct fn_signature texts;
    bool is_one = fn_signature_cut(text, &texts);

    ASSERT(is_one);
    s->count = texts.count;
    s->more = texts.more;
    for (uint32_t i = 0; i < s->count; i++) read_type(a, texts.args[i], &s->args[i]);
    s->result = &type_null; /* of a user's, a ROW that is described elsewhere: its own check knows */
    if (!is_bare_row(texts.result)) read_type(a, texts.result, &s->result);
}

static const struct type *wanted(const struct signature *s, uint32_t i) { return s->args[MIN(i, s->count - 1)]; }

static bool fits(const struct signature *s, const struct fn_call *c, bool exactly)
{
    if (s->more ? c->count < s->count : c->count != s->count) return false;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct type *want = wanted(s, i);
        if (c->args[i]->nullable && !want->nullable) return false; /* of a user's function: it has no place for NULL */
        if (exactly ? c->args[i]->kind != want->kind : !type_casts_implicitly(c->args[i], want)) return false;
    }
    return true;
}

/* Text is text, bytes are bytes, whatever their length: no cast is needed, and the length is kept for the result's type. */
static bool same_form(const struct type *a, const struct type *b)
{
    bool bytes = a->kind == T_BINARY || a->kind == T_VARBINARY;
    return a->kind == b->kind || (type_is_string(a) && type_is_string(b)) || (bytes && (b->kind == T_BINARY || b->kind == T_VARBINARY));
}

static void take(struct fn_call *c, struct arena *a, const struct signature *s, fn_kernel run)
{
    bool strict = c->def->nulls == FN_STRICT, nullable = (c->def->flags & FN_MAY_BE_NULL) != 0;

    for (uint32_t i = 0; i < c->count; i++) {
        const struct type *want = wanted(s, i);
        nullable |= strict && c->args[i]->nullable;
        if (!same_form(c->args[i], want)) c->args[i] = type_with_null(a, want, c->args[i]->nullable);
    }
    c->result = strict ? type_with_null(a, s->result, nullable) : s->result; /* else the signature says NOT NULL */
    c->run = run;
    if (c->def->refine != NULL) c->result = c->def->refine(c, a);
}

static const char *shown_name(const struct fn_call *c) { return strcmp(c->def->name, "NEGATE") == 0 ? "-" : c->def->name; }

/* UPPER(<INT>); <INT> + <DATE>: without NOT NULL, as Flink says it. */
static void print_given(const struct fn_call *c, struct buf *out)
{
    bool is_symbol = strchr("+-*/%<>=|", c->def->name[0]) != NULL;
    bool is_infix = is_symbol && c->count == 2, is_prefix = c->count == 1 && (is_symbol || shown_name(c)[0] == '-');

    bool is_unit = c->def->usage != NULL && strstr(c->def->usage, "(unit") != NULL && c->constants != NULL && c->constants[0] != NULL &&
                   type_is_string(c->constants[0]->type) && !vector_is_null(c->constants[0], 0); /* EXTRACT(YEAR FROM ...) */

    if (!is_infix) buf_printf(out, "%s%s", shown_name(c), is_prefix ? "" : "(");
    for (uint32_t i = 0; i < c->count && i < 20; i++) {
        struct type plain = *c->args[i];
        plain.nullable = true;
        if (i > 0 && !is_infix) buf_append_text(out, ", ");
        if (i > 0 && is_infix) buf_printf(out, " %s ", c->def->name);
        if (i == 0 && is_unit) {
            struct str unit = text_str(&VECTOR_VALUES(c->constants[0], struct text)[0]);
            buf_append(out, unit.data, unit.size);
            continue;
        }
        buf_append_byte(out, '<');
        type_print(&plain, out);
        buf_append_byte(out, '>');
    }
    if (c->count > 20) buf_append_text(out, ", ...");
    if (!is_infix && !is_prefix) buf_append_byte(out, ')');
}

enum status fn_refuse(const struct fn_call *c, const char *takes, struct err *e)
{
    struct mem mem;
    struct buf text;

    mem_init(&mem, "bind", 0);
    buf_init(&text, &mem);
    print_given(c, &text);
    err_set(e, E_GRAPH, "Cannot apply '%s' to arguments of type '%.500s'", shown_name(c), buf_text(&text));
    if (takes != NULL) err_hint(e, "it takes %s", takes);
    buf_release(&text);
    mem_release(&mem);
    return E_GRAPH;
}

enum status fn_wrong_count(const char *name, const char *wanted, struct err *e)
{
    return err_set(e, E_GRAPH, "Invalid number of arguments to function '%s'. Was expecting %s arguments", name, wanted);
}

/* "1", "2 or 3", "1 or more": how many arguments the overloads take. NULL: as many as were given. */
static const char *other_counts(const struct fn_call *c, struct arena *a)
{
    const char *text = "";
    uint32_t more_from = FN_SIGNATURE_ARGS_MAX + 1;
    bool seen[FN_SIGNATURE_ARGS_MAX + 1] = {0};
    struct signature s;

    for (const struct fn_overload *o = c->def->overloads; o->signature != NULL; o++) {
        signature_read(&s, a, o->signature);
        if (s.more ? c->count >= s.count : c->count == s.count) return NULL;
        if (s.more) more_from = MIN(more_from, s.count);
        else seen[s.count] = true;
    }
    for (uint32_t i = 0; i < more_from; i++)
        if (seen[i]) text = arena_printf(a, "%s%s%u", text, *text != '\0' ? " or " : "", i);
    if (more_from <= FN_SIGNATURE_ARGS_MAX) text = arena_printf(a, "%s%s%u or more", text, *text != '\0' ? ", " : "", more_from);
    return text;
}

static enum status no_overload(const struct fn_call *c, struct arena *a, struct err *e)
{
    const char *takes = "", *wanted = other_counts(c, a);

    for (const struct fn_overload *o = c->def->overloads; o->signature != NULL && strlen(takes) < 300; o++) {
        const char *arrow = strstr(o->signature, " ->");
        takes = arena_printf(a, "%s%s(%.*s)", takes, *takes != '\0' ? ", " : "", (int)(arrow != NULL ? arrow - o->signature : 0), o->signature);
    }
    if (wanted == NULL) return fn_refuse(c, takes, e);
    err_hint(e, "it takes %s", takes);
    return fn_wrong_count(c->def->name, wanted, e);
}

enum status fn_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct signature s;

    if (c->def->bind != NULL) {
        enum status st = c->def->bind(c, a, session, e);
        ASSERT(st != S_OK || (c->run != NULL && c->result != NULL));
        return st;
    }
    for (int exactly = 1; exactly >= 0; exactly--)
        for (const struct fn_overload *o = c->def->overloads; o->signature != NULL; o++) {
            signature_read(&s, a, o->signature);
            if (!fits(&s, c, exactly != 0)) continue;
            c->overload = o;
            take(c, a, &s, o->run);
            return c->def->check != NULL ? c->def->check(c, a, e) : S_OK;
        }
    return no_overload(c, a, e);
}
