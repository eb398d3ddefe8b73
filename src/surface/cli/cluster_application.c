/* cluster_application.c - see the header. The program of the job runs in the child, so that the JobManager does not end with it. */
#include "surface/cli/cluster_application.h"

#include "control/config.h"
#include "control/dispatcher/dispatcher.h"
#include "ground/base/buf.h"
#include "ground/base/str.h"
#include "ground/sys/sys_daemon.h"

#include <stdio.h>
#include <string.h>

#define SUBMITTED "Job has been submitted with JobID "
enum { SUBMIT_MS = 60 * 1000, SAID_MAX = 1000 };

struct child {
    const char **argv;
    uint32_t count;
};

static void add(struct child *c, const char *word) { c->argv[c->count++] = word; }

static void add_settings(struct child *c, struct cluster_arguments *a)
{
    for (uint32_t i = 0; i < a->config.count; i++) {
        if (option_find(config_defs, a->config.items[i].key) == NULL) continue; /* the cluster's own */
        add(c, "-D");
        add(c, arena_printf(&a->arena, "%s=%s", a->config.items[i].key, a->config.items[i].value));
    }
}

static const char *const *make_child(struct cluster_arguments *a, const struct cluster_application *app, const char *address)
{
    struct child c = {ARENA_ARRAY(&a->arena, const char *, 16 + 2 * a->config.count + app->word_count), 0};
    char *program = arena_alloc(&a->arena, SYS_PATH_MAX);

    add(&c, sys_program_path(program, SYS_PATH_MAX) ? program : "/proc/self/exe");
    add(&c, "run");
    add(&c, "-d");
    add(&c, "-m");
    add(&c, address + strlen("http://"));
    if (app->savepoint != NULL) add(&c, "-s"), add(&c, app->savepoint);
    if (app->drops_unclaimed) add(&c, "-n");
    add_settings(&c, a);
    add(&c, app->file);
    add(&c, "--");
    for (uint32_t i = 0; i < app->word_count; i++) add(&c, app->words[i]);
    add(&c, NULL);
    return c.argv;
}

static const char *read_said(struct cluster_arguments *a, const char *path)
{
    struct buf text;

    buf_init(&text, &a->mem);
    if (config_read_file(a->cli->sys, path, &text, NULL) != S_OK) buf_clear(&text);
    while (text.size > 0 && text.data[text.size - 1] == '\n') text.size--;
    const char *out = arena_strndup(&a->arena, text.size > 0 ? text.data : "", MIN(text.size, (size_t)SAID_MAX));
    buf_release(&text);
    (void)!sys_file_delete(a->cli->sys, path, NULL);
    return out;
}

enum status cluster_application_submit(struct cluster_arguments *a, const struct cluster_application *app, const char *address,
                                       const char *folder, char *id, struct err *e)
{
    const char *said = arena_printf(&a->arena, "%s/application.out", folder), *problems = arena_printf(&a->arena, "%s/application.err", folder);
    int exit_status = 0;

    enum status st = sys_child_run(a->cli->sys, make_child(a, app, address), said, problems, SUBMIT_MS, &exit_status, e);
    const char *text = read_said(a, said), *why = read_said(a, problems), *found = strstr(text, SUBMITTED);
    if (st != S_OK) return st;
    if (exit_status != 0 || found == NULL || strlen(found) < strlen(SUBMITTED) + JOB_ID_SIZE - 1)
        return err_set(e, E_USER, "the job of '%s' could not be submitted: %s", app->file,
                       why[0] != '\0' ? why : "it submits none");
    snprintf(id, JOB_ID_SIZE, "%.*s", JOB_ID_SIZE - 1, found + strlen(SUBMITTED));
    return S_OK;
}
