/* entry_image.c - an entry (its row, or the head and all that belongs to it) as bytes, and back.
 *
 * The idea: rows have no pointers, so their bytes are taken as they lie; what long strings refer to follows behind the row, and the
 * references are zero, so that equal entries have equal images. Packed rows refer to strings of their table that stay as long as it
 * does, and are taken whole. Images are read by the process that wrote them and no other: they are not a format.
 *
 * Invariants: rows of a head come in their order; times of LOG chunks stay upper bounds. Not here: keys (behind_key.c). */
#include "flow/state/behind.h"
#include "flow/state/shape_verbs.h"

/* ---- out */

/* Bytes of a row at place `at` of out: references away, strings behind all that is there. */
static void texts_write(const struct hm_table *t, const struct state_layout *l, const char *row, size_t at,
                        struct buf *out)
{
    for (uint32_t i = 0, left = l->text_count; left > 0; i++) {
        const struct state_field *f = &l->fields[i];
        if (!field_is_text(f)) continue;
        left--;
        const struct state_text *x = (const struct state_text *)(const void *)(row + f->offset);
        if (x->size <= TEXT_INLINE) continue;
        memset(out->data + at + f->offset + offsetof(struct state_text, segment), 0, sizeof(struct state_ref));
        struct str bytes = stored_text(&t->segments, x);
        buf_append(out, bytes.data, bytes.size);
    }
}

static void word_append(struct buf *out, uint64_t word) { buf_append(out, &word, sizeof word); }

static void element_write(const struct hm_table *t, const char *row, struct buf *out)
{
    const struct bag_layout *l = t->bag;
    size_t at = out->size;

    buf_append(out, row - l->row_offset, l->size);
    if (l->has_header) memset(out->data + at + offsetof(struct state_element, flags), 0, sizeof(uint32_t));
    if (t->base.extra.text_count)
        texts_write(t, &t->base.extra, row - t->base.extra.size, at + l->row_offset - t->base.extra.size, out);
    if (t->base.value.text_count) texts_write(t, &t->base.value, row, at + l->row_offset, out);
}

/* LOG: each chunk's number of rows and time. */
static void log_write(const struct hm_table *t, const struct bag *b, struct buf *out)
{
    for (struct state_ref at = b->first; at.segment;) {
        struct chunk *c = block_at(&t->segments, at);
        word_append(out, c->used - c->gone);
        word_append(out, (uint64_t)c->newest);
        for (uint32_t i = c->gone; i < c->used; i++) element_write(t, chunk_row(t->bag, c, i), out);
        at = c->next;
    }
}

static void elements_write(const struct hm_table *t, const struct bag *b, struct buf *out)
{
    struct leaf_position p = {0, 0};

    for (char *row; t->bag->is_ordered && (row = leaves_row((struct hm_table *)t, b, &p)) != NULL; p.at++)
        element_write(t, row, out);
    if (t->bag->is_ordered) return;
    for (struct state_ref at = b->first; at.segment;) {
        struct chunk *c = block_at(&t->segments, at);
        for (uint32_t i = 0; i < c->used; i++) {
            const char *row = chunk_row(t->bag, c, i);
            if (!(row_element(t->bag, row)->flags & ELEMENT_DEAD)) element_write(t, row, out);
        }
        at = c->next;
    }
}

static void packed_write(const struct hm_table *t, const struct bag *b, struct buf *out)
{
    struct state_scan c = {0};

    for (void *row; (row = packed_next((struct hm_table *)t, b, &c)) != NULL;)
        buf_append(out, row, pack_size(t->base.pack, row));
}

static void places_write(const struct hm_table *t, const struct bag *b, struct buf *out)
{
    const struct state_place *places = hm_places(&t->base, b);

    for (uint32_t i = 0; i < b->rows; i++) {
        const void *row = hm_place_row(&t->base, places[i].row);
        word_append(out, places[i].order);
        buf_append(out, row, pack_size(t->base.pack, row));
    }
}

static uint32_t row_bytes(const struct hm_table *t)
{
    return t->ttl_offset != 0 ? t->ttl_offset + (uint32_t)sizeof(int64_t) : t->base.value.size;
}

void image_write(const struct hm_table *t, struct space *s, const char *entry, struct buf *out)
{
    const char *row = entry + t->row_offset;
    const struct bag *b = (const struct bag *)(const void *)row;

    (void)s;
    if (!t->has_heads) {
        buf_append(out, row, row_bytes(t));
        texts_write(t, &t->base.value, row, out->size - row_bytes(t), out);
        return;
    }
    word_append(out, (uint64_t)b->rows << 16 | (b->flags & BAG_ROLLS));
    if (t->bag->is_log)
        log_write(t, b, out);
    else if (t->bag->is_packed)
        packed_write(t, b, out);
    else if (t->bag->is_places)
        places_write(t, b, out);
    else
        elements_write(t, b, out);
}

