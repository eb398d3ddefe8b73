/* metrics.c - a list of measures behind a lock, and their values in atomics outside of it.
 *
 * The lock guards registration and reading; changing a value takes none. Measures are
 * never removed, so handles stay valid for as long as the registry. Readers see them sorted: by whom they were made first
 * depends on threads.
 *
 * A meter's rate is what came since its oldest sample within a minute, by time; without samples since it was made. As in
 * Flink a histogram describes a window of its latest values; percentiles are interpolated between neighbours as there. */
#include "flow/task/metrics.h"

#include <math.h>
#include <string.h>

struct sample {
    int64_t at_ns;
    uint64_t count;
};

struct metric {
    enum metric_kind kind;
    struct metric_owner owner;
    const char *name;
    struct sys_atomic_u64 count;           /* int64_t; histograms: values that there were */
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

/* --- registering ------------------------------------------------------------------------------------------------------- */
static int place_compare(const struct metric *x, const struct metric_owner *o, const char *name)
{
    int order = strcmp(x->owner.operator_name, o->operator_name);

    if (order == 0) order = strcmp(x->owner.uid, o->uid);
    if (order == 0) order = x->owner.subtask < o->subtask ? -1 : x->owner.subtask > o->subtask;
    return order != 0 ? order : strcmp(x->name, name);
}

/* Where the measure is, or would be. */
static uint32_t place_of(const struct metrics *m, const struct metric_owner *o, const char *name)
{
    uint32_t low = 0, high = m->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (place_compare(m->items[middle], o, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t count_of(const struct metrics *m, const struct metric_owner *o)
{
    struct metric_owner next = *o;

    next.subtask++;
    return place_of(m, &next, "") - place_of(m, o, "");
}

static const char *text_copy(struct metrics *m, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(&m->mem, size);

    memcpy(copy, text, size);
    return copy;
}

static struct metric *make(struct metrics *m, uint32_t at, const struct metric_owner *o, const char *name,
                           enum metric_kind kind)
{
    struct metric *x = mem_zalloc(&m->mem, sizeof *x);

    x->kind = kind;
    x->owner = (struct metric_owner){text_copy(m, o->operator_name), text_copy(m, o->uid), o->subtask};
    x->name = text_copy(m, name);
    if (kind == METRIC_HISTOGRAM) x->window = mem_zalloc(&m->mem, sizeof *x->window * METRIC_WINDOW);
    if (kind == METRIC_METER) x->samples[x->sample_count++] = (struct sample){sys_mono_ns(m->sys), 0};
    if (m->count == m->capacity) {
        m->capacity = MAX(16, m->capacity * 2);
        m->items = mem_realloc(&m->mem, m->items, sizeof(struct metric *) * m->capacity);
    }
    memmove(m->items + at + 1, m->items + at, sizeof(struct metric *) * (m->count - at));
    m->items[at] = x;
    m->count++;
    return x;
}

static struct metric *get(struct metrics *m, const struct metric_owner *o, const char *name, enum metric_kind kind,
                          struct err *e)
{
    static const char *const kinds[] = {"a counter", "a gauge", "a meter", "a histogram"};
    uint32_t at = place_of(m, o, name);

    if (at < m->count && place_compare(m->items[at], o, name) == 0) {
        if (m->items[at]->kind == kind) return m->items[at];
        err_set(e, E_USER, "metric '%s' is %s and cannot be %s too", name, kinds[m->items[at]->kind], kinds[kind]);
        return NULL;
    }
    if (m->count >= METRICS_MAX || count_of(m, o) >= METRICS_SUBTASK_MAX) {
        err_set(e, E_USER, "metric '%.64s': at most %d of a subtask and %d of a job", name, METRICS_SUBTASK_MAX,
                METRICS_MAX);
        return NULL;
    }
    return make(m, at, o, name, kind);
}

struct metric *metrics_get(struct metrics *m, const struct metric_owner *owner, const char *name, enum metric_kind kind,
                           struct err *e)
{
    ASSERT(m && owner->operator_name && owner->uid && name);
    if (name[0] == '\0' || strlen(name) > METRIC_NAME_MAX) {
        err_set(e, E_USER, "metric '%.64s': a name of 1 to %d bytes, groups included", name, METRIC_NAME_MAX);
        return NULL;
    }
    sys_lock_take(m->lock);
    struct metric *x = get(m, owner, name, kind, e);
    sys_lock_give(m->lock);
    return x;
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

/* --- meters -------------------------------------------------------------------------------------------------------------- */
void metrics_sample(struct metrics *m)
{
    int64_t now = sys_mono_ns(m->sys);

    if (now - m->sampled_ns < METRIC_SAMPLE_MS * INT64_C(1000000)) return;
    m->sampled_ns = now;
    sys_lock_take(m->lock);
    for (uint32_t i = 0; i < m->count; i++) {
        struct metric *x = m->items[i];
        if (x->kind != METRIC_METER) continue;
        x->samples[x->sample_count++ % METRIC_SAMPLES] = (struct sample){now, sys_atomic_load(&x->count)};
    }
    sys_lock_give(m->lock);
}

void metrics_stop(struct metrics *m)
{
    sys_lock_take(m->lock);
    m->stopped_ns = sys_mono_ns(m->sys);
    sys_lock_give(m->lock);
}

static double rate_of(const struct metric *x, int64_t now_ns)
{
    uint32_t oldest = x->sample_count <= METRIC_SAMPLES ? 0 : x->sample_count % METRIC_SAMPLES;
    const struct sample *from = &x->samples[oldest];

    if (now_ns <= from->at_ns) return 0;
    return (double)(int64_t)(sys_atomic_load(&x->count) - from->count) / ((double)(now_ns - from->at_ns) / 1e9);
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
static void view(const struct metric *x, int64_t now_ns, struct metric_view *out)
{
    uint64_t bits = sys_atomic_load(&x->value);

    *out = (struct metric_view){.operator_name = x->owner.operator_name,
                                .name = x->name,
                                .subtask = x->owner.subtask,
                                .kind = x->kind,
                                .count = (int64_t)sys_atomic_load(&x->count)};
    switch (x->kind) {
    case METRIC_COUNTER: out->value = (double)out->count; break;
    case METRIC_GAUGE: memcpy(&out->value, &bits, sizeof bits); break;
    case METRIC_METER: out->value = rate_of(x, now_ns); break;
    case METRIC_HISTOGRAM: describe(x, out); break;
    }
}

uint32_t metrics_count(struct metrics *m)
{
    sys_lock_take(m->lock);
    uint32_t count = m->count;
    sys_lock_give(m->lock);
    return count;
}

bool metrics_view(struct metrics *m, uint32_t index, struct metric_view *out)
{
    sys_lock_take(m->lock);
    bool is_there = index < m->count;
    if (is_there) view(m->items[index], m->stopped_ns > 0 ? m->stopped_ns : sys_mono_ns(m->sys), out);
    sys_lock_give(m->lock);
    return is_there;
}
