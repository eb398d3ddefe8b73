/* java_format.c - java.util.Formatter: %[argument$][flags][width][.precision]conversion.
 *
 * A value is written into a work buffer, which the caller has emptied, cut or filled to its width, and added. Numbers are rounded half up from the digits of their
 * shortest text, as Java does. What Java refuses (a flag that does not fit, a value of another kind) is refused. Widths count
 * UTF-16 units, as Java's. Not here: %t, which formats times. */
#include "columns/function/java_format.h"

#include "ground/base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEFT = 1,
    ALTERNATE = 2,
    PLUS = 4,
    BLANK = 8,
    ZEROS = 16,
    GROUPS = 32,
    PARENTHESES = 64,
    WIDTH_MAX = 1 << 20, /* wider is refused: one row must not take a machine's memory */
    DIGITS_MAX = 40,
};
static const char flag_letters[] = "-#+ 0,(";

/* --- patterns ------------------------------------------------------------------------------------------------------------ */
/* A number without a leading zero; -1: there is none, -2: too large. */
static int number_take(struct str p, size_t *at)
{
    long n = -1;

    for (; *at < p.size && p.data[*at] >= '0' && p.data[*at] <= '9'; ++*at) {
        n = (n < 0 ? 0 : n) * 10 + (p.data[*at] - '0');
        if (n > WIDTH_MAX) n = WIDTH_MAX + 1;
    }
    return n > WIDTH_MAX ? -2 : (int)n;
}

static bool flags_take(struct str p, size_t *at, uint32_t *flags)
{
    for (; *at < p.size; ++*at) {
        const char *letter = p.data[*at] != '\0' ? strchr(flag_letters, p.data[*at]) : NULL;
        if (letter == NULL) break;
        uint32_t flag = UINT32_C(1) << (letter - flag_letters);
        if (*flags & flag) return false; /* twice */
        *flags |= flag;
    }
    return true;
}

/* argument$ or <; what looks like one and is none is left where it is. */
static bool index_take(struct str p, size_t *at, struct format_spec *s)
{
    size_t from = *at;

    if (from < p.size && p.data[from] == '<') {
        s->index = -1;
        ++*at;
        return true;
    }
    int n = number_take(p, &from);
    if (n == -1 || from >= p.size || p.data[from] != '$') return true;
    s->index = n;
    *at = from + 1;
    return n > 0;
}

static bool spec_take(struct str p, size_t *at, struct format_spec *s)
{
    *s = (struct format_spec){.width = -1, .precision = -1};
    if (!index_take(p, at, s) || !flags_take(p, at, &s->flags)) return false;
    s->width = number_take(p, at);
    if (*at + 1 < p.size && p.data[*at] == '.' && p.data[*at + 1] >= '0' && p.data[*at + 1] <= '9') {
        ++*at;
        s->precision = number_take(p, at);
    }
    if (*at >= p.size || s->width == -2 || s->precision == -2) return false;
    char c = p.data[(*at)++];
    s->is_upper = c != '\0' && strchr("BHSCXEGA", c) != NULL;
    s->conversion = s->is_upper ? (char)(c + 32) : c;
    return s->conversion != '\0' && strchr("bhscdoxefga%n", s->conversion) != NULL;
}

enum format_step java_format_next(struct str pattern, size_t *at, struct str *plain, struct format_spec *spec)
{
    size_t from = *at;

    if (from >= pattern.size) return FORMAT_END;
    if (pattern.data[from] == '%') {
        ++*at;
        return spec_take(pattern, at, spec) ? FORMAT_SPEC : FORMAT_BAD;
    }
    const char *end = memchr(pattern.data + from, '%', pattern.size - from);
    *at = end != NULL ? (size_t)(end - pattern.data) : pattern.size;
    *plain = (struct str){pattern.data + from, *at - from};
    return FORMAT_TEXT;
}

/* --- widths ------------------------------------------------------------------------------------------------------------- */
static size_t units_of(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.data[i];
        n += (c & 0xC0) != 0x80;
        n += c >= 0xF0; /* a pair */
    }
    return n;
}

