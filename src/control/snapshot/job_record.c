/* job_record.c - the record of a job as bytes, and its compare-and-set over objects that are made only if absent.
 *
 * Creating `record-<v+1>` decides between two that go on from version v. Old versions are deleted (the last two stay), so one who
 * slept through many versions could make a number anew that was gone: after every success the folder is listed, and a higher number
 * means that somebody else went on.
 *
 * A write whose outcome is unknown may land later. So it is not believed when it is merely seen: the same content goes into the
 * next number under a new nonce, and that one being confirmed makes it irrelevant what became of the one before. When a
 * number is taken, the nonce tells whether it is our own.
 *
 * Not here: who leads, and when the record changes (snapshot_store.c). */
#include "control/snapshot/job_record.h"

#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

#define MAGIC "TWJR"
#define PREFIX "record-"
enum { MAGIC_SIZE = 4, VERSION = 2, CHECKSUM_SIZE = 8, DIGITS = 16, TRIES = 6 };
enum retained_flag { IS_FOREIGN = 1, IS_COMMITTED = 2, RETAINED_FLAGS = 3 };

/* --- bytes ---------------------------------------------------------------------------------------------------------------- */
static void encode_retained(const struct retained_checkpoint *c, struct buf *out)
{
    ASSERT(c->id >= 0 && c->kind < SNAPSHOT_KINDS && c->folder != NULL);
    enc_varint(out, (uint64_t)c->id);
    enc_u8(out, (uint8_t)c->kind);
    enc_u8(out, (uint8_t)((c->is_foreign ? IS_FOREIGN : 0) | (c->is_committed ? IS_COMMITTED : 0)));
    enc_text(out, c->folder);
    enc_zigzag(out, c->time_ms);
    enc_varint(out, c->size);
    enc_u64(out, c->digest);
}

void job_record_encode(const struct job_record *r, struct buf *out)
{
    size_t start = out->size;

    ASSERT(snapshot_id_is_valid(r->job_id) && r->retained_count <= JOB_RECORD_RETAINED_MAX && r->rescaled_count <= JOB_RECORD_RESCALED_MAX);
    buf_append(out, MAGIC, MAGIC_SIZE);
    enc_varint(out, VERSION);
    enc_varint(out, r->version);
    enc_text(out, r->job_id);
    enc_text(out, r->job_name);
    enc_varint(out, r->leader_epoch);
    enc_u64(out, r->nonce);
    enc_text(out, job_status_name(r->status));
    buf_append(out, r->graph.bytes, sizeof r->graph.bytes);
    enc_varint(out, r->generation);
    enc_varint(out, r->attempt);
    enc_varint(out, (uint64_t)r->first_checkpoint);
    enc_varint(out, (uint64_t)r->next_checkpoint);
    enc_varint(out, r->retained_count);
    for (uint32_t i = 0; i < r->retained_count; i++) encode_retained(&r->retained[i], out);
    enc_varint(out, r->rescaled_count);
    for (uint32_t i = 0; i < r->rescaled_count; i++) {
        enc_text(out, r->rescaled[i].id);
        enc_varint(out, r->rescaled[i].parallelism);
    }
    enc_u64(out, hash64(out->data + start, out->size - start));
}

static const char *text_of(struct arena *a, struct dec *d, size_t size_max)
{
    struct str s = dec_str(d, size_max);

    d->failed |= s.size > 0 && memchr(s.data, '\0', s.size) != NULL;
    return arena_strndup(a, d->failed ? "" : s.data, d->failed ? 0 : s.size);
}

static void decode_retained(struct arena *a, struct dec *d, struct retained_checkpoint *c)
{
    uint64_t id = dec_varint(d);
    uint8_t kind = dec_u8(d), flags = dec_u8(d);

    d->failed |= id > INT64_MAX || kind >= SNAPSHOT_KINDS || flags > RETAINED_FLAGS;
    *c = (struct retained_checkpoint){.id = d->failed ? 0 : (int64_t)id,
                                      .kind = d->failed ? SNAPSHOT_CHECKPOINT : (enum snapshot_kind)kind,
                                      .is_foreign = (flags & IS_FOREIGN) != 0,
                                      .is_committed = (flags & IS_COMMITTED) != 0};
    c->folder = text_of(a, d, SYS_PATH_MAX);
    c->time_ms = dec_zigzag(d);
    c->size = dec_varint(d);
    c->digest = dec_u64(d);
}

