/* main.c - the one binary: verbs as a table. `run` loads a job from a shared object and runs it here. */
#include "surface/api/run.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

struct verb {
    const char *name, *doc, *example;
    int (*run)(struct sys *sys, int argc, char **argv);
};

static void say(FILE *to, const char *text) { fputs(text, to); }

/* examples/flights.c, built into this binary as the job that `run` without a job runs. */
extern const struct tw_plugin flights_plugin;

static int run_job(struct sys *sys, int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        say(stdout, "thalweg run [JOB.so] [-D key=value] [--config FILE] [--parallelism N] [--quiet] [arguments of the job]\n\n"
                    "Runs a job compiled as a shared object (a program with TW_JOB); without one, the worst airports of each\n"
                    "week over examples/data/flights.csv, or over your own file of that shape.\n\nExamples:\n"
                    "  thalweg run ./job.so --parallelism 2\n  thalweg run --input examples/data/flights.csv\n");
        return 0;
    }
    if (argc == 0 || argv[0][0] == '-') return api_run_plugin(sys, &flights_plugin, "thalweg run", argc, argv);
    void *library = dlopen(argv[0], RTLD_NOW | RTLD_LOCAL);
    const struct tw_plugin *plugin = library != NULL ? dlsym(library, "tw_plugin") : NULL;
    if (plugin == NULL) {
        fprintf(stderr, "thalweg: cannot run '%s': %s\n", argv[0], library != NULL ? "it is no job: it has no TW_JOB" : dlerror());
        return 1;
    }
    if (plugin->abi != TW_ABI) {
        fprintf(stderr, "thalweg: '%s' was compiled against version %u of the headers, this is version %d: compile it again\n", argv[0], plugin->abi, TW_ABI);
        return 1;
    }
    return api_run_plugin(sys, plugin, argv[0], argc - 1, argv + 1);
}

static int print_version(struct sys *sys, int argc, char **argv)
{
    (void)sys, (void)argc, (void)argv;
    say(stdout, "thalweg " THALWEG_VERSION "\n");
    return 0;
}

static const struct verb verbs[] = {
    {"run", "run a job; without one, the flights", "thalweg run ./job.so --parallelism 2", run_job},
    {"version", "print the version", "thalweg version", print_version},
};

static int help(FILE *to)
{
    say(to, "thalweg - a stream processor in one native binary\n\nUsage: thalweg VERB [arguments]; every VERB knows --help.\n\n");
    for (size_t i = 0; i < COUNT_OF(verbs); i++) fprintf(to, "  %-10s %-42s %s\n", verbs[i].name, verbs[i].doc, verbs[i].example);
    return to == stdout ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *names[COUNT_OF(verbs)];

    if (argc < 2) return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) return help(stdout);
    if (strcmp(argv[1], "--version") == 0) return print_version(NULL, 0, NULL);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        names[i] = verbs[i].name;
        if (strcmp(argv[1], verbs[i].name) != 0) continue;
        struct sys *sys = sys_linux_create();
        int exit_status = verbs[i].run(sys, argc - 2, argv + 2);
        sys_linux_free(sys);
        return exit_status;
    }
    int near = str_nearest(str_of(argv[1]), names, COUNT_OF(verbs));
    fprintf(stderr, "thalweg: there is no verb '%s'%s%s%s; thalweg --help lists them\n", argv[1], near >= 0 ? "; did you mean '" : "", near >= 0 ? names[near] : "", near >= 0 ? "'?" : "");
    return 1;
}
