/* store_commit.c - a checkpoint comes into being, and what it makes superfluous goes.
 *
 * Metadata first, then the record that names them: when that is confirmed the checkpoint exists, and only then anything is deleted
 * that the record named before. While it is in doubt nothing is done at all but ask again. A process that another one has
 * overtaken (E_EXISTS) changes nothing any more.
 *
 * Rubbish is what lies in a checkpoint's folder that no record names: left by a process that died. It is swept when the next one takes
 * over, when nobody can name it any more; of earlier runs of the job, whose checkpoints may be kept on purpose, nothing is touched. */
#include "control/snapshot/store_internal.h"

#include "ground/base/str.h"
#include "ground/sys/sys_crash.h"

#include <stdlib.h>
#include <string.h>

enum { PUBLISH_TRIES = 3, DOUBT_TRIES = 3 };
#define DOUBT_PAUSE_NS INT64_C(1000000000)

/* --- objects -------------------------------------------------------------------------------------------------------------- */
enum status store_publish(struct snapshot_store *s, const struct fs_type *fs, const char *path, struct str bytes,
                          struct err *e)
{
    struct err problem = {0};
    enum status st = E_UNKNOWN;

    for (int i = 0; i < PUBLISH_TRIES && st == E_UNKNOWN; i++) {
        enum fs_outcome outcome;
        err_clear(&problem);
        st = fs->publish(s->o.sys, path, bytes, false, &outcome, &problem);
    }
    if (st == S_OK) return S_OK;
    if (st == E_UNKNOWN || st == E_EXISTS) st = E_IO; /* E_EXISTS, a file in a folder's place, is not that of the record */
    return err_set(e, st, "%s", problem.text);
}

void store_delete_folder(struct snapshot_store *s, const struct fs_type *fs, const char *path)
{
    struct mem mem;
    struct arena arena;
    struct fs_list list;

    mem_init(&mem, "sweep", 0);
    arena_init(&arena, &mem, 0);
    /* First what makes it a checkpoint: half of one is none. */
    enum status st = fs->remove(s->o.sys, arena_printf(&arena, "%s/_metadata", path), NULL);
    if (st == S_OK) st = fs->list(s->o.sys, path, &arena, &list, NULL);
    sys_crash_point(s->o.sys, CRASH_C17);
    for (uint32_t i = 0; st == S_OK && i < list.count; i++)
        if (!list.entries[i].is_directory) st = fs->remove(s->o.sys, list.entries[i].path, NULL);
    if (st == S_OK && fs->remove_folder != NULL) st = fs->remove_folder(s->o.sys, path, NULL);
    if (st != S_OK && st != E_NOT_FOUND)
        log_write(s->o.log, LOG_WARN, "snapshots", "'%s' could not be deleted (%s); it is swept at the next start",
                  path, status_text(st));
    mem_release(&mem);
}

/* --- the record ----------------------------------------------------------------------------------------------------------- */
void store_copy_record(struct snapshot_store *s, const struct job_record *r)
{
    struct mem *mem = &s->record_mems[1 - s->record_at];
    struct arena arena;

    mem_release(mem);
    mem_init(mem, "record", 0);
    arena_init(&arena, mem, 0);
    struct retained_checkpoint *retained = ARENA_ARRAY(&arena, struct retained_checkpoint, r->retained_count + 1);
    for (uint32_t i = 0; i < r->retained_count; i++) {
        retained[i] = r->retained[i];
        retained[i].folder = arena_strdup(&arena, r->retained[i].folder);
    }
    s->record = *r;
    s->record.job_name = arena_strdup(&arena, r->job_name);
    s->record.retained = retained;
    struct rescaled_operator *rescaled = ARENA_ARRAY(&arena, struct rescaled_operator, r->rescaled_count + 1);
    for (uint32_t i = 0; i < r->rescaled_count; i++) rescaled[i] = r->rescaled[i];
    s->record.rescaled = rescaled;
    s->record_at = 1 - s->record_at;
}

