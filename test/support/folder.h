/* folder.h - a folder of its own for one test, and files in it. */
#pragma once
#include <stdint.h>

enum { FOLDER_PATH_MAX = 256 };

struct folder {
    char path[FOLDER_PATH_MAX];
};

void folder_make(struct folder *f);
void folder_remove(const struct folder *f); /* with all that is in it */
/* Full path of a name inside; the text lives until the next call but seven. */
const char *folder_path(const struct folder *f, const char *name);
void folder_write(const struct folder *f, const char *name, const char *text); /* makes folders on the way */
/* The file's bytes as text, in the caller's room; asserts that they fit. */
const char *folder_read(const struct folder *f, const char *name, char *room, int size);
int folder_count(const struct folder *f, const char *name); /* entries of a folder inside, hidden ones too */
