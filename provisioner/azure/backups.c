#include "provisioner/azure/backups.h"

#include "lib/cloud/azure_signin.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "provisioner/cloud_json.h"
#include "provisioner/render/render.h"

#include <ctype.h>
#include <strings.h>

#define VERSION    "?api-version=2024-08-01"
#define ADDRESS    "azurerm_postgresql_flexible_server.this"
#define BODY_BYTES (64UL * 1024)
#define SETTLED_NS (5 * 60 * NS_PER_S)

struct postgres {
    struct cloud_json cloud;
    const struct backup_place *place;
    const char *manager, *servers; /* URLs: of Resource Manager, of the servers of the resource group */
    const char *group, *database;
    const struct node *server;
};

/* --- reading -------------------------------------------------------------------------------------------- */

static int64_t time_of(const struct node *node, const char *member)
{
    int64_t wall_ns;
    return clock_parse_rfc3339(node_text(node, member), &wall_ns) ? wall_ns : 0;
}

int azure_backups_read(const struct node *root, struct backup_list *list, struct arena *arena,
                       const char **ret_next, struct error *err)
{
    const struct node *items = node_member(root, "value");
    struct str next = node_text(root, "nextLink");
    *ret_next = NULL;
    if (!items || items->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PEER, "Azure answered with something else than a list of backups");
    for (size_t i = 0; i < items->count; i++) {
        const struct node *properties = node_member(items->items[i], "properties");
        struct str id = node_text(items->items[i], "name");
        int64_t at = time_of(properties, "completedTime");
        bool manual = str_equal(node_text(properties, "backupType"), STR("Customer On-Demand"));
        const struct backup backup = {.id = id.ptr,
                                      .name = id.ptr,
                                      .kind = manual ? "manual" : "automated",
                                      .said = at ? "complete" : "not complete",
                                      .state = at ? BACKUP_DONE : BACKUP_UNDER_WAY,
                                      .size_means = "stored",
                                      .at_wall_ns = at};
        if (id.len && !backup_list_add(list, &backup, arena))
            return error_set(err, ERR_LIMIT, "Azure lists more than %u backups", BACKUPS_MAX);
    }
    if (next.len)
        *ret_next = next.ptr;
    return 0;
}

/* --- asking --------------------------------------------------------------------------------------------- */

static bool is_subscription(const char *text)
{
    size_t length = 0;
    while (isxdigit((unsigned char)text[length]) || text[length] == '-')
        length++;
    return length == 36 && !text[length];
}

static int find_place(struct postgres *postgres, const char **ret_scope)
{
    const struct backup_place *place = postgres->place;
    const struct azure_cloud *cloud = NULL;
    char name[RENDER_NAME_MAX + 1];
    const char *subscription =
        place->region->account ? place->region->account : env_get("ARM_SUBSCRIPTION_ID");
    if (!subscription || !is_subscription(subscription))
        return error_set(place->err, ERR_CONFIG, "no subscription is named");
    int code = azure_cloud(&cloud, place->err);
    if (!code)
        code = cloud_json_base("FRAISEQL_AZURE_RESOURCE_MANAGER", cloud->manager, place->arena,
                               &postgres->manager, place->err);
    if (code)
        return code;
    *ret_scope =
        arena_printf(place->arena, "%s/.default", cloud->manager); /* the audience stays Azure's own */
    postgres->group =
        arena_strdup(place->arena, str_from(render_name(place->deployment, place->region, name)));
    postgres->servers = arena_printf(place->arena,
                                     "%s/subscriptions/%s/resourceGroups/%s/providers/"
                                     "Microsoft.DBforPostgreSQL/flexibleServers",
                                     postgres->manager, subscription, postgres->group);
    return 0;
}

/* What Azure names may be asked with our token: an address of Resource Manager itself. */
static bool is_managers(const struct postgres *postgres, const char *url)
{
    size_t length = strlen(postgres->manager);
    return strncmp(url, postgres->manager, length) == 0 && url[length] == '/';
}

static int next_page(const struct postgres *postgres, const char *next, const char **ret_url)
{
    if (!is_managers(postgres, next))
        return error_set(postgres->place->err, ERR_PEER, "Azure names a next page at another address");
    *ret_url = next;
    return 0;
}

static bool is_ours(const struct postgres *postgres, const struct node *server)
{
    return str_equal_text(node_text(node_member(server, "tags"), BACKUP_LABEL),
                          postgres->place->deployment->metadata.name);
}

