#include "lib/core/json_pull.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool fail(struct json_pull *pull)
{
    pull->failed = true;
    pull->at = pull->end;
    return false;
}

char json_pull_peek(struct json_pull *pull)
{
    while (pull->at < pull->end && is_space(*pull->at))
        pull->at++;
    return pull->at < pull->end ? *pull->at : '\0';
}

static bool take(struct json_pull *pull, char wanted)
{
    if (json_pull_peek(pull) != wanted || pull->at == pull->end)
        return false;
    pull->at++;
    return true;
}

/* A value of another kind is skipped. */
static bool other_kind(struct json_pull *pull)
{
    json_pull_skip(pull);
    return false;
}

static bool enter(struct json_pull *pull, char bracket)
{
    if (!take(pull, bracket))
        return other_kind(pull);
    if (++pull->depth > JSON_PULL_DEPTH)
        return fail(pull);
    pull->fresh = true;
    return true;
}

bool json_pull_object(struct json_pull *pull)
{
    return enter(pull, '{');
}

bool json_pull_array(struct json_pull *pull)
{
    return enter(pull, '[');
}

/* True when another entry follows; false behind the closing bracket, or for damage. */
static bool next_entry(struct json_pull *pull, char closing)
{
    if (pull->failed)
        return false;
    if (take(pull, closing)) {
        pull->depth--;
        pull->fresh = false;
        return false;
    }
    if (!pull->fresh && !take(pull, ','))
        return fail(pull);
    pull->fresh = false;
    return true;
}

/* at stands behind the opening quote; on success behind the closing one. */
static bool scan_string(struct json_pull *pull, struct str *ret_raw, bool *ret_escaped)
{
    const char *p = pull->at;
    *ret_escaped = false;
    for (; p < pull->end && *p != '"'; p++) {
        if ((unsigned char)*p < 0x20)
            return fail(pull);
        if (*p == '\\') {
            *ret_escaped = true;
            if (++p == pull->end)
                break;
        }
    }
    if (p >= pull->end)
        return fail(pull);
    *ret_raw = (struct str){pull->at, (size_t)(p - pull->at)};
    pull->at = p + 1;
    return true;
}

bool json_pull_member(struct json_pull *pull, struct str *ret_key)
{
    bool escaped;
    if (!next_entry(pull, '}'))
        return false;
    if (!take(pull, '"') || !scan_string(pull, ret_key, &escaped) || !take(pull, ':'))
        return fail(pull);
    return true;
}

bool json_pull_element(struct json_pull *pull)
{
    return next_entry(pull, ']') && (json_pull_peek(pull) != '\0' || fail(pull));
}

static bool hex4(const char *p, const char *end, uint32_t *ret_unit)
{
    uint32_t unit = 0;
    if (end - p < 4)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit > 15)
            return false;
        unit = unit << 4 | digit;
    }
    *ret_unit = unit;
    return true;
}

