/* graph_codec.h - constants that the writer and the reader of encoded graphs share. Internal to control/graph. */
#pragma once

#define GRAPH_MAGIC "TWJG"
enum { GRAPH_MAGIC_SIZE = 4, GRAPH_VERSION = 2 };
enum node_flag { NODE_HEAD = 1, NODE_UNCHAINED = 2, NODE_SINGLE = 4, NODE_BUFFER_TIMEOUT = 8, NODE_VARIABLES = 16, NODE_FLAGS = 31 };
