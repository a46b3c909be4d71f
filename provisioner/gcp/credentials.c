#include "provisioner/gcp/credentials.h"

#include "lib/cloud/cloud_call.h"
#include "lib/cloud/google_signin.h"
#include "lib/cloud/oauth.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "provisioner/gcp/permissions.h"
#include "provisioner/inquiry.h"

#include <ctype.h>

#define MANAGER_URL   "https://cloudresourcemanager.googleapis.com/v1/"
#define TOKENINFO_URL "https://oauth2.googleapis.com/tokeninfo"
#define ANSWER_BYTES  (1024UL * 1024)
#define ASKED_MAX     100U           /* permissions in one question: Google refuses more */
#define UNKNOWN_MAX   8U             /* permissions that Google does not know */
#define IDENTITY_NS   (5 * NS_PER_S) /* for what is good to know and no more */

struct gcp {
    struct inquiry base;
    const char *project, *manager, *tokeninfo;
    const struct gcp_permission *needs;
    bool *lacks; /* which of them */
    size_t count;
    const char *unknown[UNKNOWN_MAX]; /* and of which Google will not say */
    size_t unknown_count;
};

/* --- project and endpoints --- */

/* "my-project", "example.com:my-project" or a project's number. */
static bool is_project(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && !strchr("-.:", text[i]))
            return false;
    }
    return length > 0 && length < 128;
}

const char *gcp_project_of(const struct region *region)
{
    static const char *const variables[] = {"GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT",
                                            "CLOUDSDK_CORE_PROJECT"};
    const char *project = region->account;
    for (size_t i = 0; !project && i < ARRAY_LEN(variables); i++)
        project = env_get(variables[i]);
    return project;
}

/* False when the address may not be sent a token. */
static bool endpoint(const char *variable, const char *otherwise, const char **ret_url)
{
    const char *url = env_get(variable);
    *ret_url = url ? url : otherwise;
    return oauth_url_is_private(*ret_url);
}

static int find_place(struct gcp *gcp, bool *ret_found)
{
    const char *region = gcp->base.region->name;
    *ret_found = false;
    gcp->project = gcp_project_of(gcp->base.region);
    if (!gcp->project)
        return inquiry_found(
            &gcp->base,
            arena_printf(gcp->base.arena,
                         "no project is named: neither regions.%s.account nor GOOGLE_PROJECT is set", region),
            arena_printf(gcp->base.arena, "export GOOGLE_PROJECT=PROJECT, or set regions.%s.account",
                         region));
    if (!is_project(gcp->project))
        return inquiry_found(&gcp->base,
                             arena_printf(gcp->base.arena, "\"%s\" is no project's id", gcp->project),
                             "gcloud projects list");
    if (!endpoint("GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT", MANAGER_URL, &gcp->manager) ||
        !endpoint("FRAISEQL_GOOGLE_TOKENINFO", TOKENINFO_URL, &gcp->tokeninfo))
        return inquiry_found(
            &gcp->base, "an endpoint set by the environment is not https, and a token would be sent to it",
            "unset GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT FRAISEQL_GOOGLE_TOKENINFO");
    *ret_found = true;
    return 0;
}

/* --- who we are --- */

static bool is_word(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!isalnum((unsigned char)text.ptr[i]) && !strchr("-._:@+", text.ptr[i]))
            return false;
    }
    return text.len > 0 && text.len < 256;
}

/* Good to know and no more: a failure leaves it unknown. */
static void ask_identity(struct gcp *gcp)
{
    struct http_response response;
    struct node *root = NULL;
    const struct http_header headers[] = {{"Content-Type", "application/x-www-form-urlencoded"}};
    const struct http_request request = {.method = "POST",
                                         .url = gcp->tokeninfo,
                                         .headers = headers,
                                         .header_count = 1,
                                         .bearer_token = gcp->base.token.secret,
                                         .max_body_bytes = ANSWER_BYTES};
    int64_t deadline = clock_mono_ns() + IDENTITY_NS;
    if (deadline > gcp->base.deadline_mono_ns)
        deadline = gcp->base.deadline_mono_ns;
    if (cloud_call(gcp->base.client, &request, deadline, gcp->base.arena, &response, NULL) ||
        response.status != 200 || json_parse(gcp->base.arena, response.body, &root, NULL))
        return;
    struct str email = node_text(root, "email");
    if (is_word(email))
        gcp->base.check->identity = email.ptr;
}

static const char *member_of(const struct gcp *gcp)
{
    const char *identity = gcp->base.check->identity;
    if (!identity || !is_word(str_from(identity))) /* it becomes part of a command */
        return "MEMBER";
    bool account = str_ends(str_from(identity), STR(".gserviceaccount.com"));
    return arena_printf(gcp->base.arena, "%s:%s", account ? "serviceAccount" : "user", identity);
}

