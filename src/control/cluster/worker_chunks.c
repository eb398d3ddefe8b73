/* worker_chunks.c - see worker_chunks.h.
 *
 * Words are served in the order in which they came. One of a checkpoint that this worker was not told of yet (its barrier came through
 * another worker, and was faster) waits until it is. As many bytes may be under way as in snapshot_store.c; who comes then is woken later.
 * A chunk that cannot be written declines the checkpoint for its task, whose acknowledgement is then swallowed. Nothing is deleted here:
 * what an aborted checkpoint leaves the job master sweeps. */
#include "control/cluster/worker_chunks.h"

#include "flow/state/snapshot.h"
#include "ground/fs/fs.h"
#include "ground/sys/sys_crash.h"

#include <string.h>

enum { QUEUE_BYTES = 64 * 1024 * 1024, WAITING_MAX = 256, PUBLISH_TRIES = 3 };

enum word_kind { WORD_BEGIN, WORD_CHUNK, WORD_ACKNOWLEDGE, WORD_DECLINE, WORD_WANTS, WORD_COMMITTED, WORD_CLOSE };

struct word {
    struct word *next; /* of those that wait */
    struct mem mem;
    enum word_kind kind;
    int64_t checkpoint;
    const char *folder; /* BEGIN */
    struct chunk_message chunk; /* CHUNK: bytes are a draft until the helper has packed it */
    uint64_t draft_size;
    struct acknowledge_message ack;
    struct decline_message decline;
    struct wants_message wants;
    struct committed_message committed;
};

struct worker_chunks {
    struct mem mem;
    struct worker_chunks_options o;
    struct snapshot_port port;
    struct sys_mailbox *words;
    struct sys_thread *thread;
    struct sys_lock *lock; /* of what follows */
    uint64_t queued;
    struct sys_parker *waiting[WAITING_MAX];
    uint32_t waiting_count;
    /* the helper's */
    int64_t begun; /* the highest checkpoint that it was told of */
    struct word *early, **early_end;
    struct folder {
        int64_t checkpoint;
        struct mem mem;
        const struct fs_type *fs;
        const char *path;
    } folders[8]; /* the latest ones */
    uint32_t folder_at;
    int64_t failed; /* the checkpoint of which a chunk could not be written; 0: none */
    uint32_t failed_vertex, failed_subtask;
};

static struct word *make_word(enum word_kind kind, int64_t checkpoint)
{
    struct mem mem;
    mem_init(&mem, "chunk", 0);
    struct word *w = mem_zalloc(&mem, sizeof *w);

    mem_init(&w->mem, "chunk", 0);
    mem_move(&mem, &w->mem);
    w->kind = kind;
    w->checkpoint = checkpoint;
    return w;
}

static void free_word(struct word *w)
{
    struct mem mem;

    mem_init(&mem, "chunk", 0);
    mem_move(&w->mem, &mem);
    mem_release(&mem);
}

static const char *copy(struct word *w, const char *bytes, size_t size)
{
    char *to = mem_alloc(&w->mem, size + 1);

    memcpy(to, bytes, size);
    to[size] = '\0';
    return to;
}

static void send(struct worker_chunks *w, struct word *word) { sys_mailbox_send(w->o.sys, w->words, word); }

/* --- the port: tasks' threads ------------------------------------------------------------------------------------------------------ */
static bool take_room(struct worker_chunks *w, size_t size, struct sys_parker *waiting)
{
    bool has_room = true, is_known = false;

    sys_lock_take(w->lock);
    if (w->queued > 0 && w->queued + size > QUEUE_BYTES && waiting != NULL) {
        for (uint32_t i = 0; i < w->waiting_count; i++) is_known |= w->waiting[i] == waiting;
        has_room = !is_known && w->waiting_count == WAITING_MAX; /* nobody could wake it */
        if (!is_known && !has_room) w->waiting[w->waiting_count++] = waiting;
    }
    if (has_room) w->queued += size;
    sys_lock_give(w->lock);
    return has_room;
}

static void give_room(struct worker_chunks *w, size_t size)
{
    sys_lock_take(w->lock);
    w->queued -= size;
    for (uint32_t i = 0; i < w->waiting_count; i++) sys_unpark(w->o.sys, w->waiting[i]);
    w->waiting_count = 0;
    sys_lock_give(w->lock);
}

static enum status port_chunk(void *arg, const struct snapshot_place *where, struct buf *bytes, struct sys_parker *waiting)
{
    struct worker_chunks *w = arg;

    if (!take_room(w, bytes->size, waiting)) return S_PENDING;
    struct word *word = make_word(WORD_CHUNK, where->checkpoint);
    word->chunk = (struct chunk_message){.checkpoint = where->checkpoint,
                                         .uid = copy(word, where->uid, strlen(where->uid)),
                                         .vertex = where->vertex,
                                         .subtask = where->subtask,
                                         .number = where->number};
    word->draft_size = bytes->size;
    word->chunk.bytes = buf_give(bytes, &word->mem);
    send(w, word);
    return S_OK;
}

