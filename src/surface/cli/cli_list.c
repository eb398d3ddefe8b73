/* cli_list.c - `thalweg list`: the jobs of a cluster, as Flink's client lists them: those that run or are to be started anew, those that
 * are about to, and with -a those that are over. Times are UTC. */
#include "surface/cli/cli.h"

#include "columns/column/timestamp.h"
#include "ground/base/str.h"
#include "surface/cli/cluster_client.h"
#include "surface/cli/program.h"

#include <string.h>

enum { RUNNING, SCHEDULED, ALL };
#define LINE "--------------------------------------------------------------\n"

/* --- the list ------------------------------------------------------------------------------------------------------ */
struct listed {
    int64_t start_ms;
    const char *id, *name, *state;
};

static bool is_over(const char *state)
{
    return strcmp(state, "FINISHED") == 0 || strcmp(state, "CANCELED") == 0 || strcmp(state, "FAILED") == 0;
}

static bool is_scheduled(const char *state) { return strcmp(state, "CREATED") == 0; }

static const char *text_of(struct cluster_client *c, struct str job, const char *key)
{
    const char *text = answer_text(answer_member(job, key), c->arena);

    return text != NULL ? text : "";
}

/* In the order of their starts. */
static struct listed *read_jobs(struct cluster_client *c, struct str answer, uint32_t *count)
{
    struct str list = answer_member(answer, "jobs"), item;
    size_t at = 0;

    *count = 0;
    while (answer_next(list, &at, &item)) ++*count;
    struct listed *jobs = ARENA_ARRAY(c->arena, struct listed, *count + 1);
    at = 0;
    for (uint32_t n = 0; answer_next(list, &at, &item); n++) {
        struct listed job = {answer_int(answer_member(item, "start-time"), 0), text_of(c, item, "jid"),
                             text_of(c, item, "name"), text_of(c, item, "state")};
        uint32_t place = n;
        for (; place > 0 && jobs[place - 1].start_ms > job.start_ms; place--) jobs[place] = jobs[place - 1];
        jobs[place] = job;
    }
    return jobs;
}

static void print_job(const struct listed *job, struct buf *out)
{
    struct civil t;

    civil_from_ms(job->start_ms, &t);
    buf_printf(out, "%02d.%02d.%04d %02d:%02d:%02d : %s : %s (%s)\n", t.day, t.month, t.year, t.hour, t.minute,
               t.second, job->id, job->name, job->state);
}

/* Those of one kind; `none` where there are none, "" prints nothing. */
static void print_kind(const struct listed *jobs, uint32_t count, bool (*is_of_kind)(const char *state),
                       const char *title, const char *none, struct buf *out)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (!is_of_kind(jobs[i].state)) continue;
        if (found++ == 0) buf_append_text(out, title);
        print_job(&jobs[i], out);
    }
    buf_append_text(out, found > 0 ? LINE : none);
}

static bool is_running(const char *state) { return !is_over(state) && !is_scheduled(state); }

/* --- the verb ------------------------------------------------------------------------------------------------------ */
static enum status list_jobs(struct cluster_arguments *a, struct buf *out, struct err *e)
{
    bool all = a->values[ALL] != NULL, running = a->values[RUNNING] != NULL, scheduled = a->values[SCHEDULED] != NULL;
    struct cluster_client c;
    struct str answer;
    uint32_t count;

    if (!running && !scheduled) running = scheduled = true; /* with -a, too */
    TRY(cluster_client_open(&c, a->cli, &a->options, &a->mem, &a->arena, e));
    program_say(a->cli->sys, 1, "Waiting for response...\n");
    enum status st = cluster_client_get(&c, "/jobs/overview", &answer, e);
    if (st == S_OK) {
        const struct listed *jobs = read_jobs(&c, answer, &count);
        if (running)
            print_kind(jobs, count, is_running, "------------------ Running/Restarting Jobs -------------------\n",
                       "No running jobs.\n", out);
        if (scheduled)
            print_kind(jobs, count, is_scheduled, "----------------------- Scheduled Jobs -----------------------\n",
                       "No scheduled jobs.\n", out);
        if (all)
            print_kind(jobs, count, is_over, "---------------------- Terminated Jobs -----------------------\n", "",
                       out);
    }
    cluster_client_close(&c);
    return st;
}

extern const struct cli_verb cli_list;

static int run_list(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {
        {"-r", "--running", false}, {"-s", "--scheduled", false}, {"-a", "--all", false}, {NULL, NULL, false}};
    struct cluster_arguments a;
    struct err e = {0};
    struct buf out;
    int exit_status = 1;

    if (cluster_arguments_read(&a, cli, "thalweg list", own, argc, argv)) {
        buf_init(&out, &a.mem);
        enum status st = S_OK;
        if (a.wants_help)
            cli_say_help(cli, &cli_list);
        else
            st = list_jobs(&a, &out, &e);
        program_say(cli->sys, 1, buf_text(&out));
        exit_status = st == S_OK ? 0 : cluster_fail(&a, &e);
        buf_release(&out);
    }
    cluster_arguments_release(&a);
    return exit_status;
}

const struct cli_verb cli_list = {
    .name = "list",
    .arguments = "[-r] [-s] [-a] [-m HOST:PORT]",
    .doc = "list the jobs of a cluster",
    .help = "  -r, --running      those that run, or are to be started anew\n"
            "  -s, --scheduled    those that are about to begin\n"
            "  -a, --all          also those that are over\n"
            "  -m, --jobmanager HOST:PORT   the REST interface of the cluster; else rest.address and rest.port, "
            "localhost:8081\n"
            "  -D KEY=VALUE, --config FILE  settings\n"
            "\n"
            "Example:\n"
            "  thalweg list -a\n",
    .run = run_list,
    .own_help = true,
};
