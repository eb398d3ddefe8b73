/* checkpoint_coordinator.c - the state machine of checkpoints.
 *
 * Pending ones stand in a short list, the oldest first. The next periodic one is due an interval after the last was triggered,
 * but not before the minimum pause after the last that completed has passed, not while as many are under way as may be, and not
 * before every task runs or has finished. A task that has finished needs no barrier: whoever it sent to has all of it.
 *
 * A checkpoint that completes subsumes the older ones; savepoints are never subsumed. A task that is told of two before it has
 * looked may take the later one alone. So nothing begins behind a savepoint until that is over; of checkpoints it does no
 * harm: the later one subsumes the earlier.
 *
 * Failures in a row are counted, each checkpoint once; more than are tolerated fail the job, and counting begins anew.
 *
 * Invariants: an id is triggered once; from STORE to checkpoint_stored nothing aborts it; actions leave in the order in which they
 * came up.
 *
 * Not here: who the tasks are and how they are told (jobmaster_checkpoints.c), and what is written (snapshot_store.c). */
#include "control/jobmanager/checkpoint_coordinator.h"

#include <string.h>

enum { ACTIONS_MAX = 4 * CHECKPOINTS_PENDING_MAX };
#define NEVER INT64_MAX
#define RETRY_MS 1000 /* of one that tasks wait for, where there is no interval; of ids that could not be reserved */

struct pending {
    struct checkpoint_stats stats;
    int64_t expires_ms;
    bool is_storing;
    uint8_t *tasks; /* [settings.tasks] enum answer */
};
enum answer { ANSWER_NONE, ANSWER_ACKNOWLEDGED, ANSWER_FINISHED };

struct checkpoint_coordinator {
    struct mem mem;
    struct checkpoint_settings settings;
    struct pending pending[CHECKPOINTS_PENDING_MAX]; /* the oldest first */
    uint32_t pending_count;
    struct checkpoint_action actions[ACTIONS_MAX]; /* ring */
    uint32_t action_first, action_count;
    uint8_t *states; /* [settings.tasks] enum task_stand */
    uint32_t tasks_ready, tasks_running;
    bool is_started, is_reserving, is_suspended;
    bool is_asked; /* somebody waits for a checkpoint: the next one is his */
    int64_t next_id, ids_end;
    int64_t next_ms;      /* when the next one is due that nobody asked for */
    int64_t wanted_id;    /* tasks wait for the end of one from this id on; 0: none does */
    int64_t completed_ms; /* when the last one completed; -1: none has */
    int64_t failures;     /* in a row */
    struct checkpoint_stats history[CHECKPOINT_HISTORY]; /* ring of those that are over */
    uint32_t history_count;
    uint64_t completed, failed;
};
enum task_stand { TASK_STANDS_OUT, TASK_RUNS, TASK_IS_THROUGH };

static const struct {
    const char *name, *text;
    bool counts;
} reasons[CHECKPOINT_REASON_COUNT] = {
#define X(reason, name, text, counts) [reason] = {name, text, counts},
    CHECKPOINT_REASON_MAP(X)
#undef X
};

const char *checkpoint_reason_name(enum checkpoint_reason r)
{
    ASSERT(r < CHECKPOINT_REASON_COUNT);
    return reasons[r].name;
}

const char *checkpoint_reason_text(enum checkpoint_reason r)
{
    ASSERT(r < CHECKPOINT_REASON_COUNT);
    return reasons[r].text;
}

bool checkpoint_reason_counts(enum checkpoint_reason r)
{
    ASSERT(r < CHECKPOINT_REASON_COUNT);
    return reasons[r].counts;
}

const char *checkpoint_state_name(enum checkpoint_state s)
{
    return s == CHECKPOINT_IN_PROGRESS ? "IN_PROGRESS" : s == CHECKPOINT_COMPLETED ? "COMPLETED" : "FAILED";
}

