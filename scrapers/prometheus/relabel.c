#include "scrapers/prometheus/relabel.h"

#include "lib/core/arena.h"
#include "lib/metrics/pattern.h"

#include <stdlib.h>

struct rule {
    const struct relabel_rule *config;
    struct pattern *pattern;
    struct pattern_groups *groups;
};

struct relabel {
    struct rule *rules;
    size_t count;
    struct arena *arena; /* of what one call made */
    struct buf text;
};

/* A series under way. */
struct series {
    struct relabel *relabel;
    struct str name;
    struct label *labels;
    size_t count;
    bool full; /* a label had no room */
};

int relabel_new(const struct section_list *rules, struct relabel **ret_relabel, struct error *err)
{
    *ret_relabel = NULL;
    if (!rules->count)
        return 0;
    if (rules->count > RELABEL_MAX_RULES)
        return error_set(err, ERR_CONFIG, "relabel takes at most %u rules", RELABEL_MAX_RULES);
    struct relabel *relabel = xcalloc(1, sizeof *relabel);
    relabel->rules = xcalloc(rules->count, sizeof *relabel->rules);
    relabel->arena = arena_new(0);
    buf_init(&relabel->text, LIMIT_LABEL_TEXT_BYTES);
    for (size_t i = 0; i < rules->count; i++) {
        struct rule *rule = &relabel->rules[relabel->count];
        rule->config = SECTION_AT(const struct relabel_rule, *rules, i);
        int code = pattern_new(str_from(rule->config->regex), &rule->pattern, err);
        if (code) {
            relabel_free(relabel);
            return error_prefix(err, "relabel[%zu]", i);
        }
        rule->groups = pattern_groups_new(rule->pattern);
        relabel->count++;
    }
    *ret_relabel = relabel;
    return 0;
}

void relabel_free(struct relabel *relabel)
{
    if (!relabel)
        return;
    for (size_t i = 0; i < relabel->count; i++) {
        pattern_groups_free(relabel->rules[i].groups);
        pattern_free(relabel->rules[i].pattern);
    }
    arena_free(relabel->arena);
    buf_deinit(&relabel->text);
    free(relabel->rules);
    free(relabel);
}

/* --- labels
 * ------------------------------------------------------------------------------------------------ */

static struct label *find(const struct series *series, struct str name)
{
    for (size_t i = 0; i < series->count; i++) {
        if (str_equal(series->labels[i].name, name))
            return &series->labels[i];
    }
    return NULL;
}

static struct str value_of(const struct series *series, struct str name)
{
    if (str_equal(name, STR("__name__")))
        return series->name;
    const struct label *label = find(series, name);
    return label ? label->value : STR("");
}

static void take_away(struct series *series, const struct label *label)
{
    size_t at = (size_t)(label - series->labels);
    memmove(&series->labels[at], &series->labels[at + 1], (series->count - at - 1) * sizeof *label);
    series->count--;
}

/* Of names only a series has told, those that are none are passed over, as Prometheus does. */
static void put(struct series *series, struct str name, struct str value)
{
    struct label *label = find(series, name);
    if (!label_name_valid(name) || str_equal(name, STR("__name__")))
        return;
    if (!value.len) {
        if (label)
            take_away(series, label);
    } else if (label) {
        label->value = value;
    } else if (series->count < LIMIT_LABELS_PER_SERIES) {
        series->labels[series->count++] = (struct label){name, value};
    } else {
        series->full = true;
    }
}

/* What is in the buffer, for as long as the call's result. */
static struct str kept(const struct relabel *relabel)
{
    struct str text = buf_str(&relabel->text);
    return (struct str){arena_strdup(relabel->arena, text), text.len};
}

static struct str source_of(const struct series *series, const struct relabel_rule *rule)
{
    const struct string_list *names = &rule->source_labels;
    if (names->count == 1)
        return value_of(series, str_from(names->items[0]));
    struct buf *text = &series->relabel->text;
    buf_reset(text);
    for (size_t i = 0; i < names->count; i++) {
        if (i)
            buf_append_text(text, rule->separator);
        buf_append_str(text, value_of(series, str_from(names->items[i])));
    }
    return kept(series->relabel);
}

