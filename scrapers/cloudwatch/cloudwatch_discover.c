/* What there is to ask: who we are (the label account_id), resources by tag, and metrics by ListMetrics; one
 * request after the other, and the plan is told at the end. Answers are outside bytes. */
#include "scrapers/cloudwatch/cloudwatch_internal.h"

#include "lib/cloud/aws_query.h"
#include "scrapers/cloudwatch/cloudwatch_names.h"
#include "scrapers/cloudwatch/cloudwatch_profiles.h"

#include <stdlib.h>

#define JOBS_MAX         256U
#define FOUND_MAX        200000U
#define PAGES_MAX        5000U
#define DIMENSIONS_MAX   30U
#define FEW_NAMES        2U /* of a namespace: each is listed by itself */
#define RECENT_PERIOD_NS (3 * 3600 * NS_PER_S)

struct job {
    enum cloudwatch_api api;
    const char *lane, *namespace_name, *name; /* name NULL: all of the namespace */
    bool recent;
};

struct resource {
    const char *arn;
    struct string_pair *tags;
    size_t tag_count;
    bool shown;
};

struct cloudwatch_discovery {
    struct arena *arena;
    struct job jobs[JOBS_MAX];
    size_t job_count, job; /* job: the one under way */
    const char *token;     /* of its next page; NULL: the first */
    size_t pages;
    struct map resources; /* by ARN */
    struct resource **resource_list;
    size_t resource_count, resource_capacity;
    struct cloudwatch_found *found;
    size_t found_count, found_capacity;
    bool by_tags;
};

void cloudwatch_discovery_free(struct cloudwatch_discovery *discovery)
{
    if (!discovery)
        return;
    map_deinit(&discovery->resources);
    arena_free(discovery->arena);
    free(discovery->resource_list);
    free(discovery->found);
    free(discovery);
}

/* --- what is to be asked ------------------------------------------------------------------------------- */

static void add_job(struct cloudwatch_discovery *discovery, struct job job)
{
    if (discovery->job_count < JOBS_MAX)
        discovery->jobs[discovery->job_count++] = job;
}

static size_t names_of(const struct cloudwatch_state *state, const char *namespace_name, bool *ret_recent)
{
    size_t count = 0;
    *ret_recent = true;
    for (size_t i = 0; i < state->wanted_count; i++) {
        const struct cloudwatch_wanted *wanted = &state->wanted[i];
        if (strcmp(wanted->namespace_name, namespace_name) != 0 || cloudwatch_is_static(wanted))
            continue;
        count++;
        *ret_recent = *ret_recent && wanted->period_ns <= RECENT_PERIOD_NS;
    }
    return count;
}

static void add_listings(const struct cloudwatch_state *state, struct cloudwatch_discovery *discovery)
{
    for (size_t i = 0; i < state->wanted_count; i++) {
        const struct cloudwatch_wanted *wanted = &state->wanted[i];
        struct job job = {
            .api = CW_LIST_METRICS, .lane = wanted->lane, .namespace_name = wanted->namespace_name};
        bool known = cloudwatch_is_static(wanted);
        size_t names = names_of(state, wanted->namespace_name, &job.recent);
        job.name = names <= FEW_NAMES ? wanted->name : NULL;
        for (size_t k = 0; k < discovery->job_count; k++) {
            const struct job *other = &discovery->jobs[k];
            known = known || (other->api == CW_LIST_METRICS &&
                              strcmp(other->namespace_name, job.namespace_name) == 0 &&
                              (!other->name || strcmp(other->name, wanted->name) == 0));
        }
        if (!known)
            add_job(discovery, job);
    }
}

/* Tags of global resources are told where these services have their home. */
static void add_taggings(const struct cloudwatch_state *state, struct cloudwatch_discovery *discovery)
{
    discovery->by_tags = state->config->discover.tags.count > 0;
    if (!discovery->by_tags)
        return;
    add_job(discovery, (struct job){.api = CW_GET_RESOURCES, .lane = state->config->location});
    for (size_t i = 0; i < state->wanted_count; i++) {
        if (strcmp(state->wanted[i].lane, state->config->location) != 0) {
            add_job(discovery, (struct job){.api = CW_GET_RESOURCES, .lane = state->wanted[i].lane});
            return;
        }
    }
}

