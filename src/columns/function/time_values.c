/* time_values.c - calendar months of days and of milliseconds, and the session's zone. Months keep the day of the month and cut it to the
 * last one: 31 January and a month is 28 February. */
#include "columns/function/time_values.h"

#include "ground/base/str.h"

enum status fn_zone_find(const struct fn_session *session, struct zone *out, struct err *e)
{
    struct str name = session != NULL && session->zone.size > 0 ? session->zone : STR("UTC");

    if (zone_find(name, out)) return S_OK;
    err_set(e, E_GRAPH, "there is no time zone '%.*s'", (int)MIN(name.size, (size_t)100), name.data);
    err_hint(e, "a zone is a name such as 'Europe/Berlin', letters count, or an offset such as 'GMT+01:00'");
    return E_GRAPH;
}

/* --- units ------------------------------------------------------------------------------------------------------- */
enum time_unit time_unit_of(struct str name)
{
    static const char *const names[] = {[UNIT_MILLENNIUM] = "MILLENNIUM",
                                        [UNIT_CENTURY] = "CENTURY",
                                        [UNIT_DECADE] = "DECADE",
                                        [UNIT_YEAR] = "YEAR",
                                        [UNIT_ISOYEAR] = "ISOYEAR",
                                        [UNIT_QUARTER] = "QUARTER",
                                        [UNIT_MONTH] = "MONTH",
                                        [UNIT_WEEK] = "WEEK",
                                        [UNIT_DOY] = "DOY",
                                        [UNIT_DOW] = "DOW",
                                        [UNIT_ISODOW] = "ISODOW",
                                        [UNIT_DAY] = "DAY",
                                        [UNIT_HOUR] = "HOUR",
                                        [UNIT_MINUTE] = "MINUTE",
                                        [UNIT_SECOND] = "SECOND",
                                        [UNIT_MILLISECOND] = "MILLISECOND",
                                        [UNIT_MICROSECOND] = "MICROSECOND",
                                        [UNIT_NANOSECOND] = "NANOSECOND",
                                        [UNIT_EPOCH] = "EPOCH"};

    if (str_starts(name, STR("SQL_TSI_"))) name = (struct str){name.data + 8, name.size - 8};
    for (size_t i = 1; i < COUNT_OF(names); i++)
        if (str_equal(name, str_of(names[i]))) return (enum time_unit)i;
    return UNIT_NONE;
}

enum time_unit time_unit_at(const struct fn_call *c, uint32_t arg)
{
    if (arg >= c->count || c->constants[arg] == NULL || !type_is_string(c->args[arg])) return UNIT_NONE;
    return time_unit_of(fn_str(c->constants[arg], 0));
}

int64_t time_unit_ms(enum time_unit u)
{
    static const int32_t ms[] = {
        [UNIT_DAY] = MS_PER_DAY,       [UNIT_HOUR] = MS_PER_HOUR, [UNIT_MINUTE] = MS_PER_MINUTE,
        [UNIT_SECOND] = MS_PER_SECOND, [UNIT_MILLISECOND] = 1,    [UNIT_EPOCH] = 0};
    return ms[u];
}

int64_t zone_calendar_offset_ms(const struct zone *z, int64_t utc_ms)
{
    const int64_t year_1900 = -2208988800000;

    if (utc_ms >= year_1900 || (z->count == 0 && !z->has_rule)) return zone_offset_ms(z, utc_ms);
    return (int64_t)(z->has_rule ? z->standard : z->offsets[z->count - 1]) * 1000;
}

/* --- the old calendar -------------------------------------------------------------------------------------------- */
enum { GREGORIAN = -141427, JULIAN_ZERO = 719470 }; /* 1582-10-15; days from 1 March of the Julian year 0 */

void civil_from_days_of_clocks(int64_t days, struct civil *c)
{
    if (days >= GREGORIAN) {
        civil_from_days((int32_t)days, c);
        return;
    }
    int64_t n = days + JULIAN_ZERO;
    int64_t cycle = floor_div(n, 1461), rest = n - cycle * 1461, year = MIN(rest / 365, 3), day = rest - year * 365;
    int64_t month = (5 * day + 2) / 153; /* 0 = March */
    c->day = (int32_t)(day - (153 * month + 2) / 5 + 1);
    c->month = (int32_t)(month < 10 ? month + 3 : month - 9);
    c->year = (int32_t)(cycle * 4 + year + (c->month <= 2));
}

int64_t days_of_clocks(int64_t year, int64_t month, int64_t day)
{
    year += floor_div(month - 1, 12);
    month = floor_mod(month - 1, 12) + 1;
    int64_t days = days_from_civil((int32_t)year, (int32_t)month, 1) + day - 1;
    if (days >= GREGORIAN) return days;
    int64_t y = year - (month <= 2), m = month > 2 ? month - 3 : month + 9;
    return floor_div(y * 1461, 4) + (153 * m + 2) / 5 + day - 1 - JULIAN_ZERO;
}

/* --- months ------------------------------------------------------------------------------------------------------ */
static int32_t days_in_month(int64_t year, int64_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Months are counted in 32 bits, as in Java. */
int64_t days_add_months(int64_t days, int64_t months)
{
    struct civil c;

    civil_from_days((int32_t)days, &c);
    int64_t m = (int64_t)c.year * 12 + c.month - 1 + (int32_t)(uint32_t)(uint64_t)months;
    int64_t year = floor_div(m, 12), month = m - year * 12 + 1;
    return days_from_civil((int32_t)year, (int32_t)month, MIN(c.day, days_in_month(year, month)));
}

int64_t ms_add_months(int64_t ms, int64_t months)
{
    int64_t days = floor_div(ms, MS_PER_DAY);
    return days_add_months(days, months) * MS_PER_DAY + (ms - days * MS_PER_DAY);
}

static int64_t month_of(int64_t days)
{
    struct civil c;

    civil_from_days((int32_t)days, &c);
    return (int64_t)c.year * 12 + c.month;
}

int64_t months_between_days(int64_t a, int64_t b)
{
    if (a < b) return -months_between_days(b, a);
    int64_t n = month_of(a) - month_of(b);
    return days_add_months(b, n) > a ? n - 1 : n;
}

/* A month counts when its time of the day is reached as well. */
int64_t months_between_ms(int64_t a, int64_t b)
{
    if (a < b) return -months_between_ms(b, a);
    int64_t n = months_between_days(floor_div(a, MS_PER_DAY), floor_div(b, MS_PER_DAY));
    return n > 0 && ms_add_months(b, n) > a ? n - 1 : n;
}
