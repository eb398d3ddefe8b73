/* log.h - leveled logging of one node, with rotation. Messages are for operators of the system; errors of a job
 * travel in struct err. The sink is a function, so the simulator and tests capture lines. */
#pragma once
#include "ground/base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

struct log {
    enum log_level level;
    void (*write)(void *arg, enum log_level level, const char *line, size_t size); /* one line, no newline */
    int64_t (*now_ms)(void *arg);                                                  /* wall clock for the prefix */
    void *arg;
};

void log_write(struct log *log, enum log_level level, const char *component, const char *format, ...)
    __attribute__((format(printf, 4, 5))); /* log may be NULL: dropped */
bool log_level_parse(struct str text, enum log_level *out) CHECKED;