static void port_acknowledge(void *arg, const struct snapshot_ack *ack)
{
    struct word *word = make_word(WORD_ACKNOWLEDGE, ack->checkpoint);
    struct node_message *nodes = mem_zalloc(&word->mem, sizeof *nodes * (ack->node_count + 1));

    for (uint32_t i = 0; i < ack->node_count; i++) {
        const struct node_snapshot *n = &ack->nodes[i];
        nodes[i] = (struct node_message){.uid = copy(word, n->uid, strlen(n->uid)),
                                         .watermark = n->watermark,
                                         .sent_watermark = n->sent_watermark,
                                         .is_idle = n->is_idle,
                                         .chunks = n->chunks,
                                         .is_finished = n->is_finished};
        if (n->committables.size > 0)
            nodes[i].committables = (struct str){copy(word, n->committables.data, n->committables.size), n->committables.size};
    }
    word->ack = (struct acknowledge_message){ack->checkpoint, ack->vertex, ack->subtask, ack->bytes, ack->aligned_ns,
                                             ack->held_ns, ack->saved_ns, nodes, ack->node_count};
    send(arg, word);
}

static void port_decline(void *arg, int64_t checkpoint, uint32_t vertex, uint32_t subtask, const struct err *why)
{
    struct word *word = make_word(WORD_DECLINE, checkpoint);

    word->decline = (struct decline_message){checkpoint, vertex, subtask, *why};
    send(arg, word);
}

static void port_wants(void *arg, uint32_t vertex, uint32_t subtask)
{
    struct word *word = make_word(WORD_WANTS, 0);

    word->wants = (struct wants_message){vertex, subtask};
    send(arg, word);
}

static void port_committed(void *arg, int64_t checkpoint, uint32_t vertex, uint32_t subtask)
{
    struct word *word = make_word(WORD_COMMITTED, checkpoint);

    word->committed = (struct committed_message){checkpoint, vertex, subtask};
    send(arg, word);
}

void worker_chunks_begin(struct worker_chunks *w, int64_t checkpoint, const char *folder)
{
    struct word *word = make_word(WORD_BEGIN, checkpoint);

    if (folder != NULL) word->folder = copy(word, folder, strlen(folder));
    send(w, word);
}

/* --- the helper -------------------------------------------------------------------------------------------------------------------- */
static enum status find_folder(struct worker_chunks *w, int64_t checkpoint, struct folder **out, struct err *e)
{
    for (uint32_t i = 0; i < COUNT_OF(w->folders); i++)
        if (w->folders[i].checkpoint == checkpoint) {
            *out = &w->folders[i];
            return S_OK;
        }
    return err_set(e, E_CANCELED, "checkpoint %lld is long over", (long long)checkpoint);
}

/* A folder that cannot be found has no path: its chunks fail. */
static void keep_folder(struct worker_chunks *w, const struct word *word)
{
    struct folder *f = &w->folders[w->folder_at++ % COUNT_OF(w->folders)];
    struct buf uri;
    const char *path;

    mem_release(&f->mem);
    mem_init(&f->mem, "folder", 0);
    buf_init(&uri, &f->mem);
    if (word->folder != NULL) buf_append_text(&uri, word->folder);
    else buf_printf(&uri, "%s/chk-%lld", w->o.uri, (long long)word->checkpoint);
    f->checkpoint = word->checkpoint;
    f->path = fs_find(buf_text(&uri), &f->fs, &path, NULL) == S_OK ? path : NULL;
    w->begun = MAX(w->begun, word->checkpoint);
}

static enum status publish(struct worker_chunks *w, const struct folder *f, const char *name, struct str bytes, struct err *e)
{
    struct mem mem;
    struct buf path;
    enum status st = E_UNKNOWN;

    mem_init(&mem, "path", 0);
    buf_init(&path, &mem);
    buf_printf(&path, "%s/%s", f->path, name);
    for (int i = 0; i < PUBLISH_TRIES && st == E_UNKNOWN; i++) {
        enum fs_outcome outcome;
        err_clear(e);
        st = f->fs->publish(w->o.sys, buf_text(&path), bytes, false, &outcome, e);
    }
    mem_release(&mem);
    return st;
}

static enum status store(struct worker_chunks *w, struct word *word, struct err *e)
{
    struct chunk_message *m = &word->chunk;
    struct folder *f = NULL;
    struct buf name, space;

    buf_init(&space, &word->mem);
    m->bytes = state_chunk_finish(m->bytes, &space);
    m->size = m->bytes.size;
    m->digest = hash64(m->bytes.data, m->size);
    if (m->size <= w->o.inline_max && m->size <= SNAPSHOT_INLINE_MAX) return S_OK;
    TRY(find_folder(w, m->checkpoint, &f, e));
    if (f->path == NULL) return err_set(e, E_CONFIG, "there is no such folder");
    buf_init(&name, &word->mem);
    buf_printf(&name, "%s-%u-%u", m->uid, m->subtask, m->number);
    m->path = buf_text(&name);
    TRY(publish(w, f, m->path, m->bytes, e));
    sys_crash_point(w->o.sys, CRASH_C7);
    m->bytes = (struct str){0};
    return S_OK;
}

