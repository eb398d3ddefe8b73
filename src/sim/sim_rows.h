/* sim_rows.h - the rows that most jobs run on: a key, a number, a time, all functions of the row's place. */
#pragma once
#include "sim/sim.h"

struct sim_event {
    int64_t key, number, time;
};
TW_ROW(sim_event, TW_FIELD(sim_event, key, "BIGINT NOT NULL"), TW_FIELD(sim_event, number, "BIGINT NOT NULL"),
       TW_FIELD(sim_event, time, "TIMESTAMP(3) NOT NULL"));

enum { SIM_EVENTS = 240, SIM_KEYS = 7 };

/* Times rise by 500 ms, and every fifth row is 2 s behind: disorder that never makes a row late within 3 s.
 * A watermark ends a batch, so these are few. */
static inline struct tw_stream *sim_events(struct tw_env *env)
{
    struct sim_event rows[SIM_EVENTS];

    for (int64_t i = 0; i < SIM_EVENTS; i++)
        rows[i] = (struct sim_event){(i * 31 + i / 9) % SIM_KEYS, i * 17 % 101, i * 500 - (i % 5 == 0 ? 2000 : 0) + 10000};
    return tw_with_watermarks(tw_from_data(env, &sim_event_row, rows, SIM_EVENTS), .kind = TW_WM_BOUNDED,
                              .out_of_orderness_ms = 3000, .time_field = "time", .every_rows = 20);
}
