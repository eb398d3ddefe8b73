/* sim.c - one run: the seed chooses the settings and the schedule, the job prints into the world's standard output, and its
 * rows are put into the order in which they are compared.
 *
 * The reference run has parallelism 1, batches of one row and the ordinary schedule; every other run must give the same. */
#include "sim/sim.h"

#include "control/jobmanager/job_status.h"
#include "control/jobmanager/rescale.h"
#include "control/snapshot/job_record.h"
#include "ground/fs/fs.h"
#include "surface/api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT_ROWS = 2, SHOWN_ROWS = 6 };

struct run {
    const struct sim_job *job;
    struct sim_world *world;
    struct prng prng;
    enum sim_mode mode;
    int exit_status;
    const char *split_size;
    uint64_t seed, seed_given;
    uint32_t lives; /* processes so far */
    uint32_t asked;              /* for rescales */
    bool wants_no_faults, is_blind; /* it did not see a bit that was another one */
    char settings[1024];
};

enum { LIVES_MAX = 32 };

/* --- one run ------------------------------------------------------------------------------------------------------------ */
static void choose(struct run *r, struct tw_env *env, const char *key, const char *const *values, uint32_t count)
{
    const char *value = values[r->mode == SIM_REFERENCE ? 0 : prng_below(&r->prng, count)];
    size_t used = strlen(r->settings);

    if (value == NULL) return; /* not given */
    snprintf(r->settings + used, sizeof r->settings - used, "%s%s=%s", used > 0 ? " " : "", key, value);
    tw_set(env, key, value);
}

static void choose_sizes(struct run *r, struct tw_env *env)
{
    static const char *const parallelism[] = {"1", "2", "3", "4"}, *const rows[] = {"1", "2", "7", "64", "2048"},
                             *const ring[] = {"1", "2", "3", "4", "8"}, *const workers[] = {"1", "2", "3", "5", "8"};

    choose(r, env, "parallelism.default", parallelism, COUNT_OF(parallelism));
    choose(r, env, "thalweg.exec.batch-rows", rows, COUNT_OF(rows));
    choose(r, env, "thalweg.exec.ring-batches", ring, COUNT_OF(ring));
    choose(r, env, "thalweg.exec.workers", workers, COUNT_OF(workers));
}

static void choose_all(struct run *r, struct tw_env *env)
{
    static const char *const backend[] = {"hashmap", "pending", "rocksdb"}, *const chaining[] = {"true", "false"},
                             *const seeds[] = {"0", "1", "2", "3"}, *const slots[] = {"0", "4", "7"},
                             *const waits[] = {NULL, NULL, "0 ms", "1 ms", "50 ms"}, *const no_waits[] = {NULL, NULL, NULL, "false"},
                             *const adaptive[] = {NULL, NULL, "true"};
    static const char *const cache[] = {"1 b", "1 b", "64 kb", NULL}; /* rows in memory beside the map (modelled) */
    static const char *const splits[] = {"64mb", "1kb", "2kb", "3kb"};

    choose_sizes(r, env);
    choose(r, env, "state.backend.type", backend, COUNT_OF(backend));
    if (strstr(r->settings, "rocksdb") != NULL) choose(r, env, "thalweg.state.memory", cache, COUNT_OF(cache));
    choose(r, env, "pipeline.operator-chaining.enabled", chaining, COUNT_OF(chaining));
    choose(r, env, "thalweg.exec.seed", seeds, COUNT_OF(seeds));
    choose(r, env, "taskmanager.numberOfTaskSlots", slots, COUNT_OF(slots));
    choose(r, env, "execution.buffer-timeout.interval", waits, COUNT_OF(waits));
    choose(r, env, "execution.buffer-timeout.enabled", no_waits, COUNT_OF(no_waits));
    choose(r, env, "taskmanager.network.adaptive-partitioner.enabled", adaptive, COUNT_OF(adaptive));
    r->split_size = splits[r->mode == SIM_REFERENCE ? 0 : prng_below(&r->prng, COUNT_OF(splits))];
    size_t used = strlen(r->settings);
    snprintf(r->settings + used, sizeof r->settings - used, " source.split-size=%s", r->split_size);
}

