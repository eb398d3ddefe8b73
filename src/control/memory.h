/* memory.h - one number per process, and what of it is for what. */
#pragma once
#include "ground/base/option.h"
#include "ground/sys/sys.h"

struct buf;

#define MEMORY_PROCESS_KEY "taskmanager.memory.process.size"

/* Bytes of the process: what that key says, but never more than the machine or a control group lets it have. */
int64_t memory_of_process(const struct options *o, struct sys *sys);

struct memory_split {
    int64_t process;
    int64_t state;                 /* of all operators of a job */
    int64_t rows, changes, blocks; /* of `state`, on rocksdb: rows as operators work on them, changes not in files, blocks of files; else 0 */
    int64_t files;                 /* what operators of batch mode have before they write files; it is another use of the same memory */
};
/* slots: of fixed-per-slot. */
void memory_split_of(const struct options *o, int64_t process, uint64_t slots, struct memory_split *out);
/* The same for people, a line each. */
void memory_show(const struct options *o, struct sys *sys, struct buf *out);
