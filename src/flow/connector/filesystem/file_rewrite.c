/* file_rewrite.c - files in place of those of a table: INSERT OVERWRITE, UPDATE, DELETE, TRUNCATE.
 *
 * A job writes the new files into a folder beside the table's, `.NAME.rewrite-RUN`, which no reader of the table sees. When it has
 * ended well, a table that is one file is replaced by one rename: readers see the old rows or the new ones. A symbolic link stays
 * one, and the file that it means is replaced; who may read it stays. In a folder the new files get their names first, then the old
 * ones go: a machine that stops in between leaves rows twice, but loses none. Hidden files, and folders, are left alone. */
#include "flow/connector/filesystem/decompress.h"
#include "flow/connector/filesystem/file_sink.h"
#include "ground/base/map.h"
#include "ground/base/str.h"
#include "ground/fs/fs.h"

#include <string.h>

enum { COPY_BYTES = 64 * 1024, DEPTH_MAX = 64 };

static const char *option_of(const struct options *o, const char *key)
{
    const char *value = NULL;

    for (uint32_t i = 0; i < o->count; i++)
        if (strcmp(o->items[i].key, key) == 0) value = o->items[i].value;
    return value;
}

/* Of a local path, without '/' at its end. */
static enum status local_path(const struct options *o, struct arena *a, const char **out, struct err *e)
{
    const char *uri = option_of(o, "path"), *path;
    const struct fs_type *fs;

    if (uri == NULL) return err_set(e, E_CONFIG, "the table has no 'path'");
    TRY(fs_find(uri, &fs, &path, e));
    ASSERT(strcmp(fs->scheme, "file") == 0); /* there is no other yet */
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') size--;
    *out = arena_strndup(a, path, size);
    return S_OK;
}

/* --- before the job ---------------------------------------------------------------------------------------------- */
static bool is_true(const struct options *o, const char *key)
{
    const char *value = option_of(o, key);

    return value != NULL && str_equal_nocase(str_of(value), STR("true"));
}

static enum status stage_check(const struct options *o, const char *path, struct err *e)
{
    const char *on_error = option_of(o, "on-error");

    if (strpbrk(path, "*?") != NULL)
        return err_set(e, E_UNSUPPORTED, "'%s' is a pattern: which files to replace is not known", path);
    if (option_of(o, "source.path.regex-pattern") != NULL)
        return err_set(e, E_UNSUPPORTED, "the table has a 'source.path.regex-pattern', which new files may not match");
    if (compression_of(path) != COMPRESSION_NONE)
        return err_set(e, E_UNSUPPORTED, "'%s' is the name of a compressed file, but a sink writes plain text", path);
    if (is_true(o, "csv.ignore-parse-errors") || is_true(o, "json.ignore-parse-errors") ||
        (on_error != NULL && strcmp(on_error, "fail") != 0))
        return err_set(e, E_UNSUPPORTED, "the table passes over records that cannot be read, which would be lost");
    return S_OK;
}

static enum status stage(const struct options *o, uint64_t run, struct arena *a, struct options *staged, struct err *e)
{
    struct option *items = ARENA_ARRAY(a, struct option, o->count + 1);
    const char *path;

    TRY(local_path(o, a, &path, e));
    TRY(stage_check(o, path, e));
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    int folder = slash != NULL ? (int)(slash - path) + 1 : 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < o->count; i++)
        if (strcmp(o->items[i].key, "path") != 0) items[count++] = o->items[i];
    items[count++] = (struct option){
        "path", arena_printf(a, "%.*s.%s.rewrite-%016llx/", folder, path, name, (unsigned long long)run)};
    *staged = (struct options){items, count};
    return S_OK;
}

/* --- what lies in a folder --------------------------------------------------------------------------------------- */
struct found {
    struct arena *a;
    const char *folder;
    const char **files, **folders; /* full paths; folders before those in them */
    uint32_t file_count, folder_count, file_capacity, folder_capacity;
};

static void push(struct arena *a, const char ***items, uint32_t *count, uint32_t *capacity, const char *path)
{
    if (*count == *capacity) {
        const char **more = ARENA_ARRAY(a, const char *, MAX(*capacity * 2, 16u));
        if (*count > 0) memcpy(more, *items, sizeof *more * *count);
        *capacity = MAX(*capacity * 2, 16u);
        *items = more;
    }
    (*items)[(*count)++] = path;
}

static void take_entry(void *arg, const char *name, const struct sys_stat *st)
{
    struct found *f = arg;
    const char *path = arena_printf(f->a, "%s/%s", f->folder, name);

    if (st->is_directory)
        push(f->a, &f->folders, &f->folder_count, &f->folder_capacity, path);
    else
        push(f->a, &f->files, &f->file_count, &f->file_capacity, path);
}

