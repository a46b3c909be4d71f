#include "exporters/exposition_negotiate.h"

#include <stdio.h>
#include <strings.h>

/* A header list: clauses at commas, parameters at semicolons, both outside of quotes. */
static bool next_part(struct str *rest, char separator, struct str *ret_part)
{
    if (!rest->ptr)
        return false;
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->len && (quoted || rest->ptr[i] != separator); i++) {
        if (rest->ptr[i] == '"')
            quoted = !quoted;
        else if (quoted && rest->ptr[i] == '\\' && i + 1 < rest->len)
            i++;
    }
    *ret_part = str_trim((struct str){rest->ptr, i});
    *rest = i < rest->len ? (struct str){rest->ptr + i + 1, rest->len - i - 1} : (struct str){NULL, 0};
    return true;
}

static bool equal_ignoring_case(struct str s, const char *text)
{
    size_t length = strlen(text);
    return s.len == length && strncasecmp(s.ptr, text, length) == 0;
}

static bool split_parameter(struct str parameter, struct str *ret_name, struct str *ret_value)
{
    const char *equals = parameter.len ? memchr(parameter.ptr, '=', parameter.len) : NULL;
    if (!equals)
        return false;
    size_t at = (size_t)(equals - parameter.ptr);
    *ret_name = str_trim((struct str){parameter.ptr, at});
    struct str value = str_trim((struct str){equals + 1, parameter.len - at - 1});
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = (struct str){value.ptr + 1, value.len - 2};
    *ret_value = value;
    return true;
}

/* A weight in thousandths. What is not a qvalue counts as 1, as when it is missing. */
static unsigned parse_weight(struct str value)
{
    if (!value.len || value.len > 5 || (value.ptr[0] != '0' && value.ptr[0] != '1') ||
        (value.len > 1 && value.ptr[1] != '.'))
        return 1000;
    unsigned weight = value.ptr[0] == '1' ? 1000 : 0, unit = 100;
    for (size_t i = 2; i < value.len; i++, unit /= 10) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return 1000;
        weight += unit * (unsigned)(value.ptr[i] - '0');
    }
    return weight > 1000 ? 1000 : weight;
}

static const char *const escapings[] = {"underscores", "allow-utf-8", "dots", "values"};

struct clause {
    struct str media, version;
    unsigned weight;
    size_t escaping; /* index into escapings */
};

static struct clause parse_clause(struct str text)
{
    struct clause clause = {.weight = 1000};
    struct str part, name, value;
    (void)next_part(&text, ';', &clause.media);
    while (next_part(&text, ';', &part)) {
        if (!split_parameter(part, &name, &value))
            continue;
        if (equal_ignoring_case(name, "q"))
            clause.weight = parse_weight(value);
        else if (equal_ignoring_case(name, "version"))
            clause.version = value;
        for (size_t i = 0; equal_ignoring_case(name, "escaping") && i < sizeof escapings / sizeof *escapings;
             i++) {
            if (equal_ignoring_case(value, escapings[i]))
                clause.escaping = i;
        }
    }
    return clause;
}

static bool match_format(const struct clause *clause, enum exposition_format *ret_format)
{
    struct str version = clause->version;
    if (equal_ignoring_case(clause->media, "application/openmetrics-text")) {
        bool old = !version.len || str_equal_text(version, "0.0.1");
        *ret_format = old ? EXPOSITION_OPENMETRICS_0_0_1 : EXPOSITION_OPENMETRICS_1_0_0;
        return old || str_equal_text(version, "1.0.0");
    }
    if (equal_ignoring_case(clause->media, "application/*")) {
        *ret_format = EXPOSITION_OPENMETRICS_1_0_0;
        return true;
    }
    *ret_format = EXPOSITION_TEXT;
    if (equal_ignoring_case(clause->media, "text/plain"))
        return !version.len || str_equal_text(version, "0.0.4");
    return equal_ignoring_case(clause->media, "text/*") || equal_ignoring_case(clause->media, "*/*");
}

static bool accepts_gzip(const char *accept_encoding)
{
    struct str rest = str_from(accept_encoding), text;
    unsigned gzip = 0, identity = 0;
    while (next_part(&rest, ',', &text)) {
        struct clause clause = parse_clause(text);
        if (equal_ignoring_case(clause.media, "gzip") || equal_ignoring_case(clause.media, "x-gzip"))
            gzip = clause.weight;
        else if (equal_ignoring_case(clause.media, "identity"))
            identity = clause.weight;
    }
    return gzip > 0 && gzip >= identity;
}

void exposition_negotiate(const char *accept, const char *accept_encoding,
                          struct exposition_choice *ret_choice)
{
    static const char *const types[] = {
        [EXPOSITION_TEXT] = "text/plain; version=0.0.4",
        [EXPOSITION_OPENMETRICS_1_0_0] = "application/openmetrics-text; version=1.0.0",
        [EXPOSITION_OPENMETRICS_0_0_1] = "application/openmetrics-text; version=0.0.1",
    };
    struct str rest = str_from(accept), text;
    enum exposition_format best = EXPOSITION_TEXT, format;
    unsigned best_weight = 0;
    size_t escaping = 0;
    while (next_part(&rest, ',', &text)) {
        struct clause clause = parse_clause(text);
        if (clause.weight > best_weight && match_format(&clause, &format)) {
            best = format;
            best_weight = clause.weight;
            escaping = clause.escaping;
        }
    }
    ret_choice->format = best;
    ret_choice->gzip = accepts_gzip(accept_encoding);
    (void)snprintf(ret_choice->content_type, sizeof ret_choice->content_type,
                   "%s; charset=utf-8; escaping=%s", types[best], escapings[escaping]);
}
