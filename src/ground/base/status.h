/* status.h - what a call answers. Zero and positive values are normal flow, negative ones are errors.
 *
 * S_MORE, S_FULL, S_IDLE and S_PENDING exist only between a task, its operators, channels and state:
 *   S_MORE     the hook has more output for the same input: deliver what was emitted, then call it again
 *   S_FULL     an output channel has no credit; nothing was lost, step again when credit returns
 *   S_IDLE     nothing to do now
 *   S_PENDING  state is being fetched; the task parks and is stepped again later
 */
#pragma once

#define STATUS_MAP(X)                                                                              \
    X(S_OK, 0, "ok")                                                                               \
    X(S_END, 1, "end of input")                                                                    \
    X(S_MORE, 2, "more output")                                                                    \
    X(S_FULL, 3, "no credit")                                                                      \
    X(S_IDLE, 4, "nothing to do")                                                                  \
    X(S_PENDING, 5, "waiting for state")                                                           \
    X(E_BUDGET, -1, "memory budget exceeded")                                                      \
    X(E_IO, -2, "input/output error")                                                              \
    X(E_DATA, -3, "malformed input")                                                               \
    X(E_CONFIG, -4, "bad option")                                                                  \
    X(E_NOT_FOUND, -5, "not found")                                                                \
    X(E_PERMISSION, -6, "permission denied")                                                       \
    X(E_EXISTS, -7, "already exists")                                                              \
    X(E_USER, -8, "user function failed")                                                          \
    X(E_OVERFLOW, -9, "value out of range")                                                        \
    X(E_CANCELED, -10, "canceled")                                                                 \
    X(E_UNSUPPORTED, -11, "not supported")                                                         \
    X(E_FULL_DISK, -12, "no space left on device")                                                 \
    X(E_PIPE, -13, "reader of the pipe went away")                                                 \
    X(E_UNKNOWN, -14, "outcome unknown")                                                           \
    X(E_GRAPH, -15, "mistake in the job graph")

enum status {
#define X(name, value, text) name = value,
    STATUS_MAP(X)
#undef X
};

/* Text of a status, never NULL. */
const char *status_text(enum status st);

#define CHECKED __attribute__((warn_unused_result))
#define TRY(x)                                                                                     \
    do {                                                                                           \
        enum status try_ = (x);                                                                    \
        if (try_ != S_OK) return try_;                                                             \
    } while (0)
#define TRY_OR(label, x)                                                                           \
    do {                                                                                           \
        if ((st = (x)) != S_OK) goto label;                                                        \
    } while (0)
