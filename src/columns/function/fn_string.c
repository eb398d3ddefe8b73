/* fn_string.c - text put together, measured, cut and turned: ||, CONCAT, CHAR_LENGTH, UPPER, SUBSTRING, LEFT, REVERSE, CHR, ELT and
 * the questions IS_ALPHA, IS_DECIMAL, IS_DIGIT.
 *
 * Positions and lengths are code points. Letters beyond ASCII are ICU's business, as Java knows them too; INITCAP knows ASCII only,
 * as Flink's does. */
#include "columns/function/fn_text.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

#include <unicode/uchar.h>
#include <unicode/ucasemap.h>

/* --- put together ------------------------------------------------------------------------------------------------ */
static void concat(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    uint32_t n = r->call->count;

    FN_EACH_VALID(r, args, n, i)
    {
        size_t size = 0;
        for (uint32_t k = 0; k < n; k++) size += fn_text(args[k], i)->size;
        char *bytes = fn_room(r, i, size), *at = bytes;
        if (bytes == NULL) continue;
        for (uint32_t k = 0; k < n; k++) at = bytes_add(at, fn_str(args[k], i));
        fn_keep(out, i, bytes, size);
    }
}

/* NULL only when the first argument is; but the type is nullable when any is, as Flink's. */
static const struct type *refine_any_null(const struct fn_call *c, struct arena *a)
{
    bool nullable = false;
    for (uint32_t i = 0; i < c->count; i++) nullable |= c->args[i]->nullable;
    return type_with_null(a, c->result, nullable);
}

static enum status bind_concat_operator(struct fn_call *c, struct arena *a, const struct fn_session *session,
                                        struct err *e)
{
    bool binary = true, nullable = false, fixed = true;
    int64_t length = 0;

    (void)session;
    for (uint32_t i = 0; i < c->count; i++) {
        bool bytes = c->args[i]->kind == T_BINARY || c->args[i]->kind == T_VARBINARY, text = type_is_string(c->args[i]);
        if (c->args[i]->kind == T_NULL) c->args[i] = &type_string, text = true;
        if ((!text && !bytes) || (i > 0 && binary != bytes)) return fn_refuse(c, "texts, or bytes: cast the others to STRING", e);
        binary = bytes;
        fixed &= c->args[i]->kind == T_CHAR || c->args[i]->kind == T_BINARY;
        nullable |= c->args[i]->nullable;
        length += c->args[i]->precision;
    }
    enum type_kind kind = binary ? (fixed ? T_BINARY : T_VARBINARY) : fixed ? T_CHAR : T_VARCHAR;
    c->result = type_new(a, kind, (int32_t)MIN(length, (int64_t)INT32_MAX), 0, nullable);
    c->run = concat;
    return S_OK;
}

/* The first argument parts the others; those that are NULL are left out. */
static void concat_ws(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    uint32_t n = r->call->count;

    FN_EACH(r, i)
    {
        if (vector_is_null(args[0], i)) {
            vector_set_null(out, i);
            continue;
        }
        struct str separator = fn_str(args[0], i);
        size_t size = 0;
        for (uint32_t k = 1; k < n; k++)
            if (!vector_is_null(args[k], i)) size += fn_text(args[k], i)->size + separator.size;
        char *bytes = fn_room(r, i, size), *at = bytes;
        if (bytes == NULL) continue;
        bool first = true;
        for (uint32_t k = 1; k < n; k++) {
            if (vector_is_null(args[k], i)) continue;
            if (!first) at = bytes_add(at, separator);
            at = bytes_add(at, fn_str(args[k], i));
            first = false;
        }
        fn_keep(out, i, bytes, (size_t)(at - bytes));
    }
}

static void repeat(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct str s = fn_str(args[0], i);
        int32_t times = fn_int(args[1], i);
        size_t size = times > 0 ? s.size * (size_t)times : 0;
        char *bytes = fn_room(r, i, size), *at = bytes;
        if (bytes == NULL) continue;
        while (at < bytes + size) at = bytes_add(at, s);
        fn_keep(out, i, bytes, size);
    }
}

/* --- measured ---------------------------------------------------------------------------------------------------- */
static void char_length(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) VECTOR_VALUES(out, int32_t)[i] = (int32_t)str_utf8_length(fn_str(args[0], i));
}

/* Java's byte has a sign, and so has this number. */
static void ascii(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        VECTOR_VALUES(out, int32_t)[i] = s.size > 0 ? (int8_t)s.data[0] : 0;
    }
}

