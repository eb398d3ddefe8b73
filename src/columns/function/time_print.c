/* time_print.c - times written by a pattern. The two kinds of Java share most letters; where they differ, the functions here say so. */
#include "columns/function/time_pattern.h"

#include "ground/base/str.h"

#include <string.h>

/* A number with at least `width` digits. */
static void put_number(struct buf *out, int64_t value, uint32_t width)
{
    char text[24];

    if (value < 0) buf_append_byte(out, '-');
    size_t size = str_from_int64(value < 0 ? -value : value, text);
    for (size_t i = size; i < width; i++) buf_append_byte(out, '0');
    buf_append(out, text, size);
}

static void put_name(struct buf *out, const char *name, uint32_t letters)
{
    size_t size = strlen(name);
    buf_append(out, name, letters > 0 && letters < size ? letters : size);
}

/* 1-3: three letters, 4: all, 5: the first. */
static void put_text(struct buf *out, const char *name, uint32_t count, bool simple)
{
    put_name(out, name, count < 4 ? 3 : count == 5 && !simple ? 1 : 0);
}

static void put_year(struct buf *out, int64_t year, uint32_t count, bool simple)
{
    if (count == 2) {
        put_number(out, floor_mod(year, 100), 2);
        return;
    }
    if (!simple && count >= 4 && year > 9999 && count < 5) buf_append_byte(out, '+');
    put_number(out, year, count);
}

static int64_t weekday_of(const struct shown_time *t) { return floor_mod(t->days + 4, 7); } /* Sunday = 0 */

static int64_t day_of_year(const struct shown_time *t) { return t->days - days_from_civil(t->civil.year, 1, 1) + 1; }

/* Weeks of the USA: they begin on Sunday, and the first is the one of 1 January. */
static int64_t week_of(const struct shown_time *t, int64_t *year)
{
    int64_t weekday = weekday_of(t), saturday = t->days - weekday + 6;
    struct civil end;

    civil_from_days((int32_t)saturday, &end);
    *year = end.year;
    int64_t first = days_from_civil(end.year, 1, 1);
    return (t->days - first + floor_mod(first + 4, 7)) / 7 + 1;
}

static int64_t week_of_month(const struct shown_time *t)
{
    int64_t first = t->days - t->civil.day + 1;
    return (t->civil.day - 1 + floor_mod(first + 4, 7)) / 7 + 1;
}

static int64_t hour_as(char letter, int32_t hour)
{
    switch (letter) {
    case 'k': return hour == 0 ? 24 : hour;
    case 'K': return hour % 12;
    case 'h': return hour % 12 == 0 ? 12 : hour % 12;
    default: return hour;
    }
}

