/* logging.h - where a node's log lines go: standard error, or a file that is begun anew when it has grown enough and whose
 * predecessors are kept under numbers. Configured by thalweg.log.*; the lines themselves are ground/base/log.h. */
#pragma once
#include "ground/base/log.h"
#include "ground/base/option.h"
#include "ground/sys/sys.h"

enum { LOGGING_FILES_MAX = 1000 };

struct logging {
    struct log log; /* hand out &logging.log; it lives as long as this does */
    struct sys *sys;
    struct sys_lock *lock;
    struct sys_file *file; /* NULL = standard error */
    const char *path;
    int64_t size, size_max;
    uint32_t kept; /* predecessors: path.1 is the latest */
};

/* From a checked configuration, whose texts outlive it. E_CONFIG-like errors name the key: the file cannot be opened. After
 * an error it need not be closed. */
enum status logging_open(struct logging *l, struct sys *sys, const struct options *configuration,
                         struct err *e) CHECKED;
void logging_close(struct logging *l); /* one that is all zero is a no-op */
