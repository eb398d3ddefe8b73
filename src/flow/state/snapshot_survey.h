/* snapshot_survey.h - what chunks of saved state hold, told without the operator that wrote them: for whoever looks at a checkpoint or
 * savepoint. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/buf.h"
#include "ground/base/err.h"

struct survey_column {
    const char *role, *name, *type; /* role: "key", "value", ... (docs/formats/state_chunk.md) */
};

/* One state of an operator, over all subtasks that were surveyed. */
struct survey_state {
    struct survey_state *next; /* in the order in which they are written */
    const char *name;
    const char *kind;  /* "keyed", "list", "union list", "broadcast", "timers" */
    const char *shape; /* "MAP", ...; timers: "" */
    int64_t ttl_ms;    /* 0: rows stay */
    uint64_t keys;     /* as the writers counted them; 0 of timers and operator state */
    uint64_t rows;     /* timers: how many */
    uint64_t bytes;    /* as they lie in the chunks, with headers and descriptions */
    struct survey_column *columns;
    uint32_t column_count;
    uint32_t subtask;                  /* whose keys were counted last, from 1 */
    const struct state_schema *schema; /* that of the first chunk */
};

struct state_survey {
    struct arena *arena; /* of all that is told */
    struct survey_state *first, **last;
    uint32_t count;
};

void state_survey_begin(struct state_survey *s, struct arena *arena);
/* One more chunk, of any bytes; chunks of a subtask come one behind the other. E_DATA with the place in the chunk: it is damaged, or
 * speaks of a state otherwise than the chunks before. */
enum status state_survey_add(struct state_survey *s, uint32_t subtask, struct str chunk, struct err *e) CHECKED;
/* The schema as a line: "(k BIGINT) -> (v STRING)". */
void survey_schema_text(const struct survey_state *state, struct buf *out);
