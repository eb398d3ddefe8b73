/* st_set.c - SET and RESET: a session's configuration. The key may be a string or bare words with dots, as the SQL client
 * takes it. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

/* Of a bare key: names and numbers, with dots and dashes between them. */
static bool is_key_part(const struct parser *p)
{
    return parse_peek(p, 0)->kind != TOKEN_SYMBOL || is_symbol(p, 0, ".") || is_symbol(p, 0, "-");
}

/* 'a.b-c' or a.b-c: bare text up to = or the end. */
static enum status parse_bare(struct parser *p, const char *what, bool value, struct str *out, struct ast_place *place)
{
    *place = parse_here(p);
    if (parse_peek(p, 0)->kind == TOKEN_STRING) return parse_string(p, what, out);
    while (parse_peek(p, 0)->kind != TOKEN_END && !is_symbol(p, 0, ";") && (value || is_key_part(p))) p->at++;
    *place = parse_since(p, *place);
    if (place->size == 0) return parse_expected(p, what);
    *out = (struct str){p->t->text.data + place->at, place->size};
    return S_OK;
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct set *s = ARENA_NEW(p->a, struct set);

    *body = s;
    s->reset = start == 1;
    p->at++;
    if (parse_peek(p, 0)->kind == TOKEN_END || is_symbol(p, 0, ";")) return S_OK;
    s->has_key = true;
    TRY(parse_bare(p, "a configuration key", false, &s->option.key, &s->option.key_place));
    if (s->reset) return S_OK;
    TRY(expect_symbol(p, "="));
    return parse_bare(p, "the key's value", true, &s->option.value, &s->option.value_place);
}

static void print(const void *body, struct buf *out)
{
    const struct set *s = body;

    buf_append_text(out, s->reset ? "RESET" : "SET");
    if (!s->has_key) return;
    buf_append_byte(out, ' ');
    print_string(s->option.key, out);
    if (s->reset) return;
    buf_append_text(out, " = ");
    print_string(s->option.value, out);
}

const struct st_type st_set = {
    .name = "set",
    .doc = "Sets or clears a configuration key of the session; without a key, lists or clears all.",
    .example = "SET 'table.exec.state.ttl' = '1 h'",
    .starts = {"SET", "RESET"},
    .parse = parse,
    .print = print,
};
