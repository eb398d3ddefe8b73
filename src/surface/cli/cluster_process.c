/* cluster_process.c - the JobManager as a process: its folder, its dispatcher, its REST interface, and how it ends.
 *
 * It listens on this machine only: what it says is not encrypted, and whoever reads it could ask for the same. Until the
 * dispatcher has the jobs of the one before it the interface puts everybody off, so it never says that there are none when there are. */
#include "surface/cli/cluster_process.h"

#include "control/dispatcher/dispatcher.h"
#include "control/logging.h"
#include "ground/base/str.h"
#include "ground/sys/sys_httpd.h"
#include "surface/cli/program.h"
#include "surface/rest/rest.h"

#include <stdio.h>
#include <string.h>

enum { LOOK_NS = 50 * 1000 * 1000 };

struct jobmanager {
    struct cluster_arguments *a;
    struct sys *sys;
    struct logging logging;
    const char *folder, *address;
    struct rest *rest;
    struct dispatcher *dispatcher;
    struct sys_httpd *server;
    struct sys_atomic_u64 ends;
    bool keeps; /* jobs go on when it is started anew, also after an end in order */
};

/* --- where it listens ---------------------------------------------------------------------------------------------- */
static enum status check_address(const char *host, struct err *e)
{
    struct str h = str_of(host);

    if (str_equal_nocase(h, STR("localhost")) || str_starts(h, STR("127.")) || str_equal(h, STR("::1"))) return S_OK;
    err_set(e, E_UNSUPPORTED, "configuration 'rest.bind-address' is '%.100s': the REST interface listens on this machine only (localhost, "
                              "127.0.0.1, ::1), since what it says is not encrypted in this version", host);
    err_hint(e, "reach it from elsewhere through ssh: ssh -L 8081:localhost:8081 HOST");
    return E_UNSUPPORTED;
}

static enum status listen_first_free(struct jobmanager *j, struct sys_httpd_options *o, struct err *e)
{
    const struct sys_httpd_ops *http = j->a->cli->httpd;
    int last;

    if (http == NULL) return err_set(e, E_UNSUPPORTED, "this program has no server of HTTP");
    TRY(cluster_rest_ports(&j->a->options, &o->port, &last, e));
    for (;; o->port++) {
        struct err why = {0};
        enum status st = http->open(j->sys, o, &j->server, &why);
        if (st == S_OK) return S_OK;
        if (st == E_EXISTS && o->port < last) continue;
        if (st == E_EXISTS) err_hint(&why, "is a cluster running already? Another port: -D rest.port=N, or a range: -D rest.bind-port=8081-8090");
        return err_pass_on(e, &why);
    }
}

static enum status open_server(struct jobmanager *j, struct err *e)
{
    struct sys_httpd_options o = {.host = options_get(&j->a->options, cluster_defs, "rest.bind-address"),
                                  .body_max = options_int(&j->a->options, cluster_defs, "rest.server.max-content-length"),
                                  .folder = arena_printf(&j->a->arena, "%s/uploads", j->folder),
                                  .answer = rest_answer,
                                  .arg = j->rest};

    TRY(check_address(o.host, e));
    TRY(sys_dir_make(j->sys, o.folder, e));
    return listen_first_free(j, &o, e);
}

/* --- life ---------------------------------------------------------------------------------------------------------- */
static enum status make_folder(struct jobmanager *j, struct err *e)
{
    j->folder = cluster_folder(j->a);
    TRY(sys_dir_make(j->sys, j->folder, e));
    return sys_file_set_mode(j->sys, j->folder, 0700, e);
}

static enum status make_dispatcher(struct jobmanager *j, struct err *e)
{
    const struct options *o = &j->a->options;
    const char *storage = options_get(o, cluster_defs, "high-availability.storageDir");
    struct dispatcher_options d = {.sys = j->sys,
                                   .log = &j->logging.log,
                                   .folder = storage != NULL ? storage : j->folder,
                                   .settings = o,
                                   .expiration_ms = options_int(o, cluster_defs, "jobstore.expiration-time") * 1000,
                                   .capacity = (uint32_t)options_int(o, cluster_defs, "jobstore.max-capacity"),
                                   .archive = rest_archive,
                                   .archive_arg = j->rest};

    j->keeps = storage != NULL;
    return dispatcher_create(&d, &j->dispatcher, e);
}

static void make_rest(struct jobmanager *j)
{
    struct rest_options o = {.sys = j->sys, .log = &j->logging.log, .settings = &j->a->options, .folder = j->folder, .ends = &j->ends};

    j->rest = rest_create(&o);
}

static enum status start(struct jobmanager *j, struct err *e)
{
    TRY(logging_open(&j->logging, j->sys, &j->a->options, e));
    TRY(make_folder(j, e));
    make_rest(j);
    TRY(make_dispatcher(j, e));
    TRY(open_server(j, e)); /* first: of two processes the one that has the port has the jobs */
    TRY(dispatcher_recover(j->dispatcher, e));
    j->address = arena_printf(&j->a->arena, "http://%s:%d", options_get(&j->a->options, cluster_defs, "rest.bind-address"),
                              j->a->cli->httpd->port(j->server));
    rest_begin(j->rest, j->dispatcher, j->address);
    return S_OK;
}

static void say_ready(struct jobmanager *j)
{
    char line[SYS_PATH_MAX];

    snprintf(line, sizeof line, "JobManager: REST at %s, jobs in %s\n", j->address, j->folder);
    program_say(j->sys, 1, line);
}

static void wait_for_end(struct jobmanager *j)
{
    struct sys_parker *p = sys_parker_create(j->sys);

    while (sys_atomic_load(&j->ends) == 0 && sys_signal_take(j->sys) == SYS_SIGNAL_NONE) (void)sys_park(j->sys, p, LOOK_NS);
    sys_parker_free(j->sys, p);
}

int jobmanager_process_run(struct cluster_arguments *a)
{
    struct jobmanager j = {.a = a, .sys = a->cli->sys};
    struct err e = {0};

    enum status st = start(&j, &e);
    if (st == S_OK) {
        say_ready(&j);
        wait_for_end(&j);
    }
    if (j.server != NULL) a->cli->httpd->close(j.server);
    dispatcher_close(j.dispatcher, j.keeps);
    rest_free(j.rest);
    logging_close(&j.logging);
    return st == S_OK ? 0 : cluster_fail(a, &e);
}
