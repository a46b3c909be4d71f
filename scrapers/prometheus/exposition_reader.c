#include "scrapers/prometheus/exposition_reader.h"

#include "lib/core/arena.h"
#include "lib/core/hash.h"
#include "lib/core/map.h"
#include "scrapers/prometheus/exposition_proto.h"
#include "scrapers/prometheus/sample_clock.h"

#include <stdlib.h>

#define VERDICTS_MAX (1UL << 20) /* remembered; lines behind that are asked for each time */

/* What the page declared of one name. Slices point into the page or the arena. */
struct declaration {
    struct str name;
    enum metric_type type;
    bool typed;
    struct str help, unit; /* help as written */
};

/* Where the lines of one name go. */
struct line_name {
    struct str name;
    struct batch_family *family; /* NULL: such lines are skipped */
    enum series_suffix suffix;
    bool multi_line;         /* of a histogram or summary: le and quantile are normalised */
    const char *bad;         /* why such lines cannot be used */
    bool may_keep, may_drop; /* false: no selector of that list can match this name */
    bool reserved;           /* `up` is what Prometheus says of a scrape, not what a page may say */
};

struct exposition_reader {
    struct exposition_reader_options options;
    struct exposition_parser parser;
    struct exposition_proto proto;
    struct exposition_page page;
    struct sample_clock clock;
    struct exposition_counts counts;
    /* Both of one page, their entries in the arena. */
    struct arena *arena;
    struct map declarations, line_names;
    struct line_name *last;
    struct buf help, text;
    /* What the selectors said of the i-th sample of the last page: hash of its raw text, lowest bit keep. */
    uint64_t *verdicts;
    size_t verdict_count, verdict_capacity, sample_index;
};

struct exposition_reader *exposition_reader_new(const struct exposition_reader_options *options)
{
    struct exposition_reader *reader = xcalloc(1, sizeof *reader);
    reader->options = *options;
    exposition_parser_init(&reader->parser);
    exposition_proto_init(&reader->proto);
    sample_clock_init(&reader->clock, options->max_sample_age_ms);
    reader->arena = arena_new(0); /* bounded by max_names */
    map_init(&reader->declarations);
    map_init(&reader->line_names);
    buf_init(&reader->help, LIMIT_HELP_BYTES);
    buf_init(&reader->text, LIMIT_LABEL_TEXT_BYTES);
    return reader;
}

void exposition_reader_free(struct exposition_reader *reader)
{
    if (!reader)
        return;
    exposition_parser_deinit(&reader->parser);
    exposition_proto_deinit(&reader->proto);
    sample_clock_deinit(&reader->clock);
    map_deinit(&reader->declarations);
    map_deinit(&reader->line_names);
    buf_deinit(&reader->help);
    buf_deinit(&reader->text);
    arena_free(reader->arena);
    free(reader->verdicts);
    free(reader);
}

void exposition_reader_begin_page(struct exposition_reader *reader, const struct exposition_page *page)
{
    map_deinit(&reader->declarations);
    map_deinit(&reader->line_names);
    arena_reset(reader->arena);
    reader->last = NULL;
    reader->page = *page;
    if (!page->continues) {
        if (reader->verdict_count > reader->sample_index)
            reader->verdict_count = reader->sample_index;
        reader->counts = (struct exposition_counts){.oldest_age_ms = -1};
        reader->sample_index = 0;
    }
    if (page->format == EXPOSITION_PROTOBUF)
        exposition_proto_begin(&reader->proto, page->bytes);
    else
        exposition_parser_begin(&reader->parser, page->format, page->bytes);
}

void exposition_reader_begin(struct exposition_reader *reader, enum exposition_format format, struct str page)
{
    exposition_reader_begin_page(reader, &(struct exposition_page){.format = format, .bytes = page});
}

static bool names_left(const struct exposition_reader *reader, const struct map *map)
{
    return reader->options.max_names == 0 || map->count < reader->options.max_names;
}

