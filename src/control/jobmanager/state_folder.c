/* state_folder.c - see the header. Each state host has a folder of files in it; there is nothing deeper. */
#include "control/jobmanager/state_folder.h"

#include "ground/base/buf.h"

#include <stdio.h>
#include <string.h>

const char *state_folder_name(const char *dir, const char *job_id, struct sys *sys, struct arena *a)
{
    char number[32];
    size_t size = strlen(dir) + 96;
    char *path = ARENA_ARRAY(a, char, size);

    snprintf(number, sizeof number, "%016llx", (unsigned long long)sys_random(sys));
    snprintf(path, size, "%s/thalweg-state-%s", dir, job_id != NULL ? job_id : number);
    return path;
}

static void name_add(void *arg, const char *name, const struct sys_stat *st)
{
    (void)st;
    buf_append(arg, name, strlen(name) + 1);
}

static void folder_clear(const char *path, struct sys *sys, struct mem *mem, uint32_t depth)
{
    struct buf names, inner;
    struct err e = {0};

    buf_init(&names, mem);
    buf_init(&inner, mem);
    if (sys_dir_list(sys, path, name_add, &names, &e) != S_OK) buf_clear(&names);
    for (size_t at = 0; at < names.size; at += strlen(names.data + at) + 1) {
        buf_clear(&inner);
        buf_printf(&inner, "%s/%s", path, names.data + at);
        if (depth > 0)
            folder_clear(buf_text(&inner), sys, mem, depth - 1);
        else
            (void)!sys_file_delete(sys, buf_text(&inner), &e);
    }
    buf_release(&names);
    buf_release(&inner);
    (void)!sys_dir_delete(sys, path, &e);
}

void state_folder_clear(const char *path, struct sys *sys, struct mem *mem)
{
    struct sys_stat st;
    struct err e = {0};

    if (path != NULL && sys_file_stat(sys, path, &st, &e) == S_OK) folder_clear(path, sys, mem, 1);
}
