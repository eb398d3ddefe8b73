/* conn_function.c - a table that a table function of the user's answers for: it is never read, only asked for the rows of a key.
 *
 * The arguments of the function are columns of the table, by 'keys' or those of its primary key, and what it puts out for them are
 * the table's rows: all columns, in order. The call is an expression over a row of the keys; its value is the list of the rows, which
 * are handed on piece by piece. In a job the function is called by its identity, so that it is found again whatever names mean then.
 *
 * Not here: whether a row that comes has the key that was asked for. That is the function's business, as it is in Flink. */
#include "flow/connector/connector.h"
#include "ground/base/str.h"

#include <string.h>

enum { NAME_PARTS_MAX = 3 };

static const struct option_def function_options[] = {
    {.key = "function",
     .kind = OPT_STRING,
     .fallback = "",
     .required = true,
     .doc = "a table function in C (CREATE FUNCTION ... LANGUAGE C): its arguments are the keys, the rows that it puts out are the "
            "table's, all columns in order"},
    {.key = "keys", .kind = OPT_STRING, .doc = "the columns that are its arguments, in order: 'a, b'; not given: the primary key"},
    {.key = "lookup.async",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "is a function that waits (TW_SQL_ASYNC) called on helper threads, many calls at a time?"},
    {.key = NULL},
};

/* --- the call ---------------------------------------------------------------------------------------------------- */
static enum status keys_of(const struct lookup_offer *o, struct text_list *out, struct err *e)
{
    const char *text = options_get(o->options, o->defs, "keys"), **names;
    struct str rest = str_of(text != NULL ? text : ""), one;
    uint32_t count = 0;

    *out = o->primary_key;
    if (text == NULL && out->count == 0) {
        err_hint(e, "add PRIMARY KEY (...) NOT ENFORCED, or the option 'keys'");
        return err_set(e, E_CONFIG, "connector 'function': which columns are the arguments of '%s'?",
                       options_get(o->options, o->defs, "function"));
    }
    if (text == NULL) return S_OK;
    names = ARENA_ARRAY(o->a, const char *, rest.size + 1);
    while (rest.size > 0 && str_cut(&rest, ',', &one)) {
        one = str_trim(one);
        names[count++] = arena_strndup(o->a, one.data, one.size);
    }
    *out = (struct text_list){names, count};
    return count > 0 ? S_OK : err_set(e, E_CONFIG, "connector 'function': the option 'keys' names no column");
}

static enum status key_missing(const struct lookup_offer *o, const char *name, struct err *e)
{
    int near = str_nearest(str_of(name), o->schema->names, o->schema->child_count);

    if (near >= 0) err_hint(e, "did you mean '%s'?", o->schema->names[near]);
    return err_set(e, E_CONFIG, "connector 'function': the key '%s' is no column that the function fills", name);
}

/* The keys beside each other. */
static enum status keys_row(const struct lookup_offer *o, const struct text_list *keys, const struct type **out, struct err *e)
{
    const struct type **types = ARENA_ARRAY(o->a, const struct type *, keys->count + 1);

    for (uint32_t i = 0; i < keys->count; i++) {
        int col = type_field(o->schema, str_of(keys->items[i]));
        if (col < 0) return key_missing(o, keys->items[i], e);
        types[i] = o->schema->children[col];
    }
    *out = type_row(o->a, keys->count, keys->items, types, false);
    return S_OK;
}

static enum status call_make(struct arena *a, const struct fn_session *session, const struct fn_def *def,
                             const struct type *keys, struct expr **out, struct err *e)
{
    struct expr_maker m = {.a = a, .session = session};
    struct expr **args = ARENA_ARRAY(a, struct expr *, keys->child_count + 1);

    for (uint32_t i = 0; i < keys->child_count; i++) args[i] = expr_column(&m, keys, i);
    return expr_call_of(&m, def, args, keys->child_count, out, e);
}

