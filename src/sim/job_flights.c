/* job_flights.c - the main job, examples/flights.c, on flights that are made up here: rows in the order of arrival, some so late
 * that their week fires again, and some too late even for that. What the job would print is compared as rows. */
#include "sim/sim_rows.h"

#include <stdio.h>
#include <string.h>

enum { FLIGHTS = 1200, AIRPORTS = 9 };

extern const struct tw_plugin flights_plugin;

static bool prepare(struct sys *sys, struct err *e)
{
    static const char *const airports[AIRPORTS] = {"ATL", "BOS", "DEN", "HOU", "JFK", "LAX", "MIA", "OAK", "SEA"};
    struct sys_file *f;
    char line[96] = "scheduled,delay,distance,origin,destination\n";

    if (sys_dir_make(sys, "examples/data", e) != S_OK) return false;
    if (sys_file_open(sys, "examples/data/flights.csv", SYS_WRITE | SYS_CREATE, &f, e) != S_OK) return false;
    for (int i = 0; i <= FLIGHTS; i++) {
        if (sys_file_write(sys, f, line, strlen(line), e) != S_OK) return false;
        int delay = i % 3 == 0 ? 60 + i * 7 % 250 : i * 7 % 25 - 5; /* by so much the timetable is behind the arrival */
        int minutes = i * 23 + 300 - delay, day = minutes / 1440;
        snprintf(line, sizeof line, "2001-01-%02d %02d:%02d:00,%d,%d,%s,%s\n", day + 1, minutes / 60 % 24, minutes % 60,
                 delay, 100 + i % 900, airports[(i + i / 9) % AIRPORTS], airports[(i + 4) % AIRPORTS]);
    }
    sys_file_close(sys, f);
    return true;
}

const struct sim_job job_flights = {.name = "flights",
                                    .doc = "the main job: the worst airports of each week",
                                    .compare = SIM_ANY_ORDER,
                                    .prepare = prepare,
                                    .plugin = &flights_plugin};
