/* cached_files.h - pipeline.cached-files: files that functions find by a name, as a text and as a list. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/option.h"
#include "ground/sys/sys.h"

/* "name:a,path:/tmp/a;name:b,path:file:///tmp/b,executable:true" as names and local paths; NULL and "" give none. E_CONFIG
 * with the entry that does not read, for a name given twice, and for a path that is on no local disk. */
enum status cached_files_parse(struct arena *a, const char *text, struct options *out, struct err *e) CHECKED;
/* E_NOT_FOUND naming the first that is not there. */
enum status cached_files_check(const struct options *files, struct sys *sys, struct err *e) CHECKED;
