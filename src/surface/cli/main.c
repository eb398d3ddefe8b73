/* main.c - the one binary `thalweg`. It adds to the library what only the binary has: the jobs that are built into it. */
#include "surface/cli/cli.h"

#include <thalweg/stream.h>

extern const struct tw_plugin flights_plugin; /* examples/flights.c */

int main(int argc, char **argv)
{
    static const struct cli_job jobs[] = {
        {"flights", "20,000 flights: the five worst airports of each week", &flights_plugin},
        {NULL, NULL, NULL},
    };
    struct cli cli = {.sys = sys_linux_create(), .jobs = jobs};
    int exit_status = cli_main(&cli, argc - 1, argv + 1);

    sys_linux_free(cli.sys);
    return exit_status;
}
