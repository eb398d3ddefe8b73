/* number.c - floating point <-> text. Reading is correctly rounded: short decimals by one exact operation, the rest by
 * the C library (its "C" locale, which this process never leaves). Writing gives the shortest text that reads back the
 * same, laid out as Java's Double.toString does: decimal between 1e-3 and 1e7, else one digit, point, digits, E. */
#include "ground/base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Up to 15 digits and a small exponent: value and power are exact doubles, so one operation rounds correctly. */
static bool simple_double(struct str s, double *out)
{
    bool negative = s.data[0] == '-';
    size_t i = negative || s.data[0] == '+' ? 1 : 0, digits = 0;
    int64_t value = 0;
    size_t fraction = 0;
    bool point = false;

    for (; i < s.size; i++) {
        char c = s.data[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++digits > 15) return false;
        value = value * 10 + (c - '0');
        fraction += point;
    }
    if (digits == 0) return false;
    double magnitude = (double)value / exact_powers[fraction];
    *out = negative ? -magnitude : magnitude;
    return true;
}

static bool is_number_text(struct str s)
{
    size_t i = s.data[0] == '-' || s.data[0] == '+' ? 1 : 0;
    struct str rest = {s.data + i, s.size - i};

    if (str_equal(rest, STR("NaN")) || str_equal(rest, STR("Infinity"))) return true;
    for (size_t k = 0; k < rest.size; k++)
        if (strchr("0123456789.eE+-", rest.data[k]) == NULL || rest.data[k] == '\0') return false;
    return rest.size > 0;
}

bool str_to_double(struct str s, double *out)
{
    char text[512];
    char *end;

    if (s.size == 0 || s.size >= sizeof text) return false;
    if (simple_double(s, out)) return true;
    if (!is_number_text(s)) return false;
    memcpy(text, s.data, s.size);
    text[s.size] = '\0';
    *out = strtod(text, &end);
    return end == text + s.size;
}

/* The shortest digits that read back as value: "d.ddde[+-]xx" at rising precision. */
static void shortest(double value, bool single, char *text, size_t size)
{
    int most = single ? 9 : 17;

    for (int precision = 0; precision < most; precision++) {
        snprintf(text, size, "%.*e", precision, value);
        double back = strtod(text, NULL);
        if (single ? (float)back == (float)value : back == value) return;
    }
}

static size_t put(char *out, const char *text)
{
    size_t size = strlen(text);

    memcpy(out, text, size);
    return size;
}

/* digits[0..count) with the decimal point behind the first; exponent of ten. */
static size_t lay_out(char *out, const char *digits, int count, int exponent)
{
    size_t n = 0;

    if (exponent >= -3 && exponent < 7) {
        if (exponent < 0) {
            n += put(out, "0.");
            for (int i = -1; i > exponent; i--) out[n++] = '0';
            for (int i = 0; i < count; i++) out[n++] = digits[i];
            return n;
        }
        for (int i = 0; i <= exponent; i++) out[n++] = i < count ? digits[i] : '0';
        out[n++] = '.';
        if (count <= exponent + 1) out[n++] = '0';
        for (int i = exponent + 1; i < count; i++) out[n++] = digits[i];
        return n;
    }
    out[n++] = digits[0];
    out[n++] = '.';
    if (count == 1) out[n++] = '0';
    for (int i = 1; i < count; i++) out[n++] = digits[i];
    out[n++] = 'E';
    return n + (size_t)snprintf(out + n, 8, "%d", exponent);
}

static size_t from_real(double value, bool single, char *out)
{
    char text[40], digits[24];
    int count = 0;
    size_t n = 0;

    if (isnan(value)) return put(out, "NaN");
    if (signbit(value)) out[n++] = '-';
    if (isinf(value)) return n + put(out + n, "Infinity");
    if (value == 0) return n + put(out + n, "0.0");
    shortest(fabs(value), single, text, sizeof text);
    char *e = strchr(text, 'e');
    ASSERT(e != NULL);
    for (char *p = text; p < e; p++)
        if (*p != '.') digits[count++] = *p;
    while (count > 1 && digits[count - 1] == '0') count--;
    return n + lay_out(out + n, digits, count, (int)strtol(e + 1, NULL, 10));
}

size_t str_from_double(double value, char out[static 32]) { return from_real(value, false, out); }
size_t str_from_float(float value, char out[static 32]) { return from_real((double)value, true, out); }
