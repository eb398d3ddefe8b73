/* op_sink.c - writes rows into an outside system through its connector (connector/conn_*.c). It flushes when the task would
 * wait and at the end of input; a failed or cancelled task closes without publishing anything half-written.
 *
 * With checkpoints a connector that commits hands over at each barrier what it has written since the last one. That goes into every
 * checkpoint until one of them is complete, which commits it; a job that is restored commits it again, which changes nothing where it
 * was done. So rows become visible once, however often the job fails. */
#include "flow/connector/connector.h"
#include "flow/operator/op_configs.h"

#include <string.h>

enum { RETRY_MS = 100 };

/* What is committed when this checkpoint, or a later one, is complete. */
struct transaction {
    int64_t checkpoint;
    struct buf bytes;
};

struct sink {
    const struct conn_type *conn;
    struct sink_cx cx;
    void *writer;
    struct transaction *prepared; /* the oldest first */
    uint32_t prepared_count;
    bool ended, takes_changes;
};

static enum status sink_conn(const struct sink_config *c, const struct conn_type **conn, struct err *e)
{
    if (c->connector == NULL) return err_set(e, E_GRAPH, "a sink needs a connector");
    TRY(conn_find(c->connector, conn, e));
    if ((*conn)->sink != NULL) return S_OK;
    err_set(e, E_CONFIG, "connector '%s' cannot be written", c->connector);
    err_hint(e, "it is a source");
    return E_CONFIG;
}

static enum status sink_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct sink_config *c = config;
    const struct conn_type *conn = NULL;

    TRY(sink_conn(c, &conn, e));
    TRY(conn_options_check(conn, &c->options, e));
    if (c->partitions.count > 0 && !conn->sink->has_partitions)
        return err_set(e, E_CONFIG, "connector '%s' cannot write a partitioned table", conn->name);
    if (c->partitions.count >= plan->inputs[0]->child_count)
        return err_set(e, E_CONFIG, "a partitioned table needs columns besides those that it is partitioned by");
    const struct type *written = source_read_type(plan->arena, plan->inputs[0], &c->partitions);
    if (conn->takes_format) TRY(conn_format_check(&c->options, written, true, e));
    plan->output_count = 0;
    return conn->sink->check != NULL ? conn->sink->check(&c->options, conn->options, plan->inputs[0], e) : S_OK;
}

static bool sink_blocks(const void *config)
{
    const struct conn_type *conn = NULL;

    return sink_conn(config, &conn, NULL) == S_OK && conn->sink->blocking;
}

static enum status sink_open(struct op_cx *cx, void *self)
{
    struct sink *s = self;
    const struct sink_config *c = cx->config;

    TRY(sink_conn(c, &s->conn, cx->err));
    s->cx = (struct sink_cx){.op = cx,
                             .schema = cx->plan->inputs[0],
                             .partitions = &c->partitions,
                             .options = &c->options,
                             .option_defs = s->conn->options,
                             .sys = cx->sys,
                             .mem = cx->mem,
                             .subtask = cx->subtask,
                             .parallelism = cx->parallelism,
                             .is_committed = cx->is_checkpointed && s->conn->sink->commit != NULL,
                             .handle = c->handle,
                             .err = cx->err};
    cx->ends_committed = s->cx.is_committed;
    s->takes_changes = conn_takes_changes(s->conn, &c->options);
    s->writer = mem_zalloc(cx->mem, s->conn->sink->writer_size + 1);
    return s->conn->sink->open != NULL ? s->conn->sink->open(&s->cx, s->writer) : S_OK;
}

static enum status inserts_only(const struct sink *s, const struct batch *in)
{
    if (in->kinds == NULL || s->takes_changes) return S_OK;
    BATCH_EACH(in, i, row)
    {
        if (in->kinds[row] == ROW_INSERT) continue;
        err_set(s->cx.err, E_UNSUPPORTED, "connector '%s' takes inserts only, but a row is an update or a deletion",
                s->conn->name);
        return E_UNSUPPORTED;
    }
    return S_OK;
}

static enum status sink_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct sink *s = self;

    (void)cx;
    (void)input;
    ASSERT(!s->ended);
    TRY(inserts_only(s, in));
    return s->conn->sink->write(&s->cx, s->writer, in);
}

static enum status sink_flush(struct sink *s, bool at_end)
{
    return s->conn->sink->flush != NULL ? s->conn->sink->flush(&s->cx, s->writer, at_end) : S_OK;
}

static enum status sink_on_idle(struct op_cx *cx, void *self)
{
    struct sink *s = self;

    (void)cx;
    return s->ended ? S_OK : sink_flush(s, false);
}

static enum status sink_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct sink *s = self;

    (void)cx;
    return s->ended || s->conn->sink->on_time == NULL ? S_OK : s->conn->sink->on_time(&s->cx, s->writer, now_ms);
}

static enum status sink_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct sink *s = self;

    (void)cx;
    (void)input;
    TRY(sink_flush(s, true));
    s->ended = true;
    return S_OK;
}

