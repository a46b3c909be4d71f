#include "lib/core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static PRINTF_LIKE(3, 0) void format_into(char *text, size_t size, const char *format, va_list args)
{
    if (vsnprintf(text, size, format, args) < 0)
        text[0] = '\0';
}

const char *error_errno_text(int errno_value, char *text, size_t size)
{
    return strerror_r(errno_value, text, size);
}

int error_set(struct error *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    va_list args;
    va_start(args, format);
    error_clear(err);
    err->code = code;
    format_into(err->message, sizeof err->message, format, args);
    va_end(args);
    return code;
}

int error_set_errno(struct error *err, int errno_value, const char *format, ...)
{
    if (!err)
        return -errno_value;
    va_list args;
    va_start(args, format);
    error_clear(err);
    err->code = -errno_value;
    format_into(err->message, sizeof err->message, format, args);
    va_end(args);
    size_t used = strlen(err->message);
    char text[128];
    (void)snprintf(err->message + used, sizeof err->message - used, ": %s",
                   error_errno_text(errno_value, text, sizeof text));
    return -errno_value;
}

int error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return ERR_PEER;
    char inner[ERROR_MESSAGE_MAX];
    memcpy(inner, err->message, sizeof inner);
    va_list args;
    va_start(args, format);
    format_into(err->message, sizeof err->message, format, args);
    va_end(args);
    size_t used = strlen(err->message);
    (void)snprintf(err->message + used, sizeof err->message - used, ": %s", inner);
    return err->code;
}

void error_set_detail(struct error *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    format_into(err->detail, sizeof err->detail, format, args);
    va_end(args);
}

void error_set_hint(struct error *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    format_into(err->hint, sizeof err->hint, format, args);
    va_end(args);
}

void error_set_position(struct error *err, const char *file, unsigned line, unsigned column)
{
    if (!err)
        return;
    (void)snprintf(err->file, sizeof err->file, "%s", file ? file : "");
    err->line = line;
    err->column = column;
}

void error_clear(struct error *err)
{
    if (!err)
        return;
    err->code = 0;
    err->line = err->column = 0;
    err->file[0] = err->message[0] = err->detail[0] = err->hint[0] = '\0';
}

void error_format(const struct error *err, char *text, size_t size)
{
    char position[ERROR_TEXT_MAX + 32] = "";
    if (err->file[0] && err->line)
        (void)snprintf(position, sizeof position, "%s:%u:%u: ", err->file, err->line, err->column);
    else if (err->file[0])
        (void)snprintf(position, sizeof position, "%s: ", err->file);
    bool detail = err->detail[0] != '\0';
    bool hint = err->hint[0] != '\0';
    (void)snprintf(text, size, "%s%s%s%s%s%s%s", position, err->message, detail ? " (" : "", err->detail,
                   detail ? ")" : "", hint ? ". Hint: " : "", err->hint);
}
