/* fn_json_make.c - JSON text of values: JSON_STRING, JSON_OBJECT, JSON_ARRAY; texts quoted for JSON and back.
 *
 * Rows become objects, maps with text keys too, arrays arrays; bytes are in base 64, timestamps in ISO form. What was written is
 * read once more and put in order, because keys are sorted and of equal ones the last counts. Inside JSON_OBJECT and
 * JSON_ARRAY the JSON that JSON_OBJECT, JSON_ARRAY and JSON make is put as it is: the binder marks those arguments by a word
 * before them (bind_json.c), because a value does not tell where it comes from. */
#include "columns/function/jdoc.h"
#include "columns/function/nested.h"

#include "columns/column/decimal.h"
#include "columns/column/sql_text.h"
#include "columns/function/fn_text.h"

#include <math.h>
#include <string.h>

struct make_state {
    struct buf text, ordered;
    struct jdoc doc;
};

static void *make_open(const struct fn_call *c, struct mem *mem)
{
    struct make_state *s = mem_zalloc(mem, sizeof *s);

    (void)c;
    buf_init(&s->text, mem);
    buf_init(&s->ordered, mem);
    jdoc_init(&s->doc, mem);
    return s;
}

static void make_close(void *state, struct mem *mem)
{
    struct make_state *s = state;

    jdoc_release(&s->doc);
    buf_release(&s->text);
    buf_release(&s->ordered);
    mem_free(mem, s);
}

static void keep_text(const struct fn_run *r, struct vector *out, uint32_t row, const struct buf *text)
{
    char *bytes = fn_room(r, row, text->size);

    if (bytes == NULL) return;
    bytes_add(bytes, (struct str){text->data, text->size});
    fn_keep(out, row, bytes, text->size);
}

/* The JSON in s->text with its keys in order, each once, and numbers as Flink's. */
static void keep_json(const struct fn_run *r, struct vector *out, uint32_t row)
{
    struct make_state *s = r->state;

    if (!jdoc_read(&s->doc, (struct str){s->text.data, s->text.size})) {
        row_error(r->errors, row, FN_BAD_ARGUMENT, "the JSON is nested more than 1,000 deep");
        return;
    }
    buf_clear(&s->ordered);
    jdoc_write(&s->doc, 0, &s->ordered);
    keep_text(r, out, row, &s->ordered);
}

/* --- values ------------------------------------------------------------------------------------------------------ */
/* Has the type a form in JSON? */
static bool has_json(const struct type *t)
{
    bool scalar = t->kind == T_BOOLEAN || type_is_numeric(t) || type_is_string(t) || t->kind == T_BINARY ||
                  t->kind == T_VARBINARY || t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ;

    if (t->kind == T_MAP) return type_is_string(t->children[0]) && has_json(t->children[1]);
    if (t->kind != T_ARRAY && t->kind != T_ROW) return scalar;
    for (uint32_t i = 0; i < t->child_count; i++)
        if (!has_json(t->children[i])) return false;
    return true;
}

static void write_base64(struct str s, struct buf *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    buf_append_byte(out, '"');
    for (size_t i = 0; i < s.size; i += 3) {
        uint32_t left = (uint32_t)MIN(s.size - i, (size_t)3), three = 0;
        for (uint32_t k = 0; k < 3; k++) three = three << 8 | (k < left ? (unsigned char)s.data[i + k] : 0);
        for (uint32_t k = 0; k < 4; k++) buf_append_byte(out, k <= left ? alphabet[three >> (18 - 6 * k) & 63] : '=');
    }
    buf_append_byte(out, '"');
}

/* 2001-02-03T04:05:06.7: no zeros at the end of the fraction. */
static void write_stamp(const struct vector *v, uint32_t at, struct buf *out)
{
    size_t start = out->size + 1;

    buf_append_byte(out, '"');
    sql_text_print(v, at, 0, out);
    char *blank = memchr(out->data + start, ' ', out->size - start);
    if (blank != NULL) *blank = 'T';
    if (memchr(out->data + start, '.', out->size - start) != NULL) {
        while (out->data[out->size - 1] == '0') out->size--;
        if (out->data[out->size - 1] == '.') out->size--;
    }
    buf_append_text(out, v->type->kind == T_TIMESTAMP_LTZ ? "Z\"" : "\"");
}

