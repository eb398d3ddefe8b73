/* print_expr.c - expressions as text. An argument is put in parentheses when its operator binds no tighter than the one
 * around it; more of them than needed change nothing. */
#include "language/sql/print.h"

#include "columns/function/agg.h"
#include "columns/function/fn.h"

#include "ground/base/str.h"

static void append(struct buf *out, struct str s) { buf_append(out, s.data, s.size); }

void print_quoted_name(struct str name, struct buf *out)
{
    buf_append_byte(out, '`');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '`') buf_append_byte(out, '`');
        buf_append_byte(out, name.data[i]);
    }
    buf_append_byte(out, '`');
}

void print_name(const struct ast_name *n, struct buf *out)
{
    for (uint32_t i = 0; i < n->count; i++) {
        if (i > 0) buf_append_byte(out, '.');
        print_quoted_name(n->parts[i], out);
    }
}

void print_name_list(uint32_t count, const struct str *names, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        buf_append_text(out, i == 0 ? "(" : ", ");
        print_quoted_name(names[i], out);
    }
    buf_append_byte(out, ')');
}

void print_string(struct str text, struct buf *out)
{
    buf_append_byte(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'') buf_append_byte(out, '\'');
        buf_append_byte(out, text.data[i]);
    }
    buf_append_byte(out, '\'');
}

static void print_list(const struct ast_list *l, struct buf *out)
{
    for (uint32_t i = 0; i < l->count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_expr(l->items[i], out);
    }
}

static void print_literal(const struct ast_expr *x, struct buf *out)
{
    static const char *const words[] = {
        [LITERAL_NULL] = "NULL",       [LITERAL_TRUE] = "TRUE",   [LITERAL_FALSE] = "FALSE",          [LITERAL_UNKNOWN] = "UNKNOWN",
        [LITERAL_DATE] = "DATE ",      [LITERAL_TIME] = "TIME ",  [LITERAL_TIMESTAMP] = "TIMESTAMP ", [LITERAL_INTERVAL] = "INTERVAL ",
    };

    if (x->literal == LITERAL_INTEGER || x->literal == LITERAL_DECIMAL || x->literal == LITERAL_DOUBLE) {
        append(out, x->text);
        return;
    }
    if (x->literal == LITERAL_BYTES) {
        buf_append_text(out, "X'");
        for (size_t i = 0; i < x->text.size; i++) buf_printf(out, "%02X", (unsigned char)x->text.data[i]);
        buf_append_byte(out, '\'');
        return;
    }
    if (x->literal != LITERAL_STRING) buf_append_text(out, words[x->literal]);
    if (x->literal <= LITERAL_UNKNOWN) return;
    if (x->literal == LITERAL_INTERVAL && x->flag) buf_append_text(out, "-");
    print_string(x->text, out);
    if (x->literal == LITERAL_INTERVAL) {
        buf_append_byte(out, ' ');
        append(out, x->type.text);
    }
}

/* --- operators --------------------------------------------------------------------------------------------------- */
static void print_argument(const struct ast_expr *x, uint8_t precedence, struct buf *out)
{
    bool inner = x->kind == AX_CALL && x->op != NULL && x->op->precedence <= precedence && x->op->form != FORM_EXISTS;
    bool name = precedence == PRECEDENCE_ITEM && x->kind == AX_CASE;

    if (inner || name) buf_append_byte(out, '(');
    print_expr(x, out);
    if (inner || name) buf_append_byte(out, ')');
}

static void print_infix(const struct ast_expr *x, struct buf *out)
{
    for (uint32_t i = 0; i < x->args.count; i++) {
        if (i > 0) buf_printf(out, " %s ", x->op->name);
        print_argument(x->args.items[i], i == 0 && !x->op->flat ? (uint8_t)(x->op->precedence - 1) : x->op->precedence, out);
    }
}

/* a LIKE b ESCAPE c, a BETWEEN b AND c */
static void print_three(const struct ast_expr *x, const char *third, struct buf *out)
{
    print_argument(x->args.items[0], (uint8_t)(x->op->precedence - 1), out);
    buf_printf(out, " %s ", x->op->name);
    print_argument(x->args.items[1], x->op->precedence, out);
    if (x->args.count < 3) return;
    buf_printf(out, " %s ", third);
    print_argument(x->args.items[2], x->op->precedence, out);
}

static void print_operator(const struct ast_expr *x, struct buf *out)
{
    const char *written = x->op->written != NULL ? x->op->written : x->op->name;

    switch ((enum sql_form)x->op->form) {
    case FORM_INFIX: print_infix(x, out); break;
    case FORM_LIKE: print_three(x, "ESCAPE", out); break;
    case FORM_BETWEEN: print_three(x, "AND", out); break;
    case FORM_IN:
    case FORM_QUANTIFIED: print_three(x, "", out); break;
    case FORM_PREFIX:
        buf_printf(out, "%s ", written);
        print_argument(x->args.items[0], (uint8_t)(x->op->precedence - 1), out);
        break;
    case FORM_POSTFIX:
        print_argument(x->args.items[0], (uint8_t)(x->op->precedence - 1), out);
        buf_printf(out, " %s", written);
        break;
    case FORM_ITEM:
        print_argument(x->args.items[0], (uint8_t)(x->op->precedence - 1), out);
        buf_append_byte(out, '[');
        print_expr(x->args.items[1], out);
        buf_append_byte(out, ']');
        break;
    case FORM_BRACKETS:
        buf_printf(out, "%s[", written);
        print_list(&x->args, out);
        buf_append_byte(out, ']');
        break;
    case FORM_EXISTS:
    case FORM_QUERY:
        buf_printf(out, "%s ", written);
        print_list(&x->args, out);
        break;
    }
}

