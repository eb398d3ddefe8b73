/* nexmark_bid.c - the columns of bids. Bids are 92 of 100 events: each column is a loop without branches over a run, with
 * what the epoch decides taken out of it. */
#include "flow/connector/nexmark/nexmark.h"

enum { AUCTION, BIDDER, PRICE, CHANNEL, URL, TIME, EXTRA };
enum { FIXED_SIZE = 32 }; /* bytes of a bid that count against its wanted size */

#define EACH_RUN(plan, r)                                                                                              \
    for (const struct nexmark_run *r = (plan)->runs; r < (plan)->runs + (plan)->run_count; r++)                        \
        if (r->kind == NEXMARK_BID)

static void choices_fill(struct nexmark_choice c, uint64_t key, uint32_t count, int64_t *restrict out)
{
    for (uint32_t i = 0; i < count; i++) out[i] = (int64_t)nexmark_choose(&c, mix64(key + i));
}

static void auctions_fill(const struct nexmark_rules *g, const struct nexmark_plan *plan, int64_t *out)
{
    EACH_RUN(plan, r)
    choices_fill(nexmark_bid_auction(g, r->id), g->keys[DRAW_BID_AUCTION] + r->id, r->count, out + r->row);
}

static void bidders_fill(const struct nexmark_rules *g, const struct nexmark_plan *plan, int64_t *out)
{
    EACH_RUN(plan, r)
    choices_fill(nexmark_bid_bidder(g, r->id), g->keys[DRAW_BID_BIDDER] + r->id, r->count, out + r->row);
}

static void prices_fill(const struct nexmark_rules *g, const struct nexmark_plan *plan, int64_t *restrict out)
{
    EACH_RUN(plan, r)
    {
        uint64_t key = g->keys[DRAW_BID_PRICE] + r->id;
        for (uint32_t i = 0; i < r->count; i++) out[r->row + i] = nexmark_price(mix64(key + i));
    }
}

/* A long text's bytes are on their way to whoever copies them. */
static inline void text_give(const struct text *from, struct text *to)
{
    *to = *from;
    if (from->size <= TEXT_INLINE) return;
    __builtin_prefetch(from->far);
    __builtin_prefetch(from->far + from->size - 1);
}

/* As nexmark_extras: places of the table first, then what lies there. NULL: nobody reads that column. */
static void channels_take(const struct nexmark_channel_texts *table, uint64_t key, uint32_t count, struct text *names, struct text *urls)
{
    enum { AHEAD = 64 };
    const struct nexmark_channel_texts *found[AHEAD];

    for (uint32_t first = 0, n; first < count; first += n) {
        n = MIN(count - first, (uint32_t)AHEAD);
        for (uint32_t i = 0; i < n; i++) {
            found[i] = &table[nexmark_channel(mix64(key + first + i))];
            __builtin_prefetch(found[i]);
        }
        for (uint32_t i = 0; i < n && names != NULL; i++) text_give(&found[i]->name, names + first + i);
        for (uint32_t i = 0; i < n && urls != NULL; i++) text_give(&found[i]->url, urls + first + i);
    }
}

static void channels_fill(const struct nexmark_generator *g, const struct nexmark_plan *plan, const struct vector *fields)
{
    struct text *names = fields[CHANNEL].form == VEC_FLAT ? VECTOR_VALUES(&fields[CHANNEL], struct text) : NULL;
    struct text *urls = fields[URL].form == VEC_FLAT ? VECTOR_VALUES(&fields[URL], struct text) : NULL;

    if (names == NULL && urls == NULL) return;
    EACH_RUN(plan, r)
    channels_take(g->texts.channels, g->rules.keys[DRAW_BID_CHANNEL] + r->id, r->count, names != NULL ? names + r->row : NULL,
                  urls != NULL ? urls + r->row : NULL);
}

static void extras_fill(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct text *out)
{
    EACH_RUN(plan, r)
    nexmark_extras(&g->texts, g->rules.keys[DRAW_BID_EXTRA] + r->id, r->count, FIXED_SIZE, g->rules.bid_size, out + r->row);
}

void nexmark_fill_times(const struct nexmark_rules *g, const struct nexmark_plan *plan, enum nexmark_kind kind,
                        struct vector *v)
{
    int64_t *out = VECTOR_VALUES(v, int64_t);

    ASSERT(v->form == VEC_FLAT);
    for (const struct nexmark_run *r = plan->runs; r < plan->runs + plan->run_count; r++) {
        if (r->kind != kind) continue;
        for (uint32_t i = 0; i < r->count; i++) out[r->row + i] = nexmark_time(g, r->id + i);
    }
}

void nexmark_fill_bids(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct vector *fields)
{
    const struct nexmark_rules *rules = &g->rules;

    ASSERT(plan->run_count <= BATCH_ROWS);
    if (fields[AUCTION].form == VEC_FLAT) auctions_fill(rules, plan, VECTOR_VALUES(&fields[AUCTION], int64_t));
    if (fields[BIDDER].form == VEC_FLAT) bidders_fill(rules, plan, VECTOR_VALUES(&fields[BIDDER], int64_t));
    if (fields[PRICE].form == VEC_FLAT) prices_fill(rules, plan, VECTOR_VALUES(&fields[PRICE], int64_t));
    channels_fill(g, plan, fields);
    if (fields[TIME].form == VEC_FLAT) nexmark_fill_times(rules, plan, NEXMARK_BID, &fields[TIME]);
    if (fields[EXTRA].form == VEC_FLAT) extras_fill(g, plan, VECTOR_VALUES(&fields[EXTRA], struct text));
}
