/* features.c - what the engine can do by now: the generator uses what a probe shows to work, so it grows with the engine. */
#include "sqlgen.h"

static const char *const probes[FEATURES] = {
    [CAN_CORRELATE] =
        "SELECT c0 FROM (VALUES (1)) AS x (c0) WHERE EXISTS (SELECT 1 FROM (VALUES (1)) AS y (d0) WHERE y.d0 = x.c0)",
    [CAN_SCALAR_QUERY] =
        "SELECT c0 FROM (VALUES (1)) AS x (c0) WHERE c0 = (SELECT MAX(d0) FROM (VALUES (1)) AS y (d0))",
    [CAN_OVER] = "SELECT SUM(c0) OVER (PARTITION BY c1 ORDER BY c0) FROM "
                 "(VALUES (1, 1)) AS x (c0, c1)",
    [CAN_LATERAL] = "SELECT e FROM (VALUES (ARRAY[1, 2])) AS x (c0) CROSS JOIN UNNEST(x.c0) AS u (e)",
};

void features_probe(struct gen *g, struct sql_session *s)
{
    struct answer n;

    for (uint32_t i = 0; i < FEATURES; i++) {
        session_run(s, probes[i], g->a, &n);
        g->can[i] = n.status == S_OK;
    }
}
