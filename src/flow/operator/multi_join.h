/* multi_join.h - the configuration of the operator `multi_join`, which plans of SQL fill. Keys are those of its edges: columns of each
 * input that are equal in all rows that meet. Lists have an item per input; what the first one's say of its join is not asked. */
#pragma once
#include "flow/operator/op.h"

struct multi_join_config {
    struct text_list names;    /* of the columns of all inputs, in their order: each once */
    struct text_list kinds;    /* how rows of the inputs before meet this one's: inner, left */
    struct text_list asks;     /* "true": there is a condition besides */
    struct str conditions;     /* those, expr_encode one after the other, over all columns */
    struct text_list required; /* inputs that must have a row, bit i of a number being input i */
    struct text_list appends;  /* "true": nothing but +I comes */
    struct text_list ttl_ms;   /* 0: for ever */
    const char *zone;          /* the session's */
    bool emit_before;          /* -U rows are needed; else they are -D */
    bool drop_before;          /* nor are those: +U takes their place by a key */
};
