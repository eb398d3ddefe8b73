/* snapshot_store.c - the queue of the helper that writes snapshots, and what it does with chunks.
 *
 * Tasks must not wait, so the memory of a chunk goes over as it is and the task goes on; as many bytes as queue_max may be under way,
 * and who comes then is told to come again and woken when there is room. Others pack and write it (store_writers.c). Chunks that are
 * small stay in memory until the metadata are written, which take them in. Before a checkpoint is finished or aborted the
 * helper waits for all of its chunks, and what comes meanwhile waits with it.
 *
 * A chunk for a checkpoint that is not open is dropped: it was aborted, and its task does not know that yet. So once the files of an
 * aborted checkpoint are deleted no others follow.
 *
 * Not here: metadata, the record, deletion of what is not needed any more (store_commit.c). */
#include "control/snapshot/snapshot_store.h"

#include "control/snapshot/store_internal.h"
#include "ground/sys/sys_crash.h"

#include <stdio.h>
#include <string.h>

enum { QUEUE_BYTES = 64 * 1024 * 1024 };

/* --- words ---------------------------------------------------------------------------------------------------------------- */
static struct store_word *make_word(enum snapshot_verb verb, int64_t checkpoint)
{
    struct mem mem;
    mem_init(&mem, "snapshot", 0);
    struct store_word *w = mem_zalloc(&mem, sizeof *w);

    mem_init(&w->mem, "snapshot", 0);
    mem_move(&mem, &w->mem);
    w->verb = verb;
    w->checkpoint = checkpoint;
    return w;
}

static void free_word(struct store_word *w)
{
    struct mem mem;

    mem_init(&mem, "snapshot", 0);
    mem_move(&w->mem, &mem);
    mem_release(&mem);
}

static void send(struct snapshot_store *s, struct store_word *w) { sys_mailbox_send(s->o.sys, s->words, w); }

static void free_entry(struct store_entry *x)
{
    struct mem mem;

    mem_init(&mem, "snapshot", 0);
    mem_move(&x->mem, &mem);
    mem_release(&mem);
}

static struct store_entry *make_entry(int64_t id, enum snapshot_kind kind)
{
    struct mem mem;
    mem_init(&mem, "snapshot", 0);
    struct store_entry *x = mem_zalloc(&mem, sizeof *x);

    mem_init(&x->mem, "snapshot", 0);
    mem_move(&mem, &x->mem);
    arena_init(&x->arena, &x->mem, 0);
    x->id = id;
    x->kind = kind;
    return x;
}

struct snapshot_order *snapshot_order_create(void)
{
    struct mem mem;
    mem_init(&mem, "snapshot", 0);
    struct snapshot_order *o = mem_zalloc(&mem, sizeof *o);

    mem_init(&o->mem, "snapshot", 0);
    mem_move(&mem, &o->mem);
    arena_init(&o->arena, &o->mem, 0);
    return o;
}

void snapshot_order_free(struct snapshot_order *o)
{
    struct mem mem;

    if (o == NULL) return;
    mem_init(&mem, "snapshot", 0);
    mem_move(&o->mem, &mem);
    mem_release(&mem);
}

enum status snapshot_store_open(struct snapshot_store *s, int64_t checkpoint, enum snapshot_kind kind,
                                const char *folder, struct err *e)
{
    struct store_entry *x = make_entry(checkpoint, kind);
    struct store_word *w;

    if (folder == NULL) {
        x->fs = s->o.records.fs;
        x->path = arena_printf(&x->arena, "%s/chk-%lld", s->o.records.folder, (long long)checkpoint);
        x->uri = arena_printf(&x->arena, "%s/chk-%lld", s->o.uri, (long long)checkpoint);
    } else {
        const char *path;
        x->uri = arena_strdup(&x->arena, folder);
        enum status st = fs_find(x->uri, &x->fs, &path, e);
        if (st != S_OK) {
            free_entry(x);
            return st;
        }
        x->path = path;
    }
    w = make_word(STORE_OPEN, checkpoint);
    w->entry = x;
    send(s, w);
    return S_OK;
}