static void choose_faults(struct run *r, struct tw_env *env)
{
    static const char *const interval[] = {"1 ms", "3 ms", "10 ms", "40 ms"}, *const inlined[] = {NULL, "0 kb", "1 kb"},
                             *const retained[] = {NULL, "2"}, *const tolerable[] = {NULL, "1", "1000"}, *const parts[] = {NULL, "true", "true"},
                             *const from[] = {"0 b", "0 b", "40 kb"}, *const unaligned[] = {NULL, "true", "true"},
                             *const aligned_for[] = {NULL, NULL, "1 ms", "5 ms"};

    choose(r, env, "execution.checkpointing.interval", interval, COUNT_OF(interval));
    choose(r, env, "execution.checkpointing.data-inline-threshold", inlined, COUNT_OF(inlined));
    choose(r, env, "execution.checkpointing.num-retained", retained, COUNT_OF(retained));
    choose(r, env, "execution.checkpointing.tolerable-failed-checkpoints", tolerable, COUNT_OF(tolerable));
    choose(r, env, "execution.checkpointing.incremental", parts, COUNT_OF(parts));
    choose(r, env, "thalweg.checkpoint.incremental-from", from, COUNT_OF(from));
    choose(r, env, "execution.checkpointing.unaligned.enabled", unaligned, COUNT_OF(unaligned));
    choose(r, env, "execution.checkpointing.aligned-checkpoint-timeout", aligned_for, COUNT_OF(aligned_for));
    tw_set(env, "execution.checkpointing.dir", "/ck");
    env->ledger = "/ledger";
    env->takes_signals = true;
}

/* In every other seed each process has sizes of its own, so that jobs are restored at another parallelism. */
static void choose_life(struct run *r, struct tw_env *env)
{
    if (r->lives < 2 || r->seed % 2 == 0) return;
    prng_init(&r->prng, mix64(r->seed + r->lives));
    choose_sizes(r, env);
}

/* --- rescales --------------------------------------------------------------------------------------------------------------- */
const struct sim_pair sim_pairs[SIM_PAIRS] = {{"1", 2}, {"2", 1}, {"2", 4}, {"4", 2}, {"3", 7}, {"7", 2}, {"1", 20}};
enum { RESCALE_ONE_IN = 3, ASKED_MAX = 4 };

static bool rescales(const struct run *r) { return r->mode == SIM_RESCALE || r->mode == SIM_RESCALE_FAULTS; }

/* Now and then: to the other parallelism of the pair first, then to any. One that comes too late is refused. */
static void ask_to_rescale(void *arg, const char *job_name, const struct job_totals *totals)
{
    struct tw_env *env = arg;
    struct run *r = env->drive_arg;
    struct sim_world *w = r->world;
    char trigger[SNAPSHOT_TRIGGER_SIZE];
    struct err e = {0};

    (void)job_name, (void)totals;
    if (w->faults.is_dead || r->asked == ASKED_MAX || prng_below(&w->prng, RESCALE_ONE_IN) != 0) return;
    struct rescale_ask ask = {.parallelism = sim_pairs[r->seed_given % SIM_PAIRS].to};
    if (r->asked > 0) ask.parallelism = 1 + (uint32_t)prng_below(&w->prng, 8);
    r->asked += jobmaster_ask_rescale(env->jobmaster, &ask, trigger, &e) == S_OK;
}

static void count_rescales(struct run *r, const struct tw_env *env)
{
    struct rescale_progress p;

    for (uint32_t i = 0; env->jobmaster != NULL && jobmaster_rescale(env->jobmaster, i, &p); i++)
        r->world->faults.fired[SIM_RESCALES] += p.is_switched;
}

