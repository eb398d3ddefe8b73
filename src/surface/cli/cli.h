/* cli.h - the command line: verbs. One file cli_<verb>.c ends in one `const struct cli_verb cli_<verb>`; a generated list
 * collects them, wherever in src they stand. */
#pragma once
#include "ground/sys/sys.h"

struct sys_editor_ops;
struct sys_http_ops;
struct sys_httpd_ops;
struct tw_plugin;

/* Jobs that are part of the binary, for `thalweg run` without a shared object and for the simulator. */
struct cli_job {
    const char *name, *doc;
    const struct tw_plugin *plugin;
};

struct sim_job;
extern const struct sim_job *const sim_jobs[]; /* sim/jobs.c: sorted by name, ends with NULL; in the binary only */

struct cli {
    struct sys *sys;
    const struct cli_job *jobs; /* ends with name == NULL; the first is the demo */
    const struct sim_job *const *sim_jobs; /* ends with NULL; NULL = none */
    const struct sys_editor_ops *editor; /* of lines on the terminal; NULL = none */
    const struct sys_http_ops *http;     /* NULL = none */
    const struct sys_httpd_ops *httpd;   /* NULL = none */
    bool is_flink;      /* under the name flink: jobs go to a cluster */
    const char *called; /* by this name of the program: that of a verb with `program`; NULL: as thalweg */
};

struct cli_verb {
    const char *name, *arguments, *doc;
    const char *help;           /* what `thalweg <verb> --help` prints below the first line; ends with an example */
    int (*run)(const struct cli *cli, int argc, char **argv); /* behind the verb; answers the exit status */
    bool own_help;              /* run() answers --help itself, with cli_say_help */
    const char *program_help;   /* what the program of that name answers to --help, whole */
    const char *program;        /* the binary under this name is this verb: "sql-client.sh"; NULL = no such name */
};

extern const struct cli_verb *const cli_verbs[]; /* sorted by name, ends with NULL */
/* With the program's name, which may stand for a verb. */
int cli_main_as(const struct cli *cli, int argc, char **argv);
/* Everything behind the program's name; answers the exit status. */
int cli_main(const struct cli *cli, int argc, char **argv);
/* Name, arguments, what it does, its help; to standard output. */
void cli_say_help(const struct cli *cli, const struct cli_verb *v);
