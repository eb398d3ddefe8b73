/* store_parts.c - files that several checkpoints use: parts of state, each of what had changed by then.
 *
 * They lie in `shared/` beside the checkpoints' folders, below a name that says which run of the job and which of its processes wrote
 * them, and are named once: "<first checkpoint of the run>-<leader epoch>/<attempt>-<number>". A checkpoint takes over what the one before it
 * has, from the oldest part on that a subtask says it needs. So of each file it is enough to know the last checkpoint that uses it:
 * when that is older than all that are kept and all that are under way, the file goes. What processes before this one have left goes
 * when no checkpoint of theirs is kept any more; of earlier runs, whose checkpoints may be kept on purpose, nothing is touched.
 *
 * Not here: which parts are needed (flow/task), and when a checkpoint exists (store_commit.c). */
#include "control/snapshot/store_internal.h"

#include <stdlib.h>
#include <string.h>

struct part_handle {
    char id[SNAPSHOT_ID_SIZE];
    uint32_t subtask;
    struct snapshot_handle handle;
};

struct part_file {
    uint64_t number;
    int64_t last_user;
    const char *path;
};

struct store_parts {
    struct mem mem;          /* of files */
    struct mem chain_mems[2]; /* of the chain, and of the one before */
    uint32_t chain_at;
    struct part_handle *chain; /* of the newest checkpoint, in the order of its metadata */
    uint32_t chain_count;
    struct part_file *files; /* of this process, by number */
    uint32_t file_count, file_capacity;
    uint64_t next_number;
    bool has_swept;
};

static struct store_parts *parts_of(struct snapshot_store *s)
{
    if (s->parts == NULL) {
        s->parts = mem_zalloc(&s->mem, sizeof *s->parts);
        mem_init(&s->parts->mem, "parts", 0);
        mem_init(&s->parts->chain_mems[0], "parts", 0);
        mem_init(&s->parts->chain_mems[1], "parts", 0);
    }
    return s->parts;
}

void store_parts_free(struct snapshot_store *s)
{
    if (s->parts == NULL) return;
    mem_release(&s->parts->mem);
    mem_release(&s->parts->chain_mems[0]);
    mem_release(&s->parts->chain_mems[1]);
    mem_free(&s->mem, s->parts);
    s->parts = NULL;
}

/* ---- names */

static const char *run_name(const struct snapshot_store *s, struct arena *a)
{
    return arena_printf(a, "%lld-", (long long)s->record.first_checkpoint);
}

static const char *own_name(const struct snapshot_store *s, struct arena *a)
{
    return arena_printf(a, "%s%llu", run_name(s, a), (unsigned long long)s->record.leader_epoch);
}

const char *store_part_add(struct snapshot_store *s, int64_t checkpoint, struct arena *a, const char **path)
{
    struct store_parts *p = parts_of(s);
    struct arena arena;

    if (p->file_count == p->file_capacity) {
        p->file_capacity = MAX(64, 2 * p->file_capacity);
        p->files = mem_realloc(&p->mem, p->files, p->file_capacity * sizeof *p->files);
    }
    const char *name = arena_printf(a, "%s/%llu-%llu", own_name(s, a), (unsigned long long)s->record.attempt,
                                    (unsigned long long)p->next_number);
    *path = arena_printf(a, "%s/shared/%s", s->o.records.folder, name);
    arena_init(&arena, &p->mem, 0);
    struct part_file *f = &p->files[p->file_count++];
    *f = (struct part_file){.number = p->next_number++, .last_user = checkpoint};
    size_t size = strlen(*path) + 1;
    f->path = memcpy(mem_alloc(&p->mem, size), *path, size);
    return arena_printf(a, "../shared/%s", name);
}

/* ---- what the newest checkpoint has */

uint32_t store_parts_find(const struct snapshot_store *s, const char *id, uint32_t subtask, int64_t first_part, struct snapshot_handle *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; s->parts != NULL && i < s->parts->chain_count; i++) {
        const struct part_handle *h = &s->parts->chain[i];
        if (h->subtask != subtask || h->handle.part < first_part || strcmp(h->id, id) != 0) continue;
        if (out != NULL) out[n] = h->handle;
        n++;
    }
    return n;
}

static void file_use(struct store_parts *p, const char *path, int64_t checkpoint)
{
    const char *number = strrchr(path, '-');
    uint64_t wanted = number != NULL ? strtoull(number + 1, NULL, 10) : UINT64_MAX;
    uint32_t low = 0, high = p->file_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->files[middle].number < wanted) low = middle + 1;
        else high = middle;
    }
    if (low < p->file_count && p->files[low].number == wanted) p->files[low].last_user = MAX(p->files[low].last_user, checkpoint);
}

