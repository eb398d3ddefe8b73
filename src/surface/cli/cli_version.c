/* cli_version.c - `thalweg version`. */
#include "surface/cli/cli.h"

#include "surface/cli/program.h"

static int version_run(const struct cli *cli, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    program_say(cli->sys, 1, "thalweg " THALWEG_VERSION "\n");
    return 0;
}

const struct cli_verb cli_version = {
    .name = "version",
    .arguments = "",
    .doc = "print the version",
    .help = "Example:\n  thalweg version\n",
    .run = version_run,
};
