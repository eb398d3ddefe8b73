/* expr_print.c - bound expressions as text, for EXPLAIN and for errors of rows. */
#include "columns/expr/expr.h"

#include "columns/column/sql_text.h"
#include "ground/base/str.h"

#include <string.h>

static void print_list(const struct expr *x, const struct type *row, const char *separator, struct buf *out)
{
    for (uint32_t i = 0; i < x->count; i++) {
        if (i > 0) buf_append_text(out, separator);
        expr_print(x->args[i], row, out);
    }
}

static void print_constant(const struct expr *x, struct buf *out)
{
    bool quoted = x->type->phys == P_STR;

    if (vector_is_null(x->constant, 0)) {
        buf_append_text(out, "null");
        return;
    }
    if (x->type->kind == T_INTERVAL_SECOND) {
        buf_printf(out, "%lld:INTERVAL SECOND", (long long)VECTOR_VALUES(x->constant, int64_t)[0]);
        return;
    }
    if (x->type->kind == T_INTERVAL_MONTH) {
        buf_printf(out, "%d:INTERVAL MONTH", VECTOR_VALUES(x->constant, int32_t)[0]);
        return;
    }
    if (quoted) buf_append_byte(out, '\'');
    sql_text_print(x->constant, 0, NULL, out);
    if (quoted) buf_append_byte(out, '\'');
}

static bool is_symbol(const char *name) { return strpbrk(name, "+-*/%=<>|") == name; }

static void print_call(const struct expr *x, const struct type *row, struct buf *out)
{
    const char *name = x->call->def->name;
    struct type to = *x->type;

    to.nullable = true; /* of a CAST: whether NULL is possible follows from the argument, nobody writes it */
    if (is_symbol(name) && x->count == 2) {
        buf_append_byte(out, '(');
        expr_print(x->args[0], row, out);
        buf_printf(out, " %s ", name);
        expr_print(x->args[1], row, out);
        buf_append_byte(out, ')');
    } else if (str_equal(str_of(name), STR("FIELD"))) {
        struct str field = text_str(x->args[1]->constant->data);
        expr_print(x->args[0], row, out);
        buf_append_byte(out, '.');
        buf_append(out, field.data, field.size);
    } else if (str_equal(str_of(name), STR("CAST"))) {
        buf_append_text(out, x->call->try_mode ? "TRY_CAST(" : "CAST(");
        expr_print(x->args[0], row, out);
        buf_append_text(out, " AS ");
        type_print(&to, out);
        buf_append_byte(out, ')');
    } else {
        buf_printf(out, "%s(", name);
        print_list(x, row, ", ", out);
        buf_append_byte(out, ')');
    }
}

void expr_print(const struct expr *x, const struct type *row, struct buf *out)
{
    switch ((enum expr_kind)x->kind) {
    case EXPR_COLUMN:
        if (row != NULL && x->col < row->child_count) buf_append_text(out, row->names[x->col]);
        else buf_printf(out, "$%u", x->col);
        break;
    case EXPR_OUTER: buf_printf(out, "$cor%u.%.*s", x->scope, (int)x->text.size, x->text.data); break;
    case EXPR_CONSTANT: print_constant(x, out); break;
    case EXPR_CALL: print_call(x, row, out); break;
    case EXPR_CASE:
        buf_append_text(out, "CASE(");
        print_list(x, row, ", ", out);
        buf_append_byte(out, ')');
        break;
    case EXPR_COALESCE:
        buf_append_text(out, "COALESCE(");
        print_list(x, row, ", ", out);
        buf_append_byte(out, ')');
        break;
    case EXPR_AND:
    case EXPR_OR:
        buf_append_byte(out, '(');
        print_list(x, row, x->kind == EXPR_AND ? " AND " : " OR ", out);
        buf_append_byte(out, ')');
        break;
    }
}
