#include "provisioner/config/dialect.h"

#include "provisioner/config/sections.h"

#include <stdio.h>

struct conversion {
    struct findings *findings;
    struct buf *out;
};

typedef bool take_fn(const struct conversion *conversion, const char *key, const struct node *value);

/* - and _ are the same. */
static bool is(const char *key, const char *name)
{
    for (; *key && *name; key++, name++) {
        if ((*key == '_' ? '-' : *key) != (*name == '_' ? '-' : *name))
            return false;
    }
    return *key == *name;
}

static bool is_text(const struct node *node)
{
    return node->kind == NODE_SCALAR && !node_is_null(node);
}

static void leave(const struct conversion *conversion, const struct node *node, const char *why)
{
    char path[NODE_PATH_MAX];
    (void)node_path(node, path);
    (void)findings_add(conversion->findings, DIAG_WARNING, "init", node, "%s is not carried over: %s",
                       path[0] ? path : "the file", why);
}

/* True when the mapping that is being written, whose keys stand at this indent, has the key already. */
static bool is_written(const struct buf *out, size_t indent, const char *key)
{
    const char *end = out->data + out->len;
    size_t length = strlen(key);
    while (end > out->data) {
        const char *line = end - 1;
        while (line > out->data && line[-1] != '\n')
            line--;
        size_t size = (size_t)(end - line), blanks = 0;
        while (blanks < size && line[blanks] == ' ')
            blanks++;
        if (blanks < indent && line[blanks] != '\n')
            return false;
        if (blanks == indent && size > indent + length && memcmp(line + indent, key, length) == 0 &&
            line[indent + length] == ':')
            return true;
        end = line;
    }
    return false;
}

/* Two keys of the old dialect may mean one of this; the first counts. */
static bool is_first(const struct conversion *conversion, unsigned indent, const char *key,
                     const struct node *value)
{
    if (!is_written(conversion->out, indent, key))
        return true;
    leave(conversion, value, "another key of the file says it already");
    return false;
}

/* Each member is taken, or left with a word. */
static void each(const struct conversion *conversion, const struct node *mapping, take_fn *take)
{
    if (mapping->kind != NODE_MAPPING) {
        leave(conversion, mapping, "a mapping is expected here");
        return;
    }
    for (size_t i = 0; i < mapping->count; i++) {
        const struct node *value = mapping->pairs[i].value;
        if (!take(conversion, mapping->pairs[i].key.ptr, value))
            leave(conversion, value, "there is nothing like it in this format");
    }
}

/* "3", "100ms": as people write them, without the quotes that keep other readers from guessing a type. */
static bool is_number(const struct node *node)
{
    static const char characters[] = "0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return node->plain && node->scalar.len && node->scalar.ptr[0] >= '0' && node->scalar.ptr[0] <= '9' &&
           strspn(node->scalar.ptr, characters) == node->scalar.len;
}

static bool put(const struct conversion *conversion, unsigned indent, const char *key,
                const struct node *value)
{
    if (!is_text(value))
        return false;
    if (!is_first(conversion, indent, key, value))
        return true;
    buf_printf(conversion->out, "%*s%s: ", (int)indent, "", key);
    if (is_number(value))
        buf_append_str(conversion->out, value->scalar);
    else
        yaml_write_scalar(conversion->out, value->scalar);
    buf_append_byte(conversion->out, '\n');
    return true;
}

static void put_tree(const struct conversion *conversion, unsigned indent, const char *key,
                     const struct node *value)
{
    if (!is_first(conversion, indent, key, value))
        return;
    buf_printf(conversion->out, "%*s%s:%s", (int)indent, "", key, value->count ? "\n" : " ");
    yaml_write_node(conversion->out, value, value->count ? indent + 2 : 0);
}

/* A member that this format has by the same name. */
static bool put_same(const struct conversion *conversion, unsigned indent,
                     const struct option_section *section, const char *key, const struct node *value)
{
    for (size_t i = 0; i < section->option_count; i++) {
        const char *name = section->options[i].name;
        if (!is(key, name))
            continue;
        if (value->kind == NODE_SCALAR)
            return node_is_null(value) || put(conversion, indent, name, value);
        put_tree(conversion, indent, name, value);
        return true;
    }
    return false;
}

/* --- regions
 * --------------------------------------------------------------------------------------------------- */

