/* IPv4 ranges. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_CONFIG_CIDR_H
#define FRAISEQL_PROVISIONER_CONFIG_CIDR_H

#include "lib/core/error.h"

struct cidr {
    uint32_t address; /* host order, host bits are zero */
    unsigned bits;    /* 0 to 32 */
};

/* "10.0.0.0/16"; host bits that are set, and what inet_pton would not take, are refused. */
int cidr_parse(const char *text, struct cidr *ret, struct error *err) CHECK_RESULT;
bool cidr_overlaps(struct cidr a, struct cidr b);
/* Inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10. */
bool cidr_is_private(struct cidr range);
#define CIDR_TEXT_MAX 20
const char *cidr_format(struct cidr range, char text[CIDR_TEXT_MAX]);

#endif
