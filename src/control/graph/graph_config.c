/* graph_config.c - configurations as bytes. Each operator's table says which members its struct has, so that one pair of
 * functions writes and reads them all, and an operator that comes later travels without a line here. A field travels by
 * name and kind; one that this build does not know is refused by name, so an old reader never drops what it was told.
 *
 * Reading is bounded: every length is checked against what is left, every text against GRAPH_TEXT_MAX, every copy lies in
 * the arena given. The decoder is sticky: after the first failure all reads answer zero, and the caller looks once. */
#include "control/graph/graph_config.h"

#include "ground/base/str.h"

#include <string.h>

enum { LIST_MAX = 4096, FIELDS_MAX = 256, FUNCTION_CONFIG_MAX = 64 * 1024 };

static const void *member(const void *config, const struct config_field *f) { return (const char *)config + f->offset; }

/* --- pieces ------------------------------------------------------------------------------------------------------------- */
const char *graph_text_decode(struct arena *a, struct dec *d)
{
    struct str s = dec_str(d, GRAPH_TEXT_MAX);

    if (s.size > 0 && memchr(s.data, 0, s.size) != NULL) d->failed = true;
    return dec_ok(d) ? arena_strndup(a, s.size > 0 ? s.data : "", s.size) : "";
}

uint32_t graph_count_decode(struct dec *d, uint32_t max)
{
    uint64_t count = dec_varint(d);

    if (count > max || count > dec_left(d)) d->failed = true;
    return dec_ok(d) ? (uint32_t)count : 0;
}

void graph_texts_encode(const struct text_list *t, struct buf *out)
{
    enc_varint(out, t->count);
    for (uint32_t i = 0; i < t->count; i++) enc_text(out, t->items[i]);
}

struct text_list graph_texts_decode(struct arena *a, struct dec *d)
{
    uint32_t count = graph_count_decode(d, LIST_MAX);
    const char **items = ARENA_ARRAY(a, const char *, count + 1);

    for (uint32_t i = 0; i < count; i++) items[i] = graph_text_decode(a, d);
    return (struct text_list){items, count};
}

void graph_options_encode(const struct options *o, struct buf *out)
{
    enc_varint(out, o->count);
    for (uint32_t i = 0; i < o->count; i++) {
        enc_text(out, o->items[i].key);
        enc_text(out, o->items[i].value);
    }
}

struct options graph_options_decode(struct arena *a, struct dec *d)
{
    uint32_t count = graph_count_decode(d, LIST_MAX);
    struct option *items = ARENA_ARRAY(a, struct option, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        items[i].key = graph_text_decode(a, d);
        items[i].value = graph_text_decode(a, d);
    }
    return (struct options){items, count};
}

/* The artifact is the graph's; a job has one. */
void graph_function_encode(const struct function_ref *f, struct buf *out)
{
    ASSERT(f->config.size <= FUNCTION_CONFIG_MAX);
    enc_text(out, f->name);
    enc_str(out, f->config);
}

void graph_function_decode(struct arena *a, struct function_ref *f, struct dec *d)
{
    const char *name = graph_text_decode(a, d);
    struct str config = dec_str(d, FUNCTION_CONFIG_MAX);

    if (!dec_ok(d)) return;
    *f = (struct function_ref){.name = name[0] != '\0' ? name : NULL};
    if (config.size > 0) f->config = (struct str){arena_strndup(a, config.data, config.size), config.size};
}

/* --- one field ------------------------------------------------------------------------------------------------------------ */
static bool is_zero(enum config_kind kind, const void *m)
{
    switch (kind) {
    case CONF_BOOL: return !*(const bool *)m;
    case CONF_INT: return *(const int64_t *)m == 0;
    case CONF_DOUBLE: return memcmp(m, &(double){0}, sizeof(double)) == 0;
    case CONF_TEXT: return *(const char *const *)m == NULL;
    case CONF_BYTES: return ((const struct str *)m)->size == 0;
    case CONF_TYPE: return *(const struct type *const *)m == NULL;
    case CONF_TEXTS: return ((const struct text_list *)m)->count == 0;
    case CONF_FUNCTION: return ((const struct function_ref *)m)->name == NULL;
    case CONF_OPTIONS: return ((const struct options *)m)->count == 0;
    }
    return true;
}

static void encode_value(enum config_kind kind, const void *m, struct buf *out)
{
    switch (kind) {
    case CONF_BOOL: enc_u8(out, 1); break;
    case CONF_INT: enc_zigzag(out, *(const int64_t *)m); break;
    case CONF_DOUBLE: enc_f64(out, *(const double *)m); break;
    case CONF_TEXT: enc_text(out, *(const char *const *)m); break;
    case CONF_BYTES: enc_str(out, *(const struct str *)m); break;
    case CONF_TYPE: type_encode(*(const struct type *const *)m, out); break;
    case CONF_TEXTS: graph_texts_encode(m, out); break;
    case CONF_FUNCTION: graph_function_encode(m, out); break;
    case CONF_OPTIONS: graph_options_encode(m, out); break;
    }
}

