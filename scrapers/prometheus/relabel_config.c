#include "scrapers/prometheus/relabel.h"

#include "lib/metrics/pattern.h"

#define RULE(member) offsetof(struct relabel_rule, member)

static const struct option_enum actions[] = {
    {"replace", RELABEL_REPLACE},
    {"keep", RELABEL_KEEP},
    {"drop", RELABEL_DROP},
    {"keepequal", RELABEL_KEEP_EQUAL},
    {"dropequal", RELABEL_DROP_EQUAL},
    {"labelmap", RELABEL_LABEL_MAP},
    {"labeldrop", RELABEL_LABEL_DROP},
    {"labelkeep", RELABEL_LABEL_KEEP},
    {"lowercase", RELABEL_LOWERCASE},
    {"uppercase", RELABEL_UPPERCASE},
    {0},
};

static int check_pattern(const char *text, struct error *err)
{
    struct pattern *pattern = NULL;
    int code = pattern_new(str_from(text), &pattern, err);
    pattern_free(pattern);
    return code;
}

static int check_label(const char *text, struct error *err)
{
    return label_name_valid(str_from(text))
               ? 0
               : error_set(err, ERR_CONFIG, "\"%s\" is no name of a label", text);
}

static int check_target(const char *text, struct error *err)
{
    if (strcmp(text, "__name__") == 0)
        return error_set(err, ERR_CONFIG, "a metric keeps its name: __name__ may be read and not written");
    /* With groups in it only a series can tell. */
    return strchr(text, '$') ? 0 : check_label(text, err);
}

static const struct option options[] = {
    {.name = "action",
     .type = OPT_ENUM,
     .offset = RULE(action),
     .default_text = "replace",
     .choices = actions,
     .help = "As in Prometheus; lowercase and uppercase change the letters of ASCII."},
    {.name = "source_labels",
     .type = OPT_STRING_LIST,
     .offset = RULE(source_labels),
     .check = check_label,
     .help =
         "Labels whose values, joined by separator, regex is matched with. __name__ is the metric's name."},
    {.name = "separator",
     .type = OPT_STRING,
     .offset = RULE(separator),
     .default_text = ";",
     .help = "Between the values of source_labels."},
    {.name = "regex",
     .type = OPT_STRING,
     .offset = RULE(regex),
     .default_text = "(.*)",
     .check = check_pattern,
     .help = "Regular expression, anchored at both ends; of labelmap, labeldrop and labelkeep on names."},
    {.name = "target_label",
     .type = OPT_STRING,
     .offset = RULE(target_label),
     .check = check_target,
     .help = "Label that is written, or of keepequal and dropequal compared with; may have groups of regex."},
    {.name = "replacement",
     .type = OPT_STRING,
     .offset = RULE(replacement),
     .default_text = "$1",
     .help =
         "What is written, with groups of regex as $1 or ${1}; nothing takes the label away. Of labelmap the "
         "new name."},
};

static bool needs_target(int action)
{
    return action == RELABEL_REPLACE || action == RELABEL_KEEP_EQUAL || action == RELABEL_DROP_EQUAL ||
           action == RELABEL_LOWERCASE || action == RELABEL_UPPERCASE;
}

static bool is_of_names(int action)
{
    return action == RELABEL_LABEL_MAP || action == RELABEL_LABEL_DROP || action == RELABEL_LABEL_KEEP;
}

static const char *name_of(int action)
{
    for (const struct option_enum *one = actions; one->name; one++) {
        if (one->value == action)
            return one->name;
    }
    return "";
}

static void check_rule(const void *config, const struct node *node, struct diag *diag)
{
    const struct relabel_rule *rule = config;
    const char *name = name_of(rule->action);
    if (needs_target(rule->action) && (!rule->target_label || !rule->target_label[0]))
        (void)node_report(node, diag, DIAG_ERROR, "action %s needs target_label", name);
    if (!needs_target(rule->action) && rule->target_label)
        (void)node_report(node, diag, DIAG_ERROR, "action %s writes no target_label", name);
    if (is_of_names(rule->action) && rule->source_labels.count)
        (void)node_report(node, diag, DIAG_ERROR, "action %s is of names and takes no source_labels", name);
    else if (!is_of_names(rule->action) && rule->action != RELABEL_REPLACE && !rule->source_labels.count)
        (void)node_report(node, diag, DIAG_ERROR, "action %s needs source_labels", name);
}

const struct option_section relabel_section = {
    .name = "scrapers.prometheus[].relabel[]",
    .help = "A rule on the labels of each series, as Prometheus' metric_relabel_configs; after drop and "
            "keep, and "
            "before the limits. hashmod is not among the actions.",
    .size = sizeof(struct relabel_rule),
    .options = options,
    .option_count = ARRAY_LEN(options),
    .has_position = true,
    .position_offset = RULE(position),
    .check = check_rule,
};
