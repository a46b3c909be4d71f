#include "provisioner/azure/logs.h"

#include "lib/cloud/azure_signin.h"
#include "lib/cloud/cloud_call.h"
#include "lib/cloud/oauth.h"
#include "lib/core/env.h"
#include "provisioner/render/render.h"
#include "version.h"

#include <ctype.h>

#define WORKSPACE_VERSION "2022-10-01"
#define ANSWER_BYTES      (8UL * 1024 * 1024)
#define COLUMN            "SyslogMessage"

struct reading {
    struct http_wait *client;
    struct arena *arena;
    const char *subscription, *name;
    const char *manager, *manager_scope;
    const char *analytics, *analytics_scope;
    size_t most;
    int64_t deadline_mono_ns;
    struct log_lines *lines;
    struct error *err;
};

/* --- reading ------------------------------------------------------------------------------------------- */

/* A GUID: it becomes part of an address. */
static bool is_id(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!isxdigit((unsigned char)text.ptr[i]) && text.ptr[i] != '-')
            return false;
    }
    return text.len == 36;
}

int azure_workspace_read(struct str body, struct arena *arena, const char **ret_id, struct error *err)
{
    struct node *root = NULL;
    if (json_parse(arena, body, &root, NULL) == 0) {
        struct str id = node_text(node_member(root, "properties"), "customerId");
        if (is_id(id)) {
            *ret_id = id.ptr;
            return 0;
        }
    }
    return error_set(err, ERR_PEER, "Resource Manager answered without the workspace's id");
}

static const struct node *item(const struct node *list, size_t i)
{
    return list && list->kind == NODE_SEQUENCE && i < list->count ? list->items[i] : NULL;
}

/* The number of the column with the text; `count` of them when there is none. */
static size_t column_of(const struct node *columns)
{
    size_t i = 0;
    while (item(columns, i) && !str_equal_text(node_text(item(columns, i), "name"), COLUMN))
        i++;
    return i;
}

int azure_logs_read(struct str body, struct log_lines *lines, struct arena *arena, struct error *err)
{
    struct node *root = NULL;
    if (json_parse(arena, body, &root, NULL))
        root = NULL;
    const struct node *table = item(node_member(root, "tables"), 0);
    const struct node *rows = node_member(table, "rows"), *columns = node_member(table, "columns");
    size_t column = column_of(columns);
    if (!rows || rows->kind != NODE_SEQUENCE || !item(columns, column))
        return error_set(err, ERR_PEER, "Log Analytics answered with something else than a table of " COLUMN);
    for (size_t i = 0; i < rows->count; i++) {
        const struct node *cell = item(rows->items[i], column);
        if (cell && cell->kind == NODE_SCALAR && !node_is_null(cell))
            log_lines_add(lines, 0, cell->scalar);
    }
    return 0;
}

/* --- asking -------------------------------------------------------------------------------------------- */

static int call(struct reading *reading, struct http_request *request, const char *scope, const char *service,
                struct http_response *ret_answer)
{
    struct cloud_token token;
    struct signin *signin = azure_signin_new(scope, false);
    int code = cloud_signin(signin, reading->client, reading->deadline_mono_ns, &token, reading->err);
    if (!code) {
        request->bearer_token = token.secret;
        request->max_body_bytes = ANSWER_BYTES;
        code = cloud_call(reading->client, request, reading->deadline_mono_ns, reading->arena, ret_answer,
                          reading->err);
        if (code)
            (void)error_prefix(reading->err, "%s", service);
    }
    if (!code && ret_answer->status != 200) {
        code = oauth_refusal(ret_answer->status, ret_answer->body, reading->err);
        (void)error_prefix(reading->err, "%s, asked by %s", service,
                           token.identity ? token.identity : token.source);
    }
    signin_free(signin);
    return code;
}

static int find_workspace(struct reading *reading, const char **ret_id)
{
    struct http_response answer;
    struct http_request request = {
        .url = arena_printf(reading->arena,
                            "%s/subscriptions/%s/resourceGroups/%s/providers/Microsoft.OperationalInsights/"
                            "workspaces/%s?api-version=" WORKSPACE_VERSION,
                            reading->manager, reading->subscription, reading->name, reading->name)};
    int code = call(reading, &request, reading->manager_scope, "Resource Manager", &answer);
    return code ? code : azure_workspace_read(answer.body, reading->arena, ret_id, reading->err);
}

