/* round_time.c - FLOOR and CEIL of dates, times and timestamps to a unit.
 *
 * Flink's rules: weeks begin on Sunday. Units of days and more look at the day alone, so that CEIL to the month leaves a time on the
 * first day at that day's midnight; a day before 1970 is that toward zero, and days before 15 October 1582 are counted in the
 * Julian calendar. An instant is rounded in the session's zone by the offset that holds at it. */
#include "columns/function/round_time.h"

struct round_plan {
    enum time_unit unit;
    bool up, zoned;
    struct zone zone;
};

/* --- days -------------------------------------------------------------------------------------------------------- */
static int64_t first_of(int64_t year, int64_t month)
{
    return days_from_civil((int32_t)(year + (month - 1) / 12), (int32_t)((month - 1) % 12 + 1), 1);
}

/* Blocks of years whose first year is `first` of each block. */
static int64_t block_of(int64_t year, int64_t size, int64_t first, bool up)
{
    int64_t block = first == 0 ? year / size : (year + size - 1) / size - 1;
    return first_of((block + up) * size + first, 1);
}

static int64_t round_day(enum time_unit unit, int64_t days, bool up)
{
    struct civil c;

    civil_from_days_of_clocks(days, &c);
    int64_t weekday = floor_mod(days + 4, 7), quarter = (c.month + 2) / 3; /* Sunday = 0 */
    switch (unit) {
    case UNIT_MILLENNIUM: return block_of(c.year, 1000, 1, up);
    case UNIT_CENTURY: return block_of(c.year, 100, 1, up);
    case UNIT_DECADE: return block_of(c.year, 10, 0, up);
    case UNIT_YEAR: return first_of(c.year + (up && (c.month > 1 || c.day > 1)), 1);
    case UNIT_QUARTER: return first_of(c.year, (quarter + (up && (c.month > 1 || c.day > 1))) * 3 - 2);
    case UNIT_MONTH: return first_of(c.year, c.month + (up && c.day > 1));
    case UNIT_WEEK: return days_from_civil(c.year, c.month, c.day) - (up && weekday > 0 ? weekday - 7 : weekday);
    default: return days_from_civil(c.year, c.month, c.day) + up;
    }
}

/* Wraps at the ends of time, as in Java. */
static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static int64_t round_ms(int64_t ms, int64_t unit, bool up)
{
    int64_t rest = floor_mod(ms, unit);
    return plus(ms, (up && rest > 0 ? unit : 0) - rest);
}

/* --- kernels ----------------------------------------------------------------------------------------------------- */
static void round_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct round_plan *p = r->call->plan;
    int64_t unit = time_unit_ms(p->unit);

    FN_EACH_VALID(r, args, 1, i)
    {
        struct ts96 t = fn_stamp(args[0], i);
        int64_t offset = p->zoned ? zone_calendar_offset_ms(&p->zone, t.ms) : 0;
        if (p->zoned && unit < MS_PER_HOUR && unit > 0) offset = 0; /* as in Flink: minutes are those of UTC */
        if (unit == 1)
            t.ms += p->up && t.ns > 0;
        else if (unit > 0)
            t.ms = plus(round_ms(plus(t.ms, offset), unit, p->up), -offset);
        else
            t.ms = round_day(p->unit, plus(t.ms, offset) / MS_PER_DAY, p->up) * MS_PER_DAY - offset;
        t.ns = 0;
        fn_put_stamp(out, i, t);
    }
}

static void round_date(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct round_plan *p = r->call->plan;

    FN_EACH_VALID(r, args, 1, i)
    VECTOR_VALUES(out, int32_t)
    [i] = (int32_t)(p->unit > UNIT_DAY ? fn_int(args[0], i) : round_day(p->unit, fn_int(args[0], i), p->up));
}

/* 24:00:00 is what 23:30:00 is rounded up to. */
static void round_clock(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct round_plan *p = r->call->plan;
    int64_t unit = p->unit > UNIT_DAY ? time_unit_ms(p->unit) : 1;

    FN_EACH_VALID(r, args, 1, i) VECTOR_VALUES(out, int32_t)[i] = (int32_t)round_ms(fn_int(args[0], i), unit, p->up);
}

enum status round_time_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, bool up, bool *done,
                            struct err *e)
{
    enum time_unit unit = time_unit_at(c, 1);
    const struct type *t = c->count > 0 ? c->args[0] : &type_null;

    *done = type_is_stamp(t) || t->kind == T_DATE || t->kind == T_TIME;
    if (!*done) return S_OK;
    bool known = unit == UNIT_MILLENNIUM || unit == UNIT_CENTURY || unit == UNIT_DECADE || unit == UNIT_YEAR ||
                 unit == UNIT_QUARTER || unit == UNIT_MONTH || unit == UNIT_WEEK ||
                 (unit >= UNIT_DAY && unit <= UNIT_MILLISECOND);
    if (c->count != 2 || !known) {
        err_set(e, E_GRAPH, "'%s' of a time is written %s(time TO unit)", c->def->name, c->def->name);
        err_hint(e, "units are YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND, DECADE, CENTURY, "
                    "MILLENNIUM");
        return E_GRAPH;
    }
    struct round_plan *p = ARENA_NEW(a, struct round_plan);
    *p = (struct round_plan){.unit = unit, .up = up, .zoned = t->kind == T_TIMESTAMP_LTZ};
    if (p->zoned) TRY(fn_zone_find(session, &p->zone, e));
    c->plan = p;
    c->result = type_with_time(a, t, TIME_NONE);
    c->run = type_is_stamp(t) ? round_stamp : t->kind == T_DATE ? round_date : round_clock;
    return S_OK;
}
