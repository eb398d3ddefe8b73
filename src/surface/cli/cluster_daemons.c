/* cluster_daemons.c - see the header. A number in a file may be that of another process by now: only one that runs this very program is
 * told to end. */
#include "surface/cli/cluster_daemons.h"

#include "ground/base/buf.h"
#include "ground/base/str.h"
#include "ground/sys/sys_daemon.h"
#include "surface/cli/program.h"

#include <stdio.h>
#include <string.h>

enum { IDS_MAX = 1024, STOP_MS = 120 * 1000, LOOK_NS = 20 * 1000 * 1000, TAIL_BYTES = 2000, WORDS_MAX = 1024 };

const struct cluster_daemon daemon_jobmanager = {"jobmanager", "standalonesession"};
const struct cluster_daemon daemon_taskmanager = {"taskmanager", "taskexecutor"};
const struct cluster_daemon daemon_standalone_job = {"standalone-job", "standalonejob"};

static void say(struct cluster_arguments *a, const char *text) { program_say(a->cli->sys, 1, text); }

static const char *folder_of(struct cluster_arguments *a, const char *key)
{
    const char *given = options_get(&a->options, cluster_defs, key);

    return given != NULL ? given : cluster_folder(a);
}

/* --- numbers ------------------------------------------------------------------------------------------------------- */
static const char *id_path(struct cluster_arguments *a, const struct cluster_daemon *d)
{
    return arena_printf(&a->arena, "%s/%s.pid", folder_of(a, "env.pid.dir"), d->verb);
}

static uint32_t read_ids(struct cluster_arguments *a, const char *path, int64_t ids[static IDS_MAX])
{
    uint32_t count = 0;
    struct buf text;

    buf_init(&text, &a->mem);
    if (config_read_file(a->cli->sys, path, &text, NULL) == S_OK) {
        struct str rest = {text.data, text.size}, line;
        while (count < IDS_MAX && str_cut(&rest, '\n', &line)) count += str_to_int64(str_trim(line), &ids[count]);
    }
    buf_release(&text);
    return count;
}

static enum status write_ids(struct cluster_arguments *a, const char *path, const int64_t *ids, uint32_t count,
                             struct err *e)
{
    struct sys *sys = a->cli->sys;
    struct sys_file *f;
    struct buf text;

    if (count == 0) return sys_file_delete(sys, path, e);
    TRY(sys_file_open(sys, path, SYS_WRITE | SYS_CREATE | SYS_TRUNCATE, &f, e));
    buf_init(&text, &a->mem);
    for (uint32_t i = 0; i < count; i++) buf_printf(&text, "%lld\n", (long long)ids[i]);
    enum status st = sys_file_write(sys, f, text.data, text.size, e);
    buf_release(&text);
    sys_file_close(sys, f);
    return st;
}

static const char *program_of(struct cluster_arguments *a)
{
    char *path = arena_alloc(&a->arena, SYS_PATH_MAX);

    return sys_program_path(path, SYS_PATH_MAX) ? path : "/proc/self/exe";
}

/* Those of them that still run this program. */
static uint32_t keep_running(struct cluster_arguments *a, int64_t *ids, uint32_t count)
{
    const char *program = program_of(a);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++)
        if (sys_process_is(ids[i], program)) ids[kept++] = ids[i];
    return kept;
}

/* --- starting ------------------------------------------------------------------------------------------------------ */
static const char *host_name(void)
{
    const char *name = sys_environment("HOSTNAME");

    return name != NULL ? name : "localhost";
}

