#include "provisioner/config/dialect.h"

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
    (void)findings_add(conversion->findings, DIAG_WARNING, "init", node, "%s is not carried over: %s",
                       node_path(node, path), why);
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
    buf_printf(conversion->out, "%*s%s: ", (int)indent, "", key);
    if (is_number(value))
        buf_append_str(conversion->out, value->scalar);
    else
        yaml_write_scalar(conversion->out, value->scalar);
    buf_append_byte(conversion->out, '\n');
    return true;
}

/* A member of the same name and meaning. */
static bool put_same(const struct conversion *conversion, unsigned indent, const char *const *names,
                     const char *key, const struct node *value)
{
    for (; *names; names++) {
        if (is(key, *names))
            return put(conversion, indent, *names, value);
    }
    return false;
}

static bool put_tree(const struct conversion *conversion, const char *key, const struct node *value)
{
    buf_printf(conversion->out, "  %s:\n", key);
    yaml_write_node(conversion->out, value, 4);
    return true;
}

/* --- regions
 * --------------------------------------------------------------------------------------------------- */

static bool take_compute(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "type"))
        return is_text(value); /* ec2, compute-engine, virtual-machine: the provider says it */
    if (is(key, "instance") || is(key, "machine-type") || is(key, "size") || is(key, "instance-type"))
        return put(conversion, 4, "instance_type", value);
    if (is(key, "count"))
        return put(conversion, 4, "instances", value);
    return false;
}

/* "500gb" and "500" are 500GB. What is no size is left for the file's own reader to refuse. */
static bool put_storage(const struct conversion *conversion, const struct node *value)
{
    static const char *const units[][2] = {{"", "GB"},     {"MB", "MB"},   {"GB", "GB"},  {"TB", "TB"},
                                           {"MiB", "MiB"}, {"GiB", "GiB"}, {"TiB", "TiB"}};
    if (!is_text(value))
        return false;
    size_t digits = strspn(value->scalar.ptr, "0123456789.");
    for (size_t i = 0; digits && i < ARRAY_LEN(units); i++) {
        if (strcasecmp(value->scalar.ptr + digits, units[i][0]) == 0) {
            buf_printf(conversion->out, "      storage: %.*s%s\n", (int)digits, value->scalar.ptr,
                       units[i][1]);
            return true;
        }
    }
    return put(conversion, 6, "storage", value);
}

static bool take_database(const struct conversion *conversion, const char *key, const struct node *value)
{
    static const char *const same[] = {
        "engine", "type", "size", "tier", "sku", "version", "high-availability", "max-storage", NULL};
    if (is(key, "storage"))
        return put_storage(conversion, value);
    if (is(key, "multi-az"))
        return put(conversion, 6, "high-availability", value);
    return put_same(conversion, 6, same, key, value);
}

static bool take_networking(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "cidr") && is_text(value)) {
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
    static const char *const same[] = {"provider", "location",      "instance_type", "size",
                                       "account",  "max-instances", "instances",     NULL};
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
    return put_same(conversion, 4, same, key, value);
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
    static const char *const same[] = {"name", "environment", NULL};
    if (is(key, "labels") && value->kind == NODE_MAPPING)
        return put_tree(conversion, "labels", value);
    return put_same(conversion, 2, same, key, value);
}

static bool take_replication(const struct conversion *conversion, const char *key, const struct node *value)
{
    static const char *const same[] = {"consistency", "conflict-resolution", "primary",
                                       "rpo",         "lag-target",          NULL};
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
    return put_same(conversion, 2, same, key, value);
}

static bool take_compliance(const struct conversion *conversion, const char *key, const struct node *value)
{
    if (is(key, "standards") && value->kind == NODE_SEQUENCE)
        return put_tree(conversion, "standards", value);
    if (is(key, "data-residency") && value->kind == NODE_MAPPING)
        return put_tree(conversion, "data-residency", value);
    return false;
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
    static const char *const same[] = {"enabled", "availability", "log-retention", "metrics-retention", NULL};
    if (is(key, "provider") || is(key, "dashboards")) {
        leave(conversion, value, "dashboards and what they read come with the collector");
        return true;
    }
    if (is(key, "backends")) {
        take_backends(conversion, value);
        return true;
    }
    return put_same(conversion, 2, same, key, value);
}

/* "150%" or "150 % of budget" is 150. */
static bool put_percent(const struct conversion *conversion, const char *key, const struct node *value)
{
    size_t digits = is_text(value) ? strspn(value->scalar.ptr, "0123456789") : 0;
    if (!digits)
        return false;
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
    return (is(key, "budget") || is(key, "monthly-budget")) && put(conversion, 2, "monthly-budget", value);
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
            buf_printf(conversion->out, "\n%s:\n", sections[i].name);
            each(conversion, value, sections[i].take);
            return true;
        }
    }
    return false;
}

void dialect_convert(const struct node *root, struct findings *findings, struct buf *out)
{
    struct conversion conversion = {findings, out};
    buf_append_text(out, "version: 1\n");
    each(&conversion, root, take_section);
}
