/* partition_commits.h - which partitions of a file sink are complete while its job runs, and the file that says so (partition_commits.c). */
#pragma once
#include "columns/column/zone.h"
#include "columns/function/time_pattern.h"
#include "flow/connector/connector.h"

/* It has files that readers see, and nothing says yet that it is complete. */
struct open_partition {
    const char *folder; /* local, without '/' at its end */
    int64_t due_ms;     /* complete when the watermark is beyond it, or the clock has reached it */
    int64_t checkpoint; /* whose files are the last ones there */
};

struct commit_note {
    int64_t checkpoint, watermark;
};

struct partition_commits {
    struct arena arena;   /* folders */
    bool is_on, by_watermark, is_changed, has_ended;
    int64_t delay_ms;
    struct zone zone;     /* of watermarks */
    struct time_pattern formatter;
    const char *root, *prefix; /* local; of the names of all subtasks' progress */
    struct open_partition *open;
    uint32_t open_count;
    struct commit_note *notes; /* of barriers, the oldest first */
    uint32_t note_count;
    int64_t checkpoint, watermark; /* published so far; both INT64_MAX: nothing more will come */
};

/* Graph time: trigger, zone, pattern. E_CONFIG. */
enum status partition_commits_check(const struct options *o, const struct option_def *defs, struct err *e) CHECKED;
/* Off without a policy, without partitions, and without checkpoints. Touches nothing outside. */
enum status partition_commits_open(struct partition_commits *pc, struct sink_cx *cx, bool has_partitions) CHECKED;
/* Takes over what earlier attempts left open. Before the first checkpoint of the attempt. */
enum status partition_commits_load(struct partition_commits *pc, struct sink_cx *cx) CHECKED;
/* The barrier of that checkpoint: rows before this watermark are in files of it, or of earlier ones. */
void partition_commits_note(struct partition_commits *pc, struct sink_cx *cx, int64_t checkpoint);
/* Before the first row of a partition is written. E_DATA: its values are no time, where one is needed. */
enum status partition_commits_begin(struct partition_commits *pc, struct sink_cx *cx, const char *folder) CHECKED;
/* Files of the partition are visible, the last ones of that checkpoint. */
enum status partition_commits_touch(struct partition_commits *pc, struct sink_cx *cx, struct str folder, int64_t checkpoint) CHECKED;
/* Everything of the checkpoint is visible: tells the other subtasks, and says of those that are complete that they are. */
enum status partition_commits_complete(struct partition_commits *pc, struct sink_cx *cx, int64_t checkpoint) CHECKED;
void partition_commits_close(struct partition_commits *pc, struct mem *mem);
/* The file itself. */
enum status partition_success_write(struct sink_cx *cx, const char *folder) CHECKED;
