/* log.c - formats one line: time, level, component, message; the sink writes it. */
#include "ground/base/log.h"

#include "ground/base/str.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const level_names[] = {"DEBUG", "INFO", "WARN", "ERROR", "OFF"};

void log_write(struct log *log, enum log_level level, const char *component, const char *format, ...)
{
    char line[2048];
    va_list args;

    if (log == NULL || log->write == NULL || level < log->level) return;
    int64_t now = log->now_ms != NULL ? log->now_ms(log->arg) : 0;
    int used = snprintf(line, sizeof line, "%lld.%03lld %-5s %-20s - ", (long long)(now / 1000), (long long)(now % 1000),
                        level_names[level], component);
    va_start(args, format);
    int more = vsnprintf(line + used, sizeof line - (size_t)used, format, args);
    va_end(args);
    size_t size = (size_t)used + (size_t)MAX(more, 0);
    log->write(log->arg, level, line, MIN(size, sizeof line - 1));
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
