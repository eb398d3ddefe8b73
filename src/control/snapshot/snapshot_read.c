/* snapshot_read.c - see snapshot_read.h. Objects are read whole; nothing is believed before its size and digest are right. */
#include "control/snapshot/snapshot_read.h"

#include "flow/state/snapshot.h"
#include "ground/base/str.h"
#include "ground/sys/sys_crash.h"

#include <string.h>

#define METADATA "_metadata"
enum { CHUNK_BYTES_MAX = 1024 * 1024 * 1024 };

/* The whole object, of a size that the file system says. */
static enum status read_whole(const struct snapshot_reader *r, const char *path, uint64_t size_max, struct mem *mem,
                              struct str *out, struct err *e)
{
    struct fs_entry entry;
    size_t got;

    TRY(r->fs->stat(r->sys, path, &entry, e));
    if (entry.is_directory) return err_set(e, E_NOT_FOUND, "'%s' is a folder", path);
    if (entry.size < 0 || (uint64_t)entry.size > size_max)
        return err_set(e, E_DATA, "'%s' has %lld bytes, at most %llu can be right", path, (long long)entry.size,
                       (unsigned long long)size_max);
    char *bytes = mem_alloc(mem, (size_t)entry.size + 1);
    TRY(r->fs->read_range(r->sys, path, 0, bytes, (size_t)entry.size + 1, &got, e));
    if (got != (size_t)entry.size) return err_set(e, E_DATA, "'%s' changed while it was read", path);
    *out = (struct str){bytes, got};
    return S_OK;
}

/* The folder, whichever of the two was given. */
static const char *folder_of(struct snapshot_reader *r, const char *path)
{
    size_t size = strlen(path);

    if (str_ends(str_of(path), STR("/" METADATA))) size -= sizeof "/" METADATA - 1;
    while (size > 1 && path[size - 1] == '/') size--;
    return arena_strndup(&r->arena, path, size);
}

static enum status not_there(const struct snapshot_reader *r, struct err *e)
{
    err_set(e, E_NOT_FOUND, "there is no checkpoint or savepoint in '%s': it has no " METADATA, r->uri);
    err_hint(e, "give the folder that was printed when it was made, such as .../chk-12");
    return E_NOT_FOUND;
}

static enum status look_whether_committed(struct snapshot_reader *r, struct err *e)
{
    struct fs_entry entry;
    struct err problem = {0};
    enum status st = r->fs->stat(r->sys, arena_printf(&r->arena, "%s/" SNAPSHOT_COMMITTED, r->folder), &entry, &problem);

    r->is_committed = st == S_OK;
    return st == S_OK || st == E_NOT_FOUND ? S_OK : err_pass_on(e, &problem);
}

static enum status open(struct snapshot_reader *r, const char *uri, struct err *e)
{
    struct err problem = {0};
    const char *path;
    struct str bytes;

    r->uri = folder_of(r, uri);
    TRY(fs_find(r->uri, &r->fs, &path, e));
    r->folder = arena_strdup(&r->arena, path);
    const char *name = arena_printf(&r->arena, "%s/" METADATA, r->folder);
    enum status st = read_whole(r, name, SNAPSHOT_METADATA_MAX, &r->mem, &bytes, &problem);
    if (st == E_NOT_FOUND) return not_there(r, e);
    if (st != S_OK) return err_pass_on(e, &problem);
    r->size = bytes.size;
    r->digest = hash64(bytes.data, bytes.size);
    if (metadata_decode(&r->arena, bytes, &r->metadata, e) == S_OK) return look_whether_committed(r, e);
    err_wrap(e, "'%s'", name);
    return E_DATA;
}

enum status snapshot_reader_open(struct sys *sys, const char *uri, struct snapshot_reader **out, struct err *e)
{
    struct mem mem;
    mem_init(&mem, "snapshot", 0);
    struct snapshot_reader *r = mem_zalloc(&mem, sizeof *r);

    ASSERT(uri != NULL);
    mem_init(&r->mem, "snapshot", 0);
    mem_move(&mem, &r->mem);
    arena_init(&r->arena, &r->mem, 0);
    r->sys = sys;
    enum status st = open(r, uri, e);
    *out = r;
    if (st == S_OK) return S_OK;
    snapshot_reader_close(r);
    *out = NULL;
    return st;
}

void snapshot_reader_close(struct snapshot_reader *r)
{
    struct mem mem;

    if (r == NULL) return;
    mem_init(&mem, "snapshot", 0);
    mem_move(&r->mem, &mem);
    mem_release(&mem);
}

/* Beside the folder lies what several checkpoints share. */
static const char *path_of(struct snapshot_reader *r, const char *path)
{
    const char *last = strrchr(r->folder, '/');

    if (strncmp(path, "../", 3) != 0) return arena_printf(&r->arena, "%s/%s", r->folder, path);
    if (last == NULL) return path + 3;
    return arena_printf(&r->arena, "%.*s/%s", (int)(last - r->folder), r->folder, path + 3);
}

struct snapshot_chunk_place snapshot_reader_find(struct snapshot_reader *r, const struct snapshot_handle *h, struct str *out)
{
    return (struct snapshot_chunk_place){h, h->path != NULL ? path_of(r, h->path) : NULL, out};
}

enum status snapshot_reader_place(const struct snapshot_reader *r, const struct snapshot_chunk_place *p, struct mem *mem, struct str *out,
                                  struct err *e)
{
    const struct snapshot_handle *h = p->handle;
    struct err problem = {0};

    if (p->path == NULL) { /* its digest was looked at with the metadata */
        *out = h->bytes;
        return S_OK;
    }
    sys_crash_point(r->sys, CRASH_C23);
    enum status st = read_whole(r, p->path, CHUNK_BYTES_MAX, mem, out, &problem);
    if (st == E_NOT_FOUND) return err_set(e, E_DATA, "'%s' is missing: a part of the state of '%s'", p->path, r->uri);
    if (st != S_OK) return err_pass_on(e, &problem);
    if (out->size == h->size && hash64(out->data, out->size) == h->digest) return S_OK;
    if (state_part_check(*out, &problem) == E_DATA) /* which block of it */
        err_set(e, E_DATA, "'%s' is damaged: %s", p->path, problem.text);
    else
        err_set(e, E_DATA, "'%s' is damaged: it has %zu bytes and is not what was written (%llu bytes)", p->path, out->size,
                (unsigned long long)h->size);
    err_hint(e, "restore from another checkpoint or savepoint");
    return E_DATA;
}

enum status snapshot_reader_chunk(struct snapshot_reader *r, const struct snapshot_handle *h, struct mem *mem,
                                  struct str *out, struct err *e)
{
    const struct snapshot_chunk_place p = snapshot_reader_find(r, h, out);

    return snapshot_reader_place(r, &p, mem, out, e);
}
