/* file_sink.c - rows into files that appear whole.
 *
 * A file is written under a name that begins with a dot, which every reader of folders leaves out, and gets its own
 * name by a rename that does not replace, once it is complete and synced. A path that ends in '/', that is a folder,
 * or whose last part has no dot, is a folder of parts `part-<run>-<subtask>-<number>.<format>`; else it is one file.
 * A device or a pipe has no other name: it is written directly, in whole records.
 *
 * Parts roll at a size, at an age, or after a quiet time, which is looked at with every batch and, between batches, every
 * check interval. Where commits exist (`is_committed`: the job takes checkpoints) complete parts wait for them: `prepare` completes
 * the part that is open and answers their names, `commit` renames them, once for each of them, however often it is called. What was
 * prepared belongs to the checkpoint and not to the writer any more: it stays when the task fails, and goes when the next attempt
 * begins and no commit named it (file_leftovers.c). Elsewhere nothing will ever be written again, so a part gets its name when
 * it rolls: the output of a job without end appears part by part. The end of input publishes the rest. A failed task removes what it
 * has not published. No name is ever used twice: each writer draws 64 random bits. */
#include "flow/connector/filesystem/file_sink.h"

#include "flow/connector/filesystem/decompress.h"
#include "flow/connector/filesystem/partition_commits.h"
#include "ground/base/codec.h"
#include "ground/base/str.h"
#include "ground/fs/fs.h"

#include <string.h>

enum { COMMITTABLE_VERSION = 1, PATH_SIZE_MAX = 4096, FILES_PENDING_MAX = 1000000 };

/* --- names -------------------------------------------------------------------------------------------------------- */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static const char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) return ".";
    return slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
}

static enum status local_path(const char *uri, const char **path, struct err *e)
{
    const struct fs_type *fs;

    TRY(fs_find(uri, &fs, path, e));
    ASSERT(strcmp(fs->scheme, "file") == 0); /* there is no other yet: this writes by the calls of local files */
    return S_OK;
}

static struct pending_file next_names(struct file_writer *w, const struct sink_cx *cx)
{
    struct arena *a = &w->names;
    const char *folder = folder_of(a, w->path), *name;

    if (!w->is_folder)
        return (struct pending_file){
            arena_printf(a, "%s/.%s.%016llx.inprogress", folder, last_part(w->path), (unsigned long long)w->run),
            w->path};
    name = arena_printf(a, "part-%016llx-%u-%u.%s", (unsigned long long)w->run, cx->subtask, w->number++,
                        w->records.format->name);
    return (struct pending_file){cx->is_committed ? file_hidden_name(a, w->path, name, cx)
                                                  : arena_printf(a, "%s/.%s.inprogress", w->path, name),
                                 arena_printf(a, "%s/%s", w->path, name)};
}

/* --- graph time --------------------------------------------------------------------------------------------------- */
/* Text under a compressed file's name would be taken for compressed by whoever reads it, ourselves first of all. */
enum status file_sink_check(const struct options *o, const struct option_def *defs, const struct type *row, struct err *e)
{
    const char *path = options_get(o, defs, "path"), *local;

    ASSERT(row->kind == T_ROW);
    if (local_path(path, &local, e) != S_OK) return err_wrap(e, "option 'path'");
    TRY(partition_commits_check(o, defs, e));
    if (compression_of(path) == COMPRESSION_NONE) return S_OK;
    err_set(e, E_UNSUPPORTED, "'%s' is the name of a compressed file, but a sink writes plain text", path);
    err_hint(e, "choose a name without '%s', and compress the file when the job is done", strrchr(path, '.'));
    return E_UNSUPPORTED;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */
static enum status single_file_check(struct file_writer *w, const struct sink_cx *cx, bool exists)
{
    if (cx->parallelism > 1) {
        err_set(cx->err, E_CONFIG, "'%s' is one file, but %u subtasks write it", w->path, cx->parallelism);
        err_hint(cx->err, "end the path in '/' for a folder of files, or set the sink's parallelism to 1");
        return E_CONFIG;
    }
    if (w->is_direct) return S_OK;
    if (cx->is_committed) {
        err_set(cx->err, E_CONFIG, "'%s' is one file, but with checkpoints rows appear part by part", w->path);
        err_hint(cx->err, "end the path in '/' for a folder of files, or run the job without execution.checkpointing.interval");
        return E_CONFIG;
    }
    if (!exists) return S_OK;
    err_set(cx->err, E_EXISTS, "'%s' is there already", w->path);
    err_hint(cx->err, "remove it, or end the path in '/' to add files to a folder");
    return E_EXISTS;
}

static enum status target_find(struct file_writer *w, const struct sink_cx *cx, const char *path)
{
    struct sys_stat st = {0};
    size_t size = strlen(path);
    bool exists = sys_file_stat(cx->sys, path, &st, NULL) == S_OK;

