/* log.c - formats one line, "2026-01-31 23:59:59.123 WARN  component - message"; the sink writes it. What is too long is cut,
 * and control characters become blanks: a message that carries a user's text cannot forge a line of its own. */
#include "ground/base/log.h"

#include "ground/base/str.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_SIZE_MAX = 2048, PREFIX_MAX = 128, DAY_MS = 86400000 };

static const char *const level_names[] = {"DEBUG", "INFO", "WARN", "ERROR", "OFF"};

struct date {
    int64_t year;
    int month, day;
};

/* Days since 1970 to a date of the Gregorian calendar. Years are counted from March, so that the day that leap years add
 * is a year's last and the months' lengths repeat: 153 days in every five. */
static struct date date_of(int64_t days)
{
    int64_t shifted = days + 719468; /* since 0000-03-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int in_era = (int)(shifted - era * 146097);
    int year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int in_year = in_era - (365 * year + year / 4 - year / 100);
    int month = (5 * in_year + 2) / 153;

    return (struct date){.year = era * 400 + year + (month >= 10),
                         .month = month < 10 ? month + 3 : month - 9,
                         .day = in_year - (153 * month + 2) / 5 + 1};
}

static size_t print_prefix(char out[static PREFIX_MAX], int64_t now_ms, enum log_level level, const char *component)
{
    int64_t days = now_ms / DAY_MS - (now_ms % DAY_MS < 0);
    int ms = (int)(now_ms - days * DAY_MS);
    struct date d = date_of(days);
    int size = snprintf(out, PREFIX_MAX, "%04lld-%02d-%02d %02d:%02d:%02d.%03d %-5s %.64s - ", (long long)d.year, d.month, d.day,
                        ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000, level_names[level], component);

    ASSERT(size > 0);
    return MIN((size_t)size, (size_t)PREFIX_MAX - 1);
}

void log_write(struct log *log, enum log_level level, const char *component, const char *format, ...)
{
    char line[LINE_SIZE_MAX];
    va_list args;

    if (log == NULL || log->write == NULL || level < log->level) return;
    ASSERT(level < LOG_OFF);
    size_t used = print_prefix(line, log->now_ms != NULL ? log->now_ms(log->arg) : 0, level, component);
    va_start(args, format);
    int more = vsnprintf(line + used, sizeof line - used, format, args);
    va_end(args);
    size_t size = MIN(used + (size_t)MAX(more, 0), sizeof line - 1);
    for (size_t i = used; i < size; i++)
        if ((unsigned char)line[i] < ' ') line[i] = ' ';
    log->write(log->arg, level, line, size);
}

bool log_level_parse(struct str text, enum log_level *out)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (!str_equal_nocase(text, str_of(level_names[i]))) continue;
        *out = (enum log_level)i;
        return true;
    }
    return false;
}
