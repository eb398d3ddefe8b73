/* program.c - runs a job as a program. The engine takes its own arguments wherever they stand in front of `--`; everything
 * else is the job's, in order. Settings of the command line win over those of a file, later ones over earlier ones; what the
 * job itself sets wins over both, as in Flink. */
#include "surface/cli/program.h"

#include "ground/base/str.h"
#include "surface/cli/status.h"

#include <string.h>

static const char engine_help[] = "Arguments of the engine:\n"
                                  "  -D KEY=VALUE       a setting by its key, e.g. -D parallelism.default=2\n"
                                  "  --config FILE      settings from a YAML file; -D wins\n"
                                  "  --parallelism N    the same as -D parallelism.default=N (also -p N)\n"
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

/* Is the argument `name`, `name=value`, or (joined) -Dvalue? *value is what stands with it or behind it. */
static enum status operand(struct reader *r, const char *name, bool joined, const char **value)
{
    const char *arg = r->argv[r->at];
    size_t size = strlen(name);

    *value = NULL;
    if (strncmp(arg, name, size) != 0) return S_OK;
    if (arg[size] == '=' && !joined) *value = arg + size + 1;
    else if (arg[size] != '\0' && joined) *value = arg + size;
    else if (arg[size] != '\0') return S_OK;
    else if (r->at + 1 < r->argc) *value = r->argv[++r->at];
    else return err_set(r->e, E_CONFIG, "%s needs a value behind it", name);
    return S_OK;
}

/* An argument of the job, unless it is one slip of the fingers away from one of the engine's: silently handed to a job that
 * does not look at it, `--paralelism 4` would have no effect. */
static enum status take_for_job(struct reader *r)
{
    static const char *const own[] = {"--config", "--parallelism", "--quiet", "--help", "--plan"};
    const char *arg = r->argv[r->at], *equals = strchr(arg, '=');
    struct str name = {arg, equals != NULL ? (size_t)(equals - arg) : strlen(arg)};

    int nearest = name.size > 2 && arg[0] == '-' ? str_nearest(name, own, COUNT_OF(own)) : -1;
    if (nearest >= 0 && str_distance(name, str_of(own[nearest])) == 1) {
        err_set(r->e, E_CONFIG, "there is no argument '%.*s'", (int)name.size, name.data);
        err_hint(r->e, "did you mean '%s'? What is meant for the job goes behind `--`", own[nearest]);
        return E_CONFIG;
    }
    r->out->argv[r->out->argc++] = r->argv[r->at];
    return S_OK;
}

static enum status take_one(struct reader *r)
{
    struct program_arguments *out = r->out;
    const char *arg = r->argv[r->at], *value;

    TRY(operand(r, "-D", true, &value));
    if (value != NULL) return config_set_pair(&out->config, value, r->e);
    TRY(operand(r, "--config", false, &value));
    if (value != NULL) return config_read_yaml(&r->file, r->sys, value, r->e);
    TRY(operand(r, "--parallelism", false, &value));
    if (value == NULL) TRY(operand(r, "-p", false, &value));
    if (value != NULL) {
        config_set_from(&out->config, "parallelism.default", value, "--parallelism");
        return S_OK;
    }
    if (strcmp(arg, "--quiet") == 0) out->is_quiet = true;
    else if (strcmp(arg, "--help") == 0) out->wants_help = true;
    else if (strcmp(arg, "--plan") == 0) out->plan = API_PLAN_TEXT;
    else if (strcmp(arg, "--plan=json") == 0) out->plan = API_PLAN_JSON;
    else return take_for_job(r);
    return S_OK;
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
    if (p->help != NULL) program_say(p->sys, 1, p->help);
    program_say(p->sys, 1, engine_help);
    program_say(p->sys, 1, p->name);
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