/* --- calls ------------------------------------------------------------------------------------------------------- */
static bool joins(const struct ast_expr *x) { return x->kind == AX_WORD && !x->flag; }

/* Commas stand between arguments, but not beside words that join them. */
static void print_arguments(const struct ast_list *l, struct buf *out)
{
    for (uint32_t i = 0; i < l->count; i++) {
        if (i > 0) buf_append_text(out, joins(l->items[i - 1]) || joins(l->items[i]) ? " " : ", ");
        print_expr(l->items[i], out);
    }
}

static const char *nulls_text(uint16_t word) { return word == KW_IGNORE ? " IGNORE NULLS" : word == KW_RESPECT ? " RESPECT NULLS" : ""; }

static void print_aggregate(const struct ast_aggregate *g, struct buf *out)
{
    buf_append_text(out, nulls_text(g->nulls));
    if (g->within.count > 0) {
        buf_append_text(out, " WITHIN GROUP (ORDER BY ");
        print_orders(&g->within, out);
        buf_append_byte(out, ')');
    }
    if (g->filter != NULL) {
        buf_append_text(out, " FILTER (WHERE ");
        print_expr(g->filter, out);
        buf_append_byte(out, ')');
    }
    if (g->over == NULL) return;
    buf_append_text(out, " OVER (");
    print_window(g->over, out);
    buf_append_byte(out, ')');
}

static bool is_plain_word(const struct ast_expr *x)
{
    return x->flag || (x->name.count == 1 && keyword_find(x->name.parts[0]) != KEYWORD_NONE) ||
           (x->name.count == 1 && str_equal(x->name.parts[0], STR("GROUPING SETS")));
}

/* Functions of the system stand without quotes, as in Flink. */
static bool is_built_in(const struct ast_expr *x)
{
    return x->name.count == 1 && (fn_find(x->name.parts[0]) != NULL || agg_find(x->name.parts[0]) != NULL);
}

static void print_call(const struct ast_expr *x, struct buf *out)
{
    if (x->name.count == 0) { /* CURRENT_DATE */
        append(out, x->text);
        return;
    }
    if (is_plain_word(x) || is_built_in(x)) append(out, x->name.parts[0]); /* quoted, a word of the grammar would be something else */
    else print_name(&x->name, out);
    buf_append_byte(out, '(');
    if (x->aggregate != NULL) buf_append_text(out, x->aggregate->distinct ? "DISTINCT " : x->aggregate->all ? "ALL " : "");
    print_arguments(&x->args, out);
    buf_append_byte(out, ')');
    if (x->aggregate != NULL) print_aggregate(x->aggregate, out);
}

static void print_case(const struct ast_expr *x, struct buf *out)
{
    uint32_t i = 0;

    buf_append_text(out, "CASE");
    if (x->flag) {
        buf_append_byte(out, ' ');
        print_expr(x->args.items[i++], out);
    }
    for (; i + 1 < x->args.count; i += 2) {
        buf_append_text(out, " WHEN ");
        print_expr(x->args.items[i], out);
        buf_append_text(out, " THEN ");
        print_expr(x->args.items[i + 1], out);
    }
    if (i < x->args.count) {
        buf_append_text(out, " ELSE ");
        print_expr(x->args.items[i], out);
    }
    buf_append_text(out, " END");
}

static void print_cast(const struct ast_expr *x, struct buf *out)
{
    buf_append_text(out, x->flag ? "TRY_CAST(" : "CAST(");
    print_expr(x->args.items[0], out);
    buf_append_text(out, " AS ");
    append(out, x->type.text);
    buf_append_byte(out, ')');
}

static void print_parenthesised(const char *before, const struct ast_list *l, struct buf *out)
{
    buf_append_text(out, before);
    buf_append_byte(out, '(');
    print_list(l, out);
    buf_append_byte(out, ')');
}

void print_expr(const struct ast_expr *x, struct buf *out)
{
    switch ((enum ast_expr_kind)x->kind) {
    case AX_LITERAL: print_literal(x, out); break;
    case AX_NAME: print_name(&x->name, out); break;
    case AX_STAR:
        print_name(&x->name, out);
        buf_append_text(out, x->name.count > 0 ? ".*" : "*");
        break;
    case AX_CALL: x->op != NULL ? print_operator(x, out) : print_call(x, out); break;
    case AX_CAST: print_cast(x, out); break;
    case AX_CASE: print_case(x, out); break;
    case AX_LIST: print_parenthesised(x->flag ? "ROW" : "", &x->args, out); break;
    case AX_FIELD:
        if (x->args.items[0]->kind == AX_LITERAL || x->args.items[0]->kind == AX_NAME)
            print_parenthesised("", &x->args, out); /* 1.a would be a number, a.b a name */
        else print_argument(x->args.items[0], PRECEDENCE_ITEM - 1, out);
        buf_append_byte(out, '.');
        print_quoted_name(x->text, out);
        break;
    case AX_QUERY:
        buf_append_byte(out, '(');
        print_query(x->query, out);
        buf_append_byte(out, ')');
        break;
    case AX_WORD: append(out, x->text); break;
    case AX_NAMED:
        print_quoted_name(x->text, out);
        buf_append_text(out, " => ");
        print_expr(x->args.items[0], out);
        break;
    case AX_TABLE: print_table(x->table, out); break;
    case AX_DESCRIPTOR: print_parenthesised("DESCRIPTOR", &x->args, out); break;
    case AX_DEFAULT: buf_append_text(out, "DEFAULT"); break;
    }
}

const char *print_expr_text(struct arena *a, const struct ast_expr *x)
{
    struct buf out;

    buf_init(&out, a->mem);
    print_expr(x, &out);
    const char *text = arena_strndup(a, out.data, out.size);
    buf_release(&out);
    return text;
}
