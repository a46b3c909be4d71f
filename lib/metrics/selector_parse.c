/* The grammar of a PromQL instant vector selector, without offset and @. */
#include "lib/metrics/selector_internal.h"

#include "lib/core/buf.h"
#include "lib/core/limits.h"
#include "lib/metrics/label.h"

#include <stdlib.h>

/* Matching steps before a pattern is given up on: far beyond honest label patterns, far below a second. */

struct parser {
    const char *text, *p;
    struct selector *selector;
    struct error *err;
    size_t matchers;
};

static int fail(struct parser *parser, const char *what)
{
    return error_set(parser->err, ERR_PARSE, "selector \"%.200s\": %s at character %zu", parser->text, what,
                     (size_t)(parser->p - parser->text) + 1);
}

static void skip_blanks(struct parser *parser)
{
    while (*parser->p == ' ' || *parser->p == '\t' || *parser->p == '\n' || *parser->p == '\r')
        parser->p++;
}

static struct str take_name(struct parser *parser)
{
    const char *start = parser->p;
    while ((*parser->p >= 'a' && *parser->p <= 'z') || (*parser->p >= 'A' && *parser->p <= 'Z') ||
           (*parser->p >= '0' && *parser->p <= '9') || *parser->p == '_' || *parser->p == ':')
        parser->p++;
    return (struct str){start, (size_t)(parser->p - start)};
}

static bool take_hex(struct parser *parser, unsigned digits, uint32_t *ret_number)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < digits; i++) {
        char c = parser->p[0];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        else
            return false;
        number = number << 4 | digit;
        parser->p++;
    }
    *ret_number = number;
    return true;
}

static bool append_rune(struct buf *out, uint32_t rune)
{
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
        return false;
    if (rune < 0x80) {
        buf_append_byte(out, (char)rune);
    } else if (rune < 0x800) {
        buf_append_byte(out, (char)(0xC0 | rune >> 6));
        buf_append_byte(out, (char)(0x80 | (rune & 0x3F)));
    } else {
        if (rune < 0x10000) {
            buf_append_byte(out, (char)(0xE0 | rune >> 12));
        } else {
            buf_append_byte(out, (char)(0xF0 | rune >> 18));
            buf_append_byte(out, (char)(0x80 | (rune >> 12 & 0x3F)));
        }
        buf_append_byte(out, (char)(0x80 | (rune >> 6 & 0x3F)));
        buf_append_byte(out, (char)(0x80 | (rune & 0x3F)));
    }
    return true;
}

/* After a backslash, as Go's strings have them. */
static bool take_escape(struct parser *parser, char quote, struct buf *out)
{
    static const char names[] = "abfnrtv\\";
    static const char bytes[] = "\a\b\f\n\r\t\v\\";
    char c = *parser->p;
    const char *known = c ? strchr(names, c) : NULL;
    uint32_t number;
    if (!c)
        return false;
    parser->p++;
    if (known || c == quote) {
        buf_append_byte(out, known ? bytes[known - names] : quote);
        return true;
    }
    if (c == 'x' && take_hex(parser, 2, &number)) {
        buf_append_byte(out, (char)number);
        return true;
    }
    return (c == 'u' || c == 'U') && take_hex(parser, c == 'u' ? 4 : 8, &number) && append_rune(out, number);
}

static int take_string(struct parser *parser, struct str *ret_value)
{
    char quote = *parser->p;
    if (quote != '"' && quote != '\'' && quote != '`')
        return fail(parser, "expected a quoted value");
    struct buf value = BUF_INIT(LIMIT_SELECTOR_BYTES);
    parser->p++;
    while (*parser->p && *parser->p != quote) {
        if (*parser->p == '\\' && quote != '`') {
            parser->p++;
            if (!take_escape(parser, quote, &value)) {
                buf_deinit(&value);
                return fail(parser, "unknown escape");
            }
        } else if (*parser->p == '\n' && quote != '`') {
            break;
        } else {
            buf_append_byte(&value, *parser->p++);
        }
    }
    struct str bytes = buf_str(&value);
    bool closed = *parser->p == quote,
         utf8 = str_is_utf8(bytes) && !memchr(bytes.len ? bytes.ptr : "x", 0, bytes.len);
    *ret_value = (struct str){arena_strdup(parser->selector->arena, bytes), bytes.len};
    buf_deinit(&value);
    if (!closed)
        return fail(parser, "the value's quote is not closed");
    if (!utf8)
        return fail(parser, "the value is not UTF-8 text");
    parser->p++;
    return 0;
}

