/* async.c - functions that wait for something outside: of one row, of whole columns, of tables; calls that must be under way at the
 * same time, that fail once, that fail always, that take too long. */
#include <thalweg/sql_function.h>

#include <pthread.h>
#include <string.h>
#include <time.h>

static enum tw_status shout(struct tw_call *c, const void *args, void *result)
{
    struct tw_str s = *(const struct tw_str *)args;
    char *text = tw_call_scratch(c, s.size + 1);

    memcpy(text, s.data, s.size);
    text[s.size] = '!';
    *(struct tw_str *)result = (struct tw_str){text, s.size + 1};
    return TW_OK;
}
TW_SQL_FUNCTION(async_shout) = {
    .kind = TW_SQL_SCALAR, .flags = TW_SQL_ASYNC, .overloads = {{"STRING -> STRING", .run_row = shout}}};

static enum tw_status twice(struct tw_call *c)
{
    struct tw_arg_column x = tw_column_arg(c, 0);
    const int64_t *in = x.values;
    int64_t *out = tw_column_result(c);

    for (uint32_t i = 0; i < tw_column_size(c); i++) out[i] = 2 * in[x.is_constant ? 0 : i];
    return TW_OK;
}
TW_SQL_FUNCTION(async_twice) = {
    .kind = TW_SQL_SCALAR, .flags = TW_SQL_ASYNC, .overloads = {{"BIGINT -> BIGINT", .run_batch = twice}}};

/* Comes back when another call is under way: calls one after the other would wait for ever, so they give up after a while. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static uint64_t arrivals;

static enum tw_status meet(struct tw_call *c, const void *args, void *result)
{
    struct timespec until;
    int waited = 0;

    (void)c;
    (void)args;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&lock);
    uint64_t mine = arrivals++, partner = mine % 2 == 0 ? mine + 2 : mine + 1;
    pthread_cond_broadcast(&came);
    while (arrivals < partner && waited == 0) waited = pthread_cond_timedwait(&came, &lock, &until);
    pthread_mutex_unlock(&lock);
    *(bool *)result = waited == 0;
    return TW_OK;
}
TW_SQL_FUNCTION(async_meet) = {.kind = TW_SQL_SCALAR,
                               .flags = TW_SQL_ASYNC | TW_SQL_NOT_DETERMINISTIC,
                               .overloads = {{"INT -> BOOLEAN", .run_row = meet}}};

/* The first attempt of an instance fails, and every second one behind it. */
static enum tw_status flaky(struct tw_call *c, const void *args, void *result)
{
    uint32_t *attempts = tw_call_self(c);

    if ((*attempts)++ % 2 == 0) return tw_call_fail(c, "no answer for %d", *(const int32_t *)args);
    *(int32_t *)result = *(const int32_t *)args + 1;
    return TW_OK;
}
TW_SQL_FUNCTION(async_flaky) = {.kind = TW_SQL_SCALAR,
                                .flags = TW_SQL_ASYNC,
                                .self_size = sizeof(uint32_t),
                                .overloads = {{"INT -> INT", .run_row = flaky}}};

static enum tw_status broken(struct tw_call *c, const void *args, void *result)
{
    (void)result;
    return tw_call_fail(c, "nobody knows %d", *(const int32_t *)args);
}
TW_SQL_FUNCTION(async_broken) = {
    .kind = TW_SQL_SCALAR, .flags = TW_SQL_ASYNC, .overloads = {{"INT -> INT", .run_row = broken}}};

static enum tw_status late(struct tw_call *c, const void *args, void *result)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};

    (void)c;
    nanosleep(&pause, NULL);
    *(int32_t *)result = *(const int32_t *)args;
    return TW_OK;
}
TW_SQL_FUNCTION(async_late) = {
    .kind = TW_SQL_SCALAR, .flags = TW_SQL_ASYNC, .overloads = {{"INT -> INT", .run_row = late}}};

/* Each letter with its place. */
struct letter {
    struct tw_str text;
    int32_t place;
};

static enum tw_status letters(struct tw_call *c, const void *args)
{
    struct tw_str s = *(const struct tw_str *)args;

    for (uint32_t i = 0; i < s.size; i++) tw_call_emit(c, &(struct letter){{s.data + i, 1}, (int32_t)i + 1});
    return TW_OK;
}
TW_SQL_FUNCTION(async_letters) = {.kind = TW_SQL_TABLE,
                                  .flags = TW_SQL_ASYNC,
                                  .overloads = {{"STRING -> ROW<text STRING, place INT NOT NULL>", .rows = letters}}};
