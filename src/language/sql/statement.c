/* statement.c - finding what kind of statement stands at the cursor, by the longest sequence of words that some kind begins
 * with, and reading one statement of a script after another. */
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

/* How many tokens from the cursor are the words of `start`; 0: they are others. */
static uint32_t words_ahead(const struct parser *p, const char *start)
{
    struct str rest = str_of(start), word;
    uint32_t n = 0;

    while (str_cut(&rest, ' ', &word)) {
        const struct token *t = parse_peek(p, n++);
        if (t->quoted || (t->kind != TOKEN_KEYWORD && t->kind != TOKEN_NAME) || !str_equal_nocase(token_text(p->t, t), word)) return 0;
    }
    return n;
}

static const struct st_type *find_type(const struct parser *p, uint32_t *start)
{
    const struct st_type *best = NULL;
    uint32_t longest = 0;

    if (is_query(p, 0)) return &st_query;
    for (uint32_t i = 0; st_types[i] != NULL; i++)
        for (uint32_t s = 0; s < STATEMENT_STARTS_MAX && st_types[i]->starts[s] != NULL; s++) {
            uint32_t n = words_ahead(p, st_types[i]->starts[s]);
            if (n <= longest) continue;
            longest = n;
            best = st_types[i];
            *start = s;
        }
    return best;
}

/* Suggests the first word of a statement for one that is nearly it. */
static enum status no_statement(struct parser *p)
{
    const char *words[256];
    uint32_t count = 0;
    struct str text = token_text(p->t, parse_peek(p, 0));

    for (uint32_t i = 0; st_types[i] != NULL; i++)
        for (uint32_t s = 0; s < STATEMENT_STARTS_MAX && st_types[i]->starts[s] != NULL && count < COUNT_OF(words); s++) {
            struct str rest = str_of(st_types[i]->starts[s]), word;
            if (str_cut(&rest, ' ', &word)) words[count++] = arena_strndup(p->a, word.data, word.size);
        }
    struct str start = {arena_printf(p->a, "%.*s", (int)MIN(text.size, 60u), text.data), MIN(text.size, 60u)};
    int nearest = str_nearest(start, words, count);
    if (nearest >= 0) err_hint(p->e, "did you mean %s?", words[nearest]);
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
    if (st == S_OK && parse_peek(&p, 0)->kind != TOKEN_END && !is_symbol(&p, 0, ";"))
        st = parse_expected(&p, "';' or the end of the statement");
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

void statement_print(const struct statement *s, struct buf *out) { s->type->print(s->body, out); }
