/* store_writers.c - chunks are packed and put into the storage, several at a time.
 *
 * The idea: a task hands over drafts as fast as it can make them; packing them takes a core, and writing waits for the disk. So the helper
 * deals them out to a few threads, which hand each chunk back as a word of its queue when it is durable. They start when the first chunk
 * comes that needs a file: most jobs have none. Without them (no threads, or none could be started) the helper does it by itself.
 *
 * Invariants: a writer touches the word that it was given, and nothing else; the entry of that word stays until it is back. Not here: which
 * checkpoint a chunk belongs to and what becomes of it (snapshot_store.c). */
#include "control/snapshot/store_internal.h"
#include "flow/state/snapshot.h"

enum { WRITERS_MIN = 2, WRITERS_MAX = 4 };

struct writer {
    struct snapshot_store *store;
    struct sys_mailbox *words;
    struct sys_thread *thread;
    uint32_t under_way; /* the helper's count */
};

struct store_writers {
    struct writer all[WRITERS_MAX];
    uint32_t count;
};

static enum status publish(struct snapshot_store *s, struct store_word *w)
{
    struct stored_chunk *c = &w->chunk;
    struct snapshot_handle *h = &c->handle;
    struct buf space;

    const char *draft = h->bytes.data;

    buf_init(&space, &w->mem);
    h->bytes = state_chunk_finish(h->bytes, &space);
    if (h->bytes.data != draft) mem_free(&w->mem, (void *)(uintptr_t)draft);
    h->size = h->bytes.size;
    h->digest = hash64(h->bytes.data, h->bytes.size);
    if (store_is_inline(s, h->size)) {
        h->path = NULL;
        return S_OK;
    }
    TRY(store_publish(s, w->entry->fs, w->path, h->bytes, &w->err));
    h->bytes = (struct str){0};
    return S_OK;
}

void store_write(struct snapshot_store *s, struct store_word *w) { w->status = publish(s, w); }

static void writer_main(void *arg)
{
    struct writer *me = arg;
    struct snapshot_store *s = me->store;
    struct store_word *w;

    while ((w = sys_mailbox_take(s->o.sys, me->words, INT64_MAX))->verb != STORE_CLOSE) {
        store_write(s, w);
        w->verb = STORE_WRITTEN;
        sys_mailbox_send(s->o.sys, s->words, w);
    }
}

static bool writer_start(struct snapshot_store *s, struct writer *me)
{
    *me = (struct writer){.store = s, .words = sys_mailbox_create(s->o.sys)};
    if (sys_thread_start(s->o.sys, "snapshot-writer", writer_main, me, &me->thread, NULL) == S_OK) return true;
    sys_mailbox_free(s->o.sys, me->words);
    return false;
}

static void writers_start(struct snapshot_store *s)
{
    uint32_t wanted = (uint32_t)MIN(MAX(sys_cpu_count(s->o.sys), WRITERS_MIN), WRITERS_MAX);

    s->writers = mem_zalloc(&s->mem, sizeof *s->writers);
    while (s->writers->count < wanted && writer_start(s, &s->writers->all[s->writers->count])) s->writers->count++;
}

bool store_writers_take(struct snapshot_store *s, struct store_word *w)
{
    struct writer *least;

    if (s->thread == NULL || !s->o.has_writers) return false;
    if (s->writers == NULL) writers_start(s);
    if (s->writers->count == 0) return false;
    least = &s->writers->all[0];
    for (uint32_t i = 1; i < s->writers->count; i++)
        if (s->writers->all[i].under_way < least->under_way) least = &s->writers->all[i];
    least->under_way++;
    w->writer = (uint32_t)(least - s->writers->all);
    sys_mailbox_send(s->o.sys, least->words, w);
    return true;
}

void store_writers_back(struct snapshot_store *s, const struct store_word *w)
{
    if (s->writers != NULL && s->writers->count > 0) s->writers->all[w->writer].under_way--;
}

void store_writers_free(struct snapshot_store *s)
{
    struct store_word stop = {.verb = STORE_CLOSE};

    if (s->writers == NULL) return;
    for (uint32_t i = 0; i < s->writers->count; i++) {
        struct writer *me = &s->writers->all[i];
        sys_mailbox_send(s->o.sys, me->words, &stop);
        sys_thread_join(s->o.sys, me->thread);
        sys_mailbox_free(s->o.sys, me->words);
    }
    mem_free(&s->mem, s->writers);
    s->writers = NULL;
}
