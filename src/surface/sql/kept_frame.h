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

/* The last rows_max of the rows, to v->out, no line longer than `columns`; answers how many lines. */
uint32_t kept_frame(const struct kept_rows *k, struct view *v, const struct kept_style *s, uint32_t rows_max, uint32_t columns);
