/* parse_core.c - the cursor over tokens, errors about the next one, bounds of nesting. */
#include "language/sql/parse_internal.h"

#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

bool is_word(const struct parser *p, uint32_t ahead, enum keyword k)
{
    const struct token *t = parse_peek(p, ahead);
    return t->kind == TOKEN_KEYWORD && t->keyword == k;
}

bool is_symbol(const struct parser *p, uint32_t ahead, const char *symbol)
{
    const struct token *t = parse_peek(p, ahead);
    const char *text = p->t->text.data + t->at;
    return t->kind == TOKEN_SYMBOL && text[0] == symbol[0] && (symbol[1] == '\0' ? t->size == 1 : t->size == 2 && text[1] == symbol[1]);
}

bool take_word(struct parser *p, enum keyword k)
{
    bool there = is_word(p, 0, k);
    p->at += there;
    return there;
}

bool take_words(struct parser *p, enum keyword a, enum keyword b)
{
    bool there = is_word(p, 0, a) && is_word(p, 1, b);
    p->at += there ? 2 : 0;
    return there;
}

bool take_symbol(struct parser *p, const char *symbol)
{
    bool there = is_symbol(p, 0, symbol);
    p->at += there;
    return there;
}

/* A word that looks like the one expected is most likely a slip. */
static void suggest(struct parser *p, const char *word)
{
    const struct token *t = parse_peek(p, 0);
    if (t->kind == TOKEN_NAME && !t->quoted && str_nearest(token_text(p->t, t), &word, 1) == 0) err_hint(p->e, "did you mean %s?", word);
}

enum status expect_word(struct parser *p, enum keyword k)
{
    if (take_word(p, k)) return S_OK;
    suggest(p, keyword_text(k));
    return parse_expected(p, keyword_text(k));
}

enum status expect_symbol(struct parser *p, const char *symbol)
{
    char what[8];

    if (take_symbol(p, symbol)) return S_OK;
    snprintf(what, sizeof what, "'%s'", symbol);
    return parse_expected(p, what);
}

/* Symbols and words of the grammar are expected as they are written; else it is something with a name. */
static bool is_for_name(const char *what) { return what[0] != '\'' && !(what[0] >= 'A' && what[0] <= 'Z' && what[1] >= 'A' && what[1] <= 'Z'); }

/* What other dialects write. */
static void hint_dialect(struct parser *p, struct str text)
{
    const struct token *before = p->at > 0 ? &p->t->items[p->at - 1] : NULL;
    bool is_again = before != NULL && before->kind == TOKEN_SYMBOL && str_equal(token_text(p->t, before), STR("="));

    if (str_equal(text, STR("::"))) err_hint(p->e, "write CAST(x AS type)");
    else if (is_again && str_equal(text, STR("="))) err_hint(p->e, "equality is written with one =");
}

enum status parse_expected(struct parser *p, const char *what)
{
    const struct token *t = parse_peek(p, 0);
    struct str text = token_text(p->t, t);

    if (t->kind == TOKEN_END) return sql_error(p->e, p->t, t->at, 1, "the statement ends too early: expected %s", what);
    hint_dialect(p, text);
    if (t->kind == TOKEN_KEYWORD && keyword_is_reserved((enum keyword)t->keyword) && is_for_name(what))
        err_hint(p->e, "%s is a reserved word; as a name, write it in backticks: `%.*s`", keyword_text((enum keyword)t->keyword),
                 (int)text.size, text.data);
    return sql_error(p->e, p->t, t->at, t->size, "Encountered \"%.*s\": expected %s", (int)MIN(text.size, 60u), text.data, what);
}

enum status parse_too_many(struct parser *p, const char *where, uint32_t most, const char *what)
{
    const struct token *t = parse_peek(p, 0);

    return sql_error(p->e, p->t, t->at, t->size, "%s has at most %u %s, one more begins here", where, most, what);
}

void parse_suggest(struct parser *p, const char *const *words, uint32_t count)
{
    struct str text = token_text(p->t, parse_peek(p, 0));
    text.size = MIN(text.size, 60u);
    int nearest = parse_peek(p, 0)->quoted ? -1 : str_nearest(text, words, count);
    if (nearest >= 0) err_hint(p->e, "did you mean %s?", words[nearest]);
}

enum status parse_expected_words(struct parser *p, const char *const *words, uint32_t count)
{
    const char *listed = "";

    for (uint32_t i = 0; i < count; i++) {
        bool again = false;
        for (uint32_t j = 0; j < i && !again; j++) again = strcmp(words[i], words[j]) == 0;
        if (!again) listed = arena_printf(p->a, "%s%s%s", listed, *listed == '\0' ? "" : ", ", words[i]);
    }
    enum status st = parse_expected(p, listed);
    parse_suggest(p, words, count);
    return st;
}

enum status parse_not_yet(struct parser *p, const char *what)
{
    static const char *const instead[][2] = {
        {"models", "a function in C can ask one: CREATE FUNCTION f AS 'symbol' LANGUAGE C USING ARTIFACT 'lib.so'"},
        {"materialized tables", "CREATE TABLE t (...) WITH (...), and INSERT INTO t SELECT ..., keep a table up to date"},
    };
    const struct token *t = parse_peek(p, 0);

