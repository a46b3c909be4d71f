/* What exists of a deployment in one region of AWS, by its tags.
 *
 * EC2 and IAM are asked themselves: they answer with what is. For the rest there is the Resource Groups
 * Tagging API, which comes to know a change within minutes and lists what is gone for up to an hour. What
 * neither knows (autoscaling groups, log groups) has a name to clash by (aws.c). */
#include "provisioner/aws/aws.h"
#include "provisioner/render/render.h"

#include <ctype.h>
#include <stdio.h>

#define ID_TAG          "fraiseql-deployment-id"
#define REGION_TAG      "fraiseql-region"
#define ADDRESS_TAG     "fraiseql-address"
#define ADDRESS_MAX_LEN 256 /* of a tag's value, by AWS */
#define TAGGED          "aws_resourcegroupstaggingapi_resources"
#define ROLES           "aws_iam_roles"

/* Data sources that give ids of what has a tag, and how EC2 says that a resource is not gone. */
static const struct finder {
    const char *type, *data, *ids, *state_filter, *states[4];
} finders[] = {
    {"aws_vpc", "aws_vpcs", "ids", NULL, {NULL}},
    {"aws_subnet", "aws_subnets", "ids", NULL, {NULL}},
    {"aws_route_table", "aws_route_tables", "ids", NULL, {NULL}},
    {"aws_security_group", "aws_security_groups", "ids", NULL, {NULL}},
    {"aws_eip", "aws_eips", "allocation_ids", NULL, {NULL}},
    {"aws_nat_gateway", "aws_nat_gateways", "ids", "state", {"pending", "available"}},
    {"aws_instance",
     "aws_instances",
     "ids",
     "instance-state-name",
     {"pending", "running", "stopping", "stopped"}},
    /* Two types with one data source stand beside each other. */
    {"aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_rules", "ids", NULL, {NULL}},
    {"aws_vpc_security_group_egress_rule", "aws_vpc_security_group_rules", "ids", NULL, {NULL}},
    {"aws_iam_role", ROLES, "names", NULL, {NULL}},
};

/* Tags of most services take neither brackets nor quotes: an instance's key follows a slash. */
static bool is_word(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!isalnum((unsigned char)text.ptr[i]) && text.ptr[i] != '_' && text.ptr[i] != '-')
            return false;
    }
    return text.len > 0;
}

/* "aws_subnet.public/0" is aws_subnet.public[0]; "a.b/key" is a.b["key"]; NULL: no address of ours. */
static const char *address_of(struct str tag, struct arena *arena)
{
    const char *slash = memchr(tag.ptr, '/', tag.len);
    const char *dot = memchr(tag.ptr, '.', tag.len);
    if (!dot || tag.len > ADDRESS_MAX_LEN || (slash && slash < dot))
        return NULL;
    size_t length = slash ? (size_t)(slash - tag.ptr) : tag.len;
    struct str type = {tag.ptr, (size_t)(dot - tag.ptr)};
    struct str name = {dot + 1, length - type.len - 1};
    struct str key = slash ? (struct str){slash + 1, tag.len - length - 1} : STR("");
    uint64_t index = 0;
    if (!is_word(type) || !is_word(name) || (slash && !is_word(key)))
        return NULL;
    if (!slash)
        return arena_strdup(arena, tag);
    return arena_printf(arena, str_to_u64(key, &index) ? "%.*s[%.*s]" : "%.*s[\"%.*s\"]", (int)length,
                        tag.ptr, STR_ARGS(key));
}

/* The part of an ARN that Terraform imports the type by; an empty one: by none. */
static struct str id_in_arn(struct str address, struct str arn)
{
    static const char any_stream[] = ":*"; /* how some ARNs of log groups end */
    static const struct {
        const char *type;
        char after; /* the id follows the last of these; 0: the ARN is the id */
    } rules[] = {
        {"aws_acm_certificate.", 0},
        {"aws_cloudwatch_log_group.", ':'},
        {"aws_db_instance.", ':'},
        {"aws_db_parameter_group.", ':'},
        {"aws_db_subnet_group.", ':'},
        {"aws_default_security_group.", '/'},
        {"aws_eip.", '/'},
        {"aws_flow_log.", '/'},
        {"aws_iam_role.", '/'},
        {"aws_instance.", '/'},
        {"aws_internet_gateway.", '/'},
        {"aws_kms_key.", '/'},
        {"aws_launch_template.", '/'},
        {"aws_lb.", 0},
        {"aws_lb_listener.", 0},
        {"aws_lb_target_group.", 0},
        {"aws_nat_gateway.", '/'},
        {"aws_route_table.", '/'},
        {"aws_secretsmanager_secret.", 0},
        {"aws_security_group.", '/'},
        {"aws_subnet.", '/'},
        {"aws_vpc.", '/'},
        {"aws_vpc_security_group_egress_rule.", '/'},
        {"aws_vpc_security_group_ingress_rule.", '/'},
    };
    if (str_ends(arn, str_from(any_stream)))
        arn.len -= sizeof any_stream - 1;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (!str_starts(address, str_from(rules[i].type)))
            continue;
        if (!rules[i].after)
            return arn;
        const char *last = memrchr(arn.ptr, rules[i].after, arn.len);
        return last ? (struct str){last + 1, arn.len - (size_t)(last + 1 - arn.ptr)} : STR("");
    }
    return STR("");
}