static void count_bad(struct exposition_reader *reader, size_t line, const char *reason)
{
    if (reader->counts.bad++ == 0) {
        reader->counts.first_bad_line = line;
        reader->counts.first_bad_reason = reason;
    }
}

static struct str keep_name(struct exposition_reader *reader, struct str name)
{
    return (struct str){arena_strdup(reader->arena, name), name.len};
}

static void declare(struct exposition_reader *reader, const struct exposition_item *item)
{
    struct declaration *found = map_get(&reader->declarations, item->name);
    if (!found) {
        if (!names_left(reader, &reader->declarations)) {
            reader->counts.over_limit++;
            return;
        }
        found = arena_zalloc(reader->arena, sizeof *found);
        found->name = keep_name(reader, item->name);
        map_put(&reader->declarations, found->name, found);
    }
    if (item->kind == EXPOSITION_TYPE && !found->typed) {
        found->typed = true;
        found->type = item->type;
    } else if (item->kind == EXPOSITION_HELP && found->help.len == 0) {
        found->help = item->text;
    } else if (item->kind == EXPOSITION_UNIT && found->unit.len == 0) {
        found->unit = item->text;
    }
}

/* Which suffixes belong to the types whose lines carry one. */
struct suffix_rule {
    struct str text;
    enum series_suffix suffix;
    enum metric_type type;
    bool openmetrics_only;
    bool in_name; /* the suffix stays part of the family's name: foo_total, foo_info */
    bool skipped;
};

static const struct suffix_rule suffix_rules[] = {
    {STR("_bucket"), SUFFIX_BUCKET, METRIC_HISTOGRAM, false, false, false},
    {STR("_sum"), SUFFIX_SUM, METRIC_HISTOGRAM, false, false, false},
    {STR("_count"), SUFFIX_COUNT, METRIC_HISTOGRAM, false, false, false},
    {STR("_sum"), SUFFIX_SUM, METRIC_SUMMARY, false, false, false},
    {STR("_count"), SUFFIX_COUNT, METRIC_SUMMARY, false, false, false},
    {STR("_total"), SUFFIX_NONE, METRIC_COUNTER, true, true, false},
    {STR("_info"), SUFFIX_NONE, METRIC_INFO, true, true, false},
    {STR("_created"), SUFFIX_CREATED, METRIC_COUNTER, true, false, true},
    {STR("_created"), SUFFIX_CREATED, METRIC_HISTOGRAM, true, false, true},
    {STR("_created"), SUFFIX_CREATED, METRIC_SUMMARY, true, false, true},
};

static const struct suffix_rule *find_rule(const struct exposition_reader *reader, struct str name,
                                           struct declaration **ret_declaration)
{
    for (size_t i = 0; i < ARRAY_LEN(suffix_rules); i++) {
        const struct suffix_rule *rule = &suffix_rules[i];
        if (!str_ends(name, rule->text) ||
            (rule->openmetrics_only && reader->page.format != EXPOSITION_OPENMETRICS))
            continue;
        struct declaration *found =
            map_get(&reader->declarations, (struct str){name.ptr, name.len - rule->text.len});
        if (found && found->typed && found->type == rule->type) {
            *ret_declaration = found;
            return rule;
        }
    }
    return NULL;
}

/* A text over the maximum was cut, perhaps inside a character. */
static void cut_at_character(struct buf *text)
{
    if (!text->failed)
        return;
    text->failed = false;
    while (text->len > 0 && (text->data[text->len - 1] & 0x80))
        text->len--;
}

static struct batch_family *add_family(struct exposition_reader *reader, struct str name,
                                       const struct declaration *declared)
{
    struct metric_desc desc = {.name = arena_strdup(reader->arena, name), .type = METRIC_UNTYPED, .help = ""};
    if (declared) {
        desc.type = declared->type;
        buf_reset(&reader->help);
        exposition_unescape_help(reader->page.format, declared->help, &reader->help);
        cut_at_character(&reader->help);
        if (str_is_utf8(buf_str(&reader->help)))
            desc.help = buf_text(&reader->help);
        if (declared->unit.len > 0)
            desc.unit = arena_strdup(reader->arena, declared->unit);
    }
    return batch_family(reader->options.batch, &desc);
}

