/* behind_key.c - keys of entries as the map behind the cache has them, and back.
 *
 * The hash comes before the key itself: key groups are runs of hashes, so those of a subtask, or of one that takes some of its groups
 * over, lie together; and a walk by hash reads the map from one end to the other. Not here: the NULL key, which never leaves. */
#include "flow/state/behind.h"

static void number_put(struct buf *out, uint64_t value, uint32_t bytes)
{
    char be[8];

    for (uint32_t i = 0; i < bytes; i++) be[i] = (char)(value >> (8 * (bytes - 1 - i)));
    buf_append(out, be, bytes);
}

uint32_t behind_prefix_size(const struct hm_table *t) { return t->base.def->namespaced ? 10 : 2; }

void behind_prefix(const struct hm_table *t, int64_t ns, struct buf *out)
{
    number_put(out, t->behind->number, 2);
    if (t->base.def->namespaced) number_put(out, (uint64_t)ns ^ UINT64_C(1) << 63, 8);
}

void behind_key(const struct hm_table *t, int64_t ns, uint64_t hash, const struct key_set *set, uint32_t i,
                struct buf *out)
{
    behind_prefix(t, ns, out);
    number_put(out, hash, 8);
    if (t->key.form == KEY_WORD)
        buf_append(out, &set->words[i], sizeof set->words[i]);
    else
        buf_append(out, set->views[i].data, t->key.form == KEY_FIXED ? t->key.bytes : set->views[i].size);
}

uint64_t behind_key_read(const struct hm_table *t, struct str key, struct key_set *set, uint32_t i)
{
    uint32_t at = behind_prefix_size(t);
    uint64_t hash = 0;

    for (uint32_t k = 0; k < 8; k++) hash = hash << 8 | (uint8_t)key.data[at + k];
    at += 8;
    set->nulls[i] = 0;
    if (t->key.form == KEY_WORD)
        memcpy(&set->words[i], key.data + at, sizeof set->words[i]);
    else
        set->views[i] = (struct str){key.data + at, key.size - at};
    return hash;
}

bool behind_shard_hash(const struct hm_table *t, uint32_t shard, uint64_t *hash)
{
    const struct state_host *h = t->base.host;
    uint64_t group = h->group_first + ((uint64_t)shard << t->shard_shift);
    uint64_t high = ((group << 32) + h->max_parallelism - 1) / h->max_parallelism;

    *hash = high << 32;
    return high <= UINT32_MAX;
}

void behind_range(const struct hm_table *t, int64_t ns, uint64_t hash, uint32_t last, bool is_list, struct str *from, struct str *to)
{
    struct buf *keys = &t->behind->store->keys;
    size_t first = behind_prefix_size(t) + sizeof hash;
    uint64_t end;

    buf_clear(keys);
    behind_prefix(t, ns, keys);
    number_put(keys, hash, sizeof hash);
    behind_prefix(t, ns, keys);
    if (behind_shard_hash(t, last + 1, &end)) number_put(keys, end, sizeof end);
    else buf_append(keys, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9); /* behind every hash */
    if (is_list) {
        keys->data[0] = (char)((uint8_t)keys->data[0] | LIST_MARK);
        keys->data[first] = (char)((uint8_t)keys->data[first] | LIST_MARK);
    }
    *from = (struct str){keys->data, first};
    *to = (struct str){keys->data + first, keys->size - first};
}
