/* remote_rows.c - see the header. Receivers are asked in turn, one batch of answers each; who has no room for a batch is not asked before
 * it has taken it. Where nothing comes it is asked again soon at first, then less and less often.
 *
 * The JobManager keeps what it gave until the next request says that it has come; an answer that was lost is given once more. */
#include "surface/cli/remote_rows.h"

#include "columns/column/batch_codec.h"
#include "flow/format/value_parse.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_PAUSE_MS = 2, LONGEST_PAUSE_MS = 100, FULL_PAUSE_MS = 5 };

struct taking {
    const struct remote_receiver *receiver;
    const struct type *row;
    char version[24];    /* "" at first */
    int64_t offset;      /* of the next batch that is wanted */
    char *answer;        /* NULL: nothing is left of the latest answer */
    struct str batches;  /* in it */
    size_t at;
    struct batch *batch; /* of which there was no room; NULL: none */
};

struct rows {
    struct cluster_client *c;
    const char *id;
    const struct api_remote_job *job;
    struct mem mem;
    struct arena types, arena; /* arena: of one answer */
    struct taking *list;
    struct job_totals totals;
    int64_t ticked_ns;
    bool is_over, has_moved, has_full;
};

static bool is_unwanted(const struct rows *r)
{
    if (r->c->stop != NULL && r->c->stop(r->c->stop_arg)) return true;
    return r->job->cancelled != NULL && sys_atomic_load(r->job->cancelled) != 0;
}

/* --- one batch ----------------------------------------------------------------------------------------------------- */
static const struct type *with_nulls(struct arena *a, const struct type *row)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, row->child_count + 1);

    for (uint32_t i = 0; i < row->child_count; i++) types[i] = type_with_null(a, row->children[i], true);
    return type_row(a, row->child_count, row->names, types, row->nullable);
}

static enum status decode(struct rows *r, const struct taking *t, struct str item, struct batch **out, struct err *e)
{
    struct str text = item.size >= 2 ? (struct str){item.data + 1, item.size - 2} : item;
    char *bytes = mem_alloc(&r->mem, text.size / 4 * 3 + 3);
    size_t size = 0;
    struct dec d;

    *out = batch_create(t->row, BATCH_ROWS, &r->mem);
    if (!base64_decode(text, bytes, &size)) {
        mem_free(&r->mem, bytes);
        return err_set(e, E_DATA, "the cluster gives rows that cannot be read");
    }
    dec_init(&d, bytes, size);
    enum status st = batch_decode(&d, *out, e);
    mem_free(&r->mem, bytes);
    return st;
}

/* S_FULL: it waits. */
static enum status give_one(struct rows *r, struct taking *t, struct err *e)
{
    enum status st = r->job->rows->give(r->job->rows->arg, t->receiver->number, t->batch, e);

    if (st == S_FULL) return st;
    batch_free(t->batch);
    t->batch = NULL;
    t->offset++;
    r->has_moved = true;
    return st;
}

/* What is there of the latest answer. */
static enum status give_all(struct rows *r, struct taking *t, struct err *e)
{
    struct str item;

    while (t->batch != NULL || answer_next(t->batches, &t->at, &item)) {
        if (t->batch == NULL) {
            enum status st = decode(r, t, item, &t->batch, e);
            if (st != S_OK) return st;
        }
        TRY(give_one(r, t, e));
    }
    mem_free(&r->mem, t->answer);
    t->answer = NULL;
    return S_OK;
}

/* --- one answer ---------------------------------------------------------------------------------------------------- */
static enum status check_version(struct rows *r, struct taking *t, struct str result, struct err *e)
{
    const char *version = answer_text(answer_member(result, "version"), &r->arena);

    if (version == NULL || version[0] == '\0' || strcmp(version, t->version) == 0) return S_OK;
    if (t->offset > 0)
        return err_set(e, E_USER, "the job was started anew after some of its rows had been given; they cannot be taken back");
    snprintf(t->version, sizeof t->version, "%s", version);
    return S_OK;
}

static void read_progress(struct rows *r, struct str result)
{
    r->totals.rows_in = (uint64_t)answer_int(answer_member(result, "rowsIn"), 0);
    r->totals.rows_out = (uint64_t)answer_int(answer_member(result, "rowsOut"), 0);
    r->totals.watermark = answer_int(answer_member(result, "watermark"), TIME_MIN);
}

