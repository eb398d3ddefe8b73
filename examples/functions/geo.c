/* geo.c - functions for SQL, in C: a distance on the globe, a text for a place, and the middle of many places.
 *
 * Build:  cc -shared -fPIC geo.c $(pkg-config --cflags thalweg) -lm -o geo.so
 * Use:    CREATE FUNCTION distance AS 'geo_distance' LANGUAGE C USING ARTIFACT 'geo.so'; */
#include <thalweg/sql_function.h>

#include <math.h>
#include <stdio.h>

/* --- kilometres between two points, degrees in ------------------------------------------------------------------------------- */
struct distance_args { /* one member for each argument */
    double lat1, lon1, lat2, lon2;
};

static double square_of_sine(double x) { return sin(x) * sin(x); }

static enum tw_status distance(struct tw_call *c, const void *args, void *result)
{
    const double radius_km = 6371.0, to_radians = 3.14159265358979323846 / 180;
    const struct distance_args *a = args;

    if (fabs(a->lat1) > 90 || fabs(a->lat2) > 90) return tw_call_fail(c, "a latitude is beyond a pole");
    double h = square_of_sine((a->lat2 - a->lat1) * to_radians / 2) +
               cos(a->lat1 * to_radians) * cos(a->lat2 * to_radians) * square_of_sine((a->lon2 - a->lon1) * to_radians / 2);
    *(double *)result = 2 * radius_km * asin(sqrt(h));
    return TW_OK;
}
/* A NULL argument makes the result NULL, without a call. */
TW_SQL_FUNCTION(geo_distance) = {
    .kind = TW_SQL_SCALAR,
    .overloads = {{"DOUBLE, DOUBLE, DOUBLE, DOUBLE -> DOUBLE NOT NULL", .run_row = distance}},
};

/* --- 47.5 N 9.7 E; of a ROW as well as of two numbers -------------------------------------------------------------------------- */
struct point {
    double lat, lon;
};

static enum tw_status place(struct tw_call *c, const void *args, void *result)
{
    const struct point *p = args;
    char *text = tw_call_scratch(c, 64); /* lives until the result was copied */
    int size = snprintf(text, 64, "%.1f %c %.1f %c", fabs(p->lat), p->lat < 0 ? 'S' : 'N', fabs(p->lon), p->lon < 0 ? 'W' : 'E');

    *(struct tw_str *)result = (struct tw_str){text, (size_t)size};
    return TW_OK;
}
TW_SQL_FUNCTION(geo_place) = {
    .kind = TW_SQL_SCALAR,
    .overloads = {{"DOUBLE, DOUBLE -> STRING", .run_row = place}, {"ROW<lat DOUBLE, lon DOUBLE> -> STRING", .run_row = place}},
};

/* --- the middle of all points of a group: an aggregate, whose accumulator is state --------------------------------------------------- */
struct middle {
    double lat, lon;
    int64_t points;
};

static void middle_change(void *acc, const void *args, int by)
{
    struct middle *m = acc;
    const struct point *p = args;

    m->lat += by * p->lat;
    m->lon += by * p->lon;
    m->points += by;
}

static enum tw_status middle_add(struct tw_call *c, void *acc, const void *args)
{
    (void)c;
    middle_change(acc, args, 1);
    return TW_OK;
}

/* A row of the group was updated or deleted. */
static enum tw_status middle_take_back(struct tw_call *c, void *acc, const void *args)
{
    (void)c;
    middle_change(acc, args, -1);
    return TW_OK;
}

static enum tw_status middle_value(struct tw_call *c, const void *acc, void *result)
{
    const struct middle *m = acc;

    if (m->points == 0) return tw_result_null(c);
    *(struct point *)result = (struct point){m->lat / (double)m->points, m->lon / (double)m->points};
    return TW_OK;
}
TW_SQL_FUNCTION(geo_middle) = {
    .kind = TW_SQL_AGGREGATE,
    .overloads = {{"DOUBLE, DOUBLE -> ROW<lat DOUBLE, lon DOUBLE>", .accumulator = "DOUBLE, DOUBLE, BIGINT", .accumulate = middle_add,
                   .retract = middle_take_back, .value = middle_value}},
};
