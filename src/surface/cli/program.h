/* program.h - a job as a program: the engine's own arguments, the environment, the exit status. Behind tw_main and behind
 * `thalweg run`. */
#pragma once
#include "surface/api/api.h"

enum { PROGRAM_ARGS_MAX = 1024, EXIT_INTERRUPTED = 130, EXIT_TERMINATED = 143 };

/* A job that runs in a cluster: what `open` answers becomes the environment's. */
struct program_remote {
    struct api_remote (*open)(const struct program_remote *r, const struct config *config);
};

struct program {
    struct sys *sys;
    const struct tw_plugin *plugin;
    const char *name;     /* the job's argv[0] */
    const char *artifact; /* file that holds the functions */
    const struct program_remote *remote; /* NULL: it runs in this process */
    const char *command;  /* how it is called, for the example of --help; NULL = by its name */
};

/* argv: the arguments behind the program's name. Answers the exit status: the job's own, 130 or 143 after a signal. */
int program_run(const struct program *p, int argc, char **argv);
/* How many of the arguments, from the first on, are the engine's, their values counted: where the job's begin. */
int program_count_own(int argc, char **argv);
/* Is the argument one of the engine's, whose value stands in the next one? */
bool program_takes_value(const char *arg);
/* Text to standard output (fd 1) or error (2). */
void program_say(struct sys *sys, int fd, const char *text);

/* What program_run makes of arguments; for tests. */
struct program_arguments {
    struct config config;
    bool is_quiet, wants_help;
    enum api_plan plan;
    int argc;    /* of the job: name and what was left */
    char **argv; /* ends with NULL */
};
enum status program_parse(struct program_arguments *out, struct arena *a, struct sys *sys, const char *name, int argc,
                          char **argv, struct err *e) CHECKED;
