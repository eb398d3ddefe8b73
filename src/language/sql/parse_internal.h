/* parse_internal.h - what the parser's files share: the cursor over tokens, and one function per part of the grammar.
 *
 * take_* moves on when the thing is there and says whether it was; expect_* fails when it is not. A function parse_x(p, &x)
 * stands before the first token of x and leaves the cursor behind its last. */
#pragma once
#include "language/sql/sql_op.h"

struct parser {
    const struct tokens *t;
    uint32_t at;    /* the next token */
    uint32_t depth; /* of nesting, bounded by AST_DEPTH_MAX */
    uint32_t resumed; /* the token from which it was read on behind a failure */
    bool has_failed;
    struct arena *a;
    struct err *e;
};

/* --- cursor (parse_core.c) --------------------------------------------------------------------------------------- */
static inline const struct token *parse_peek(const struct parser *p, uint32_t ahead)
{
    uint32_t at = p->at + ahead;
    return &p->t->items[at < p->t->count ? at : p->t->count - 1];
}
bool is_word(const struct parser *p, uint32_t ahead, enum keyword k);
bool is_symbol(const struct parser *p, uint32_t ahead, const char *symbol);
bool take_word(struct parser *p, enum keyword k);
bool take_words(struct parser *p, enum keyword a, enum keyword b); /* both or none */
bool take_symbol(struct parser *p, const char *symbol);
enum status expect_word(struct parser *p, enum keyword k) CHECKED;
enum status expect_symbol(struct parser *p, const char *symbol) CHECKED;
/* Fails at the next token: Encountered "x" at ...: expected <what>. */
enum status parse_expected(struct parser *p, const char *what);
enum status parse_too_many(struct parser *p, const char *where, uint32_t most, const char *what); /* "a list has at most 7 items" */
/* The same with a list of words, of which the nearest is suggested. */
enum status parse_expected_words(struct parser *p, const char *const *words, uint32_t count);
void parse_suggest(struct parser *p, const char *const *words, uint32_t count); /* hints at the nearest one, if any is near */
/* Fails at the next token: "<what> are not supported yet". */
enum status parse_not_yet(struct parser *p, const char *what); /* "models": what to write instead is known there */
struct ast_place parse_here(const struct parser *p);                         /* of the next token */
struct ast_place parse_since(const struct parser *p, struct ast_place from); /* from there to the last token taken */
/* One level of nesting: fails when it is too deep; every enter that answered S_OK has its leave. */
enum status parse_enter(struct parser *p) CHECKED;
static inline void parse_leave(struct parser *p) { p->depth--; }
/* Where something begins that may be skipped when it fails. */
struct parse_mark {
    uint32_t at, depth;
};
static inline struct parse_mark parse_mark(const struct parser *p) { return (struct parse_mark){p->at, p->depth}; }
/* Behind a part that began at m: when it failed and there is room for more errors, says so later and moves on to what `ends` accepts,
 * outside of all parentheses of the part, to the parenthesis that closes around it, or to the end of the statement. Answers st
 * otherwise. What the part has made may be half: nobody reads the tree of a text with errors. */
enum status parse_resume(struct parser *p, struct parse_mark m, enum status st, bool (*ends)(const struct parser *p)) CHECKED;
bool parse_at_comma(const struct parser *p);
bool parse_at_clause(const struct parser *p); /* FROM, WHERE, ... ORDER, LIMIT, UNION */
/* Fails where something stands behind a part of a query that can go on with nothing: so that the clauses behind it are read. */
enum status parse_no_stray(struct parser *p, const char *what) CHECKED;
void parse_suggest_clause(struct parser *p); /* hints at the clause that the last word, taken for an alias, may have been */
/* Is a failure here one of its own, or what an earlier one has led to? */
bool parse_is_news(const struct parser *p);
/* Room for one more behind `count` items of `size` bytes: doubles at powers of two. */
void *parse_grow(struct parser *p, void *items, uint32_t count, size_t size);
#define PARSE_PUSH(p, items, count) ((items) = parse_grow((p), (items), (count), sizeof *(items)), &(items)[(count)++])

