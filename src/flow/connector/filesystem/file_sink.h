/* file_sink.h - the writing end of connector 'filesystem': files of one path (file_sink.c), one such writer for each partition
 * (partition_sink.c). */
#pragma once
#include "flow/connector/connector.h"
#include "flow/connector/record_writer.h"

struct pending_file {
    const char *hidden, *name;
};

/* Rows of one file, or of parts in one folder. */
struct file_writer {
    struct record_writer records;
    struct arena arena, names;       /* of the path; of files that are not published */
    const char *path;                /* local; without '/' at its end */
    bool is_folder, is_direct;
    uint64_t run;                    /* makes the names of this run its own */
    uint32_t number;                 /* of the next part */
    struct pending_file current;     /* hidden NULL: none */
    struct pending_file *pending;
    uint32_t pending_count;
    int64_t size_max, age_max_ms, quiet_max_ms, check_ms, opened_ms, written_ms;
};

/* file_leftovers.c: 16 hexadecimal digits that tell this job's sink from others that write into the same folder. */
const char *file_owner(struct arena *a, const struct sink_cx *cx);
/* The hidden name of a part while it waits for a checkpoint: whose it is stands in it. */
const char *file_hidden_name(struct arena *a, const char *folder, const char *name, const struct sink_cx *cx);
/* Removes the files that earlier attempts of this subtask (and of those it takes over from) have left hidden in the folder and in
 * `depth` levels of partitions below it. After everything that was prepared is committed, before the first new file. */
enum status file_leftovers_remove(struct sink_cx *cx, const char *folder, uint32_t depth) CHECKED;

/* path: as the user gave it. The context lives as long as the writer. */
enum status file_writer_open(struct file_writer *w, struct sink_cx *cx, const char *path) CHECKED;
enum status file_writer_write(struct file_writer *w, struct sink_cx *cx, struct batch *in) CHECKED;
enum status file_writer_flush(struct file_writer *w, struct sink_cx *cx, bool at_end) CHECKED;
enum status file_writer_on_time(struct file_writer *w, struct sink_cx *cx, int64_t now_ms) CHECKED;
/* The file that is open is complete; it waits for its name. */
enum status file_writer_complete(struct file_writer *w, struct sink_cx *cx) CHECKED;
enum status file_writer_prepare(struct file_writer *w, struct sink_cx *cx, struct buf *committable) CHECKED;
enum status file_commit(struct sink_cx *cx, struct str committable, bool recovering, enum commit_result *out) CHECKED;
/* The names of the files in it. E_DATA. */
enum status file_committable_each(struct sink_cx *cx, struct str committable, enum status (*fn)(void *arg, struct str name), void *arg) CHECKED;
void file_writer_close(struct file_writer *w, struct sink_cx *cx); /* what was neither published nor handed on goes */
enum status file_sink_check(const struct options *o, const struct option_def *defs, const struct type *row, struct err *e) CHECKED;

extern const struct sink_rewrite file_rewrite; /* file_rewrite.c */
extern const struct sink_type file_sink;