/* FLOAT counts as the DOUBLE that it is; what is no number is text. */
static void write_real(double value, struct buf *out)
{
    char text[32];
    size_t size = str_from_double(value, text);

    if (isfinite(value)) buf_append(out, text, size);
    else jtext_write((struct str){text, size}, out);
}

static void write_value(const struct vector *v, uint32_t row, struct buf *out);

/* Entries of a map, elements of an array. */
static void write_list(const struct vector *v, struct list_ref list, struct buf *out)
{
    bool map = v->type->kind == T_MAP;

    buf_append_byte(out, map ? '{' : '[');
    for (uint32_t i = list.first; i < list.first + list.count; i++) {
        if (i > list.first) buf_append_byte(out, ',');
        if (map) {
            bool null = vector_is_null(&v->children[0], i);
            jtext_write(null ? STR("null") : fn_str(&v->children[0], i), out);
            buf_append_byte(out, ':');
        }
        write_value(&v->children[map], i, out);
    }
    buf_append_byte(out, map ? '}' : ']');
}

static void write_row(const struct vector *v, uint32_t at, struct buf *out)
{
    buf_append_byte(out, '{');
    for (uint32_t i = 0; i < v->child_count; i++) {
        if (i > 0) buf_append_byte(out, ',');
        jtext_write(str_of(v->type->names[i]), out);
        buf_append_byte(out, ':');
        write_value(&v->children[i], at, out);
    }
    buf_append_byte(out, '}');
}

static void write_value(const struct vector *v, uint32_t row, struct buf *out)
{
    if (vector_is_null(v, row)) {
        buf_append_text(out, "null");
        return;
    }
    uint32_t at = vector_at(v, row);
    v = vector_values(v);
    switch ((enum type_kind)v->type->kind) {
    case T_BOOLEAN: buf_append_text(out, VECTOR_VALUES(v, bool)[at] ? "true" : "false"); break;
    case T_CHAR:
    case T_VARCHAR: jtext_write(fn_str(v, at), out); break;
    case T_BINARY:
    case T_VARBINARY: write_base64(fn_str(v, at), out); break;
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: write_stamp(v, at, out); break;
    case T_ARRAY:
    case T_MAP: write_list(v, VECTOR_VALUES(v, struct list_ref)[at], out); break;
    case T_ROW: write_row(v, at, out); break;
    case T_FLOAT: write_real(VECTOR_VALUES(v, float)[at], out); break;
    case T_DOUBLE: write_real(VECTOR_VALUES(v, double)[at], out); break;
    default: sql_text_print(v, at, 0, out); break;
    }
}

static enum status no_json(const struct type *t, struct err *e)
{
    struct mem mem;
    struct buf text;

    mem_init(&mem, "bind", 0);
    buf_init(&text, &mem);
    type_print(t, &text);
    err_hint(e, "cast it to STRING; keys of maps must be text");
    err_set(e, E_GRAPH, "a value of type %s has no form in JSON", buf_text(&text));
    buf_release(&text);
    mem_release(&mem);
    return E_GRAPH;
}

static void json_string(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct make_state *s = r->state;

    FN_EACH_VALID(r, args, 1, i)
    {
        buf_clear(&s->text);
        write_value(args[0], i, &s->text);
        keep_json(r, out, i);
    }
}

static enum status bind_string(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count != 1) return fn_wrong_count("JSON_STRING", "1", e);
    if (!has_json(c->args[0])) return no_json(c->args[0], e);
    c->result = type_with_null(a, &type_string, c->args[0]->nullable);
    c->run = json_string;
    return S_OK;
}

/* --- JSON_OBJECT and JSON_ARRAY ---------------------------------------------------------------------------------- */
/* Arguments: 'NULL' or 'ABSENT' (ON NULL); then for each value its key (of an object), how it is written, and the value. */
enum form { FORM_VALUE = 'V', FORM_JSON = 'J', FORM_PARSED = 'P' };

static char form_of(const struct fn_run *r, uint32_t k) { return fn_str(r->call->constants[k], 0).data[0]; }

static void write_formed(const struct fn_run *r, const struct vector *const *args, uint32_t k, uint32_t row,
                         struct buf *out)
{
    struct make_state *s = r->state;
    char form = form_of(r, k - 1);