/* All of it, hidden or not. */
static enum status walk(struct sys *sys, struct arena *a, const char *root, struct found *f, struct err *e)
{
    struct sys_stat st;

    *f = (struct found){.a = a};
    if (sys_file_stat(sys, root, &st, NULL) != S_OK || !st.is_directory) return S_OK; /* nothing was written */
    push(a, &f->folders, &f->folder_count, &f->folder_capacity, root);
    for (uint32_t i = 0; i < f->folder_count; i++) {
        f->folder = f->folders[i];
        TRY(sys_dir_list(sys, f->folder, take_entry, f, e));
    }
    return S_OK;
}

/* --- one file ---------------------------------------------------------------------------------------------------- */
static enum status append_file(struct sys *sys, const char *from, struct sys_file *to, char *bytes, struct err *e)
{
    struct sys_file *file;
    size_t got = 1;

    TRY(sys_file_open(sys, from, SYS_READ, &file, e));
    enum status st = S_OK;
    while (st == S_OK && got > 0) {
        st = sys_file_read(sys, file, bytes, COPY_BYTES, &got, e);
        if (st == S_OK && got > 0) st = sys_file_write(sys, to, bytes, got, e);
    }
    sys_file_close(sys, file);
    return st;
}

/* A link stays one: the file that it means is replaced. A path that is not there yet means itself. */
static const char *real_path(struct sys *sys, struct arena *a, const char *path)
{
    char real[SYS_PATH_MAX];

    return sys_file_real(sys, path, real, sizeof real, NULL) == S_OK ? arena_strdup(a, real) : path;
}

static enum status keep_mode(struct sys *sys, const char *from, const char *to, struct err *e)
{
    struct sys_stat st;

    if (sys_file_stat(sys, from, &st, NULL) != S_OK) return S_OK; /* it is new */
    return sys_file_set_mode(sys, to, st.mode, e);
}

/* The whole file is made beside the one that it replaces: a rename works in one file system only. */
static enum status make_whole(struct sys *sys, struct arena *a, const char *whole, const char *old,
                              const struct found *new, struct err *e)
{
    char *bytes = arena_alloc(a, COPY_BYTES);
    struct sys_file *file;

    TRY(sys_file_open(sys, whole, SYS_WRITE | SYS_CREATE | SYS_TRUNCATE, &file, e));
    enum status st = keep_mode(sys, old, whole, e); /* first: what others may not read is never open to them */
    for (uint32_t i = 0; i < new->file_count &&st == S_OK; i++) st = append_file(sys, new->files[i], file, bytes, e);
    if (st == S_OK) st = sys_file_sync(sys, file, e);
    sys_file_close(sys, file);
    return st;
}

static enum status replace_file(struct sys *sys, struct arena *a, const char *path, const char *staged,
                                const struct found *new, struct err *e)
{
    const char *real = real_path(sys, a, path), *slash = strrchr(real, '/');
    const char *hidden = strrchr(staged, '/'), *folder = slash == NULL   ? "."
                                                         : slash == real ? "/"
                                                                         : arena_strndup(a, real, (size_t)(slash - real));
    const char *whole = arena_printf(a, "%s/%s.whole", folder, hidden != NULL ? hidden + 1 : staged);

    enum status st = make_whole(sys, a, whole, real, new, e);
    if (st == S_OK) st = sys_file_rename_over(sys, whole, real, e);
    if (st == S_OK) return sys_dir_sync(sys, folder, e);
    struct err none = {0};
    if (sys_file_delete(sys, whole, &none) != S_OK) return st; /* hidden, and told of by nobody: it may stay */
    return st;
}

/* --- a folder ---------------------------------------------------------------------------------------------------- */
static const char *folder_of(struct arena *a, const char *path)
{
    return arena_strndup(a, path, (size_t)(strrchr(path, '/') - path));
}

/* The new files under their names; folders that got some are put into `touched`. */
static enum status publish_new(struct sys *sys, struct arena *a, const char *path, const char *staged,
                               const struct found *new, struct map *touched, struct err *e)
{
    for (uint32_t i = 0; i < new->file_count; i++) {
        const char *name = arena_printf(a, "%s%s", path, new->files[i] + strlen(staged)), *folder = folder_of(a, name);
        if (map_get(touched, str_of(folder)) == NULL) {
            TRY(sys_dir_make(sys, folder, e));
            map_set(touched, str_of(folder), (void *)(uintptr_t)folder);
        }
        TRY(sys_file_rename_over(sys, new->files[i], name, e));
    }
    for (struct map_entry *f = map_next(touched, NULL); f != NULL; f = map_next(touched, f))
        TRY(sys_dir_sync(sys, f->value, e));
    return S_OK;
}

