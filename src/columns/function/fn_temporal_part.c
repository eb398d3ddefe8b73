/* fn_temporal_part.c - EXTRACT, and YEAR, MONTH, HOUR ... which are other words for it: one part of a date, time, timestamp or
 * interval as a BIGINT.
 *
 * Flink's rules: weeks are those of ISO 8601, DOW counts from Sunday = 1. An instant (TIMESTAMP_LTZ) is looked at in the session's
 * zone. Before 1970 divisions cut toward zero, as in Flink: the last half second of 1969 is in second 0 of 1970-01-01. */
#include "columns/function/time_values.h"

#include "ground/base/str.h"

struct part_plan {
    enum time_unit unit;
    uint32_t arg; /* which argument is the time */
    bool zoned;
    struct zone zone;
};

/* --- parts of days ----------------------------------------------------------------------------------------------- */
/* Monday = 1 */
static int64_t iso_weekday(int64_t days) { return floor_mod(days + 3, 7) + 1; }

/* The week and the year that it belongs to: a week belongs to the year of its Thursday. */
static int64_t iso_week(int64_t days, int32_t *year)
{
    struct civil c;
    int64_t thursday = days - iso_weekday(days) + 4;

    civil_from_days((int32_t)thursday, &c);
    *year = c.year;
    return (thursday - days_from_civil(c.year, 1, 1)) / 7 + 1;
}

/* Counts of `size` years, 1 being the first. */
static int64_t era(int32_t year, int32_t size)
{
    return year > 0 ? (year + size - 1) / size : (year - size + 1) / size;
}

static int64_t part_of_day(enum time_unit unit, int64_t days)
{
    struct civil c;
    int32_t year;

    civil_from_days((int32_t)days, &c);
    switch (unit) {
    case UNIT_MILLENNIUM: return era(c.year, 1000);
    case UNIT_CENTURY: return era(c.year, 100);
    case UNIT_DECADE: return c.year / 10;
    case UNIT_YEAR: return c.year;
    case UNIT_QUARTER: return (c.month + 2) / 3;
    case UNIT_MONTH: return c.month;
    case UNIT_DOY: return days - days_from_civil(c.year, 1, 1) + 1;
    case UNIT_DOW: return floor_mod(days + 4, 7) + 1;
    case UNIT_ISODOW: return iso_weekday(days);
    case UNIT_WEEK: return iso_week(days, &year);
    case UNIT_ISOYEAR: (void)iso_week(days, &year); return year;
    default: return c.day;
    }
}

static int64_t part_of(enum time_unit unit, struct ts96 t)
{
    switch (unit) {
    case UNIT_EPOCH: return t.ms / MS_PER_SECOND;
    case UNIT_HOUR: return t.ms % MS_PER_DAY / MS_PER_HOUR;
    case UNIT_MINUTE: return t.ms % MS_PER_HOUR / MS_PER_MINUTE;
    case UNIT_SECOND: return t.ms % MS_PER_MINUTE / MS_PER_SECOND;
    case UNIT_MILLISECOND: return t.ms % MS_PER_SECOND;
    case UNIT_MICROSECOND: return t.ms % MS_PER_SECOND * 1000 + t.ns / 1000;
    case UNIT_NANOSECOND: return t.ms % MS_PER_SECOND * 1000000 + t.ns;
    default: return part_of_day(unit, t.ms / MS_PER_DAY);
    }
}

/* --- kernels ----------------------------------------------------------------------------------------------------- */
static void part_of_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct part_plan *p = r->call->plan;
    const struct vector *times = args[p->arg];

    FN_EACH_VALID(r, args, r->call->count, i)
    {
        struct ts96 t = fn_stamp(times, i);
        if (p->zoned) t.ms = (int64_t)((uint64_t)t.ms + (uint64_t)zone_calendar_offset_ms(&p->zone, t.ms));
        VECTOR_VALUES(out, int64_t)[i] = part_of(p->unit, t);
    }
}

/* DATE counts days, TIME milliseconds. */
static void part_of_date(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct part_plan *p = r->call->plan;
    const struct vector *v = args[p->arg];
    int64_t unit = v->type->kind == T_DATE ? MS_PER_DAY : 1;

    FN_EACH_VALID(r, args, r->call->count, i)
    VECTOR_VALUES(out, int64_t)[i] = part_of(p->unit, (struct ts96){.ms = fn_int(v, i) * unit});
}

static void part_of_months(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct part_plan *p = r->call->plan;

    FN_EACH_VALID(r, args, r->call->count, i)
    {
        int32_t months = fn_int(args[p->arg], i);
        VECTOR_VALUES(out, int64_t)
        [i] = p->unit == UNIT_YEAR ? months / 12 : p->unit == UNIT_QUARTER ? months % 12 / 3 + 1 : months % 12;
    }
}

static void part_of_duration(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct part_plan *p = r->call->plan;
    const struct vector *v = args[p->arg];

    FN_EACH_VALID(r, args, r->call->count, i)
    {
        int64_t ms = VECTOR_VALUES(v, int64_t)[vector_at(v, i)];
        VECTOR_VALUES(out, int64_t)
        [i] = p->unit == UNIT_DAY ? ms / MS_PER_DAY : part_of(p->unit, (struct ts96){.ms = ms});
    }
}

