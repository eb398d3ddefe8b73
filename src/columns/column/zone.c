/* zone.c - time zones. A zone is a sorted list of instants at which its offset changes, and behind the last of them a rule in the
 * form of POSIX TZ ("CET-1CEST,M3.5.0,M10.5.0/3") that holds for ever. Looking up an offset is one binary search; a zone with a
 * fixed offset has neither list nor rule.
 *
 * The tables are generated from the system's tzdata when the program is built. Names and rules are checked as they are read.
 * Not here: names of zones for people ("Central European Time"). */
#include "columns/column/zone.h"

#include "columns/column/timestamp.h"
#include "ground/base/str.h"

#include <string.h>

enum { DAY = 86400 };

struct zone_line {
    const char *name;
    uint32_t first, count; /* in zone_times and zone_offsets */
    int32_t before;
    const char *rule;
};
#include "zone_data.def"

/* --- rules ------------------------------------------------------------------------------------------------------- */
/* Digits at the front of s; at least one. */
static bool take_number(struct str *s, int32_t *out)
{
    size_t n = 0;

    for (*out = 0; n < s->size && n < 6 && s->data[n] >= '0' && s->data[n] <= '9'; n++)
        *out = *out * 10 + (s->data[n] - '0');
    *s = (struct str){s->data + n, s->size - n};
    return n > 0;
}

static bool take_byte(struct str *s, char c)
{
    if (s->size == 0 || s->data[0] != c) return false;
    *s = (struct str){s->data + 1, s->size - 1};
    return true;
}

/* "[+-]hh[:mm[:ss]]" as seconds. */
static bool take_clock(struct str *s, int32_t *out)
{
    int32_t part, unit = 3600;
    bool minus = take_byte(s, '-');

    if (!minus) (void)take_byte(s, '+');
    *out = 0;
    do {
        if (!take_number(s, &part) || part > 999) return false;
        *out += part * unit;
        unit /= 60;
    } while (unit > 0 && take_byte(s, ':'));
    if (minus) *out = -*out;
    return true;
}

/* A zone's abbreviation: letters, or anything in <>. */
static bool skip_name(struct str *s)
{
    struct str name;
    size_t n = 0;

    if (take_byte(s, '<')) return str_cut(s, '>', &name);
    while (n < s->size && (s->data[n] | 32) >= 'a' && (s->data[n] | 32) <= 'z') n++;
    *s = (struct str){s->data + n, s->size - n};
    return n > 0;
}

/* ",M3.5.0/2", ",J60", ",59" */
static bool take_day(struct str *s, struct zone_day *out)
{
    *out = (struct zone_day){.form = '0', .seconds = 2 * 3600};
    if (!take_byte(s, ',')) return false;
    if (take_byte(s, 'M')) {
        out->form = 'M';
        if (!take_number(s, &out->month) || !take_byte(s, '.') || !take_number(s, &out->week) || !take_byte(s, '.'))
            return false;
        if (out->month < 1 || out->month > 12 || out->week < 1 || out->week > 5) return false;
    } else if (take_byte(s, 'J')) {
        out->form = 'J';
    }
    return take_number(s, &out->day) && (!take_byte(s, '/') || take_clock(s, &out->seconds));
}

/* Fills what a rule says into a zone that has its list already. */
static bool take_rule(struct str s, struct zone *z)
{
    int32_t west;

    if (!skip_name(&s) || !take_clock(&s, &west)) return false;
    z->standard = -west;
    z->summer = z->standard + 3600;
    z->has_rule = s.size > 0;
    if (!z->has_rule) return true;
    if (!skip_name(&s)) return false;
    if (s.size > 0 && s.data[0] != ',') {
        if (!take_clock(&s, &west)) return false;
        z->summer = -west;
    }
    return take_day(&s, &z->begin) && take_day(&s, &z->end) && s.size == 0;
}

/* Day of a rule in a year, counted from 1970-01-01. */
static int64_t rule_day(const struct zone_day *d, int32_t year)
{
    if (d->form == '0') return days_from_civil(year, 1, 1) + (int64_t)d->day;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (d->form == 'J') return days_from_civil(year, 1, 1) + (int64_t)d->day - 1 + (leap && d->day >= 60);
    int64_t first = days_from_civil(year, d->month, 1);
    int64_t next = d->month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, d->month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    int64_t day = first + ((int64_t)d->day - weekday + 7) % 7 + ((int64_t)d->week - 1) * 7;
    return day < next ? day : day - 7;
}

static int32_t rule_offset(const struct zone *z, int64_t utc)
{
    struct civil c;

    civil_from_ms(MIN(MAX(utc + z->standard, INT64_MIN / 1000), INT64_MAX / 1000) * 1000, &c);
    int64_t begin = rule_day(&z->begin, c.year) * DAY + z->begin.seconds - z->standard;
    int64_t end = rule_day(&z->end, c.year) * DAY + z->end.seconds - z->summer;
    bool summer = begin < end ? utc >= begin && utc < end : utc >= begin || utc < end;
    return summer ? z->summer : z->standard;
}