static int find_server(struct postgres *postgres)
{
    const char *url = arena_printf(postgres->cloud.arena, "%s" VERSION, postgres->servers);
    for (unsigned pages = 0; url && pages < BACKUP_PAGES_MAX; pages++) {
        struct cloud_json_answer answer;
        int code = cloud_json_call(&postgres->cloud, "GET", url, STR(""), false, &answer);
        if (code)
            return code;
        if (answer.status == 404)
            break;
        const struct node *items = node_member(answer.root, "value");
        struct str next = node_text(answer.root, "nextLink");
        if (!items || items->kind != NODE_SEQUENCE)
            return error_set(postgres->place->err, ERR_PEER,
                             "Azure answered with something else than a list of servers");
        for (size_t i = 0; i < items->count; i++) {
            const struct node *tags = node_member(items->items[i], "tags");
            if (!is_ours(postgres, items->items[i]) ||
                !str_equal(node_text(tags, "fraiseql-address"), STR(ADDRESS)))
                continue;
            postgres->server = items->items[i];
            postgres->database = node_text(items->items[i], "name").ptr;
            return 0;
        }
        url = NULL;
        code = next.len ? next_page(postgres, next.ptr, &url) : 0;
        if (code)
            return code;
    }
    return error_set(postgres->place->err, ERR_PEER,
                     "there is no PostgreSQL server of this deployment in resource group %s",
                     postgres->group);
}

static int open_postgres(struct postgres *postgres, const struct backup_place *place)
{
    const char *scope = NULL;
    *postgres = (struct postgres){.cloud = {.service = "Resource Manager",
                                            .arena = place->arena,
                                            .deadline_mono_ns = place->deadline_mono_ns,
                                            .err = place->err},
                                  .place = place,
                                  .database = ""};
    int code = find_place(postgres, &scope);
    if (!code)
        code = cloud_json_open(&postgres->cloud, azure_signin_new(scope, false));
    return code ? code : find_server(postgres);
}

static int list_pages(struct postgres *postgres, struct backup_list *list)
{
    const char *url =
        arena_printf(postgres->cloud.arena, "%s/%s/backups" VERSION, postgres->servers, postgres->database);
    for (unsigned pages = 0; pages < BACKUP_PAGES_MAX; pages++) {
        struct cloud_json_answer answer;
        const char *next = NULL;
        int code = cloud_json_must(&postgres->cloud, "GET", url, STR(""), &answer);
        if (!code)
            code = azure_backups_read(answer.root, list, postgres->cloud.arena, &next, postgres->place->err);
        if (!code && next)
            code = next_page(postgres, next, &url);
        if (code || !next)
            return code;
    }
    return error_set(postgres->place->err, ERR_LIMIT, "Azure lists its backups on more than %u pages",
                     BACKUP_PAGES_MAX);
}

static int list_backups(const struct backup_place *place, struct backup_list *ret_list)
{
    struct postgres postgres;
    *ret_list = (struct backup_list){.database = ""};
    int code = open_postgres(&postgres, place);
    ret_list->database = postgres.database;
    if (!code)
        code = list_pages(&postgres, ret_list);
    if (!code) {
        const struct node *backup = node_member(node_member(postgres.server, "properties"), "backup");
        ret_list->earliest_wall_ns = time_of(backup, "earliestRestoreDate");
        /* Azure names no latest moment: its documents promise one of at most five minutes ago. */
        int64_t latest = clock_wall_ns() - SETTLED_NS;
        ret_list->latest_wall_ns =
            latest > ret_list->earliest_wall_ns && ret_list->earliest_wall_ns ? latest : 0;
    }
    backup_list_sort(ret_list);
    cloud_json_close(&postgres.cloud);
    return code;
}

/* --- what takes long ------------------------------------------------------------------------------------ */

/* True when the operation has ended; its failure is an error. */
static int operation_ended(struct postgres *postgres, const char *url, const char *what, bool *ret_ended)
{
    struct cloud_json_answer answer;
    int code = cloud_json_must(&postgres->cloud, "GET", url, STR(""), &answer);
    if (code)
        return code;
    struct str status = node_text(answer.root, "status");
    *ret_ended = str_equal(status, STR("Succeeded")) || (!status.len && answer.status != 202);
    if (str_equal(status, STR("Failed")) || str_equal(status, STR("Canceled")))
        return error_set(postgres->place->err, ERR_PEER, "Azure says of %s: %s: %.200s", what, status.ptr,
                         node_text(node_member(answer.root, "error"), "message").ptr);
    return 0;
}

/* Until what an answer began has ended, where it names an operation. */
static int wait_operation(struct postgres *postgres, const struct cloud_json_answer *begun, const char *what)
{
    const char *url = http_response_header(&begun->response, "Azure-AsyncOperation");
    url = url ? url : http_response_header(&begun->response, "Location");
    if (begun->status == 409 || !url)
        return 0; /* it is looked at itself */
    if (!is_managers(postgres, url))
        return error_set(postgres->place->err, ERR_PEER, "Azure names an operation at another address");
    url = arena_strdup(postgres->cloud.arena, str_from(url));
    for (unsigned looks = 0;; looks++) {
        bool ended = false;
        int code = operation_ended(postgres, url, what, &ended);
        if (!code && !ended)
            code = backup_pause(looks, postgres->place->deadline_mono_ns, what, postgres->place->err);
        if (code || ended)
            return code;
    }
}

