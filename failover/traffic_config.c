#include "failover/traffic_config.h"

#define RULE(member)    offsetof(struct traffic_rule, member)
#define TRAFFIC(member) offsetof(struct traffic_config, member)

#define MINUTES (60 * NS_PER_S)
#define HOURS   (60 * MINUTES)

const struct traffic_rule *traffic_rule_find(const struct traffic_config *config, const char *trigger,
                                             const char *region)
{
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct traffic_rule *rule = traffic_rule_at(config, i);
        if (strcmp(rule->trigger, trigger) == 0 && strcmp(rule->region, region) == 0)
            return rule;
    }
    return NULL;
}

static bool lists(const struct string_list *list, const char *server)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], server) == 0)
            return true;
    }
    return false;
}

bool traffic_rule_names(const struct traffic_rule *rule, const char *server, bool *ret_cut)
{
    bool cut = lists(&rule->cut, server);
    if (ret_cut)
        *ret_cut = cut;
    return cut || lists(&rule->drain, server);
}

/* The name becomes part of a command line, where a blank, a ; or a line end would begin another word. */
static int check_server(const char *text, struct error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
    size_t backend = strspn(text, allowed);
    size_t server = text[backend] == '/' ? strspn(text + backend + 1, allowed) : 0;
    if (backend && server && !text[backend + 1 + server] && strlen(text) <= TRAFFIC_SERVER_MAX)
        return 0;
    return error_set(err, ERR_CONFIG, "\"%s\" is not BACKEND/SERVER of HAProxy", text);
}

static const struct option rule_options[] = {
    {.name = "trigger",
     .type = OPT_STRING,
     .offset = RULE(trigger),
     .required = true,
     .not_empty = true,
     .help = "Name of the trigger, the label alertname of the webhook. Incidents of triggers that no rule "
             "names change nothing."},
    {.name = "region",
     .type = OPT_STRING,
     .offset = RULE(region),
     .required = true,
     .not_empty = true,
     .help = "The incident's label region. A region that no rule of its trigger names is refused."},
    {.name = "drain",
     .type = OPT_STRING_LIST,
     .offset = RULE(drain),
     .check = check_server,
     .help = "BACKEND/SERVER of HAProxy that get no new connections while the incident is open."},
    {.name = "cut",
     .type = OPT_STRING_LIST,
     .offset = RULE(cut),
     .check = check_server,
     .help = "The same, and their sessions are ended: for connections that a pool would keep."},
    {.name = "cut_after",
     .type = OPT_STRING_LIST,
     .offset = RULE(cut_after),
     .check = check_server,
     .help = "Servers that stood in: their sessions are ended when one of drain or cut is given back, so "
             "that connections that a pool keeps come home."},
};

static void check_rule(const void *config, const struct node *node, struct diag *diag)
{
    const struct traffic_rule *rule = config;
    if (!rule->drain.count && !rule->cut.count)
        (void)node_report(node, diag, DIAG_ERROR, "a rule needs servers in drain or cut");
    if (rule->drain.count > TRAFFIC_MAX_SERVERS || rule->cut.count > TRAFFIC_MAX_SERVERS)
        (void)node_report(node, diag, DIAG_ERROR, "a rule takes at most %u servers", TRAFFIC_MAX_SERVERS);
    if (rule->cut_after.count > TRAFFIC_MAX_AFTER)
        (void)node_report(node, diag, DIAG_ERROR, "cut_after takes at most %u servers", TRAFFIC_MAX_AFTER);
    for (size_t i = 0; i < rule->cut.count; i++) {
        if (lists(&rule->drain, rule->cut.items[i]))
            (void)node_report(node, diag, DIAG_ERROR, "%s is in drain and in cut", rule->cut.items[i]);
    }
}

static const struct option_section rule_section = {
    .name = "traffic.rules[]",
    .help = "What one trigger's incidents in one region do.",
    .size = sizeof(struct traffic_rule),
    .options = rule_options,
    .option_count = ARRAY_LEN(rule_options),
    .has_position = true,
    .position_offset = RULE(position),
    .check = check_rule,
};

static const struct option options[] = {
    {.name = "haproxy",
     .type = OPT_PATH,
     .offset = TRAFFIC(haproxy),
     .required = true,
     .not_empty = true,
     .help = "Runtime socket of HAProxy, level admin."},
    {.name = "secret_file",
     .type = OPT_SECRET_FILE,
     .offset = TRAFFIC(secret_file),
     .required = true,
     .help = "Secrets that sign the webhooks, as in notify[].webhook. Without a signature nothing is taken."},
    {.name = "max_age",
     .type = OPT_DURATION,
     .offset = TRAFFIC(max_age_ns),
     .default_text = "5m",
     .min = NS_PER_S,
     .max = HOURS,
     .unit = "duration",
     .help = "How far a webhook's timestamp may be from our clock, either way. An id is taken once."},
    {.name = "max_hold",
     .type = OPT_DURATION,
     .offset = TRAFFIC(max_hold_ns),
     .default_text = "6h",
     .min = NS_PER_S,
     .max = 30 * 24 * HOURS,
     .unit = "duration",
     .help = "An incident that was not resolved for this long is forgotten: whoever saw it may be gone."},
    {.name = "interval",
     .type = OPT_DURATION,
     .offset = TRAFFIC(interval_ns),
     .default_text = "2s",
     .min = 100 * NS_PER_MS,
     .max = HOURS,
     .unit = "duration",
     .help = "How often HAProxy is looked at while a server is out: a restart forgets it, and a server must "
             "come back when no other one of its backend is left."},
    {.name = "timeout",
     .type = OPT_DURATION,
     .offset = TRAFFIC(timeout_ns),
     .default_text = "2s",
     .min = 10 * NS_PER_MS,
     .max = MINUTES,
     .unit = "duration",
     .help = "Limit of one command to HAProxy."},
    {.name = "rules",
     .type = OPT_SECTION_LIST,
     .offset = TRAFFIC(rules),
     .section = &rule_section,
     .required = true,
     .not_empty = true,
     .help = "What may be done."},
};

static void check_traffic(const void *config, const struct node *node, struct diag *diag)
{
    const struct traffic_config *traffic = config;
    if (traffic->rules.count > TRAFFIC_MAX_RULES) {
        (void)node_report(node, diag, DIAG_ERROR, "at most %u rules", TRAFFIC_MAX_RULES);
        return;
    }
    for (size_t i = 0; i < traffic->rules.count; i++) {
        const struct traffic_rule *rule = traffic_rule_at(traffic, i);
        const struct traffic_rule *first = traffic_rule_find(traffic, rule->trigger, rule->region);
        if (first != rule)
            (void)diag_add(diag, DIAG_ERROR, rule->position.file, rule->position.line, rule->position.column,
                           "a rule for %s in %s exists already at %s:%u", rule->trigger, rule->region,
                           first->position.file, first->position.line);
    }
}

const struct option_section traffic_section = {
    .name = "traffic",
    .help = "Takes servers of HAProxy out of service for as long as an incident is open, told by the webhook "
            "of this or another collector (POST /api/v1/traffic). It sets weights only: a server that is "
            "disabled stays so, and none is the last of its backend to go.",
    .size = sizeof(struct traffic_config),
    .options = options,
    .option_count = ARRAY_LEN(options),
    .check = check_traffic,
};
