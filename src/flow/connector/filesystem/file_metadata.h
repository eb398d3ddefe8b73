/* file_metadata.h - columns of rows that say of which file they are, and the values of partition columns, which are in its path. */
#pragma once
#include "flow/source/source.h"

extern const struct source_metadata file_metadata_keys[];

/* One value for all rows of a file. */
struct file_value {
    bool is_null;
    int64_t number;
    struct str text;
};
struct file_metadata {
    struct file_value *values; /* of cx->metadata, in its order */
    char *texts;
};
/* What the source has asked for; the path as it was listed. */
enum status file_metadata_open(struct file_metadata *m, struct source_cx *cx, const char *path) CHECKED;
/* The columns behind those that were read, of rows first..out->count. */
void file_metadata_fill(const struct file_metadata *m, const struct source_cx *cx, struct batch *out, uint32_t first);
void file_metadata_close(struct file_metadata *m, struct mem *mem);

/* The folder of a partition's value, percent signs for what may not stand in a name, as Hive writes it; and back. */
void partition_escape(struct str value, struct buf *out);
/* The value of that name in a path, which ends in '/' or a file's name; appends it. False: the path says nothing of it. */
bool partition_value_find(const char *path, const char *name, struct buf *out);
