/* cast_text_time.c - DATE, TIME and TIMESTAMP from text, as generously as Flink 2.3 reads them, and no more: fields may be short or left
 * out ('2020-1-2', '2020', '7:5'), a DATE may have anything behind a blank, and of a TIMESTAMP the days up to 31 exist in every
 * month, where the last one stands for those that do not. (Formats and literals read the strict forms of timestamp.h.) */
#include "columns/function/cast.h"

#include "columns/column/timestamp.h"
#include "columns/function/time_values.h"
#include "ground/base/str.h"

#include <string.h>

#define BAD(i, what) row_error(r->errors, i, FN_BAD_TEXT, what)

/* --- fields ------------------------------------------------------------------------------------------------------ */
/* Digits only, of any number, blanks around them; at most `high`. */
static bool field_read(struct str s, int32_t high, int32_t *out)
{
    int64_t value = 0;

    s = str_trim(s);
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') return false;
        value = MIN(value * 10 + (s.data[i] - '0'), INT64_C(1) << 40);
    }
    *out = (int32_t)MIN(value, (int64_t)INT32_MAX);
    return s.size > 0 && value <= high;
}

/* "a", "a-b" or "a-b-c" into fields[0..2]; those that are not there stay as they are. The last one takes all that is left. */
static bool fields_cut(struct str s, char separator, struct str fields[3], int *count)
{
    for (*count = 0; *count < 2; (*count)++) {
        const char *at = memchr(s.data, separator, s.size);
        if (at == NULL) break;
        fields[*count] = (struct str){s.data, (size_t)(at - s.data)};
        s = (struct str){at + 1, s.size - fields[*count].size - 1};
    }
    fields[(*count)++] = s;
    return s.size > 0;
}

static int32_t last_day(int32_t year, int32_t month)
{
    return month == 12 ? 31 : days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1);
}

/* --- DATE -------------------------------------------------------------------------------------------------------- */
static bool date_of(struct str s, int32_t *days)
{
    struct str fields[3];
    int32_t year, month = 1, day = 1;
    int count;
    const char *blank = memchr(s.data, ' ', s.size);

    if (blank != NULL && blank > s.data) s.size = (size_t)(blank - s.data);
    if (s.size == 0 || !fields_cut(s, '-', fields, &count)) return false;
    if (!field_read(fields[0], 9999, &year)) return false;
    if (count > 1 && !field_read(fields[1], 12, &month)) return false;
    if (count > 2 && !field_read(fields[2], 31, &day)) return false;
    if (month < 1 || day < 1 || day > last_day(year, month)) return false;
    *days = days_from_civil(year, month, day);
    return true;
}

void cast_text_to_date(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    if (!date_of(fn_str(args[0], i), &VECTOR_VALUES(out, int32_t)[i]))
        BAD(i, "the text is no DATE, such as 2001-01-31");
}

/* --- TIME -------------------------------------------------------------------------------------------------------- */
/* What stands behind the point, in thousandths. */
static int32_t thousandths(struct str s)
{
    int32_t value = 0, unit = 100;

    for (size_t i = 0; i < s.size && unit > 0; i++, unit /= 10)
        if (s.data[i] >= '0' && s.data[i] <= '9') value += (s.data[i] - '0') * unit;
    return value;
}

static bool time_of(struct str s, int32_t *ms)
{
    struct str fields[3], fraction = {NULL, 0};
    int32_t hour, minute = 0, second = 0;
    int count;

    if (s.size == 0 || !fields_cut(s, ':', fields, &count)) return false;
    if (count > 2) {
        const char *point = memchr(fields[2].data, '.', fields[2].size);
        size_t whole = point == NULL ? fields[2].size : (size_t)(point - fields[2].data);
        if (point != NULL) fraction = (struct str){point + 1, fields[2].size - whole - 1};
        fields[2].size = whole;
    }
    if (!field_read(fields[0], 23, &hour)) return false;
    if (count > 1 && !field_read(fields[1], 59, &minute)) return false;
    if (count > 2 && !field_read(fields[2], 59, &second)) return false;
    *ms = ((hour * 60 + minute) * 60 + second) * 1000 + thousandths(fraction);
    return true;
}

void cast_text_to_time(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    if (!time_of(fn_str(args[0], i), &VECTOR_VALUES(out, int32_t)[i])) BAD(i, "the text is no TIME, such as 10:20:30");
}

/* --- TIMESTAMP --------------------------------------------------------------------------------------------------- */
/* Between low and high digits at the front of *s, which move out of it. */
static bool digits_take(struct str *s, size_t low, size_t high, int32_t *out)
{
    size_t n = 0;

    for (*out = 0; n < s->size && n < high && s->data[n] >= '0' && s->data[n] <= '9'; n++)
        *out = *out * 10 + (s->data[n] - '0');
    *s = (struct str){s->data + n, s->size - n};
    return n >= low;
}

static bool char_take(struct str *s, char c)
{
    if (s->size == 0 || s->data[0] != c) return false;
    *s = (struct str){s->data + 1, s->size - 1};
    return true;
}

/* "10:20:30[.123456789]", and "24:00:00". */
static bool clock_take(struct str s, int64_t *ms, int32_t *ns)
{
    int32_t hour, minute, second, fraction = 0;

    if (!digits_take(&s, 1, 2, &hour) || !char_take(&s, ':') || !digits_take(&s, 1, 2, &minute)) return false;
    if (!char_take(&s, ':') || !digits_take(&s, 1, 2, &second)) return false;
    if (char_take(&s, '.')) {
        size_t digits = s.size;
        if (!digits_take(&s, 0, 9, &fraction)) return false;
        for (size_t n = digits - s.size; n < 9; n++) fraction *= 10;
    }
    bool is_midnight = hour == 24 && minute == 0 && second == 0 && fraction == 0;
    if (s.size > 0 || minute > 59 || second > 59 || (hour > 23 && !is_midnight)) return false;
    *ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + fraction / 1000000;
    *ns = fraction % 1000000;
    return true;
}

static bool stamp_of(struct str s, struct ts96 *out)
{
    int32_t year, month, day, ns = 0;
    int64_t ms = 0;

    if (!digits_take(&s, 4, 4, &year) || !char_take(&s, '-') || !digits_take(&s, 1, 2, &month)) return false;
    if (!char_take(&s, '-')) return false;
    bool has_day = digits_take(&s, 1, 2, &day); /* '2020-1-' is the first */
    if (!has_day) day = 1;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return false;
    if (s.size > 0 && (!char_take(&s, ' ') || !clock_take(s, &ms, &ns))) return false;
    day = MIN(day, last_day(year, month));
    *out = (struct ts96){.ms = days_from_civil(year, month, day) * INT64_C(86400000) + ms, .ns = ns};
    return true;
}

void cast_text_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct ts96 t;

    FN_EACH_VALID(r, args, 1, i)
    {
        if (!stamp_of(fn_str(args[0], i), &t)) {
            BAD(i, "the text is no TIMESTAMP, such as 2001-01-31 10:20:30.5");
            continue;
        }
        t.ms = cast_zone_apply(r->call->plan, t.ms);
        fn_put_stamp(out, i, t);
    }
}
