/* state_folder.h - the folder on local disk of a job whose state may be larger than memory (flow/state/sb_rocksdb.c). */
#pragma once
#include "ground/base/arena.h"
#include "ground/sys/sys.h"

/* Below dir. job_id: what the job is known by when it is started again, so that it finds what a process that died left behind; NULL: it
 * is never the same. */
const char *state_folder_name(const char *dir, const char *job_id, struct sys *sys, struct arena *a);
/* Everything in it goes, and it too. Before and after the tasks run; nobody misses what cannot be deleted. */
void state_folder_clear(const char *path, struct sys *sys, struct mem *mem);