void snapshot_store_finish(struct snapshot_store *s, struct snapshot_order *o)
{
    struct store_word *w = make_word(STORE_FINISH, o->metadata.checkpoint);

    w->order = o;
    send(s, w);
}

void snapshot_store_abort(struct snapshot_store *s, int64_t checkpoint) { send(s, make_word(STORE_ABORT, checkpoint)); }

void snapshot_store_mark(struct snapshot_store *s, int64_t checkpoint, const char *folder)
{
    struct store_word *w = make_word(STORE_MARK, checkpoint);
    size_t size = strlen(folder) + 1;
    char *copy = mem_alloc(&w->mem, size);

    memcpy(copy, folder, size);
    w->folder = copy;
    send(s, w);
}

void snapshot_store_change(struct snapshot_store *s, const struct snapshot_change *c)
{
    struct store_word *w = make_word(STORE_CHANGE, 0);

    w->change = *c;
    if (c->rescaled != NULL) {
        struct rescaled_operator *copy = mem_alloc(&w->mem, sizeof *copy * MAX(c->rescaled_count, 1u));
        memcpy(copy, c->rescaled, sizeof *copy * c->rescaled_count);
        w->change.rescaled = copy;
    }
    send(s, w);
}

/* --- room in the queue ---------------------------------------------------------------------------------------------------- */
static bool remember_waiting(struct snapshot_store *s, struct sys_parker *waiting)
{
    for (uint32_t i = 0; i < s->waiting_count; i++)
        if (s->waiting[i] == waiting) return true;
    if (s->waiting_count == STORE_WAITING_MAX) return false;
    s->waiting[s->waiting_count++] = waiting;
    return true;
}

/* Something always fits when nothing is under way; so does what nobody could be woken for. */
static bool take_room(struct snapshot_store *s, size_t size, struct sys_parker *waiting)
{
    uint64_t max = s->o.queue_max > 0 ? s->o.queue_max : QUEUE_BYTES;
    bool has_room = true;

    sys_lock_take(s->lock);
    if (s->queued > 0 && s->queued + size > max && waiting != NULL) has_room = !remember_waiting(s, waiting);
    if (has_room) s->queued += size;
    sys_lock_give(s->lock);
    return has_room;
}

static void give_room(struct snapshot_store *s, size_t size)
{
    sys_lock_take(s->lock);
    ASSERT(s->queued >= size);
    s->queued -= size;
    for (uint32_t i = 0; i < s->waiting_count; i++) sys_unpark(s->o.sys, s->waiting[i]);
    s->waiting_count = 0;
    sys_lock_give(s->lock);
}

void snapshot_store_forget_waiting(struct snapshot_store *s)
{
    sys_lock_take(s->lock);
    s->waiting_count = 0;
    sys_lock_give(s->lock);
}

static const char *copy_bytes(struct store_word *w, const char *bytes, size_t size)
{
    char *copy = mem_alloc(&w->mem, size + 1);

    memcpy(copy, bytes, size);
    return copy;
}

enum status snapshot_store_chunk(struct snapshot_store *s, const struct snapshot_place *where, struct buf *bytes,
                                 struct sys_parker *waiting)
{
    ASSERT(bytes->size > 0 && snapshot_id_is_valid(where->uid));
    if (!take_room(s, bytes->size, waiting)) return S_PENDING;
    struct store_word *w = make_word(STORE_CHUNK, where->checkpoint);
    w->draft_size = bytes->size;
    w->chunk = (struct stored_chunk){.subtask = where->subtask,
                                     .number = where->number,
                                     .handle = {.bytes = buf_give(bytes, &w->mem), .part = where->part}};
    memcpy(w->chunk.id, where->uid, sizeof w->chunk.id);
    send(s, w);
    return S_OK;
}

