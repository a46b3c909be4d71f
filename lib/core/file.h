/* All file access of the project: whole reads with a maximum, crash-safe replacement, locks. */
#ifndef FRAISEQL_CORE_FILE_H
#define FRAISEQL_CORE_FILE_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

/* Appends the whole file; ERR_LIMIT when it is larger than buf->max. Works on /proc files. */
int file_read(const char *path, struct buf *ret_bytes, struct error *err) CHECK_RESULT;
/* Temporary file, fsync, rename, fsync of the folder: afterwards either the old or the new bytes are there.
 */
int file_replace(const char *path, struct str bytes, unsigned mode, struct error *err) CHECK_RESULT;
/* The same without waiting for the disk, for what can be made again: a reader sees the old or the new bytes,
 * a machine that loses power may have neither. */
int file_replace_unsynced(const char *path, struct str bytes, unsigned mode, struct error *err) CHECK_RESULT;
/* Exclusive advisory lock on `path` (created 0600); ERR_CONFLICT names the holder's process, host and
 * since when, as far as known. The lock lasts until the descriptor is closed or the process dies. */
int file_lock(const char *path, int *ret_fd, struct error *err) CHECK_RESULT;
/* mkdir -p with mode for what is new. */
int file_make_folder(const char *path, unsigned mode, struct error *err) CHECK_RESULT;

#endif
