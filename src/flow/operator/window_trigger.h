/* window_trigger.h - when a window fires. Built-in triggers are a table of hooks by enum tw_trigger_kind; a custom one calls
 * the user's function. A trigger keeps two numbers per window and asks for timers through the engine. */
#pragma once
#include <thalweg/window.h>

#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

/* State of one window's trigger, inside the window's row. */
struct trigger_state {
    int64_t *count; /* rows since the last firing (count triggers) */
    int64_t *time;  /* next timer (continuous, timeout); 0 = none */
};

/* What a trigger may ask of the engine for the window at hand. */
struct trigger_host {
    void *arg;
    enum status (*timer)(void *arg, int64_t time_ms, bool event_time, bool remove);
    int64_t watermark, now_ms;
    struct tw_context *cx; /* for custom functions */
    const struct window_config *config;
    /* DeltaTrigger: the row at the last firing as a struct (NULL = none yet), and setting it to the current one. */
    const void *last_row;
    enum status (*keep_row)(void *arg);
};

/* Results are enum tw_trigger_result, PurgingTrigger applied. */
enum status trigger_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *result) CHECKED;
enum status trigger_on_timer(const struct trigger_host *h, struct trigger_state s, int64_t time, bool event_time, const struct tw_window *w, int *result) CHECKED;
/* After sessions merged: timers anew for the merged window. */
enum status trigger_on_merge(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w) CHECKED;
enum status trigger_clear(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w) CHECKED;
/* The assigner's own trigger, where the configuration says default. */
enum tw_trigger_kind trigger_kind(const struct window_config *c);
