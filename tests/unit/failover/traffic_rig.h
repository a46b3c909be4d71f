/* Rules and events for the tests of what is remembered and planned. */
#ifndef FRAISEQL_TESTS_FAILOVER_TRAFFIC_RIG_H
#define FRAISEQL_TESTS_FAILOVER_TRAFFIC_RIG_H

#include "failover/traffic_state.h"
#include "tests/support/support.h"

#define RIG_NOW (1000000 * NS_PER_S)

/* lag-high takes a region's reads, burning its service; each region as one server of a backend. */
static const char rig_text[] = "haproxy: /h\nsecret_file: /s\nmax_age: 5m\nmax_hold: 1h\nrules:\n"
                               "  - { trigger: lag-high, region: eu, cut: [read/eu] }\n"
                               "  - { trigger: lag-high, region: us, cut: [read/us], cut_after: [read/eu] }\n"
                               "  - { trigger: burning, region: eu, drain: [service/eu, read/eu] }\n";

static inline const struct traffic_config *rig_config(struct arena *arena)
{
    struct traffic_config *config = arena_zalloc(arena, sizeof *config);
    struct diag diag CLEANUP(diag_deinit);
    struct node *root;
    diag_init(&diag);
    ck_assert_int_eq(yaml_parse(arena, "t.yaml", str_from(rig_text), &root, &diag), 0);
    ck_assert_int_eq(option_parse(&traffic_section, root, arena, config, &diag), 0);
    return config;
}

static inline struct traffic_event rig_event(const char *trigger, const char *region, const char *who,
                                             bool firing)
{
    return (struct traffic_event){.trigger = trigger, .region = region, .fingerprint = who, .firing = firing};
}

/* Takes the event in place of *state, and frees the former one. */
static inline int rig_step(struct traffic_state **state, const struct traffic_config *config, const char *id,
                           struct traffic_event event, int64_t now_wall_ns, struct error *err)
{
    const struct traffic_message message = {.events = &event, .count = 1};
    struct traffic_state *after = NULL;
    int code = traffic_state_step(*state, config, id, &message, now_wall_ns, &after, err);
    if (!code) {
        traffic_state_free(*state);
        *state = after;
    }
    return code;
}

#endif
