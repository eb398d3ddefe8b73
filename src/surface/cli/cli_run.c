/* cli_run.c - `thalweg run`: loads a job from a shared object, or takes the demo that is part of the binary, and runs it in
 * this process. The demo's data are looked for beside the binary: in the source tree, or where an installation puts them. */
#include "surface/cli/cli.h"

#include "surface/cli/program.h"
#include "surface/cli/remote_run.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES_MAX = 4096 };
#define DATA "examples/data/flights.csv"

extern const struct cli_verb cli_run;

/* --- the demo ------------------------------------------------------------------------------------------------------------- */
static bool is_file(struct sys *sys, const char *path)
{
    struct sys_stat st;

    return sys_file_stat(sys, path, &st, NULL) == S_OK && st.is_regular;
}

/* Beside the binary (build/thalweg), below its prefix (bin/thalweg), or from here. */
static bool find_data(struct sys *sys, char out[static PATH_BYTES_MAX])
{
    static const char *const below[] = {"/../" DATA, "/../share/thalweg/" DATA};
    char program[PATH_BYTES_MAX / 2];

    if (sys_program_path(program, sizeof program)) {
        *strrchr(program, '/') = '\0';
        for (size_t i = 0; i < COUNT_OF(below); i++) {
            snprintf(out, PATH_BYTES_MAX, "%s%s", program, below[i]);
            if (is_file(sys, out)) return true;
        }
    }
    snprintf(out, PATH_BYTES_MAX, "%s", DATA);
    return is_file(sys, out);
}

static bool has_input(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "--input", 7) == 0) return true;
    return false;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0) return true;
    return false;
}

static int run_demo(const struct cli *cli, int argc, char **argv)
{
    struct program p = {
        .sys = cli->sys, .plugin = cli->jobs[0].plugin, .name = "thalweg run", .artifact = "/proc/self/exe"};
    char path[PATH_BYTES_MAX], input[] = "--input", *all[PROGRAM_ARGS_MAX + 2];
    int count = 0;

    if (wants_help(argc, argv)) cli_say_help(cli, &cli_run);
    if (argc > PROGRAM_ARGS_MAX) argc = PROGRAM_ARGS_MAX;
    for (int i = 0; i < argc; i++) all[count++] = argv[i];
    bool wants_data = !has_input(argc, argv) && !wants_help(argc, argv);
    if (wants_data && !find_data(cli->sys, path)) {
        program_say(cli->sys, 2,
                    "thalweg run: the demo's data, " DATA ", lie neither beside this program nor here; "
                    "write --input FILE.csv, or `make install`, which brings them along\n");
        return 1;
    }
    if (wants_data) {
        memmove(all + 2, all, sizeof *all * (size_t)count); /* in front: behind `--` it would still be the job's */
        all[0] = input;
        all[1] = path;
        count += 2;
    }
    return program_run(&p, count, all);
}

/* --- a shared object -------------------------------------------------------------------------------------------------------- */
static enum status load_plugin(struct sys *sys, const char *path, struct sys_library **library,
                               const struct tw_plugin **plugin, struct err *e)
{
    struct err cause = {0};
    struct sys_stat st;

    if (sys_file_stat(sys, path, &st, &cause) != S_OK) return err_set(e, cause.status, "%s", cause.text);
    TRY(sys_library_open(path, library, e));
    *plugin = sys_library_symbol(*library, "tw_plugin");
    return *plugin != NULL ? S_OK : err_set(e, E_CONFIG, "'%s' holds no job: it has no TW_JOB", path);
}

/* --- where it runs ------------------------------------------------------------------------------------------------------------ */
static enum status wrong_option(const char *name, const char *why, struct err *e)
{
    err_set(e, E_UNSUPPORTED, "%s is not taken: %s", name, why);
    err_hint(e, "leave it out");
    return E_UNSUPPORTED;
}

/* What the argument says of the place; S_IDLE: nothing. *is_remote is left alone where it says nothing of that. */
static enum status take_place(struct remote_run *r, const char *arg, const char *value, bool *takes_value, bool *is_remote, struct err *e)
{
    bool is_target = strcmp(arg, "-t") == 0 || strcmp(arg, "--target") == 0, is_address = strcmp(arg, "-m") == 0 || strcmp(arg, "--jobmanager") == 0;

    *takes_value = is_target || is_address;
    if (*takes_value && value == NULL) return err_set(e, E_CONFIG, "%s needs a value behind it", arg);
    if (is_address) {
        r->address = value;
        *is_remote = true;
    } else if (is_target) {
        if (strcmp(value, "local") != 0 && strcmp(value, "remote") != 0)
            return wrong_option(arg, "this version has the targets local (this process) and remote (a cluster that runs)", e);
        *is_remote = strcmp(value, "remote") == 0;
    } else if (strcmp(arg, "-d") == 0 || strcmp(arg, "--detached") == 0) {
        r->is_detached = true;
    } else if (strcmp(arg, "-sae") == 0 || strcmp(arg, "--shutdownOnAttachedExit") == 0) {
        r->shuts_down = true;
    } else if (strcmp(arg, "-c") == 0 || strcmp(arg, "--class") == 0) {
        return wrong_option(arg, "a shared object has one job", e);
    } else {
        return S_IDLE;
    }
    return S_OK;
}

/* Takes those arguments out that say where the job runs and stand in front of its name. */
static enum status take_places(struct remote_run *r, int *argc, char **argv, bool *is_remote, struct err *e)
{
    int at = 0, kept = 0;
    bool takes_value;

