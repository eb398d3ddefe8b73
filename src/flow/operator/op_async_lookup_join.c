/* op_async_lookup_join.c - SQL's lookup join where finding a key waits for something outside: many rows at a time are under way, on helper
 * threads, while the task goes on (async_queue.h).
 *
 * A request is one row. An attempt finds the rows of its key and makes the pairs; one that found none is repeated, if that is wanted.
 * The cache is the task's: it is asked before a helper is, and told when one is back, so a key that comes twice at the same time is
 * looked up twice, as in Flink. A row whose key is NULL, or cached, needs no helper.
 *
 * Not here: tables that are read, and tables whose connector never waits (op_lookup_join.c). */
#include "flow/connector/lookup_finder.h"
#include "flow/operator/async_lookup_join.h"
#include "flow/operator/async_queue.h"
#include "flow/operator/computed.h"
#include "flow/operator/lookup_plan.h"

enum { CAPACITY_MAX = 100000, CHAIN_ROWS = 64, CHAIN_SPARES = 4, FAILED_WAIT_MS = 1000 };

static const struct config_field async_lookup_join_config_fields[] = {
    CONFIG_FIELD(async_lookup_join_config, join.kind, CONF_TEXT, "inner, left"),
    CONFIG_FIELD(async_lookup_join_config, join.connector, CONF_TEXT, "of the table that is asked"),
    CONFIG_FIELD(async_lookup_join_config, join.options, CONF_OPTIONS, "of the connector"),
    CONFIG_FIELD(async_lookup_join_config, join.schema, CONF_TYPE, "columns that the connector fills"),
    CONFIG_FIELD(async_lookup_join_config, join.filter, CONF_BYTES, "an encoded BOOLEAN expression over them; empty: all rows"),
    CONFIG_FIELD(async_lookup_join_config, join.columns, CONF_BYTES, "encoded expressions: what is kept of a row"),
    CONFIG_FIELD(async_lookup_join_config, join.columns_names, CONF_TEXTS, "names of these"),
    CONFIG_FIELD(async_lookup_join_config, join.left_keys, CONF_TEXTS, "key columns of the input"),
    CONFIG_FIELD(async_lookup_join_config, join.right_keys, CONF_TEXTS, "key columns of what is kept"),
    CONFIG_FIELD(async_lookup_join_config, join.null_safe, CONF_TEXTS, "per key: true when NULL equals NULL; empty: never"),
    CONFIG_FIELD(async_lookup_join_config, join.names, CONF_TEXTS, "names of the columns of both"),
    CONFIG_FIELD(async_lookup_join_config, join.condition, CONF_BYTES, "an encoded BOOLEAN expression over both; empty: none"),
    CONFIG_FIELD(async_lookup_join_config, join.asks, CONF_BYTES, "keys of the connector, encoded expressions over the table's side"),
    CONFIG_FIELD(async_lookup_join_config, join.ask_count, CONF_INT, "how many"),
    CONFIG_FIELD(async_lookup_join_config, join.retries, CONF_INT, "how often a key without rows is asked for again"),
    CONFIG_FIELD(async_lookup_join_config, join.retry_delay_ms, CONF_INT, "after so long"),
    CONFIG_FIELD(async_lookup_join_config, join.zone, CONF_TEXT, "the session's time zone"),
    CONFIG_FIELD(async_lookup_join_config, capacity, CONF_INT, "rows under way at once"),
    CONFIG_FIELD(async_lookup_join_config, timeout_ms, CONF_INT, "how long all attempts of a row may take together; 0: for ever"),
    CONFIG_FIELD(async_lookup_join_config, unordered, CONF_BOOL, "rows go out as they are done"),
    CONFIG_FIELD(async_lookup_join_config, order_keys, CONF_TEXTS, "so do they, but for those that are equal in these columns"),
    CONFIG_LAST,
};

struct async_lookup {
    struct lookup_plan plan;
    struct lookup_spec spec;
    const uint64_t *filled; /* columns of the output that are made */
    int64_t failures_max;
    struct lookup_cache *cache; /* NULL: none */
    uint32_t key_cols[OP_KEYS_MAX]; /* of key_view: 0, 1, .. */
    struct async_queue queue;
};

