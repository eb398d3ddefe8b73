/* cli_jobmanager.c - `thalweg jobmanager`: the JobManager of a cluster, in the foreground, until it is told to end: by a signal, or by
 * DELETE /cluster. Under the name jobmanager.sh it takes start, start-foreground and stop, as Flink's script does. */
#include "surface/cli/cluster_arguments.h"

#include "surface/cli/cluster_daemons.h"
#include "surface/cli/cluster_process.h"
#include "surface/cli/program.h"

#include <string.h>

extern const struct cli_verb cli_jobmanager;

static int run_jobmanager(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {
        {"--host", NULL, true}, {"--webui-port", NULL, true}, {"--local", NULL, false}, {NULL, NULL, false}};
    struct cluster_arguments a;
    int exit_status = CLUSTER_EXIT_USAGE;

    bool is_read = cluster_arguments_read(&a, cli, "thalweg jobmanager", own, argc, argv);
    if (is_read && a.wants_help) {
        cli_say_help(cli, &cli_jobmanager);
        exit_status = 0;
    } else if (is_read) {
        const char *verb = a.word_count > 0 ? a.words[0] : "start-foreground";
        if (a.values[0] != NULL) config_set_from(&a.config, "jobmanager.rpc.address", a.values[0], "--host");
        if (a.values[1] != NULL) config_set_from(&a.config, "rest.port", a.values[1], "--webui-port");
        a.options = config_options(&a.config);
        if (strcmp(verb, "start-foreground") == 0) {
            exit_status = jobmanager_process_run(&a, a.values[2] != NULL, NULL);
        } else {
            exit_status = cluster_daemon_verb(&a, &daemon_jobmanager, verb) == S_OK ? 0 : 1;
        }
    }
    cluster_arguments_release(&a);
    return exit_status;
}

const struct cli_verb cli_jobmanager = {
    .name = "jobmanager",
    .arguments = "[ARGUMENTS]",
    .doc = "run the JobManager of a cluster",
    .help = "Takes jobs by its REST interface (rest.port, 8081), keeps them in the cluster's folder and runs them; "
            "those that it\n"
            "was killed with go on when it is started anew. Ctrl-c and SIGTERM end it, as does DELETE /cluster.\n"
            "  -D KEY=VALUE       a setting: of the cluster, or a default of its jobs\n"
            "  --config FILE      settings from a YAML file; -D wins\n"
            "  --configDir DIR    the same from DIR/config.yaml\n"
            "  --host NAME        the same as -D jobmanager.rpc.address=NAME\n"
            "  --webui-port N     the same as -D rest.port=N\n"
            "  --local            tasks run in this process, without TaskManagers\n"
            "\n"
            "Example:\n"
            "  thalweg jobmanager -D rest.port=8081\n",
    .run = run_jobmanager,
    .own_help = true,
    .program = "jobmanager.sh",
};
