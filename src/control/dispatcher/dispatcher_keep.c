/* dispatcher_keep.c - what lies in the dispatcher's folder (docs/formats/dispatched-job.md):
 *
 *     <folder>/jobs/<id>/submission     the graph, the name of the artifact and its digest; published once
 *     <folder>/jobs/<id>/archive        how the job ended and what is to be known of it; when it is over
 *     <folder>/artifacts/<sha256>       shared objects, by what they hold: jobs of the same artifact share it
 *
 * A job is gone on with when its submission is there and its archive is not. Both end in a checksum; what does not read is told,
 * and left alone. */
#include "control/dispatcher/dispatcher_internal.h"

#include "ground/base/codec.h"
#include "ground/base/hash.h"
#include "ground/base/str.h"

#include <string.h>

enum { SUBMISSION_MAGIC = 0x4a4c4854 /* "THLJ" */, ARCHIVE_MAGIC = 0x414c4854 /* "THLA" */, KEEP_VERSION = 1 };
enum { OBJECT_MAX = 256 * 1024 * 1024, TEXT_MAX = 4096 };

static char *path_of(struct dispatched_job *job, const char *name)
{
    return arena_printf(&job->arena, "%s/jobs/%s/%s", job->owner->folder, job->id, name);
}

/* --- objects ------------------------------------------------------------------------------------------------------- */
static enum status publish(struct dispatched_job *job, const char *path, struct buf *bytes, bool if_absent,
                           struct err *e)
{
    struct dispatcher *d = job->owner;
    enum fs_outcome outcome = FS_OK;

    enc_u64(bytes, hash64(bytes->data, bytes->size));
    TRY(d->fs->publish(d->o.sys, path, (struct str){bytes->data, bytes->size}, if_absent, &outcome, e));
    return outcome == FS_OK ? S_OK : err_set(e, E_EXISTS, "Job %s has already been submitted.", job->id);
}

static enum status read_object(struct dispatched_job *job, const char *path, uint32_t magic, struct buf *out,
                               struct dec *dec, struct err *e)
{
    struct dispatcher *d = job->owner;
    struct fs_entry entry;
    size_t got = 0;

    TRY(d->fs->stat(d->o.sys, path, &entry, e));
    if (entry.size < (int64_t)(2 * sizeof(uint64_t)) || entry.size > OBJECT_MAX)
        return err_set(e, E_DATA, "'%s': %lld bytes cannot be what a cluster keeps of a job", path,
                       (long long)entry.size);
    buf_reserve(out, (size_t)entry.size);
    TRY(d->fs->read_range(d->o.sys, path, 0, out->data, (size_t)entry.size, &got, e));
    out->size = got;
    dec_init(dec, out->data, out->size);
    if (got != (size_t)entry.size || dec_u32(dec) != magic)
        return err_set(e, E_DATA, "'%s' is not what a cluster keeps of a job", path);
    struct dec end;
    dec_init(&end, out->data + got - sizeof(uint64_t), sizeof(uint64_t));
    if (dec_u64(&end) != hash64(out->data, got - sizeof(uint64_t)))
        return err_set(e, E_DATA, "'%s' is damaged: its checksum is another", path);
    uint32_t version = dec_u32(dec);
    return version == KEEP_VERSION
               ? S_OK
               : err_set(e, E_DATA, "'%s' is of version %u; this version reads %d", path, version, KEEP_VERSION);
}

/* --- the artifact -------------------------------------------------------------------------------------------------- */
static enum status read_file(struct sys *sys, const char *path, struct buf *out, struct err *e)
{
    struct sys_file *f;
    struct sys_stat st;
    size_t got = 1;

    TRY(sys_file_stat(sys, path, &st, e));
    if (!st.is_regular || st.size > OBJECT_MAX)
        return err_set(e, E_CONFIG, "'%s' is no shared object of at most %d MiB", path, OBJECT_MAX >> 20);
    TRY(sys_file_open(sys, path, SYS_READ, &f, e));
    enum status status = S_OK;
    while (status == S_OK && got > 0) {
        buf_reserve(out, 64 * 1024);
        status = sys_file_read(sys, f, out->data + out->size, 64 * 1024, &got, e);
        if (status == S_OK) out->size += got;
    }
    sys_file_close(sys, f);
    return status;
}

static enum status keep_artifact(struct dispatched_job *job, const char *path, char hex[static 65], struct err *e)
{
    struct dispatcher *d = job->owner;
    struct buf bytes;
    enum fs_outcome outcome;

    buf_init(&bytes, &job->mem);
    enum status st = read_file(d->o.sys, path, &bytes, e);
    if (st == S_OK) {
        sha256_of(bytes.data, bytes.size, &job->digest);
        sha256_hex(&job->digest, hex);
        job->artifact = arena_printf(&job->arena, "%s/artifacts/%s", d->folder, hex);
        st = d->fs->publish(d->o.sys, job->artifact, (struct str){bytes.data, bytes.size}, true, &outcome, e);
    }
    buf_release(&bytes);
    return st;
}

/* --- submissions --------------------------------------------------------------------------------------------------- */
enum status keep_submission(struct dispatched_job *job, const struct job_submission *s, struct err *e)
{
    struct buf bytes;
    char hex[65] = "";

