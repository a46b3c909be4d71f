/* A password, token or key. It prints as *** wherever it is formatted by the option tables, is wiped when
 * freed, and is never logged. Read from a file or the environment; never from argv.
 * Ownership: secret_free() wipes. Threads: immutable after creation. */
#ifndef FRAISEQL_CORE_SECRET_H
#define FRAISEQL_CORE_SECRET_H

#include "lib/core/error.h"
#include "lib/core/str.h"

#define SECRET_MASK      "***"
#define SECRET_MAX_BYTES (64UL * 1024)

struct secret;

struct secret *secret_new(struct str value);
void secret_free(struct secret *secret); /* accepts NULL; wipes */
/* First line of the file without its line end. Warns in *ret_world_readable (may be NULL) when others may
 * read the file. -errno when it cannot be read, ERR_CONFIG when it is empty or over SECRET_MAX_BYTES. */
int secret_read_file(const char *path, struct secret **ret_secret, bool *ret_world_readable,
                     struct error *err) CHECK_RESULT;
/* The bytes, for the one call that hands them to a protocol library. Terminated. */
struct str secret_reveal(const struct secret *secret);

DEFINE_CLEANUP(struct secret, secret_free)

/* Copies a connection string, URL or conninfo with every password in it replaced by ***. Handles
 * "key=value" conninfo (password=, sslpassword=), scheme://user:password@host, and in a URL's query
 * ?password= and other usual names of secrets (token, api_key, sig, ...). */
void secret_mask_conninfo(const char *text, char *masked, size_t size);
/* The same within running text, such as a library's error message: an unquoted password or a URL ends at the
 * first blank. The logger does this to every field. */
void secret_mask_text(const char *text, char *masked, size_t size);

#endif