/* --- binding ----------------------------------------------------------------------------------------------------- */
/* The kernel for a unit of such a value; NULL: it has no such part. */
static fn_kernel kernel_of(const struct type *t, enum time_unit unit)
{
    bool of_day = unit >= UNIT_HOUR && unit <= UNIT_NANOSECOND;

    switch ((enum type_kind)t->kind) {
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: return part_of_stamp;
    case T_NULL:
    case T_DATE: return part_of_date;
    case T_TIME: return of_day ? part_of_date : NULL;
    case T_INTERVAL_MONTH:
        return unit == UNIT_YEAR || unit == UNIT_QUARTER || unit == UNIT_MONTH ? part_of_months : NULL;
    case T_INTERVAL_SECOND: return of_day || unit == UNIT_DAY ? part_of_duration : NULL;
    default: return NULL;
    }
}

static enum status bind_part(struct fn_call *c, struct arena *a, const struct fn_session *session, enum time_unit unit,
                             uint32_t arg, struct err *e)
{
    struct part_plan *p = ARENA_NEW(a, struct part_plan);

    *p = (struct part_plan){.unit = unit, .arg = arg};
    if (c->args[arg]->kind == T_NULL) c->args[arg] = &type_date;
    c->run = kernel_of(c->args[arg], unit);
    if (c->run == NULL) {
        err_hint(e, "dates and timestamps have all parts, TIME those of a day, intervals years and months, or days and less");
        return fn_refuse(c, NULL, e);
    }
    p->zoned = c->args[arg]->kind == T_TIMESTAMP_LTZ;
    if (p->zoned) TRY(fn_zone_find(session, &p->zone, e));
    c->plan = p;
    c->result = type_with_null(a, &type_bigint, c->args[arg]->nullable);
    return S_OK;
}

static enum status bind_extract(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    enum time_unit unit = time_unit_at(c, 0);

    if (c->count != 2 || unit == UNIT_NONE)
        return err_set(e, E_GRAPH, "a part is taken by EXTRACT(unit FROM time), such as EXTRACT(DAY FROM t)");
    return bind_part(c, a, session, unit, 1, e);
}

static enum status bind_named(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct str name = str_of(c->def->name);
    enum time_unit unit = str_equal(name, STR("DAYOFYEAR"))    ? UNIT_DOY
                          : str_equal(name, STR("DAYOFMONTH")) ? UNIT_DAY
                          : str_equal(name, STR("DAYOFWEEK"))  ? UNIT_DOW
                                                               : time_unit_of(name);

    if (c->count != 1) return fn_wrong_count(c->def->name, "1", e);
    return bind_part(c, a, session, unit, 0, e);
}

#define PART .flags = FN_SESSION_ZONE, .bind = bind_named
static const struct fn_def functions[] = {
    {.name = "EXTRACT",
     .usage = "EXTRACT(unit FROM time)",
     .doc = "a part of a date, time, timestamp or interval: EXTRACT(unit FROM time)",
     .examples = FN_EXAMPLES({"EXTRACT(DAY FROM DATE '2001-02-03')", "3"},
                             {"EXTRACT(MILLISECOND FROM TIME '10:20:30.5')", "500"},
                             {"EXTRACT(HOUR FROM INTERVAL '3 10:20:30' DAY TO SECOND)", "10"}),
     .flags = FN_SESSION_ZONE,
     .bind = bind_extract},
    {.name = "YEAR", .usage = "YEAR(time)", .doc = "the year", .examples = FN_EXAMPLES({"YEAR(DATE '2001-02-03')", "2001"}), PART},
    {.name = "QUARTER",
     .usage = "QUARTER(time)",
     .doc = "the quarter of the year, 1 to 4",
     .examples = FN_EXAMPLES({"QUARTER(DATE '2001-04-01')", "2"}),
     PART},
    {.name = "MONTH", .usage = "MONTH(time)", .doc = "the month, 1 to 12", .examples = FN_EXAMPLES({"MONTH(DATE '2001-02-03')", "2"}), PART},
    {.name = "WEEK",
     .usage = "WEEK(time)",
     .doc = "the week of ISO 8601, 1 to 53",
     .examples = FN_EXAMPLES({"WEEK(DATE '2005-01-01')", "53"}),
     PART},
    {.name = "DAYOFYEAR",
     .usage = "DAYOFYEAR(time)",
     .doc = "the day of the year, 1 to 366",
     .examples = FN_EXAMPLES({"DAYOFYEAR(DATE '2001-02-03')", "34"}),
     PART},
    {.name = "DAYOFMONTH",
     .usage = "DAYOFMONTH(time)",
     .doc = "the day of the month",
     .examples = FN_EXAMPLES({"DAYOFMONTH(DATE '2001-02-03')", "3"}),
     PART},
    {.name = "DAYOFWEEK",
     .usage = "DAYOFWEEK(time)",
     .doc = "the day of the week, 1 is Sunday",
     .examples = FN_EXAMPLES({"DAYOFWEEK(DATE '2001-02-04')", "1"}),
     PART},
    {.name = "HOUR", .usage = "HOUR(time)", .doc = "the hour of the day", .examples = FN_EXAMPLES({"HOUR(TIME '10:20:30')", "10"}), PART},
    {.name = "MINUTE",
     .usage = "MINUTE(time)",
     .doc = "the minute of the hour",
     .examples = FN_EXAMPLES({"MINUTE(TIME '10:20:30')", "20"}),
     PART},
    {.name = "SECOND",
     .usage = "SECOND(time)",
     .doc = "the second of the minute",
     .examples = FN_EXAMPLES({"SECOND(TIME '10:20:30')", "30"}),
     PART},
    {0},
};
#undef PART

const struct fn_type fn_temporal_part = {.name = "temporal_part",
                                         .doc = "parts of times",
                                         .example = "EXTRACT(DAY FROM DATE '2001-02-03')",
                                         .functions = functions};
