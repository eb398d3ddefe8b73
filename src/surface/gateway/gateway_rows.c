/* gateway_rows.c - see the header. A row {"kind": "INSERT", "fields": [1, "a"]} becomes a record {"0": 1, "1": "a"} of the json
 * format, which knows what the values of each type look like; columns are counted, for their names may repeat. */
#include "surface/gateway/gateway_rows.h"

#include "ground/base/str.h"
#include "surface/gateway/answer.h"
#include "surface/gateway/gateway_type.h"

#include <stdio.h>
#include <string.h>

enum { DECODER_ALIGNMENT = 64 };

/* --- life -------------------------------------------------------------------------------------------------------- */
static enum status take_columns(struct gateway_rows *r, struct str columns, bool as_text, struct arena *a,
                                struct err *e)
{
    const struct type *types[TYPE_FIELDS_MAX];
    const char *names[TYPE_FIELDS_MAX];
    uint32_t count = 0;
    struct str column;
    size_t at = 0;

    r->as_json = !as_text;
    while (answer_next(columns, &at, &column)) {
        bool as_json;
        if (count == TYPE_FIELDS_MAX)
            return err_set(e, E_UNSUPPORTED, "the result has more than %d columns", TYPE_FIELDS_MAX);
        const char *name = answer_text(answer_member(column, "name"), a);
        names[count] = name != NULL ? name : "";
        TRY(gateway_type(answer_member(column, "logicalType"), a, &types[count], &as_json, e));
        r->as_json &= as_json;
        count++;
    }
    for (uint32_t i = 0; i < count && !r->as_json; i++) types[i] = &type_string;
    r->row = type_row(a, count, names, types, false);
    return S_OK;
}

static const struct type *counted_row(const struct type *row, struct arena *a)
{
    const char **names = ARENA_ARRAY(a, const char *, row->child_count + 1);
    char name[16];

    for (uint32_t i = 0; i < row->child_count; i++) {
        int size = snprintf(name, sizeof name, "%u", i);
        names[i] = arena_strndup(a, name, (size_t)size);
    }
    return type_row(a, row->child_count, names, row->children, false);
}

enum status gateway_rows_open(struct gateway_rows *r, struct str columns, bool as_text, struct arena *a,
                              struct mem *mem, struct err *e)
{
    static const struct option iso[] = {{"json.timestamp-format.standard", "ISO-8601"}};
    static const struct options options = {iso, 1};

    *r = (struct gateway_rows){.mem = mem};
    TRY(take_columns(r, columns, as_text, a, e));
    const struct type *counted = counted_row(r->row, a);
    struct format_config config = {.schema = counted, .options = &options, .mem = mem, .name = "the gateway's answer"};
    const struct fmt_type *format;
    TRY(format_find("json", &format, e));
    r->decoder = mem_alloc_aligned(mem, format->decoder_size, DECODER_ALIGNMENT);
    memset(r->decoder, 0, format->decoder_size);
    enum status st = format->decoder_open(r->decoder, &config, e);
    if (st != S_OK) {
        mem_free(mem, r->decoder);
        return st;
    }
    r->format = format;
    r->batch = batch_create(r->row, BATCH_ROWS, mem);
    buf_init(&r->record, mem);
    return S_OK;
}

void gateway_rows_close(struct gateway_rows *r)
{
    if (r->format == NULL) return;
    r->format->decoder_close(r->decoder);
    mem_free(r->mem, r->decoder);
    batch_free(r->batch);
    buf_release(&r->record);
    *r = (struct gateway_rows){0};
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static enum status kind_of(struct str row, enum row_kind *out, struct err *e)
{
    static const char *const kinds[] = {"\"INSERT\"", "\"UPDATE_BEFORE\"", "\"UPDATE_AFTER\"", "\"DELETE\""};
    struct str kind = answer_member(row, "kind");

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (answer_is(kind, kinds[i])) {
            *out = (enum row_kind)i;
            return S_OK;
        }
    return err_set(e, E_DATA, "the gateway's answer has a row of kind %.*s", (int)MIN(kind.size, (size_t)40),
                   kind.data);
}

static enum status make_record(struct gateway_rows *r, struct str row, struct err *e)
{
    uint32_t count = 0;
    struct str value;
    size_t at = 0;

    buf_clear(&r->record);
    for (struct str fields = answer_member(row, "fields"); answer_next(fields, &at, &value); count++) {
        buf_printf(&r->record, "%c\"%u\":", count == 0 ? '{' : ',', count);
        buf_append(&r->record, value.data, value.size);
    }
    if (count == 0) buf_append_byte(&r->record, '{');
    buf_append_byte(&r->record, '}');
    buf_reserve(&r->record, FORMAT_PADDING);
    memset(r->record.data + r->record.size, 0, FORMAT_PADDING);
    if (count == r->row->child_count) return S_OK;
    return err_set(e, E_DATA, "the gateway's answer has a row of %u columns where %u are said", count,
                   r->row->child_count);
}

static enum status flush(struct gateway_rows *r, gateway_batch_fn fn, void *arg, struct err *e)
{
    if (r->batch->count == 0) return S_OK;
    enum status st = fn(arg, r->batch, e);
    batch_clear(r->batch);
    return st;
}

static enum status add_row(struct gateway_rows *r, struct str row, gateway_batch_fn fn, void *arg, struct err *e)
{
    struct format_message message;
    enum row_kind kind = ROW_INSERT;
    enum status st;

    TRY(kind_of(row, &kind, e));
    TRY(make_record(r, row, e));
    message = (struct format_message){.bytes = {r->record.data, r->record.size}};
    while ((st = r->format->decode_message(r->decoder, &message, r->batch, e)) == S_MORE) TRY(flush(r, fn, arg, e));
    TRY(st);
    ASSERT(r->batch->count > 0);
    if (kind != ROW_INSERT && r->batch->kinds == NULL) batch_use_kinds(r->batch);
    if (r->batch->kinds != NULL) r->batch->kinds[r->batch->count - 1] = (uint8_t)kind;
    return S_OK;
}

enum status gateway_rows_give(struct gateway_rows *r, struct str data, gateway_batch_fn fn, void *arg, struct err *e)
{
    struct str row;
    size_t at = 0;

    batch_clear(r->batch);
    while (answer_next(data, &at, &row)) TRY(add_row(r, row, fn, arg, e));
    return flush(r, fn, arg, e);
}