static bool status_of(const char *name, enum job_status *out)
{
    for (uint32_t s = 0; s < JOB_STATUS_COUNT; s++) {
        if (strcmp(job_status_name((enum job_status)s), name) != 0) continue;
        *out = (enum job_status)s;
        return true;
    }
    return false;
}

/* Behind the checkpoints; records of version 1 have none. */
static void decode_rescaled(struct arena *a, struct dec *d, struct job_record *out)
{
    uint64_t count = dec_varint(d);

    d->failed |= count > JOB_RECORD_RESCALED_MAX;
    out->rescaled_count = d->failed ? 0 : (uint32_t)count;
    struct rescaled_operator *list = ARENA_ARRAY(a, struct rescaled_operator, out->rescaled_count + 1);
    for (uint32_t i = 0; i < out->rescaled_count; i++) {
        const char *id = text_of(a, d, SNAPSHOT_ID_SIZE - 1);
        uint64_t parallelism = dec_varint(d);
        d->failed |= !snapshot_id_is_valid(id) || parallelism == 0 || parallelism > JOB_RECORD_PARALLELISM_MAX;
        snprintf(list[i].id, sizeof list[i].id, "%s", id);
        list[i].parallelism = d->failed ? 1 : (uint32_t)parallelism;
    }
    out->rescaled = list;
}

static void decode_fields(struct arena *a, struct dec *d, uint64_t format, struct job_record *out)
{
    out->version = dec_varint(d);
    const char *id = text_of(a, d, SNAPSHOT_ID_SIZE - 1);
    d->failed |= !snapshot_id_is_valid(id);
    snprintf(out->job_id, sizeof out->job_id, "%s", id);
    out->job_name = text_of(a, d, SNAPSHOT_NAME_MAX);
    out->leader_epoch = dec_varint(d);
    out->nonce = dec_u64(d);
    d->failed |= !status_of(text_of(a, d, 64), &out->status);
    for (size_t i = 0; i < sizeof out->graph.bytes; i++) out->graph.bytes[i] = dec_u8(d);
    out->generation = dec_varint(d);
    out->attempt = dec_varint(d);
    uint64_t first = dec_varint(d), next = dec_varint(d), count = dec_varint(d);
    d->failed |= next > INT64_MAX || first > next || count > JOB_RECORD_RETAINED_MAX;
    out->first_checkpoint = d->failed ? 0 : (int64_t)first;
    out->next_checkpoint = d->failed ? 0 : (int64_t)next;
    out->retained_count = d->failed ? 0 : (uint32_t)count;
    struct retained_checkpoint *retained = ARENA_ARRAY(a, struct retained_checkpoint, out->retained_count + 1);
    for (uint32_t i = 0; i < out->retained_count; i++) decode_retained(a, d, &retained[i]);
    out->retained = retained;
    if (format >= 2) decode_rescaled(a, d, out);
}

enum status job_record_decode(struct arena *a, struct str bytes, struct job_record *out, struct err *e)
{
    struct dec d, sum;

    *out = (struct job_record){0};
    if (bytes.size < MAGIC_SIZE + CHECKSUM_SIZE || bytes.size > JOB_RECORD_BYTES_MAX ||
        memcmp(bytes.data, MAGIC, MAGIC_SIZE) != 0)
        return err_set(e, E_DATA, "this is no record of a job: it does not begin with " MAGIC);
    dec_init(&sum, bytes.data + bytes.size - CHECKSUM_SIZE, CHECKSUM_SIZE);
    if (dec_u64(&sum) != hash64(bytes.data, bytes.size - CHECKSUM_SIZE))
        return err_set(e, E_DATA, "the record of a job is damaged (checksum)");
    dec_init(&d, bytes.data + MAGIC_SIZE, bytes.size - MAGIC_SIZE - CHECKSUM_SIZE);
    uint64_t version = dec_varint(&d);
    if (version > VERSION)
        return err_set(e, E_DATA, "the record of a job has version %llu, newer than this program, which reads %d",
                       (unsigned long long)version, VERSION);
    decode_fields(a, &d, version, out);
    if (dec_ok(&d) && dec_left(&d) == 0 && version >= 1) return S_OK;
    return err_set(e, E_DATA, "the record of a job does not read at byte %zu",
                   (size_t)((const char *)d.at - bytes.data));
}