static void on_chunk(struct worker_chunks *w, struct word *word)
{
    struct decline_message no = {word->checkpoint, word->chunk.vertex, word->chunk.subtask, {0}};
    bool is_failed = w->failed == word->checkpoint && w->failed_vertex == no.vertex && w->failed_subtask == no.subtask;

    if (is_failed) {
    } else if (store(w, word, &no.err) == S_OK) {
        w->o.say(w->o.arg, MESSAGE_CHUNK, &word->chunk);
    } else {
        err_set(&no.err, E_IO, "a chunk of state could not be written");
        w->failed = word->checkpoint;
        w->failed_vertex = no.vertex;
        w->failed_subtask = no.subtask;
        w->o.say(w->o.arg, MESSAGE_DECLINE, &no);
    }
    give_room(w, word->draft_size);
}

static void on_acknowledge(struct worker_chunks *w, const struct word *word)
{
    const struct acknowledge_message *m = &word->ack;

    if (w->failed == m->checkpoint && w->failed_vertex == m->vertex && w->failed_subtask == m->subtask) return;
    w->o.say(w->o.arg, MESSAGE_ACKNOWLEDGE, m);
}

static void serve(struct worker_chunks *w, struct word *word)
{
    switch (word->kind) {
    case WORD_BEGIN: keep_folder(w, word); break;
    case WORD_CHUNK: on_chunk(w, word); break;
    case WORD_ACKNOWLEDGE: on_acknowledge(w, word); break;
    case WORD_DECLINE: w->o.say(w->o.arg, MESSAGE_DECLINE, &word->decline); break;
    case WORD_WANTS: w->o.say(w->o.arg, MESSAGE_WANTS, &word->wants); break;
    case WORD_COMMITTED: w->o.say(w->o.arg, MESSAGE_COMMITTED, &word->committed); break;
    case WORD_CLOSE: break;
    }
    free_word(word);
}

static void serve_early(struct worker_chunks *w)
{
    while (w->early != NULL && w->early->checkpoint <= w->begun) {
        struct word *word = w->early;
        w->early = word->next;
        if (w->early == NULL) w->early_end = &w->early;
        serve(w, word);
    }
}

static void helper_main(void *arg)
{
    struct worker_chunks *w = arg;

    for (bool goes_on = true; goes_on;) {
        struct word *word = sys_mailbox_take(w->o.sys, w->words, INT64_MAX);
        bool is_early = word->kind == WORD_CHUNK || word->kind == WORD_ACKNOWLEDGE;
        goes_on = word->kind != WORD_CLOSE;
        if (is_early && (w->early != NULL || word->checkpoint > w->begun)) {
            *w->early_end = word;
            w->early_end = &word->next;
        } else {
            serve(w, word);
            serve_early(w);
        }
    }
}

enum status worker_chunks_create(const struct worker_chunks_options *o, struct worker_chunks **out, struct err *e)
{
    struct mem mem;
    mem_init(&mem, "chunks", 0);
    struct worker_chunks *w = mem_zalloc(&mem, sizeof *w);

    mem_init(&w->mem, "chunks", 0);
    mem_move(&mem, &w->mem);
    w->o = *o;
    w->port = (struct snapshot_port){.chunk = port_chunk, .acknowledge = port_acknowledge, .decline = port_decline, .wants = port_wants, .committed = port_committed, .arg = w};
    w->early_end = &w->early;
    for (uint32_t i = 0; i < COUNT_OF(w->folders); i++) mem_init(&w->folders[i].mem, "folder", 0);
    w->words = sys_mailbox_create(o->sys);
    w->lock = sys_lock_create(o->sys);
    *out = w;
    enum status st = sys_thread_start(o->sys, "chunks", helper_main, w, &w->thread, e);
    if (st == S_OK) return S_OK;
    worker_chunks_free(w);
    *out = NULL;
    return st;
}

void worker_chunks_free(struct worker_chunks *w)
{
    struct mem mem;

    if (w == NULL) return;
    if (w->thread != NULL) {
        send(w, make_word(WORD_CLOSE, 0));
        sys_thread_join(w->o.sys, w->thread);
    }
    while (w->early != NULL) {
        struct word *word = w->early;
        w->early = word->next;
        free_word(word);
    }
    for (uint32_t i = 0; i < COUNT_OF(w->folders); i++) mem_release(&w->folders[i].mem);
    sys_mailbox_free(w->o.sys, w->words);
    sys_lock_free(w->o.sys, w->lock);
    mem_init(&mem, "chunks", 0);
    mem_move(&w->mem, &mem);
    mem_release(&mem);
}

const struct snapshot_port *worker_chunks_port(struct worker_chunks *w) { return &w->port; }
