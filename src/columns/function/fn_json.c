/* fn_json.c - IS JSON, JSON_EXISTS, JSON_VALUE, JSON_QUERY: documents asked by SQL/JSON paths.
 *
 * A call is read when it is bound: the path is compiled, the words behind it (RETURNING, wrappers, ON EMPTY, ON ERROR) become a
 * plan. Each row's document is read into nodes that the state keeps. What a path finds is nothing, a value or a mistake, as in
 * Calcite: lax, mistakes and values of the wrong kind are empty; strict, they are errors. */
#include "columns/function/jdoc.h"
#include "columns/function/nested.h"

#include "columns/column/type_rules.h"
#include "columns/function/fn_text.h"

#include <string.h>

enum behaviour { ON_NULL, ON_ERROR, ON_DEFAULT, ON_TRUE, ON_FALSE, ON_EMPTY_ARRAY, ON_EMPTY_OBJECT };
enum wrapper { WRAP_NOT, WRAP_CONDITIONAL, WRAP_ALWAYS };

struct json_plan {
    struct jpath path;
    enum behaviour on_empty, on_error;
    uint32_t default_empty, default_error; /* arguments */
    enum wrapper wrapper;
};

struct json_state {
    struct jdoc doc;
    struct jfound found;
    struct buf text;
};

static void *json_open(const struct fn_call *c, struct mem *mem)
{
    struct json_state *s = mem_zalloc(mem, sizeof *s);

    (void)c;
    jdoc_init(&s->doc, mem);
    s->found.mem = mem;
    buf_init(&s->text, mem);
    return s;
}

static void json_close(void *state, struct mem *mem)
{
    struct json_state *s = state;

    jdoc_release(&s->doc);
    mem_free(mem, s->found.hits);
    buf_release(&s->text);
    mem_free(mem, s);
}

static const struct json_plan *plan_of(const struct fn_run *r) { return r->call->plan; }

/* Asks the document of a row. */
static const struct jfound *ask(const struct fn_run *r, const struct vector *const *args, uint32_t row)
{
    struct json_state *s = r->state;

    jpath_find(&plan_of(r)->path, &s->doc, jdoc_read(&s->doc, fn_str(args[0], row)), &s->found);
    return &s->found;
}

/* --- IS JSON ----------------------------------------------------------------------------------------------------- */
#define IS_JSON(NAME, TEST)                                                                                            \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        struct jdoc *d = &((struct json_state *)r->state)->doc;                                                        \
        FN_EACH(r, i)                                                                                                  \
        {                                                                                                              \
            bool is = !vector_is_null(args[0], i) && jdoc_read(d, fn_str(args[0], i));                                 \
            VECTOR_VALUES(out, bool)[i] = (TEST);                                                                      \
        }                                                                                                              \
    }
#define KIND d->nodes[0].kind
IS_JSON(is_json, is)
IS_JSON(is_object, is &&KIND == J_OBJECT)
IS_JSON(is_array, is &&KIND == J_ARRAY)
IS_JSON(is_scalar, is &&KIND < J_ARRAY)
IS_JSON(is_not_json, !is)
IS_JSON(is_not_object, !(is && KIND == J_OBJECT))
IS_JSON(is_not_array, !(is && KIND == J_ARRAY))
IS_JSON(is_not_scalar, !(is && KIND < J_ARRAY))

/* --- the words of a call ----------------------------------------------------------------------------------------- */
struct words {
    struct fn_call *c;
    uint32_t at;
};

static bool take_word(struct words *w, const char *word)
{
    const struct vector *v = w->at < w->c->count ? w->c->constants[w->at] : NULL;
    bool is = v != NULL && type_is_string(v->type) && !vector_is_null(v, 0) && str_equal(fn_str(v, 0), str_of(word));

    w->at += is;
    return is;
}

