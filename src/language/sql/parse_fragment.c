/* parse_fragment.c - see fragment.h: the parser's own functions over a text that is one piece and nothing else, so that a piece
 * cannot reach out of its place in the tree. */
#include "language/sql/fragment.h"

#include "ground/base/str.h"
#include "language/sql/parse_internal.h"

static enum status begin(struct parser *p, struct str text, struct arena *a, struct tokens *t, struct err *e)
{
    *p = (struct parser){.t = t, .a = a, .e = e};
    return tokens_cut(t, text, NULL, a, e);
}

static enum status expect_end(struct parser *p)
{
    return parse_peek(p, 0)->kind == TOKEN_END ? S_OK : parse_expected(p, "',' or the end");
}

enum status fragment_items(struct str text, struct arena *a, struct tokens *t, struct ast_select *s, struct err *e)
{
    struct parser p;

    TRY(begin(&p, text, a, t, e));
    TRY(parse_select_items(&p, s));
    return expect_end(&p);
}

enum status fragment_grouped(struct str text, struct arena *a, struct tokens *t, struct ast_select *s, struct err *e)
{
    struct parser p;

    TRY(begin(&p, text, a, t, e));
    TRY(parse_select_items(&p, s));
    if (!take_symbol(&p, ";")) return parse_expected(&p, "',' or the end");
    TRY(parse_group(&p, s));
    return expect_end(&p);
}

enum status fragment_group(struct str text, struct arena *a, struct tokens *t, struct ast_select *s, struct err *e)
{
    struct parser p;

    TRY(begin(&p, text, a, t, e));
    TRY(parse_group(&p, s));
    return expect_end(&p);
}

enum status fragment_orders(struct str text, struct arena *a, struct tokens *t, struct ast_orders *out, struct err *e)
{
    struct parser p;

    TRY(begin(&p, text, a, t, e));
    TRY(parse_orders(&p, out));
    return expect_end(&p);
}

enum status fragment_name(struct str text, struct arena *a, struct tokens *t, struct ast_name *out, struct err *e)
{
    struct parser p;

    TRY(begin(&p, text, a, t, e));
    TRY(parse_name(&p, "a table", out));
    return expect_end(&p);
}

enum status fragment_names(struct str text, struct arena *a, struct tokens *t, uint32_t *count, struct str **out,
                           struct err *e)
{
    struct parser p;

    TRY(begin(&p, text, a, t, e));
    *count = 0;
    *out = NULL;
    do TRY(parse_simple_name(&p, "the name of a column", PARSE_PUSH(&p, *out, *count), NULL));
    while (take_symbol(&p, ","));
    return expect_end(&p);
}

enum status fragment_arguments(struct str text, struct arena *a, struct tokens *t, const char *function,
                               struct ast_expr **out, struct err *e)
{
    struct parser p;

    TRY(begin(&p, text, a, t, e));
    struct ast_expr *call = *out = ast_new(&p, AX_CALL, (struct ast_place){0, (uint32_t)text.size});
    call->name = ast_name_of(&p, str_of(function), call->place);
    do {
        struct ast_expr *x;
        TRY(parse_expr(&p, &x));
        TRY(ast_add(&p, call, x));
    } while (take_symbol(&p, ","));
    return expect_end(&p);
}
