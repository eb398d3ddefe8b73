/* cdc_json.c - see cdc_json.h. The json decoder reads one change at a time into a batch of one row, whose type has the parts of a change
 * with the wanted columns of the table in them; its rows are then copied into columns, each with its kind. So values, mistakes and
 * their places are those of json.
 *
 * Where rows before are partial (canal-json, maxwell-json) they are kept as text first: whether a column is missing there or NULL only
 * the text knows. A second decoder reads them, and what is missing is taken from the row after. */
#include "flow/format/cdc_json.h"

#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { PART_BEFORE, PART_AFTER, PART_OPERATION, PART_DATABASE, PART_TABLE, PARTS };

/* --- opening ----------------------------------------------------------------------------------------------------- */
static const char *option_of(const struct cdc_kind *kind, const struct options *o, const char *name)
{
    char key[128];

    snprintf(key, sizeof key, "%s.%s", kind->format, name);
    return options_get(o, kind->options, key);
}

enum { SHARED = 6 };
/* Those that json has, under its names. */
static struct options json_options_of(const struct cdc_kind *kind, const struct options *o, struct option items[static SHARED])
{
    static const char *const shared[SHARED][2] = {
        {"ignore-parse-errors", "json.ignore-parse-errors"},
        {"timestamp-format.standard", "json.timestamp-format.standard"},
        {"map-null-key.mode", "json.map-null-key.mode"},
        {"map-null-key.literal", "json.map-null-key.literal"},
        {"encode.decimal-as-plain-number", "json.encode.decimal-as-plain-number"},
        {"encode.ignore-null-fields", "json.encode.ignore-null-fields"},
    };

    for (uint32_t i = 0; i < SHARED; i++) items[i] = (struct option){shared[i][1], option_of(kind, o, shared[i][0])};
    return (struct options){items, SHARED};
}

static bool is_true(const struct cdc_kind *kind, const struct options *o, const char *name)
{
    const char *value = option_of(kind, o, name);

    return value != NULL && str_equal_nocase(str_of(value), STR("true"));
}

static enum status options_fit(const struct cdc_kind *kind, const struct options *o, struct err *e)
{
    char owner[64];

    snprintf(owner, sizeof owner, "format '%s'", kind->format);
    return options_check(o, kind->options, owner, e);
}

/* A row with the wanted columns; nullable: all of them. */
static const struct type *row_of(struct cdc_decoder *d, bool nullable)
{
    uint32_t count = MAX(d->count, 1u); /* no row is without columns */
    const struct type **types = ARENA_ARRAY(&d->arena, const struct type *, count);
    const char **names = ARENA_ARRAY(&d->arena, const char *, count);

    for (uint32_t i = 0; i < count; i++) {
        names[i] = d->schema->names[d->cols[i]];
        types[i] = d->schema->children[d->cols[i]];
        if (nullable) types[i] = type_with_null(&d->arena, types[i], true);
    }
    return type_row(&d->arena, count, names, types, true);
}

static const struct type *part_of(struct cdc_decoder *d, bool nullable)
{
    const struct type *row = row_of(d, nullable);

    return d->kind->lists ? type_list(&d->arena, T_ARRAY, row, NULL, true) : row;
}

static const struct type *change_type(struct cdc_decoder *d)
{
    const char **names = ARENA_ARRAY(&d->arena, const char *, PARTS);
    const struct type **types = ARENA_ARRAY(&d->arena, const struct type *, PARTS);

    names[PART_BEFORE] = d->kind->before;
    names[PART_AFTER] = d->kind->after;
    names[PART_OPERATION] = d->kind->operation;
    names[PART_DATABASE] = "database";
    names[PART_TABLE] = "table";
    for (uint32_t i = 0; i < PARTS; i++) types[i] = &type_string;
    if (!d->kind->before_is_partial) types[PART_BEFORE] = part_of(d, false);
    types[PART_AFTER] = part_of(d, false);
    const struct type *row = type_row(&d->arena, PARTS, names, types, false);
    if (!d->is_wrapped) return row;
    static const char *const payload[] = {"payload"};
    row = type_with_null(&d->arena, row, true);
    return type_row(&d->arena, 1, payload, &row, false);
}

