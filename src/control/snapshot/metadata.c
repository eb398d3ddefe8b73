/* metadata.c - the metadata of a snapshot as bytes and back, as docs/formats/metadata.md draws them.
 *
 * The encoding is canonical: operators are ordered by id, numbers have one form, so equal metadata are equal bytes. The last
 * eight bytes are a checksum of all before them, looked at first: damage is told as damage, not as whatever it happens to
 * look like. What follows the check is still bounded and checked, since a savepoint may come from anybody.
 *
 * Not here: reading and writing objects (snapshot_store.c, snapshot_read.c), and what the chunks mean (flow/state). */
#include "control/snapshot/metadata.h"

#include "ground/base/codec.h"

#include <string.h>

#define MAGIC "TWCM"
enum { MAGIC_SIZE = 4, VERSION = 3, VERSION_OF_UIDS = 2, VERSION_OF_PARTS = 3, CHECKSUM_SIZE = 8, SHORTEST = MAGIC_SIZE + 1 + CHECKSUM_SIZE };
enum subtask_flag { IS_FINISHED = 1, IS_IDLE = 2, SUBTASK_FLAGS = 3 };
enum handle_kind { HANDLE_INLINE = 0, HANDLE_OBJECT = 1 };

const char *snapshot_kind_name(enum snapshot_kind kind)
{
    ASSERT(kind < SNAPSHOT_KINDS);
    return kind == SNAPSHOT_SAVEPOINT ? "savepoint" : "checkpoint";
}

bool snapshot_id_is_valid(const char *id)
{
    return strlen(id) == SNAPSHOT_ID_SIZE - 1 && strspn(id, "0123456789abcdef") == SNAPSHOT_ID_SIZE - 1;
}

/* No part of it may lead elsewhere: savepoints are untrusted, and what they name is read. */
bool snapshot_path_is_safe(const char *path)
{
    const char *rest = path;

    if (strncmp(rest, "../shared/", 10) == 0)
        rest += 10;
    else if (strncmp(rest, "../taskowned/", 13) == 0)
        rest += 13;
    if (rest[0] == '\0' || rest[0] == '/' || strlen(path) > SNAPSHOT_PATH_MAX) return false;
    while (*rest != '\0') {
        size_t size = strcspn(rest, "/");
        if (size == 0 || (size == 1 && rest[0] == '.') || (size == 2 && rest[0] == '.' && rest[1] == '.')) return false;
        rest += size;
        if (*rest == '/' && *++rest == '\0') return false;
    }
    return true;
}

/* --- out ------------------------------------------------------------------------------------------------------------------ */
static void encode_handle(const struct snapshot_handle *h, struct buf *out)
{
    ASSERT(h->path == NULL || snapshot_path_is_safe(h->path));
    enc_u8(out, h->path != NULL ? HANDLE_OBJECT : HANDLE_INLINE);
    if (h->path != NULL) {
        enc_text(out, h->path);
        enc_varint(out, h->size);
    } else {
        ASSERT(h->size == h->bytes.size && h->size <= SNAPSHOT_INLINE_MAX);
        enc_str(out, h->bytes);
    }
    enc_u64(out, h->digest);
    enc_varint(out, (uint64_t)h->part);
}

static void encode_subtask(const struct snapshot_subtask *s, struct buf *out)
{
    enc_u8(out, (uint8_t)((s->is_finished ? IS_FINISHED : 0) | (s->is_idle ? IS_IDLE : 0)));
    enc_zigzag(out, s->watermark);
    enc_zigzag(out, s->sent_watermark);
    enc_str(out, s->committables);
    enc_varint(out, s->handle_count);
    for (uint32_t i = 0; i < s->handle_count; i++) encode_handle(&s->handles[i], out);
}

static void encode_operator(const struct snapshot_operator *o, struct buf *out)
{
    ASSERT(snapshot_id_is_valid(o->id) && o->parallelism >= 1 && o->parallelism <= SNAPSHOT_SUBTASKS_MAX);
    enc_text(out, o->id);
    enc_text(out, o->name);
    enc_text(out, o->uid != NULL ? o->uid : "");
    enc_varint(out, o->parallelism);
    enc_varint(out, o->max_parallelism);
    for (uint32_t i = 0; i < o->parallelism; i++) encode_subtask(&o->subtasks[i], out);
}

void metadata_encode(const struct snapshot_metadata *m, struct buf *out)
{
    size_t start = out->size;

    ASSERT(snapshot_id_is_valid(m->job_id) && m->kind < SNAPSHOT_KINDS && m->operator_count <= SNAPSHOT_OPERATORS_MAX);
    buf_append(out, MAGIC, MAGIC_SIZE);
    enc_varint(out, VERSION);
    enc_text(out, m->job_id);
    enc_text(out, m->job_name);
    enc_varint(out, (uint64_t)m->checkpoint);
    enc_zigzag(out, m->time_ms);
    enc_u8(out, (uint8_t)m->kind);
    buf_append(out, m->graph.bytes, sizeof m->graph.bytes);
    enc_varint(out, m->operator_count);
    for (uint32_t i = 0; i < m->operator_count; i++) {
        ASSERT(i == 0 || strcmp(m->operators[i - 1].id, m->operators[i].id) < 0);
        encode_operator(&m->operators[i], out);
    }
    enc_u64(out, hash64(out->data + start, out->size - start));
}

