/* copy.c - what a program hands over becomes the graph's own: texts, options, functions by name, row types. Nothing of the
 * caller's is pointed to afterwards but functions and row types, which must stay. */
#include "surface/api/api_internal.h"

#include <string.h>

struct function_ref api_function(struct tw_env *env, const struct tw_function *f, struct tw_here h)
{
    struct function_ref ref = {.fn = f};

    if (f == NULL) return ref;
    for (const struct tw_function_entry *e = env->first; e < env->end; e++)
        if (e->function == f) ref.name = api_text(env, e->name);
    if (ref.name == NULL)
        api_mistake(env, h, "this function is not in the program's table; define it with TW_FUNCTION");
    return ref;
}

const char *api_text(struct tw_env *env, const char *text)
{
    return text != NULL ? arena_strdup(&env->graph_arena, text) : NULL;
}

struct text_list api_texts(struct tw_env *env, const char *const *items, uint32_t count)
{
    const char **copy = ARENA_ARRAY(&env->graph_arena, const char *, count + 1);

    for (uint32_t i = 0; i < count; i++) copy[i] = items[i] != NULL ? api_text(env, items[i]) : "";
    return (struct text_list){copy, count};
}

struct options api_options(struct tw_env *env, struct tw_options o)
{
    struct option *items = ARENA_ARRAY(&env->graph_arena, struct option, o.count / 2 + 1);

    for (uint32_t i = 0; i + 1 < o.count; i += 2)
        items[i / 2] = (struct option){o.items[i] != NULL ? api_text(env, o.items[i]) : "",
                                       o.items[i + 1] != NULL ? api_text(env, o.items[i + 1]) : ""};
    return (struct options){items, o.count / 2};
}

const struct type *api_row_type(struct tw_env *env, const struct tw_row *row, struct tw_here h)
{
    const struct type *type = NULL;

    if (!api_begin(env, h)) return NULL;
    if (row == NULL) {
        api_mistake(env, h, "the row type is missing");
        return NULL;
    }
    if (env->err.status == S_OK && user_row_type(&env->graph_arena, row, &type, &env->err) != S_OK) {
        graph_at(api_here(h), &env->err);
        return NULL;
    }
    return type;
}

/* 'scan.parallelism' or 'sink.parallelism' of the options; what is no number is refused with the other options. */
void api_option_parallelism(struct tw_env *env, struct graph_node *n, const struct options *o, const char *key,
                            struct tw_here h)
{
    int64_t value = 0;

    for (uint32_t i = 0; i < o->count; i++) {
        if (strcmp(o->items[i].key, key) != 0 || !str_to_int64(str_of(o->items[i].value), &value)) continue;
        if (value >= 1 && value <= GRAPH_PARALLELISM_MAX)
            n->parallelism = (uint32_t)value;
        else
            api_mistake(env, h, "option '%s' is %s, but must be 1 to %d", key, o->items[i].value,
                        GRAPH_PARALLELISM_MAX);
    }
}
