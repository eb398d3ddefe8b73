/* job_places.h - where the rows of jobs lie: the paths that a job writes and reads, and whether two paths have something in common.
 * By them a statement finds the jobs that it must wait for. */
#pragma once
#include "control/graph/graph.h"

struct job_places {
    bool ends; /* every source comes to an end */
    uint32_t written_count, read_count;
    const char **written, **read;
};
/* Of a graph whose sinks and sources are connectors. */
void job_places_of(const struct graph *g, struct sys *sys, struct arena *a, struct job_places *out);
/* Where the rows of a table with these options lie: an absolute path, up to its first part that is a pattern; NULL: nowhere that
 * could be written by one and read by another. */
const char *job_place(const char *connector, const struct options *o, struct sys *sys, struct arena *a);
const char *job_place_of_file(const char *path, struct sys *sys, struct arena *a);
/* Is it the same, or does one lie in the other? */
bool job_places_touch(const char *x, const char *y);
