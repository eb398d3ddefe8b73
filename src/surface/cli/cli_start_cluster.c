/* cli_start_cluster.c - `thalweg start-cluster`: a JobManager and TaskManagers on this machine, as processes of their own; ends when they can
 * be used, and says where. */
#include "surface/cli/cluster_daemons.h"

#include "ground/base/str.h"
#include "ground/sys/sys_daemon.h"
#include "surface/cli/cluster_client.h"
#include "surface/cli/program.h"

extern const struct cli_verb cli_start_cluster;
enum { TASKMANAGERS, WAIT_MS = 60 * 1000, LOOK_NS = 50 * 1000 * 1000, TASKMANAGERS_MAX = 256 };

struct starting {
    struct cluster_arguments *a;
    struct cluster_client client;
    int64_t jobmanager;
    const char *log;
    int64_t taskmanagers;
};

static enum status count_wanted(struct cluster_arguments *a, int64_t *out, struct err *e)
{
    const char *text = a->values[TASKMANAGERS];

    *out = 1;
    if (text == NULL || (str_to_int64(str_of(text), out) && *out >= 0 && *out <= TASKMANAGERS_MAX)) return S_OK;
    return err_set(e, E_CONFIG, "--taskmanagers is '%.100s'; it must be 0 to %d", text, TASKMANAGERS_MAX);
}

/* Whoever answers there already is not ours. */
static enum status check_free(struct starting *s, struct err *e)
{
    struct err why = {0};
    struct str answer;

    if (cluster_client_get(&s->client, "/overview", &answer, &why) == E_IO) return S_OK;
    err_set(e, E_EXISTS, "something answers at %s already", s->client.base);
    err_hint(e,
             "`thalweg stop-cluster` stops a cluster; another one beside it: -D rest.port=N -D jobmanager.rpc.port=M");
    return E_EXISTS;
}

static enum status await_taskmanagers(struct starting *s, int64_t wanted, struct err *e)
{
    struct sys *sys = s->a->cli->sys;
    int64_t until = sys_mono_ns(sys) + (int64_t)WAIT_MS * 1000 * 1000;
    struct sys_parker *p = sys_parker_create(sys);
    bool is_up = false, lives = true;
    struct str answer;

    while (!is_up && lives && sys_mono_ns(sys) < until) {
        is_up = cluster_client_get(&s->client, "/overview", &answer, NULL) == S_OK &&
                answer_int(answer_member(answer, "taskmanagers"), -1) >= wanted;
        lives = sys_process_runs(s->jobmanager);
        if (!is_up) (void)sys_park(sys, p, LOOK_NS);
    }
    sys_parker_free(sys, p);
    if (is_up) return S_OK;
    err_set(e, E_IO, lives ? "the cluster could not be used within %d s" : "the JobManager ended", WAIT_MS / 1000);
    err_hint(e, "%s: %s", s->log, cluster_daemon_tail(s->a, s->log));
    return E_IO;
}

static enum status start_all(struct starting *s, struct err *e)
{
    struct cluster_arguments *a = s->a;
    int64_t id;
    const char *log;

    TRY(count_wanted(a, &s->taskmanagers, e));
    TRY(cluster_client_open(&s->client, a->cli, &a->options, &a->mem, &a->arena, e));
    TRY(check_free(s, e));
    program_say(a->cli->sys, 1, "Starting cluster.\n");
    TRY(cluster_daemon_start(a, &daemon_jobmanager, &s->jobmanager, &s->log, e));
    TRY(await_taskmanagers(s, 0, e));
    for (int64_t i = 0; i < s->taskmanagers; i++) TRY(cluster_daemon_start(a, &daemon_taskmanager, &id, &log, e));
    TRY(await_taskmanagers(s, s->taskmanagers, e));
    program_say(a->cli->sys, 1,
                arena_printf(&a->arena, "The cluster is up: %s, %lld TaskManager%s; logs in %s\n", s->client.base,
                             (long long)s->taskmanagers, s->taskmanagers == 1 ? "" : "s", cluster_folder(a)));
    return S_OK;
}

static int run_start_cluster(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {{"--taskmanagers", NULL, true}, {NULL, NULL, false}};
    struct cluster_arguments a;
    struct starting s = {.a = &a};
    struct err e = {0};
    int exit_status = CLUSTER_EXIT_USAGE;

    if (cluster_arguments_read(&a, cli, "thalweg start-cluster", own, argc, argv)) {
        enum status st = S_OK;
        if (a.wants_help)
            cli_say_help(cli, &cli_start_cluster);
        else
            st = start_all(&s, &e);
        exit_status = st == S_OK ? 0 : cluster_fail(&a, &e);
        cluster_client_close(&s.client);
    }
    cluster_arguments_release(&a);
    return exit_status;
}

const struct cli_verb cli_start_cluster = {
    .name = "start-cluster",
    .arguments = "[--taskmanagers N] [ARGUMENTS]",
    .doc = "start a JobManager and TaskManagers on this machine",
    .help = "  --taskmanagers N   how many (1); each offers taskmanager.numberOfTaskSlots slots (1)\n"
            "  -D KEY=VALUE       a setting of all of them\n"
            "  --config FILE      settings from a YAML file; -D wins\n"
            "  --configDir DIR    the same from DIR/config.yaml\n"
            "\n"
            "Example:\n"
            "  thalweg start-cluster --taskmanagers 2 -D taskmanager.numberOfTaskSlots=2\n",
    .run = run_start_cluster,
    .own_help = true,
    .program = "start-cluster.sh",
};
