/* cluster_process.c - the JobManager as a process: its folder, its dispatcher, its REST interface, and how it ends.
 *
 * It listens on this machine only: what it says is not encrypted, and whoever reads it could ask for the same. Until the
 * dispatcher has the jobs of the one before it the interface puts everybody off, so it never says that there are none when there are. */
#include "surface/cli/cluster_process.h"

#include "control/cluster/cluster.h"
#include "control/dispatcher/dispatcher.h"
#include "control/logging.h"
#include "ground/base/hash.h"
#include "ground/base/str.h"
#include "ground/sys/sys_httpd.h"
#include "ground/sys/sys_process.h"
#include "surface/cli/cluster_application.h"
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
    struct cluster *cluster; /* NULL: tasks run in this process */
    struct cluster_key key;
    struct sys_atomic_u64 ends;
    enum job_status last; /* of its one job */
    bool is_local;
    bool keeps; /* jobs go on when it is started anew, also after an end in order */
};

/* --- where it listens ---------------------------------------------------------------------------------------------- */
static enum status check_address(const char *host, struct err *e)
{
    struct str h = str_of(host);

    if (str_equal_nocase(h, STR("localhost")) || str_starts(h, STR("127.")) || str_equal(h, STR("::1"))) return S_OK;
    err_set(
        e, E_UNSUPPORTED,
        "configuration 'rest.bind-address' is '%.100s': the REST interface listens on this machine only (localhost, "
        "127.0.0.1, ::1), since what it says is not encrypted in this version",
        host);
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
        if (st == E_EXISTS)
            err_hint(
                &why,
                "is a cluster running already? Another port: -D rest.port=N, or a range: -D rest.bind-port=8081-8090");
        return err_pass_on(e, &why);
    }
}

static enum status open_server(struct jobmanager *j, struct err *e)
{
    struct sys_httpd_options o = {
        .host = options_get(&j->a->options, cluster_defs, "rest.bind-address"),
        .body_max = options_int(&j->a->options, cluster_defs, "rest.server.max-content-length"),
        .folder = arena_printf(&j->a->arena, "%s/uploads", j->folder),
        .answer = rest_answer,
        .arg = j->rest};

    TRY(check_address(o.host, e));
    TRY(sys_dir_make(j->sys, o.folder, e));
    return listen_first_free(j, &o, e);
}

/* --- TaskManagers -------------------------------------------------------------------------------------------------- */
const char *cluster_key_path(struct cluster_arguments *a)
{
    const char *given = options_get(&a->options, cluster_defs, "thalweg.security.token-file");

    return given != NULL ? given : arena_printf(&a->arena, "%s/cluster.key", cluster_folder(a));
}

/* What clients send instead of the key: who sees it cannot pass for a process of the cluster. */
const char *cluster_rest_token(const struct cluster_key *key, struct arena *a)
{
    struct sha256 digest;
    char bytes[16 + CLUSTER_KEY_BYTES] = "thalweg rest", *hex = arena_alloc(a, 65);

    memcpy(bytes + 16, key->bytes, CLUSTER_KEY_BYTES);
    sha256_of(bytes, sizeof bytes, &digest);
    sha256_hex(&digest, hex);
    return hex;
}

static enum status open_cluster(struct jobmanager *j, struct err *e)
{
    const struct options *o = &j->a->options;
    struct cluster_options c = {.sys = j->sys,
                                .log = &j->logging.log,
                                .host = options_get(o, cluster_defs, "jobmanager.bind-host"),
                                .port = (int)options_int(o, cluster_defs, "jobmanager.rpc.port"),
                                .heartbeat_interval_ms = options_int(o, cluster_defs, "heartbeat.interval"),
                                .heartbeat_timeout_ms = options_int(o, cluster_defs, "heartbeat.timeout"),
                                .slot_timeout_ms = options_int(o, cluster_defs, "slot.request.timeout"),
                                .spreads = options_bool(o, cluster_defs, "cluster.evenly-spread-out-slots")};

    c.key = j->key;
    if (j->is_local) return S_OK;
    if (cluster_open(&c, &j->cluster, e) == S_OK) return S_OK;
    err_hint(e, "another port: -D jobmanager.rpc.port=N");
    return e->status;
}

