/* nexmark_auction.c - the columns of auctions, 6 of 100 events. `extra` needs the lengths of the two texts before it, so
 * they are drawn for it again: a draw is cheaper than remembering. */
#include "flow/connector/nexmark/nexmark.h"

enum { ID, NAME, DESCRIPTION, INITIAL, RESERVE, TIME, EXPIRES, SELLER, CATEGORY, EXTRA };
enum { FIXED_SIZE = 48, NAME_MAX = 20, TEXT_MAX = 100 };

typedef int64_t (*number_fn)(const struct nexmark_rules *g, uint64_t id);
typedef struct text (*text_fn)(const struct nexmark_generator *g, uint64_t id);

static int64_t initial_bid(const struct nexmark_rules *g, uint64_t id)
{
    return nexmark_price(nexmark_hash(g, DRAW_AUCTION_BID, id));
}

static int64_t reserve(const struct nexmark_rules *g, uint64_t id)
{
    return initial_bid(g, id) + nexmark_price(nexmark_hash(g, DRAW_AUCTION_RESERVE, id));
}

static int64_t auction_id(const struct nexmark_rules *g, uint64_t id)
{
    return NEXMARK_FIRST_ID + (int64_t)nexmark_last_auction(g, id);
}

static int64_t expires(const struct nexmark_rules *g, uint64_t id)
{
    return nexmark_time(g, id) + nexmark_auction_length(g, id, nexmark_hash(g, DRAW_AUCTION_EXPIRES, id));
}

static int64_t seller(const struct nexmark_rules *g, uint64_t id)
{
    struct nexmark_choice c = nexmark_auction_seller(g, id);

    return (int64_t)nexmark_choose(&c, nexmark_hash(g, DRAW_AUCTION_SELLER, id));
}

static int64_t category(const struct nexmark_rules *g, uint64_t id)
{
    return nexmark_category(nexmark_hash(g, DRAW_AUCTION_CATEGORY, id));
}

static struct text item_name(const struct nexmark_generator *g, uint64_t id)
{
    return nexmark_word(&g->texts, nexmark_hash(&g->rules, DRAW_AUCTION_NAME, id), NAME_MAX);
}

static struct text description(const struct nexmark_generator *g, uint64_t id)
{
    return nexmark_word(&g->texts, nexmark_hash(&g->rules, DRAW_AUCTION_TEXT, id), TEXT_MAX);
}

static struct text extra(const struct nexmark_generator *g, uint64_t id)
{
    uint32_t size = FIXED_SIZE + item_name(g, id).size + description(g, id).size;

    return nexmark_extra(&g->texts, nexmark_hash(&g->rules, DRAW_AUCTION_EXTRA, id), size, g->rules.auction_size);
}

static void numbers_fill(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct vector *v,
                         number_fn fn)
{
    int64_t *out = VECTOR_VALUES(v, int64_t);

    if (v->form != VEC_FLAT) return;
    for (const struct nexmark_run *r = plan->runs; r < plan->runs + plan->run_count; r++)
        for (uint32_t i = 0; r->kind == NEXMARK_AUCTION && i < r->count; i++)
            out[r->row + i] = fn(&g->rules, r->id + i);
}

static void texts_fill(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct vector *v, text_fn fn)
{
    struct text *out = VECTOR_VALUES(v, struct text);

    if (v->form != VEC_FLAT) return;
    for (const struct nexmark_run *r = plan->runs; r < plan->runs + plan->run_count; r++)
        for (uint32_t i = 0; r->kind == NEXMARK_AUCTION && i < r->count; i++) out[r->row + i] = fn(g, r->id + i);
}

void nexmark_fill_auctions(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct vector *fields)
{
    ASSERT(plan->run_count <= BATCH_ROWS);
    numbers_fill(g, plan, &fields[ID], auction_id);
    texts_fill(g, plan, &fields[NAME], item_name);
    texts_fill(g, plan, &fields[DESCRIPTION], description);
    numbers_fill(g, plan, &fields[INITIAL], initial_bid);
    numbers_fill(g, plan, &fields[RESERVE], reserve);
    if (fields[TIME].form == VEC_FLAT) nexmark_fill_times(&g->rules, plan, NEXMARK_AUCTION, &fields[TIME]);
    numbers_fill(g, plan, &fields[EXPIRES], expires);
    numbers_fill(g, plan, &fields[SELLER], seller);
    numbers_fill(g, plan, &fields[CATEGORY], category);
    texts_fill(g, plan, &fields[EXTRA], extra);
}
