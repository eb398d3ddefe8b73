/* parse_special.c - functions with words between their arguments: EXTRACT(DAY FROM t), TRIM(BOTH 'x' FROM s), JSON_VALUE(j, p
 * RETURNING INT NULL ON EMPTY). Each is a call whose arguments are what stands there in order, words included as WORD nodes;
 * which orders make sense is the binder's question.
 *
 * One table says which words may stand in which function. */
#include "language/sql/parse_internal.h"

#include "ground/base/str.h"

enum { UNIT_FIRST = 1, UNIT_LAST = 2, TYPE = 4, COLON = 8, WORDS_MAX = 20 };

static const enum keyword units[] = {KW_YEAR, KW_QUARTER, KW_MONTH, KW_WEEK, KW_DAY, KW_HOUR, KW_MINUTE, KW_SECOND, KW_MILLISECOND,
                                     KW_MICROSECOND, KW_NANOSECOND, KW_DECADE, KW_CENTURY, KW_MILLENNIUM, KW_EPOCH, KW_DOW, KW_DOY,
                                     KW_ISODOW, KW_ISOYEAR, KW_SQL_TSI_YEAR, KW_SQL_TSI_QUARTER, KW_SQL_TSI_MONTH, KW_SQL_TSI_WEEK,
                                     KW_SQL_TSI_DAY, KW_SQL_TSI_HOUR, KW_SQL_TSI_MINUTE, KW_SQL_TSI_SECOND, KW_SQL_TSI_MICROSECOND};

#define ON_EMPTY_OR_ERROR KW_NULL, KW_ERROR, KW_DEFAULT, KW_EMPTY, KW_ON
#define WRAPPER KW_WITH, KW_WITHOUT, KW_CONDITIONAL, KW_UNCONDITIONAL, KW_WRAPPER, KW_ARRAY, KW_OBJECT

static const struct special {
    enum keyword name;
    uint8_t flags;
    enum keyword words[WORDS_MAX];
} specials[] = {
    {KW_EXTRACT, UNIT_FIRST, {KW_FROM}},
    {KW_TRIM, 0, {KW_BOTH, KW_LEADING, KW_TRAILING, KW_FROM}},
    {KW_SUBSTRING, 0, {KW_FROM, KW_FOR}},
    {KW_OVERLAY, 0, {KW_PLACING, KW_FROM, KW_FOR}},
    {KW_POSITION, 0, {KW_IN, KW_FROM}},
    {KW_FLOOR, UNIT_LAST, {KW_TO}},
    {KW_CEIL, UNIT_LAST, {KW_TO}},
    {KW_CEILING, UNIT_LAST, {KW_TO}},
    {KW_TIMESTAMPADD, UNIT_FIRST, {0}},
    {KW_TIMESTAMPDIFF, UNIT_FIRST, {0}},
    {KW_JSON_EXISTS, 0, {KW_TRUE, KW_FALSE, KW_UNKNOWN, KW_ERROR, KW_ON}},
    {KW_JSON_VALUE, TYPE, {KW_RETURNING, ON_EMPTY_OR_ERROR}},
    {KW_JSON_QUERY, TYPE, {KW_RETURNING, ON_EMPTY_OR_ERROR, WRAPPER}},
    {KW_JSON_OBJECT, COLON, {KW_KEY, KW_VALUE, KW_NULL, KW_ABSENT, KW_ON}},
    {KW_JSON_ARRAY, 0, {KW_NULL, KW_ABSENT, KW_ON}},
    {KW_JSON_OBJECTAGG, COLON, {KW_KEY, KW_VALUE, KW_NULL, KW_ABSENT, KW_ON}},
    {KW_JSON_ARRAYAGG, 0, {KW_NULL, KW_ABSENT, KW_ON, KW_ORDER}},
};

static const struct special *special_at(const struct parser *p)
{
    for (size_t i = 0; i < COUNT_OF(specials); i++)
        if (is_word(p, 0, specials[i].name) && is_symbol(p, 1, "(")) return &specials[i];
    return NULL;
}

