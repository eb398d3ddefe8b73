/* cli_sql.c - `thalweg sql`: the arguments of the shell, which is surface/sql/shell.h. Under the name sql-client.sh it takes the flags
 * of Flink's client and prints what that prints. */
#include "surface/cli/cli.h"

#include "ground/base/str.h"
#include "surface/cli/program.h"
#include "surface/cli/remote_run.h"
#include "surface/gateway/gateway.h"
#include "surface/sql/shell.h"
#include "surface/sql/view.h"

#include <stdio.h>
#include <string.h>

extern const struct cli_verb cli_sql;

enum { SCRIPT_CHUNK = 64 * 1024, SETTINGS_MAX = 256, PATH_SIZE = 4096 };

struct arguments {
    const struct cli *cli;
    const char *file, *statements, *init, *history, *endpoint, *session;
    struct remote_run *remote; /* address NULL: jobs run in this process */
    const char *settings[SETTINGS_MAX]; /* key=value */
    uint32_t setting_count;
    const struct view_type *view;
    bool wants_help;
    bool in_gateway; /* `gateway` stands before the flags */
};

struct flag {
    const char *names[3]; /* "-f", "--file", "-file": Flink's client takes each with one dash or two */
    enum status (*take)(struct arguments *a, const char *value, struct err *e);
    bool alone; /* without a value */
    bool own;   /* not of Flink's client */
    uint8_t mode; /* enum flag_mode */
};
enum flag_mode { FLAG_ANYWHERE, FLAG_HERE, FLAG_GATEWAY };

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