const struct retained_checkpoint *job_record_latest(const struct job_record *r)
{
    return r->retained_count > 0 ? &r->retained[r->retained_count - 1] : NULL;
}

/* --- objects -------------------------------------------------------------------------------------------------------------- */
struct path {
    char text[SYS_PATH_MAX];
};

static enum status path_of(const struct job_records *r, uint64_t version, struct path *out, struct err *e)
{
    int size = snprintf(out->text, sizeof out->text, "%s/" PREFIX "%0*llu", r->folder, DIGITS,
                        (unsigned long long)version);

    if (size > 0 && (size_t)size < sizeof out->text) return S_OK;
    return err_set(e, E_CONFIG, "the path '%.100s...' is too long", r->folder);
}

/* The number in a record's name; 0: it is not one. */
static uint64_t version_of(const char *path)
{
    const char *name = strrchr(path, '/');
    int64_t version;

    name = name != NULL ? name + 1 : path;
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0 || strlen(name) != sizeof PREFIX - 1 + DIGITS) return 0;
    return str_to_int64(str_of(name + sizeof PREFIX - 1), &version) && version > 0 ? (uint64_t)version : 0;
}

/* The highest number; `below` (0: nothing) of those that are not: removes them, as far as it goes. No folder is no record. */
static enum status highest(const struct job_records *r, uint64_t below, uint64_t *out, struct err *e)
{
    struct mem mem;
    struct arena arena;
    struct fs_list list;
    struct err problem = {0};

    *out = 0;
    mem_init(&mem, "records", 0);
    arena_init(&arena, &mem, 0);
    enum status st = r->fs->list(r->sys, r->folder, &arena, &list, &problem);
    for (uint32_t i = 0; st == S_OK && i < list.count; i++) {
        uint64_t version = version_of(list.entries[i].path);
        *out = MAX(*out, version);
        if (version == 0 || version >= below) continue;
        enum status left = r->fs->remove(r->sys, list.entries[i].path, NULL); /* the next one tries again */
        (void)left;
    }
    mem_release(&mem);
    if (st == E_NOT_FOUND) return S_OK;
    return st == S_OK ? S_OK : err_pass_on(e, &problem);
}

static enum status read_whole(const struct job_records *r, const char *path, struct arena *a, struct str *out,
                              struct err *e)
{
    char *bytes = arena_alloc(a, JOB_RECORD_BYTES_MAX + 1);
    size_t got;

    TRY(r->fs->read_range(r->sys, path, 0, bytes, JOB_RECORD_BYTES_MAX + 1, &got, e));
    *out = (struct str){bytes, got};
    return S_OK;
}

static enum status read_version(const struct job_records *r, uint64_t version, struct arena *a, struct job_record *out,
                                struct err *e)
{
    struct path path;
    struct str bytes;

    TRY(path_of(r, version, &path, e));
    TRY(read_whole(r, path.text, a, &bytes, e));
    if (job_record_decode(a, bytes, out, e) != S_OK) return err_wrap(e, "'%s'", path.text);
    if (out->version == version) return S_OK;
    return err_set(e, E_DATA, "'%s' holds version %llu of the record", path.text, (unsigned long long)out->version);
}

enum status job_records_load(const struct job_records *r, struct arena *a, struct job_record *out, struct err *e)
{
    uint64_t version;

    *out = (struct job_record){0};
    for (int i = 0; i < TRIES; i++) { /* it may be deleted between being listed and being read, by who has gone on */
        struct err problem = {0};
        TRY(highest(r, 0, &version, e));
        if (version == 0) return S_OK;
        enum status st = read_version(r, version, a, out, &problem);
        if (st != E_NOT_FOUND || i == TRIES - 1) return st == S_OK ? S_OK : err_pass_on(e, &problem);
    }
    return S_OK;
}

