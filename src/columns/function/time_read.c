/* time_read.c - texts read as times, as java.time's DateTimeFormatter does with a pattern: the whole text, each field within its range.
 * A day beyond the end of its month is that end (SMART); 24:00:00 is the midnight behind the day. What the pattern leaves out is
 * that of 1970-01-01 00:00:00. time_read_simple.c has the other kind. */
#include "columns/function/time_pattern.h"

#include "ground/base/str.h"

#include <string.h>

enum field {
    F_YEAR,
    F_MONTH,
    F_DAY,
    F_DAY_OF_YEAR,
    F_WEEKDAY,
    F_HOUR,
    F_HALF_HOUR,
    F_HALF,
    F_MINUTE,
    F_SECOND,
    F_NANO,
    F_COUNT
};

/* What was read so far. */
struct fields {
    int64_t value[F_COUNT];
    uint32_t have; /* bits of enum field */
};

static bool has(const struct fields *f, enum field which) { return (f->have >> which & 1) != 0; }

/* Two values for one field must agree. */
static bool set(struct fields *f, enum field which, int64_t value, int64_t low, int64_t high)
{
    if (value < low || value > high || (has(f, which) && f->value[which] != value)) return false;
    f->value[which] = value;
    f->have |= UINT32_C(1) << which;
    return true;
}

/* --- pieces of text ---------------------------------------------------------------------------------------------- */
static size_t digits_at(struct str s, size_t at)
{
    size_t n = at;
    while (n < s.size && s.data[n] >= '0' && s.data[n] <= '9') n++;
    return n - at;
}

static bool take_digits(struct str s, size_t *at, size_t count, int64_t *out)
{
    if (count == 0 || count > 18) return false;
    *out = 0;
    for (size_t i = 0; i < count; i++) *out = *out * 10 + (s.data[*at + i] - '0');
    *at += count;
    return true;
}

/* The number of a field: two letters are two digits; others leave to the fields right behind what these need. */
static bool take_number(const struct pattern_item *f, struct str s, size_t *at, int64_t *out)
{
    bool year = f->letter == 'y' || f->letter == 'u', fixed = f->count == 2 || (f->letter == 'D' && f->count == 3);
    bool minus = false, plus = false;

    if (!fixed && *at < s.size && (s.data[*at] == '-' || s.data[*at] == '+')) {
        minus = s.data[*at] == '-';
        plus = !minus;
        (*at)++;
    }
    size_t have = digits_at(s, *at), least = f->count, most = fixed ? f->count : 18;
    if (year && f->count >= 4 && !plus && f->fixed == 0 && have > f->count) return false; /* more digits want a sign */
    size_t n = MIN(have, most);
    if (!fixed && f->fixed > 0) n = have >= f->fixed + least ? MIN(have - f->fixed, most) : MIN(n, least);
    if (n < least || !take_digits(s, at, n, out)) return false;
    if (minus) *out = -*out;
    return true;
}

/* One of the names, whole or its first three letters; case counts. */
static int take_name(struct str s, size_t *at, const char *const *names, int count, uint32_t letters)
{
    for (int i = 0; i < count; i++) {
        size_t size = letters < 4 ? 3 : strlen(names[i]);
        if (s.size - *at < size || memcmp(s.data + *at, names[i], size) != 0) continue;
        *at += size;
        return i;
    }
    return -1;
}

static bool take_fraction(const struct pattern_item *f, struct str s, size_t *at, int64_t *nano)
{
    if (digits_at(s, *at) < f->count || !take_digits(s, at, f->count, nano)) return false;
    for (uint32_t i = f->count; i < 9; i++) *nano *= 10;
    return true;
}

