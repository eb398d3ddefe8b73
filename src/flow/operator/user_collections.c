/* user_collections.c - the tw_* calls on lists and maps: keyed ones, operator lists, broadcast maps.
 *
 * Lists are read by index and maps by a cursor, but stored as walks: a state remembers where its latest walk stands, so that
 * reading one entry after another costs a step each. Whatever may change the order of entries ends the walk. */
#include "flow/operator/user_states.h"

/* --- list ---------------------------------------------------------------------------------------------------------------------- */
enum {
    LISTS = USER_KIND(TW_LIST) | USER_KIND(TW_OPERATOR_LIST) | USER_KIND(TW_OPERATOR_UNION),
    MAPS = USER_KIND(TW_MAP) | USER_KIND(TW_BROADCAST)
};

void tw_list_add(struct tw_context *cx, const struct tw_state *state, const void *value)
{
    struct user_state *s = user_state_now(cx, state, LISTS, "tw_list_add");
    const void *row;

    if (s == NULL) return;
    row = user_state_probe(cx, s, value);
    if (row) user_state_failed(cx, s, s->view ? view_list_add(s->view, row) : opstate_add(s->opstate, row));
}

uint32_t tw_list_size(struct tw_context *cx, const struct tw_state *state)
{
    struct user_state *s = user_state_now(cx, state, LISTS, "tw_list_size");

    if (s == NULL) return 0;
    return s->view ? view_list_count(s->view) : opstate_count(s->opstate);
}

static void *walk_next(struct user_state *s)
{
    s->step++;
    if (s->opstate) return opstate_next(s->opstate, &s->cursor);
    return s->decl->kind == TW_MAP ? view_map_next(s->view, &s->cursor) : view_list_next(s->view, &s->cursor);
}

/* Entry number `index` of the current key; going on from the latest walk when that stands right there. */
static void *walk_to(struct tw_context *cx, struct user_state *s, uint32_t index)
{
    uint32_t key = s->view ? cx->states->current : 0;
    void *row;

    if (!s->walking || s->walk_key != key || s->step > index) {
        s->cursor = (struct view_cursor){0};
        s->step = 0;
        s->walk_key = key;
    }
    do {
        row = walk_next(s);
    } while (row && s->step <= index);
    s->walking = row != NULL;
    return row;
}

bool tw_list_get(struct tw_context *cx, const struct tw_state *state, uint32_t index, void *value)
{
    struct user_state *s = user_state_now(cx, state, LISTS, "tw_list_get");
    const void *row = s ? walk_to(cx, s, index) : NULL;

    if (row == NULL) return false;
    user_state_load(cx, s, row, value);
    return true;
}

/* --- map ------------------------------------------------------------------------------------------------------------------------ */
bool user_may_write(struct tw_context *cx, const struct tw_state *decl)
{
    if (decl->kind != TW_BROADCAST || cx->may_write_broadcast) return true;
    user_misuse(cx, "broadcast state '%s' is written by .process2 only, so that it is the same in every subtask",
                decl->name);
    return false;
}

bool tw_map_get(struct tw_context *cx, const struct tw_state *state, const void *key, void *value)
{
    struct user_state *s = user_state_now(cx, state, MAPS, "tw_map_get");
    const void *row, *probe = s ? user_state_probe_key(cx, s, key) : NULL;

    if (probe == NULL) return false;
    row = s->view ? view_map_get(s->view, probe) : opstate_get(s->opstate, probe);
    if (row && value) user_state_load(cx, s, row, value);
    return row != NULL;
}

void tw_map_put(struct tw_context *cx, const struct tw_state *state, const void *key, const void *value)
{
    struct user_state *s = user_state_now(cx, state, MAPS, "tw_map_put");
    const void *probe;
    void *row;

    if (s == NULL || !user_may_write(cx, state)) return;
    probe = user_state_probe_key(cx, s, key);
    if (probe == NULL) return;
    row = s->view ? view_map_put(s->view, probe, NULL) : opstate_put(s->opstate, probe, NULL);
    if (row)
        user_state_store(cx, s, row, value);
    else
        user_state_failed(cx, s, E_BUDGET);
}

bool tw_map_remove(struct tw_context *cx, const struct tw_state *state, const void *key)
{
    struct user_state *s = user_state_now(cx, state, MAPS, "tw_map_remove");

    if (s == NULL || !user_may_write(cx, state)) return false;
    const void *probe = user_state_probe_key(cx, s, key);
    if (probe == NULL) return false;
    return s->view ? view_map_remove(s->view, probe) : opstate_remove(s->opstate, probe);
}

uint32_t tw_map_size(struct tw_context *cx, const struct tw_state *state)
{
    struct user_state *s = user_state_now(cx, state, MAPS, "tw_map_size");

    if (s == NULL) return 0;
    return s->view ? view_map_count(s->view) : opstate_count(s->opstate);
}

bool tw_map_next(struct tw_context *cx, const struct tw_state *state, uint32_t *cursor, void *key, void *value)
{
    struct user_state *s = user_state_now(cx, state, MAPS, "tw_map_next");
    const void *row, *key_row;

    if (s == NULL) return false;
    if (*cursor == 0) s->walking = false;
    row = walk_to(cx, s, *cursor);
    if (row == NULL) return false;
    key_row = s->view ? view_map_key(s->view, row) : opstate_key(s->opstate, row);
    if (key) user_value_load(&s->key, s->key_layout, &s->home, key_row, key, &cx->loaded);
    if (value) user_state_load(cx, s, row, value);
    ++*cursor;
    return true;
}
