/* lookup_table.c - rows of a table by key: of a connector that is asked for keys, or of a bounded source in memory.
 *
 * Splits are read one after another, as op_source would, but here and now: rows become the columns that are kept, in batches that
 * only grow in number, and a table of chains finds them by the canonical hash of their key. A chain keeps the order in which rows
 * came. Reading again makes a second set of batches beside the first, which takes its place when it is whole; rows that ask wait until
 * then.
 *
 * Where it is not read whole, a batch lists the keys that the cache (lookup_cache.c) has no answer for. A connector that finds keys by
 * itself (lookup_finder.c) is asked for these; of another one reading passes only their rows on, to the cache. Keys that had none are
 * asked for again after a while, if that is wanted; asking or reading that failed at the outside world begins again, also after a while.
 *
 * Nothing is allocated per row. Not here: rows that change while they are kept. */
#include "flow/connector/lookup_table.h"

#include "flow/connector/lookup_finder.h"
#include "ground/base/str.h"

#include <string.h>

enum { CHAINS_FIRST = 1024, WAIT_MAX_MS = 10, FAILED_WAIT_MS = 1000, FAILURES_MAX = 3 };
enum { CACHE_NONE, CACHE_PARTIAL, CACHE_FULL }; /* choices of lookup.cache */

const struct option_def lookup_options[] = {
    {.key = "lookup.cache",
     .kind = OPT_ENUM,
     .choices = "NONE|PARTIAL|FULL",
     .doc = "of a table that is asked FOR SYSTEM_TIME AS OF processing time: FULL = read whole, then found in memory; PARTIAL = asked, or "
            "read, for the keys that come, and what they found is kept; NONE = nothing is kept. Not given: NONE where the connector finds "
            "keys by itself, else FULL"},
    {.key = "lookup.partial-cache.max-rows",
     .kind = OPT_INT,
     .least = "0",
     .doc = "PARTIAL: how many keys are kept with their rows, those used last; not given: all"},
    {.key = "lookup.partial-cache.expire-after-write",
     .kind = OPT_DURATION_MS,
     .doc = "PARTIAL: how long after it was asked for a key is asked for again; not given: for ever"},
    {.key = "lookup.partial-cache.expire-after-access",
     .kind = OPT_DURATION_MS,
     .doc = "PARTIAL: how long after it was used a key is asked for again; not given: for ever"},
    {.key = "lookup.partial-cache.cache-missing-key",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "PARTIAL: is it kept that a key has no rows?"},
    {.key = "lookup.max-retries",
     .kind = OPT_INT,
     .least = "0",
     .doc = "PARTIAL, NONE: how often asking is repeated when the outside world failed, after 1 s, 2 s, ...; not given: 3 times where the "
            "table is read, never where the connector finds keys by itself"},
    {.key = "lookup.full-cache.reload-strategy",
     .kind = OPT_ENUM,
     .choices = "PERIODIC|TIMED",
     .fallback = "PERIODIC",
     .doc = "when it is read again: PERIODIC = as the interval says"},
    {.key = "lookup.full-cache.periodic-reload.interval",
     .kind = OPT_DURATION_MS,
     .doc = "how long it is answered from before it is read again; not given: for ever"},
    {.key = NULL},
};

/* Row number -> the next one of its chain. Numbers begin with 1. */
struct rows {
    struct batch **batches;
    uint32_t batch_count, batch_capacity;
    uint32_t *next;
    uint64_t *hashes;
    size_t count, capacity;
    uint32_t *first, *last; /* per chain; 0: none */
    uint32_t mask;
};

struct lookup_table {
    struct op_cx *op;
    struct lookup_spec spec;
    struct source_cx cx;
    struct mem mem; /* of the source while it is read */
    struct rows rows, fresh;
    bool loaded, loading;
    int64_t interval_ms, loaded_ms; /* interval 0: read once */
    struct lookup_cache *cache;     /* NULL: it is read whole */
    struct lookup_finder *finder;   /* NULL: it is read */
    struct batch *keys;             /* that are asked for */
    bool asking;
    int64_t misses, failures, failures_max, ask_ms; /* of the batch: rounds without an answer; when the next may begin */
    /* While reading. */
    void *enumerator, *reader, *split;
    bool has_split;
    struct sys_parker *parker;
    struct arena split_arena;
    struct batch *in;
    struct expr_run *condition, **runs;
};

