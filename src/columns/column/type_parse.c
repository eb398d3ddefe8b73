/* type_parse.c - Flink's type text to a type: "ROW<`a` INT NOT NULL 'comment', b ARRAY<STRING>>".
 *
 *   type  := base null? time? ((ARRAY | MULTISET) null?)*          null := NOT NULL | NULL
 *   base  := word shape, as the table `bases` says                 time := * ROWTIME * | * PROCTIME *
 *   field := (word | `name`) type 'comment'?                       ROW<field, ..> or ROW(field, ..)
 *
 * Words are case-insensitive. VARCHAR and VARBINARY without a length are unlimited, as in Flink's SQL; CHAR and BINARY
 * without one have length 1. Comments of fields are read and dropped: they are no part of the type.
 *
 * The text comes from users: length, depth and field count are bounded; an error shows the place with a caret, unknown
 * names get the nearest one as a hint, and kinds that have a place but no implementation are refused by name. */
#include "columns/column/type.h"
#include "columns/column/type_internal.h"

#include "ground/base/str.h"

#include <string.h>

enum { TEXT_MAX = 1 << 20, SHOWN_BEFORE = 40, SHOWN_MAX = 72 };

enum token { TOK_END, TOK_WORD, TOK_QUOTED, TOK_STRING, TOK_NUMBER, TOK_SIGN };

struct parser {
    struct arena *arena;
    struct err *e;
    struct str text;
    size_t at;          /* behind the token */
    enum token token;
    size_t start;       /* of the token */
    struct str word;    /* TOK_WORD, TOK_NUMBER, TOK_SIGN: its text; quoted ones: what is between the quotes */
    int depth;   /* of the type that is being read */
    int deepest; /* level inside the outermost type being read */
    const struct type *row; /* what ROW without fields stands for, or NULL */
};

enum shape {
    SHAPE_PLAIN,
    SHAPE_LENGTH,
    SHAPE_DECIMAL,
    SHAPE_TIME,
    SHAPE_TIMESTAMP,
    SHAPE_DOUBLE,
    SHAPE_INTERVAL,
    SHAPE_LIST,
    SHAPE_MAP,
    SHAPE_ROW,
    SHAPE_KEPT
};

struct base {
    const char *name;
    uint8_t kind, shape;
    int32_t precision; /* when none is written */
};

static const struct base bases[] = {
    {"NULL", T_NULL, SHAPE_PLAIN, 0},
    {"BOOLEAN", T_BOOLEAN, SHAPE_PLAIN, 0},
    {"TINYINT", T_TINYINT, SHAPE_PLAIN, 0},
    {"SMALLINT", T_SMALLINT, SHAPE_PLAIN, 0},
    {"INT", T_INT, SHAPE_PLAIN, 0},
    {"INTEGER", T_INT, SHAPE_PLAIN, 0},
    {"BIGINT", T_BIGINT, SHAPE_PLAIN, 0},
    {"FLOAT", T_FLOAT, SHAPE_PLAIN, 0},
    {"DOUBLE", T_DOUBLE, SHAPE_DOUBLE, 0},
    {"DECIMAL", T_DECIMAL, SHAPE_DECIMAL, 10},
    {"DEC", T_DECIMAL, SHAPE_DECIMAL, 10},
    {"NUMERIC", T_DECIMAL, SHAPE_DECIMAL, 10},
    {"CHAR", T_CHAR, SHAPE_LENGTH, 1},
    {"CHARACTER", T_CHAR, SHAPE_LENGTH, 1},
    {"VARCHAR", T_VARCHAR, SHAPE_LENGTH, VARCHAR_MAX},
    {"STRING", T_VARCHAR, SHAPE_PLAIN, VARCHAR_MAX},
    {"BINARY", T_BINARY, SHAPE_LENGTH, 1},
    {"VARBINARY", T_VARBINARY, SHAPE_LENGTH, VARCHAR_MAX},
    {"BYTES", T_VARBINARY, SHAPE_PLAIN, VARCHAR_MAX},
    {"DATE", T_DATE, SHAPE_PLAIN, 0},
    {"TIME", T_TIME, SHAPE_TIME, 0},
    {"TIMESTAMP", T_TIMESTAMP, SHAPE_TIMESTAMP, 6},
    {"TIMESTAMP_LTZ", T_TIMESTAMP_LTZ, SHAPE_LENGTH, 6},
    {"INTERVAL", T_INTERVAL_MONTH, SHAPE_INTERVAL, 0},
    {"ARRAY", T_ARRAY, SHAPE_LIST, 0},
    {"MULTISET", T_MULTISET, SHAPE_LIST, 0},
    {"MAP", T_MAP, SHAPE_MAP, 0},
    {"ROW", T_ROW, SHAPE_ROW, 0},
    {"STRUCTURED", T_STRUCTURED, SHAPE_KEPT, 0},
    {"RAW", T_RAW, SHAPE_KEPT, 0},
    {"VARIANT", T_VARIANT, SHAPE_KEPT, 0},
    {"BITMAP", T_BITMAP, SHAPE_KEPT, 0},
    {"DESCRIPTOR", T_DESCRIPTOR, SHAPE_KEPT, 0},
    {"MODEL", T_MODEL, SHAPE_KEPT, 0},
};

