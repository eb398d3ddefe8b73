/* parse_literal.c - literals: NULL, booleans, numbers, text, bytes, DATE '..', TIME '..', TIMESTAMP '..', INTERVAL '..' unit.
 * Text is decoded here; whether it is a number or a date that fits is the binder's question. */
#include "language/sql/parse_internal.h"

#include "ground/base/str.h"

#include <string.h>

static struct ast_expr *literal(struct parser *p, enum ast_literal what, struct ast_place from, struct str text)
{
    struct ast_expr *x = ast_new(p, AX_LITERAL, parse_since(p, from));
    x->literal = (uint8_t)what;
    x->text = text;
    return x;
}

/* 'a' 'b' is 'ab', as in the standard. */
static enum status parse_strings(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);
    struct str all, more;

    TRY(parse_string(p, "a string", &all));
    while (parse_peek(p, 0)->kind == TOKEN_STRING) {
        TRY(parse_string(p, "a string", &more));
        char *joined = arena_alloc(p->a, all.size + more.size + 1); /* escapes may have put zero bytes into them */
        memcpy(joined, all.data, all.size);
        memcpy(joined + all.size, more.data, more.size);
        joined[all.size + more.size] = '\0';
        all = (struct str){joined, all.size + more.size};
    }
    *out = literal(p, LITERAL_STRING, from, all);
    return S_OK;
}

static enum status parse_bytes(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);
    struct str text;

    TRY(token_value(p->t, parse_peek(p, 0), p->a, &text, p->e));
    p->at++;
    *out = literal(p, LITERAL_BYTES, from, text);
    return S_OK;
}

static enum status parse_number(struct parser *p, struct ast_expr **out)
{
    const struct token *t = parse_peek(p, 0);
    struct ast_place from = parse_here(p);
    enum ast_literal what = t->kind == TOKEN_INTEGER ? LITERAL_INTEGER : t->kind == TOKEN_DECIMAL ? LITERAL_DECIMAL : LITERAL_DOUBLE;

    p->at++;
    *out = literal(p, what, from, token_text(p->t, t));
    return S_OK;
}

static enum status parse_interval(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);
    struct ast_expr *x = ast_new(p, AX_LITERAL, from);

    TRY(expect_word(p, KW_INTERVAL));
    x->literal = LITERAL_INTERVAL;
    x->flag = take_symbol(p, "-");
    if (!x->flag) take_symbol(p, "+");
    TRY(parse_string(p, "the interval's text: INTERVAL '10' SECOND", &x->text));
    TRY(parse_interval_unit(p, &x->type));
    x->place = parse_since(p, from);
    *out = x;
    return S_OK;
}

static enum status parse_word_literal(struct parser *p, struct ast_expr **out)
{
    static const struct {
        enum keyword word;
        enum ast_literal what;
        bool text; /* a string follows */
    } words[] = {{KW_NULL, LITERAL_NULL, false},       {KW_TRUE, LITERAL_TRUE, false}, {KW_FALSE, LITERAL_FALSE, false},
                 {KW_UNKNOWN, LITERAL_UNKNOWN, false}, {KW_DATE, LITERAL_DATE, true},  {KW_TIME, LITERAL_TIME, true},
                 {KW_TIMESTAMP, LITERAL_TIMESTAMP, true}};
    struct ast_place from = parse_here(p);
    struct str text = {0};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!is_word(p, 0, words[i].word) || (words[i].text && parse_peek(p, 1)->kind != TOKEN_STRING)) continue;
        p->at++;
        if (words[i].text) TRY(parse_string(p, "a string", &text));
        *out = literal(p, words[i].what, from, text);
        return S_OK;
    }
    return S_OK;
}

enum status parse_literal(struct parser *p, struct ast_expr **out)
{
    *out = NULL;
    switch ((enum token_kind)parse_peek(p, 0)->kind) {
    case TOKEN_INTEGER:
    case TOKEN_DECIMAL:
    case TOKEN_DOUBLE: return parse_number(p, out);
    case TOKEN_STRING: return parse_strings(p, out);
    case TOKEN_BYTES: return parse_bytes(p, out);
    case TOKEN_KEYWORD: return is_word(p, 0, KW_INTERVAL) ? parse_interval(p, out) : parse_word_literal(p, out);
    default: return S_OK;
    }
}
