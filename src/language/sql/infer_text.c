/* infer_text.c - what a text may be besides a STRING. The idea: a column begins as everything, each text takes kinds away, and the
 * narrowest kind that is left is its type; what no kind fits is a STRING.
 *
 * Only what reads back unchanged counts: 007 and +7 are no numbers (codes keep their zeros), nor are whole numbers beyond BIGINT,
 * which a DOUBLE would round. Times with a Z are instants, TIMESTAMP_LTZ; in one column with times without, they stay texts. */
#include "language/sql/infer.h"

#include "columns/column/timestamp.h"
#include "columns/column/type.h"
#include "ground/base/str.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t digits_from(struct str t, size_t at)
{
    size_t n = 0;

    while (at + n < t.size && is_digit(t.data[at + n])) n++;
    return n;
}

/* -12, 1.5, -.5e3 is not: a digit stands before the dot. Answers 0, the kinds of a whole number, or DOUBLE. */
static uint32_t number_kinds(struct str t)
{
    size_t at = t.size > 0 && t.data[0] == '-', whole = digits_from(t, at), n;
    int64_t value;
    double real;

    if (whole == 0 || (whole > 1 && t.data[at] == '0')) return 0;
    at += whole;
    if (at == t.size) {
        if (!str_to_int64(t, &value)) return 0;
        return INFER_DOUBLE | INFER_BIGINT | (value >= INT32_MIN && value <= INT32_MAX ? INFER_INT : 0);
    }
    if (t.data[at] == '.') {
        if ((n = digits_from(t, at + 1)) == 0) return 0;
        at += 1 + n;
    }
    if (at < t.size && (t.data[at] == 'e' || t.data[at] == 'E')) {
        at++;
        if (at < t.size && (t.data[at] == '+' || t.data[at] == '-')) at++;
        if ((n = digits_from(t, at)) == 0) return 0;
        at += n;
    }
    return at == t.size && str_to_double(t, &real) && real - real == 0 ? INFER_DOUBLE : 0;
}

static int32_t fraction_digits(struct str t)
{
    size_t dot = 0;

    while (dot < t.size && t.data[dot] != '.') dot++;
    return dot == t.size ? 0 : (int32_t)MIN(digits_from(t, dot + 1), 9u);
}

uint32_t infer_text_kinds(struct str text, int32_t *precision)
{
    struct str t = str_trim(text);
    struct ts96 ts;
    int32_t part;

    if (str_equal_nocase(t, STR("true")) || str_equal_nocase(t, STR("false"))) return INFER_BOOLEAN;
    if (str_equal(t, STR("NaN")) || str_equal(t, STR("Infinity")) || str_equal(t, STR("-Infinity")))
        return INFER_DOUBLE;
    if (date_parse(t, &part)) return INFER_DATE;
    if (timestamp_parse(t, &ts)) {
        *precision = MAX(*precision, fraction_digits(t));
        return t.data[t.size - 1] == 'Z' ? INFER_INSTANT : INFER_TIMESTAMP;
    }
    if (time_parse(t, &part) && fraction_digits(t) <= 3) {
        *precision = MAX(*precision, fraction_digits(t));
        return INFER_TIME;
    }
    return number_kinds(t);
}

const struct type *infer_type(struct arena *a, bool seen, uint32_t kinds, int32_t precision)
{
    if (!seen || kinds == 0) return &type_string;
    if (kinds & INFER_INT) return &type_int;
    if (kinds & INFER_BIGINT) return &type_bigint;
    if (kinds & INFER_DOUBLE) return &type_double;
    if (kinds & INFER_BOOLEAN) return &type_boolean;
    if (kinds & INFER_DATE) return &type_date;
    if (kinds & INFER_TIME) return type_new(a, T_TIME, MIN(precision, 3), 0, true);
    return type_new(a, kinds & INFER_TIMESTAMP ? T_TIMESTAMP : T_TIMESTAMP_LTZ, precision, 0, true);
}
