/* cli_sql.c - `thalweg sql`: the arguments of the shell, which is surface/sql/shell.h. Under the name sql-client.sh it takes the flags
 * of Flink's client and prints what that prints. */
#include "surface/cli/cli.h"

#include "ground/base/str.h"
#include "surface/cli/program.h"
#include "surface/sql/shell.h"
#include "surface/sql/view.h"

#include <stdio.h>
#include <string.h>

extern const struct cli_verb cli_sql;

enum { SCRIPT_CHUNK = 64 * 1024, SETTINGS_MAX = 256, PATH_SIZE = 4096 };

struct arguments {
    const struct cli *cli;
    const char *file, *statements, *init, *history;
    const char *settings[SETTINGS_MAX]; /* key=value */
    uint32_t setting_count;
    const struct view_type *view;
    bool wants_help;
};

struct flag {
    const char *names[3]; /* "-f", "--file", "-file": Flink's client takes each with one dash or two */
    enum status (*take)(struct arguments *a, const char *value, struct err *e);
    bool alone; /* without a value */
    bool own;   /* not of Flink's client */
};

/* --- flags ------------------------------------------------------------------------------------------------------- */
static enum status take_file(struct arguments *a, const char *value, struct err *e)
{
    (void)e;
    a->file = value;
    return S_OK;
}

static enum status take_statements(struct arguments *a, const char *value, struct err *e)
{
    (void)e;
    a->statements = value;
    return S_OK;
}

static enum status take_init(struct arguments *a, const char *value, struct err *e)
{
    (void)e;
    a->init = value;
    return S_OK;
}

static enum status take_history(struct arguments *a, const char *value, struct err *e)
{
    (void)e;
    a->history = value;
    return S_OK;
}

/* Every run is a session of its own: the name stands in scripts that were written for a cluster. */
static enum status take_session(struct arguments *a, const char *value, struct err *e)
{
    (void)a;
    return value[0] != '\0' ? S_OK : err_set(e, E_CONFIG, "-s: the name of a session is expected");
}

static enum status take_setting(struct arguments *a, const char *value, struct err *e)
{
    if (a->setting_count == SETTINGS_MAX) return err_set(e, E_CONFIG, "-D: at most %d settings are taken", SETTINGS_MAX);
    if (strchr(value, '=') == NULL || value[0] == '=') {
        err_set(e, E_CONFIG, "-D: '%s' is not a setting", value);
        err_hint(e, "write -D key=value, for example -D parallelism.default=4");
        return E_CONFIG;
    }
    a->settings[a->setting_count++] = value;
    return S_OK;
}

static enum status take_output(struct arguments *a, const char *value, struct err *e)
{
    const char *names[32];
    uint32_t count = 0;

    a->view = view_find(value);
    if (a->view != NULL) return S_OK;
    for (; view_types[count] != NULL && count < COUNT_OF(names); count++) names[count] = view_types[count]->name;
    int near = str_nearest(str_of(value), names, count);
    err_set(e, E_CONFIG, "--output: there is no form '%s'", value);
    if (near >= 0) err_hint(e, "did you mean %s?", names[near]);
    return E_CONFIG;
}

static enum status take_help(struct arguments *a, const char *value, struct err *e)
{
    (void)value, (void)e;
    a->wants_help = true;
    return S_OK;
}

static enum status refuse_jar(struct arguments *a, const char *value, struct err *e)
{
    (void)a;
    err_set(e, E_UNSUPPORTED, "JARs cannot be loaded: there is no JVM here ('%s')", value);
    err_hint(e, "functions are written in C, connectors and formats are built in");
    return E_UNSUPPORTED;
}

static const struct flag flags[] = {{{"-f", "--file", "-file"}, take_file, false, false},
                                    {{"-e", "--execute", NULL}, take_statements, false, true},
                                    {{"-i", "--init", "-init"}, take_init, false, false},
                                    {{"-D", NULL, NULL}, take_setting, false, false},
                                    {{"-s", "--session", "-session"}, take_session, false, false},
                                    {{"-hist", "--history", "-history"}, take_history, false, false},
                                    {{"--output", NULL, NULL}, take_output, false, true},
                                    {{"-j", "--jar", "-jar"}, refuse_jar, false, false},
                                    {{"-l", "--library", "-library"}, refuse_jar, false, false},
                                    {{"-h", "--help", "-help"}, take_help, true, false}};

