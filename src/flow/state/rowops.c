/* rowops.c - operations on whole rows: strings that belong to a row, hash, equality, order, copying from a probe row.
 *
 * The idea: a probe row has the layout of a stored one, only its long strings are pointers, so fixed fields are compared
 * and copied as bytes and only string fields are looked at one by one.
 *
 * Invariants: NULL fields are zero in both kinds, and so are the unused bytes of short strings: equal rows have equal
 * bytes except for the references of long strings. Doubles compare by bits; NaN has one form in a probe row.
 * Not here: where rows lie. */
#include "flow/state/rowops.h"

#include "ground/base/hash.h"

#define PROBE_SEED UINT64_C(0x5fd3a1b9e2476c85) /* other hash tables than the key index are seeded separately */

void stored_text_free(struct segments *s, struct blocks *b, struct state_text *field)
{
    if (field->size > TEXT_INLINE) block_give(b, s, (struct state_ref){field->segment, field->offset});
    memset(field, 0, sizeof *field);
}

static void text_set_short(struct segments *s, struct blocks *b, struct state_text *field, struct str value)
{
    struct state_text fresh = {.size = (uint32_t)value.size};

    if (value.size) memcpy(fresh.prefix, value.data, value.size); /* value may be a view of the field itself */
    stored_text_free(s, b, field);
    *field = fresh;
}

void stored_text_set(struct segments *s, struct blocks *b, struct state_text *field, struct str value)
{
    struct state_ref ref = {0, 0}, old = {field->segment, field->offset};
    bool had_block = field->size > TEXT_INLINE;

    ASSERT_ROW(value.size <= UINT32_MAX - 64);
    if (value.size <= TEXT_INLINE) {
        text_set_short(s, b, field, value);
        return;
    }
    if (had_block) {
        uint32_t room = block_room(s, old);
        if (value.size <= room && value.size * 4 >= room) ref = old;
    }
    if (ref.segment == 0) ref = block_take(b, s, value.size);
    memmove(block_at(s, ref), value.data, value.size);
    if (had_block && ref.segment == old.segment && ref.offset == old.offset) had_block = false;
    if (had_block) block_give(b, s, old);
    field->size = (uint32_t)value.size;
    memcpy(field->prefix, block_at(s, ref), sizeof field->prefix);
    field->segment = ref.segment;
    field->offset = ref.offset;
}

/* prefix and rest lie side by side: short strings are 12 bytes from prefix on. */
_Static_assert(offsetof(struct state_text, rest) == offsetof(struct state_text, prefix) + 4, "short strings are contiguous");

uint64_t probe_hash(const struct state_layout *l, const void *probe)
{
    uint64_t h = 0;

    if (l->text_count == 0 && l->size == 8) return hash64_u64(*(const uint64_t *)probe ^ PROBE_SEED);
    if (l->text_count == 0) return hash64_seeded(probe, l->size, PROBE_SEED);
    for (uint32_t i = 0; i < l->field_count; i++) {
        const struct state_field *f = &l->fields[i];
        const char *at = (const char *)probe + f->offset;
        struct str bytes = {at, f->form == STATE_WIDE ? 16 : 8};
        if (field_is_text(f)) bytes = text_str((const struct text *)at);
        h = hash64_seeded(bytes.data, bytes.size, h ^ PROBE_SEED);
    }
    if (l->has_nulls) h = hash64_seeded((const char *)probe + l->null_offset, l->size - l->null_offset, h);
    return h;
}

static bool text_equals_probe(const struct segments *s, const struct state_text *stored, const struct text *probe)
{
    if (memcmp(stored, probe, 8) != 0) return false; /* size and prefix */
    if (probe->size <= TEXT_INLINE) return memcmp(stored->rest, probe->rest, 8) == 0;
    return memcmp(stored_text(s, stored).data, probe->far, probe->size) == 0;
}

bool row_equals_probe(const struct state_layout *l, const struct segments *s, const void *stored, const void *probe)
{
    if (l->text_count == 0) return memcmp(stored, probe, l->size) == 0;
    for (uint32_t i = 0; i < l->field_count; i++) {
        const struct state_field *f = &l->fields[i];
        const char *a = (const char *)stored + f->offset, *b = (const char *)probe + f->offset;
        if (field_is_text(f)) {
            if (!text_equals_probe(s, (const struct state_text *)a, (const struct text *)b)) return false;
        } else if (memcmp(a, b, f->form == STATE_WIDE ? 16 : 8) != 0) {
            return false;
        }
    }
    return memcmp((const char *)stored + l->null_offset, (const char *)probe + l->null_offset, l->size - l->null_offset) == 0;
}

void row_from_probe(const struct state_layout *l, struct segments *s, struct blocks *b, void *stored, const void *probe)
{
    memcpy(stored, probe, l->size);
    for (uint32_t i = 0, left = l->text_count; left > 0; i++) {
        const struct state_field *f = &l->fields[i];
        const struct text *from = (const struct text *)((const char *)probe + f->offset);
        if (!field_is_text(f)) continue;
        left--;
        if (from->size <= TEXT_INLINE) continue;
        memset((char *)stored + f->offset, 0, sizeof(struct state_text));
        stored_text_set(s, b, state_text_at(stored, f->offset), text_str(from));
    }
}