static bool is_terminal(struct str status)
{
    return answer_is(status, "\"FINISHED\"") || answer_is(status, "\"FAILED\"") || answer_is(status, "\"CANCELED\"");
}

static enum status keep_answer(struct rows *r, struct taking *t, struct str result, struct err *e)
{
    TRY(check_version(r, t, result, e));
    read_progress(r, result);
    r->is_over = is_terminal(answer_member(result, "status"));
    struct str batches = answer_member(result, "batches");
    if (batches.size <= 2) return S_OK;
    if (answer_int(answer_member(result, "offset"), 0) != t->offset)
        return err_set(e, E_DATA, "the cluster gives other rows than those that were asked for");
    t->answer = mem_alloc(&r->mem, batches.size);
    memcpy(t->answer, batches.data, batches.size);
    t->batches = (struct str){t->answer, batches.size};
    t->at = 0;
    return S_OK;
}

static enum status ask(struct rows *r, struct taking *t, struct err *e)
{
    struct str answer;

    arena_reset(&r->arena);
    const char *path = arena_printf(&r->arena, "/jobs/%s/coordinators/%s", r->id, t->receiver->operator_id);
    const char *body = arena_printf(&r->arena, "{\"serializedCoordinationRequest\": {\"version\": \"%s\", \"offset\": %lld}}",
                                    t->version, (long long)t->offset);
    TRY(cluster_client_call(r->c, "POST", path, NULL, str_of(body), &answer, e));
    return keep_answer(r, t, answer_member(answer, "serializedCoordinationResult"), e);
}

/* --- all of them --------------------------------------------------------------------------------------------------- */
static enum status turn(struct rows *r, struct err *e)
{
    r->has_moved = r->has_full = false;
    for (uint32_t i = 0; i < r->job->rows->count; i++) {
        struct taking *t = &r->list[i];
        enum status st = t->answer == NULL ? ask(r, t, e) : S_OK;
        if (st == S_OK && t->answer != NULL) st = give_all(r, t, e);
        if (st == S_FULL) r->has_full = true;
        else if (st != S_OK) return st;
    }
    return S_OK;
}

static void tick(struct rows *r)
{
    int64_t now = sys_mono_ns(r->c->sys);

    if (r->job->tick == NULL || now - r->ticked_ns < r->job->tick_ms * 1000 * 1000) return;
    r->ticked_ns = now;
    r->job->tick(r->job->tick_arg, &r->totals);
}

static enum status take_all(struct rows *r, struct err *e)
{
    struct sys_parker *p = sys_parker_create(r->c->sys);
    int64_t pause_ms = FIRST_PAUSE_MS;
    enum status st = S_OK;

    while (st == S_OK && (!r->is_over || r->has_moved || r->has_full)) {
        if (is_unwanted(r)) {
            st = err_set(e, E_CANCELED, "canceled");
            break;
        }
        st = turn(r, e);
        if (st == E_CANCELED) { /* a request was stopped halfway */
            err_clear(e);
            (void)err_set(e, E_CANCELED, "canceled");
        }
        tick(r);
        pause_ms = r->has_moved ? FIRST_PAUSE_MS : MIN(LONGEST_PAUSE_MS, pause_ms * 2);
        if (st != S_OK || r->has_moved || r->is_over) continue;
        (void)sys_park(r->c->sys, p, (r->has_full ? FULL_PAUSE_MS : pause_ms) * 1000 * 1000);
    }
    sys_parker_free(r->c->sys, p);
    return st;
}

enum status remote_rows_take(struct cluster_client *c, const char *job_id, const struct api_remote_job *job, struct err *e)
{
    struct rows r = {.c = c, .id = job_id, .job = job, .totals = {.watermark = TIME_MIN}};

    mem_init(&r.mem, "rows of a cluster", 0);
    arena_init(&r.arena, &r.mem, 0);
    arena_init(&r.types, &r.mem, 0);
    r.list = mem_zalloc(&r.mem, sizeof *r.list * (job->rows->count + 1));
    for (uint32_t i = 0; i < job->rows->count; i++)
        r.list[i] = (struct taking){.receiver = &job->rows->receivers[i], .row = with_nulls(&r.types, job->rows->receivers[i].row)};
    enum status st = take_all(&r, e);
    mem_release(&r.mem);
    return st;
}