static void justified(const struct format_spec *s, struct str text, struct buf *out)
{
    size_t units = units_of(text), fill = s->width > 0 && (size_t)s->width > units ? (size_t)s->width - units : 0;

    for (size_t i = 0; i < fill && !(s->flags & LEFT); i++) buf_append_byte(out, ' ');
    buf_append(out, text.data, text.size);
    for (size_t i = 0; i < fill && (s->flags & LEFT); i++) buf_append_byte(out, ' ');
}

/* The first units; half of a pair is '?', as Java encodes it. */
static void cut(struct str s, size_t units, struct buf *out)
{
    size_t n = 0, i = 0;

    while (i < s.size && n < units) {
        unsigned char c = (unsigned char)s.data[i];
        size_t size = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        n += size == 4 ? 2 : 1;
        if (n > units)
            buf_append_byte(out, '?');
        else
            buf_append(out, s.data + i, MIN(size, s.size - i));
        i += size;
    }
}

struct printing {
    const struct format_spec *s;
    format_upper upper;
    void *arg;
    struct buf *work, *spare, *out;
};

static void text_put(const struct printing *p, struct str text)
{
    struct buf *work = p->work;
    size_t at = work->size;

    cut(text, p->s->precision >= 0 ? (size_t)p->s->precision : SIZE_MAX, work);
    struct str shown = {work->data + at, work->size - at};
    if (p->s->is_upper && shown.size > 0) {
        buf_clear(p->spare);
        p->upper(p->arg, shown, p->spare);
        shown = (struct str){p->spare->data, p->spare->size};
    }
    justified(p->s, shown, p->out);
}

/* --- whole numbers ------------------------------------------------------------------------------------------------------ */
/* Numbers have a sign before, or parentheses around. */
static void sign_put(const struct format_spec *s, bool negative, struct buf *out)
{
    if (negative)
        buf_append_byte(out, s->flags & PARENTHESES ? '(' : '-');
    else if (s->flags & (PLUS | BLANK))
        buf_append_byte(out, s->flags & PLUS ? '+' : ' ');
}

/* Digits with what flags ask for: commas, and zeros up to a width that counts the sign before them. */
static void digits_put(const struct format_spec *s, struct str digits, bool negative, int width, struct buf *out,
                       size_t number_at)
{
    const char *point = digits.size > 0 ? memchr(digits.data, '.', digits.size) : NULL;
    size_t whole = point != NULL ? (size_t)(point - digits.data) : digits.size;
    size_t commas = s->flags & GROUPS && whole > 0 ? (whole - 1) / 3 : 0,
           size = out->size - number_at + digits.size + commas;

    if (negative && s->flags & PARENTHESES && width > 0) width--;
    for (; s->flags & ZEROS && width > 0 && size < (size_t)width; size++) buf_append_byte(out, '0');
    for (size_t i = 0; i < digits.size; i++) {
        if (s->flags & GROUPS && i > 0 && i < whole && (whole - i) % 3 == 0) buf_append_byte(out, ',');
        buf_append_byte(out, digits.data[i]);
    }
}

/* Flags of numbers that contradict each other, or need a width. */
static bool number_flags_fit(const struct format_spec *s)
{
    if ((s->flags & PLUS && s->flags & BLANK) || (s->flags & LEFT && s->flags & ZEROS)) return false;
    return s->width >= 0 || !(s->flags & (LEFT | ZEROS));
}

static void decimal_put(const struct printing *p, int64_t value)
{
    char digits[24];
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)magnitude);
    size_t at = p->work->size;

    sign_put(p->s, value < 0, p->work);
    digits_put(p->s, (struct str){digits, (size_t)n}, value < 0, p->s->width, p->work, at);
    if (value < 0 && p->s->flags & PARENTHESES) buf_append_byte(p->work, ')');
    justified(p->s, (struct str){p->work->data + at, p->work->size - at}, p->out);
}

static void bits_put(const struct printing *p, uint64_t value)
{
    const char *form = p->s->conversion == 'o' ? "%llo" : p->s->is_upper ? "%llX" : "%llx";
    const char *prefix = !(p->s->flags & ALTERNATE) ? "" : p->s->conversion == 'o' ? "0" : p->s->is_upper ? "0X" : "0x";
    char digits[32];
    int n = snprintf(digits, sizeof digits, form, (unsigned long long)value);
    size_t at = p->work->size;

    buf_append_text(p->work, prefix);
    for (size_t k = strlen(prefix) + (size_t)n; p->s->flags & ZEROS && k < (size_t)p->s->width; k++)
        buf_append_byte(p->work, '0');
    buf_append(p->work, digits, (size_t)n);
    justified(p->s, (struct str){p->work->data + at, p->work->size - at}, p->out);
}

