/* cluster_arguments.h - arguments of the verbs that speak to a cluster or are a part of it: a table of the verb's own, and those that all
 * of them take: -D KEY=VALUE, --config FILE, --configDir DIR, -m HOST:PORT (--jobmanager), -t TARGET. */
#pragma once
#include "control/cluster_keys.h"
#include "surface/cli/cli.h"

struct cluster_argument {
    const char *name, *other; /* "-p", "--savepointPath"; NULL: it has one name */
    bool has_value;
};

enum { CLUSTER_ARGUMENTS_MAX = 16, CLUSTER_WORDS_MAX = 256, CLUSTER_EXIT_USAGE = 1 };

struct cluster_arguments {
    struct mem mem;
    struct arena arena;
    const struct cli *cli;
    const char *verb;     /* for messages: "thalweg list" */
    struct config config; /* the files', then -D */
    struct options options;
    const char *values[CLUSTER_ARGUMENTS_MAX]; /* of the verb's table; NULL: not given; of a flag "" */
    const char *words[CLUSTER_WORDS_MAX];      /* what is no argument, and all behind --, in order */
    uint32_t word_count;
    const char *const *daemon_words; /* what a daemon is given behind the settings */
    uint32_t daemon_word_count;
    bool wants_help;
};

/* Reads and checks. False: a mistake was told; still to be released. `own` ends with name NULL. */
bool cluster_arguments_read(struct cluster_arguments *a, const struct cli *cli, const char *verb,
                            const struct cluster_argument *own, int argc, char **argv);
void cluster_arguments_release(struct cluster_arguments *a);
/* An error on standard error, with the verb in front; answers 1. */
int cluster_fail(const struct cluster_arguments *a, const struct err *e);

/* "host:port" or "host" as rest.address and rest.port. */
enum status cluster_set_address(struct config *c, const char *text, struct err *e) CHECKED;

/* The cluster's own folder: below io.tmp.dirs, one per user and rest.port. */
const char *cluster_folder(struct cluster_arguments *a);
