#include "provisioner/azure/credentials.h"

#include "lib/cloud/azure_signin.h"
#include "lib/cloud/cloud_call.h"
#include "lib/cloud/oauth.h"
#include "lib/core/env.h"
#include "provisioner/azure/permissions.h"
#include "provisioner/inquiry.h"

#include <ctype.h>
#include <strings.h>

#define SUBSCRIPTION_VERSION "2022-12-01"
#define PERMISSIONS_VERSION  "2022-04-01"
#define PROVIDER_VERSION     "2021-04-01"
#define ANSWER_BYTES         (8UL * 1024 * 1024)
#define PAGES_MAX            20U

struct azure {
    struct inquiry base;
    const char *subscription, *scope, *manager; /* the last without a slash at its end */
    const struct node *pages[PAGES_MAX];        /* of permissions: lists of roles */
    size_t page_count;
    bool blind; /* permissions may not be read */
};

/* --- what the module needs --- */

/* Terraform's provider registers these itself where it may. */
static const char *const namespaces[] = {"Microsoft.Network",
                                         "Microsoft.Compute",
                                         "Microsoft.Insights",
                                         "Microsoft.DBforPostgreSQL",
                                         "Microsoft.KeyVault",
                                         "Microsoft.ManagedIdentity",
                                         "Microsoft.OperationalInsights"};

/* --- findings --- */

/* Part of a command: ids and names of users, nothing else. */
static const char *assignee(const struct azure *azure)
{
    const char *identity = azure->base.check->identity;
    for (const char *at = identity ? identity : " "; *at; at++) {
        if (!isalnum((unsigned char)*at) && !strchr("-._@#+", *at))
            return "ASSIGNEE";
    }
    return identity;
}

/* --- subscription and endpoint --- */

static bool is_subscription(const char *text)
{
    size_t length = 0;
    while (isxdigit((unsigned char)text[length]) || text[length] == '-')
        length++;
    return length == 36 && !text[length];
}

static int find_place(struct azure *azure, bool *ret_found)
{
    struct arena *arena = azure->base.arena;
    const char *region = azure->base.region->name, *given = env_get("FRAISEQL_AZURE_RESOURCE_MANAGER");
    const struct azure_cloud *cloud = NULL;
    struct error err = {0};
    *ret_found = false;
    azure->subscription =
        azure->base.region->account ? azure->base.region->account : env_get("ARM_SUBSCRIPTION_ID");
    if (!azure->subscription)
        return inquiry_found(
            &azure->base,
            arena_printf(arena,
                         "no subscription is named: neither regions.%s.account nor "
                         "ARM_SUBSCRIPTION_ID is set",
                         region),
            arena_printf(arena,
                         "export ARM_SUBSCRIPTION_ID=$(az account show --query id -o tsv), or set "
                         "regions.%s.account",
                         region));
    if (!is_subscription(azure->subscription))
        return inquiry_found(&azure->base,
                             arena_printf(arena, "\"%s\" is no subscription's id", azure->subscription),
                             "az account list --query [].id");
    int code = azure_cloud(&cloud, &err);
    if (code)
        return inquiry_failed(&azure->base, &err);
    struct str base = str_from(given ? given : cloud->manager);
    if (!oauth_url_is_private(base.ptr))
        return inquiry_found(&azure->base,
                             "FRAISEQL_AZURE_RESOURCE_MANAGER is not https, and a token would be sent to it",
                             "unset FRAISEQL_AZURE_RESOURCE_MANAGER");
    while (str_ends(base, STR("/")))
        base.len--;
    azure->manager = arena_strdup(arena, base);
    azure->scope = arena_printf(arena, "%s/.default", cloud->manager); /* the audience stays Azure's own */
    *ret_found = true;
    return 0;
}

/* --- what Azure says --- */

