/* cli_standalone_job.c - `thalweg standalone-job`: application mode: a JobManager that runs one job and ends with it; its TaskManagers are started
 * by themselves. Under the name standalone-job.sh it takes start, start-foreground, stop and stop-all, as Flink's script does. */
#include "surface/cli/cluster_application.h"
#include "surface/cli/cluster_daemons.h"
#include "surface/cli/cluster_process.h"
#include "surface/cli/program.h"

#include <string.h>

extern const struct cli_verb cli_standalone_job;

enum { JARS, JOB_CLASS, JOB_ID, SAVEPOINT, DROPS, HOST, PORT, LOCAL };

static const struct cluster_argument own[] = {{"--jars", "-jars", true},
                                              {"--job-classname", "-j", true},
                                              {"--job-id", "-jid", true},
                                              {"--fromSavepoint", "-s", true},
                                              {"--allowNonRestoredState", "-n", false},
                                              {"--host", NULL, true},
                                              {"--webui-port", "-r", true},
                                              {"--local", NULL, false},
                                              {NULL, NULL, false}};

static bool is_verb(const char *word)
{
    static const char *const verbs[] = {"start", "start-foreground", "stop", "stop-all"};

    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (strcmp(word, verbs[i]) == 0) return true;
    return false;
}

static enum status check(const struct cluster_arguments *a, struct err *e)
{
    static const struct {
        int argument;
        const char *name, *why;
    } refused[] = {{JOB_CLASS, "--job-classname", "a shared object has one job"},
                   {JOB_ID, "--job-id", "the cluster makes the job's id in this version"}};

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (a->values[refused[i].argument] == NULL) continue;
        err_set(e, E_UNSUPPORTED, "%s is not taken: %s", refused[i].name, refused[i].why);
        err_hint(e, "leave it out");
        return E_UNSUPPORTED;
    }
    if (a->values[JARS] != NULL) return S_OK;
    err_set(e, E_CONFIG, "which job is to run is not said");
    err_hint(e, "write --jars JOB.so; a job is compiled with `cc -shared -fPIC job.c -o job.so`");
    return E_CONFIG;
}

/* What the daemon is given. */
static void hand_on(struct cluster_arguments *a, const struct cluster_application *app)
{
    const char **words = ARENA_ARRAY(&a->arena, const char *, app->word_count + 8);
    uint32_t count = 0;

    words[count++] = "--jars";
    words[count++] = app->file;
    if (app->savepoint != NULL) {
        words[count++] = "-s";
        words[count++] = app->savepoint;
    }
    if (app->drops_unclaimed) words[count++] = "-n";
    if (a->values[LOCAL] != NULL) words[count++] = "--local";
    words[count++] = "--";
    for (uint32_t i = 0; i < app->word_count; i++) words[count++] = app->words[i];
    a->daemon_words = words;
    a->daemon_word_count = count;
}

static int run_verb(struct cluster_arguments *a)
{
    const char *verb = a->word_count > 0 && is_verb(a->words[0]) ? a->words[0] : NULL;
    struct cluster_application app = {.file = a->values[JARS],
                                      .savepoint = a->values[SAVEPOINT],
                                      .drops_unclaimed = a->values[DROPS] != NULL,
                                      .words = a->words + (verb != NULL),
                                      .word_count = a->word_count - (verb != NULL)};
    bool stops = verb != NULL && strncmp(verb, "stop", 4) == 0;
    struct err e = {0};

    if (!stops && check(a, &e) != S_OK) return cluster_fail(a, &e);
    if (a->values[HOST] != NULL) config_set_from(&a->config, "jobmanager.rpc.address", a->values[HOST], "--host");
    if (a->values[PORT] != NULL) config_set_from(&a->config, "rest.port", a->values[PORT], "--webui-port");
    a->options = config_options(&a->config);
    if (verb == NULL || strcmp(verb, "start-foreground") == 0) return jobmanager_process_run(a, a->values[LOCAL] != NULL, &app);
    if (!stops) hand_on(a, &app);
    return cluster_daemon_verb(a, &daemon_standalone_job, verb) == S_OK ? 0 : 1;
}

static int run_standalone_job(const struct cli *cli, int argc, char **argv)
{
    struct cluster_arguments a;
    int exit_status = CLUSTER_EXIT_USAGE;

    bool is_read = cluster_arguments_read(&a, cli, "thalweg standalone-job", own, argc, argv);
    if (is_read && a.wants_help) {
        cli_say_help(cli, &cli_standalone_job);
        exit_status = 0;
    } else if (is_read) {
        exit_status = run_verb(&a);
    }
    cluster_arguments_release(&a);
    return exit_status;
}

const struct cli_verb cli_standalone_job = {
    .name = "standalone-job",
    .arguments = "--jars JOB.so [ARGUMENTS] [-- JOB ARGUMENTS]",
    .doc = "run the JobManager of a cluster for one job",
    .help = "The job begins at once, waits for TaskManagers (`thalweg taskmanager`), and the process ends with it: with status 0,\n"
            "and 1 when it failed. Killed and started again it goes on with the job. In front may stand start (as a daemon),\n"
            "start-foreground, stop, stop-all.\n"
            "  --jars JOB.so      the job: a shared object with TW_JOB\n"
            "  -s, --fromSavepoint PATH   what it begins with; -n, --allowNonRestoredState: what it has no place for is dropped\n"
            "  -D KEY=VALUE       a setting: of the cluster, or of the job\n"
            "  --config FILE, --configDir DIR   settings from a YAML file; -D wins\n"
            "  --host NAME        the same as -D jobmanager.rpc.address=NAME\n"
            "  -r, --webui-port N the same as -D rest.port=N\n"
            "  --local            tasks run in this process, without TaskManagers\n"
            "\n"
            "Example:\n"
            "  thalweg standalone-job --jars job.so -D parallelism.default=4 -- --input file.csv\n",
    .run = run_standalone_job,
    .own_help = true,
    .program = "standalone-job.sh",
};
