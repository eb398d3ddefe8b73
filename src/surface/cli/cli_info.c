/* cli_info.c - `thalweg info JOB.so`: the plan of a job, which is not run; between the lines that Flink's client prints around it. */
#include "surface/cli/remote_run.h"

#include <string.h>

extern const struct cli_verb cli_info;

static int run_info(const struct cli *cli, int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") != 0) continue;
        cli_say_help(cli, &cli_info);
        return 0;
    }
    return cli_run_info(cli, argc, argv);
}

const struct cli_verb cli_info = {
    .name = "info",
    .arguments = "[JOB.so | --demo] [ARGUMENTS]",
    .doc = "show the plan of a job",
    .help = "The arguments are those of `thalweg run`; the plan is JSON, as `thalweg run --plan=json` prints it.\n"
            "\n"
            "Example:\n"
            "  thalweg info job.so --parallelism 2\n",
    .run = run_info,
    .own_help = true,
};
