/* program.c - runs a job as a program. The engine takes its own arguments wherever they stand in front of `--`; everything
 * else is the job's, in order. Settings of the command line win over those of a file, later ones over earlier ones; what the
 * job itself sets wins over both, as in Flink. */
#include "surface/cli/program.h"

#include "ground/base/str.h"
#include "surface/cli/status.h"

#include <string.h>

static const char engine_help[] = "Arguments of the engine:\n"
                                  "  -D KEY=VALUE       a setting by its key, e.g. -D parallelism.default=2;\n"
                                  "                     `thalweg config` lists the keys\n"
                                  "  --config FILE      settings from a YAML file; -D wins\n"
                                  "  --parallelism N    the same as -D parallelism.default=N (also -p N)\n"
                                  "  -s, --fromSavepoint PATH   begin with the state of a savepoint or checkpoint: its folder\n"
                                  "  -n, --allowNonRestoredState   drop what the job has no operator for in it\n"
                                  "  -rm, --claimMode MODE   CLAIM: it is the job's own then, and goes when it is not needed;\n"
                                  "                     NO_CLAIM (the default): it stays\n"
                                  "  --fresh            begin anew, though a killed run of the job could be gone on with\n"
                                  "  --quiet            no status line and no summary on standard error\n"
                                  "  --plan             print the operators of the job and how they are connected, and do not run it;\n"
                                  "                     --plan=json prints Flink's JSON plan\n"
                                  "  --help             this text\n"
                                  "  --                 everything behind it goes to the job\n"
                                  "\n"
                                  "Log lines, warnings and errors by default, go to standard error:\n"
                                  "  -D thalweg.log.level=LEVEL     debug, info, warn, error or off\n"
                                  "  -D thalweg.log.file=FILE       append them to FILE; the job's error stands there too\n"
                                  "  -D thalweg.log.max-bytes=SIZE  a FILE that would be larger is put aside (64mb)\n"
                                  "  -D thalweg.log.files=N         keep N of those, FILE.1 is the latest (4)\n"
                                  "\n"
                                  "All other arguments go to the job. Example:\n"
                                  "  ";

void program_say(struct sys *sys, int fd, const char *text)
{
    struct sys_file *f;

    if (sys_file_standard(sys, fd, &f, NULL) != S_OK) return;
    enum status st = sys_file_write(sys, f, text, strlen(text), NULL);
    (void)st; /* nobody is left to be told */
    sys_file_close(sys, f);
}

/* --- arguments -------------------------------------------------------------------------------------------------------------- */
struct reader {
    struct program_arguments *out;
    struct sys *sys;
    struct err *e;
    int argc, at;
    char **argv;
    struct config file; /* from --config; stands in front of the rest */
};

static enum status take_setting(struct reader *r, const char *value)
{
    return config_set_pair(&r->out->config, value, r->e);
}

static enum status take_config(struct reader *r, const char *value)
{
    return config_read_yaml(&r->file, r->sys, value, r->e);
}

static enum status take_parallelism(struct reader *r, const char *value)
{
    config_set_from(&r->out->config, "parallelism.default", value, "--parallelism");
    return S_OK;
}

static enum status take_savepoint(struct reader *r, const char *value)
{
    config_set_from(&r->out->config, "execution.state-recovery.path", value, "--fromSavepoint");
    return S_OK;
}

static enum status take_claim_mode(struct reader *r, const char *value)
{
    config_set_from(&r->out->config, "execution.state-recovery.claim-mode", value, "--claimMode");
    return S_OK;
}

static enum status take_unclaimed(struct reader *r, const char *value)
{
    (void)value;
    config_set_from(&r->out->config, "execution.state-recovery.ignore-unclaimed-state", "true", "--allowNonRestoredState");
    return S_OK;
}

static enum status take_fresh(struct reader *r, const char *value)
{
    (void)value;
    config_set_from(&r->out->config, "thalweg.checkpoint.fresh", "true", "--fresh");
    return S_OK;
}

static enum status take_quiet(struct reader *r, const char *value)
{
    (void)value;
    r->out->is_quiet = true;
    return S_OK;
}

static enum status take_help(struct reader *r, const char *value)
{
    (void)value;
    r->out->wants_help = true;
    return S_OK;
}

