/* messages.c - see messages.h. A message is its fields in the order of its table, by ground/base/codec.h: numbers as varints, texts and
 * bytes with their size in front (a text's size is one more, 0 = it is not there), lists with their count. Nothing else may stand
 * behind them. A field is added at the end, with another wire version.
 *
 * What is read is bounded by what is there: a list has at most as many items as bytes are left. */
#include "control/cluster/messages.h"

#include "ground/base/codec.h"

#include <stddef.h>
#include <string.h>

#define FIELD(type, kind, member) {kind, offsetof(struct type, member), 0, NULL}
#define PART(type, member, items) {FIELD_PART, offsetof(struct type, member), 0, &items}
#define LIST(type, member, items) {FIELD_LIST, offsetof(struct type, member##s), offsetof(struct type, member##_count), &items}
#define FIELDS(type) {#type, sizeof(struct type), type##_list, COUNT_OF(type##_list)}

static const struct message_field attempt_token_list[] = {FIELD(attempt_token, FIELD_TEXT, job_id),
                                                          FIELD(attempt_token, FIELD_U64, epoch),
                                                          FIELD(attempt_token, FIELD_U64, attempt)};
static const struct message_fields token_fields = FIELDS(attempt_token);

static const struct message_field register_message_list[] = {
    FIELD(register_message, FIELD_TEXT, resource_id), FIELD(register_message, FIELD_TEXT, host),
    FIELD(register_message, FIELD_U32, slots),        FIELD(register_message, FIELD_U32, cores),
    FIELD(register_message, FIELD_U64, memory_bytes), FIELD(register_message, FIELD_U64, process)};
static const struct message_field heartbeat_message_list[] = {FIELD(heartbeat_message, FIELD_U64, number),
                                                              FIELD(heartbeat_message, FIELD_BOOL, is_answer)};
static const struct message_field spawn_message_list[] = {
    PART(spawn_message, token, token_fields), FIELD(spawn_message, FIELD_TEXT, job_name),
    FIELD(spawn_message, FIELD_U32, worker), FIELD(spawn_message, FIELD_BYTES, artifact)};
static const struct message_field release_message_list[] = {PART(release_message, token, token_fields)};
static const struct message_field exited_message_list[] = {
    PART(exited_message, token, token_fields), FIELD(exited_message, FIELD_U32, worker),
    FIELD(exited_message, FIELD_TEXT, how), FIELD(exited_message, FIELD_TEXT, said)};
static const struct message_field artifact_wanted_message_list[] = {
    FIELD(artifact_wanted_message, FIELD_BYTES, digest), FIELD(artifact_wanted_message, FIELD_U64, offset)};
static const struct message_field artifact_message_list[] = {
    FIELD(artifact_message, FIELD_BYTES, digest), FIELD(artifact_message, FIELD_BYTES, bytes),
    FIELD(artifact_message, FIELD_U64, offset), FIELD(artifact_message, FIELD_U64, size),
    FIELD(artifact_message, FIELD_TEXT, failure)};

static const struct message_field hello_message_list[] = {
    PART(hello_message, token, token_fields), FIELD(hello_message, FIELD_U32, worker),
    FIELD(hello_message, FIELD_U64, process), FIELD(hello_message, FIELD_TEXT, data_host),
    FIELD(hello_message, FIELD_U32, data_port)};
static const struct message_field peer_message_list[] = {FIELD(peer_message, FIELD_TEXT, name), FIELD(peer_message, FIELD_TEXT, host),
                                                         FIELD(peer_message, FIELD_U32, port)};
static const struct message_fields peer_fields = FIELDS(peer_message);
static const struct message_field deploy_message_list[] = {
    FIELD(deploy_message, FIELD_BYTES, graph),          FIELD(deploy_message, FIELD_BOOL, times_hooks),
    FIELD(deploy_message, FIELD_TEXT, job_id),          FIELD(deploy_message, FIELD_TEXT, checkpoints_uri),
    FIELD(deploy_message, FIELD_TEXT, restore_uri),     FIELD(deploy_message, FIELD_U64, restore_digest),
    FIELD(deploy_message, FIELD_BOOL, allows_unclaimed), FIELD(deploy_message, FIELD_U64, attempt),
    FIELD(deploy_message, FIELD_U64, epoch),            FIELD(deploy_message, FIELD_U32, worker),
    LIST(deploy_message, peer, peer_fields),
    {FIELD_U32_LIST, offsetof(struct deploy_message, slots), offsetof(struct deploy_message, slot_count), NULL}};
static const struct message_field deployed_message_list[] = {FIELD(deployed_message, FIELD_ERR, err)};
static const struct message_field order_message_list[] = {FIELD(order_message, FIELD_U32, verb),
                                                          FIELD(order_message, FIELD_I64, checkpoint),
                                                          FIELD(order_message, FIELD_TEXT, folder)};
