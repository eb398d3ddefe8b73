/* agg_keep.h - what aggregates share whose values are kept (agg.h): one word, which is the keeper's. */
#pragma once
#include "columns/function/agg.h"
#include "columns/function/nested.h"

enum { AGG_KEEP_WORDS = 1 };

/* Result: the argument's type. */
static inline enum status agg_keep_bind(struct agg *a, struct arena *arena)
{
    a->words = AGG_KEEP_WORDS;
    a->keep = a->type->keep;
    a->result = type_with_null(arena, a->argument, true);
    return S_OK;
}

/* Takes a list that is being made: what nested.h wants to know of where it lies. */
static inline struct fn_run agg_list_run(const struct agg_place *to) { return (struct fn_run){.heap = to->heap, .mem = to->mem}; }
