/* enumerator.c - sharing an enumerator among the threads of a job.
 *
 * It outlives the subtask that happened to open it: a subtask may be through before another begins, and must not make the
 * second one start over. So its memory is its own, and it is closed when the job's shared objects end. The options it was
 * opened with and the operator's configuration belong to the job's plan, which outlives them.
 *
 * Of a job in several processes one of them has the enumerator that hands out (job_far.owner); subtasks elsewhere ask it by words, through
 * an enumerator of their own process that keeps what was taken and what was left, and hands out nothing. */
#include "flow/source/enumerator.h"

#include "flow/task/job_far.h"
#include "flow/task/job_shared.h"
#include "ground/base/map.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { OTHERS_MS = 10 };

enum far_state { FAR_NOT_ASKED, FAR_IS_ASKED, FAR_IS_ANSWERED };
struct far_ask {
    enum far_state state;
    enum status status;
    int64_t wake_ms;
    struct buf id, bytes;
    struct err err;
};

struct enumerator {
    const struct source_type *type;
    struct sys_lock *lock;
    struct mem mem;
    struct source_cx cx;
    struct op_cx op;    /* what the hooks may look at: no ports, no state */
    struct err err;
    void *self;
    struct metric *backlog; /* NULL without a job */
    bool opened;
    enum status failure; /* of opening: everybody who asks gets it */
    struct map taken;    /* ids of splits that are not handed out, to &open, &finished, or &passed: open, and its turn is over */
    char open, finished, passed;
    bool is_admitted;    /* those in other processes may ask */
    struct far_ask *far; /* [subtask] what was asked elsewhere; NULL: nothing was */
    uint32_t far_count;
    struct buf estate;   /* ids that subtasks left: the last checkpoint that the subtask saw, the id, a NUL */
};

static void enumerator_end(void *object)
{
    struct enumerator *en = object;

    if (en->opened && en->type->enumerator_close != NULL) en->type->enumerator_close(&en->cx, en->self);
    sys_lock_free(en->cx.sys, en->lock);
    mem_release(&en->mem);
}

static void enumerator_init(struct enumerator *en, const struct source_type *type, const struct source_cx *cx)
{
    en->type = type;
    en->lock = sys_lock_create(cx->sys);
    mem_init(&en->mem, "enumerator", 0);
    en->cx = *cx;
    en->op = (struct op_cx){.type = cx->op->type,
                            .config = cx->op->config,
                            .name = cx->op->name,
                            .uid = cx->op->uid,
                            .parallelism = cx->parallelism,
                            .max_parallelism = cx->op->max_parallelism,
                            .attempt = cx->op->attempt,
                            .mem = &en->mem,
                            .sys = cx->sys,
                            .log = cx->op->log,
                            .err = &en->err,
                            .task_name = cx->op->task_name,
                            .task_variables = cx->op->task_variables,
                            .user_variables = cx->op->user_variables,
                            .job = cx->op->job,
                            .watermark = TIME_MIN};
    en->cx.op = &en->op;
    en->cx.mem = &en->mem;
    en->cx.err = &en->err;
    en->cx.needed = NULL;
    en->cx.dead_letter = NULL;
    map_init(&en->taken, &en->mem);
    buf_init(&en->estate, &en->mem);
    en->self = mem_zalloc(&en->mem, type->enumerator_size + 1);
}

struct enumerator *enumerator_join(const struct source_type *type, const struct source_cx *cx)
{
    const struct op_cx *op = cx->op;
    struct enumerator *en;
    bool made = true;
    char key[300];

    ASSERT(type->enumerator_next != NULL);
    if (op->job == NULL) {
        en = mem_zalloc(cx->mem, sizeof *en);
        enumerator_init(en, type, cx);
        return en;
    }
    snprintf(key, sizeof key, "enumerator/%s", op->uid != NULL ? op->uid : op->name);
    job_lock(op->job);
    en = job_object(op->job, key, sizeof *en, enumerator_end, &made);
    if (made) enumerator_init(en, type, cx);
    job_unlock(op->job);
    ASSERT(en->type == type); /* two sources of one uid are refused when the graph is made */
    return en;
}