/* The provider says it already. */
static bool is_machine(const struct node *type)
{
    static const char *const machines[][2] = {
        {"aws", "ec2"}, {"gcp", "compute-engine"}, {"azure", "virtual-machine"}};
    struct str provider = node_text(type->parent->parent, "provider");
    for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
        if (str_equal_text(provider, machines[i][0]))
            return is(type->scalar.ptr, machines[i][1]);
    }
    return false;
}

static bool take_compute(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "type") && is_text(value)) {
        if (!is_machine(value))
            leave(conversion, value, "the service runs on virtual machines of the region's provider");
        return true;
    }
    if (is(key, "instance") || is(key, "machine-type") || is(key, "size") || is(key, "instance-type"))
        return put(conversion, 4, "instance_type", value);
    if (is(key, "count"))
        return put(conversion, 4, "instances", value);
    return false;
}

/* "500gb" and "500 GB" are 500GB, and so is 500. Anything else is written as it is, for its error. */
static bool put_storage(const struct conversion *conversion, const struct node *value)
{
    static const char *const units[] = {"", "MB", "GB", "TB", "MiB", "GiB", "TiB"};
    if (!is_text(value))
        return false;
    size_t digits = strspn(value->scalar.ptr, "0123456789.");
    const char *unit = value->scalar.ptr + digits + strspn(value->scalar.ptr + digits, " ");
    for (size_t i = 0; digits && i < ARRAY_LEN(units); i++) {
        if (strcasecmp(unit, units[i]) != 0)
            continue;
        if (!is_first(conversion, 6, "storage", value))
            return true;
        char path[NODE_PATH_MAX];
        if (!*unit)
            (void)findings_add(conversion->findings, DIAG_WARNING, "init", value,
                               "%s has no unit and is taken for GB", node_path(value, path));
        buf_printf(conversion->out, "      storage: %.*s%s\n", (int)digits, value->scalar.ptr,
                   *unit ? units[i] : "GB");
        return true;
    }
    return put(conversion, 6, "storage", value);
}

static bool take_database(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "storage"))
        return put_storage(conversion, value);
    if (is(key, "multi-az"))
        return put(conversion, 6, "high-availability", value);
    return put_same(conversion, 6, &section_database, key, value);
}

static bool take_networking(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "cidr") && is_text(value)) {
        if (!is_first(conversion, 4, "network", value))
            return true;
        buf_append_text(conversion->out, "    network: {cidr: ");
        yaml_write_scalar(conversion->out, value->scalar);
        buf_append_text(conversion->out, "}\n");
        return true;
    }
    if (is(key, "vpc") || is(key, "vnet") || is(key, "subnet") || is(key, "network")) {
        leave(conversion, value, "each region has a network of its own, made by the deployment");
        return true;
    }
    return false;
}

static bool take_region(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "compute")) {
        each(conversion, value, take_compute);
        return true;
    }
    if (is(key, "database")) {
        buf_append_text(conversion->out, "    database:\n");
        each(conversion, value, take_database);
        return true;
    }
    if (is(key, "networking") || is(key, "network")) {
        each(conversion, value, take_networking);
        return true;
    }
    return put_same(conversion, 4, &section_region, key, value);
}

static bool take_named_region(const struct conversion *conversion, const char *key, const struct node *value)
{
    buf_append_text(conversion->out, "  ");
    yaml_write_scalar(conversion->out, str_from(key));
    buf_append_text(conversion->out, ":\n");
    each(conversion, value, take_region);
    return true;
}

/* --- the other sections
 * ---------------------------------------------------------------------------------------- */

static bool take_metadata(const struct conversion *conversion, const char *key, const struct node *value)
{
    return put_same(conversion, 2, &section_metadata, key, value);
}

static bool take_replication(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "replication-lag-target"))
        return put(conversion, 2, "lag-target", value);
    if (is(key, "mode") && is_text(value)) {
        bool multi = is(value->scalar.ptr, "multi-master") || is(value->scalar.ptr, "multi-primary");
        bool single = is(value->scalar.ptr, "active-passive") || is(value->scalar.ptr, "primary-replica");
        buf_append_text(conversion->out, "  mode: ");
        yaml_write_scalar(conversion->out, multi    ? STR("active-active")
                                           : single ? STR("streaming")
                                                    : value->scalar);
        buf_append_byte(conversion->out, '\n');
        return true;
    }
    return put_same(conversion, 2, &section_replication, key, value);
}

static bool take_compliance(const struct conversion *conversion, const char *key, const struct node *value)
{
    return put_same(conversion, 2, &section_compliance, key, value);
}

