/* cli_sim.c - `thalweg sim`: jobs in the simulated world under many seeds, each compared with its reference run. Every
 * twentieth seed runs twice, and both runs must have the same trace. */
#include "sim/sim.h"
#include "surface/cli/program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEAT_EVERY = 20, JOBS_MAX = 256, FAILURES_SHOWN = 3, PROGRESS_NS = 200000000, QUIET_MAX = 8 };

struct request {
    const struct cli *cli;
    uint64_t from, count;
    const char *job;
    bool is_verbose, wants_list, is_spread, has_faults, rescales;
    int64_t shown_ns; /* when progress was last shown */
    enum sys_signal signal;
};

/* One line of the table at the end. */
struct tally {
    const char *job;
    bool has_reference;
    uint64_t seeds, rows, failures;
    uint64_t quiet, fired[SIM_FAULT_COUNT], crashed[CRASH_POINT_COUNT]; /* seeds whose faults did not fire, which do not count; faults */
    int64_t virtual_ns, wall_ns;
    struct buf failed; /* the seeds */
};

static bool take_number(const char *text, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static const char *parse(struct request *q, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        bool ok = true;
        if (strcmp(argv[i], "--verbose") == 0) q->is_verbose = true;
        else if (strcmp(argv[i], "--list") == 0) q->wants_list = true;
        else if (strcmp(argv[i], "--spread") == 0) q->is_spread = true;
        else if (strcmp(argv[i], "--faults") == 0) q->has_faults = true;
        else if (strcmp(argv[i], "--rescale") == 0) q->rescales = true;
        else if (strcmp(argv[i], "--job") == 0 && value[0] != '\0') q->job = argv[++i];
        else if (strcmp(argv[i], "--seeds") == 0 && (ok = take_number(value, &q->count))) i++;
        else if (strcmp(argv[i], "--from") == 0 && (ok = take_number(value, &q->from))) i++;
        else if (strcmp(argv[i], "--seed") == 0 && (ok = take_number(value, &q->from))) q->count = 1, i++;
        else return argv[i];
        if (!ok) return argv[i];
    }
    return NULL;
}