/* --- at plan time ------------------------------------------------------------------------------------------------ */
static enum status function_find_named(const struct lookup_offer *o, const char *name, const struct fn_def **out, struct err *e)
{
    const struct fn_users *users = o->session != NULL ? o->session->users : NULL;
    struct str parts[NAME_PARTS_MAX + 1], rest = str_of(name);
    uint32_t count = 0;

    while (rest.size > 0 && count <= NAME_PARTS_MAX && str_cut(&rest, '.', &parts[count])) {
        parts[count] = str_trim(parts[count]);
        count++;
    }
    *out = users != NULL && count > 0 && count <= NAME_PARTS_MAX ? users->named(users->arg, parts, count) : NULL;
    if (*out != NULL && (*out)->is_table) return S_OK;
    if (*out != NULL) {
        err_hint(e, "its kind is TW_SQL_TABLE: the rows of a key are what it puts out");
        return err_set(e, E_CONFIG, "connector 'function': '%s' is no table function", name);
    }
    err_hint(e, "CREATE FUNCTION %s AS '...' LANGUAGE C USING ARTIFACT '...'", name);
    return err_set(e, E_NOT_FOUND, "connector 'function': there is no function '%s'", name);
}

/* Inside of values there is no NULL where the table says NOT NULL; of the columns themselves rows are looked at when they come. */
static bool nulls_fit(const struct type *to, const struct type *from)
{
    for (uint32_t i = 0; i < to->child_count; i++)
        if ((from->children[i]->nullable && !to->children[i]->nullable) || !nulls_fit(to->children[i], from->children[i])) return false;
    return true;
}

static bool holds(const struct type *to, const struct type *from)
{
    if (type_is_string(to)) return type_is_string(from);
    return type_equal_ignoring_null(to, from) && nulls_fit(to, from);
}

/* Are the rows those of the table? Of one column the elements may be its values. */
static bool fits(const struct type *schema, const struct type *element)
{
    if (element->kind != T_ROW) return schema->child_count == 1 && holds(schema->children[0], element);
    if (element->child_count != schema->child_count) return false;
    for (uint32_t i = 0; i < schema->child_count; i++)
        if (!holds(schema->children[i], element->children[i])) return false;
    return true;
}

static enum status misfit(const char *name, const struct type *schema, const struct type *element, struct arena *a, struct err *e)
{
    struct buf rows, columns;

    buf_init(&rows, a->mem);
    buf_init(&columns, a->mem);
    type_print(element, &rows);
    type_print(type_row(a, schema->child_count, schema->names, schema->children, true), &columns);
    err_set(e, E_CONFIG, "connector 'function': '%s' puts out %s, and the table has %s", name, buf_text(&rows), buf_text(&columns));
    buf_release(&rows);
    buf_release(&columns);
    return E_CONFIG;
}

static const char *joined(struct arena *a, const struct text_list *list)
{
    const char *out = "";

    for (uint32_t i = 0; i < list->count; i++) out = arena_printf(a, "%s%s%s", out, i > 0 ? ", " : "", list->items[i]);
    return out;
}

static void planned_set(struct lookup_offer *o, const char *identity)
{
    struct option *items = ARENA_ARRAY(o->a, struct option, o->options->count + 2);
    uint32_t count = 0;

    for (uint32_t i = 0; i < o->options->count; i++)
        if (strcmp(o->options->items[i].key, "function") != 0 && strcmp(o->options->items[i].key, "keys") != 0)
            items[count++] = o->options->items[i];
    items[count++] = (struct option){"function", identity};
    items[count++] = (struct option){"keys", joined(o->a, &o->keys)};
    o->planned = (struct options){items, count};
}

static enum status function_plan(struct lookup_offer *o, struct err *e)
{
    const char *name = options_get(o->options, o->defs, "function");
    const struct fn_def *def;
    const struct type *keys = NULL;
    struct expr *call;

    TRY(function_find_named(o, name, &def, e));
    TRY(keys_of(o, &o->keys, e));
    TRY(keys_row(o, &o->keys, &keys, e));
    if (call_make(o->a, o->session, def, keys, &call, e) != S_OK) return err_wrap(e, "connector 'function'");
    if (!fits(o->schema, call->type->children[0])) return misfit(name, o->schema, call->type->children[0], o->a, e);
    o->waits = (def->flags & FN_ASYNC) != 0 && options_bool(o->options, o->defs, "lookup.async");
    planned_set(o, def->identity);
    return S_OK;
}