static enum status parse_type(struct parser *p, const struct type **out);

/* ---- errors */

/* "<what>, at position 9:" and below it the text with a caret under the place; a long text is cut around it. */
static enum status fail_at(struct parser *p, size_t at, enum status st, const char *what, struct str word)
{
    size_t from = at > SHOWN_BEFORE ? at - SHOWN_BEFORE : 0;
    size_t size = MIN(p->text.size - from, (size_t)SHOWN_MAX);
    char shown[SHOWN_MAX + 1];

    for (size_t i = 0; i < size; i++) {
        char c = p->text.data[from + i];
        shown[i] = (unsigned char)c < ' ' ? ' ' : c;
    }
    shown[size] = '\0';
    return err_set(p->e, st, "%s%s%.*s%s at position %zu of the type:\n  %s\n  %*s^", what, word.size ? " '" : "",
                   (int)MIN(word.size, 64u), word.size ? word.data : "", word.size ? "'" : "", at + 1, shown,
                   (int)(at - from), "");
}

static enum status fail(struct parser *p, const char *what)
{
    return fail_at(p, p->start, E_DATA, what, (struct str){NULL, 0});
}

/* ---- tokens */

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Between quotes; doubled quotes stand for one. What is inside goes to p->word. */
static enum status token_quoted(struct parser *p, char quote)
{
    const char *d = p->text.data;
    size_t end = p->start + 1, size = 0;
    char *inside;

    for (; end < p->text.size; end++) {
        if (d[end] == '\0') return fail(p, "a NUL byte stands in a quoted text");
        if (d[end] != quote) continue;
        if (end + 1 == p->text.size || d[end + 1] != quote) break;
        end++;
    }
    if (end == p->text.size) return fail(p, "the quote is not closed");
    inside = arena_alloc(p->arena, end - p->start);
    for (size_t i = p->start + 1; i < end; i++) {
        inside[size++] = d[i];
        if (d[i] == quote) i++;
    }
    p->word = (struct str){inside, size};
    p->token = quote == '`' ? TOK_QUOTED : TOK_STRING;
    p->at = end + 1;
    return S_OK;
}

static enum status token_next(struct parser *p)
{
    const char *d = p->text.data;
    size_t at = p->at, end;

    while (at < p->text.size && (d[at] == ' ' || d[at] == '\t' || d[at] == '\n' || d[at] == '\r')) at++;
    p->start = at;
    if (at == p->text.size) {
        p->token = TOK_END;
        p->word = (struct str){NULL, 0};
        p->at = at;
        return S_OK;
    }
    if (d[at] == '`' || d[at] == '\'') return token_quoted(p, d[at]);
    end = at + 1;
    p->token = TOK_SIGN;
    if (is_digit(d[at])) {
        while (end < p->text.size && is_digit(d[end])) end++;
        p->token = TOK_NUMBER;
    } else if (is_word_start(d[at])) {
        while (end < p->text.size && (is_word_start(d[end]) || is_digit(d[end]) || d[end] == '$')) end++;
        p->token = TOK_WORD;
    }
    p->word = (struct str){d + at, end - at};
    p->at = end;
    return S_OK;
}

static bool is_sign(const struct parser *p, char c)
{
    return p->token == TOK_SIGN && p->word.data[0] == c;
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token == TOK_WORD && str_equal_nocase(p->word, str_of(word));
}