static int read_workspace(struct reading *reading, const char *id)
{
    static const struct http_header headers[] = {{"Content-Type", "application/json"}};
    struct buf body = BUF_INIT(4096);
    struct json_writer json;
    struct http_response answer;
    json_init(&json, &body);
    json_object_begin(&json);
    json_kv_text(&json, "query",
                 arena_printf(reading->arena,
                              "Syslog | where Facility == \"local0\" | top %zu by TimeGenerated desc | "
                              "order by TimeGenerated asc | project " COLUMN,
                              reading->most));
    json_kv_text(&json, "timespan", "P1D");
    json_object_end(&json);
    struct http_request request = {
        .method = "POST",
        .url = arena_printf(reading->arena, "%s/v1/workspaces/%s/query", reading->analytics, id),
        .headers = headers,
        .header_count = ARRAY_LEN(headers),
        .body = buf_str(&body)};
    int code = call(reading, &request, reading->analytics_scope, "Log Analytics", &answer);
    buf_deinit(&body);
    return code ? code : azure_logs_read(answer.body, reading->lines, reading->arena, reading->err);
}

/* Log Analytics of one of Azure's clouds. */
static const char *analytics_of(const struct azure_cloud *cloud)
{
    static const char *const services[][2] = {{"usgovernment", "https://api.loganalytics.us"},
                                              {"china", "https://api.loganalytics.azure.cn"}};
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        if (strcmp(services[i][0], cloud->name) == 0)
            return services[i][1];
    }
    return "https://api.loganalytics.io";
}

/* Without a slash at its end. */
static int service_of(struct reading *reading, const char *variable, const char *otherwise,
                      const char **ret_url)
{
    const char *given = env_get(variable);
    struct str url = str_from(given ? given : otherwise);
    if (!oauth_url_is_private(url.ptr))
        return error_set(reading->err, ERR_CONFIG, "%s is not https, and a token would be sent to it",
                         variable);
    while (str_ends(url, STR("/")))
        url.len--;
    *ret_url = arena_strdup(reading->arena, url);
    return 0;
}

static int find_place(struct reading *reading, const struct region *region)
{
    const struct azure_cloud *cloud = NULL;
    reading->subscription = region->account ? region->account : env_get("ARM_SUBSCRIPTION_ID");
    if (!reading->subscription || !is_id(str_from(reading->subscription)))
        return error_set(reading->err, ERR_CONFIG, "no subscription is named");
    int code = azure_cloud(&cloud, reading->err);
    if (code)
        return code;
    const char *analytics = analytics_of(cloud);
    /* The audiences stay Azure's own. */
    reading->manager_scope = arena_printf(reading->arena, "%s/.default", cloud->manager);
    reading->analytics_scope = arena_printf(reading->arena, "%s/.default", analytics);
    code = service_of(reading, "FRAISEQL_AZURE_RESOURCE_MANAGER", cloud->manager, &reading->manager);
    return code ? code : service_of(reading, "FRAISEQL_AZURE_LOG_ANALYTICS", analytics, &reading->analytics);
}

int azure_recent_logs(const struct deployment *deployment, const struct region *region, size_t most,
                      int64_t deadline_mono_ns, struct arena *arena, struct string_list *ret_lines,
                      struct error *err)
{
    char name[RENDER_NAME_MAX + 1];
    struct log_lines lines;
    struct reading reading = {.arena = arena_new(0),
                              .name = render_name(deployment, region, name),
                              .most = most,
                              .deadline_mono_ns = deadline_mono_ns,
                              .lines = &lines,
                              .err = err};
    const char *id = NULL;
    log_lines_init(&lines, most);
    int code = find_place(&reading, region);
    if (!code)
        code = http_wait_new("fraiseql/" FRAISEQL_VERSION, &reading.client, err);
    if (!code)
        code = find_workspace(&reading, &id);
    if (!code)
        code = read_workspace(&reading, id);
    if (!code)
        log_lines_give(&lines, arena, ret_lines);
    http_wait_free(reading.client);
    log_lines_deinit(&lines);
    arena_free(reading.arena);
    return code;
}
