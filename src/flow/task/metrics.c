/* metrics.c - a list of measures behind a lock, and their values in atomics outside of it.
 *
 * The lock guards registration and reading; changing a value takes none. Only measures of splits are removed, by whom they
 * belong to; other handles are valid for as long as the registry. Readers see them sorted: by whom they were made first
 * depends on threads. Owners (scopes) stay, so that texts of one are valid although its measures come and go.
 *
 * A meter's rate is what came since its oldest sample within a minute, by time; without samples since it was made. As in
 * Flink a histogram describes a window of its latest values; percentiles are interpolated between neighbours as there.
 *
 * A timer is one word, so that readers see it whole while it is switched: what it ran, less when it was started, and whether
 * it runs. */
#include "flow/task/metrics.h"

#include <math.h>
#include <string.h>

struct sample {
    int64_t at_ns;
    uint64_t count;
};

/* A subtask of an operator. */
struct scope {
    const char *operator_name, *uid;
    uint32_t subtask;
    uint32_t count; /* its measures, those of splits not counted */
    const struct option *variables;
    uint32_t variable_count;
};

struct metric {
    enum metric_kind kind;
    bool is_timer;
    struct scope *scope;
    const struct option *variables; /* the scope's, or more */
    uint32_t variable_count;
    char *name;
    struct metric *total;                  /* timers: the gauge that shows how long they ran in all */
    const struct metric *total_of;         /* and that one's timer */
    struct sys_atomic_u64 count;           /* int64_t; histograms: values that there were; timers: see timer_ns */
    struct sys_atomic_u64 value;           /* bits of a double: gauges */
    struct sample samples[METRIC_SAMPLES]; /* meters, by the reader's lock: a ring */
    uint32_t sample_count;
    struct sys_atomic_u64 *window; /* histograms: METRIC_WINDOW of them, written round and round */
};

struct metrics {
    struct sys *sys;
    struct sys_lock *lock;
    struct mem mem;
    struct metric **items; /* sorted */
    uint32_t count, capacity;
    struct scope **scopes; /* sorted */
    uint32_t scope_count, scope_capacity;
    int64_t sampled_ns, stopped_ns; /* 0 = not stopped */
};

struct metrics *metrics_create(struct sys *sys)
{
    struct mem mem;
    mem_init(&mem, "metrics", 0);
    struct metrics *m = mem_zalloc(&mem, sizeof *m);

    mem_init(&m->mem, "metrics", 0);
    mem_move(&mem, &m->mem);
    m->sys = sys;
    m->sampled_ns = sys_mono_ns(sys);
    m->lock = sys_lock_create(sys);
    return m;
}

void metrics_free(struct metrics *m)
{
    struct mem mem;

    if (m == NULL) return;
    sys_lock_free(m->sys, m->lock);
    mem_init(&mem, "metrics", 0);
    mem_move(&m->mem, &mem);
    mem_release(&mem);
}

/* What time it was, just before: to ask for it may make a thread give way, which must not happen with the lock held. */
static int64_t lock(struct metrics *m)
{
    int64_t now_ns = sys_mono_ns(m->sys);

    sys_lock_take(m->lock);
    return now_ns;
}

/* --- whose ---------------------------------------------------------------------------------------------------------------- */
static int owner_compare(const struct scope *s, const char *operator_name, const char *uid, uint32_t subtask)
{
    int order = strcmp(s->operator_name, operator_name);

    if (order == 0) order = strcmp(s->uid, uid);
    return order != 0 ? order : s->subtask < subtask ? -1 : s->subtask > subtask;
}

static char *text_copy(struct metrics *m, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(&m->mem, size);

    memcpy(copy, text, size);
    return copy;
}

/* Room for one more pointer at `at`. */
static void *inserted(struct metrics *m, void *items, uint32_t at, uint32_t *count, uint32_t *capacity)
{
    void **all = items;

    if (*count == *capacity) {
        *capacity = MAX(16, *capacity * 2);
        all = mem_realloc(&m->mem, all, sizeof(void *) * *capacity);
    }
    memmove(all + at + 1, all + at, sizeof(void *) * (*count - at));
    ++*count;
    return all;
}