    if (size == 0 || size >= PATH_SIZE_MAX)
        return err_set(cx->err, E_CONFIG, "the path '%.100s' is empty or too long", path);
    w->is_folder = path[size - 1] == '/' || st.is_directory || (!exists && strchr(last_part(path), '.') == NULL);
    w->is_direct = exists && !st.is_directory && !st.is_regular;
    while (size > 1 && path[size - 1] == '/') size--;
    w->path = arena_strndup(&w->arena, path, size);
    if (!w->is_folder) TRY(single_file_check(w, cx, exists));
    return w->is_direct ? S_OK : sys_dir_make(cx->sys, w->is_folder ? w->path : folder_of(&w->arena, w->path), cx->err);
}

enum status file_writer_open(struct file_writer *w, struct sink_cx *cx, const char *path)
{
    arena_init(&w->arena, cx->mem, 1024);
    arena_init(&w->names, cx->mem, 1024);
    TRY(record_writer_open(&w->records, cx));
    TRY(local_path(path, &path, cx->err));
    TRY(target_find(w, cx, path));
    w->run = sys_random(cx->sys);
    w->size_max = options_int(cx->options, cx->option_defs, "sink.rolling-policy.file-size");
    w->age_max_ms = options_int(cx->options, cx->option_defs, "sink.rolling-policy.rollover-interval");
    w->quiet_max_ms = options_int(cx->options, cx->option_defs, "sink.rolling-policy.inactivity-interval");
    w->check_ms = MAX(1, options_int(cx->options, cx->option_defs, "sink.rolling-policy.check-interval"));
    return S_OK;
}

static enum status file_start(struct file_writer *w, struct sink_cx *cx)
{
    struct sys_file *file;
    int flags = SYS_WRITE | (w->is_direct ? 0 : SYS_CREATE | SYS_EXCLUSIVE);

    w->opened_ms = sys_wall_ms(cx->sys);
    if (w->is_folder) op_wake_at(cx->op, w->opened_ms + w->check_ms);
    if (!w->is_direct) w->current = next_names(w, cx);
    TRY(sys_file_open(cx->sys, w->is_direct ? w->path : w->current.hidden, flags, &file, cx->err));
    return record_writer_start(&w->records, file);
}

/* --- completing and publishing ------------------------------------------------------------------------------------ */
/* The current file is complete: it waits to be committed. */
enum status file_writer_complete(struct file_writer *w, struct sink_cx *cx)
{
    if (w->records.file == NULL) return S_OK;
    TRY(record_writer_finish(&w->records, !w->is_direct));
    if (w->is_direct) return S_OK;
    if (w->pending_count == FILES_PENDING_MAX)
        return err_set(cx->err, E_OVERFLOW, "more than %d files wait to be published", FILES_PENDING_MAX);
    w->pending = mem_realloc(cx->mem, w->pending, sizeof *w->pending * (w->pending_count + 1));
    w->pending[w->pending_count++] = w->current;
    w->current = (struct pending_file){NULL, NULL};
    return S_OK;
}

static enum status is_lost(const struct sink_cx *cx, struct pending_file f)
{
    err_set(cx->err, E_NOT_FOUND, "'%s' is gone before it was published: there is no '%s' either", f.hidden, f.name);
    if (cx->is_committed)
        err_hint(cx->err, "rows of a checkpoint are lost with it; put one of the two back, or begin the job anew (--fresh)");
    return E_NOT_FOUND;
}

static enum status publish(const struct sink_cx *cx, struct pending_file f, enum commit_result *out)
{
    struct sys_stat st;
    struct err problem = {0};
    char folder[PATH_SIZE_MAX];
    const char *slash = strrchr(f.name, '/');

    *out = COMMIT_DONE;
    enum status renamed = sys_file_rename_new(cx->sys, f.hidden, f.name, &problem);
    if (renamed == E_NOT_FOUND) {
        *out = sys_file_stat(cx->sys, f.name, &st, NULL) == S_OK ? COMMIT_ALREADY : COMMIT_LOST;
        if (*out == COMMIT_LOST) return is_lost(cx, f);
    } else if (renamed != S_OK) {
        return err_pass_on(cx->err, &problem);
    }
    memcpy(folder, slash == NULL ? "." : f.name, slash == NULL ? 2 : (size_t)(slash - f.name));
    folder[slash == NULL ? 1 : slash == f.name ? 1 : slash - f.name] = '\0';
    return sys_dir_sync(cx->sys, slash == f.name ? "/" : folder, cx->err);
}

static enum status publish_all(struct file_writer *w, struct sink_cx *cx)
{
    enum commit_result ignored;

