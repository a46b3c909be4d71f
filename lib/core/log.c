#include "lib/core/log.h"

#include "lib/core/atomic.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "lib/core/json.h"
#include "lib/core/secret.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES  16384U
#define LINE_TAIL_BYTES 128U  /* kept for "truncated", the suppressed count and the end of the line */
#define VALUE_MAX_BYTES 4096U /* of one field */

/* The process has one log. Written by log_configure() and tests, read by every thread. */
static struct flag min_level = {LOG_INFO}, line_format = {LOG_LOGFMT}, line_fd = {STDERR_FILENO}, journald;
static struct counter lines[LOG_ERROR + 1];

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const int priorities[] = {7, 6, 4, 3}; /* of syslog(3) */

/* One line being written in either format. */
struct line {
    struct buf buf;
    enum log_format format;
    struct json_writer json;
};

void log_set_fd(int fd)
{
    /* JOURNAL_STREAM is "device:inode" of the stream systemd made; a redirected stream is not it. */
    struct stat status;
    char stream[64] = "";
    const char *journal = env_get("JOURNAL_STREAM");
    if (journal && fstat(fd, &status) == 0)
        (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
                       (unsigned long long)status.st_ino);
    flag_set(&journald, journal && strcmp(journal, stream) == 0);
    flag_set(&line_fd, fd);
}

void log_configure(enum log_level level, enum log_format format)
{
    flag_set(&min_level, level);
    flag_set(&line_format, format);
    log_set_fd((int)flag_get(&line_fd));
}

bool log_enabled(enum log_level level)
{
    return (int64_t)level >= flag_get(&min_level);
}

uint64_t log_lines(enum log_level level)
{
    return counter_get(&lines[level]);
}

/* True when the line may be written; *ret_suppressed is then what was held back since the last one. Two
 * threads at the turn of a second may both start the window: a few lines more, never a lost count. */
static bool site_allows(struct log_site *site, uint32_t *ret_suppressed)
{
    int64_t now_s = clock_mono_ns() / NS_PER_S;
    int64_t window_s = atomic_load_explicit(&site->window_s, memory_order_relaxed);
    if (window_s != now_s + 1 &&
        atomic_compare_exchange_strong_explicit(&site->window_s, &window_s, now_s + 1, memory_order_relaxed,
                                                memory_order_relaxed))
        atomic_store_explicit(&site->in_window, 0, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&site->in_window, 1, memory_order_relaxed) >= LOG_BURST) {
        atomic_fetch_add_explicit(&site->suppressed, 1, memory_order_relaxed);
        return false;
    }
    *ret_suppressed = atomic_exchange_explicit(&site->suppressed, 0, memory_order_relaxed);
    return true;
}

/* Bytes that may stand bare in logfmt. */
static bool is_bare(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return value.len > 0;
}

static void logfmt_key(struct line *line, const char *key)
{
    if (line->buf.len && line->buf.data[line->buf.len - 1] != '>')
        buf_append_byte(&line->buf, ' ');
    buf_append_text(&line->buf, key);
    buf_append_byte(&line->buf, '=');
}

/* The JSON escapes are those logfmt readers know; a writer of one value gives them. */
static void append_quoted(struct buf *buf, struct str value)
{
    struct json_writer json;
    json_init(&json, buf);
    json_str(&json, value);
}

static void add_str(struct line *line, const char *key, struct str value)
{
    char text[VALUE_MAX_BYTES], masked[VALUE_MAX_BYTES];
    size_t length = value.len < sizeof text ? value.len : sizeof text - 1;
    /* A zero byte would end the text early for the mask: it is shown as a blank. */
    for (size_t i = 0; i < length; i++)
        text[i] = value.ptr[i] ? value.ptr[i] : ' ';
    text[length] = '\0';
    secret_mask_text(text, masked, sizeof masked);
    struct str shown = str_from(masked);
    if (line->format == LOG_JSON) {
        json_kv_str(&line->json, key, shown);
        return;
    }
    logfmt_key(line, key);
    if (is_bare(shown))
        buf_append_str(&line->buf, shown);
    else
        append_quoted(&line->buf, shown);
}