static void chr(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        int64_t code = VECTOR_VALUES(args[0], int64_t)[vector_at(args[0], i)];
        unsigned c = (unsigned)code & 0xFF;
        char two[2] = {(char)(0xC0 | c >> 6), (char)(0x80 | (c & 0x3F))}, one = (char)c;
        fn_put(r, out, i, code < 0 ? (struct str){"", 0} : c < 0x80 ? (struct str){&one, 1} : (struct str){two, 2});
    }
}

/* --- cut --------------------------------------------------------------------------------------------------------- */
/* Flink's SUBSTRING: positions count from 1, negative ones from the end, 0 is 1; before the text there is nothing. */
static struct str substring_of(struct str s, int32_t position, int32_t length)
{
    size_t start = 0;

    if (position > 0) start = points_skip(s, 0, (size_t)position - 1);
    if (position < 0) {
        size_t back = (size_t) - (int64_t)position;
        for (start = s.size; back > 0 && start > 0; back--) start = point_before(s, start);
        if (back > 0) return (struct str){"", 0};
    }
    size_t end = (size_t)length >= s.size - start ? s.size : points_skip(s, start, (size_t)length);
    return str_part(s, start, end);
}

static void substring(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    uint32_t n = r->call->count;

    FN_EACH_VALID(r, args, n, i)
    {
        int32_t length = n > 2 ? fn_int(args[2], i) : INT32_MAX;
        if (length < 0)
            vector_set_null(out, i);
        else
            fn_put(r, out, i, substring_of(fn_str(args[0], i), fn_int(args[1], i), length));
    }
}

static void left(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        int32_t n = fn_int(args[1], i);
        fn_put(r, out, i, substring_of(fn_str(args[0], i), 1, MAX(n, 0)));
    }
}

static void right(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct str s = fn_str(args[0], i);
        size_t start = s.size;
        for (int32_t n = fn_int(args[1], i); n > 0 && start > 0; n--) start = point_before(s, start);
        fn_put(r, out, i, str_part(s, start, s.size));
    }
}

static void reverse(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        char *bytes = fn_room(r, i, s.size);
        if (bytes == NULL) continue;
        for (size_t at = 0, next; at < s.size; at = next) {
            next = point_next(s, at);
            memcpy(bytes + s.size - next, s.data + at, next - at);
        }
        fn_keep(out, i, bytes, s.size);
    }
}

/* --- letters ----------------------------------------------------------------------------------------------------- */
typedef int32_t (*case_mapping)(const UCaseMap *map, char *to, int32_t room, const char *from, int32_t size,
                                UErrorCode *code);

void *fn_letters_open(void)
{
    UErrorCode code = U_ZERO_ERROR;
    UCaseMap *map = ucasemap_open("", 0, &code);

    ASSERT(U_SUCCESS(code)); /* the root's rules are compiled into the library */
    return map;
}

void fn_letters_close(void *letters) { ucasemap_close(letters); }

void fn_letters_upper(void *letters, struct str s, struct buf *out)
{
    UErrorCode code = U_ZERO_ERROR;

    buf_reserve(out, s.size * 3); /* a letter may become several, at most three times the bytes */
    int32_t size = ucasemap_utf8ToUpper(letters, out->data + out->size, (int32_t)s.size * 3, s.data, (int32_t)s.size, &code);
    ASSERT(U_SUCCESS(code) && (size_t)size <= s.size * 3);
    out->size += (size_t)size;
}

static void *case_open(const struct fn_call *c, struct mem *mem)
{
    (void)c;
    (void)mem;
    return fn_letters_open();
}

static void case_close(void *state, struct mem *mem)
{
    (void)mem;
    ucasemap_close(state);
}

/* Beyond ASCII: a letter may become several, at most three times the bytes. */
static void map_letters(const struct fn_run *r, struct str s, uint32_t row, struct vector *out, case_mapping map)
{
    char *bytes = fn_room(r, row, s.size * 3);
    UErrorCode code = U_ZERO_ERROR;

    if (bytes == NULL) return;
    int32_t size = map(r->state, bytes, (int32_t)s.size * 3, s.data, (int32_t)s.size, &code);
    ASSERT(U_SUCCESS(code) && (size_t)size <= s.size * 3);
    fn_keep(out, row, bytes, (size_t)size);
}

/* Eight ASCII bytes: letters from `first` on change by one bit. */
static uint64_t word_change_case(uint64_t word, char first)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t from = word + each * (uint64_t)(0x80 - first), behind = word + each * (uint64_t)(0x80 - first - 26);

    return word ^ ((from & ~behind & (each << 7)) >> 2);
}