static enum status take_plan(struct reader *r, const char *value)
{
    (void)value;
    r->out->plan = API_PLAN_TEXT;
    return S_OK;
}

static enum status take_json_plan(struct reader *r, const char *value)
{
    (void)value;
    r->out->plan = API_PLAN_JSON;
    return S_OK;
}

static const struct own_argument {
    const char *name;
    enum status (*take)(struct reader *r, const char *value);
    bool has_value, is_joined; /* --name VALUE or --name=VALUE; joined: -nVALUE instead */
} own_arguments[] = {
    {"-D", take_setting, true, true},
    {"-p", take_parallelism, true, false},
    {"--config", take_config, true, false},
    {"--parallelism", take_parallelism, true, false},
    {"-s", take_savepoint, true, false},
    {"--fromSavepoint", take_savepoint, true, false},
    {"-n", take_unclaimed, false, false},
    {"--allowNonRestoredState", take_unclaimed, false, false},
    {"-rm", take_claim_mode, true, false},
    {"--claimMode", take_claim_mode, true, false},
    {"--restoreMode", take_claim_mode, true, false},
    {"--fresh", take_fresh, false, false},
    {"--quiet", take_quiet, false, false},
    {"--help", take_help, false, false},
    {"--plan", take_plan, false, false},
    {"--plan=json", take_json_plan, false, false},
};

/* NULL = none of the engine's. *value is what stands in the argument itself; NULL = it has none, or stands behind it. */
static const struct own_argument *find_own(const char *arg, const char **value)
{
    *value = NULL;
    for (size_t i = 0; i < COUNT_OF(own_arguments); i++) {
        const struct own_argument *own = &own_arguments[i];
        size_t size = strlen(own->name);
        if (strncmp(arg, own->name, size) != 0) continue;
        if (arg[size] == '\0') return own;
        if (!own->has_value || (!own->is_joined && arg[size] != '=')) continue;
        *value = arg + size + (own->is_joined ? 0 : 1);
        return own;
    }
    return NULL;
}

bool program_takes_value(const char *arg)
{
    const char *value;
    const struct own_argument *own = find_own(arg, &value);

    return own != NULL && own->has_value && value == NULL;
}

int program_count_own(int argc, char **argv)
{
    const struct own_argument *own;
    const char *value;
    int at = 0;

    while (at < argc && (own = find_own(argv[at], &value)) != NULL) at += own->has_value && value == NULL ? 2 : 1;
    return MIN(at, argc);
}

/* The engine's argument that was probably meant: one slip of the fingers away, or right but for what stands behind its '='.
 * *wrong is the part of the argument that is no argument. */
static const char *probably_meant(const char *arg, struct str *wrong)
{
    const char *names[COUNT_OF(own_arguments)], *equals = strchr(arg, '=');
    uint32_t count = 0;

    *wrong = (struct str){arg, equals != NULL ? (size_t)(equals - arg) : strlen(arg)};
    for (size_t i = 0; i < COUNT_OF(own_arguments); i++)
        if (own_arguments[i].name[1] == '-') names[count++] = own_arguments[i].name;
    int nearest = wrong->size > 2 && arg[0] == '-' ? str_nearest(*wrong, names, count) : -1;
    if (nearest < 0 || str_distance(*wrong, str_of(names[nearest])) > 1) return NULL;
    if (!str_equal(*wrong, str_of(names[nearest]))) return names[nearest];
    *wrong = str_of(arg);
    int whole = str_nearest(*wrong, names, count);
    return names[whole >= 0 ? whole : nearest];
}

/* Silently handed to a job that does not look at it, `--paralelism 4` would have no effect. */
static enum status take_for_job(struct reader *r)
{
    struct str wrong;
    const char *meant = probably_meant(r->argv[r->at], &wrong);

    if (meant != NULL) {
        err_set(r->e, E_CONFIG, "there is no argument '%.*s'", (int)MIN(wrong.size, 100), wrong.data);
        err_hint(r->e, "did you mean '%s'? What is meant for the job goes behind `--`", meant);
        return E_CONFIG;
    }
    r->out->argv[r->out->argc++] = r->argv[r->at];
    return S_OK;
}

static enum status take_one(struct reader *r)
{
    const char *value;
    const struct own_argument *own = find_own(r->argv[r->at], &value);