/* Whether the source is behind, as everybody can read it. */
static void backlog_open(struct enumerator *en)
{
    const struct op_cx *op = &en->op;
    struct metric_owner owner = job_metric_owner(op);
    struct err e = {0};

    if (op->job != NULL)
        en->backlog =
            metrics_get(job_metrics(op->job), &owner, "enumerator.isProcessingBacklog", METRIC_GAUGE, &e);
}

static void backlog_tell(struct enumerator *en)
{
    if (en->backlog != NULL) metric_set(en->backlog, en->cx.is_backlog);
}

void enumerator_use(struct enumerator *en, uint32_t parallelism)
{
    sys_lock_take(en->lock);
    ASSERT(!en->opened || en->cx.parallelism == parallelism);
    en->cx.parallelism = en->op.parallelism = parallelism;
    sys_lock_give(en->lock);
}

bool enumerator_taken(struct enumerator *en, struct str id, bool is_open)
{
    sys_lock_take(en->lock);
    bool is_new = map_get(&en->taken, id) == NULL; /* others may have got further with it since */
    if (is_new) map_set(&en->taken, id, is_open ? &en->open : &en->finished);
    sys_lock_give(en->lock);
    return is_new;
}

static void keep_left(struct enumerator *en, struct str id, int64_t seen)
{
    sys_lock_take(en->lock);
    buf_append(&en->estate, &seen, sizeof seen);
    buf_append(&en->estate, id.data, id.size);
    buf_append_byte(&en->estate, '\0');
    sys_lock_give(en->lock);
}

static const struct job_far *far_of(const struct enumerator *en) { return en->op.job != NULL ? job_far(en->op.job) : NULL; }
static const char *key_of(const struct enumerator *en) { return en->op.uid != NULL ? en->op.uid : en->op.name; }

static void tell_left(struct enumerator *en, struct str id, int64_t seen)
{
    const struct job_far *far = far_of(en);
    struct buf text;

    buf_init(&text, en->op.mem);
    sys_lock_take(en->lock); /* of the memory */
    buf_append(&text, id.data, id.size);
    struct far_word w = {.verb = FAR_LEFT, .key = key_of(en), .text = buf_text(&text), .number = seen};
    far->send(far->arg, FAR_ALL, &w);
    buf_release(&text);
    sys_lock_give(en->lock);
}

/* Who takes the next checkpoint may be in another process: all of them have it then, which says the same. */
void enumerator_bequeath(struct enumerator *en, struct str id, int64_t seen)
{
    ASSERT(memchr(id.data, '\0', id.size) == NULL);
    keep_left(en, id, seen);
    if (far_of(en) != NULL) tell_left(en, id, seen);
}

/* The first that may be taken leaves the list. */
static bool inherit_one(struct buf *estate, int64_t checkpoint, struct buf *id)
{
    int64_t seen;

    for (size_t at = 0, size; at < estate->size; at += size) {
        char *entry = estate->data + at;
        memcpy(&seen, entry, sizeof seen);
        size = sizeof seen + strlen(entry + sizeof seen) + 1;
        if (seen >= checkpoint) continue;
        buf_append_text(id, entry + sizeof seen);
        memmove(entry, entry + size, estate->size - at - size);
        estate->size -= size;
        return true;
    }
    return false;
}

bool enumerator_inherit(struct enumerator *en, int64_t checkpoint, struct buf *id)
{
    buf_clear(id);
    sys_lock_take(en->lock);
    bool is_there = inherit_one(&en->estate, checkpoint, id);
    sys_lock_give(en->lock);
    return is_there;
}

static enum status enumerator_open(struct enumerator *en)
{
    if (en->opened) return en->failure;
    en->opened = true;
    backlog_open(en);
    if (en->type->enumerator_open != NULL) en->failure = en->type->enumerator_open(&en->cx, en->self);
    return en->failure;
}

/* Next split for one that nobody had in the checkpoint. */
static enum status next_new(struct enumerator *en, uint32_t subtask, struct arena *a, struct split *out)
{
    for (;;) {
        TRY(en->type->enumerator_next(&en->cx, en->self, subtask, a, out));
        const void *taken = map_get(&en->taken, str_of(out->id));
        if (taken == NULL) return S_OK;
        if (taken == &en->open) map_set(&en->taken, str_of(out->id), &en->passed);
        if (taken == &en->finished && en->type->enumerator_finished != NULL)
            en->type->enumerator_finished(&en->cx, en->self, out->id);
    }
}