/* The flag of an argument; *value is what stands behind `=`, or behind -D itself. */
static const struct flag *flag_find(const struct arguments *a, const char *argument, const char **value)
{
    *value = NULL;
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        for (size_t n = 0; n < COUNT_OF(flags[i].names) && flags[i].names[n] != NULL; n++) {
            const char *name = flags[i].names[n];
            size_t size = strlen(name);
            if (strncmp(argument, name, size) != 0 || (flags[i].own && a->cli->called != NULL)) continue;
            if (argument[size] == '=' && !flags[i].alone) *value = argument + size + 1;
            else if (strcmp(name, "-D") == 0 && argument[size] != '\0') *value = argument + size;
            else if (argument[size] != '\0') continue;
            return &flags[i];
        }
    return NULL;
}

static enum status refuse_argument(const struct arguments *a, const char *argument, struct err *e)
{
    const char *names[3 * COUNT_OF(flags)];
    uint32_t count = 0;

    for (size_t i = 0; i < COUNT_OF(flags); i++)
        for (size_t n = 0; n < COUNT_OF(flags[i].names) && flags[i].names[n] != NULL; n++)
            if (!flags[i].own || a->cli->called == NULL) names[count++] = flags[i].names[n];
    int near = str_nearest(str_of(argument), names, count);
    err_set(e, E_CONFIG, "cannot use '%s'%s%s%s", argument, near >= 0 ? ", did you mean " : "", near >= 0 ? names[near] : "",
            near >= 0 ? "?" : "");
    err_hint(e, a->cli->called != NULL ? "see 'sql-client.sh --help'" : "see 'thalweg sql --help'");
    return E_CONFIG;
}

static enum status parse(struct arguments *a, int argc, char **argv, struct err *e)
{
    int from = a->cli->called != NULL && argc > 0 && strcmp(argv[0], "embedded") == 0 ? 1 : 0; /* the mode, which is the only one */

    for (int i = from; i < argc; i++) {
        const char *value;
        const struct flag *f = flag_find(a, argv[i], &value);
        if (f == NULL) return refuse_argument(a, argv[i], e);
        if (value == NULL && !f->alone && ++i == argc) return err_set(e, E_CONFIG, "%s: a value is expected behind it", argv[i - 1]);
        TRY(f->take(a, value != NULL ? value : argv[i], e));
    }
    if (a->file != NULL && a->statements != NULL) return err_set(e, E_CONFIG, "-f and -e exclude each other");
    return S_OK;
}

/* --- running ----------------------------------------------------------------------------------------------------- */
static enum status read_all(struct sys *sys, const char *path, struct buf *out, struct err *e)
{
    struct sys_file *f;
    size_t got = 1;
    enum status st = S_OK;

    if (strcmp(path, "-") == 0)
        TRY(sys_file_standard(sys, 0, &f, e));
    else
        TRY(sys_file_open(sys, path, SYS_READ, &f, e));
    while (st == S_OK && got > 0 && out->size <= SQL_TEXT_MAX) {
        buf_reserve(out, SCRIPT_CHUNK);
        st = sys_file_read(sys, f, out->data + out->size, SCRIPT_CHUNK, &got, e);
        if (st == S_OK) out->size += got;
    }
    sys_file_close(sys, f);
    if (st == S_OK && out->size > SQL_TEXT_MAX) return err_set(e, E_DATA, "'%s' has more than %d bytes", path, SQL_TEXT_MAX);
    return st;
}

static enum status set_all(const struct arguments *a, struct shell *shell, struct err *e)
{
    for (uint32_t i = 0; i < a->setting_count; i++) {
        char key[512];
        size_t size = strcspn(a->settings[i], "=");
        snprintf(key, sizeof key, "%.*s", (int)MIN(size, sizeof key - 1), a->settings[i]);
        TRY(sql_session_set(shell_session(shell), key, a->settings[i] + size + 1, e));
    }
    return S_OK;
}

/* A file of -f or -i. The shell has told what failed in it; e says what failed before. */
static enum status run_file(const struct arguments *a, struct shell *shell, const char *path, bool init, struct mem *mem, struct err *e)
{
    struct buf text;

    buf_init(&text, mem);
    enum status st = read_all(a->cli->sys, path, &text, e);
    struct str script = {text.data, text.size};
    if (st == S_OK) st = init ? shell_run_init(shell, script, path) : shell_run(shell, script, path);
    buf_release(&text);
    return st;
}