struct checkpoint_coordinator *checkpoint_coordinator_create(const struct checkpoint_settings *s, int64_t next_id,
                                                             int64_t ids_end)
{
    struct mem mem;
    mem_init(&mem, "checkpoint coordinator", 0);
    struct checkpoint_coordinator *c = mem_zalloc(&mem, sizeof *c);

    ASSERT(s->tasks > 0 && s->timeout_ms > 0 && s->concurrent_max > 0 && s->concurrent_max < CHECKPOINTS_PENDING_MAX);
    ASSERT(next_id >= 1 && next_id <= ids_end);
    mem_init(&c->mem, "checkpoint coordinator", 0);
    mem_move(&mem, &c->mem);
    c->settings = *s;
    c->next_id = next_id;
    c->ids_end = ids_end;
    c->completed_ms = -1;
    c->next_ms = NEVER;
    c->states = mem_zalloc(&c->mem, s->tasks);
    return c;
}

void checkpoint_coordinator_free(struct checkpoint_coordinator *c)
{
    struct mem mem;

    if (c == NULL) return;
    mem_init(&mem, "checkpoint coordinator", 0);
    mem_move(&c->mem, &mem);
    mem_release(&mem);
}

/* --- actions -------------------------------------------------------------------------------------------------------------- */
static void act(struct checkpoint_coordinator *c, enum checkpoint_verb verb, const struct pending *p)
{
    ASSERT(c->action_count < ACTIONS_MAX);
    c->actions[(c->action_first + c->action_count++) % ACTIONS_MAX] = (struct checkpoint_action){
        .verb = verb,
        .id = p != NULL ? p->stats.id : 0,
        .kind = p != NULL ? p->stats.kind : SNAPSHOT_CHECKPOINT,
        .reason = p != NULL ? p->stats.reason : CHECKPOINT_NO_REASON};
}

bool checkpoint_coordinator_take(struct checkpoint_coordinator *c, struct checkpoint_action *out)
{
    if (c->action_count == 0) return false;
    *out = c->actions[c->action_first];
    c->action_first = (c->action_first + 1) % ACTIONS_MAX;
    c->action_count--;
    return true;
}

/* --- the list ------------------------------------------------------------------------------------------------------------- */
static struct pending *find(struct checkpoint_coordinator *c, int64_t id)
{
    for (uint32_t i = 0; i < c->pending_count; i++)
        if (c->pending[i].stats.id == id) return &c->pending[i];
    return NULL;
}

static void end(struct checkpoint_coordinator *c, struct pending *p, int64_t now_ms)
{
    uint32_t at = (uint32_t)(p - c->pending);

    p->stats.ended_ms = now_ms + c->settings.wall_offset_ms;
    c->history[c->history_count++ % CHECKPOINT_HISTORY] = p->stats;
    if (p->stats.state == CHECKPOINT_COMPLETED)
        c->completed++;
    else
        c->failed++;
    mem_free(&c->mem, p->tasks);
    memmove(&c->pending[at], &c->pending[at + 1], sizeof *p * (--c->pending_count - at));
}

static void fail(struct checkpoint_coordinator *c, struct pending *p, enum checkpoint_reason why, int64_t now_ms)
{
    ASSERT(why != CHECKPOINT_NO_REASON);
    p->stats.state = CHECKPOINT_FAILED;
    p->stats.reason = why;
    act(c, CHECKPOINT_ABORT, p);
    if (checkpoint_reason_counts(why) && ++c->failures > c->settings.tolerable_failures) {
        c->failures = 0;
        act(c, CHECKPOINT_FAIL_JOB, p);
    }
    end(c, p, now_ms);
}

static void look_whether_through(struct checkpoint_coordinator *c, struct pending *p)
{
    if (p->is_storing || p->stats.acknowledged < p->stats.tasks) return;
    p->is_storing = true;
    act(c, CHECKPOINT_STORE, p);
}

/* --- beginning ------------------------------------------------------------------------------------------------------------ */
static uint32_t counted(const struct checkpoint_coordinator *c)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < c->pending_count; i++) count += c->pending[i].stats.kind == SNAPSHOT_CHECKPOINT;
    return count;
}

static bool is_savepoint_pending(const struct checkpoint_coordinator *c) { return counted(c) < c->pending_count; }