static enum status filter_open(struct cdc_decoder *d, uint32_t which, const char *name, const struct options *o, struct err *e)
{
    const char *text = option_of(d->kind, o, name);

    if (text == NULL) return S_OK;
    if (regcomp(&d->filters[which], arena_printf(&d->arena, "^(%s)$", text), REG_EXTENDED | REG_NOSUB) != 0)
        return err_set(e, E_CONFIG, "option '%s.%s': '%.100s' is no regular expression", d->kind->format, name, text);
    d->has_filter[which] = true;
    return S_OK;
}

static enum status decoders_open(struct cdc_decoder *d, const struct format_config *config, const struct options *o, struct err *e)
{
    struct format_config inner = *config;
    struct option items[SHARED];
    const struct options json = json_options_of(d->kind, o, items);

    inner.options = &json;
    inner.needed = NULL;
    inner.schema = change_type(d);
    TRY(json_decoder_open(&d->json, &inner, e));
    d->json.reader.options.format = d->kind->format;
    d->change = batch_create(inner.schema, 1, config->mem);
    if (!d->kind->before_is_partial) return S_OK;
    struct json_node *root = d->is_wrapped ? &d->json.root.object->fields[0] : &d->json.root;
    root->object->fields[PART_BEFORE].code = JSON_UNREAD; /* no text that happens to look like a row */
    const char *names[] = {d->kind->before};
    const struct type *types[] = {part_of(d, true)};
    inner.schema = type_row(&d->arena, 1, names, types, false);
    inner.on_error = ON_ERROR_FAIL; /* what is wrong there is told of the whole record, and counted, once */
    inner.dead_letter = NULL;
    inner.bad_records = NULL;
    TRY(json_decoder_open(&d->old, &inner, e));
    d->before = batch_create(inner.schema, 1, config->mem);
    return S_OK;
}

enum status cdc_decoder_open(void *self, const struct format_config *config, const struct cdc_kind *kind, struct err *e)
{
    static const struct options none = {0};
    const struct options *o = config->options != NULL ? config->options : &none;
    struct cdc_decoder *d = self;

    TRY(options_fit(kind, o, e));
    *d = (struct cdc_decoder){.kind = kind, .schema = config->schema};
    arena_init(&d->arena, config->mem, 1024);
    buf_init(&d->text, config->mem);
    report_init(&d->report, config);
    d->cols = ARENA_ARRAY(&d->arena, uint32_t, config->schema->child_count + 1);
    d->cols[0] = 0;
    for (uint32_t i = 0; i < config->schema->child_count; i++)
        if (config->needed == NULL || bit_get(config->needed, i)) d->cols[d->count++] = i;
    d->is_wrapped = is_true(kind, o, "schema-include");
    if (is_true(kind, o, "ignore-parse-errors") && d->report.on_error == ON_ERROR_FAIL) d->report.on_error = ON_ERROR_SKIP;
    enum status st = decoders_open(d, config, o, e);
    if (st == S_OK) st = filter_open(d, 0, "database.include", o, e);
    if (st == S_OK) st = filter_open(d, 1, "table.include", o, e);
    if (st != S_OK) cdc_decoder_close(d);
    return st;
}

void cdc_decoder_close(void *self)
{
    struct cdc_decoder *d = self;

    if (d->change != NULL) json_decoder_close(&d->json);
    if (d->before != NULL) json_decoder_close(&d->old);
    batch_free(d->change);
    batch_free(d->before);
    for (uint32_t i = 0; i < COUNT_OF(d->filters); i++)
        if (d->has_filter[i]) regfree(&d->filters[i]);
    report_release(&d->report);
    buf_release(&d->text);
    arena_release(&d->arena);
}