static enum status sign_expect(struct parser *p, char c, const char *otherwise)
{
    return is_sign(p, c) ? token_next(p) : fail(p, otherwise);
}

static enum status word_expect(struct parser *p, const char *word, const char *otherwise)
{
    return is_word(p, word) ? token_next(p) : fail(p, otherwise);
}

/* ---- parts of types */

static enum status number_parse(struct parser *p, int32_t *out)
{
    int64_t value;

    if (p->token != TOK_NUMBER) return fail(p, "a number belongs here");
    if (!str_to_int64(p->word, &value) || value > VARCHAR_MAX) return fail(p, "the number is too large");
    *out = (int32_t)value;
    return token_next(p);
}

/* (n) or (n, m) when it stands here; *second stays when there is none. second NULL = only one is allowed. */
static enum status numbers_parse(struct parser *p, int32_t *first, int32_t *second)
{
    if (!is_sign(p, '(')) return S_OK;
    TRY(token_next(p));
    TRY(number_parse(p, first));
    if (second && is_sign(p, ',')) {
        TRY(token_next(p));
        TRY(number_parse(p, second));
    }
    return sign_expect(p, ')', "')' belongs here");
}

static enum status null_parse(struct parser *p, bool *nullable)
{
    *nullable = true;
    if (is_word(p, "NULL")) return token_next(p);
    if (!is_word(p, "NOT")) return S_OK;
    *nullable = false;
    TRY(token_next(p));
    return word_expect(p, "NULL", "NULL belongs behind NOT");
}

/* WITHOUT TIME ZONE | WITH LOCAL TIME ZONE behind TIME or TIMESTAMP. */
static enum status zone_parse(struct parser *p, enum type_kind *kind)
{
    size_t start = p->start;

    if (is_word(p, "WITHOUT")) {
        TRY(token_next(p));
    } else if (is_word(p, "WITH")) {
        TRY(token_next(p));
        if (is_word(p, "LOCAL") && *kind == T_TIMESTAMP) {
            TRY(token_next(p));
            *kind = T_TIMESTAMP_LTZ;
        } else {
            fail_at(p, start, E_UNSUPPORTED, "no type keeps a zone per value: WITH TIME ZONE is not supported",
                    (struct str){NULL, 0});
            err_hint(p->e,
                     "use TIMESTAMP WITH LOCAL TIME ZONE (TIMESTAMP_LTZ), an instant shown in the session's zone");
            return E_UNSUPPORTED;
        }
    } else {
        return S_OK;
    }
    TRY(word_expect(p, "TIME", "TIME ZONE belongs here"));
    return word_expect(p, "ZONE", "ZONE belongs behind TIME");
}

/* The place of an interval's unit in its order: 0 YEAR .. 5 SECOND, or -1. */
static int unit_of(const struct parser *p)
{
    static const char *const units[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (is_word(p, units[i])) return (int)i;
    }
    return -1;
}

static enum status interval_parse(struct parser *p, enum type_kind *kind)
{
    int32_t ignored[2];
    int from = unit_of(p), to;

    if (from < 0) return fail(p, "a unit belongs behind INTERVAL: YEAR, MONTH, DAY, HOUR, MINUTE or SECOND");
    *kind = from <= 1 ? T_INTERVAL_MONTH : T_INTERVAL_SECOND;
    TRY(token_next(p));
    TRY(numbers_parse(p, &ignored[0], &ignored[1]));
    if (!is_word(p, "TO")) return S_OK;
    TRY(token_next(p));
    to = unit_of(p);
    if (to <= from || (from <= 1) != (to <= 1)) return fail(p, "a smaller unit of the same family belongs behind TO");
    TRY(token_next(p));
    return numbers_parse(p, &ignored[0], NULL);
}

/* ---- nested types */

static enum status list_parse(struct parser *p, enum type_kind kind, const struct type **out)
{
    const struct type *element, *value = NULL;

    TRY(sign_expect(p, '<', "'<' belongs here, as in ARRAY<INT>, MULTISET<INT> or MAP<STRING, INT>"));
    TRY(parse_type(p, &element));
    if (kind == T_MAP) {
        TRY(sign_expect(p, ',', "',' and the type of the values belong here"));
        TRY(parse_type(p, &value));
    }
    TRY(sign_expect(p, '>', "'>' belongs here"));
    *out = type_list(p->arena, kind, element, value, true);
    return S_OK;
}

