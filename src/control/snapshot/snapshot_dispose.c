/* snapshot_dispose.c - a savepoint, or a checkpoint that was kept, is deleted: what its metadata name, then the folder if nothing else is
 * in it. The metadata go first: half of a savepoint is none, and nobody begins with it any more.
 *
 * Who may still want it is not known here: a job whose newest checkpoint that is could not go on. */
#include "control/snapshot/snapshot_dispose.h"

#include "control/snapshot/snapshot_read.h"

#include <string.h>

static enum status remove_named(struct snapshot_reader *r, const char *name, struct err *e)
{
    return r->fs->remove(r->sys, arena_printf(&r->arena, "%s/%s", r->folder, name), e);
}

typedef enum status (*handle_fn)(struct snapshot_reader *r, const char *path, struct err *e);

/* Chunks that lie in objects of their own. */
static enum status each_object(struct snapshot_reader *r, handle_fn fn, struct err *e)
{
    const struct snapshot_metadata *m = &r->metadata;

    for (uint32_t i = 0; i < m->operator_count; i++)
        for (uint32_t t = 0; t < m->operators[i].parallelism; t++) {
            const struct snapshot_subtask *s = &m->operators[i].subtasks[t];
            for (uint32_t h = 0; h < s->handle_count; h++)
                if (s->handles[h].path != NULL) TRY(fn(r, s->handles[h].path, e));
        }
    return S_OK;
}

static enum status check_own(struct snapshot_reader *r, const char *path, struct err *e)
{
    if (strchr(path, '/') == NULL) return S_OK;
    err_set(e, E_UNSUPPORTED, "'%s' shares '%s' with other checkpoints of its job", r->uri, path);
    err_hint(e, "it goes when the job needs it no more; a job that was canceled keeps it only where that is set");
    return E_UNSUPPORTED;
}

static enum status dispose(struct snapshot_reader *r, struct err *e)
{
    TRY(each_object(r, check_own, e));
    TRY(remove_named(r, "_metadata", e));
    TRY(remove_named(r, SNAPSHOT_COMMITTED, e));
    TRY(each_object(r, remove_named, e));
    if (r->fs->remove_folder != NULL) {
        enum status st = r->fs->remove_folder(r->sys, r->folder, NULL);
        (void)st; /* something of others lies in it */
    }
    return S_OK;
}

enum status snapshot_dispose(struct sys *sys, const char *uri, struct err *e)
{
    struct snapshot_reader *r;

    TRY(snapshot_reader_open(sys, uri, &r, e));
    enum status st = dispose(r, e);
    if (st != S_OK) err_wrap(e, "'%s' could not be deleted", uri);
    snapshot_reader_close(r);
    return st;
}