/* --- what we may do --- */

static bool is_listed(const struct node *list, const char *permission)
{
    for (size_t i = 0; list && list->kind == NODE_SEQUENCE && i < list->count; i++) {
        if (str_equal_text(list->items[i]->scalar, permission))
            return true;
    }
    return false;
}

/* A command for each role that would give something of what is missing. */
static const char *mend_of(const struct gcp *gcp)
{
    struct buf mend = BUF_INIT(16384);
    for (size_t i = 0; i < gcp->count; i++) {
        bool told = false;
        for (size_t j = 0; j < i; j++)
            told = told || (gcp->lacks[j] && strcmp(gcp->needs[j].role, gcp->needs[i].role) == 0);
        if (gcp->lacks[i] && !told)
            inquiry_append(&mend, " && ",
                           arena_printf(gcp->base.arena,
                                        "gcloud projects add-iam-policy-binding %s --member=%s --role=%s",
                                        gcp->project, member_of(gcp), gcp->needs[i].role));
    }
    const char *text = arena_strdup(gcp->base.arena, buf_str(&mend));
    buf_deinit(&mend);
    return text;
}

static void judge_permissions(struct gcp *gcp)
{
    const char **missing = arena_alloc(gcp->base.arena, gcp->count * sizeof *missing);
    size_t count = 0;
    for (size_t i = 0; i < gcp->count; i++) {
        if (gcp->lacks[i])
            missing[count++] = gcp->needs[i].name;
    }
    const char *shown = inquiry_missing(&gcp->base, missing, count);
    gcp->base.check->ok = !count;
    if (count)
        (void)inquiry_found(&gcp->base,
                            arena_printf(gcp->base.arena, "%s lacks %zu of %zu permissions in project %s: %s",
                                         inquiry_who(&gcp->base), count, gcp->count, gcp->project, shown),
                            mend_of(gcp));
}

/* The member `reason` of what Google says beside its error, and of its metadata. */
static const struct node *error_info(const struct node *root, const char *reason)
{
    const struct node *details = node_member(node_member(root, "error"), "details");
    for (size_t i = 0; details && details->kind == NODE_SEQUENCE && i < details->count; i++) {
        if (str_equal_text(node_text(details->items[i], "reason"), reason))
            return details->items[i];
    }
    return NULL;
}

static int judge_disabled(struct gcp *gcp, const struct node *info)
{
    const struct node *metadata = node_member(info, "metadata");
    struct str service = node_text(metadata, "service"), consumer = node_text(metadata, "consumer");
    if (str_starts(consumer, STR("projects/")))
        consumer = (struct str){consumer.ptr + 9, consumer.len - 9};
    if (!is_word(service))
        service = STR("cloudresourcemanager.googleapis.com");
    if (!is_word(consumer))
        consumer = str_from(gcp->project);
    return inquiry_found(&gcp->base,
                         arena_printf(gcp->base.arena, "the API %.*s is not enabled in project %.*s",
                                      STR_ARGS(service), STR_ARGS(consumer)),
                         arena_printf(gcp->base.arena, "gcloud services enable %.*s --project=%.*s",
                                      STR_ARGS(service), STR_ARGS(consumer)));
}

