/* fs.h - the port to durable bytes, shaped for object stores: no rename, append, truncate or mtime above it.
 * fs_*.c files each end in one `const struct fs_type fs_<name>`; fs_find picks by URI scheme ("file" when none). */
#pragma once
#include "ground/base/arena.h"
#include "ground/sys/sys.h"

enum fs_outcome { FS_OK, FS_EXISTS, FS_UNKNOWN };

struct fs_entry {
    const char *path; /* full path without scheme */
    int64_t size, modified_ms;
    bool is_directory;
};

struct fs_list {
    struct fs_entry *entries; /* sorted by path, in the arena given */
    uint32_t count;
};

struct fs_type {
    const char *scheme, *doc;
    enum status (*publish)(struct sys *, const char *path, struct str bytes, bool if_absent, enum fs_outcome *, struct err *);
    enum status (*read_range)(struct sys *, const char *path, int64_t offset, void *, size_t size, size_t *got, struct err *);
    enum status (*list)(struct sys *, const char *directory, struct arena *, struct fs_list *, struct err *);
    enum status (*stat)(struct sys *, const char *path, struct fs_entry *, struct err *);
    enum status (*remove)(struct sys *, const char *path, struct err *); /* idempotent */
};

/* Splits "file:///a/b" or "/a/b" into type and path; E_CONFIG for an unknown scheme, naming the known ones. */
enum status fs_find(const char *uri, const struct fs_type **type, const char **path, struct err *e) CHECKED;
/* Files under a path: one file, a folder (not recursive unless asked), or a pattern with * and ? in its last parts;
 * hidden names (leading . or _) are left out. Sorted. */
enum status fs_glob(struct sys *sys, const char *uri, bool recursive, struct arena *a, struct fs_list *out, struct err *e) CHECKED;
