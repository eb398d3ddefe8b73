/* graph_config.h - configurations as bytes, by the tables of their operators. Internal to control/graph. */
#pragma once
#include "control/graph/graph.h"
#include "ground/base/codec.h"

/* Fields that are not zero, by name; members left zero mean the default and do not travel. */
void graph_config_encode(const struct op_type *type, const void *config, struct buf *out);
/* Into `config`, which is cleared. Texts, bytes, types are copied into the arena. E_DATA for what does not read. */
enum status graph_config_decode(struct arena *a, const struct op_type *type, void *config, struct dec *d, struct err *e) CHECKED;

void graph_function_encode(const struct function_ref *f, struct buf *out);
void graph_function_decode(struct arena *a, struct function_ref *f, struct dec *d);
void graph_texts_encode(const struct text_list *t, struct buf *out);
struct text_list graph_texts_decode(struct arena *a, struct dec *d);
void graph_options_encode(const struct options *o, struct buf *out);
struct options graph_options_decode(struct arena *a, struct dec *d);
/* NUL-terminated copy; a text with a NUL in it fails the decoder. */
const char *graph_text_decode(struct arena *a, struct dec *d);
/* Number of items to come, each at least one byte long. */
uint32_t graph_count_decode(struct dec *d, uint32_t max);
