/* complete_context.h - what may stand at the cursor of a statement that is being typed: told from its words alone, right or wrong as it
 * may be. It knows no catalog. */
#pragma once
#include "ground/base/base.h"

enum complete_place {
    COMPLETE_BEGIN,      /* of the statement */
    COMPLETE_TABLE,      /* a table or view; with `qualifier`: in that database, or a database of that catalog */
    COMPLETE_CATALOG,    /* behind USE CATALOG */
    COMPLETE_DATABASE,   /* behind USE */
    COMPLETE_MEMBER,     /* a column behind `qualifier.` */
    COMPLETE_EXPRESSION, /* anything else that is a word */
    COMPLETE_KEY,        /* of an option of a table, in quotes */
    COMPLETE_VALUE,      /* of the option `key` */
    COMPLETE_SETTING,    /* a key of SET or RESET */
    COMPLETE_SET_VALUE,  /* of the setting `key` */
    COMPLETE_NOTHING,    /* a text */
};

enum { COMPLETE_TABLES_MAX = 32 };
struct complete_table {
    struct str parts[3]; /* of its name as it is written, without backticks; the last is the table's */
    uint32_t part_count;
    struct str alias; /* empty: none */
};

struct complete_context {
    enum complete_place place;
    struct str word;         /* that the cursor stands behind; may be empty */
    struct str qualifier[2]; /* before the dot, the nearest first */
    struct str key;
    struct complete_table tables[COMPLETE_TABLES_MAX]; /* that the statement names, also behind the cursor */
    uint32_t table_count;
    struct str connector, format; /* that the option list names before the cursor; empty: it does not */
};

/* All views are of the two texts. */
void complete_context_of(struct str before, struct str after, struct complete_context *out);
/* The table of that name or alias; NULL: the statement names none. */
const struct complete_table *complete_context_table(const struct complete_context *c, struct str name);
