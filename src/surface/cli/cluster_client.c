/* cluster_client.c - see the header. What waits for something asks again: soon at first, then less and less often. */
#include "surface/cli/cluster_client.h"

#include "control/cluster/cluster.h"
#include "control/dispatcher/dispatcher.h"
#include "flow/format/format.h"
#include "ground/base/str.h"
#include "surface/cli/cluster_process.h"

#include <stdio.h>
#include <string.h>

enum {
    HTTP_OK = 200,
    HTTP_OK_END = 300,
    NOT_FOUND = 404,
    UNAUTHORIZED = 401,
    FORBIDDEN = 403,
    FILE_MAX = 256 * 1024 * 1024
};
enum { FIRST_PAUSE_MS = 10, LONGEST_PAUSE_MS = 500, ID_DIGITS = 32, REASON_MAX = 1500 };

bool is_job_id(const char *text)
{
    return strlen(text) == ID_DIGITS && strspn(text, "0123456789abcdefABCDEF") == ID_DIGITS;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */
/* Where a file is named, what is made of it goes with every call: for users other than the cluster's. */
static enum status read_token(struct cluster_client *c, const struct options *o, struct err *e)
{
    const char *path = options_get(o, cluster_defs, "thalweg.security.token-file");
    struct cluster_key key;

    if (path == NULL) return S_OK;
    TRY(cluster_key_read(c->sys, path, false, &key, e));
    c->authorization = arena_printf(c->arena, "Bearer %s", cluster_rest_token(&key, c->arena));
    return S_OK;
}

enum status cluster_client_open(struct cluster_client *c, const struct cli *cli, const struct options *o,
                                struct mem *mem, struct arena *a, struct err *e)
{
    const char *host = options_get(o, cluster_defs, "rest.address");

    *c = (struct cluster_client){.sys = cli->sys, .http = cli->http, .mem = mem, .arena = a};
    c->base = arena_printf(a, strchr(host, ':') != NULL ? "http://[%s]:%s" : "http://%s:%s", host,
                           options_get(o, cluster_defs, "rest.port"));
    c->timeout_ms = options_int(o, cluster_defs, "client.timeout");
    buf_init(&c->answer, mem);
    buf_init(&c->url, mem);
    if (cli->http == NULL) return err_set(e, E_UNSUPPORTED, "this program cannot speak HTTP");
    TRY(read_token(c, o, e));
    return cli->http->open(cli->sys, &c->connection, e);
}

void cluster_client_close(struct cluster_client *c)
{
    if (c->http == NULL) return;
    c->http->close(c->connection);
    buf_release(&c->answer);
    buf_release(&c->url);
    *c = (struct cluster_client){0};
}

/* --- calls --------------------------------------------------------------------------------------------------------- */
/* The last thing that the list of errors says, without the name of a class in front and traces behind. */
static const char *reason_of(struct cluster_client *c, struct str answer)
{
    struct str errors = answer_member(answer, "errors"), item, last = {0};
    size_t at = 0;

    while (answer_next(errors, &at, &item)) last = item;
    const char *text = answer_text(last, c->arena);
    if (text == NULL) return NULL;
    size_t size = strcspn(text, "\n"),
           name = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._$");
    bool is_class = name > 0 && text[name] == ':' && memchr(text, '.', name) != NULL;
    return arena_strndup(c->arena, text + (is_class ? name + 2 : 0),
                         MIN((size_t)REASON_MAX, size - (is_class ? name + 2 : 0)));
}

static enum status refused(struct cluster_client *c, const char *method, const char *path, struct str answer,
                           struct err *e)
{
    const char *reason = reason_of(c, answer);
    enum status st = c->http_status == NOT_FOUND                                     ? E_NOT_FOUND
                     : c->http_status == UNAUTHORIZED || c->http_status == FORBIDDEN ? E_PERMISSION
                                                                                     : E_DATA;

    if (reason != NULL) return err_set(e, st, "%s", reason);
    return err_set(e, st, "%s %s%s was answered with status %d of HTTP", method, c->base, path, c->http_status);
}

static enum status no_cluster(struct cluster_client *c, const struct err *inner, struct err *e)
{
    if (inner->status == E_CANCELED) return err_pass_on(e, inner);
    err_set(e, E_IO, "no cluster answers at %s: %s", c->base, inner->text);
    err_hint(e, "`thalweg start-cluster` starts one on this machine; another one is named by -m HOST:PORT, the port "
                "being that of its REST "
                "interface");
    return E_IO;
}

enum status cluster_client_call(struct cluster_client *c, const char *method, const char *path, const char *type,
                                struct str body, struct str *answer, struct err *e)
{
    buf_clear(&c->url);
    buf_printf(&c->url, "%s%s", c->base, path);
    struct sys_http_request r = {.method = method,
                                 .url = buf_text(&c->url),
                                 .body = body,
                                 .type = type,
                                 .authorization = c->authorization,
                                 .timeout_ms = c->timeout_ms,
                                 .stop = c->stop,
                                 .stop_arg = c->stop_arg};
    struct err inner = {0};

    if (c->http->call(c->connection, &r, &c->http_status, &c->answer, &inner) != S_OK) return no_cluster(c, &inner, e);
    buf_reserve(&c->answer, FORMAT_PADDING);
    memset(c->answer.data + c->answer.size, 0, FORMAT_PADDING);
    *answer = (struct str){c->answer.data, c->answer.size};
    if (answer->size > 0 && answer_check(*answer, c->mem, &inner) != S_OK)
        return err_set(e, E_DATA, "%s is no cluster: it answers status %d of HTTP, and %s", r.url, c->http_status,
                       inner.text);
    return c->http_status >= HTTP_OK && c->http_status < HTTP_OK_END ? S_OK : refused(c, method, path, *answer, e);
}

enum status cluster_client_get(struct cluster_client *c, const char *path, struct str *answer, struct err *e)
{
    return cluster_client_call(c, "GET", path, NULL, (struct str){NULL, 0}, answer, e);
}

/* --- waiting ------------------------------------------------------------------------------------------------------- */
/* Sleeps; false: somebody wants it to end. */
static bool pause_for(struct cluster_client *c, int64_t *pause_ms)
{
    struct sys_parker *p = sys_parker_create(c->sys);

    (void)sys_park(c->sys, p, *pause_ms * 1000 * 1000);
    sys_parker_free(c->sys, p);
    *pause_ms = MIN(LONGEST_PAUSE_MS, *pause_ms * 2);
    return c->stop == NULL || !c->stop(c->stop_arg);
}

enum status cluster_client_await(struct cluster_client *c, const char *path, struct str *operation, struct err *e)
{
    int64_t pause_ms = FIRST_PAUSE_MS;
    struct str answer;

    for (;;) {
        TRY(cluster_client_get(c, path, &answer, e));
        *operation = answer_member(answer, "operation");
        if (answer_is(answer_member(answer_member(answer, "status"), "id"), "\"COMPLETED\"")) return S_OK;
        if (!pause_for(c, &pause_ms))
            return err_set(e, E_CANCELED, "interrupted; what was asked for goes on in the cluster");
    }
}

static bool is_over(const char *status)
{
    return strcmp(status, "FINISHED") == 0 || strcmp(status, "FAILED") == 0 || strcmp(status, "CANCELED") == 0;
}

static enum status await_status(struct cluster_client *c, const char *id, bool (*is_wanted)(const char *status), const char **status,
                                struct err *e)
{
    const char *path = arena_printf(c->arena, "/jobs/%s/status", id);
    int64_t pause_ms = FIRST_PAUSE_MS;
    struct str answer;

    for (;;) {
        TRY(cluster_client_get(c, path, &answer, e));
        *status = answer_text(answer_member(answer, "status"), c->arena);
        if (*status == NULL) return err_set(e, E_DATA, "%s%s answers no status", c->base, path);
        if (is_wanted(*status)) return S_OK;
        if (!pause_for(c, &pause_ms)) return err_set(e, E_CANCELED, "interrupted; the job goes on in the cluster");
    }
}

enum status cluster_client_await_job(struct cluster_client *c, const char *id, const char **status, struct err *e)
{
    return await_status(c, id, is_over, status, e);
}

static bool has_begun(const char *status) { return strcmp(status, "INITIALIZING") != 0; }

enum status cluster_client_await_begin(struct cluster_client *c, const char *id, const char **status, struct err *e)
{
    return await_status(c, id, has_begun, status, e);
}

/* --- submission ---------------------------------------------------------------------------------------------------- */
static enum status append_file(struct cluster_client *c, const char *path, struct buf *out, struct err *e)
{
    struct sys_file *f;
    struct sys_stat s;
    size_t got = 1;

    TRY(sys_file_stat(c->sys, path, &s, e));
    if (!s.is_regular || s.size > FILE_MAX)
        return err_set(e, E_CONFIG, "'%s' is no file of at most %d MiB", path, FILE_MAX >> 20);
    TRY(sys_file_open(c->sys, path, SYS_READ, &f, e));
    enum status st = S_OK;
    buf_reserve(out, (size_t)s.size + 64 * 1024);
    while (st == S_OK && got > 0) {
        buf_reserve(out, 64 * 1024);
        st = sys_file_read(c->sys, f, out->data + out->size, 64 * 1024, &got, e);
        if (st == S_OK) out->size += got;
    }
    sys_file_close(c->sys, f);
    return st;
}

static void begin_part(struct buf *form, const char *boundary, const char *name, const char *file)
{
    buf_printf(form, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", boundary, name);
    if (file != NULL) buf_printf(form, "; filename=\"%s\"\r\nContent-Type: application/octet-stream", file);
    buf_append_text(form, "\r\n\r\n");
}

/* Names of files inside of the form are fixed: what users call them may hold anything. */
static enum status write_form(struct cluster_client *c, const struct cluster_submission *s, const char *boundary,
                              struct buf *form, struct err *e)
{
    begin_part(form, boundary, "request", NULL);
    buf_printf(form, "{\"executionPlanFileName\":\"graph\",\"jobJarFileNames\":[%s],\"jobArtifactFileNames\":[]}\r\n",
               s->artifact != NULL ? "\"job.so\"" : "");
    begin_part(form, boundary, "graph", "graph");
    buf_append(form, s->graph.data, s->graph.size);
    buf_append_text(form, "\r\n");
    if (s->artifact != NULL) {
        begin_part(form, boundary, "job", "job.so");
        TRY(append_file(c, s->artifact, form, e));
        buf_append_text(form, "\r\n");
    }
    buf_printf(form, "--%s--\r\n", boundary);
    return S_OK;
}

enum status cluster_client_submit(struct cluster_client *c, const struct cluster_submission *s, char *id, struct err *e)
{
    const char *boundary = arena_printf(c->arena, "thalweg-%016llx%016llx", (unsigned long long)sys_random(c->sys),
                                        (unsigned long long)sys_random(c->sys));
    const char *type = arena_printf(c->arena, "multipart/form-data; boundary=%s", boundary);
    struct str answer;
    struct buf form;

    buf_init(&form, c->mem);
    enum status st = write_form(c, s, boundary, &form, e);
    if (st == S_OK) st = cluster_client_call(c, "POST", "/jobs", type, (struct str){form.data, form.size}, &answer, e);
    buf_release(&form);
    if (st != S_OK) return st;
    const char *url = answer_text(answer_member(answer, "jobUrl"), c->arena),
               *slash = url != NULL ? strrchr(url, '/') : NULL;
    if (slash == NULL || !is_job_id(slash + 1)) return err_set(e, E_DATA, "%s/jobs answers no job", c->base);
    memcpy(id, slash + 1, JOB_ID_SIZE);
    return S_OK;
}