static const struct message_field news_message_list[] = {
    FIELD(news_message, FIELD_U32, vertex), FIELD(news_message, FIELD_U32, subtask),
    FIELD(news_message, FIELD_U32, state), FIELD(news_message, FIELD_I64, status), FIELD(news_message, FIELD_ERR, err)};
static const struct message_field chunk_message_list[] = {
    FIELD(chunk_message, FIELD_I64, checkpoint), FIELD(chunk_message, FIELD_TEXT, uid),
    FIELD(chunk_message, FIELD_TEXT, path),      FIELD(chunk_message, FIELD_U32, vertex),
    FIELD(chunk_message, FIELD_U32, subtask),    FIELD(chunk_message, FIELD_U32, number),
    FIELD(chunk_message, FIELD_BYTES, bytes),    FIELD(chunk_message, FIELD_U64, size),
    FIELD(chunk_message, FIELD_U64, digest)};
static const struct message_field node_message_list[] = {
    FIELD(node_message, FIELD_TEXT, uid),     FIELD(node_message, FIELD_I64, watermark),
    FIELD(node_message, FIELD_I64, sent_watermark), FIELD(node_message, FIELD_BOOL, is_idle),
    FIELD(node_message, FIELD_U32, chunks),   FIELD(node_message, FIELD_BYTES, committables),
    FIELD(node_message, FIELD_BOOL, is_finished)};
static const struct message_fields node_fields = FIELDS(node_message);
static const struct message_field acknowledge_message_list[] = {
    FIELD(acknowledge_message, FIELD_I64, checkpoint), FIELD(acknowledge_message, FIELD_U32, vertex),
    FIELD(acknowledge_message, FIELD_U32, subtask),    FIELD(acknowledge_message, FIELD_U64, bytes),
    FIELD(acknowledge_message, FIELD_I64, aligned_ns), FIELD(acknowledge_message, FIELD_I64, held_ns),
    FIELD(acknowledge_message, FIELD_I64, saved_ns),
    LIST(acknowledge_message, node, node_fields)};
static const struct message_field decline_message_list[] = {
    FIELD(decline_message, FIELD_I64, checkpoint), FIELD(decline_message, FIELD_U32, vertex),
    FIELD(decline_message, FIELD_U32, subtask), FIELD(decline_message, FIELD_ERR, err)};
static const struct message_field wants_message_list[] = {FIELD(wants_message, FIELD_U32, vertex),
                                                          FIELD(wants_message, FIELD_U32, subtask)};
static const struct message_field committed_message_list[] = {FIELD(committed_message, FIELD_I64, checkpoint),
                                                              FIELD(committed_message, FIELD_U32, vertex),
                                                              FIELD(committed_message, FIELD_U32, subtask)};
static const struct message_field rows_message_list[] = {FIELD(rows_message, FIELD_I64, receiver), FIELD(rows_message, FIELD_BOOL, is_last),
                                                         FIELD(rows_message, FIELD_BYTES, bytes)};
static const struct message_field taken_message_list[] = {FIELD(taken_message, FIELD_I64, receiver), FIELD(taken_message, FIELD_U64, bytes)};
static const struct message_field heard_message_list[] = {FIELD(heard_message, FIELD_I64, checkpoint)};
static const struct message_field operator_message_list[] = {
    FIELD(operator_message, FIELD_U64, rows_in), FIELD(operator_message, FIELD_U64, rows_out),
    FIELD(operator_message, FIELD_U64, state_bytes), FIELD(operator_message, FIELD_U64, bytes_out),
    FIELD(operator_message, FIELD_I64, busy_ns)};
static const struct message_fields operator_fields = FIELDS(operator_message);
static const struct message_field task_message_list[] = {
    FIELD(task_message, FIELD_U32, vertex), FIELD(task_message, FIELD_U32, subtask), FIELD(task_message, FIELD_U64, f.rows_in),
    FIELD(task_message, FIELD_U64, f.rows_out), FIELD(task_message, FIELD_U64, f.bytes_in), FIELD(task_message, FIELD_U64, f.bytes_out),
    FIELD(task_message, FIELD_I64, f.watermark), FIELD(task_message, FIELD_U64, f.idle_ms), FIELD(task_message, FIELD_U64, f.full_ms),
    FIELD(task_message, FIELD_U64, f.busy_ms), FIELD(task_message, FIELD_U64, f.idle_rate), FIELD(task_message, FIELD_U64, f.full_rate),
    FIELD(task_message, FIELD_U64, f.busy_rate), FIELD(task_message, FIELD_U64, f.rows_in_rate), FIELD(task_message, FIELD_U64, f.rows_out_rate)};
