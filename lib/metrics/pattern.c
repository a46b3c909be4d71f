#include "lib/metrics/pattern.h"

#include "lib/core/arena.h"
#include "lib/core/limits.h"

#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#define MATCH_LIMIT    100000U
#define DEPTH_LIMIT    1000U
#define NAME_MAX_BYTES 64U

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
};

struct pattern_groups {
    pcre2_match_data *data;
    uint32_t count; /* of the last match, the whole among them */
};

int pattern_new(struct str text, struct pattern **ret_pattern, struct error *err)
{
    int code;
    PCRE2_SIZE offset;
    PCRE2_UCHAR message[128];
    if (text.len > LIMIT_REGEX_BYTES)
        return error_set(err, ERR_LIMIT, "the regular expression is too long");
    uint32_t options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)(text.len ? text.ptr : ""), text.len, options, &code, &offset, NULL);
    if (!compiled) {
        (void)pcre2_get_error_message(code, message, sizeof message);
        return error_set(err, ERR_PARSE, "regular expression \"%.*s\": %s at character %zu",
                         (int)(text.len < 100 ? text.len : 100), text.ptr, (const char *)message,
                         (size_t)offset + 1);
    }
    struct pattern *pattern = xcalloc(1, sizeof *pattern);
    pattern->code = compiled;
    pattern->limits = pcre2_match_context_create(NULL);
    if (!pattern->limits) {
        pattern_free(pattern);
        return error_set(err, ERR_LIMIT, "there is no memory for a regular expression");
    }
    (void)pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(pattern->limits, DEPTH_LIMIT);
    *ret_pattern = pattern;
    return 0;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_match_context_free(pattern->limits);
    pcre2_code_free(pattern->code);
    free(pattern);
}

static int match(const struct pattern *pattern, struct str value, pcre2_match_data *data)
{
    if (!data)
        return PCRE2_ERROR_NOMEMORY;
    return pcre2_match(pattern->code, (PCRE2_SPTR)(value.len ? value.ptr : ""), value.len, 0, 0, data,
                       pattern->limits);
}

bool pattern_matches(const struct pattern *pattern, struct str value, bool *ret_failed)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int code = match(pattern, value, data);
    pcre2_match_data_free(data);
    if (ret_failed)
        *ret_failed = code < 0 && code != PCRE2_ERROR_NOMATCH;
    return code >= 0;
}

struct pattern_groups *pattern_groups_new(const struct pattern *pattern)
{
    struct pattern_groups *groups = xcalloc(1, sizeof *groups);
    groups->data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    return groups;
}

void pattern_groups_free(struct pattern_groups *groups)
{
    if (!groups)
        return;
    pcre2_match_data_free(groups->data);
    free(groups);
}

bool pattern_find(const struct pattern *pattern, struct str value, struct pattern_groups *groups)
{
    int code = match(pattern, value, groups->data);
    groups->count = code > 0 ? (uint32_t)code : 0;
    return code > 0;
}

/* --- templates
 * ------------------------------------------------------------------------------------------------ */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The name behind a $, and how many bytes of `rest` it takes with its braces; 0: there is none. */
static size_t take_name(struct str rest, struct str *ret_name)
{
    bool braces = rest.len > 0 && rest.ptr[0] == '{';
    size_t begin = braces ? 1 : 0, end = begin;
    while (end < rest.len && is_word(rest.ptr[end]))
        end++;
    *ret_name = (struct str){rest.ptr + begin, end - begin};
    if (end == begin)
        return 0;
    if (!braces)
        return end;
    return end < rest.len && rest.ptr[end] == '}' ? end + 1 : 0;
}

/* UINT32_MAX: the pattern has none of that name. */
static uint32_t group_of(const struct pattern *pattern, struct str name)
{
    uint32_t number = 0;
    size_t digits = 0;
    char text[NAME_MAX_BYTES + 1];
    while (digits < name.len && name.ptr[digits] >= '0' && name.ptr[digits] <= '9' && number < 10000)
        number = number * 10 + (uint32_t)(name.ptr[digits++] - '0');
    if (digits == name.len)
        return number;
    if (name.len > NAME_MAX_BYTES)
        return UINT32_MAX;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    int found = pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)text);
    return found > 0 ? (uint32_t)found : UINT32_MAX;
}

static void append_group(const struct pattern_groups *groups, struct str value, uint32_t number,
                         struct buf *out)
{
    if (number >= groups->count)
        return;
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(groups->data);
    size_t begin = offsets[2 * number], end = offsets[2 * number + 1];
    if (begin != PCRE2_UNSET && begin < end && end <= value.len)
        buf_append(out, value.ptr + begin, end - begin);
}

void pattern_expand(const struct pattern *pattern, const struct pattern_groups *groups, struct str value,
                    struct str template, struct buf *out)
{
    size_t at = 0;
    while (at < template.len) {
        const char *dollar = memchr(template.ptr + at, '$', template.len - at);
        size_t plain = dollar ? (size_t)(dollar - template.ptr) - at : template.len - at;
        buf_append(out, template.ptr + at, plain);
        at += plain;
        if (!dollar)
            return;
        struct str name, rest = {template.ptr + at + 1, template.len - at - 1};
        size_t used = take_name(rest, &name);
        if (rest.len > 0 && rest.ptr[0] == '$') {
            buf_append_byte(out, '$');
            at += 2;
        } else if (used) {
            append_group(groups, value, group_of(pattern, name), out);
            at += 1 + used;
        } else {
            buf_append_byte(out, '$');
            at++;
        }
    }
}
