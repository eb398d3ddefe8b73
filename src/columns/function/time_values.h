/* time_values.h - what the families of times share: values in and out of columns, days and their parts, the session's zone. */
#pragma once
#include "columns/column/timestamp.h"
#include "columns/column/zone.h"
#include "columns/function/fn_text.h"
#include "ground/base/err.h"

enum { MS_PER_DAY = 86400000, MS_PER_HOUR = 3600000, MS_PER_MINUTE = 60000, MS_PER_SECOND = 1000 };

static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
static inline int64_t floor_mod(int64_t a, int64_t b) { return a % b + (a % b < 0 ? b : 0); }

static inline struct ts96 fn_stamp(const struct vector *v, uint32_t row)
{
    return timestamp_load((const char *)v->data + phys_width((enum phys)v->phys) * vector_at(v, row),
                          v->type->precision);
}
static inline void fn_put_stamp(struct vector *out, uint32_t row, struct ts96 t)
{
    timestamp_store(t, out->type->precision, (char *)out->data + phys_width((enum phys)out->phys) * row);
}
static inline bool type_is_stamp(const struct type *t) { return t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ; }
static inline bool type_is_interval(const struct type *t)
{
    return t->kind == T_INTERVAL_MONTH || t->kind == T_INTERVAL_SECOND;
}

/* Units as they stand in EXTRACT, FLOOR, TIMESTAMPADD. */
enum time_unit {
    UNIT_NONE,
    UNIT_MILLENNIUM,
    UNIT_CENTURY,
    UNIT_DECADE,
    UNIT_YEAR,
    UNIT_ISOYEAR,
    UNIT_QUARTER,
    UNIT_MONTH,
    UNIT_WEEK,
    UNIT_DOY,
    UNIT_DOW,
    UNIT_ISODOW,
    UNIT_DAY,
    UNIT_HOUR,
    UNIT_MINUTE,
    UNIT_SECOND,
    UNIT_MILLISECOND,
    UNIT_MICROSECOND,
    UNIT_NANOSECOND,
    UNIT_EPOCH,
};
enum time_unit time_unit_of(struct str name); /* "DAY", "SQL_TSI_DAY"; UNIT_NONE when it is no unit */
/* The unit that a call's argument names, a constant text. */
enum time_unit time_unit_at(const struct fn_call *c, uint32_t arg);
int64_t time_unit_ms(enum time_unit u); /* of DAY, HOUR, MINUTE, SECOND, MILLISECOND; else 0 */

/* Year, month and day as the clocks of the time had them: Julian before 15 October 1582; and back, as java.util.Calendar does: any
 * month and day, those that the clocks left out count as Julian. */
void civil_from_days_of_clocks(int64_t days, struct civil *c);
int64_t days_of_clocks(int64_t year, int64_t month, int64_t day);

/* The offset as java.util.TimeZone has it, which knows nothing of the time before 1900. */
int64_t zone_calendar_offset_ms(const struct zone *z, int64_t utc_ms);

/* The session's zone; without a session UTC. E_GRAPH: there is no such zone. */
enum status fn_zone_find(const struct fn_session *session, struct zone *out, struct err *e) CHECKED;
/* The day moved by calendar months, cut to the last of the month. */
int64_t days_add_months(int64_t days, int64_t months);
int64_t ms_add_months(int64_t ms, int64_t months);
/* Whole months from b to a, toward zero. */
int64_t months_between_days(int64_t a, int64_t b);
int64_t months_between_ms(int64_t a, int64_t b);
