/* The common vocabulary: one name for the same thing on every cloud, so that one dashboard and one objective
 * work wherever a region is. Profiles map their metrics to these words; the peer's names stay beside them.
 * The list is in vocabulary.c.
 *
 * Every word has the labels region (ours), target, and resource (the cloud's short name of it). */
#ifndef FRAISEQL_SCRAPERS_CLOUD_VOCABULARY_H
#define FRAISEQL_SCRAPERS_CLOUD_VOCABULARY_H

#include "lib/core/str.h"

struct cloud_common {
    const char *word; /* "database_lag_seconds": the family is fraiseql_region_<word> */
    const char *help;
    const char *unit;
    bool counter;
};

/* NULL: there is no such word. */
const struct cloud_common *cloud_common_find(const char *word);
/* All of them; ended by a NULL word. */
extern const struct cloud_common cloud_common_words[];

#endif