bool cdc_is_splittable(const struct type *schema, const struct options *o)
{
    (void)schema;
    (void)o;
    return false;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */
enum status cdc_encoder_open(void *self, const struct format_config *config, const struct cdc_kind *kind, struct err *e)
{
    static const struct options none = {0};
    const struct options *o = config->options != NULL ? config->options : &none;
    struct format_config inner = *config;
    struct cdc_encoder *enc = self;
    struct option items[SHARED];

    TRY(options_fit(kind, o, e));
    if (is_true(kind, o, "schema-include"))
        return err_set(e, E_CONFIG, "%s JSON serialization doesn't support '%s.schema-include' option been set to true.", kind->title, kind->format);
    const struct options json = json_options_of(kind, o, items);
    inner.options = &json;
    enc->kind = kind;
    TRY(json_encoder_open(&enc->json, &inner, e));
    enc->json.options.format = kind->format;
    return S_OK;
}

void cdc_encoder_close(void *self) { json_encoder_close(&((struct cdc_encoder *)self)->json); }

/* An update is a deletion and an insertion. */
enum status cdc_encode_row(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e)
{
    struct cdc_encoder *enc = self;
    enum row_kind kind = batch_kind(in, row);
    const char *const *around = kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? enc->kind->insertion : enc->kind->deletion;
    size_t before = out->size;

    buf_append_text(out, around[0]);
    enum status st = json_encode_row(&enc->json, in, row, out, e);
    if (st == S_OK) buf_append_text(out, around[1]);
    else out->size = before; /* whole records only */
    return st;
}

enum status cdc_encode(void *self, const struct batch *in, struct buf *out, struct err *e)
{
    BATCH_EACH(in, i, row)
    {
        TRY(cdc_encode_row(self, in, row, out, e));
        buf_append_byte(out, '\n');
    }
    return S_OK;
}

/* --- a change ---------------------------------------------------------------------------------------------------- */
static const struct vector *part(const struct cdc_decoder *d, uint32_t which)
{
    return d->is_wrapped ? &d->change->cols[0].children[which] : &d->change->cols[which];
}

static struct str text_of(const struct vector *v, struct text *keep)
{
    if (vector_is_null(v, 0)) return (struct str){0};
    *keep = VECTOR_VALUES(v, struct text)[0];
    return text_str(keep);
}

static bool is_filtered(struct cdc_decoder *d)
{
    for (uint32_t i = 0; i < COUNT_OF(d->filters); i++) {
        struct text keep;
        if (!d->has_filter[i]) continue;
        struct str s = text_of(part(d, PART_DATABASE + i), &keep);
        buf_clear(&d->text);
        if (s.size > 0) buf_append(&d->text, s.data, s.size);
        if (regexec(&d->filters[i], buf_text(&d->text), 0, NULL, 0) != 0) return true;
    }
    return false;
}

/* The rows of a part: 0 when it is missing, or one of them. */
static uint32_t rows_of(const struct cdc_decoder *d, const struct vector *v)
{
    if (vector_is_null(v, 0)) return 0;
    if (!d->kind->lists) return 1;
    struct list_ref list = VECTOR_VALUES(v, struct list_ref)[0];
    for (uint32_t i = 0; i < list.count; i++)
        if (vector_is_null(&v->children[0], list.first + i)) return 0;
    return list.count;
}

static const struct vector *old_part(const struct cdc_decoder *d) { return d->before != NULL ? &d->before->cols[0] : part(d, PART_BEFORE); }

/* What is wrong with the change: as report_record says. */
static enum status refuse(struct cdc_decoder *d, struct err *e)
{
    struct format_position at = report_place(&d->report, d->record.data, d->record.data, d->line, d->offset);

    d->what = CDC_NOTHING;
    d->rows = 0;
    return report_record(&d->report, &at, d->record, d->record.data, "correct the record, or set 'on-error' = 'skip' or 'dead-letter' to go on without it", e);
}

/* Rows before that are partial, from their text. */
static enum status old_read(struct cdc_decoder *d, struct err *e)
{
    struct text keep;
    struct str text = text_of(part(d, PART_BEFORE), &keep);
    struct err wrong = {0}; /* its place is one in d->text, which nobody knows */

    batch_clear(d->before);
    buf_clear(&d->text);
    buf_printf(&d->text, "{\"%s\":", d->kind->before);
    if (text.size == 0) buf_append_text(&d->text, "null");
    else buf_append(&d->text, text.data, text.size);
    buf_append_byte(&d->text, '}');
    buf_reserve(&d->text, FORMAT_PADDING);
    memset(d->text.data + d->text.size, 0, FORMAT_PADDING);
    struct format_message message = {.bytes = {d->text.data, d->text.size}, .offset = d->offset};
    if (json_decode_message(&d->old, &message, d->before, &wrong) == S_OK && d->before->count > 0) return S_OK;
    buf_printf(report_begin(&d->report), "the \"%s\" field: %s", d->kind->before, buf_text(&d->old.report.reason));
    return refuse(d, e);
}

static const struct cdc_operation *operation_find(const struct cdc_decoder *d, struct str name)
{
    for (const struct cdc_operation *o = d->kind->operations; o->name != NULL; o++)
        if (str_equal(str_of(o->name), name)) return o;
    return NULL;
}

static enum status change_take(struct cdc_decoder *d, struct err *e)
{
    struct text keep;

    d->at = d->rows = 0;
    if (d->is_wrapped && vector_is_null(&d->change->cols[0], 0)) {
        buf_append_text(report_begin(&d->report), "the change has no \"payload\"");
        return refuse(d, e);
    }
    if (is_filtered(d)) return S_OK;
    struct str name = text_of(part(d, PART_OPERATION), &keep);
    const struct cdc_operation *o = operation_find(d, name);
    if (o == NULL) {
        buf_printf(report_begin(&d->report), "Unknown \"%s\" value \"%.*s\"", d->kind->operation, (int)MIN(name.size, (size_t)100), name.data != NULL ? name.data : "");
        return refuse(d, e);
    }
    d->what = (enum cdc_change)o->change;
    if (d->what == CDC_NOTHING) return S_OK;
    if (d->before != NULL && d->what == CDC_UPDATE) TRY(old_read(d, e));
    if (d->what == CDC_NOTHING) return S_OK; /* it was dropped */
    bool from_old = d->what == CDC_UPDATE || (d->what == CDC_DELETE && d->before == NULL);
    bool from_new = d->what != CDC_DELETE || d->before != NULL;
    uint32_t olds = from_old ? rows_of(d, old_part(d)) : 0, news = from_new ? rows_of(d, part(d, PART_AFTER)) : 0;
    if ((from_old && olds == 0) || (from_new && news == 0) || (from_old && from_new && olds != news)) {
        buf_printf(report_begin(&d->report), "the \"%s\" field of %.*s message is null, if you are using %s, please check that the "
                   "database logs whole rows", from_old && olds == 0 ? d->kind->before : d->kind->after, (int)name.size, name.data, d->kind->title);
        return refuse(d, e);
    }
    d->rows = d->what == CDC_UPDATE ? 2 * news : MAX(olds, news);
    return S_OK;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
/* Does some row before have the column, be it NULL? In text, quotes inside of strings are escaped: the name in quotes and a colon behind
 * is a member. */
static bool is_told(const struct cdc_decoder *d, const char *name)
{
    const char *at = d->text.data, *end = at + d->text.size;
    size_t size = strlen(name);

    while ((at = memmem(at, (size_t)(end - at), name, size)) != NULL) {
        const char *behind = at + size;
        if (at > d->text.data && at[-1] == '"' && behind < end && *behind == '"') {
            behind = json_space_skip(behind + 1, end);
            if (behind < end && *behind == ':') return true;
        }
        at++;
    }
    return false;
}

/* What was never NULL is as after: of several rows some may tell of a column, and others not. */
static bool was_null(const struct cdc_decoder *d, uint32_t col)
{
    return d->schema->children[col]->nullable && is_told(d, d->schema->names[col]);
}

/* Row i of a part, in *v; its columns are children of the answer. */
static const struct vector *row_at(const struct cdc_decoder *d, const struct vector *v, uint32_t i, uint32_t *row)
{
    *row = d->kind->lists ? VECTOR_VALUES(v, struct list_ref)[0].first + i : 0;
    return d->kind->lists ? &v->children[0] : v;
}

static void row_put(struct cdc_decoder *d, struct batch *out)
{
    static const uint8_t kinds[] = {[CDC_INSERT] = ROW_INSERT, [CDC_DELETE] = ROW_DELETE};
    bool is_update = d->what == CDC_UPDATE, is_old = is_update ? d->at % 2 == 0 : d->what == CDC_DELETE && d->before == NULL;
    uint32_t i = is_update ? d->at / 2 : d->at, row, other;
    const struct vector *from = row_at(d, is_old ? old_part(d) : part(d, PART_AFTER), i, &row), *after = NULL;

    if (is_old && d->before != NULL) after = row_at(d, part(d, PART_AFTER), i, &other);
    for (uint32_t c = 0; c < d->count; c++) {
        bool missing = after != NULL && vector_is_null(&from->children[c], row) && !was_null(d, d->cols[c]);
        const struct vector *v = missing ? &after->children[c] : &from->children[c];
        vector_copy_run(&out->cols[d->cols[c]], out->count, v, missing ? other : row, 1, &out->heap, out->mem);
    }
    out->kinds[out->count++] = is_update ? (is_old ? ROW_UPDATE_BEFORE : ROW_UPDATE_AFTER) : kinds[d->what];
    d->at++;
}

/* S_MORE: the batch is full before all rows of the change are in it. */
static enum status rows_put(struct cdc_decoder *d, struct batch *out)
{
    while (d->at < d->rows) {
        if (out->count == out->capacity) return S_MORE;
        row_put(d, out);
    }
    return S_OK;
}

/* The line that ends where the input is now: without its end, behind a byte order mark. from: where reading began. */
static void record_find(struct cdc_decoder *d, const struct format_input *in, size_t from)
{
    size_t end = in->consumed, first;
    bool is_ended = end > from && in->data[end - 1] == '\n';

    if (is_ended) end--;
    for (first = end; first > from && in->data[first - 1] != '\n';) first--;
    if (in->offset == in->consumed - first && end - first > 3 && memcmp(in->data + first, "\xef\xbb\xbf", 3) == 0) first += 3;
    d->record = (struct str){in->data + first, end - first - (end > first && in->data[end - 1] == '\r')};
    d->line = in->line - (in->line > 0 && is_ended);
    d->offset = in->offset - (in->consumed - first);
}

/* The input stands before the record again: whoever hands on the rows before it decodes once more, and meets it again. */
static enum status record_return(const struct cdc_decoder *d, struct format_input *in, enum status st)
{
    in->consumed = (size_t)(d->record.data - in->data);
    in->offset = d->offset;
    in->line = d->line;
    return st;
}

enum status cdc_decode(void *self, struct format_input *in, struct batch *out, struct err *e)
{
    struct cdc_decoder *d = self;

    batch_use_kinds(out);
    for (;;) {
        TRY(rows_put(d, out));
        if (d->at < d->rows || out->count == out->capacity) return S_MORE;
        size_t from = in->consumed;
        batch_clear(d->change);
        enum status st = json_decode(&d->json, in, d->change, e);
        if (st < 0 || (d->change->count == 0 && st != S_MORE)) return st;
        if (d->change->count == 0) continue;
        record_find(d, in, from);
        st = change_take(d, e);
        if (st < 0) return record_return(d, in, st);
        if (d->rows > out->capacity - out->count && out->count > 0) { /* the next batch has room: positions are between records */
            d->rows = 0;
            return record_return(d, in, S_MORE);
        }
    }
}

enum status cdc_decode_message(void *self, const struct format_message *message, struct batch *out, struct err *e)
{
    struct cdc_decoder *d = self;

    batch_use_kinds(out);
    d->report.is_message = true;
    if (d->at == d->rows) { /* else the message is given again for the rest of its rows */
        batch_clear(d->change);
        TRY(json_decode_message(&d->json, message, d->change, e));
        if (d->change->count == 0) return S_OK;
        d->record = message->bytes;
        d->line = 0;
        d->offset = message->offset;
        TRY(change_take(d, e));
    }
    return rows_put(d, out);
}
