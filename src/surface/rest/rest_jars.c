/* rest_jars.c - shared objects that are uploaded and run: /jars of Flink's interface, with job.so in the place of a jar.
 *
 * Nothing of an uploaded object runs in this process to build a graph: a child (`thalweg run -d -m`) opens it, builds the graph and
 * submits it by this very interface, as a client would. What it says is read for the id of the job, or for what went wrong. */
#include "surface/rest/rest_internal.h"

#include "ground/base/str.h"
#include "ground/sys/sys_daemon.h"

#include <stdio.h>
#include <string.h>

enum {
    BAD_REQUEST = 400,
    SERVER_ERROR = 500,
    RUN_MS = 60 * 1000,
    SAID_MAX = 64 * 1024,
    ARGUMENTS_MAX = 64,
    NAME_MAX_BYTES = 200
};
#define SUBMITTED "Job has been submitted with JobID "

static const char *folder_of(struct rest_call *c) { return arena_printf(&c->arena, "%s/jars", c->rest->o.folder); }

/* Names are made here: <32 digits>_<name>; nothing else is a file of this folder. */
static bool is_jar_id(const char *id)
{
    return strlen(id) > HEX_ID_SIZE && strspn(id, "0123456789abcdef") == HEX_ID_SIZE - 1 &&
           id[HEX_ID_SIZE - 1] == '_' && strchr(id, '/') == NULL;
}

static const char *jar_path(struct rest_call *c)
{
    const char *path = arena_printf(&c->arena, "%s/%s", folder_of(c), c->parameters[0]);
    struct sys_stat st;

    if (is_jar_id(c->parameters[0]) && sys_file_stat(c->rest->o.sys, path, &st, NULL) == S_OK) return path;
    rest_fail(c, BAD_REQUEST, "File %.200s does not exist in %s.", c->parameters[0], folder_of(c));
    return NULL;
}