static int judge_refusal(struct gcp *gcp, const struct http_response *response, const char *url)
{
    struct error refused = {0};
    struct node *root = NULL;
    if (json_parse(gcp->base.arena, response->body, &root, NULL))
        root = NULL;
    (void)oauth_refusal(response->status, response->body, &refused);
    const struct node *disabled = error_info(root, "SERVICE_DISABLED");
    if (disabled)
        return judge_disabled(gcp, disabled);
    if (response->status == 401)
        return inquiry_found(&gcp->base,
                             arena_printf(gcp->base.arena, "Google does not take the token of %s: it %s",
                                          inquiry_who(&gcp->base), refused.message),
                             "gcloud auth application-default login");
    if (error_info(root, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"))
        return inquiry_found(
            &gcp->base,
            arena_printf(gcp->base.arena, "the token of %s lacks the scope " GOOGLE_SCOPE_ALL,
                         inquiry_who(&gcp->base)),
            "gcloud compute instances set-service-account INSTANCE --scopes=cloud-platform, or "
            "gcloud auth application-default login");
    if (response->status == 403 || response->status == 404)
        return inquiry_found(&gcp->base,
                             arena_printf(gcp->base.arena,
                                          "project %s does not exist, or %s may not see it: Google %s",
                                          gcp->project, inquiry_who(&gcp->base), refused.message),
                             arena_printf(gcp->base.arena, "gcloud projects describe %s", gcp->project));
    return error_set(gcp->base.err, response->status == 400 ? ERR_PEER : refused.code, "%s %s", url,
                     refused.message);
}

/* One question, of needs[first] to needs[end - 1]. A refusal is found, and then nothing more is asked; one
 * that is about the question itself is *ret_bad. */
static int ask_once(struct gcp *gcp, const char *url, size_t first, size_t end, bool *ret_bad)
{
    struct buf body = BUF_INIT(16384);
    struct json_writer json;
    struct http_response response;
    const struct node *root;
    json_init(&json, &body);
    json_object_begin(&json);
    json_key(&json, "permissions");
    json_array_begin(&json);
    for (size_t i = first; i < end; i++)
        json_text(&json, gcp->needs[i].name);
    json_array_end(&json);
    json_object_end(&json);
    const struct http_header headers[] = {{"Content-Type", "application/json"}};
    const struct http_request request = {.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .header_count = 1,
                                         .body = buf_str(&body),
                                         .bearer_token = gcp->base.token.secret,
                                         .max_body_bytes = ANSWER_BYTES};
    int code = cloud_call(gcp->base.client, &request, gcp->base.deadline_mono_ns, gcp->base.arena, &response,
                          gcp->base.err);
    buf_deinit(&body);
    if (code)
        return error_prefix(gcp->base.err, "%s", url);
    *ret_bad = response.status == 400;
    if (response.status != 200)
        return judge_refusal(gcp, &response, url);
    code = inquiry_object(&gcp->base, url, response.body, &root);
    if (code)
        return code;
    /* Without any permission the answer is an empty object. */
    const struct node *granted = node_member(root, "permissions");
    for (size_t i = first; i < end; i++)
        gcp->lacks[i] = !is_listed(granted, gcp->needs[i].name);
    return 0;
}

/* Google refuses a whole question over one permission that a project cannot have, and such names come and go:
 * halves are asked until it stands alone. More than a few of them are a wrong question. */
static int ask_some(struct gcp *gcp, const char *url, size_t first, size_t end)
{
    bool bad = false;
    int code = ask_once(gcp, url, first, end, &bad);
    if (!bad || gcp->unknown_count == UNKNOWN_MAX)
        return code;
    if (end - first == 1) {
        gcp->unknown[gcp->unknown_count++] = gcp->needs[first].name;
        return 0;
    }
    size_t middle = first + (end - first) / 2;
    code = ask_some(gcp, url, first, middle);
    return code || gcp->base.check->problem ? code : ask_some(gcp, url, middle, end);
}

static void note_unknown(struct gcp *gcp)
{
    struct buf names = BUF_INIT(4096);
    for (size_t i = 0; i < gcp->unknown_count; i++)
        inquiry_append(&names, ", ", gcp->unknown[i]);
    if (gcp->unknown_count)
        inquiry_note(&gcp->base,
                     arena_printf(gcp->base.arena, "%s: Google does not take the question on a project",
                                  buf_text(&names)));
    buf_deinit(&names);
}

static int ask_permissions(struct gcp *gcp)
{
    bool slash = str_ends(str_from(gcp->manager), STR("/"));
    const char *url = arena_printf(gcp->base.arena, "%s%sprojects/%s:testIamPermissions", gcp->manager,
                                   slash ? "" : "/", gcp->project);
    gcp->count = gcp_permissions_list(gcp->base.deployment, gcp->base.region, gcp->base.arena, &gcp->needs);
    gcp->lacks = arena_zalloc(gcp->base.arena, gcp->count * sizeof *gcp->lacks);
    for (size_t first = 0; first < gcp->count; first += ASKED_MAX) {
        size_t left = gcp->count - first;
        int code = ask_some(gcp, url, first, first + (left < ASKED_MAX ? left : ASKED_MAX));
        if (code || gcp->base.check->problem)
            return code;
    }
    judge_permissions(gcp);
    note_unknown(gcp);
    return 0;
}

static int ask(void *own)
{
    struct gcp *gcp = own;
    if (!gcp->base.check->identity)
        ask_identity(gcp);
    return ask_permissions(gcp);
}

int gcp_validate_credentials(const struct deployment *deployment, const struct region *region,
                             int64_t deadline_mono_ns, struct arena *arena,
                             struct credential_check *ret_check, struct error *err)
{
    bool known;
    struct gcp gcp = {.base = {.deployment = deployment,
                               .region = region,
                               .deadline_mono_ns = deadline_mono_ns,
                               .arena = arena,
                               .check = ret_check,
                               .err = err,
                               .mend = "gcloud auth application-default login"}};
    *ret_check = (struct credential_check){.region = region->name, .provider = "gcp"};
    int code = find_place(&gcp, &known);
    if (code || !known)
        return code;
    return inquiry_run(&gcp.base, google_signin_new(GOOGLE_SCOPE_ALL), cloud_signin, ask, &gcp);
}