    for (uint32_t i = 0; i < w->pending_count; i++) {
        enum status st = publish(cx, w->pending[i], &ignored);
        if (st == S_OK) continue;
        memmove(w->pending, w->pending + i,
                sizeof *w->pending * (w->pending_count - i)); /* those before are published */
        w->pending_count -= i;
        return st;
    }
    w->pending_count = 0;
    if (w->current.hidden == NULL) arena_reset(&w->names);
    return S_OK;
}

/* --- hooks -------------------------------------------------------------------------------------------------------- */
static bool is_time_to_roll(const struct file_writer *w, const struct sink_cx *cx)
{
    int64_t now = sys_wall_ms(cx->sys);

    if (!w->is_folder || w->records.file == NULL) return false;
    return w->records.written >= w->size_max || now - w->opened_ms >= w->age_max_ms ||
           now - w->written_ms >= w->quiet_max_ms;
}

static enum status file_roll(struct file_writer *w, struct sink_cx *cx)
{
    TRY(file_writer_complete(w, cx));
    return cx->is_committed ? S_OK : publish_all(w, cx);
}

enum status file_writer_on_time(struct file_writer *w, struct sink_cx *cx, int64_t now_ms)
{
    if (is_time_to_roll(w, cx)) return file_roll(w, cx);
    if (w->records.file != NULL) op_wake_at(cx->op, now_ms + w->check_ms);
    return S_OK;
}

enum status file_writer_write(struct file_writer *w, struct sink_cx *cx, struct batch *in)
{
    if (is_time_to_roll(w, cx)) TRY(file_roll(w, cx));
    if (w->records.file == NULL) TRY(file_start(w, cx));
    w->written_ms = sys_wall_ms(cx->sys);
    return record_writer_add(&w->records, in);
}

enum status file_writer_flush(struct file_writer *w, struct sink_cx *cx, bool at_end)
{
    if (!at_end) return w->is_direct ? record_writer_flush(&w->records) : S_OK;
    if (!w->is_folder && w->records.file == NULL) TRY(file_start(w, cx)); /* no rows: an empty file */
    return file_roll(w, cx);
}

enum status file_writer_prepare(struct file_writer *w, struct sink_cx *cx, struct buf *committable)
{
    if (w->is_direct) return record_writer_flush(&w->records);
    ASSERT(w->is_folder);
    TRY(file_writer_complete(w, cx));
    if (w->pending_count == 0) return S_OK;
    enc_u8(committable, COMMITTABLE_VERSION);
    enc_varint(committable, w->pending_count);
    for (uint32_t i = 0; i < w->pending_count; i++) {
        enc_text(committable, w->pending[i].hidden);
        enc_text(committable, w->pending[i].name);
    }
    w->pending_count = 0; /* they belong to the checkpoint now */
    arena_reset(&w->names);
    return S_OK;
}

/* The files of one writer. */
static enum status commit_some(struct sink_cx *cx, struct dec *d, enum commit_result *out)
{
    struct arena a;
    enum status st = S_OK;
    uint8_t version = dec_u8(d);

    if (version != COMMITTABLE_VERSION)
        return err_set(cx->err, E_DATA, "files to publish: version %u cannot be read", version);
    arena_init(&a, cx->mem, 0);
    for (uint64_t n = dec_varint(d); st == S_OK && n > 0 && dec_ok(d); n--) {
        struct str hidden = dec_str(d, PATH_SIZE_MAX), name = dec_str(d, PATH_SIZE_MAX);
        enum commit_result one;
        st = publish(
            cx,
            (struct pending_file){arena_strndup(&a, hidden.data, hidden.size), arena_strndup(&a, name.data, name.size)},
            &one);
        if (one != COMMIT_ALREADY) *out = one;
    }
    arena_release(&a);
    if (st == S_OK && !dec_ok(d)) return err_set(cx->err, E_DATA, "files to publish: the list is damaged");
    return st;
}

enum status file_commit(struct sink_cx *cx, struct str committable, bool recovering, enum commit_result *out)
{
    struct dec d;

    (void)recovering;
    *out = COMMIT_ALREADY; /* none of a device or pipe */
    dec_init(&d, committable.data, committable.size);
    while (dec_left(&d) > 0) TRY(commit_some(cx, &d, out));
    return S_OK;
}

enum status file_committable_each(struct sink_cx *cx, struct str committable, enum status (*fn)(void *arg, struct str name), void *arg)
{
    struct dec d;

    dec_init(&d, committable.data, committable.size);
    while (dec_left(&d) > 0) {
        uint8_t version = dec_u8(&d);
        for (uint64_t n = dec_varint(&d); n > 0 && dec_ok(&d); n--) {
            dec_str(&d, PATH_SIZE_MAX);
            struct str name = dec_str(&d, PATH_SIZE_MAX);
            if (dec_ok(&d)) TRY(fn(arg, name));
        }
        if (!dec_ok(&d) || version != COMMITTABLE_VERSION) return err_set(cx->err, E_DATA, "files to publish: the list is damaged");
    }
    return S_OK;
}

static void file_remove(const struct sink_cx *cx, const char *hidden)
{
    enum status ignored = hidden != NULL ? sys_file_delete(cx->sys, hidden, NULL) : S_OK; /* hidden anyway */

    (void)ignored;
}

void file_writer_close(struct file_writer *w, struct sink_cx *cx)
{
    record_writer_close(&w->records);
    file_remove(cx, w->current.hidden);
    for (uint32_t i = 0; i < w->pending_count; i++) file_remove(cx, w->pending[i].hidden);
    mem_free(cx->mem, w->pending);
    if (w->arena.mem == NULL) return; /* it was never opened */
    arena_release(&w->arena);
    arena_release(&w->names);
}
