/* job_shared.c - one lock, and behind it: objects by key, the job's accumulators, who waits for the end of all input. Rows for
 * the caller have a lock of their own (row_queues.c). */
#include "flow/task/job_shared.h"

#include "flow/task/job_far.h"
#include "flow/operator/op.h"
#include "ground/base/hash.h"
#include "ground/base/map.h"
#include "ground/base/str.h"

#include <string.h>

struct object {
    struct object *previous;
    void (*end)(void *object);
    size_t size;
    _Alignas(16) char bytes[];
};

struct shown_counts {
    struct shown_counts *previous, *next;
    struct accumulators set;
};

struct job_shared {
    struct sys *sys;
    struct sys_lock *lock;
    struct mem mem;
    struct arena arena;
    const char *name;
    char id[33];
    struct metrics *metrics;
    struct options parameters;
    struct job_settings settings;
    uint32_t tasks_left[JOB_STAGES_MAX]; /* have not handed on all they had */
    struct sys_parker **committers;      /* wait until none is left */
    uint32_t committer_count;
    struct map by_key;
    struct object *objects; /* latest first */
    struct accumulators accumulators; /* of instances that closed */
    struct shown_counts *shown;       /* of those that run */
    const struct job_far *far; /* NULL: all of it is in this process */
    struct row_queues *row_queues, *own_row_queues; /* the second is the first, or NULL */
};

static const struct job_settings default_settings = {
    .commit_retries = 10, .host = "localhost", .resource_id = "embedded"};

static struct options options_copy(struct arena *a, const struct options *from)
{
    struct option *items = ARENA_ARRAY(a, struct option, from->count + 1);

    for (uint32_t i = 0; i < from->count; i++)
        items[i] = (struct option){arena_strdup(a, from->items[i].key), arena_strdup(a, from->items[i].value)};
    return (struct options){items, from->count};
}

/* Equal for every run of the job, as its checkpoints will have to find it again. Two jobs of one session may have equal names, so
 * its number is a part of it. */
static void job_id_make(struct arena *a, const char *name, int64_t number, char id[static 33])
{
    struct sha256 digest;
    char hex[65];
    const char *text = number > 0 ? arena_printf(a, "%lld %s", (long long)number, name) : name;

    sha256_of(text, strlen(text), &digest);
    sha256_hex(&digest, hex);
    memcpy(id, hex, 32);
    id[32] = '\0';
}

struct job_shared *job_shared_create(struct sys *sys, const char *name, const struct options *parameters)
{
    struct mem mem;
    mem_init(&mem, "job", 0);
    struct job_shared *j = mem_zalloc(&mem, sizeof *j);

    ASSERT(name != NULL);
    mem_init(&j->mem, "job", 0);
    mem_move(&mem, &j->mem);
    arena_init(&j->arena, &j->mem, 0);
    j->sys = sys;
    j->lock = sys_lock_create(sys);
    j->settings = default_settings;
    j->name = arena_strdup(&j->arena, name);
    job_id_make(&j->arena, name, 0, j->id);
    j->metrics = metrics_create(sys);
    if (parameters != NULL) j->parameters = options_copy(&j->arena, parameters);
    j->row_queues = j->own_row_queues = row_queues_create(sys);
    map_init(&j->by_key, &j->mem);
    accumulators_init(&j->accumulators, &j->mem);
    return j;
}

static void end_objects(struct job_shared *j)
{
    for (struct object *o = j->objects; o != NULL; o = o->previous)
        if (o->end != NULL) o->end(o->bytes);
    j->objects = NULL;
}

void job_shared_restart(struct job_shared *j)
{
    ASSERT(j->shown == NULL); /* every instance has closed */
    for (struct object *o = j->objects, *previous; o != NULL; o = previous) {
        previous = o->previous;
        if (o->end != NULL) o->end(o->bytes);
        mem_free(&j->mem, o);
    }
    job_lock(j);
    j->objects = NULL;
    map_release(&j->by_key);
    map_init(&j->by_key, &j->mem);
    memset(j->tasks_left, 0, sizeof j->tasks_left);
    j->committer_count = 0;
    accumulators_release(&j->accumulators);
    accumulators_init(&j->accumulators, &j->mem);
    job_unlock(j);
    row_queues_restart(j->row_queues);
}

