/* file_list.h - the files that a source is to read: those of a path, filtered by a regular expression, each once; looked at
 * again when new ones may come. */
#pragma once
#include "ground/base/map.h"
#include "ground/fs/fs.h"

#include <regex.h>

struct file_list {
    struct sys *sys;
    const char *uri;
    struct arena arena;      /* of the latest listing */
    struct fs_list listing;
    struct map seen;
    regex_t pattern;
    bool has_pattern;
};

/* pattern: NULL or the regular expression that a file's whole path must match. */
enum status file_list_open(struct file_list *l, struct sys *sys, struct mem *mem, const char *uri, const char *pattern,
                           struct err *e) CHECKED;
/* Can the pattern be read? For graph time. */
enum status file_pattern_check(const char *pattern, struct err *e) CHECKED;
/* Looks at the path again and answers the files that were not there before, sorted, in *fresh (until the next call). */
enum status file_list_update(struct file_list *l, struct fs_list *fresh, struct err *e) CHECKED;
void file_list_close(struct file_list *l);
