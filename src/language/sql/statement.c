/* statement.c - finding what kind of statement stands at the cursor, by the longest sequence of words that some kind begins
 * with, and reading one statement of a script after another. A statement with errors in parts that do not depend on each other is
 * read to its end (parse_resume): it has failed, with all of them. */
#include "language/sql/statement.h"

#include "ground/base/str.h"
#include "language/sql/parse_internal.h"

#define X(name) extern const struct st_type st_##name;
#include "st_registry.def"
#undef X

const struct st_type *const st_types[] = {
#define X(name) &st_##name,
#include "st_registry.def"
#undef X
    NULL,
};

/* How many of the words of `start` stand at the cursor, and the first that does not; empty: all do. */
static uint32_t words_fitting(const struct parser *p, const char *start, struct str *next)
{
    struct str rest = str_of(start);
    uint32_t n = 0;

    while (str_cut(&rest, ' ', next)) {
        const struct token *t = parse_peek(p, n);
        if (t->quoted || (t->kind != TOKEN_KEYWORD && t->kind != TOKEN_NAME) || !str_equal_nocase(token_text(p->t, t), *next)) return n;
        n++;
    }
    *next = (struct str){0};
    return n;
}

static const struct st_type *find_type(const struct parser *p, uint32_t *start)
{
    const struct st_type *best = NULL;
    uint32_t longest = 0;
    struct str next;

    if (is_query(p, 0)) return &st_query;
    for (uint32_t i = 0; st_types[i] != NULL; i++)
        for (uint32_t s = 0; s < STATEMENT_STARTS_MAX && st_types[i]->starts[s] != NULL; s++) {
            uint32_t n = words_fitting(p, st_types[i]->starts[s], &next);
            if (next.size > 0 || n <= longest) continue;
            longest = n;
            best = st_types[i];
            *start = s;
        }
    return best;
}

/* CREATE MODEL, ALTER MATERIALIZED TABLE, CREATE OR ALTER MATERIALIZED TABLE ...: S_OK when it is none of these. */
static enum status refuse_unsupported(struct parser *p)
{
    if (!is_word(p, 0, KW_CREATE) && !is_word(p, 0, KW_ALTER) && !is_word(p, 0, KW_DROP)) return S_OK;
    uint32_t n = is_word(p, 1, KW_TEMPORARY) ? 2 : is_word(p, 1, KW_OR) && is_word(p, 2, KW_ALTER) ? 3 : 1;
    bool model = is_word(p, n, KW_MODEL);
    if (!model && !is_word(p, n, KW_MATERIALIZED)) return S_OK;
    p->at += n;
    return parse_not_yet(p, model ? "models" : "materialized tables");
}

/* Says which words may stand where the first one stands that begins no statement. */
static enum status no_statement(struct parser *p)
{
    enum { WORDS_MAX = 256 };
    const char *words[WORDS_MAX];
    uint32_t count = 0, fitting = 0;
    struct str next;

    TRY(refuse_unsupported(p));
    for (uint32_t i = 0; st_types[i] != NULL; i++)
        for (uint32_t s = 0; s < STATEMENT_STARTS_MAX && st_types[i]->starts[s] != NULL; s++) {
            uint32_t n = words_fitting(p, st_types[i]->starts[s], &next);
            if (n < fitting || count == WORDS_MAX) continue;
            if (n > fitting) count = 0;
            fitting = n;
            words[count++] = arena_strndup(p->a, next.data, next.size);
        }
    p->at += fitting;
    if (fitting > 0) return parse_expected_words(p, words, count);
    parse_suggest(p, words, count);
    return parse_expected(p, "a statement");
}

static enum status parse_statement(struct parser *p, struct statement *out)
{
    uint32_t start = 0;
    struct ast_place from = parse_here(p);
    const struct st_type *type = find_type(p, &start);

    if (type == NULL) return no_statement(p);
    out->type = type;
    TRY(type->parse(p, start, &out->body));
    out->place = parse_since(p, from);
    return S_OK;
}

enum status parse_inner_statement(struct parser *p, struct statement **out)
{
    *out = ARENA_NEW(p->a, struct statement);
    TRY(parse_enter(p));
    TRY(parse_statement(p, *out));
    parse_leave(p);
    return S_OK;
}

enum status statement_parse(const struct tokens *t, uint32_t *at, struct arena *a, struct statement *out, struct err *e)
{
    struct parser p = {.t = t, .at = *at, .a = a, .e = e};

    *out = (struct statement){0};
    while (take_symbol(&p, ";")) continue;
    *at = p.at;
    if (parse_peek(&p, 0)->kind == TOKEN_END) return S_END;
    enum status st = parse_statement(&p, out);
    bool ends = parse_peek(&p, 0)->kind == TOKEN_END || is_symbol(&p, 0, ";");
    if (st == S_OK && !ends) parse_suggest_clause(&p);
    if (st == S_OK && !ends) st = parse_expected(&p, "';' or the end of the statement");
    if (p.has_failed) {
        if (st != S_OK && !parse_is_news(&p)) err_clear(e);
        st = err_gather(e);
    }
    while (parse_peek(&p, 0)->kind != TOKEN_END && !is_symbol(&p, 0, ";")) p.at++;
    take_symbol(&p, ";");
    *at = p.at;
    return st;
}

enum status statement_parse_one(struct str text, struct arena *a, struct tokens *t, struct statement *out, struct err *e)
{
    struct statement more;
    uint32_t at = 0;

    TRY(tokens_cut(t, text, NULL, a, e));
    enum status st = statement_parse(t, &at, a, out, e);
    if (st == S_END) return sql_error(e, t, 0, 1, "there is no statement");
    TRY(st);
    st = statement_parse(t, &at, a, &more, e);
    if (st == S_OK) return sql_error(e, t, more.place.at, more.place.size, "only one statement is taken here");
    return st == S_END ? S_OK : st;
}

enum status expression_parse_one(struct str text, struct arena *a, struct tokens *t, struct ast_expr **out, struct err *e)
{
    struct parser p = {.t = t, .a = a, .e = e};

    TRY(tokens_cut(t, text, NULL, a, e));
    TRY(parse_expr(&p, out));
    return parse_peek(&p, 0)->kind == TOKEN_END ? S_OK : parse_expected(&p, "the end of the expression");
}

void statement_print(const struct statement *s, struct buf *out) { s->type->print(s->body, out); }