static int get(struct azure *azure, const char *url, struct http_response *ret_response)
{
    const struct http_request request = {
        .url = url, .bearer_token = azure->base.token.secret, .max_body_bytes = ANSWER_BYTES};
    int code = cloud_call(azure->base.client, &request, azure->base.deadline_mono_ns, azure->base.arena,
                          ret_response, azure->base.err);
    return code ? error_prefix(azure->base.err, "%s", url) : 0;
}

static int judge_refusal(struct azure *azure, const struct http_response *response, const char *url)
{
    struct error refused = {0};
    (void)oauth_refusal(response->status, response->body, &refused);
    if (response->status == 401)
        return inquiry_found(
            &azure->base,
            arena_printf(azure->base.arena, "Azure does not take the token of %s: it %s",
                         inquiry_who(&azure->base), refused.message),
            arena_printf(azure->base.arena,
                         "export ARM_TENANT_ID=$(az account show --subscription %s --query tenantId "
                         "-o tsv)",
                         azure->subscription));
    if (response->status == 403 || response->status == 404)
        return inquiry_found(
            &azure->base,
            arena_printf(azure->base.arena, "subscription %s does not exist, or %s may not see it: Azure %s",
                         azure->subscription, inquiry_who(&azure->base), refused.message),
            arena_printf(azure->base.arena,
                         "az role assignment create --assignee %s --role Contributor --scope "
                         "/subscriptions/%s",
                         assignee(azure), azure->subscription));
    return error_set(azure->base.err, refused.code == ERR_AUTH ? ERR_PEER : refused.code, "%s %s", url,
                     refused.message);
}

static int ask_subscription(struct azure *azure)
{
    const char *url = arena_printf(azure->base.arena, "%s/subscriptions/%s?api-version=" SUBSCRIPTION_VERSION,
                                   azure->manager, azure->subscription);
    struct http_response response;
    const struct node *root;
    int code = get(azure, url, &response);
    if (code)
        return code;
    if (response.status != 200)
        return judge_refusal(azure, &response, url);
    code = inquiry_object(&azure->base, url, response.body, &root);
    if (code)
        return code;
    struct str state = node_text(root, "state");
    if (!state.len)
        return error_set(azure->base.err, ERR_PEER, "%s answered without a state", url);
    if (str_equal(state, STR("Enabled")))
        return 0;
    bool plain = true;
    for (size_t i = 0; i < state.len; i++)
        plain = plain && isalpha((unsigned char)state.ptr[i]);
    return inquiry_found(&azure->base,
                         arena_printf(azure->base.arena, "subscription %s is not enabled: its state is %s",
                                      azure->subscription, plain ? state.ptr : "another"),
                         arena_printf(azure->base.arena,
                                      "az account subscription enable --id %s, after its owner has "
                                      "settled what is owed",
                                      azure->subscription));
}

/* The next page must lie where the first one lay: it is sent the token. */
static int next_page(struct azure *azure, const struct node *root, const char **ret_url)
{
    struct str link = node_text(root, "nextLink"), manager = str_from(azure->manager);
    *ret_url = link.len ? link.ptr : NULL;
    if (link.len && (!str_starts(link, manager) || link.ptr[manager.len] != '/'))
        return error_set(azure->base.err, ERR_PEER, "%s names a next page that lies elsewhere",
                         azure->manager);
    if (link.len && azure->page_count == PAGES_MAX)
        return error_set(azure->base.err, ERR_LIMIT, "%s lists more than %u pages of roles", azure->manager,
                         PAGES_MAX);
    return 0;
}