/* --- taking --------------------------------------------------------------------------------------------- */

static int take(struct postgres *postgres, const char *name, struct backup *ret_backup)
{
    const char *url = arena_printf(postgres->cloud.arena, "%s/%s/backups/%s" VERSION, postgres->servers,
                                   postgres->database, name);
    bool sent = false;
    for (unsigned looks = 0;; looks++) {
        struct backup_list list = {.database = postgres->database};
        struct cloud_json_answer answer;
        int code = list_pages(postgres, &list);
        const struct backup *found = code ? NULL : backup_find(&list, name);
        if (found && found->state == BACKUP_DONE) {
            *ret_backup = *found;
            return 0;
        }
        if (!code && !found && !sent) {
            sent = true;
            code = cloud_json_call(&postgres->cloud, "PUT", url, STR("{}"), false, &answer);
            if (!code && answer.status == 404)
                code = cloud_json_refusal(&postgres->cloud, &answer);
            if (!code)
                code = wait_operation(postgres, &answer, name);
        } else if (!code) {
            code = backup_pause(looks, postgres->place->deadline_mono_ns, name, postgres->place->err);
        }
        if (code)
            return code;
    }
}

static int take_backup(const struct backup_place *place, const char *name, struct backup *ret_backup)
{
    struct postgres postgres;
    int code = open_postgres(&postgres, place);
    if (!code)
        code = take(&postgres, name, ret_backup);
    cloud_json_close(&postgres.cloud);
    return code;
}

/* --- restoring ------------------------------------------------------------------------------------------ */

static void write_tags(struct json_writer *json, const struct node *tags, const char *origin)
{
    json_object_begin(json);
    for (size_t i = 0; tags && tags->kind == NODE_MAPPING && i < tags->count; i++) {
        const char *key = tags->pairs[i].key.ptr;
        /* Two with one address would be one resource of the module. */
        if (strcmp(key, "fraiseql-address") == 0 || strcmp(key, BACKUP_ORIGIN) == 0)
            continue;
        json_key(json, key);
        json_node(json, tags->pairs[i].value);
    }
    json_kv_text(json, BACKUP_ORIGIN, origin);
    json_object_end(json);
}

/* Left out, the new server would be encrypted with Microsoft's key. */
static void write_identity(struct json_writer *json, struct str identity)
{
    json_key(json, "identity");
    json_object_begin(json);
    json_kv_text(json, "type", "UserAssigned");
    json_key(json, "userAssignedIdentities");
    json_object_begin(json);
    json_key(json, identity.ptr);
    json_object_begin(json);
    json_object_end(json);
    json_object_end(json);
    json_object_end(json);
}

static void write_encryption(struct json_writer *json, const struct node *encryption)
{
    json_key(json, "dataEncryption");
    json_object_begin(json);
    json_kv_text(json, "type", "AzureKeyVault");
    json_kv_str(json, "primaryKeyURI", node_text(encryption, "primaryKeyURI"));
    json_kv_str(json, "primaryUserAssignedIdentityId",
                node_text(encryption, "primaryUserAssignedIdentityId"));
    json_object_end(json);
}

int azure_backups_copy(const struct node *source, int64_t at_wall_ns, const char *origin, struct buf *out,
                       struct error *err)
{
    const struct node *network = node_member(node_member(source, "properties"), "network");
    struct str subnet = node_text(network, "delegatedSubnetResourceId");
    struct str zone = node_text(network, "privateDnsZoneArmResourceId");
    const struct node *encryption = node_member(node_member(source, "properties"), "dataEncryption");
    struct str identity = node_text(encryption, "primaryUserAssignedIdentityId");
    struct json_writer json;
    if (!node_text(source, "id").len || !node_text(source, "location").len)
        return error_set(err, ERR_PEER, "Azure answered with a server without id and location");
    json_init(&json, out);
    json_object_begin(&json);
    json_kv_str(&json, "location", node_text(source, "location"));
    json_key(&json, "tags");
    write_tags(&json, node_member(source, "tags"), origin);
    if (identity.len)
        write_identity(&json, identity);
    json_key(&json, "properties");
    json_object_begin(&json);
    json_kv_text(&json, "createMode", "PointInTimeRestore");
    json_kv_str(&json, "sourceServerResourceId", node_text(source, "id"));
    json_key(&json, "pointInTimeUTC");
    json_time(&json, at_wall_ns);
    if (identity.len)
        write_encryption(&json, encryption);
    if (subnet.len) {
        json_key(&json, "network");
        json_object_begin(&json);
        json_kv_str(&json, "delegatedSubnetResourceId", subnet);
        json_kv_str(&json, "privateDnsZoneArmResourceId", zone);
        json_object_end(&json);
    }
    json_object_end(&json);
    json_object_end(&json);
    return 0;
}