/* "Z", "+02", "+0200", "+02:00": taken, and not looked at: the result has no zone. */
static bool take_offset(const struct pattern_item *f, struct str s, size_t *at)
{
    bool colon = f->letter != 'Z' && (f->count == 3 || f->count == 5), minutes = f->letter == 'Z' || f->count > 1;

    if (f->letter == 'X' && *at < s.size && s.data[*at] == 'Z') {
        (*at)++;
        return true;
    }
    if (*at >= s.size || (s.data[*at] != '+' && s.data[*at] != '-') || digits_at(s, *at + 1) < 2) return false;
    *at += 3;
    if (colon && (*at >= s.size || s.data[*at] != ':' || digits_at(s, *at + 1) < 2)) return false;
    if (!minutes && digits_at(s, *at) < 2) return true;
    if (!colon && digits_at(s, *at) < 2) return false;
    *at += colon ? 3 : 2;
    return true;
}

/* --- fields ------------------------------------------------------------------------------------------------------ */
static bool take_text(const struct pattern_item *f, struct str s, size_t *at, struct fields *out)
{
    static const char *const halves[] = {"AM", "PM"};
    bool month = f->letter == 'M' || f->letter == 'L';
    int i = f->letter == 'a' ? take_name(s, at, halves, 2, 4)
            : f->count == 5  ? -1
            : month          ? take_name(s, at, month_names, 12, f->count)
                             : take_name(s, at, weekday_names, 7, f->count);

    if (i < 0) return false;
    return f->letter == 'a' ? set(out, F_HALF, i, 0, 1)
           : month          ? set(out, F_MONTH, i + 1, 1, 12)
                            : set(out, F_WEEKDAY, i, 0, 6);
}

static bool set_hour(struct fields *out, char letter, int64_t v)
{
    switch (letter) {
    case 'H': return set(out, F_HOUR, v, 0, 24);
    case 'k': return v >= 1 && v <= 24 && set(out, F_HOUR, v % 24, 0, 23);
    case 'K': return set(out, F_HALF_HOUR, v, 0, 11);
    default: return v >= 1 && v <= 12 && set(out, F_HALF_HOUR, v % 12, 0, 11);
    }
}

static bool take_field(const struct pattern_item *f, struct str s, size_t *at, struct fields *out)
{
    int64_t v;

    if (f->letter == 'a' || f->letter == 'E' || ((f->letter == 'M' || f->letter == 'L') && f->count > 2))
        return take_text(f, s, at, out);
    if (f->letter == 'X' || f->letter == 'x' || f->letter == 'Z') return take_offset(f, s, at);
    if (f->letter == 'S') return take_fraction(f, s, at, &v) && set(out, F_NANO, v, 0, 999999999);
    if (!take_number(f, s, at, &v)) return false;
    switch (f->letter) {
    case 'y':
    case 'u': return set(out, F_YEAR, f->count == 2 ? 2000 + v : v, f->letter == 'y' ? 1 : 0, 999999999);
    case 'M':
    case 'L': return set(out, F_MONTH, v, 1, 12);
    case 'd': return set(out, F_DAY, v, 1, 31);
    case 'D': return set(out, F_DAY_OF_YEAR, v, 1, 366);
    case 'H':
    case 'k':
    case 'K':
    case 'h': return set_hour(out, f->letter, v);
    case 'm': return set(out, F_MINUTE, v, 0, 59);
    case 's': return set(out, F_SECOND, v, 0, 59);
    case 'n': return set(out, F_NANO, v, 0, 999999999);
    default: return false; /* weeks, quarters and eras are not read */
    }
}

static uint32_t section_end(const struct time_pattern *p, uint32_t from)
{
    uint32_t depth = 1;

    while (depth > 0) {
        depth += p->items[from].letter == '[' ? 1 : p->items[from].letter == ']' ? UINT32_MAX : 0;
        from++;
    }
    return from;
}

/* Items from..to; a section in brackets that does not fit leaves no trace. Depth: brackets in a pattern of at most 256 bytes. */
static bool take_items(const struct time_pattern *p, uint32_t from, uint32_t to, struct str s, size_t *at,
                       struct fields *out) // NOLINT
{
    for (uint32_t i = from; i < to; i++) {
        const struct pattern_item *f = &p->items[i];
        if (f->letter == '[') {
            uint32_t end = section_end(p, i + 1);
            size_t place = *at;
            struct fields before = *out;
            if (!take_items(p, i + 1, end - 1, s, at, out)) {
                *at = place;
                *out = before;
            }
            i = end - 1;
        } else if (f->letter == 0) {
            if (s.size - *at < f->count || memcmp(s.data + *at, p->text + f->at, f->count) != 0) return false;
            *at += f->count;
        } else if (!take_field(f, s, at, out)) {
            return false;
        }
    }
    return true;
}

