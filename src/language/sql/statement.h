/* statement.h - kinds of statements. One file st_<name>.c ends in one `const struct st_type st_<name>`: the words it begins
 * with, how it is read, how it is printed. What it says is a struct of
 * statement_tables.h or statement_bodies.h, which belongs to the parser's arena. */
#pragma once
#include "ground/base/buf.h"
#include "language/sql/statement_bodies.h"

struct parser;
struct st_type;

struct statement {
    const struct st_type *type;
    struct ast_place place; /* without the semicolon */
    const void *body;       /* by type */
};

enum { STATEMENT_STARTS_MAX = 12 };

struct st_type {
    const char *name, *doc, *example;
    /* "CREATE TABLE", "CREATE TEMPORARY TABLE": the longest one that stands at the cursor decides; a query begins by is_query. */
    const char *starts[STATEMENT_STARTS_MAX];
    /* The cursor stands before the first word; `start` is the index of the one that fits. */
    enum status (*parse)(struct parser *p, uint32_t start, const void **body);
    void (*print)(const void *body, struct buf *out);
};

extern const struct st_type *const st_types[]; /* sorted by name, ends with NULL */
extern const struct st_type st_query, st_insert, st_create_table, st_statement_set; /* these stand inside others */
extern const struct st_type st_create_view, st_execute, st_set, st_explain, st_shell; /* these are told apart by who runs them */

/* Reads the statement at token *at and moves *at behind its semicolon. S_END: nothing but semicolons was left. After an error
 * *at stands behind the next semicolon, so that a caller may go on and report several. */
enum status statement_parse(const struct tokens *t, uint32_t *at, struct arena *a, struct statement *out, struct err *e) CHECKED;
/* The only statement of a text. */
enum status statement_parse_one(struct str text, struct arena *a, struct tokens *t, struct statement *out, struct err *e) CHECKED;
/* The only expression of a text. */
enum status expression_parse_one(struct str text, struct arena *a, struct tokens *t, struct ast_expr **out, struct err *e) CHECKED;
void statement_print(const struct statement *s, struct buf *out);