/* --- in ------------------------------------------------------------------------------------------------------------------- */
/* Reads what is left; the first thing that is wrong is told with its place. */
struct reader {
    struct dec d;
    const uint8_t *first;
    uint8_t version;
    struct arena *arena;
    struct err *e;
};

static enum status wrong(const struct reader *r, const char *what)
{
    err_set(r->e, E_DATA, "metadata of a snapshot: %s at byte %zu", what, (size_t)(r->d.at - r->first));
    return E_DATA;
}

static enum status read_text(struct reader *r, const char *what, size_t size_max, const char **out)
{
    struct str s = dec_str(&r->d, size_max);

    if (!dec_ok(&r->d) || memchr(s.data, '\0', s.size) != NULL) return wrong(r, what);
    *out = arena_strndup(r->arena, s.data, s.size);
    return S_OK;
}

static enum status read_id(struct reader *r, const char *what, char out[static SNAPSHOT_ID_SIZE])
{
    const char *id;

    TRY(read_text(r, what, SNAPSHOT_ID_SIZE - 1, &id));
    if (!snapshot_id_is_valid(id)) return wrong(r, what);
    memcpy(out, id, SNAPSHOT_ID_SIZE);
    return S_OK;
}

/* Of things that take `least` bytes each: what is not there is not made room for. */
static enum status read_count(struct reader *r, const char *what, uint64_t max, size_t least, uint32_t *out)
{
    uint64_t count = dec_varint(&r->d);

    if (!dec_ok(&r->d) || count > max || count > dec_left(&r->d) / least) return wrong(r, what);
    *out = (uint32_t)count;
    return S_OK;
}

static enum status read_handle(struct reader *r, struct snapshot_handle *h)
{
    uint8_t kind = dec_u8(&r->d);

    if (!dec_ok(&r->d) || kind > HANDLE_OBJECT) return wrong(r, "the kind of a chunk is none");
    if (kind == HANDLE_OBJECT) {
        TRY(read_text(r, "the path of a chunk is none", SNAPSHOT_PATH_MAX, &h->path));
        if (!snapshot_path_is_safe(h->path)) return wrong(r, "the path of a chunk leads out of its folder");
        h->size = dec_varint(&r->d);
    } else {
        h->bytes = dec_str(&r->d, SNAPSHOT_INLINE_MAX);
        h->size = h->bytes.size;
    }
    h->digest = dec_u64(&r->d);
    uint64_t part = r->version >= VERSION_OF_PARTS ? dec_varint(&r->d) : 0;
    if (part > INT64_MAX) return wrong(r, "the part of a chunk is none");
    h->part = (int64_t)part;
    if (!dec_ok(&r->d)) return wrong(r, "a chunk is cut off");
    if (kind == HANDLE_INLINE && hash64(h->bytes.data, h->bytes.size) != h->digest)
        return wrong(r, "a chunk is damaged");
    return S_OK;
}

static enum status read_subtask(struct reader *r, struct snapshot_subtask *s)
{
    uint8_t flags = dec_u8(&r->d);

    if (!dec_ok(&r->d) || flags > SUBTASK_FLAGS) return wrong(r, "the flags of a subtask are none");
    s->is_finished = (flags & IS_FINISHED) != 0;
    s->is_idle = (flags & IS_IDLE) != 0;
    s->watermark = dec_zigzag(&r->d);
    s->sent_watermark = dec_zigzag(&r->d);
    s->committables = dec_str(&r->d, SNAPSHOT_COMMITTABLES_MAX);
    TRY(read_count(r, "the number of chunks is none", SNAPSHOT_HANDLES_MAX, 10, &s->handle_count));
    struct snapshot_handle *handles = ARENA_ARRAY(r->arena, struct snapshot_handle, s->handle_count + 1);
    for (uint32_t i = 0; i < s->handle_count; i++) TRY(read_handle(r, &handles[i]));
    s->handles = handles;
    return S_OK;
}

static enum status read_operator(struct reader *r, struct snapshot_operator *o)
{
    TRY(read_id(r, "the id of an operator is none", o->id));
    TRY(read_text(r, "the name of an operator is none", SNAPSHOT_NAME_MAX, &o->name));
    if (r->version >= VERSION_OF_UIDS) TRY(read_text(r, "the uid of an operator is none", SNAPSHOT_NAME_MAX, &o->uid));
    if (o->uid != NULL && o->uid[0] == '\0') o->uid = NULL;
    TRY(read_count(r, "the parallelism of an operator is none", SNAPSHOT_SUBTASKS_MAX, 1, &o->parallelism));
    uint64_t max_parallelism = dec_varint(&r->d);
    if (!dec_ok(&r->d) || o->parallelism == 0 || max_parallelism < o->parallelism || max_parallelism > INT32_MAX)
        return wrong(r, "the parallelism of an operator is none");
    o->max_parallelism = (uint32_t)max_parallelism;
    struct snapshot_subtask *subtasks = ARENA_ARRAY(r->arena, struct snapshot_subtask, o->parallelism);
    for (uint32_t i = 0; i < o->parallelism; i++) TRY(read_subtask(r, &subtasks[i]));
    o->subtasks = subtasks;
    return S_OK;
}