static enum status delete_old(struct sys *sys, struct arena *a, const struct fs_list *old, bool all,
                              const struct map *touched, struct err *e)
{
    for (uint32_t i = 0; i < old->count; i++)
        if (all || map_get(touched, str_of(folder_of(a, old->entries[i].path))) != NULL)
            TRY(sys_file_delete(sys, old->entries[i].path, e));
    return S_OK;
}

static enum status files_of(struct sys *sys, struct arena *a, const char *path, struct fs_list *out, struct err *e)
{
    struct err missing = {0};
    enum status st = fs_glob(sys, path, true, a, out, &missing);

    if (st == E_NOT_FOUND) *out = (struct fs_list){0};
    return st == S_OK || st == E_NOT_FOUND ? S_OK : err_pass_on(e, &missing);
}

static enum status replace_folder(struct sys *sys, struct arena *a, const char *path, const char *staged,
                                  const struct found *new, bool all, struct err *e)
{
    struct fs_list old;
    struct map touched;

    TRY(files_of(sys, a, path, &old, e));
    map_init(&touched, a->mem);
    enum status st = publish_new(sys, a, path, staged, new, &touched, e);
    if (st == S_OK) st = delete_old(sys, a, &old, all, &touched, e);
    map_release(&touched);
    return st;
}

/* As the sink decides it: a path that is there says what it is; of others the name does, and the '/' at its end. */
static bool is_one_file(struct sys *sys, const struct options *o, const char *path)
{
    const char *given = option_of(o, "path"), *slash = strrchr(path, '/');
    struct sys_stat st;

    if (sys_file_stat(sys, path, &st, NULL) == S_OK) return !st.is_directory;
    return given[strlen(given) - 1] != '/' && strchr(slash != NULL ? slash : path, '.') != NULL;
}

static enum status replace_with(struct sys *sys, const struct options *o, const struct options *staged, bool all,
                                struct arena *a, struct err *e)
{
    const char *path, *from;
    struct found new;

    TRY(local_path(o, a, &path, e));
    TRY(local_path(staged, a, &from, e));
    TRY(walk(sys, a, from, &new, e));
    bool in_folders = new.folder_count > 1; /* partitions */
    if (!in_folders && is_one_file(sys, o, path)) return replace_file(sys, a, path, from, &new, e);
    return replace_folder(sys, a, path, from, &new, all, e);
}

static enum status replace(struct sys *sys, const struct options *o, const struct options *staged, bool all,
                           struct err *e)
{
    struct mem mem;
    struct arena arena;

    mem_init(&mem, "rewrite", 0);
    arena_init(&arena, &mem, 0);
    enum status st = replace_with(sys, o, staged, all, &arena, e);
    arena_release(&arena);
    mem_release(&mem);
    return st;
}

/* --- the end ----------------------------------------------------------------------------------------------------- */
/* What cannot go stays: it is hidden, and the table is right without it. */
static void discard(struct sys *sys, const struct options *staged)
{
    struct mem mem;
    struct arena arena;
    struct found f;
    struct err none = {0};
    const char *path;

    mem_init(&mem, "rewrite", 0);
    arena_init(&arena, &mem, 0);
    enum status st = local_path(staged, &arena, &path, &none);
    if (st == S_OK) st = walk(sys, &arena, path, &f, &none);
    for (uint32_t i = 0; st == S_OK && i < f.file_count; i++) st = sys_file_delete(sys, f.files[i], &none);
    for (uint32_t i = f.folder_count; st == S_OK && i > 0; i--) st = sys_dir_delete(sys, f.folders[i - 1], &none);
    arena_release(&arena);
    mem_release(&mem);
}

static enum status truncate_with(struct sys *sys, const struct options *o, struct arena *a, struct err *e)
{
    struct found nothing = {.a = a};
    struct options staged;
    struct fs_list old;
    const char *path, *from;

    TRY(local_path(o, a, &path, e));
    TRY(stage(o, sys_random(sys), a, &staged, e));
    TRY(local_path(&staged, a, &from, e));
    if (is_one_file(sys, o, path)) {
        enum status st = replace_file(sys, a, path, from, &nothing, e);
        discard(sys, &staged);
        return st;
    }
    TRY(files_of(sys, a, path, &old, e));
    return delete_old(sys, a, &old, true, NULL, e);
}

static enum status truncate(struct sys *sys, const struct options *o, struct err *e)
{
    struct mem mem;
    struct arena arena;

    mem_init(&mem, "rewrite", 0);
    arena_init(&arena, &mem, 0);
    enum status st = truncate_with(sys, o, &arena, e);
    arena_release(&arena);
    mem_release(&mem);
    return st;
}

const struct sink_rewrite file_rewrite = {.stage = stage, .replace = replace, .discard = discard, .truncate = truncate};