static bool whole_put(const struct printing *p, const struct format_value *v)
{
    const struct format_spec *s = p->s;

    if (s->precision >= 0 || !number_flags_fit(s)) return false;
    if (s->conversion == 'd' ? s->flags & ALTERNATE : s->flags & GROUPS) return false;
    if (v->kind == FORMAT_NULL) {
        text_put(p, STR("null"));
        return true;
    }
    if (v->kind != FORMAT_WHOLE) return false;
    if (s->conversion == 'd') {
        decimal_put(p, v->whole);
        return true;
    }
    if (s->flags & (PARENTHESES | BLANK | PLUS)) return false;
    bits_put(p, v->bits == 64 ? (uint64_t)v->whole : (uint64_t)v->whole & ((UINT64_C(1) << v->bits) - 1));
    return true;
}

/* --- other numbers ------------------------------------------------------------------------------------------------------ */
/* 0.d1d2d3.. * 10^point */
struct digits {
    char d[DIGITS_MAX];
    int count, point;
};

static struct digits digits_of(double value)
{
    char text[32];
    size_t size = str_from_double(fabs(value), text);
    struct digits out = {.point = 0};
    bool behind = false;

    for (size_t i = 0; i < size && text[i] != 'E'; i++) {
        if (text[i] == '.')
            behind = true;
        else
            out.d[out.count++] = text[i];
        if (text[i] != '.' && !behind) out.point++;
    }
    const char *e = memchr(text, 'E', size);
    text[size] = '\0'; /* 26 characters at most */
    if (e != NULL) out.point += (int)strtol(e + 1, NULL, 10);
    int zeros = 0;
    while (zeros < out.count && out.d[zeros] == '0') zeros++;
    memmove(out.d, out.d + zeros, (size_t)(out.count - zeros));
    out.count -= zeros;
    out.point -= zeros;
    if (out.count == 0) out = (struct digits){.d = "0", .count = 1, .point = 1};
    return out;
}

/* To so many digits, half up. */
static void digits_round(struct digits *x, int keep)
{
    if (keep >= x->count) return;
    bool up = keep >= 0 && x->d[keep] >= '5';
    x->count = MAX(keep, 0);
    int i = x->count - 1;
    for (; up && i >= 0 && x->d[i] == '9'; i--) x->d[i] = '0';
    if (up && i >= 0) {
        x->d[i]++;
    } else if (up) { /* 9.99 is 10.0 */
        memmove(x->d + 1, x->d, (size_t)MAX(x->count, 0));
        x->d[0] = '1';
        x->count = MAX(x->count, 1);
        x->point++;
    }
}

/* Digits from place `from` on, `n` of them, zeros where there are none. */
static void digits_append(const struct digits *x, int from, int n, struct buf *out)
{
    for (int i = from; i < from + n; i++) buf_append_byte(out, i >= 0 && i < x->count ? x->d[i] : '0');
}

/* 123.450 with so many digits behind the point */
static void plain_digits(struct digits x, int precision, bool alternate, struct buf *out)
{
    digits_round(&x, x.point + precision);
    if (x.point <= 0)
        buf_append_byte(out, '0');
    else
        digits_append(&x, 0, x.point, out);
    if (precision > 0 || alternate) buf_append_byte(out, '.');
    digits_append(&x, x.point, precision, out);
}

/* 1.2345 and the exponent; zero's is 0 */
static int scientific_digits(struct digits x, int precision, bool alternate, struct buf *out)
{
    digits_round(&x, precision + 1);
    digits_append(&x, 0, 1, out);
    if (precision > 0 || alternate) buf_append_byte(out, '.');
    digits_append(&x, 1, precision, out);
    return x.count > 0 && x.d[0] == '0' ? 0 : x.point - 1;
}

static void exponent_put(const struct format_spec *s, int exponent, struct buf *out)
{
    buf_printf(out, "%c%c%02d", s->is_upper ? 'E' : 'e', exponent < 0 ? '-' : '+', abs(exponent));
}