/* --- fields to a time -------------------------------------------------------------------------------------------- */
static int64_t month_size(int64_t year, int64_t month)
{
    return days_from_civil((int32_t)(year + month / 12), (int32_t)(month % 12 + 1), 1) -
           days_from_civil((int32_t)year, (int32_t)month, 1);
}

static bool date_of(const struct fields *f, int64_t *days)
{
    int64_t year = has(f, F_YEAR) ? f->value[F_YEAR] : 1970, month = has(f, F_MONTH) ? f->value[F_MONTH] : 1,
            day = has(f, F_DAY) ? f->value[F_DAY] : 1;
    bool whole = has(f, F_YEAR) && has(f, F_MONTH) && has(f, F_DAY);

    if (year > 5000000) return false;
    if (has(f, F_YEAR) && has(f, F_DAY_OF_YEAR) && !has(f, F_MONTH)) {
        *days = days_from_civil((int32_t)year, 1, 1) + f->value[F_DAY_OF_YEAR] - 1;
        return *days < days_from_civil((int32_t)year + 1, 1, 1);
    }
    if (day > month_size(year, month)) {
        if (!whole) return false;
        day = month_size(year, month);
    }
    *days = days_from_civil((int32_t)year, (int32_t)month, (int32_t)day);
    return !has(f, F_WEEKDAY) || !whole || floor_mod(*days + 4, 7) == f->value[F_WEEKDAY];
}

static bool resolve(const struct fields *f, struct ts96 *out)
{
    int64_t days, hour = has(f, F_HOUR) ? f->value[F_HOUR] : 0, minute = has(f, F_MINUTE) ? f->value[F_MINUTE] : 0,
                  second = has(f, F_SECOND) ? f->value[F_SECOND] : 0, nano = has(f, F_NANO) ? f->value[F_NANO] : 0;

    if (!has(f, F_HOUR) && has(f, F_HALF_HOUR) && has(f, F_HALF)) hour = f->value[F_HALF] * 12 + f->value[F_HALF_HOUR];
    if (hour == 24 && (minute != 0 || second != 0 || nano != 0)) return false;
    if (!date_of(f, &days)) return false;
    if (hour == 24 && !(has(f, F_YEAR) && (has(f, F_DAY) || has(f, F_DAY_OF_YEAR))))
        hour = 0; /* no day that it could be the end of */
    *out = (struct ts96){.ms = days * MS_PER_DAY + hour * MS_PER_HOUR + minute * MS_PER_MINUTE +
                               second * MS_PER_SECOND + nano / 1000000,
                         .ns = (int32_t)(nano % 1000000)};
    return true;
}

/* java.sql.Timestamp's and Date's own form, which is tried last: "2001-2-30 4:5:6[.7]", days beyond the month go on. */
static bool parse_sql(struct str s, struct ts96 *out)
{
    struct str part[6];
    static const char behind[] = "-- ::";
    int64_t v[6] = {0}, nano = 0;
    bool has_time = memchr(s.data, ' ', s.size) != NULL;
    int count = has_time ? 6 : 3;

    for (int i = 0; i < count; i++) {
        size_t at = 0, n = digits_at(s, 0);
        if (n == 0 || n > 9 || !take_digits(s, &at, n, &v[i])) return false;
        part[i] = (struct str){s.data, n};
        s = (struct str){s.data + n, s.size - n};
        if (i + 1 == count) break;
        if (s.size == 0 || s.data[0] != behind[i]) return false;
        s = (struct str){s.data + 1, s.size - 1};
    }
    if (part[0].size != 4 || part[1].size > 2 || part[2].size > 2 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31)
        return false;
    if (has_time && s.size > 1 && s.data[0] == '.' && s.size <= 10) {
        struct pattern_item f = {.count = (uint16_t)(s.size - 1)};
        size_t at = 1;
        if (!take_fraction(&f, s, &at, &nano)) return false;
        s.size = 0;
    }
    *out = (struct ts96){.ms = (days_from_civil((int32_t)v[0], (int32_t)v[1], 1) + v[2] - 1) * (int64_t)MS_PER_DAY +
                               v[3] * MS_PER_HOUR + v[4] * MS_PER_MINUTE + v[5] * MS_PER_SECOND + nano / 1000000,
                         .ns = (int32_t)(nano % 1000000)};
    return s.size == 0;
}

