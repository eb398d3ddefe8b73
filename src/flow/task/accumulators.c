/* accumulators.c - named sums, found by name in a short list: a function has a handful of them. Counters wrap as Java's
 * long does. A histogram is a sorted array of (value, count), as Flink's TreeMap shows it. */
#include "flow/task/accumulators.h"

#include "ground/base/str.h"

#include <string.h>

static const char *const kind_names[] = {[ACC_COUNTER] = "a counter", [ACC_DOUBLE] = "a double", [ACC_AVERAGE] = "an average",
    [ACC_HISTOGRAM] = "a histogram", [ACC_LEAST] = "a minimum", [ACC_GREATEST] = "a maximum",
    [ACC_LEAST_DOUBLE] = "a minimum of doubles", [ACC_GREATEST_DOUBLE] = "a maximum of doubles"};

void accumulators_init(struct accumulators *a, struct mem *mem) { *a = (struct accumulators){.mem = mem}; }

void accumulators_release(struct accumulators *a)
{
    for (uint32_t i = 0; i < a->count; i++) {
        mem_free(a->mem, (char *)(uintptr_t)a->items[i].name);
        mem_free(a->mem, a->items[i].entries);
    }
    mem_free(a->mem, a->items);
    *a = (struct accumulators){.mem = a->mem};
}

const struct accumulator *accumulators_find(const struct accumulators *a, const char *name)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].name, name) == 0) return &a->items[i];
    return NULL;
}

static struct accumulator *add(struct accumulators *a, const char *name, enum accumulator_kind kind)
{
    size_t size = strlen(name) + 1;
    char *copy = mem_alloc(a->mem, size);

    memcpy(copy, name, size);
    if (a->count == a->capacity) {
        a->capacity = a->capacity ? a->capacity * 2 : 4;
        a->items = mem_realloc(a->mem, a->items, a->capacity * sizeof *a->items);
    }
    a->items[a->count] = (struct accumulator){.name = copy, .kind = kind};
    return &a->items[a->count++];
}

struct accumulator *accumulators_get(struct accumulators *a, const char *name, enum accumulator_kind kind, struct err *e)
{
    struct accumulator *found;

    ASSERT(a->mem && name);
    found = (struct accumulator *)(uintptr_t)accumulators_find(a, name);
    if (found && found->kind == kind) return found;
    if (found) {
        err_set(e, E_USER, "accumulator '%s' is %s and cannot be %s too", name, kind_names[found->kind], kind_names[kind]);
        return NULL;
    }
    if (a->count >= ACCUMULATORS_MAX || strlen(name) > ACC_NAME_MAX) {
        err_set(e, E_USER, "accumulator '%.64s': at most %d of them, with names of at most %d bytes", name, ACCUMULATORS_MAX, ACC_NAME_MAX);
        return NULL;
    }
    return add(a, name, kind);
}

enum status accumulator_histogram_add(struct accumulators *a, struct accumulator *h, int32_t value, int64_t n)
{
    uint32_t low = 0, high = h->entry_count;

    ASSERT(h->kind == ACC_HISTOGRAM);
    h->additions++;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (h->entries[middle].value < value) low = middle + 1;
        else high = middle;
    }
    if (low < h->entry_count && h->entries[low].value == value) {
        h->entries[low].count += n;
        return S_OK;
    }
    if (h->entry_count == HISTOGRAM_MAX) return E_OVERFLOW;
    if (h->entry_count == h->entry_capacity) {
        h->entry_capacity = h->entry_capacity ? h->entry_capacity * 2 : 16;
        h->entries = mem_realloc(a->mem, h->entries, h->entry_capacity * sizeof *h->entries);
    }
    memmove(&h->entries[low + 1], &h->entries[low], (h->entry_count - low) * sizeof *h->entries);
    h->entries[low] = (struct histogram_entry){value, n};
    h->entry_count++;
    return S_OK;
}

