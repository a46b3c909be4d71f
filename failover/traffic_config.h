/* `traffic:`, what the webhook of an incident may do to HAProxy. A rule names one trigger, one region, and
 * the servers that get no new connections while such an incident is open; nothing else can be asked for.
 *
 * Ownership: the configuration's arena. Threads: immutable. */
#ifndef FRAISEQL_FAILOVER_TRAFFIC_CONFIG_H
#define FRAISEQL_FAILOVER_TRAFFIC_CONFIG_H

#include "lib/core/option.h"

#define TRAFFIC_MAX_RULES       256U
#define TRAFFIC_MAX_SERVERS     64U /* of a rule, drain and cut each */
#define TRAFFIC_MAX_AFTER       16U /* of cut_after */
#define TRAFFIC_SERVER_MAX      200U
#define TRAFFIC_STATE_MAX_BYTES (1024UL * 1024)

struct traffic_rule {
    const char *trigger, *region;
    struct string_list drain, cut, cut_after; /* "backend/server" */
    struct option_position position;
};

struct traffic_config {
    const char *haproxy;     /* path of the runtime socket */
    const char *secret_file; /* of the webhook's signature */
    int64_t max_age_ns, max_hold_ns, interval_ns, timeout_ns;
    struct section_list rules; /* struct traffic_rule */
};

extern const struct option_section traffic_section;

static inline const struct traffic_rule *traffic_rule_at(const struct traffic_config *config, size_t i)
{
    return SECTION_AT(const struct traffic_rule, config->rules, i);
}
/* NULL: there is none. */
const struct traffic_rule *traffic_rule_find(const struct traffic_config *config, const char *trigger,
                                             const char *region);
/* Whether the rule names the server; *ret_cut: its sessions end too. ret_cut may be NULL. */
bool traffic_rule_names(const struct traffic_rule *rule, const char *server, bool *ret_cut);

#endif