static void choose_pair(struct run *r, struct tw_env *env)
{
    size_t used = strlen(r->settings);

    tw_set(env, "parallelism.default", sim_pairs[r->seed_given % SIM_PAIRS].from);
    tw_set(env, "taskmanager.numberOfTaskSlots", "0");
    snprintf(r->settings + used, sizeof r->settings - used, " pair=%s-%u", sim_pairs[r->seed_given % SIM_PAIRS].from,
             sim_pairs[r->seed_given % SIM_PAIRS].to);
    env->watch = (struct api_watch){.tick = ask_to_rescale, .arg = env, .tick_ms = 1};
}

const char *sim_split_size(const struct tw_env *env) { return ((const struct run *)env->drive_arg)->split_size; }

static void run_main(void *arg)
{
    struct run *r = arg;
    const struct tw_plugin *plugin = r->job->plugin;
    struct tw_env *env = plugin != NULL ? tw_env_create_in(plugin->first, plugin->end) : tw_env_create();
    char name[] = "sim", *argv[] = {name, NULL};
    struct err e = {0};
    bool is_first = r->lives == 1 && !r->wants_no_faults;

    env->sys = &r->world->sys;
    env->artifact = NULL;
    env->collected = &r->world->standard[1];
    env->drive_arg = r; /* for sim_split_size; there is no drive */
    r->settings[0] = '\0';
    prng_init(&r->prng, r->seed); /* of each life the same */
    choose_all(r, env);
    if (r->mode >= SIM_FAULTS) choose_faults(r, env);
    if (r->mode == SIM_FAULTS) choose_life(r, env);
    if (rescales(r)) choose_pair(r, env);
    if (is_first && r->job->prepare != NULL && !r->job->prepare(env->sys, &e)) {
        buf_printf(&r->world->standard[2], "%s\n", e.text);
        r->exit_status = 1;
    } else {
        if (is_first) sim_disk_settle(r->world);
        r->world->faults.is_on = r->mode >= SIM_FAULTS && !r->wants_no_faults;
        r->exit_status = plugin != NULL ? plugin->job(env, 1, argv) : r->job->run(env);
    }
    count_rescales(r, env);
    tw_env_free(env);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */
/* "late:2> +I[..." and "2> +I[...": which subtask printed it depends on the schedule. */
static char *without_subtask(char *line)
{
    char *mark = strstr(line, "> "), *colon = memchr(line, ':', mark != NULL ? (size_t)(mark - line) : 0);
    char *digits = colon != NULL ? colon + 1 : line;

    if (mark == NULL || digits == mark || strspn(digits, "0123456789") != (size_t)(mark - digits)) return line;
    if (colon == NULL) return mark + 2;
    memmove(colon, mark, strlen(mark) + 1);
    return line;
}

static size_t key_size(const char *row) { return strcspn(row, ",]"); }

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Stable, by the first column: merge of neighbours, doubling. */
static void sort_by_key(const char **rows, const char **room, uint32_t count)
{
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t from = 0; from < count; from += 2 * width) {
            uint32_t a = from, b = MIN(from + width, count), a_end = b, b_end = MIN(b + width, count);
            for (uint32_t i = from; i < b_end; i++) {
                bool left = a < a_end;
                if (left && b < b_end) {
                    size_t size_a = key_size(rows[a]), size_b = key_size(rows[b]);
                    int order = memcmp(rows[a], rows[b], MIN(size_a, size_b));
                    left = order < 0 || (order == 0 && size_a <= size_b);
                }
                room[i] = left ? rows[a++] : rows[b++];
            }
        }
        memcpy(rows, room, sizeof *rows * count);
    }
}

/* Without "+I", "-U", ... */
static int by_content(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;

    return strcmp(x + strcspn(x, "["), y + strcspn(y, "["));
}

static void fold(struct sim_result *out)
{
    uint32_t left = 0, next;

    qsort(out->rows, out->row_count, sizeof *out->rows, by_content);
    for (uint32_t i = 0; i < out->row_count; i = next) {
        const char *row = out->rows[i];
        int64_t net = 0;
        for (next = i; next < out->row_count && by_content(&row, &out->rows[next]) == 0; next++)
            net += out->rows[next][0] == '-' ? -1 : 1;
        for (; net > 0; net--) out->rows[left++] = row + strcspn(row, "[");
        if (net < 0) out->rows[left++] = row; /* it never came: shown as it is, with its sign */
    }
    out->row_count = left;
}

