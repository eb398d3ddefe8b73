/* prng.h - seeded pseudo-random numbers (xoshiro256**), and a pure mixing function. Nothing here asks the OS. */
#pragma once
#include "ground/base/base.h"

struct prng {
    uint64_t s[4];
};

void prng_init(struct prng *p, uint64_t seed);
uint64_t prng_next(struct prng *p);
uint64_t prng_below(struct prng *p, uint64_t bound); /* uniform in [0, bound), bound > 0 */
double prng_double(struct prng *p);                  /* [0, 1) */
static inline uint64_t mix64(uint64_t x)             /* splitmix64's finaliser: a bijection */
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}
