/* run.c - running a job as a program: reads the engine's own arguments, leaves the rest to the job, shows a status line on
 * standard error while it runs (repainted on a terminal, a line per second elsewhere) and a summary at the end. */
#include "surface/api/run.h"

#include "columns/column/timestamp.h"
#include "control/config.h"
#include "control/jobmanager/jobmaster.h"

#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 256 };

static void say(struct sys *sys, int fd, const char *text)
{
    struct sys_file *f;

    if (sys_file_standard(sys, fd, &f, NULL) != S_OK) return;
    enum status st = sys_file_write(sys, f, text, strlen(text), NULL);
    (void)st; /* nobody is left to be told that standard error is closed */
    sys_file_close(sys, f);
}

void api_print_error(struct tw_env *env, const char *job_name)
{
    char text[ERR_TEXT_MAX + ERR_HINT_MAX + 256];
    const char *verb = env->err.status == E_CANCELED ? "was canceled" : "failed";

    snprintf(text, sizeof text, "job '%s' %s: %s\n%s%s%s", job_name, verb, env->err.text, env->err.hint[0] != '\0' ? "hint: " : "", env->err.hint,
             env->err.hint[0] != '\0' ? "\n" : "");
    say(env->sys, 2, text);
}

/* --- status line ------------------------------------------------------------------------------------------------------------ */
struct status_line {
    struct sys *sys;
    bool is_terminal, was_painted;
    int64_t last_ns;
    uint64_t last_rows;
};

static void format_watermark(int64_t watermark, char *out, size_t size)
{
    if (watermark == INT64_MIN) snprintf(out, size, "none");
    else if (watermark == INT64_MAX) snprintf(out, size, "end");
    else {
        struct mem mem;
        struct buf text;
        mem_init(&mem, "status", 0);
        buf_init(&text, &mem);
        timestamp_print((struct ts96){.ms = watermark}, 0, &text);
        snprintf(out, size, "%s", buf_text(&text));
        buf_release(&text);
        mem_release(&mem);
    }
}

static void paint(void *arg, const struct job_totals *t)
{
    struct status_line *s = arg;
    int64_t now = sys_mono_ns(s->sys);
    double seconds = (double)(now - s->last_ns) / 1e9, rate = seconds > 0 ? (double)(t->rows_in - s->last_rows) / seconds : 0;
    char watermark[64], line[256];

    format_watermark(t->watermark, watermark, sizeof watermark);
    snprintf(line, sizeof line, "%s[running] in %llu  out %llu  %.0f rows/s  watermark %s  late %llu%s", s->is_terminal ? "\r\033[K" : "",
             (unsigned long long)t->rows_in, (unsigned long long)t->rows_out, rate, watermark, (unsigned long long)t->late_dropped, s->is_terminal ? "" : "\n");
    say(s->sys, 2, line);
    s->was_painted = true;
    s->last_ns = now;
    s->last_rows = t->rows_in;
}

static void summarize(struct tw_env *env, struct status_line *s)
{
    const struct tw_result *r = &env->result;
    char text[512];
    double rate = r->seconds > 0 ? (double)r->rows_in / r->seconds : 0;

    snprintf(text, sizeof text, "%sjob '%s' %s: %llu rows in, %llu out, %.3f s, %.0f rows/s; late rows: %llu fired again, %llu dropped\n",
             s->is_terminal && s->was_painted ? "\r\033[K" : "", r->job_name, r->status, (unsigned long long)r->rows_in, (unsigned long long)r->rows_out,
             r->seconds, rate, (unsigned long long)r->late_refired, (unsigned long long)r->late_dropped);
    say(env->sys, 2, text);
}

/* --- arguments ----------------------------------------------------------------------------------------------------------------- */
static const char help[] =
    "Runs this job in this process.\n\n"
    "  -D KEY=VALUE         a setting by its key, e.g. -D parallelism.default=2\n"
    "  --config FILE        settings from a YAML file; -D wins\n"
    "  --parallelism N      the same as -D parallelism.default=N\n"
    "  --quiet              no status line, no summary\n"
    "  --help               this text\n\n"
    "Other arguments go to the job. Example:\n"
    "  ./job -D parallelism.default=2 --quiet\n";

