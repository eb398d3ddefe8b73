/* functions_page.h - the page of all functions of SQL. */
#pragma once
#include <stdio.h>

void functions_page_write(FILE *out);
