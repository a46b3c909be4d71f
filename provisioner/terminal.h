/* Text of others on its way to a terminal: names, answers of clouds, what Terraform says. */
#ifndef FRAISEQL_PROVISIONER_TERMINAL_H
#define FRAISEQL_PROVISIONER_TERMINAL_H

#include "lib/core/buf.h"

/* The colours that we give ourselves: the only sequences that terminal_append() lets through. */
extern const char *const terminal_styles[]; /* ended by NULL */

/* Appends `text` with a ? for each byte or character that a terminal acts on or that hides the order of
 * others: control characters but line end and tab, what is not UTF-8, and Unicode's marks of direction. A
 * carriage return before a line end is left out. */
void terminal_append(struct buf *out, struct str text);

#endif
