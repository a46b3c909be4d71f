#include "lib/core/buf.h"
#include "lib/core/yaml.h"

#include <strings.h>

/* Words that YAML 1.1 readers take for null or a boolean. */
static const char *const reserved[] = {"null", "~", "true", "false", "yes", "no", "on", "off", "y", "n"};

static bool is_reserved(struct str text)
{
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (text.len == strlen(reserved[i]) && strncasecmp(text.ptr, reserved[i], text.len) == 0)
            return true;
    }
    return false;
}

static bool is_plain_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-./@+=$^~()*<>;:", c));
}

/* Narrower than YAML allows: a letter or a slash first, and bytes that mean nothing anywhere. Numbers, dates
 * and the like are quoted, as they start with a digit, a sign or a point. */
static bool is_plain(struct str text)
{
    if (!text.len || text.len > 200 || is_reserved(text))
        return false;
    char first = text.ptr[0];
    if (!((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '/' || first == '_'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool inner_blank = text.ptr[i] == ' ' && i + 1 < text.len && text.ptr[i - 1] != ':';
        if (!is_plain_byte(text.ptr[i]) && !inner_blank)
            return false;
    }
    return text.ptr[text.len - 1] != ':';
}

/* Code point of a well-formed sequence. */
static uint32_t code_point(const char *sequence, size_t length)
{
    const unsigned char *p = (const unsigned char *)sequence;
    if (length == 1)
        return p[0];
    uint32_t point = p[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++)
        point = point << 6 | (p[i] & 0x3FU);
    return point;
}

/* What YAML does not take as it is: controls, its own line breaks, the byte order mark, the two
 * non-characters. */
static bool must_escape(uint32_t point)
{
    return point < ' ' || (point >= 0x7F && point <= 0xA0) || point == 0x2028 || point == 0x2029 ||
           point == 0xFEFF || point == 0xFFFE || point == 0xFFFF;
}

static void write_escaped(struct buf *buf, uint32_t point)
{
    if (point == '\n')
        buf_append_text(buf, "\\n");
    else if (point == '\t')
        buf_append_text(buf, "\\t");
    else
        buf_printf(buf, point > 0xFF ? "\\u%04X" : "\\x%02X", (unsigned)point);
}

static void write_quoted(struct buf *buf, struct str text)
{
    buf_append_byte(buf, '"');
    while (text.len) {
        size_t length = str_utf8_length(text);
        uint32_t point = length ? code_point(text.ptr, length) : 0xFFFD;
        if (!length)
            buf_append_text(buf, "\xEF\xBF\xBD");
        else if (must_escape(point))
            write_escaped(buf, point);
        else if (point == '"' || point == '\\')
            buf_printf(buf, "\\%c", (int)point);
        else
            buf_append(buf, text.ptr, length);
        text.ptr += length ? length : 1;
        text.len -= length ? length : 1;
    }
    buf_append_byte(buf, '"');
}

void yaml_write_scalar(struct buf *buf, struct str text)
{
    if (is_plain(text))
        buf_append_str(buf, text);
    else
        write_quoted(buf, text);
}

static void write_indent(struct buf *buf, unsigned indent)
{
    buf_printf(buf, "%*s", (int)indent, "");
}

/* The value after "key:" or "-": on the same line when it is a scalar or empty. */
static void write_value(struct buf *buf, const struct node *node, unsigned indent)
{
    if (node->kind == NODE_SCALAR || !node->count) {
        buf_append_byte(buf, ' ');
        yaml_write_node(buf, node, 0);
        return;
    }
    buf_append_byte(buf, '\n');
    yaml_write_node(buf, node, indent + 2);
}

void yaml_write_node(struct buf *buf, const struct node *node, unsigned indent)
{
    if (node->kind == NODE_SCALAR || !node->count) {
        write_indent(buf, indent);
        if (node->kind != NODE_SCALAR)
            buf_append_text(buf, node->kind == NODE_MAPPING ? "{}" : "[]");
        else if (node_is_null(node))
            buf_append_text(buf, "null");
        else
            yaml_write_scalar(buf, node->scalar);
        buf_append_byte(buf, '\n');
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        write_indent(buf, indent);
        if (node->kind == NODE_SEQUENCE) {
            buf_append_byte(buf, '-');
            write_value(buf, node->items[i], indent);
            continue;
        }
        yaml_write_scalar(buf, node->pairs[i].key);
        buf_append_byte(buf, ':');
        write_value(buf, node->pairs[i].value, indent);
    }
}
