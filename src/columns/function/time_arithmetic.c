/* time_arithmetic.c - dates, times and timestamps with intervals. Months are calendar months: the day is cut to the last of the
 * month. TIME wraps at midnight; a DATE takes whole days of an interval. */
#include "columns/function/time_arithmetic.h"

#include "columns/function/time_values.h"

static const bool minus_flag = true;


static int64_t interval_of(const struct vector *v, uint32_t row)
{
    uint32_t at = vector_at(v, row);
    return v->phys == P_I32 ? VECTOR_VALUES(v, int32_t)[at] : VECTOR_VALUES(v, int64_t)[at];
}

/* Signed interval: which argument is the time is told by its type. */
struct operands {
    const struct vector *time, *interval;
    int64_t sign;
};

static struct operands operands_of(const struct fn_run *r, const struct vector *const *args)
{
    bool second = type_is_interval(args[1]->type);
    return (struct operands){second ? args[0] : args[1], second ? args[1] : args[0], r->call->plan != NULL ? -1 : 1};
}

/* The interval with its sign; the least one wraps, as in Java. */
static int64_t operands_by(const struct operands *o, uint32_t row)
{
    return (int64_t)((uint64_t)o->sign * (uint64_t)interval_of(o->interval, row));
}

static void stamp_shift(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct operands o = operands_of(r, args);
    int32_t precision = o.time->type->precision;
    size_t width = phys_width((enum phys)o.time->phys);
    bool months = o.interval->type->kind == T_INTERVAL_MONTH;

    FN_EACH_VALID(r, args, 2, i)
    {
        struct ts96 t = timestamp_load((const char *)o.time->data + width * vector_at(o.time, i), precision);
        int64_t by = operands_by(&o, i);
        t.ms = months ? ms_add_months(t.ms, by) : (int64_t)((uint64_t)t.ms + (uint64_t)by);
        timestamp_store(t, precision, (char *)out->data + width * i);
    }
}

/* The common case without a look at validity: milliseconds and milliseconds. */
static void stamp_shift_ms(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct operands o = operands_of(r, args);
    const int64_t *times = o.time->data, *intervals = o.interval->data;

    for (uint32_t i = 0; i < r->count; i++)
        VECTOR_VALUES(out, int64_t)[i] = (int64_t)((uint64_t)times[vector_at(o.time, i)] +
                                                   (uint64_t)o.sign * (uint64_t)intervals[vector_at(o.interval, i)]);
}

static void date_shift(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct operands o = operands_of(r, args);
    bool months = o.interval->type->kind == T_INTERVAL_MONTH;

    FN_EACH_VALID(r, args, 2, i)
    {
        int32_t days = VECTOR_VALUES(o.time, int32_t)[vector_at(o.time, i)];
        int64_t by = operands_by(&o, i);
        VECTOR_VALUES(out, int32_t)[i] = months ? days_add_months(days, by) : (int32_t)(days + floor_div(by, MS_PER_DAY));
    }
}

static void time_shift(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct operands o = operands_of(r, args);

    FN_EACH_VALID(r, args, 2, i)
    {
        int64_t ms = VECTOR_VALUES(o.time, int32_t)[vector_at(o.time, i)] + operands_by(&o, i) % MS_PER_DAY;
        VECTOR_VALUES(out, int32_t)[i] = (int32_t)((ms + MS_PER_DAY) % MS_PER_DAY);
    }
}

FN_BINARY(months_add, int32_t, int32_t, (uint32_t)a + (uint32_t)b)
FN_BINARY(months_subtract, int32_t, int32_t, (uint32_t)a - (uint32_t)b)
FN_BINARY(ms_add, int64_t, int64_t, (uint64_t)a + (uint64_t)b)
FN_BINARY(ms_subtract, int64_t, int64_t, (uint64_t)a - (uint64_t)b)

static fn_kernel shift_kernel(const struct type *time, const struct type *interval)
{
    if (type_is_stamp(time)) return time->precision <= 3 && interval->kind == T_INTERVAL_SECOND ? stamp_shift_ms : stamp_shift;
    if (time->kind == T_DATE) return date_shift;
    return time->kind == T_TIME && interval->kind == T_INTERVAL_SECOND ? time_shift : NULL;
}

bool time_sum_bind(struct fn_call *c, struct arena *a, bool minus)
{
    if (c->count != 2) return false;
    const struct type *x = c->args[0], *y = c->args[1];
    bool nullable = x->nullable || y->nullable;

    if (type_is_interval(x) && type_is_interval(y) && x->kind == y->kind) {
        c->result = type_with_null(a, x, nullable);
        c->run = x->phys == P_I32 ? (minus ? months_subtract : months_add) : (minus ? ms_subtract : ms_add);
        return true;
    }
    bool second = type_is_interval(y), first = type_is_interval(x) && !minus;
    if (second == first) return false;
    const struct type *time = second ? x : y, *interval = second ? y : x;
    c->run = shift_kernel(time, interval);
    c->plan = minus ? &minus_flag : NULL;
    c->result = type_with_null(a, type_with_time(a, time, TIME_NONE), nullable);
    return c->run != NULL;
}

/* --- interval * number ------------------------------------------------------------------------------------------- */
static void interval_product(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    bool second = type_is_interval(args[1]->type);
    const struct vector *interval = second ? args[1] : args[0], *factor = second ? args[0] : args[1];

    for (uint32_t i = 0; i < r->count; i++) {
        uint64_t value = (uint64_t)interval_of(interval, i) * (uint64_t)VECTOR_VALUES(factor, int64_t)[vector_at(factor, i)];
        if (out->phys == P_I32) VECTOR_VALUES(out, int32_t)[i] = (int32_t)value;
        else VECTOR_VALUES(out, int64_t)[i] = (int64_t)value;
    }
}

bool interval_product_bind(struct fn_call *c, struct arena *a)
{
    if (c->count != 2 || type_is_interval(c->args[0]) == type_is_interval(c->args[1])) return false;
    uint32_t factor = type_is_interval(c->args[0]) ? 1 : 0;
    if (c->args[factor]->kind < T_TINYINT || c->args[factor]->kind > T_BIGINT) return false;
    c->args[factor] = type_with_null(a, &type_bigint, c->args[factor]->nullable);
    c->result = type_with_null(a, c->args[1 - factor], c->args[0]->nullable || c->args[1]->nullable);
    c->run = interval_product;
    return true;
}