/* One variable more, or a new value for one that is there. */
static void variable_put(struct metrics *m, struct option *all, uint32_t *count, const char *key, const char *value)
{
    uint32_t at = 0;

    while (at < *count && strcmp(all[at].key, key) != 0) at++;
    if (at == *count) all[(*count)++].key = text_copy(m, key);
    all[at].value = text_copy(m, value);
}

static void variables_put(struct metrics *m, struct option *all, uint32_t *count, const struct options *more)
{
    for (uint32_t i = 0; more != NULL && i < more->count; i++)
        variable_put(m, all, count, more->items[i].key, more->items[i].value);
}

static uint32_t count_of(const struct options *o) { return o != NULL ? o->count : 0; }

static void variables_make(struct metrics *m, struct scope *s, const struct metric_owner *o)
{
    struct option *all = mem_zalloc(&m->mem, sizeof *all * (count_of(o->task_variables) + 2 + count_of(o->user_variables)));

    variables_put(m, all, &s->variable_count, o->task_variables);
    variable_put(m, all, &s->variable_count, "<operator_id>", s->uid);
    variable_put(m, all, &s->variable_count, "<operator_name>", s->operator_name);
    variables_put(m, all, &s->variable_count, o->user_variables);
    s->variables = all;
}

static struct scope *scope_of(struct metrics *m, const struct metric_owner *o)
{
    uint32_t low = 0, high = m->scope_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (owner_compare(m->scopes[middle], o->operator_name, o->uid, o->subtask) < 0) low = middle + 1;
        else high = middle;
    }
    if (low < m->scope_count && owner_compare(m->scopes[low], o->operator_name, o->uid, o->subtask) == 0)
        return m->scopes[low];
    struct scope *s = mem_zalloc(&m->mem, sizeof *s);
    *s = (struct scope){.operator_name = text_copy(m, o->operator_name), .uid = text_copy(m, o->uid), .subtask = o->subtask};
    variables_make(m, s, o);
    m->scopes = inserted(m, m->scopes, low, &m->scope_count, &m->scope_capacity);
    m->scopes[low] = s;
    return s;
}

