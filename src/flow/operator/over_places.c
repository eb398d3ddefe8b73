/* over_places.c - functions OVER windows that are no aggregates: they look at where a row stands in its partition, not at a frame. */
#include "flow/operator/over_partition.h"

#include <string.h>

static uint32_t rows_of(const struct over_partition *s) { return s->end - s->first; }

static void row_number_run(struct over_partition *s, struct part_call *c, struct vector *out)
{
    (void)c;
    for (uint32_t i = 0; i < s->chunk; i++) VECTOR_VALUES(out, int64_t)[s->base + i] = (int64_t)(s->at - s->first) + i + 1;
}

static int64_t rank_at(const struct over_partition *s, uint32_t i) { return (int64_t)(s->peer_first[i] - s->first) + 1; }

static void rank_run(struct over_partition *s, struct part_call *c, struct vector *out)
{
    (void)c;
    for (uint32_t i = 0; i < s->chunk; i++) VECTOR_VALUES(out, int64_t)[s->base + i] = rank_at(s, i);
}

static void dense_rank_run(struct over_partition *s, struct part_call *c, struct vector *out)
{
    (void)c;
    for (uint32_t i = 0; i < s->chunk; i++) VECTOR_VALUES(out, int64_t)[s->base + i] = s->places[i];
}

static void percent_rank_run(struct over_partition *s, struct part_call *c, struct vector *out)
{
    uint32_t n = rows_of(s);

    (void)c;
    for (uint32_t i = 0; i < s->chunk; i++) VECTOR_VALUES(out, double)[s->base + i] = n > 1 ? (double)(rank_at(s, i) - 1) / (double)(n - 1) : 0.0;
}

static void cume_dist_run(struct over_partition *s, struct part_call *c, struct vector *out)
{
    (void)c;
    for (uint32_t i = 0; i < s->chunk; i++) VECTOR_VALUES(out, double)[s->base + i] = (double)(s->peer_end[i] - s->first) / (double)rows_of(s);
}

/* The first groups have one row more where the rows cannot be shared out evenly. */
static void ntile_run(struct over_partition *s, struct part_call *c, struct vector *out)
{
    int64_t size = rows_of(s) / c->offset, more = rows_of(s) % c->offset, longer = more * (size + 1);

    for (uint32_t i = 0; i < s->chunk; i++) {
        int64_t before = (int64_t)(s->at - s->first) + i;
        VECTOR_VALUES(out, int64_t)[s->base + i] = before < longer ? before / (size + 1) + 1 : more + (before - longer) / size + 1;
    }
}

/* The value of the row so far away; where there is none, what the row itself says. No partition has as many rows as 32 bits can tell. */
static void value_off(struct over_partition *s, struct part_call *c, struct vector *out, int64_t off)
{
    off = MAX(MIN(off, (int64_t)UINT32_MAX), -(int64_t)UINT32_MAX);
    for (uint32_t i = 0; i < s->chunk; i++) {
        int64_t position = (int64_t)s->at + i + off;
        bool is_there = position >= s->first && position < s->end;
        int col = is_there ? (int)c->call.agg.col : c->otherwise;
        uint32_t row;
        const struct batch *b = kept_rows_at(&s->rows, is_there ? (uint32_t)position : s->at + i, &row);
        uint16_t which = (uint16_t)row;
        if (col < 0) vector_set_null(out, s->base + i);
        else vector_copy(out, s->base + i, &b->cols[col], &which, 1, &s->out->heap, s->out->mem);
    }
}

static void lag_run(struct over_partition *s, struct part_call *c, struct vector *out) { value_off(s, c, out, -MAX(c->offset, -INT64_MAX)); }
static void lead_run(struct over_partition *s, struct part_call *c, struct vector *out) { value_off(s, c, out, c->offset); }

static const struct over_place places[] = {
    {"row_number", .run = row_number_run},
    {"rank", .run = rank_run},
    {"dense_rank", .run = dense_rank_run},
    {"percent_rank", .is_double = true, .run = percent_rank_run},
    {"cume_dist", .is_double = true, .run = cume_dist_run},
    {"ntile", .run = ntile_run},
    {"lag", .has_value = true, .run = lag_run},
    {"lead", .has_value = true, .run = lead_run},
};

const struct over_place *over_place_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (strcmp(places[i].name, name) == 0) return &places[i];
    return NULL;
}
