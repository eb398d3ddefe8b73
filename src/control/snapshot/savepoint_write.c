/* savepoint_write.c - see savepoint_write.h. Chunks of the savepoint that it began with are copied as they lie; small ones go into the
 * metadata, as a job's do.
 *
 * Invariants: a folder has a savepoint when its metadata are there, so they are published last; what else lies there may be replaced.
 * Not here: what is in chunks (flow/state). */
#include "control/snapshot/savepoint_write.h"

#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

#define METADATA "_metadata"
enum { INLINE_BYTES = 20 * 1024 };

/* Chunks of an operator that was made, or the operator as it was saved. */
struct draft_operator {
    struct draft_operator *next;
    struct snapshot_operator is;
    struct str *chunks;
    uint32_t chunk_count;
    bool is_made;
};

struct savepoint_draft {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct snapshot_reader *base;
    struct draft_operator *first;
};

struct savepoint_draft *savepoint_draft_create(struct sys *sys, struct snapshot_reader *base)
{
    struct mem mem;
    mem_init(&mem, "savepoint", 0);
    struct savepoint_draft *d = mem_zalloc(&mem, sizeof *d);

    mem_init(&d->mem, "savepoint", 0);
    mem_move(&mem, &d->mem);
    arena_init(&d->arena, &d->mem, 0);
    d->sys = sys;
    d->base = base;
    for (uint32_t i = 0; base != NULL && i < base->metadata.operator_count; i++) {
        struct draft_operator *o = ARENA_NEW(&d->arena, struct draft_operator);
        o->is = base->metadata.operators[i];
        o->next = d->first;
        d->first = o;
    }
    return d;
}

void savepoint_draft_free(struct savepoint_draft *d)
{
    struct mem mem;

    if (d == NULL) return;
    arena_release(&d->arena);
    mem_init(&mem, "savepoint", 0);
    mem_move(&d->mem, &mem);
    mem_free(&mem, d);
    mem_release(&mem);
}

/* --- operators ------------------------------------------------------------------------------------------------------------ */
static struct draft_operator **find(const struct savepoint_draft *d, const char *id)
{
    struct draft_operator **at = (struct draft_operator **)(uintptr_t)&d->first;

    while (*at != NULL && strcmp((*at)->is.id, id) != 0) at = &(*at)->next;
    return at;
}

bool savepoint_draft_has(const struct savepoint_draft *d, const char *id) { return *find(d, id) != NULL; }

static enum status missing(const char *id, struct err *e) { return err_set(e, E_NOT_FOUND, "the savepoint has no operator with the id %s", id); }

enum status savepoint_draft_remove(struct savepoint_draft *d, const char *id, struct err *e)
{
    struct draft_operator **at = find(d, id);

    if (*at == NULL) return missing(id, e);
    *at = (*at)->next;
    return S_OK;
}

static enum status taken(const struct draft_operator *o, struct err *e)
{
    err_set(e, E_EXISTS, "the savepoint has the operator '%s' with the id %s already", o->is.name, o->is.id);
    err_hint(e, "remove it first");
    return E_EXISTS;
}

enum status savepoint_draft_rename(struct savepoint_draft *d, const char *id, const char *new_id, const char *new_uid, struct err *e)
{
    struct draft_operator *o = *find(d, id);

    ASSERT(snapshot_id_is_valid(new_id));
    if (o == NULL) return missing(id, e);
    if (*find(d, new_id) != NULL) return taken(*find(d, new_id), e);
    memcpy(o->is.id, new_id, SNAPSHOT_ID_SIZE);
    o->is.uid = arena_strdup(&d->arena, new_uid);
    return S_OK;
}

enum status savepoint_draft_add(struct savepoint_draft *d, const char *id, const char *uid, uint32_t max_parallelism, struct err *e)
{
    struct draft_operator *o = ARENA_NEW(&d->arena, struct draft_operator);

    ASSERT(snapshot_id_is_valid(id) && max_parallelism > 0);
    if (*find(d, id) != NULL) return taken(*find(d, id), e);
    memcpy(o->is.id, id, SNAPSHOT_ID_SIZE);
    o->is.name = o->is.uid = arena_strdup(&d->arena, uid);
    o->is.parallelism = 1;
    o->is.max_parallelism = max_parallelism;
    o->is_made = true;
    o->next = d->first;
    d->first = o;
    return S_OK;
}

void savepoint_draft_chunk(struct savepoint_draft *d, const char *id, struct str chunk)
{
    struct draft_operator *o = *find(d, id);
    ASSERT(o != NULL && o->is_made);
    struct str *more = ARENA_ARRAY(&d->arena, struct str, o->chunk_count + 1);

    if (o->chunk_count > 0) memcpy(more, o->chunks, o->chunk_count * sizeof *more);
    more[o->chunk_count++] = (struct str){arena_strndup(&d->arena, chunk.data, chunk.size), chunk.size};
    o->chunks = more;
}

/* --- writing -------------------------------------------------------------------------------------------------------------- */
struct writing {
    struct savepoint_draft *draft;
    const struct fs_type *fs;
    const char *folder;
    struct err *e;
};

static enum status publish(const struct writing *w, const char *name, struct str bytes, bool if_absent)
{
    enum fs_outcome outcome = FS_OK;
    const char *path = arena_printf(&w->draft->arena, "%s/%s", w->folder, name);