/* --- registering ------------------------------------------------------------------------------------------------------- */
/* Where the measure is, or would be. */
static uint32_t place_of(const struct metrics *m, const char *operator_name, const char *uid, uint32_t subtask,
                         const char *name)
{
    uint32_t low = 0, high = m->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = owner_compare(m->items[middle]->scope, operator_name, uid, subtask);
        if (order == 0) order = strcmp(m->items[middle]->name, name);
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool is_at(const struct metrics *m, uint32_t at, const char *operator_name, const char *uid, uint32_t subtask,
                  const char *name)
{
    return at < m->count && owner_compare(m->items[at]->scope, operator_name, uid, subtask) == 0 &&
           strcmp(m->items[at]->name, name) == 0;
}

static void group_variables_make(struct metrics *m, struct metric *x, const struct options *more)
{
    const struct scope *s = x->scope;
    struct option *all;

    x->variables = s->variables;
    x->variable_count = s->variable_count;
    if (count_of(more) == 0) return;
    all = mem_zalloc(&m->mem, sizeof *all * (s->variable_count + more->count));
    if (s->variable_count > 0) memcpy(all, s->variables, sizeof *all * s->variable_count);
    variables_put(m, all, &x->variable_count, more);
    x->variables = all;
}

static struct metric *make(struct metrics *m, uint32_t at, struct scope *scope, const char *name, enum metric_kind kind,
                           int64_t now_ns)
{
    struct metric *x = mem_zalloc(&m->mem, sizeof *x);

    x->kind = kind;
    x->scope = scope;
    x->variables = scope->variables;
    x->variable_count = scope->variable_count;
    x->name = text_copy(m, name);
    if (kind == METRIC_HISTOGRAM) x->window = mem_zalloc(&m->mem, sizeof *x->window * METRIC_WINDOW);
    x->samples[x->sample_count++] = (struct sample){now_ns, 0};
    m->items = inserted(m, m->items, at, &m->count, &m->capacity);
    m->items[at] = x;
    return x;
}

static struct metric *get(struct metrics *m, const struct metric_owner *o, const char *name, enum metric_kind kind,
                          int64_t now_ns, struct err *e)
{
    static const char *const kinds[] = {"a counter", "a gauge", "a meter", "a histogram"};
    uint32_t at = place_of(m, o->operator_name, o->uid, o->subtask, name);

    if (is_at(m, at, o->operator_name, o->uid, o->subtask, name)) {
        if (m->items[at]->kind == kind) return m->items[at];
        err_set(e, E_USER, "metric '%s' is %s and cannot be %s too", name, kinds[m->items[at]->kind], kinds[kind]);
        return NULL;
    }
    struct scope *scope = scope_of(m, o);
    if (m->count >= METRICS_MAX || scope->count >= METRICS_SUBTASK_MAX) {
        err_set(e, E_USER, "metric '%.64s': at most %d of a subtask and %d of a job", name, METRICS_SUBTASK_MAX,
                METRICS_MAX);
        return NULL;
    }
    scope->count++;
    struct metric *x = make(m, at, scope, name, kind, now_ns);
    group_variables_make(m, x, o->group_variables);
    return x;
}

static bool is_name(const char *name, struct err *e)
{
    if (name[0] != '\0' && strlen(name) <= METRIC_NAME_MAX) return true;
    err_set(e, E_USER, "metric '%.64s': a name of 1 to %d bytes, groups included", name, METRIC_NAME_MAX);
    return false;
}

struct metric *metrics_get(struct metrics *m, const struct metric_owner *owner, const char *name, enum metric_kind kind,
                           struct err *e)
{
    ASSERT(m && owner->operator_name && owner->uid && name);
    if (!is_name(name, e)) return NULL;
    /* only meters begin with a sample; an enumerator, which holds a lock, makes a gauge */
    int64_t now_ns = kind == METRIC_METER ? sys_mono_ns(m->sys) : 0;
    sys_lock_take(m->lock);
    struct metric *x = get(m, owner, name, kind, now_ns, e);
    sys_lock_give(m->lock);
    return x;
}

/* --- measures of splits: they come and go ------------------------------------------------------------------------------------ */
static struct metric *split_gauge(struct metrics *m, const struct metric_owner *o, const char *name, int64_t now_ns,
                                  struct err *e)
{
    uint32_t at = place_of(m, o->operator_name, o->uid, o->subtask, name);

    if (!is_name(name, e)) return NULL;
    if (m->count < METRICS_MAX && !is_at(m, at, o->operator_name, o->uid, o->subtask, name))
        return make(m, at, scope_of(m, o), name, METRIC_GAUGE, now_ns);
    err_set(e, E_USER, "metric '%.64s': the name is taken, or there are more than %d of the job", name, METRICS_MAX);
    return NULL;
}

static void remove_one(struct metrics *m, struct metric *x)
{
    const struct scope *s = x->scope;
    uint32_t at = place_of(m, s->operator_name, s->uid, s->subtask, x->name);

    ASSERT(at < m->count && m->items[at] == x && x->variables == s->variables);
    m->count--;
    memmove(m->items + at, m->items + at + 1, sizeof(struct metric *) * (m->count - at));
    mem_free(&m->mem, x->name);
    mem_free(&m->mem, x);
}

struct metric *metrics_split_gauge(struct metrics *m, const struct metric_owner *owner, const char *name, struct err *e)
{
    int64_t now_ns = lock(m);
    struct metric *x = split_gauge(m, owner, name, now_ns, e);
    sys_lock_give(m->lock);
    return x;
}

struct metric *metrics_timer(struct metrics *m, const struct metric_owner *owner, const char *name,
                             const char *total_name, struct err *e)
{
    int64_t now_ns = lock(m);
    struct metric *x = split_gauge(m, owner, name, now_ns, e),
                  *total = x != NULL ? split_gauge(m, owner, total_name, now_ns, e) : NULL;
    if (total != NULL) {
        x->is_timer = true;
        x->total = total;
        total->total_of = x;
    } else if (x != NULL) {
        remove_one(m, x);
        x = NULL;
    }
    sys_lock_give(m->lock);
    return x;
}

void metrics_remove(struct metrics *m, struct metric *x)
{
    if (x == NULL) return;
    sys_lock_take(m->lock);
    if (x->total != NULL) remove_one(m, x->total);
    remove_one(m, x);
    sys_lock_give(m->lock);
}

/* --- changing ------------------------------------------------------------------------------------------------------------ */
enum metric_kind metric_kind(const struct metric *x) { return x->kind; }

void metric_add(struct metric *x, int64_t n)
{
    ASSERT(x->kind == METRIC_COUNTER || x->kind == METRIC_METER);
    sys_atomic_add(&x->count, (uint64_t)n);
}

void metric_set(struct metric *x, double value)
{
    uint64_t bits;

    ASSERT(x->kind == METRIC_GAUGE);
    memcpy(&bits, &value, sizeof bits);
    sys_atomic_store(&x->value, bits);
}

void metric_update(struct metric *x, int64_t value)
{
    ASSERT(x->kind == METRIC_HISTOGRAM);
    sys_atomic_store(&x->window[sys_atomic_add(&x->count, 1) % METRIC_WINDOW], (uint64_t)value);
}

/* --- timers -------------------------------------------------------------------------------------------------------------- */
enum { TIMER_RUNS = 1 };

/* What it ran by then. */
static int64_t timer_ns(const struct metric *x, int64_t now_ns)
{
    int64_t word = (int64_t)sys_atomic_load(&x->count);

    return (word >> 1) + (word & TIMER_RUNS ? now_ns : 0);
}

void metric_start(struct metric *x, int64_t now_ns)
{
    ASSERT(x->is_timer && (sys_atomic_load(&x->count) & TIMER_RUNS) == 0);
    sys_atomic_store(&x->count, (uint64_t)(timer_ns(x, 0) - now_ns) << 1 | TIMER_RUNS);
}

void metric_stop(struct metric *x, int64_t now_ns)
{
    ASSERT(x->is_timer && (sys_atomic_load(&x->count) & TIMER_RUNS) != 0);
    sys_atomic_store(&x->count, (uint64_t)timer_ns(x, now_ns) << 1);
}

/* --- meters -------------------------------------------------------------------------------------------------------------- */
static uint64_t amount_of(const struct metric *x, int64_t now_ns)
{
    return x->is_timer ? (uint64_t)timer_ns(x, now_ns) : sys_atomic_load(&x->count);
}

void metrics_sample(struct metrics *m)
{
    int64_t now = sys_mono_ns(m->sys);

    if (now - m->sampled_ns < METRIC_SAMPLE_MS * INT64_C(1000000)) return;
    m->sampled_ns = now;
    sys_lock_take(m->lock);
    for (uint32_t i = 0; i < m->count; i++) {
        struct metric *x = m->items[i];
        if (x->kind != METRIC_METER && !x->is_timer) continue;
        x->samples[x->sample_count++ % METRIC_SAMPLES] = (struct sample){now, amount_of(x, now)};
    }
    sys_lock_give(m->lock);
}

void metrics_stop(struct metrics *m)
{
    m->stopped_ns = lock(m);
    sys_lock_give(m->lock);
}

static double rate_of(const struct metric *x, int64_t now_ns)
{
    uint32_t oldest = x->sample_count <= METRIC_SAMPLES ? 0 : x->sample_count % METRIC_SAMPLES;
    const struct sample *from = &x->samples[oldest];

    if (now_ns <= from->at_ns) return 0;
    return (double)(int64_t)(amount_of(x, now_ns) - from->count) / ((double)(now_ns - from->at_ns) / 1e9);
}

/* --- histograms ---------------------------------------------------------------------------------------------------------- */
static void sift_down(int64_t *v, uint32_t root, uint32_t count)
{
    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && v[child + 1] > v[child]) child++;
        if (v[root] >= v[child]) return;
        int64_t swap = v[root];
        v[root] = v[child];
        v[child] = swap;
    }
}

