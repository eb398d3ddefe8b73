/* time_read_simple.c - texts read as times, as java.text.SimpleDateFormat does: what stands behind the pattern's end does not matter,
 * blanks before a number neither, a month 13 is the January after, 25:61 the next day at two. Days before 15 October 1582 are
 * Julian. Of a local time that occurs twice the later instant is taken.
 *
 * Two digits for the year are one of 1946 to 2045 (Java counts from the day it runs). Weekdays and weeks are read and mean nothing. */
#include "columns/function/time_pattern.h"

#include "ground/base/str.h"

#include <string.h>

struct parts {
    int64_t year, month, day, day_of_year; /* day_of_year: 0 = not given */
    int64_t hour, minute, second, ms;
    int half; /* 0 AM, 1 PM */
    bool halves, before_christ, zoned;
    int64_t offset_ms;
};

static bool is_digit(struct str s, size_t at) { return at < s.size && s.data[at] >= '0' && s.data[at] <= '9'; }

/* Digits at `at`: at most `most`, all of them when it is 0. */
static bool take_digits(struct str s, size_t *at, size_t most, int64_t *out, size_t *count)
{
    size_t n = 0;

    for (*out = 0; is_digit(s, *at + n) && (most == 0 || n < most); n++) {
        if (n >= 15) return false;
        *out = *out * 10 + (s.data[*at + n] - '0');
    }
    *at += n;
    *count = n;
    return n > 0;
}

/* A name, whole or its first three letters; case does not count. */
static int take_name(struct str s, size_t *at, const char *const *names, int count)
{
    for (int whole = 1; whole >= 0; whole--)
        for (int i = 0; i < count; i++) {
            size_t size = whole ? strlen(names[i]) : 3;
            if (s.size - *at < size ||
                !str_equal_nocase((struct str){s.data + *at, size}, (struct str){names[i], size}))
                continue;
            *at += size;
            return i;
        }
    return -1;
}

/* "Z" (X only), "+02", "+0200", "+02:00", "GMT+2", "UTC" */
static bool take_zone(const struct pattern_item *f, struct str s, size_t *at, struct parts *out)
{
    int64_t hours, minutes = 0;
    size_t n;

    out->zoned = true;
    out->offset_ms = 0;
    if (f->letter == 'X' && *at < s.size && s.data[*at] == 'Z') {
        (*at)++;
        return true;
    }
    bool named = f->letter != 'X' && s.size - *at >= 3 &&
                 (memcmp(s.data + *at, "GMT", 3) == 0 || memcmp(s.data + *at, "UTC", 3) == 0);
    if (named) *at += 3;
    if (*at >= s.size || (s.data[*at] != '+' && s.data[*at] != '-')) return named;
    bool minus = s.data[(*at)++] == '-';
    if (!take_digits(s, at, 2, &hours, &n) || hours > 23) return false;
    bool colon = *at < s.size && s.data[*at] == ':' && (named || f->count == 3);
    if (colon) (*at)++;
    if (!(f->letter == 'X' && f->count == 1) && !(named && !colon) &&
        (!take_digits(s, at, 2, &minutes, &n) || n != 2 || minutes > 59))
        return false;
    out->offset_ms = (hours * 60 + minutes) * 60000 * (minus ? -1 : 1);
    return true;
}

static bool take_text(const struct pattern_item *f, struct str s, size_t *at, struct parts *out)
{
    static const char *const halves[] = {"AM ", "PM "}, *const eras[] = {"AD ", "BC "};
    int i;

    if (f->letter == 'M' || f->letter == 'L') {
        i = take_name(s, at, month_names, 12);
        out->month = i + 1;
        return i >= 0;
    }
    if (f->letter == 'E') return take_name(s, at, weekday_names, 7) >= 0;
    const char *const *names = f->letter == 'a' ? halves : eras;
    if (s.size - *at < 2) return false;
    struct str two = {s.data + *at, 2};
    i = str_equal_nocase(two, (struct str){names[0], 2})   ? 0
        : str_equal_nocase(two, (struct str){names[1], 2}) ? 1
                                                           : -1;
    if (i < 0) return false;
    *at += 2;
    if (f->letter == 'a')
        out->half = i;
    else
        out->before_christ = i == 1;
    return true;
}

static void set_number(const struct pattern_item *f, int64_t v, size_t digits, struct parts *out)
{
    switch (f->letter) {
    case 'y': out->year = f->count <= 2 && digits == 2 ? (v >= 46 ? 1900 + v : 2000 + v) : v; break;
    case 'M':
    case 'L': out->month = v; break;
    case 'd': out->day = v; break;
    case 'D': out->day_of_year = v; break;
    case 'H': out->hour = v; break;
    case 'k': out->hour = v == 24 ? 0 : v; break;
    case 'K':
    case 'h':
        out->hour = f->letter == 'h' && v == 12 ? 0 : v;
        out->halves = true;
        break;
    case 'm': out->minute = v; break;
    case 's': out->second = v; break;
    case 'S': out->ms = v; break;
    default: break;
    }
}

static bool take_field(const struct pattern_item *f, struct str s, size_t *at, struct parts *out)
{
    size_t digits;
    int64_t v;

    while (*at < s.size && (s.data[*at] == ' ' || s.data[*at] == '\t')) (*at)++;
    if (*at >= s.size) return false;
    if (f->letter == 'z' || f->letter == 'Z' || f->letter == 'X') return take_zone(f, s, at, out);
    if (strchr("aEG", f->letter) != NULL || ((f->letter == 'M' || f->letter == 'L') && f->count > 2))
        return take_text(f, s, at, out);
    if (f->runs_on && s.size - *at < f->count) return false;
    if (!take_digits(s, at, f->runs_on ? f->count : 0, &v, &digits)) return false;
    set_number(f, v, digits, out);
    return true;
}

static bool compose(const struct parts *t, const struct zone *zone, int64_t *utc_ms)
{
    int64_t year = t->before_christ ? 1 - t->year : t->year, hour = t->hour + (t->halves && t->half == 1 ? 12 : 0),
            days, ms;

    if (year > 5000000 || year < -5000000 || t->month > 9999999 || t->day > 999999999 || t->day_of_year > 999999999)
        return false;
    days = t->day_of_year > 0 ? days_of_clocks(year, 1, 1) + t->day_of_year - 1
                              : days_of_clocks(year, t->month, t->day);
    if (hour > 9999999999 || t->minute > 9999999999 || t->second > 9999999999 || t->ms > 9999999999999) return false;
    ms = days * MS_PER_DAY + hour * MS_PER_HOUR + t->minute * MS_PER_MINUTE + t->second * MS_PER_SECOND + t->ms;
    *utc_ms = t->zoned ? ms - t->offset_ms : zone_to_utc_late_ms(zone, ms);
    if (!t->zoned && *utc_ms < -2208988800000) *utc_ms = ms - zone_calendar_offset_ms(zone, *utc_ms);
    return true;
}

bool time_pattern_parse_simple(const struct time_pattern *p, struct str s, const struct zone *zone, int64_t *utc_ms)
{
    struct parts t = {.year = 1970, .month = 1, .day = 1};
    size_t at = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        const struct pattern_item *f = &p->items[i];
        if (f->letter != 0) {
            if (!take_field(f, s, &at, &t)) return false;
            continue;
        }
        if (s.size - at < f->count || memcmp(s.data + at, p->text + f->at, f->count) != 0) return false;
        at += f->count;
    }
    return at > 0 && compose(&t, zone, utc_ms);
}
