/* nexmark_texts.c - the pools and tables of text that generated rows refer to.
 *
 * A random string is a uniform substring of a pool that was drawn once: rows then carry references and no byte is copied.
 * The pools are functions of the seed alone. They live in the task's memory, like the batches that refer to them. */
#include "flow/connector/nexmark/nexmark.h"

#include <stdio.h>

enum { URL_MAX = 96, WORD_ALPHABET = 13 * 26 };

void nexmark_texts_letters(struct nexmark_texts *t, uint64_t seed, struct mem *mem)
{
    char *letters = mem_alloc(mem, NEXMARK_LETTERS);

    for (uint32_t i = 0; i < NEXMARK_LETTERS; i += 4) {
        uint64_t hash = mix64(seed + i);
        for (uint32_t k = 0; k < 4; k++) letters[i + k] = (char)('a' + ((hash >> (16 * k) & 0xffff) * 26 >> 16));
    }
    t->letters = letters;
}

/* One character in thirteen is the special one, the others are uniform in a-z. */
static char word_char(uint64_t draw16, char special)
{
    uint64_t x = draw16 * WORD_ALPHABET >> 16;

    return x < 26 ? special : (char)('a' + x % 26);
}

void nexmark_texts_words(struct nexmark_texts *t, uint64_t seed, struct mem *mem)
{
    char *words = mem_alloc(mem, NEXMARK_WORDS);

    for (uint32_t i = 0; i < NEXMARK_WORDS; i += 4) {
        uint64_t hash = mix64(~seed + i);
        for (uint32_t k = 0; k < 4; k++) words[i + k] = word_char(hash >> (16 * k) & 0xffff, ' ');
    }
    t->words = words;
}

static struct text text_keep(struct mem *mem, const char *bytes, size_t size)
{
    char *kept = (char *)bytes;

    if (size > TEXT_INLINE) {
        kept = mem_alloc(mem, size);
        memcpy(kept, bytes, size);
    }
    return text_view(kept, size);
}

void nexmark_texts_names(struct nexmark_texts *t, struct mem *mem)
{
    static const char *const first[NEXMARK_FIRST_NAMES] = {"Peter", "Paul",  "Luke",  "John",   "Saul",  "Vicky",
                                                           "Kate",  "Julie", "Sarah", "Deiter", "Walter"};
    static const char *const last[NEXMARK_LAST_NAMES] = {"Shultz", "Abrams", "Spencer", "White", "Bartels",
                                                         "Walton", "Smith",  "Jones",   "Noris"};
    struct text *names = mem_alloc(mem, sizeof *names * NEXMARK_FIRST_NAMES * NEXMARK_LAST_NAMES);
    char name[32];

    for (uint32_t i = 0; i < NEXMARK_FIRST_NAMES * NEXMARK_LAST_NAMES; i++) {
        int size = snprintf(name, sizeof name, "%s %s", first[i / NEXMARK_LAST_NAMES], last[i % NEXMARK_LAST_NAMES]);
        names[i] = text_keep(mem, name, (size_t)size);
    }
    t->names = names;
}

/* Three path parts of 3 or 4 characters, '_' being the special one. */
static int url_print(uint64_t seed, uint32_t channel, char out[static URL_MAX])
{
    char parts[3][5] = {{0}};

    for (uint32_t p = 0; p < 3; p++) {
        uint64_t hash = mix64(mix64(seed + channel) + p);
        uint32_t size = 3 + (uint32_t)(hash >> 63);
        for (uint32_t k = 0; k < size; k++) parts[p][k] = word_char(mix64(hash + k) & 0xffff, '_');
    }
    return snprintf(out, URL_MAX, "https://www.nexmark.com/%s/%s/%s/item.htm?query=1", parts[0], parts[1], parts[2]);
}

/* The bits of x in the other order, read as a signed number without its sign (the least one keeps it). */
static int32_t reversed(uint32_t x)
{
    uint32_t r = 0;

    for (uint32_t i = 0; i < 32; i++) r |= (x >> i & 1) << (31 - i);
    return (int32_t)(r >> 31 ? 0 - r : r);
}

void nexmark_texts_channels(struct nexmark_texts *t, uint64_t seed, struct mem *mem)
{
    static const char *const hot[NEXMARK_HOT_CHANNELS] = {"Google", "Facebook", "Baidu", "Apple"};
    struct nexmark_channel_texts *channels = mem_alloc(mem, sizeof *channels * (NEXMARK_HOT_CHANNELS + NEXMARK_CHANNELS));
    char name[16], url[URL_MAX];

    for (uint32_t i = 0; i < NEXMARK_HOT_CHANNELS + NEXMARK_CHANNELS; i++) {
        bool is_hot = i < NEXMARK_HOT_CHANNELS;
        uint32_t number = i - NEXMARK_HOT_CHANNELS;
        int name_size = is_hot ? snprintf(name, sizeof name, "%s", hot[i])
                               : snprintf(name, sizeof name, "channel-%u", number % NEXMARK_CHANNELS);
        int size = url_print(mix64(seed), i, url);
        if (!is_hot && nexmark_high(mix64(~seed + i), 10) > 0)
            size += snprintf(url + size, URL_MAX - (size_t)size, "&channel_id=%d", reversed(number));
        channels[i].name = text_keep(mem, name, (size_t)name_size);
        channels[i].url = text_keep(mem, url, (size_t)size);
    }
    t->channels = channels;
}

struct text nexmark_word(const struct nexmark_texts *t, uint64_t hash, uint32_t max)
{
    uint32_t size = 3 + (uint32_t)nexmark_high(hash, max - 3);
    const char *at = t->words + nexmark_low(hash, NEXMARK_WORDS - max);

    for (; size > 0 && at[0] == ' '; size--) at++;
    while (size > 0 && at[size - 1] == ' ') size--;
    return text_view(at, size);
}

struct text nexmark_extra(const struct nexmark_texts *t, uint64_t hash, uint32_t size, uint32_t wanted)
{
    uint32_t length = nexmark_extra_size(hash, size, wanted);

    return text_view(t->letters + nexmark_low(hash, NEXMARK_LETTERS - length), length);
}

/* The letters are too many for the second-level cache: they are on their way before the first is looked at, and whoever copies the
 * rows finds them near. */
void nexmark_extras(const struct nexmark_texts *t, uint64_t key, uint32_t count, uint32_t size, uint32_t wanted, struct text *out)
{
    enum { AHEAD = 64 };
    struct str found[AHEAD];

    for (uint32_t first = 0, n; first < count; first += n) {
        n = MIN(count - first, (uint32_t)AHEAD);
        for (uint32_t i = 0; i < n; i++) {
            uint64_t hash = mix64(key + first + i);
            uint32_t length = nexmark_extra_size(hash, size, wanted);
            found[i] = (struct str){t->letters + nexmark_low(hash, NEXMARK_LETTERS - length), length};
            __builtin_prefetch(found[i].data);
            __builtin_prefetch(found[i].data + length);
        }
        for (uint32_t i = 0; i < n; i++) out[first + i] = text_view(found[i].data, found[i].size);
    }
}