void snapshot_store_placed(struct snapshot_store *s, const struct snapshot_place *where, const struct snapshot_handle *handle)
{
    struct store_word *w = make_word(STORE_CHUNK, where->checkpoint);

    ASSERT(snapshot_id_is_valid(where->uid));
    w->is_placed = true;
    w->chunk = (struct stored_chunk){.subtask = where->subtask, .number = where->number, .handle = *handle};
    memcpy(w->chunk.id, where->uid, sizeof w->chunk.id);
    if (handle->path != NULL) w->chunk.handle.path = copy_bytes(w, handle->path, strlen(handle->path) + 1);
    else w->chunk.handle.bytes.data = copy_bytes(w, handle->bytes.data, handle->bytes.size);
    send(s, w);
}

/* --- the helper ----------------------------------------------------------------------------------------------------------- */
static struct snapshot_answer *make_answer(enum snapshot_verb verb, int64_t checkpoint)
{
    struct mem mem;
    mem_init(&mem, "answer", 0);
    struct snapshot_answer *a = mem_zalloc(&mem, sizeof *a);

    mem_init(&a->mem, "answer", 0);
    mem_move(&mem, &a->mem);
    a->verb = verb;
    a->checkpoint = checkpoint;
    return a;
}

void snapshot_answer_free(struct snapshot_answer *a)
{
    struct mem mem;

    mem_init(&mem, "answer", 0);
    mem_move(&a->mem, &mem);
    mem_release(&mem);
}

static struct store_entry **find(struct snapshot_store *s, int64_t id)
{
    struct store_entry **at = &s->entries;

    while (*at != NULL && (*at)->id != id) at = &(*at)->next;
    return at;
}

static struct store_entry *take_out(struct snapshot_store *s, int64_t id)
{
    struct store_entry **at = find(s, id), *x = *at;

    if (x != NULL) *at = x->next;
    return x;
}

static void keep_chunk(struct store_entry *x, const struct stored_chunk *chunk)
{
    if (x->chunk_count == x->chunk_capacity) {
        x->chunk_capacity = MAX(16, 2 * x->chunk_capacity);
        x->chunks = mem_realloc(&x->mem, x->chunks, sizeof *x->chunks * x->chunk_capacity);
    }
    x->chunks[x->chunk_count++] = *chunk;
    x->bytes += chunk->handle.size;
}

/* Where it lies if it becomes a file. */
static void chunk_name(struct snapshot_store *s, struct store_word *w)
{
    struct store_entry *x = w->entry;
    struct stored_chunk *c = &w->chunk;

    if (c->handle.part > 0) {
        c->handle.path = store_part_add(s, x->id, &x->arena, &w->path);
    } else {
        c->handle.path = arena_printf(&x->arena, "%s-%u-%u", c->id, c->subtask, c->number);
        w->path = arena_printf(&x->arena, "%s/%s", x->path, c->handle.path);
    }
}

static void keep_placed(struct store_entry *x, struct stored_chunk *c)
{
    struct snapshot_handle *h = &c->handle;

    if (h->path != NULL) h->path = arena_strdup(&x->arena, h->path);
    else h->bytes.data = arena_strndup(&x->arena, h->bytes.data, h->bytes.size);
    keep_chunk(x, c);
}

static void chunk_failed(struct snapshot_store *s, struct store_entry *x, const struct store_word *w)
{
    bool is_news = x->err.status == S_OK && !x->is_over;

    if (x->err.status == S_OK) x->err = w->err;
    if (!is_news) return;
    struct snapshot_answer *a = make_answer(STORE_CHUNK, x->id);
    a->status = w->status;
    a->err = w->err;
    s->o.answer(s->o.arg, a);
}