static int take_op(struct parser *parser, enum matcher_op *ret_op)
{
    const char *p = parser->p;
    if (p[0] == '=' && p[1] == '~')
        *ret_op = MATCH_REGEX;
    else if (p[0] == '!' && p[1] == '~')
        *ret_op = MATCH_NOT_REGEX;
    else if (p[0] == '!' && p[1] == '=')
        *ret_op = MATCH_NOT_EQUAL;
    else if (p[0] == '=')
        *ret_op = MATCH_EQUAL;
    else
        return fail(parser, "expected =, !=, =~ or !~");
    parser->p += *ret_op == MATCH_EQUAL ? 1 : 2;
    return 0;
}

static int add_matcher(struct parser *parser, struct str name, enum matcher_op op, struct str value)
{
    struct selector *selector = parser->selector;
    bool on_name = str_equal(name, STR("__name__"));
    for (const struct matcher *other = selector->names; on_name && op == MATCH_EQUAL && other;
         other = other->next) {
        if (other->op == MATCH_EQUAL)
            return fail(parser, "the metric name is given twice");
    }
    if (++parser->matchers > LIMIT_LABELS_PER_SERIES)
        return fail(parser, "too many matchers");
    struct matcher *matcher = arena_zalloc(selector->arena, sizeof *matcher);
    *matcher =
        (struct matcher){.name = {arena_strdup(selector->arena, name), name.len}, .value = value, .op = op};
    struct buf escaped = BUF_INIT(2 * LIMIT_SELECTOR_BYTES);
    label_append_escaped(&escaped, value);
    matcher->escaped = (struct str){arena_strdup(selector->arena, buf_str(&escaped)), escaped.len};
    buf_deinit(&escaped);
    struct matcher **end = on_name ? &selector->names : &selector->labels;
    while (*end)
        end = &(*end)->next;
    *end = matcher;
    if (op != MATCH_REGEX && op != MATCH_NOT_REGEX)
        return 0;
    int rc = pattern_new(value, &matcher->regex, parser->err);
    return rc ? error_prefix(parser->err, "selector \"%.200s\"", parser->text) : 0;
}

static int take_matchers(struct parser *parser)
{
    for (skip_blanks(parser); *parser->p != '}'; skip_blanks(parser)) {
        enum matcher_op op = MATCH_EQUAL;
        struct str value = {0};
        struct str name = take_name(parser);
        if (!label_name_valid(name))
            return fail(parser, "expected a label name or }");
        skip_blanks(parser);
        int rc = take_op(parser, &op);
        if (rc)
            return rc;
        skip_blanks(parser);
        rc = take_string(parser, &value);
        if (rc == 0)
            rc = add_matcher(parser, name, op, value);
        if (rc)
            return rc;
        skip_blanks(parser);
        if (*parser->p == ',')
            parser->p++;
        else if (*parser->p != '}')
            return fail(parser, "expected , or }");
    }
    parser->p++;
    return 0;
}

/* Some matcher must refuse the empty string, or the selector would mean every series there is. */
static bool means_everything(const struct selector *selector)
{
    const struct matcher *lists[] = {selector->names, selector->labels};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (const struct matcher *matcher = lists[i]; matcher; matcher = matcher->next) {
            if (!matcher_accepts(matcher, STR("")))
                return false;
        }
    }
    return true;
}

static int parse(struct parser *parser)
{
    skip_blanks(parser);
    struct str name = take_name(parser);
    int rc = 0;
    if (name.len && !metric_name_valid(name))
        return fail(parser, "the metric name is not valid");
    if (name.len)
        rc = add_matcher(parser, STR("__name__"), MATCH_EQUAL,
                         (struct str){arena_strdup(parser->selector->arena, name), name.len});
    if (rc)
        return rc;
    skip_blanks(parser);
    if (*parser->p == '{') {
        parser->p++;
        rc = take_matchers(parser);
        if (rc)
            return rc;
        skip_blanks(parser);
    } else if (!name.len) {
        return fail(parser, "expected a metric name or {");
    }
    if (*parser->p)
        return fail(parser, "expected the end");
    if (means_everything(parser->selector))
        return fail(parser, "at least one matcher must refuse the empty string");
    return 0;
}

int selector_parse(const char *text, struct selector **ret_selector, struct error *err)
{
    if (strlen(text) > LIMIT_SELECTOR_BYTES)
        return error_set(err, ERR_LIMIT, "selector of more than %u bytes", LIMIT_SELECTOR_BYTES);
    struct selector *selector = xcalloc(1, sizeof *selector);
    selector->arena = arena_new(0);
    selector->text = arena_strdup(selector->arena, str_from(text));
    struct parser parser = {.text = text, .p = text, .selector = selector, .err = err};
    int rc = parse(&parser);
    if (rc) {
        selector_free(selector);
        return rc;
    }
    *ret_selector = selector;
    return 0;
}
