/* kept_frame.h - kept rows in a frame whose columns are as wide as their contents. */
#pragma once
#include "surface/sql/kept_rows.h"

/* The characters of a frame. */
struct kept_style {
    const char *corners[3][3]; /* top, below the names, bottom; left, between, right; NULL: no such line */
    const char *across, *bar;
    bool left;    /* cells to the left */
    uint32_t widest; /* cells that are longer are cut */
};
extern const struct kept_style kept_ascii, kept_lines, kept_markdown;
extern const struct kept_style kept_bare; /* kept_ascii without the frame around: for screens of few lines */

struct kept_part {
    uint32_t from, rows; /* fewer where there are no more */
    uint32_t columns;    /* of the terminal: longer lines are cut */
};
#define KEPT_ALL ((struct kept_part){.rows = UINT32_MAX, .columns = UINT32_MAX})

/* To v->out; answers how many lines. */
uint32_t kept_frame(const struct kept_rows *k, struct view *v, const struct kept_style *s, struct kept_part part);