static int get_server(struct postgres *postgres, const char *name, const struct node **ret_server)
{
    struct cloud_json_answer answer;
    int code = cloud_json_call(&postgres->cloud, "GET",
                               arena_printf(postgres->cloud.arena, "%s/%s" VERSION, postgres->servers, name),
                               STR(""), false, &answer);
    *ret_server = code || answer.status == 404 ? NULL : answer.root;
    return code;
}

static int send_restore(struct postgres *postgres, const struct restore_wish *wish)
{
    char moment[CLOCK_RFC3339_SIZE];
    struct buf body = BUF_INIT(BODY_BYTES);
    struct cloud_json_answer answer;
    const char *origin = wish->backup ? wish->backup->id : clock_format_rfc3339(wish->at_wall_ns, moment);
    int code = azure_backups_copy(postgres->server, wish->at_wall_ns, origin, &body, postgres->place->err);
    if (!code)
        code = cloud_json_must(
            &postgres->cloud, "PUT",
            arena_printf(postgres->cloud.arena, "%s/%s" VERSION, postgres->servers, wish->into),
            buf_str(&body), &answer);
    if (!code)
        code = wait_operation(postgres, &answer, wish->into);
    buf_deinit(&body);
    return code;
}

static int wait_ready(struct postgres *postgres, const char *name, const struct node **ret_server)
{
    for (unsigned looks = 0;; looks++) {
        int code = get_server(postgres, name, ret_server);
        struct str state = node_text(node_member(*ret_server, "properties"), "state");
        if (code || str_equal(state, STR("Ready")))
            return code;
        if (str_equal(state, STR("Dropping")) || str_equal(state, STR("Disabled")) ||
            str_equal(state, STR("Inaccessible")))
            return error_set(postgres->place->err, ERR_PEER, "Azure says of server %s: %s", name, state.ptr);
        code = backup_pause(looks, postgres->place->deadline_mono_ns, name, postgres->place->err);
        if (code)
            return code;
    }
}

static void say_next(struct postgres *postgres, const struct restore_wish *wish, struct restored *restored)
{
    struct arena *arena = postgres->cloud.arena;
    struct string_list *next = &restored->next;
    backup_say(next, arena, "look at it: %s, database fraiseql, with the user and password of %s",
               restored->address[0] ? restored->address : wish->into, postgres->database);
    backup_say(next, arena,
               "go over: a server of Azure cannot be renamed, so copy what is wanted back into %s: pg_dump "
               "--format=custom from one, pg_restore --clean --if-exists into the other",
               postgres->database);
    backup_say(
        next, arena,
        "it has no high availability and none of the server parameters that Terraform sets; it is good "
        "for looking and copying");
    backup_say(next, arena, "be rid of it: az postgres flexible-server delete --resource-group %s --name %s",
               postgres->group, wish->into);
}

static int restore_into(struct postgres *postgres, const struct restore_wish *wish, struct restored *restored)
{
    const struct node *target = NULL;
    int code = get_server(postgres, wish->into, &target);
    if (code)
        return code;
    bool made = target && node_text(node_member(target, "tags"), BACKUP_ORIGIN).len;
    if (target && (!wish->ours || !is_ours(postgres, target) || !made))
        return error_set(postgres->place->err, ERR_CONFLICT, "there is a PostgreSQL server %s already",
                         wish->into);
    restored->found = target != NULL;
    if (!target)
        code = send_restore(postgres, wish);
    if (!code)
        code = wait_ready(postgres, wish->into, &target);
    if (code)
        return code;
    restored->name = wish->into;
    restored->address = node_text(node_member(target, "properties"), "fullyQualifiedDomainName").ptr;
    say_next(postgres, wish, restored);
    return 0;
}

static int restore_backup(const struct backup_place *place, const struct restore_wish *wish,
                          struct restored *ret_restored)
{
    struct postgres postgres;
    *ret_restored = (struct restored){0};
    int code = open_postgres(&postgres, place);
    if (!code && strcasecmp(wish->into, postgres.database) == 0)
        code = error_set(place->err, ERR_CONFLICT, "%s is the database that runs", postgres.database);
    if (!code)
        code = restore_into(&postgres, wish, ret_restored);
    cloud_json_close(&postgres.cloud);
    return code;
}

const struct provider_backups azure_backups = {
    .list = list_backups, .take = take_backup, .restore = restore_backup};