static enum status refuse(const struct fn_call *c, struct err *e)
{
    err_hint(e, "it is written as in JSON_VALUE(text, '$.a' RETURNING INT NULL ON EMPTY DEFAULT 0 ON ERROR)");
    return err_set(e, E_GRAPH, "the words of '%s' do not fit together", c->def->name);
}

/* NULL | ERROR | DEFAULT x | TRUE | FALSE | UNKNOWN | EMPTY ARRAY | EMPTY OBJECT. False: none of these stands here. */
static bool take_behaviour(struct words *w, enum behaviour *what, uint32_t *value)
{
    static const struct {
        const char *word;
        enum behaviour what;
    } simple[] = {{"NULL", ON_NULL}, {"UNKNOWN", ON_NULL}, {"ERROR", ON_ERROR}, {"TRUE", ON_TRUE}, {"FALSE", ON_FALSE}};

    for (size_t i = 0; i < COUNT_OF(simple); i++)
        if (take_word(w, simple[i].word)) {
            *what = simple[i].what;
            return true;
        }
    if (take_word(w, "DEFAULT") && w->at < w->c->count) {
        *what = ON_DEFAULT;
        *value = w->at++;
        return true;
    }
    if (!take_word(w, "EMPTY")) return false;
    *what = take_word(w, "OBJECT") ? ON_EMPTY_OBJECT : ON_EMPTY_ARRAY;
    return *what == ON_EMPTY_OBJECT || take_word(w, "ARRAY");
}

/* Behaviours up to the end; which are allowed is the function's. */
static enum status take_behaviours(struct words *w, struct json_plan *plan, uint32_t allowed, struct err *e)
{
    while (w->at < w->c->count) {
        enum behaviour what = ON_NULL;
        uint32_t value = 0;
        if (!take_behaviour(w, &what, &value) || !take_word(w, "ON") || !(allowed >> what & 1)) return refuse(w->c, e);
        if (take_word(w, "EMPTY")) {
            plan->on_empty = what;
            plan->default_empty = value;
        } else if (take_word(w, "ERROR")) {
            plan->on_error = what;
            plan->default_error = value;
        } else {
            return refuse(w->c, e);
        }
    }
    return S_OK;
}

/* (text, 'path', ...): compiles the path. */
static enum status begin(struct fn_call *c, struct arena *a, struct json_plan **plan, struct err *e)
{
    if (c->count < 2 || !(type_is_string(c->args[0]) || c->args[0]->kind == T_NULL))
        return c->count < 2 ? fn_wrong_count(c->def->name, "2 or more", e) : fn_refuse(c, "a text and a path", e);
    if (c->args[0]->kind == T_NULL) c->args[0] = &type_string;
    if (c->constants[1] == NULL || !type_is_string(c->args[1]) || vector_is_null(c->constants[1], 0))
        return err_set(e, E_GRAPH, "the path of '%s' must be a constant text", c->def->name);
    *plan = ARENA_NEW(a, struct json_plan);
    c->plan = *plan;
    return jpath_compile(a, fn_str(c->constants[1], 0), &(*plan)->path, e);
}

static enum status take_type(struct words *w, struct arena *a, const struct type **out, struct err *e)
{
    if (!take_word(w, "RETURNING")) return S_OK;
    const struct vector *v = w->at < w->c->count ? w->c->constants[w->at++] : NULL;
    if (v == NULL || !type_is_string(v->type) || vector_is_null(v, 0)) return refuse(w->c, e);
    return type_parse(a, fn_str(v, 0), out, e);
}

/* --- JSON_EXISTS ------------------------------------------------------------------------------------------------- */
static void json_exists(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    enum behaviour on_error = plan_of(r)->on_error;

    FN_EACH(r, i)
    {
        if (vector_is_null(args[0], i)) {
            vector_set_null(out, i);
            continue;
        }
        enum jresult result = ask(r, args, i)->result;
        VECTOR_VALUES(out, bool)[i] = result == JRES_ERROR ? on_error == ON_TRUE : result != JRES_NULL;
        if (result != JRES_ERROR) continue;
        if (on_error == ON_NULL) vector_set_null(out, i);
        if (on_error == ON_ERROR)
            row_error(r->errors, i, FN_BAD_ARGUMENT, "the JSON path finds nothing, or the text is no JSON");
    }
}