/* All tasks run or are through, and some run: else there is nothing to be told. */
static bool are_tasks_ready(const struct checkpoint_coordinator *c)
{
    return c->is_started && c->tasks_ready == c->settings.tasks && c->tasks_running > 0;
}

/* Without an id there is none; more are asked for once. */
static bool has_id(struct checkpoint_coordinator *c)
{
    if (c->next_id < c->ids_end) return true;
    if (!c->is_reserving) act(c, CHECKPOINT_RESERVE, NULL);
    c->is_reserving = true;
    return false;
}

static int64_t begin(struct checkpoint_coordinator *c, enum snapshot_kind kind, int64_t now_ms)
{
    ASSERT(c->pending_count < CHECKPOINTS_PENDING_MAX && c->next_id < c->ids_end);
    struct pending *p = &c->pending[c->pending_count++];

    *p = (struct pending){.stats = {.id = c->next_id++,
                                    .kind = kind,
                                    .triggered_ms = now_ms + c->settings.wall_offset_ms,
                                    .tasks = c->settings.tasks},
                          .expires_ms = now_ms + c->settings.timeout_ms,
                          .tasks = mem_zalloc(&c->mem, c->settings.tasks)};
    for (uint32_t t = 0; t < c->settings.tasks; t++) {
        if (c->states[t] != TASK_IS_THROUGH) continue;
        p->tasks[t] = ANSWER_FINISHED;
        p->stats.acknowledged++;
    }
    act(c, CHECKPOINT_TRIGGER, p);
    look_whether_through(c, p);
    return p->stats.id;
}

static int64_t earliest_ms(const struct checkpoint_coordinator *c)
{
    int64_t paused_ms = c->completed_ms >= 0 ? c->completed_ms + c->settings.min_pause_ms : 0;

    return c->wanted_id != 0 ? c->next_ms : MAX(c->next_ms, paused_ms);
}

static bool may_begin(const struct checkpoint_coordinator *c)
{
    return (c->settings.interval_ms > 0 || c->wanted_id != 0) && !c->is_suspended && !c->is_asked && are_tasks_ready(c) && !c->is_reserving &&
           !is_savepoint_pending(c) && counted(c) < c->settings.concurrent_max;
}

static void begin_what_is_due(struct checkpoint_coordinator *c, int64_t now_ms)
{
    if (!may_begin(c) || now_ms < earliest_ms(c) || !has_id(c)) return;
    (void)begin(c, SNAPSHOT_CHECKPOINT, now_ms);
    int64_t interval_ms = c->settings.interval_ms > 0 ? c->settings.interval_ms : RETRY_MS;
    c->next_ms = now_ms + (c->wanted_id != 0 ? MIN(interval_ms, RETRY_MS) : interval_ms); /* tasks wait: should it fail, soon again */
}

enum checkpoint_reason checkpoint_request(struct checkpoint_coordinator *c, enum snapshot_kind kind, int64_t now_ms,
                                          int64_t *id)
{
    if (!are_tasks_ready(c)) return CHECKPOINT_TASKS_NOT_RUNNING;
    bool is_full = kind == SNAPSHOT_CHECKPOINT && counted(c) >= c->settings.concurrent_max;
    c->is_asked = is_full;
    if (is_full || is_savepoint_pending(c) || !has_id(c)) return CHECKPOINT_TOO_MANY;
    *id = begin(c, kind, now_ms);
    return CHECKPOINT_NO_REASON;
}

/* --- what happens --------------------------------------------------------------------------------------------------------- */
void checkpoint_started(struct checkpoint_coordinator *c, int64_t now_ms)
{
    ASSERT(!c->is_started && c->pending_count == 0);
    c->is_started = true;
    c->is_suspended = c->is_asked = false;
    c->tasks_ready = c->tasks_running = 0;
    memset(c->states, TASK_STANDS_OUT, c->settings.tasks);
    c->next_ms = c->settings.interval_ms > 0 ? now_ms + c->settings.interval_ms : NEVER;
}

