/* jobmaster_resume.c - what a job begins with, and who leads it.
 *
 * The record of the job says how the process before left it. One that still says RUNNING was killed: its newest checkpoint is gone on
 * from. FINISHED and CANCELED begin anew; a job that FAILED goes on where checkpoints were kept. A savepoint that was asked for wins over
 * all of that. Everything is checked before the record is changed, so that a mistake leaves another process of the job alone;
 * the change itself, with the next leader epoch, fences it. Between reading the record and changing it another one may go on: then
 * all is looked at anew.
 *
 * The id of a job that was not given one is a hash of its name and of the folder for checkpoints: the same command finds its record
 * again. */
#include "control/jobmanager/jobmaster_internal.h"

#include "control/config.h"
#include "control/jobmanager/restore_check.h"
#include "ground/base/str.h"
#include "ground/sys/sys_crash.h"

#include <stdio.h>
#include <string.h>

#define KEY "execution.checkpointing."
#define RECOVERY "execution.state-recovery."
enum { TRIES = 5 };

/* --- settings ---------------------------------------------------------------------------------------------------------------- */
/* Of two names of a key: the newer one where it was given. */
static const char *text_of(const struct jobmaster *jm, const char *key, const char *older)
{
    const char *text = options_get(&jm->graph.settings, config_defs, key);

    if (text == NULL) text = options_get(&jm->graph.settings, config_defs, older);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static bool takes_checkpoints(const struct jobmaster *jm)
{
    return !jm->o.takes_no_checkpoints && jm->relay == NULL && options_get(&jm->graph.settings, config_defs, KEY "interval") != NULL &&
           options_int(&jm->graph.settings, config_defs, KEY "interval") > 0;
}

bool jobmaster_allows_unclaimed(const struct jobmaster *jm)
{
    const struct options *o = &jm->graph.settings;

    return options_bool(o, config_defs, RECOVERY "ignore-unclaimed-state") ||
           (options_get(o, config_defs, "execution.savepoint.ignore-unclaimed-state") != NULL &&
            options_bool(o, config_defs, "execution.savepoint.ignore-unclaimed-state"));
}

static bool claims(const struct jobmaster *jm)
{
    return str_equal_nocase(str_of(options_get(&jm->graph.settings, config_defs, RECOVERY "claim-mode")), STR("CLAIM"));
}

static void make_job_id(struct jobmaster *jm, const char *dir, char id[static SNAPSHOT_ID_SIZE])
{
    struct sha256 digest;
    char hex[65];

    if (jm->o.job_id != NULL) {
        snprintf(id, SNAPSHOT_ID_SIZE, "%s", jm->o.job_id);
        return;
    }
    const char *text = arena_printf(&jm->arena, "%s\n%s", dir, jm->graph.job_name);

    sha256_of(text, strlen(text), &digest);
    sha256_hex(&digest, hex);
    memcpy(id, hex, SNAPSHOT_ID_SIZE - 1);
    id[SNAPSHOT_ID_SIZE - 1] = '\0';
}

static enum status find_folder(struct jobmaster *jm, struct checkpoints_setup *s, char id[static SNAPSHOT_ID_SIZE],
                               struct err *e)
{
    const char *dir = text_of(jm, KEY "dir", "state.checkpoints.dir"), *path;

    if (dir == NULL) {
        err_set(e, E_CONFIG,
                "checkpoints are wanted (execution.checkpointing.interval), but there is no folder for them");
        err_hint(e, "set execution.checkpointing.dir, for example to file:///var/lib/thalweg/checkpoints");
        return E_CONFIG;
    }
    size_t size = strlen(dir);
    while (size > 1 && dir[size - 1] == '/') size--;
    dir = arena_strndup(&jm->arena, dir, size);
    make_job_id(jm, dir, id);
    s->uri = arena_printf(&jm->arena, "%s/%s", dir, id);
    TRY(fs_find(s->uri, &s->records.fs, &path, e));
    s->records.sys = jm->o.sys;
    s->records.folder = path;
    return S_OK;
}

/* --- what it begins with ------------------------------------------------------------------------------------------------------- */
static enum status open_plan(struct jobmaster *jm, const char *uri, struct err *e)
{
    struct snapshot_reader *reader;

    restore_plan_free(jm->restore);
    jm->restore = NULL;
    TRY(snapshot_reader_open(jm->o.sys, uri, &reader, e));
    return restore_plan_create(reader, &jm->graph, jobmaster_allows_unclaimed(jm), &jm->restore, e);
}

/* Where tasks run elsewhere it is read there; here no more than what has to be known. */
static enum status read_state(struct jobmaster *jm, struct err *e)
{
    return jm->o.hosts == NULL ? restore_plan_read(jm->restore, e) : S_OK;
}

/* The same for the first attempt: whether its operators can begin with it, they are asked before anything changes. */
static enum status open_first(struct jobmaster *jm, const char *uri, struct err *e)
{
    TRY(open_plan(jm, uri, e));
    TRY(jm->o.hosts == NULL ? restore_plan_read(jm->restore, e) : restore_plan_read_schemas(jm->restore, e));
    enum status st = restore_check(jm->restore, &jm->graph, jm->o.sys, e);
    if (jm->o.hosts != NULL) restore_plan_drop_state(jm->restore);
    return st;
}

/* The checkpoint of the record is the one that it names, byte for byte. */
static enum status open_latest(struct jobmaster *jm, const struct retained_checkpoint *latest, struct err *e)
{
    if (open_first(jm, latest->folder, e) != S_OK) {
        err_wrap(e, "job '%s' cannot go on from checkpoint %lld", jm->graph.job_name, (long long)latest->id);
        return e->status;
    }
    if (restore_plan_digest(jm->restore) == latest->digest) return S_OK;
    return err_set(e, E_DATA, "'%s' is not the checkpoint that the job's record names: its metadata are others",
                   latest->folder);
}

/* A sink that has made final what came behind a checkpoint makes it final once more when the job goes back to it. */
static const char *sink_that_commits(const struct jobmaster *jm)
{
    for (uint32_t i = 0; i < jm->graph.node_count; i++) {
        const struct graph_node *n = jm->graph.nodes[i];
        if (n->type->on_complete != NULL && (n->type->makes_final == NULL || n->type->makes_final(n->config))) return n->name;
    }
    return NULL;
}

static enum status may_fall_back(struct jobmaster *jm, const struct retained_checkpoint *to, struct err *e)
{
    const char *sink = sink_that_commits(jm);

    if (!options_bool(&jm->graph.settings, config_defs, "thalweg.checkpoint.fallback")) {
        err_hint(e, "thalweg.checkpoint.fallback=true goes back to checkpoint %lld; -s FOLDER begins with another checkpoint or savepoint, --fresh "
                    "begins the job anew", (long long)to->id);
        return E_DATA;
    }
    if (sink == NULL) return S_OK;
    err_hint(e, "going back to checkpoint %lld is refused: '%s' may have committed what came after it, and would write it twice. -s FOLDER begins "
                "with another one all the same", (long long)to->id, sink);
    return E_DATA;
}

static void say_damaged(struct jobmaster *jm, const struct retained_checkpoint *c, const struct err *why)
{
    char line[ERR_TEXT_MAX + 128];

    snprintf(line, sizeof line, "checkpoint %lld is damaged and passed over: %s", (long long)c->id, why->text);
    log_write(jm->o.log, LOG_WARN, "jobmaster", "%s", line);
    if (jm->o.say != NULL) jm->o.say(jm->o.say_arg, line);
}

/* The newest checkpoint of the record; or, where that may be, the newest that is whole. The record then forgets those behind it. */
static enum status open_newest(struct jobmaster *jm, struct job_record *now, struct err *e)
{
    for (uint32_t i = now->retained_count; i-- > 0;) {
        struct err why = {0};
        if (open_latest(jm, &now->retained[i], &why) == S_OK) {
            now->retained_count = i + 1;
            return S_OK;
        }
        bool is_last = why.status != E_DATA || i == 0;
        if (!is_last) why.hint[0] = '\0'; /* there is more to do than what was said of the one */
        if (!is_last && may_fall_back(jm, &now->retained[i - 1], &why) == S_OK) {
            say_damaged(jm, &now->retained[i], &why);
            continue;
        }
        err_hint(&why, "--fresh begins the job anew; -s FOLDER begins with another checkpoint or savepoint");
        return err_pass_on(e, &why);
    }
    return S_OK;
}

static bool goes_on(const struct jobmaster *jm, const struct job_record *r)
{
    bool is_over = r->status == JOB_FINISHED || r->status == JOB_CANCELED;

    return r->version > 0 && !is_over && !options_bool(&jm->graph.settings, config_defs, "thalweg.checkpoint.fresh");
}

/* A job that was rescaled goes on so, while it is the very same job. */
static bool was_rescaled(const struct jobmaster *jm, const struct job_record *now, bool resumes)
{
    return resumes && now->rescaled_count > 0 && memcmp(&now->graph, &jm->digest, sizeof jm->digest) == 0;
}

/* What the record says in the next version. */
static void make_next(struct jobmaster *jm, const struct job_record *now, bool resumes, const char *id,
                      struct checkpoints_setup *s)
{
    struct job_record *next = &s->record;

    *next = (struct job_record){.version = now->version,
                                .job_name = jm->graph.job_name,
                                .leader_epoch = now->leader_epoch + 1,
                                .status = JOB_RUNNING,
                                .graph = jm->digest};
    memcpy(next->job_id, id, SNAPSHOT_ID_SIZE);
    s->first_id = MAX(1, now->next_checkpoint);
    next->first_checkpoint = s->first_id;
    if (resumes) {
        next->first_checkpoint = now->first_checkpoint;
        next->generation = now->generation;
        next->attempt = now->attempt + 1;
        next->retained = now->retained;
        next->retained_count = now->retained_count;
        next->rescaled = now->rescaled;
        next->rescaled_count = was_rescaled(jm, now, resumes) ? now->rescaled_count : 0;
    } else if (jm->restore != NULL) {
        const struct snapshot_metadata *m = restore_plan_metadata(jm->restore);
        struct retained_checkpoint *given = ARENA_NEW(&jm->arena, struct retained_checkpoint);
        *given = (struct retained_checkpoint){.id = m->checkpoint,
                                              .kind = m->kind,
                                              .is_foreign = !claims(jm),
                                              .folder = restore_plan_uri(jm->restore),
                                              .time_ms = m->time_ms,
                                              .size = restore_plan_bytes(jm->restore),
                                              .digest = restore_plan_digest(jm->restore)};
        given->folder = arena_strdup(&jm->arena, given->folder);
        next->retained = given;
        next->retained_count = 1;
        s->first_id = MAX(s->first_id, m->checkpoint + 1);
    }
    next->next_checkpoint = s->first_id + CHECKPOINT_IDS_RESERVED;
}

static enum status adopt_parallelisms(struct jobmaster *jm, const struct job_record *now, bool resumes, struct err *e)
{
    bool holds = was_rescaled(jm, now, resumes);

    if (!holds && jm->shown == jm->base) return S_OK;
    return rescale_adopt(jm, now->rescaled, holds ? now->rescaled_count : 0, e);
}

/* Reads the record, finds what to begin with, and takes the job over. E_EXISTS: another process came in between. */
static enum status take_over(struct jobmaster *jm, const char *given, const char *id, struct checkpoints_setup *s,
                             struct err *e)
{
    struct job_record *now = ARENA_NEW(&jm->arena, struct job_record);

    TRY(job_records_load(&s->records, &jm->arena, now, e));
    bool resumes = given == NULL && goes_on(jm, now);
    TRY(adopt_parallelisms(jm, now, resumes, e));
    if (given != NULL)
        TRY(open_first(jm, given, e));
    else if (resumes)
        TRY(open_newest(jm, now, e));
    make_next(jm, now, resumes, id, s);
    s->before = now->version > 0 ? now : NULL;
    enum status st = E_UNKNOWN;
    for (int i = 0; i < TRIES && st == E_UNKNOWN; i++) {
        if (e != NULL) err_clear(e);
        st = job_records_swap(&s->records, &s->record, e);
    }
    return st;
}

void jobmaster_print_size(char *out, size_t size, uint64_t bytes)
{
    if (bytes < 1000)
        snprintf(out, size, "%llu bytes", (unsigned long long)bytes);
    else if (bytes < 1000000)
        snprintf(out, size, "%.1f kB", (double)bytes / 1e3);
    else if (bytes < 1000000000)
        snprintf(out, size, "%.1f MB", (double)bytes / 1e6);
    else
        snprintf(out, size, "%.1f GB", (double)bytes / 1e9);
}

void jobmaster_say_restored(struct jobmaster *jm, const char *verb)
{
    const struct snapshot_metadata *m = restore_plan_metadata(jm->restore);
    char bytes[32], line[JOB_NAME_MAX + SYS_PATH_MAX + 200];
    int64_t age = MAX(0, sys_wall_ms(jm->o.sys) - m->time_ms);

    jobmaster_print_size(bytes, sizeof bytes, restore_plan_bytes(jm->restore));
    snprintf(line, sizeof line, "job '%s' %s from %s %lld (%lld.%lld s old, %s) in %s", jm->graph.job_name, verb,
             snapshot_kind_name(m->kind), (long long)m->checkpoint, (long long)(age / 1000),
             (long long)(age % 1000 / 100), bytes, restore_plan_uri(jm->restore));
    log_write(jm->o.log, jm->o.say != NULL ? LOG_INFO : LOG_WARN, "jobmaster", "%s",
              line); /* it is shown, one way or the other */
    if (jm->o.say != NULL) jm->o.say(jm->o.say_arg, line);
    const char *split = restore_plan_split(jm->restore, &jm->arena);
    if (split != NULL) log_write(jm->o.log, LOG_INFO, "jobmaster", "%s", split);
    sys_crash_point(jm->o.sys, CRASH_C24);
}

enum status jobmaster_restore_latest(struct jobmaster *jm, const char *folder, struct err *e)
{
    if (jm->spent == NULL)
        jm->spent = jm->restore; /* its tasks are not gone yet */
    else
        restore_plan_free(jm->restore); /* of a restart that failed */
    jm->restore = NULL;
    if (folder == NULL) return S_OK;
    TRY(open_plan(jm, folder, e));
    return read_state(jm, e);
}

static const char *why_not(const struct graph_node *n)
{
    const struct op_type *t = n->type;

    if (t->takes_no_checkpoints != NULL) return t->takes_no_checkpoints(n->config);
    return t->commits != NULL && t->commits(n->config) && t->on_complete == NULL ? "it commits when the input ends" : NULL;
}

static enum status check_operators(const struct jobmaster *jm, struct err *e)
{
    for (uint32_t i = 0; i < jm->graph.node_count; i++) {
        const struct graph_node *n = jm->graph.nodes[i];
        const char *why = why_not(n);
        if (why == NULL) continue;
        err_set(e, E_UNSUPPORTED, "operator '%s' takes no part in checkpoints: %s", n->name, why);
        err_hint(e, "run the job without execution.checkpointing.interval");
        return E_UNSUPPORTED;
    }
    return S_OK;
}

enum status jobmaster_begin_checkpoints(struct jobmaster *jm, struct err *e)
{
    const char *given = text_of(jm, RECOVERY "path", "execution.savepoint.path");
    char id[SNAPSHOT_ID_SIZE];
    struct checkpoints_setup *s = ARENA_NEW(&jm->arena, struct checkpoints_setup);
    enum status st = E_EXISTS;

    jm->epoch = (uint64_t)sys_wall_ms(jm->o.sys); /* without a record: whoever began later */
    if (jm->o.takes_no_checkpoints) given = NULL;
    if (takes_checkpoints(jm)) {
        TRY(check_operators(jm, e));
        TRY(find_folder(jm, s, id, e));
        for (int i = 0; i < TRIES && st == E_EXISTS; i++) {
            struct err problem = {0};
            st = take_over(jm, given, id, s, &problem);
            if (st != S_OK && (st != E_EXISTS || i == TRIES - 1)) return err_pass_on(e, &problem);
        }
        jm->epoch = s->record.leader_epoch;
        jm->checkpoints_uri = s->uri;
        TRY(checkpoints_create(jm, s, e));
    } else if (given != NULL) {
        TRY(open_first(jm, given, e));
    }
    if (jm->restore == NULL) return S_OK;
    jobmaster_say_restored(jm, given != NULL ? "begins" : "resumed");
    return S_OK;
}