static bool any_may_match(struct selector *const *selectors, size_t count, const struct shape_family *family)
{
    for (size_t i = 0; i < count; i++) {
        if (selector_may_match_family(selectors[i], family))
            return true;
    }
    return false;
}

static void look_at_selectors(const struct exposition_reader *reader, struct line_name *line,
                              struct str family_name, enum metric_type type)
{
    const struct shape_family family = {.name = family_name, .type = type};
    line->may_keep = any_may_match(reader->options.keep, reader->options.keep_count, &family);
    line->may_drop = any_may_match(reader->options.drop, reader->options.drop_count, &family);
}

/* An exact declaration goes before a family with a suffix: then the names are two families. */
static void resolve_name(struct exposition_reader *reader, struct line_name *line)
{
    line->reserved = str_equal(line->name, STR("up"));
    struct declaration *declared = map_get(&reader->declarations, line->name), *base = NULL;
    struct str family_name = line->name;
    if (!declared || !declared->typed) {
        const struct suffix_rule *rule = find_rule(reader, line->name, &base);
        if (rule && rule->skipped)
            return;
        if (rule) {
            declared = base;
            line->suffix = rule->suffix;
            if (!rule->in_name)
                family_name.len -= rule->text.len;
        }
    } else if (declared->type == METRIC_HISTOGRAM || declared->type == METRIC_INFO) {
        /* It would spoil the family for every reader of ours. */
        line->bad = "a line without the suffix that its type demands";
        return;
    }
    line->multi_line = declared && (declared->type == METRIC_HISTOGRAM || declared->type == METRIC_SUMMARY);
    look_at_selectors(reader, line, family_name, declared ? declared->type : METRIC_UNTYPED);
    if (reader->options.keep_count > 0 && !line->may_keep)
        return;
    line->family = add_family(reader, family_name, declared);
}

/* NULL: over the maximum of names. */
static struct line_name *find_line_name(struct exposition_reader *reader, struct str name)
{
    if (reader->last && str_equal(reader->last->name, name))
        return reader->last;
    struct line_name *line = map_get(&reader->line_names, name);
    if (!line) {
        if (!names_left(reader, &reader->line_names))
            return NULL;
        line = arena_zalloc(reader->arena, sizeof *line);
        line->name = keep_name(reader, name);
        map_put(&reader->line_names, line->name, line);
        resolve_name(reader, line);
    }
    reader->last = line;
    return line;
}

static bool any_matches(struct selector *const *selectors, size_t count, struct str name, struct str text)
{
    for (size_t i = 0; i < count; i++) {
        if (selector_matches(selectors[i], name, text))
            return true;
    }
    return false;
}

static bool ask_selectors(struct exposition_reader *reader, const struct line_name *line,
                          struct exposition_item *item)
{
    size_t count = item->label_count;
    buf_reset(&reader->text);
    if (labels_render(item->labels, &count, &reader->text) != 0)
        return true; /* the batch drops and counts it */
    item->label_count = count;
    struct str text = buf_str(&reader->text);
    const struct exposition_reader_options *options = &reader->options;
    if (options->keep_count > 0 && !any_matches(options->keep, options->keep_count, item->name, text))
        return false;
    return !line->may_drop || !any_matches(options->drop, options->drop_count, item->name, text);
}

/* A hash of name and labels as they stand on the page. */
static uint64_t key_of(const struct exposition_item *item)
{
    return item->raw.len > 0 ? hash_str(item->raw) : item->key;
}

