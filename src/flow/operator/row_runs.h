/* row_runs.h - sorted rows in files, where they are too many for memory: runs are written one after the other, and merged. Files lie in
 * the folders of io.tmp.dirs in turn, and are deleted when they were merged, or at the latest by row_runs_release. */
#pragma once
#include "flow/operator/op.h"
#include "flow/operator/order_columns.h"
#include "flow/operator/spill_block.h"

/* How an operator may use memory and files; members of its configuration. */
struct spill_config {
    int64_t memory;     /* bytes of rows before they go to files; 0: they never do; in the graph also MEMORY_SHARE */
    const char *dirs;   /* folders, separated by commas, or by the system's separator of paths */
    int64_t files;      /* that are open at once */
    bool packs;         /* files are packed */
    const char *key;    /* of the session, which says how much memory; for messages */
};
#define SPILL_FIELD(at, member, kind, doc) {"spill." #member, kind, (at) + offsetof(struct spill_config, member), doc}
#define SPILL_FIELDS(at)                                                                                               \
    SPILL_FIELD(at, memory, CONF_INT, "bytes of rows before they go to files; 0: they never do"),                      \
        SPILL_FIELD(at, dirs, CONF_TEXT, "folders for these files, separated by commas"),                              \
        SPILL_FIELD(at, files, CONF_INT, "files that are open at once"),                                               \
        SPILL_FIELD(at, packs, CONF_BOOL, "these files are packed"),                                                  \
        SPILL_FIELD(at, key, CONF_TEXT, "the session's key that says how much memory, for messages")

struct run_reader {
    struct sys_file *file;
    struct batch *rows;
    uint32_t row;
    bool is_over;
};

struct row_runs {
    struct op_cx *cx;
    const struct spill_config *config;
    const struct type *schema;
    const uint64_t *needed;
    const struct order_column *by;
    uint32_t by_count;
    char **paths; /* of runs, in the order in which their rows came */
    uint32_t count, capacity, made;
    struct sys_file *file; /* the run that is being written: the last one */
    struct spill_block block;
    struct run_reader *readers; /* of the first runs, while they are merged */
    uint32_t reader_count, reader_capacity;
    uint32_t *heap, heap_count; /* readers by their next rows, the least first */
};

enum { RUN_BLOCK_ROWS = 512 };

/* The path of a new file, the number-th of its operator, to be freed. */
char *spill_path(struct op_cx *cx, const struct spill_config *config, uint32_t number);
enum status spill_fail(struct op_cx *cx, const struct spill_config *config, enum status st); /* says what the files were for */

void row_runs_init(struct row_runs *r, struct op_cx *cx, const struct spill_config *config, const struct type *schema, const uint64_t *needed,
                   const struct order_column *by, uint32_t by_count);
void row_runs_release(struct row_runs *r); /* also of a cleared struct; deletes the files that are left */
uint32_t row_runs_files(const struct row_runs *r); /* how many may be merged at once */

enum status row_runs_begin(struct row_runs *r) CHECKED; /* a run, behind all others */
enum status row_runs_write(struct row_runs *r, const struct batch *rows) CHECKED; /* at most RUN_BLOCK_ROWS, in order */
void row_runs_finish(struct row_runs *r);

/* Merges the first n runs: rows are appended to out. S_OK: that was the last one; S_MORE: there may be more. */
enum status row_runs_merge(struct row_runs *r, uint32_t n) CHECKED;
enum status row_runs_next(struct row_runs *r, struct batch *out, uint32_t room) CHECKED;
void row_runs_merged(struct row_runs *r); /* the files that were merged go */
void row_runs_turn(struct row_runs *r, uint32_t n); /* the first n runs become the last ones */
