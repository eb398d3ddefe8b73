/* log.h - leveled logging of one node. Messages are for operators of the system; errors of a job travel in struct err.
 * The sink is a function: it decides where lines go and when a file has grown enough, and tests capture them. */
#pragma once
#include "ground/base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

struct log {
    enum log_level level;
    void (*write)(void *arg, enum log_level level, const char *line, size_t size); /* one line, no newline */
    int64_t (*now_ms)(void *arg); /* wall clock, printed in UTC; NULL prints the beginning of 1970 */
    void *arg;
};

void log_write(struct log *log, enum log_level level, const char *component, const char *format, ...)
    __attribute__((format(printf, 4, 5))); /* log may be NULL: dropped */
bool log_level_parse(struct str text, enum log_level *out) CHECKED;
