/* sys_crash.c - names of the moments at which a process may die, for those who show them. */
#include "ground/sys/sys_crash.h"

static const struct {
    const char *name, *side, *doc;
} points[] = {
    {"none", "", "nowhere"},
#define CRASH_POINT(name, side, doc) {#name, side, doc},
    CRASH_POINTS(CRASH_POINT)
#undef CRASH_POINT
};

const char *sys_crash_name(enum sys_crash_point at) { return points[at].name; }
const char *sys_crash_side(enum sys_crash_point at) { return points[at].side; }
const char *sys_crash_doc(enum sys_crash_point at) { return points[at].doc; }
