/* batch_join_rel.h - joins of batch mode, by algorithm: what batch_join.c chooses and node_hash_join.c and its neighbours are. */
#pragma once
#include "language/plan/join_rel.h"

extern const struct rel_type rel_hash_join_type, rel_nested_loop_join_type, rel_sort_merge_join_type;

struct batch_join_body {
    struct join_body join;
    uint8_t build;      /* the side that is kept, and read first; not of sorting */
    bool is_broadcast;  /* all its rows go to each task, those of the other side stay where they are */
    bool is_single_row; /* it has one at most */
};

/* The join of these inputs, none of which changes rows, by the algorithm that hints, disabled operators and sizes say. E_UNSUPPORTED in
 * Flink's words: all that could do it are disabled. */
enum status batch_join(struct arena *a, const struct rel *join, struct rel *const *inputs, const struct plan_settings *s,
                       struct rel **out, struct err *e) CHECKED;

/* The same of a join of windows: start and end of the window are keys as others are, since nothing is late. */
enum status batch_window_join(struct arena *a, const struct rel *join, struct rel *const *inputs, const struct plan_settings *s,
                              struct rel **out, struct err *e) CHECKED;

/* What they share. */
void batch_join_derive(struct rel *r, struct arena *a);
int batch_join_distribution(const struct rel *r, uint32_t input, const uint32_t **cols); /* by keys, or broadcast */
/* Operator `join` that keeps one side. by_keys: equal keys are looked up, not compared. */
enum status batch_join_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, bool by_keys, uint32_t *node);
/* An edge for rows of an input: as the distribution says, with the names of the keys. */
void batch_join_edge(struct lowering *l, const struct rel *r, uint32_t from, uint32_t to, uint32_t input, bool by_keys);
