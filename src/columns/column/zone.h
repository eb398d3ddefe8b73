/* zone.h - time zones: from instants to local times and back, as java.time does. The data is the build's tzdata, carried in the
 * program (tools/zones): the same answers everywhere, and no files to read. */
#pragma once
#include "ground/base/base.h"

/* A day of the year on which a rule changes the offset, and when on it. */
struct zone_day {
    char form; /* 'M': weekday `day` of week `week` of month; 'J': day 1..365 without 29 February; '0': day 0..365 */
    int32_t month, week, day;
    int32_t seconds; /* local time of the day; may be negative, or beyond 24 hours */
};

/* Immutable; copied by value. Seconds throughout. */
struct zone {
    const int64_t *times;   /* ascending: offsets[i] holds from times[i] on */
    const int32_t *offsets; /* east of UTC */
    uint32_t count;
    int32_t before; /* offset before times[0]; a fixed zone has nothing else */
    bool has_rule;  /* behind the last of times: summer between begin and end of each year */
    int32_t standard, summer;
    struct zone_day begin, end;
};

/* An IANA name ("Europe/Berlin"; letters count), "Z", "UTC", "GMT", "UT" and those with an offset, "+01:00", "-8". */
bool zone_find(struct str name, struct zone *out) CHECKED;
/* A zone that is nothing but a rule of POSIX TZ, such as "CET-1CEST,M3.5.0,M10.5.0/3". */
bool zone_of_rule(struct str rule, struct zone *out) CHECKED;
/* One of the three letters that Java's TimeZone keeps for old programs ("PST"). */
bool zone_find_short(struct str name, struct zone *out) CHECKED;
int64_t zone_offset_ms(const struct zone *z, int64_t utc_ms); /* east of UTC, at an instant */
/* The instant of a local time. One that the clocks skip is moved on by what they skip; of two the earlier is taken. */
int64_t zone_to_utc_ms(const struct zone *z, int64_t local_ms);
/* The same as java.util.Calendar has it: of two the later is taken. */
int64_t zone_to_utc_late_ms(const struct zone *z, int64_t local_ms);
static inline int64_t zone_to_local_ms(const struct zone *z, int64_t utc_ms)
{
    return (int64_t)((uint64_t)utc_ms + (uint64_t)zone_offset_ms(z, utc_ms));
}
