/* recovery.c - see recovery.h. Marks are set on the job's thread; what is over lies in a ring under the job master's lock `look`. */
#include "control/jobmanager/recovery.h"

#include "control/jobmanager/jobmaster_internal.h"

#include <stdio.h>

static const char *const names[RECOVERY_PHASES] = {
#define X(phase, name) [phase] = name,
    RECOVERY_PHASE_MAP(X)
#undef X
};

void recovery_begin(struct jobmaster *jm, const char *cause, bool is_rescale)
{
    struct job_recovery *r = &jm->recovery;

    if (!jm->is_recovering) {
        *r = (struct job_recovery){.is_rescale = is_rescale, .began_ms = sys_wall_ms(jm->o.sys)};
        jm->recovery_began_ns = jm->recovery_marked_ns = sys_mono_ns(jm->o.sys);
        jm->is_recovering = true;
    }
    snprintf(r->cause, sizeof r->cause, "%s", cause);
}

void recovery_mark(struct jobmaster *jm, enum recovery_phase phase)
{
    int64_t now = sys_mono_ns(jm->o.sys);

    if (!jm->is_recovering) return;
    jm->recovery.phases_ns[phase] += now - jm->recovery_marked_ns;
    jm->recovery_marked_ns = now;
}

int64_t recovery_pause_ms(const struct jobmaster *jm)
{
    return jm->is_recovering ? (sys_mono_ns(jm->o.sys) - jm->recovery_began_ns) / NS_PER_MS : 0;
}

static void note_restored(struct jobmaster *jm, struct job_recovery *r)
{
    const struct snapshot_metadata *m = restore_plan_metadata(jm->restore);

    r->checkpoint = m->checkpoint;
    r->is_savepoint = m->kind == SNAPSHOT_SAVEPOINT;
    r->age_ms = MAX(0, sys_wall_ms(jm->o.sys) - m->time_ms);
    r->bytes = restore_plan_bytes(jm->restore);
    snprintf(r->folder, sizeof r->folder, "%s", restore_plan_uri(jm->restore));
}

static void say(struct jobmaster *jm, const struct job_recovery *r)
{
    struct mem mem;
    struct buf text;

    mem_init(&mem, "recovery", 0);
    buf_init(&text, &mem);
    recovery_print(r, jm->graph.job_name, &text);
    log_write(jm->o.log, LOG_INFO, "jobmaster", "%s", buf_text(&text));
    if (jm->o.say != NULL) jm->o.say(jm->o.say_arg, buf_text(&text));
    mem_release(&mem);
}

void recovery_end(struct jobmaster *jm)
{
    struct job_recovery *r = &jm->recovery;

    if (!jm->is_recovering) return;
    recovery_mark(jm, RECOVERY_OPEN);
    jm->is_recovering = false;
    r->total_ns = jm->recovery_marked_ns - jm->recovery_began_ns;
    r->attempt = jm->attempt;
    if (jm->restore != NULL) note_restored(jm, r);
    say(jm, r);
    sys_lock_take(jm->look);
    jm->recoveries[jm->recovery_count++ % RECOVERIES_KEPT] = *r;
    sys_lock_give(jm->look);
}

bool jobmaster_recovery(struct jobmaster *jm, uint32_t index, struct job_recovery *out)
{
    sys_lock_take(jm->look);
    bool is_there = index < MIN(jm->recovery_count, RECOVERIES_KEPT);
    if (is_there) *out = jm->recoveries[(jm->recovery_count - 1 - index) % RECOVERIES_KEPT];
    sys_lock_give(jm->look);
    return is_there;
}

/* --- for people --------------------------------------------------------------------------------------------------------- */
static void print_phases(const struct job_recovery *r, struct buf *out)
{
    bool any = false;

    for (uint32_t i = 0; i < RECOVERY_PHASES; i++) {
        if (i == RECOVERY_SNAPSHOT && !r->is_rescale) continue;
        if (i == RECOVERY_PAUSE && r->is_rescale) continue;
        buf_printf(out, "%s%s %lld ms", any ? ", " : "", names[i], (long long)(r->phases_ns[i] / NS_PER_MS));
        any = true;
    }
}

void recovery_print(const struct job_recovery *r, const char *job_name, struct buf *out)
{
    char bytes[32];

    buf_printf(out, "job '%s' runs again (attempt %u), %lld ms after %s\n  cause: %s\n  begins with: ", job_name, r->attempt + 1,
               (long long)(r->total_ns / NS_PER_MS), r->is_rescale ? "it paused" : "it failed", r->cause);
    if (r->checkpoint == 0) {
        buf_append_text(out, "nothing, there was no checkpoint");
    } else {
        jobmaster_print_size(bytes, sizeof bytes, r->bytes);
        buf_printf(out, "%s %lld, %lld ms old, %s, in %s", r->is_savepoint ? "savepoint" : "checkpoint", (long long)r->checkpoint,
                   (long long)r->age_ms, bytes, r->folder);
    }
    buf_append_text(out, "\n  phases: ");
    print_phases(r, out);
}
