/* rel_internal.h - what the files share that make nodes. */
#pragma once
#include "language/plan/rel.h"

extern const struct rel_type rel_calc_type, rel_scan_type;
extern const char rel_hint_appends[];       /* what works on windows takes rows that are only added */
void rel_hint_event_time(struct err *e); /* windows of processing time are not taken */
int rel_distribution(const struct rel *r, uint32_t input, const uint32_t **cols); /* as the type says; -1: any */
/* node_values.c: rows of constants as a source of the job. */
enum status values_lower(const struct type *row, const struct values_body *v, const char *name, struct lowering *l, uint32_t *node,
                         struct err *e) CHECKED;
bool rel_lies_by(const struct rel *r, const uint32_t *cols, uint32_t count); /* as the type says; count 0: false */
/* Takes a Calc that is the input into `c`, whose input is then that one's; false: c stays as it is. */
bool calc_merge(struct arena *a, struct rel **input, struct calc_body *c);
bool rel_condition_fails(const struct expr *x); /* whatever the row is; NULL never does */
/* The one row that an aggregate without keys has over an input that is_empty; NULL: it is not that, or not known. */
struct rel *aggregate_over_nothing(struct arena *a, const struct rel *aggregate);
void rel_derive(struct rel *r, struct arena *a); /* what follows from inputs and body */
struct rel *rel_over_inputs(struct arena *a, const struct rel *r, struct rel *const *inputs, bool at_end); /* the same node over others */
/* Of a scan that has not all columns of its table: its columns over all of them. NULL: it is none. */
struct expr **scan_columns(const struct rel *r, struct arena *a);
/* The scan, told of a condition that is asked of its rows later on; r itself when it can do nothing with it. */
struct rel *scan_told(struct arena *a, struct rel *r, struct expr *x);
/* The same of rows that get their watermarks behind it: those that are left come in the order of their times. */
struct rel *scan_told_early(struct arena *a, struct rel *r, struct expr *x, const struct expr *time);
bool scan_equal(const struct rel *x, const struct rel *y); /* the same rows */
bool scan_skips_fields(const struct rel *r); /* can its source leave out fields of nested rows? */
/* Does the table come to an end, as far as its connector knows? What is wrong with its options is said when the scan is lowered. */
bool scan_is_bounded(const struct table *t);
bool scan_reads_metadata(const struct rel *r); /* of any node: is it a scan of columns that are not in the connector's records? */
const struct rel *source_below(const struct rel *r); /* of the first input each */
bool normalize_is_needed(const struct rel *r); /* of a ChangelogNormalize, once it is known what is asked of it */
void source_derive(struct rel *r, uint8_t changes); /* of a source that brings such changes: enum changes */
/* The hooks of Calc, which AsyncCalc shares. */
struct logical;
void calc_derive(struct rel *r, struct arena *a);
bool calc_wants_before(const struct rel *r, uint32_t input);
bool calc_takes_keys(const struct rel *r, uint32_t input);
bool calc_lies_by(const struct rel *r, const uint32_t *cols, uint32_t count);
const char *calc_advise(const struct rel *r, const struct plan_settings *s, struct arena *a);
void calc_explain(const struct rel *r, struct buf *out);
void calc_logical(const struct rel *r, struct logical *l);
struct rel *rel_of_calc(struct arena *a, const struct rel_type *type, const struct type *row, struct rel *input, const struct calc_body *body);
/* A Calc whose expressions call functions that wait, as AsyncCalc with plain ones around. */
struct rel *calc_async(struct arena *a, struct rel *input, const struct calc_body *body, const char *const *names);
/* Each row once per element of a list that such a function makes: the list is a column of an AsyncCalc below. */
struct rel *correlate_async(struct arena *a, struct rel *input, const struct correlate_body *body);
/* The hooks of Sort, which TemporalSort shares. */
int sort_distribution(const struct rel *r, uint32_t input, const uint32_t **cols);
void sort_logical(const struct rel *r, struct logical *l);
struct expr *calc_and(struct arena *a, struct expr *first, struct expr *second); /* of conditions, NULL: none */
