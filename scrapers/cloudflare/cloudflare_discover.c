/* Which zones there are, page by page, and what is asked of them. Answers are outside bytes. */
#include "scrapers/cloud/vocabulary.h"
#include "scrapers/cloudflare/cloudflare_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define API_PATH   "/client/v4"
#define PAGE_ZONES 50U
#define PAGES_MAX  1000U
#define ANSWER_MAX (64UL << 20)
#define ID_LENGTH  32U

struct cloudflare_state *cloudflare_state_new(const struct cloudflare_config *config)
{
    struct cloudflare_state *state = xcalloc(1, sizeof *state);
    state->config = config;
    state->arena = arena_new(0);
    return state;
}

void cloudflare_state_free(void *state_pointer)
{
    struct cloudflare_state *state = state_pointer;
    arena_free(state->arena);
    free(state->zones);
    free(state);
}

bool cloudflare_is_id(struct str id)
{
    return id.len == ID_LENGTH && strspn(id.ptr, "0123456789abcdefABCDEF") == id.len;
}

/* --- requests and answers ------------------------------------------------------------------------------ */

void cloudflare_request(const struct cloudflare_state *state, enum cloudflare_api api, const char *path,
                        struct str body, struct arena *arena, struct cloud_request *ret_request)
{
    static const struct http_header json[] = {{"Content-Type", "application/json"}};
    const char *base = state->config->cloud.endpoint;
    size_t length = base ? strlen(base) : 0;
    if (length && base[length - 1] == '/')
        length--;
    *ret_request = (struct cloud_request){
        .http = {.method = body.len ? "POST" : "GET",
                 .url = base ? arena_printf(arena, "%.*s" API_PATH "%s", (int)length, base, path)
                             : arena_printf(arena, "https://api.cloudflare.com" API_PATH "%s", path),
                 .headers = json,
                 .header_count = body.len ? 1 : 0,
                 .body = {body.len ? arena_strdup(arena, body) : "", body.len},
                 .max_body_bytes = ANSWER_MAX},
        .api = api,
        .units = 1,
    };
}

/* {"success":false,"errors":[{"code":9109,"message":"Invalid access token"}]} */
static struct str first_message(const struct node *root)
{
    const struct node *errors = root ? node_member(root, "errors") : NULL;
    bool has = errors && errors->kind == NODE_SEQUENCE && errors->count > 0;
    return has ? node_text(errors->items[0], "message") : STR("");
}

int cloudflare_failure(const struct http_response *answer, struct arena *arena,
                       struct cloud_outcome *ret_outcome, struct error *err)
{
    struct node *root = NULL;
    struct error ignored = {0};
    if (json_parse(arena, answer->body, &root, &ignored) != 0)
        root = NULL;
    struct str message = first_message(root);
    int status = answer->status;
    bool refused = status == 401 || status == 403;
    int code = error_set(err, refused ? ERR_AUTH : ERR_PEER, "Cloudflare answered %d: %.200s", status,
                         message.len ? message.ptr : "without a reason");
    ret_outcome->verdict = status == 429                    ? CLOUD_THROTTLED
                           : status == 401                  ? CLOUD_EXPIRED
                           : status >= 500 || status == 408 ? CLOUD_PASSING
                                                            : CLOUD_REFUSED;
    return ret_outcome->verdict == CLOUD_REFUSED ? code : 0;
}

int cloudflare_parse(const struct http_response *answer, struct arena *arena, const struct node **ret_root,
                     struct cloud_outcome *ret_outcome, struct error *err)
{
    struct node *root = NULL;
    struct error reason = {0};
    *ret_root = NULL;
    if (answer->status < 200 || answer->status > 299)
        return cloudflare_failure(answer, arena, ret_outcome, err);
    if (json_parse(arena, answer->body, &root, &reason) != 0)
        return error_set(err, ERR_PEER, "Cloudflare answered with something that is not JSON: %.200s",
                         reason.message);
    *ret_root = root;
    return 0;
}

