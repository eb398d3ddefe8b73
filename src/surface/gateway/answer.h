/* answer.h - the JSON of a gateway's answer as views of its text: numbers keep all their digits, and nothing is copied but strings
 * that are asked for. Values are views of their text, spaces around them cut off; an empty view is a value that is not there. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/buf.h"
#include "ground/base/err.h"

/* Is the text one value of JSON? It must have FORMAT_PADDING bytes of room behind it. All other calls want views of such a text. */
enum status answer_check(struct str text, struct mem *mem, struct err *e) CHECKED;
struct str answer_member(struct str object, const char *key);     /* of an object; of another value: none */
bool answer_next(struct str array, size_t *at, struct str *item); /* *at: 0 before the first */
bool answer_next_member(struct str object, size_t *at, struct str *key,
                        struct str *value);                 /* key: without its quotes, as written */
const char *answer_text(struct str value, struct arena *a); /* of a string; NULL: it is none */
bool answer_is(struct str value, const char *literal);      /* "true", "\"EOS\"": as written */
int64_t answer_int(struct str value, int64_t fallback);
void answer_quote(struct str text, struct buf *out); /* appends it as a string of JSON */