/* --- options ----------------------------------------------------------------------------------------------------- */
static int64_t given(const struct options *o, const char *key, int64_t otherwise)
{
    return options_get(o, lookup_options, key) != NULL ? options_int(o, lookup_options, key) : otherwise;
}

int64_t lookup_max_retries(const struct conn_type *conn, const struct options *o)
{
    return given(o, "lookup.max-retries", conn->lookup != NULL ? 0 : FAILURES_MAX);
}

static int cache_kind(const struct conn_type *conn, const struct options *o)
{
    if (options_get(o, lookup_options, "lookup.cache") == NULL) return conn->lookup != NULL ? CACHE_NONE : CACHE_FULL;
    return options_enum(o, lookup_options, "lookup.cache");
}

enum status lookup_check(const struct conn_type *conn, const struct options *o, struct err *e)
{
    bool finds = conn->lookup != NULL;

    if (finds && cache_kind(conn, o) == CACHE_FULL) {
        err_hint(e, "use PARTIAL or NONE");
        return err_set(e, E_CONFIG, "'lookup.cache' = 'FULL' reads a table whole, and connector '%s' only finds keys", conn->name);
    }
    if (!finds && conn->source == NULL) return err_set(e, E_UNSUPPORTED, "connector '%s' cannot be read", conn->name);
    if (!finds && (conn->source->boundedness != NULL && conn->source->boundedness(o, conn->options) != BOUNDED))
        return err_set(e, E_UNSUPPORTED, "Processing-time temporal join is not supported yet.");
    if (!finds && conn_changes(conn, o) != 0) {
        err_hint(e, "its rows change: join it without FOR SYSTEM_TIME AS OF, or as of an event time");
        return err_set(e, E_UNSUPPORTED, "Processing-time temporal join is not supported yet.");
    }
    if (options_enum(o, lookup_options, "lookup.full-cache.reload-strategy") == 0) return S_OK;
    err_hint(e, "'lookup.full-cache.periodic-reload.interval' says how often the table is read again");
    return err_set(e, E_CONFIG, "'lookup.full-cache.reload-strategy' = 'TIMED' is not supported yet");
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static void rows_release(struct rows *r, struct mem *mem)
{
    for (uint32_t i = 0; i < r->batch_count; i++) batch_free(r->batches[i]);
    mem_free(mem, r->batches);
    mem_free(mem, r->next);
    mem_free(mem, r->hashes);
    mem_free(mem, r->first);
    mem_free(mem, r->last);
    *r = (struct rows){0};
}

static void chain_append(struct rows *r, uint32_t number)
{
    uint32_t at = (uint32_t)r->hashes[number] & r->mask;

    r->next[number] = 0;
    if (r->first[at] == 0)
        r->first[at] = number;
    else
        r->next[r->last[at]] = number;
    r->last[at] = number;
}

/* Twice as many chains, and room for as many rows. */
static void rows_grow(struct rows *r, struct mem *mem)
{
    size_t capacity = MAX(r->capacity * 2, (size_t)CHAINS_FIRST);
    uint32_t *next = mem_alloc(mem, sizeof *next * (capacity + 1));
    uint64_t *hashes = mem_alloc(mem, sizeof *hashes * (capacity + 1));

    if (r->count > 0) memcpy(hashes, r->hashes, sizeof *hashes * (r->count + 1));
    mem_free(mem, r->next);
    mem_free(mem, r->hashes);
    mem_free(mem, r->first);
    mem_free(mem, r->last);
    r->next = next;
    r->hashes = hashes;
    r->first = mem_zalloc(mem, sizeof *r->first * capacity);
    r->last = mem_zalloc(mem, sizeof *r->last * capacity);
    r->capacity = capacity;
    r->mask = (uint32_t)capacity - 1;
    for (uint32_t i = 1; i <= r->count; i++) chain_append(r, i);
}

static struct batch *rows_batch(struct rows *r, const struct type *row, struct mem *mem)
{
    struct batch *last = r->batch_count > 0 ? r->batches[r->batch_count - 1] : NULL;

