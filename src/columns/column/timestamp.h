/* timestamp.h - calendar arithmetic on the proleptic Gregorian calendar, years 0001-9999; parse and print in ISO and
 * SQL forms. No zone database here: everything is local or UTC as the type says. */
#pragma once
#include "columns/column/type.h"

struct civil {
    int32_t year, month, day;
    int32_t hour, minute, second, nano;
};

int32_t days_from_civil(int32_t year, int32_t month, int32_t day);
void civil_from_days(int32_t days, struct civil *out); /* date part only */
void civil_from_ms(int64_t ms, struct civil *out);
int64_t civil_to_ms(const struct civil *c);
/* "2001-01-31[ T]10:20[:30[.123456789]][Z]": fraction to 9 digits; range checked. */
bool timestamp_parse(struct str text, struct ts96 *out) CHECKED;
bool date_parse(struct str text, int32_t *days) CHECKED;
bool time_parse(struct str text, int32_t *ms) CHECKED;
/* SQL form "2001-01-31 10:20:30.123" with exactly `precision` fraction digits. */
void timestamp_print(struct ts96 t, int precision, struct buf *out);
void date_print(int32_t days, struct buf *out);
void civil_date_print(const struct civil *c, struct buf *out); /* "+292278994-08-17" where years are beyond four digits */
void time_print(int32_t ms, int precision, struct buf *out);
/* A TIMESTAMP value of the given precision <-> struct ts96; digits beyond the precision are cut off (floor). */
struct ts96 timestamp_load(const void *value, int precision);
void timestamp_store(struct ts96 t, int precision, void *value);
int64_t timestamp_value_ms(const void *value, int precision); /* the event time in ms, floor */
