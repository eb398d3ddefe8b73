/* cli_sql.c - `thalweg sql`: statements from -e or a file, one after another, results as Flink's SQL client prints them. The first
 * one that fails ends the run. */
#include "surface/cli/cli.h"

#include "ground/base/str.h"
#include "surface/cli/program.h"
#include "surface/sql/tableau.h"

#include <string.h>

enum { SCRIPT_CHUNK = 64 * 1024 };

struct script {
    const char *name; /* of the file; NULL: -e */
    struct buf text;
};

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
    return st;
}

static int usage(const struct cli *cli, const char *what, const char *argument)
{
    struct err e = {0};

    err_set(&e, E_CONFIG, what, argument);
    err_hint(&e, "see 'thalweg sql --help'");
    api_say_error(cli->sys, "thalweg sql", &e);
    return 1;
}

static enum status run_script(struct sql_session *s, const struct sql_listener *to, const struct script *script,
                              struct mem *mem, struct err *e)
{
    struct arena arena;
    struct tokens t;
    struct statement st;
    uint32_t at = 0;

    arena_init(&arena, mem, 0);
    enum status status = tokens_cut(&t, (struct str){script->text.data, script->text.size}, script->name, &arena, e);
    while (status == S_OK && (status = statement_parse(&t, &at, &arena, &st, e)) == S_OK)
        status = sql_session_run(s, &t, &st, to, e);
    arena_release(&arena);
    return status == S_END ? S_OK : status;
}

static int run_all(const struct cli *cli, const struct script *script, struct mem *mem)
{
    struct sql_session_options o = {.sys = cli->sys, .takes_signals = true};
    struct sql_session *s = sql_session_create(&o);
    struct tableau *table = tableau_create(cli->sys, sql_session_zone(s), mem);
    struct sql_listener to = tableau_listener(table);
    struct err e = {0};

    enum status st = run_script(s, &to, script, mem, &e);
    if (st != S_OK) api_say_error(cli->sys, "thalweg sql", &e);
    tableau_free(table);
    sql_session_free(s);
    return st == S_OK ? 0 : 1;
}

static int sql_run(const struct cli *cli, int argc, char **argv)
{
    struct script script = {0};
    struct mem mem;
    struct err e = {0};
    int answer = 1;

    if (argc != 2 || (strcmp(argv[0], "-e") != 0 && strcmp(argv[0], "-f") != 0))
        return usage(cli, argc == 0 ? "statements are expected: -e 'SELECT 1' or -f FILE%s" : "cannot use '%s'",
                     argc == 0 ? "" : argv[0]);
    mem_init(&mem, "sql", 0);
    buf_init(&script.text, &mem);
    if (strcmp(argv[0], "-e") == 0) {
        buf_append_text(&script.text, argv[1]);
        answer = run_all(cli, &script, &mem);
    } else {
        script.name = argv[1];
        if (read_all(cli->sys, argv[1], &script.text, &e) == S_OK)
            answer = run_all(cli, &script, &mem);
        else
            api_say_error(cli->sys, "thalweg sql", &e);
    }
    buf_release(&script.text);
    mem_release(&mem);
    return answer;
}

const struct cli_verb cli_sql = {
    .name = "sql",
    .arguments = "-e STATEMENTS | -f FILE",
    .doc = "run SQL statements",
    .help = "Statements end with ';'. FILE may be - for standard input. The first statement that fails ends the run "
            "with status 1.\n"
            "\n"
            "Example:\n"
            "  thalweg sql -e \"SELECT a + 1 AS b FROM (VALUES (1), (2)) AS t (a) WHERE a > 1\"\n",
    .run = sql_run,
};
