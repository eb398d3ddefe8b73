/* file_sink.h - the writing end of connector 'filesystem'. */
#pragma once
#include "flow/connector/connector.h"

extern const struct sink_type file_sink;