static enum status run(const struct arguments *a, struct shell *shell, struct mem *mem, struct err *e)
{
    const struct cli *cli = a->cli;
    bool interactive = a->file == NULL && a->statements == NULL && cli->editor != NULL && sys_is_terminal(cli->sys, 0) &&
                       sys_is_terminal(cli->sys, 1);

    TRY(set_all(a, shell, e));
    if (a->init != NULL) TRY(run_file(a, shell, a->init, true, mem, e));
    if (interactive) return shell_interact(shell, e);
    if (a->statements != NULL) return shell_run(shell, str_of(a->statements), NULL);
    return run_file(a, shell, a->file != NULL ? a->file : "-", false, mem, e);
}

static int exit_status(struct shell *shell, enum status st)
{
    enum sys_signal signal = sql_session_signal(shell_session(shell));

    if (st == S_OK || st == S_END) return 0;
    return signal == SYS_SIGNAL_INT ? EXIT_INTERRUPTED : signal == SYS_SIGNAL_TERM ? EXIT_TERMINATED : 1;
}

static const char *name_of(const struct cli *cli) { return cli->called != NULL ? cli->called : "thalweg sql"; }

static int run_shell(struct arguments *a, struct mem *mem, struct err *e)
{
    char path[PATH_SIZE];
    const char *home = sys_environment("HOME");

    snprintf(path, sizeof path, "%s/.thalweg_history", home != NULL ? home : "");
    struct shell_options o = {.sys = a->cli->sys,
                              .as_client = a->cli->called != NULL,
                              .view = a->view,
                              .editor = a->cli->editor,
                              .history = a->history != NULL ? a->history : home != NULL ? path : NULL};
    struct shell *shell = shell_create(&o);
    enum status st = run(a, shell, mem, e);
    if (st != S_OK && st != S_END && e->text[0] != '\0') api_say_error(a->cli->sys, name_of(a->cli), e);
    int answer = exit_status(shell, st);
    shell_free(shell);
    return answer;
}

static int sql_run(const struct cli *cli, int argc, char **argv)
{
    struct arguments a = {.cli = cli};
    struct mem mem;
    struct err e = {0};
    int answer = 1;

    if (parse(&a, argc, argv, &e) != S_OK) {
        api_say_error(cli->sys, name_of(cli), &e);
        return 1;
    }
    if (a.wants_help) {
        cli_say_help(cli, &cli_sql);
        return 0;
    }
    mem_init(&mem, "sql", 0);
    answer = run_shell(&a, &mem, &e);
    mem_release(&mem);
    return answer;
}

const struct cli_verb cli_sql = {
    .name = "sql",
    .arguments = "[-f FILE | -e STATEMENTS] [OPTIONS]",
    .doc = "run SQL statements, or a shell for them",
    .help = "Without -f and -e it is a shell on a terminal, and elsewhere runs what standard input brings. Statements end\n"
            "with ';'. The first one of a script that fails ends it with status 1. As `sql-client.sh [embedded]` it prints as\n"
            "Flink's client does.\n"
            "  -f, --file FILE     the statements of a file; - is standard input\n"
            "  -e STATEMENTS       the statements themselves\n"
            "  -i, --init FILE     statements that prepare the session, before all others\n"
            "  -D KEY=VALUE        a setting of the session, as SET\n"
            "  --output FORM       results as tableau, table, changelog, csv, json, markdown, line or box\n"
            "  -hist FILE          where the shell keeps what was typed; ~/.thalweg_history when not given\n"
            "  -s, --session NAME  accepted: every run is a session of its own\n"
            "In the shell, HELP; lists its commands: \\d, \\x, \\timing, \\watch, .mode, .once.\n"
            "\n"
            "Examples:\n"
            "  thalweg sql\n"
            "  thalweg sql -e \"SELECT a + 1 AS b FROM (VALUES (1), (2)) AS t (a) WHERE a > 1\"\n"
            "  thalweg sql -i tables.sql -f job.sql -D parallelism.default=4\n"
            "  thalweg sql --output json -e 'SELECT * FROM (VALUES (1), (2)) AS t (a)' | jq .a\n",
    .run = sql_run,
    .own_help = true,
    .program = "sql-client.sh",
};
