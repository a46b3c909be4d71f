#include "lib/metrics/selector_internal.h"

#include "lib/core/buf.h"
#include "lib/core/limits.h"
#include "lib/metrics/label.h"

#include <stdlib.h>

bool matcher_accepts(const struct matcher *matcher, struct str value)
{
    bool failed = false;
    switch (matcher->op) {
    case MATCH_EQUAL:
        return str_equal(value, matcher->value);
    case MATCH_NOT_EQUAL:
        return !str_equal(value, matcher->value);
    case MATCH_REGEX:
        return pattern_matches(matcher->regex, value, &failed) && !failed;
    case MATCH_NOT_REGEX:
        return !pattern_matches(matcher->regex, value, &failed) && !failed;
    }
    return false;
}

static bool names_accept(const struct selector *selector, struct str name)
{
    for (const struct matcher *matcher = selector->names; matcher; matcher = matcher->next) {
        if (!matcher_accepts(matcher, name))
            return false;
    }
    return true;
}

static struct str raw_value(struct str text, struct str wanted)
{
    size_t cursor = 0;
    struct str name, raw;
    while (label_text_next(text, &cursor, &name, &raw)) {
        if (str_equal(name, wanted))
            return raw;
    }
    return STR("");
}

static bool label_accepts(const struct matcher *matcher, struct str text)
{
    struct str raw = raw_value(text, matcher->name);
    if (matcher->op == MATCH_EQUAL || matcher->op == MATCH_NOT_EQUAL)
        return str_equal(raw, matcher->escaped) == (matcher->op == MATCH_EQUAL);
    if (!raw.len || !memchr(raw.ptr, '\\', raw.len))
        return matcher_accepts(matcher, raw);
    struct buf value = BUF_INIT(LIMIT_LABEL_TEXT_BYTES);
    label_unescape(raw, &value);
    bool accepted = matcher_accepts(matcher, buf_str(&value));
    buf_deinit(&value);
    return accepted;
}

static bool labels_accept(const struct selector *selector, struct str text)
{
    for (const struct matcher *matcher = selector->labels; matcher; matcher = matcher->next) {
        if (!label_accepts(matcher, text))
            return false;
    }
    return true;
}

bool selector_matches(const struct selector *selector, struct str name, struct str label_text)
{
    return names_accept(selector, name) && labels_accept(selector, label_text);
}

/* Which of a family's line names the selector accepts, by suffix. */
struct accepted {
    bool suffix[SUFFIX_INFO + 1];
    bool any;
};

static void accept_suffix(const struct selector *selector, const struct shape_family *family,
                          enum series_suffix suffix, struct accepted *accepted)
{
    static const struct str endings[] = {
        [SUFFIX_NONE] = {"", 0},
        [SUFFIX_BUCKET] = {"_bucket", 7},
        [SUFFIX_COUNT] = {"_count", 6},
        [SUFFIX_SUM] = {"_sum", 4},
    };
    char name[LIMIT_METRIC_NAME_BYTES + 8];
    size_t length = family->name.len <= LIMIT_METRIC_NAME_BYTES ? family->name.len : LIMIT_METRIC_NAME_BYTES;
    memcpy(name, family->name.ptr, length);
    memcpy(name + length, endings[suffix].ptr, endings[suffix].len);
    accepted->suffix[suffix] = names_accept(selector, (struct str){name, length + endings[suffix].len});
    accepted->any = accepted->any || accepted->suffix[suffix];
}

static struct accepted accepted_names(const struct selector *selector, const struct shape_family *family)
{
    struct accepted accepted = {.any = false};
    if (family->type == METRIC_HISTOGRAM)
        accept_suffix(selector, family, SUFFIX_BUCKET, &accepted);
    else
        accept_suffix(selector, family, SUFFIX_NONE, &accepted);
    if (family->type == METRIC_HISTOGRAM || family->type == METRIC_SUMMARY) {
        accept_suffix(selector, family, SUFFIX_COUNT, &accepted);
        accept_suffix(selector, family, SUFFIX_SUM, &accepted);
    }
    return accepted;
}

bool selector_may_match_family(const struct selector *selector, const struct shape_family *family)
{
    return accepted_names(selector, family).any;
}

struct matches {
    struct selector_match *items;
    size_t count, capacity;
};

static void add_match(struct matches *matches, uint32_t family, uint32_t series, uint32_t slot)
{
    if (matches->count == matches->capacity) {
        matches->capacity = matches->capacity ? matches->capacity * 2 : 8;
        matches->items = xrealloc(matches->items, matches->capacity * sizeof *matches->items);
    }
    matches->items[matches->count++] = (struct selector_match){family, series, slot};
}

static void match_series(const struct selector *selector, const struct shape *shape, uint32_t family,
                         const struct accepted *accepted, uint32_t index, struct matches *matches)
{
    const struct shape_series *series = &shape->series[index];
    bool histogram = series->kind == SERIES_HISTOGRAM;
    bool named = histogram ? accepted->suffix[SUFFIX_COUNT] || accepted->suffix[SUFFIX_SUM]
                           : accepted->suffix[series->suffix];
    if (!named || !labels_accept(selector, shape_series_text(shape, series)))
        return;
    if (!histogram) {
        add_match(matches, family, index, series->slot);
        return;
    }
    uint32_t infinite = series->slot + shape->layouts[series->layout].bound_count;
    if (accepted->suffix[SUFFIX_COUNT])
        add_match(matches, family, index, infinite);
    if (accepted->suffix[SUFFIX_SUM])
        add_match(matches, family, index, infinite + 1);
}

struct selector_match *selector_resolve(const struct selector *selector, const struct shape *shape,
                                        size_t *ret_count)
{
    struct matches matches = {0};
    for (uint32_t f = 0; f < shape->family_count; f++) {
        const struct shape_family *family = &shape->families[f];
        struct accepted accepted = accepted_names(selector, family);
        for (uint32_t s = 0; accepted.any && s < family->series_count; s++)
            match_series(selector, shape, f, &accepted, family->first_series + s, &matches);
    }
    *ret_count = matches.count;
    return matches.items;
}

const char *selector_text(const struct selector *selector)
{
    return selector->text;
}

static void free_regexes(struct matcher *matcher)
{
    for (; matcher; matcher = matcher->next)
        pattern_free(matcher->regex);
}

void selector_free(struct selector *selector)
{
    if (!selector)
        return;
    free_regexes(selector->names);
    free_regexes(selector->labels);
    arena_free(selector->arena);
    free(selector);
}