/* --- finding ----------------------------------------------------------------------------------------------------- */
static const struct zone_line *find_line(struct str name)
{
    size_t low = 0, high = COUNT_OF(zone_lines);

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(str_of(zone_lines[middle].name), name);
        if (order == 0) return &zone_lines[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* "+h", "+hh", "+h:mm", "+hh:mm", "+hhmm", "+hh:mm:ss", up to 18 hours. */
static bool fixed_offset(struct str s, int32_t *out)
{
    struct str rest = s;
    int32_t digits;

    if (s.size < 2 || (s.data[0] != '+' && s.data[0] != '-')) return false;
    if (s.size == 5 && s.data[2] != ':') {
        rest = (struct str){s.data + 1, 4};
        if (!take_number(&rest, &digits) || rest.size > 0 || digits % 100 > 59) return false;
        *out = (digits / 100 * 60 + digits % 100) * 60 * (s.data[0] == '-' ? -1 : 1);
    } else if (s.size == 4 || (s.size >= 6 && s.data[3] != ':') || !take_clock(&rest, out) || rest.size > 0) {
        return false;
    }
    return *out >= -18 * 3600 && *out <= 18 * 3600;
}

bool zone_find(struct str name, struct zone *out)
{
    static const char *const heads[] = {"UTC", "GMT", "UT"};
    struct str rest = name;

    *out = (struct zone){0};
    if (str_equal(name, STR("Z"))) return true;
    for (size_t i = 0; i < COUNT_OF(heads) && rest.size == name.size; i++)
        if (str_starts(name, str_of(heads[i])))
            rest = (struct str){name.data + strlen(heads[i]), name.size - strlen(heads[i])};
    if (rest.size == 0) return name.size > 0;
    if (fixed_offset(rest, &out->before)) return true;
    const struct zone_line *l = find_line(name);
    if (l == NULL) return false;
    *out = (struct zone){
        .times = zone_times + l->first, .offsets = zone_offsets + l->first, .count = l->count, .before = l->before};
    return l->rule[0] == '\0' || take_rule(str_of(l->rule), out);
}

bool zone_of_rule(struct str rule, struct zone *out)
{
    *out = (struct zone){0};
    if (!take_rule(rule, out)) return false;
    out->before = out->standard;
    return true;
}

bool zone_find_short(struct str name, struct zone *out)
{
    static const char *const names[][2] = {{"ACT", "Australia/Darwin"},
                                           {"AET", "Australia/Sydney"},
                                           {"AGT", "America/Argentina/Buenos_Aires"},
                                           {"ART", "Africa/Cairo"},
                                           {"AST", "America/Anchorage"},
                                           {"BET", "America/Sao_Paulo"},
                                           {"BST", "Asia/Dhaka"},
                                           {"CAT", "Africa/Harare"},
                                           {"CNT", "America/St_Johns"},
                                           {"CST", "America/Chicago"},
                                           {"CTT", "Asia/Shanghai"},
                                           {"EAT", "Africa/Addis_Ababa"},
                                           {"ECT", "Europe/Paris"},
                                           {"IET", "America/Indiana/Indianapolis"},
                                           {"IST", "Asia/Kolkata"},
                                           {"JST", "Asia/Tokyo"},
                                           {"MIT", "Pacific/Apia"},
                                           {"NET", "Asia/Yerevan"},
                                           {"NST", "Pacific/Auckland"},
                                           {"PLT", "Asia/Karachi"},
                                           {"PNT", "America/Phoenix"},
                                           {"PRT", "America/Puerto_Rico"},
                                           {"PST", "America/Los_Angeles"},
                                           {"SST", "Pacific/Guadalcanal"},
                                           {"VST", "Asia/Ho_Chi_Minh"}};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(name, str_of(names[i][0]))) return zone_find(str_of(names[i][1]), out);
    return false;
}

/* --- offsets ----------------------------------------------------------------------------------------------------- */
static int32_t offset_at(const struct zone *z, int64_t utc)
{
    uint32_t low = 0, high = z->count; /* transitions at or before utc */

    if (z->has_rule && (high == 0 || utc >= z->times[high - 1])) return rule_offset(z, utc);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (z->times[middle] <= utc)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? z->before : z->offsets[low - 1];
}

static int64_t floor_seconds(int64_t ms) { return ms / 1000 - (ms % 1000 < 0); }

int64_t zone_offset_ms(const struct zone *z, int64_t utc_ms)
{
    if (z->count == 0 && !z->has_rule) return (int64_t)z->before * 1000;
    return (int64_t)offset_at(z, floor_seconds(utc_ms)) * 1000;
}

/* Offsets are less than a day, and clocks change no two times within two days: the offsets a day before and a day after are the
 * only ones that can hold. */
static int64_t to_utc(const struct zone *z, int64_t local_ms, bool late)
{
    if (z->count == 0 && !z->has_rule) return local_ms - (int64_t)z->before * 1000;
    int64_t before, after;
    if (__builtin_add_overflow(local_ms, INT64_C(2000) * DAY, &before) ||
        __builtin_sub_overflow(local_ms, INT64_C(2000) * DAY, &after))
        return local_ms; /* within two days of the ends of time */
    before = zone_offset_ms(z, local_ms - DAY * 1000);
    after = zone_offset_ms(z, local_ms + DAY * 1000);
    int64_t first = late ? after : before, second = late ? before : after;
    if (before == after || zone_offset_ms(z, local_ms - first) == first) return local_ms - first;
    if (zone_offset_ms(z, local_ms - second) == second) return local_ms - second;
    return local_ms - before;
}

int64_t zone_to_utc_ms(const struct zone *z, int64_t local_ms) { return to_utc(z, local_ms, false); }
int64_t zone_to_utc_late_ms(const struct zone *z, int64_t local_ms) { return to_utc(z, local_ms, true); }
