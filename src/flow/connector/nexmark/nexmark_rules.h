/* nexmark_rules.h - what one Nexmark event is: pure arithmetic from (seed, event number). No state, no order: whoever asks
 * for event n gets the same event, so a sequence may be cut into splits in any way, and a column that nobody wants is never
 * computed. The generator (nexmark/) applies these rules column by column, bench/nexmark_limit.h row by row.
 *
 * Numbers follow the Nexmark generator of the benchmark suite: event number n >= 0 has the id n + 2; ids count in epochs of
 * person + auction + bid events (1 + 3 + 46 by default); each draw of its random generator is a hash of (seed, field, id)
 * here. Ids of persons and auctions begin at 1000; a bid's bidder is shifted by 1000 once more, as there. */
#pragma once
#include "ground/base/base.h"
#include "ground/base/prng.h"

#include <string.h>

enum nexmark_kind { NEXMARK_PERSON, NEXMARK_AUCTION, NEXMARK_BID };

enum {
    NEXMARK_FIRST_ID = 1000,      /* of persons and auctions */
    NEXMARK_FIRST_CATEGORY = 10,
    NEXMARK_CATEGORIES = 5,
    NEXMARK_HOT_GROUP = 100,      /* the hot one of every hundred ids */
    NEXMARK_LEAD = 10,            /* ids not created yet that may be drawn */
    NEXMARK_IN_FLIGHT = 100,      /* auctions that bids go to */
    NEXMARK_ACTIVE_PEOPLE = 1000,
    NEXMARK_HOT_CHANNELS = 4,
    NEXMARK_CHANNELS = 10000,
};

/* Everything that is drawn, one random stream each. */
enum nexmark_draw {
    DRAW_BID_AUCTION, DRAW_BID_BIDDER, DRAW_BID_PRICE, DRAW_BID_CHANNEL, DRAW_BID_EXTRA,
    DRAW_AUCTION_SELLER, DRAW_AUCTION_CATEGORY, DRAW_AUCTION_BID, DRAW_AUCTION_RESERVE, DRAW_AUCTION_EXPIRES,
    DRAW_AUCTION_NAME, DRAW_AUCTION_TEXT, DRAW_AUCTION_EXTRA,
    DRAW_PERSON_NAME, DRAW_PERSON_USER, DRAW_PERSON_HOST, DRAW_PERSON_CARD, DRAW_PERSON_PLACE, DRAW_PERSON_EXTRA,
    NEXMARK_DRAWS
};

struct nexmark_rules {
    uint64_t keys[NEXMARK_DRAWS];
    uint64_t persons, auctions, bids, total;        /* proportions */
    uint64_t hot_auction, hot_bidder, hot_seller;   /* 1 - 1/x of the draws are hot */
    uint64_t out_of_order;                          /* group size; 1 = in order */
    double delay_us;                                /* event time between two events */
    int64_t base_ms;
    uint32_t person_size, auction_size, bid_size;   /* wanted averages, bytes */
};

static inline void nexmark_seed(struct nexmark_rules *g, uint64_t seed)
{
    for (uint64_t i = 0; i < NEXMARK_DRAWS; i++) g->keys[i] = mix64(mix64(seed) + i);
}

static inline uint64_t nexmark_hash(const struct nexmark_rules *g, enum nexmark_draw draw, uint64_t id)
{
    return mix64(g->keys[draw] + id);
}
/* Halves of one hash serve two draws below 2^32. */
static inline uint64_t nexmark_high(uint64_t hash, uint64_t bound) { return ((hash >> 32) * bound) >> 32; }
static inline uint64_t nexmark_low(uint64_t hash, uint64_t bound) { return ((hash & UINT32_MAX) * bound) >> 32; }

/* --- which event, and when ---------------------------------------------------------------------------------------- */
/* The number that counts for id and time: the n-th event, or its stand-in inside an out-of-order group. */
static inline uint64_t nexmark_adjusted(const struct nexmark_rules *g, uint64_t n)
{
    uint64_t e = n + 1;

    return g->out_of_order == 1 ? e : e / g->out_of_order * g->out_of_order + (e * 953) % g->out_of_order;
}

static inline uint64_t nexmark_id(uint64_t adjusted) { return adjusted + 1; }

static inline int64_t nexmark_time_at(const struct nexmark_rules *g, uint64_t adjusted)
{
    return g->base_ms + (int64_t)((double)(int64_t)adjusted * g->delay_us) / 1000;
}

static inline int64_t nexmark_time(const struct nexmark_rules *g, uint64_t id) { return nexmark_time_at(g, id - 1); }

/* Newest person and auction, counted from 0, when event id is due. */
static inline uint64_t nexmark_last_person(const struct nexmark_rules *g, uint64_t id)
{
    uint64_t epoch = id / g->total, offset = id % g->total;

    return epoch * g->persons + (offset < g->persons ? offset : g->persons - 1);
}

static inline uint64_t nexmark_last_auction(const struct nexmark_rules *g, uint64_t id)
{
    uint64_t epoch = id / g->total, offset = id % g->total;

    if (offset >= g->persons + g->auctions) return epoch * g->auctions + g->auctions - 1;
    if (offset >= g->persons) return epoch * g->auctions + offset - g->persons;
    return epoch * g->auctions - 1; /* a person: the last auction of the epoch before; id 0 is never asked for */
}