static enum status bind_exists(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct json_plan *plan = NULL;
    struct words w = {c, 2};

    (void)session;
    TRY(begin(c, a, &plan, e));
    plan->on_error = ON_FALSE;
    TRY(take_behaviours(&w, plan, 1u << ON_NULL | 1u << ON_TRUE | 1u << ON_FALSE | 1u << ON_ERROR, e));
    c->result = &type_boolean;
    c->run = json_exists;
    return S_OK;
}

/* --- JSON_VALUE -------------------------------------------------------------------------------------------------- */
/* NULL, a default, or an error for a row that has no value of its own. */
static void put_instead(const struct fn_run *r, const struct vector *const *args, uint32_t row, bool empty,
                        struct vector *out)
{
    const struct json_plan *p = plan_of(r);
    enum behaviour what = empty ? p->on_empty : p->on_error;

    if (what == ON_DEFAULT)
        nested_put(r, out, row, args[empty ? p->default_empty : p->default_error], row);
    else
        vector_set_null(out, row);
    if (what == ON_ERROR && empty) row_error(r->errors, row, FN_BAD_ARGUMENT, "the JSON path finds nothing");
    if (what == ON_ERROR && !empty)
        row_error(r->errors, row, FN_BAD_ARGUMENT, "the JSON path finds no such value, or the text is no JSON");
}

/* A scalar as the type asked for; one that is none fails its row, whatever ON ERROR says, as in Flink. */
static void put_scalar(const struct fn_run *r, uint32_t row, uint32_t node, struct vector *out)
{
    struct json_state *s = r->state;
    const struct jnode *n = &s->doc.nodes[node];
    int64_t whole = 0;
    double real = 0;
    bool number = n->kind == J_INT || n->kind == J_REAL, fits = true;

    switch ((enum type_kind)out->type->kind) {
    case T_BOOLEAN:
        fits = n->kind == J_TRUE || n->kind == J_FALSE;
        VECTOR_VALUES(out, bool)[row] = n->kind == J_TRUE;
        break;
    case T_INT:
        fits = n->kind == J_INT && str_to_int64(n->text, &whole) && whole == (int32_t)whole;
        VECTOR_VALUES(out, int32_t)[row] = (int32_t)whole;
        break;
    case T_DOUBLE:
        fits = number && str_to_double(n->text, &real);
        VECTOR_VALUES(out, double)[row] = real;
        break;
    default:
        buf_clear(&s->text);
        jdoc_write_plain(&s->doc, node, &s->text);
        fn_put(r, out, row, (struct str){s->text.data, s->text.size});
    }
    if (!fits) row_error(r->errors, row, FN_BAD_ARGUMENT, "the JSON value is not of the type that is to be returned");
}

static void json_value(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct json_state *s = r->state;
    bool lax = plan_of(r)->path.lax;

    FN_EACH(r, i)
    {
        if (vector_is_null(args[0], i)) {
            vector_set_null(out, i);
            continue;
        }
        const struct jfound *f = ask(r, args, i);
        bool scalar = f->result == JRES_ONE && jhit_is_scalar(&s->doc, &f->hits[0]);
        if (scalar)
            put_scalar(r, i, f->hits[0].node, out);
        else
            put_instead(r, args, i, f->result == JRES_NULL || (lax && f->result != JRES_ERROR), out);
    }
}

