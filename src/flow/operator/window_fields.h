/* window_fields.h - the config_fields of struct window_config, shared by the operators that make windows. */
#pragma once
#include "flow/operator/op_configs.h"

extern const struct config_field window_config_fields[];

/* Refuses what no window operator can run: sizes that are not positive, a slide without size, sessions without a gap. */
enum status window_config_check(const struct window_config *w, struct err *e) CHECKED;