    TRY(w->fs->publish(w->draft->sys, path, bytes, if_absent, &outcome, w->e));
    if (outcome == FS_EXISTS) return err_set(w->e, E_EXISTS, "there is a savepoint in '%s' already", w->folder);
    return S_OK;
}

static enum status chunk_write(const struct writing *w, const struct draft_operator *o, uint32_t subtask, uint32_t number, struct str bytes,
                               struct snapshot_handle *out)
{
    struct arena *a = &w->draft->arena;

    *out = (struct snapshot_handle){.size = bytes.size, .digest = hash64(bytes.data, bytes.size)};
    if (bytes.size <= INLINE_BYTES) {
        out->bytes = (struct str){arena_strndup(a, bytes.data, bytes.size), bytes.size};
        return S_OK;
    }
    out->path = arena_printf(a, "%s-%u-%u", o->is.id, subtask, number);
    return publish(w, out->path, bytes, false);
}

static enum status subtask_copy(const struct writing *w, const struct draft_operator *o, uint32_t number, struct snapshot_subtask *out)
{
    const struct snapshot_subtask *from = &o->is.subtasks[number];
    struct snapshot_handle *handles = ARENA_ARRAY(&w->draft->arena, struct snapshot_handle, from->handle_count + 1);

    *out = *from;
    out->handles = handles;
    for (uint32_t i = 0; i < from->handle_count; i++) {
        struct mem mem;
        struct str bytes;
        mem_init(&mem, "chunk", 0);
        enum status st = snapshot_reader_chunk(w->draft->base, &from->handles[i], &mem, &bytes, w->e);
        if (st == S_OK) st = chunk_write(w, o, number, i, bytes, &handles[i]);
        mem_release(&mem);
        TRY(st);
    }
    return S_OK;
}

static enum status operator_write(const struct writing *w, const struct draft_operator *o, struct snapshot_operator *out)
{
    struct arena *a = &w->draft->arena;
    struct snapshot_subtask *subtasks = ARENA_ARRAY(a, struct snapshot_subtask, o->is.parallelism);

    *out = o->is;
    out->subtasks = subtasks;
    for (uint32_t i = 0; i < o->is.parallelism && !o->is_made; i++) TRY(subtask_copy(w, o, i, &subtasks[i]));
    if (!o->is_made) return S_OK;
    struct snapshot_handle *handles = ARENA_ARRAY(a, struct snapshot_handle, o->chunk_count + 1);
    for (uint32_t i = 0; i < o->chunk_count; i++) TRY(chunk_write(w, o, 0, i, o->chunks[i], &handles[i]));
    subtasks[0] = (struct snapshot_subtask){.watermark = INT64_MIN, .sent_watermark = INT64_MIN, .handles = handles, .handle_count = o->chunk_count};
    return S_OK;
}

/* Ascending by id, as metadata have them. */
static void sort(struct draft_operator **all, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = i; k > 0 && strcmp(all[k - 1]->is.id, all[k]->is.id) > 0; k--) {
            struct draft_operator *o = all[k];
            all[k] = all[k - 1];
            all[k - 1] = o;
        }
}

static enum status operators_write(const struct writing *w, struct snapshot_metadata *m)
{
    struct arena *a = &w->draft->arena;
    uint32_t count = 0;

    for (struct draft_operator *o = w->draft->first; o != NULL; o = o->next) count++;
    if (count > SNAPSHOT_OPERATORS_MAX) return err_set(w->e, E_CONFIG, "more than %d operators", SNAPSHOT_OPERATORS_MAX);
    struct draft_operator **all = ARENA_ARRAY(a, struct draft_operator *, count + 1);
    struct snapshot_operator *operators = ARENA_ARRAY(a, struct snapshot_operator, count + 1);
    count = 0;
    for (struct draft_operator *o = w->draft->first; o != NULL; o = o->next) all[count++] = o;
    sort(all, count);
    for (uint32_t i = 0; i < count; i++) TRY(operator_write(w, all[i], &operators[i]));
    m->operators = operators;
    m->operator_count = count;
    return S_OK;
}

static void head_make(const struct savepoint_draft *d, struct snapshot_metadata *m)
{
    *m = (struct snapshot_metadata){.job_name = "", .checkpoint = 1};
    snprintf(m->job_id, sizeof m->job_id, "%032d", 0);
    if (d->base != NULL) *m = d->base->metadata;
    m->kind = SNAPSHOT_SAVEPOINT;
    m->time_ms = sys_wall_ms(d->sys);
}

enum status savepoint_draft_write(struct savepoint_draft *d, const char *folder, struct err *e)
{
    struct writing w = {.draft = d, .e = e};
    struct snapshot_metadata m;
    struct fs_entry entry;
    struct buf bytes;

    TRY(fs_find(arena_strdup(&d->arena, folder), &w.fs, &w.folder, e));
    if (w.fs->stat(d->sys, arena_printf(&d->arena, "%s/" METADATA, w.folder), &entry, NULL) == S_OK)
        return err_set(e, E_EXISTS, "there is a savepoint in '%s' already", w.folder);
    head_make(d, &m);
    TRY(operators_write(&w, &m));
    buf_init(&bytes, &d->mem);
    metadata_encode(&m, &bytes);
    enum status st = publish(&w, METADATA, (struct str){bytes.data, bytes.size}, true);
    buf_release(&bytes);
    return st;
}
