/* state_builder.h - state made from rows, without an operator: for savepoints that a program writes. */
#pragma once
#include "flow/state/snapshot.h"

struct state_builder;
struct sys;
/* Of one operator, all its key groups. sys gives the time of rows that have one to live. */
struct state_builder *state_builder_create(uint32_t max_parallelism, struct sys *sys);
void state_builder_free(struct state_builder *b); /* NULL is a no-op */
/* A table for rows of `def`, which outlives the builder; *row is T_ROW of its columns: those of the key, of the map key, of the value, then
 * the engine's own, which may be left zero. The same name again gives the same table. */
enum status state_builder_table(struct state_builder *b, const struct state_def *def, struct state_table **out, const struct type **row,
                                struct err *e) CHECKED;
/* Puts in rows of that type. Of a state that has one row per key (or map key) the last one stays. */
enum status state_builder_put(struct state_builder *b, struct state_table *t, const struct batch *rows, struct err *e) CHECKED;
/* All of it as chunks, each handed to `give`. */
enum status state_builder_save(struct state_builder *b, enum status (*give)(void *arg, struct str chunk, struct err *e), void *arg,
                               struct err *e) CHECKED;
