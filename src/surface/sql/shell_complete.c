/* shell_complete.c - what tab offers: at the beginning of a line that starts with \ or a dot the shell's commands, behind .mode the
 * views, else what the executor of the statement knows. */
#include "surface/sql/shell_internal.h"

#include "ground/base/str.h"

#include <string.h>

static void offer(struct str word, const char *text, sys_word_fn add, void *add_arg)
{
    if (strlen(text) > word.size && str_starts(str_of(text), word)) add(add_arg, text);
}

/* `line` is the end of a statement, whose beginning was typed before. */
static size_t complete_statement(struct shell *s, const char *first, struct str line, struct str after, sys_word_fn add, void *add_arg)
{
    struct buf text;

    buf_init(&text, &s->mem);
    buf_append(&text, s->typed.data, s->typed.size);
    buf_append_text(&text, first);
    buf_append(&text, line.data, line.size);
    size_t typed = s->executor->ops->complete(s->executor, (struct str){text.data, text.size}, after, add, add_arg);
    buf_release(&text);
    return typed;
}

static size_t complete_view(struct str word, sys_word_fn add, void *add_arg)
{
    for (uint32_t i = 0; view_types[i] != NULL; i++) offer(word, view_types[i]->name, add, add_arg);
    return word.size;
}

/* Behind the name of a command. */
static size_t complete_argument(struct shell *s, struct str name, struct str rest, sys_word_fn add, void *add_arg)
{
    const struct str none = {0};

    if (str_equal(name, STR(".mode"))) return complete_view(rest, add, add_arg);
    if (str_equal(name, STR("\\d"))) return complete_statement(s, "DESCRIBE ", rest, none, add, add_arg);
    struct str seconds;
    if (str_equal(name, STR("\\watch")) && memchr(rest.data, ' ', rest.size) != NULL && str_cut(&rest, ' ', &seconds))
        return complete_statement(s, "", rest, none, add, add_arg);
    return 0;
}

size_t shell_complete(void *shell, struct str before, struct str after, sys_word_fn add, void *add_arg)
{
    struct shell *s = shell;
    bool is_command = s->typed.size == 0 && before.size > 0 && (before.data[0] == '\\' || before.data[0] == '.');
    struct str rest = before, name;

    if (!is_command) return complete_statement(s, "", before, after, add, add_arg);
    if (memchr(before.data, ' ', before.size) != NULL && str_cut(&rest, ' ', &name)) return complete_argument(s, name, rest, add, add_arg);
    for (const struct shell_command_type *c = shell_commands; c->name != NULL; c++) offer(before, c->name, add, add_arg);
    return before.size;
}
