/* folder.c - temporary folders of tests, by way of the C library: what a test looks at must not come through the code
 * that it tests. */
#include "support/folder.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_make(struct folder *f)
{
    const char *base = getenv("TMPDIR");

    snprintf(f->path, sizeof f->path, "%s/thalweg-test-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(f->path));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st;
    (void)kind;
    (void)place;
    return remove(path);
}

void folder_remove(const struct folder *f) { assert_int_equal(nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0); }

const char *folder_path(const struct folder *f, const char *name)
{
    static char paths[8][FOLDER_PATH_MAX + 256];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", f->path, name);
    return path;
}

void folder_write(const struct folder *f, const char *name, const char *text)
{
    char path[FOLDER_PATH_MAX + 256];

    snprintf(path, sizeof path, "%s", folder_path(f, name));
    for (char *slash = strchr(path + strlen(f->path) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

const char *folder_read(const struct folder *f, const char *name, char *room, int size)
{
    FILE *file = fopen(folder_path(f, name), "rb");

    assert_non_null(file);
    size_t got = fread(room, 1, (size_t)size, file);
    assert_true(got < (size_t)size);
    room[got] = '\0';
    fclose(file);
    return room;
}

int folder_count(const struct folder *f, const char *name)
{
    DIR *d = opendir(folder_path(f, name));
    int count = 0;

    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(d);
    return count;
}