    if (last != NULL && last->count < last->capacity) return last;
    if (r->batch_count == r->batch_capacity) {
        uint32_t more = MAX(r->batch_capacity * 2, 16u);
        struct batch **batches = mem_alloc(mem, sizeof(struct batch *) * more);
        if (r->batch_count > 0) memcpy(batches, r->batches, sizeof(struct batch *) * r->batch_count);
        mem_free(mem, r->batches);
        r->batches = batches;
        r->batch_capacity = more;
    }
    return r->batches[r->batch_count++] = batch_create(row, BATCH_ROWS, mem);
}

/* Hashes and chains of the rows that were put into batch b from `first` on. */
static void rows_index(struct lookup_table *t, struct batch *b, uint32_t first)
{
    struct rows *r = &t->fresh;
    uint64_t hashes[BATCH_ROWS];
    uint16_t fresh[BATCH_ROWS];
    struct batch view = *b;

    for (uint32_t i = first; i < b->count; i++) fresh[i - first] = (uint16_t)i;
    view.sel = fresh;
    view.sel_count = b->count - first;
    batch_hash(&view, t->spec.keys, t->spec.key_count, hashes);
    for (uint32_t i = first; i < b->count; i++) {
        if (r->count == r->capacity) rows_grow(r, t->op->mem);
        r->hashes[++r->count] = hashes[i - first];
        chain_append(r, (uint32_t)r->count);
    }
}

/* Which keys the rows of t->in have, before any of them is left out: a key that the table has is not asked for again. */
static enum status keys_see(struct lookup_table *t, const uint16_t *rows, uint32_t n, int64_t now)
{
    const struct vector **values = ARENA_ARRAY(t->op->scratch, const struct vector *, t->spec.row->child_count + 1);

    for (uint32_t k = 0; n > 0 && k < t->spec.key_count; k++)
        TRY(expr_eval(t->runs[t->spec.keys[k]], t->in, now, &values[t->spec.keys[k]], t->op->err));
    lookup_cache_seen(t->cache, values, rows, n);
    return S_OK;
}

/* The rows of t->in that are wanted, as the columns that are kept. */
static enum status rows_add(struct lookup_table *t)
{
    const struct vector **values = ARENA_ARRAY(t->op->scratch, const struct vector *, t->spec.row->child_count + 1);
    uint16_t numbers[BATCH_ROWS];
    uint32_t n = t->in->count;
    int64_t now = sys_wall_ms(t->op->sys);

    for (uint32_t i = 0; i < n; i++) numbers[i] = (uint16_t)i;
    if (t->condition != NULL && t->cache != NULL && t->spec.retries > 0) TRY(keys_see(t, numbers, n, now));
    if (t->condition != NULL) TRY(expr_select(t->condition, t->in, now, numbers, &n, t->op->err));
    for (uint32_t c = 0; n > 0 && c < t->spec.row->child_count; c++)
        TRY(expr_eval(t->runs[c], t->in, now, &values[c], t->op->err));
    if (t->cache != NULL) {
        lookup_cache_put(t->cache, values, numbers, n);
        return S_OK;
    }
    for (uint32_t done = 0; done < n;) {
        struct batch *b = rows_batch(&t->fresh, t->spec.row, t->op->mem);
        uint32_t first = b->count, some = MIN(n - done, b->capacity - first);
        if (t->fresh.count + some > UINT32_MAX / 2)
            return err_set(t->op->err, E_BUDGET, "a lookup table has too many rows");
        for (uint32_t c = 0; c < b->col_count; c++)
            vector_copy(&b->cols[c], first, values[c], numbers + done, some, &b->heap, b->mem);
        b->count += some;
        rows_index(t, b, first);
        done += some;
    }
    return S_OK;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
static enum status load_begin(struct lookup_table *t)
{
    const struct source_type *type = t->spec.conn->source;

