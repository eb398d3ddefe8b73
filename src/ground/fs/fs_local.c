/* fs_local.c - durable bytes in a folder of this machine.
 *
 * To publish is to write a temporary file beside the target, sync it, rename it and sync the folder and the one above it: a reader sees all of
 * an object or nothing, and what was published survives a loss of power. Temporary names begin with a dot, so that one
 * left behind by a crash is hidden from every pattern. Without if_absent the rename replaces in one step. */
#include "ground/fs/fs.h"

#include "ground/sys/sys_crash.h"

#include <stdio.h>
#include <string.h>

enum { FOLDER_SIZE_MAX = 4096, TEMPORARY_SIZE_MAX = FOLDER_SIZE_MAX + 40 };

/* The folder that holds path, "." for a bare name. */
static enum status parent_of(const char *path, char out[static FOLDER_SIZE_MAX], struct err *e)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);

    if (path[0] == '\0' || (slash != NULL && slash[1] == '\0')) return err_set(e, E_CONFIG, "'%s' is not a file's name", path);
    if (size >= FOLDER_SIZE_MAX) return err_set(e, E_CONFIG, "path '%.100s...' is too long", path);
    memcpy(out, slash == NULL ? "." : path, size);
    out[size] = '\0';
    return S_OK;
}

static enum status write_whole(struct sys *s, const char *path, struct str bytes, struct err *e)
{
    struct sys_file *f;

    TRY(sys_file_open(s, path, SYS_WRITE | SYS_CREATE | SYS_EXCLUSIVE, &f, e));
    enum status st = sys_file_write(s, f, bytes.data, bytes.size, e);
    if (st == S_OK) sys_crash_point(s, CRASH_C12);
    if (st == S_OK) st = sys_file_sync(s, f, e);
    sys_file_close(s, f);
    if (st == S_OK) sys_crash_point(s, CRASH_C13);
    return st;
}

static enum status move_in_place(struct sys *s, const char *temporary, const char *path, bool if_absent, enum fs_outcome *outcome,
                                 struct err *e)
{
    struct err refusal = {0};

    if (!if_absent) return sys_file_rename_over(s, temporary, path, e);
    enum status st = sys_file_rename_new(s, temporary, path, &refusal);
    if (st == S_OK) return S_OK;
    if (st != E_EXISTS) return err_pass_on(e, &refusal);
    *outcome = FS_EXISTS;
    return sys_file_delete(s, temporary, e);
}

/* Makes the folder, and has its name survive a loss of power: who made it before may have died before that was so. Of folders above
 * it only those that are made here are in question. */
static enum status make_folder(struct sys *s, const char *folder, struct err *e)
{
    char above[FOLDER_SIZE_MAX];
    struct sys_stat st;
    struct err problem = {0};
    bool is_there = sys_file_stat(s, folder, &st, NULL) == S_OK && st.is_directory;

    if (strcmp(folder, ".") == 0 || strcmp(folder, "/") == 0) return S_OK;
    TRY(parent_of(folder, above, e));
    if (!is_there) {
        TRY(make_folder(s, above, e));
        TRY(sys_dir_make(s, folder, e));
    }
    if (sys_dir_sync(s, above, &problem) == S_OK) return S_OK;
    bool is_of_another = is_there && problem.status == E_PERMISSION; /* a folder above that may not be read: not ours to keep */
    return is_of_another ? S_OK : err_pass_on(e, &problem);
}

static enum status local_publish(struct sys *s, const char *path, struct str bytes, bool if_absent, enum fs_outcome *outcome,
                                 struct err *e)
{
    char folder[FOLDER_SIZE_MAX], temporary[TEMPORARY_SIZE_MAX];
    struct err problem = {0};