/* --- rules
 * ------------------------------------------------------------------------------------------------- */

static struct str expand(const struct series *series, const struct rule *rule, struct str source,
                         const char *template)
{
    if (!strchr(template, '$'))
        return str_from(template);
    buf_reset(&series->relabel->text);
    pattern_expand(rule->pattern, rule->groups, source, str_from(template), &series->relabel->text);
    return kept(series->relabel);
}

static void replace(struct series *series, const struct rule *rule, struct str source)
{
    if (!pattern_find(rule->pattern, source, rule->groups))
        return;
    struct str target = expand(series, rule, source, rule->config->target_label);
    put(series, target, expand(series, rule, source, rule->config->replacement));
}

static void change_case(struct series *series, const struct rule *rule, struct str source)
{
    char first = rule->config->action == RELABEL_LOWERCASE ? 'A' : 'a';
    char *text = arena_alloc(series->relabel->arena, source.len + 1);
    for (size_t i = 0; i < source.len; i++) {
        bool other = source.ptr[i] >= first && source.ptr[i] <= first + 25;
        text[i] = (char)(other ? source.ptr[i] ^ 0x20 : source.ptr[i]);
    }
    put(series, str_from(rule->config->target_label), (struct str){text, source.len});
}

static void map_names(struct series *series, const struct rule *rule)
{
    size_t count = series->count; /* those that are added are not asked */
    struct label *before = arena_alloc(series->relabel->arena, (count + 1) * sizeof *before);
    memcpy(before, series->labels, count * sizeof *before);
    for (size_t i = 0; i < count; i++) {
        if (pattern_find(rule->pattern, before[i].name, rule->groups))
            put(series, expand(series, rule, before[i].name, rule->config->replacement), before[i].value);
    }
}

static void sift_names(struct series *series, const struct rule *rule)
{
    bool wanted = rule->config->action == RELABEL_LABEL_KEEP;
    size_t kept_count = 0;
    for (size_t i = 0; i < series->count; i++) {
        if (pattern_find(rule->pattern, series->labels[i].name, rule->groups) == wanted)
            series->labels[kept_count++] = series->labels[i];
    }
    series->count = kept_count;
}

/* False: the series is left out. */
static bool apply(struct series *series, const struct rule *rule)
{
    const struct relabel_rule *config = rule->config;
    struct str source = source_of(series, config);
    switch ((enum relabel_action)config->action) {
    case RELABEL_REPLACE:
        replace(series, rule, source);
        return true;
    case RELABEL_KEEP:
        return pattern_find(rule->pattern, source, rule->groups);
    case RELABEL_DROP:
        return !pattern_find(rule->pattern, source, rule->groups);
    case RELABEL_KEEP_EQUAL:
        return str_equal(source, value_of(series, str_from(config->target_label)));
    case RELABEL_DROP_EQUAL:
        return !str_equal(source, value_of(series, str_from(config->target_label)));
    case RELABEL_LABEL_MAP:
        map_names(series, rule);
        return true;
    case RELABEL_LABEL_DROP:
    case RELABEL_LABEL_KEEP:
        sift_names(series, rule);
        return true;
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE:
        change_case(series, rule, source);
        return true;
    }
    return true;
}

/* What rules put down for later rules. */
static void sift_temporary(struct series *series)
{
    size_t kept_count = 0;
    for (size_t i = 0; i < series->count; i++) {
        const struct label *label = &series->labels[i];
        if (label->name.len < 2 || memcmp(label->name.ptr, "__", 2) != 0)
            series->labels[kept_count++] = *label;
    }
    series->count = kept_count;
}

enum relabel_verdict relabel_apply(struct relabel *relabel, struct str name, struct label *labels,
                                   size_t *count)
{
    struct series series = {.relabel = relabel, .name = name, .labels = labels, .count = *count};
    arena_reset(relabel->arena);
    for (size_t i = 0; i < relabel->count; i++) {
        if (!apply(&series, &relabel->rules[i]))
            return RELABEL_LEAVE_OUT;
    }
    sift_temporary(&series);
    *count = series.count;
    return series.full ? RELABEL_TOO_MANY_LABELS : RELABEL_TAKE;
}
