/* nexmark_plan.c - which events the next rows are.
 *
 * The sequence is cut into chunks of 2,048 events; reader i of P takes chunks i, i + P, ..: all readers move through event
 * time together, and what an event is does not depend on who reads it. Inside a chunk, neighbouring events of one kind and
 * epoch form a run: everything that depends on the epoch alone is then computed once per run. */
#include "flow/connector/nexmark/nexmark.h"

enum { LOOKED_MAX = 4 * BATCH_ROWS }; /* runs in one call: there may be none of the kinds that are wanted */

#define PERSON                                                                                                         \
    "id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, `dateTime` "           \
    "TIMESTAMP(3), extra STRING"
#define AUCTION                                                                                                        \
    "id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, `dateTime` TIMESTAMP(3), "     \
    "expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING"
#define BID                                                                                                            \
    "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3), extra STRING"

const char *const nexmark_row_types[4] = {
    "ROW<" PERSON ">",
    "ROW<" AUCTION ">",
    "ROW<" BID ">",
    "ROW<event_type INT, person ROW<" PERSON ">, auction ROW<" AUCTION ">, bid ROW<" BID ">>",
};

uint64_t nexmark_number(const struct nexmark_cursor *c)
{
    return (c->done / NEXMARK_CHUNK * c->stride + c->index) * NEXMARK_CHUNK + c->done % NEXMARK_CHUNK;
}

/* Kind of event `id` and how many of that kind follow in its epoch, itself included. */
static enum nexmark_kind kind_of(const struct nexmark_rules *g, uint64_t id, uint64_t *count)
{
    uint64_t offset = id % g->total;
    enum nexmark_kind kind = offset < g->persons                 ? NEXMARK_PERSON
                             : offset < g->persons + g->auctions ? NEXMARK_AUCTION
                                                                 : NEXMARK_BID;
    uint64_t end = kind == NEXMARK_PERSON ? g->persons : kind == NEXMARK_AUCTION ? g->persons + g->auctions : g->total;

    ASSERT(offset < end);
    *count = end - offset;
    return kind;
}

void nexmark_plan_rows(const struct nexmark_rules *g, struct nexmark_cursor *c, uint32_t kinds, uint64_t end,
                       uint32_t first_row, uint32_t room, struct nexmark_plan *plan)
{
    ASSERT(first_row + room <= BATCH_ROWS);
    plan->run_count = plan->rows = 0;
    for (uint32_t looked = 0; plan->rows < room && looked < LOOKED_MAX; looked++) {
        uint64_t n = nexmark_number(c), count;
        if (n >= end) return;
        uint64_t id = nexmark_id(nexmark_adjusted(g, n));
        enum nexmark_kind kind = kind_of(g, id, &count);
        count = MIN(count, MIN(NEXMARK_CHUNK - c->done % NEXMARK_CHUNK, end - n));
        if (g->out_of_order > 1) count = 1;
        if (kinds >> kind & 1) {
            count = MIN(count, room - plan->rows);
            plan->runs[plan->run_count++] = (struct nexmark_run){id, first_row + plan->rows, (uint32_t)count, kind};
            plan->rows += (uint32_t)count;
        }
        c->done += count;
    }
}