/* --- who takes part ----------------------------------------------------------------------------------------------- */
/* A choice between one hot id and the `range` ids from `first` on; the same for all events of one kind in an epoch. */
struct nexmark_choice {
    uint64_t ratio, hot, first, range;
};

static inline uint64_t nexmark_choose(const struct nexmark_choice *c, uint64_t hash)
{
    uint64_t cold = c->first + nexmark_low(hash, c->range);

    return nexmark_high(hash, c->ratio) > 0 ? c->hot : cold;
}

static inline struct nexmark_choice nexmark_person_choice(uint64_t last, uint64_t ratio, uint64_t hot_offset,
                                                          uint64_t first_id)
{
    uint64_t people = last + 1, active = MIN(people, (uint64_t)NEXMARK_ACTIVE_PEOPLE);

    return (struct nexmark_choice){.ratio = ratio,
                                   .hot = first_id + last / NEXMARK_HOT_GROUP * NEXMARK_HOT_GROUP + hot_offset,
                                   .first = first_id + people - active,
                                   .range = active + NEXMARK_LEAD};
}

static inline struct nexmark_choice nexmark_bid_auction(const struct nexmark_rules *g, uint64_t id)
{
    uint64_t last = nexmark_last_auction(g, id), first = last > NEXMARK_IN_FLIGHT ? last - NEXMARK_IN_FLIGHT : 0;

    return (struct nexmark_choice){.ratio = g->hot_auction,
                                   .hot = NEXMARK_FIRST_ID + last / NEXMARK_HOT_GROUP * NEXMARK_HOT_GROUP,
                                   .first = NEXMARK_FIRST_ID + first,
                                   .range = last - first + 1 + NEXMARK_LEAD};
}

static inline struct nexmark_choice nexmark_bid_bidder(const struct nexmark_rules *g, uint64_t id)
{
    return nexmark_person_choice(nexmark_last_person(g, id), g->hot_bidder, 1, 2 * NEXMARK_FIRST_ID);
}

static inline struct nexmark_choice nexmark_auction_seller(const struct nexmark_rules *g, uint64_t id)
{
    return nexmark_person_choice(nexmark_last_person(g, id), g->hot_seller, 0, NEXMARK_FIRST_ID);
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */
static inline double nexmark_bits_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static inline uint64_t nexmark_double_bits(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* round(10^(6u) * 100), u uniform in [0, 1): log-uniform from 100 to 10^8. 2^x by a polynomial around the nearest integer
 * (relative error below 3e-10), free of branches and conversions, so that a loop over it runs four lanes wide. */
static inline int64_t nexmark_price(uint64_t hash)
{
    const double magic = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer in the low bits */
    double u = nexmark_bits_double((hash >> 12) | UINT64_C(0x3ff0000000000000)) - 1.0;
    double x = u * 19.931568569324174; /* 6 * log2(10) */
    double rounded = x + magic, f = x - (rounded - magic);
    double p = 1.3215486790144309e-6;
    p = p * f + 1.5252733804059840e-5;
    p = p * f + 1.5403530393381609e-4;
    p = p * f + 1.3333558146428443e-3;
    p = p * f + 9.6181291076284772e-3;
    p = p * f + 5.5504108664821580e-2;
    p = p * f + 2.4022650695910071e-1;
    p = p * f + 6.9314718055994531e-1;
    p = p * f + 1.0;
    double scale = nexmark_bits_double((nexmark_double_bits(rounded) << 52) + UINT64_C(0x3ff0000000000000));
    return (int64_t)(nexmark_double_bits(p * scale * 100.0 + magic) & UINT64_C(0x7ffffffffffff)); /* below 2^51 */
}

static inline int64_t nexmark_category(uint64_t hash)
{
    return NEXMARK_FIRST_CATEGORY + (int64_t)nexmark_high(hash, NEXMARK_CATEGORIES);
}

/* From the auction's start until it ends: 1 ms to twice the time in which as many auctions begin as are in flight. */
static inline int64_t nexmark_auction_length(const struct nexmark_rules *g, uint64_t id, uint64_t hash)
{
    uint64_t ahead = NEXMARK_IN_FLIGHT * g->total / g->auctions;
    int64_t horizon = nexmark_time(g, id + ahead) - nexmark_time(g, id);
    uint64_t bound = (uint64_t)MAX(horizon * 2, INT64_C(1));

    return 1 + (int64_t)(((uint128)hash * bound) >> 64);
}

/* Index into channels and urls: the four hot ones, then the 10,000 others. */
static inline uint32_t nexmark_channel(uint64_t hash)
{
    uint32_t hot = (uint32_t)nexmark_low(hash, NEXMARK_HOT_CHANNELS),
             cold = (uint32_t)nexmark_low(hash, NEXMARK_CHANNELS);

    return hash >> 63 ? hot : NEXMARK_HOT_CHANNELS + cold;
}

/* Length of `extra` that brings a row of `size` bytes to `wanted` on average: the difference, give or take a fifth. */
static inline uint32_t nexmark_extra_size(uint64_t hash, uint32_t size, uint32_t wanted)
{
    if (size > wanted) return 0;
    uint32_t rest = wanted - size, delta = (rest * 2 + 5) / 10; /* round(rest * 0.2) */

    return rest - delta + (uint32_t)nexmark_high(hash, 2 * delta);
}