/* Some enumerators hand out a split when one of the same place is finished. After a restore another subtask may have that one, and
 * then nobody tells who waits. */
static bool waits_for_others(const struct enumerator *en, const struct source_cx *asks)
{
    return en->taken.count > 0 || en->cx.parallelism != asks->parallelism;
}

/* There may be more or fewer subtasks now than the enumerator hands out to: each asks for those whose place it has. */
static enum status enumerator_next(struct enumerator *en, const struct source_cx *asks, struct arena *a, struct split *out)
{
    uint32_t places = en->cx.parallelism;
    int64_t wake_ms = INT64_MAX;
    enum status all = S_END;

    TRY(enumerator_open(en));
    for (uint32_t place = asks->subtask % places; place < places; place += asks->parallelism) {
        en->cx.wake_ms = INT64_MAX;
        enum status st = next_new(en, place, a, out);
        if (st == S_OK || st < 0) return st;
        if (st == S_IDLE) all = S_IDLE;
        wake_ms = MIN(wake_ms, en->cx.wake_ms);
    }
    en->cx.wake_ms = wake_ms == INT64_MAX && waits_for_others(en, asks) ? sys_wall_ms(asks->sys) + OTHERS_MS : wake_ms;
    return all;
}

/* --- in another process ----------------------------------------------------------------------------------------------------------- */
static bool is_elsewhere(const struct enumerator *en)
{
    const struct job_far *far = far_of(en);

    return far != NULL && far->owner(far->arg, key_of(en)) != far->self;
}

static void far_send(struct enumerator *en, struct far_word w)
{
    const struct job_far *far = far_of(en);

    w.key = key_of(en);
    far->send(far->arg, far->owner(far->arg, w.key), &w);
}

/* (its lock) */
static struct far_ask *far_place(struct enumerator *en, uint32_t subtask)
{
    if (subtask >= en->far_count) {
        en->far = mem_realloc(&en->mem, en->far, sizeof *en->far * (subtask + 1));
        for (; en->far_count <= subtask; en->far_count++) {
            struct far_ask *f = &en->far[en->far_count];
            memset(f, 0, sizeof *f);
            buf_init(&f->id, &en->mem);
            buf_init(&f->bytes, &en->mem);
        }
    }
    return &en->far[subtask];
}

static enum status far_take(struct far_ask *f, const struct source_cx *cx, struct arena *a, struct split *out, int64_t *wake_ms)
{
    f->state = FAR_NOT_ASKED;
    *wake_ms = f->wake_ms;
    if (f->status == S_OK)
        *out = (struct split){.id = arena_strdup(a, buf_text(&f->id)), .bytes = {arena_strndup(a, f->bytes.data, f->bytes.size), f->bytes.size}};
    if (f->status < 0) err_pass_on(cx->err, &f->err);
    return f->status;
}

/* The answer comes by and by: until then there is none. */
static enum status far_ask(struct enumerator *en, const struct source_cx *cx, struct arena *a, struct split *out, int64_t *wake_ms)
{
    enum status st = S_IDLE;

    sys_lock_take(en->lock);
    struct far_ask *f = far_place(en, cx->subtask);
    if (f->state == FAR_IS_ANSWERED) {
        st = far_take(f, cx, a, out, wake_ms);
    } else {
        if (f->state == FAR_NOT_ASKED) far_send(en, (struct far_word){.verb = FAR_ASK, .subtask = cx->subtask, .number = cx->parallelism});
        f->state = FAR_IS_ASKED;
        *wake_ms = sys_wall_ms(cx->sys) + 1;
    }
    sys_lock_give(en->lock);
    return st;
}

static void hear_answer(struct enumerator *en, const struct far_word *w)
{
    struct far_ask *f = far_place(en, w->subtask);

    if (f->state != FAR_IS_ASKED) return;
    f->state = FAR_IS_ANSWERED;
    f->status = w->status;
    f->wake_ms = w->wake_ms;
    buf_clear(&f->id);
    buf_clear(&f->bytes);
    if (w->text != NULL) buf_append_text(&f->id, w->text);
    if (w->bytes.size > 0) buf_append(&f->bytes, w->bytes.data, w->bytes.size);
    err_clear(&f->err);
    if (w->err != NULL) err_pass_on(&f->err, w->err);
}