static bool view_taskmanager(void *arg, uint32_t index, struct arena *a, struct rest_taskmanager *out)
{
    struct jobmanager *j = arg;
    struct cluster_taskmanager t;

    if (j->cluster == NULL || !cluster_taskmanager(j->cluster, index, &t)) return false;
    *out = (struct rest_taskmanager){.id = arena_strdup(a, t.resource_id),
                                     .address = arena_strdup(a, t.address),
                                     .slots = t.slots,
                                     .slots_free = t.slots_free,
                                     .cores = t.cores,
                                     .memory_bytes = t.memory_bytes,
                                     .heartbeat_ms = t.heartbeat_ms};
    return true;
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
    d.provider = j->cluster != NULL ? cluster_provider(j->cluster) : NULL;
    return dispatcher_create(&d, &j->dispatcher, e);
}

static void make_rest(struct jobmanager *j)
{
    struct rest_options o = {
        .sys = j->sys, .log = &j->logging.log, .settings = &j->a->options, .folder = j->folder, .ends = &j->ends};

    char *program = arena_alloc(&j->a->arena, SYS_PATH_MAX);
    if (sys_program_path(program, SYS_PATH_MAX)) o.program = program;
    o.token = cluster_rest_token(&j->key, &j->a->arena);
    if (!j->is_local) o.taskmanager = view_taskmanager;
    o.taskmanager_arg = j;
    j->rest = rest_create(&o);
}

static enum status start(struct jobmanager *j, struct err *e)
{
    TRY(logging_open(&j->logging, j->sys, &j->a->options, e));
    TRY(make_folder(j, e));
    TRY(cluster_key_read(j->sys, cluster_key_path(j->a), true, &j->key, e));
    make_rest(j);
    TRY(open_server(j, e)); /* first: of two processes the one that has the port has the jobs */
    TRY(open_cluster(j, e));
    TRY(make_dispatcher(j, e));
    TRY(dispatcher_recover(j->dispatcher, e));
    j->address = arena_printf(&j->a->arena, "http://%s:%d",
                              options_get(&j->a->options, cluster_defs, "rest.bind-address"),
                              j->a->cli->httpd->port(j->server));
    rest_begin(j->rest, j->dispatcher, j->address);
    return S_OK;
}

static void say_ready(struct jobmanager *j)
{
    char line[SYS_PATH_MAX];

    int length = snprintf(line, sizeof line, "JobManager: REST at %s, ", j->address);
    if (j->cluster != NULL)
        length += snprintf(line + length, sizeof line - (size_t)length, "TaskManagers at port %d, ",
                           cluster_port(j->cluster));
    snprintf(line + length, sizeof line - (size_t)length, "jobs in %s\n", j->folder);
    program_say(j->sys, 1, line);
}

static void wait_for_end(struct jobmanager *j)
{
    struct sys_parker *p = sys_parker_create(j->sys);

    while (sys_atomic_load(&j->ends) == 0 && sys_signal_take(j->sys) == SYS_SIGNAL_NONE)
        (void)sys_park(j->sys, p, LOOK_NS);
    sys_parker_free(j->sys, p);
}

/* --- one job ------------------------------------------------------------------------------------------------------- */
/* The one that the process before was killed with; false: there is none. */
static bool find_job(struct jobmanager *j, char id[static JOB_ID_SIZE])
{
    struct dispatched_job *job;
    bool is_found = false;

    for (uint32_t i = 0; !is_found && (job = dispatcher_hold_next(j->dispatcher, i)) != NULL; i++) {
        is_found = !job_status_is_terminal(dispatched_status(job));
        if (is_found) snprintf(id, JOB_ID_SIZE, "%s", dispatched_id(job));
        dispatcher_let_go(j->dispatcher, job);
    }
    return is_found;
}

static bool is_job_over(struct jobmanager *j, const char *id, enum job_status *out)
{
    struct dispatched_job *job = dispatcher_hold(j->dispatcher, id);

    if (job == NULL) return true; /* for so long that it was forgotten */
    *out = dispatched_status(job);
    bool is_over = dispatched_archive(job).data != NULL;
    dispatcher_let_go(j->dispatcher, job);
    return is_over;
}

