#include "scrapers/prometheus/exposition_scan.h"

#include "scrapers/prometheus/exposition_number.h"

enum { NAME_FIRST = 1, NAME_NEXT = 2, LABEL_FIRST = 4, LABEL_NEXT = 8 };

#define LETTER (NAME_FIRST | NAME_NEXT | LABEL_FIRST | LABEL_NEXT)

static const uint8_t classes[256] = {
    ['a' ... 'z'] = LETTER,
    ['A' ... 'Z'] = LETTER,
    ['_'] = LETTER,
    ['0' ... '9'] = NAME_NEXT | LABEL_NEXT,
    [':'] = NAME_FIRST | NAME_NEXT,
};

struct scan {
    const char *p, *end;
    struct exposition_parser *parser;
    bool openmetrics;
};

bool exposition_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct scan *scan)
{
    while (scan->p < scan->end && exposition_is_blank(*scan->p))
        scan->p++;
}

/* Blanks inside the braces are legal in text 0.0.4 only. */
static void skip_inner_blanks(struct scan *scan)
{
    if (!scan->openmetrics)
        skip_blanks(scan);
}

static struct str scan_name(struct scan *scan, unsigned first, unsigned next)
{
    const char *start = scan->p;
    if (start < scan->end && (classes[(uint8_t)*start] & first)) {
        scan->p++;
        while (scan->p < scan->end && (classes[(uint8_t)*scan->p] & next))
            scan->p++;
    }
    return (struct str){start, (size_t)(scan->p - start)};
}

/* The scratch was reserved for the whole line, and unescaping never lengthens: slices into it stay put. */
static struct str unescape(struct scan *scan, struct str raw)
{
    struct buf *scratch = &scan->parser->scratch;
    size_t start = scratch->len;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '\\' && i + 1 < raw.len) {
            char next = raw.ptr[i + 1];
            if (next == '\\' || next == '"' || next == 'n') {
                c = next == 'n' ? '\n' : next;
                i++;
            }
        }
        scratch->data[scratch->len++] = c;
    }
    return (struct str){scratch->data + start, scratch->len - start};
}

/* p stands behind the opening quote; on success behind the closing one. */
static bool scan_quoted(struct scan *scan, struct str *ret_value)
{
    const char *start = scan->p;
    bool escaped = false;
    while (scan->p < scan->end && *scan->p != '"') {
        if (*scan->p == '\\') {
            escaped = true;
            if (++scan->p == scan->end)
                return false;
        }
        scan->p++;
    }
    if (scan->p >= scan->end)
        return false;
    struct str raw = {start, (size_t)(scan->p - start)};
    scan->p++;
    *ret_value = escaped ? unescape(scan, raw) : raw;
    return true;
}

/* The `underscores` scheme of Prometheus: every code point outside the old set becomes one underscore. */
static struct str map_name(struct buf *scratch, struct str name, unsigned first, unsigned next)
{
    bool legacy = name.len > 0 && (classes[(uint8_t)name.ptr[0]] & first);
    for (size_t i = 1; legacy && i < name.len; i++)
        legacy = classes[(uint8_t)name.ptr[i]] & next;
    if (legacy || !str_is_utf8(name))
        return legacy ? name : (struct str){0};
    if (name.ptr >= scratch->data && name.ptr < scratch->data + scratch->len)
        scratch->len = (size_t)(name.ptr - scratch->data); /* mapped where it was unescaped */
    size_t start = scratch->len;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = (uint8_t)name.ptr[i];
        if ((c & 0xC0) == 0x80)
            continue;
        unsigned wanted = scratch->len == start ? first : next;
        scratch->data[scratch->len++] = (classes[c] & wanted) ? (char)c : '_';
    }
    return (struct str){scratch->data + start, scratch->len - start};
}

struct str exposition_map_metric_name(struct buf *scratch, struct str name)
{
    return map_name(scratch, name, NAME_FIRST, NAME_NEXT);
}

struct str exposition_map_label_name(struct buf *scratch, struct str name)
{
    return map_name(scratch, name, LABEL_FIRST, LABEL_NEXT);
}

static const char *add_label(struct scan *scan, struct exposition_item *item, struct str name,
                             struct str value)
{
    if (item->label_count == ARRAY_LEN(scan->parser->labels))
        return "too many labels";
    if (str_equal(name, STR("__name__")))
        return "the label __name__ is reserved";
    scan->parser->labels[item->label_count++] = (struct label){name, value};
    return NULL;
}

/* A quoted name followed by = is a label, otherwise it is the metric's name. */
static const char *scan_quoted_name(struct scan *scan, struct exposition_item *item, struct str *ret_label)
{
    struct str name;
    scan->p++;
    if (!scan_quoted(scan, &name))
        return "the quoted name does not end";
    skip_inner_blanks(scan);
    if (scan->p < scan->end && *scan->p == '=') {
        *ret_label = map_name(&scan->parser->scratch, name, LABEL_FIRST, LABEL_NEXT);
        return ret_label->len > 0 ? NULL : "bad label name";
    }
    if (item->name.len > 0)
        return "a second metric name in the braces";
    item->name = map_name(&scan->parser->scratch, name, NAME_FIRST, NAME_NEXT);
    *ret_label = (struct str){0};
    return item->name.len > 0 ? NULL : "bad metric name";
}

static const char *scan_pair(struct scan *scan, struct exposition_item *item)
{
    struct str label, value;
    if (*scan->p == '"') {
        const char *reason = scan_quoted_name(scan, item, &label);
        if (reason || label.len == 0)
            return reason;
    } else {
        label = scan_name(scan, LABEL_FIRST, LABEL_NEXT);
        if (label.len == 0)
            return "bad label name";
        skip_inner_blanks(scan);
    }
    if (scan->p >= scan->end || *scan->p != '=')
        return "no = after the label name";
    scan->p++;
    skip_inner_blanks(scan);
    if (scan->p >= scan->end || *scan->p != '"')
        return "no quoted label value";
    scan->p++;
    if (!scan_quoted(scan, &value))
        return "the label value does not end";
    return add_label(scan, item, label, value);
}