static enum status bind_value(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct json_plan *plan = NULL;
    struct words w = {c, 2};
    const struct type *t = &type_string;

    (void)session;
    TRY(begin(c, a, &plan, e));
    TRY(take_type(&w, a, &t, e));
    if (t->kind != T_BOOLEAN && t->kind != T_INT && t->kind != T_DOUBLE && t->kind != T_VARCHAR)
        return err_set(e, E_GRAPH, "JSON_VALUE returns STRING, BOOLEAN, INT or DOUBLE");
    TRY(take_behaviours(&w, plan, 1u << ON_NULL | 1u << ON_ERROR | 1u << ON_DEFAULT, e));
    c->result = type_with_null(a, t->kind == T_VARCHAR ? &type_string : t, true);
    if (plan->default_empty > 0) c->args[plan->default_empty] = c->result;
    if (plan->default_error > 0) c->args[plan->default_error] = c->result;
    c->run = json_value;
    return S_OK;
}

/* --- JSON_QUERY -------------------------------------------------------------------------------------------------- */
/* Is what was found an array, or a list of several? */
static bool is_list(const struct jdoc *d, const struct jfound *f)
{
    return f->result == JRES_LIST || (f->hits[0].members == NULL && d->nodes[f->hits[0].node].kind == J_ARRAY);
}

static bool is_wrapped(const struct jdoc *d, const struct jfound *f, enum wrapper w)
{
    return w == WRAP_ALWAYS || (w == WRAP_CONDITIONAL && !is_list(d, f));
}

static void write_found(struct jdoc *d, const struct jfound *f, struct buf *out)
{
    if (f->result == JRES_ONE) {
        jhit_write(d, &f->hits[0], out);
        return;
    }
    buf_append_byte(out, '[');
    for (uint32_t i = 0; i < f->count && out->size <= FN_TEXT_MAX; i++) { /* longer ones fail their row */
        if (i > 0) buf_append_byte(out, ',');
        jhit_write(d, &f->hits[i], out);
    }
    buf_append_byte(out, ']');
}

static void put_json(const struct fn_run *r, uint32_t row, const struct jfound *f, bool wrapped, struct vector *out)
{
    struct json_state *s = r->state;

    buf_clear(&s->text);
    if (wrapped) buf_append_byte(&s->text, '[');
    write_found(&s->doc, f, &s->text);
    if (wrapped) buf_append_byte(&s->text, ']');
    char *bytes = fn_room(r, row, s->text.size);
    if (bytes == NULL) return;
    bytes_add(bytes, (struct str){s->text.data, s->text.size});
    fn_keep(out, row, bytes, s->text.size);
}

/* An element of an array of STRING: text without quotes, NULL, or JSON; what is in s->text stands for f when hit is NULL. */
static void add_element(const struct fn_run *r, const struct jhit *hit, const struct jfound *f, struct vector *out)
{
    struct json_state *s = r->state;
    struct vector *items = &out->children[0];

    if (items->used == items->capacity) vector_child_reserve(out, items->used + 1, r->mem);
    buf_clear(&s->text);
    if (hit == NULL) {
        write_found(&s->doc, f, &s->text);
    } else if (hit->members == NULL && s->doc.nodes[hit->node].kind == J_NULL) {
        vector_set_null(items, items->used);
    } else if (hit->members == NULL && s->doc.nodes[hit->node].kind == J_STRING) {
        jdoc_write_plain(&s->doc, hit->node, &s->text);
    } else {
        jhit_write(&s->doc, hit, &s->text);
    }
    fn_put(r, items, items->used++, (struct str){s->text.data, s->text.size});
}

static void put_strings(const struct fn_run *r, uint32_t row, const struct jfound *f, bool wrapped, struct vector *out)
{
    const struct jdoc *d = &((struct json_state *)r->state)->doc;

    list_begin(out, row);
    if (wrapped) {
        add_element(r, f->result == JRES_ONE ? &f->hits[0] : NULL, f, out);
    } else if (f->result == JRES_LIST) {
        for (uint32_t i = 0; i < f->count; i++) add_element(r, &f->hits[i], f, out);
    } else {
        JDOC_EACH(d, f->hits[0].node, child) add_element(r, &(struct jhit){child, NULL}, f, out);
    }
    list_end(out, row);
}