static void on_written(struct snapshot_store *s, struct store_word *w)
{
    struct store_entry *x = w->entry;
    struct snapshot_handle *h = &w->chunk.handle;

    x->under_way--;
    if (w->status != S_OK) {
        chunk_failed(s, x, w);
    } else {
        if (h->path == NULL) h->bytes.data = memcpy(arena_alloc(&x->arena, h->size + 1), h->bytes.data, h->size);
        keep_chunk(x, &w->chunk);
        sys_crash_point(s->o.sys, CRASH_C7);
    }
    give_room(s, w->draft_size);
}

/* True: a writer has it. */
static bool on_chunk(struct snapshot_store *s, struct store_word *w)
{
    struct store_entry *x = *find(s, w->checkpoint);

    if (w->is_placed) {
        if (x != NULL) keep_placed(x, &w->chunk);
        return false;
    }
    if (x == NULL || x->err.status != S_OK) {
        give_room(s, w->draft_size);
        return false;
    }
    w->entry = x;
    x->under_way++;
    bool is_small = store_is_inline(s, w->draft_size);
    if (!is_small) chunk_name(s, w);
    if (!is_small && store_writers_take(s, w)) return true;
    store_write(s, w);
    on_written(s, w);
    return false;
}

/* Until all chunks of the entry are where they go; what else comes waits. */
static void chunks_await(struct snapshot_store *s, struct store_entry *x)
{
    while (x->under_way > 0) {
        struct store_word *w = sys_mailbox_take(s->o.sys, s->words, INT64_MAX);
        if (w->verb == STORE_WRITTEN) {
            store_writers_back(s, w);
            on_written(s, w);
            free_word(w);
            continue;
        }
        w->next = NULL;
        *s->deferred_end = w;
        s->deferred_end = &w->next;
    }
}

static struct store_word *word_next(struct snapshot_store *s, int64_t timeout_ns)
{
    struct store_word *w = s->deferred;

    if (w == NULL) return sys_mailbox_take(s->o.sys, s->words, timeout_ns);
    s->deferred = w->next;
    if (s->deferred == NULL) s->deferred_end = &s->deferred;
    return w;
}

static void on_finish(struct snapshot_store *s, struct store_word *w)
{
    struct snapshot_answer *a = make_answer(STORE_FINISH, w->checkpoint);
    struct store_entry *x = take_out(s, w->checkpoint);

    ASSERT(x != NULL); /* opened, and not aborted: from then on it is ours */
    chunks_await(s, x);
    a->written = x->bytes;
    a->status = store_finish(s, x, w->order, a);
    if (a->status != S_OK && a->status != E_UNKNOWN) store_delete_folder(s, x->fs, x->path);
    a->ids_end = s->record.next_checkpoint;
    snapshot_order_free(w->order);
    free_entry(x);
    s->o.answer(s->o.arg, a);
}

static void on_abort(struct snapshot_store *s, int64_t checkpoint)
{
    struct store_entry *x = take_out(s, checkpoint);

    if (x == NULL) return;
    x->is_over = true;
    chunks_await(s, x);
    if (x->bytes > 0 || x->err.status != S_OK) store_delete_folder(s, x->fs, x->path); /* its parts go later, unless nobody comes */
    free_entry(x);
}

static void on_change(struct snapshot_store *s, const struct store_word *w)
{
    struct snapshot_answer *a = make_answer(STORE_CHANGE, 0);

    a->status = store_change(s, &w->change, a);
    a->ids_end = s->record.next_checkpoint;
    s->o.answer(s->o.arg, a);
}

static enum status mark(struct snapshot_store *s, const struct store_word *w, struct snapshot_answer *a)
{
    const struct fs_type *fs;
    const char *folder;
    struct buf path, text;

    TRY(fs_find(w->folder, &fs, &folder, &a->err));
    buf_init(&path, &a->mem);
    buf_init(&text, &a->mem);
    buf_printf(&path, "%s/" SNAPSHOT_COMMITTED, folder);
    buf_printf(&text, "%lld\n", (long long)w->checkpoint);
    return store_publish(s, fs, buf_text(&path), (struct str){text.data, text.size}, &a->err);
}

