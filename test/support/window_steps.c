/* window_steps.c - every case six times: three sizes of batches, two backends. */
#include "support/window_steps.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

void steps_expect(const struct op_type *type, const struct window_config *config, const char *in,
                  const struct step *steps, const char *expected)
{
    static const uint32_t sizes[] = {1, 2, 0};
    static const char *const backends[] = {"hashmap", "pending"};

    for (uint32_t i = 0; i < 6; i++) {
        struct op_setup setup = {.type = type,
                                 .config = config,
                                 .in = in,
                                 .keys = config->all ? NULL : "k",
                                 .batch_rows = sizes[i / 2],
                                 .backend = backends[i % 2]};
        struct op_driver *d = op_driver_create(&setup);
        assert_string_equal(op_driver_error(d), "");
        char text[4096] = "";
        for (const struct step *s = steps; s->rows || s->watermark || s->now; s++) {
            if (s->rows)
                op_push(d, 0, s->rows);
            else if (s->now)
                op_set_time(d, s->now);
            else
                op_push_watermark(d, s->watermark);
            strncat(text, op_output(d), sizeof text - strlen(text) - 1);
        }
        op_push_end(d);
        strncat(text, op_output(d), sizeof text - strlen(text) - 1);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(text, expected);
        op_driver_free(d);
    }
}
