/* cli_taskmanager.c - `thalweg taskmanager`: offers slots to the JobManager of a cluster and starts a worker process for every job that gets
 * some, in the foreground, until the JobManager is gone for good or it is told to end. */
#include "surface/cli/cluster_arguments.h"

#include "control/memory.h"
#include "surface/cli/cluster_daemons.h"
#include "surface/cli/cluster_process.h"
#include "surface/cli/program.h"

#include <string.h>

extern const struct cli_verb cli_taskmanager;

static int show_memory(struct cluster_arguments *a)
{
    struct buf text;

    buf_init(&text, &a->mem);
    memory_show(&a->options, a->cli->sys, &text);
    program_say(a->cli->sys, 1, buf_text(&text));
    buf_release(&text);
    return 0;
}

static int run_taskmanager(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {{"--show-memory", NULL, false}, {NULL, NULL, false}};
    struct cluster_arguments a;
    int exit_status = CLUSTER_EXIT_USAGE;

    bool is_read = cluster_arguments_read(&a, cli, "thalweg taskmanager", own, argc, argv);
    if (is_read && a.wants_help) {
        cli_say_help(cli, &cli_taskmanager);
        exit_status = 0;
    } else if (is_read && a.values[0] != NULL) {
        exit_status = show_memory(&a);
    } else if (is_read && a.word_count > 0 && strcmp(a.words[0], "start-foreground") != 0) {
        exit_status = cluster_daemon_verb(&a, &daemon_taskmanager, a.words[0]) == S_OK ? 0 : 1;
    } else if (is_read) {
        exit_status = taskmanager_process_main(&a);
    }
    cluster_arguments_release(&a);
    return exit_status;
}

const struct cli_verb cli_taskmanager = {
    .name = "taskmanager",
    .arguments = "[ARGUMENTS]",
    .doc = "offer slots to the JobManager of a cluster",
    .help = "Finds the JobManager by jobmanager.rpc.address and jobmanager.rpc.port (localhost, 6123) and proves by "
            "the cluster's key\n"
            "that it belongs to it; every job that gets slots here has a process of its own.\n"
            "  -D KEY=VALUE       a setting: taskmanager.numberOfTaskSlots is how many slots it offers (1)\n"
            "  --show-memory      says what of the process's memory is for what, and ends\n"
            "  --config FILE      settings from a YAML file; -D wins\n"
            "  --configDir DIR    the same from DIR/config.yaml\n"
            "\n"
            "Example:\n"
            "  thalweg taskmanager -D taskmanager.numberOfTaskSlots=4\n",
    .run = run_taskmanager,
    .own_help = true,
    .program = "taskmanager.sh",
};
