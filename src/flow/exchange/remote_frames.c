/* remote_frames.c - frames between two workers as bytes. A batch lies as columns/column/batch_codec.h writes it,
 * behind a head of fixed size. Whatever comes is checked here and there: bytes of a peer are never trusted to fit. */
#include "flow/exchange/remote_frames.h"

#include "columns/column/batch_codec.h"

static const enum element_kind controls[] = {ELEMENT_WATERMARK, ELEMENT_STATUS, ELEMENT_BARRIER, ELEMENT_END,
                                             ELEMENT_LATENCY};

/* --- writing ------------------------------------------------------------------------------------------------------ */
void remote_batch_encode(struct buf *out, uint64_t channel, const struct batch *b, bool has_more)
{
    enc_u64(out, channel);
    enc_u64(out, (uint64_t)b->watermark);
    enc_u8(out, has_more);
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
        out->has_more = flag_decode(d);
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

enum status remote_batch_decode(struct dec *d, const struct remote_message *m, struct batch *b, struct err *e)
{
    TRY(batch_decode(d, b, e));
    if (b->count == 0) return err_set(e, E_DATA, "a batch without rows");
    if (dec_left(d) > 0) return err_set(e, E_DATA, "%zu bytes too many behind a batch", dec_left(d));
    b->watermark = m->element.value;
    return S_OK;
}
