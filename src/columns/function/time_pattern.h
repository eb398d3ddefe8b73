/* time_pattern.h - patterns of dates and times in Java's letters ("yyyy-MM-dd HH:mm"): read once, then times are written and texts
 * read by them. Java has two kinds, which differ in letters and in what they take: java.time's DateTimeFormatter, which is exact,
 * and SimpleDateFormat, which is not. Names are English. */
#pragma once
#include "columns/function/time_values.h"

enum { PATTERN_SIZE_MAX = 256, PATTERN_ITEMS_MAX = 96 };

struct pattern_item {
    char letter;    /* a field; 0: a literal; '[' and ']': what stands between may be missing */
    uint16_t count; /* letters, or bytes of the literal */
    uint16_t at;    /* of the literal, in text */
    uint16_t fixed; /* digits of the fields right behind that have a fixed width */
    bool runs_on;   /* a number follows at once: this one has as many digits as letters (SimpleDateFormat) */
};

struct time_pattern {
    char source[PATTERN_SIZE_MAX], text[PATTERN_SIZE_MAX]; /* as given; literals without their quotes */
    uint32_t size, count;
    bool simple;         /* SimpleDateFormat's */
    bool known;          /* something was read into it */
    const char *problem; /* a static sentence: the text is no pattern */
    int64_t unit_ms;     /* times in one such stretch of the calendar are written alike; 0: none is so long */
    uint32_t reads;      /* how many patterns were read so far */
    struct pattern_item items[PATTERN_ITEMS_MAX];
};

/* Reads the pattern unless it is the one that was read last; false: there is a problem. */
bool time_pattern_read(struct time_pattern *p, struct str text, bool simple);

/* A time as it is to be shown. */
struct shown_time {
    struct civil civil;
    int64_t days;     /* from 1970-01-01: what the civil date is, for weekdays and weeks */
    int64_t offset_s; /* of the zone; for X and Z of SimpleDateFormat */
    bool is_utc;
};
/* False, with a sentence: a letter asks for what is not known. */
bool time_pattern_print(const struct time_pattern *p, const struct shown_time *t, struct buf *out,
                        const char **problem);

/* DateTimeFormatter: the whole text; missing fields are those of 1970-01-01 00:00:00. False: it is no such text. */
bool time_pattern_parse(const struct time_pattern *p, struct str text, struct ts96 *out);
/* SimpleDateFormat: the front of the text, in the zone unless the text has an offset of its own; months, days and hours may be too
 * many. */
bool time_pattern_parse_simple(const struct time_pattern *p, struct str text, const struct zone *zone, int64_t *utc_ms);
/* Without a pattern, as TO_TIMESTAMP reads: "2001-2-3[ 4:5:6[.789]]". */
bool time_parse_default(struct str text, struct ts96 *out);
bool date_parse_default(struct str text, int32_t *days); /* TO_DATE: "2001-2-3", "2001" */

/* 0 = January, Sunday. At most `letters` of the name when it is not 0. */
extern const char *const month_names[12], *const weekday_names[7];