/* The i-th sample is nearly always that of the last page: then its verdict is known by its raw text. */
static bool is_wanted(struct exposition_reader *reader, const struct line_name *line,
                      struct exposition_item *item)
{
    if (line->reserved)
        return false;
    if (!line->may_keep && !line->may_drop)
        return true; /* there is no keep list, or such a line would have no family */
    uint64_t hash = key_of(item) & ~UINT64_C(1);
    size_t i = reader->sample_index++;
    if (i < reader->verdict_count && (reader->verdicts[i] & ~UINT64_C(1)) == hash)
        return reader->verdicts[i] & 1;
    bool wanted = ask_selectors(reader, line, item);
    if (i >= VERDICTS_MAX)
        return wanted;
    if (i >= reader->verdict_capacity) {
        reader->verdict_capacity = reader->verdict_capacity ? reader->verdict_capacity * 2 : 256;
        reader->verdicts = xrealloc(reader->verdicts, reader->verdict_capacity * sizeof *reader->verdicts);
    }
    reader->verdicts[i] = hash | (wanted ? 1 : 0);
    if (i >= reader->verdict_count)
        reader->verdict_count = i + 1;
    return wanted;
}

static void note_age(struct exposition_reader *reader, int64_t timestamp_ms)
{
    int64_t age_ms = reader->page.now_wall_ms - timestamp_ms;
    if (age_ms < 0)
        age_ms = 0; /* clocks differ */
    if (age_ms > reader->counts.oldest_age_ms)
        reader->counts.oldest_age_ms = age_ms;
}

/* False, and counted: its own timestamp says that it is no value of now. */
static bool is_timely(struct exposition_reader *reader, const struct exposition_item *item)
{
    if (!item->has_timestamp || reader->page.now_wall_ms == 0 || reader->options.max_sample_age_ms == 0)
        return true;
    uint64_t key = key_of(item);
    if (reader->page.extra)
        key = hash_mix(key, hash_str(reader->page.extra->value));
    switch (sample_clock_judge(&reader->clock, key, item->timestamp_ms, reader->page.now_wall_ms)) {
    case SAMPLE_GOOD:
        note_age(reader, item->timestamp_ms);
        return true;
    case SAMPLE_STALE:
        reader->counts.stale++;
        return false;
    case SAMPLE_FUTURE:
        reader->counts.future++;
        return false;
    case SAMPLE_OUT_OF_ORDER:
        reader->counts.out_of_order++;
        return false;
    }
    return false;
}

static bool within_label_limits(const struct exposition_reader *reader, const struct exposition_item *item)
{
    const struct exposition_reader_options *options = &reader->options;
    if (options->max_labels && item->label_count > options->max_labels)
        return false;
    if (!options->max_label_name_bytes && !options->max_label_value_bytes)
        return true;
    for (size_t i = 0; i < item->label_count; i++) {
        const struct label *label = &item->labels[i];
        if ((options->max_label_name_bytes && label->name.len > options->max_label_name_bytes) ||
            (options->max_label_value_bytes && label->value.len > options->max_label_value_bytes))
            return false;
    }
    return true;
}

static void add_extra_label(const struct exposition_reader *reader, struct exposition_item *item)
{
    const struct label *extra = reader->page.extra;
    for (size_t i = 0; i < item->label_count; i++) {
        if (str_equal(item->labels[i].name, extra->name))
            return;
    }
    if (item->label_count < LIMIT_LABELS_PER_SERIES)
        item->labels[item->label_count++] = *extra;
}

/* False, and counted: rules leave it out. */
static bool survives_rules(struct exposition_reader *reader, struct exposition_item *item)
{
    if (!reader->options.relabel)
        return true;
    switch (relabel_apply(reader->options.relabel, item->name, item->labels, &item->label_count)) {
    case RELABEL_TAKE:
        return true;
    case RELABEL_LEAVE_OUT:
        reader->counts.filtered++;
        return false;
    case RELABEL_TOO_MANY_LABELS:
        reader->counts.over_label_limit++;
        return false;
    }
    return false;
}