static const struct message_fields task_fields = FIELDS(task_message);
static const struct message_field counts_message_list[] = {
    FIELD(counts_message, FIELD_U64, rows_in),        FIELD(counts_message, FIELD_U64, rows_out),
    FIELD(counts_message, FIELD_U64, late_dropped),   FIELD(counts_message, FIELD_U64, late_refired),
    FIELD(counts_message, FIELD_U64, errors_skipped), FIELD(counts_message, FIELD_U64, dead_letters),
    FIELD(counts_message, FIELD_I64, watermark),      LIST(counts_message, operator, operator_fields),
    LIST(counts_message, task, task_fields),          FIELD(counts_message, FIELD_BYTES, accumulators)};
static const struct message_field trouble_message_list[] = {FIELD(trouble_message, FIELD_ERR, err)};
static const struct message_field far_message_list[] = {
    FIELD(far_message, FIELD_U32, to),       FIELD(far_message, FIELD_U32, from),    FIELD(far_message, FIELD_U32, verb),
    FIELD(far_message, FIELD_U32, subtask),  FIELD(far_message, FIELD_TEXT, key),    FIELD(far_message, FIELD_TEXT, text),
    FIELD(far_message, FIELD_I64, number),   FIELD(far_message, FIELD_I64, wake_ms), FIELD(far_message, FIELD_I64, status),
    FIELD(far_message, FIELD_BYTES, bytes),  FIELD(far_message, FIELD_ERR, err)};

static const struct message_fields all[] = {
    [MESSAGE_REGISTER] = FIELDS(register_message),
    [MESSAGE_HEARTBEAT] = FIELDS(heartbeat_message),
    [MESSAGE_SPAWN] = FIELDS(spawn_message),
    [MESSAGE_RELEASE] = FIELDS(release_message),
    [MESSAGE_EXITED] = FIELDS(exited_message),
    [MESSAGE_ARTIFACT_WANTED] = FIELDS(artifact_wanted_message),
    [MESSAGE_ARTIFACT] = FIELDS(artifact_message),
    [MESSAGE_HELLO] = FIELDS(hello_message),
    [MESSAGE_DEPLOY] = FIELDS(deploy_message),
    [MESSAGE_DEPLOYED] = FIELDS(deployed_message),
    [MESSAGE_ORDER] = FIELDS(order_message),
    [MESSAGE_NEWS] = FIELDS(news_message),
    [MESSAGE_CHUNK] = FIELDS(chunk_message),
    [MESSAGE_ACKNOWLEDGE] = FIELDS(acknowledge_message),
    [MESSAGE_DECLINE] = FIELDS(decline_message),
    [MESSAGE_WANTS] = FIELDS(wants_message),
    [MESSAGE_COUNTS] = FIELDS(counts_message),
    [MESSAGE_TROUBLE] = FIELDS(trouble_message),
    [MESSAGE_FAR] = FIELDS(far_message),
    [MESSAGE_COMMITTED] = FIELDS(committed_message),
    [MESSAGE_ROWS] = FIELDS(rows_message),
    [MESSAGE_TAKEN] = FIELDS(taken_message),
    [MESSAGE_HEARD] = FIELDS(heard_message),
};

const struct message_fields *message_fields_of(uint8_t kind)
{
    return kind < COUNT_OF(all) && all[kind].name != NULL ? &all[kind] : NULL;
}

/* --- writing --------------------------------------------------------------------------------------------------------------- */
static void put_text(struct buf *out, const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;

    enc_varint(out, text != NULL ? size + 1 : 0);
    if (size > 0) buf_append(out, text, size);
}

static void put_err(struct buf *out, const struct err *e)
{
    enc_zigzag(out, e->status);
    put_text(out, e->text);
    put_text(out, e->hint);
}

static void put_fields(struct buf *out, const struct message_fields *fields, const char *from);

static void put_list(struct buf *out, const struct message_field *f, const char *from)
{
    uint32_t count = *(const uint32_t *)(from + f->count_offset);
    const char *items = *(const char *const *)(from + f->offset);

    enc_varint(out, count);
    for (uint32_t i = 0; i < count; i++) {
        if (f->kind == FIELD_LIST) put_fields(out, f->items, items + (size_t)i * f->items->size);
        else enc_varint(out, ((const uint32_t *)items)[i]);
    }
}

static void put_field(struct buf *out, const struct message_field *f, const char *from)
{
    const void *at = from + f->offset;

    switch (f->kind) {
    case FIELD_U32: enc_varint(out, *(const uint32_t *)at); break;
    case FIELD_U64: enc_varint(out, *(const uint64_t *)at); break;
    case FIELD_I64: enc_zigzag(out, *(const int64_t *)at); break;
    case FIELD_BOOL: enc_u8(out, *(const bool *)at); break;
    case FIELD_TEXT: put_text(out, *(const char *const *)at); break;
    case FIELD_BYTES: enc_str(out, *(const struct str *)at); break;
    case FIELD_ERR: put_err(out, at); break;
    case FIELD_PART: put_fields(out, f->items, at); break;
    case FIELD_LIST:
    case FIELD_U32_LIST: put_list(out, f, from); break;
    }
}