enum status cluster_daemon_start(struct cluster_arguments *a, const struct cluster_daemon *d, int64_t *id,
                                 const char **log, struct err *e)
{
    struct sys *sys = a->cli->sys;
    int64_t *ids = ARENA_ARRAY(&a->arena, int64_t, IDS_MAX);
    const char *argv[WORDS_MAX] = {program_of(a), d->verb}, *path = id_path(a, d);
    uint32_t words = 2;

    for (uint32_t i = 0; i < a->config.count && words + 3 < WORDS_MAX; i++) {
        argv[words++] = "-D";
        argv[words++] = arena_printf(&a->arena, "%s=%s", a->config.items[i].key, a->config.items[i].value);
    }
    for (uint32_t i = 0; i < a->daemon_word_count && words + 1 < WORDS_MAX; i++) argv[words++] = a->daemon_words[i];
    TRY(sys_dir_make(sys, folder_of(a, "env.pid.dir"), e));
    TRY(sys_dir_make(sys, folder_of(a, "env.log.dir"), e));
    uint32_t count = keep_running(a, ids, read_ids(a, path, ids));
    if (count == IDS_MAX) return err_set(e, E_BUDGET, "%d processes are enough", IDS_MAX);
    *log = arena_printf(&a->arena, "%s/%s-%u.log", folder_of(a, "env.log.dir"), d->verb, count);
    TRY(sys_daemon_start(sys, argv, *log, id, e));
    say(a, arena_printf(&a->arena, "Starting %s daemon on host %s.\n", d->name, host_name()));
    ids[count++] = *id;
    return write_ids(a, path, ids, count, e);
}

/* --- stopping ------------------------------------------------------------------------------------------------------ */
static enum status await_end(struct cluster_arguments *a, int64_t id, const char *program, struct err *e)
{
    int64_t until = sys_mono_ns(a->cli->sys) + (int64_t)STOP_MS * 1000 * 1000;
    struct sys_parker *p = sys_parker_create(a->cli->sys);

    while (sys_process_is(id, program) && sys_mono_ns(a->cli->sys) < until) (void)sys_park(a->cli->sys, p, LOOK_NS);
    sys_parker_free(a->cli->sys, p);
    if (!sys_process_is(id, program)) return S_OK;
    return err_set(e, E_CANCELED, "process %lld was told to end and has not within %d s; kill -9 %lld ends it",
                   (long long)id, STOP_MS / 1000, (long long)id);
}

enum status cluster_daemon_stop(struct cluster_arguments *a, const struct cluster_daemon *d, bool all, struct err *e)
{
    int64_t *ids = ARENA_ARRAY(&a->arena, int64_t, IDS_MAX);
    const char *program = program_of(a), *path = id_path(a, d);
    uint32_t count = keep_running(a, ids, read_ids(a, path, ids)), last = all ? 0 : MAX(count, 1u) - 1;
    enum status st = S_OK;

    if (count == 0) say(a, arena_printf(&a->arena, "No %s daemon to stop on host %s.\n", d->name, host_name()));
    for (uint32_t i = last; i < count; i++) {
        say(a, arena_printf(&a->arena, "Stopping %s daemon (pid: %lld) on host %s.\n", d->name, (long long)ids[i],
                            host_name()));
        sys_process_terminate(ids[i]);
    }
    for (uint32_t i = last; st == S_OK && i < count; i++) st = await_end(a, ids[i], program, e);
    return st == S_OK ? write_ids(a, path, ids, MIN(last, count), e) : st;
}

enum status cluster_daemon_verb(struct cluster_arguments *a, const struct cluster_daemon *d, const char *verb)
{
    struct err e = {0};
    const char *log;
    int64_t id;
    enum status st;

    if (strcmp(verb, "start") == 0)
        st = cluster_daemon_start(a, d, &id, &log, &e);
    else if (strcmp(verb, "stop") == 0 || strcmp(verb, "stop-all") == 0)
        st = cluster_daemon_stop(a, d, strcmp(verb, "stop-all") == 0, &e);
    else
        st = err_set(&e, E_CONFIG,
                     "'%.100s' is nothing that it does; it takes start, start-foreground, stop and stop-all", verb);
    if (st != S_OK) (void)cluster_fail(a, &e);
    return st;
}

const char *cluster_daemon_tail(struct cluster_arguments *a, const char *log)
{
    struct buf text;

    buf_init(&text, &a->mem);
    if (config_read_file(a->cli->sys, log, &text, NULL) != S_OK) buf_clear(&text);
    size_t size = MIN(text.size, (size_t)TAIL_BYTES);
    const char *out = arena_strndup(&a->arena, text.size > 0 ? text.data + text.size - size : "", size);
    buf_release(&text);
    return out;
}
