/* utf8_check.h - is it UTF-8, and where not. */
#pragma once
#include "ground/base/base.h"

/* Index of the first byte of data[0..size) that begins no valid character (overlong forms and surrogates are invalid);
 * size when all is well. Text that is mostly ASCII goes 32 bytes at a time. */
size_t utf8_bad_at(const char *data, size_t size);