static void take_rows(const struct run *r, struct arena *a, struct sim_result *out)
{
    const struct buf *text = &r->world->standard[1];
    char *line = arena_strndup(a, text->size > 0 ? text->data : "", text->size), *end = line + text->size;
    uint32_t lines = 1;

    for (char *p = line; p < end; p++) lines += *p == '\n';
    out->rows = ARENA_ARRAY(a, const char *, lines);
    for (char *stop; line < end && (stop = memchr(line, '\n', (size_t)(end - line))) != NULL; line = stop + 1) {
        *stop = '\0';
        out->rows[out->row_count++] = without_subtask(line);
    }
    if (r->job->compare == SIM_ANY_ORDER) qsort(out->rows, out->row_count, sizeof *out->rows, by_text);
    if (r->job->compare == SIM_FOLDED) fold(out);
    if (r->job->compare == SIM_PER_KEY) sort_by_key(out->rows, ARENA_ARRAY(a, const char *, lines), out->row_count);
}

static uint64_t fired_so_far(const struct run *r)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < SIM_FAULT_COUNT; i++) sum += r->world->faults.fired[i];
    return sum;
}

/* The record of the job; version 0: none. */
static void load_record(const struct run *r, struct arena *a, struct job_record *out)
{
    struct job_records records = {.sys = &r->world->sys};
    struct fs_list jobs = {0};
    struct err e = {0};

    *out = (struct job_record){0};
    enum status st = fs_find("/ck", &records.fs, &records.folder, &e);
    if (st == S_OK) st = records.fs->list(&r->world->sys, records.folder, a, &jobs, &e);
    for (uint32_t i = 0; st == S_OK && i < jobs.count; i++) {
        records.folder = jobs.entries[i].path;
        st = job_records_load(&records, a, out, &e);
    }
}

/* A bit of the newest checkpoint is another one: the process says which file it is and begins with nothing. Afterwards it is as it was. */
static void live_with_flip(struct run *r, const char *folder)
{
    struct sim_flip flip;
    struct buf *said = &r->world->standard[2];

    if (!sim_flip(r->world, folder, &flip)) return;
    r->world->faults.fired[SIM_BIT_FLIPS]++;
    buf_clear(said);
    r->wants_no_faults = true;
    enum sim_end end = sim_world_run(r->world, run_main, r, said);
    r->wants_no_faults = false;
    r->is_blind = end != SIM_FINISHED || r->exit_status == 0 || strstr(buf_text(said), flip.path) == NULL;
    if (r->is_blind) buf_printf(said, "a bit of '%s' was another one, and that was not said\n", flip.path);
    *flip.byte ^= flip.bit;
}

/* Between two processes. False: the job is over, its record says so; it would begin anew. */
static bool look_at_disk(struct run *r)
{
    struct job_record record;
    struct mem mem;
    struct arena a;

    mem_init(&mem, "record", 0);
    arena_init(&a, &mem, 0);
    load_record(r, &a, &record);
    bool finished = record.version > 0 && record.status == JOB_FINISHED;
    const struct retained_checkpoint *latest = record.version > 0 ? job_record_latest(&record) : NULL;
    if (finished) r->exit_status = 0;
    else if (latest != NULL && r->world->faults.wants[SIM_BIT_FLIPS] && prng_below(&r->world->prng, 2) == 0)
        live_with_flip(r, latest->folder);
    mem_release(&mem);
    return !finished;
}

/* Until a process has ended by itself; one that gave up because of a fault is started again, too. */
static enum sim_end run_lives(struct run *r)
{
    struct buf *said = &r->world->standard[2];
    enum sim_end end;
    uint64_t before;
    bool again;

