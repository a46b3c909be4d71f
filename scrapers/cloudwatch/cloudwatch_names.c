#include "scrapers/cloudwatch/cloudwatch_names.h"

static bool is_replaced(char c)
{
    return c != '\0' && strchr(" ,\t/\\.-:=@<>()", c) != NULL;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Lower case, with an underscore before a capital that follows a small letter or a digit. */
static void append_snake(struct buf *out, struct str text)
{
    char former = '\0';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (is_replaced(c))
            buf_append_byte(out, '_');
        else if (c == '%')
            buf_append_text(out, "_percent");
        else {
            if (is_upper(c) && ((former >= 'a' && former <= 'z') || (former >= '0' && former <= '9')))
                buf_append_byte(out, '_');
            buf_append_byte(out, is_upper(c) ? (char)(c - 'A' + 'a') : c);
        }
        former = c;
    }
}

static void append_lower(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%')
            buf_append_text(out, "_percent");
        else
            buf_append_byte(out, is_replaced(c) ? '_' : is_upper(c) ? (char)(c - 'A' + 'a') : c);
    }
}

/* Bytes at the start of the metric's name that repeat the namespace's parts, one after the other. */
static size_t repeated(struct str space, struct str metric)
{
    size_t skip = 0;
    while (space.len) {
        const char *end = memchr(space.ptr, '_', space.len);
        struct str part = {space.ptr, end ? (size_t)(end - space.ptr) : space.len};
        if (str_starts((struct str){metric.ptr + skip, metric.len - skip}, part))
            skip += part.len;
        space.ptr += part.len + (end ? 1 : 0);
        space.len -= part.len + (end ? 1 : 0);
    }
    return skip;
}

void cloudwatch_name(struct buf *out, const char *namespace_name, struct str metric, const char *statistic)
{
    struct buf space = BUF_INIT(1024), name = BUF_INIT(2048);
    append_lower(&space, str_from(namespace_name[0] == '/' ? namespace_name + 1 : namespace_name));
    append_snake(&name, metric);
    size_t skip = repeated(buf_str(&space), buf_str(&name));
    if (skip < name.len && name.data[skip] == '_')
        skip++;
    if (!str_starts(buf_str(&space), STR("aws")))
        buf_append_text(out, "aws_");
    buf_append_str(out, buf_str(&space));
    buf_append_byte(out, '_');
    if (name.len > skip)
        buf_append(out, name.data + skip, name.len - skip);
    if (statistic) {
        buf_append_byte(out, '_');
        append_snake(out, str_from(statistic));
    }
    buf_deinit(&space);
    buf_deinit(&name);
}

void cloudwatch_label(struct buf *out, const char *prefix, struct str name)
{
    buf_append_text(out, prefix);
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '%')
            buf_append_text(out, "_percent");
        else
            buf_append_byte(out, is_replaced(name.ptr[i]) ? '_' : name.ptr[i]);
    }
}

bool cloudwatch_matches(const char *pattern, struct str text)
{
    size_t at = 0, star_at = 0;
    const char *star = NULL;
    while (at < text.len) {
        if (*pattern == '*') {
            star = ++pattern;
            star_at = at;
        } else if (*pattern == text.ptr[at]) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star;
            at = ++star_at;
        } else
            return false;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
