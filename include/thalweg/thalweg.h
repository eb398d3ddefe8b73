/* thalweg.h - the C DataStream API of Thalweg: everything.
 *
 * A job is a graph of streams. Rows are C structs described once by a field list; inside they travel as columns.
 * Graph-building calls never fail by themselves: the first mistake is kept with the source line of the call that made
 * it and reported by tw_execute. All handles belong to their environment and are freed with it. */
#pragma once
#include <thalweg/row.h>
#include <thalweg/function.h>
#include <thalweg/context.h>
#include <thalweg/batch.h>
#include <thalweg/source.h>
#include <thalweg/sink.h>
#include <thalweg/env.h>
#include <thalweg/parameters.h>
#include <thalweg/stream.h>
#include <thalweg/async_sink.h>
#include <thalweg/rows.h>
#include <thalweg/window.h>
#include <thalweg/table.h>
#include <thalweg/harness.h>
#include <thalweg/savepoint.h>