static char *put_utf8(char *out, uint32_t point)
{
    if (point < 0x80) {
        *out++ = (char)point;
    } else if (point < 0x800) {
        *out++ = (char)(0xC0 | point >> 6);
        *out++ = (char)(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        *out++ = (char)(0xE0 | point >> 12);
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    } else {
        *out++ = (char)(0xF0 | point >> 18);
        *out++ = (char)(0x80 | (point >> 12 & 0x3F));
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    }
    return out;
}

/* *p stands behind "\u"; a lone surrogate is damage. Six bytes of source give at most three, twelve four. */
static bool unescape_point(const char **p, const char *end, char **out)
{
    uint32_t point, low;
    if (!hex4(*p, end, &point))
        return false;
    *p += 4;
    if (point >= 0xD800 && point < 0xE000) {
        if (point >= 0xDC00 || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u' ||
            !hex4(*p + 2, end, &low) || low < 0xDC00 || low >= 0xE000)
            return false;
        *p += 6;
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    *out = put_utf8(*out, point);
    return true;
}

static bool unescape(struct str raw, struct arena *arena, struct str *ret_text)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    char *start = arena_alloc(arena, raw.len + 1), *out = start;
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    if (!start)
        return false;
    while (p < end) {
        if (*p != '\\') {
            *out++ = *p++;
            continue;
        }
        char letter = p[1];
        const char *known = letter ? strchr(from, letter) : NULL;
        p += 2;
        if (known)
            *out++ = into[known - from];
        else if (letter != 'u' || !unescape_point(&p, end, &out))
            return false;
    }
    *ret_text = (struct str){start, (size_t)(out - start)};
    return true;
}

bool json_pull_text(struct json_pull *pull, struct arena *arena, struct str *ret_text)
{
    bool escaped;
    *ret_text = (struct str){0};
    if (!take(pull, '"'))
        return other_kind(pull);
    if (!scan_string(pull, ret_text, &escaped))
        return false;
    return !escaped || unescape(*ret_text, arena, ret_text) || fail(pull);
}

/* The bytes of a number or a literal. */
static struct str scan_word(struct json_pull *pull)
{
    const char *start = pull->at;
    while (pull->at < pull->end && !is_space(*pull->at) && !strchr(",]}:\"[{", *pull->at))
        pull->at++;
    return (struct str){start, (size_t)(pull->at - start)};
}

static bool is_number_start(char c)
{
    return c == '-' || (c >= '0' && c <= '9');
}

bool json_pull_i64(struct json_pull *pull, int64_t *ret_number)
{
    if (!is_number_start(json_pull_peek(pull)))
        return other_kind(pull);
    return str_to_i64(scan_word(pull), ret_number);
}

bool json_pull_f64(struct json_pull *pull, double *ret_number)
{
    if (!is_number_start(json_pull_peek(pull)))
        return other_kind(pull);
    return str_to_double(scan_word(pull), ret_number) || fail(pull);
}

bool json_pull_bool(struct json_pull *pull, bool *ret_value)
{
    char first = json_pull_peek(pull);
    if (first != 't' && first != 'f')
        return other_kind(pull);
    struct str word = scan_word(pull);
    *ret_value = first == 't';
    return str_equal_text(word, first == 't' ? "true" : "false") || fail(pull);
}

static bool skip_scalar(struct json_pull *pull)
{
    struct str raw;
    bool escaped;
    char first = json_pull_peek(pull);
    if (take(pull, '"'))
        return scan_string(pull, &raw, &escaped);
    struct str word = scan_word(pull);
    if (is_number_start(first) || str_equal_text(word, "true") || str_equal_text(word, "false") ||
        str_equal_text(word, "null"))
        return true;
    return fail(pull);
}

/* Without recursion: one bit a level says which bracket closes it. */
void json_pull_skip(struct json_pull *pull)
{
    uint64_t objects = 0;
    unsigned depth = 0;
    do {
        char c = json_pull_peek(pull);
        if (c == '{' || c == '[') {
            if (pull->depth + ++depth > JSON_PULL_DEPTH) {
                (void)fail(pull);
                return;
            }
            objects = objects << 1 | (c == '{');
            pull->at++;
        } else if (c == '}' || c == ']') {
            if (depth == 0 || (objects & 1) != (c == '}')) {
                (void)fail(pull);
                return;
            }
            objects >>= 1;
            depth--;
            pull->at++;
        } else if (depth > 0 && (c == ',' || c == ':')) {
            pull->at++;
        } else if (!skip_scalar(pull)) {
            return;
        }
    } while (depth > 0);
    pull->fresh = false;
}

struct str json_pull_raw(struct json_pull *pull)
{
    (void)json_pull_peek(pull);
    const char *start = pull->at;
    json_pull_skip(pull);
    return pull->failed ? (struct str){0} : (struct str){start, (size_t)(pull->at - start)};
}

bool json_pull_finish(struct json_pull *pull)
{
    return json_pull_peek(pull) == '\0' && pull->at == pull->end && !pull->failed;
}
