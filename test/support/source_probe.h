/* source_probe.h - drives the hooks of a connector's source directly: options in, splits and rows out, at a clock that the
 * test owns. */
#pragma once
#include "columns/column/batch.h"
#include "flow/connector/connector.h"

struct source_probe {
    struct mem mem;
    struct arena arena;
    struct buf text;
    struct sys *sys;
    int64_t now_ms; /* wall clock; the monotonic one is the same in ns */
    struct err err;
    struct op_cx op;
    struct options options;
    const struct conn_type *conn;
    struct source_cx cx;
    void *enumerator, *reader;
    const uint64_t *needed;
};

struct probe_split {
    struct split what;
    void *self;
};

/* kv: key, value, ..., NULL. schema NULL = the connector's own. Fails the test when anything is refused. */
void probe_open(struct source_probe *p, const char *conn, const char *schema, uint32_t parallelism,
                const char *const *kv);
/* The same, wanting only the columns of the bits. */
void probe_open_needed(struct source_probe *p, const char *conn, const char *schema, uint32_t parallelism,
                       const char *const *kv, const uint64_t *needed);
/* Checks options and schema only; the error's text is in p->err. Close it too. */
enum status probe_check(struct source_probe *p, const char *conn, const char *schema, const char *const *kv);
void probe_close(struct source_probe *p);

enum status probe_next(struct source_probe *p, uint32_t subtask, struct probe_split *out);
enum status probe_reopen(struct source_probe *p, const char *id, struct str position, struct probe_split *out);
void probe_split_close(struct source_probe *p, struct probe_split *s);
/* One split_read into a cleared batch of the probe's schema. */
enum status probe_read(struct source_probe *p, struct probe_split *s, struct batch *out);
struct batch *probe_batch(struct source_probe *p, uint32_t capacity);
/* Everything that the split gives until it answers something else than S_OK, as text; lives in p->text. */
const char *probe_rows(struct source_probe *p, struct probe_split *s, uint32_t capacity, enum status *last);
/* All splits one after another, as text. Fails the test when one does not end. */
const char *probe_all(struct source_probe *p, uint32_t capacity);