/* --- asking
 * ---------------------------------------------------------------------------------------------------- */

static bool is_created(const struct node *change)
{
    const struct node *actions = node_member(node_member(change, "change"), "actions");
    return actions && actions->kind == NODE_SEQUENCE && actions->count == 1 &&
           str_equal_text(actions->items[0]->scalar, "create");
}

/* The address inside the module of a planned creation of that type; NULL: it is another. */
static const char *created(const struct node *change, const char *type)
{
    struct str address = node_text(change, "address"), prefix = STR(PROVIDER_MODULE);
    if (!is_created(change) || !str_equal_text(node_text(change, "type"), type) ||
        !str_starts(address, prefix))
        return NULL;
    return address.ptr + prefix.len;
}

/* The reverse of address_of(): a.b[0] is "a.b/0", a.b["key"] is "a.b/key". False: it is too long. */
static bool tag_of(const char *address, char tag[ADDRESS_MAX_LEN + 1])
{
    size_t length = 0;
    for (const char *at = address; *at; at++) {
        if (length == ADDRESS_MAX_LEN)
            return false;
        if (*at == '[')
            tag[length++] = '/';
        else if (*at != ']' && *at != '"')
            tag[length++] = *at;
    }
    tag[length] = '\0';
    return true;
}

static void filter_begin(struct json_writer *json, const char *name)
{
    json_object_begin(json);
    json_kv_text(json, "name", name);
    json_key(json, "values");
    json_array_begin(json);
}

static void filter_end(struct json_writer *json)
{
    json_array_end(json);
    json_object_end(json);
}

static void filter(struct json_writer *json, const char *name, const char *value)
{
    filter_begin(json, name);
    render_text(json, value);
    filter_end(json);
}

static void put_filters(struct json_writer *json, const struct finder *finder, const char *deployment_id,
                        const struct region *region)
{
    json_key(json, "filter");
    json_array_begin(json);
    filter(json, "tag:" ID_TAG, deployment_id);
    filter(json, "tag:" REGION_TAG, region->name);
    filter_begin(json, "tag:" ADDRESS_TAG);
    json_text(json, "${each.key}");
    filter_end(json);
    if (finder->state_filter) {
        filter_begin(json, finder->state_filter);
        for (size_t i = 0; i < ARRAY_LEN(finder->states) && finder->states[i]; i++)
            json_text(json, finder->states[i]);
        filter_end(json);
    }
    json_array_end(json);
}

/* One member of for_each: the tag, and for a role, which is found by its name alone, an expression for that.
 * Names of roles are made of letters, digits and "-". */
static void put_wanted(struct json_writer *json, const struct finder *finder, const struct node *change)
{
    const char *address = created(change, finder->type);
    struct str name = node_text(node_member(node_member(change, "change"), "after"), "name");
    char tag[ADDRESS_MAX_LEN + 1], expression[ADDRESS_MAX_LEN];
    bool is_role = strcmp(finder->data, ROLES) == 0;
    if (!address || !tag_of(address, tag) || (is_role && (!is_word(name) || name.len > ADDRESS_MAX_LEN / 2)))
        return;
    (void)snprintf(expression, sizeof expression, "^%.*s$", STR_ARGS(name));
    json_kv_text(json, tag, is_role ? expression : "");
}

