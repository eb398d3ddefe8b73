/* accumulators_codec.c - a set of accumulators as bytes, between processes of one version: for each its name, kind, numbers and, of a
 * histogram, its entries. What is read is merged into a set, so kinds and bounds are looked at there, too. */
#include "flow/task/accumulators.h"

#include "ground/base/codec.h"

#include <string.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

void accumulators_encode(const struct accumulators *a, struct buf *out)
{
    enc_varint(out, a->count);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct accumulator *x = &a->items[i];
        enc_text(out, x->name);
        enc_u8(out, (uint8_t)x->kind);
        enc_u8(out, x->has_value);
        enc_zigzag(out, x->count);
        enc_u64(out, bits_of(x->sum));
        enc_varint(out, x->entry_count);
        for (uint32_t k = 0; k < x->entry_count; k++) {
            enc_zigzag(out, x->entries[k].value);
            enc_zigzag(out, x->entries[k].count);
        }
    }
}

static enum status decode_entries(struct dec *d, struct accumulators *set, struct accumulator *x, struct err *e)
{
    uint64_t count = dec_varint(d);

    if (count > HISTOGRAM_MAX) return err_set(e, E_DATA, "a histogram of %llu values", (unsigned long long)count);
    for (uint64_t k = 0; k < count && dec_ok(d); k++) {
        int64_t value = dec_zigzag(d), times = dec_zigzag(d);
        if (value < INT32_MIN || value > INT32_MAX || x->kind != ACC_HISTOGRAM) return err_set(e, E_DATA, "no value of a histogram");
        TRY(accumulator_histogram_add(set, x, (int32_t)value, times));
    }
    return S_OK;
}

static enum status decode_one(struct dec *d, struct accumulators *set, struct err *e)
{
    char name[ACC_NAME_MAX + 1] = "";
    struct str text = dec_str(d, ACC_NAME_MAX);
    uint8_t kind = dec_u8(d);
    bool has_value = dec_u8(d) != 0;

    if (!dec_ok(d) || text.size == 0 || kind > ACC_GREATEST_DOUBLE || memchr(text.data, 0, text.size) != NULL)
        return err_set(e, E_DATA, "these are no accumulators");
    memcpy(name, text.data, text.size);
    struct accumulator *x = accumulators_get(set, name, (enum accumulator_kind)kind, e);
    if (x == NULL) return E_DATA;
    x->has_value = has_value;
    x->count = dec_zigzag(d);
    x->sum = double_of(dec_u64(d));
    return decode_entries(d, set, x, e);
}

enum status accumulators_decode(struct str bytes, struct accumulators *into, struct err *e)
{
    struct accumulators set;
    struct mem mem;
    struct dec d;
    enum status st = S_OK;

    mem_init(&mem, "accumulators", 0);
    accumulators_init(&set, &mem);
    dec_init(&d, bytes.data, bytes.size);
    uint64_t count = dec_varint(&d);
    if (count > ACCUMULATORS_MAX) st = err_set(e, E_DATA, "these are no accumulators");
    for (uint64_t i = 0; i < count && st == S_OK; i++) st = decode_one(&d, &set, e);
    if (st == S_OK && (!dec_ok(&d) || dec_left(&d) > 0)) st = err_set(e, E_DATA, "these are no accumulators");
    if (st == S_OK) st = accumulators_merge(into, &set, e);
    accumulators_release(&set);
    mem_release(&mem);
    return st;
}
