/* The order of checks, and what they share. */
#include "provisioner/config/checks.h"

#include "lib/core/str.h"

#include <stdarg.h>
#include <stdio.h>

/* "filters.0.rows" as the option tables say it: "filters[0].rows". */
static const char *show_path(const char *path, char shown[2 * NODE_PATH_MAX])
{
    size_t used = 0;
    while (*path && used + 4 < 2 * (size_t)NODE_PATH_MAX) {
        size_t digits = *path == '.' ? strspn(path + 1, "0123456789") : 0;
        if (!digits || (path[1 + digits] != '.' && path[1 + digits] != '\0')) {
            shown[used++] = *path++;
            continue;
        }
        shown[used++] = '[';
        for (size_t i = 1; i <= digits && used + 4 < 2 * (size_t)NODE_PATH_MAX; i++)
            shown[used++] = path[i];
        shown[used++] = ']';
        path += 1 + digits;
    }
    shown[used] = '\0';
    return shown;
}

static struct finding *report(const struct deployment *deployment, struct findings *findings,
                              enum diag_severity severity, const char *rule, const char *path,
                              const char *format, va_list arguments) PRINTF_LIKE(6, 0);
static struct finding *report(const struct deployment *deployment, struct findings *findings,
                              enum diag_severity severity, const char *rule, const char *path,
                              const char *format, va_list arguments)
{
    char message[ERROR_MESSAGE_MAX], shown[2 * NODE_PATH_MAX];
    (void)vsnprintf(message, sizeof message, format, arguments);
    return findings_add(findings, severity, rule, deployment_node(deployment, path), "%s%s%s",
                        show_path(path, shown), *path ? ": " : "", message);
}

struct finding *check_fail(const struct deployment *deployment, struct findings *findings, const char *rule,
                           const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct finding *finding = report(deployment, findings, DIAG_ERROR, rule, path, format, arguments);
    va_end(arguments);
    return finding;
}

struct finding *check_warn(const struct deployment *deployment, struct findings *findings, const char *rule,
                           const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct finding *finding = report(deployment, findings, DIAG_WARNING, rule, path, format, arguments);
    va_end(arguments);
    return finding;
}

const char *check_path(const struct deployment *deployment, const char *format, ...)
{
    char text[2 * NODE_PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return arena_strdup(deployment->arena, str_from(text));
}

bool check_written(const struct deployment *deployment, const char *path)
{
    const struct node *node = deployment_node(deployment, path);
    const char *last = strrchr(path, '.');
    size_t steps = 1, depth = 0;
    for (const char *at = path; *at; at++)
        steps += *at == '.';
    /* The nearest above may have the same name: a region that is called account has none of its own. */
    for (const struct node *above = node; above && above->parent; above = above->parent)
        depth++;
    last = last ? last + 1 : path;
    return depth == steps && node->key && strcmp(node->key, last) == 0;
}

const char *check_nearest(const struct deployment *deployment, const char *text, const char *const *names,
                          size_t count)
{
    const char *nearest = str_nearest(text, names, count);
    return nearest ? arena_printf(deployment->arena, ": did you mean \"%s\"?", nearest) : "";
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool check_is_name(const char *text, size_t max)
{
    size_t length = strlen(text);
    bool sound = length > 0 && length <= max && is_lower(text[0]) && text[length - 1] != '-';
    for (size_t i = 0; i < length && sound; i++)
        sound = is_lower(text[i]) || is_digit(text[i]) || text[i] == '-';
    return sound;
}

bool check_is_plain(const char *text, const char *allowed)
{
    for (const char *at = text; *at; at++) {
        bool letter = is_lower(*at) || is_digit(*at) || (*at >= 'A' && *at <= 'Z');
        if (!letter && !strchr(allowed, *at))
            return false;
    }
    return *text != '\0';
}

void check_at_name(const struct deployment *deployment, const char *mapping, const char *name,
                   struct finding *finding)
{
    const struct node_pair *pair = node_find(deployment_node(deployment, mapping), name);
    if (finding && pair) {
        finding->line = pair->line;
        finding->column = pair->column;
    }
}

struct finding *check_region_name(const struct deployment *deployment, const char *name, const char *path,
                                  struct findings *findings)
{
    if (!name || deployment_find_region(deployment, name))
        return NULL;
    size_t count = deployment_region_count(deployment);
    const char **names = arena_alloc(deployment->arena, (count + 1) * sizeof *names);
    struct buf known = BUF_INIT(ERROR_MESSAGE_MAX);
    for (size_t i = 0; i < count; i++) {
        names[i] = deployment_region(deployment, i)->name;
        buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
    }
    const char *nearest = check_nearest(deployment, name, names, count);
    struct finding *finding = check_fail(deployment, findings, "region-name", path,
                                         "there is no region \"%.60s\"%s", name, nearest);
    if (!*nearest && !known.failed)
        finding_hint(findings, finding, "The regions are %s.", buf_text(&known));
    buf_deinit(&known);
    return finding;
}

void check_labels(const struct deployment *deployment, const struct string_map *labels, const char *path,
                  struct findings *findings)
{
    for (size_t i = 0; i < labels->count; i++) {
        const char *key = labels->items[i].key, *value = labels->items[i].value;
        struct finding *named = NULL;
        const char *at = check_path(deployment, "%s.%s", path, key);
        bool sound = strlen(key) <= 63 && is_lower(key[0]);
        for (const char *c = key; *c && sound; c++)
            sound = is_lower(*c) || is_digit(*c) || *c == '-' || *c == '_';
        if (!sound)
            named = check_fail(
                deployment, findings, "label", at,
                "a label's name has lower case letters, digits, - and _, a letter first, at most 63");
        else if (strncmp(key, "fraiseql-", 9) == 0)
            named = check_fail(deployment, findings, "label", at,
                               "names that start with fraiseql- are kept for what the program itself marks");
        check_at_name(deployment, path, key, named);
        sound = strlen(value) <= 63;
        for (const char *c = value; *c && sound; c++)
            sound = is_lower(*c) || is_digit(*c) || *c == '-' || *c == '_';
        if (!sound)
            (void)check_fail(deployment, findings, "label", at,
                             "a label's value has lower case letters, digits, - and _, at most 63: found "
                             "\"%.80s\"",
                             value);
    }
}

static void check_metadata(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_metadata *metadata = &deployment->metadata;
    if (metadata->name && !check_is_name(metadata->name, 40))
        (void)check_fail(deployment, findings, "name", "metadata.name",
                         "want at most 40 lower case letters, digits and dashes, a letter first and no dash "
                         "last, found \"%.80s\"",
                         metadata->name);
    if (metadata->environment && !check_is_name(metadata->environment, 20))
        (void)check_fail(deployment, findings, "name", "metadata.environment",
                         "want at most 20 lower case letters, digits and dashes, a letter first and no dash "
                         "last, found \"%.80s\"",
                         metadata->environment);
    check_labels(deployment, &metadata->labels, "metadata.labels", findings);
}

void check_deployment(const struct deployment *deployment, struct findings *findings)
{
    check_texts(deployment, findings);
    check_metadata(deployment, findings);
    check_regions(deployment, findings);
    check_networks(deployment, findings);
    check_service(deployment, findings);
    check_traffic(deployment, findings);
    check_operation(deployment, findings);
    check_state(deployment, findings);
    check_replication(deployment, findings);
    check_compliance(deployment, findings);
}

void check_contradictions(const struct deployment *deployment, struct findings *findings)
{
    contradict_residency(deployment, findings);
    contradict_filters(deployment, findings);
    contradict_physics(deployment, findings);
}