/* --- compare and set ------------------------------------------------------------------------------------------------------ */
static enum status taken(const struct job_records *r, uint64_t version, struct err *e)
{
    err_set(e, E_EXISTS, "another process runs this job (record version %llu in '%s')", (unsigned long long)version,
            r->folder);
    err_hint(e, "one job runs in one process at a time; give another one another name (pipeline.name) or another "
                "execution.checkpointing.dir");
    return E_EXISTS;
}

/* Is the object of that number what `next` wrote? */
static enum status is_own(const struct job_records *r, const struct job_record *next, bool *out, struct err *e)
{
    struct mem mem;
    struct arena arena;
    struct job_record there;

    mem_init(&mem, "record", 0);
    arena_init(&arena, &mem, 0);
    enum status st = read_version(r, next->version, &arena, &there, e);
    *out = st == S_OK && there.nonce == next->nonce && there.leader_epoch == next->leader_epoch;
    mem_release(&mem);
    return st;
}

static enum status publish(const struct job_records *r, const struct job_record *next, enum fs_outcome *outcome,
                           struct err *e)
{
    struct mem mem;
    struct buf bytes;
    struct path path;

    TRY(path_of(r, next->version, &path, e));
    mem_init(&mem, "record", 0);
    buf_init(&bytes, &mem);
    job_record_encode(next, &bytes);
    enum status st = r->fs->publish(r->sys, path.text, (struct str){bytes.data, bytes.size}, true, outcome, e);
    mem_release(&mem);
    return st;
}

/* Made: unless somebody who slept made a number that was long gone. */
static enum status confirm(const struct job_records *r, struct job_record *next, struct err *e)
{
    uint64_t version;

    TRY(highest(r, next->version >= JOB_RECORD_KEPT ? next->version + 1 - JOB_RECORD_KEPT : 0, &version, e));
    return version > next->version ? taken(r, version, e) : S_OK;
}

static void next_version(struct job_record *next, struct sys *sys)
{
    next->version++;
    next->nonce = sys_random(sys);
}

/* It can be said neither that it is there nor that it will not be. */
static enum status in_doubt(struct job_record *next, const struct err *why, struct err *e)
{
    next->is_in_doubt = true;
    return err_set(e, E_UNKNOWN, "record version %llu of the job may or may not have been written: %s",
                   (unsigned long long)next->version, why->text);
}

/* One attempt. S_MORE: another one is called for. */
static enum status try_swap(const struct job_records *r, struct job_record *next, struct err *e)
{
    enum fs_outcome outcome = FS_OK;
    struct err problem = {0};
    bool own = false;

    enum status st = publish(r, next, &outcome, &problem);
    if (st == E_UNKNOWN) {
        next->is_in_doubt = true;
        return S_MORE;
    }
    if (st != S_OK && next->is_in_doubt) return in_doubt(next, &problem, e);
    if (st != S_OK) {
        next->version--; /* nothing was left behind: the next try is for the same number */
        if (problem.status == E_EXISTS) problem.status = E_IO; /* a file in a folder's place: that is no other process */
        return err_pass_on(e, &problem);
    }
    if (outcome == FS_OK) {
        st = confirm(r, next, &problem);
        if (st != S_OK && st != E_EXISTS) return in_doubt(next, &problem, e);
        next->is_in_doubt = false;
        return st == S_OK ? S_OK : err_pass_on(e, &problem);
    }
    if (is_own(r, next, &own, &problem) != S_OK && problem.status != E_NOT_FOUND) return in_doubt(next, &problem, e);
    if (!own) return taken(r, next->version, e);
    next_version(next, r->sys); /* a lost write has landed: the same again under a new nonce, to be sure of it */
    next->is_in_doubt = true;
    return S_MORE;
}

enum status job_records_swap(const struct job_records *r, struct job_record *next, struct err *e)
{
    struct err unclear = {0};

    if (!next->is_in_doubt) next_version(next, r->sys);
    for (int i = 0; i < TRIES; i++) {
        enum status st = try_swap(r, next, e);
        if (st != S_MORE) return st;
    }
    err_set(&unclear, E_UNKNOWN, "the storage does not say (%d tries)", TRIES);
    return in_doubt(next, &unclear, e);
}