/* Until there is an answer, or nobody waits for one any more. */
static enum status swap(struct snapshot_store *s, struct job_record *next, struct err *e)
{
    enum status st = E_UNKNOWN;

    if (s->is_fenced) return err_set(e, E_EXISTS, "another process runs this job");
    for (int i = 0; st == E_UNKNOWN; i++) {
        struct err problem = {0};
        bool is_last = s->thread == NULL ? i >= DOUBT_TRIES : sys_atomic_load(&s->is_closing) != 0;
        st = job_records_swap(&s->o.records, next, &problem);
        sys_crash_point(s->o.sys, CRASH_C16);
        if (st == S_OK) break;
        if (st != E_UNKNOWN || is_last) return err_pass_on(e, &problem);
        log_write(s->o.log, LOG_WARN, "snapshots", "%s; asking again", problem.text);
        if (s->thread != NULL) sys_park(s->o.sys, s->parker, DOUBT_PAUSE_NS);
    }
    store_copy_record(s, next);
    return S_OK;
}

/* S_OK, or why; from E_EXISTS on nothing is changed any more. */
static enum status confirm(struct snapshot_store *s, struct job_record *next, struct err *e)
{
    enum status st = swap(s, next, e);

    s->is_fenced |= st == E_EXISTS || st == E_UNKNOWN;
    return st;
}

/* Where a checkpoint of the record lies: in the job's folder, or where it was claimed. */
static enum status place_of(const struct snapshot_store *s, const char *folder, struct mem *mem,
                            const struct fs_type **fs, const char **path)
{
    size_t size = strlen(s->o.uri);
    struct buf text;

    if (strncmp(folder, s->o.uri, size) != 0 || folder[size] != '/') return fs_find(folder, fs, path, NULL);
    buf_init(&text, mem);
    buf_printf(&text, "%s%s", s->o.records.folder, folder + size);
    *fs = s->o.records.fs;
    *path = buf_text(&text);
    return S_OK;
}

static void reserve(struct job_record *next, int64_t used)
{
    if (used >= next->next_checkpoint - CHECKPOINT_IDS_RESERVED / 2)
        next->next_checkpoint = used + 1 + CHECKPOINT_IDS_RESERVED;
}

/* Deletes what `old` names as the job's own and the present record does not. */
static void delete_dropped(struct snapshot_store *s, const struct retained_checkpoint *old, uint32_t count)
{
    struct mem mem;

    mem_init(&mem, "sweep", 0);
    for (uint32_t i = 0; i < count; i++) {
        const struct fs_type *fs;
        const char *path;
        bool stays = old[i].is_foreign;
        for (uint32_t k = 0; k < s->record.retained_count; k++)
            stays |= strcmp(s->record.retained[k].folder, old[i].folder) == 0;
        if (!stays && place_of(s, old[i].folder, &mem, &fs, &path) == S_OK) store_delete_folder(s, fs, path);
    }
    mem_release(&mem);
}

