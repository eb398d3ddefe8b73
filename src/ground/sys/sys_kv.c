/* sys_kv.c - what all implementations of sys_kv.h share: changes as bytes, and the way to the world's own.
 *
 * A change is its verb, the sizes of its two strings, and their bytes; so a list of them is one buffer, which costs nothing to keep. */
#include "ground/sys/sys_kv.h"

#include "ground/sys/sys.h"

#include <string.h>

struct change_head {
    uint32_t verb, key, value; /* sizes of these */
};

static void change_add(struct kv_changes *c, enum kv_verb verb, struct str key, struct str value)
{
    struct change_head h = {verb, (uint32_t)key.size, (uint32_t)value.size};

    ASSERT(key.size <= UINT32_MAX && value.size <= UINT32_MAX);
    buf_append(&c->bytes, &h, sizeof h);
    buf_append(&c->bytes, key.data, key.size);
    buf_append(&c->bytes, value.data, value.size);
    c->count++;
}

void kv_changes_clear(struct kv_changes *c)
{
    buf_clear(&c->bytes);
    c->count = 0;
}

void kv_put(struct kv_changes *c, struct str key, struct str value) { change_add(c, KV_PUT, key, value); }
void kv_delete(struct kv_changes *c, struct str key) { change_add(c, KV_DELETE, key, (struct str){"", 0}); }
void kv_delete_range(struct kv_changes *c, struct str from, struct str to) { change_add(c, KV_DELETE_RANGE, from, to); }

bool kv_change_next(const struct kv_changes *c, size_t *at, struct kv_change *out)
{
    struct change_head h;

    if (*at == c->bytes.size) return false;
    memcpy(&h, c->bytes.data + *at, sizeof h);
    *at += sizeof h;
    *out = (struct kv_change){
        (enum kv_verb)h.verb, {c->bytes.data + *at, h.key}, {c->bytes.data + *at + h.key, h.value}};
    *at += (size_t)h.key + h.value;
    return true;
}

enum status sys_kv_open(struct sys *s, const struct kv_settings *o, struct kv **out, struct err *e)
{
    ASSERT(o->path != NULL && out != NULL);
    return s->ops->kv_open(s, o, out, e);
}

void sys_kv_close(struct kv *kv)
{
    if (kv != NULL) kv->ops->close(kv);
}