void checkpoint_resize(struct checkpoint_coordinator *c, uint32_t tasks)
{
    ASSERT(!c->is_started && c->pending_count == 0 && tasks > 0);
    mem_free(&c->mem, c->states);
    c->states = mem_zalloc(&c->mem, tasks);
    c->settings.tasks = tasks;
}

void checkpoint_task_running(struct checkpoint_coordinator *c, uint32_t task, int64_t now_ms)
{
    ASSERT(task < c->settings.tasks);
    if (!c->is_started || c->states[task] != TASK_STANDS_OUT) return;
    c->states[task] = TASK_RUNS;
    c->tasks_ready++;
    c->tasks_running++;
    begin_what_is_due(c, now_ms);
}

void checkpoint_task_finished(struct checkpoint_coordinator *c, uint32_t task, bool is_missed, int64_t now_ms)
{
    ASSERT(task < c->settings.tasks);
    if (!c->is_started || c->states[task] == TASK_IS_THROUGH) return;
    c->tasks_ready += c->states[task] == TASK_STANDS_OUT;
    c->tasks_running -= c->states[task] == TASK_RUNS;
    c->states[task] = TASK_IS_THROUGH;
    for (uint32_t i = 0; is_missed && i < c->pending_count;) {
        struct pending *p = &c->pending[i];
        if (p->tasks[task] != ANSWER_NONE) i++;
        else fail(c, p, CHECKPOINT_TASK_CLOSING, now_ms);
    }
    for (uint32_t i = 0; i < c->pending_count; i++) {
        struct pending *p = &c->pending[i];
        if (p->tasks[task] != ANSWER_NONE) continue;
        p->tasks[task] = ANSWER_FINISHED;
        p->stats.acknowledged++;
        look_whether_through(c, p);
    }
    begin_what_is_due(c, now_ms);
}

void checkpoint_acknowledged(struct checkpoint_coordinator *c, int64_t id, uint32_t task,
                             const struct checkpoint_ack *ack)
{
    struct pending *p = find(c, id);

    ASSERT(task < c->settings.tasks);
    if (p == NULL || p->tasks[task] != ANSWER_NONE) return;
    p->tasks[task] = ANSWER_ACKNOWLEDGED;
    p->stats.acknowledged++;
    p->stats.size += ack->bytes;
    p->stats.alignment_ms = MAX(p->stats.alignment_ms, ack->alignment_ms);
    p->stats.sync_ms = MAX(p->stats.sync_ms, ack->sync_ms);
    look_whether_through(c, p);
}

void checkpoint_failed(struct checkpoint_coordinator *c, int64_t id, enum checkpoint_reason why, int64_t now_ms)
{
    struct pending *p = find(c, id);

    if (p == NULL || p->is_storing) return;
    fail(c, p, why, now_ms);
    begin_what_is_due(c, now_ms);
}

/* Those that are older, but for what was asked for. */
static void subsume(struct checkpoint_coordinator *c, int64_t id, int64_t now_ms)
{
    for (uint32_t i = 0; i < c->pending_count;) {
        struct pending *p = &c->pending[i];
        if (p->stats.id >= id || p->is_storing || p->stats.kind == SNAPSHOT_SAVEPOINT)
            i++;
        else
            fail(c, p, CHECKPOINT_SUBSUMED, now_ms);
    }
}

void checkpoint_stored(struct checkpoint_coordinator *c, int64_t id, enum checkpoint_reason why, uint64_t size,
                       int64_t now_ms)
{
    struct pending *p = find(c, id);

    ASSERT(p != NULL && p->is_storing);
    if (why != CHECKPOINT_NO_REASON) {
        fail(c, p, why, now_ms);
    } else {
        p->stats.state = CHECKPOINT_COMPLETED;
        p->stats.size = size;
        c->completed_ms = now_ms;
        c->failures = 0;
        if (id >= c->wanted_id) c->wanted_id = 0;
        act(c, CHECKPOINT_NOTIFY, p);
        end(c, p, now_ms);
        subsume(c, id, now_ms);
    }
    begin_what_is_due(c, now_ms);
}

