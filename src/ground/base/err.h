/* err.h - what went wrong, where, why and what to do. Last parameter of every control-plane call.
 *
 * The first error wins: err_set on an error that is already set keeps the older text. Callers add context with
 * err_wrap, outermost last, which prints as "outer: inner". An err may be NULL where nobody wants the text.
 *
 * Who can show several mistakes of one text gives a list for them (`more`); who looks at things that do not depend on each other
 * then goes on behind a failure (err_go_on), and in the end gathers what was said. Without a list the first failure ends it. */
#pragma once
#include "ground/base/base.h"

enum { ERR_TEXT_MAX = 2048, ERR_HINT_MAX = 512, ERR_EXCERPT_MAX = 512, ERR_MORE_MAX = 9 };

struct err_list;

struct err {
    enum status status;
    char text[ERR_TEXT_MAX];
    char hint[ERR_HINT_MAX]; /* what to do; may be empty */
    char excerpt[ERR_EXCERPT_MAX]; /* the line of the user's that is wrong, and below it a caret; may be empty */
    uint32_t number;       /* the how-manieth mistake it is of those that are gathered */
    struct err_list *more; /* where the others go; NULL: nobody wants to know of them */
};

/* All zero when it is empty. */
struct err_list {
    uint32_t count, said;
    struct err items[ERR_MORE_MAX];
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
/* All that `from` says, unless e says something already: said just now, where e has a list. The status held. */
enum status err_pass_on(struct err *e, const struct err *from);
void err_clear(struct err *e); /* but for the list of others, which stays */
/* Goes on behind a failure that does not touch what is looked at next: TRY(err_go_on(e, check(x), &failed)). Puts what e says into
 * the list and answers S_OK; answers st where there is no list, or no room. */
enum status err_go_on(struct err *e, enum status st, enum status *failed) CHECKED;
/* What was put aside comes back, in the order in which it was said: the first into e, the others into its list. The status held. */
enum status err_gather(struct err *e);