/* --- what is shown while it runs ---------------------------------------------------------------------------------------- */
static void say(const struct request *q, int fd, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(const struct request *q, int fd, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (q->shown_ns != 0) program_say(q->cli->sys, 2, "\r\033[K");
    program_say(q->cli->sys, fd, text);
}

/* On a terminal, a few times a second. False: a signal wants it to end. */
static bool show_progress(struct request *q, const char *job, uint64_t seed)
{
    int64_t now = sys_mono_ns(q->cli->sys);
    char text[128];

    if (q->signal == SYS_SIGNAL_NONE) q->signal = sys_signal_take(q->cli->sys);
    if (q->signal != SYS_SIGNAL_NONE) return false;
    if (now - q->shown_ns < PROGRESS_NS || !sys_is_terminal(q->cli->sys, 2)) return true;
    q->shown_ns = now;
    snprintf(text, sizeof text, "\r\033[Ksim: %s, seed %llu of %llu", job, (unsigned long long)seed,
             (unsigned long long)(q->from + q->count - 1));
    program_say(q->cli->sys, 2, text);
    return true;
}

/* --- one job ------------------------------------------------------------------------------------------------------------ */
static enum sim_mode mode_of(const struct request *q)
{
    if (q->rescales) return q->has_faults ? SIM_RESCALE_FAULTS : SIM_RESCALE;
    return q->has_faults ? SIM_FAULTS : SIM_PLAIN;
}

static const char *arguments_of(const struct request *q)
{
    if (q->rescales) return q->has_faults ? " --faults --rescale" : " --rescale";
    return q->has_faults ? " --faults" : "";
}

static void show_failure(const struct request *q, const char *job, uint64_t seed, const struct sim_result *got, struct buf *text)
{
    say(q, 2, "job %s, seed %llu FAILED\n  replay: thalweg sim --job %s --seed %llu%s\n  %s%s%s\n", job,
        (unsigned long long)seed, job, (unsigned long long)seed, arguments_of(q), got->settings,
        got->faults[0] != '\0' ? "\n  faults:" : "", got->faults);
    program_say(q->cli->sys, 2, buf_text(text));
}

static void run_seed(const struct request *q, const struct sim_job *job, uint64_t seed, const struct sim_result *expected,
                     struct tally *t)
{
    struct mem mem;
    struct arena arena;
    struct buf text;
    struct sim_result got, again;
    enum sim_mode mode = mode_of(q);

    mem_init(&mem, "seed", 0);
    arena_init(&arena, &mem, 0);
    buf_init(&text, &mem);
    sim_run(job, seed, mode, &arena, &got);
    bool failed = sim_differs(&got, expected, &text);
    if (!failed && seed % REPEAT_EVERY == 0) {
        sim_run(job, seed, mode, &arena, &again);
        failed = again.trace != got.trace;
        if (failed) buf_append_text(&text, "  the same seed took another way the second time\n");
    }
    if (failed && t->failures < FAILURES_SHOWN) show_failure(q, job->name, seed, &got, &text);
    if (failed) buf_printf(&t->failed, " %llu", (unsigned long long)seed);
    if (q->is_verbose || (q->count == 1 && !failed))
        say(q, 1, "%-20s seed %-8llu trace %016llx  %s%s%s\n", job->name, (unsigned long long)seed, (unsigned long long)got.trace,
            got.settings, got.faults[0] != '\0' ? "  faults:" : "", got.faults);
    bool counts = failed || !q->has_faults || got.faults[0] != '\0';
    t->seeds += counts;
    t->quiet += !counts;
    t->rows += got.row_count;
    t->virtual_ns += got.virtual_ns - SIM_START_NS;
    t->failures += failed;
    for (uint32_t i = 0; i < SIM_FAULT_COUNT; i++) t->fired[i] += got.fired[i];
    for (uint32_t i = 0; i < CRASH_POINT_COUNT; i++) t->crashed[i] += got.crashed[i];
    mem_release(&mem);
}

/* Seeds first, first + stride, ... are this job's: of q->count when they are spread over all. With faults a seed in which none fired does
 * not count, and another one takes its place. */
static void run_job(struct request *q, const struct sim_job *job, uint64_t first, uint64_t stride, struct tally *t)
{
    struct sim_result expected;
    struct mem mem;
    struct arena arena;

    mem_init(&mem, "reference", 0);
    arena_init(&arena, &mem, 0);
    int64_t began = sys_mono_ns(q->cli->sys);
    sim_run(job, 0, SIM_REFERENCE, &arena, &expected);
    t->job = job->name;
    t->has_reference = expected.end == SIM_FINISHED && expected.exit_status == 0 && expected.row_count > 0;
    if (!t->has_reference) {
        say(q, 2, "job %s: the reference run did not finish with rows\n", job->name);
        program_say(q->cli->sys, 2, expected.said);
    }
    uint64_t wanted = first < q->count ? (q->count - first + stride - 1) / stride : 0;
    uint64_t most = q->count > 1 ? wanted * QUIET_MAX : wanted; /* --seed N is that seed */
    for (uint64_t i = 0; t->has_reference && i < most && t->seeds < wanted; i++) {
        if (!show_progress(q, job->name, q->from + first + i * stride)) break;
        run_seed(q, job, q->from + first + i * stride, &expected, t);
    }
    if (t->has_reference && q->count > 1 && t->seeds < wanted && q->signal == SYS_SIGNAL_NONE)
        say(q, 2, "job %s: in %llu seeds a fault fired in %llu alone\n", job->name, (unsigned long long)most, (unsigned long long)t->seeds);
    t->wall_ns = sys_mono_ns(q->cli->sys) - began;
    mem_release(&mem);
}

/* --- the table ---------------------------------------------------------------------------------------------------------- */
static void show_line(const struct request *q, const struct tally *t, const char *result)
{
    say(q, 1, "%-20s %7llu %9llu %10.2f s %8.2f s %8.2f ms  %s\n", t->job, (unsigned long long)t->seeds,
        (unsigned long long)t->rows, (double)t->virtual_ns / 1e9, (double)t->wall_ns / 1e9,
        t->seeds > 0 ? (double)t->wall_ns / 1e6 / (double)t->seeds : 0, result);
}

static void show_faults(const struct request *q, const struct tally *all)
{
    say(q, 1, "faults that fired:");
    for (uint32_t i = 0; i < SIM_FAULT_COUNT; i++)
        say(q, 1, " %s %llu%s", sim_fault_name(i), (unsigned long long)all->fired[i], i + 1 < SIM_FAULT_COUNT ? "," : "");
    say(q, 1, "; seeds in which none fired, not counted: %llu\n", (unsigned long long)all->quiet);
    say(q, 1, "crash points:");
    for (uint32_t i = 1; i < CRASH_POINT_COUNT; i++)
        say(q, 1, " %s %llu%s", sys_crash_name((enum sys_crash_point)i), (unsigned long long)all->crashed[i], i + 1 < CRASH_POINT_COUNT ? "," : "\n");
}

/* Answers whether all went well. */
static bool show_table(const struct request *q, const struct tally *tallies, uint32_t count)
{
    struct tally all = {.job = "all"};
    uint32_t bad = 0;

    say(q, 1, "%-20s %7s %9s %12s %10s %11s  %s\n", "job", "seeds", "rows", "virtual time", "wall", "per seed", "result");
    for (uint32_t i = 0; i < count; i++) {
        const struct tally *t = &tallies[i];
        bool failed = t->failures > 0 || !t->has_reference;
        show_line(q, t, !t->has_reference ? "NO REFERENCE" : failed ? "FAILED" : "ok");
        all.seeds += t->seeds;
        all.rows += t->rows;
        all.failures += t->failures;
        all.quiet += t->quiet;
        for (uint32_t k = 0; k < SIM_FAULT_COUNT; k++) all.fired[k] += t->fired[k];
        for (uint32_t k = 0; k < CRASH_POINT_COUNT; k++) all.crashed[k] += t->crashed[k];
        all.virtual_ns += t->virtual_ns;
        all.wall_ns += t->wall_ns;
        bad += failed;
    }
    if (count > 1) show_line(q, &all, bad > 0 ? "FAILED" : "ok");
    if (mode_of(q) >= SIM_FAULTS) show_faults(q, &all);
    for (uint32_t i = 0; i < count; i++)
        if (tallies[i].failures > 0) {
            say(q, 1, "%s failed with seeds", tallies[i].job);
            program_say(q->cli->sys, 1, buf_text((struct buf *)&tallies[i].failed));
            program_say(q->cli->sys, 1, "\n");
        }
    return bad == 0;
}

/* --- all jobs ----------------------------------------------------------------------------------------------------------- */
/* Programs that are part of the binary, then the jobs of this folder. The first, the demo, prints without the engine. */
static uint32_t list_jobs(const struct cli *cli, struct sim_job *out)
{
    uint32_t count = 0;

    for (uint32_t i = 1; cli->jobs != NULL && cli->jobs[0].name != NULL && cli->jobs[i].name != NULL; i++)
        out[count++] = (struct sim_job){
            .name = cli->jobs[i].name, .doc = cli->jobs[i].doc, .compare = SIM_PER_KEY, .plugin = cli->jobs[i].plugin};
    for (uint32_t i = 0; cli->sim_jobs != NULL && cli->sim_jobs[i] != NULL && count < JOBS_MAX; i++)
        out[count++] = *cli->sim_jobs[i];
    return count;
}

/* Those that the request is about, to the front. */
static uint32_t choose_jobs(const struct request *q, struct sim_job *jobs, uint32_t count)
{
    uint32_t chosen = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (q->job != NULL && strcmp(q->job, jobs[i].name) != 0) continue;
        if (mode_of(q) >= SIM_FAULTS && !jobs[i].survives) continue;
        jobs[chosen++] = jobs[i];
    }
    return chosen;
}

