/* memory_fs.h - a file system in memory whose writes can be told to go wrong, one letter per publish:
 *   o  as it should           f  fails (E_IO), nothing is left       d  the disk is full, nothing is left
 *   u  unknown, but it is there        l  unknown, and it is lost
 *   w  unknown, and it lands before the next call that publishes, if the path is free then
 * Behind the last letter all goes as it should. One at a time: its operations take no argument of their own. */
#pragma once
#include "ground/fs/fs.h"

extern const struct fs_type memory_fs;
void memory_fs_reset(const char *script); /* empty, and with that script */
void memory_fs_script(const char *script);
int memory_fs_count(void); /* objects */
bool memory_fs_has(const char *path);
struct str memory_fs_bytes(const char *path); /* of one that is there */
void memory_fs_put(const char *path, struct str bytes);
void memory_fs_fail_list(int times); /* the next lists answer E_IO */
/* Called in front of each publish, with its path; NULL = nothing is. For a second process that comes in between. */
void memory_fs_hook(void (*before)(const char *path));
