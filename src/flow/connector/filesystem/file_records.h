/* file_records.h - how many records files hold, at a glance. */
#pragma once
#include "ground/base/mem.h"
#include "ground/sys/sys.h"

/* Of the files of a path that match the pattern (NULL: all): their bytes by the length of the first records of the first one, each being
 * a line. -1: that cannot be told: there are none, none has bytes that can be looked at (a pipe), some are packed. */
double file_records_guess(struct sys *sys, struct mem *mem, const char *uri, const char *pattern);