/* Batches of rows that were put, those that are empty behind them. */
struct chain {
    const struct type *row;
    const uint64_t *needed;
    struct batch *first, *last, *spare;
};

/* Of one row. */
struct lookup_job {
    struct lookup_finder *finder;
    struct chain found, results;
    struct batch *pairs;
    struct expr_run *condition;
    struct vector keys[OP_KEYS_MAX];
    uint32_t failures;
    bool is_known; /* nobody has to be asked */
    bool is_seen;  /* the table has the key */
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status async_lookup_join_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct async_lookup_join_config *c = config;
    const struct conn_type *conn;

    if (c->capacity < 1 || c->capacity > CAPACITY_MAX)
        return err_set(e, E_GRAPH, "%lld rows at once; 1 to %d", (long long)c->capacity, CAPACITY_MAX);
    if (c->timeout_ms < 0) return err_set(e, E_GRAPH, "the time limit of lookups must not be negative");
    TRY(conn_find(c->join.connector, &conn, e));
    if (conn->lookup == NULL) return err_set(e, E_GRAPH, "connector '%s' finds no rows by keys", conn->name);
    for (uint32_t i = 0; i < c->order_keys.count; i++)
        if (op_plan_field(p, 0, c->order_keys.items[i], e) < 0) return E_GRAPH;
    return lookup_plan_derive(p, &c->join, e);
}

static void async_lookup_join_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct async_lookup_join_config *c = config;

    lookup_plan_needs(p, &c->join, outputs[0], inputs[0]);
    for (uint32_t i = 0; i < c->order_keys.count; i++) {
        int col = op_plan_field(p, 0, c->order_keys.items[i], NULL);
        if (col >= 0) bit_set(inputs[0], (uint32_t)col);
    }
}

static bool async_lookup_join_blocks(const void *config)
{
    (void)config;
    return false; /* helpers do */
}

/* --- chains ------------------------------------------------------------------------------------------------------ */
/* A few batches stay for the next row; those of a key with very many rows go. */
static void chain_clear(struct chain *c)
{
    uint32_t spares = 0;

    for (struct batch *b = c->spare; b != NULL; b = b->next) spares++;
    for (struct batch *b = c->first, *next; b != NULL; b = next) {
        next = b->next;
        if (spares++ >= CHAIN_SPARES) {
            batch_free(b);
            continue;
        }
        batch_clear(b);
        b->next = c->spare;
        c->spare = b;
    }
    c->first = c->last = NULL;
}

static void chain_free(struct chain *c)
{
    chain_clear(c);
    for (struct batch *b = c->spare, *next; b != NULL; b = next) {
        next = b->next;
        batch_free(b);
    }
}

/* An empty batch at the end. */
static struct batch *chain_add(struct chain *c, struct mem *mem)
{
    struct batch *b = c->spare;

    if (b != NULL) c->spare = b->next;
    else b = batch_create_needed(c->row, c->needed, CHAIN_ROWS, mem);
    b->next = NULL;
    if (c->last != NULL) c->last->next = b;
    else c->first = b;
    c->last = b;
    return b;
}

/* --- a row ------------------------------------------------------------------------------------------------------- */
static enum status job_open(struct async_job *job)
{
    const struct async_lookup *a = job->arg;
    struct lookup_job *j = job->own;

    j->found = (struct chain){.row = a->plan.right};
    j->results = (struct chain){.row = a->plan.out, .needed = a->filled};
    j->pairs = batch_create_needed(a->plan.out, a->filled, CHAIN_ROWS, &job->mem);
    if (a->plan.condition != NULL) j->condition = computed_evaluator(&job->op, &a->plan.session, a->plan.condition);
    return lookup_finder_create(&job->op, &a->spec, &j->finder);
}

