/* fn_temporal_shift.c - TIMESTAMPADD, TIMESTAMPDIFF, and (a - b) DAY. Adding is time + interval (time_arithmetic.c); a DATE to which hours are
 * added becomes a TIMESTAMP. Differences are whole units toward zero, counted as an INT that wraps, as in Flink; below seconds they
 * are seconds times what a second has of them. */
#include "columns/function/time_arithmetic.h"
#include "columns/function/time_values.h"

struct shift_plan {
    bool months;   /* else milliseconds */
    int64_t size;  /* of the unit, in one of these */
    int64_t times; /* what the count of whole units is multiplied with */
};

static bool plan_of(enum time_unit unit, struct shift_plan *p)
{
    *p = (struct shift_plan){.size = time_unit_ms(unit), .times = 1};
    switch (unit) {
    case UNIT_YEAR: *p = (struct shift_plan){true, 12, 1}; return true;
    case UNIT_QUARTER: *p = (struct shift_plan){true, 3, 1}; return true;
    case UNIT_MONTH: *p = (struct shift_plan){true, 1, 1}; return true;
    case UNIT_WEEK: p->size = INT64_C(7) * MS_PER_DAY; return true;
    case UNIT_DAY:
    case UNIT_HOUR:
    case UNIT_MINUTE:
    case UNIT_SECOND: return true;
    case UNIT_MILLISECOND: *p = (struct shift_plan){false, MS_PER_SECOND, 1000}; return true;
    case UNIT_MICROSECOND: *p = (struct shift_plan){false, MS_PER_SECOND, 1000000}; return true;
    case UNIT_NANOSECOND: *p = (struct shift_plan){false, MS_PER_SECOND, 1000000000}; return true;
    default: return false;
    }
}

static bool is_time(const struct type *t) { return type_is_stamp(t) || t->kind == T_DATE || t->kind == T_TIME; }

/* --- adding ------------------------------------------------------------------------------------------------------ */
static int64_t shift_of(const struct fn_run *r, const struct vector *counts, uint32_t row)
{
    const struct shift_plan *p = r->call->plan;
    return (int64_t)((uint64_t)VECTOR_VALUES(counts, int64_t)[vector_at(counts, row)] * (uint64_t)p->size);
}

static void add_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct shift_plan *p = r->call->plan;

    FN_EACH_VALID(r, args, 3, i)
    {
        struct ts96 t = fn_stamp(args[2], i);
        int64_t by = shift_of(r, args[1], i);
        t.ms = p->months ? ms_add_months(t.ms, by) : (int64_t)((uint64_t)t.ms + (uint64_t)by);
        fn_put_stamp(out, i, t);
    }
}

static void add_to_date(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct shift_plan *p = r->call->plan;

    FN_EACH_VALID(r, args, 3, i)
    {
        int64_t by = shift_of(r, args[1], i), days = fn_int(args[2], i);
        VECTOR_VALUES(out, int32_t)[i] = (int32_t)(p->months ? days_add_months(days, by) : days + by / MS_PER_DAY);
    }
}

static void add_to_time(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 3, i)
    VECTOR_VALUES(out, int32_t)
    [i] = (int32_t)floor_mod(fn_int(args[2], i) + shift_of(r, args[1], i) % MS_PER_DAY, MS_PER_DAY);
}

static enum status refuse(const struct fn_call *c, const char *form, struct err *e)
{
    err_hint(e, "it is written %s", form);
    return fn_refuse(c, NULL, e);
}

static enum status bind_add(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    static const char form[] =
        "TIMESTAMPADD(unit, count, time); units are YEAR to MILLISECOND, the count is a whole number";
    struct shift_plan *p = ARENA_NEW(a, struct shift_plan);
    enum time_unit unit = time_unit_at(c, 0);

    (void)session;
    if (c->count != 3 || !plan_of(unit, p) || unit > UNIT_MILLISECOND || !is_time(c->args[2]))
        return refuse(c, form, e);
    if (unit == UNIT_MILLISECOND) *p = (struct shift_plan){.size = 1};
    bool whole = c->args[1]->kind == T_NULL || (c->args[1]->kind >= T_TINYINT && c->args[1]->kind <= T_BIGINT);
    const struct type *t = c->args[2];
    if (!whole || (t->kind == T_TIME && p->months)) return refuse(c, form, e);
    bool nullable = c->args[1]->nullable || t->nullable;
    c->args[1] = type_with_null(a, &type_bigint, c->args[1]->nullable);
    if (t->kind == T_DATE && !p->months && p->size < MS_PER_DAY)
        t = c->args[2] = type_new(a, T_TIMESTAMP, 6, 0, t->nullable);
    c->plan = p;
    c->result = type_with_null(a, type_with_time(a, t, TIME_NONE), nullable);
    if (type_is_stamp(t) && p->size == 1 && !p->months && t->precision < 3)
        c->result = type_new(a, (enum type_kind)t->kind, 3, 0, nullable);
    c->run = type_is_stamp(t) ? add_to_stamp : t->kind == T_DATE ? add_to_date : add_to_time;
    return S_OK;
}

