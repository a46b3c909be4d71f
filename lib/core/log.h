/* Structured logging to standard error: logfmt or JSON, one line an event.
 *
 * An event is a short dotted name (`probe.failed`), a level and fields. Only the owner of a unit of work
 * logs; library code logs at debug or not at all. Each call site is rate-limited (LOG_BURST lines a second);
 * what was held back is said in the next line of that site as suppressed=N. Secrets never become fields.
 * Under systemd (JOURNAL_STREAM set) lines carry the <N> priority prefix.
 * Threads: any. */
#ifndef FRAISEQL_CORE_LOG_H
#define FRAISEQL_CORE_LOG_H

#include "lib/core/error.h"
#include "lib/core/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

#define LOG_BURST 20

enum log_field_kind { LOG_FIELD_STR, LOG_FIELD_I64, LOG_FIELD_F64, LOG_FIELD_BOOL, LOG_FIELD_ERROR };

struct log_field {
    const char *key;
    enum log_field_kind kind;
    union {
        struct str str;
        int64_t i64;
        double f64;
        bool boolean;
        const struct error *error; /* becomes error=, detail=, hint= and position= as far as present */
    };
};

#define LF_STR(k, s)  ((struct log_field){.key = (k), .kind = LOG_FIELD_STR, .str = (s)})
#define LF_TEXT(k, t) ((struct log_field){.key = (k), .kind = LOG_FIELD_STR, .str = str_from(t)})
#define LF_I64(k, n)  ((struct log_field){.key = (k), .kind = LOG_FIELD_I64, .i64 = (int64_t)(n)})
#define LF_F64(k, n)  ((struct log_field){.key = (k), .kind = LOG_FIELD_F64, .f64 = (n)})
#define LF_BOOL(k, b) ((struct log_field){.key = (k), .kind = LOG_FIELD_BOOL, .boolean = (b)})
#define LF_ERROR(e)   ((struct log_field){.key = "error", .kind = LOG_FIELD_ERROR, .error = (e)})

/* State of one call site, made by LOG_EVENT(). */
struct log_site {
    _Atomic int64_t window_s;
    _Atomic uint32_t in_window, suppressed;
};

/* LOG_EVENT(LOG_WARN, "probe.failed", LF_TEXT("probe", name), LF_ERROR(&err)); */
#define LOG_EVENT(level, event, ...)                                                                         \
    do {                                                                                                     \
        static struct log_site log_site_;                                                                    \
        if (log_enabled(level)) {                                                                            \
            const struct log_field log_fields_[] = {__VA_ARGS__};                                            \
            log_write((level), &log_site_, (event), log_fields_,                                             \
                      sizeof log_fields_ / sizeof log_fields_[0]);                                           \
        }                                                                                                    \
    } while (0)

void log_configure(enum log_level level, enum log_format format);
/* Where lines go; default standard error. For tests. */
void log_set_fd(int fd);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, struct log_site *site, const char *event, const struct log_field *fields,
               size_t count);
/* Lines written so far by level, for the self metrics. */
uint64_t log_lines(enum log_level level);

#endif
