/* window_steps.h - a window under rows, watermarks and a clock, one step after another: what comes out is compared as one
 * text, with batches of one row, of two and of many, on the plain backend and on the one that is always pending. */
#pragma once
#include "support/op_driver.h"

struct step {
    const char *rows; /* or NULL */
    int64_t watermark, now;
};

#define STEPS(...)                                                                                                     \
    (const struct step[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }

/* in: the row type; keyed by its column k unless config->all. Ends with the end of the input. */
void steps_expect(const struct op_type *type, const struct window_config *config, const char *in,
                  const struct step *steps, const char *expected);