/* --- names (parse_name.c) ---------------------------------------------------------------------------------------- */
bool is_name(const struct parser *p, uint32_t ahead); /* a name, or a word that is not reserved */
enum status parse_simple_name(struct parser *p, const char *what, struct str *out, struct ast_place *place) CHECKED;
enum status parse_part(struct parser *p, const char *what, struct str *out, struct ast_place *place) CHECKED; /* behind a dot */
enum status parse_name(struct parser *p, const char *what, struct ast_name *out) CHECKED; /* a.b.c */
struct ast_name ast_name_of(struct parser *p, struct str part, struct ast_place place); /* of one part */
enum status parse_name_list(struct parser *p, const char *what, uint32_t *count, struct str **out) CHECKED; /* (a, b) */
enum status parse_string(struct parser *p, const char *what, struct str *out) CHECKED;
enum status parse_type(struct parser *p, struct ast_type *out) CHECKED;
enum status parse_interval_unit(struct parser *p, struct ast_type *out) CHECKED; /* DAY(3) TO SECOND(3) */

/* --- expressions ------------------------------------------------------------------------------------------------- */
enum status parse_expr(struct parser *p, struct ast_expr **out) CHECKED;
enum status parse_above(struct parser *p, uint8_t precedence, struct ast_expr **out) CHECKED; /* operators that bind tighter */
enum status parse_primary(struct parser *p, struct ast_expr **out) CHECKED;
enum status parse_literal(struct parser *p, struct ast_expr **out) CHECKED; /* NULL when there is none */
enum status parse_exprs(struct parser *p, struct ast_list *out) CHECKED;    /* a, b, c */
enum status parse_order(struct parser *p, struct ast_order *out) CHECKED;
enum status parse_orders(struct parser *p, struct ast_orders *out) CHECKED; /* behind ORDER BY */
enum status parse_call(struct parser *p, struct ast_name name, struct ast_expr **out) CHECKED; /* before the ( */
enum status parse_call_tail(struct parser *p, struct ast_expr *call) CHECKED; /* WITHIN GROUP, FILTER, nulls, OVER */
enum status parse_window(struct parser *p, struct ast_window *out) CHECKED;   /* inside OVER ( ... ) */
enum status parse_special(struct parser *p, struct ast_expr **out) CHECKED;   /* EXTRACT(..): NULL when it is none */
struct ast_expr *ast_new(struct parser *p, enum ast_expr_kind kind, struct ast_place place);
enum status ast_add(struct parser *p, struct ast_expr *x, struct ast_expr *arg) CHECKED; /* keeps the height */
enum status ast_call(struct parser *p, const struct sql_op *op, struct ast_place place, struct ast_expr *const *args, uint32_t count,
                     struct ast_expr **out) CHECKED;
struct ast_expr *ast_word(struct parser *p, struct str text, struct ast_place place);

/* --- queries ----------------------------------------------------------------------------------------------------- */
bool is_query(const struct parser *p, uint32_t ahead); /* SELECT, WITH, VALUES, TABLE, or such in parentheses */
enum status parse_query(struct parser *p, struct ast_query **out) CHECKED;
enum status parse_select(struct parser *p, struct ast_select **out) CHECKED;
enum status parse_select_items(struct parser *p, struct ast_select *s) CHECKED; /* a, b + 1 AS c */
enum status parse_group(struct parser *p, struct ast_select *s) CHECKED;        /* behind GROUP BY */
enum status parse_tables(struct parser *p, struct ast_table **out) CHECKED; /* behind FROM */
enum status parse_table_argument(struct parser *p, struct ast_table **out) CHECKED; /* TABLE t PARTITION BY ... */
enum status parse_hints(struct parser *p, struct ast_hints *out) CHECKED;   /* nothing when there are none */

/* --- statements -------------------------------------------------------------------------------------------------- */
struct statement;
enum status parse_inner_statement(struct parser *p, struct statement **out) CHECKED; /* of EXPLAIN, COMPILE PLAN ... */
enum status parse_statement_set(struct parser *p, struct statement **out) CHECKED;   /* STATEMENT SET BEGIN .. END */
