/* expr_digest.c - bound expressions as Flink's abstract syntax trees show them: columns by number, operators before their arguments,
 * what a CAST makes behind it. */
#include "columns/expr/expr.h"

#include "columns/column/sql_text.h"
#include "ground/base/str.h"

#include <string.h>

static void print_type(const struct type *t, struct buf *out)
{
    struct type to = *t;

    to.nullable = true;
    if (t->kind == T_INT) buf_append_text(out, "INTEGER");
    else if (t->kind == T_CHAR || t->kind == T_VARCHAR)
        buf_printf(out, "%s(%d) CHARACTER SET \"UTF-16LE\"", t->kind == T_CHAR ? "CHAR" : "VARCHAR", (int)t->precision);
    else type_print(&to, out);
    if (!t->nullable) buf_append_text(out, " NOT NULL");
}

static void print_constant(const struct expr *x, struct buf *out)
{
    if (vector_is_null(x->constant, 0)) {
        buf_append_text(out, "null:");
        print_type(x->type, out);
    } else if (type_is_string(x->type)) {
        buf_append_text(out, "_UTF-16LE'");
        sql_text_print(x->constant, 0, NULL, out);
        buf_append_byte(out, '\'');
    } else {
        expr_print(x, NULL, out);
    }
}

static void print_list(const char *name, const struct expr *x, struct buf *out)
{
    buf_printf(out, "%s(", name);
    for (uint32_t i = 0; i < x->count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        expr_print_digest(x->args[i], out);
    }
    buf_append_byte(out, ')');
}

static void print_call(const struct expr *x, struct buf *out)
{
    struct str name = str_of(x->call->def->name);

    if (str_equal(name, STR("CAST"))) {
        print_list(x->call->try_mode ? "TRY_CAST" : "CAST", x, out);
        buf_append_byte(out, ':');
        print_type(x->type, out);
    } else if (str_equal(name, STR("FIELD"))) {
        expr_print_digest(x->args[0], out);
        buf_append_byte(out, '.');
        sql_text_print(x->args[1]->constant, 0, NULL, out);
    } else {
        print_list(name.data, x, out);
    }
}

void expr_print_digest(const struct expr *x, struct buf *out)
{
    switch ((enum expr_kind)x->kind) {
    case EXPR_COLUMN: buf_printf(out, "$%u", x->col); break;
    case EXPR_CONSTANT: print_constant(x, out); break;
    case EXPR_CALL: print_call(x, out); break;
    case EXPR_CASE: print_list("CASE", x, out); break;
    case EXPR_COALESCE: print_list("COALESCE", x, out); break;
    case EXPR_AND: print_list("AND", x, out); break;
    case EXPR_OR: print_list("OR", x, out); break;
    case EXPR_OUTER: buf_printf(out, "$cor%u.%.*s", x->scope, (int)x->text.size, x->text.data); break;
    }
}