static bool sink_commits(const void *config)
{
    const struct sink_config *c = config;
    const struct conn_type *conn = NULL;

    return c->partitions.count > 0 && sink_conn(c, &conn, NULL) == S_OK && conn->sink->complete != NULL;
}

static enum status sink_commit(struct op_cx *cx, void *self)
{
    struct sink *s = self;

    (void)cx;
    return s->conn->sink->complete(&s->cx, s->writer);
}

/* --- checkpoints ---------------------------------------------------------------------------------------------------------- */
static const char *sink_takes_no_checkpoints(const void *config)
{
    const struct sink_config *c = config;
    const struct conn_type *conn = NULL;

    if (sink_conn(c, &conn, NULL) != S_OK || conn->sink->takes_no_checkpoints == NULL) return NULL;
    return conn->sink->takes_no_checkpoints(&c->options, conn->options, &c->partitions);
}

static bool sink_makes_final(const void *config)
{
    const struct conn_type *conn = NULL;

    return sink_conn(config, &conn, NULL) != S_OK || conn->sink->commit != NULL;
}

static enum status sink_prepare(struct op_cx *cx, void *self, int64_t checkpoint, struct buf *committables)
{
    struct sink *s = self;
    struct transaction now = {.checkpoint = checkpoint};

    if (!s->cx.is_committed) return S_OK;
    buf_init(&now.bytes, cx->mem);
    enum status st = s->conn->sink->prepare(&s->cx, s->writer, checkpoint, &now.bytes);
    if (st != S_OK || now.bytes.size == 0) {
        buf_release(&now.bytes);
    } else {
        s->prepared = mem_realloc(cx->mem, s->prepared, sizeof *s->prepared * (s->prepared_count + 1));
        s->prepared[s->prepared_count++] = now;
    }
    if (st != S_OK) return st;
    for (uint32_t i = 0; i < s->prepared_count; i++)
        buf_append(committables, s->prepared[i].bytes.data, s->prepared[i].bytes.size);
    return S_OK;
}

static enum status commit_bytes(struct sink *s, struct str bytes, bool recovering)
{
    enum commit_result result = COMMIT_LOST;

    TRY(s->conn->sink->commit(&s->cx, bytes, recovering, &result));
    ASSERT(result != COMMIT_LOST);
    if (result != COMMIT_RETRY) return S_OK;
    op_wake_at(s->cx.op, sys_wall_ms(s->cx.sys) + RETRY_MS);
    return S_PENDING;
}

static enum status sink_on_complete(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct sink *s = self;

    (void)cx;
    if (s->prepared_count == 0 || s->prepared[0].checkpoint > checkpoint) {
        bool follows = s->cx.is_committed && s->conn->sink->completed != NULL;
        return follows ? s->conn->sink->completed(&s->cx, s->writer, checkpoint) : S_OK;
    }
    struct transaction *t = &s->prepared[0];
    TRY(commit_bytes(s, (struct str){t->bytes.data, t->bytes.size}, false));
    buf_release(&t->bytes);
    s->prepared_count--;
    memmove(s->prepared, s->prepared + 1, sizeof *s->prepared * s->prepared_count);
    return S_MORE;
}

static enum status sink_recover(struct op_cx *cx, void *self, struct str committables)
{
    struct sink *s = self;

    if (s->conn->sink->commit != NULL) {
        enum status st = commit_bytes(s, committables, true);
        return st == S_OK && s->conn->sink->recovered != NULL ? s->conn->sink->recovered(&s->cx, s->writer, committables) : st;
    }
    err_set(cx->err, E_GRAPH, "rows of this sink wait to be published, but connector '%s' publishes nothing by checkpoints", s->conn->name);
    err_hint(cx->err, "the sink had another connector when the checkpoint was taken: give the new one a uid of its own");
    return E_GRAPH;
}

static void sink_close(struct op_cx *cx, void *self, bool failed)
{
    struct sink *s = self;

    if (s->writer == NULL) return;
    if (s->conn->sink->close != NULL) s->conn->sink->close(&s->cx, s->writer, failed);
    for (uint32_t i = 0; i < s->prepared_count; i++) buf_release(&s->prepared[i].bytes);
    mem_free(cx->mem, s->prepared);
    mem_free(cx->mem, s->writer);
    s->writer = NULL;
}

const struct op_type op_sink = {
    .name = "sink",
    .doc = "rows into an outside system",
    .example = "tw_sink(results, \"file\", \"filesystem\", TW_OPTIONS(\"path\", \"out/\", \"format\", \"csv\"))",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct sink_config),
    .config_fields = sink_config_fields,
    .instance_size = sizeof(struct sink),
    .derive = sink_derive,
    .blocks = sink_blocks,
    .open = sink_open,
    .on_batch = sink_on_batch,
    .on_time = sink_on_time,
    .on_end = sink_on_end,
    .on_idle = sink_on_idle,
    .takes_no_checkpoints = sink_takes_no_checkpoints,
    .prepare = sink_prepare,
    .on_complete = sink_on_complete,
    .makes_final = sink_makes_final,
    .recover = sink_recover,
    .commits = sink_commits,
    .commit = sink_commit,
    .close = sink_close,
};