static void handle_keep(struct store_parts *p, struct arena *a, const char *id, uint32_t subtask, const struct snapshot_handle *from)
{
    struct part_handle *to = &p->chain[p->chain_count++];

    *to = (struct part_handle){.subtask = subtask, .handle = *from};
    memcpy(to->id, id, sizeof to->id);
    if (from->path != NULL) to->handle.path = arena_strdup(a, from->path);
    else to->handle.bytes.data = memcpy(arena_alloc(a, from->size + 1), from->bytes.data, from->size);
}

static uint32_t parts_count(const struct snapshot_metadata *m)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < m->operator_count; i++)
        for (uint32_t t = 0; t < m->operators[i].parallelism; t++)
            for (uint32_t h = 0; h < m->operators[i].subtasks[t].handle_count; h++) count += m->operators[i].subtasks[t].handles[h].part > 0;
    return count;
}

/* The checkpoint exists. */
void store_parts_keep(struct snapshot_store *s, const struct snapshot_metadata *m)
{
    uint32_t count = parts_count(m);
    struct arena arena;

    if (m->kind != SNAPSHOT_CHECKPOINT || (count == 0 && s->parts == NULL)) return;
    struct store_parts *p = parts_of(s);
    p->chain_at = 1 - p->chain_at;
    struct mem *mem = &p->chain_mems[p->chain_at];
    mem_release(mem);
    mem_init(mem, "parts", 0);
    arena_init(&arena, mem, 0);
    p->chain = ARENA_ARRAY(&arena, struct part_handle, count + 1);
    p->chain_count = 0;
    for (uint32_t i = 0; i < m->operator_count; i++) {
        const struct snapshot_operator *o = &m->operators[i];
        for (uint32_t t = 0; t < o->parallelism; t++)
            for (uint32_t h = 0; h < o->subtasks[t].handle_count; h++) {
                const struct snapshot_handle *handle = &o->subtasks[t].handles[h];
                if (handle->part == 0) continue;
                handle_keep(p, &arena, o->id, t, handle);
                if (handle->path != NULL) file_use(p, handle->path, m->checkpoint);
            }
    }
}

/* ---- what goes */

static int64_t oldest_needed(const struct snapshot_store *s)
{
    int64_t oldest = INT64_MAX;

    for (uint32_t i = 0; i < s->record.retained_count; i++) oldest = MIN(oldest, s->record.retained[i].id);
    for (const struct store_entry *x = s->entries; x != NULL; x = x->next) oldest = MIN(oldest, x->id);
    return oldest;
}

static void files_delete(struct snapshot_store *s, int64_t oldest)
{
    struct store_parts *p = s->parts;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < p->file_count; i++) {
        bool is_gone = p->files[i].last_user < oldest && s->o.records.fs->remove(s->o.sys, p->files[i].path, NULL) == S_OK;
        if (is_gone) mem_free(&p->mem, (void *)(uintptr_t)p->files[i].path);
        else p->files[kept++] = p->files[i];
    }
    p->file_count = kept;
}

/* Folders of the run but, when `spares_own`, this process' own. */
static void folders_delete(struct snapshot_store *s, bool spares_own)
{
    struct mem mem;
    struct arena arena;
    struct fs_list list;

    mem_init(&mem, "sweep", 0);
    arena_init(&arena, &mem, 0);
    const char *run = run_name(s, &arena), *own = own_name(s, &arena), *shared = arena_printf(&arena, "%s/shared", s->o.records.folder);
    uint32_t left = 0;
    enum status st = s->o.records.fs->list(s->o.sys, shared, &arena, &list, NULL);
    for (uint32_t i = 0; st == S_OK && i < list.count; i++) {
        const char *name = strrchr(list.entries[i].path, '/');
        name = name != NULL ? name + 1 : list.entries[i].path;
        bool goes = strncmp(name, run, strlen(run)) == 0 && !(spares_own && strcmp(name, own) == 0);
        if (goes) store_delete_folder(s, s->o.records.fs, list.entries[i].path);
        left += !goes;
    }
    if (st == S_OK && left == 0 && !spares_own) store_delete_folder(s, s->o.records.fs, shared);
    mem_release(&mem);
}

void store_parts_clean(struct snapshot_store *s)
{
    int64_t oldest = oldest_needed(s);
    bool is_none = s->record.retained_count == 0;

    if (is_none && s->entries == NULL) {
        folders_delete(s, false);
        if (s->parts != NULL) s->parts->file_count = s->parts->chain_count = 0;
        return;
    }
    if (s->parts != NULL) files_delete(s, oldest);
    if (s->first_opened == 0 || oldest < s->first_opened || (s->parts != NULL && s->parts->has_swept)) return;
    parts_of(s)->has_swept = true;
    folders_delete(s, true);
}
