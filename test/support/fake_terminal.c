/* fake_terminal.c - see the header. A file is the address of the text it is written to. */
#include "support/fake_terminal.h"

static int64_t mono_ns(struct sys *s) { return ((struct fake_terminal *)s)->now_ns; }
static bool is_terminal(struct sys *s, int fd) { return ((struct fake_terminal *)s)->is_terminal[fd]; }

static int terminal_columns(struct sys *s, int fd)
{
    (void)fd;
    return ((struct fake_terminal *)s)->columns;
}

static int terminal_rows(struct sys *s, int fd)
{
    (void)fd;
    return ((struct fake_terminal *)s)->rows;
}

static enum sys_signal signal_take(struct sys *s)
{
    (void)s;
    return SYS_SIGNAL_NONE;
}

static void signal_forget(struct sys *s) { (void)s; }

static enum status file_standard(struct sys *s, int fd, struct sys_file **out, struct err *e)
{
    (void)e;
    *out = (void *)&((struct fake_terminal *)s)->text[fd];
    return S_OK;
}

static enum status file_write(struct sys *s, struct sys_file *f, const void *bytes, size_t size, struct err *e)
{
    (void)s, (void)e;
    buf_append((struct buf *)(void *)f, bytes, size);
    return S_OK;
}

static void file_close(struct sys *s, struct sys_file *f) { (void)s, (void)f; }

void fake_terminal_init(struct fake_terminal *t)
{
    *t = (struct fake_terminal){.columns = 80, .rows = 24};
    t->ops = (struct sys_ops){.name = "fake terminal",
                              .mono_ns = mono_ns,
                              .is_terminal = is_terminal,
                              .terminal_columns = terminal_columns,
                              .terminal_rows = terminal_rows,
                              .signal_take = signal_take,
                              .signal_forget = signal_forget,
                              .file_standard = file_standard,
                              .file_write = file_write,
                              .file_close = file_close};
    mem_init(&t->mem, "fake terminal", 0);
    t->sys = (struct sys){.ops = &t->ops, .mem = &t->mem};
    for (int fd = 0; fd < 3; fd++) buf_init(&t->text[fd], &t->mem);
}

void fake_terminal_release(struct fake_terminal *t)
{
    for (int fd = 0; fd < 3; fd++) buf_release(&t->text[fd]);
    mem_release(&t->mem);
}

const char *fake_terminal_take(struct fake_terminal *t, int fd)
{
    const char *text = buf_text(&t->text[fd]);

    t->text[fd].size = 0;
    return text;
}