void accumulator_long_see(struct accumulator *acc, int64_t value)
{
    ASSERT(acc->kind == ACC_LEAST || acc->kind == ACC_GREATEST);
    if (!acc->has_value || (acc->kind == ACC_LEAST ? value < acc->count : value > acc->count)) acc->count = value;
    acc->has_value = true;
}

void accumulator_double_see(struct accumulator *acc, double value)
{
    ASSERT(acc->kind == ACC_LEAST_DOUBLE || acc->kind == ACC_GREATEST_DOUBLE);
    bool wins = value != value || (acc->kind == ACC_LEAST_DOUBLE ? value < acc->sum : value > acc->sum);
    if (!acc->has_value || wins) acc->sum = value;
    acc->has_value = true;
}

static void sums_merge(struct accumulator *to, const struct accumulator *from)
{
    switch (from->kind) {
    case ACC_LEAST:
    case ACC_GREATEST:
        if (from->has_value) accumulator_long_see(to, from->count);
        break;
    case ACC_LEAST_DOUBLE:
    case ACC_GREATEST_DOUBLE:
        if (from->has_value) accumulator_double_see(to, from->sum);
        break;
    default:
        to->count = (int64_t)((uint64_t)to->count + (uint64_t)from->count);
        to->sum += from->sum;
    }
}

static enum status merge(struct accumulators *into, const struct accumulator *f, struct err *e)
{
    struct accumulator *to = accumulators_get(into, f->name, f->kind, e);

    if (to == NULL) return E_USER;
    sums_merge(to, f);
    for (uint32_t k = 0; k < f->entry_count; k++) {
        if (accumulator_histogram_add(into, to, f->entries[k].value, f->entries[k].count) == S_OK) continue;
        return err_set(e, E_OVERFLOW, "histogram '%s' has more than %d different values", f->name, HISTOGRAM_MAX);
    }
    return S_OK;
}

enum status accumulators_merge(struct accumulators *into, const struct accumulators *from, struct err *e)
{
    for (uint32_t i = 0; i < from->count; i++) TRY(merge(into, &from->items[i], e));
    return S_OK;
}

enum status accumulators_merge_one(struct accumulators *into, const struct accumulators *from, const char *name,
                                   struct err *e)
{
    const struct accumulator *f = accumulators_find(from, name);

    return f != NULL ? merge(into, f, e) : S_OK;
}

static void entries_follow(struct accumulators *copy, struct accumulator *to, const struct accumulator *from)
{
    uint64_t behind = from->additions - to->additions;

    if (behind == 0 || (from->entry_count > HISTOGRAM_COPIED && behind < from->entry_count)) return;
    if (to->entry_capacity < from->entry_count) {
        to->entry_capacity = from->entry_capacity;
        to->entries = mem_realloc(copy->mem, to->entries, to->entry_capacity * sizeof *to->entries);
    }
    memcpy(to->entries, from->entries, from->entry_count * sizeof *to->entries);
    to->entry_count = from->entry_count;
    to->additions = from->additions;
}

void accumulators_follow(struct accumulators *copy, const struct accumulators *from)
{
    ASSERT(copy->count <= from->count);
    for (uint32_t i = 0; i < from->count; i++) {
        const struct accumulator *f = &from->items[i];
        struct accumulator *to = i < copy->count ? &copy->items[i] : add(copy, f->name, f->kind);
        to->count = f->count;
        to->sum = f->sum;
        to->has_value = f->has_value;
        if (f->kind == ACC_HISTOGRAM) entries_follow(copy, to, f);
    }
}

double accumulator_double(const struct accumulator *acc)
{
    switch (acc->kind) {
    case ACC_COUNTER:
    case ACC_LEAST:
    case ACC_GREATEST: return (double)acc->count;
    case ACC_DOUBLE:
    case ACC_LEAST_DOUBLE:
    case ACC_GREATEST_DOUBLE: return acc->sum;
    case ACC_AVERAGE: return acc->sum / (double)acc->count;
    case ACC_HISTOGRAM: break;
    }
    double all = 0;
    for (uint32_t i = 0; i < acc->entry_count; i++) all += (double)acc->entries[i].count;
    return all;
}
