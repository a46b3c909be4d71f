/* Names of families that must not collide.
 *
 * A histogram's lines are called name_bucket, name_sum and name_count, a summary's name_sum and name_count;
 * both formats' strict readers take a second family of such a name for a part of the first. In OpenMetrics a
 * counter's and an info's metadata drop the suffix of their lines, and name_created belongs to counters,
 * histograms and summaries whether it is exposed or not ("names ... MUST NOT collide", OpenMetrics 1.0,
 * MetricFamily). */
#include "exporters/exposition_internal.h"

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/core/limits.h"

#include <stdlib.h>

struct names {
    const struct hub_view *view;
    struct exposition_name *list;
};

/* The family called stem + suffix that is on the page; NULL when there is none. */
static const struct hub_family *find(const struct names *names, struct str stem, struct str suffix)
{
    char text[LIMIT_METRIC_NAME_BYTES + 16];
    if (stem.len + suffix.len > LIMIT_METRIC_NAME_BYTES)
        return NULL;
    memcpy(text, stem.ptr, stem.len);
    memcpy(text + stem.len, suffix.ptr, suffix.len);
    struct str name = {text, stem.len + suffix.len};
    uint32_t low = 0, high = names->view->family_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(names->view->families[middle].name, name);
        if (order == 0)
            return names->list[middle].left_out ? NULL : &names->view->families[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool strip(struct str name, struct str suffix, struct str *ret_stem)
{
    if (name.len <= suffix.len || !str_ends(name, suffix))
        return false;
    *ret_stem = (struct str){name.ptr, name.len - suffix.len};
    return true;
}

/* True when the name is that of a line of a histogram or summary. */
static bool is_claimed(const struct names *names, struct str name)
{
    static const struct {
        struct str suffix;
        bool summary;
    } claims[] = {
        {{"_bucket", 7}, false}, {{"_sum", 4}, true}, {{"_count", 6}, true}, {{"_created", 8}, true}};
    struct str stem;
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        if (!strip(name, claims[i].suffix, &stem))
            continue;
        const struct hub_family *family = find(names, stem, STR(""));
        if (family &&
            (family->type == METRIC_HISTOGRAM || (family->type == METRIC_SUMMARY && claims[i].summary)))
            return true;
    }
    return false;
}

/* May the family be called by this shorter name in OpenMetrics? */
static bool is_free(const struct names *names, struct str stem, bool info)
{
    struct str owner;
    if (find(names, stem, STR("")) || is_claimed(names, stem))
        return false;
    if (strip(stem, STR("_created"), &owner)) {
        const struct hub_family *counter = find(names, owner, STR("_total"));
        if (counter && counter->type == METRIC_COUNTER)
            return false;
    }
    const struct hub_family *counter = find(names, stem, STR("_total"));
    if (info)
        return !(counter && counter->type == METRIC_COUNTER);
    return !find(names, stem, STR("_created"));
}

struct exposition_name *exposition_names(const struct hub_view *view, uint64_t *ret_left_out)
{
    struct names names = {view, xcalloc(view->family_count, sizeof *names.list)};
    *ret_left_out = 0;
    /* A stem sorts before its longer names, so that what it is itself is known when they ask. */
    for (uint32_t i = 0; i < view->family_count; i++) {
        names.list[i].left_out = is_claimed(&names, view->families[i].name);
        *ret_left_out += names.list[i].left_out;
    }
    for (uint32_t i = 0; i < view->family_count; i++) {
        const struct hub_family *family = &view->families[i];
        struct str stem;
        if (family->type == METRIC_COUNTER && strip(family->name, STR("_total"), &stem))
            names.list[i].stripped = is_free(&names, stem, false);
        else if (family->type == METRIC_INFO && strip(family->name, STR("_info"), &stem))
            names.list[i].stripped = is_free(&names, stem, true);
    }
    return names.list;
}

struct str exposition_metadata_name(const struct hub_family *family, const struct exposition_name *name)
{
    struct str text = family->name;
    if (name->stripped)
        text.len -= family->type == METRIC_COUNTER ? strlen("_total") : strlen("_info");
    return text;
}

static const char *text_type(enum metric_type type)
{
    switch (type) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_HISTOGRAM:
        return "histogram";
    case METRIC_SUMMARY:
        return "summary";
    case METRIC_GAUGE:
    case METRIC_INFO:
    case METRIC_STATESET:
        return "gauge";
    case METRIC_UNTYPED:
        break;
    }
    return "untyped";
}

static const char *openmetrics_type(enum metric_type type, bool stripped)
{
    if (type == METRIC_STATESET)
        return "stateset";
    if (type == METRIC_INFO && stripped)
        return "info";
    if (type == METRIC_UNTYPED || (type == METRIC_COUNTER && !stripped))
        return "unknown";
    return text_type(type);
}

/* Text 0.0.4 takes a quote literally, OpenMetrics wants it escaped. */
static void append_help(struct buf *out, struct str help, bool openmetrics)
{
    for (size_t i = 0; i < help.len; i++) {
        char c = help.ptr[i];
        if (c == '\\' || c == '\n' || (openmetrics && c == '"'))
            buf_append_byte(out, '\\');
        buf_append_byte(out, c == '\n' ? 'n' : c);
    }
}

static void append_line(struct buf *out, const char *keyword, struct str name)
{
    buf_append_text(out, keyword);
    buf_append_str(out, name);
    buf_append_byte(out, ' ');
}

void exposition_header(const struct hub_family *family, const struct exposition_name *name,
                       enum exposition_format format, struct buf *out)
{
    bool openmetrics = format != EXPOSITION_TEXT;
    struct str called = openmetrics ? exposition_metadata_name(family, name) : family->name;
    if (openmetrics) {
        append_line(out, "# TYPE ", called);
        buf_append_text(out, openmetrics_type(family->type, name->stripped));
        buf_append_byte(out, '\n');
        struct str stem;
        if (family->unit.len && strip(called, family->unit, &stem) && stem.ptr[stem.len - 1] == '_') {
            append_line(out, "# UNIT ", called);
            buf_append_str(out, family->unit);
            buf_append_byte(out, '\n');
        }
    }
    if (family->help.len) {
        append_line(out, "# HELP ", called);
        append_help(out, family->help, openmetrics);
        buf_append_byte(out, '\n');
    }
    if (!openmetrics) {
        append_line(out, "# TYPE ", called);
        buf_append_text(out, text_type(family->type));
        buf_append_byte(out, '\n');
    }
}