    mem_init(&t->mem, "lookup", 0);
    arena_init(&t->split_arena, &t->mem, 0);
    t->cx = (struct source_cx){.op = t->op,
                               .schema = t->spec.schema,
                               .read = source_read_type(t->op->plan->arena, t->spec.schema, t->spec.metadata),
                               .metadata = t->spec.metadata,
                               .options = t->spec.options,
                               .option_defs = t->spec.conn->options,
                               .sys = t->op->sys,
                               .mem = &t->mem,
                               .parallelism = 1,
                               .wake_ms = INT64_MAX,
                               .err = t->op->err};
    t->loading = true;
    t->enumerator = mem_zalloc(&t->mem, type->enumerator_size + 1);
    t->reader = mem_zalloc(&t->mem, type->reader_size + 1);
    t->split = mem_zalloc(&t->mem, type->split_size + 1);
    t->in = batch_create(t->spec.schema, BATCH_ROWS, &t->mem);
    if (type->enumerator_open != NULL) TRY(type->enumerator_open(&t->cx, t->enumerator));
    return type->reader_open != NULL ? type->reader_open(&t->cx, t->reader) : S_OK;
}

static void split_end(struct lookup_table *t)
{
    const struct source_type *type = t->spec.conn->source;

    if (t->has_split && type->split_close != NULL) type->split_close(&t->cx, t->reader, t->split);
    t->has_split = false;
}

static void load_end(struct lookup_table *t)
{
    const struct source_type *type = t->spec.conn->source;

    if (!t->loading) return;
    split_end(t);
    if (type->reader_close != NULL) type->reader_close(&t->cx, t->reader);
    if (type->enumerator_close != NULL) type->enumerator_close(&t->cx, t->enumerator);
    batch_free(t->in);
    arena_release(&t->split_arena);
    mem_release(&t->mem);
    t->loading = false;
}

/* S_END: that was all. */
static enum status split_begin(struct lookup_table *t)
{
    const struct source_type *type = t->spec.conn->source;
    struct split what;

    arena_reset(&t->split_arena);
    enum status st = type->enumerator_next(&t->cx, t->enumerator, 0, &t->split_arena, &what);
    if (st != S_OK) return st;
    memset(t->split, 0, type->split_size);
    t->has_split = true; /* closed also when it does not open */
    return type->split_open(&t->cx, t->reader, t->split, &what);
}

static enum status load_some(struct lookup_table *t)
{
    t->cx.wake_ms = INT64_MAX;
    if (!t->has_split) return split_begin(t);
    batch_clear(t->in);
    enum status st = t->spec.conn->source->split_read(&t->cx, t->reader, t->split, t->in);
    if (st < 0) return st;
    TRY(rows_add(t));
    if (st != S_END) return st;
    split_end(t);
    return S_OK;
}

/* Nothing is done before that time: a while of it passes. Its thread is its own, and would ask again at once. */
static void pause_until(struct lookup_table *t, int64_t wake_ms, int64_t now)
{
    int64_t idle_ms = MAX(INT64_C(1), MIN(wake_ms - now, (int64_t)WAIT_MAX_MS));

    (void)sys_park(t->op->sys, t->parker, idle_ms * 1000000);
}

/* What was found goes to the cache. */
static void found_put(void *arg, const struct vector *const *values, const uint16_t *rows, const uint16_t *of, uint32_t n)
{
    struct lookup_table *t = arg;

    lookup_cache_put_of(t->cache, values, rows, of, n);
}

static void found_see(void *arg, const uint16_t *of, uint32_t n)
{
    struct lookup_table *t = arg;

    lookup_cache_seen_of(t->cache, of, n);
}

static enum status keys_find(struct lookup_table *t)
{
    batch_clear(t->keys);
    lookup_cache_keys(t->cache, t->keys);
    ASSERT(t->keys->count == lookup_cache_asked(t->cache));
    return lookup_finder_find(t->finder, t->keys, found_put, found_see, t);
}

/* S_OK: all splits have been read. */
static enum status scan(struct lookup_table *t, int64_t now)
{
    if (!t->loading) TRY(load_begin(t));
    enum status st = load_some(t);
    if (st == S_OK) return S_MORE;
    if (st == S_IDLE) {
        pause_until(t, t->cx.wake_ms, now);
        op_wake_at(t->op, t->cx.wake_ms);
        return S_PENDING;
    }
    if (st != S_END) return st;
    load_end(t);
    return S_OK;
}

static enum status table_load(struct lookup_table *t)
{
    int64_t now = sys_wall_ms(t->op->sys);

