/* fold_config.h - configuration of the operator `fold`. */
#pragma once
#include "flow/operator/row_runs.h"

struct fold_config {
    struct spill_config spill;
};