/* %a: C's form, but for 0x1p+0, which is 0x1.0p0, and for 0x2.0p+0, which is 0x1.0p1. */
static void hexadecimal_put(const struct format_spec *s, double value, struct buf *out)
{
    int digits = MAX(MIN(s->precision, 13), 1), exponent;
    char text[64];

    if (s->precision < 0)
        snprintf(text, sizeof text, "%a", value);
    else
        snprintf(text, sizeof text, "%.*a", digits, value);
    if (text[2] == '2') {
        (void)frexp(value, &exponent);
        snprintf(text, sizeof text, "%.*a", digits, ldexp(1, exponent));
    }
    for (char *c = text; *c != '\0'; c++) {
        if (*c == 'p' && memchr(text, '.', (size_t)(c - text)) == NULL) buf_append_text(out, ".0");
        if (*c != '+') buf_append_byte(out, s->is_upper && *c >= 'a' ? (char)(*c - 32) : *c);
    }
}

/* The digits of the number without its sign. */
static void magnitude_put(const struct printing *p, double value, size_t number_at)
{
    const struct format_spec *s = p->s;
    struct digits x = digits_of(value), rounded = x;
    int precision = s->precision < 0 ? 6 : s->precision, width = s->width, exponent = 0;
    bool alternate = (s->flags & ALTERNATE) != 0, scientific = s->conversion == 'e', negative = signbit(value);
    struct buf *digits = p->spare;

    buf_clear(digits);
    if (s->conversion == 'g') {
        precision = MAX(precision, 1);
        digits_round(&rounded, precision);
        scientific = value != 0 && (rounded.point - 1 < -4 || rounded.point - 1 >= precision);
        precision -= scientific || value == 0 ? 1 : rounded.point;
    }
    if (s->conversion == 'a')
        hexadecimal_put(s, fabs(value), digits);
    else if (scientific)
        exponent = scientific_digits(x, precision, alternate, digits);
    else
        plain_digits(x, precision, alternate, digits);
    if (scientific && width > 0) width -= exponent > 99 || exponent < -99 ? 5 : 4;
    digits_put(s, (struct str){digits->data, digits->size}, negative, width, p->work, number_at);
    if (scientific) exponent_put(s, exponent, p->work);
}

static bool real_flags_fit(const struct format_spec *s)
{
    if (!number_flags_fit(s)) return false;
    if (s->conversion == 'a') return !(s->flags & (PARENTHESES | GROUPS));
    if (s->conversion == 'e') return !(s->flags & GROUPS);
    return s->conversion != 'g' || !(s->flags & ALTERNATE);
}

static bool real_put(const struct printing *p, const struct format_value *v)
{
    size_t at = p->work->size;

    if (!real_flags_fit(p->s)) return false;
    if (v->kind == FORMAT_NULL) {
        text_put(p, STR("null"));
        return true;
    }
    if (v->kind != FORMAT_REAL) return false;
    bool negative = signbit(v->real) && !isnan(v->real);
    if (!isnan(v->real)) sign_put(p->s, negative, p->work);
    if (isnan(v->real))
        buf_append_text(p->work, p->s->is_upper ? "NAN" : "NaN");
    else if (isinf(v->real))
        buf_append_text(p->work, p->s->is_upper ? "INFINITY" : "Infinity");
    else
        magnitude_put(p, v->real, at);
    if (negative && p->s->flags & PARENTHESES) buf_append_byte(p->work, ')');
    justified(p->s, (struct str){p->work->data + at, p->work->size - at}, p->out);
    return true;
}

/* --- what takes any value ----------------------------------------------------------------------------------------------- */
static uint32_t murmur_mix(uint32_t hash, uint32_t word)
{
    word *= 0xcc9e2d51u;
    word = (word << 15 | word >> 17) * 0x1b873593u;
    hash ^= word;
    return (hash << 13 | hash >> 19) * 5 + 0xe6546b64u;
}

