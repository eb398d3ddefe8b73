/* user_parts.c - a part is over when each subtask was told that it has no more splits and every split handed out was read to
 * its end: only then may the next one begin, so no row of it comes early. That is the rule of conn_hybrid.c, for sources of
 * the user.
 *
 * A split's bytes are the part's number and the part's own bytes; its name is "part/name", parts counted from 1. */
#include "flow/operator/user_parts.h"

#include <string.h>

struct user_parts_split {
    struct user_parts_split *next;
    uint32_t subtask;
    char id[];
};

void user_parts_init(struct user_parts *p, struct mem *mem, uint32_t count, uint32_t subtasks)
{
    ASSERT(count <= USER_PARTS_MAX && subtasks > 0);
    *p = (struct user_parts){.mem = mem, .count = count, .subtasks = subtasks};
    p->has_ended = mem_zalloc(mem, sizeof *p->has_ended * subtasks);
}

void user_parts_release(struct user_parts *p)
{
    while (p->open != NULL) {
        struct user_parts_split *s = p->open;
        p->open = s->next;
        mem_free(p->mem, s);
    }
    if (p->mem != NULL) mem_free(p->mem, p->has_ended);
    *p = (struct user_parts){0};
}

bool user_parts_holds(const struct user_parts *p, uint32_t subtask, uint32_t at_once, bool *asks)
{
    uint32_t open = 0;

    for (const struct user_parts_split *s = p->open; s != NULL; s = s->next) open += s->subtask == subtask;
    *asks = p->has_ended[subtask];
    return p->has_ended[subtask] || open >= MAX(1, at_once);
}

void user_parts_ended(struct user_parts *p, uint32_t subtask)
{
    ASSERT(!p->has_ended[subtask]);
    p->has_ended[subtask] = true;
    p->ended_count++;
}

bool user_parts_over(const struct user_parts *p)
{
    return p->ended_count == p->subtasks && p->open == NULL && p->at + 1 < p->count;
}

void user_parts_next(struct user_parts *p)
{
    ASSERT(user_parts_over(p));
    p->at++;
    p->ended_count = 0;
    memset(p->has_ended, 0, sizeof *p->has_ended * p->subtasks);
}

enum status user_parts_wrap(struct user_parts *p, uint32_t subtask, struct arena *a, struct split *split, struct err *e)
{
    size_t size = split->bytes.size + 1;
    char *bytes = arena_alloc(a, size);

    if (size > SPLIT_BYTES_MAX)
        return err_set(e, E_USER, "split '%.100s' of a hybrid source: a position of at most %d bytes", split->id,
                       SPLIT_BYTES_MAX - 1);
    bytes[0] = (char)p->at;
    if (size > 1) memcpy(bytes + 1, split->bytes.data, size - 1);
    split->id = arena_printf(a, "%u/%s", p->at + 1, split->id);
    split->bytes = (struct str){bytes, size};
    struct user_parts_split *s = mem_zalloc(p->mem, sizeof *s + strlen(split->id) + 1);
    memcpy(s->id, split->id, strlen(split->id) + 1);
    s->subtask = subtask;
    s->next = p->open;
    p->open = s;
    return S_OK;
}

enum status user_parts_unwrap(const struct split *split, uint32_t count, uint32_t *part, struct split *own,
                              struct err *e)
{
    const char *slash = strchr(split->id, '/');

    if (slash == NULL || split->bytes.size == 0 || (uint8_t)split->bytes.data[0] >= count)
        return err_set(e, E_DATA, "split '%.100s' is of no part of this hybrid source", split->id);
    *part = (uint8_t)split->bytes.data[0];
    *own = (struct split){slash + 1, {split->bytes.data + 1, split->bytes.size - 1}};
    return S_OK;
}

const char *user_parts_finished(struct user_parts *p, const char *id)
{
    struct user_parts_split **at = &p->open, *s;

    while (*at != NULL && strcmp((*at)->id, id) != 0) at = &(*at)->next;
    if ((s = *at) == NULL) return NULL;
    *at = s->next;
    mem_free(p->mem, s);
    return strchr(id, '/') + 1;
}