/* --- zones --------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct cloudflare_config *config, struct str name)
{
    for (size_t i = 0; i < config->zones.count; i++) {
        if (str_equal_text(name, config->zones.items[i]) || strcmp(config->zones.items[i], "*") == 0)
            return true;
    }
    return false;
}

static void read_zone(struct cloudflare_state *state, const struct node *zone)
{
    struct str id = node_text(zone, "id"), name = node_text(zone, "name");
    const struct node *account = node_member(zone, "account");
    struct str account_id = account ? node_text(account, "id") : STR("");
    if (!cloudflare_is_id(id) || name.len == 0 || !is_wanted(state->config, name))
        return;
    for (size_t i = 0; i < state->zone_count; i++) {
        if (str_equal_text(id, state->zones[i].id))
            return; /* moved from one page to the next meanwhile */
    }
    if (state->zone_count == state->zone_capacity) {
        state->zone_capacity = state->zone_capacity ? state->zone_capacity * 2 : 16;
        state->zones = xrealloc(state->zones, state->zone_capacity * sizeof *state->zones);
    }
    state->zones[state->zone_count++] = (struct cloudflare_zone){
        .id = arena_strdup(state->arena, id),
        .name = arena_strdup(state->arena, name),
        .account_id = cloudflare_is_id(account_id) ? arena_strdup(state->arena, account_id) : NULL,
        .account = arena_strdup(state->arena, account ? node_text(account, "name") : STR("")),
    };
}

static void ask_page(struct cloudflare_state *state, struct arena *arena, struct cloud_request *ret_request)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/zones?per_page=%u&page=%u", PAGE_ZONES, state->page);
    cloudflare_request(state, CF_REST, path, STR(""), arena, ret_request);
}

static const struct cloudflare_zone *find_zone(const struct cloudflare_state *state, const char *name)
{
    for (size_t i = 0; i < state->zone_count; i++) {
        if (strcmp(state->zones[i].name, name) == 0)
            return &state->zones[i];
    }
    return NULL;
}

/* --- the plan ------------------------------------------------------------------------------------------ */

static void plan_http(struct cloud_plan *plan, const struct cloudflare_zone *zone)
{
    struct arena *arena = cloud_plan_arena(plan);
    struct cloudflare_query *data = arena_zalloc(arena, sizeof *data);
    const struct label labels[] = {LABEL_TEXT("zone", zone->name), LABEL_TEXT("account", zone->account)};
    *data = (struct cloudflare_query){.kind = CF_HTTP,
                                      .id = arena_strdup(arena, str_from(zone->id)),
                                      .zone = arena_strdup(arena, str_from(zone->name)),
                                      .account = arena_strdup(arena, str_from(zone->account))};
    const struct cloud_query_desc desc = {.key = str_from(arena_printf(arena, "http|%s", zone->id)),
                                          .period_ns = CLOUDFLARE_PERIOD_NS,
                                          .group = CF_HTTP,
                                          .api = CF_GRAPHQL,
                                          .units = 1.0 / CLOUDFLARE_ZONES_MAX,
                                          .data = data};
    struct cloud_query *query = cloud_plan_query(plan, &desc);
    for (size_t i = 0; i < CLOUDFLARE_SUMS; i++) {
        const struct cloudflare_column *column = &cloudflare_columns[i];
        struct cloud_metric *metric =
            cloud_plan_metric(plan, &(struct cloud_metric_desc){.name = column->name,
                                                                .help = column->help,
                                                                .kind = CLOUD_SUM,
                                                                .absent_is_zero = true,
                                                                .runs_up = column->runs_up});
        data->sums[i] = cloud_plan_series(
            plan, query, metric, str_from(arena_printf(arena, "http|%s|%s", zone->id, column->field)), labels,
            ARRAY_LEN(labels), str_from(zone->name));
    }
    struct cloud_metric *uniques = cloud_plan_metric(
        plan,
        &(struct cloud_metric_desc){.name = "cloudflare_zone_uniques",
                                    .help = "Addresses that asked in the minute; minutes do not add up.",
                                    .kind = CLOUD_GAUGE,
                                    .absent_is_zero = true});
    data->uniques =
        cloud_plan_series(plan, query, uniques, str_from(arena_printf(arena, "http|%s|uniques", zone->id)),
                          labels, ARRAY_LEN(labels), str_from(zone->name));
}

