/* bind_unknown.c - what is said of a call that no scalar function answers: that there is none of that name, with what it was given
 * and the nearest name; or, of aggregates and functions of windows and tables, where they may stand. In Flink's words. */
#include "language/sql/bind_unknown.h"

#include "ground/base/str.h"
#include "language/sql/sql_function.h"

#include <string.h>

static struct str name_of(const struct ast_expr *x)
{
    return x->name.count > 0 ? x->name.parts[x->name.count - 1] : x->text;
}

bool bind_is_unknown(const struct binder *b, const struct ast_expr *x)
{
    const struct fn_users *users = b->m.session != NULL ? b->m.session->users : NULL;
    struct sql_function f;

    if (x->kind != AX_CALL || x->op != NULL || x->name.count == 0) return false;
    if (users != NULL && users->named(users->arg, x->name.parts, x->name.count) != NULL) return false;
    return x->name.count > 1 || !(fn_find(name_of(x)) != NULL || sql_function_find(name_of(x), &f));
}

/* The families that Flink names types by. */
static void family_print(const struct type *t, struct buf *out)
{
    if (type_is_string(t))
        buf_append_text(out, "CHARACTER");
    else if (type_is_numeric(t))
        buf_append_text(out, "NUMERIC");
    else if (t->kind == T_BINARY || t->kind == T_VARBINARY)
        buf_append_text(out, "BINARY");
    else if (t->kind == T_TIMESTAMP)
        buf_append_text(out, "TIMESTAMP");
    else if (t->kind == T_TIMESTAMP_LTZ)
        buf_append_text(out, "TIMESTAMP_LTZ");
    else if (t->kind == T_TIME)
        buf_append_text(out, "TIME");
    else if (t->kind == T_INTERVAL_SECOND)
        buf_append_text(out, "INTERVAL_DAY_TIME");
    else if (t->kind == T_INTERVAL_MONTH)
        buf_append_text(out, "INTERVAL_YEAR_MONTH");
    else
        type_print(t, out);
}

/* The function as it is listed, so that errors do not depend on how a name was written. */
static const char *known_name(const struct binder *b, const struct ast_expr *x)
{
    struct str name = name_of(x);
    char *text = arena_strndup(b->m.a, name.data, name.size);

    for (char *c = text; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - ('a' - 'A'));
    return text;
}

enum status bind_no_match(struct binder *b, const struct ast_expr *x, struct expr *const *args, uint32_t count)
{
    struct str name = name_of(x);
    char near[SQL_FUNCTION_NAME_SIZE];
    struct ast_place place = x->name.count > 0 ? x->name.place : x->place;
    const char *instead = x->name.count == 1 ? sql_function_later(name) : NULL;
    struct sql_function known;
    struct buf text;

    if (instead != NULL) err_hint(b->e, "%s", instead);
    if (instead != NULL) return sql_error(b->e, b->t, place.at, place.size, "%s is not supported yet", known_name(b, x));
    if (sql_function_find(name, &known) && known.form != NULL) err_hint(b->e, "write %s", known.form->usage);
    else if (x->name.count == 1 && sql_function_elsewhere(name) != NULL) err_hint(b->e, "write %s", sql_function_elsewhere(name));
    else if (x->name.count == 1 && sql_function_nearest(name, near)) err_hint(b->e, "did you mean '%s'?", near);
    buf_init(&text, b->m.a->mem);
    for (uint32_t i = 0; i < count; i++) {
        struct type plain = *args[i]->type;
        plain.nullable = true;
        buf_append_text(&text, i > 0 ? ", <" : "<");
        family_print(&plain, &text);
        buf_append_byte(&text, '>');
    }
    const char *given = arena_strndup(b->m.a, text.data, text.size);
    buf_release(&text);
    return sql_error(b->e, b->t, place.at, place.size, "No match found for function signature %.*s(%.300s)",
                     (int)MIN(name.size, (size_t)100), name.data, given);
}

enum status bind_wrong_count(struct binder *b, const struct ast_expr *x, const char *wanted)
{
    struct sql_function f;
    struct err inner = {0};

    if (sql_function_find(name_of(x), &f) && f.form != NULL) err_hint(b->e, "write %s", f.form->usage);
    fn_wrong_count(known_name(b, x), wanted, &inner);
    return bind_fail(b, x->place, &inner);
}

enum status bind_cannot_apply(struct binder *b, const struct ast_expr *x, struct expr *const *args, uint32_t count, const char *takes)
{
    const struct fn_def def = {.name = known_name(b, x)};
    struct fn_call c = {.def = &def, .count = count, .args = ARENA_ARRAY(b->m.a, const struct type *, MAX(count, 1u))};
    struct err inner = {0};

    for (uint32_t i = 0; i < count; i++) c.args[i] = args[i]->type;
    fn_refuse(&c, takes, &inner);
    return bind_fail(b, x->place, &inner);
}

static const char *why_not_here(const struct sql_function *f)
{
    switch ((enum sql_function_kind)f->kind) {
    case SQL_AGGREGATE: return "Aggregate expression is illegal here";
    case SQL_WINDOW: return "OVER clause is necessary for window functions";
    case SQL_TABLE: return "Cannot call table function here: it stands behind FROM";
    case SQL_GROUP: return "the function must have matching call in GROUP BY clause";
    default: return "the function cannot stand here";
    }
}

enum status bind_unanswered(struct binder *b, const struct ast_expr *x, struct expr *const *args, uint32_t count)
{
    struct str name = name_of(x);
    struct sql_function f;

    if (bind_is_unknown(b, x) || !sql_function_find(name, &f)) return bind_no_match(b, x, args, count);
    if (f.form != NULL) err_hint(b->e, "write %s", f.form->usage);
    if (f.kind == SQL_GROUP && strncmp(f.name, "GROUP", 5) == 0)
        return sql_error(b->e, b->t, x->place.at, x->place.size, "%s operator may only occur in an aggregate query",
                         f.name);
    return sql_error(b->e, b->t, x->place.at, x->place.size, "%s", why_not_here(&f));
}

bool bind_is_function(struct str name)
{
    struct sql_function f;

    return sql_function_find(name, &f);
}