    if (t->loaded && (t->interval_ms == 0 || now < t->loaded_ms + t->interval_ms)) return S_OK;
    t->loaded = false;
    TRY(scan(t, now));
    rows_release(&t->rows, t->op->mem);
    t->rows = t->fresh;
    t->fresh = (struct rows){0};
    t->loaded = true;
    t->loaded_ms = now;
    return S_OK;
}

/* --- asking ------------------------------------------------------------------------------------------------------ */
static void ask_begin(struct lookup_table *t, const struct batch *in, const uint32_t *cols, const uint64_t *hashes, int64_t now)
{
    lookup_cache_trim(t->cache, now);
    BATCH_EACH(in, i, row) lookup_cache_want(t->cache, in, cols, row, hashes[i], now);
    t->asking = true;
    t->misses = t->failures = t->ask_ms = 0;
}

/* The outside world may do better later; what it said wrong it says again. */
static enum status ask_failed(struct lookup_table *t, enum status st, int64_t now)
{
    if ((st != E_IO && t->finder == NULL) || t->failures >= t->failures_max) return st;
    load_end(t);
    err_clear(t->op->err);
    lookup_cache_failed(t->cache);
    t->ask_ms = now + ++t->failures * FAILED_WAIT_MS;
    return S_MORE;
}

enum status lookup_table_ask(struct lookup_table *t, const struct batch *in, const uint32_t *cols, const uint64_t *hashes)
{
    int64_t now = sys_wall_ms(t->op->sys);

    if (t->cache == NULL) return table_load(t);
    if (!t->asking) ask_begin(t, in, cols, hashes, now);
    if (lookup_cache_asked(t->cache) > 0) {
        if (now < t->ask_ms) {
            pause_until(t, t->ask_ms, now);
            return S_MORE;
        }
        enum status st = t->finder != NULL ? keys_find(t) : scan(t, now);
        if (st < 0) return ask_failed(t, st, now);
        if (st != S_OK) return st;
        lookup_cache_answered(t->cache, t->misses >= t->spec.retries, now);
        t->misses++;
        t->ask_ms = now + t->spec.retry_delay_ms;
        if (lookup_cache_asked(t->cache) > 0) return S_MORE;
    }
    t->asking = false;
    return S_OK;
}

/* --- life -------------------------------------------------------------------------------------------------------- */
struct lookup_cache *lookup_table_cache(const struct lookup_spec *spec, struct mem *mem, struct arena *a)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, spec->key_count + 1);
    const char **names = ARENA_ARRAY(a, const char *, spec->key_count + 1);
    const struct options *o = spec->options;

    if (cache_kind(spec->conn, o) == CACHE_FULL) return NULL;
    for (uint32_t k = 0; k < spec->key_count; k++) {
        types[k] = type_with_null(a, spec->row->children[spec->keys[k]], true);
        names[k] = spec->row->names[spec->keys[k]];
    }
    struct lookup_cache_spec cache = {.row = spec->row,
                                      .key_row = type_row(a, spec->key_count, names, types, false),
                                      .keys = spec->keys,
                                      .key_count = spec->key_count,
                                      .null_safe = spec->null_safe};
    if (cache_kind(spec->conn, o) == CACHE_PARTIAL) {
        cache.keys_max = given(o, "lookup.partial-cache.max-rows", INT64_MAX);
        cache.write_ms = given(o, "lookup.partial-cache.expire-after-write", 0);
        cache.access_ms = given(o, "lookup.partial-cache.expire-after-access", 0);
        cache.keeps_misses = options_bool(o, lookup_options, "lookup.partial-cache.cache-missing-key");
    }
    return lookup_cache_create(&cache, mem);
}