/* A list of names, or of names with settings; Prometheus has one that has a place here. */
static void take_backends(const struct conversion *conversion, const struct node *list)
{
    for (size_t i = 0; list->kind == NODE_SEQUENCE && i < list->count; i++) {
        const struct node *item = list->items[i];
        const struct node_pair *prometheus = node_find(item, "prometheus");
        const struct node *settings = prometheus ? prometheus->value : item;
        const struct node_pair *retention = node_find(settings, "retention");
        if (retention && is_text(retention->value))
            (void)put(conversion, 2, "metrics-retention", retention->value);
        if (!retention || settings->count > 1)
            leave(conversion, item,
                  "metrics go to the collector, whose own file says what it reads and who reads it");
    }
}

static bool take_monitoring(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "provider") || is(key, "dashboards")) {
        leave(conversion, value, "dashboards and what they read come with the collector");
        return true;
    }
    if (is(key, "backends")) {
        take_backends(conversion, value);
        return true;
    }
    return put_same(conversion, 2, &section_monitoring, key, value);
}

/* "150%" or "150 % of budget" is 150. Anything else is written as it is, for its error. */
static bool put_percent(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (!is_text(value))
        return false;
    size_t digits = strspn(value->scalar.ptr, "0123456789");
    const char *rest = value->scalar.ptr + digits + strspn(value->scalar.ptr + digits, " ");
    if (!digits || (*rest && *rest != '%'))
        return put(conversion, 2, key, value);
    if (is_first(conversion, 2, key, value))
        buf_printf(conversion->out, "  %s: %.*s\n", key, (int)digits, value->scalar.ptr);
    return true;
}

static bool take_alert(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "warn-on"))
        return put_percent(conversion, "warn-on-percent", value);
    if (is(key, "critical-on"))
        return put_percent(conversion, "critical-on-percent", value);
    return false;
}

static bool take_cost(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "alerts")) {
        if (value->kind != NODE_SEQUENCE)
            each(conversion, value, take_alert);
        for (size_t i = 0; value->kind == NODE_SEQUENCE && i < value->count; i++)
            each(conversion, value->items[i], take_alert);
        return true;
    }
    if (is(key, "billing-provider") && is_text(value)) {
        if (!is(value->scalar.ptr, "direct"))
            leave(conversion, value, "each cloud sends its own invoice");
        return true;
    }
    if (is(key, "budget"))
        return put(conversion, 2, "monthly-budget", value);
    return put_same(conversion, 2, &section_cost, key, value);
}

/* A section that the other dialect has not, and this one does. */
static bool put_own(const struct conversion *conversion, const char *key, const struct node *value)
{
    static const char *const own[] = {"service", "network", "traffic", "backup", "state"};
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (!is(key, own[i]) || value->kind != NODE_MAPPING)
            continue;
        buf_append_byte(conversion->out, '\n');
        put_tree(conversion, 0, own[i], value);
        return true;
    }
    return false;
}

static bool take_section(const struct conversion *conversion, const char *key, const struct node *value)
{
    static const struct {
        const char *name;
        take_fn *take;
    } sections[] = {
        {"metadata", take_metadata},     {"regions", take_named_region},  {"replication", take_replication},
        {"compliance", take_compliance}, {"monitoring", take_monitoring}, {"cost-management", take_cost},
    };
    if (is(key, "version"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        if (is(key, sections[i].name)) {
            if (!is_first(conversion, 0, sections[i].name, value))
                return true;
            buf_printf(conversion->out, "\n%s:\n", sections[i].name);
            each(conversion, value, sections[i].take);
            return true;
        }
    }
    return put_own(conversion, key, value);
}

/* What nobody looks for on a terminal later. Paths hold keys of the old file: nothing of them ends a comment.
 */
static void write_left(const struct conversion *conversion, size_t before)
{
    const struct findings *findings = conversion->findings;
    for (size_t i = before; i < findings->count; i++) {
        if (i == before)
            buf_append_text(conversion->out, "\n# From the old file, by its lines:\n");
        buf_printf(conversion->out, "#   %u: ", findings->items[i].line);
        for (const char *at = findings->items[i].message; *at; at++)
            buf_append_byte(conversion->out, *at >= ' ' && *at <= '~' ? *at : '?');
        buf_append_byte(conversion->out, '\n');
    }
}

void dialect_convert(const struct node *root, struct findings *findings, struct buf *out)
{
    struct conversion conversion = {findings, out};
    buf_append_text(out, "version: 1\n");
    size_t before = findings->count;
    each(&conversion, root, take_section);
    write_left(&conversion, before);
}