static void job_close(struct async_job *job)
{
    struct lookup_job *j = job->own;

    lookup_finder_free(j->finder);
    expr_run_free(j->condition);
    batch_free(j->pairs);
    chain_free(&j->found);
    chain_free(&j->results);
}

static void job_clear(struct async_job *job)
{
    struct lookup_job *j = job->own;

    chain_clear(&j->found);
    chain_clear(&j->results);
    job->rows = NULL;
}

/* The row's key, as a row of the plan's key_row. */
static struct batch key_view(const struct async_lookup *a, struct async_job *job)
{
    struct lookup_job *j = job->own;

    for (uint32_t k = 0; k < a->plan.key_count; k++) j->keys[k] = job->row->cols[a->plan.keys[0][k]];
    return (struct batch){
        .schema = a->plan.key_row, .cols = j->keys, .col_count = a->plan.key_count, .count = 1, .capacity = 1, .mem = &job->mem};
}

static void found_put(struct async_job *job, const struct vector *const *values, const uint16_t *rows, uint32_t n)
{
    struct lookup_job *j = job->own;

    for (uint32_t done = 0, some; done < n; done += some) {
        struct batch *b = j->found.last;
        if (b == NULL || b->count == b->capacity) b = chain_add(&j->found, &job->mem);
        some = MIN(n - done, b->capacity - b->count);
        for (uint32_t c = 0; c < b->col_count; c++)
            vector_copy(&b->cols[c], b->count, values[c], rows + done, some, &b->heap, b->mem);
        b->count += some;
    }
}

static void found_take(void *arg, const struct vector *const *values, const uint16_t *rows, const uint16_t *of, uint32_t n)
{
    (void)of; /* there is one key */
    found_put(arg, values, rows, n);
}

static void found_see(void *arg, const uint16_t *of, uint32_t n)
{
    struct lookup_job *j = ((struct async_job *)arg)->own;

    (void)of;
    j->is_seen |= n > 0;
}

/* The row beside those of a batch; NULL: beside none. */
static void pairs_fill(const struct async_lookup *a, struct async_job *job, const struct batch *found)
{
    static const uint16_t same[CHAIN_ROWS];
    struct lookup_job *j = job->own;
    uint32_t n = found != NULL ? found->count : 1;
    struct batch *out = j->pairs;

    batch_clear(out);
    for (uint32_t c = 0; c < out->col_count; c++) {
        struct vector *v = &out->cols[c];
        if (v->form == VEC_ABSENT) continue;
        if (c < a->plan.left) vector_copy(v, 0, &job->row->cols[c], same, n, &out->heap, out->mem);
        else if (found != NULL) vector_copy(v, 0, &found->cols[c - a->plan.left], NULL, n, &out->heap, out->mem);
        else vector_set_null(v, 0);
    }
    out->count = n;
    if (job->row->kinds != NULL) batch_use_kinds(out);
    if (job->row->times != NULL) batch_use_times(out);
    for (uint32_t i = 0; i < n; i++) {
        if (out->kinds != NULL) out->kinds[i] = job->row->kinds[0];
        if (out->times != NULL) out->times[i] = job->row->times[0];
    }
}

static enum status pairs_take(struct async_job *job, bool is_tested)
{
    struct lookup_job *j = job->own;
    uint16_t passed[CHAIN_ROWS];
    uint32_t n = j->pairs->count;

    for (uint32_t i = 0; i < n; i++) passed[i] = (uint16_t)i;
    if (is_tested && j->condition != NULL)
        TRY(expr_select(j->condition, j->pairs, sys_wall_ms(job->op.sys), passed, &n, job->op.err));
    if (n > 0) batch_append(chain_add(&j->results, &job->mem), j->pairs, passed, n);
    return S_OK;
}

static enum status pairs_make(const struct async_lookup *a, struct async_job *job)
{
    struct lookup_job *j = job->own;

    for (const struct batch *b = j->found.first; b != NULL; b = b->next) {
        pairs_fill(a, job, b);
        TRY(pairs_take(job, true));
    }
    if (j->results.first != NULL || !a->plan.is_left) return S_OK;
    pairs_fill(a, job, NULL);
    return pairs_take(job, false);
}