    ASSERT(bytes.data != NULL || bytes.size == 0);
    *outcome = FS_OK;
    TRY(parent_of(path, folder, e));
    TRY(make_folder(s, folder, e));
    snprintf(temporary, sizeof temporary, "%s/.publish-%016llx.tmp", folder, (unsigned long long)sys_random(s));
    enum status st = write_whole(s, temporary, bytes, e);
    if (st == S_OK) st = move_in_place(s, temporary, path, if_absent, outcome, e);
    if (st != S_OK) {
        enum status ignored = sys_file_delete(s, temporary, NULL); /* hidden, and the first failure is the one to tell */
        (void)ignored;
        return st;
    }
    sys_crash_point(s, CRASH_C14);
    if (sys_dir_sync(s, folder, &problem) == S_OK) {
        sys_crash_point(s, CRASH_C15);
        return S_OK; /* what exists, too: who made it may have died before this */
    }
    *outcome = FS_UNKNOWN; /* it is there, but would it be after a crash? */
    return err_set(e, E_UNKNOWN, "'%s' may not be durable: %s", path, problem.text);
}

static enum status local_read_range(struct sys *s, const char *path, int64_t offset, void *bytes, size_t size, size_t *got,
                                    struct err *e)
{
    struct sys_file *f;
    size_t part = 1;

    ASSERT(offset >= 0);
    *got = 0;
    TRY(sys_file_open(s, path, SYS_READ, &f, e));
    enum status st = sys_file_seek(s, f, offset, e);
    while (st == S_OK && *got < size && part > 0) {
        st = sys_file_read(s, f, (char *)bytes + *got, size - *got, &part, e);
        if (st == S_OK) *got += part;
    }
    sys_file_close(s, f);
    return st;
}

static enum status local_open_stream(struct sys *s, const char *path, struct sys_file **out, struct err *e)
{
    struct sys_stat st;

    *out = NULL;
    TRY(sys_file_stat(s, path, &st, e));
    return st.is_regular || st.is_directory ? S_OK : sys_file_open(s, path, SYS_READ | SYS_STREAM, out, e);
}

struct listing {
    const char *folder;
    struct arena *arena;
    struct fs_list *list;
    uint32_t capacity;
};

static void add_entry(void *arg, const char *name, const struct sys_stat *st)
{
    struct listing *l = arg;
    size_t size = strlen(l->folder);

    if (l->list->count == l->capacity) {
        l->capacity = MAX(16u, l->capacity * 2);
        struct fs_entry *grown = ARENA_ARRAY(l->arena, struct fs_entry, l->capacity);
        if (l->list->count > 0) memcpy(grown, l->list->entries, sizeof *grown * l->list->count);
        l->list->entries = grown;
    }
    const char *between = size == 0 || l->folder[size - 1] == '/' ? "" : "/";
    l->list->entries[l->list->count++] = (struct fs_entry){.path = arena_printf(l->arena, "%s%s%s", l->folder, between, name),
                                                           .size = st->size,
                                                           .modified_ms = st->modified_ms,
                                                           .is_directory = st->is_directory};
}

static enum status local_list(struct sys *s, const char *directory, struct arena *a, struct fs_list *out, struct err *e)
{
    struct listing l = {.folder = directory, .arena = a, .list = out};

    *out = (struct fs_list){0};
    return sys_dir_list(s, directory[0] != '\0' ? directory : ".", add_entry, &l, e);
}

static enum status local_stat(struct sys *s, const char *path, struct fs_entry *out, struct err *e)
{
    struct sys_stat st;

    TRY(sys_file_stat(s, path, &st, e));
    *out = (struct fs_entry){.path = path, .size = st.size, .modified_ms = st.modified_ms, .is_directory = st.is_directory};
    return S_OK;
}

static enum status local_remove(struct sys *s, const char *path, struct err *e) { return sys_file_delete(s, path, e); }
static enum status local_remove_folder(struct sys *s, const char *path, struct err *e) { return sys_dir_delete(s, path, e); }

const struct fs_type fs_local = {
    .scheme = "file",
    .doc = "files of this machine, or of a file system mounted on it",
    .publish = local_publish,
    .read_range = local_read_range,
    .open_stream = local_open_stream,
    .list = local_list,
    .stat = local_stat,
    .remove = local_remove,
    .remove_folder = local_remove_folder,
};
