/* sql_keys.h - the configuration that SQL reads, by Flink's keys. */
#pragma once
#include "columns/function/fn.h"
#include "control/config.h"
#include "language/plan/settings.h"

extern const struct option_def sql_keys[]; /* ends with key == NULL */
extern const struct option_def sql_accepted_keys[]; /* those that change nothing, and why; ends with key == NULL */
/* What a kind of option cannot say: is it a time zone? E_CONFIG. */
enum status sql_key_check(const char *key, const char *value, struct err *e) CHECKED;
/* The session's part of the configuration, anew. */
void sql_keys_apply(const struct config *c, struct fn_session *s);
struct plan_settings sql_keys_settings(const struct config *c); /* what it says of plans */
