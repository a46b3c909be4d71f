/* Every fixed maximum on what outside bytes may make us keep. Configurable ones have their default here;
 * each that can be hit at run time is a metric. */
#ifndef FRAISEQL_CORE_LIMITS_H
#define FRAISEQL_CORE_LIMITS_H

#define LIMIT_LABEL_NAME_BYTES  256U
#define LIMIT_LABEL_VALUE_BYTES 4096U
#define LIMIT_LABELS_PER_SERIES 64U
#define LIMIT_LABEL_TEXT_BYTES  65535U /* rendered labels of one series */
#define LIMIT_METRIC_NAME_BYTES 512U
#define LIMIT_HELP_BYTES        4096U
#define LIMIT_REGEX_BYTES       4096U
#define LIMIT_SELECTOR_BYTES    16384U
#define LIMIT_LINE_BYTES        (1024UL * 1024) /* one line of exposition text */
#define LIMIT_HTTP_HEADER_BYTES (64UL * 1024)
#define LIMIT_BODY_BYTES        (64UL * 1024 * 1024)
#define LIMIT_SERIES            100000UL
#define LIMIT_SERIES_PER_TARGET 10000UL
#define LIMIT_MEMORY_BYTES      (1024UL * 1024 * 1024)
#define LIMIT_CONNECTIONS       1000U

#endif
