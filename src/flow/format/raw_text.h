/* raw_text.h - strings in other encodings than UTF-8, for the raw format. */
#pragma once
#include "ground/base/buf.h"

enum raw_charset { RAW_UTF8, RAW_ASCII, RAW_LATIN1, RAW_UTF16, RAW_UTF16BE, RAW_UTF16LE };
#define RAW_CHARSETS "UTF-8|US-ASCII|ISO-8859-1|UTF-16|UTF-16BE|UTF-16LE"

/* Appends text in that charset as UTF-8; false: no such text, *bad is the first byte that is wrong. */
bool raw_text_decode(enum raw_charset charset, struct str text, struct buf *out, size_t *bad) CHECKED;
/* Appends valid UTF-8 in that charset; false: it has no such character, *bad is where it begins. */
bool raw_text_encode(enum raw_charset charset, struct str text, struct buf *out, size_t *bad) CHECKED;