/* A value word such as NULL is a clause only before ON; a word that could name a column, only where no operand would end. */
static bool is_clause_word(const struct parser *p, const struct special *s)
{
    bool value = is_word(p, 0, KW_NULL) || is_word(p, 0, KW_TRUE) || is_word(p, 0, KW_FALSE) || is_word(p, 0, KW_UNKNOWN);

    if (value && !is_word(p, 1, KW_ON)) return false;
    if ((is_word(p, 0, KW_ARRAY) || is_word(p, 0, KW_OBJECT)) && is_symbol(p, 1, "[")) return false;
    if (is_word(p, 0, KW_KEY) && (is_word(p, 1, KW_VALUE) || is_symbol(p, 1, ".") || is_symbol(p, 1, ","))) return false;
    for (size_t i = 0; i < WORDS_MAX && s->words[i] != KEYWORD_NONE; i++)
        if (is_word(p, 0, s->words[i])) return true;
    return false;
}

static bool is_unit(const struct parser *p)
{
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (is_word(p, 0, units[i])) return true;
    return false;
}

static struct ast_expr *take_as_word(struct parser *p, bool unit)
{
    struct ast_place place = parse_here(p);
    struct ast_expr *x = ast_word(p, str_of(keyword_text((enum keyword)parse_peek(p, 0)->keyword)), place);
    x->flag = unit;
    p->at++;
    return x;
}

static enum status not_unit(struct parser *p)
{
    const char *words[COUNT_OF(units)];

    for (size_t i = 0; i < COUNT_OF(units); i++) words[i] = keyword_text(units[i]);
    enum status st = parse_expected(p, "a time unit: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, ...");
    parse_suggest(p, words, COUNT_OF(words));
    return st;
}

static enum status parse_unit(struct parser *p, struct ast_expr *call)
{
    if (!is_unit(p)) return not_unit(p);
    return ast_add(p, call, take_as_word(p, true));
}

/* RETURNING INT NULL ON EMPTY: the NULL belongs to the clause, not to the type. */
static void give_back_null(struct parser *p, struct ast_expr *x)
{
    struct str text = x->type.text;

    if (!is_word(p, 0, KW_ON) || !str_ends(text, STR(" NULL")) || str_ends(text, STR("NOT NULL"))) return;
    p->at--;
    x->type.text = str_trim((struct str){text.data, text.size - 4});
}

/* One word or expression; behind RETURNING a type, behind TO a unit. */
static enum status parse_piece(struct parser *p, const struct special *s, struct ast_expr *call)
{
    struct ast_expr *x;

    if (is_clause_word(p, s)) {
        bool to = is_word(p, 0, KW_TO), returning = is_word(p, 0, KW_RETURNING);
        TRY(ast_add(p, call, take_as_word(p, false)));
        if (to) return parse_unit(p, call);
        if (!returning) return S_OK;
        x = ast_word(p, (struct str){0}, parse_here(p));
        x->flag = true;
        TRY(parse_type(p, &x->type));
        give_back_null(p, x);
        x->text = x->type.text;
        return ast_add(p, call, x);
    }
    TRY(parse_enter(p));
    TRY(parse_above(p, s->name == KW_POSITION ? PRECEDENCE_BETWEEN : PRECEDENCE_LOWEST, &x));
    parse_leave(p);
    return ast_add(p, call, x);
}

enum status parse_special(struct parser *p, struct ast_expr **out)
{
    const struct special *s = special_at(p);

    *out = NULL;
    if (s == NULL) return S_OK;
    struct ast_expr *call = ast_new(p, AX_CALL, parse_here(p));
    call->name = ast_name_of(p, str_of(keyword_text(s->name)), call->place);
    call->flag = true;
    p->at += 2;
    if (s->flags & UNIT_FIRST) TRY(parse_unit(p, call));
    if (s->flags & UNIT_FIRST && take_symbol(p, ",") && is_symbol(p, 0, ")")) return parse_expected(p, "an argument");
    while (!is_symbol(p, 0, ")")) {
        TRY(parse_piece(p, s, call));
        bool colon = (s->flags & COLON) != 0 && take_symbol(p, ":"); /* 'a' : 1 */
        if ((colon || take_symbol(p, ",")) && is_symbol(p, 0, ")")) return parse_expected(p, "an argument");
    }
    TRY(expect_symbol(p, ")"));
    call->place = parse_since(p, call->place);
    *out = call;
    return parse_call_tail(p, call);
}