static void put_empty(const struct fn_run *r, const struct vector *const *args, uint32_t row, bool empty,
                      struct vector *out)
{
    enum behaviour what = empty ? plan_of(r)->on_empty : plan_of(r)->on_error;
    bool array = what == ON_EMPTY_ARRAY;

    if (!array && what != ON_EMPTY_OBJECT) {
        put_instead(r, args, row, empty, out);
    } else if (out->phys == P_LIST) {
        list_begin(out, row);
        list_end(out, row);
    } else {
        fn_put(r, out, row, array ? STR("[]") : STR("{}"));
    }
}

static void json_query(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct json_plan *p = plan_of(r);
    const struct jdoc *d = &((struct json_state *)r->state)->doc;
    bool strings = out->phys == P_LIST;

    FN_EACH(r, i)
    {
        if (vector_is_null(args[0], i)) {
            vector_set_null(out, i);
            continue;
        }
        const struct jfound *f = ask(r, args, i);
        bool found = f->result >= JRES_ONE, wrapped = found && is_wrapped(d, f, p->wrapper);
        bool scalar = f->result == JRES_ONE && !wrapped && jhit_is_scalar(d, &f->hits[0]);
        if (!found || scalar)
            put_empty(r, args, i, f->result == JRES_NULL || (scalar && p->path.lax), out);
        else if (!strings)
            put_json(r, i, f, wrapped, out);
        else if (wrapped || is_list(d, f))
            put_strings(r, i, f, wrapped, out);
        else
            put_empty(r, args, i, false, out);
    }
}

/* WITHOUT [ARRAY] WRAPPER | WITH [CONDITIONAL | UNCONDITIONAL] [ARRAY] WRAPPER */
static enum status take_wrapper(struct words *w, enum wrapper *out, struct err *e)
{
    bool without = take_word(w, "WITHOUT");

    if (!without && !take_word(w, "WITH")) return S_OK;
    *out = without ? WRAP_NOT : take_word(w, "CONDITIONAL") ? WRAP_CONDITIONAL : WRAP_ALWAYS;
    if (*out == WRAP_ALWAYS) take_word(w, "UNCONDITIONAL");
    take_word(w, "ARRAY");
    return take_word(w, "WRAPPER") ? S_OK : refuse(w->c, e);
}

static enum status bind_query(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct json_plan *plan = NULL;
    struct words w = {c, 2};
    const struct type *t = &type_string;

    (void)session;
    TRY(begin(c, a, &plan, e));
    TRY(take_type(&w, a, &t, e));
    bool strings = t->kind == T_ARRAY && t->children[0]->kind == T_VARCHAR;
    if (!strings && t->kind != T_VARCHAR) return err_set(e, E_GRAPH, "JSON_QUERY returns STRING or ARRAY<STRING>");
    TRY(take_wrapper(&w, &plan->wrapper, e));
    TRY(take_behaviours(&w, plan, 1u << ON_NULL | 1u << ON_ERROR | 1u << ON_EMPTY_ARRAY | 1u << ON_EMPTY_OBJECT, e));
    if (strings && (plan->on_empty == ON_EMPTY_OBJECT || plan->on_error == ON_EMPTY_OBJECT))
        return err_set(e, E_GRAPH, "an EMPTY OBJECT is no ARRAY<STRING>");
    c->result = strings ? type_list(a, T_ARRAY, &type_string, NULL, true) : &type_string;
    c->run = json_query;
    return S_OK;
}

#define STATE .open = json_open, .close = json_close
#define QUESTION(NAME, DOC, KERNEL, TEXT, RESULT)                                                                      \
    {                                                                                                                  \
        .name = NAME, .doc = DOC, .nulls = FN_OWN_NULLS, STATE,                                                        \
        .overloads = FN_OVERLOADS({"STRING -> BOOLEAN NOT NULL", KERNEL}), .examples = FN_EXAMPLES({TEXT, RESULT})     \
    }