void checkpoint_reserved(struct checkpoint_coordinator *c, int64_t ids_end)
{
    ASSERT(ids_end >= c->ids_end);
    c->ids_end = ids_end;
    c->is_reserving = c->is_reserving && c->next_id >= ids_end;
}

void checkpoint_not_reserved(struct checkpoint_coordinator *c, int64_t now_ms)
{
    c->is_reserving = false;
    c->next_ms = MAX(c->next_ms, now_ms + RETRY_MS);
}

void checkpoint_wanted(struct checkpoint_coordinator *c, int64_t now_ms)
{
    if (!c->is_started) return;
    c->wanted_id = c->next_id;
    c->next_ms = now_ms;
    begin_what_is_due(c, now_ms);
}

void checkpoint_stopped(struct checkpoint_coordinator *c, enum checkpoint_reason why, int64_t now_ms)
{
    c->is_started = false;
    c->next_ms = NEVER;
    c->wanted_id = 0;
    for (uint32_t i = 0; i < c->pending_count;) {
        if (c->pending[i].is_storing)
            i++;
        else
            fail(c, &c->pending[i], why, now_ms);
    }
}

void checkpoint_suspend(struct checkpoint_coordinator *c, int64_t id, int64_t now_ms)
{
    c->is_suspended = true;
    for (uint32_t i = 0; i < c->pending_count;) {
        struct pending *p = &c->pending[i];
        if (p->is_storing || p->stats.id == id)
            i++;
        else
            fail(c, p, CHECKPOINT_COORDINATOR_SUSPEND, now_ms);
    }
}

void checkpoint_tick(struct checkpoint_coordinator *c, int64_t now_ms)
{
    for (uint32_t i = 0; i < c->pending_count;) {
        struct pending *p = &c->pending[i];
        if (p->is_storing || now_ms < p->expires_ms)
            i++;
        else
            fail(c, p, CHECKPOINT_EXPIRED, now_ms);
    }
    begin_what_is_due(c, now_ms);
}

/* --- questions ------------------------------------------------------------------------------------------------------------ */
int64_t checkpoint_due_ms(const struct checkpoint_coordinator *c)
{
    int64_t due = may_begin(c) ? earliest_ms(c) : NEVER;

    for (uint32_t i = 0; i < c->pending_count; i++)
        if (!c->pending[i].is_storing) due = MIN(due, c->pending[i].expires_ms);
    return due;
}

bool checkpoint_is_storing(const struct checkpoint_coordinator *c)
{
    for (uint32_t i = 0; i < c->pending_count; i++)
        if (c->pending[i].is_storing) return true;
    return false;
}

static const struct pending *look_up(const struct checkpoint_coordinator *c, int64_t id)
{
    for (uint32_t i = 0; i < c->pending_count; i++)
        if (c->pending[i].stats.id == id) return &c->pending[i];
    return NULL;
}

bool checkpoint_task_is_through(const struct checkpoint_coordinator *c, uint32_t task)
{
    ASSERT(task < c->settings.tasks);
    return c->states[task] == TASK_IS_THROUGH;
}

bool checkpoint_is_pending(const struct checkpoint_coordinator *c, int64_t id) { return look_up(c, id) != NULL; }

bool checkpoint_task_was_finished(const struct checkpoint_coordinator *c, int64_t id, uint32_t task)
{
    const struct pending *p = look_up(c, id);

    ASSERT(p != NULL && task < c->settings.tasks);
    return p->tasks[task] == ANSWER_FINISHED;
}

struct checkpoint_counts checkpoint_counts(const struct checkpoint_coordinator *c)
{
    return (struct checkpoint_counts){c->completed, c->failed, c->pending_count};
}

bool checkpoint_history(const struct checkpoint_coordinator *c, uint32_t index, struct checkpoint_stats *out)
{
    uint32_t over = MIN(c->history_count, CHECKPOINT_HISTORY);

    if (index < c->pending_count) {
        *out = c->pending[c->pending_count - 1 - index].stats;
        return true;
    }
    index -= c->pending_count;
    if (index >= over) return false;
    *out = c->history[(c->history_count - 1 - index) % CHECKPOINT_HISTORY];
    return true;
}
