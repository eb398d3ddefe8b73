/* round_time.h - FLOOR(time TO unit) and CEIL(time TO unit). */
#pragma once
#include "columns/function/time_values.h"

/* Binds when the first argument is a date, time or timestamp; *done says so. E_GRAPH: there is no unit, or no such unit. */
enum status round_time_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, bool up, bool *done,
                            struct err *e) CHECKED;
