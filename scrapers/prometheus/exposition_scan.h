/* One sample line, inside the parser: names, labels, value and what follows it. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_SCAN_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_SCAN_H

#include "scrapers/prometheus/exposition_parse.h"

/* `line` has no line end. NULL when it was read into item, else the reason why not. */
const char *exposition_scan_sample(struct exposition_parser *parser, struct str line,
                                   struct exposition_item *item);
/* Reads a family name, plain or quoted, at the start of *rest and moves *rest behind it. False when there is
 * none. A mapped name lives in the parser's scratch memory, which has to have room for rest->len bytes. */
bool exposition_scan_family_name(struct exposition_parser *parser, struct str *rest, struct str *ret_name);
bool exposition_is_blank(char c); /* space or tab */

#endif
