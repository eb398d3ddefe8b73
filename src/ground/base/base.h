/* base.h - fixed-width types, assertions that stay on in release, and a few universal macros; nothing else. */
#pragma once
#include "ground/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ALIGN_UP(n, a) (((n) + (a) - 1) / (a) * (a))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Ends the process with file, line, expression and a stack of return addresses. Our bug: recovery is the cluster's. */
_Noreturn void assert_failed(const char *expression, const char *file, int line);

/* On in every build. In data-path code: once per batch, not per row. */
#define ASSERT(x) (LIKELY(x) ? (void)0 : assert_failed(#x, __FILE__, __LINE__))
/* Per-row checks: on in sanitizer and debug builds only. */
#ifdef THALWEG_DEBUG
#define ASSERT_ROW(x) ASSERT(x)
#else
#define ASSERT_ROW(x) ((void)0)
#endif

/* A view of bytes; owns nothing. */
struct str {
    const char *data;
    size_t size;
};
