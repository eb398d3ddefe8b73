/* status.c - the texts of statuses, from the one list in status.h. */
#include "ground/base/status.h"

const char *status_text(enum status st)
{
    switch (st) {
#define X(name, value, text)                                                                                           \
    case name: return text;
        STATUS_MAP(X)
#undef X
    }
    return "unknown status";
}