static void values_sort(int64_t *v, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;) sift_down(v, i, count);
    for (uint32_t end = count; end-- > 1;) {
        int64_t swap = v[0];
        v[0] = v[end];
        v[end] = swap;
        sift_down(v, 0, end);
    }
}

/* The value at rank p * (n + 1), between its neighbours by their distance. */
static double percentile(const int64_t *v, uint32_t n, double p)
{
    double rank = p * (n + 1), low = floor(rank);

    if (rank < 1) return (double)v[0];
    if (rank >= n) return (double)v[n - 1];
    uint32_t at = (uint32_t)low;
    return (double)v[at - 1] + (rank - low) * ((double)v[at] - (double)v[at - 1]);
}

static void describe(const struct metric *x, struct metric_view *out)
{
    int64_t v[METRIC_WINDOW];
    uint32_t n = (uint32_t)MIN((uint64_t)out->count, METRIC_WINDOW);
    double sum = 0, squares = 0;

    out->values = n;
    if (n == 0) return;
    for (uint32_t i = 0; i < n; i++) {
        v[i] = (int64_t)sys_atomic_load(&x->window[i]);
        sum += (double)v[i];
    }
    values_sort(v, n);
    out->mean = sum / n;
    for (uint32_t i = 0; i < n; i++) squares += ((double)v[i] - out->mean) * ((double)v[i] - out->mean);
    out->stddev = n > 1 ? sqrt(squares / (n - 1)) : 0;
    out->min = v[0];
    out->max = v[n - 1];
    out->p50 = percentile(v, n, 0.5);
    out->p75 = percentile(v, n, 0.75);
    out->p95 = percentile(v, n, 0.95);
    out->p98 = percentile(v, n, 0.98);
    out->p99 = percentile(v, n, 0.99);
    out->p999 = percentile(v, n, 0.999);
}