static struct cloudwatch_discovery *new_discovery(const struct cloudwatch_state *state)
{
    struct cloudwatch_discovery *discovery = xcalloc(1, sizeof *discovery);
    discovery->arena = arena_new(0);
    if (!state->account)
        add_job(discovery, (struct job){.api = CW_CALLER_IDENTITY, .lane = state->config->location});
    add_taggings(state, discovery);
    add_listings(state, discovery);
    return discovery;
}

static void write_tag_filters(struct json_writer *json, const struct string_map *tags)
{
    json_key(json, "TagFilters");
    json_array_begin(json);
    for (size_t i = 0; i < tags->count; i++) {
        json_object_begin(json);
        json_kv_text(json, "Key", tags->items[i].key);
        json_key(json, "Values");
        json_array_begin(json);
        json_text(json, tags->items[i].value);
        json_array_end(json);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_types(const struct cloudwatch_state *state, struct json_writer *json)
{
    json_key(json, "ResourceTypeFilters");
    json_array_begin(json);
    for (const struct cloudwatch_resource_kind *kind = cloudwatch_resource_kinds; kind->namespace_name;
         kind++) {
        bool used = false;
        for (size_t i = 0; i < state->wanted_count; i++)
            used = used || strcmp(state->wanted[i].namespace_name, kind->namespace_name) == 0;
        if (used)
            json_text(json, kind->type);
    }
    json_array_end(json);
}

static void write_body(const struct cloudwatch_state *state, const struct job *job, const char *token,
                       struct buf *body)
{
    struct json_writer json;
    json_init(&json, body);
    json_object_begin(&json);
    if (job->api == CW_GET_RESOURCES) {
        json_kv_i64(&json, "ResourcesPerPage", 100);
        if (token)
            json_kv_text(&json, "PaginationToken", token);
        write_tag_filters(&json, &state->config->discover.tags);
        write_types(state, &json);
    } else {
        json_kv_text(&json, "Namespace", job->namespace_name);
        if (job->name)
            json_kv_text(&json, "MetricName", job->name);
        if (job->recent)
            json_kv_text(&json, "RecentlyActive", "PT3H");
        if (token)
            json_kv_text(&json, "NextToken", token);
    }
    json_object_end(&json);
}

static int ask(const struct cloudwatch_state *state, struct arena *arena, struct cloud_request *ret_request,
               struct error *err)
{
    const struct cloudwatch_discovery *discovery = state->discovery;
    const struct job *job = &discovery->jobs[discovery->job];
    struct buf body = BUF_INIT(1UL << 20);
    if (job->api == CW_CALLER_IDENTITY)
        buf_append_text(&body, "Action=GetCallerIdentity&Version=2011-06-15");
    else
        write_body(state, job, discovery->token, &body);
    int code = cloudwatch_request(state, job->api, job->lane, buf_str(&body), arena, ret_request, err);
    buf_deinit(&body);
    if (!code)
        ret_request->units = 1;
    return code;
}

/* --- answers ------------------------------------------------------------------------------------------- */

static int read_account(struct cloudwatch_state *state, const struct http_response *answer,
                        struct arena *arena, struct error *err)
{
    const struct xml *result = NULL;
    int code = aws_query_result(answer, "GetCallerIdentity", arena, &result, err);
    if (code)
        return code;
    const char *account = xml_text(result, "Account");
    if (strlen(account) > 20 || strspn(account, "0123456789") != strlen(account))
        return error_set(err, ERR_PEER, "GetCallerIdentity was answered with an account that is none");
    state->account = arena_strdup(state->arena, str_from(account));
    return 0;
}

static const struct node *list_of(const struct node *root, const char *name)
{
    const struct node *list = node_member(root, name);
    return list && list->kind == NODE_SEQUENCE ? list : NULL;
}

static void read_resource(struct cloudwatch_discovery *discovery, const struct node *mapping)
{
    struct str arn = node_text(mapping, "ResourceARN");
    const struct node *tags = list_of(mapping, "Tags");
    if (arn.len == 0 || discovery->resource_count >= FOUND_MAX || map_get(&discovery->resources, arn))
        return;
    struct resource *resource = arena_zalloc(discovery->arena, sizeof *resource);
    resource->arn = arena_strdup(discovery->arena, arn);
    resource->tags = arena_alloc(discovery->arena, ((tags ? tags->count : 0) + 1) * sizeof *resource->tags);
    for (size_t i = 0; tags && i < tags->count; i++)
        resource->tags[resource->tag_count++] =
            (struct string_pair){arena_strdup(discovery->arena, node_text(tags->items[i], "Key")),
                                 arena_strdup(discovery->arena, node_text(tags->items[i], "Value"))};
    (void)map_put(&discovery->resources, (struct str){resource->arn, arn.len}, resource);
    if (discovery->resource_count == discovery->resource_capacity) {
        discovery->resource_capacity = discovery->resource_capacity ? discovery->resource_capacity * 2 : 64;
        discovery->resource_list = xrealloc(discovery->resource_list,
                                            discovery->resource_capacity * sizeof *discovery->resource_list);
    }
    discovery->resource_list[discovery->resource_count++] = resource;
}

static void add_found(struct cloudwatch_discovery *discovery, const struct cloudwatch_found *found)
{
    if (discovery->found_count >= FOUND_MAX)
        return;
    if (discovery->found_count == discovery->found_capacity) {
        discovery->found_capacity = discovery->found_capacity ? discovery->found_capacity * 2 : 64;
        discovery->found = xrealloc(discovery->found, discovery->found_capacity * sizeof *discovery->found);
    }
    discovery->found[discovery->found_count++] = *found;
}

static void read_metric(const struct cloudwatch_state *state, const struct node *metric)
{
    struct cloudwatch_discovery *discovery = state->discovery;
    const struct node *list = list_of(metric, "Dimensions");
    struct str space = node_text(metric, "Namespace"), name = node_text(metric, "MetricName");
    struct string_pair dimensions[DIMENSIONS_MAX];
    struct string_pair *copy = NULL;
    size_t count = 0;
    if (list && list->count > DIMENSIONS_MAX)
        return;
    for (; list && count < list->count; count++)
        dimensions[count] = (struct string_pair){node_text(list->items[count], "Name").ptr,
                                                 node_text(list->items[count], "Value").ptr};
    for (size_t i = 0; i < state->wanted_count; i++) {
        const struct cloudwatch_wanted *wanted = &state->wanted[i];
        if (!str_equal_text(space, wanted->namespace_name) || !str_equal_text(name, wanted->name) ||
            cloudwatch_is_static(wanted) || !cloudwatch_wants(wanted, dimensions, count))
            continue;
        if (!copy)
            copy = arena_alloc(discovery->arena, (count + 1) * sizeof *copy);
        for (size_t k = 0; k < count; k++)
            copy[k] = (struct string_pair){arena_strdup(discovery->arena, str_from(dimensions[k].key)),
                                           arena_strdup(discovery->arena, str_from(dimensions[k].value))};
        add_found(discovery, &(struct cloudwatch_found){wanted, copy, count});
    }
}

static int read_page(struct cloudwatch_state *state, const struct http_response *answer, struct arena *arena,
                     struct error *err)
{
    struct cloudwatch_discovery *discovery = state->discovery;
    const struct job *job = &discovery->jobs[discovery->job];
    bool tags = job->api == CW_GET_RESOURCES;
    struct node *root = NULL;
    struct error reason = {0};
    if (json_parse(arena, answer->body, &root, &reason) != 0)
        return error_set(err, ERR_PEER, "%s was answered with something that is not JSON: %.200s",
                         cloudwatch_api_name(job->api), reason.message);
    const struct node *list = list_of(root, tags ? "ResourceTagMappingList" : "Metrics");
    if (!list)
        return error_set(err, ERR_PEER, "%s was answered without its list", cloudwatch_api_name(job->api));
    for (size_t i = 0; i < list->count; i++) {
        if (tags)
            read_resource(discovery, list->items[i]);
        else
            read_metric(state, list->items[i]);
    }
    struct str token = node_text(root, tags ? "PaginationToken" : "NextToken");
    if (token.len && discovery->token && str_equal_text(token, discovery->token))
        return error_set(err, ERR_PEER, "%s gives the same page again and again",
                         cloudwatch_api_name(job->api));
    if (++discovery->pages > PAGES_MAX)
        return error_set(err, ERR_LIMIT, "discovery needs more than %u pages", PAGES_MAX);
    discovery->token = token.len ? arena_strdup(discovery->arena, token) : NULL;
    return 0;
}

/* --- the plan ------------------------------------------------------------------------------------------ */

static void put_info(const struct cloudwatch_state *state, struct cloud_plan *plan,
                     const struct cloudwatch_found *found, struct resource *resource)
{
    struct label labels[LIMIT_LABELS_PER_SERIES];
    struct buf name = BUF_INIT(4096), label = BUF_INIT(4096);
    struct arena *arena = state->discovery->arena;
    size_t count = 0;
    if (resource->shown)
        return;
    resource->shown = true;
    cloudwatch_name(&name, found->wanted->namespace_name, STR("info"), NULL);
    labels[count++] = LABEL_TEXT("name", resource->arn);
    labels[count++] = LABEL_TEXT("account_id", state->account);
    labels[count++] = LABEL_TEXT("region", found->wanted->lane);
    for (size_t i = 0; i < resource->tag_count && count < LIMIT_LABELS_PER_SERIES - 3; i++) {
        buf_reset(&label);
        cloudwatch_label(&label, "tag_", str_from(resource->tags[i].key));
        if (!label_name_valid(buf_str(&label)))
            continue; /* YACE leaves such tags out, too */
        labels[count++] =
            (struct label){str_from(arena_strdup(arena, buf_str(&label))), str_from(resource->tags[i].value)};
    }
    cloud_plan_info(plan, buf_text(&name), "Tags of the resource; always 0, as YACE writes it.", labels,
                    count, 0);
    buf_deinit(&name);
    buf_deinit(&label);
}

static void tell_plan(struct cloudwatch_state *state, struct cloud_plan *plan)
{
    struct cloudwatch_discovery *discovery = state->discovery;
    for (size_t i = 0; i < state->wanted_count; i++) {
        const struct cloudwatch_wanted *wanted = &state->wanted[i];
        if (cloudwatch_is_static(wanted))
            add_found(discovery,
                      &(struct cloudwatch_found){wanted, wanted->dimensions, wanted->dimension_count});
    }
    for (size_t i = 0; i < discovery->found_count; i++) {
        const struct cloudwatch_found *found = &discovery->found[i];
        const char *arn = discovery->by_tags ? cloudwatch_arn(state, found->wanted, found->dimensions,
                                                              found->dimension_count, discovery->arena)
                                             : NULL;
        struct resource *resource = arn ? map_get(&discovery->resources, str_from(arn)) : NULL;
        if (arn && !resource)
            continue; /* without the tags */
        if (resource)
            put_info(state, plan, found, resource);
        cloudwatch_plan_found(state, plan, found);
    }
}

/* --- the steps ----------------------------------------------------------------------------------------- */

static int take(struct cloudwatch_state *state, const struct http_response *answer, struct arena *arena,
                struct error *err)
{
    struct cloudwatch_discovery *discovery = state->discovery;
    int code = discovery->jobs[discovery->job].api == CW_CALLER_IDENTITY
                   ? read_account(state, answer, arena, err)
                   : read_page(state, answer, arena, err);
    if (!code && !discovery->token)
        discovery->job++;
    return code;
}

int cloudwatch_discover(void *state_pointer, struct cloud_plan *plan, const struct http_response *answer,
                        int64_t wall_ns, struct arena *arena, enum cloud_step *ret_step,
                        struct cloud_request *ret_request, struct cloud_outcome *ret_outcome,
                        struct error *err)
{
    struct cloudwatch_state *state = state_pointer;
    if (!answer) {
        cloudwatch_discovery_free(state->discovery);
        state->discovery = new_discovery(state);
    } else {
        enum cloudwatch_api api = state->discovery->jobs[state->discovery->job].api;
        if (answer->status < 200 || answer->status > 299)
            return cloudwatch_failure(answer, api, wall_ns, arena, ret_outcome, err);
        int code = take(state, answer, arena, err);
        if (code)
            return code;
    }
    if (state->discovery->job < state->discovery->job_count) {
        *ret_step = CLOUD_SEND;
        return ask(state, arena, ret_request, err);
    }
    tell_plan(state, plan);
    cloudwatch_discovery_free(TAKE(state->discovery));
    *ret_step = CLOUD_READY;
    return 0;
}