static void finish_split(struct enumerator *en, const char *id);

/* NULL, or not admitted: its subtask here has not been opened yet. */
static void answer(struct job_shared *job, struct enumerator *en, uint32_t to, const struct far_word *asked, struct sys *sys)
{
    struct far_word w = {.verb = FAR_ANSWER, .key = asked->key, .subtask = asked->subtask, .status = S_IDLE};
    struct split split = {0};
    struct err e = {0};
    struct mem mem;
    struct arena a;
    struct source_cx asks = {.sys = sys, .subtask = asked->subtask, .parallelism = (uint32_t)asked->number, .err = &e};

    mem_init(&mem, "split", 0);
    arena_init(&a, &mem, 0);
    w.wake_ms = sys_wall_ms(sys) + OTHERS_MS;
    if (en != NULL && en->is_admitted && asked->number > 0 && asked->number <= SOURCE_SUBTASKS_MAX)
        w.status = enumerator_ask(en, &asks, &a, &split, &w.wake_ms);
    w.text = split.id;
    w.bytes = split.bytes;
    w.err = w.status < 0 ? &e : NULL;
    job_far(job)->send(job_far(job)->arg, to, &w);
    mem_release(&mem);
}

bool enumerator_hear(struct job_shared *job, uint32_t from, const struct far_word *w)
{
    char key[300];

    snprintf(key, sizeof key, "enumerator/%s", w->key);
    job_lock(job);
    struct enumerator *en = job_object_find(job, key);
    job_unlock(job);
    if (w->verb == FAR_ASK) answer(job, en, from, w, job_sys(job));
    if (en == NULL) return w->verb != FAR_LEFT; /* nobody here reads that source any more, or yet */
    if (w->verb == FAR_FINISHED) finish_split(en, w->text);
    if (w->verb == FAR_LEFT) keep_left(en, str_of(w->text), w->number);
    if (w->verb == FAR_ANSWER && w->subtask < SOURCE_SUBTASKS_MAX) {
        sys_lock_take(en->lock);
        hear_answer(en, w);
        sys_lock_give(en->lock);
    }
    return true;
}

void enumerator_admit(struct enumerator *en)
{
    sys_lock_take(en->lock);
    en->is_admitted = true;
    sys_lock_give(en->lock);
}

enum status enumerator_ask(struct enumerator *en, const struct source_cx *cx, struct arena *a, struct split *out,
                           int64_t *wake_ms)
{
    if (is_elsewhere(en)) return far_ask(en, cx, a, out, wake_ms);
    sys_lock_take(en->lock);
    enum status st = enumerator_next(en, cx, a, out);
    *wake_ms = en->cx.wake_ms;
    backlog_tell(en);
    if (st < 0) {
        err_set(cx->err, st, "%s", en->err.text);
        if (en->err.hint[0] != '\0') err_hint(cx->err, "%s", en->err.hint);
    }
    sys_lock_give(en->lock);
    return st;
}

static void finish_split(struct enumerator *en, const char *id)
{
    if (en->type->enumerator_finished == NULL) return;
    sys_lock_take(en->lock);
    if (map_get(&en->taken, str_of(id)) == &en->open) /* it does not know of it yet: it is told when it hands it out */
        map_set(&en->taken, str_of(id), &en->finished);
    else if (en->opened && en->failure == S_OK)
        en->type->enumerator_finished(&en->cx, en->self, id);
    backlog_tell(en);
    sys_lock_give(en->lock);
}

void enumerator_finished(struct enumerator *en, const struct source_cx *cx, const char *id)
{
    (void)cx;
    if (!is_elsewhere(en)) finish_split(en, id);
    else if (en->type->enumerator_finished != NULL) far_send(en, (struct far_word){.verb = FAR_FINISHED, .text = id});
}

void enumerator_leave(struct enumerator *en, const struct source_cx *cx)
{
    if (en == NULL || cx->op->job != NULL) return;
    enumerator_end(en);
    mem_free(cx->mem, en);
}