/* --- reading -------------------------------------------------------------------------------------------------------------- */
static double gauge_value(const struct metric *x, int64_t now_ns)
{
    uint64_t bits = sys_atomic_load(&x->value);
    double value;

    if (x->is_timer) return MIN(1000, rate_of(x, now_ns) / 1e6); /* ns per second */
    if (x->total_of != NULL) return (double)(timer_ns(x->total_of, now_ns) / 1000000);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void view(const struct metric *x, int64_t now_ns, struct metric_view *out)
{
    *out = (struct metric_view){.operator_name = x->scope->operator_name,
                                .subtask = x->scope->subtask,
                                .variables = x->variables,
                                .variable_count = x->variable_count,
                                .kind = x->kind,
                                .count = x->is_timer ? 0 : (int64_t)sys_atomic_load(&x->count)};
    memcpy(out->name, x->name, strlen(x->name) + 1);
    switch (x->kind) {
    case METRIC_COUNTER: out->value = (double)out->count; break;
    case METRIC_GAUGE: out->value = gauge_value(x, now_ns); break;
    case METRIC_METER: out->value = rate_of(x, now_ns); break;
    case METRIC_HISTOGRAM: describe(x, out); break;
    }
}

static int64_t now_of(const struct metrics *m, int64_t now_ns) { return m->stopped_ns > 0 ? m->stopped_ns : now_ns; }

uint32_t metrics_count(struct metrics *m)
{
    sys_lock_take(m->lock);
    uint32_t count = m->count;
    sys_lock_give(m->lock);
    return count;
}

bool metrics_view(struct metrics *m, uint32_t index, struct metric_view *out)
{
    int64_t now_ns = lock(m);
    bool is_there = index < m->count;
    if (is_there) view(m->items[index], now_of(m, now_ns), out);
    sys_lock_give(m->lock);
    return is_there;
}

bool metrics_find(struct metrics *m, const char *operator_name, uint32_t subtask, const char *name,
                  struct metric_view *out)
{
    bool is_found = false;

    int64_t now_ns = lock(m);
    for (uint32_t at = place_of(m, operator_name, "", 0, "");
         !is_found && at < m->count && strcmp(m->items[at]->scope->operator_name, operator_name) == 0;) {
        const char *uid = m->items[at]->scope->uid;
        uint32_t there = place_of(m, operator_name, uid, subtask, name);
        is_found = is_at(m, there, operator_name, uid, subtask, name);
        if (is_found) view(m->items[there], now_of(m, now_ns), out);
        at = place_of(m, operator_name, uid, UINT32_MAX, ""); /* the next operator of that name */
    }
    sys_lock_give(m->lock);
    return is_found;
}