static void job_attempt(struct async_job *job)
{
    const struct async_lookup *a = job->arg;
    struct lookup_job *j = job->own;

    err_clear(&job->err);
    job->again = false;
    job->rows = NULL;
    job->status = S_OK;
    chain_clear(&j->results);
    if (!j->is_known) {
        struct batch key = key_view(a, job);
        chain_clear(&j->found);
        j->is_seen = false;
        job->status = lookup_finder_find(j->finder, &key, found_take, found_see, job);
        if (job->status != S_OK) {
            job->again = j->failures++ < a->failures_max;
            return;
        }
        job->again = !j->is_seen && job->attempt - j->failures <= a->spec.retries;
    }
    job->status = pairs_make(a, job);
    job->rows = j->results.first;
}

/* --- on the task's thread ---------------------------------------------------------------------------------------- */
static bool has_null(const struct async_lookup *a, const struct batch *key)
{
    for (uint32_t k = 0; k < key->col_count; k++)
        if (!((a->plan.null_safe >> k) & 1) && vector_is_null(&key->cols[k], 0)) return true;
    return false;
}

/* What the cache has. */
static void cached_take(struct async_lookup *a, struct async_job *job, const struct batch *key, uint64_t hash)
{
    const struct vector *values[TYPE_FIELDS_MAX];
    struct lookup_hit hit;
    uint64_t cursor = 0;

    while (lookup_cache_next(a->cache, key, a->key_cols, 0, hash, &cursor, &hit)) {
        for (uint32_t c = 0; c < hit.batch->col_count; c++) values[c] = &hit.batch->cols[c];
        found_put(job, values, &hit.row, 1);
    }
}

/* Is there nothing to wait for? Then the job is done. */
static bool job_ready(struct async_job *job)
{
    struct async_lookup *a = job->arg;
    struct lookup_job *j = job->own;
    struct batch key = key_view(a, job);
    int64_t now = sys_wall_ms(job->op.sys);
    uint64_t hash;

    j->failures = 0;
    j->is_known = has_null(a, &key);
    if (!j->is_known && a->cache != NULL) {
        batch_hash(&key, a->key_cols, key.col_count, &hash);
        lookup_cache_trim(a->cache, now);
        j->is_known = lookup_cache_knows(a->cache, &key, a->key_cols, 0, hash, now);
        if (j->is_known) cached_take(a, job, &key, hash);
    }
    if (j->is_known) job_attempt(job);
    return j->is_known;
}

static void job_done(struct async_job *job)
{
    static const uint16_t same[CHAIN_ROWS];
    struct async_lookup *a = job->arg;
    struct lookup_job *j = job->own;
    struct batch key = key_view(a, job);
    const struct vector *values[TYPE_FIELDS_MAX];
    int64_t now = sys_wall_ms(job->op.sys);
    uint16_t rows[CHAIN_ROWS];
    uint64_t hash;

    if (a->cache == NULL || j->is_known) return;
    batch_hash(&key, a->key_cols, key.col_count, &hash);
    lookup_cache_trim(a->cache, now);
    lookup_cache_want(a->cache, &key, a->key_cols, 0, hash, now);
    if (lookup_cache_asked(a->cache) == 0) return; /* another row has told it */
    for (uint32_t i = 0; i < CHAIN_ROWS; i++) rows[i] = (uint16_t)i;
    for (const struct batch *b = j->found.first; b != NULL; b = b->next) {
        for (uint32_t c = 0; c < b->col_count; c++) values[c] = &b->cols[c];
        lookup_cache_put_of(a->cache, values, rows, same, b->count);
    }
    if (j->is_seen) lookup_cache_seen_of(a->cache, same, 1);
    lookup_cache_answered(a->cache, true, now);
}

static const struct async_work lookups = {.own_size = sizeof(struct lookup_job),
                                          .open = job_open,
                                          .close = job_close,
                                          .ready = job_ready,
                                          .attempt = job_attempt,
                                          .done = job_done,
                                          .clear = job_clear};

