/* lookups.c - tables that functions answer for: of one key, of two, in any order of columns; at once and later; keys that come to have
 * rows only when they are asked for again; that fail, that take too long, that answer in another order than they were asked. */
#include <thalweg/sql_function.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct customer {
    int32_t id;
    struct tw_str name;
    int32_t least;
};

static struct tw_str text(const char *s) { return (struct tw_str){s, (uint32_t)strlen(s)}; }

/* Keys 1 to 4: 2 has two rows, 3 has none. */
static void put_customer(struct tw_call *c, int32_t id)
{
    static const char *const names[] = {"one", "two", "three", "four"};

    if (id < 1 || id > 4 || id == 3) return;
    tw_call_emit(c, &(struct customer){id, text(names[id - 1]), id * 10});
    if (id == 2) tw_call_emit(c, &(struct customer){id, text("two again"), 5});
}

static enum tw_status find(struct tw_call *c, const void *args)
{
    put_customer(c, *(const int32_t *)args);
    return TW_OK;
}
#define CUSTOMER "INT -> ROW<id INT, name STRING, least INT>"
TW_SQL_FUNCTION(lookup_customer) = {.kind = TW_SQL_TABLE, .overloads = {{CUSTOMER, .rows = find}}};

/* Odd keys take longer. */
static enum tw_status find_later(struct tw_call *c, const void *args)
{
    int32_t id = *(const int32_t *)args;
    const struct timespec pause = {.tv_nsec = id % 2 == 1 ? 20 * 1000 * 1000 : 0};

    nanosleep(&pause, NULL);
    put_customer(c, id);
    return TW_OK;
}
TW_SQL_FUNCTION(lookup_customer_later) = {.kind = TW_SQL_TABLE, .flags = TW_SQL_ASYNC, .overloads = {{CUSTOMER, .rows = find_later}}};

/* Customers of two regions, by region and id: the region is the first argument and the last column. */
struct regional {
    int32_t id;
    struct tw_str name, region;
};
struct region_and_id {
    struct tw_str region;
    int32_t id;
};

static enum tw_status find_regional(struct tw_call *c, const void *args)
{
    const struct region_and_id *a = args;
    char *name = tw_call_scratch(c, a->region.size + 16);

    if (a->id > 3) return TW_OK;
    int n = snprintf(name, a->region.size + 16, "%.*s-%d", (int)a->region.size, a->region.data, a->id);
    tw_call_emit(c, &(struct regional){a->id, {name, (uint32_t)n}, a->region});
    return TW_OK;
}
#define REGIONAL "STRING, INT -> ROW<id INT, name STRING, region STRING>"
TW_SQL_FUNCTION(lookup_regional) = {.kind = TW_SQL_TABLE, .overloads = {{REGIONAL, .rows = find_regional}}};
TW_SQL_FUNCTION(lookup_regional_later) = {.kind = TW_SQL_TABLE, .flags = TW_SQL_ASYNC, .overloads = {{REGIONAL, .rows = find_regional}}};

/* How often each key was asked for, by all instances: the row says it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int32_t asked[1000];

static int32_t ask(int32_t id)
{
    pthread_mutex_lock(&lock);
    int32_t n = ++asked[id % 1000];
    pthread_mutex_unlock(&lock);
    return n;
}

/* Each key has a row when it is asked for the third time. */
static enum tw_status find_at_last(struct tw_call *c, const void *args)
{
    int32_t id = *(const int32_t *)args;

    if (ask(id) % 3 == 0) tw_call_emit(c, &(struct customer){id, text("at last"), 3});
    return TW_OK;
}
TW_SQL_FUNCTION(lookup_at_last) = {.kind = TW_SQL_TABLE, .overloads = {{CUSTOMER, .rows = find_at_last}}};
TW_SQL_FUNCTION(lookup_at_last_later) = {.kind = TW_SQL_TABLE, .flags = TW_SQL_ASYNC, .overloads = {{CUSTOMER, .rows = find_at_last}}};

/* The first attempt of each key fails. */
static enum tw_status find_flaky(struct tw_call *c, const void *args)
{
    int32_t id = *(const int32_t *)args;

    if (ask(500 + id) % 2 == 1) return tw_call_fail(c, "nobody answers for %d", id);
    put_customer(c, id);
    return TW_OK;
}
TW_SQL_FUNCTION(lookup_flaky) = {.kind = TW_SQL_TABLE, .overloads = {{CUSTOMER, .rows = find_flaky}}};
TW_SQL_FUNCTION(lookup_flaky_later) = {.kind = TW_SQL_TABLE, .flags = TW_SQL_ASYNC, .overloads = {{CUSTOMER, .rows = find_flaky}}};

static enum tw_status find_broken(struct tw_call *c, const void *args)
{
    return tw_call_fail(c, "no way to ask for %d", *(const int32_t *)args);
}
TW_SQL_FUNCTION(lookup_broken) = {.kind = TW_SQL_TABLE, .overloads = {{CUSTOMER, .rows = find_broken}}};
TW_SQL_FUNCTION(lookup_broken_later) = {.kind = TW_SQL_TABLE, .flags = TW_SQL_ASYNC, .overloads = {{CUSTOMER, .rows = find_broken}}};

static enum tw_status find_too_late(struct tw_call *c, const void *args)
{
    const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};

    nanosleep(&pause, NULL);
    return find(c, args);
}
TW_SQL_FUNCTION(lookup_too_late) = {.kind = TW_SQL_TABLE, .flags = TW_SQL_ASYNC, .overloads = {{CUSTOMER, .rows = find_too_late}}};

/* Many rows of a key: 0, 1, .., key - 1. */
struct numbered {
    int32_t id, number;
};

static enum tw_status find_many(struct tw_call *c, const void *args)
{
    int32_t id = *(const int32_t *)args;

    for (int32_t i = 0; i < id; i++) tw_call_emit(c, &(struct numbered){id, i});
    return TW_OK;
}
TW_SQL_FUNCTION(lookup_many) = {.kind = TW_SQL_TABLE, .overloads = {{"INT -> ROW<id INT, number INT>", .rows = find_many}}};
TW_SQL_FUNCTION(lookup_many_later) = {
    .kind = TW_SQL_TABLE, .flags = TW_SQL_ASYNC, .overloads = {{"INT -> ROW<id INT, number INT>", .rows = find_many}}};

/* A row whose name is NULL. */
struct unnamed {
    int32_t id;
    struct tw_str name;
    uint64_t nulls;
};
TW_ROW(unnamed, TW_FIELD(unnamed, id, "INT"), TW_FIELD(unnamed, name, "STRING"), TW_NULLS(unnamed, nulls));

static enum tw_status find_unnamed(struct tw_call *c, const void *args)
{
    tw_call_emit(c, &(struct unnamed){.id = *(const int32_t *)args, .nulls = 2});
    return TW_OK;
}
TW_SQL_FUNCTION(lookup_unnamed) = {
    .kind = TW_SQL_TABLE, .overloads = {{"INT -> ROW", .row = &unnamed_row, .rows = find_unnamed}}};

/* Rows that are one value. */
static enum tw_status find_text(struct tw_call *c, const void *args)
{
    tw_call_emit(c, args);
    return TW_OK;
}
TW_SQL_FUNCTION(lookup_text) = {.kind = TW_SQL_TABLE, .overloads = {{"STRING -> STRING", .rows = find_text}}};
