/* full_disk.c - see full_disk.h: a copy of the world's table, of which three entries count. One world at a time. */
#include "support/full_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct sys_ops *whole;
static struct sys_ops failing;
static uint32_t left;

static bool is_full(struct err *e)
{
    if (left > 0) left--;
    if (left > 0) return false;
    err_set(e, E_IO, "no space left on the disk");
    return true;
}

static enum status open_or_fail(struct sys *s, const char *path, int flags, struct sys_file **out, struct err *e)
{
    return is_full(e) ? E_IO : whole->file_open(s, path, flags, out, e);
}

static enum status read_or_fail(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got, struct err *e)
{
    return is_full(e) ? E_IO : whole->file_read(s, f, bytes, size, got, e);
}

static enum status write_or_fail(struct sys *s, struct sys_file *f, const void *bytes, size_t size, struct err *e)
{
    return is_full(e) ? E_IO : whole->file_write(s, f, bytes, size, e);
}

void full_disk_begin(struct sys *s, uint32_t n)
{
    assert_null(whole);
    whole = s->ops;
    failing = *whole;
    failing.file_open = open_or_fail;
    failing.file_read = read_or_fail;
    failing.file_write = write_or_fail;
    left = n;
    s->ops = &failing;
}

bool full_disk_end(struct sys *s)
{
    s->ops = whole;
    whole = NULL;
    return left == 0;
}