/* --- a checkpoint ---------------------------------------------------------------------------------------------------------- */
static int compare_chunks(const void *a, const void *b)
{
    const struct stored_chunk *x = a, *y = b;
    int by_id = strcmp(x->id, y->id);

    if (by_id != 0) return by_id;
    if (x->subtask != y->subtask) return x->subtask < y->subtask ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* The first chunk of a subtask, in order. */
static uint32_t first_chunk(const struct store_entry *x, const char *id, uint32_t subtask)
{
    const struct stored_chunk *chunks = x->chunks;
    uint32_t low = 0, high = x->chunk_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int by_id = strcmp(chunks[middle].id, id);
        if (by_id < 0 || (by_id == 0 && chunks[middle].subtask < subtask))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Chunks of this checkpoint behind those of older parts. */
static enum status fill_subtask(const struct snapshot_store *s, const struct store_entry *x, struct arena *a, const struct snapshot_operator *o,
                                uint32_t number, struct snapshot_subtask *out, struct err *e)
{
    bool builds = out->first_part != 0 && out->first_part < x->id;
    uint32_t at = first_chunk(x, o->id, number), count = 0, older = builds ? store_parts_find(s, o->id, number, out->first_part, NULL) : 0;
    struct snapshot_handle *handles = ARENA_ARRAY(a, struct snapshot_handle, older + out->handle_count + 1);

    if (older > 0) (void)store_parts_find(s, o->id, number, out->first_part, handles);
    if (builds && (older == 0 || handles[0].part != out->first_part))
        return err_set(e, E_DATA, "operator '%s' (subtask %u/%u): the part of checkpoint %lld, on which it builds, is not there", o->name,
                       number + 1, o->parallelism, (long long)out->first_part);
    for (; count < out->handle_count && at + count < x->chunk_count; count++) {
        const struct stored_chunk *c = &x->chunks[at + count];
        if (strcmp(c->id, o->id) != 0 || c->subtask != number || c->number != count) break;
        handles[older + count] = c->handle;
    }
    if (count < out->handle_count)
        return err_set(e, E_DATA, "operator '%s' (subtask %u/%u): chunk %u of %u is missing", o->name, number + 1,
                       o->parallelism, count + 1, out->handle_count);
    out->handles = handles;
    out->handle_count = older + count;
    return S_OK;
}

/* Says of each subtask where its chunks are. */
static enum status fill_metadata(const struct snapshot_store *s, struct store_entry *x, struct snapshot_order *o, struct err *e)
{
    struct snapshot_metadata *m = &o->metadata;

    if (x->chunk_count > 0) qsort(x->chunks, x->chunk_count, sizeof *x->chunks, compare_chunks);
    for (uint32_t i = 0; i < m->operator_count; i++) {
        const struct snapshot_operator *op = &m->operators[i];
        struct snapshot_subtask *subtasks = (struct snapshot_subtask *)(uintptr_t)op->subtasks; /* of our own order */
        for (uint32_t t = 0; t < op->parallelism; t++) TRY(fill_subtask(s, x, &o->arena, op, t, &subtasks[t], e));
    }
    return S_OK;
}

static enum status write_metadata(struct snapshot_store *s, struct store_entry *x, struct snapshot_order *o,
                                  struct retained_checkpoint *out, struct err *e)
{
    struct buf bytes;

    TRY(fill_metadata(s, x, o, e));
    buf_init(&bytes, &o->mem);
    metadata_encode(&o->metadata, &bytes);
    if (bytes.size > SNAPSHOT_METADATA_MAX)
        return err_set(e, E_DATA, "the metadata have %zu bytes, at most %d", bytes.size, SNAPSHOT_METADATA_MAX);
    TRY(store_publish(s, x->fs, arena_printf(&o->arena, "%s/_metadata", x->path), (struct str){bytes.data, bytes.size},
                      e));
    *out = (struct retained_checkpoint){.id = x->id,
                                        .kind = x->kind,
                                        .is_foreign = x->kind == SNAPSHOT_SAVEPOINT,
                                        .folder = x->uri,
                                        .time_ms = o->metadata.time_ms,
                                        .size = bytes.size + metadata_state_bytes(&o->metadata),
                                        .digest = hash64(bytes.data, bytes.size)};
    return S_OK;
}

/* The new one, and of the old ones those that stay: by number the newest of the job's own; those that are not its own until it
 * has one of its own. */
static void retain(const struct snapshot_store *s, struct arena *a, const struct retained_checkpoint *added,
                   struct job_record *next)
{
    const struct job_record *now = &s->record;
    struct retained_checkpoint *list = ARENA_ARRAY(a, struct retained_checkpoint, now->retained_count + 1);
    uint32_t count = 0, own = added->is_foreign ? 0 : 1;

    for (uint32_t i = 0; i < now->retained_count; i++) own += !now->retained[i].is_foreign;
    for (uint32_t i = 0; i < now->retained_count; i++) {
        const struct retained_checkpoint *old = &now->retained[i];
        if (old->is_foreign && !added->is_foreign) continue;
        if (!old->is_foreign && !added->is_foreign && own > s->o.retained_max) {
            own--;
            continue;
        }
        list[count++] = *old;
    }
    ASSERT(count == 0 || list[count - 1].id < added->id || list[count - 1].is_foreign);
    list[count++] = *added;
    next->retained = list;
    next->retained_count = count;
}

enum status store_finish(struct snapshot_store *s, struct store_entry *entry, struct snapshot_order *o,
                         struct snapshot_answer *a)
{
    struct job_record old = s->record, next = s->record;
    struct retained_checkpoint added;

    if (entry->err.status != S_OK) return err_pass_on(&a->err, &entry->err);
    if (s->is_fenced) return err_set(&a->err, E_EXISTS, "another process runs this job");
    TRY(write_metadata(s, entry, o, &added, &a->err));
    a->size = added.size - metadata_state_bytes(&o->metadata);
    retain(s, &o->arena, &added, &next);
    reserve(&next, entry->id);
    TRY(confirm(s, &next, &a->err));
    sys_crash_point(s->o.sys, CRASH_C18);
    store_parts_keep(s, &o->metadata);
    delete_dropped(s, old.retained, old.retained_count);
    store_parts_clean(s);
    return S_OK;
}

enum status store_change(struct snapshot_store *s, const struct snapshot_change *c, struct snapshot_answer *a)
{
    struct job_record old = s->record, next = s->record;

    next.status = c->status;
    next.attempt = c->attempt;
    if (c->reserves) next.next_checkpoint += CHECKPOINT_IDS_RESERVED;
    if (c->discards) next.retained_count = 0;
    if (c->rescaled != NULL) {
        next.generation++;
        next.rescaled = c->rescaled;
        next.rescaled_count = c->rescaled_count;
    }
    TRY(confirm(s, &next, &a->err));
    if (c->discards) delete_dropped(s, old.retained, old.retained_count);
    if (c->discards) store_parts_clean(s);
    const struct retained_checkpoint *latest = job_record_latest(&s->record);
    a->has_latest = latest != NULL;
    if (latest == NULL) return S_OK;
    struct buf folder;
    buf_init(&folder, &a->mem);
    buf_append_text(&folder, latest->folder);
    a->latest = *latest;
    a->latest.folder = buf_text(&folder);
    return S_OK;
}

/* --- rubbish --------------------------------------------------------------------------------------------------------------- */
/* The number of a checkpoint's folder; -1: it is something else. */
static int64_t checkpoint_of(const char *path)
{
    const char *name = strrchr(path, '/');
    int64_t id;

    name = name != NULL ? name + 1 : path;
    if (strncmp(name, "chk-", 4) != 0 || name[4] < '0' || name[4] > '9') return -1;
    return str_to_int64(str_of(name + 4), &id) ? id : -1;
}

static bool names(const struct job_record *r, int64_t id)
{
    for (uint32_t i = 0; i < r->retained_count; i++)
        if (r->retained[i].id == id) return true;
    return false;
}

void store_sweep(struct snapshot_store *s)
{
    const struct job_record *before = s->o.before;
    struct mem mem;
    struct arena arena;
    struct fs_list list;

    if (before == NULL) return;
    mem_init(&mem, "sweep", 0);
    arena_init(&arena, &mem, 0);
    enum status st = s->o.records.fs->list(s->o.sys, s->o.records.folder, &arena, &list, NULL);
    for (uint32_t i = 0; st == S_OK && i < list.count; i++) {
        int64_t id = checkpoint_of(list.entries[i].path);
        bool stays = id < before->first_checkpoint || names(before, id) || names(&s->record, id);
        if (!stays) store_delete_folder(s, s->o.records.fs, list.entries[i].path);
    }
    mem_release(&mem);
}
