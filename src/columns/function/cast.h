/* cast.h - the kernels of CAST, by what they take and make; fn_cast.c chooses among them. */
#pragma once
#include "columns/function/time_values.h"

void cast_null(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_same(const struct fn_run *r, const struct vector *const *args, struct vector *out); /* equal layout */
/* cast_number.c; BOOLEAN counts as an integer */
void cast_int_to_int(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_int_to_real(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_real_to_int(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_real_to_real(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_decimal_to_int(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_decimal_to_real(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_to_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out); /* of every number */
void cast_to_boolean(const struct fn_run *r, const struct vector *const *args, struct vector *out); /* of every number */
/* cast_text.c */
void cast_to_text(const struct fn_run *r, const struct vector *const *args, struct vector *out); /* of everything; state: struct buf */
void cast_text_to_text(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_bytes_to_text(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_text_to_int(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_text_to_real(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_text_to_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_text_to_boolean(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_text_to_date(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_text_to_time(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_text_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out);
/* cast_time.c */
void cast_date_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_time_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_stamp_to_date(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_stamp_to_time(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_stamp_to_stamp(const struct fn_run *r, const struct vector *const *args, struct vector *out);
/* The plan of every cast: the session's zone, and what it does to times. */
struct cast_zone {
    struct zone zone;
    bool to_local, to_instant;
};
static inline int64_t cast_zone_apply(const struct cast_zone *z, int64_t ms)
{
    return z->to_local ? zone_to_local_ms(&z->zone, ms) : z->to_instant ? zone_to_utc_ms(&z->zone, ms) : ms;
}
enum status cast_zone_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e) CHECKED;

/* cast_nested.c */
struct nested_state;
/* What a CAST keeps per evaluator. */
struct cast_state {
    struct buf text; /* first: kernels that make text take the state for it */
    struct nested_state *nested;
};
void cast_row_to_row(const struct fn_run *r, const struct vector *const *args, struct vector *out);
void cast_list_to_list(const struct fn_run *r, const struct vector *const *args, struct vector *out);
/* The casts of the parts become the plan; the result's parts are nullable where they must be. */
enum status cast_nested_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e) CHECKED;
struct nested_state *cast_nested_open(const struct fn_call *c, struct mem *mem);
void cast_nested_close(struct nested_state *s, struct mem *mem);
