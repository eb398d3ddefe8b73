/* live_keys.c - see the header.
 *
 * Keys that are more than a byte begin with an escape, as the key Escape itself does: what may go on waits
 * until a look finds nothing more: then an escape was alone. Of bytes that came at once, all are text for the prompt as soon as one of them
 * means nothing to the table, or when something was typed before: a pasted QUIT does not stop the query that runs. */
#include "surface/sql/live_keys.h"

#include "ground/base/str.h"

#include <string.h>

#define ESCAPE '\033'

enum { ERASE_CTRL_H = 8, ERASE = 127, ERASE_LINE = 21 };

static enum live_key letter_key(char c)
{
    switch (c) {
    case 'q':
    case 'Q': return LIVE_QUIT;
    case 'g': return LIVE_FIRST;
    case 'G': return LIVE_LAST;
    case ' ': return LIVE_PAGE_DOWN;
    default: return LIVE_NONE;
    }
}

static enum live_key sequence_key(struct str s)
{
    static const struct {
        const char *bytes;
        enum live_key key;
    } keys[] = {{"[A", LIVE_UP},       {"OA", LIVE_UP},         {"[B", LIVE_DOWN},  {"OB", LIVE_DOWN},
                {"[5~", LIVE_PAGE_UP}, {"[6~", LIVE_PAGE_DOWN}, {"[H", LIVE_FIRST}, {"OH", LIVE_FIRST},
                {"[1~", LIVE_FIRST},   {"[F", LIVE_LAST},       {"OF", LIVE_LAST},  {"[4~", LIVE_LAST}};

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (str_equal(s, str_of(keys[i].bytes))) return keys[i].key;
    return LIVE_NONE;
}

/* Bytes of the key that begins with an escape; 1: it is that key itself. */
static size_t sequence_size(struct str s)
{
    size_t i = 2;

    if (s.size < 2) return 1;
    if (s.data[1] != '[') return MIN(s.size, s.data[1] == 'O' ? (size_t)3 : 2);
    while (i < s.size && (unsigned char)s.data[i] < '@') i++;
    return MIN(i + 1, s.size);
}

/* More of the sequence may be on its way. */
static bool is_begun(struct str s)
{
    if (s.data[0] != ESCAPE || s.size != sequence_size(s)) return false;
    if (s.size < 3) return s.size == 1 || s.data[1] == '[' || s.data[1] == 'O';
    return s.data[1] == '[' && (unsigned char)s.data[s.size - 1] < '@';
}

/* The key at the start of s, and its bytes. */
static enum live_key key_at(struct str s, size_t *size)
{
    *size = s.data[0] == ESCAPE ? sequence_size(s) : 1;
    if (s.data[0] != ESCAPE) return letter_key(s.data[0]);
    return *size == 1 ? LIVE_QUIT : sequence_key((struct str){s.data + 1, *size - 1});
}

/* Does every byte belong to a key of the table? Enter, which does nothing there, is none of the prompt's either. */
static bool are_keys(struct str s)
{
    for (size_t i = 0, size; i < s.size; i += size) {
        bool is_known = key_at((struct str){s.data + i, s.size - i}, &size) != LIVE_NONE || s.data[i] == ESCAPE;
        if (!is_known && s.data[i] != '\r' && s.data[i] != '\n') return false;
    }
    return true;
}

void live_keys_came(struct live_keys *k, size_t size, const struct buf *typed)
{
    k->size += size;
    ASSERT(k->size <= sizeof k->bytes);
    k->is_quiet = size == 0;
    k->is_text = typed->size > 0 || !are_keys((struct str){k->bytes, k->size});
}

static void erase_last(struct buf *typed)
{
    while (typed->size > 0 && ((unsigned char)typed->data[typed->size - 1] & 0xC0) == 0x80) typed->size--;
    if (typed->size > 0) typed->size--;
}

static void type(char c, struct buf *typed)
{
    if (c == ERASE || c == ERASE_CTRL_H)
        erase_last(typed);
    else if (c == ERASE_LINE)
        buf_clear(typed);
    else if (c != '\0')
        buf_append_byte(typed, c == '\n' ? '\r' : c);
}

enum live_key live_keys_next(struct live_keys *k, struct buf *typed)
{
    size_t size;

    while (k->size > 0) {
        struct str s = {k->bytes, k->size};
        char first = s.data[0];
        if (!k->is_quiet && is_begun(s)) return LIVE_NONE;
        enum live_key key = key_at(s, &size);
        memmove(k->bytes, k->bytes + size, k->size - size);
        k->size -= size;
        if (first != ESCAPE && k->is_text)
            type(first, typed);
        else if (key != LIVE_NONE)
            return key;
    }
    return LIVE_NONE;
}