static void put_fields(struct buf *out, const struct message_fields *fields, const char *from)
{
    for (uint32_t i = 0; i < fields->count; i++) put_field(out, &fields->list[i], from);
}

void message_encode(enum message_kind kind, const void *message, struct buf *out)
{
    ASSERT(message_fields_of((uint8_t)kind) != NULL);
    put_fields(out, &all[kind], message);
}

/* --- reading --------------------------------------------------------------------------------------------------------------- */
static const char *get_text(struct dec *d, struct arena *a)
{
    uint64_t size = dec_varint(d);

    if (size == 0 || d->failed) return NULL;
    if (size - 1 > dec_left(d) || memchr(d->at, '\0', (size_t)size - 1) != NULL) {
        d->failed = true;
        return NULL;
    }
    const char *text = arena_strndup(a, (const char *)d->at, (size_t)size - 1);
    d->at += size - 1;
    return text;
}

static struct str get_bytes(struct dec *d, struct arena *a)
{
    struct str view = dec_str(d, MESSAGE_BYTES_MAX);

    return view.size > 0 ? (struct str){arena_strndup(a, view.data, view.size), view.size} : (struct str){0};
}

static void get_err(struct dec *d, struct arena *a, struct err *out)
{
    int64_t status = dec_zigzag(d);
    const char *text = get_text(d, a), *hint = get_text(d, a);

    if (d->failed || status == S_OK) return;
    err_set(out, status < 0 && status >= INT8_MIN ? (enum status)status : E_UNKNOWN, "%s", text != NULL ? text : "");
    if (hint != NULL && hint[0] != '\0') err_hint(out, "%s", hint);
}

static void get_fields(struct dec *d, const struct message_fields *fields, struct arena *a, char *to);

static void get_list(struct dec *d, const struct message_field *f, struct arena *a, char *to)
{
    uint64_t count = dec_varint(d);
    size_t size = f->kind == FIELD_LIST ? f->items->size : sizeof(uint32_t);

    if (count > MESSAGE_LIST_MAX || count > dec_left(d)) d->failed = true;
    if (d->failed) return;
    char *items = arena_alloc(a, size * (size_t)(count + 1));
    memset(items, 0, size * (size_t)(count + 1));
    for (uint64_t i = 0; i < count && !d->failed; i++) {
        if (f->kind == FIELD_LIST) get_fields(d, f->items, a, items + i * size);
        else ((uint32_t *)items)[i] = (uint32_t)dec_varint(d);
    }
    *(char **)(to + f->offset) = items;
    *(uint32_t *)(to + f->count_offset) = (uint32_t)count;
}

static uint32_t get_u32(struct dec *d)
{
    uint64_t v = dec_varint(d);

    d->failed |= v > UINT32_MAX;
    return (uint32_t)v;
}

static void get_field(struct dec *d, const struct message_field *f, struct arena *a, char *to)
{
    void *at = to + f->offset;

    switch (f->kind) {
    case FIELD_U32: *(uint32_t *)at = get_u32(d); break;
    case FIELD_U64: *(uint64_t *)at = dec_varint(d); break;
    case FIELD_I64: *(int64_t *)at = dec_zigzag(d); break;
    case FIELD_BOOL: *(bool *)at = dec_u8(d) != 0; break;
    case FIELD_TEXT: *(const char **)at = get_text(d, a); break;
    case FIELD_BYTES: *(struct str *)at = get_bytes(d, a); break;
    case FIELD_ERR: get_err(d, a, at); break;
    case FIELD_PART: get_fields(d, f->items, a, at); break;
    case FIELD_LIST:
    case FIELD_U32_LIST: get_list(d, f, a, to); break;
    }
}

static void get_fields(struct dec *d, const struct message_fields *fields, struct arena *a, char *to)
{
    for (uint32_t i = 0; i < fields->count && !d->failed; i++) get_field(d, &fields->list[i], a, to);
}

enum status message_decode(enum message_kind kind, struct str bytes, struct arena *a, const void **out, struct err *e)
{
    const struct message_fields *fields = message_fields_of((uint8_t)kind);
    struct dec d;

    if (fields == NULL) return err_set(e, E_DATA, "a message of an unknown kind, %u", (unsigned)kind);
    char *message = arena_alloc(a, fields->size);
    memset(message, 0, fields->size);
    dec_init(&d, bytes.data, bytes.size);
    get_fields(&d, fields, a, message);
    *out = message;
    if (dec_ok(&d) && dec_left(&d) == 0) return S_OK;
    return err_set(e, E_DATA, "a %s of %zu bytes that is none", fields->name, bytes.size);
}
