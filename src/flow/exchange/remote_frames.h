/* remote_frames.h - what is in the frames between two workers; docs/formats/wire.md has it byte by byte. */
#pragma once
#include "flow/exchange/exchange.h"
#include "ground/base/codec.h"

enum remote_kind { REMOTE_BATCH = 16, REMOTE_CONTROL, REMOTE_CREDIT, REMOTE_BYE }; /* those of a handshake are below */

struct remote_credit {
    uint32_t batches, controls; /* how many more may be sent */
};

/* A frame is either a batch, or one of the others. */
struct remote_message {
    uint64_t channel;            /* all but BYE */
    struct element element;      /* BATCH: value is its watermark, batch is NULL: see remote_batch_decode; CONTROL */
    bool has_more;               /* BATCH: others wait for credit behind it */
    bool is_packed;              /* BATCH: its rows */
    struct remote_credit credit; /* CREDIT */
    bool is_answer;              /* BYE: all that was sent has come; else: nothing more will be sent */
};

/* raw: space of the caller's, to pack the rows; NULL: they are not packed. */
void remote_batch_encode(struct buf *out, uint64_t channel, const struct batch *b, bool has_more, struct buf *raw);
void remote_control_encode(struct buf *out, uint64_t channel, const struct element *e);
void remote_credit_encode(struct buf *out, uint64_t channel, const struct remote_credit *c);
void remote_bye_encode(struct buf *out, bool is_answer);

/* E_DATA: no such frame. Of a BATCH the rows are left in d, for remote_batch_decode. */
enum status remote_message_decode(uint8_t kind, struct dec *d, struct remote_message *out, struct err *e) CHECKED;
/* Fills an empty batch of the channel, its watermark too. E_DATA: these are no rows of it. raw: space of the caller's. */
enum status remote_batch_decode(struct dec *d, const struct remote_message *m, struct batch *b, struct buf *raw,
                                struct err *e) CHECKED;
