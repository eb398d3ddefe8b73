/* live_keys.h - what keys mean while a result is shown that is repainted: leaving and paging. What else is typed is meant for the
 * prompt behind the result, and is kept for it; so are pasted lines, whatever letters they hold. */
#pragma once
#include "ground/base/buf.h"

enum live_key { LIVE_NONE, LIVE_QUIT, LIVE_UP, LIVE_DOWN, LIVE_PAGE_UP, LIVE_PAGE_DOWN, LIVE_FIRST, LIVE_LAST };

enum { LIVE_KEYS_SIZE = 512 };
struct live_keys {
    char bytes[LIVE_KEYS_SIZE]; /* as the terminal sent them; the first `size` wait */
    size_t size;
    bool is_text;  /* what came at once holds more than keys of the table */
    bool is_quiet; /* nothing came when it was looked last */
};

/* `size` bytes came behind those that wait, perhaps 0. typed: so far, and not used. */
void live_keys_came(struct live_keys *k, size_t size, const struct buf *typed);
/* The next key; what means nothing here goes to *typed. LIVE_NONE: there is no other one. */
enum live_key live_keys_next(struct live_keys *k, struct buf *typed);