    if (s->artifact != NULL) TRY(keep_artifact(job, s->artifact, hex, e));
    buf_init(&bytes, &job->mem);
    enc_u32(&bytes, SUBMISSION_MAGIC);
    enc_u32(&bytes, KEEP_VERSION);
    enc_zigzag(&bytes, sys_wall_ms(job->owner->o.sys));
    enc_text(&bytes, job->name);
    enc_text(&bytes, s->artifact_name);
    enc_text(&bytes, hex);
    enc_str(&bytes, (struct str){job->graph.data, job->graph.size});
    enum status st = publish(job, path_of(job, "submission"), &bytes, true, e);
    buf_release(&bytes);
    return st;
}

/* What the file in the folder of artifacts holds is what its name says. */
static enum status check_artifact(struct dispatched_job *job, struct str hex, struct err *e)
{
    char is[65];
    struct buf bytes;

    job->artifact = arena_printf(&job->arena, "%s/artifacts/%.*s", job->owner->folder, (int)hex.size, hex.data);
    buf_init(&bytes, &job->mem);
    enum status st = read_file(job->owner->o.sys, job->artifact, &bytes, e);
    if (st == S_OK) {
        sha256_of(bytes.data, bytes.size, &job->digest);
        sha256_hex(&job->digest, is);
        if (!str_equal(hex, str_of(is)))
            st = err_set(e, E_DATA, "'%s' is damaged: it holds something else", job->artifact);
    }
    buf_release(&bytes);
    return st;
}

static enum status load_submission(struct dispatched_job *job, struct err *e)
{
    const char *path = path_of(job, "submission");
    struct buf bytes;
    struct dec d;

    buf_init(&bytes, &job->mem);
    enum status st = read_object(job, path, SUBMISSION_MAGIC, &bytes, &d, e);
    if (st == S_OK) {
        (void)dec_zigzag(&d);
        struct str name = dec_str(&d, TEXT_MAX);
        (void)dec_str(&d, TEXT_MAX);
        struct str hex = dec_str(&d, 64);
        struct str graph = dec_str(&d, GRAPH_BYTES_MAX);
        if (!dec_ok(&d)) st = err_set(e, E_DATA, "'%s' does not read", path);
        job->name = arena_strndup(&job->arena, name.data != NULL ? name.data : "", name.size);
        if (st == S_OK && hex.size > 0) st = check_artifact(job, hex, e);
        buf_append(&job->graph, graph.data, graph.size);
    }
    buf_release(&bytes);
    return st;
}

/* --- archives ------------------------------------------------------------------------------------------------------ */
enum status keep_archive(struct dispatched_job *job, struct err *e)
{
    struct buf bytes;

    buf_init(&bytes, &job->mem);
    enc_u32(&bytes, ARCHIVE_MAGIC);
    enc_u32(&bytes, KEEP_VERSION);
    enc_text(&bytes, job->name);
    enc_u32(&bytes, (uint32_t)job->status);
    for (int s = 0; s < JOB_STATUS_COUNT; s++) enc_zigzag(&bytes, job->since_ms[s]);
    enc_str(&bytes, (struct str){job->archive.data, job->archive.size});
    enum status st = publish(job, path_of(job, "archive"), &bytes, false, e);
    buf_release(&bytes);
    return st;
}

static enum status load_archive(struct dispatched_job *job, struct err *e)
{
    const char *path = path_of(job, "archive");
    struct buf bytes;
    struct dec d;

    buf_init(&bytes, &job->mem);
    enum status st = read_object(job, path, ARCHIVE_MAGIC, &bytes, &d, e);
    if (st == S_OK) {
        struct str name = dec_str(&d, TEXT_MAX);
        uint32_t status = dec_u32(&d);
        for (int s = 0; s < JOB_STATUS_COUNT; s++) job->since_ms[s] = dec_zigzag(&d);
        struct str archive = dec_str(&d, OBJECT_MAX);
        if (!dec_ok(&d) || status >= JOB_STATUS_COUNT) st = err_set(e, E_DATA, "'%s' does not read", path);
        job->name = arena_strndup(&job->arena, name.data != NULL ? name.data : "", name.size);
        job->status = status < JOB_STATUS_COUNT ? (enum job_status)status : JOB_FAILED;
        job->ended_ms = job->since_ms[job->status];
        buf_append(&job->archive, archive.data, archive.size);
    }
    buf_release(&bytes);
    return st;
}

enum status keep_load(struct dispatched_job *job, bool *is_over, struct err *e)
{
    struct dispatcher *d = job->owner;
    struct fs_entry entry;
    struct err why = {0};

    enum status st = d->fs->stat(d->o.sys, path_of(job, "archive"), &entry, &why);
    *is_over = st == S_OK;
    if (st == S_OK) return load_archive(job, e);
    return st == E_NOT_FOUND ? load_submission(job, e) : err_pass_on(e, &why);
}

enum status keep_list(struct dispatcher *d, struct arena *a, struct fs_list *out, struct err *e)
{
    struct err why = {0};

    enum status st = d->fs->list(d->o.sys, arena_printf(a, "%s/jobs", d->folder), a, out, &why);
    return st == S_OK || st == E_NOT_FOUND ? S_OK : err_pass_on(e, &why);
}

void keep_forget(struct dispatched_job *job)
{
    struct dispatcher *d = job->owner;
    struct err e = {0};

    enum status st = d->fs->remove(d->o.sys, path_of(job, "submission"), &e);
    if (st == S_OK) st = d->fs->remove(d->o.sys, path_of(job, "archive"), &e);
    if (st == S_OK && d->fs->remove_folder != NULL)
        st = d->fs->remove_folder(d->o.sys, arena_printf(&job->arena, "%s/jobs/%s", d->folder, job->id), &e);
    if (st != S_OK) log_write(d->o.log, LOG_WARN, "dispatcher", "job %s could not be forgotten: %s", job->id, e.text);
}