static int run_all(struct request *q, const struct sim_job *jobs, uint32_t count)
{
    struct tally tallies[JOBS_MAX] = {0};
    struct mem mem;
    uint32_t ran = 0;

    mem_init(&mem, "failed seeds", 0);
    for (uint32_t i = 0; i < count && q->signal == SYS_SIGNAL_NONE; i++) {
        buf_init(&tallies[ran].failed, &mem);
        run_job(q, &jobs[i], q->is_spread ? i : 0, q->is_spread ? count : 1, &tallies[ran++]);
    }
    if (ran == 0) say(q, 2, "thalweg sim: there is no job '%.100s'%s; `thalweg sim --list` shows them\n", q->job != NULL ? q->job : "",
                      mode_of(q) >= SIM_FAULTS ? " that runs with faults" : "");
    bool good = ran > 0 && show_table(q, tallies, ran);
    if (q->signal != SYS_SIGNAL_NONE) say(q, 2, "thalweg sim: interrupted\n");
    mem_release(&mem);
    if (q->signal != SYS_SIGNAL_NONE) return q->signal == SYS_SIGNAL_INT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
    return good ? 0 : 1;
}

static int run_sim(const struct cli *cli, int argc, char **argv)
{
    struct request q = {.cli = cli, .count = 100, .from = 1};
    struct sim_job jobs[JOBS_MAX];
    uint32_t count = list_jobs(cli, jobs);
    const char *bad = parse(&q, argc, argv);

    if (bad != NULL) {
        say(&q, 2, "thalweg sim: cannot use '%.100s'; `thalweg sim --help` lists the arguments\n", bad);
        return 1;
    }
    if (!q.wants_list) return run_all(&q, jobs, choose_jobs(&q, jobs, count));
    for (uint32_t i = 0; i < count; i++) say(&q, 1, "%-20s %s\n", jobs[i].name, jobs[i].doc);
    return 0;
}

