/* run.h - a job as a program: arguments, the status line, the summary. For tw_main and the command line. */
#pragma once
#include "surface/api/api_internal.h"

/* "job 'x' failed: ..." with the hint on a line of its own, on standard error. */
void api_print_error(struct tw_env *env, const char *job_name);
/* Runs a plugin's job with the arguments behind the program's name; answers the exit status (130 after SIGINT). */
int api_run_plugin(struct sys *sys, const struct tw_plugin *plugin, const char *program, int argc, char **argv);