static void plan_balancing(struct cloud_plan *plan, const struct cloudflare_zone *zone)
{
    struct arena *arena = cloud_plan_arena(plan);
    struct cloudflare_query *data = arena_zalloc(arena, sizeof *data);
    *data = (struct cloudflare_query){.kind = CF_BALANCING,
                                      .id = arena_strdup(arena, str_from(zone->id)),
                                      .zone = arena_strdup(arena, str_from(zone->name)),
                                      .account = arena_strdup(arena, str_from(zone->account))};
    const struct cloud_query_desc desc = {.key = str_from(arena_printf(arena, "lb|%s", zone->id)),
                                          .period_ns = CLOUDFLARE_PERIOD_NS,
                                          .group = CF_BALANCING,
                                          .api = CF_GRAPHQL,
                                          .units = 1.0 / CLOUDFLARE_ZONES_MAX,
                                          .data = data};
    (void)cloud_plan_query(plan, &desc);
}

static void plan_pools(struct cloud_plan *plan, const struct cloudflare_zone *zone)
{
    struct arena *arena = cloud_plan_arena(plan);
    struct cloudflare_query *data = arena_zalloc(arena, sizeof *data);
    const struct label labels[] = {LABEL_TEXT("account", zone->account)};
    *data = (struct cloudflare_query){.kind = CF_POOLS,
                                      .id = arena_strdup(arena, str_from(zone->account_id)),
                                      .account = arena_strdup(arena, str_from(zone->account))};
    const struct cloud_query_desc desc = {.key = str_from(arena_printf(arena, "pools|%s", zone->account_id)),
                                          .period_ns = CLOUDFLARE_PERIOD_NS,
                                          .group = CF_POOLS,
                                          .weight = CLOUDFLARE_ZONES_MAX,
                                          .api = CF_REST,
                                          .units = 1,
                                          .data = data};
    struct cloud_query *query = cloud_plan_query(plan, &desc);
    struct cloud_metric *metric =
        cloud_plan_metric(plan, &(struct cloud_metric_desc){.name = "cloudflare_account_pools",
                                                            .help = "Load balancer pools of the account.",
                                                            .kind = CLOUD_GAUGE,
                                                            .settle_ns = NS_PER_S});
    data->pools = cloud_plan_series(plan, query, metric, desc.key, labels, ARRAY_LEN(labels), STR(""));
}

static void make_plan(struct cloudflare_state *state, struct cloud_plan *plan)
{
    const struct cloudflare_config *config = state->config;
    for (size_t i = 0; i < config->zones.count; i++) {
        const struct label labels[] = {LABEL_TEXT("zone", config->zones.items[i])};
        if (strcmp(config->zones.items[i], "*") != 0)
            cloud_plan_info(plan, "cloudflare_zone_found", "Whether the token sees the zone.", labels, 1,
                            find_zone(state, config->zones.items[i]) ? 1 : 0);
    }
    for (size_t i = 0; i < state->zone_count; i++) {
        const struct cloudflare_zone *zone = &state->zones[i];
        bool known = !zone->account_id;
        plan_http(plan, zone);
        if (!config->load_balancers)
            continue;
        plan_balancing(plan, zone);
        for (size_t k = 0; k < i && !known; k++)
            known = state->zones[k].account_id && strcmp(state->zones[k].account_id, zone->account_id) == 0;
        if (!known)
            plan_pools(plan, zone);
    }
}

int cloudflare_discover(void *state_pointer, struct cloud_plan *plan, const struct http_response *answer,
                        int64_t wall_ns, struct arena *arena, enum cloud_step *ret_step,
                        struct cloud_request *ret_request, struct cloud_outcome *ret_outcome,
                        struct error *err)
{
    struct cloudflare_state *state = state_pointer;
    const struct node *root;
    (void)wall_ns;
    *ret_step = CLOUD_SEND;
    if (!answer) {
        arena_reset(state->arena);
        state->zone_count = 0;
        state->page = 1;
        ask_page(state, arena, ret_request);
        return 0;
    }
    int code = cloudflare_parse(answer, arena, &root, ret_outcome, err);
    if (code || !root)
        return code;
    const struct node *zones = node_member(root, "result");
    if (!zones || zones->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PEER, "Cloudflare answered without a list of zones");
    for (size_t i = 0; i < zones->count; i++)
        read_zone(state, zones->items[i]);
    if (zones->count >= PAGE_ZONES) {
        if (++state->page > PAGES_MAX)
            return error_set(err, ERR_LIMIT, "there are more than %u pages of zones", PAGES_MAX);
        ask_page(state, arena, ret_request);
        return 0;
    }
    if (state->zone_count == 0)
        return error_set(err, ERR_CONFIG, "the token sees none of the zones configured");
    make_plan(state, plan);
    *ret_step = CLOUD_READY;
    return 0;
}