    if (own == NULL) return take_for_job(r);
    if (own->has_value && value == NULL) {
        if (r->at + 1 == r->argc) return err_set(r->e, E_CONFIG, "%s needs a value behind it", own->name);
        value = r->argv[++r->at];
    }
    return own->take(r, value);
}

enum status program_parse(struct program_arguments *out, struct arena *a, struct sys *sys, const char *name, int argc,
                          char **argv, struct err *e)
{
    struct reader r = {.out = out, .sys = sys, .e = e, .argc = argc, .argv = argv};

    if (argc > PROGRAM_ARGS_MAX) return err_set(e, E_CONFIG, "more than %d arguments", PROGRAM_ARGS_MAX);
    *out = (struct program_arguments){.argv = ARENA_ARRAY(a, char *, argc + 2)};
    config_init(&out->config, a);
    config_init(&r.file, a);
    out->argv[out->argc++] = arena_strdup(a, name);
    for (; r.at < argc && strcmp(argv[r.at], "--") != 0; r.at++) TRY(take_one(&r));
    for (r.at++; r.at < argc; r.at++) out->argv[out->argc++] = argv[r.at];
    for (uint32_t i = 0; i < out->config.count; i++)
        config_set_from(&r.file, out->config.items[i].key, out->config.items[i].value, out->config.places[i]);
    out->config = r.file;
    return config_check_places(&out->config, e);
}

/* --- running ---------------------------------------------------------------------------------------------------------------- */
static int run_job(const struct program *p, struct tw_env *env, const struct program_arguments *a)
{
    struct status_view view;
    struct err e = {0};

    env->sys = p->sys;
    env->takes_signals = true;
    env->artifact = p->artifact;
    env->is_silent = a->is_quiet || a->plan != API_PLAN_NONE;
    env->plan = a->plan;
    for (uint32_t i = 0; i < a->config.count; i++)
        config_set_from(&env->config, a->config.items[i].key, a->config.items[i].value, a->config.places[i]);
    if (p->remote != NULL) env->remote = p->remote->open(p->remote, &a->config);
    status_init(&view, p->sys);
    if (!env->is_silent) env->watch = status_watch(&view);
    int exit_status = p->plugin->job(env, a->argc, a->argv);
    if (sys_stdout_flush(p->sys, &e) != S_OK && exit_status == 0) {
        api_say_error(p->sys, p->name, &e);
        exit_status = 1;
    }
    return env->signal == SYS_SIGNAL_INT    ? EXIT_INTERRUPTED
           : env->signal == SYS_SIGNAL_TERM ? EXIT_TERMINATED
                                            : exit_status;
}

static void print_help(const struct program *p)
{
    program_say(p->sys, 1, engine_help);
    program_say(p->sys, 1, p->command != NULL ? p->command : p->name);
    program_say(p->sys, 1, " --parallelism 2 --quiet\n");
}

int program_run(const struct program *p, int argc, char **argv)
{
    struct program_arguments a;
    struct mem mem;
    struct arena arena;
    struct err e = {0};
    int exit_status = 1;

    if (p->plugin->abi != TW_ABI) {
        err_set(&e, E_CONFIG,
                "the job was compiled against version %u of the headers, this is version %d; compile it anew",
                p->plugin->abi, TW_ABI);
        api_say_error(p->sys, p->name, &e);
        return 1;
    }
    mem_init(&mem, "program", 0);
    arena_init(&arena, &mem, 0);
    if (program_parse(&a, &arena, p->sys, p->name, argc, argv, &e) != S_OK) {
        api_say_error(p->sys, p->name, &e);
    } else if (a.wants_help) {
        print_help(p);
        exit_status = 0;
    } else {
        struct tw_env *env = tw_env_create_in(p->plugin->first, p->plugin->end);
        exit_status = run_job(p, env, &a);
        tw_env_free(env);
    }
    mem_release(&mem);
    return exit_status;
}

int tw_main(const struct tw_plugin *plugin, int argc, char **argv)
{
    struct sys *sys = sys_linux_create();
    struct program p = {.sys = sys, .plugin = plugin, .name = argc > 0 ? argv[0] : "job", .artifact = "/proc/self/exe"};
    int exit_status = program_run(&p, MAX(0, argc - 1), argv + 1);

    sys_linux_free(sys);
    return exit_status;
}
