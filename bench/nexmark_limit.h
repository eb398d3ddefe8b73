/* nexmark_limit.h - the Nexmark bids as one writes them by hand: a loop that makes one struct per event. The events are
 * those of connector 'nexmark' for the same seed and rate (the arithmetic is the one header both use), so that a benchmark
 * may compare the engine with a loop that does the same work without an engine. */
#pragma once
#include "flow/connector/nexmark/nexmark_rules.h"

#include <stdio.h>

struct limit_bid {
    int64_t auction, bidder, price, time_ms;
};

/* Text for whole events; nexmark_limit_texts makes it. */
enum { LIMIT_POOL = 1 << 20, LIMIT_CHANNELS = 10000, LIMIT_TEXT_MAX = 600 };

struct nexmark_limit_pools {
    char letters[LIMIT_POOL + LIMIT_TEXT_MAX];
    char urls[LIMIT_CHANNELS][64], channels[LIMIT_CHANNELS][16];
    uint8_t url_sizes[LIMIT_CHANNELS], channel_sizes[LIMIT_CHANNELS];
    uint32_t used;
    char out[64 * 1024]; /* events go here, round and round */
};

struct nexmark_limit {
    struct nexmark_rules rules;
    uint64_t next; /* event number */
    struct nexmark_limit_pools pools;
};

static inline void nexmark_limit_init(struct nexmark_limit *l, uint64_t seed, double events_per_second)
{
    l->next = 0;
    l->pools.used = 0;
    l->rules = (struct nexmark_rules){.persons = 1,
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
                                          .bid_size = 100};
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

/* --- whole events, text and all: one struct per event, every byte of it written. How many of these a core makes per second
 * is what absolute goals scale with. ------------------------------------------------------------------------------------- */
static inline void nexmark_limit_texts(struct nexmark_limit *l)
{
    struct nexmark_limit_pools *p = &l->pools;

    for (uint32_t i = 0; i < sizeof p->letters; i++) p->letters[i] = (char)('a' + mix64(i) % 26);
    for (uint32_t i = 0; i < LIMIT_CHANNELS; i++) {
        p->channel_sizes[i] = (uint8_t)snprintf(p->channels[i], 16, "channel-%u", i);
        p->url_sizes[i] = (uint8_t)snprintf(p->urls[i], 64, "https://www.nexmark.com/%.4s/%.4s/%.4s/item.htm?query=1",
                                            p->letters + i, p->letters + i + 4, p->letters + i + 8);
    }
}

static inline void limit_put(char **at, const char *bytes, uint32_t size)
{
    memcpy(*at, &size, sizeof size);
    memcpy(*at + sizeof size, bytes, size);
    *at += sizeof size + size;
}

/* A random piece of the pool. */
static inline void limit_random(struct nexmark_limit_pools *p, char **at, uint64_t hash, uint32_t size)
{
    limit_put(at, p->letters + nexmark_low(hash, LIMIT_POOL), size);
}

static inline void limit_words(char **at, const int64_t *words, uint32_t count)
{
    memcpy(*at, words, count * sizeof *words);
    *at += count * sizeof *words;
}

static inline void limit_bid_write(struct nexmark_limit *l, uint64_t id, char **at)
{
    const struct nexmark_rules *g = &l->rules;
    struct nexmark_choice auction = nexmark_bid_auction(g, id), bidder = nexmark_bid_bidder(g, id);
    uint64_t channel = nexmark_hash(g, DRAW_BID_CHANNEL, id), extra = nexmark_hash(g, DRAW_BID_EXTRA, id);
    uint32_t c = (uint32_t)nexmark_low(channel, channel >> 63 ? 4 : LIMIT_CHANNELS);
    int64_t words[4] = {(int64_t)nexmark_choose(&auction, nexmark_hash(g, DRAW_BID_AUCTION, id)),
                        (int64_t)nexmark_choose(&bidder, nexmark_hash(g, DRAW_BID_BIDDER, id)),
                        nexmark_price(nexmark_hash(g, DRAW_BID_PRICE, id)), nexmark_time(g, id)};

    limit_words(at, words, 4);
    limit_put(at, l->pools.channels[c], l->pools.channel_sizes[c]);
    limit_put(at, l->pools.urls[c], l->pools.url_sizes[c]);
    limit_random(&l->pools, at, extra, nexmark_extra_size(extra, 32, g->bid_size));
}

static inline void limit_auction_write(struct nexmark_limit *l, uint64_t id, char **at)
{
    const struct nexmark_rules *g = &l->rules;
    struct nexmark_choice seller = nexmark_auction_seller(g, id);
    uint64_t name = nexmark_hash(g, DRAW_AUCTION_NAME, id), extra = nexmark_hash(g, DRAW_AUCTION_EXTRA, id);
    int64_t bid = nexmark_price(nexmark_hash(g, DRAW_AUCTION_BID, id));
    int64_t words[7] = {(int64_t)nexmark_last_auction(g, id) + NEXMARK_FIRST_ID,
                        bid,
                        bid + nexmark_price(nexmark_hash(g, DRAW_AUCTION_RESERVE, id)),
                        nexmark_time(g, id),
                        nexmark_time(g, id) + nexmark_auction_length(g, id, nexmark_hash(g, DRAW_AUCTION_EXPIRES, id)),
                        (int64_t)nexmark_choose(&seller, nexmark_hash(g, DRAW_AUCTION_SELLER, id)),
                        nexmark_category(nexmark_hash(g, DRAW_AUCTION_CATEGORY, id))};

    limit_words(at, words, 7);
    limit_random(&l->pools, at, name, 3 + (uint32_t)nexmark_high(name, 17));
    limit_random(&l->pools, at, name ^ extra, 3 + (uint32_t)nexmark_high(name ^ extra, 97));
    limit_random(&l->pools, at, extra, nexmark_extra_size(extra, 120, g->auction_size));
}

static inline void limit_person_write(struct nexmark_limit *l, uint64_t id, char **at)
{
    const struct nexmark_rules *g = &l->rules;
    uint64_t name = nexmark_hash(g, DRAW_PERSON_NAME, id), extra = nexmark_hash(g, DRAW_PERSON_EXTRA, id);
    int64_t words[2] = {(int64_t)nexmark_last_person(g, id) + NEXMARK_FIRST_ID, nexmark_time(g, id)};

    limit_words(at, words, 2);
    for (uint32_t i = 0; i < 5; i++) limit_random(&l->pools, at, mix64(name + i), 8 + (uint32_t)(name >> i & 7));
    limit_random(&l->pools, at, extra, nexmark_extra_size(extra, 80, g->person_size));
}

/* Writes the next event and answers something of it. */
static inline uint64_t nexmark_limit_event(struct nexmark_limit *l)
{
    uint64_t id = nexmark_id(++l->next), kind = id % 50;
    char *start = l->pools.out + (l->pools.used > sizeof l->pools.out - 2048 ? 0 : l->pools.used), *at = start;

    if (kind >= 4) limit_bid_write(l, id, &at);
    else if (kind >= 1) limit_auction_write(l, id, &at);
    else limit_person_write(l, id, &at);
    l->pools.used = (uint32_t)(at - l->pools.out);
    return (uint64_t)*start + (uint64_t)(at - start);
}
