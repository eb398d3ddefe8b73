/* cli_savepoint.c - `thalweg savepoint inspect PATH`: what is in a checkpoint or savepoint. It reads every byte, so that it also tells
 * whether the whole of it can be restored. `thalweg savepoint dispose PATH` (also -d, as in Flink) deletes one.
 * `thalweg savepoint JOB`: cluster_savepoint.c. */
#include "surface/cli/cli.h"

#include "control/snapshot/snapshot_dispose.h"
#include "ground/base/str.h"
#include "surface/cli/cluster_job.h"
#include "surface/cli/program.h"
#include "surface/cli/savepoint_text.h"

#include <stdio.h>
#include <string.h>

static int fail(const struct cli *cli, const char *verb, struct err *e)
{
    char name[40];

    snprintf(name, sizeof name, "thalweg savepoint %s", verb);
    api_say_error(cli->sys, name, e);
    return 1;
}

static int inspect(const struct cli *cli, const char *path, bool as_json)
{
    const struct inspected_operator *operators;
    struct snapshot_reader *r;
    struct err e = {0};
    struct buf text;

    if (snapshot_reader_open(cli->sys, path, &r, &e) != S_OK) return fail(cli, "inspect", &e);
    enum status st = snapshot_inspect(r, &operators, &e);
    if (st == S_OK) {
        buf_init(&text, &r->mem);
        if (as_json)
            savepoint_json(r, operators, &text);
        else
            savepoint_table(r, operators, &text);
        program_say(cli->sys, 1, buf_text(&text));
        buf_release(&text);
    }
    snapshot_reader_close(r);
    return st == S_OK ? 0 : fail(cli, "inspect", &e);
}

static int dispose(const struct cli *cli, const char *path)
{
    char line[SYS_PATH_MAX + 40];
    struct err e = {0};

    if (snapshot_dispose(cli->sys, path, &e) != S_OK) return fail(cli, "dispose", &e);
    snprintf(line, sizeof line, "Savepoint '%s' disposed.\n", path);
    program_say(cli->sys, 1, line);
    return 0;
}

static int wrong(const struct cli *cli, const char *what, const char *argument)
{
    struct err e = {0};

    err_set(&e, E_CONFIG, what, argument);
    err_hint(&e, "write `thalweg savepoint inspect PATH [--output json]` or `thalweg savepoint dispose PATH`");
    api_say_error(cli->sys, "thalweg savepoint", &e);
    return 1;
}

extern const struct cli_verb cli_savepoint;

static bool is_dispose(const char *word)
{
    return strcmp(word, "dispose") == 0 || strcmp(word, "-d") == 0 || strcmp(word, "--dispose") == 0;
}

static int run_savepoint(const struct cli *cli, int argc, char **argv)
{
    const char *path = NULL;
    bool as_json = false;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") != 0) continue;
        cli_say_help(cli, &cli_savepoint);
        return 0;
    }
    if (argc == 0) return wrong(cli, "what to do is not said%s", "");
    bool disposes = is_dispose(argv[0]);
    if (!disposes && strcmp(argv[0], "inspect") != 0) return cluster_savepoint_run(cli, argc, argv);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 && !disposes)
            as_json = true;
        else if (strcmp(argv[i], "--output") == 0) {
            if (i + 1 == argc || (strcmp(argv[i + 1], "json") != 0 && strcmp(argv[i + 1], "table") != 0))
                return wrong(cli, "behind --output stands json or table%s", "");
            as_json = strcmp(argv[++i], "json") == 0;
        }
        else if (argv[i][0] == '-')
            return wrong(cli, "unknown argument '%.100s'", argv[i]);
        else if (path != NULL)
            return wrong(cli, "one path is taken; '%.100s' is one more", argv[i]);
        else
            path = argv[i];
    }
    if (path == NULL) return wrong(cli, "a path is expected%s", "");
    return disposes ? dispose(cli, path) : inspect(cli, path, as_json);
}

const struct cli_verb cli_savepoint = {
    .name = "savepoint",
    .arguments = "JOB [FOLDER] | inspect PATH [--output json] | dispose PATH",
    .doc = "take a savepoint of a job, show what one holds, or delete it",
    .help = "JOB is the id of a job of a cluster, of 32 hexadecimal digits (`thalweg list`); the savepoint's own folder is made in\n"
            "FOLDER, or in execution.checkpointing.savepoint-dir.\n"
            "  -detached          do not wait for it\n"
            "  -type TYPE         canonical or native: one format serves both\n"
            "  -m, --jobmanager HOST:PORT   the REST interface of the cluster; else rest.address and rest.port, localhost:8081\n"
            "\n"
            "PATH is the folder of a savepoint or checkpoint (.../chk-12), or the _metadata in it. Shown are the job, "
            "and of each\n"
            "operator its name, uid and parallelism, and of each state name, kind, keys, rows, bytes and schema. Every "
            "byte is\n"
            "read and its checksum looked at: status 1, with the file and the place, when something is damaged.\n"
            "  --output FORMAT    json: one JSON object, also --json; table, when it is not given\n"
            "dispose, or -d as in Flink, deletes it: the files that its metadata name. A job that would go on from it "
            "cannot\nany more.\n"
            "\n"
            "Example:\n"
            "  thalweg savepoint inspect savepoints/savepoint-3f2a91-0c55d1e6a7b8\n",
    .run = run_savepoint,
    .own_help = true,
};