/* All that a data source is asked for, by the `count` finders that share it. */
static void put_finders(struct json_writer *json, const struct finder *finder, size_t count,
                        const char *deployment_id, const struct region *region, const struct node *changes)
{
    json_key(json, finder->data);
    json_object_begin(json);
    json_key(json, PROVIDER_LISTING);
    json_object_begin(json);
    json_key(json, "for_each");
    json_object_begin(json);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < changes->count; j++)
            put_wanted(json, &finder[i], changes->items[j]);
    }
    json_object_end(json);
    if (strcmp(finder->data, ROLES) == 0)
        json_kv_text(json, "name_regex", "${each.value}");
    else
        put_filters(json, finder, deployment_id, region);
    json_object_end(json);
    json_object_end(json);
}

static void tag_filter(struct json_writer *json, const char *key, const char *value)
{
    json_object_begin(json);
    json_kv_text(json, "key", key);
    json_key(json, "values");
    json_array_begin(json);
    render_text(json, value);
    json_array_end(json);
    json_object_end(json);
}

static void render_listing(const char *deployment_id, const struct region *region, const struct node *changes,
                           struct json_writer *json)
{
    for (size_t i = 0, count; i < ARRAY_LEN(finders); i += count) {
        for (count = 1; i + count < ARRAY_LEN(finders); count++) {
            if (strcmp(finders[i].data, finders[i + count].data) != 0)
                break;
        }
        put_finders(json, &finders[i], count, deployment_id, region, changes);
    }
    json_key(json, TAGGED);
    json_object_begin(json);
    json_key(json, PROVIDER_LISTING);
    json_object_begin(json);
    json_key(json, "tag_filter");
    json_array_begin(json);
    tag_filter(json, ID_TAG, deployment_id);
    tag_filter(json, REGION_TAG, region->name);
    json_array_end(json);
    json_object_end(json);
    json_object_end(json);
}

/* --- answers
 * ------------------------------------------------------------------------------------------------------ */

struct reader {
    struct arena *arena;
    struct listed_resource *list;
    size_t count, capacity;
};

static void add(struct reader *reader, struct str tag, struct str id)
{
    const char *address = id.len ? address_of(tag, reader->arena) : NULL;
    if (!address)
        return;
    if (reader->count == reader->capacity) {
        size_t capacity = reader->capacity ? reader->capacity * 2 : 64;
        struct listed_resource *list = arena_alloc(reader->arena, capacity * sizeof *list);
        if (reader->count)
            memcpy(list, reader->list, reader->count * sizeof *list);
        reader->list = list;
        reader->capacity = capacity;
    }
    reader->list[reader->count++] = (struct listed_resource){
        arena_printf(reader->arena, PROVIDER_MODULE "%s", address), arena_strdup(reader->arena, id)};
}

static void read_found(struct reader *reader, const struct node *resource)
{
    const struct node *values = node_member(resource, "values");
    for (size_t i = 0; i < ARRAY_LEN(finders); i++) {
        if (!str_equal_text(node_text(resource, "type"), finders[i].data))
            continue;
        const struct node *ids = node_member(values, finders[i].ids);
        if (ids && ids->kind == NODE_SEQUENCE && ids->count && ids->items[0]->kind == NODE_SCALAR)
            add(reader, node_text(resource, "index"), ids->items[0]->scalar);
        return;
    }
}

static void read_tagged(struct reader *reader, const struct node *resource)
{
    const struct node *mappings = node_member(node_member(resource, "values"), "resource_tag_mapping_list");
    for (size_t i = 0; mappings && mappings->kind == NODE_SEQUENCE && i < mappings->count; i++) {
        struct str tag = node_text(node_member(mappings->items[i], "tags"), ADDRESS_TAG);
        add(reader, tag, id_in_arn(tag, node_text(mappings->items[i], "resource_arn")));
    }
}

static void read_listing(const struct node *resources, struct arena *arena, struct listed_resource **ret_list,
                         size_t *ret_count)
{
    struct reader reader = {.arena = arena};
    size_t count = resources && resources->kind == NODE_SEQUENCE ? resources->count : 0;
    /* What EC2 and IAM say comes first and so wins. */
    for (unsigned tagged = 0; tagged < 2; tagged++) {
        for (size_t i = 0; i < count; i++) {
            const struct node *resource = resources->items[i];
            if (!str_equal_text(node_text(resource, "name"), PROVIDER_LISTING))
                continue;
            bool is_tagged = str_equal_text(node_text(resource, "type"), TAGGED);
            if (tagged && is_tagged)
                read_tagged(&reader, resource);
            else if (!tagged && !is_tagged)
                read_found(&reader, resource);
        }
    }
    *ret_list = reader.list;
    *ret_count = reader.count;
}

const struct provider_listing aws_listing = {render_listing, read_listing};
