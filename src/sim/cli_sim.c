/* cli_sim.c - `thalweg sim`: jobs in the simulated world under many seeds, each compared with its reference run. Every
 * twentieth seed runs twice, and both runs must have the same trace. */
#include "sim/sim.h"
#include "surface/cli/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEAT_EVERY = 20, JOBS_MAX = 256, FAILURES_SHOWN = 3 };

struct request {
    const struct cli *cli;
    uint64_t from, count;
    const char *job;
    bool is_verbose, wants_list, is_spread;
};

struct tally {
    uint64_t seeds, rows, failures;
    int64_t virtual_ns, wall_ns;
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
        else if (strcmp(argv[i], "--job") == 0 && value[0] != '\0') q->job = argv[++i];
        else if (strcmp(argv[i], "--seeds") == 0 && (ok = take_number(value, &q->count))) i++;
        else if (strcmp(argv[i], "--from") == 0 && (ok = take_number(value, &q->from))) i++;
        else if (strcmp(argv[i], "--seed") == 0 && (ok = take_number(value, &q->from))) q->count = 1, i++;
        else return argv[i];
        if (!ok) return argv[i];
    }
    return NULL;
}

/* --- one job ------------------------------------------------------------------------------------------------------------ */
static bool run_seed(const struct request *q, const struct sim_job *job, uint64_t seed, const struct sim_result *expected,
                     struct tally *t)
{
    struct mem mem;
    struct arena arena;
    struct buf text;
    struct sim_result got, again;

    mem_init(&mem, "seed", 0);
    arena_init(&arena, &mem, 0);
    buf_init(&text, &mem);
    sim_run(job, seed, false, &arena, &got);
    bool failed = sim_differs(&got, expected, &text);
    if (!failed && seed % REPEAT_EVERY == 0) {
        sim_run(job, seed, false, &arena, &again);
        failed = again.trace != got.trace;
        if (failed) buf_append_text(&text, "  the same seed took another way the second time\n");
    }
    if (failed && t->failures < FAILURES_SHOWN) {
        char head[512];
        snprintf(head, sizeof head, "job %s, seed %llu FAILED\n  replay: thalweg sim --job %s --seed %llu\n  %s\n", job->name,
                 (unsigned long long)seed, job->name, (unsigned long long)seed, got.settings);
        program_say(q->cli->sys, 2, head);
        program_say(q->cli->sys, 2, buf_text(&text));
    }
    if (q->is_verbose || (q->count == 1 && !failed)) {
        char line[512];
        snprintf(line, sizeof line, "%-24s seed %-8llu trace %016llx  %s\n", job->name, (unsigned long long)seed,
                 (unsigned long long)got.trace, got.settings);
        program_say(q->cli->sys, 1, line);
    }
    t->seeds++;
    t->rows += got.row_count;
    t->virtual_ns += got.virtual_ns - expected->virtual_ns;
    t->failures += failed;
    mem_release(&mem);
    return !failed;
}

/* `stride` and `first`: which of the seeds are this job's, when they are spread over all. */
static bool run_job(const struct request *q, const struct sim_job *job, uint64_t first, uint64_t stride)
{
    struct sim_result expected;
    struct tally t = {0};
    struct mem mem;
    struct arena arena;
    char line[256];

    mem_init(&mem, "reference", 0);
    arena_init(&arena, &mem, 0);
    int64_t began = sys_mono_ns(q->cli->sys);
    sim_run(job, 0, true, &arena, &expected);
    bool good = expected.end == SIM_FINISHED && expected.exit_status == 0 && expected.row_count > 0;
    if (!good) {
        program_say(q->cli->sys, 2, "the reference run did not finish with rows\n");
        program_say(q->cli->sys, 2, expected.said);
    }
    for (uint64_t i = first; good && i < q->count; i += stride) run_seed(q, job, q->from + i, &expected, &t);
    t.wall_ns = sys_mono_ns(q->cli->sys) - began;
    snprintf(line, sizeof line, "%-24s %7llu %10llu %10.2f ms %9.2f s  %s\n", job->name, (unsigned long long)t.seeds,
             (unsigned long long)t.rows, t.seeds > 0 ? (double)t.wall_ns / 1e6 / (double)t.seeds : 0,
             (double)t.wall_ns / 1e9, !good ? "NO REFERENCE" : t.failures > 0 ? "FAILED" : "ok");
    program_say(q->cli->sys, 1, line);
    mem_release(&mem);
    return good && t.failures == 0;
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

static int run_sim(const struct cli *cli, int argc, char **argv)
{
    struct request q = {.cli = cli, .count = 100, .from = 1};
    struct sim_job jobs[JOBS_MAX];
    uint32_t count = list_jobs(cli, jobs), ran = 0;
    const char *bad = parse(&q, argc, argv);
    char line[512];
    bool good = true;

    if (bad != NULL) {
        snprintf(line, sizeof line, "thalweg sim: cannot use '%.100s'; `thalweg sim --help` lists the arguments\n", bad);
        program_say(cli->sys, 2, line);
        return 1;
    }
    if (!q.wants_list) program_say(cli->sys, 1, "job                        seeds       rows    per seed       wall  result\n");
    for (uint32_t i = 0; i < count; i++) {
        if (q.job != NULL && strcmp(q.job, jobs[i].name) != 0) continue;
        ran++;
        snprintf(line, sizeof line, "%-24s %s\n", jobs[i].name, jobs[i].doc);
        if (q.wants_list) program_say(cli->sys, 1, line);
        else if (!run_job(&q, &jobs[i], q.is_spread ? i : 0, q.is_spread ? count : 1)) good = false;
    }
    if (ran > 0) return good ? 0 : 1;
    snprintf(line, sizeof line, "thalweg sim: there is no job '%.100s'; `thalweg sim --list` shows them\n", q.job);
    program_say(cli->sys, 2, line);
    return 1;
}

const struct cli_verb cli_sim = {
    .name = "sim",
    .arguments = "[--seed N | --seeds N [--from N]] [--job NAME] [--verbose] [--list]",
    .doc = "run test jobs in a simulated world under many seeds",
    .help = "A seed decides parallelism, sizes of batches and rings, workers, state backend and schedule; the rows must\n"
            "be those of the reference run (parallelism 1, batches of one row). Time is virtual. A failure says how to\n"
            "replay it.\n"
            "  --seed N           this seed alone, and its trace\n"
            "  --seeds N          so many seeds for each job (100)\n"
            "  --from N           the first of them (1)\n"
            "  --spread           deal the seeds out over the jobs instead of running all of them for each\n"
            "  --job NAME         one job alone\n"
            "  --verbose          a line for every seed: its trace and what it decided\n"
            "  --list             the jobs\n"
            "\n"
            "Example:\n"
            "  thalweg sim --job keyed_sum --seed 7\n",
    .run = run_sim,
};
