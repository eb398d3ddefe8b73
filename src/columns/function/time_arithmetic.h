/* time_arithmetic.h - the operators + - * where times and intervals stand. */
#pragma once
#include "columns/function/fn.h"

/* Binds time + interval, interval + time, time - interval, interval +- interval; false: the arguments are something else. */
bool time_sum_bind(struct fn_call *c, struct arena *a, bool minus);
bool interval_product_bind(struct fn_call *c, struct arena *a); /* interval * number, number * interval */
