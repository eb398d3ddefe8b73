/* partition.c - how the next operator reads a stream: by key, by a partitioner, or one of its side outputs. No call here appends
 * a node, but that of a key function, whose columns an operator of its own computes. */
#include "surface/api/api_internal.h"

static struct tw_stream *repartitioned(struct tw_stream *s, enum partitioner p, struct tw_here h)
{
    struct tw_stream *copy = api_stream_copy(s);

    copy->has_partitioner = true;
    copy->partitioner = p;
    copy->is_keyed = false;
    copy->keys = (struct text_list){NULL, 0};
    copy->function = (struct function_ref){0};
    copy->here = api_here(h);
    if (s->also != NULL) copy->also = repartitioned(s->also, p, h);
    return copy;
}

static struct tw_stream *keyed(struct tw_stream *s, enum partitioner p, const char *const *fields, uint32_t count,
                               struct tw_here h)
{
    if (!api_usable(s, h)) return api_broken(s->env);
    if (count == 0 || count > OP_KEYS_MAX)
        return api_mistake(s->env, h, "a key has between 1 and %d fields, not %u", OP_KEYS_MAX, count);
    struct tw_stream *out = repartitioned(s, p, h);
    struct text_list keys = api_texts(s->env, fields, count);
    for (struct tw_stream *x = out; x != NULL; x = x->also) {
        x->keys = keys;
        x->is_keyed = true;
    }
    return out;
}

struct tw_stream *tw_key_by_at(struct tw_stream *s, const char *const *fields, uint32_t count, struct tw_here h)
{
    return keyed(s, PART_HASH, fields, count, h);
}

struct tw_stream *tw_reinterpret_as_keyed_at(struct tw_stream *s, const char *const *fields, uint32_t count,
                                             struct tw_here h)
{
    return keyed(s, PART_FORWARD, fields, count, h);
}

struct tw_stream *tw_key_by_function_at(struct tw_stream *s, const struct tw_function *f, struct tw_here h)
{
    const char *names[OP_KEYS_MAX];
    uint32_t count = 0;

    if (!api_usable(s, h)) return api_broken(s->env);
    if (f == NULL || f->key == NULL)
        return api_mistake(s->env, h, "a key function needs .key, the row type of its keys");
    for (uint32_t i = 0; i < f->key->field_count && count < OP_KEYS_MAX; i++)
        if (f->key->fields[i].type[0] != '\0') names[count++] = f->key->fields[i].name;
    return tw_key_by_at(api_with_function(s, NULL, "key_by", f, h), names, count, h);
}

struct tw_stream *tw_partition_at(struct tw_stream *s, const char *how, struct tw_here h)
{
    if (!api_usable(s, h)) return api_broken(s->env);
    for (uint32_t p = 0; p < PART_COUNT; p++) {
        if (p == PART_HASH || p == PART_CUSTOM || !str_equal_nocase(str_of(how), str_of(partitioner_names[p])))
            continue;
        return repartitioned(s, (enum partitioner)p, h);
    }
    return api_mistake(
        s->env, h,
        "there is no partitioner '%s'; there are forward, rebalance, rescale, shuffle, broadcast, global and adaptive, "
        "and tw_key_by and tw_partition_custom",
        how != NULL ? how : "");
}

struct tw_stream *tw_partition_custom_at(struct tw_stream *s, const struct tw_function *f, struct tw_here h)
{
    if (!api_usable(s, h)) return api_broken(s->env);
    if (f == NULL) return api_mistake(s->env, h, "custom partitioning needs a function");
    struct function_ref ref = api_function(s->env, f, h);
    struct tw_stream *out = repartitioned(s, PART_CUSTOM, h);
    for (struct tw_stream *x = out; x != NULL; x = x->also) x->function = ref;
    return out;
}

struct tw_stream *tw_side_at(struct tw_stream *s, const char *name, struct tw_here h)
{
    if (!api_usable(s, h)) return api_broken(s->env);
    if (s->also != NULL) return api_mistake(s->env, h, "a union has no side outputs: take those of its streams");
    struct tw_stream *side = api_stream_new(s->env);
    side->node = s->node;
    side->side = api_text(s->env, name != NULL ? name : "");
    side->here = api_here(h);
    return side;
}