void job_shared_free(struct job_shared *j)
{
    struct mem mem;

    if (j == NULL) return;
    end_objects(j);
    metrics_free(j->metrics);
    row_queues_free(j->own_row_queues);
    sys_lock_free(j->sys, j->lock);
    mem_init(&mem, "job", 0);
    mem_move(&j->mem, &mem);
    mem_release(&mem);
}

const char *job_shared_name(const struct job_shared *j) { return j->name; }
const char *job_shared_id(const struct job_shared *j) { return j->id; }
struct metrics *job_metrics(struct job_shared *j) { return j->metrics; }
struct sys *job_sys(const struct job_shared *j) { return j->sys; }

struct metric_owner job_metric_owner(const struct op_cx *op)
{
    return (struct metric_owner){.operator_name = op->name,
                                 .uid = op->uid != NULL ? op->uid : op->name,
                                 .subtask = op->subtask,
                                 .task_variables = op->task_variables,
                                 .user_variables = op->user_variables};
}

/* The one given last counts. */
static const char *parameter_find(const struct options *o, const char *key)
{
    for (uint32_t i = o->count; i-- > 0;)
        if (strcmp(o->items[i].key, key) == 0) return o->items[i].value;
    return NULL;
}

const char *job_shared_parameter(const struct job_shared *j, const char *key) { return parameter_find(&j->parameters, key); }
const char *job_cached_file(const struct job_shared *j, const char *name)
{
    return parameter_find(&j->settings.cached_files, name);
}

void job_shared_configure(struct job_shared *j, const struct job_settings *s)
{
    j->settings = *s;
    if (s->job_id == NULL) job_id_make(&j->arena, j->name, s->job_number, j->id);
    else memcpy(j->id, s->job_id, sizeof j->id);
    j->settings.job_id = j->id;
    j->settings.cached_files = options_copy(&j->arena, &s->cached_files);
    j->settings.host = s->host != NULL ? arena_strdup(&j->arena, s->host) : default_settings.host;
    j->settings.resource_id = s->resource_id != NULL ? arena_strdup(&j->arena, s->resource_id) : default_settings.resource_id;
}

struct job_settings job_settings(const struct job_shared *j) { return j != NULL ? j->settings : default_settings; }

/* --- the end of all input ------------------------------------------------------------------------------------------------ */
void job_task_made(struct job_shared *j, uint32_t stage)
{
    ASSERT(stage < JOB_STAGES_MAX);
    job_lock(j);
    j->tasks_left[stage]++;
    job_unlock(j);
}

void job_far_through(struct job_shared *j, uint32_t stage)
{
    ASSERT(stage < JOB_STAGES_MAX);
    job_lock(j);
    if (j->tasks_left[stage] > 0 && --j->tasks_left[stage] == 0)
        for (uint32_t i = 0; i < j->committer_count; i++) sys_unpark(j->sys, j->committers[i]);
    job_unlock(j);
}

void job_task_through(struct job_shared *j, uint32_t stage)
{
    struct far_word w = {.verb = FAR_THROUGH, .number = stage};

    ASSERT(stage < JOB_STAGES_MAX);
    job_far_through(j, stage);
    if (j->far != NULL) j->far->send(j->far->arg, FAR_ALL, &w);
}

void job_use_far(struct job_shared *j, const struct job_far *far) { j->far = far; }
const struct job_far *job_far(const struct job_shared *j) { return j->far; }

static bool remembers(struct sys_parker *const *list, uint32_t count, const struct sys_parker *p)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == p) return true;
    return false;
}

bool job_is_through(struct job_shared *j, uint32_t stage, struct sys_parker *waiting)
{
    bool is_through = true;

    ASSERT(stage < JOB_STAGES_MAX);
    job_lock(j);
    for (uint32_t i = 0; i <= stage; i++) is_through &= j->tasks_left[i] == 0;
    if (!is_through && waiting != NULL && !remembers(j->committers, j->committer_count, waiting)) {
        j->committers = mem_realloc(&j->mem, j->committers, sizeof(struct sys_parker *) * (j->committer_count + 1));
        j->committers[j->committer_count++] = waiting;
    }
    job_unlock(j);
    return is_through;
}