    if (form == FORM_VALUE || vector_is_null(args[k], row)) {
        write_value(args[k], row, out);
        return;
    }
    struct str text = fn_str(args[k], row);
    if (form == FORM_JSON || jdoc_read(&s->doc, text)) {
        buf_append(out, text.data, form == FORM_JSON ? text.size : s->doc.end);
        return;
    }
    buf_append_text(out, "null");
    row_error(r->errors, row, FN_BAD_TEXT, "the text inside JSON(...) is no JSON");
}

static void json_object(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct buf *text = &((struct make_state *)r->state)->text;

    FN_EACH(r, i)
    {
        bool first = true, no_key = false;
        buf_clear(text);
        buf_append_byte(text, '{');
        for (uint32_t k = 1; k < r->call->count; k += 3) no_key |= vector_is_null(args[k], i);
        if (no_key) row_error(r->errors, i, FN_BAD_ARGUMENT, "a key of JSON_OBJECT is NULL");
        for (uint32_t k = 1; k < r->call->count && !no_key; k += 3) {
            if (form_of(r, 0) == 'A' && vector_is_null(args[k + 2], i)) continue;
            if (!first) buf_append_byte(text, ',');
            first = false;
            jtext_write(fn_str(args[k], i), text);
            buf_append_byte(text, ':');
            write_formed(r, args, k + 2, i, text);
        }
        buf_append_byte(text, '}');
        keep_json(r, out, i);
    }
}

static void json_array(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct buf *text = &((struct make_state *)r->state)->text;

    FN_EACH(r, i)
    {
        bool first = true;
        buf_clear(text);
        buf_append_byte(text, '[');
        for (uint32_t k = 2; k < r->call->count; k += 2) {
            if (form_of(r, 0) == 'A' && vector_is_null(args[k], i)) continue;
            if (!first) buf_append_byte(text, ',');
            first = false;
            write_formed(r, args, k, i, text);
        }
        buf_append_byte(text, ']');
        keep_json(r, out, i);
    }
}

static bool is_form(const struct fn_call *c, uint32_t k)
{
    return k < c->count && c->constants[k] != NULL && type_is_string(c->args[k]) &&
           !vector_is_null(c->constants[k], 0) && fn_str(c->constants[k], 0).size > 0;
}

static enum status bind_made(struct fn_call *c, struct arena *a, struct err *e, uint32_t step, fn_kernel run)
{
    bool fits = is_form(c, 0) && c->count % step == 1;

    for (uint32_t k = 1; fits && k < c->count; k += step) {
        uint32_t value = k + step - 1;
        bool json = is_form(c, value - 1) && fn_str(c->constants[value - 1], 0).data[0] != FORM_VALUE;
        fits = is_form(c, value - 1) && (step == 2 || type_is_string(c->args[k])) &&
               (!json || type_is_string(c->args[value]));
        if (fits && !has_json(c->args[value])) return no_json(c->args[value], e);
    }
    if (!fits) return fn_refuse(c, step == 2 ? "values" : "keys that are text, and values", e);
    c->result = type_with_null(a, &type_string, false);
    c->run = run;
    return S_OK;
}

static enum status bind_object(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_made(c, a, e, 3, json_object);
}

static enum status bind_array(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_made(c, a, e, 2, json_array);
}

/* --- JSON_OBJECTAGG ---------------------------------------------------------------------------------------------------- */
/* A member that another of the same name follows. */
static bool has_twice(struct jdoc *d)
{
    bool twice = false;

    jdoc_hide(d, 0);
    JDOC_EACH(d, 0, child) twice |= d->nodes[child].hidden;
    return twice;
}

/* Its result with the keys in order. What is no JSON has a NULL for a key. */
static void json_entries(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct make_state *s = r->state;

    FN_EACH_VALID(r, args, 1, i)
    {
        if (!jdoc_read(&s->doc, fn_str(args[0], i))) {
            row_error(r->errors, i, FN_BAD_ARGUMENT, "a key of JSON_OBJECTAGG is NULL");
            continue;
        }
        if (has_twice(&s->doc)) {
            row_error(r->errors, i, FN_BAD_ARGUMENT, "a key is there twice. Duplicate keys are not allowed in JSON_OBJECTAGG");
            continue;
        }
        buf_clear(&s->ordered);
        jdoc_write(&s->doc, 0, &s->ordered);
        keep_text(r, out, i, &s->ordered);
    }
}

