/* nexmark_person.c - the columns of persons, 2 of 100 events. Only the e-mail address and the card number are put together
 * per row; everything else refers to tables. */
#include "flow/connector/nexmark/nexmark.h"

enum { ID, NAME, EMAIL, CARD, CITY, STATE, TIME, EXTRA };
enum {
    FIXED_SIZE = 8,
    USER_MAX = 7,
    HOST_MAX = 5,
    CARD_SIZE = 19,
    STATE_SIZE = 2,
    EMAIL_MAX = USER_MAX + HOST_MAX + 5
};

typedef struct text (*text_fn)(const struct nexmark_generator *g, uint64_t id, struct text_heap *heap);

static struct text name(const struct nexmark_generator *g, uint64_t id, struct text_heap *heap)
{
    uint64_t hash = nexmark_hash(&g->rules, DRAW_PERSON_NAME, id);

    (void)heap;
    return g->texts
        .names[nexmark_high(hash, NEXMARK_FIRST_NAMES) * NEXMARK_LAST_NAMES + nexmark_low(hash, NEXMARK_LAST_NAMES)];
}

/* "user@host.com" into out; answers its size. */
static uint32_t email_write(const struct nexmark_generator *g, uint64_t id, char out[static EMAIL_MAX])
{
    struct text user = nexmark_word(&g->texts, nexmark_hash(&g->rules, DRAW_PERSON_USER, id), USER_MAX);
    struct text host = nexmark_word(&g->texts, nexmark_hash(&g->rules, DRAW_PERSON_HOST, id), HOST_MAX);

    memcpy(out, text_data(&user), user.size);
    out[user.size] = '@';
    memcpy(out + user.size + 1, text_data(&host), host.size);
    memcpy(out + user.size + 1 + host.size, ".com", 4);
    return user.size + host.size + 5;
}

static struct text email(const struct nexmark_generator *g, uint64_t id, struct text_heap *heap)
{
    char bytes[EMAIL_MAX];
    uint32_t size = email_write(g, id, bytes);

    return text_put(heap, bytes, size);
}

/* Four groups of four digits. */
static struct text card(const struct nexmark_generator *g, uint64_t id, struct text_heap *heap)
{
    uint64_t hash = nexmark_hash(&g->rules, DRAW_PERSON_CARD, id);
    char bytes[CARD_SIZE];

    for (uint32_t group = 0; group < 4; group++, hash = mix64(hash)) {
        uint64_t digits = nexmark_high(hash, 10000);
        for (uint32_t k = 4; k-- > 0; digits /= 10) bytes[group * 5 + k] = (char)('0' + digits % 10);
        if (group < 3) bytes[group * 5 + 4] = ' ';
    }
    return text_put(heap, bytes, CARD_SIZE);
}

static struct text city(const struct nexmark_generator *g, uint64_t id, struct text_heap *heap)
{
    static const char *const cities[] = {"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
                                         "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
    const char *chosen = cities[nexmark_high(nexmark_hash(&g->rules, DRAW_PERSON_PLACE, id), COUNT_OF(cities))];

    (void)heap;
    return text_view(chosen, strlen(chosen));
}

static struct text state(const struct nexmark_generator *g, uint64_t id, struct text_heap *heap)
{
    static const char states[] = "AZCAIDORWAWY";

    (void)heap;
    return text_view(
        states + STATE_SIZE * nexmark_low(nexmark_hash(&g->rules, DRAW_PERSON_PLACE, id), sizeof states / STATE_SIZE),
        STATE_SIZE);
}

static struct text extra(const struct nexmark_generator *g, uint64_t id, struct text_heap *heap)
{
    char bytes[EMAIL_MAX];
    uint32_t size = FIXED_SIZE + name(g, id, heap).size + email_write(g, id, bytes) + CARD_SIZE +
                    city(g, id, heap).size + STATE_SIZE;

    return nexmark_extra(&g->texts, nexmark_hash(&g->rules, DRAW_PERSON_EXTRA, id), size, g->rules.person_size);
}

static void texts_fill(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct vector *v, text_fn fn,
                       struct text_heap *heap)
{
    struct text *out = VECTOR_VALUES(v, struct text);

    if (v->form != VEC_FLAT) return;
    for (const struct nexmark_run *r = plan->runs; r < plan->runs + plan->run_count; r++)
        for (uint32_t i = 0; r->kind == NEXMARK_PERSON && i < r->count; i++) out[r->row + i] = fn(g, r->id + i, heap);
}

static void ids_fill(const struct nexmark_rules *g, const struct nexmark_plan *plan, int64_t *out)
{
    for (const struct nexmark_run *r = plan->runs; r < plan->runs + plan->run_count; r++)
        for (uint32_t i = 0; r->kind == NEXMARK_PERSON && i < r->count; i++)
            out[r->row + i] = NEXMARK_FIRST_ID + (int64_t)nexmark_last_person(g, r->id + i);
}

void nexmark_fill_persons(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct vector *fields,
                          struct text_heap *heap)
{
    ASSERT(plan->run_count <= BATCH_ROWS);
    if (fields[ID].form == VEC_FLAT) ids_fill(&g->rules, plan, VECTOR_VALUES(&fields[ID], int64_t));
    texts_fill(g, plan, &fields[NAME], name, heap);
    texts_fill(g, plan, &fields[EMAIL], email, heap);
    texts_fill(g, plan, &fields[CARD], card, heap);
    texts_fill(g, plan, &fields[CITY], city, heap);
    texts_fill(g, plan, &fields[STATE], state, heap);
    if (fields[TIME].form == VEC_FLAT) nexmark_fill_times(&g->rules, plan, NEXMARK_PERSON, &fields[TIME]);
    texts_fill(g, plan, &fields[EXTRA], extra, heap);
}
