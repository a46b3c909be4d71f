#include "lib/metrics/label_internal.h"

#include "lib/core/error.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool name_valid(struct str name, bool colon, size_t max)
{
    if (!name.len || name.len > max)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!is_alpha(c) && !(colon && c == ':') && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

bool metric_name_valid(struct str name)
{
    return name_valid(name, true, LIMIT_METRIC_NAME_BYTES);
}

bool label_name_valid(struct str name)
{
    return name_valid(name, false, LIMIT_LABEL_NAME_BYTES);
}

static int compare_names(const struct label *a, const struct label *b)
{
    size_t shorter = a->name.len < b->name.len ? a->name.len : b->name.len;
    for (size_t i = 0; i < shorter; i++) {
        if (a->name.ptr[i] != b->name.ptr[i])
            return (unsigned char)a->name.ptr[i] < (unsigned char)b->name.ptr[i] ? -1 : 1;
    }
    return (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

void labels_sort(struct label *labels, size_t *count)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (!labels[i].value.len)
            continue;
        struct label label = labels[i];
        size_t at = kept++;
        while (at > 0 && compare_names(&label, &labels[at - 1]) < 0) {
            labels[at] = labels[at - 1];
            at--;
        }
        labels[at] = label;
    }
    *count = kept;
}

/* True when the value needs no escape. Eight bytes at a time: this runs for every label of every series. */
static bool is_plain(struct str value)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
    size_t i = 0;
    for (; i + 8 <= value.len; i += 8) {
        uint64_t word;
        memcpy(&word, value.ptr + i, sizeof word);
        uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\', feed = word ^ ones * '\n';
        uint64_t hit = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((feed - ones) & ~feed);
        if (hit & highs)
            return false;
    }
    for (; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\' || value.ptr[i] == '\n')
            return false;
    }
    return true;
}

static char *write_escaped(char *out, struct str value)
{
    if (is_plain(value)) {
        memcpy(out, value.ptr, value.len);
        return out + value.len;
    }
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == '\\' || c == '\n')
            *out++ = '\\';
        *out++ = c == '\n' ? 'n' : c;
    }
    return out;
}

void label_append_escaped(struct buf *out, struct str value)
{
    if (!value.len || !buf_reserve(out, value.len * 2))
        return;
    out->len = (size_t)(write_escaped(out->data + out->len, value) - out->data);
}

/* `__name__` inside the braces would rename the series on the reader's side; NUL ends some readers' strings.
 */
static bool label_acceptable(const struct label *label)
{
    return label_name_valid(label->name) && !str_equal(label->name, STR("__name__")) &&
           !memchr(label->value.ptr, '\0', label->value.len) && str_is_utf8(label->value);
}

int labels_render_sorted(const struct label *labels, size_t count, struct buf *out)
{
    if (count > LIMIT_LABELS_PER_SERIES)
        return ERR_LIMIT;
    size_t worst = 1;
    for (size_t i = 0; i < count; i++) {
        if (labels[i].value.len > LIMIT_LABEL_VALUE_BYTES)
            return ERR_LIMIT;
        if (!label_acceptable(&labels[i]) || (i > 0 && compare_names(&labels[i - 1], &labels[i]) >= 0))
            return ERR_PARSE;
        worst += labels[i].name.len + 2 * labels[i].value.len + 4;
    }
    if (!buf_reserve(out, worst))
        return ERR_LIMIT;
    char *start = out->data + out->len, *p = start;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *p++ = ',';
        memcpy(p, labels[i].name.ptr, labels[i].name.len);
        p += labels[i].name.len;
        *p++ = '=';
        *p++ = '"';
        p = write_escaped(p, labels[i].value);
        *p++ = '"';
    }
    if ((size_t)(p - start) > LIMIT_LABEL_TEXT_BYTES)
        return ERR_LIMIT;
    out->len = (size_t)(p - out->data);
    return 0;
}

int labels_render(struct label *labels, size_t *count, struct buf *out)
{
    /* Before sorting, which is quadratic. A few empty values more than the limit are not worth a second look.
     */
    if (*count > 4 * LIMIT_LABELS_PER_SERIES)
        return ERR_LIMIT;
    labels_sort(labels, count);
    return labels_render_sorted(labels, *count, out);
}

/* Compares a value with escaped text that starts at p; NULL when it differs, else the end. */
static const char *match_escaped(const char *p, const char *end, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == '\\' || c == '\n') {
            if (p == end || *p++ != '\\')
                return NULL;
        }
        if (p == end || *p++ != (c == '\n' ? 'n' : c))
            return NULL;
    }
    return p;
}

bool labels_match_text(const struct label *labels, size_t count, struct str text)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    for (size_t i = 0; i < count; i++) {
        struct str name = labels[i].name, value = labels[i].value;
        size_t needed = name.len + value.len + 3 + (i > 0);
        if ((size_t)(end - p) < needed)
            return false;
        if (i > 0 && *p++ != ',')
            return false;
        if (memcmp(p, name.ptr, name.len) != 0)
            return false;
        p += name.len;
        if (p[0] != '=' || p[1] != '"')
            return false;
        p += 2;
        if (is_plain(value)) {
            if (memcmp(p, value.ptr, value.len) != 0)
                return false;
            p += value.len;
        } else {
            p = match_escaped(p, end, value);
            if (!p)
                return false;
        }
        if (p == end || *p++ != '"')
            return false;
    }
    return p == end;
}
