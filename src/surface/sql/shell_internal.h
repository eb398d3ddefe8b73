/* shell_internal.h - what the shell's files share: shell.c statements, shell_commands.c commands, shell_complete.c words. */
#pragma once
#include "surface/sql/shell.h"
#include "surface/sql/shell_cut.h"
#include "surface/sql/view.h"

struct shell {
    struct mem mem;
    struct sys *sys;
    struct shell_options options;
    struct statement_executor *executor;
    struct view view;
    const struct view_type *chosen; /* by .mode; NULL: as configured */
    const struct view_type *narrow; /* what was chosen before \x */
    struct sys_editor *editor; /* of a person at the terminal; NULL: there is none */
    bool is_interactive, is_init;
    bool is_timed;         /* \timing */
    bool is_within_command; /* which runs a statement */
    struct sys_file *once; /* of the next result; NULL: none */
    struct buf typed;      /* and not run yet */
    const char *counted;   /* of this text so many bytes have so many line ends */
    size_t counted_bytes;
    uint32_t counted_lines;
    struct err_list others; /* mistakes of the text that is run, behind the first one */
};

/* A statement or command of a text; line and source say where it stands. */
enum status shell_run_piece(struct shell *s, struct str text, const struct shell_piece *p, const char *source, struct err *e) CHECKED;
/* \d, .mode: without the line's end. S_END: leave. */
enum status shell_command(struct shell *s, struct str line, struct err *e) CHECKED;
void shell_help(struct shell *s);
void shell_say(struct shell *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t shell_complete(void *shell, struct str before, struct str after, sys_word_fn add, void *add_arg);

struct shell_command_type {
    const char *name, *arguments, *doc;
    enum status (*run)(struct shell *s, struct str argument, struct err *e);
};
extern const struct shell_command_type shell_commands[]; /* ends with name NULL */
