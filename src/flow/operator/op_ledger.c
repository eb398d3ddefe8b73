/* op_ledger.c - rows as lines of text, each once whatever happens: the sink by which the simulator judges recovery.
 *
 * What came since the last checkpoint is a page. A page lies whole in the checkpoint's committables; when the checkpoint is complete it
 * is published under a name that holds operator, checkpoint and subtask, and a name that is taken is the same page. So pages in
 * the order of their names are the rows of each key in order, whichever subtasks had the key.
 *
 * Invariant: a page is in `pages` from prepare on until it is published. It does nothing without checkpoints but keep rows. */
#include "flow/operator/op_configs.h"
#include "ground/base/codec.h"
#include "ground/base/hash.h"
#include "ground/fs/fs.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 1024, PAGE_MAX = 1 << 28, PAUSE_MS = 1 };

struct ledger {
    struct buf lines; /* since the last checkpoint */
    struct buf pages; /* prepared: checkpoint, name, lines */
};

static enum status ledger_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct ledger_config *c = config;

    plan->output_count = 0;
    return c->folder != NULL ? S_OK : err_set(e, E_GRAPH, "a ledger needs a folder");
}

static enum status ledger_open(struct op_cx *cx, void *self)
{
    struct ledger *l = self;

    buf_init(&l->lines, cx->mem);
    buf_init(&l->pages, cx->mem);
    return S_OK;
}

static enum status ledger_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct ledger_config *c = cx->config;
    struct ledger *l = self;

    (void)input;
    BATCH_EACH(in, i, row)
    {
        if (c->identifier != NULL) buf_printf(&l->lines, "%s> ", c->identifier);
        batch_print_row(in, row, &l->lines);
        buf_append_byte(&l->lines, '\n');
    }
    return S_OK;
}

static enum status ledger_prepare(struct op_cx *cx, void *self, int64_t checkpoint, struct buf *committables)
{
    const struct ledger_config *c = cx->config;
    struct ledger *l = self;
    char name[NAME_MAX_BYTES];

    if (l->lines.size > 0) {
        int size = snprintf(name, sizeof name, "%s/%016llx-%016llx-%05u", c->folder,
                            (unsigned long long)hash64(cx->uid, strlen(cx->uid)), (unsigned long long)checkpoint,
                            cx->subtask);
        if (size < 0 || (size_t)size >= sizeof name) return err_set(cx->err, E_CONFIG, "the folder's name is too long");
        enc_u64(&l->pages, (uint64_t)checkpoint);
        enc_text(&l->pages, name);
        enc_str(&l->pages, (struct str){l->lines.data, l->lines.size});
        buf_clear(&l->lines);
    }
    buf_append(committables, l->pages.data, l->pages.size);
    return S_OK;
}

static enum status publish_page(struct op_cx *cx, struct str name, struct str lines)
{
    enum fs_outcome outcome;
    const struct fs_type *fs;
    const char *path;
    char text[NAME_MAX_BYTES];
    struct err problem = {0};

    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    TRY(fs_find(text, &fs, &path, cx->err));
    enum status st = fs->publish(cx->sys, path, lines, true, &outcome, &problem);
    if (st == S_OK) return S_OK; /* or it was there */
    if (st != E_UNKNOWN) return err_pass_on(cx->err, &problem);
    op_wake_at(cx, sys_wall_ms(cx->sys) + PAUSE_MS);
    return S_PENDING;
}

/* Publishes the pages up to that checkpoint, from *at on. */
static enum status publish_pages(struct op_cx *cx, struct str pages, int64_t checkpoint, size_t *at)
{
    while (*at < pages.size) {
        struct dec d;
        dec_init(&d, pages.data + *at, pages.size - *at);
        int64_t of = (int64_t)dec_u64(&d);
        struct str name = dec_str(&d, NAME_MAX_BYTES - 1), lines = dec_str(&d, PAGE_MAX);
        if (!dec_ok(&d)) return err_set(cx->err, E_DATA, "the pages of a ledger end in the middle of one");
        if (of > checkpoint) return S_OK;
        TRY(publish_page(cx, name, lines));
        *at = pages.size - dec_left(&d);
    }
    return S_OK;
}

static enum status ledger_on_complete(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct ledger *l = self;
    size_t at = 0;

    enum status st = publish_pages(cx, (struct str){l->pages.data, l->pages.size}, checkpoint, &at);
    if (at > 0) {
        memmove(l->pages.data, l->pages.data + at, l->pages.size - at);
        l->pages.size -= at;
    }
    return st;
}

static enum status ledger_recover(struct op_cx *cx, void *self, struct str committables)
{
    size_t at = 0;

    (void)self;
    return publish_pages(cx, committables, INT64_MAX, &at);
}

/* It ends with a checkpoint; without checkpoints there is nothing to do. */
static bool ledger_commits(const void *config)
{
    (void)config;
    return true;
}

static enum status ledger_commit(struct op_cx *cx, void *self)
{
    (void)cx;
    (void)self;
    return S_OK;
}

static void ledger_close(struct op_cx *cx, void *self, bool failed)
{
    struct ledger *l = self;

    (void)cx;
    (void)failed;
    buf_release(&l->lines);
    buf_release(&l->pages);
}

const struct op_type op_ledger = {
    .name = "ledger",
    .doc = "lines of text, each once: what the simulator judges recovery by",
    .example = "tw_print(s), where the simulator runs the job with faults",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct ledger_config),
    .config_fields = ledger_config_fields,
    .instance_size = sizeof(struct ledger),
    .derive = ledger_derive,
    .open = ledger_open,
    .on_batch = ledger_on_batch,
    .prepare = ledger_prepare,
    .on_complete = ledger_on_complete,
    .recover = ledger_recover,
    .commits = ledger_commits,
    .commit = ledger_commit,
    .close = ledger_close,
};