const struct cli_verb cli_sim = {
    .name = "sim",
    .arguments = "[--seed N | --seeds N [--from N]] [--job NAME] [--faults] [--rescale] [--verbose] [--list]",
    .doc = "run test jobs in a simulated world under many seeds",
    .help = "A seed decides parallelism, sizes of batches and rings, workers, state backend and schedule; the rows must\n"
            "be those of the reference run (parallelism 1, batches of one row). Time is virtual. A failure says how to\n"
            "replay it.\n"
            "  --seed N           this seed alone, and its trace\n"
            "  --seeds N          so many seeds for each job (100)\n"
            "  --from N           the first of them (1)\n"
            "  --faults           jobs that take checkpoints alone, while eight kinds of faults fire, each in a quarter of the seeds:\n"
            "                     tasks fail, processes die, power fails (unsynced writes are lost or torn), writes fail, the disk\n"
            "                     is full, an object's fate is unknown, bits of a checkpoint flip; the process dies at a\n"
            "                     crash point, C1 to C25; rows that are committed count\n"
            "  --rescale          jobs that take checkpoints alone, while they run they are rescaled: from 1 to 2, 2 to 1, 2 to 4,\n"
            "                     4 to 2, 3 to 7, 7 to 2, 1 to 20, as the seed says, then to others; with --faults too\n"
            "  --spread           deal the seeds out over the jobs instead of running all of them for each\n"
            "  --job NAME         one job alone\n"
            "  --verbose          a line for every seed: its trace and what it decided\n"
            "  --list             the jobs\n"
            "\n"
            "Example:\n"
            "  thalweg sim --job keyed_sum --seed 7\n",
    .run = run_sim,
};