    for (size_t i = 0; i < COUNT_OF(instead); i++)
        if (strcmp(instead[i][0], what) == 0) err_hint(p->e, "%s", instead[i][1]);
    return sql_error(p->e, p->t, t->at, t->size, "%s are not supported yet", what);
}

struct ast_place parse_here(const struct parser *p)
{
    const struct token *t = parse_peek(p, 0);
    return (struct ast_place){t->at, t->size};
}

struct ast_place parse_since(const struct parser *p, struct ast_place from)
{
    const struct token *last = &p->t->items[p->at > 0 ? p->at - 1 : 0];
    uint32_t end = last->at + last->size;
    return (struct ast_place){from.at, end > from.at ? end - from.at : 0};
}

enum status parse_enter(struct parser *p)
{
    if (p->depth == AST_DEPTH_MAX)
        return sql_error(p->e, p->t, parse_peek(p, 0)->at, 1, "nested deeper than %d levels", AST_DEPTH_MAX);
    p->depth++;
    return S_OK;
}

/* --- going on behind a failure ----------------------------------------------------------------------------------- */
bool parse_at_comma(const struct parser *p) { return is_symbol(p, 0, ","); }

bool parse_at_clause(const struct parser *p)
{
    static const enum keyword starts[] = {KW_FROM,   KW_WHERE, KW_GROUP,  KW_HAVING, KW_WINDOW,    KW_QUALIFY, KW_ORDER,
                                          KW_LIMIT,  KW_OFFSET, KW_FETCH, KW_UNION,  KW_INTERSECT, KW_EXCEPT,  KW_MINUS};

    for (size_t i = 0; i < COUNT_OF(starts); i++)
        if (is_word(p, 0, starts[i])) return true;
    return false;
}

void parse_suggest_clause(struct parser *p)
{
    static const char *const clauses[] = {"FROM",  "WHERE",  "GROUP BY", "HAVING", "WINDOW", "QUALIFY",   "ORDER BY", "LIMIT",
                                          "UNION", "EXCEPT", "JOIN",     "LEFT",   "INNER",  "INTERSECT", "GROUP",    "ORDER"};
    const struct token *t = p->at > 0 ? &p->t->items[p->at - 1] : NULL;

    const struct token *before = p->at > 1 ? &p->t->items[p->at - 2] : NULL;

    if (t == NULL || t->kind != TOKEN_NAME || t->quoted || t->size > 60) return;
    if (before != NULL && before->kind == TOKEN_KEYWORD && keyword_is_reserved((enum keyword)before->keyword)) return; /* FROM orders */
    struct str text = token_text(p->t, t);
    int near = str_nearest(text, clauses, COUNT_OF(clauses));
    if (near >= 0) err_hint(p->e, "did you mean %s instead of '%.*s'?", clauses[near], (int)text.size, text.data);
}

enum status parse_no_stray(struct parser *p, const char *what)
{
    const struct token *t = parse_peek(p, 0);
    bool closes = t->kind == TOKEN_SYMBOL && (is_symbol(p, 0, ")") || is_symbol(p, 0, ";") || is_symbol(p, 0, ",") || is_symbol(p, 0, "*/"));

    if (t->kind == TOKEN_END || closes || parse_at_clause(p)) return S_OK;
    if (t->kind == TOKEN_KEYWORD && !is_word(p, 0, KW_BY) && !is_name(p, 0)) return S_OK;
    parse_suggest_clause(p);
    return parse_expected(p, what);
}

bool parse_is_news(const struct parser *p)
{
    return !p->has_failed || (p->at > p->resumed && parse_peek(p, 0)->kind != TOKEN_END);
}

/* +1, -1 or 0: the token opens or closes something. */
static int nesting(const struct parser *p)
{
    if (parse_peek(p, 0)->kind == TOKEN_HINT || is_symbol(p, 0, "(") || is_symbol(p, 0, "[") || is_symbol(p, 0, "{")) return 1;
    return is_symbol(p, 0, ")") || is_symbol(p, 0, "]") || is_symbol(p, 0, "}") || is_symbol(p, 0, "*/") ? -1 : 0;
}

enum status parse_resume(struct parser *p, struct parse_mark m, enum status st, bool (*ends)(const struct parser *p))
{
    uint32_t failed_at = p->at;
    enum status ignored = S_OK;

    if (st == S_OK) return S_OK;
    if (parse_is_news(p)) TRY(err_go_on(p->e, st, &ignored));
    else err_clear(p->e);
    p->at = m.at;
    for (int open = 0; parse_peek(p, 0)->kind != TOKEN_END && !is_symbol(p, 0, ";"); open += nesting(p), p->at++) {
        if (open == 0 && nesting(p) < 0) break;
        if (open == 0 && p->at >= failed_at && ends(p)) break;
    }
    p->depth = m.depth;
    p->resumed = p->at;
    p->has_failed = true;
    return S_OK;
}

void *parse_grow(struct parser *p, void *items, uint32_t count, size_t size)
{
    if (count != 0 && (count & (count - 1)) != 0) return items;
    void *more = arena_zalloc(p->a, size * (count == 0 ? 1 : (size_t)count * 2));
    if (count > 0) memcpy(more, items, size * count);
    return more;
}
