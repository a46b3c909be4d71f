/* Kubernetes' quantities (apimachinery, resource.Quantity): a decimal number with one of the suffixes n u m k
 * M G T P E, Ki Mi Gi Ti Pi Ei, or an exponent of ten (1e3, and 1E is exa while 1E3 is a thousand).
 *
 * Whole values of up to 64 bits stay integers; the rest is a double. Pure. Threads: any. Outside bytes. */
#ifndef FRAISEQL_SCRAPERS_KUBERNETES_QUANTITY_H
#define FRAISEQL_SCRAPERS_KUBERNETES_QUANTITY_H

#include "lib/metrics/value.h"

bool quantity_parse(struct str text, struct value *ret_value);

#endif
