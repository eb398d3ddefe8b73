/* st_shell.c - what only a shell understands: QUIT, EXIT, CLEAR, HELP. */
#include "language/sql/parse_internal.h"
#include "language/sql/statement.h"

static const char *const words[] = {"QUIT", "EXIT", "CLEAR", "HELP"};

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct shell_word *s = ARENA_NEW(p->a, struct shell_word);

    *body = s;
    s->start = (uint8_t)start;
    p->at++;
    return S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct shell_word *s = body;
    buf_append_text(out, words[s->start]);
}

const struct st_type st_shell = {
    .name = "shell",
    .doc = "Leaves the shell, clears its screen, or lists what it takes.",
    .example = "HELP",
    .starts = {"QUIT", "EXIT", "CLEAR", "HELP"},
    .parse = parse,
    .print = print,
};
