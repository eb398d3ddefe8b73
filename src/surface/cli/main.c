/* main.c - the one binary `thalweg`. It adds to the library what only the binary has: the jobs that are built into it, and
 * those of the simulated world. */
#include "ground/sys/sys_editor.h"
#include "ground/sys/sys_http.h"
#include "ground/sys/sys_httpd.h"
#include "surface/cli/cli.h"

#include <thalweg/stream.h>

/* examples/<name>.c */
extern const struct tw_plugin flights_plugin, event_time_windows_plugin, stateful_process_plugin;

int main(int argc, char **argv)
{
    static const struct cli_job jobs[] = {
        {"flights", "20,000 flights: the five worst airports of each week", &flights_plugin},
        {"event_time_windows", "clicks per user in event-time windows, with late rows", &event_time_windows_plugin},
        {"stateful_process", "keyed state and timers", &stateful_process_plugin},
        {NULL, NULL, NULL},
    };
    struct cli cli = {
        .sys = sys_linux_create(), .jobs = jobs, .sim_jobs = sim_jobs, .editor = &sys_linux_editor, .http = &sys_linux_http, .httpd = &sys_linux_httpd};
    int exit_status = cli_main_as(&cli, argc, argv);

    sys_linux_free(cli.sys);
    return exit_status;
}
