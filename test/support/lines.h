/* lines.h - what came out as lines, where their order is for nobody to say. */
#pragma once

/* The lines of a text in order of their bytes, to be freed. */
char *lines_sorted(const char *text);