static int ask_permissions(struct azure *azure)
{
    const char *url = arena_printf(azure->base.arena,
                                   "%s/subscriptions/%s/providers/Microsoft.Authorization/"
                                   "permissions?api-version=" PERMISSIONS_VERSION,
                                   azure->manager, azure->subscription);
    while (url) {
        struct http_response response;
        const struct node *root, *roles;
        int code = get(azure, url, &response);
        if (code)
            return code;
        if (response.status == 403) {
            inquiry_note(&azure->base, "whether it may do what a deployment does was not checked: "
                                       "Microsoft.Authorization/permissions/read is not allowed to it");
            azure->blind = true;
            return 0;
        }
        if (response.status != 200)
            return judge_refusal(azure, &response, url);
        code = inquiry_object(&azure->base, url, response.body, &root);
        if (code)
            return code;
        roles = node_member(root, "value");
        if (!roles || roles->kind != NODE_SEQUENCE)
            return error_set(azure->base.err, ERR_PEER, "%s answered without a list of roles", url);
        azure->pages[azure->page_count++] = roles;
        code = next_page(azure, root, &url);
        if (code)
            return code;
    }
    return 0;
}

static bool is_allowed(const struct azure *azure, const char *action)
{
    for (size_t i = 0; i < azure->page_count; i++) {
        if (azure_action_allowed(azure->pages[i], action))
            return true;
    }
    return false;
}

/* Contributor allows all that is not about who may do what. */
static const char *mend_of(const struct azure *azure, bool resources, bool authorization)
{
    const char *roles[] = {resources ? "Contributor" : NULL,
                           authorization ? "User Access Administrator" : NULL};
    struct buf mend = BUF_INIT(4096);
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (roles[i])
            inquiry_append(&mend, " && ",
                           arena_printf(azure->base.arena,
                                        "az role assignment create --assignee %s --role '%s' --scope "
                                        "/subscriptions/%s",
                                        assignee(azure), roles[i], azure->subscription));
    }
    const char *text = arena_strdup(azure->base.arena, buf_str(&mend));
    buf_deinit(&mend);
    return text;
}

static void judge_permissions(struct azure *azure)
{
    struct string_list needs;
    azure_permissions_list(azure->base.deployment, azure->base.region, azure->base.arena, &needs);
    const char **missing = arena_alloc(azure->base.arena, needs.count * sizeof *missing);
    size_t count = 0, authorization = 0;
    for (size_t i = 0; i < needs.count; i++) {
        if (is_allowed(azure, needs.items[i]))
            continue;
        authorization += str_starts(str_from(needs.items[i]), STR("Microsoft.Authorization/"));
        missing[count++] = needs.items[i];
    }
    const char *shown = inquiry_missing(&azure->base, missing, count);
    if (count)
        (void)inquiry_found(
            &azure->base,
            arena_printf(azure->base.arena, "%s lacks %zu of %zu actions in subscription %s: %s",
                         inquiry_who(&azure->base), count, needs.count, azure->subscription, shown),
            mend_of(azure, count > authorization, authorization > 0));
}

enum registration { REGISTERED, UNREGISTERED, UNSEEN };

static int ask_registration(struct azure *azure, const char *name, enum registration *ret_state)
{
    struct http_response response;
    const struct node *root;
    const char *url =
        arena_printf(azure->base.arena, "%s/subscriptions/%s/providers/%s?api-version=" PROVIDER_VERSION,
                     azure->manager, azure->subscription, name);
    int code = get(azure, url, &response);
    *ret_state = UNSEEN;
    if (code || response.status != 200)
        return code;
    code = inquiry_object(&azure->base, url, response.body, &root);
    if (!code)
        *ret_state =
            str_equal(node_text(root, "registrationState"), STR("Registered")) ? REGISTERED : UNREGISTERED;
    return code;
}

static void judge_registrations(struct azure *azure, struct buf *missing, struct buf *mend,
                                struct buf *unseen)
{
    if (unseen->len)
        inquiry_note(&azure->base,
                     arena_printf(azure->base.arena,
                                  "whether these resource providers are registered could not be seen: %s",
                                  buf_text(unseen)));
    if (missing->len)
        (void)inquiry_found(
            &azure->base,
            arena_printf(azure->base.arena,
                         "resource providers are not registered in subscription %s, and %s may not "
                         "register them: %s",
                         azure->subscription, inquiry_who(&azure->base), buf_text(missing)),
            arena_strdup(azure->base.arena, buf_str(mend)));
}