static enum status take_jobmanager(struct arguments *a, const char *value, struct err *e)
{
    (void)e;
    a->remote->address = value;
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

static enum status take_endpoint(struct arguments *a, const char *value, struct err *e)
{
    (void)e;
    a->endpoint = value;
    return S_OK;
}

/* A gateway is told the name; here every run is a session of its own. */
static enum status take_session(struct arguments *a, const char *value, struct err *e)
{
    a->session = value;
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

static void hint_forms(struct err *e, const char *const *names, uint32_t count)
{
    char list[256] = "";
    size_t used = 0;

    for (uint32_t i = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " and ", names[i]);
    err_hint(e, "the forms are %s", list);
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
    else hint_forms(e, names, count);
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

static enum status refuse_python(struct arguments *a, const char *value, struct err *e)
{
    (void)a;
    err_set(e, E_UNSUPPORTED, "functions in Python cannot be called from SQL: there is no Python here ('%s')", value);
    err_hint(e, "functions are written in C; leave the flag out where no statement calls one in Python");
    return E_UNSUPPORTED;
}

static enum status refuse_update(struct arguments *a, const char *value, struct err *e)
{
    (void)a, (void)value;
    err_set(e, E_UNSUPPORTED, "-u is a flag of older clients");
    err_hint(e, "write the statement into a file: -f FILE, or -f - for standard input");
    return E_UNSUPPORTED;
}

static enum status refuse_version(struct arguments *a, const char *value, struct err *e)
{
    (void)a, (void)value;
    err_set(e, E_CONFIG, "a version is not told here");
    err_hint(e, "`thalweg --version` says it");
    return E_CONFIG;
}

static const struct flag flags[] = {
    {.names = {"-f", "--file", "-file"}, .take = take_file},
    {.names = {"-e"}, .take = take_statements, .own = true, .mode = FLAG_HERE},
    {.names = {"--execute"}, .take = take_statements, .own = true},
    {.names = {"-e", "--endpoint", "-endpoint"}, .take = take_endpoint, .mode = FLAG_GATEWAY},
    {.names = {"-m", "--jobmanager"}, .take = take_jobmanager, .own = true, .mode = FLAG_HERE},
    {.names = {"-i", "--init", "-init"}, .take = take_init},
    {.names = {"-D"}, .take = take_setting},
    {.names = {"-s", "--session", "-session"}, .take = take_session},
    {.names = {"-hist", "--history", "-history"}, .take = take_history},
    {.names = {"--output"}, .take = take_output, .own = true},
    {.names = {"-j", "--jar", "-jar"}, .take = refuse_jar},
    {.names = {"-l", "--library", "-library"}, .take = refuse_jar},
    {.names = {"-pyarch", "--pyArchives"}, .take = refuse_python},
    {.names = {"-pyclientexec", "--pyClientExecutable"}, .take = refuse_python},
    {.names = {"-pyexec", "--pyExecutable"}, .take = refuse_python},
    {.names = {"-pyfs", "--pyFiles"}, .take = refuse_python},
    {.names = {"-pyreq", "--pyRequirements"}, .take = refuse_python},
    {.names = {"-u", "--update", "-update"}, .take = refuse_update},
    {.names = {"-v", "--version", "-version"}, .take = refuse_version, .alone = true},
    {.names = {"-h", "--help", "-help"}, .take = take_help, .alone = true},
};

static bool flag_counts(const struct arguments *a, const struct flag *f)
{
    if (f->own && a->cli->called != NULL) return false;
    return f->mode == FLAG_ANYWHERE || (f->mode == FLAG_GATEWAY) == a->in_gateway;
}

/* The flag of an argument; *value is what stands behind `=`, or behind -D itself. */
static const struct flag *flag_find(const struct arguments *a, const char *argument, const char **value)
{
    *value = NULL;
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        for (size_t n = 0; n < COUNT_OF(flags[i].names) && flags[i].names[n] != NULL; n++) {
            const char *name = flags[i].names[n];
            size_t size = strlen(name);
            if (strncmp(argument, name, size) != 0 || !flag_counts(a, &flags[i])) continue;
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
            if (flag_counts(a, &flags[i])) names[count++] = flags[i].names[n];
    int near = strlen(argument) > 2 ? str_nearest(str_of(argument), names, count) : -1; /* -x is as near to all as to any */
    err_set(e, E_CONFIG, "cannot use '%s'%s%s%s", argument, near >= 0 ? ", did you mean " : "", near >= 0 ? names[near] : "",
            near >= 0 ? "?" : "");
    err_hint(e, a->cli->called != NULL ? "see 'sql-client.sh --help'" : "see 'thalweg sql --help'");
    return E_CONFIG;
}

static enum status parse(struct arguments *a, int argc, char **argv, struct err *e)
{
    const char *mode = argc > 0 ? argv[0] : "";
    int from = 1;

    a->in_gateway = strcmp(mode, "gateway") == 0;
    if (!a->in_gateway && (a->cli->called == NULL || strcmp(mode, "embedded") != 0)) from = 0;
    for (int i = from; i < argc; i++) {
        const char *value;
        const struct flag *f = flag_find(a, argv[i], &value);
        if (f == NULL) return refuse_argument(a, argv[i], e);
        if (value == NULL && !f->alone && ++i == argc) return err_set(e, E_CONFIG, "%s: a value is expected behind it", argv[i - 1]);
        TRY(f->take(a, value != NULL ? value : argv[i], e));
    }
    if (a->file != NULL && a->statements != NULL)
        return err_set(e, E_CONFIG, "-f and %s exclude each other", a->in_gateway ? "--execute" : "-e");
    if (a->in_gateway && a->endpoint == NULL && !a->wants_help) {
        err_set(e, E_CONFIG, "-e: the address of the gateway is expected");
        err_hint(e, "write gateway -e http://HOST:8083");
        return E_CONFIG;
    }
    return S_OK;
}

/* --- running ----------------------------------------------------------------------------------------------------- */
/* Editors of other systems put a byte order mark before the text. */
static void skip_mark(struct buf *text)
{
    static const char mark[] = {'\xEF', '\xBB', '\xBF'};

    if (text->size < sizeof mark || memcmp(text->data, mark, sizeof mark) != 0) return;
    text->size -= sizeof mark;
    memmove(text->data, text->data + sizeof mark, text->size);
}

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
    skip_mark(out);
    if (st == S_OK && out->size > SQL_TEXT_MAX) return err_set(e, E_DATA, "'%s' has more than %d bytes", path, SQL_TEXT_MAX);
    return st;
}

static enum status set_all(const struct arguments *a, struct statement_executor *x, struct err *e)
{
    for (uint32_t i = 0; i < a->setting_count; i++) {
        char key[512];
        size_t size = strcspn(a->settings[i], "=");
        snprintf(key, sizeof key, "%.*s", (int)MIN(size, sizeof key - 1), a->settings[i]);
        const char *value = a->settings[i] + size + 1;
        TRY(x->ops->set(x, key, value, e));
        const char *doubt = x->ops->doubt != NULL ? x->ops->doubt(x, key, value) : NULL;
        if (doubt != NULL) program_say(a->cli->sys, 2, doubt);
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

    if (a->init != NULL) TRY(run_file(a, shell, a->init, true, mem, e));
    if (interactive) return shell_interact(shell, e);
    if (a->statements != NULL) return shell_run(shell, str_of(a->statements), NULL);
    return run_file(a, shell, a->file != NULL ? a->file : "-", false, mem, e);
}

static int exit_status(const struct statement_executor *x, enum status st)
{
    enum sys_signal signal = x->ops->signal(x);

    if (st == S_OK || st == S_END) return 0;
    return signal == SYS_SIGNAL_INT ? EXIT_INTERRUPTED : signal == SYS_SIGNAL_TERM ? EXIT_TERMINATED : 1;
}

static const char *name_of(const struct cli *cli) { return cli->called != NULL ? cli->called : "thalweg sql"; }

static void say_line(void *arg, const char *line)
{
    char text[1024];

    snprintf(text, sizeof text, "%s\n", line);
    program_say(arg, 2, text);
}

static enum status executor_of(const struct arguments *a, struct statement_executor **out, struct err *e)
{
    struct sql_session_options here = {
        .sys = a->cli->sys, .takes_signals = true, .say = say_line, .say_arg = a->cli->sys};
    struct gateway_options there = {.sys = a->cli->sys, .http = a->cli->http, .endpoint = a->endpoint, .session = a->session};

    a->remote->is_quiet = true;
    if (a->remote->address != NULL) here.remote = (struct api_remote){remote_run_job, a->remote};
    if (!a->in_gateway) {
        *out = executor_embedded_create(&here);
        return S_OK;
    }
    if (there.http == NULL) return err_set(e, E_UNSUPPORTED, "this program cannot speak HTTP");
    *out = gateway_create(&there);
    return S_OK;
}

static enum status run_shell(const struct arguments *a, struct statement_executor *x, struct mem *mem, struct err *e)
{
    char path[PATH_SIZE];
    const char *home = sys_environment("HOME");

    TRY(set_all(a, x, e));
    TRY(x->ops->open(x, e));
    snprintf(path, sizeof path, "%s/.thalweg_history", home != NULL ? home : "");
    struct shell_options o = {.sys = a->cli->sys,
                              .executor = x,
                              .as_client = a->cli->called != NULL,
                              .view = a->view,
                              .editor = a->cli->editor,
                              .history = a->history != NULL ? a->history : home != NULL ? path : NULL};
    struct shell *shell = shell_create(&o);
    enum status st = run(a, shell, mem, e);
    shell_free(shell);
    return st;
}

static int run_with(const struct arguments *a, struct mem *mem)
{
    struct statement_executor *x = NULL;
    struct err e = {0};
    int answer = 1;

    enum status st = executor_of(a, &x, &e);
    if (st == S_OK) st = run_shell(a, x, mem, &e);
    if (st != S_OK && st != S_END && e.text[0] != '\0') api_say_error(a->cli->sys, name_of(a->cli), &e);
    if (x != NULL) answer = exit_status(x, st);
    executor_free(x);
    return answer;
}

static int sql_run(const struct cli *cli, int argc, char **argv)
{
    struct remote_run remote;
    struct arguments a = {.cli = cli, .remote = &remote};
    struct mem mem;
    struct err e = {0};
    int answer = 1;

    remote_run_init(&remote, cli);
    if (parse(&a, argc, argv, &e) != S_OK) {
        api_say_error(cli->sys, name_of(cli), &e);
    } else if (a.wants_help) {
        if (cli->called != NULL) program_say(cli->sys, 1, cli_sql.program_help);
        else cli_say_help(cli, &cli_sql);
        answer = 0;
    } else {
        mem_init(&mem, "sql", 0);
        answer = run_with(&a, &mem);
        mem_release(&mem);
    }
    remote_run_release(&remote);
    return answer;
}

const struct cli_verb cli_sql = {
    .name = "sql",
    .arguments = "[gateway -e ADDRESS] [-f FILE | -e STATEMENTS] [OPTIONS]",
    .doc = "run SQL statements, or a shell for them",
    .help = "Without -f and -e it is a shell on a terminal, and elsewhere runs what standard input brings. Statements end\n"
            "with ';'. The first one of a script that fails ends it with status 1. As `sql-client.sh [embedded]` it prints as\n"
            "Flink's client does.\n"
            "INSERT does not wait for its job, unless SET 'table.dml-sync' = 'true'. A statement that reads or writes files\n"
            "which such a job writes waits for it, if the job comes to an end by itself. Jobs live in this process: it ends\n"
            "when the last of them has, with status 1 when one failed; ctrl-c cancels them. SHOW JOBS, STOP JOB 'ID' and\n"
            "sys.jobs see them.\n"
            "  -f, --file FILE     the statements of a file; - is standard input\n"
            "  -e STATEMENTS       the statements themselves\n"
            "  -m, --jobmanager HOST:PORT  jobs run in the cluster whose REST interface is there; ctrl-c cancels a query\n"
            "  -i, --init FILE     statements that prepare the session, before all others\n"
            "  -D KEY=VALUE        a setting of the session, as SET\n"
            "  --output FORM       results as tableau, table, changelog, csv, json, markdown, line or box\n"
            "  -hist FILE          where the shell keeps what was typed; ~/.thalweg_history when not given\n"
            "  -s, --session NAME  accepted: every run is a session of its own\n"
            "As `thalweg sql gateway -e http://HOST:8083` the statements run on a Flink cluster, by its SQL gateway:\n"
            "  -e, --endpoint ADDR the gateway's address\n"
            "  --execute STATEMENTS  what -e is elsewhere\n"
            "  -s, --session NAME  of the session there\n"
            "In the shell, HELP; lists its commands: \\d, \\x, \\timing, \\watch, .mode, .once.\n"
            "\n"
            "Examples:\n"
            "  thalweg sql\n"
            "  thalweg sql -e \"SELECT a + 1 AS b FROM (VALUES (1), (2)) AS t (a) WHERE a > 1\"\n"
            "  thalweg sql -i tables.sql -f job.sql -D parallelism.default=4\n"
            "  thalweg sql gateway -e http://localhost:8083 -f job.sql\n"
            "  thalweg sql --output json -e 'SELECT * FROM (VALUES (1), (2)) AS t (a)' | jq .a\n",
    .program_help =
        "sql-client.sh [embedded | gateway -e ADDRESS] [OPTIONS]\n"
        "Thalweg's SQL shell with the flags and the output of Flink's SQL client.\n"
        "\n"
        "Mode `embedded` (when none is given): statements run in this process.\n"
        "  -f, --file FILE       the statements of a file, which is printed as it runs; without it a shell\n"
        "  -i, --init FILE       statements that prepare the session, before all others\n"
        "  -D KEY=VALUE          a setting of the session, as SET\n"
        "  -hist, --history FILE where the shell keeps what was typed; ~/.thalweg_history when not given\n"
        "  -s, --session NAME    accepted: every run is a session of its own\n"
        "  -j, --jar and -l, --library are refused: there is no JVM; functions are written in C\n"
        "  -h, --help            this\n"
        "\n"
        "Mode `gateway`: statements run on a Flink cluster, by its SQL gateway. The same options, and\n"
        "  -e, --endpoint ADDR   the gateway's address, http://HOST:8083\n"
        "  -s, --session NAME    of the session there\n"
        "\n"
        "Jobs of INSERTs live in this process, which ends when the last of them has; ctrl-c cancels them.\n"
        "\n"
        "`thalweg sql` is the same shell with more: -e STATEMENTS, --output FORM, status 1 where a script fails.\n"
        "\n"
        "Examples:\n"
        "  sql-client.sh -i tables.sql -f job.sql\n"
        "  sql-client.sh gateway -e http://localhost:8083 -f job.sql\n",
    .run = sql_run,
    .own_help = true,
    .program = "sql-client.sh",
};