/* Counted where it is not. */
static bool is_within_limits(struct exposition_reader *reader, const struct exposition_item *item)
{
    if (!within_label_limits(reader, item)) {
        reader->counts.over_label_limit++;
        return false;
    }
    if (reader->options.max_samples && reader->counts.samples >= reader->options.max_samples) {
        reader->counts.over_limit++;
        return false;
    }
    return true;
}

static void add_sample(struct exposition_reader *reader, struct exposition_item *item)
{
    struct line_name *line = find_line_name(reader, item->name);
    if (!line) {
        reader->counts.over_limit++;
        return;
    }
    if (line->bad) {
        count_bad(reader, item->line, line->bad);
        return;
    }
    if (!line->family || !is_wanted(reader, line, item)) {
        reader->counts.filtered++;
        return;
    }
    if (!is_timely(reader, item) || !survives_rules(reader, item) || !is_within_limits(reader, item))
        return;
    if (reader->page.extra)
        add_extra_label(reader, item);
    reader->counts.samples++;
    if (!line->multi_line)
        batch_add(reader->options.batch, line->family, item->labels, item->label_count, item->value);
    else
        batch_add_suffixed(reader->options.batch, line->family, line->suffix, item->labels, item->label_count,
                           item->value);
}

void exposition_reader_set_max_samples(struct exposition_reader *reader, uint64_t max_samples)
{
    reader->options.max_samples = max_samples;
}

void exposition_counts_add(struct exposition_counts *sum, const struct exposition_counts *counts)
{
    sum->samples += counts->samples;
    sum->filtered += counts->filtered;
    sum->bad += counts->bad;
    sum->over_limit += counts->over_limit;
    sum->over_label_limit += counts->over_label_limit;
    sum->stale += counts->stale;
    sum->future += counts->future;
    sum->out_of_order += counts->out_of_order;
}

static bool next_item(struct exposition_reader *reader, struct exposition_item *item)
{
    return reader->page.format == EXPOSITION_PROTOBUF ? exposition_proto_next(&reader->proto, item)
                                                      : exposition_next(&reader->parser, item);
}

static size_t offset_of(const struct exposition_reader *reader)
{
    return reader->page.format == EXPOSITION_PROTOBUF ? exposition_proto_offset(&reader->proto)
                                                      : reader->parser.offset;
}

bool exposition_reader_step(struct exposition_reader *reader, size_t max_bytes)
{
    size_t stop = offset_of(reader) + max_bytes;
    struct exposition_item item;
    while (offset_of(reader) < stop) {
        if (!next_item(reader, &item))
            return false;
        if (item.kind == EXPOSITION_SAMPLE)
            add_sample(reader, &item);
        else if (item.kind == EXPOSITION_BAD)
            count_bad(reader, item.line, item.reason);
        else
            declare(reader, &item);
    }
    return true;
}

int exposition_reader_finish(struct exposition_reader *reader, struct exposition_counts *ret_counts,
                             struct error *err)
{
    const struct exposition_counts *counts = &reader->counts;
    bool protobuf = reader->page.format == EXPOSITION_PROTOBUF;
    *ret_counts = *counts;
    if (protobuf && !reader->proto.complete)
        return error_set(err, ERR_PARSE, "the page ends inside a message: it was cut off after %zu families",
                         reader->proto.family_count);
    if (!protobuf && !exposition_is_complete(&reader->parser))
        return error_set(err, ERR_PARSE, "the page ends without # EOF: it was cut off after line %zu",
                         reader->parser.line);
    if (counts->bad > 0 && counts->samples + counts->filtered + counts->over_limit +
                                   counts->over_label_limit + counts->stale + counts->future +
                                   counts->out_of_order ==
                               0)
        return error_set(err, ERR_PARSE, "no %s of the page can be used; %s %zu: %s",
                         protobuf ? "metric" : "line", protobuf ? "family" : "line", counts->first_bad_line,
                         counts->first_bad_reason);
    return 0;
}