/* --- hooks ------------------------------------------------------------------------------------------------------- */
static enum status async_lookup_join_open(struct op_cx *cx, void *self)
{
    struct async_lookup *a = self;
    const struct async_lookup_join_config *c = cx->config;
    uint32_t *order = ARENA_ARRAY(cx->plan->arena, uint32_t, c->order_keys.count + 1);

    TRY(lookup_plan_read(cx->plan, &c->join, &a->plan, cx->err));
    a->spec = lookup_plan_spec(&a->plan, &c->join);
    a->filled = lookup_plan_filled(&a->plan, cx->needed_out != NULL ? cx->needed_out[0] : NULL, cx->plan->arena);
    a->failures_max = lookup_max_retries(a->plan.conn, &c->join.options);
    for (uint32_t k = 0; k < OP_KEYS_MAX; k++) a->key_cols[k] = k;
    a->cache = lookup_table_cache(&a->spec, cx->mem, cx->plan->arena);
    for (uint32_t i = 0; i < c->order_keys.count; i++) order[i] = (uint32_t)op_plan_field(cx->plan, 0, c->order_keys.items[i], cx->err);
    struct async_settings settings = {.capacity = (uint32_t)c->capacity,
                                      .rows = 1,
                                      .unordered = c->unordered || c->order_keys.count > 0,
                                      .waits_at_end = true,
                                      .order_cols = order,
                                      .order_count = c->order_keys.count,
                                      .timeout_ms = c->timeout_ms,
                                      .attempts = 1 + c->join.retries + a->failures_max,
                                      .delay_ms = c->join.retries > 0 ? c->join.retry_delay_ms : FAILED_WAIT_MS};
    a->queue.late_hint = "allow more time: table.exec.async-lookup.timeout, or 'timeout' of the hint LOOKUP";
    async_queue_open(&a->queue, cx, &lookups, a, &settings);
    return S_OK;
}

static enum status async_lookup_join_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct async_lookup *a = self;

    (void)cx;
    ASSERT(input == 0);
    return async_queue_batch(&a->queue, in);
}

static enum status async_lookup_join_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct async_lookup *a = self;

    (void)cx;
    return async_queue_watermark(&a->queue, watermark);
}

static enum status async_lookup_join_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct async_lookup *a = self;

    (void)cx;
    (void)now_ms;
    return async_queue_time(&a->queue);
}

static enum status async_lookup_join_on_barrier(struct op_cx *op, void *self, int64_t checkpoint)
{
    struct async_lookup *s = self;

    (void)op, (void)checkpoint;
    return async_queue_barrier(&s->queue);
}

static enum status async_lookup_join_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct async_lookup *a = self;

    (void)cx;
    ASSERT(input == 0);
    return async_queue_end(&a->queue);
}

static void async_lookup_join_close(struct op_cx *cx, void *self, bool failed)
{
    struct async_lookup *a = self;

    (void)failed;
    async_queue_close(&a->queue, cx->mem);
    lookup_cache_free(a->cache);
}

const struct op_type op_async_lookup_join = {
    .name = "async_lookup_join",
    .doc = "SQL: lookup_join where finding a key waits for something outside, many rows at a time",
    .example = "SELECT * FROM orders o JOIN customers FOR SYSTEM_TIME AS OF o.proc_time AS c ON o.customer = c.id",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct async_lookup_join_config),
    .config_fields = async_lookup_join_config_fields,
    .instance_size = sizeof(struct async_lookup),
    .derive = async_lookup_join_derive,
    .needs = async_lookup_join_needs,
    .blocks = async_lookup_join_blocks,
    .open = async_lookup_join_open,
    .on_batch = async_lookup_join_on_batch,
    .on_watermark = async_lookup_join_on_watermark,
    .on_time = async_lookup_join_on_time,
    .on_barrier = async_lookup_join_on_barrier,
    .on_end = async_lookup_join_on_end,
    .close = async_lookup_join_close,
    .makes_watermarks = true,
};