    do {
        r->lives++;
        before = fired_so_far(r);
        buf_clear(said); /* of the last one counts */
        end = sim_world_run(r->world, run_main, r, said);
        r->world->faults.is_on = false;
        r->world->faults.full_until_ns = 0; /* whoever starts it again makes room first */
        again = sim_life_ended(r->world) || (r->exit_status != 0 && fired_so_far(r) > before);
        again = again && look_at_disk(r) && !r->is_blind;
    } while (end == SIM_FINISHED && again && r->lives < LIVES_MAX);
    return end;
}

static void list_faults(const struct run *r, struct arena *a, struct sim_result *out)
{
    out->faults = "";
    memcpy(out->crashed, r->world->faults.crashed, sizeof out->crashed);
    for (uint32_t i = 0; i < SIM_FAULT_COUNT; i++) {
        out->fired[i] = r->world->faults.fired[i];
        if (out->fired[i] == 0) continue;
        out->faults = arena_printf(a, "%s %s:%u", out->faults, sim_fault_name(i), out->fired[i]);
    }
    for (uint32_t i = 0; i < CRASH_POINT_COUNT; i++)
        if (out->crashed[i] > 0) out->faults = arena_printf(a, "%s %s:%u", out->faults, sys_crash_name((enum sys_crash_point)i), out->crashed[i]);
}

void sim_run(const struct sim_job *job, uint64_t seed, enum sim_mode mode, struct arena *a, struct sim_result *out)
{
    struct run r = {.job = job, .mode = mode, .seed_given = seed, .world = sim_world_create(seed, mode == SIM_REFERENCE), .seed = mix64(seed)};
    struct buf *said = &r.world->standard[2];

    *out = (struct sim_result){0};
    prng_init(&r.prng, ~r.seed);
    if (mode == SIM_FAULTS || mode == SIM_RESCALE_FAULTS) sim_faults_choose(r.world, &r.prng);
    if (mode == SIM_RESCALE) sim_faults_none(r.world);
    out->end = run_lives(&r);
    if (mode >= SIM_FAULTS) sim_folder_text(r.world, "/ledger", &r.world->standard[1]);
    out->exit_status = r.is_blind ? 1 : r.exit_status;
    out->virtual_ns = r.world->now_ns;
    out->settings = arena_strdup(a, r.settings);
    out->said = arena_strndup(a, said->size > 0 ? said->data : "", said->size);
    sim_trace(r.world, hash64(r.world->standard[1].data, r.world->standard[1].size));
    out->trace = r.world->trace;
    list_faults(&r, a, out);
    take_rows(&r, a, out);
    sim_world_free(r.world);
}

/* --- comparing ---------------------------------------------------------------------------------------------------------- */
static void show_rows(const char *title, const struct sim_result *r, uint32_t from, struct buf *out)
{
    buf_printf(out, "  %s, %u rows, from row %u:\n", title, r->row_count, from + 1);
    for (uint32_t i = from; i < MIN(r->row_count, from + SHOWN_ROWS); i++) buf_printf(out, "    %s\n", r->rows[i]);
}

bool sim_differs(const struct sim_result *got, const struct sim_result *expected, struct buf *out)
{
    uint32_t at = 0, both = MIN(got->row_count, expected->row_count);

    if (got->end == SIM_FINISHED && got->exit_status == expected->exit_status) {
        while (at < both && strcmp(got->rows[at], expected->rows[at]) == 0) at++;
        if (at == both && got->row_count == expected->row_count) return false;
    }
    if (got->end == SIM_DEADLOCK) buf_append_text(out, "  deadlock: nothing can go on\n");
    if (got->end == SIM_ENDLESS) buf_append_text(out, "  it does not come to an end\n");
    if (got->exit_status != expected->exit_status) buf_printf(out, "  exit status %d\n", got->exit_status);
    buf_append_text(out, got->said);
    uint32_t from = at > CONTEXT_ROWS ? at - CONTEXT_ROWS : 0;
    show_rows("expected", expected, from, out);
    show_rows("got", got, from, out);
    return true;
}