/* ---- in */

static uint64_t word_take(struct str *in)
{
    uint64_t word;

    ASSERT(in->size >= sizeof word);
    memcpy(&word, in->data, sizeof word);
    *in = (struct str){in->data + sizeof word, in->size - sizeof word};
    return word;
}

static void bytes_take(struct str *in, void *to, size_t size)
{
    ASSERT(in->size >= size);
    memcpy(to, in->data, size);
    *in = (struct str){in->data + size, in->size - size};
}

/* The row's bytes are in place; its long strings are next. */
static void texts_read(struct hm_table *t, struct space *s, const struct state_layout *l, char *row, struct str *in)
{
    for (uint32_t i = 0, left = l->text_count; left > 0; i++) {
        if (!field_is_text(&l->fields[i])) continue;
        left--;
        struct state_text *x = (struct state_text *)(void *)(row + l->fields[i].offset);
        if (x->size <= TEXT_INLINE) continue;
        struct state_ref ref = block_take(&s->blocks, &t->segments, x->size);
        bytes_take(in, block_at(&t->segments, ref), x->size);
        x->segment = ref.segment;
        x->offset = ref.offset;
    }
}

static char *element_read(struct hm_table *t, struct space *s, struct bag *b, struct state_ref *ref, struct str *in)
{
    const struct bag_layout *l = t->bag;
    char *row = bag_add(t, s, b, ref);
    uint32_t flags = l->has_header ? row_element(l, row)->flags : 0;

    bytes_take(in, row - l->row_offset, l->size);
    if (l->has_header) row_element(l, row)->flags = flags;
    if (t->base.extra.text_count) texts_read(t, s, &t->base.extra, row - t->base.extra.size, in);
    if (t->base.value.text_count) texts_read(t, s, &t->base.value, row, in);
    if (l->ttl_offset) bag_restamped(t, b, row);
    return row;
}

static void log_read(struct hm_table *t, struct space *s, struct bag *b, uint32_t rows, struct str *in)
{
    struct state_ref ref;

    while (b->rows < rows) {
        uint64_t n = word_take(in);
        int64_t newest = (int64_t)word_take(in);
        for (; n > 0; n--) {
            element_read(t, s, b, &ref, in);
            struct chunk *c = block_at(&t->segments, b->last);
            c->newest = MAX(c->newest, newest);
        }
    }
}

static void elements_read(struct hm_table *t, struct space *s, struct bag *b, uint32_t rows, struct str *in)
{
    struct state_ref ref;

    while (b->rows < rows) {
        char *row = element_read(t, s, b, &ref, in);
        if (!t->bag->is_ordered) continue;
        probe_from_row(&t->base.extra, &t->segments, t->bag->probe, row - t->base.extra.size);
        leaves_insert(t, s, b, t->bag->probe, ref);
    }
    if (!t->bag->is_ordered) bag_index_rebuild(t, s, b);
}

static void packed_read(struct hm_table *t, struct space *s, struct bag *b, uint32_t rows, struct str *in)
{
    while (b->rows < rows) {
        uint32_t size = pack_size(t->base.pack, in->data);
        bytes_take(in, packed_add(t, s, b, size), size);
    }
}

static void places_read(struct hm_table *t, struct space *s, struct bag *b, uint32_t rows, struct str *in)
{
    struct buf *list = &t->behind->store->image;
    buf_clear(list);
    for (uint32_t i = 0; i < rows; i++) {
        struct state_place p = {.order = word_take(in)};
        uint32_t size = pack_size(t->base.pack, in->data);
        struct state_ref ref = block_take(&s->blocks, &t->segments, size);
        bytes_take(in, block_at(&t->segments, ref), size);
        p.row = ref_word(ref);
        buf_append(list, &p, sizeof p);
    }
    places_put(t, s, b, (const struct state_place *)(const void *)list->data, rows);
}

void image_read(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot, struct str in)
{
    char *row = entry_at(t, sh, slot) + t->row_offset;
    struct bag *b = (struct bag *)(void *)row;

    if (!t->has_heads) {
        bytes_take(&in, row, row_bytes(t));
        texts_read(t, s, &t->base.value, row, &in);
    } else {
        uint64_t head = word_take(&in);
        uint32_t rows = (uint32_t)(head >> 16);
        b->slot = slot;
        b->shard = (uint16_t)sh->number;
        if (t->bag->is_log)
            log_read(t, s, b, rows, &in);
        else if (t->bag->is_packed)
            packed_read(t, s, b, rows, &in);
        else if (t->bag->is_places)
            places_read(t, s, b, rows, &in);
        else
            elements_read(t, s, b, rows, &in);
        b->flags |= (uint16_t)(head & BAG_ROLLS);
    }
    ASSERT(in.size == 0);
}
