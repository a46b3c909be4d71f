#include "scrapers/prometheus/exposition_parse.h"

#include "scrapers/prometheus/exposition_scan.h"

/* A line that was read but gives no item: a comment or, in text, a blank line. */
static const char no_item[] = "";

struct type_word {
    const char *word;
    enum metric_type type;
    bool text, openmetrics;
};

static const struct type_word type_words[] = {
    {"counter", METRIC_COUNTER, true, true},
    {"gauge", METRIC_GAUGE, true, true},
    {"histogram", METRIC_HISTOGRAM, true, true},
    {"summary", METRIC_SUMMARY, true, true},
    {"untyped", METRIC_UNTYPED, true, false},
    {"unknown", METRIC_UNTYPED, false, true},
    {"info", METRIC_INFO, false, true},
    {"stateset", METRIC_STATESET, false, true},
    {"gaugehistogram", METRIC_UNTYPED, false, true},
};

void exposition_parser_init(struct exposition_parser *parser)
{
    *parser = (struct exposition_parser){.scratch = BUF_INIT(LIMIT_LINE_BYTES)};
}

void exposition_parser_deinit(struct exposition_parser *parser)
{
    buf_deinit(&parser->scratch);
}

void exposition_parser_begin(struct exposition_parser *parser, enum exposition_format format, struct str page)
{
    parser->format = format;
    parser->page = page;
    parser->offset = 0;
    parser->line = 0;
    parser->complete = false;
}

bool exposition_is_complete(const struct exposition_parser *parser)
{
    return parser->format != EXPOSITION_OPENMETRICS || parser->complete;
}

void exposition_unescape_help(enum exposition_format format, struct str raw, struct buf *out)
{
    if (format == EXPOSITION_PROTOBUF) {
        buf_append_str(out, raw);
        return;
    }
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        char next = i + 1 < raw.len ? raw.ptr[i + 1] : 0;
        if (c == '\\' && (next == '\\' || next == 'n' || (next == '"' && format == EXPOSITION_OPENMETRICS))) {
            c = next == 'n' ? '\n' : next;
            i++;
        }
        buf_append_byte(out, c);
    }
}

static const char *read_type(const struct exposition_parser *parser, struct str word,
                             struct exposition_item *item)
{
    for (size_t i = 0; i < ARRAY_LEN(type_words); i++) {
        const struct type_word *known = &type_words[i];
        bool allowed = parser->format == EXPOSITION_OPENMETRICS ? known->openmetrics : known->text;
        if (allowed && str_equal_text(word, known->word)) {
            item->type = known->type;
            return NULL;
        }
    }
    return "unknown metric type";
}

static const char *read_unit(struct str unit, struct exposition_item *item)
{
    item->text = unit;
    bool is_suffix = item->name.len > unit.len && str_ends(item->name, unit) &&
                     item->name.ptr[item->name.len - unit.len - 1] == '_';
    return unit.len == 0 || is_suffix ? NULL : "the unit is not a suffix of the name";
}

static struct str skip_blanks(struct str s)
{
    while (s.len > 0 && exposition_is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    return s;
}

/* `rest` stands behind "# HELP ", "# TYPE " or "# UNIT ". */
static const char *read_metadata(struct exposition_parser *parser, enum exposition_kind kind, struct str rest,
                                 struct exposition_item *item)
{
    bool openmetrics = parser->format == EXPOSITION_OPENMETRICS;
    item->kind = kind;
    if (!openmetrics)
        rest = skip_blanks(rest);
    if (!exposition_scan_family_name(parser, &rest, &item->name))
        return "bad family name";
    if (openmetrics && rest.len > 0) {
        if (rest.ptr[0] != ' ')
            return "no space after the family name";
        rest = (struct str){rest.ptr + 1, rest.len - 1};
    } else {
        rest = skip_blanks(rest);
    }
    if (kind == EXPOSITION_HELP) {
        item->text = rest;
        return NULL;
    }
    if (kind == EXPOSITION_UNIT)
        return read_unit(rest, item);
    return read_type(parser, openmetrics ? rest : str_trim(rest), item);
}

/* Behind '#'. Text 0.0.4 takes everything else for a comment, OpenMetrics has none. */
static const char *read_hash_line(struct exposition_parser *parser, struct str rest,
                                  struct exposition_item *item)
{
    static const struct {
        struct str word;
        enum exposition_kind kind;
    } keywords[] = {
        {STR("HELP"), EXPOSITION_HELP}, {STR("TYPE"), EXPOSITION_TYPE}, {STR("UNIT"), EXPOSITION_UNIT}};
    bool openmetrics = parser->format == EXPOSITION_OPENMETRICS;
    if (openmetrics && str_equal(rest, STR(" EOF"))) {
        parser->complete = true;
        return no_item;
    }
    if (rest.len == 0 || !exposition_is_blank(rest.ptr[0]))
        return openmetrics ? "a comment" : no_item;
    rest = openmetrics ? (struct str){rest.ptr + 1, rest.len - 1} : skip_blanks(rest);
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        size_t len = keywords[i].word.len;
        if (!openmetrics && keywords[i].kind == EXPOSITION_UNIT)
            continue;
        if (str_starts(rest, keywords[i].word) && rest.len > len && exposition_is_blank(rest.ptr[len]))
            return read_metadata(parser, keywords[i].kind,
                                 (struct str){rest.ptr + len + 1, rest.len - len - 1}, item);
    }
    return openmetrics ? "a comment" : no_item;
}

static const char *read_line(struct exposition_parser *parser, struct str line, struct exposition_item *item)
{
    if (line.len > LIMIT_LINE_BYTES)
        return "the line is too long";
    buf_reset(&parser->scratch);
    if (line.len > parser->scratch.cap && !buf_reserve(&parser->scratch, line.len))
        return "the line is too long";
    if (parser->format == EXPOSITION_TEXT) {
        line = skip_blanks(line);
        if (line.len == 0)
            return no_item;
    } else if (parser->complete) {
        parser->offset = parser->page.len;
        return "data after # EOF";
    } else if (line.len == 0) {
        return "a blank line";
    }
    if (line.ptr[0] == '#')
        return read_hash_line(parser, (struct str){line.ptr + 1, line.len - 1}, item);
    item->kind = EXPOSITION_SAMPLE;
    return exposition_scan_sample(parser, line, item);
}

bool exposition_next(struct exposition_parser *parser, struct exposition_item *ret_item)
{
    while (parser->offset < parser->page.len) {
        const char *start = parser->page.ptr + parser->offset;
        size_t left = parser->page.len - parser->offset;
        const char *lf = memchr(start, '\n', left);
        struct str line = {start, lf ? (size_t)(lf - start) : left};
        parser->offset += line.len + (lf ? 1 : 0);
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        *ret_item = (struct exposition_item){.line = ++parser->line};
        const char *reason = read_line(parser, line, ret_item);
        if (reason == no_item)
            continue;
        if (reason) {
            ret_item->kind = EXPOSITION_BAD;
            ret_item->reason = reason;
        }
        return true;
    }
    return false;
}