/* p stands behind the opening brace; on success behind the closing one. */
static const char *scan_labels(struct scan *scan, struct exposition_item *item)
{
    bool after_comma = false;
    for (;;) {
        skip_inner_blanks(scan);
        if (scan->p >= scan->end)
            return "the labels do not end";
        if (*scan->p == '}') {
            scan->p++;
            return after_comma && scan->openmetrics ? "comma before the closing brace" : NULL;
        }
        const char *reason = scan_pair(scan, item);
        if (reason)
            return reason;
        skip_inner_blanks(scan);
        after_comma = scan->p < scan->end && *scan->p == ',';
        if (after_comma)
            scan->p++;
        else if (scan->p >= scan->end || *scan->p != '}')
            return "no comma between labels";
    }
}

static struct str scan_word(struct scan *scan)
{
    const char *start = scan->p;
    while (scan->p < scan->end && !exposition_is_blank(*scan->p))
        scan->p++;
    return (struct str){start, (size_t)(scan->p - start)};
}

static const char *finish_text(struct scan *scan, struct exposition_item *item)
{
    skip_blanks(scan);
    if (!exposition_parse_number(scan_word(scan), &item->value))
        return "bad value";
    skip_blanks(scan);
    if (scan->p == scan->end)
        return NULL;
    struct str timestamp = scan_word(scan);
    item->has_timestamp = true;
    if (!exposition_text_timestamp(timestamp, &item->timestamp_ms))
        return timestamp.ptr[0] == '#' ? "an exemplar in text format" : "bad timestamp";
    skip_blanks(scan);
    return scan->p == scan->end ? NULL : "something after the timestamp";
}

/* p stands behind " # ". {labels} value [timestamp]; checked, not kept. */
static const char *scan_exemplar(struct scan *scan)
{
    struct exposition_item exemplar = {0};
    struct value value;
    int64_t ms;
    if (scan->p >= scan->end || *scan->p++ != '{')
        return "bad exemplar";
    struct label kept[LIMIT_LABELS_PER_SERIES];
    memcpy(kept, scan->parser->labels, sizeof kept);
    const char *reason = scan_labels(scan, &exemplar);
    memcpy(scan->parser->labels, kept, sizeof kept);
    if (reason || exemplar.name.len > 0)
        return "bad exemplar labels";
    if (scan->p >= scan->end || *scan->p++ != ' ' || !exposition_parse_number(scan_word(scan), &value))
        return "bad exemplar value";
    if (scan->p == scan->end)
        return NULL;
    scan->p++;
    if (!exposition_openmetrics_timestamp(scan_word(scan), &ms))
        return "bad exemplar timestamp";
    return scan->p == scan->end ? NULL : "something after the exemplar";
}

static bool at_exemplar(const struct scan *scan)
{
    return scan->end - scan->p >= 3 && memcmp(scan->p, " # ", 3) == 0;
}

/* Exactly one space between tokens, and no tabs: a second blank is an empty word, which is no number. */
static const char *finish_openmetrics(struct scan *scan, struct exposition_item *item)
{
    if (scan->p >= scan->end || *scan->p++ != ' ' || !exposition_parse_number(scan_word(scan), &item->value))
        return "bad value";
    if (scan->p < scan->end && !at_exemplar(scan)) {
        item->has_timestamp = true;
        if (*scan->p++ != ' ' || !exposition_openmetrics_timestamp(scan_word(scan), &item->timestamp_ms))
            return "bad timestamp";
    }
    if (scan->p == scan->end)
        return NULL;
    if (!at_exemplar(scan))
        return "something after the value";
    scan->p += 3;
    return scan_exemplar(scan);
}

const char *exposition_scan_sample(struct exposition_parser *parser, struct str line,
                                   struct exposition_item *item)
{
    struct scan scan = {line.ptr, line.ptr + line.len, parser, parser->format == EXPOSITION_OPENMETRICS};
    item->labels = parser->labels;
    item->name = scan_name(&scan, NAME_FIRST, NAME_NEXT);
    const char *after_name = scan.p;
    skip_inner_blanks(&scan);
    if (scan.p < scan.end && *scan.p == '{') {
        scan.p++;
        const char *reason = scan_labels(&scan, item);
        if (reason)
            return reason;
        after_name = scan.p;
    } else if (item->name.len > 0 && scan.p == after_name && scan.p < scan.end && !scan.openmetrics) {
        return "bad metric name";
    }
    if (item->name.len == 0)
        return "no metric name";
    item->raw = (struct str){line.ptr, (size_t)(after_name - line.ptr)};
    return scan.openmetrics ? finish_openmetrics(&scan, item) : finish_text(&scan, item);
}

bool exposition_scan_family_name(struct exposition_parser *parser, struct str *rest, struct str *ret_name)
{
    struct scan scan = {rest->ptr, rest->ptr + rest->len, parser, false};
    if (rest->len > 0 && rest->ptr[0] == '"') {
        scan.p++;
        if (!scan_quoted(&scan, ret_name))
            return false;
        *ret_name = map_name(&parser->scratch, *ret_name, NAME_FIRST, NAME_NEXT);
    } else {
        *ret_name = scan_name(&scan, NAME_FIRST, NAME_NEXT);
    }
    if (ret_name->len == 0 || (scan.p < scan.end && !exposition_is_blank(*scan.p)))
        return false;
    *rest = (struct str){scan.p, (size_t)(scan.end - scan.p)};
    return true;
}
