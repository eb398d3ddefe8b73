/* user_internal.h - what the user_*.c files ask of each other. */
#pragma once
#include "flow/operator/user.h"

/* user_derive.c: order[f] = which key column field f of the key's row type is: by name when every field is named like a
 * key column, else by position. */
enum status user_key_order(const struct tw_row *row, const struct type *key_type, uint32_t *order, struct err *e) CHECKED;

/* user_state.c: states that fn->states declares. begin may answer S_PENDING. */
enum status user_states_open(struct tw_context *cx) CHECKED;
void user_states_close(struct tw_context *cx);
enum status user_states_begin(struct tw_context *cx, const struct state_keys *keys) CHECKED;
void user_states_end(struct tw_context *cx);

/* user_collections.c: may this callback write that state? Else it is a misuse. */
bool user_may_write(struct tw_context *cx, const struct tw_state *decl);

/* user_timer.c: timers of a keyed function with on_timer. */
enum status user_timers_open(struct tw_context *cx) CHECKED;
void user_timers_close(struct tw_context *cx);
void user_timers_wake(struct tw_context *cx); /* asks for on_time when the next processing-time timer is due */

/* user_count.c: accumulators go to the job when the operator closes, however. */
void user_counters_close(struct tw_context *cx); /* what it counted is added to the job's */
