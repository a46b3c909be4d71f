#include "provisioner/output.h"

#include "lib/core/atomic.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "provisioner/terminal.h"
#include "version.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_RECORD_BYTES (64UL * 1024 * 1024)

/* The errno with which standard output took something not; 0: it took all. There is one in a process. */
static struct flag lost;

void output_init(struct output *out, bool json, bool no_color)
{
    *out = (struct output){.json = json, .width = 80, .started_mono_ns = clock_mono_ns()};
    flag_set(&lost, 0);
    out->tty = isatty(STDOUT_FILENO) == 1;
    const char *terminal = env_get("TERM");
    out->color = out->tty && !json && !no_color && !env_get("NO_COLOR") &&
                 !(terminal && strcmp(terminal, "dumb") == 0);
    struct winsize size;
    if (out->tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        out->width = size.ws_col;
}

/* Whole, whatever a signal interrupts. A reader that went away is not our failure. */
static void write_all(int fd, struct str text)
{
    while (text.len) {
        ssize_t written = write(fd, text.ptr, text.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            if (fd == STDOUT_FILENO && errno != EPIPE)
                flag_set(&lost, errno);
            return;
        }
        text.ptr += written;
        text.len -= (size_t)written;
    }
}

void output_raw(const struct output *out, struct str text)
{
    (void)out;
    write_all(STDOUT_FILENO, text);
}

static void write_shown(int fd, struct str text)
{
    struct buf shown = BUF_INIT(MAX_RECORD_BYTES);
    terminal_append(&shown, text);
    write_all(fd, buf_str(&shown));
    buf_deinit(&shown);
}

void output_text(const struct output *out, struct str text)
{
    (void)out;
    write_shown(STDOUT_FILENO, text);
}

static void print_to(int fd, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
static void print_to(int fd, const char *format, va_list arguments)
{
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    if (length < 0)
        return;
    write_shown(fd, (struct str){text, (size_t)length});
    free(text);
}

void output_printf(const struct output *out, const char *format, ...)
{
    (void)out;
    va_list arguments;
    va_start(arguments, format);
    print_to(STDOUT_FILENO, format, arguments);
    va_end(arguments);
}

static void complain(const char *format, ...) PRINTF_LIKE(1, 2);
static void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_to(STDERR_FILENO, format, arguments);
    va_end(arguments);
}

void output_json(const struct output *out, struct str record)
{
    if (!out->json)
        return;
    struct buf line = BUF_INIT(MAX_RECORD_BYTES);
    buf_append_str(&line, record);
    buf_append_byte(&line, '\n');
    write_all(STDOUT_FILENO, buf_str(&line));
    buf_deinit(&line);
}

const char *output_style(const struct output *out, enum output_style style)
{
    return out->color ? terminal_styles[style] : "";
}

void output_begin(struct output *out)
{
    struct buf record = BUF_INIT(MAX_RECORD_BYTES);
    struct json_writer json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "version");
    json_kv_i64(&json, "format", 1);
    json_kv_text(&json, "program", "fraiseql " FRAISEQL_VERSION);
    json_object_end(&json);
    output_json(out, buf_str(&record));
    buf_deinit(&record);
}

static void diagnostic_record(const struct output *out, const struct finding *finding, const char *severity)
{
    struct buf record = BUF_INIT(MAX_RECORD_BYTES);
    struct json_writer json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "diagnostic");
    json_kv_text(&json, "severity", severity);
    json_kv_text(&json, "rule", finding->rule);
    json_kv_text(&json, "file", finding->file);
    json_key(&json, "line");
    if (finding->line)
        json_u64(&json, finding->line);
    else
        json_null(&json);
    json_key(&json, "column");
    if (finding->column)
        json_u64(&json, finding->column);
    else
        json_null(&json);
    json_kv_text(&json, "message", finding->message);
    json_kv_text(&json, "hint", finding->hint);
    json_object_end(&json);
    output_json(out, buf_str(&record));
    buf_deinit(&record);
}

static void diagnostic_line(const struct finding *finding, const char *severity)
{
    if (finding->file && finding->line)
        complain("%s:%u:%u: %s: %s", finding->file, finding->line, finding->column, severity,
                 finding->message);
    else if (finding->file)
        complain("%s: %s: %s", finding->file, severity, finding->message);
    else
        complain("fraiseql: %s: %s", severity, finding->message);
    complain("%s%s\n", finding->hint ? "\n  " : "", finding->hint ? finding->hint : "");
}

void output_findings(const struct output *out, struct findings *findings, bool lenient)
{
    findings_sort(findings);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        bool is_error = finding->severity == DIAG_ERROR && !(finding->contradiction && lenient);
        if (out->json)
            diagnostic_record(out, finding, is_error ? "error" : "warning");
        else
            diagnostic_line(finding, is_error ? "error" : "warning");
    }
}

void output_usage(const struct output *out, const char *message, const char *hint)
{
    struct finding finding = {.severity = DIAG_ERROR, .rule = "usage", .message = message, .hint = hint};
    diagnostic_record(out, &finding, "error");
}

void output_error(const struct output *out, const struct error *err)
{
    char message[ERROR_MESSAGE_MAX + ERROR_TEXT_MAX + 4];
    (void)snprintf(message, sizeof message, err->detail[0] ? "%s (%s)" : "%s", err->message, err->detail);
    struct finding finding = {.severity = DIAG_ERROR,
                              .rule = "failure",
                              .file = err->file[0] ? err->file : NULL,
                              .line = err->line,
                              .column = err->column,
                              .message = message,
                              .hint = err->hint[0] ? err->hint : NULL};
    if (out->json)
        diagnostic_record(out, &finding, "error");
    else
        diagnostic_line(&finding, "error");
}

int output_end(const struct output *out, int status)
{
    int failure = (int)flag_get(&lost);
    if (failure && (status == 0 || status == 2)) {
        char text[128];
        complain("fraiseql: error: cannot write to standard output: %s\n",
                 error_errno_text(failure, text, sizeof text));
        status = 1;
    }
    struct buf record = BUF_INIT(MAX_RECORD_BYTES);
    struct json_writer json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "result");
    json_kv_bool(&json, "ok", status == 0 || status == 2);
    json_kv_i64(&json, "exit", status);
    json_kv_f64(&json, "elapsed_s", (double)((clock_mono_ns() - out->started_mono_ns) / NS_PER_MS) / 1000.0);
    json_object_end(&json);
    output_json(out, buf_str(&record));
    buf_deinit(&record);
    return status;
}

const char *output_elapsed(int64_t ns, char text[OUTPUT_ELAPSED_MAX])
{
    int64_t seconds = ns / NS_PER_S;
    if (seconds < 60)
        (void)snprintf(text, OUTPUT_ELAPSED_MAX, "%lld.%llds", (long long)seconds,
                       (long long)(ns % NS_PER_S / (100 * NS_PER_MS)));
    else if (seconds < 3600)
        (void)snprintf(text, OUTPUT_ELAPSED_MAX, "%lldm%02llds", (long long)(seconds / 60),
                       (long long)(seconds % 60));
    else
        (void)snprintf(text, OUTPUT_ELAPSED_MAX, "%lldh%02lldm", (long long)(seconds / 3600),
                       (long long)(seconds / 60 % 60));
    return text;
}