static void wait_for_job(struct jobmanager *j, const char *id)
{
    struct sys_parker *p = sys_parker_create(j->sys);

    while (sys_atomic_load(&j->ends) == 0 && sys_signal_take(j->sys) == SYS_SIGNAL_NONE && !is_job_over(j, id, &j->last))
        (void)sys_park(j->sys, p, LOOK_NS);
    sys_parker_free(j->sys, p);
}

static enum status run_application(struct jobmanager *j, const struct cluster_application *app, struct err *e)
{
    char id[JOB_ID_SIZE] = "", line[128];

    if (!find_job(j, id)) TRY(cluster_application_submit(j->a, app, j->address, j->folder, id, e));
    snprintf(line, sizeof line, "Job has been submitted with JobID %s\n", id);
    program_say(j->sys, 1, line);
    wait_for_job(j, id);
    if (job_status_is_terminal(j->last)) {
        snprintf(line, sizeof line, "Job %s reached terminal state %s\n", id, job_status_name(j->last));
        program_say(j->sys, 1, line);
    }
    return S_OK;
}

int jobmanager_process_run(struct cluster_arguments *a, bool is_local, const struct cluster_application *app)
{
    struct jobmanager j = {.a = a, .sys = a->cli->sys, .is_local = is_local};
    struct err e = {0};

    enum status st = start(&j, &e);
    if (st == S_OK) {
        say_ready(&j);
        if (app != NULL) st = run_application(&j, app, &e);
        else wait_for_end(&j);
    }
    if (j.server != NULL) a->cli->httpd->close(j.server);
    dispatcher_close(j.dispatcher, j.keeps);
    cluster_close(j.cluster);
    rest_free(j.rest);
    logging_close(&j.logging);
    if (st == S_OK) return j.last == JOB_FAILED ? 1 : 0;
    return cluster_fail(a, &e);
}

/* --- a TaskManager ------------------------------------------------------------------------------------------------- */
static bool says_key(const struct options *o, const char *key)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (strcmp(o->items[i].key, key) == 0) return true;
    return false;
}

static enum status read_key(struct cluster_arguments *a, const char *path, struct cluster_key *out, struct err *e)
{
    struct sys_stat st;

    if (sys_file_stat(a->cli->sys, path, &st, NULL) == S_OK) return cluster_key_read(a->cli->sys, path, false, out, e);
    err_set(e, E_NOT_FOUND, "there is no key of a cluster at '%s'", path);
    err_hint(e, "start the JobManager first, which makes it, with the same io.tmp.dirs and rest.port; or name it: -D "
                "thalweg.security.token-file=FILE");
    return E_NOT_FOUND;
}

static enum status run_taskmanager(struct cluster_arguments *a, struct logging *logging, struct err *e)
{
    const struct options *o = &a->options;
    int64_t slots = options_int(o, config_defs, "taskmanager.numberOfTaskSlots");
    struct taskmanager_options t = {
        .sys = a->cli->sys,
        .log = &logging->log,
        .host = options_get(o, cluster_defs, "jobmanager.rpc.address"),
        .port = (int)options_int(o, cluster_defs, "jobmanager.rpc.port"),
        .key_path = cluster_key_path(a),
        .own_host = options_get(o, config_defs, "taskmanager.host"),
        .folder = arena_printf(&a->arena, "%s/taskmanager-%lld", cluster_folder(a), (long long)sys_process_own_id()),
        .slots = slots > 0 ? (uint32_t)slots : 1,
        .heartbeat_interval_ms = options_int(o, cluster_defs, "heartbeat.interval"),
        .heartbeat_timeout_ms = options_int(o, cluster_defs, "heartbeat.timeout")};

    if (says_key(o, "taskmanager.resource-id")) t.resource_id = options_get(o, config_defs, "taskmanager.resource-id");
    TRY(logging_open(logging, a->cli->sys, o, e));
    TRY(read_key(a, t.key_path, &t.key, e));
    TRY(sys_dir_make(a->cli->sys, t.folder, e));
    return taskmanager_process_run(&t, e);
}

int taskmanager_process_main(struct cluster_arguments *a)
{
    struct logging logging = {0};
    struct err e = {0};

    enum status st = run_taskmanager(a, &logging, &e);
    logging_close(&logging);
    return st == S_OK ? 0 : cluster_fail(a, &e);
}