/* A text that holds its bytes itself; false: it is not ASCII. */
static bool short_change_case(const struct text *from, char first, struct text *to)
{
    uint64_t words[2];

    memcpy(words, from, sizeof words);
    uint64_t head = words[0] >> 32;
    if (((head | words[1]) & UINT64_C(0x8080808080808080)) != 0) return false;
    words[0] = (words[0] & UINT32_MAX) | word_change_case(head, first) << 32;
    words[1] = word_change_case(words[1], first);
    memcpy(to, words, sizeof words);
    return true;
}

/* ASCII letters from `first` on change by one bit. */
static void change_case(const struct fn_run *r, const struct vector *const *args, struct vector *out, char first,
                        case_mapping map)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        const struct text *t = fn_text(args[0], i);
        if (t->size <= TEXT_INLINE && short_change_case(t, first, &VECTOR_VALUES(out, struct text)[i])) continue;
        struct str s = text_str(t);
        if (!str_is_ascii(s)) {
            map_letters(r, s, i, out, map);
            continue;
        }
        char *bytes = fn_room(r, i, s.size);
        if (bytes == NULL) continue;
        for (size_t k = 0; k < s.size; k++)
            bytes[k] = (char)(s.data[k] ^ ((unsigned char)(s.data[k] - first) < 26 ? 0x20 : 0));
        fn_keep(out, i, bytes, s.size);
    }
}

static void upper(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    change_case(r, args, out, 'a', ucasemap_utf8ToUpper);
}

static void lower(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    change_case(r, args, out, 'A', ucasemap_utf8ToLower);
}

static bool is_ascii_letter(char c) { return (unsigned char)((c | 0x20) - 'a') < 26; }
static bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

static void initcap(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        char *bytes = fn_room(r, i, s.size);
        bool start = true;
        if (bytes == NULL) continue;
        for (size_t k = 0; k < s.size; k++) {
            char c = s.data[k];
            bytes[k] = !is_ascii_letter(c) ? c : (char)(start ? c & ~0x20 : c | 0x20);
            start = !is_ascii_letter(c) && !is_ascii_digit(c);
        }
        fn_keep(out, i, bytes, s.size);
    }
}

/* --- questions: never NULL; of numbers the type alone answers, as in Flink ------------------------------------------ */
/* Java asks each half of a surrogate pair, and halves are neither letters nor digits: what lies beyond the BMP is none. */
static bool all_points(struct str s, UBool (*is)(UChar32 c))
{
    for (size_t at = 0; at < s.size;) {
        size_t next;
        uint32_t c = point_at(s, at, &next);
        if (c > 0xFFFF) return false;
        if (!is((UChar32)c)) return false;
        at = next;
    }
    return s.size > 0;
}

static void is_alpha(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i)
    VECTOR_VALUES(out, bool)[i] = !vector_is_null(args[0], i) && all_points(fn_str(args[0], i), u_isalpha);
}

static void is_digit(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i)
    VECTOR_VALUES(out, bool)[i] = !vector_is_null(args[0], i) && all_points(fn_str(args[0], i), u_isdigit);
}

static size_t digits(struct str *s, bool hex)
{
    size_t n = 0;

    while (n < s->size && (is_ascii_digit(s->data[n]) || (hex && (unsigned char)((s->data[n] | 0x20) - 'a') < 6))) n++;
    *s = str_part(*s, n, s->size);
    return n;
}

static bool take_byte(struct str *s, char low)
{
    if (s->size == 0 || (s->data[0] | 0x20) != (low | 0x20)) return false;
    *s = str_part(*s, 1, s->size);
    return true;
}

static bool take_sign(struct str *s)
{
    if (s->size == 0 || (s->data[0] != '+' && s->data[0] != '-')) return false;
    *s = str_part(*s, 1, s->size);
    return true;
}

static bool take_point(struct str *s)
{
    if (s->size == 0 || s->data[0] != '.') return false;
    *s = str_part(*s, 1, s->size);
    return true;
}

/* What Java's Double.parseDouble reads: blanks around, NaN, Infinity, hexadecimal with a binary exponent, d or f behind. */
static bool is_double(struct str s)
{
    while (s.size > 0 && (unsigned char)s.data[0] <= ' ') s = str_part(s, 1, s.size);
    while (s.size > 0 && (unsigned char)s.data[s.size - 1] <= ' ') s.size--;
    take_sign(&s);
    if (str_equal(s, STR("NaN")) || str_equal(s, STR("Infinity"))) return true;
    bool hex = s.size > 2 && s.data[0] == '0' && (s.data[1] | 0x20) == 'x';
    if (hex) s = str_part(s, 2, s.size);
    size_t n = digits(&s, hex);
    if (take_point(&s)) n += digits(&s, hex);
    if (n == 0) return false;
    bool exponent = take_byte(&s, hex ? 'p' : 'e');
    if (hex && !exponent) return false;
    if (exponent) {
        take_sign(&s);
        if (digits(&s, false) == 0) return false;
    }
    if (!take_byte(&s, 'd')) take_byte(&s, 'f');
    return s.size == 0;
}

