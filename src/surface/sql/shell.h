/* shell.h - `thalweg sql`: statements of scripts or typed by a person, one after another, with commands of the shell between them. What
 * went wrong is said in Flink's form first: "[ERROR] Could not execute SQL statement. Reason:". */
#pragma once
#include "surface/sql/executor.h"

struct shell;
struct view_type;

struct shell_options {
    struct sys *sys;
    struct statement_executor *executor; /* whose statements these are; outlives the shell */
    bool as_client;               /* prints what Flink's client prints around statements, and errors to standard output */
    const struct view_type *view; /* of results; NULL: as the session's configuration says */
    const struct sys_editor_ops *editor;
    const char *history; /* file; NULL: none */
};

struct shell *shell_create(const struct shell_options *o);
void shell_free(struct shell *s); /* NULL is a no-op */

/* Runs a text's statements; the first that fails is told and ends it. S_END: QUIT. source: the file's name, or NULL. */
enum status shell_run(struct shell *s, struct str text, const char *source) CHECKED;
/* The same of a file that prepares the session: no queries, no INSERT. */
enum status shell_run_init(struct shell *s, struct str text, const char *source) CHECKED;
/* Reads statements from the terminal until QUIT or its end; what fails is told, and it goes on. */
enum status shell_interact(struct shell *s, struct err *e) CHECKED;
void shell_say_error(struct shell *s, const struct err *e);
