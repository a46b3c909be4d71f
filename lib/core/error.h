/* What went wrong, as one value that is handed up, prefixed on the way, and logged once by the owner of
 * the unit of work (a scrape, a request, a command).
 *
 * A function that can fail returns 0 or a negative code (-errno or one of enum error_code), takes a
 * `struct error *` last (NULL is accepted) and fills it at the origin with error_set(). Callers add context
 * with error_prefix(), so the text reads outside-in: "region eu: database orders: cannot connect: ...".
 *
 * Ownership: a value type of fixed size; nothing to free. Threads: owned by its caller. */
#ifndef FRAISEQL_CORE_ERROR_H
#define FRAISEQL_CORE_ERROR_H

#include "lib/core/compiler.h"

enum error_code {
    ERR_PARSE = -2001,       /* outside bytes do not follow their grammar */
    ERR_CONFIG = -2002,      /* a configuration is refused */
    ERR_LIMIT = -2003,       /* a configured maximum was hit */
    ERR_TIMEOUT = -2004,     /* a deadline passed */
    ERR_CANCELLED = -2005,   /* the caller withdrew */
    ERR_UNAVAILABLE = -2006, /* the peer cannot be reached or refuses; a retry may help */
    ERR_PEER = -2007,        /* the peer answered with an error; a retry is unlikely to help */
    ERR_AUTH = -2008,        /* credentials or privileges are missing */
    ERR_CONFLICT = -2009,    /* somebody else holds it */
    ERR_CORRUPT = -2010      /* stored data failed a check */
};

#define ERROR_MESSAGE_MAX 512
#define ERROR_TEXT_MAX    256

struct error {
    int code;
    unsigned line, column;           /* 1-based, 0 when the error has no position */
    char file[ERROR_TEXT_MAX];       /* empty when the error has no position */
    char message[ERROR_MESSAGE_MAX]; /* one sentence without a full stop, outside-in */
    char detail[ERROR_TEXT_MAX];     /* what a developer would ask next; may be empty */
    char hint[ERROR_TEXT_MAX];       /* what the operator can do; may be empty */
};

/* Fills *err (if any) and returns `code`, so that `return error_set(err, ...)` is one line. */
int error_set(struct error *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* As error_set(), with ": " and the text of `errno_value` appended and the code -errno_value. */
int error_set_errno(struct error *err, int errno_value, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " before the message and returns err's code (or `ERR_PEER` when err is NULL). */
int error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

void error_set_detail(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_set_hint(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_set_position(struct error *err, const char *file, unsigned line, unsigned column);
void error_clear(struct error *err);

/* "file:line:column: message (detail). Hint: hint" into text; always terminated. */
void error_format(const struct error *err, char *text, size_t size);

/* Thread-safe text of an errno value. */
const char *error_errno_text(int errno_value, char *text, size_t size);

#endif
