/* sql_op.c - the operators: name, how they are written, how tightly they bind. Order and numbers are Flink's. */
#include "language/sql/sql_op.h"

#include "ground/base/str.h"

#define INFIX(name, precedence) {name, NULL, FORM_INFIX, precedence, false}
#define IS(name) {name, NULL, FORM_POSTFIX, PRECEDENCE_IS, false}
#define UNIT(name) {name, NULL, FORM_POSTFIX, PRECEDENCE_ITEM, false} /* (a - b) DAY */
#define LIKE(name) {name, NULL, FORM_LIKE, PRECEDENCE_BETWEEN, false}
#define BETWEEN(name) {name, NULL, FORM_BETWEEN, PRECEDENCE_BETWEEN, false}
#define QUANTIFIED(name) {name, NULL, FORM_QUANTIFIED, PRECEDENCE_BETWEEN, false}

static const struct sql_op ops[] = {
    {"OR", NULL, FORM_INFIX, PRECEDENCE_OR, true},
    {"AND", NULL, FORM_INFIX, PRECEDENCE_AND, true},
    {"NOT", NULL, FORM_PREFIX, PRECEDENCE_NOT, false},
    IS("IS NULL"), IS("IS NOT NULL"), IS("IS TRUE"), IS("IS NOT TRUE"), IS("IS FALSE"), IS("IS NOT FALSE"),
    IS("IS UNKNOWN"), IS("IS NOT UNKNOWN"), IS("IS JSON"), IS("IS NOT JSON"), IS("IS JSON VALUE"), IS("IS NOT JSON VALUE"),
    IS("IS JSON SCALAR"), IS("IS NOT JSON SCALAR"), IS("IS JSON ARRAY"), IS("IS NOT JSON ARRAY"), IS("IS JSON OBJECT"),
    IS("IS NOT JSON OBJECT"), IS("IS A SET"), IS("IS NOT A SET"), IS("IS EMPTY"), IS("IS NOT EMPTY"),
    INFIX("IS DISTINCT FROM", PRECEDENCE_COMPARE), INFIX("IS NOT DISTINCT FROM", PRECEDENCE_COMPARE),
    INFIX("=", PRECEDENCE_COMPARE), INFIX("<>", PRECEDENCE_COMPARE), INFIX("<=", PRECEDENCE_COMPARE),
    INFIX(">=", PRECEDENCE_COMPARE), INFIX("<", PRECEDENCE_COMPARE), INFIX(">", PRECEDENCE_COMPARE),
    INFIX("OVERLAPS", PRECEDENCE_COMPARE), INFIX("CONTAINS", PRECEDENCE_COMPARE), INFIX("MEMBER OF", PRECEDENCE_COMPARE),
    QUANTIFIED("= ALL"), QUANTIFIED("<> ALL"), QUANTIFIED("<= ALL"), QUANTIFIED(">= ALL"), QUANTIFIED("< ALL"), QUANTIFIED("> ALL"),
    QUANTIFIED("= SOME"), QUANTIFIED("<> SOME"), QUANTIFIED("<= SOME"), QUANTIFIED(">= SOME"), QUANTIFIED("< SOME"), QUANTIFIED("> SOME"),
    BETWEEN("BETWEEN"), BETWEEN("NOT BETWEEN"), BETWEEN("BETWEEN SYMMETRIC"), BETWEEN("NOT BETWEEN SYMMETRIC"),
    {"IN", NULL, FORM_IN, PRECEDENCE_BETWEEN, false},
    {"NOT IN", NULL, FORM_IN, PRECEDENCE_BETWEEN, false},
    LIKE("LIKE"), LIKE("NOT LIKE"), LIKE("SIMILAR TO"), LIKE("NOT SIMILAR TO"),
    INFIX("+", PRECEDENCE_ADD), INFIX("-", PRECEDENCE_ADD), INFIX("*", PRECEDENCE_MULTIPLY), INFIX("/", PRECEDENCE_MULTIPLY),
    INFIX("%", PRECEDENCE_MULTIPLY),
    {"||", NULL, FORM_INFIX, PRECEDENCE_MULTIPLY, true},
    {"NEGATE", "-", FORM_PREFIX, PRECEDENCE_SIGN, false},
    {"PLUS", "+", FORM_PREFIX, PRECEDENCE_SIGN, false},
    UNIT("YEAR"), UNIT("MONTH"), UNIT("DAY"), UNIT("HOUR"), UNIT("MINUTE"), UNIT("SECOND"),
    {"ITEM", "[]", FORM_ITEM, PRECEDENCE_ITEM, false},
    {"EXISTS", NULL, FORM_EXISTS, PRECEDENCE_ITEM, false},
    {"UNIQUE", NULL, FORM_EXISTS, PRECEDENCE_ITEM, false},
    {"ARRAY", NULL, FORM_BRACKETS, PRECEDENCE_ITEM, false},
    {"MAP", NULL, FORM_BRACKETS, PRECEDENCE_ITEM, false},
    {"MULTISET", NULL, FORM_BRACKETS, PRECEDENCE_ITEM, false},
    {"ARRAY", NULL, FORM_QUERY, PRECEDENCE_ITEM, false},
    {"MAP", NULL, FORM_QUERY, PRECEDENCE_ITEM, false},
    {"MULTISET", NULL, FORM_QUERY, PRECEDENCE_ITEM, false},
};

const struct sql_op *sql_op_find(const char *name, enum sql_form form)
{
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        if (ops[i].form == form && str_equal(str_of(ops[i].name), str_of(name))) return &ops[i];
    return NULL;
}

const struct sql_op *sql_op_infix(struct str symbol)
{
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        if (ops[i].form == FORM_INFIX && str_equal(str_of(ops[i].name), symbol)) return &ops[i];
    return str_equal(symbol, STR("!=")) ? sql_op_find("<>", FORM_INFIX) : NULL;
}
