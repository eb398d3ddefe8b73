/* accumulators.h - named sums of a job: what tw_counter_add and friends count. Every function instance has a set of its
 * own, which is merged by name into the job's when the instance closes; copies of it are shown before that. A set belongs
 * to one thread; whoever shares one locks around it. */
#pragma once
#include "ground/base/buf.h"
#include "ground/base/err.h"
#include "ground/base/mem.h"

enum accumulator_kind {
    ACC_COUNTER,
    ACC_DOUBLE,
    ACC_AVERAGE,
    ACC_HISTOGRAM,
    ACC_LEAST,
    ACC_GREATEST,
    ACC_LEAST_DOUBLE,
    ACC_GREATEST_DOUBLE,
};
enum {
    ACCUMULATORS_MAX = 1024,
    ACC_NAME_MAX = 256,
    HISTOGRAM_MAX = 65536,
    HISTOGRAM_COPIED = 256, /* see accumulators_follow */
};

struct histogram_entry {
    int32_t value;
    int64_t count;
};

struct accumulator {
    const char *name;      /* owned by the set */
    enum accumulator_kind kind;
    int64_t count;         /* COUNTER: the sum; AVERAGE: how many; LEAST, GREATEST: the value */
    double sum;            /* DOUBLE, AVERAGE: the sum; LEAST_DOUBLE, GREATEST_DOUBLE: the value */
    bool has_value;        /* LEAST... GREATEST_DOUBLE: there is one */
    struct histogram_entry *entries; /* HISTOGRAM: ascending by value */
    uint32_t entry_count, entry_capacity;
    uint64_t additions;    /* HISTOGRAM: calls of accumulator_histogram_add */
};

struct accumulators {
    struct mem *mem;
    struct accumulator *items; /* in order of first use */
    uint32_t count, capacity;
};

/* What one function instance counts. */
struct shown_counts;
struct instance_counts {
    struct accumulators set;
    struct shown_counts *shown; /* see job_counts_show */
    bool changed;               /* since it was shown */
    struct instance_counts *next;        /* of its operator */
};

void accumulators_init(struct accumulators *a, struct mem *mem);
void accumulators_release(struct accumulators *a);
/* The one of that name, made when it is new. NULL with the reason in e: another kind has the name, or the set is full. */
struct accumulator *accumulators_get(struct accumulators *a, const char *name, enum accumulator_kind kind, struct err *e);
const struct accumulator *accumulators_find(const struct accumulators *a, const char *name); /* NULL when absent */
/* Adds n times `value`; E_OVERFLOW when there are too many different values. */
enum status accumulator_histogram_add(struct accumulators *a, struct accumulator *h, int32_t value, int64_t n) CHECKED;
/* Is that less, or greater, than what there was? NaN wins, as in Java. */
void accumulator_long_see(struct accumulator *acc, int64_t value);
void accumulator_double_see(struct accumulator *acc, double value);
/* Adds everything in `from`: counters and sums add, as do averages and histograms entry by entry. */
enum status accumulators_merge(struct accumulators *into, const struct accumulators *from, struct err *e) CHECKED;
/* Only what has that name; nothing when there is none. */
enum status accumulators_merge_one(struct accumulators *into, const struct accumulators *from, const char *name,
                                   struct err *e) CHECKED;
/* All of a set as bytes, and added to another one; reading takes any bytes: E_DATA. */
void accumulators_encode(const struct accumulators *a, struct buf *out);
enum status accumulators_decode(struct str bytes, struct accumulators *into, struct err *e) CHECKED;
/* Makes `copy` what `from` is now; it was empty or a copy of `from` before. Costs a few words for each: a histogram of more
 * than HISTOGRAM_COPIED values is copied again only after as many additions as it has values. */
void accumulators_follow(struct accumulators *copy, const struct accumulators *from);
/* COUNTER and DOUBLE: the sum; LEAST... GREATEST_DOUBLE: the value; AVERAGE: the mean (NaN of nothing); HISTOGRAM: how many were added. */
double accumulator_double(const struct accumulator *acc);