/* As Flink hashes the bytes of its texts. */
static uint32_t text_hash(struct str s)
{
    uint32_t hash = 42, word;
    size_t i = 0;

    for (; i + 4 <= s.size; i += 4) {
        memcpy(&word, s.data + i, 4);
        hash = murmur_mix(hash, word);
    }
    for (; i < s.size; i++) hash = murmur_mix(hash, (uint32_t)(int32_t)(signed char)s.data[i]);
    hash ^= (uint32_t)s.size;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

static bool hash_of(const struct format_value *v, uint32_t *out)
{
    uint64_t bits = (uint64_t)v->whole;
    float single = (float)v->real;

    if (v->kind == FORMAT_OTHER && !v->has_hash) return false;
    if (v->kind == FORMAT_REAL && v->bits == 64) memcpy(&bits, &v->real, sizeof bits);
    if (v->kind == FORMAT_REAL && v->bits == 32)
        memcpy(out, &single, sizeof *out);
    else if (v->kind == FORMAT_OTHER)
        *out = text_hash(v->text);
    else if (v->kind == FORMAT_BOOLEAN)
        *out = v->whole != 0 ? 1231 : 1237;
    else
        *out = v->bits == 64 ? (uint32_t)(bits ^ bits >> 32) : (uint32_t)bits;
    return true;
}

static bool hash_put(const struct printing *p, const struct format_value *v)
{
    char text[16];
    uint32_t hash;

    if (v->kind == FORMAT_NULL) {
        text_put(p, STR("null"));
        return true;
    }
    if (!hash_of(v, &hash)) return false;
    int n = snprintf(text, sizeof text, "%x", hash);
    text_put(p, (struct str){text, (size_t)n});
    return true;
}

static void any_put(const struct printing *p, const struct format_value *v)
{
    char text[32];
    struct str shown = v->text;

    if (v->kind == FORMAT_NULL) shown = STR("null");
    if (v->kind == FORMAT_BOOLEAN) shown = v->whole != 0 ? STR("true") : STR("false");
    if (v->kind == FORMAT_WHOLE) shown = (struct str){text, str_from_int64(v->whole, text)};
    if (v->kind == FORMAT_REAL)
        shown = (struct str){text,
                             v->bits == 32 ? str_from_float((float)v->real, text) : str_from_double(v->real, text)};
    text_put(p, shown);
}

/* A code point of up to 32 bits. */
static bool character_put(const struct printing *p, const struct format_value *v)
{
    char bytes[4];
    size_t size = 0;

    if (p->s->precision >= 0 || (v->kind != FORMAT_NULL && (v->kind != FORMAT_WHOLE || v->bits == 64))) return false;
    if (v->kind == FORMAT_NULL) {
        text_put(p, STR("null"));
        return true;
    }
    if (v->whole < 0 || v->whole > 0x10FFFF) return false;
    uint32_t c = v->whole >= 0xD800 && v->whole <= 0xDFFF ? '?' : (uint32_t)v->whole;
    size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t k = size - 1; k > 0; k--, c >>= 6) bytes[k] = (char)(0x80 | (c & 0x3F));
    bytes[0] = (char)((size == 1 ? 0 : size == 2 ? 0xC0 : size == 3 ? 0xE0 : 0xF0) | c);
    text_put(p, (struct str){bytes, size});
    return true;
}

bool java_format_put(const struct format_spec *s, const struct format_value *v, format_upper upper, void *arg,
                     struct buf work[2], struct buf *out)
{
    const struct printing p = {s, upper, arg, &work[0], &work[1], out};
    bool width_fits = s->width >= 0 || !(s->flags & LEFT);

    switch (s->conversion) {
    case 'n':
        if (s->width >= 0 || s->precision >= 0 || s->flags != 0) return false;
        buf_append_byte(out, '\n');
        return true;
    case '%':
        if (s->precision >= 0 || (s->flags & ~(uint32_t)LEFT) != 0 || !width_fits) return false;
        justified(s, STR("%"), out);
        return true;
    case 'd':
    case 'o':
    case 'x': return whole_put(&p, v);
    case 'e':
    case 'f':
    case 'g':
    case 'a': return real_put(&p, v);
    default: break;
    }
    if ((s->flags & ~(uint32_t)LEFT) != 0 || !width_fits) return false;
    if (s->conversion == 'c') return character_put(&p, v);
    if (s->conversion == 'h') return hash_put(&p, v);
    if (s->conversion == 's')
        any_put(&p, v);
    else
        text_put(&p,
                 v->kind == FORMAT_NULL || (v->kind == FORMAT_BOOLEAN && v->whole == 0) ? STR("false") : STR("true"));
    return true;
}
