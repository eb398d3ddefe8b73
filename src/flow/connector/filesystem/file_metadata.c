/* file_metadata.c - see file_metadata.h. A partition column `dt` stands in the path as a folder `dt=2024-01-01`. */
#include "flow/connector/filesystem/file_metadata.h"

#include "ground/base/buf.h"
#include "ground/base/str.h"
#include "ground/fs/fs.h"

#include <string.h>

#define PARTITION "partition."

const struct source_metadata file_metadata_keys[] = {
    {"file.path", "STRING NOT NULL", "the file's full path", false},
    {"file.name", "STRING NOT NULL", "the last part of its path", false},
    {"file.size", "BIGINT NOT NULL", "its bytes", false},
    {"file.modification-time", "TIMESTAMP_LTZ(3) NOT NULL", "when it was written last", false},
    {PARTITION, "STRING", "the value of a partition column", true},
    {0},
};

/* --- names of folders --------------------------------------------------------------------------------------------- */
static bool is_plain(unsigned char c) { return c >= ' ' && c != 127 && strchr("\"#%'*/:=?\\{[]^", c) == NULL; }

void partition_escape(struct str value, struct buf *out)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (is_plain(c)) buf_append_byte(out, c);
        else buf_printf(out, "%%%02X", c);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place; answers the new size. A sign that no two digits follow stands for itself. */
static size_t unescape(char *text, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        int high = text[i] == '%' && i + 2 < size ? hex_digit(text[i + 1]) : -1, low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        text[n++] = low >= 0 ? (char)(high * 16 + low) : text[i];
        if (low >= 0) i += 2;
    }
    return n;
}

/* --- values ------------------------------------------------------------------------------------------------------- */
/* Of the last folder `name=...` of the path, where it stands in the text. */
static bool partition_find(const char *path, const char *name, struct str *out)
{
    size_t size = strlen(name);
    bool found = false;

    for (const char *part = path; part != NULL; part = strchr(part, '/') != NULL ? strchr(part, '/') + 1 : NULL) {
        const char *end = strchr(part, '/');
        if (end == NULL || strncmp(part, name, size) != 0 || part[size] != '=') continue;
        *out = (struct str){part + size + 1, (size_t)(end - part) - size - 1};
        found = true;
    }
    return found;
}

bool partition_value_find(const char *path, const char *name, struct buf *out)
{
    struct str text;
    size_t before = out->size;

    if (!partition_find(path, name, &text)) return false;
    buf_append(out, text.data, text.size);
    out->size = before + unescape(out->data + before, text.size);
    return true;
}

static enum status partition_value(struct source_cx *cx, const char *path, const char *name, char *space, struct file_value *out)
{
    struct str text, none = str_of(options_get(cx->options, cx->option_defs, "partition.default-name"));

    if (!partition_find(path, name, &text)) {
        err_hint(cx->err, "files of a partitioned table lie in folders '%s=value'", name);
        return err_set(cx->err, E_DATA, "the path of file '%s' says nothing of partition column '%s'", path, name);
    }
    memcpy(space, text.data, text.size);
    out->text = (struct str){space, unescape(space, text.size)};
    out->is_null = str_equal(out->text, none);
    return S_OK;
}

static enum status value_find(struct source_cx *cx, const char *path, const struct fs_entry *entry, const char *key, char *space,
                              struct file_value *out)
{
    const char *slash = strrchr(path, '/');

    if (str_starts(str_of(key), STR(PARTITION))) return partition_value(cx, path, key + strlen(PARTITION), space, out);
    if (strcmp(key, "file.size") == 0) out->number = entry->size;
    else if (strcmp(key, "file.modification-time") == 0) out->number = entry->modified_ms;
    else out->text = str_of(strcmp(key, "file.path") == 0 || slash == NULL ? path : slash + 1);
    return S_OK;
}

enum status file_metadata_open(struct file_metadata *m, struct source_cx *cx, const char *path)
{
    uint32_t count = cx->metadata != NULL ? cx->metadata->count : 0;
    size_t size = strlen(path) + 1;
    struct sys_stat st;

    if (count == 0) return S_OK;
    TRY(sys_file_stat(cx->sys, path, &st, cx->err));
    m->values = mem_zalloc(cx->mem, sizeof *m->values * count);
    m->texts = mem_alloc(cx->mem, size * count);
    for (uint32_t i = 0; i < count; i++) {
        struct fs_entry entry = {.size = st.size, .modified_ms = st.modified_ms};
        TRY(value_find(cx, path, &entry, cx->metadata->items[i], m->texts + size * i, &m->values[i]));
    }
    return S_OK;
}

void file_metadata_close(struct file_metadata *m, struct mem *mem)
{
    mem_free(mem, m->values);
    mem_free(mem, m->texts);
}

/* --- columns ------------------------------------------------------------------------------------------------------ */
static void column_fill(struct vector *v, const struct file_value *value, uint32_t first, uint32_t end, struct text_heap *heap)
{
    if (v->phys == P_I64) {
        for (uint32_t row = first; row < end; row++) VECTOR_VALUES(v, int64_t)[row] = value->number;
        return;
    }
    struct text text = text_put(heap, value->text.data, value->text.size); /* one copy for all rows */
    for (uint32_t row = first; row < end; row++) {
        VECTOR_VALUES(v, struct text)[row] = text;
        if (value->is_null) vector_set_null(v, row);
    }
}

void file_metadata_fill(const struct file_metadata *m, const struct source_cx *cx, struct batch *out, uint32_t first)
{
    uint32_t before = cx->read->child_count;

    for (uint32_t i = 0; i < cx->metadata->count && out->count > first; i++)
        if (out->cols[before + i].form != VEC_ABSENT)
            column_fill(&out->cols[before + i], &m->values[i], first, out->count, &out->heap);
}