/* --- differences ------------------------------------------------------------------------------------------------- */
static int64_t ms_of(const struct vector *v, uint32_t row)
{
    if (v->type->kind == T_DATE) return (int64_t)fn_int(v, row) * MS_PER_DAY;
    return v->type->kind == T_TIME ? fn_int(v, row) : fn_stamp(v, row).ms;
}

static void difference(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct shift_plan *p = r->call->plan;

    FN_EACH_VALID(r, args, 3, i)
    {
        int64_t from = ms_of(args[1], i), to = ms_of(args[2], i);
        int64_t n = p->months ? months_between_ms(to, from) : (int64_t)((uint64_t)to - (uint64_t)from);
        VECTOR_VALUES(out, int32_t)[i] = (int32_t)(uint32_t)((uint64_t)(n / p->size) * (uint64_t)p->times);
    }
}

static enum status bind_difference(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    static const char form[] = "TIMESTAMPDIFF(unit, from, to) with two dates or timestamps, or two TIMEs";
    struct shift_plan *p = ARENA_NEW(a, struct shift_plan);

    (void)session;
    if (c->count != 3 || !plan_of(time_unit_at(c, 0), p) || !is_time(c->args[1]) || !is_time(c->args[2]))
        return refuse(c, form, e);
    bool first = c->args[1]->kind == T_TIMESTAMP_LTZ, second = c->args[2]->kind == T_TIMESTAMP_LTZ;
    if ((c->args[1]->kind == T_TIME) != (c->args[2]->kind == T_TIME) || first != second) return refuse(c, form, e);
    c->plan = p;
    c->result = type_with_null(a, &type_int, c->args[1]->nullable || c->args[2]->nullable);
    c->run = difference;
    return S_OK;
}

/* --- (a - b) unit ------------------------------------------------------------------------------------------------ */
static void difference_ms(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    VECTOR_VALUES(out, int64_t)[i] = (int64_t)((uint64_t)ms_of(args[0], i) - (uint64_t)ms_of(args[1], i));
}

static void difference_months(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    VECTOR_VALUES(out, int32_t)[i] = (int32_t)months_between_ms(ms_of(args[0], i), ms_of(args[1], i));
}

static enum status bind_interval(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    static const char form[] = "(a - b) DAY with two dates or timestamps, or two TIMEs";
    enum time_unit unit = time_unit_at(c, 2);
    struct shift_plan p;

    (void)session;
    if (c->count != 3 || !plan_of(unit, &p) || !is_time(c->args[0]) || !is_time(c->args[1])) return refuse(c, form, e);
    bool first = c->args[0]->kind == T_TIMESTAMP_LTZ, second = c->args[1]->kind == T_TIMESTAMP_LTZ;
    if ((c->args[0]->kind == T_TIME) != (c->args[1]->kind == T_TIME) || first != second) return refuse(c, form, e);
    c->result = type_new(a, p.months ? T_INTERVAL_MONTH : T_INTERVAL_SECOND, 0, 0,
                         c->args[0]->nullable || c->args[1]->nullable);
    c->run = p.months ? difference_months : difference_ms;
    return S_OK;
}

static const struct fn_def functions[] = {
    {.name = "TIME_DIFFERENCE",
     .flags = FN_SYNTAX,
     .doc = "what lies between two times as an interval, written (a - b) unit: whole months for YEAR and MONTH, else "
            "to the millisecond",
     .examples = FN_EXAMPLES({"(DATE '2001-03-31' - DATE '2001-02-28') DAY", "+31 00:00:00.000"},
                             {"(DATE '2001-03-31' - DATE '2001-02-28') MONTH", "+0-01"}),
     .bind = bind_interval},
    {.name = "TIMESTAMPADD",
     .usage = "TIMESTAMPADD(unit, number, time)",
     .doc = "a time moved by so many units: TIMESTAMPADD(unit, count, time)",
     .examples = FN_EXAMPLES({"TIMESTAMPADD(MONTH, 1, TIMESTAMP '2003-01-31 03:04:05')", "2003-02-28 03:04:05"},
                             {"TIMESTAMPADD(DAY, -1, DATE '2003-01-01')", "2002-12-31"}),
     .bind = bind_add},
    {.name = "TIMESTAMPDIFF",
     .usage = "TIMESTAMPDIFF(unit, time, time)",
     .doc = "whole units from one time to another: TIMESTAMPDIFF(unit, from, to)",
     .examples = FN_EXAMPLES({"TIMESTAMPDIFF(DAY, DATE '2003-01-02', TIMESTAMP '2003-01-05 09:00:00')", "3"},
                             {"TIMESTAMPDIFF(MONTH, DATE '2003-01-31', DATE '2003-02-28')", "1"}),
     .bind = bind_difference},
    {0},
};

const struct fn_type fn_temporal_shift = {.name = "temporal_shift",
                                          .doc = "times moved, and what lies between them",
                                          .example = "TIMESTAMPDIFF(DAY, DATE '2003-01-02', DATE '2003-01-05')",
                                          .functions = functions};
