/* graph_config_text.c - one field of an operator's configuration from text, by the operator's own table: so a program can ask for
 * an operator that has no call of its own. A list gets one item more each time. Functions, types, rows and options are no text.
 * What a value means is for the operator's `derive` to check. */
#include "control/graph/graph.h"
#include "ground/base/str.h"

#include <string.h>

enum { FIELDS_MAX = 256 };

static const struct config_field *find_field(const struct op_type *type, const char *name, struct err *e)
{
    const char *names[FIELDS_MAX];
    uint32_t count = 0;

    for (const struct config_field *f = type->config_fields; f != NULL && f->name != NULL && count < FIELDS_MAX; f++) {
        if (strcmp(f->name, name) == 0) return f;
        names[count++] = f->name;
    }
    err_set(e, E_GRAPH, "operation '%s' has no setting '%s'", type->name, name);
    int near = str_nearest(str_of(name), names, count);
    if (near >= 0) err_hint(e, "did you mean '%s'?", names[near]);
    return NULL;
}

static bool set_bool(bool *out, const char *text)
{
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0;
}

static bool set_text(struct arena *a, const char **out, const char *text)
{
    *out = arena_strdup(a, text);
    return true;
}

static bool add_text(struct arena *a, struct text_list *list, const char *text)
{
    const char **items = ARENA_ARRAY(a, const char *, list->count + 1);

    if (list->count > 0) memcpy(items, list->items, sizeof *items * list->count);
    items[list->count] = arena_strdup(a, text);
    *list = (struct text_list){items, list->count + 1};
    return true;
}

enum status graph_config_set(struct arena *a, const struct op_type *type, void *config, const char *name, const char *text,
                             struct err *e)
{
    const struct config_field *f = find_field(type, name, e);
    void *at = f != NULL ? (char *)config + f->offset : NULL;
    const char *kind = "a text";
    bool good = false;

    if (f == NULL) return E_GRAPH;
    switch (f->kind) {
    case CONF_BOOL: good = set_bool(at, text), kind = "true or false"; break;
    case CONF_INT: good = str_to_int64(str_of(text), at), kind = "a whole number"; break;
    case CONF_DOUBLE: good = str_to_double(str_of(text), at), kind = "a number"; break;
    case CONF_TEXT: good = set_text(a, at, text); break;
    case CONF_TEXTS: good = add_text(a, at, text); break;
    case CONF_FUNCTION:
    case CONF_BYTES:
    case CONF_TYPE:
    case CONF_OPTIONS: return err_set(e, E_GRAPH, "setting '%s' of operation '%s' cannot be given as text", name, type->name);
    }
    if (good) return S_OK;
    return err_set(e, E_GRAPH, "setting '%s' of operation '%s' is '%.100s', but must be %s", name, type->name, text, kind);
}
