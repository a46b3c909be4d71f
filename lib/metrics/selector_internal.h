#ifndef FRAISEQL_METRICS_SELECTOR_INTERNAL_H
#define FRAISEQL_METRICS_SELECTOR_INTERNAL_H

#include "lib/core/arena.h"
#include "lib/metrics/pattern.h"
#include "lib/metrics/selector.h"

enum matcher_op { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

struct matcher {
    struct str name, value;
    struct str escaped; /* the value as it stands in label text: equality is tested without unescaping */
    enum matcher_op op;
    struct pattern *regex;
    struct matcher *next;
};

struct selector {
    struct arena *arena;
    char *text;
    struct matcher *names; /* on __name__ */
    struct matcher *labels;
};

/* On an unescaped value. A regular expression that hits its match limit matches nothing. */
bool matcher_accepts(const struct matcher *matcher, struct str value);

#endif
