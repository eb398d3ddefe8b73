/* metadata.c - columns of a source that are not in its records: see source.h. */
#include "flow/source/source.h"
#include "ground/base/str.h"

#include <string.h>

const struct source_metadata *source_metadata_find(const struct source_metadata *table, const char *key)
{
    for (; table != NULL && table->key != NULL; table++)
        if (table->is_part ? str_starts(str_of(key), str_of(table->key)) : strcmp(key, table->key) == 0) return table;
    return NULL;
}

const struct type *source_read_type(struct arena *a, const struct type *schema, const struct text_list *metadata)
{
    if (metadata == NULL || metadata->count == 0) return schema;
    ASSERT(metadata->count <= schema->child_count);
    return type_row(a, schema->child_count - metadata->count, schema->names, schema->children, schema->nullable);
}

enum status source_metadata_check(const struct source_metadata *table, const struct type *schema, const struct text_list *keys,
                                  struct err *e)
{
    if (keys->count > schema->child_count) return err_set(e, E_GRAPH, "a source has more metadata than columns");
    for (uint32_t i = 0; i < keys->count; i++)
        if (source_metadata_find(table, keys->items[i]) == NULL)
            return err_set(e, E_CONFIG, "the connector has no metadata '%s'", keys->items[i]);
    return S_OK;
}
