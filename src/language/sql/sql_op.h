/* sql_op.h - how operators and functions with syntax of their own are written. One table serves parser and printer. */
#pragma once
#include "language/sql/ast.h"

enum sql_form {
    FORM_INFIX,   /* a + b; lists of the same operator become one call when `flat` */
    FORM_PREFIX,  /* - a */
    FORM_POSTFIX, /* a IS NULL */
    FORM_LIKE,    /* a LIKE b [ESCAPE c] */
    FORM_BETWEEN, /* a BETWEEN b AND c */
    FORM_IN,      /* a IN (...) */
    FORM_QUANTIFIED, /* a > ALL (...) */
    FORM_EXISTS,  /* EXISTS (...), UNIQUE (...) */
    FORM_ITEM,    /* a[b] */
    FORM_BRACKETS, /* ARRAY[a, b], MAP[k, v] */
    FORM_QUERY,   /* ARRAY (SELECT ...), MULTISET (...), MAP (...) */
};

struct sql_op {
    const char *name;   /* of the function that it stands for; the binder's key */
    const char *written; /* NULL: the name */
    uint8_t form;       /* enum sql_form */
    uint8_t precedence; /* higher binds tighter; Flink's order */
    bool flat;
};

enum {
    PRECEDENCE_LOWEST = 0,
    PRECEDENCE_OR = 22,
    PRECEDENCE_AND = 24,
    PRECEDENCE_NOT = 26,
    PRECEDENCE_IS = 28,
    PRECEDENCE_COMPARE = 30,
    PRECEDENCE_BETWEEN = 32,
    PRECEDENCE_ADD = 40,
    PRECEDENCE_MULTIPLY = 60,
    PRECEDENCE_SIGN = 80,
    PRECEDENCE_ITEM = 100,
};

/* Operators between two values, longest words first; NULL when none stands at the symbol or keyword. */
const struct sql_op *sql_op_find(const char *name, enum sql_form form);
const struct sql_op *sql_op_infix(struct str symbol); /* of punctuation */
