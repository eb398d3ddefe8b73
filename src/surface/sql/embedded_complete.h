/* embedded_complete.h - words that may stand at the end of a statement of a session in this process. */
#pragma once
#include "ground/sys/sys_editor.h"
#include "surface/sql/session.h"

/* As complete of sys_editor_hooks, with the whole statement so far. */
size_t embedded_complete(struct sql_session *s, struct str before, struct str after, sys_word_fn add, void *add_arg);