/* --- which there are ----------------------------------------------------------------------------------------------- */
static void write_jar(void *arg, const char *name, const struct sys_stat *st)
{
    struct rest_call *c = arg;

    if (!is_jar_id(name)) return;
    json_object(&c->out, NULL);
    json_text(&c->out, "id", name);
    json_text(&c->out, "name", name + HEX_ID_SIZE);
    json_int(&c->out, "uploaded", st->modified_ms);
    json_array(&c->out, "entry");
    json_object(&c->out, NULL);
    json_text(&c->out, "name", "TW_JOB");
    json_null(&c->out, "description");
    json_object_end(&c->out);
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void answer_list(struct rest_call *c)
{
    json_object(&c->out, NULL);
    json_text(&c->out, "address", c->rest->address);
    json_array(&c->out, "files");
    (void)!sys_dir_list(c->rest->o.sys, folder_of(c), write_jar, c, NULL); /* before the first upload there is none */
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void answer_delete(struct rest_call *c)
{
    const char *path = jar_path(c);
    struct err e = {0};

    if (path == NULL) return;
    if (sys_file_delete(c->rest->o.sys, path, &e) != S_OK) {
        rest_fail_with(c, SERVER_ERROR, &e);
        return;
    }
    json_object(&c->out, NULL);
    json_object_end(&c->out);
}

/* --- upload -------------------------------------------------------------------------------------------------------- */
static void answer_upload(struct rest_call *c)
{
    struct sys *sys = c->rest->o.sys;
    const struct sys_httpd_part *p = c->request->part_count == 1 ? &c->request->parts[0] : NULL;
    struct err e = {0};

    if (p == NULL || p->file_name == NULL) {
        rest_fail(c, BAD_REQUEST, "Exactly 1 file must be sent, received %u.", c->request->part_count);
        return;
    }
    if (!str_ends(str_of(p->file_name), STR(".so")) || strlen(p->file_name) > NAME_MAX_BYTES) {
        rest_fail(c, BAD_REQUEST, "Only shared objects (job.so) are allowed.");
        return;
    }
    const char *path = arena_printf(&c->arena, "%s/%016llx%016llx_%s", folder_of(c),
                                    (unsigned long long)sys_random(sys), (unsigned long long)sys_random(sys),
                                    p->file_name);
    enum status st = sys_dir_make(sys, folder_of(c), &e);
    if (st == S_OK) st = sys_file_rename_new(sys, p->path, path, &e);
    if (st != S_OK) {
        rest_fail_with(c, SERVER_ERROR, &e);
        return;
    }
    json_object(&c->out, NULL);
    json_text(&c->out, "filename", path);
    json_text(&c->out, "status", "success");
    json_object_end(&c->out);
}

/* --- run ----------------------------------------------------------------------------------------------------------- */
struct child {
    const char *argv[ARGUMENTS_MAX + 1];
    uint32_t count;
};

static void add(struct child *child, const char *word)
{
    if (child->count < ARGUMENTS_MAX) child->argv[child->count++] = word;
}

static void add_settings(struct rest_call *c, struct child *child, struct str body)
{
    struct str settings = answer_member(body, "flinkConfiguration"), key, value;
    size_t at = 0;

    while (answer_next_member(settings, &at, &key, &value)) {
        const char *text = answer_text(value, &c->arena);
        if (text == NULL) continue;
        add(child, "-D");
        add(child, arena_printf(&c->arena, "%.*s=%s", (int)key.size, key.data, text));
    }
}

/* What stands in the body wins over the query, as in Flink. */
static const char *either(struct rest_call *c, struct str body, const char *member, const char *query)
{
    const char *text = rest_body_text(c, body, member);

    return text != NULL ? text : rest_query(c, query);
}

static void make_child(struct rest_call *c, struct child *child, const char *path, struct str body)
{
    struct str list = answer_member(body, "programArgsList"), item;
    int64_t parallelism = answer_int(answer_member(body, "parallelism"), 0);
    const char *savepoint = either(c, body, "savepointPath", "savepointPath"), *given = rest_query(c, "parallelism");
    const char *unclaimed = rest_query(c, "allowNonRestoredState");
    size_t at = 0;

    add(child, c->rest->o.program);
    add(child, "run");
    add(child, "-d");
    add(child, "-m");
    add(child, c->rest->address + strlen("http://"));
    if (parallelism > 0) given = arena_printf(&c->arena, "%lld", (long long)parallelism);
    if (given != NULL) add(child, "-p"), add(child, given);
    if (savepoint != NULL) add(child, "-s"), add(child, savepoint);
    if (rest_body_bool(body, "allowNonRestoredState") || (unclaimed != NULL && strcmp(unclaimed, "true") == 0))
        add(child, "-n");
    add_settings(c, child, body);
    add(child, path);
    add(child, "--");
    while (answer_next(list, &at, &item))
        if (answer_text(item, &c->arena) != NULL) add(child, answer_text(item, &c->arena));
    for (uint32_t i = 0; list.size == 0 && i < c->request->query_count; i++)
        if (strcmp(c->request->query[i].key, "programArg") == 0) add(child, c->request->query[i].value);
    child->argv[child->count] = NULL;
}

static const char *read_said(struct rest_call *c, const char *path)
{
    struct sys *sys = c->rest->o.sys;
    char *text = arena_zalloc(&c->arena, SAID_MAX + 1);
    struct sys_file *f;
    size_t got = 1, size = 0;

    if (sys_file_open(sys, path, SYS_READ, &f, NULL) != S_OK) return text;
    while (got > 0 && size < SAID_MAX && sys_file_read(sys, f, text + size, SAID_MAX - size, &got, NULL) == S_OK)
        size += got;
    sys_file_close(sys, f);
    (void)!sys_file_delete(sys, path, NULL);
    return text;
}

static void answer_of_child(struct rest_call *c, int exit_status, const char *said, const char *problems)
{
    const char *id = strstr(said, SUBMITTED);

    if (exit_status != 0 || id == NULL) {
        rest_fail(c, BAD_REQUEST, "The job could not be submitted: %.1500s",
                  problems[0] != '\0' ? problems : "it submits none");
        return;
    }
    json_object(&c->out, NULL);
    json_text(&c->out, "jobid", arena_strndup(&c->arena, id + strlen(SUBMITTED), HEX_ID_SIZE - 1));
    json_object_end(&c->out);
}

static void answer_run(struct rest_call *c)
{
    struct child child = {.count = 0};
    struct err e = {0};
    struct str body;
    const char *path = jar_path(c);
    int exit_status = 0;

    if (path == NULL || !rest_body(c, "JarRunRequestBody", &body)) return;
    if (c->rest->o.program == NULL) {
        rest_fail(c, SERVER_ERROR, "This process cannot start the program that builds graphs.");
        return;
    }
    make_child(c, &child, path, body);
    const char *said = arena_printf(&c->arena, "%s/run-%016llx", c->rest->o.folder,
                                    (unsigned long long)sys_random(c->rest->o.sys));
    const char *problems = arena_printf(&c->arena, "%s.err", said);
    if (sys_child_run(c->rest->o.sys, child.argv, said, problems, RUN_MS, &exit_status, &e) != S_OK) {
        (void)read_said(c, said);
        (void)read_said(c, problems);
        rest_fail_with(c, SERVER_ERROR, &e);
        return;
    }
    answer_of_child(c, exit_status, read_said(c, said), read_said(c, problems));
}

const struct rest_endpoint rest_jars[] = {
    {"GET", "/jars", answer_list, false, false},
    {"POST", "/jars/upload", answer_upload, true, false},
    {"DELETE", "/jars/:jarid", answer_delete, true, false},
    {"POST", "/jars/:jarid/run", answer_run, true, false},
    {NULL, NULL, NULL, false, false},
};