void probe_from_row(const struct state_layout *l, const struct segments *s, void *probe, const void *stored)
{
    memcpy(probe, stored, l->size);
    for (uint32_t i = 0, left = l->text_count; left > 0; i++) {
        struct str value;
        if (!field_is_text(&l->fields[i])) continue;
        left--;
        value = stored_text(s, (const struct state_text *)((const char *)stored + l->fields[i].offset));
        *(struct text *)((char *)probe + l->fields[i].offset) = text_view(value.data, value.size);
    }
}

void row_free_texts(const struct state_layout *l, struct segments *s, struct blocks *b, void *stored)
{
    for (uint32_t i = 0, left = l->text_count; left > 0; i++) {
        if (!field_is_text(&l->fields[i])) continue;
        left--;
        stored_text_free(s, b, state_text_at(stored, l->fields[i].offset));
    }
}

/* ---- order of sort keys */

void row_order_init(struct row_order *o, const struct state_layout *l, uint64_t descending, uint64_t nulls_last)
{
    *o = (struct row_order){.layout = l, .descending = descending, .nulls_last = nulls_last};
    o->exact = l->field_count == 1 && !l->has_nulls && (l->fields[0].form == STATE_WORD || l->fields[0].form == STATE_REAL);
}

static uint64_t word_order(int64_t v) { return (uint64_t)v ^ UINT64_C(1) << 63; }

static uint64_t real_order(double v)
{
    uint64_t bits;

    if (v == 0) v = 0; /* -0 and 0 are one value */
    memcpy(&bits, &v, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* The first 8 bytes, big endian; the union of prefix and rest is valid for short strings only. */
static uint64_t text_order(const struct state_text *f)
{
    uint64_t bytes = 0;

    memcpy(&bytes, f->prefix, f->size <= TEXT_INLINE ? 8 : 4); /* long ones: only the prefix is at hand */
    return __builtin_bswap64(bytes);
}

uint64_t row_order_word_prefix(const struct row_order *o, int64_t word)
{
    return o->descending & 1 ? ~word_order(word) : word_order(word);
}

uint64_t row_order_prefix(const struct row_order *o, const void *row)
{
    const struct state_field *f = &o->layout->fields[0];
    const char *at = (const char *)row + f->offset;
    uint64_t prefix = 0;

    if (o->layout->field_count == 0) return 0;
    if (state_is_null(o->layout, row, 0)) return o->nulls_last & 1 ? UINT64_MAX : 0;
    switch (f->form) {
    case STATE_WORD: prefix = word_order(*(const int64_t *)at); break;
    case STATE_REAL: prefix = real_order(*(const double *)at); break;
    case STATE_STRING: prefix = text_order((const struct state_text *)at) & ~UINT64_C(0xffffffff); break;
    case STATE_WIDE: if (f->phys == P_TS96) prefix = word_order(*(const int64_t *)at); break;
    default: break; /* the rest is left to row_order_compare */
    }
    return o->descending & 1 ? ~prefix : prefix;
}

static int wide_compare(const struct state_field *f, const char *a, const char *b)
{
    if (f->phys == P_TS96) {
        struct ts96 x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        if (x.ms != y.ms) return x.ms < y.ms ? -1 : 1;
        return x.ns < y.ns ? -1 : x.ns > y.ns;
    } else {
        int128 x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return x < y ? -1 : x > y;
    }
}

static int str_order(struct str a, struct str b)
{
    int order = a.size && b.size ? memcmp(a.data, b.data, MIN(a.size, b.size)) : 0;

    return order != 0 ? order : a.size < b.size ? -1 : a.size > b.size;
}

static int field_compare(const struct state_field *f, const struct segments *s, const char *stored, const char *probe)
{
    if (f->form == STATE_WORD) {
        int64_t x = *(const int64_t *)stored, y = *(const int64_t *)probe;
        return x < y ? -1 : x > y;
    }
    if (f->form == STATE_REAL) {
        uint64_t x = real_order(*(const double *)stored), y = real_order(*(const double *)probe);
        return x < y ? -1 : x > y;
    }
    if (f->form == STATE_WIDE) return wide_compare(f, stored, probe);
    return str_order(stored_text(s, (const struct state_text *)stored), text_str((const struct text *)probe));
}

int row_order_compare(const struct row_order *o, const struct segments *s, const void *stored, const void *probe)
{
    const struct state_layout *l = o->layout;

    for (uint32_t i = 0; i < l->field_count; i++) {
        const struct state_field *f = &l->fields[i];
        bool null_a = state_is_null(l, stored, i), null_b = state_is_null(l, probe, i);
        int order;
        if (null_a || null_b) {
            if (null_a && null_b) continue;
            return null_a == ((o->nulls_last >> i) & 1) ? 1 : -1;
        }
        order = field_compare(f, s, (const char *)stored + f->offset, (const char *)probe + f->offset);
        if (order != 0) return ((o->descending >> i) & 1) ? -order : order;
    }
    return 0;
}
