/* user_events.h - what the tests of functions with state share: rows of a user, a number and a word; one scenario on each backend
 * with batches of one row, of three and whole; a function that counts and remembers. */
#pragma once
#include "support/op_driver.h"

#include <thalweg/context.h>

struct event {
    struct tw_str user;
    int64_t n;
    struct tw_str what;
};
TW_ROW(event, TW_FIELD(event, user, "STRING NOT NULL"), TW_FIELD(event, n, "BIGINT NOT NULL"),
       TW_FIELD(event, what, "STRING NOT NULL"));
struct result {
    struct tw_str user;
    int64_t n;
    struct tw_str text;
};
TW_ROW(result, TW_FIELD(result, user, "STRING NOT NULL"), TW_FIELD(result, n, "BIGINT NOT NULL"),
       TW_FIELD(result, text, "STRING NOT NULL"));
struct user {
    struct tw_str user;
};
TW_ROW(user, TW_FIELD(user, user, "STRING NOT NULL"));
#define EVENTS "ROW<n BIGINT, user STRING, what STRING>"

/* Called for every batch size and backend. */
typedef void (*scenario)(struct op_driver *d);
extern const uint32_t events_sizes[3];
void events_run(const char *operator, const struct tw_function *f, const char *in2, const char *keys2, scenario s);
/* A result of the current key. */
void events_emit(struct tw_context *cx, int64_t n, const char *text);

/* A .process: counts the key's rows in count_state, and keeps the last two words in last_state. */
struct last {
    int32_t n;
    struct tw_str what, before;
    bool even;
};
extern const struct tw_state count_state, last_state;
enum tw_status events_count(struct tw_context *cx, const void *in);
