/* timestamp.c - the calendar and times of day as numbers, and their ISO and SQL texts.
 *
 * Days count from 1970-01-01 in the proleptic Gregorian calendar. The conversion works on eras of 400 years that begin
 * on 1 March, so that the leap day is the last of its year and no table is needed. Times before the epoch are negative
 * and everything floors: -1 ms is 1969-12-31 23:59:59.999.
 *
 * Texts have fixed positions ("2001-01-31 10:20:30.5"), which makes reading them a few comparisons; what is read is
 * checked for range, days of the month included. */
#include "columns/column/timestamp.h"

enum { MS_PER_DAY = 86400000, NS_PER_MS = 1000000 };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

/* Years are those of 64 bits of milliseconds, whose days need more than 32 bits. */
static int64_t days_of(int32_t year, int32_t month, int32_t day)
{
    int32_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
    uint32_t year_of_era = (uint32_t)(y - era * 400);
    uint32_t day_of_year = (153 * (uint32_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (uint32_t)day - 1;
    uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (int64_t)era * 146097 + (int32_t)day_of_era - 719468;
}

int32_t days_from_civil(int32_t year, int32_t month, int32_t day) { return (int32_t)days_of(year, month, day); }

static void civil_set_date(int64_t days, struct civil *out)
{
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    uint32_t day_of_era = (uint32_t)(z - era * 146097);
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month = (5 * day_of_year + 2) / 153; /* 0 = March */

    out->day = (int32_t)(day_of_year - (153 * month + 2) / 5 + 1);
    out->month = (int32_t)(month < 10 ? month + 3 : month - 9);
    out->year = (int32_t)((int64_t)year_of_era + era * 400) + (out->month <= 2);
}

void civil_from_days(int32_t days, struct civil *out) { civil_set_date(days, out); }

static void civil_set_time(int32_t ms_of_day, int32_t ns_of_ms, struct civil *out)
{
    out->hour = ms_of_day / 3600000;
    out->minute = ms_of_day / 60000 % 60;
    out->second = ms_of_day / 1000 % 60;
    out->nano = ms_of_day % 1000 * NS_PER_MS + ns_of_ms;
}

void civil_from_ms(int64_t ms, struct civil *out)
{
    civil_set_date(floor_div(ms, MS_PER_DAY), out);
    civil_set_time((int32_t)floor_mod(ms, MS_PER_DAY), 0, out);
}

int64_t civil_to_ms(const struct civil *c)
{
    int64_t days = days_of(c->year, c->month, c->day);

    return days * MS_PER_DAY + ((c->hour * 60 + c->minute) * 60 + c->second) * INT64_C(1000) + c->nano / NS_PER_MS;
}

/* ---- reading */

static bool digits_read(const char *s, int count, int32_t *out)
{
    int32_t value = 0;

    for (int i = 0; i < count; i++) {
        uint32_t digit = (uint32_t)(unsigned char)s[i] - '0';
        if (digit > 9) return false;
        value = value * 10 + (int32_t)digit;
    }
    *out = value;
    return true;
}

static int32_t month_days(int32_t year, int32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

/* "2001-01-31", exactly 10 bytes. */
static bool date_read(const char *s, struct civil *out)
{
    if (s[4] != '-' || s[7] != '-') return false;
    if (!digits_read(s, 4, &out->year) || !digits_read(s + 5, 2, &out->month) || !digits_read(s + 8, 2, &out->day))
        return false;
    if (out->year < 1 || out->month < 1 || out->month > 12) return false;
    return out->day >= 1 && out->day <= month_days(out->year, out->month);
}

/* "10:20[:30[.123456789]]", the whole text. */
static bool time_read(struct str s, struct civil *out)
{
    int32_t fraction = 0;
    int digits;

    out->second = out->nano = 0;
    if (s.size < 5 || s.data[2] != ':') return false;
    if (!digits_read(s.data, 2, &out->hour) || !digits_read(s.data + 3, 2, &out->minute)) return false;
    if (out->hour > 23 || out->minute > 59) return false;
    if (s.size == 5) return true;
    if (s.size < 8 || s.data[5] != ':' || !digits_read(s.data + 6, 2, &out->second) || out->second > 59) return false;
    if (s.size == 8) return true;
    digits = (int)s.size - 9;
    if (s.size > 18 || digits < 1 || s.data[8] != '.' || !digits_read(s.data + 9, digits, &fraction)) return false;
    for (; digits < 9; digits++) fraction *= 10;
    out->nano = fraction;
    return true;
}

bool date_parse(struct str text, int32_t *days)
{
    struct civil c;

    if (text.size != 10 || !date_read(text.data, &c)) return false;
    *days = days_from_civil(c.year, c.month, c.day);
    return true;
}

bool time_parse(struct str text, int32_t *ms)
{
    struct civil c;

    if (!time_read(text, &c)) return false;
    *ms = ((c.hour * 60 + c.minute) * 60 + c.second) * 1000 + c.nano / NS_PER_MS;
    return true;
}

bool timestamp_parse(struct str text, struct ts96 *out)
{
    struct civil c;

    if (text.size < 16 || !date_read(text.data, &c)) return false;
    if (text.data[10] != ' ' && text.data[10] != 'T') return false;
    if (text.data[text.size - 1] == 'Z') text.size--;
    if (!time_read((struct str){text.data + 11, text.size - 11}, &c)) return false;
    *out = (struct ts96){.ms = civil_to_ms(&c), .ns = c.nano % NS_PER_MS};
    return true;
}

/* ---- printing */

static char *digits_write(char *at, uint32_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

/* Years beyond 9999 are written with as many digits as they have and a sign, as Java does. */
static char *date_write(char *at, const struct civil *c)
{
    int width = 4;
    int32_t year = c->year < 0 ? -c->year : c->year;

    if (c->year < 0) *at++ = '-';
    if (c->year > 9999) *at++ = '+';
    for (int32_t rest = year / 10000; rest; rest /= 10) width++;
    at = digits_write(at, (uint32_t)year, width);
    *at++ = '-';
    at = digits_write(at, (uint32_t)c->month, 2);
    *at++ = '-';
    return digits_write(at, (uint32_t)c->day, 2);
}

static char *time_write(char *at, const struct civil *c, int precision)
{
    at = digits_write(at, (uint32_t)c->hour, 2);
    *at++ = ':';
    at = digits_write(at, (uint32_t)c->minute, 2);
    *at++ = ':';
    at = digits_write(at, (uint32_t)c->second, 2);
    if (precision > 0) {
        uint32_t fraction = (uint32_t)c->nano;
        for (int i = precision; i < 9; i++) fraction /= 10;
        *at++ = '.';
        at = digits_write(at, fraction, precision);
    }
    return at;
}

void civil_date_print(const struct civil *c, struct buf *out)
{
    char text[32];

    buf_append(out, text, (size_t)(date_write(text, c) - text));
}

void date_print(int32_t days, struct buf *out)
{
    struct civil c;

    civil_from_days(days, &c);
    civil_date_print(&c, out);
}

void time_print(int32_t ms, int precision, struct buf *out)
{
    char text[32];
    struct civil c;

    ASSERT(precision >= 0 && precision <= 9);
    civil_set_time(ms, 0, &c);
    char *end = time_write(text, &c, precision);
    while (precision > 1 && end[-1] == '0' && end[-2] != '.') end--; /* of the fraction one digit stays, as in Flink */
    buf_append(out, text, (size_t)(end - text));
}

void timestamp_print(struct ts96 t, int precision, struct buf *out)
{
    char text[64], *at;
    struct civil c;

    ASSERT(precision >= 0 && precision <= 9);
    civil_from_ms(t.ms, &c);
    c.nano += t.ns;
    at = date_write(text, &c);
    *at++ = ' ';
    at = time_write(at, &c, precision);
    buf_append(out, text, (size_t)(at - text));
}

/* ---- values */

struct ts96 timestamp_load(const void *value, int precision)
{
    int64_t v = *(const int64_t *)value;

    if (precision > 6) return *(const struct ts96 *)value;
    if (precision <= 3) return (struct ts96){.ms = v};
    return (struct ts96){.ms = floor_div(v, 1000), .ns = (int32_t)floor_mod(v, 1000) * 1000};
}

void timestamp_store(struct ts96 t, int precision, void *value)
{
    static const int32_t ms_units[] = {1000, 100, 10, 1},
                         ns_units[] = {100000, 10000, 1000, 100, 10, 1}; /* digits 4..9 */

    ASSERT(precision >= 0 && precision <= 9);
    if (precision <= 3) {
        *(int64_t *)value = t.ms - floor_mod(t.ms, ms_units[precision]);
        return;
    }
    t.ns -= t.ns % ns_units[precision - 4];
    if (precision > 6) {
        *(struct ts96 *)value = (struct ts96){.ms = t.ms, .ns = t.ns};
    } else {
        *(int64_t *)value = t.ms * 1000 + t.ns / 1000;
    }
}

int64_t timestamp_value_ms(const void *value, int precision)
{
    return timestamp_load(value, precision).ms;
}
