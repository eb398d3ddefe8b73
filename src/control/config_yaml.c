/* config_yaml.c - the adapter to libfyaml: a configuration file as keys and values. Nested mappings are flattened with dots,
 * as Flink reads config.yaml. Bounds: 1 MiB of text, 32 levels, 4,096 keys; no anchors that multiply, since libfyaml is
 * told not to resolve them and an alias is refused. The library is handed memory, never a file: reading is sys's. */
#include "control/config.h"

#include "ground/base/buf.h"
#include "ground/base/str.h"

#include <libfyaml.h>
#include <string.h>

enum { DEPTH_MAX = 32, KEYS_MAX = 4096, KEY_BYTES_MAX = 1024 };

struct reader {
    struct config *config;
    const char *path;
    struct err *e;
    char key[KEY_BYTES_MAX];
    size_t key_size;
    const char *place; /* of the innermost key */
    uint32_t first;    /* item of this file */
    uint32_t keys;
};

static enum status refuse(struct reader *r, const char *why)
{
    if (r->key_size == 0) return err_set(r->e, E_DATA, "%s: %s", r->path, why);
    return err_set(r->e, E_DATA, "%s: at '%.*s': %s", r->path, (int)r->key_size, r->key, why);
}

/* Text of a scalar; false for an alias or a collection. */
static bool scalar_of(struct fy_node *node, struct str *out)
{
    if (node == NULL) {
        *out = STR("");
        return true;
    }
    if (!fy_node_is_scalar(node) || fy_node_is_alias(node)) return false;
    out->data = fy_node_get_scalar(node, &out->size);
    if (out->data == NULL) *out = STR("");
    return memchr(out->data, 0, out->size) == NULL;
}

static const char *place_of(struct reader *r, struct fy_node *key)
{
    const struct fy_mark *mark = fy_token_start_mark(fy_node_get_scalar_token(key));

    if (mark == NULL) return r->path;
    return arena_printf(r->config->arena, "%s:%d:%d", r->path, mark->line + 1, mark->column + 1);
}

static enum status read_value(struct reader *r, struct fy_node *node, int depth);

static enum status read_mapping(struct reader *r, struct fy_node *node, int depth)
{
    void *at = NULL;
    struct fy_node_pair *pair;

    while ((pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        struct str key;
        size_t before = r->key_size;
        if (!scalar_of(fy_node_pair_key(pair), &key) || key.size == 0) return refuse(r, "a key must be text");
        if (before + key.size + 2 > sizeof r->key) return refuse(r, "the key is too long");
        if (before > 0) r->key[r->key_size++] = '.';
        memcpy(r->key + r->key_size, key.data, key.size);
        r->key_size += key.size;
        r->place = place_of(r, fy_node_pair_key(pair));
        TRY(read_value(r, fy_node_pair_value(pair), depth + 1));
        r->key_size = before;
    }
    return S_OK;
}

static enum status read_sequence(struct reader *r, struct fy_node *node, struct buf *out)
{
    void *at = NULL;
    struct fy_node *item;

    while ((item = fy_node_sequence_iterate(node, &at)) != NULL) {
        struct str text;
        if (!scalar_of(item, &text)) return refuse(r, "a list may hold plain values only");
        if (out->size > 0) buf_append_byte(out, ';');
        buf_append(out, text.data, text.size);
    }
    return S_OK;
}

static enum status add(struct reader *r, struct str value)
{
    struct arena *a = r->config->arena;

    if (r->key_size == 0) return refuse(r, "the file must hold keys and values, not one value");
    if (++r->keys > KEYS_MAX) return refuse(r, "too many keys");
    const char *key = arena_strndup(a, r->key, r->key_size);
    for (uint32_t i = r->first; i < r->config->count; i++)
        if (strcmp(r->config->items[i].key, key) == 0)
            return err_set(r->e, E_DATA, "%s: '%s' is given twice; first at %s", r->place, key, r->config->places[i]);
    config_set_from(r->config, key, arena_strndup(a, value.data, value.size), r->place);
    return S_OK;
}

static enum status read_value(struct reader *r, struct fy_node *node, int depth)
{
    struct str text;

    if (depth > DEPTH_MAX) return refuse(r, "nested too deeply");
    if (node != NULL && fy_node_is_mapping(node)) return read_mapping(r, node, depth);
    if (node != NULL && fy_node_is_sequence(node)) {
        struct buf joined;
        buf_init(&joined, r->config->arena->mem);
        enum status st = read_sequence(r, node, &joined);
        if (st == S_OK) st = add(r, (struct str){buf_text(&joined), joined.size});
        buf_release(&joined);
        return st;
    }
    if (!scalar_of(node, &text)) return refuse(r, "aliases are not understood here");
    return add(r, text);
}

static enum status parse(struct reader *r, const char *bytes, size_t size)
{
    struct fy_parse_cfg settings = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG};
    struct fy_diag *diag = fy_diag_create(&(struct fy_diag_cfg){.level = FYET_ERROR, .module_mask = ~0u});
    enum status st = S_OK;
    void *at = NULL;

    fy_diag_set_collect_errors(diag, true);
    settings.diag = diag;
    struct fy_document *doc = fy_document_build_from_string(&settings, bytes, size);
    if (doc == NULL) {
        struct fy_diag_error *first = fy_diag_errors_iterate(diag, &at);
        st = err_set(r->e, E_DATA, "%s:%d: %s", r->path, first != NULL ? first->line : 0,
                     first != NULL ? first->msg : "not YAML");
    } else if (fy_document_root(doc) != NULL) {
        st = read_value(r, fy_document_root(doc), 0);
    }
    if (doc != NULL) fy_document_destroy(doc);
    fy_diag_destroy(diag);
    return st;
}

enum status config_read_yaml(struct config *c, struct sys *sys, const char *path, struct err *e)
{
    struct reader r = {.config = c, .path = path, .e = e, .first = c->count};
    struct buf bytes;

    ASSERT(path != NULL);
    buf_init(&bytes, c->arena->mem);
    enum status st = config_read_file(sys, path, &bytes, e);
    if (st == S_OK && bytes.size > 0) st = parse(&r, bytes.data, bytes.size);
    buf_release(&bytes);
    return st;
}
