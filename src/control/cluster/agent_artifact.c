/* agent_artifact.c - libraries of jobs come in pieces from the JobManager and stay under the digest of their bytes: a job that is
 * started anew, and another one of the same library, find it there. What comes is kept only when its digest is right. */
#include "control/cluster/agent_internal.h"

#include <string.h>

struct artifact_fetch {
    struct artifact_fetch *next;
    struct mem mem;
    struct sha256 digest;
    struct buf bytes;
};

enum { ARTIFACT_BYTES_MAX = 1024 * 1024 * 1024 };

static const char *library_path(struct agent *a, struct arena *arena, const struct sha256 *digest)
{
    char hex[65];

    sha256_hex(digest, hex);
    return arena_printf(arena, "%s/%s.so", a->o.folder, hex);
}

static void ask(struct agent *a, const struct artifact_fetch *f)
{
    agent_say(a, MESSAGE_ARTIFACT_WANTED,
              &(struct artifact_wanted_message){{(const char *)&f->digest, sizeof f->digest}, f->bytes.size});
}

static struct artifact_fetch **find(struct agent *a, struct str digest)
{
    struct artifact_fetch **at = &a->fetches;

    while (*at != NULL && memcmp(&(*at)->digest, digest.data, sizeof(*at)->digest) != 0) at = &(*at)->next;
    return at;
}

static void drop(struct artifact_fetch **at)
{
    struct artifact_fetch *f = *at;
    struct mem mem;

    *at = f->next;
    mem_init(&mem, "artifact", 0);
    mem_move(&f->mem, &mem);
    mem_release(&mem);
}

void agent_drop_artifacts(struct agent *a)
{
    while (a->fetches != NULL) drop(&a->fetches);
}

static void begin(struct agent *a, struct str digest)
{
    struct mem mem;
    mem_init(&mem, "artifact", 0);
    struct artifact_fetch *f = mem_zalloc(&mem, sizeof *f);

    mem_init(&f->mem, "artifact", 0);
    mem_move(&mem, &f->mem);
    buf_init(&f->bytes, &f->mem);
    memcpy(&f->digest, digest.data, sizeof f->digest);
    f->next = a->fetches;
    a->fetches = f;
    ask(a, f);
}

void agent_want_artifact(struct agent *a, struct agent_worker *w, struct str digest)
{
    struct sys_stat stat;
    struct err e = {0};

    if (digest.size != sizeof(struct sha256)) {
        err_set(&e, E_DATA, "that is no digest of an artifact");
        agent_worker_failed(a, w, &e);
        return;
    }
    w->digest = (struct str){arena_strndup(&w->arena, digest.data, digest.size), digest.size};
    w->library = library_path(a, &w->arena, (const struct sha256 *)(const void *)w->digest.data);
    if (sys_file_stat(a->o.sys, w->library, &stat, NULL) == S_OK) agent_start_worker(a, w);
    else if (*find(a, digest) == NULL) begin(a, digest);
}

/* All workers that wait for it start, or fail. */
static void settle(struct agent *a, struct str digest, const struct err *why)
{
    for (struct agent_worker *w = a->workers, *next; w != NULL; w = next) {
        next = w->next;
        if (w->process != NULL || w->digest.size != digest.size || memcmp(w->digest.data, digest.data, digest.size) != 0) continue;
        if (why->status == S_OK) agent_start_worker(a, w);
        else agent_worker_failed(a, w, why);
    }
}

static enum status keep(struct agent *a, const struct artifact_fetch *f, struct err *e)
{
    struct mem mem;
    struct arena arena;
    struct sha256 digest;
    struct sys_file *file;

    sha256_of(f->bytes.data, f->bytes.size, &digest);
    if (memcmp(&digest, &f->digest, sizeof digest) != 0)
        return err_set(e, E_DATA, "the job's library is not what the JobManager said: its digest is another one");
    mem_init(&mem, "artifact", 0);
    arena_init(&arena, &mem, 0);
    const char *path = library_path(a, &arena, &f->digest), *half = arena_printf(&arena, "%s.half", path);
    enum status st = sys_file_open(a->o.sys, half, SYS_WRITE | SYS_CREATE | SYS_TRUNCATE, &file, e);
    if (st == S_OK) {
        st = sys_file_write(a->o.sys, file, f->bytes.data, f->bytes.size, e);
        sys_file_close(a->o.sys, file);
    }
    if (st == S_OK) st = sys_file_rename_over(a->o.sys, half, path, e);
    mem_release(&mem);
    return st;
}

void agent_on_artifact(struct agent *a, const struct artifact_message *m)
{
    struct err e = {0};

    if (m->digest.size != sizeof(struct sha256)) return;
    struct artifact_fetch **at = find(a, m->digest), *f = *at;
    if (f == NULL || m->offset != f->bytes.size) return; /* asked for twice */
    if (m->failure != NULL) err_set(&e, E_NOT_FOUND, "the job's library did not come: %s", m->failure);
    else if (m->size > ARTIFACT_BYTES_MAX || m->bytes.size == 0 || m->offset + m->bytes.size > m->size)
        err_set(&e, E_DATA, "the job's library came in pieces that do not fit");
    else buf_append(&f->bytes, m->bytes.data, m->bytes.size);
    if (e.status == S_OK && f->bytes.size < m->size) {
        ask(a, f);
        return;
    }
    if (e.status == S_OK && keep(a, f, &e) != S_OK) log_write(a->o.log, LOG_WARN, "taskmanager", "%s", e.text);
    settle(a, m->digest, &e);
    drop(at);
}