static bool name_taken(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) return true;
    }
    return false;
}

static enum status field_parse(struct parser *p, const char **names, const struct type **fields, uint32_t count)
{
    if (count == TYPE_FIELDS_MAX) return fail(p, "a row has at most 2048 fields, one more begins");
    if (p->token != TOK_WORD && p->token != TOK_QUOTED) return fail(p, "the name of a field belongs here");
    names[count] = arena_strndup(p->arena, p->word.data, p->word.size);
    if (name_taken(names, count, names[count]))
        return fail_at(p, p->start, E_DATA, "the row has two fields of the name", p->word);
    TRY(token_next(p));
    TRY(parse_type(p, &fields[count]));
    return p->token == TOK_STRING ? token_next(p) : S_OK;
}

/* ROW without fields. */
static enum status bare_row_parse(struct parser *p, const struct type **out)
{
    if (is_sign(p, '<') || is_sign(p, '('))
        return fail(p, "ROW stands alone here: its fields are those of the row type that is given");
    *out = p->row;
    return S_OK;
}

static enum status row_parse(struct parser *p, const struct type **out)
{
    char close = is_sign(p, '(') ? ')' : '>';
    uint32_t count = 0, capacity = 8;
    const char **names = ARENA_ARRAY(p->arena, const char *, capacity);
    const struct type **fields = ARENA_ARRAY(p->arena, const struct type *, capacity);

    if (!is_sign(p, '(') && !is_sign(p, '<')) return fail(p, "'<' belongs here, as in ROW<a INT, b STRING>");
    TRY(token_next(p));
    while (!is_sign(p, close)) {
        if (count == capacity) {
            const char **more_names = ARENA_ARRAY(p->arena, const char *, capacity * 2);
            const struct type **more_fields = ARENA_ARRAY(p->arena, const struct type *, capacity * 2);
            memcpy(more_names, names, capacity * sizeof *names);
            memcpy(more_fields, fields, capacity * sizeof *fields);
            names = more_names;
            fields = more_fields;
            capacity *= 2;
        }
        TRY(field_parse(p, names, fields, count));
        count++;
        if (is_sign(p, close)) break;
        TRY(sign_expect(p, ',', close == ')' ? "',' or ')' belongs here" : "',' or '>' belongs here"));
        if (is_sign(p, close)) return fail(p, "the name of a field belongs behind ','");
    }
    *out = type_row(p->arena, count, names, fields, true);
    return token_next(p);
}

/* ---- types */

static enum status precision_refuse(struct parser *p, size_t start, enum type_kind kind, struct str word)
{
    enum status st = fail_at(p, start, E_DATA, "precision, scale or length out of range for", word);

    if (kind == T_DECIMAL) err_hint(p->e, "DECIMAL(p, s) has p from 1 to 38 and s from 0 to p");
    else if (kind >= T_TIME) err_hint(p->e, "the precision is from 0 to 9 digits of the second");
    else err_hint(p->e, "the length is from 1 to 2147483647");
    return st;
}

static enum status scalar_parse(struct parser *p, const struct base *base, size_t start, struct str word,
                                const struct type **out)
{
    enum type_kind kind = (enum type_kind)base->kind;
    int32_t precision = base->precision, scale = 0;

    if (base->shape == SHAPE_INTERVAL) TRY(interval_parse(p, &kind));
    if (base->shape == SHAPE_DOUBLE && is_word(p, "PRECISION")) TRY(token_next(p));
    if ((kind == T_CHAR || kind == T_BINARY) && is_word(p, "VARYING")) {
        kind = kind == T_CHAR ? T_VARCHAR : T_VARBINARY;
        precision = VARCHAR_MAX;
        TRY(token_next(p));
    }
    if (base->shape >= SHAPE_LENGTH && base->shape <= SHAPE_TIMESTAMP) {
        TRY(numbers_parse(p, &precision, base->shape == SHAPE_DECIMAL ? &scale : NULL));
    }
    if (base->shape == SHAPE_TIME || base->shape == SHAPE_TIMESTAMP) TRY(zone_parse(p, &kind));
    if (!type_precision_ok(kind, precision, scale)) return precision_refuse(p, start, kind, word);
    *out = type_new(p->arena, kind, precision, scale, true);
    return S_OK;
}