/* Java's Integer.parseInt knows the digits of every script. */
static bool is_decimal_text(struct str s)
{
    struct str whole = s;

    if (is_double(s)) return true;
    if (str_is_ascii(s)) return false;
    take_sign(&whole);
    return str_utf8_length(whole) <= 18 && all_points(whole, u_isdigit);
}

static void is_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i) VECTOR_VALUES(out, bool)[i] = !vector_is_null(args[0], i) && is_decimal_text(fn_str(args[0], i));
}

static void is_always(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    (void)args;
    FN_EACH(r, i) VECTOR_VALUES(out, bool)[i] = true;
}

static void is_never(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    (void)args;
    FN_EACH(r, i) VECTOR_VALUES(out, bool)[i] = false;
}

/* --- one of several ----------------------------------------------------------------------------------------------- */
static void elt(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i)
    {
        int64_t which = vector_is_null(args[0], i) ? 0 : VECTOR_VALUES(args[0], int64_t)[vector_at(args[0], i)];
        if (which < 1 || which >= (int64_t)r->call->count || vector_is_null(args[which], i))
            vector_set_null(out, i);
        else
            fn_put(r, out, i, fn_str(args[which], i));
    }
}

static enum status bind_elt(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    const struct type *common = NULL;

    (void)session;
    if (c->count < 2) return fn_wrong_count("ELT", "2 or more", e);
    if (!type_casts_implicitly(c->args[0], &type_bigint)) return fn_refuse(c, "the number of a text, and texts or bytes", e);
    c->args[0] = type_with_null(a, &type_bigint, c->args[0]->nullable);
    common = type_common_of(a, c->args + 1, c->count - 1);
    if (common != NULL && common->kind == T_NULL) common = &type_string;
    bool bytes = common != NULL && (common->kind == T_BINARY || common->kind == T_VARBINARY);
    if (common == NULL || (!bytes && !type_is_string(common)))
        return fn_refuse(c, "the number of a text, and texts or bytes", e);
    bool varies = false;
    for (uint32_t i = 1; i < c->count; i++) {
        if (c->args[i]->kind == T_NULL) c->args[i] = type_with_null(a, common, true);
        varies |= c->args[i]->precision != common->precision;
    }
    c->result = type_with_null(a, common, true);
    if (varies) c->result = type_new(a, bytes ? T_VARBINARY : T_VARCHAR, common->precision, 0, true);
    c->run = elt;
    return S_OK;
}

#define QUESTION_OF_NUMBERS(INTEGERS, OTHERS)                                                                          \
    {"TINYINT -> BOOLEAN NOT NULL", INTEGERS}, {"SMALLINT -> BOOLEAN NOT NULL", INTEGERS},                             \
        {"INT -> BOOLEAN NOT NULL", INTEGERS}, {"BIGINT -> BOOLEAN NOT NULL", INTEGERS},                               \
        {"FLOAT -> BOOLEAN NOT NULL", OTHERS}, {"DOUBLE -> BOOLEAN NOT NULL", OTHERS},                                 \
    {                                                                                                                  \
        "DECIMAL -> BOOLEAN NOT NULL", is_never                                                                        \
    }
static const struct fn_overload substring_overloads[] = {
    {"STRING, INT -> STRING", substring}, {"STRING, INT, INT -> STRING", substring}, {0}};