/* Asked only where Terraform could not register it: otherwise it does. */
static int ask_registrations(struct azure *azure)
{
    struct buf missing = BUF_INIT(4096), mend = BUF_INIT(4096), unseen = BUF_INIT(4096);
    int code = 0;
    for (size_t i = 0; !code && i < ARRAY_LEN(namespaces); i++) {
        enum registration state;
        if (is_allowed(azure, arena_printf(azure->base.arena, "%s/register/action", namespaces[i])))
            continue;
        code = ask_registration(azure, namespaces[i], &state);
        if (state == REGISTERED)
            continue;
        struct buf *list = state == UNSEEN ? &unseen : &missing;
        inquiry_append(list, ", ", namespaces[i]);
        if (state == UNREGISTERED)
            inquiry_append(&mend, " && ",
                           arena_printf(azure->base.arena,
                                        "az provider register --namespace %s --subscription %s",
                                        namespaces[i], azure->subscription));
    }
    if (!code)
        judge_registrations(azure, &missing, &mend, &unseen);
    buf_deinit(&missing);
    buf_deinit(&mend);
    buf_deinit(&unseen);
    return code;
}

static bool is_on(const char *name)
{
    const char *value = env_get(name);
    return value && (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

/* What we find and Terraform's provider would not. */
static void note_source(struct azure *azure)
{
    const char *source = azure->base.token.source;
    const char *note = NULL;
    if (strstr(source, ", PEM)"))
        note = "Terraform's provider takes a certificate in PKCS#12 only: openssl pkcs12 -export makes one";
    else if (strstr(source, "IDENTITY_ENDPOINT") && !is_on("ARM_USE_MSI"))
        note = "Terraform's provider uses a managed identity with ARM_USE_MSI=true only";
    else if (strncmp(source, "AZURE_FEDERATED_TOKEN_FILE", 26) == 0) {
        if (!is_on("ARM_USE_AKS_WORKLOAD_IDENTITY"))
            note = "Terraform's provider reads AZURE_FEDERATED_TOKEN_FILE with "
                   "ARM_USE_AKS_WORKLOAD_IDENTITY=true only";
    } else if (strncmp(source, "AZURE_", 6) == 0 || (!env_get("ARM_CLIENT_ID") && env_get("AZURE_CLIENT_ID")))
        note = "Terraform's provider reads ARM_CLIENT_ID, ARM_TENANT_ID and what begins with ARM_CLIENT_ "
               "only, not the names that begin with AZURE_";
    if (note)
        inquiry_note(&azure->base, note);
}

static int ask(void *own)
{
    struct azure *azure = own;
    const struct credential_check *check = azure->base.check;
    note_source(azure);
    int code = ask_subscription(azure);
    if (!code && !check->problem)
        code = ask_permissions(azure);
    if (!code && !check->problem && !azure->blind)
        judge_permissions(azure);
    if (!code && !check->problem && !azure->blind)
        code = ask_registrations(azure);
    azure->base.check->ok = !code && !check->problem;
    return code;
}

int azure_validate_credentials(const struct deployment *deployment, const struct region *region,
                               int64_t deadline_mono_ns, struct arena *arena,
                               struct credential_check *ret_check, struct error *err)
{
    bool known;
    struct azure azure = {.base = {.deployment = deployment,
                                   .region = region,
                                   .deadline_mono_ns = deadline_mono_ns,
                                   .arena = arena,
                                   .check = ret_check,
                                   .err = err,
                                   .mend = "set ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID"}};
    *ret_check = (struct credential_check){.region = region->name, .provider = "azure"};
    int code = find_place(&azure, &known);
    if (code || !known)
        return code;
    return inquiry_run(&azure.base, azure_signin_new(azure.scope, false), cloud_signin, ask, &azure);
}