/* --- JSON_QUOTE and JSON_UNQUOTE --------------------------------------------------------------------------------- */
static void write_quoted(struct str s, struct buf *out)
{
    static const char from[] = "\"\\/\b\f\n\r\t", to[] = "\"\\/bfnrt";

    buf_append_byte(out, '"');
    for (size_t at = 0; at < s.size;) {
        uint32_t c = point_at(s, at, &at);
        const char *found = c > 0 && c < 0x80 ? strchr(from, (int)c) : NULL;
        if (found != NULL) {
            buf_append_byte(out, '\\');
            buf_append_byte(out, to[found - from]);
        } else if (c < 0x80) {
            buf_append_byte(out, (char)c);
        } else if (c >= 0x10000) {
            buf_printf(out, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + (c & 0x3FF));
        } else {
            buf_printf(out, "\\u%04x", c);
        }
    }
    buf_append_byte(out, '"');
}

static void json_quote(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct make_state *s = r->state;

    FN_EACH_VALID(r, args, 1, i)
    {
        buf_clear(&s->text);
        write_quoted(fn_str(args[0], i), &s->text);
        keep_text(r, out, i, &s->text);
    }
}

/* What does not begin with a JSON string stays as it is. Behind the first string Flink looks no further, and takes the quotes at both
 * ends away. */
static void json_unquote(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct jdoc *d = &((struct make_state *)r->state)->doc;

    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        bool quoted = s.size > 1 && s.data[0] == '"' && s.data[s.size - 1] == '"' && jdoc_read(d, s);
        bool whole = quoted && d->end == s.size;
        if (quoted && !whole && memchr(s.data, '\\', s.size) == NULL) s = str_part(s, 1, s.size - 1);
        fn_put(r, out, i, whole ? d->nodes[0].text : s);
    }
}

#define STATE .open = make_open, .close = make_close
static const struct fn_def functions[] = {
    {.name = "$JSON_ENTRIES",
     .doc = "the result of JSON_OBJECTAGG with its keys in order",
     .flags = FN_MAY_FAIL,
     STATE,
     .overloads = FN_OVERLOADS({"STRING -> STRING", json_entries}),
     .refine = refine_as_first},
    {.name = "JSON_ARRAY",
     .usage = "JSON_ARRAY(value, ... [{NULL | ABSENT} ON NULL])",
     .doc = "the values as a JSON array; NULLs are left out unless NULL ON NULL is asked for",
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL,
     STATE,
     .bind = bind_array,
     .examples = FN_EXAMPLES({"JSON_ARRAY(1, 'a', TRUE)", "[1,\"a\",true]"},
                             {"JSON_ARRAY(JSON('[1, 2]'))", "[[1,2]]"})},
    {.name = "JSON_OBJECT",
     .usage = "JSON_OBJECT([KEY] text VALUE value, ... [{NULL | ABSENT} ON NULL])",
     .doc = "keys and values as a JSON object; NULLs are members unless ABSENT ON NULL is asked for",
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL,
     STATE,
     .bind = bind_object,
     .examples = FN_EXAMPLES({"JSON_OBJECT('a' VALUE 1)", "{\"a\":1}"},
                             {"JSON_OBJECT(KEY 'a' VALUE CAST(NULL AS INT) ABSENT ON NULL)", "{}"})},
    {.name = "JSON_QUOTE",
     .doc = "the text as a JSON string; what is not ASCII is escaped",
     STATE,
     .overloads = FN_OVERLOADS({"STRING -> STRING", json_quote}),
     .examples = FN_EXAMPLES({"JSON_QUOTE('a\"b')", "\"a\\\"b\""})},
    {.name = "JSON_STRING",
     .usage = "JSON_STRING(value)",
     .doc = "the value as JSON",
     .flags = FN_MAY_FAIL,
     STATE,
     .bind = bind_string,
     .examples = FN_EXAMPLES({"JSON_STRING(ROW(1, 'a'))", "{\"EXPR$0\":1,\"EXPR$1\":\"a\"}"})},
    {.name = "JSON_UNQUOTE",
     .doc = "the text of a JSON string; other text stays as it is",
     STATE,
     .overloads = FN_OVERLOADS({"STRING -> STRING", json_unquote}),
     .examples = FN_EXAMPLES({"JSON_UNQUOTE('\"abc\"')", "abc"})},
    {0},
};

const struct fn_type fn_json_make = {
    .name = "json_make", .doc = "JSON text of values", .example = "JSON_STRING(ARRAY[1, 2])", .functions = functions};
