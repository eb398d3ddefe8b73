/* cli_version.c - `thalweg version`. */
#include "surface/cli/cli.h"

#include "surface/cli/program.h"

static int version_run(const struct cli *cli, int argc, char **argv)
{
    if (argc > 0) {
        struct err e = {0};
        err_set(&e, E_CONFIG, "unknown argument '%s'; it takes none", argv[0]);
        api_say_error(cli->sys, "thalweg version", &e);
        return 1;
    }
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
