/* fn_random.c - RAND, RAND_INTEGER and UUID. With a constant seed the numbers are those of Java's java.util.Random, one after
 * another in the order of the rows that count, so that a query repeats itself and agrees with Flink. A seed that comes from the
 * row begins anew with every row, as there. Without one, numbers are drawn from the evaluator's number of chance (fn_run).
 *
 * Not for secrets. */
#include "columns/function/fn_kernels.h"

#include "ground/base/prng.h"

#include <stdio.h>

struct random_state {
    bool begun;
    uint64_t java; /* 48 bits: with a seed */
    struct prng prng;
};

/* --- Java's generator -------------------------------------------------------------------------------------------- */
#define JAVA_MULTIPLIER UINT64_C(0x5DEECE66D)
#define JAVA_MASK ((UINT64_C(1) << 48) - 1)

static int32_t java_bits(struct random_state *s, int bits)
{
    s->java = (s->java * JAVA_MULTIPLIER + 0xB) & JAVA_MASK;
    return (int32_t)(int64_t)(s->java >> (48 - bits));
}

static double java_double(struct random_state *s)
{
    int64_t high = java_bits(s, 26);
    return (double)((high << 27) + java_bits(s, 27)) * 0x1p-53;
}

/* In [0, bound): numbers of the last, incomplete run of the generator's range are drawn again. */
static int32_t java_below(struct random_state *s, int32_t bound)
{
    int32_t bits, value;

    if ((bound & (bound - 1)) == 0) return (int32_t)(((int64_t)bound * java_bits(s, 31)) >> 31);
    do {
        bits = java_bits(s, 31);
        value = bits % bound;
    } while ((int64_t)bits - value + (bound - 1) > INT32_MAX);
    return value;
}

/* --- state ------------------------------------------------------------------------------------------------------- */
static void *random_open(const struct fn_call *c, struct mem *mem)
{
    (void)c;
    return mem_zalloc(mem, sizeof(struct random_state));
}

static void random_close(void *state, struct mem *mem) { mem_free(mem, state); }

static struct random_state *begin_seeded(const struct fn_run *r, const struct vector *seeds, uint32_t row)
{
    struct random_state *s = r->state;

    if (s->begun && r->call->constants[0] != NULL) return s;
    s->begun = true;
    int64_t seed = VECTOR_VALUES(seeds, int32_t)[vector_at(seeds, row)];
    s->java = ((uint64_t)seed ^ JAVA_MULTIPLIER) & JAVA_MASK;
    return s;
}

static struct prng *begin_by_chance(const struct fn_run *r)
{
    struct random_state *s = r->state;

    if (!s->begun) prng_init(&s->prng, r->chance);
    s->begun = true;
    return &s->prng;
}

/* --- kernels ----------------------------------------------------------------------------------------------------- */
static void rand_by_chance(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct prng *p = begin_by_chance(r);

    (void)args;
    FN_EACH(r, i) VECTOR_VALUES(out, double)[i] = prng_double(p);
}

static void rand_seeded(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) VECTOR_VALUES(out, double)[i] = java_double(begin_seeded(r, args[0], i));
}

static bool bound_at(const struct fn_run *r, const struct vector *bounds, uint32_t row, int32_t *out)
{
    *out = VECTOR_VALUES(bounds, int32_t)[vector_at(bounds, row)];
    if (*out > 0) return true;
    row_error(r->errors, row, FN_BAD_ARGUMENT, "the bound of RAND_INTEGER must be positive");
    return false;
}

static void integer_by_chance(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct prng *p = begin_by_chance(r);
    int32_t bound;

    FN_EACH_VALID(r, args, 1, i)
    if (bound_at(r, args[0], i, &bound)) VECTOR_VALUES(out, int32_t)[i] = (int32_t)prng_below(p, (uint64_t)bound);
}

static void integer_seeded(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int32_t bound;

    FN_EACH_VALID(r, args, 2, i)
    if (bound_at(r, args[1], i, &bound))
        VECTOR_VALUES(out, int32_t)[i] = java_below(begin_seeded(r, args[0], i), bound);
}

/* Version 4, variant 1 (RFC 4122): 122 bits of chance. */
static void uuid_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct prng *p = begin_by_chance(r);
    char text[40];

    (void)args;
    FN_EACH(r, i)
    {
        uint64_t high = prng_next(p), low = prng_next(p);
        int size = snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
                            (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFF),
                            (unsigned)(low >> 48 & 0x3FFF) | 0x8000, (unsigned long long)(low & 0xFFFFFFFFFFFF));
        fn_put(r, out, i, (struct str){text, (size_t)size});
    }
}

#define EXAMPLES(...)                                                                                                  \
    (const struct fn_example[])                                                                                        \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
#define OVERLOADS(...)                                                                                                 \
    (const struct fn_overload[])                                                                                       \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
#define RANDOM .det = FN_RANDOM, .open = random_open, .close = random_close
static const struct fn_def functions[] = {
    {.name = "RAND",
     .doc = "a number in [0, 1); with a seed, the numbers that follow from it",
     RANDOM,
     .examples = EXAMPLES({"RAND(42)", "0.7275636800328681"}),
     .overloads = OVERLOADS({"-> DOUBLE NOT NULL", rand_by_chance}, {"INT -> DOUBLE", rand_seeded})},
    {.name = "RAND_INTEGER",
     .doc = "a whole number from 0 to below the bound, which stands last; a seed may stand first",
     RANDOM,
     .flags = FN_MAY_FAIL,
     .examples = EXAMPLES({"RAND_INTEGER(42, 1000)", "130"}),
     .overloads = OVERLOADS({"INT -> INT", integer_by_chance}, {"INT, INT -> INT", integer_seeded})},
    {.name = "UUID",
     .doc = "a random universally unique identifier (RFC 4122, version 4)",
     RANDOM,
     .examples = EXAMPLES({"UUID() IS NOT NULL", "TRUE"}),
     .overloads = OVERLOADS({"-> CHAR(36) NOT NULL", uuid_text})},
    {0},
};
#undef RANDOM

const struct fn_type fn_random = {
    .name = "random", .doc = "numbers by chance", .example = "RAND(42)", .functions = functions};