static const struct fn_def functions[] = {
    QUESTION("IS JSON", "is the text JSON?", is_json, "'{\"a\": 1}' IS JSON", "TRUE"),
    QUESTION("IS JSON VALUE", "is the text JSON?", is_json, "'null' IS JSON VALUE", "TRUE"),
    QUESTION("IS JSON OBJECT", "is the text a JSON object?", is_object, "'[]' IS JSON OBJECT", "FALSE"),
    QUESTION("IS JSON ARRAY", "is the text a JSON array?", is_array, "'[]' IS JSON ARRAY", "TRUE"),
    QUESTION("IS JSON SCALAR", "is the text a JSON string, number, true, false or null?", is_scalar,
             "'1' IS JSON SCALAR", "TRUE"),
    QUESTION("IS NOT JSON", "is the text no JSON, or NULL?", is_not_json, "'a' IS NOT JSON", "TRUE"),
    QUESTION("IS NOT JSON VALUE", "is the text no JSON, or NULL?", is_not_json, "'a' IS NOT JSON VALUE", "TRUE"),
    QUESTION("IS NOT JSON OBJECT", "is the text no JSON object, or NULL?", is_not_object, "'[]' IS NOT JSON OBJECT",
             "TRUE"),
    QUESTION("IS NOT JSON ARRAY", "is the text no JSON array, or NULL?", is_not_array, "'[]' IS NOT JSON ARRAY",
             "FALSE"),
    QUESTION("IS NOT JSON SCALAR", "is the text no JSON scalar, or NULL?", is_not_scalar, "'1' IS NOT JSON SCALAR",
             "FALSE"),
    {.name = "JSON_EXISTS",
     .usage = "JSON_EXISTS(text, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])",
     .doc = "does the path find something? TRUE, FALSE, UNKNOWN or ERROR may be asked for ON ERROR",
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     STATE,
     .bind = bind_exists,
     .examples = FN_EXAMPLES({"JSON_EXISTS('{\"a\": 1}', '$.a')", "TRUE"},
                             {"JSON_EXISTS('{\"a\": 1}', 'strict $.b' TRUE ON ERROR)", "TRUE"})},
    {.name = "JSON_QUERY",
     .usage = "JSON_QUERY(text, path [RETURNING {STRING | ARRAY<STRING>}] [{WITHOUT | WITH [CONDITIONAL | UNCONDITIONAL]} [ARRAY] WRAPPER] [{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON {EMPTY | ERROR}])",
     .doc = "the object or array that the path finds, as JSON text or ARRAY<STRING>",
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     STATE,
     .bind = bind_query,
     .examples = FN_EXAMPLES({"JSON_QUERY('{\"a\": [1, 2]}', '$.a')", "[1,2]"},
                             {"JSON_QUERY('{\"a\": 1}', '$.a' WITH WRAPPER)", "[1]"})},
    {.name = "JSON_VALUE",
     .usage = "JSON_VALUE(text, path [RETURNING type] [{NULL | ERROR | DEFAULT value} ON {EMPTY | ERROR}])",
     .doc = "the scalar that the path finds, as STRING or the type that is RETURNED",
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY,
     STATE,
     .bind = bind_value,
     .examples = FN_EXAMPLES({"JSON_VALUE('{\"a\": 12}', '$.a' RETURNING INT)", "12"},
                             {"JSON_VALUE('{\"a\": 1}', 'lax $.b' DEFAULT '-' ON EMPTY)", "-"})},
    {0},
};

const struct fn_type fn_json = {.name = "json",
                                .doc = "JSON text asked by paths",
                                .example = "JSON_VALUE('{\"a\": 1}', '$.a')",
                                .functions = functions};
