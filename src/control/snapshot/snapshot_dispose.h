/* snapshot_dispose.h - a savepoint, or a checkpoint that was kept, is deleted. */
#pragma once
#include "ground/base/err.h"
#include "ground/sys/sys.h"

/* uri: of the folder, or of the metadata in it. Only what its metadata name is deleted. E_NOT_FOUND: there is none; E_DATA: they are
 * damaged, and nothing was deleted; E_UNSUPPORTED: it shares files with others. */
enum status snapshot_dispose(struct sys *sys, const char *uri, struct err *e) CHECKED;