static void add_i64(struct line *line, const char *key, int64_t value)
{
    if (line->format == LOG_JSON) {
        json_kv_i64(&line->json, key, value);
        return;
    }
    logfmt_key(line, key);
    buf_printf(&line->buf, "%lld", (long long)value);
}

static void add_f64(struct line *line, const char *key, double value)
{
    if (line->format == LOG_JSON) {
        json_kv_f64(&line->json, key, value);
        return;
    }
    logfmt_key(line, key);
    buf_printf(&line->buf, "%.9g", value);
}

static void add_bool(struct line *line, const char *key, bool value)
{
    if (line->format == LOG_JSON) {
        json_kv_bool(&line->json, key, value);
        return;
    }
    logfmt_key(line, key);
    buf_append_text(&line->buf, value ? "true" : "false");
}

static void add_error(struct line *line, const char *key, const struct error *err)
{
    add_str(line, key, str_from(err->message));
    if (err->detail[0])
        add_str(line, "detail", str_from(err->detail));
    if (err->hint[0])
        add_str(line, "hint", str_from(err->hint));
    if (err->file[0]) {
        char position[ERROR_TEXT_MAX + 32];
        (void)snprintf(position, sizeof position, err->line ? "%s:%u:%u" : "%s", err->file, err->line,
                       err->column);
        add_str(line, "position", str_from(position));
    }
}

static void add_field(struct line *line, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_FIELD_STR:
        add_str(line, field->key, field->str);
        break;
    case LOG_FIELD_I64:
        add_i64(line, field->key, field->i64);
        break;
    case LOG_FIELD_F64:
        add_f64(line, field->key, field->f64);
        break;
    case LOG_FIELD_BOOL:
        add_bool(line, field->key, field->boolean);
        break;
    case LOG_FIELD_ERROR:
        add_error(line, field->key, field->error);
        break;
    }
}

static void write_line(int fd, struct str bytes)
{
    while (bytes.len) {
        ssize_t wrote = write(fd, bytes.ptr, bytes.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return; /* nowhere left to say so */
        bytes.ptr += wrote;
        bytes.len -= (size_t)wrote;
    }
}

static void begin_line(struct line *line, enum log_level level, const char *event)
{
    char time[CLOCK_RFC3339_SIZE];
    buf_init(&line->buf, LINE_MAX_BYTES);
    if (flag_get(&journald))
        buf_printf(&line->buf, "<%d>", priorities[level]);
    line->format = (enum log_format)flag_get(&line_format);
    json_init(&line->json, &line->buf);
    if (line->format == LOG_JSON)
        json_object_begin(&line->json);
    add_str(line, "time", str_from(clock_format_rfc3339(clock_wall_ns(), time)));
    add_str(line, "level", str_from(level_names[level]));
    add_str(line, "event", str_from(event));
}

void log_write(enum log_level level, struct log_site *site, const char *event, const struct log_field *fields,
               size_t count)
{
    uint32_t suppressed = 0;
    int errno_before = errno;
    if (!site_allows(site, &suppressed))
        return;
    struct line line;
    begin_line(&line, level, event);
    for (size_t i = 0; i < count; i++) {
        size_t mark = line.buf.len;
        add_field(&line, &fields[i]);
        if (line.buf.failed || line.buf.len > LINE_MAX_BYTES - LINE_TAIL_BYTES) {
            line.buf.len = mark;
            line.buf.failed = false;
            add_bool(&line, "truncated", true);
            break;
        }
    }
    if (suppressed)
        add_i64(&line, "suppressed", suppressed);
    if (line.format == LOG_JSON)
        json_object_end(&line.json);
    buf_append_byte(&line.buf, '\n');
    write_line((int)flag_get(&line_fd), buf_str(&line.buf));
    buf_deinit(&line.buf);
    counter_add(&lines[level], 1);
    errno = errno_before;
}