struct arguments {
    struct config config;
    bool quiet, help;
    int argc;
    char *argv[ARGS_MAX];
};

/* The argument behind option i, or an error that says it is missing. */
static enum status operand(int argc, char **argv, int *i, const char **out, struct err *e)
{
    if (*i + 1 >= argc) return err_set(e, E_CONFIG, "%s needs a value", argv[*i]);
    *out = argv[++*i];
    return S_OK;
}

static enum status take_argument(struct arguments *a, struct sys *sys, int argc, char **argv, int *i, struct err *e)
{
    const char *value = NULL;

    if (strcmp(argv[*i], "-D") == 0) {
        TRY(operand(argc, argv, i, &value, e));
        return config_set_pair(&a->config, value, e);
    }
    if (strcmp(argv[*i], "--config") == 0) {
        TRY(operand(argc, argv, i, &value, e));
        return config_read_yaml(&a->config, sys, value, e);
    }
    if (strcmp(argv[*i], "--parallelism") == 0) {
        TRY(operand(argc, argv, i, &value, e));
        config_set(&a->config, "parallelism.default", value);
        return S_OK;
    }
    if (strcmp(argv[*i], "--quiet") == 0) a->quiet = true;
    else if (strcmp(argv[*i], "--help") == 0) a->help = true;
    else if (a->argc < ARGS_MAX - 1) a->argv[a->argc++] = argv[*i];
    else return err_set(e, E_CONFIG, "more than %d arguments", ARGS_MAX);
    return S_OK;
}

static int run_with(struct tw_env *env, const struct tw_plugin *plugin, struct arguments *a)
{
    struct status_line line = {.sys = env->sys, .is_terminal = sys_is_terminal(env->sys, 2), .last_ns = sys_mono_ns(env->sys)};

    for (uint32_t i = 0; i < a->config.count; i++) tw_set(env, a->config.items[i].key, a->config.items[i].value);
    env->takes_signals = true;
    if (!a->quiet) {
        env->tick = paint;
        env->tick_arg = &line;
        env->tick_ms = line.is_terminal ? 200 : 1000;
    }
    int exit_status = plugin->job(env, a->argc, a->argv);
    if (!a->quiet && env->result.job_name != NULL && strcmp(env->result.status, "FINISHED") == 0) summarize(env, &line);
    return env->signal == SYS_SIGNAL_INT ? 130 : env->signal == SYS_SIGNAL_TERM ? 143 : exit_status;
}

int api_run_plugin(struct sys *sys, const struct tw_plugin *plugin, const char *program, int argc, char **argv)
{
    struct tw_env *env = tw_env_create_in(plugin->first, plugin->end);
    struct arguments a = {.argv = {(char *)(uintptr_t)program}, .argc = 1};
    int exit_status = 1;

    env->sys = sys;
    config_init(&a.config, &env->arena);
    for (int i = 0; i < argc && env->err.status == S_OK; i++)
        if (take_argument(&a, sys, argc, argv, &i, &env->err) != S_OK) break;
    if (env->err.status != S_OK) {
        char text[ERR_TEXT_MAX + 64];
        snprintf(text, sizeof text, "%s: %s\n", program, tw_error(env));
        say(sys, 2, text);
    } else if (a.help) {
        say(sys, 1, help);
        exit_status = 0;
    } else {
        exit_status = run_with(env, plugin, &a);
    }
    tw_env_free(env);
    return exit_status;
}

int tw_main(const struct tw_plugin *plugin, int argc, char **argv)
{
    struct sys *sys = sys_linux_create();
    int exit_status = api_run_plugin(sys, plugin, argv[0], argc - 1, argv + 1);

    sys_linux_free(sys);
    return exit_status;
}
