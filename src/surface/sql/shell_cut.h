/* shell_cut.h - a script, or what was typed so far, as pieces: statements that end with `;`, and commands of the shell, which end with
 * their line. */
#pragma once
#include "ground/base/base.h"

struct shell_piece {
    size_t from, to; /* bytes of the text; a statement's `;` belongs to it */
    bool is_command; /* \d, .mode: begins a line */
    bool is_whole;   /* else its end is not there yet */
};

/* The piece at or behind `at`; false: only blanks and comments are left. */
bool shell_cut(struct str text, size_t at, struct shell_piece *out);