static void decode_type(struct arena *a, const struct type **out, struct dec *d)
{
    const uint8_t *at = d->at;

    if (!dec_ok(d)) return;
    if (type_decode(a, &at, d->end, out) == S_OK) d->at = at;
    else d->failed = true;
}

static void decode_value(struct arena *a, enum config_kind kind, void *m, struct dec *d)
{
    struct str bytes;

    switch (kind) {
    case CONF_BOOL: *(bool *)m = dec_u8(d) != 0; break;
    case CONF_INT: *(int64_t *)m = dec_zigzag(d); break;
    case CONF_DOUBLE: *(double *)m = dec_f64(d); break;
    case CONF_TEXT: *(const char **)m = graph_text_decode(a, d); break;
    case CONF_BYTES:
        bytes = dec_str(d, GRAPH_BYTES_MAX);
        if (dec_ok(d) && bytes.size > 0)
            *(struct str *)m = (struct str){arena_strndup(a, bytes.data, bytes.size), bytes.size};
        break;
    case CONF_TYPE: decode_type(a, m, d); break;
    case CONF_TEXTS: *(struct text_list *)m = graph_texts_decode(a, d); break;
    case CONF_FUNCTION: graph_function_decode(a, m, d); break;
    case CONF_OPTIONS: *(struct options *)m = graph_options_decode(a, d); break;
    }
}

/* --- a configuration -------------------------------------------------------------------------------------------------------- */
static uint32_t field_count(const struct op_type *type)
{
    uint32_t count = 0;

    while (type->config_fields != NULL && type->config_fields[count].name != NULL) count++;
    ASSERT(count <= FIELDS_MAX);
    return count;
}

void graph_config_encode(const struct op_type *type, const void *config, struct buf *out)
{
    uint32_t count = field_count(type), given = 0;

    for (uint32_t i = 0; i < count; i++)
        given += !is_zero(type->config_fields[i].kind, member(config, &type->config_fields[i]));
    enc_varint(out, given);
    for (uint32_t i = 0; i < count; i++) {
        const struct config_field *f = &type->config_fields[i];
        if (is_zero(f->kind, member(config, f))) continue;
        enc_text(out, f->name);
        enc_u8(out, (uint8_t)f->kind);
        encode_value(f->kind, member(config, f), out);
    }
}

static const struct config_field *find_field(const struct op_type *type, struct str name)
{
    for (uint32_t i = 0; i < field_count(type); i++)
        if (str_equal(name, str_of(type->config_fields[i].name))) return &type->config_fields[i];
    return NULL;
}

enum status graph_config_decode(struct arena *a, const struct op_type *type, void *config, struct dec *d, struct err *e)
{
    uint32_t count = graph_count_decode(d, FIELDS_MAX);

    for (uint32_t i = 0; i < count && dec_ok(d); i++) {
        struct str name = dec_str(d, GRAPH_TEXT_MAX);
        uint8_t kind = dec_u8(d);
        if (!dec_ok(d)) break;
        const struct config_field *f = find_field(type, name);
        if (f == NULL || (uint8_t)f->kind != kind)
            return err_set(e, E_DATA, "operator '%s' has no configuration '%.*s' of kind %u in this build", type->name,
                           (int)MIN(name.size, 100u), name.size > 0 ? name.data : "", kind);
        decode_value(a, f->kind, (char *)config + f->offset, d);
    }
    return dec_ok(d) ? S_OK : err_set(e, E_DATA, "configuration of operator '%s' is cut or damaged", type->name);
}

/* --- questions -------------------------------------------------------------------------------------------------------------- */
bool graph_config_flag(const struct graph_node *n, const char *field)
{
    const struct config_field *f = find_field(n->type, str_of(field));

    return f != NULL && f->kind == CONF_BOOL && *(const bool *)member(n->config, f);
}

static enum status each_in_node(struct graph_node *n, graph_function_fn fn, void *arg, struct err *e)
{
    for (uint32_t i = 0; i < field_count(n->type); i++) {
        const struct config_field *f = &n->type->config_fields[i];
        struct function_ref *ref = (struct function_ref *)(void *)((char *)n->config + f->offset);
        if (f->kind != CONF_FUNCTION || ref->name == NULL) continue;
        if (fn(arg, ref, e) != S_OK) return graph_at(n->here, e);
    }
    return S_OK;
}

enum status graph_each_function(struct graph *g, graph_function_fn fn, void *arg, struct err *e)
{
    for (uint32_t i = 0; i < g->node_count; i++) TRY(each_in_node(g->nodes[i], fn, arg, e));
    for (uint32_t i = 0; i < g->edge_count; i++) {
        struct graph_edge *edge = g->edges[i];
        if (edge->function.name != NULL && fn(arg, &edge->function, e) != S_OK) return graph_at(edge->here, e);
    }
    return S_OK;
}