static enum status read_operators(struct reader *r, struct snapshot_metadata *m)
{
    TRY(read_count(r, "the number of operators is none", SNAPSHOT_OPERATORS_MAX, SNAPSHOT_ID_SIZE, &m->operator_count));
    struct snapshot_operator *operators = ARENA_ARRAY(r->arena, struct snapshot_operator, m->operator_count + 1);
    for (uint32_t i = 0; i < m->operator_count; i++) {
        TRY(read_operator(r, &operators[i]));
        if (i > 0 && strcmp(operators[i - 1].id, operators[i].id) >= 0) return wrong(r, "operators are not in order");
    }
    m->operators = operators;
    return S_OK;
}

static enum status read_fields(struct reader *r, struct snapshot_metadata *m)
{
    TRY(read_id(r, "the job's id is none", m->job_id));
    TRY(read_text(r, "the job's name is none", SNAPSHOT_NAME_MAX, &m->job_name));
    uint64_t checkpoint = dec_varint(&r->d);
    m->time_ms = dec_zigzag(&r->d);
    uint8_t kind = dec_u8(&r->d);
    if (!dec_ok(&r->d) || checkpoint > INT64_MAX || kind >= SNAPSHOT_KINDS)
        return wrong(r, "the checkpoint's id is none");
    m->checkpoint = (int64_t)checkpoint;
    m->kind = kind;
    for (size_t i = 0; i < sizeof m->graph.bytes; i++) m->graph.bytes[i] = dec_u8(&r->d);
    TRY(read_operators(r, m));
    return dec_left(&r->d) == 0 ? S_OK : wrong(r, "there is more than the metadata");
}

/* Magic, version, checksum. */
static enum status check_frame(struct str bytes, struct err *e)
{
    struct dec d;

    if (bytes.size < MAGIC_SIZE || memcmp(bytes.data, MAGIC, MAGIC_SIZE) != 0) {
        err_set(e, E_DATA, "this is no metadata of a snapshot: it does not begin with " MAGIC);
        err_hint(e,
                 "give the folder of a checkpoint or savepoint that this program wrote; those of Flink cannot be read");
        return E_DATA;
    }
    if (bytes.size < SHORTEST || bytes.size > SNAPSHOT_METADATA_MAX)
        return err_set(e, E_DATA, "metadata of a snapshot: %zu bytes cannot be right", bytes.size);
    dec_init(&d, bytes.data + bytes.size - CHECKSUM_SIZE, CHECKSUM_SIZE);
    bool is_whole = dec_u64(&d) == hash64(bytes.data, bytes.size - CHECKSUM_SIZE);
    dec_init(&d, bytes.data + MAGIC_SIZE, bytes.size - MAGIC_SIZE);
    uint64_t version = dec_varint(&d);
    if (is_whole && version > VERSION) {
        err_set(e, E_DATA, "metadata of a snapshot: version %llu is newer than this program, which reads %d",
                (unsigned long long)version, VERSION);
        err_hint(e, "read it with the program that wrote it, or a later one");
        return E_DATA;
    }
    if (is_whole && version >= 1) return S_OK;
    return err_set(e, E_DATA, "metadata of a snapshot: its %zu bytes are damaged (checksum)", bytes.size);
}

enum status metadata_decode(struct arena *a, struct str bytes, struct snapshot_metadata *out, struct err *e)
{
    struct reader r = {.first = (const uint8_t *)bytes.data, .arena = a, .e = e};

    *out = (struct snapshot_metadata){0};
    TRY(check_frame(bytes, e));
    dec_init(&r.d, bytes.data, bytes.size - CHECKSUM_SIZE);
    r.d.at += MAGIC_SIZE;
    r.version = dec_u8(&r.d);
    return read_fields(&r, out);
}

/* --- questions ------------------------------------------------------------------------------------------------------------ */
const struct snapshot_operator *metadata_find(const struct snapshot_metadata *m, const char *id)
{
    for (uint32_t i = 0; i < m->operator_count; i++)
        if (strcmp(m->operators[i].id, id) == 0) return &m->operators[i];
    return NULL;
}

uint64_t metadata_state_bytes(const struct snapshot_metadata *m)
{
    uint64_t bytes = 0;

    for (uint32_t o = 0; o < m->operator_count; o++)
        for (uint32_t s = 0; s < m->operators[o].parallelism; s++)
            for (uint32_t h = 0; h < m->operators[o].subtasks[s].handle_count; h++)
                bytes += m->operators[o].subtasks[s].handles[h].size;
    return bytes;
}