    while (at < *argc) {
        enum status st = take_place(r, argv[at], at + 1 < *argc ? argv[at + 1] : NULL, &takes_value, is_remote, e);
        if (st < S_OK) return st;
        if (st == S_OK) {
            at += takes_value ? 2 : 1;
            continue;
        }
        if (program_count_own(1, argv + at) == 0) break;
        int own = program_takes_value(argv[at]) ? MIN(2, *argc - at) : 1;
        while (own-- > 0) argv[kept++] = argv[at++];
    }
    memmove(argv + kept, argv + at, sizeof *argv * (size_t)(*argc - at));
    *argc -= at - kept;
    return S_OK;
}

static int run_library(const struct cli *cli, const char *path, const struct program_remote *remote, int argc, char **argv)
{
    struct sys_library *library = NULL;
    const struct tw_plugin *plugin = NULL;
    struct err e = {0};
    char command[PATH_BYTES_MAX];

    if (load_plugin(cli->sys, path, &library, &plugin, &e) != S_OK) {
        err_hint(&e, "a job is compiled with `cc -shared -fPIC job.c -o job.so` and has a TW_JOB; "
                     "flights of your own are read with --input FILE.csv");
        api_say_error(cli->sys, "thalweg run", &e);
        sys_library_close(library);
        return 1;
    }
    snprintf(command, sizeof command, "thalweg run %s", path);
    struct program p = {.sys = cli->sys, .plugin = plugin, .name = path, .artifact = path, .remote = remote, .command = command};
    int exit_status = program_run(&p, argc, argv);
    sys_library_close(library);
    return exit_status;
}

static int fail(const struct cli *cli, const struct err *e)
{
    api_say_error(cli->sys, "thalweg run", e);
    return 1;
}

/* The job is the first argument that is not the engine's; arguments of the engine may stand on both sides of it. */
static int run_here_or_there(const struct cli *cli, struct remote_run *r, int argc, char **argv)
{
    struct err e = {0};
    bool is_remote = cli->is_flink;

    if (take_places(r, &argc, argv, &is_remote, &e) != S_OK) return fail(cli, &e);
    int at = program_count_own(argc, argv);
    const char *job = at < argc ? argv[at] : NULL;
    bool is_demo = job == NULL || job[0] == '-';
    if (is_demo && is_remote && !wants_help(argc, argv)) {
        err_set(&e, E_CONFIG, "which job is to run in the cluster is not said: the demo runs in this process only");
        err_hint(&e, "write thalweg run -m HOST:PORT JOB.so; a job is compiled with `cc -shared -fPIC job.c -o job.so`");
        return fail(cli, &e);
    }
    if (is_demo && (job == NULL || strcmp(job, "--demo") != 0)) return run_demo(cli, argc, argv);
    memmove(argv + 1, argv, sizeof *argv * (size_t)at); /* over the job's name */
    if (is_demo) return run_demo(cli, argc - 1, argv + 1);
    int exit_status = run_library(cli, job, is_remote ? &r->face : NULL, argc - 1, argv + 1);
    return r->signal == SYS_SIGNAL_INT ? EXIT_INTERRUPTED : r->signal == SYS_SIGNAL_TERM ? EXIT_TERMINATED : exit_status;
}

/* The plan instead of the run, as Flink's info prints it. */
int cli_run_info(const struct cli *cli, int argc, char **argv)
{
    char plan[] = "--plan=json", *all[PROGRAM_ARGS_MAX + 1] = {plan};
    struct remote_run r;

    if (argc >= PROGRAM_ARGS_MAX) argc = PROGRAM_ARGS_MAX - 1;
    for (int i = 0; i < argc; i++) all[i + 1] = argv[i];
    remote_run_init(&r, cli);
    program_say(cli->sys, 1, "----------------------- Execution Plan -----------------------\n");
    struct cli here = *cli;
    here.is_flink = false;
    int exit_status = run_here_or_there(&here, &r, argc + 1, all);
    if (exit_status == 0)
        program_say(cli->sys, 1, "--------------------------------------------------------------\n\nNo description provided.\n");
    remote_run_release(&r);
    return exit_status;
}

static int run_run(const struct cli *cli, int argc, char **argv)
{
    struct remote_run r;

    ASSERT(cli->jobs != NULL && cli->jobs[0].name != NULL);
    remote_run_init(&r, cli);
    int exit_status = run_here_or_there(cli, &r, argc, argv);
    remote_run_release(&r);
    return exit_status;
}

const struct cli_verb cli_run = {
    .name = "run",
    .arguments = "[JOB.so | --demo] [ARGUMENTS]",
    .doc = "run a job in this process, or in a cluster",
    .help = "JOB.so is a program with TW_JOB, compiled as a shared object (cc -shared -fPIC). Without it, or with "
            "--demo, the\n"
            "main example runs: 20,000 US flights of 2001, weekly windows per airport, the five worst airports of each "
            "week.\n"
            "  --input FILE       (demo) your own CSV with the columns scheduled,delay,distance,origin,destination;\n"
            "                     - is standard input\n"
            "  --on-error HOW     (demo) a record that cannot be read: fail ends the job, skip drops it,\n"
            "                     dead-letter takes it from a side output and says it on standard error\n"
            "In front of JOB.so may stand where it runs; without these it runs in this process:\n"
            "  -m, --jobmanager HOST:PORT   in the cluster whose REST interface is there (-t remote: where rest.address and\n"
            "                     rest.port say)\n"
            "  -d, --detached     do not wait for its end\n"
            "  -sae, --shutdownOnAttachedExit   ctrl-c cancels the job, which else goes on\n"
            "\n",
    .run = run_run,
    .own_help = true,
};
