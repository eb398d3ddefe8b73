/* cli_savepoint.c - `thalweg savepoint inspect`: what a savepoint or checkpoint holds, read from its folder alone: operators by id, how
 * their subtasks stood, how large their state is. Every part is read and checked, so that what is damaged is known before a job
 * wants it. */
#include "control/snapshot/snapshot_read.h"
#include "flow/state/snapshot.h"
#include "surface/cli/cli.h"
#include "surface/cli/program.h"

#include <string.h>

struct inspection {
    struct snapshot_reader *reader;
    struct buf text;
    struct mem mem; /* of one chunk */
};

static const char *plural(uint64_t n, const char *one, const char *many) { return n == 1 ? one : many; }

static enum status check_chunks(struct inspection *x, const struct snapshot_operator *o, uint32_t subtask,
                                struct err *e)
{
    const struct snapshot_subtask *s = &o->subtasks[subtask];

    for (uint32_t i = 0; i < s->handle_count; i++) {
        struct str bytes;
        enum status st = snapshot_reader_chunk(x->reader, &s->handles[i], &x->mem, &bytes, e);
        if (st == S_OK) st = state_part_check(bytes, e);
        mem_release(&x->mem);
        mem_init(&x->mem, "chunk", 0);
        if (st == S_OK) continue;
        err_wrap(e, "operator '%s' (subtask %u/%u)", o->name, subtask + 1, o->parallelism);
        return st;
    }
    return S_OK;
}

static enum status inspect_operator(struct inspection *x, const struct snapshot_operator *o, struct err *e)
{
    uint64_t bytes = 0, chunks = 0, committables = 0;
    uint32_t finished = 0;

    for (uint32_t i = 0; i < o->parallelism; i++) {
        const struct snapshot_subtask *s = &o->subtasks[i];
        TRY(check_chunks(x, o, i, e));
        for (uint32_t h = 0; h < s->handle_count; h++) bytes += s->handles[h].size;
        chunks += s->handle_count;
        committables += s->committables.size;
        finished += s->is_finished;
    }
    buf_printf(&x->text, "\n%s  %s\n  parallelism %u, max parallelism %u", o->id, o->name, o->parallelism,
               o->max_parallelism);
    if (finished > 0) buf_printf(&x->text, ", %u finished", finished);
    buf_printf(&x->text, "\n  state: %llu %s in %llu %s\n", (unsigned long long)bytes, plural(bytes, "byte", "bytes"),
               (unsigned long long)chunks, plural(chunks, "part", "parts"));
    if (committables > 0)
        buf_printf(&x->text, "  not known to be committed: %llu bytes\n", (unsigned long long)committables);
    return S_OK;
}

static void print_head(struct inspection *x, struct sys *sys)
{
    const struct snapshot_metadata *m = &x->reader->metadata;
    int64_t age_s = (sys_wall_ms(sys) - m->time_ms) / 1000;

    buf_printf(&x->text, "%s %lld of job '%s' (id %s)\n", snapshot_kind_name(m->kind), (long long)m->checkpoint,
               m->job_name, m->job_id);
    buf_printf(&x->text, "taken %lld s ago, %llu bytes of metadata, %llu bytes of state, %u %s\n", (long long)age_s,
               (unsigned long long)x->reader->size, (unsigned long long)metadata_state_bytes(m), m->operator_count,
               plural(m->operator_count, "operator", "operators"));
}

static enum status inspect(struct inspection *x, struct sys *sys, const char *path, struct err *e)
{
    TRY(snapshot_reader_open(sys, path, &x->reader, e));
    print_head(x, sys);
    for (uint32_t i = 0; i < x->reader->metadata.operator_count; i++)
        TRY(inspect_operator(x, &x->reader->metadata.operators[i], e));
    return S_OK;
}

static int run_inspect(const struct cli *cli, const char *path)
{
    struct inspection x = {0};
    struct err e = {0};
    struct mem mem;

    mem_init(&mem, "inspect", 0);
    mem_init(&x.mem, "chunk", 0);
    buf_init(&x.text, &mem);
    enum status st = inspect(&x, cli->sys, path, &e);
    if (st == S_OK)
        program_say(cli->sys, 1, buf_text(&x.text));
    else
        api_say_error(cli->sys, "thalweg savepoint inspect", &e);
    snapshot_reader_close(x.reader);
    mem_release(&x.mem);
    mem_release(&mem);
    return st == S_OK ? 0 : 1;
}

static int savepoint_run(const struct cli *cli, int argc, char **argv)
{
    struct err e = {0};

    if (argc == 2 && strcmp(argv[0], "inspect") == 0) return run_inspect(cli, argv[1]);
    err_set(&e, E_CONFIG, "write `thalweg savepoint inspect FOLDER`");
    api_say_error(cli->sys, "thalweg savepoint", &e);
    return 1;
}

const struct cli_verb cli_savepoint = {
    .name = "savepoint",
    .arguments = "inspect FOLDER",
    .doc = "show what a savepoint or checkpoint holds, and check it",
    .help = "FOLDER is that of a savepoint, or of a checkpoint such as .../chk-12. Every part of it is read; what is "
            "damaged is told.\n"
            "\n"
            "Example:\n"
            "  thalweg savepoint inspect file:///var/lib/thalweg/savepoints/savepoint-0123ab-0f1e2d3c4b5a\n",
    .run = savepoint_run,
};
