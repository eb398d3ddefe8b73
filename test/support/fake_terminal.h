/* fake_terminal.h - a world for tests of the command line: a clock that is set by hand, and standard output and error that
 * are kept as text. It has no files. */
#pragma once
#include "ground/base/buf.h"
#include "ground/sys/sys.h"

struct fake_terminal {
    struct sys sys; /* first: what the code under test is handed */
    struct sys_ops ops;
    struct mem mem;
    struct buf text[3]; /* by descriptor */
    int64_t now_ns;
    bool is_terminal[3];
    int columns, rows;
};

void fake_terminal_init(struct fake_terminal *t);
void fake_terminal_release(struct fake_terminal *t);
/* What was written to standard output (1) or error (2) since the last call; lives until something is written there. */
const char *fake_terminal_take(struct fake_terminal *t, int fd);
