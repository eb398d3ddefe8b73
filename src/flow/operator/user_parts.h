/* user_parts.h - the order of the parts of a hybrid source: which one is read, who still has something to do with it, and
 * how its splits are told from those of the others. Knows nothing of callbacks. Used by user_source.c. */
#pragma once
#include "flow/source/source.h"

enum { USER_PARTS_MAX = 16 };

struct user_parts_split;
struct user_parts {
    struct mem *mem;
    uint32_t at, count;             /* the part that is read; 0 = no hybrid */
    uint32_t subtasks, ended_count; /* were told that it has no more splits for them */
    bool *has_ended;
    struct user_parts_split *open; /* handed out and not read to their end */
};

void user_parts_init(struct user_parts *p, struct mem *mem, uint32_t count, uint32_t subtasks);
void user_parts_release(struct user_parts *p);
/* Does the subtask get nothing now, because it waits for the others or reads enough of this part? Then *asks says whether it
 * must ask again by itself. */
bool user_parts_holds(const struct user_parts *p, uint32_t subtask, uint32_t at_once, bool *asks);
/* The part has no more for that subtask. */
void user_parts_ended(struct user_parts *p, uint32_t subtask);
/* Is nobody busy with the part any more, and is there another? */
bool user_parts_over(const struct user_parts *p);
void user_parts_next(struct user_parts *p);
/* The part's number goes in front of name and bytes of its split, which is open from now on. E_USER: too many bytes. */
enum status user_parts_wrap(struct user_parts *p, uint32_t subtask, struct arena *a, struct split *split,
                            struct err *e) CHECKED;
/* Takes it off again: the part's number, its own name and bytes within those given. E_DATA for what does not read. */
enum status user_parts_unwrap(const struct split *split, uint32_t count, uint32_t *part, struct split *own,
                              struct err *e) CHECKED;
/* A split was read to its end; its own name, NULL when it is not known. */
const char *user_parts_finished(struct user_parts *p, const char *id);
