/* cli_stop_cluster.c - `thalweg stop-cluster`: ends what start-cluster started with the same settings. */
#include "surface/cli/cluster_daemons.h"

extern const struct cli_verb cli_stop_cluster;

static int run_stop_cluster(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {{NULL, NULL, false}};
    struct cluster_arguments a;
    struct err e = {0};
    int exit_status = CLUSTER_EXIT_USAGE;

    if (cluster_arguments_read(&a, cli, "thalweg stop-cluster", own, argc, argv)) {
        enum status st = S_OK;
        if (a.wants_help) {
            cli_say_help(cli, &cli_stop_cluster);
        } else { /* the JobManager first: jobs that are to go on are suspended, not failed for want of slots */
            st = cluster_daemon_stop(&a, &daemon_jobmanager, true, &e);
            if (st == S_OK) st = cluster_daemon_stop(&a, &daemon_taskmanager, true, &e);
        }
        exit_status = st == S_OK ? 0 : cluster_fail(&a, &e);
    }
    cluster_arguments_release(&a);
    return exit_status;
}

const struct cli_verb cli_stop_cluster = {
    .name = "stop-cluster",
    .arguments = "[ARGUMENTS]",
    .doc = "stop the cluster that start-cluster started",
    .help =
        "Jobs that run are canceled; with high-availability.storageDir they go on when the cluster is started again.\n"
        "  -D KEY=VALUE       a setting, as for start-cluster: rest.port and io.tmp.dirs say which cluster is meant\n"
        "  --config FILE      settings from a YAML file; -D wins\n"
        "\n"
        "Example:\n"
        "  thalweg stop-cluster\n",
    .run = run_stop_cluster,
    .own_help = true,
    .program = "stop-cluster.sh",
};