bool time_pattern_parse(const struct time_pattern *p, struct str text, struct ts96 *out)
{
    struct fields f = {0};
    size_t at = 0;

    if (take_items(p, 0, p->count, text, &at, &f) && at == text.size && resolve(&f, out)) return true;
    text = str_trim(text);
    return text.size > 0 && parse_sql(text, out);
}

/* --- without a pattern ------------------------------------------------------------------------------------------- */
/* One digit or two. */
static bool take_short(struct str s, size_t *at, struct fields *f, enum field which, int64_t low, int64_t high)
{
    size_t n = digits_at(s, *at);
    int64_t v;

    return n <= 2 && take_digits(s, at, n, &v) && set(f, which, v, low, high);
}

static bool take_byte(struct str s, size_t *at, char c)
{
    if (*at >= s.size || s.data[*at] != c) return false;
    (*at)++;
    return true;
}

bool time_parse_default(struct str s, struct ts96 *out)
{
    static const struct pattern_item year = {.letter = 'y', .count = 4};
    struct fields f = {0};
    struct pattern_item fraction = {0};
    size_t at = 0;
    int64_t nano;

    if (!take_field(&year, s, &at, &f) || !take_byte(s, &at, '-') || !take_short(s, &at, &f, F_MONTH, 1, 12))
        return false;
    if (!take_byte(s, &at, '-') || !take_short(s, &at, &f, F_DAY, 1, 31)) return false;
    if (at == s.size) return resolve(&f, out);
    if (!take_byte(s, &at, ' ') || !take_short(s, &at, &f, F_HOUR, 0, 24) || !take_byte(s, &at, ':')) return false;
    if (!take_short(s, &at, &f, F_MINUTE, 0, 59) || !take_byte(s, &at, ':') || !take_short(s, &at, &f, F_SECOND, 0, 59))
        return false;
    if (take_byte(s, &at, '.')) {
        fraction.count = (uint16_t)MIN(digits_at(s, at), (size_t)9);
        if (fraction.count > 0 && (!take_fraction(&fraction, s, &at, &nano) || !set(&f, F_NANO, nano, 0, 999999999)))
            return false;
    }
    return at == s.size && resolve(&f, out);
}

/* "2001-2-3", "2001-2", "2001", blanks around the numbers; what stands behind a blank, a time, does not matter. */
bool date_parse_default(struct str s, int32_t *days)
{
    int64_t v[3] = {0, 1, 1};
    struct str part;
    int count = 0;

    const char *blank = s.size > 1 ? memchr(s.data + 1, ' ', s.size - 1) : NULL;
    if (blank != NULL && s.data[0] != ' ')
        s.size = (size_t)(blank - s.data);
    else if (blank != NULL)
        s = str_trim(s);
    do {
        if (count == 3 || !str_cut(&s, '-', &part)) return false;
        part = str_trim(part);
        size_t at = 0, n = digits_at(part, 0);
        if (n == 0 || n != part.size || n > 9 || !take_digits(part, &at, n, &v[count++])) return false;
    } while (s.size > 0);
    if (v[0] > 9999 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > month_size(v[0], v[1])) return false;
    *days = days_from_civil((int32_t)v[0], (int32_t)v[1], (int32_t)v[2]);
    return true;
}
