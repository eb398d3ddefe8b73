/* parse_name.c - names, strings, and types. Of a type only its extent is found here; type_parse reads its text. */
#include "language/sql/parse_internal.h"

#include "columns/column/type.h"
#include "ground/base/str.h"

bool is_name(const struct parser *p, uint32_t ahead)
{
    const struct token *t = parse_peek(p, ahead);
    return t->kind == TOKEN_NAME || (t->kind == TOKEN_KEYWORD && !keyword_is_reserved((enum keyword)t->keyword));
}

enum status parse_simple_name(struct parser *p, const char *what, struct str *out, struct ast_place *place)
{
    if (!is_name(p, 0)) return parse_expected(p, what);
    if (place != NULL) *place = parse_here(p);
    return token_value(p->t, &p->t->items[p->at++], p->a, out, p->e);
}

struct ast_name ast_name_of(struct parser *p, struct str part, struct ast_place place)
{
    struct ast_name name = {.place = place, .places = ARENA_NEW(p->a, struct ast_place)};
    *name.places = place;
    *PARSE_PUSH(p, name.parts, name.count) = part;
    return name;
}

/* Any word that touches the dot before it: A.dateTime needs no backticks, unlike in Flink. One that stands apart more likely
 * begins what follows a dot too many. */
static bool is_part(const struct parser *p)
{
    const struct token *dot = &p->t->items[p->at - 1];
    return parse_peek(p, 0)->kind == TOKEN_KEYWORD && parse_peek(p, 0)->at == dot->at + dot->size;
}

enum status parse_part(struct parser *p, const char *what, struct str *out, struct ast_place *place)
{
    if (!is_part(p)) return parse_simple_name(p, what, out, place);
    if (place != NULL) *place = parse_here(p);
    *out = token_text(p->t, &p->t->items[p->at++]);
    return S_OK;
}

enum status parse_name(struct parser *p, const char *what, struct ast_name *out)
{
    struct ast_place start = parse_here(p);

    *out = (struct ast_name){0};
    do {
        struct ast_place place;
        struct str part;
        if (out->count == AST_NAME_PARTS_MAX) return parse_too_many(p, "a name", AST_NAME_PARTS_MAX, "parts");
        TRY(out->count > 0 ? parse_part(p, what, &part, &place) : parse_simple_name(p, what, &part, &place));
        out->places = parse_grow(p, out->places, out->count, sizeof *out->places);
        out->places[out->count] = place;
        *PARSE_PUSH(p, out->parts, out->count) = part;
    } while (is_symbol(p, 0, ".") && !is_symbol(p, 1, "*") && take_symbol(p, "."));
    out->place = parse_since(p, start);
    return S_OK;
}

enum status parse_name_list(struct parser *p, const char *what, uint32_t *count, struct str **out)
{
    *count = 0;
    *out = NULL;
    TRY(expect_symbol(p, "("));
    do {
        struct str name;
        TRY(parse_simple_name(p, what, &name, NULL));
        *PARSE_PUSH(p, *out, *count) = name;
    } while (take_symbol(p, ","));
    return expect_symbol(p, ")");
}

enum status parse_string(struct parser *p, const char *what, struct str *out)
{
    if (parse_peek(p, 0)->kind != TOKEN_STRING) return parse_expected(p, what);
    return token_value(p->t, &p->t->items[p->at++], p->a, out, p->e);
}

/* Moves behind the bracket that closes the one at the cursor. Bit n of `angled`: the n-th last one that is open is a <. */
static enum status skip_brackets(struct parser *p)
{
    uint64_t angled = 0;
    uint32_t open = 0;

    do {
        const struct token *t = parse_peek(p, 0);
        struct str text = token_text(p->t, t);
        char c = t->kind == TOKEN_SYMBOL && text.size == 1 ? text.data[0] : ' ';
        if (is_symbol(p, 0, "<>")) return parse_expected(p, "a type between the brackets");
        if (t->kind == TOKEN_END || c == ';' || ((c == '>' || c == ')') && (c == '>') != (angled & 1)))
            return parse_expected(p, angled & 1 ? "'>', which closes the type" : "')', which closes the type");
        if (c == '<' || c == '(') {
            if (open++ == TYPE_DEPTH_MAX) return parse_too_many(p, "a type", TYPE_DEPTH_MAX, "levels");
            angled = angled << 1 | (c == '<');
        }
        if (c == '>' || c == ')') open--, angled >>= 1;
        p->at++;
    } while (open > 0);
    return S_OK;
}

static bool is_unit(const struct parser *p, uint32_t ahead)
{
    static const enum keyword units[] = {KW_YEAR, KW_MONTH, KW_DAY, KW_HOUR, KW_MINUTE, KW_SECOND,
                                         KW_YEARS, KW_MONTHS, KW_DAYS, KW_HOURS, KW_MINUTES, KW_SECONDS};

    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (is_word(p, ahead, units[i])) return true;
    return false;
}

enum status parse_interval_unit(struct parser *p, struct ast_type *out)
{
    struct ast_place from = parse_here(p);

    if (!is_unit(p, 0)) return parse_expected(p, "the unit of the INTERVAL");
    p->at++;
    if (is_symbol(p, 0, "(")) TRY(skip_brackets(p));
    if (take_word(p, KW_TO)) {
        if (!is_unit(p, 0)) return parse_expected(p, "the last unit of the INTERVAL");
        p->at++;
        if (is_symbol(p, 0, "(")) TRY(skip_brackets(p));
    }
    out->place = parse_since(p, from);
    out->text = (struct str){p->t->text.data + out->place.at, out->place.size};
    return S_OK;
}

/* DOUBLE PRECISION, CHARACTER VARYING, TIMESTAMP(3) WITH LOCAL TIME ZONE, INT ARRAY NOT NULL */
static enum status skip_type_words(struct parser *p)
{
    take_word(p, KW_PRECISION);
    take_word(p, KW_VARYING);
    if (is_symbol(p, 0, "<") || is_symbol(p, 0, "<>") || is_symbol(p, 0, "(")) TRY(skip_brackets(p));
    if (take_word(p, KW_WITHOUT)) {
        TRY(expect_word(p, KW_TIME));
        TRY(expect_word(p, KW_ZONE));
    } else if (is_word(p, 0, KW_WITH) && (is_word(p, 1, KW_LOCAL) || is_word(p, 1, KW_TIME))) {
        p->at++;
        take_word(p, KW_LOCAL);
        TRY(expect_word(p, KW_TIME));
        TRY(expect_word(p, KW_ZONE));
    }
    for (;;) {
        if (take_word(p, KW_ARRAY) || take_word(p, KW_MULTISET) || take_words(p, KW_NOT, KW_NULL)) continue;
        if (!is_word(p, 0, KW_NULL)) return S_OK;
        p->at++;
    }
}

enum status parse_type(struct parser *p, struct ast_type *out)
{
    const struct token *t = parse_peek(p, 0);
    struct ast_place start = parse_here(p);

    if (t->kind != TOKEN_NAME && t->kind != TOKEN_KEYWORD) return parse_expected(p, "a type");
    p->at++;
    if (t->keyword == KW_INTERVAL && t->kind == TOKEN_KEYWORD) TRY(parse_interval_unit(p, out));
    TRY(skip_type_words(p));
    out->place = parse_since(p, start);
    out->text = (struct str){p->t->text.data + out->place.at, out->place.size};
    return S_OK;
}
