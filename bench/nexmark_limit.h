/* nexmark_limit.h - the Nexmark bids as one writes them by hand: a loop that makes one struct per event. The events are
 * those of connector 'nexmark' for the same seed and rate (the arithmetic is the one header both use), so that a benchmark
 * may compare the engine with a loop that does the same work without an engine. */
#pragma once
#include "flow/connector/nexmark/nexmark_rules.h"

struct limit_bid {
    int64_t auction, bidder, price, time_ms;
};

struct nexmark_limit {
    struct nexmark_rules rules;
    uint64_t next; /* event number */
};

static inline void nexmark_limit_init(struct nexmark_limit *l, uint64_t seed, double events_per_second)
{
    *l = (struct nexmark_limit){.rules = {.persons = 1,
                                          .auctions = 3,
                                          .bids = 46,
                                          .total = 50,
                                          .hot_auction = 2,
                                          .hot_bidder = 4,
                                          .hot_seller = 4,
                                          .out_of_order = 1,
                                          .delay_us = 1000000.0 / events_per_second,
                                          .base_ms = INT64_C(1577836800000),
                                          .person_size = 200,
                                          .auction_size = 500,
                                          .bid_size = 100}};
    nexmark_seed(&l->rules, seed);
}

/* The next bid; events of the other kinds are passed over. */
static inline void nexmark_limit_next(struct nexmark_limit *l, struct limit_bid *out)
{
    const struct nexmark_rules *g = &l->rules;
    uint64_t id = nexmark_id(l->next + 1);

    while (id % 50 < 4) id = nexmark_id(++l->next + 1);
    struct nexmark_choice auction = nexmark_bid_auction(g, id), bidder = nexmark_bid_bidder(g, id);
    *out = (struct limit_bid){.auction = (int64_t)nexmark_choose(&auction, nexmark_hash(g, DRAW_BID_AUCTION, id)),
                              .bidder = (int64_t)nexmark_choose(&bidder, nexmark_hash(g, DRAW_BID_BIDDER, id)),
                              .price = nexmark_price(nexmark_hash(g, DRAW_BID_PRICE, id)),
                              .time_ms = nexmark_time(g, id)};
    l->next++;
}
