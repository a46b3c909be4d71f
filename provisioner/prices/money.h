/* Prices as clouds write them, exactly: "0.0416000000", "4E-07", "12". No floating point is involved. Outside
 * bytes. Threads: pure. */
#ifndef FRAISEQL_PROVISIONER_PRICES_MONEY_H
#define FRAISEQL_PROVISIONER_PRICES_MONEY_H

#include "lib/core/str.h"

/* False for what is no decimal number without a sign (an exponent is taken), for more than the nine digits
 * after the point that a nano-USD holds, and for more than 100,000 USD. */
bool money_parse(struct str text, int64_t *ret_nano_usd);
/* Whether it is a number all the same: too fine or too large to be taken. */
bool money_is_number(struct str text);

#endif