/* Evaluators of what is kept of the rows that are read. */
static void reading_create(struct lookup_table *t)
{
    const struct lookup_spec *spec = &t->spec;
    uint32_t n = spec->row->child_count;

    t->runs = mem_zalloc(t->op->mem, sizeof(struct expr_run *) * (n + 1));
    for (uint32_t i = 0; i < n; i++) t->runs[i] = expr_run_create(spec->columns[i], spec->session, BATCH_ROWS, t->op->mem);
    if (spec->condition != NULL) t->condition = expr_run_create(spec->condition, spec->session, BATCH_ROWS, t->op->mem);
}

enum status lookup_table_create(struct op_cx *op, const struct lookup_spec *spec, struct lookup_table **out)
{
    struct lookup_table *t = mem_zalloc(op->mem, sizeof *t);

    *out = t;
    t->op = op;
    t->parker = sys_parker_create(op->sys);
    t->spec = *spec;
    if (options_get(spec->options, lookup_options, "lookup.full-cache.periodic-reload.interval") != NULL)
        t->interval_ms = options_int(spec->options, lookup_options, "lookup.full-cache.periodic-reload.interval");
    t->failures_max = lookup_max_retries(spec->conn, spec->options);
    t->cache = lookup_table_cache(spec, op->mem, op->plan->arena);
    if (spec->conn->lookup == NULL) {
        reading_create(t);
        return S_OK;
    }
    t->keys = batch_create(spec->key_row, BATCH_ROWS, op->mem);
    return lookup_finder_create(op, &t->spec, &t->finder);
}

void lookup_table_free(struct lookup_table *t)
{
    if (t == NULL) return;
    load_end(t);
    lookup_cache_free(t->cache);
    rows_release(&t->rows, t->op->mem);
    rows_release(&t->fresh, t->op->mem);
    for (uint32_t i = 0; t->runs != NULL && i < t->spec.row->child_count; i++) expr_run_free(t->runs[i]);
    expr_run_free(t->condition);
    lookup_finder_free(t->finder);
    batch_free(t->keys);
    sys_parker_free(t->op->sys, t->parker);
    mem_free(t->op->mem, t->runs);
    mem_free(t->op->mem, t);
}

/* --- finding ----------------------------------------------------------------------------------------------------- */
static bool keys_equal(const struct lookup_table *t, const struct batch *in, const uint32_t *cols, uint32_t row,
                       const struct lookup_hit *hit)
{
    for (uint32_t k = 0; k < t->spec.key_count; k++) {
        const struct vector *a = &in->cols[cols[k]], *b = &hit->batch->cols[t->spec.keys[k]];
        bool nulls = vector_is_null(a, row) || vector_is_null(b, hit->row);
        if (nulls && !((t->spec.null_safe >> k) & 1)) return false;
        if (vector_compare(a, row, b, hit->row) != 0) return false;
    }
    return true;
}

bool lookup_table_next(const struct lookup_table *t, const struct batch *in, const uint32_t *cols, uint32_t row,
                       uint64_t hash, uint64_t *cursor, struct lookup_hit *out)
{
    const struct rows *r = &t->rows;
    uint32_t at;

    if (t->cache != NULL) return lookup_cache_next(t->cache, in, cols, row, hash, cursor, out);
    if (r->count == 0) return false;
    for (at = *cursor == 0 ? r->first[(uint32_t)hash & r->mask] : r->next[*cursor]; at != 0; at = r->next[at]) {
        if (r->hashes[at] != hash) continue;
        *out = (struct lookup_hit){r->batches[(at - 1) / BATCH_ROWS], (uint16_t)((at - 1) % BATCH_ROWS)};
        if (!keys_equal(t, in, cols, row, out)) continue;
        *cursor = at;
        return true;
    }
    return false;
}
