/* user_states.h - the declared states of a function, for the files that read and write them. Internal to user_*.c.
 * open structs: hot path. */
#pragma once
#include "flow/operator/user.h"
#include "flow/operator/user_internal.h"
#include "flow/operator/user_value.h"

struct user_state {
    const struct tw_state *decl;
    struct view *view;       /* keyed kinds */
    struct opstate *opstate; /* the others */
    struct user_home home;
    struct user_value value, key; /* key: maps */
    const struct state_layout *layout, *key_layout;
    void *probe_value, *probe_key; /* rows outside any table, to be appended or looked up */
    char *accumulator, *result;    /* reducing, aggregating: C values */
    /* Where the latest walk over a list or map stands: entry number `step` comes next. */
    struct view_cursor cursor;
    uint32_t step, walk_key;
    bool walking;
    uint32_t place; /* with user_states.places: of a BIGINT value in those rows; USER_NO_PLACE: another kind of state */
};
enum { USER_NO_PLACE = UINT32_MAX };

struct user_states {
    struct views *views;
    struct views *window_views; /* of the key and the window: states that say per_window */
    struct user_state items[TW_STATES_MAX];
    uint32_t count;
    uint32_t current; /* index of the key that the views know; UINT32_MAX = none */
    void *const *places; /* values lie in these rows, by key (views_begin_in); NULL: in tables */
    struct arena scratch;
    struct state_host *own;  /* for operator state of unkeyed operators */
    struct batch *each_keys; /* tw_each_key: the keys at hand; NULL until it is called */
    void **each_rows;
};

#define USER_KIND(k) (1u << (k))

/* user_state.c. NULL after a misuse: the job will fail. now: of one of the kinds, with the current key set; `call` is what
 * the user called, for messages. */
struct user_state *user_state_find(struct tw_context *cx, const struct tw_state *decl);
struct user_state *user_state_now(struct tw_context *cx, const struct tw_state *decl, uint32_t kinds, const char *call);
/* Keeps a failure of the state, as a misuse is kept; S_OK does nothing. */
void user_state_failed(struct tw_context *cx, const struct user_state *s, enum status st);
void user_state_store(struct tw_context *cx, struct user_state *s, void *row, const void *value);
/* A row outside any table, for the next call on the state; NULL after a misuse. */
const void *user_state_probe(struct tw_context *cx, struct user_state *s, const void *value);
const void *user_state_probe_key(struct tw_context *cx, struct user_state *s, const void *key);

static inline void user_state_load(struct tw_context *cx, const struct user_state *s, const void *row, void *value)
{
    user_value_load(&s->value, s->layout, &s->home, row, value, &cx->loaded);
}
