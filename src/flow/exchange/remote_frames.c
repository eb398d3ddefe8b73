/* remote_frames.c - frames between two workers as bytes. A batch lies as columns/column/batch_codec.h writes it,
 * behind a head of fixed size. Whatever comes is checked here and there: bytes of a peer are never trusted to fit. */
#include "flow/exchange/remote_frames.h"

#include "columns/column/batch_codec.h"
#include "ground/base/squeeze.h"
#include "ground/net/frame.h"

enum { HAS_MORE = 1, IS_PACKED = 2 };

static const enum element_kind controls[] = {ELEMENT_WATERMARK, ELEMENT_STATUS, ELEMENT_BARRIER, ELEMENT_END,
                                             ELEMENT_LATENCY};

/* --- writing ------------------------------------------------------------------------------------------------------ */
/* Packed, if that makes them smaller: their size, and the packed bytes. */
static bool rows_pack(const struct batch *b, struct buf *raw, struct buf *out)
{
    size_t before = out->size;

    buf_clear(raw);
    batch_encode(b, raw);
    enc_u32(out, (uint32_t)raw->size);
    if (squeeze((struct str){raw->data, raw->size}, out)) return true;
    out->size = before;
    return false;
}

void remote_batch_encode(struct buf *out, uint64_t channel, const struct batch *b, bool has_more, struct buf *raw)
{
    enc_u64(out, channel);
    enc_u64(out, (uint64_t)b->watermark);
    enc_u8(out, (has_more ? HAS_MORE : 0) | (raw != NULL ? IS_PACKED : 0));
    if (raw != NULL && rows_pack(b, raw, out)) return;
    out->data[out->size - 1] &= ~IS_PACKED;
    batch_encode(b, out);
}

void remote_control_encode(struct buf *out, uint64_t channel, const struct element *e)
{
    ASSERT(e->kind != ELEMENT_BATCH);
    enc_u64(out, channel);
    enc_u8(out, (uint8_t)e->kind);
    enc_u64(out, (uint64_t)e->value);
}

void remote_credit_encode(struct buf *out, uint64_t channel, const struct remote_credit *c)
{
    enc_u64(out, channel);
    enc_u32(out, c->batches);
    enc_u32(out, c->controls);
}

void remote_bye_encode(struct buf *out, bool is_answer) { enc_u8(out, is_answer); }

/* --- reading ------------------------------------------------------------------------------------------------------ */
static bool flag_decode(struct dec *d)
{
    uint8_t flag = dec_u8(d);

    if (flag > 1) d->failed = true;
    return flag == 1;
}

static void batch_flags_decode(struct dec *d, struct remote_message *out)
{
    uint8_t flags = dec_u8(d);

    if (flags > (HAS_MORE | IS_PACKED)) d->failed = true;
    out->has_more = (flags & HAS_MORE) != 0;
    out->is_packed = (flags & IS_PACKED) != 0;
}

static void control_decode(struct dec *d, struct element *out)
{
    uint8_t kind = dec_u8(d);
    bool is_known = false;

    for (size_t i = 0; i < COUNT_OF(controls); i++) is_known |= controls[i] == kind;
    if (!is_known) d->failed = true;
    out->kind = is_known ? (enum element_kind)kind : ELEMENT_END;
    out->value = (int64_t)dec_u64(d);
    if (out->kind == ELEMENT_BARRIER && out->value <= 0) d->failed = true; /* ids of checkpoints begin with 1 */
}

enum status remote_message_decode(uint8_t kind, struct dec *d, struct remote_message *out, struct err *e)
{
    *out = (struct remote_message){0};
    if (kind != REMOTE_BYE) out->channel = dec_u64(d);
    switch (kind) {
    case REMOTE_BATCH:
        out->element = (struct element){.kind = ELEMENT_BATCH, .value = (int64_t)dec_u64(d)};
        batch_flags_decode(d, out);
        break;
    case REMOTE_CONTROL: control_decode(d, &out->element); break;
    case REMOTE_CREDIT:
        out->credit.batches = dec_u32(d);
        out->credit.controls = dec_u32(d);
        break;
    case REMOTE_BYE: out->is_answer = flag_decode(d); break;
    default: d->failed = true;
    }
    if (kind != REMOTE_BATCH && dec_left(d) > 0) d->failed = true;
    return dec_ok(d) ? S_OK : err_set(e, E_DATA, "a malformed frame of kind %u", kind);
}

static enum status rows_unpack(struct dec *d, struct buf *raw, struct err *e)
{
    uint32_t size = dec_u32(d);
    struct str packed = {(const char *)d->at, dec_left(d)};

    if (!dec_ok(d) || size > FRAME_PAYLOAD_MAX || !unsqueeze_may(packed.size, size))
        return err_set(e, E_DATA, "a batch whose rows cannot be unpacked");
    buf_clear(raw);
    buf_reserve(raw, size);
    if (!unsqueeze(packed, raw->data, size)) return err_set(e, E_DATA, "a batch whose rows cannot be unpacked");
    dec_init(d, raw->data, size);
    return S_OK;
}

enum status remote_batch_decode(struct dec *d, const struct remote_message *m, struct batch *b, struct buf *raw,
                                struct err *e)
{
    if (m->is_packed) TRY(rows_unpack(d, raw, e));
    TRY(batch_decode(d, b, e));
    if (b->count == 0) return err_set(e, E_DATA, "a batch without rows");
    if (dec_left(d) > 0) return err_set(e, E_DATA, "%zu bytes too many behind a batch", dec_left(d));
    b->watermark = m->element.value;
    return S_OK;
}