/* --- lock, objects, accumulators -------------------------------------------------------------------------------------- */
void job_lock(struct job_shared *j) { sys_lock_take(j->lock); }
void job_unlock(struct job_shared *j) { sys_lock_give(j->lock); }
struct mem *job_mem(struct job_shared *j) { return &j->mem; }

void *job_object(struct job_shared *j, const char *key, size_t size, void (*end)(void *object), bool *made)
{
    struct object *o = map_get(&j->by_key, str_of(key));

    *made = o == NULL;
    if (o == NULL) {
        o = mem_zalloc(&j->mem, sizeof *o + size);
        o->size = size;
        o->end = end;
        o->previous = j->objects;
        j->objects = o;
        map_set(&j->by_key, str_of(key), o);
    }
    ASSERT(o->size == size);
    return o->bytes;
}

void *job_object_find(struct job_shared *j, const char *key)
{
    struct object *o = map_get(&j->by_key, str_of(key));

    return o != NULL ? o->bytes : NULL;
}

void job_each_object(struct job_shared *j, const char *prefix, void (*fn)(void *arg, const char *name, void *object), void *arg)
{
    size_t size = strlen(prefix);

    for (struct map_entry *e = map_next(&j->by_key, NULL); e != NULL; e = map_next(&j->by_key, e))
        if (e->key.size > size && memcmp(e->key.data, prefix, size) == 0) fn(arg, e->key.data + size, ((struct object *)e->value)->bytes);
}

static struct shown_counts *shown_new(struct job_shared *j)
{
    struct shown_counts *s = mem_zalloc(&j->mem, sizeof *s);

    accumulators_init(&s->set, &j->mem);
    s->next = j->shown;
    if (j->shown != NULL) j->shown->previous = s;
    j->shown = s;
    return s;
}

void job_counts_show(struct job_shared *j, struct instance_counts *list)
{
    job_lock(j);
    for (struct instance_counts *c = list; c != NULL; c = c->next) {
        if (!c->changed) continue;
        if (c->shown == NULL) c->shown = shown_new(j);
        accumulators_follow(&c->shown->set, &c->set);
        c->changed = false;
    }
    job_unlock(j);
}

static void shown_free(struct job_shared *j, struct shown_counts *s)
{
    if (s->previous != NULL) s->previous->next = s->next;
    else j->shown = s->next;
    if (s->next != NULL) s->next->previous = s->previous;
    accumulators_release(&s->set);
    mem_free(&j->mem, s);
}

/* Both under one lock: who looks sees the counts once. */
enum status job_counts_end(struct job_shared *j, struct instance_counts *c, bool add, struct err *e)
{
    job_lock(j);
    if (c->shown != NULL) shown_free(j, c->shown);
    c->shown = NULL;
    enum status st = add ? accumulators_merge(&j->accumulators, &c->set, e) : S_OK;
    job_unlock(j);
    return st;
}

enum status job_accumulator_now(struct job_shared *j, const char *name, struct accumulators *out, struct err *e)
{
    job_lock(j);
    enum status st = accumulators_merge_one(out, &j->accumulators, name, e);
    for (struct shown_counts *s = j->shown; s != NULL && st == S_OK; s = s->next)
        st = accumulators_merge_one(out, &s->set, name, e);
    job_unlock(j);
    return st;
}

enum status job_accumulators_now(struct job_shared *j, struct accumulators *out, struct err *e)
{
    job_lock(j);
    enum status st = accumulators_merge(out, &j->accumulators, e);
    for (struct shown_counts *s = j->shown; s != NULL && st == S_OK; s = s->next) st = accumulators_merge(out, &s->set, e);
    job_unlock(j);
    return st;
}

enum status job_accumulators_add(struct job_shared *j, const struct accumulators *from, struct err *e)
{
    job_lock(j);
    enum status st = accumulators_merge(&j->accumulators, from, e);
    job_unlock(j);
    return st;
}

const struct accumulators *job_accumulators(const struct job_shared *j) { return &j->accumulators; }

/* --- rows for the caller ------------------------------------------------------------------------------------------------ */
struct row_queues *job_row_queues(struct job_shared *j) { return j->row_queues; }

void job_use_row_queues(struct job_shared *j, struct row_queues *given)
{
    row_queues_free(j->own_row_queues);
    j->own_row_queues = NULL;
    j->row_queues = given;
}
