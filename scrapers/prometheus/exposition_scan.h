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
/* A name of the old set, or one mapped to it (UTF-8 names of Prometheus 3) in the scratch memory, which must
 * have room for name.len bytes; empty when it is empty or no UTF-8. */
struct str exposition_map_metric_name(struct buf *scratch, struct str name);
struct str exposition_map_label_name(struct buf *scratch, struct str name);

#endif