static const struct fn_def functions[] = {
    {.name = "||",
     .doc = "two texts, or two runs of bytes, as one",
     .examples = FN_EXAMPLES({"'a' || 'b'", "ab"}),
     .flags = FN_MAY_FAIL,
     .bind = bind_concat_operator},
    {.name = "CONCAT",
     .doc = "the texts one after another",
     .examples = FN_EXAMPLES({"CONCAT('a', 'b', 'c')", "abc"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING... -> STRING", concat})},
    {.name = "CONCAT_WS",
     .doc = "the texts with the first one between them; those that are NULL are left out",
     .examples = FN_EXAMPLES({"CONCAT_WS('-', 'a', 'b')", "a-b"},
                             {"CONCAT_WS('-', 'a', CAST(NULL AS STRING), 'b')", "a-b"}),
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING, STRING... -> STRING", concat_ws}),
     .refine = refine_any_null},
    {.name = "REPEAT",
     .doc = "the text several times",
     .examples = FN_EXAMPLES({"REPEAT('ab', 3)", "ababab"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING, INT -> STRING", repeat})},
    {.name = "CHAR_LENGTH",
     .aliases = "CHARACTER_LENGTH",
     .doc = "how many characters",
     .examples = FN_EXAMPLES({"CHAR_LENGTH('abc')", "3"}),
     .overloads = FN_OVERLOADS({"STRING -> INT", char_length})},
    {.name = "ASCII",
     .doc = "the first byte as a number, 0 when there is none",
     .examples = FN_EXAMPLES({"ASCII('abc')", "97"}),
     .overloads = FN_OVERLOADS({"STRING -> INT", ascii})},
    {.name = "CHR",
     .doc = "the character of a code, modulo 256; nothing for negative codes",
     .examples = FN_EXAMPLES({"CHR(97)", "a"}),
     .flags = FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"BIGINT -> STRING", chr})},
    {.name = "SUBSTRING",
     .aliases = "SUBSTR",
     .doc = "a part of the text: from a position, of a length; negative positions count from the end",
     .examples = FN_EXAMPLES({"SUBSTRING('abcdef' FROM 2 FOR 3)", "bcd"}, {"SUBSTR('abcdef', -2)", "ef"}),
     .flags = FN_MAY_BE_NULL,
     .overloads = substring_overloads,
     .refine = refine_varchar_of_first},
    {.name = "LEFT",
     .doc = "the first characters",
     .examples = FN_EXAMPLES({"LEFT('abc', 2)", "ab"}),
     .flags = FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING, INT -> STRING", left}),
     .refine = refine_varchar_of_first},
    {.name = "RIGHT",
     .doc = "the last characters",
     .examples = FN_EXAMPLES({"RIGHT('abc', 2)", "bc"}),
     .flags = FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING, INT -> STRING", right}),
     .refine = refine_varchar_of_first},
    {.name = "REVERSE",
     .doc = "the characters from the last to the first",
     .examples = FN_EXAMPLES({"REVERSE('abc')", "cba"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING -> STRING", reverse})},
    {.name = "UPPER",
     .doc = "in capital letters",
     .examples = FN_EXAMPLES({"UPPER('abc')", "ABC"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING -> STRING", upper}),
     .refine = refine_as_first,
     .open = case_open,
     .close = case_close},
    {.name = "LOWER",
     .doc = "in small letters",
     .examples = FN_EXAMPLES({"LOWER('ABC')", "abc"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING -> STRING", lower}),
     .refine = refine_as_first,
     .open = case_open,
     .close = case_close},
    {.name = "INITCAP",
     .doc = "each word with a capital first and small letters behind; ASCII letters only",
     .examples = FN_EXAMPLES({"INITCAP('hello wORLD')", "Hello World"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING -> STRING", initcap}),
     .refine = refine_as_first},
    {.name = "IS_ALPHA",
     .doc = "is the text all letters?",
     .examples = FN_EXAMPLES({"IS_ALPHA('abc')", "TRUE"}),
     .nulls = FN_OWN_NULLS,
     .overloads = FN_OVERLOADS({"STRING -> BOOLEAN NOT NULL", is_alpha}, QUESTION_OF_NUMBERS(is_never, is_never))},
    {.name = "IS_DECIMAL",
     .doc = "is it a number, or a text that Java would read as one?",
     .examples = FN_EXAMPLES({"IS_DECIMAL('1.5')", "TRUE"}),
     .nulls = FN_OWN_NULLS,
     .overloads = FN_OVERLOADS({"STRING -> BOOLEAN NOT NULL", is_decimal}, QUESTION_OF_NUMBERS(is_always, is_always))},
    {.name = "IS_DIGIT",
     .doc = "is it a whole number, or a text of digits alone?",
     .examples = FN_EXAMPLES({"IS_DIGIT('123')", "TRUE"}),
     .nulls = FN_OWN_NULLS,
     .overloads = FN_OVERLOADS({"STRING -> BOOLEAN NOT NULL", is_digit}, QUESTION_OF_NUMBERS(is_always, is_never))},
    {.name = "ELT",
     .usage = "ELT(place, text, ...)",
     .doc = "the text at that place of a list, from 1",
     .examples = FN_EXAMPLES({"ELT(2, 'a', 'b')", "b"}),
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_BE_NULL,
     .bind = bind_elt},
    {0},
};

const struct fn_type fn_string = {
    .name = "string", .doc = "text put together, measured and cut", .example = "UPPER('abc')", .functions = functions};
