/* cli.c - finds the verb, answers --help, and says which verb was probably meant. The list of verbs is generated from the
 * file names (cli_*.c). */
#include "surface/cli/cli.h"

#include "ground/base/str.h"
#include "surface/cli/program.h"

#include <stdio.h>
#include <string.h>

#define X(name) extern const struct cli_verb cli_##name;
#include "cli_registry.def"
#undef X

const struct cli_verb *const cli_verbs[] = {
#define X(name) &cli_##name,
#include "cli_registry.def"
#undef X
    NULL,
};

enum { VERBS_MAX = 32 };

static void print_overview(const struct cli *cli, int fd)
{
    char line[256];

    program_say(cli->sys, fd,
                "Thalweg " THALWEG_VERSION
                " - a stream processor in one native binary.\n\nUsage: thalweg VERB [ARGUMENTS]\n\n");
    for (uint32_t i = 0; cli_verbs[i] != NULL; i++) {
        snprintf(line, sizeof line, "  %-14s %s\n", cli_verbs[i]->name, cli_verbs[i]->doc);
        program_say(cli->sys, fd, line);
    }
    program_say(cli->sys, fd, "\nthalweg VERB --help says more. Example:\n  thalweg run job.so --parallelism 2\n");
}

void cli_say_help(const struct cli *cli, const struct cli_verb *v)
{
    char line[512];

    snprintf(line, sizeof line, "thalweg %s%s%s\n%s\n\n", v->name, v->arguments[0] != '\0' ? " " : "", v->arguments,
             v->doc);
    program_say(cli->sys, 1, line);
    program_say(cli->sys, 1, v->help);
}

static const struct cli_verb *find_verb(const char *name)
{
    for (uint32_t i = 0; cli_verbs[i] != NULL; i++)
        if (strcmp(cli_verbs[i]->name, name) == 0) return cli_verbs[i];
    return NULL;
}

static int unknown_verb(const struct cli *cli, const char *name)
{
    const char *names[VERBS_MAX];
    char line[512];
    uint32_t count = 0;

    while (cli_verbs[count] != NULL && count < VERBS_MAX) {
        names[count] = cli_verbs[count]->name;
        count++;
    }
    int nearest = str_nearest(str_of(name), names, count);
    snprintf(line, sizeof line, "thalweg: there is no verb '%.100s'%s%s%s; `thalweg --help` lists them\n", name,
             nearest >= 0 ? ", did you mean '" : "", nearest >= 0 ? names[nearest] : "", nearest >= 0 ? "'?" : "");
    program_say(cli->sys, 2, line);
    return 1;
}

int cli_main(const struct cli *cli, int argc, char **argv)
{
    if (argc == 0) {
        print_overview(cli, 2);
        return 1;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "help") == 0) {
        const struct cli_verb *about = argc > 1 ? find_verb(argv[1]) : NULL;
        if (argc > 1 && about == NULL) return unknown_verb(cli, argv[1]);
        if (about != NULL) cli_say_help(cli, about);
        else print_overview(cli, 1);
        return 0;
    }
    const struct cli_verb *v = find_verb(strcmp(argv[0], "--version") == 0 ? "version" : argv[0]);
    if (v == NULL) return unknown_verb(cli, argv[0]);
    if (v->own_help || argc == 1 || strcmp(argv[1], "--help") != 0) return v->run(cli, argc - 1, argv + 1);
    cli_say_help(cli, v);
    return 0;
}

int cli_main_as(const struct cli *cli, int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL, *name = argc == 0 ? "" : slash != NULL ? slash + 1 : argv[0];
    struct cli called = *cli;

    for (uint32_t i = 0; cli_verbs[i] != NULL; i++) {
        if (cli_verbs[i]->program == NULL || strcmp(cli_verbs[i]->program, name) != 0) continue;
        called.called = cli_verbs[i]->program;
        return cli_verbs[i]->run(&called, argc - 1, argv + 1);
    }
    if (strcmp(name, "flink") == 0) called.is_flink = true; /* any verb; jobs go to a cluster */
    return cli_main(&called, argc - 1, argv + 1);
}
