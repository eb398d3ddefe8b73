/* savepoint.c - tw_savepoint: asks the job master of the job in the background, and says where the savepoint lies or why there is
 * none. The answer goes into memory of the caller, since the error of the environment is the job's. */
#include "surface/api/api_internal.h"

#include <stdio.h>

int tw_savepoint(struct tw_env *env, const char *folder, char *text, size_t size)
{
    char path[SYS_PATH_MAX] = "";
    struct err e = {0};

    ASSERT(text != NULL && size > 0);
    sys_lock_take(env->lock);
    struct jobmaster *jm = env->shown;
    sys_lock_give(env->lock);
    if (jm == NULL) err_set(&e, E_CANCELED, "no job runs");
    enum status st = jm != NULL ? jobmaster_savepoint(jm, folder, path, &e) : E_CANCELED;
    if (st == S_OK)
        snprintf(text, size, "%s", path);
    else
        snprintf(text, size, "%s%s%s", e.text, e.hint[0] != '\0' ? "; " : "", e.hint);
    return st == S_OK ? 0 : 1;
}
