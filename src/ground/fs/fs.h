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
    /* The whole object in one step, durable on return, its folders made when missing. S_OK with FS_OK, or with FS_EXISTS
     * when if_absent is set and the path is taken; E_UNKNOWN with FS_UNKNOWN when it may or may not be there (compare
     * digests); any other failure left nothing behind. Without if_absent an object of that path is replaced. */
    enum status (*publish)(struct sys *, const char *path, struct str bytes, bool if_absent, enum fs_outcome *, struct err *);
    /* *got falls short of size only at the end of the object. */
    enum status (*read_range)(struct sys *, const char *path, int64_t offset, void *, size_t size, size_t *got, struct err *);
    /* A path that stands for a pipe or a terminal, whose bytes come once and in order, is opened; for all others *out is
     * NULL. The op itself is NULL where there are no such paths. */
    enum status (*open_stream)(struct sys *, const char *path, struct sys_file **out, struct err *);
    /* What lies directly in a folder, hidden names too; E_NOT_FOUND when there is no such folder. */
    enum status (*list)(struct sys *, const char *directory, struct arena *, struct fs_list *, struct err *);
    enum status (*stat)(struct sys *, const char *path, struct fs_entry *, struct err *);
    enum status (*remove)(struct sys *, const char *path, struct err *); /* idempotent */
    /* A folder that is empty; idempotent. NULL where folders are but the beginnings of names. */
    enum status (*remove_folder)(struct sys *, const char *path, struct err *);
};

/* Splits "file:///a/b" or "/a/b" into type and path; E_CONFIG for an unknown scheme, naming the known ones. */
enum status fs_find(const char *uri, const struct fs_type **type, const char **path, struct err *e) CHECKED;
/* Files under a path: one file, a folder (not recursive unless asked), or a pattern with * and ? in its last parts;
 * hidden names (leading . or _) are left out unless spelled out. Sorted. A folder may be empty; E_NOT_FOUND when the path
 * does not exist or nothing matches the pattern. */
enum status fs_glob(struct sys *sys, const char *uri, bool recursive, struct arena *a, struct fs_list *out, struct err *e) CHECKED;