/* --- finding ----------------------------------------------------------------------------------------------------- */
struct function_lookup {
    struct expr_run *call;
    /* The keys in work: the lists of their rows. */
    const struct vector *lists;
    uint32_t key, element;
};

static enum status function_open(struct lookup_cx *cx, void *self)
{
    struct function_lookup *f = self;
    const char *identity = options_get(cx->options, cx->defs, "function");
    const struct fn_users *users = cx->session->users;
    const struct fn_def *def = users != NULL ? users->identified(users->arg, str_of(identity)) : NULL;
    struct expr *call;

    if (def == NULL) return err_set(cx->err, E_NOT_FOUND, "connector 'function': there is no function '%s' any more", identity);
    TRY(call_make(cx->a, cx->session, def, cx->keys, &call, cx->err));
    f->call = expr_run_create(call, cx->session, BATCH_ROWS, cx->mem);
    return S_OK;
}

static void function_close(struct lookup_cx *cx, void *self)
{
    struct function_lookup *f = self;

    (void)cx;
    expr_run_free(f->call);
}

static struct list_ref list_of(const struct vector *lists, uint32_t row)
{
    if (vector_is_null(lists, row)) return (struct list_ref){0};
    return VECTOR_VALUES(vector_values(lists), struct list_ref)[vector_at(lists, row)];
}

static void rows_copy(const struct vector *elements, uint32_t first, uint32_t n, struct batch *out)
{
    for (uint32_t c = 0; c < out->col_count; c++) {
        struct vector *v = &out->cols[c];
        const struct vector *from = elements->phys == P_ROW ? &elements->children[c] : elements;
        if (v->form != VEC_ABSENT) vector_copy_run(v, out->count, from, first, n, &out->heap, out->mem);
    }
}

static enum status function_find(struct lookup_cx *cx, void *self, const struct batch *keys, struct batch *out, uint16_t *of)
{
    struct function_lookup *f = self;

    if (cx->is_first) {
        TRY(expr_eval(f->call, keys, sys_wall_ms(cx->sys), &f->lists, cx->err));
        f->key = f->element = 0;
    }
    const struct vector *elements = &vector_values(f->lists)->children[0];
    for (; f->key < batch_rows(keys); f->key++, f->element = 0) {
        struct list_ref list = list_of(f->lists, batch_row(keys, f->key));
        uint32_t n = MIN(list.count - f->element, out->capacity - out->count);
        rows_copy(elements, list.first + f->element, n, out);
        for (uint32_t i = 0; i < n; i++) of[out->count + i] = (uint16_t)f->key;
        out->count += n;
        f->element += n;
        if (f->element < list.count) return S_MORE;
    }
    return S_OK;
}

static const struct lookup_type function_lookup = {
    .doc = "finds rows by 'keys', with the function; waits for something outside where the function does",
    .plan = function_plan,
    .instance_size = sizeof(struct function_lookup),
    .open = function_open,
    .close = function_close,
    .find = function_find,
};

const struct conn_type conn_function = {
    .name = "function",
    .doc = "a table that a function in C answers for, key by key: for lookup joins alone",
    .example = "'connector' = 'function', 'function' = 'find_customer', 'keys' = 'id'",
    .options = function_options,
    .notes = "A lookup join, `JOIN t FOR SYSTEM_TIME AS OF` a processing time, must say what each of the keys equals: a column of the other "
             "side, or a constant. Conditions on other columns are tested on the rows that the function puts out. A function with "
             "`TW_SQL_ASYNC` may block: it is called on helper threads, `table.exec.async-lookup.*` and the hint LOOKUP say how many "
             "calls are under way at once, for how long, and whether rows keep their order. Nothing is kept of the answers unless "
             "`lookup.cache` is PARTIAL. An example: [lookup_tables](../examples/lookup_tables.md).",
    .lookup = &function_lookup,
};
