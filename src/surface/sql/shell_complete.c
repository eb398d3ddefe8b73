/* shell_complete.c - what tab offers: at the beginning of a line that starts with \ or a dot the shell's commands, behind .mode the
 * views, else what the executor of the statement knows. */
#include "surface/sql/shell_internal.h"

#include "ground/base/str.h"

#include <string.h>

static void offer(struct str word, const char *text, sys_word_fn add, void *add_arg)
{
    if (strlen(text) > word.size && str_starts(str_of(text), word)) add(add_arg, text);
}

static size_t complete_statement(struct shell *s, struct str before, sys_word_fn add, void *add_arg)
{
    struct buf text;

    buf_init(&text, &s->mem);
    buf_append(&text, s->typed.data, s->typed.size);
    buf_append(&text, before.data, before.size);
    size_t typed = s->executor->ops->complete(s->executor, (struct str){text.data, text.size}, add, add_arg);
    buf_release(&text);
    return typed;
}

size_t shell_complete(void *shell, struct str before, sys_word_fn add, void *add_arg)
{
    struct shell *s = shell;
    bool is_command = s->typed.size == 0 && before.size > 0 && (before.data[0] == '\\' || before.data[0] == '.');

    if (is_command && memchr(before.data, ' ', before.size) == NULL) {
        for (const struct shell_command_type *c = shell_commands; c->name != NULL; c++) offer(before, c->name, add, add_arg);
        return before.size;
    }
    if (!is_command || !str_starts(before, STR(".mode "))) return complete_statement(s, before, add, add_arg);
    struct str word = {before.data + 6, before.size - 6};
    for (uint32_t i = 0; view_types[i] != NULL; i++) offer(word, view_types[i]->name, add, add_arg);
    return word.size;
}
