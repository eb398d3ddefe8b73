/* err.h - what went wrong, where, why and what to do. Last parameter of every control-plane call.
 *
 * The first error wins: err_set on an error that is already set keeps the older text. Callers add context with
 * err_wrap, outermost last, which prints as "outer: inner". An err may be NULL where nobody wants the text. */
#pragma once
#include "ground/base/base.h"

enum { ERR_TEXT_MAX = 2048, ERR_HINT_MAX = 512, ERR_EXCERPT_MAX = 512 };

struct err {
    enum status status;
    char text[ERR_TEXT_MAX];
    char hint[ERR_HINT_MAX]; /* what to do; may be empty */
    char excerpt[ERR_EXCERPT_MAX]; /* the line of the user's that is wrong, and below it a caret; may be empty */
};

/* Sets status and text (printf style) unless set already; returns st, so that `return err_set(...)` reads well. */
enum status err_set(struct err *e, enum status st, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts "<context>: " before the text; returns the status held (or S_OK when e holds none). */
enum status err_wrap(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says what to do about it; kept only when none was given before. */
void err_hint(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Two lines without a last newline, for readers only: they are printed below text and hint. Kept only when none was given
 * before. */
void err_excerpt(struct err *e, const char *lines);
/* All that `from` says, unless e says something already; returns the status held. */
enum status err_pass_on(struct err *e, const struct err *from);
void err_clear(struct err *e);
