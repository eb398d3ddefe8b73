/* prng.c - xoshiro256**, seeded through splitmix64 so that close seeds give unrelated streams. */
#include "ground/base/prng.h"

static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

void prng_init(struct prng *p, uint64_t seed)
{
    for (int i = 0; i < 4; i++) p->s[i] = mix64(seed + (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15));
    if ((p->s[0] | p->s[1] | p->s[2] | p->s[3]) == 0) p->s[0] = 1; /* the one state that never moves */
}

uint64_t prng_next(struct prng *p)
{
    uint64_t *s = p->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* Lemire's method: the high word of a product, with the biased low part redrawn. */
uint64_t prng_below(struct prng *p, uint64_t bound)
{
    ASSERT(bound > 0);
    uint128 product = (uint128)prng_next(p) * bound;
    uint64_t low = (uint64_t)product;
    if (low < bound) {
        uint64_t threshold = (0 - bound) % bound;
        while (low < threshold) {
            product = (uint128)prng_next(p) * bound;
            low = (uint64_t)product;
        }
    }
    return (uint64_t)(product >> 64);
}

double prng_double(struct prng *p) { return (double)(prng_next(p) >> 11) * 0x1.0p-53; }
