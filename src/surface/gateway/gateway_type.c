/* gateway_type.c - types of a gateway as text that type_parse reads. The words are those of Flink's LogicalTypeRoot; which members
 * stand beside them is a line of the table each.
 *
 * A gateway cannot write every value as JSON: a map whose keys are no strings fails there. Such types, and those that this engine
 * does not have, are shown as the text that the gateway makes of them. */
#include "surface/gateway/gateway_type.h"

#include "ground/base/str.h"
#include "surface/gateway/answer.h"

#include <string.h>

struct writer {
    struct arena *a;
    struct buf out;
    bool as_json;
};

struct kind {
    const char *name;                                   /* in JSON */
    const char *text;                                   /* ours */
    void (*members)(struct writer *w, struct str json); /* NULL: none */
};

static void put_type(struct writer *w, struct str json);

/* --- members ----------------------------------------------------------------------------------------------------- */
static void put_number(struct writer *w, struct str json, const char *member)
{
    buf_printf(&w->out, "(%lld)", (long long)answer_int(answer_member(json, member), 0));
}

/* '' is a CHAR(0), which no column can be. */
static void put_length(struct writer *w, struct str json)
{
    int64_t length = answer_int(answer_member(json, "length"), 1);
    if (length > 0) buf_printf(&w->out, "(%lld)", (long long)length);
}

static void put_precision(struct writer *w, struct str json) { put_number(w, json, "precision"); }

static void put_decimal(struct writer *w, struct str json)
{
    buf_printf(&w->out, "(%lld, %lld)", (long long)answer_int(answer_member(json, "precision"), 0),
               (long long)answer_int(answer_member(json, "scale"), 0));
}

static void put_element(struct writer *w, struct str json)
{
    buf_append_byte(&w->out, '<');
    put_type(w, answer_member(json, "elementType"));
    buf_append_byte(&w->out, '>');
}

static void put_multiset(struct writer *w, struct str json)
{
    w->as_json = false;
    put_element(w, json);
}

static void put_map(struct writer *w, struct str json)
{
    struct str key = answer_member(json, "keyType"), kind = answer_member(key, "type");

    w->as_json &= answer_is(kind, "\"VARCHAR\"") || answer_is(kind, "\"CHAR\"");
    buf_append_byte(&w->out, '<');
    put_type(w, key);
    buf_append_text(&w->out, ", ");
    put_type(w, answer_member(json, "valueType"));
    buf_append_byte(&w->out, '>');
}

static void put_name(struct writer *w, const char *name)
{
    buf_append_byte(&w->out, '`');
    for (; name != NULL && *name != '\0'; name++) {
        if (*name == '`') buf_append_byte(&w->out, '`');
        buf_append_byte(&w->out, *name);
    }
    buf_append_text(&w->out, "` ");
}

static void put_fields(struct writer *w, struct str json)
{
    struct str field;
    size_t at = 0;

    buf_append_byte(&w->out, '<');
    for (struct str fields = answer_member(json, "fields"); answer_next(fields, &at, &field);) {
        if (w->out.data[w->out.size - 1] != '<') buf_append_text(&w->out, ", ");
        put_name(w, answer_text(answer_member(field, "name"), w->a));
        put_type(w, answer_member(field, "fieldType"));
    }
    buf_append_byte(&w->out, '>');
}

/* --- the kinds --------------------------------------------------------------------------------------------------- */
static const struct kind kinds[] = {
    {"BOOLEAN", "BOOLEAN", NULL},
    {"TINYINT", "TINYINT", NULL},
    {"SMALLINT", "SMALLINT", NULL},
    {"INTEGER", "INT", NULL},
    {"BIGINT", "BIGINT", NULL},
    {"FLOAT", "FLOAT", NULL},
    {"DOUBLE", "DOUBLE", NULL},
    {"DECIMAL", "DECIMAL", put_decimal},
    {"CHAR", "CHAR", put_length},
    {"VARCHAR", "VARCHAR", put_length},
    {"BINARY", "BINARY", put_length},
    {"VARBINARY", "VARBINARY", put_length},
    {"DATE", "DATE", NULL},
    {"TIME_WITHOUT_TIME_ZONE", "TIME", put_precision},
    {"TIMESTAMP_WITHOUT_TIME_ZONE", "TIMESTAMP", put_precision},
    {"TIMESTAMP_WITH_LOCAL_TIME_ZONE", "TIMESTAMP_LTZ", put_precision},
    {"INTERVAL_DAY_TIME", "INTERVAL DAY TO SECOND", NULL},
    {"INTERVAL_YEAR_MONTH", "INTERVAL YEAR TO MONTH", NULL},
    {"ARRAY", "ARRAY", put_element},
    {"MULTISET", "MULTISET", put_multiset},
    {"MAP", "MAP", put_map},
    {"ROW", "ROW", put_fields},
    {"NULL", "NULL", NULL},
};

static const struct kind *kind_of(struct str json, struct arena *a)
{
    const char *name = answer_text(answer_member(json, "type"), a);

    for (size_t i = 0; name != NULL && i < COUNT_OF(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    return NULL;
}

/* Depth is bounded: the text was checked as JSON. */
static void put_type(struct writer *w, struct str json)
{
    const struct kind *k = kind_of(json, w->a);

    if (k == NULL) {
        w->as_json = false;
        buf_append_text(&w->out, "STRING");
        return;
    }
    buf_append_text(&w->out, k->text);
    if (k->members != NULL) k->members(w, json);
    if (answer_is(answer_member(json, "nullable"), "false")) buf_append_text(&w->out, " NOT NULL");
}

enum status gateway_type(struct str json, struct arena *a, const struct type **out, bool *as_json, struct err *e)
{
    struct writer w = {.a = a, .as_json = true};
    struct mem mem;
    enum status st = S_OK;

    mem_init(&mem, "gateway type", 0);
    buf_init(&w.out, &mem);
    put_type(&w, json);
    *out = &type_string;
    *as_json = w.as_json;
    if (w.as_json) st = type_parse(a, (struct str){w.out.data, w.out.size}, out, e);
    if (st != S_OK) err_wrap(e, "a type of the gateway: %.*s", (int)MIN(json.size, (size_t)200), json.data);
    buf_release(&w.out);
    mem_release(&mem);
    return st;
}
