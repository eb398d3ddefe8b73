/* sys_editor.h - a line that a person edits on the terminal: keys, history, search (ctrl-r), completion (tab). Only the binary has
 * one: a library must not bring a terminal's library into its host. */
#pragma once
#include "ground/base/buf.h"
#include "ground/sys/sys.h"

struct sys_editor;

typedef void (*sys_word_fn)(void *arg, const char *word);
struct sys_editor_hooks {
    void *arg;
    /* Calls `add` for each word that may stand at the end of `before`, the text before the cursor; in any order, also twice. Answers
     * how many bytes of `before` are the beginning of that word. A word that ends in ( or . goes on; others are followed by a blank. */
    size_t (*complete)(void *arg, struct str before, struct str after, sys_word_fn add, void *add_arg);
};

struct sys_editor_ops {
    /* history: a file to read now and to write when it closes; NULL: none. */
    enum status (*open)(struct sys *sys, const struct sys_editor_hooks *hooks, const char *history, struct sys_editor **out,
                        struct err *e);
    /* Replaces *line by what was typed, without the line's end. S_END: ctrl-d, or the terminal is gone. E_CANCELED: ctrl-c. */
    enum status (*read)(struct sys_editor *ed, const char *prompt, struct buf *line);
    /* What was typed before there was a line to type it into: the next lines begin with it. */
    void (*push)(struct sys_editor *ed, struct str text);
    void (*remember)(struct sys_editor *ed, const char *text);
    void (*close)(struct sys_editor *ed); /* NULL is a no-op */
};

extern const struct sys_editor_ops sys_linux_editor; /* in the binary only */
