/* hybrid_parts.c - reads and checks the options of a hybrid source, which are those of several connectors with the part's
 * name in front of each key (FLIP-278). */
#include "flow/connector/hybrid/hybrid_parts.h"

#include "flow/source/source_options.h"
#include "ground/base/str.h"

#include <string.h>

enum { NAME_MAX_SIZE = 64 };

static bool name_is_fine(struct str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return name.size > 0 && name.size <= NAME_MAX_SIZE;
}

static struct options part_options(const char *name, const struct options *o, struct arena *a)
{
    struct option *items = ARENA_ARRAY(a, struct option, o->count);
    size_t size = strlen(name);
    uint32_t count = 0;

    for (uint32_t i = 0; i < o->count; i++)
        if (strncmp(o->items[i].key, name, size) == 0 && o->items[i].key[size] == '.')
            items[count++] = (struct option){o->items[i].key + size + 1, o->items[i].value};
    return (struct options){items, count};
}

static enum status part_read(struct hybrid_part *p, const struct options *o, struct arena *a, struct err *e)
{
    static const struct option_def none[] = {{.key = NULL}};
    const char *connector;

    p->options = part_options(p->name, o, a);
    connector = options_get(&p->options, none, "connector");
    if (connector == NULL) {
        err_set(e, E_CONFIG, "connector 'hybrid': the option '%s.connector' is missing", p->name);
        err_hint(e, "say what source '%s' is: '%s.connector' = 'filesystem'", p->name, p->name);
        return E_CONFIG;
    }
    if (conn_find(connector, &p->conn, e) != S_OK) {
        err_wrap(e, "option '%s.connector'", p->name);
        return E_CONFIG;
    }
    if (p->conn->source == NULL)
        return err_set(e, E_CONFIG, "option '%s.connector': connector '%s' cannot be read", p->name, connector);
    if (p->conn->parts_option == NULL) return S_OK;
    err_set(e, E_CONFIG, "option '%s.connector': a hybrid source within a hybrid source", p->name);
    err_hint(e, "list its sources in the outer one");
    return E_CONFIG;
}

static enum status name_add(struct hybrid_parts *p, struct str name, struct arena *a, struct err *e)
{
    if (!name_is_fine(name)) {
        err_set(e, E_CONFIG, "'source-identifiers': '%.*s' is no name", (int)MIN(name.size, 100), name.data);
        err_hint(e, "letters, digits and '_', at most %d", NAME_MAX_SIZE);
        return E_CONFIG;
    }
    for (uint32_t i = 0; i < p->count; i++)
        if (str_equal(str_of(p->items[i].name), name))
            return err_set(e, E_CONFIG, "'source-identifiers' names '%s' twice", p->items[i].name);
    if (p->count == HYBRID_PARTS_MAX)
        return err_set(e, E_CONFIG, "'source-identifiers' names more than %d sources", HYBRID_PARTS_MAX);
    p->items[p->count++] = (struct hybrid_part){.name = arena_strndup(a, name.data, name.size)};
    return S_OK;
}

enum status hybrid_parts_read(struct hybrid_parts *p, const struct options *o, const struct option_def *defs, struct arena *a,
                              struct err *e)
{
    struct str rest = str_of(options_get(o, defs, "source-identifiers")), one;

    *p = (struct hybrid_parts){.count = 0};
    while (rest.size > 0 && str_cut(&rest, ',', &one)) TRY(name_add(p, str_trim(one), a, e));
    if (p->count < 2) {
        err_set(e, E_CONFIG, "connector 'hybrid' needs two sources or more; 'source-identifiers' names %u", p->count);
        err_hint(e, "'source-identifiers' = 'old,new', then options 'old.connector', 'new.connector' and so on");
        return E_CONFIG;
    }
    for (uint32_t i = 0; i < p->count; i++) TRY(part_read(&p->items[i], o, a, e));
    return S_OK;
}

/* Options that all sources share belong to the whole. */
static enum status shared_refuse(const struct hybrid_part *p, struct err *e)
{
    for (uint32_t i = 0; i < p->options.count; i++) {
        const char *key = p->options.items[i].key;
        for (const struct option_def *d = source_options; d->key != NULL; d++) {
            if (strcmp(d->key, key) != 0) continue;
            err_set(e, E_CONFIG, "option '%s.%s' cannot be given for one of the sources", p->name, key);
            err_hint(e, "give '%s': it holds for all of them", key);
            return E_CONFIG;
        }
    }
    return S_OK;
}

static enum status part_check(const struct hybrid_part *p, bool is_last, const struct type *row, struct err *e)
{
    const struct conn_type *conn = p->conn;
    const struct source_type *type = conn->source;

    TRY(shared_refuse(p, e));
    TRY(conn_options_check(conn, &p->options, e));
    if (conn->takes_format) TRY(conn_format_check(&p->options, row, false, e));
    if (type->check != NULL) TRY(type->check(&p->options, conn->options, row, e));
    if (is_last || type->boundedness == NULL || type->boundedness(&p->options, conn->options) == BOUNDED) return S_OK;
    return err_set(e, E_CONFIG, "it never ends, so that the sources behind it would never be read");
}

enum status hybrid_parts_check(const struct hybrid_parts *p, const struct type *row, struct err *e)
{
    for (uint32_t i = 0; i < p->count; i++) {
        enum status st = part_check(&p->items[i], i + 1 == p->count, row, e);
        if (st == S_OK) continue;
        err_wrap(e, "source '%s'", p->items[i].name);
        return st;
    }
    return S_OK;
}
