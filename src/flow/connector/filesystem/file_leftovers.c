/* file_leftovers.c - hidden files of attempts that are over.
 *
 * With checkpoints a part is `.part-<run>-<subtask>-<number>.<format>.<owner>.inprogress` until it is committed. The owner is a hash of
 * the job's id and the sink's uid: another job, and another sink of this one, may write into the same folder. When an attempt begins,
 * whatever of its owner is still hidden after the recovery will never be committed, and goes. A subtask looks after the files of those
 * whose committables it was dealt (old subtask modulo parallelism), so none is removed that another one is about to commit.
 *
 * Only hidden files of exactly this form are ever removed. */
#include "flow/connector/filesystem/file_sink.h"
#include "flow/task/job_shared.h"
#include "ground/base/hash.h"
#include "ground/base/str.h"
#include "ground/fs/fs.h"

#include <stdlib.h>
#include <string.h>

const char *file_owner(struct arena *a, const struct sink_cx *cx)
{
    const char *job = cx->op->job != NULL ? job_shared_id(cx->op->job) : "";
    const char *owner = arena_printf(a, "%s\n%s", job, cx->op->uid != NULL ? cx->op->uid : "");

    return arena_printf(a, "%016llx", (unsigned long long)hash64(owner, strlen(owner)));
}

static const char *ending_of(struct arena *a, const struct sink_cx *cx) { return arena_printf(a, ".%s.inprogress", file_owner(a, cx)); }

const char *file_hidden_name(struct arena *a, const char *folder, const char *name, const struct sink_cx *cx)
{
    return arena_printf(a, "%s/.%s%s", folder, name, ending_of(a, cx));
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Of a name of ours: the subtask that wrote it. */
static bool subtask_of(const char *name, const char *ending, uint32_t *subtask)
{
    static const char prefix[] = ".part-";
    enum { PREFIX_SIZE = sizeof prefix - 1, RUN_SIZE = 16 };

    if (!str_starts(str_of(name), str_of(prefix)) || !str_ends(str_of(name), str_of(ending))) return false;
    if (strspn(name + PREFIX_SIZE, "0123456789abcdef") != RUN_SIZE || name[PREFIX_SIZE + RUN_SIZE] != '-') return false;
    const char *digits = name + PREFIX_SIZE + RUN_SIZE + 1;
    size_t size = strspn(digits, "0123456789");
    if (size == 0 || size > 9 || digits[size] != '-') return false;
    *subtask = (uint32_t)strtoul(digits, NULL, 10);
    return true;
}

static enum status remove_in(struct sink_cx *cx, const struct fs_type *fs, const char *folder, uint32_t depth,
                             const char *ending)
{
    struct arena a;
    struct fs_list list = {0};
    uint32_t subtask;

    arena_init(&a, cx->mem, 0);
    enum status st = fs->list(cx->sys, folder, &a, &list, cx->err);
    for (uint32_t i = 0; st == S_OK && i < list.count; i++) {
        const struct fs_entry *f = &list.entries[i];
        const char *name = last_part(f->path);
        if (f->is_directory && depth > 0 && strchr(name, '=') != NULL)
            st = remove_in(cx, fs, f->path, depth - 1, ending);
        else if (!f->is_directory && subtask_of(name, ending, &subtask) && subtask % cx->parallelism == cx->subtask)
            st = fs->remove(cx->sys, f->path, cx->err);
    }
    arena_release(&a);
    return st;
}

enum status file_leftovers_remove(struct sink_cx *cx, const char *folder, uint32_t depth)
{
    const struct fs_type *fs;
    const char *path;
    struct fs_entry there;
    struct arena a;

    TRY(fs_find(folder, &fs, &path, cx->err));
    if (fs->stat(cx->sys, path, &there, NULL) != S_OK) return S_OK; /* no partition was ever written */
    arena_init(&a, cx->mem, 0);
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') size--;
    enum status st = remove_in(cx, fs, arena_strndup(&a, path, size), depth, ending_of(&a, cx));
    arena_release(&a);
    return st;
}