static void put_quarter(struct buf *out, int32_t month, uint32_t count)
{
    static const char *const names[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
    int64_t quarter = (month + 2) / 3;

    if (count == 4) {
        put_name(out, names[quarter - 1], 0);
        return;
    }
    if (count == 3) buf_append_byte(out, 'Q');
    put_number(out, quarter, count == 2 ? 2 : 1);
}

static void put_era(struct buf *out, int64_t year, uint32_t count, bool simple)
{
    bool christ = year > 0;

    if (!simple && count == 4)
        put_name(out, christ ? "Anno Domini" : "Before Christ", 0);
    else
        put_name(out, christ ? "AD" : "BC", !simple && count == 5 ? 1 : 0);
}

/* "+0130", "+01:30"; X writes Z for none, and one letter leaves out the minutes. */
static void put_offset(struct buf *out, const struct shown_time *t, char letter, uint32_t count)
{
    int64_t s = t->offset_s < 0 ? -t->offset_s : t->offset_s;

    if (letter == 'X' && s == 0) {
        buf_append_byte(out, 'Z');
        return;
    }
    buf_append_byte(out, t->offset_s < 0 ? '-' : '+');
    put_number(out, s / 3600, 2);
    if (letter == 'X' && count == 1) return;
    if (letter == 'X' && count == 3) buf_append_byte(out, ':');
    put_number(out, s / 60 % 60, 2);
}

static const char *put_zone(const struct pattern_item *f, const struct shown_time *t, struct buf *out, bool simple)
{
    if (!simple) return "the pattern asks for a zone, and the time has none";
    if (f->letter != 'z') {
        put_offset(out, t, f->letter, f->count);
        return NULL;
    }
    if (!t->is_utc) return "names of zones other than UTC are not known: take X or Z for the offset";
    buf_append_text(out, f->count < 4 ? "UTC" : "Coordinated Universal Time");
    return NULL;
}

static void put_fraction(struct buf *out, int32_t nano, uint32_t count, bool simple)
{
    if (simple) {
        put_number(out, nano / 1000000, count);
        return;
    }
    for (uint32_t i = count; i < 9; i++) nano /= 10;
    put_number(out, nano, count);
}

/* Fields of the day. */
static void put_day(const struct pattern_item *f, const struct shown_time *t, struct buf *out, bool simple)
{
    const struct civil *c = &t->civil;
    int64_t year;

    switch (f->letter) {
    case 'Y':
        (void)week_of(t, &year);
        put_year(out, year, f->count, simple);
        break;
    case 'w': put_number(out, week_of(t, &year), f->count); break;
    case 'W': put_number(out, week_of_month(t), f->count); break;
    case 'M':
    case 'L':
        if (f->count > 2)
            put_text(out, month_names[c->month - 1], f->count, simple);
        else
            put_number(out, c->month, f->count);
        break;
    case 'Q':
    case 'q': put_quarter(out, c->month, f->count); break;
    case 'd': put_number(out, c->day, f->count); break;
    case 'D': put_number(out, day_of_year(t), f->count); break;
    case 'F': put_number(out, simple ? (c->day - 1) / 7 + 1 : (c->day - 1) % 7 + 1, f->count); break;
    case 'e':
    case 'c':
        if (f->count > 2)
            put_text(out, weekday_names[weekday_of(t)], f->count, simple);
        else
            put_number(out, weekday_of(t) + 1, f->count);
        break;
    case 'E': put_text(out, weekday_names[weekday_of(t)], f->count, simple); break;
    default: put_number(out, t->days + 40587, f->count); break; /* g: the modified Julian day */
    }
}

static const char *put_field(const struct pattern_item *f, const struct shown_time *t, struct buf *out, bool simple)
{
    const struct civil *c = &t->civil;
    int64_t ms = ((c->hour * INT64_C(60) + c->minute) * 60 + c->second) * 1000 + c->nano / 1000000;

    switch (f->letter) {
    case 'G': put_era(out, c->year, f->count, simple); break;
    case 'y': put_year(out, c->year > 0 ? c->year : 1 - c->year, f->count, simple); break;
    case 'u':
        if (simple)
            put_number(out, (weekday_of(t) + 6) % 7 + 1, f->count);
        else
            put_year(out, c->year, f->count, simple);
        break;
    case 'a': put_name(out, c->hour < 12 ? "AM" : "PM", 0); break;
    case 'H':
    case 'k':
    case 'K':
    case 'h': put_number(out, hour_as(f->letter, c->hour), f->count); break;
    case 'm': put_number(out, c->minute, f->count); break;
    case 's': put_number(out, c->second, f->count); break;
    case 'S': put_fraction(out, c->nano, f->count, simple); break;
    case 'A': put_number(out, ms, f->count); break;
    case 'n': put_number(out, c->nano, f->count); break;
    case 'N': put_number(out, ms * 1000000 + c->nano % 1000000, f->count); break;
    case 'X':
    case 'x':
    case 'Z':
    case 'z':
    case 'V':
    case 'O': return put_zone(f, t, out, simple);
    case '[':
    case ']': break;
    default: put_day(f, t, out, simple); break;
    }
    return NULL;
}

bool time_pattern_print(const struct time_pattern *p, const struct shown_time *t, struct buf *out, const char **problem)
{
    *problem = NULL;
    for (uint32_t i = 0; i < p->count && *problem == NULL; i++) {
        const struct pattern_item *f = &p->items[i];
        if (f->letter == 0)
            buf_append(out, p->text + f->at, f->count);
        else
            *problem = put_field(f, t, out, p->simple);
    }
    return *problem == NULL;
}