static void on_mark(struct snapshot_store *s, const struct store_word *w)
{
    struct snapshot_answer *a = make_answer(STORE_MARK, w->checkpoint);

    a->status = mark(s, w, a);
    a->ids_end = s->record.next_checkpoint;
    s->o.answer(s->o.arg, a);
}

/* False: it was the last word. */
static bool obey(struct snapshot_store *s, struct store_word *w)
{
    bool goes_on = w->verb != STORE_CLOSE, is_taken = false;

    switch (w->verb) {
    case STORE_OPEN:
        w->entry->next = s->entries;
        s->entries = w->entry;
        if (s->first_opened == 0 && w->entry->kind == SNAPSHOT_CHECKPOINT) s->first_opened = w->entry->id;
        break;
    case STORE_CHUNK: is_taken = on_chunk(s, w); break;
    case STORE_WRITTEN:
        store_writers_back(s, w);
        on_written(s, w);
        break;
    case STORE_FINISH: on_finish(s, w); break;
    case STORE_ABORT: on_abort(s, w->checkpoint); break;
    case STORE_CHANGE: on_change(s, w); break;
    case STORE_MARK: on_mark(s, w); break;
    case STORE_SWEEP: store_sweep(s); break;
    case STORE_CLOSE:
        for (struct store_entry *x = s->entries; x != NULL; x = x->next) chunks_await(s, x);
        break;
    }
    if (!is_taken) free_word(w);
    return goes_on;
}

static void helper_main(void *arg)
{
    struct snapshot_store *s = arg;

    while (obey(s, word_next(s, INT64_MAX))) {
    }
}

void snapshot_store_run(struct snapshot_store *s)
{
    struct store_word *w;

    if (s->thread != NULL) return;
    while ((w = word_next(s, 0)) != NULL) (void)obey(s, w);
}

enum status snapshot_store_create(const struct snapshot_store_options *o, struct snapshot_store **out, struct err *e)
{
    struct mem mem;
    mem_init(&mem, "snapshots", 0);
    struct snapshot_store *s = mem_zalloc(&mem, sizeof *s);

    ASSERT(o->record->version > 0 && o->retained_max > 0 && o->answer != NULL);
    mem_init(&s->mem, "snapshots", 0);
    mem_move(&mem, &s->mem);
    s->o = *o;
    s->words = sys_mailbox_create(o->sys);
    s->deferred_end = &s->deferred;
    s->lock = sys_lock_create(o->sys);
    s->parker = sys_parker_create(o->sys);
    mem_init(&s->record_mems[0], "record", 0);
    mem_init(&s->record_mems[1], "record", 0);
    store_copy_record(s, o->record);
    send(s, make_word(STORE_SWEEP, 0));
    *out = s;
    enum status st = o->has_thread ? sys_thread_start(o->sys, "snapshots", helper_main, s, &s->thread, e) : S_OK;
    if (st == S_OK) return S_OK;
    snapshot_store_free(s);
    *out = NULL;
    return st;
}

void snapshot_store_free(struct snapshot_store *s)
{
    struct mem mem;

    if (s == NULL) return;
    sys_atomic_store(&s->is_closing, 1);
    sys_unpark(s->o.sys, s->parker);
    send(s, make_word(STORE_CLOSE, 0));
    if (s->thread != NULL)
        sys_thread_join(s->o.sys, s->thread);
    else
        snapshot_store_run(s);
    store_writers_free(s);
    while (s->entries != NULL) {
        struct store_entry *x = s->entries;
        s->entries = x->next;
        free_entry(x);
    }
    sys_mailbox_free(s->o.sys, s->words);
    sys_parker_free(s->o.sys, s->parker);
    sys_lock_free(s->o.sys, s->lock);
    store_parts_free(s);
    mem_release(&s->record_mems[0]);
    mem_release(&s->record_mems[1]);
    mem_init(&mem, "snapshots", 0);
    mem_move(&s->mem, &mem);
    mem_release(&mem);
}