static enum status name_refuse(struct parser *p)
{
    const char *names[COUNT_OF(bases)];
    int nearest;
    enum status st = fail_at(p, p->start, E_DATA, "unknown type", p->word);

    for (size_t i = 0; i < COUNT_OF(bases); i++) names[i] = bases[i].name;
    nearest = str_nearest(p->word, names, COUNT_OF(names));
    if (nearest >= 0) err_hint(p->e, "did you mean %s?", names[nearest]);
    return st;
}

static enum status base_parse(struct parser *p, const struct type **out)
{
    const struct base *base = NULL;
    size_t start = p->start;
    struct str word = p->word;

    if (p->token != TOK_WORD)
        return fail(p, p->token == TOK_END ? "the text ends where a type belongs" : "a type belongs here");
    for (size_t i = 0; i < COUNT_OF(bases) && !base; i++) {
        if (is_word(p, bases[i].name)) base = &bases[i];
    }
    if (!base) return name_refuse(p);
    if (base->shape == SHAPE_KEPT) return fail_at(p, start, E_UNSUPPORTED, "this kind of type is not supported:", word);
    TRY(token_next(p));
    switch ((enum shape)base->shape) {
    case SHAPE_LIST:
    case SHAPE_MAP: return list_parse(p, (enum type_kind)base->kind, out);
    case SHAPE_ROW: return p->row ? bare_row_parse(p, out) : row_parse(p, out);
    default: return scalar_parse(p, base, start, word, out);
    }
}

static enum status null_apply(struct parser *p, const struct type **t)
{
    bool nullable;
    size_t start = p->start;

    TRY(null_parse(p, &nullable));
    if (!nullable && (*t)->kind == T_NULL)
        return fail_at(p, start, E_DATA, "the type NULL cannot be NOT NULL", (struct str){NULL, 0});
    *t = type_with_null(p->arena, *t, nullable);
    return S_OK;
}

static enum status time_apply(struct parser *p, const struct type **t)
{
    enum time_kind kind;

    if (!is_sign(p, '*')) return S_OK;
    if ((*t)->kind != T_TIMESTAMP && (*t)->kind != T_TIMESTAMP_LTZ)
        return fail(p, "only timestamps are time attributes");
    TRY(token_next(p));
    if (!is_word(p, "ROWTIME") && !is_word(p, "PROCTIME")) return fail(p, "ROWTIME or PROCTIME belongs here");
    kind = is_word(p, "ROWTIME") ? TIME_ROWTIME : TIME_PROCTIME;
    TRY(token_next(p));
    *t = type_with_time(p->arena, *t, kind);
    return sign_expect(p, '*', "'*' belongs here");
}

static enum status depth_refuse(struct parser *p)
{
    return fail(p, "types nest at most 64 deep, one more begins");
}

/* Behind a type ARRAY and MULTISET wrap it, "INT NOT NULL ARRAY": everything inside moves one level down. */
static enum status parse_type(struct parser *p, const struct type **out)
{
    int outer_deepest = p->deepest;

    p->deepest = ++p->depth;
    if (p->depth > TYPE_DEPTH_MAX) return depth_refuse(p);
    TRY(base_parse(p, out));
    TRY(null_apply(p, out));
    TRY(time_apply(p, out));
    while (is_word(p, "ARRAY") || is_word(p, "MULTISET")) {
        if (++p->deepest > TYPE_DEPTH_MAX) return depth_refuse(p);
        *out = type_list(p->arena, is_word(p, "ARRAY") ? T_ARRAY : T_MULTISET, *out, NULL, true);
        TRY(token_next(p));
        TRY(null_apply(p, out));
    }
    p->depth--;
    p->deepest = MAX(p->deepest, outer_deepest);
    return S_OK;
}

enum status type_parse(struct arena *a, struct str text, const struct type **out, struct err *e)
{
    return type_parse_row(a, text, NULL, out, e);
}

enum status type_parse_row(struct arena *a, struct str text, const struct type *row, const struct type **out,
                           struct err *e)
{
    struct parser p = {.arena = a, .e = e, .text = text, .row = row};

    if (text.size > TEXT_MAX)
        return err_set(e, E_DATA, "the type is %zu bytes long, more than the allowed %d", text.size, TEXT_MAX);
    TRY(token_next(&p));
    TRY(parse_type(&p, out));
    return p.token == TOK_END ? S_OK : fail(&p, "the type ends before this");
}
