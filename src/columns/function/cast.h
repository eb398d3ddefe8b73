/* cast.h - the kernels of CAST, by what they take and make; fn_cast.c chooses among them. */
#pragma once
#include "columns/function/fn_kernels.h"
#include "ground/base/err.h"

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
/* Keeps the session's offset for casts between TIMESTAMP_LTZ and what has no zone. */
enum status cast_zone_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e) CHECKED;
