#include "provisioner/gcp/gateway_report.h"

#include "lib/cloud/google_signin.h"
#include "provisioner/cloud_json.h"

#define COMPUTE_URL "https://compute.googleapis.com/compute/v1/"
#define NAMESPACE   "fraiseql"
#define KEY         "replication"

/* "projects/P/zones/Z/instances/I" and nothing that could lead elsewhere. */
static bool is_place(const char *place)
{
    static const char *const parts[] = {"projects", NULL, "zones", NULL, "instances", NULL};
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-:.";
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t length = strcspn(place, "/");
        bool fits = parts[i] ? length == strlen(parts[i]) && strncmp(place, parts[i], length) == 0
                             : length > 0 && place[0] != '.' && strspn(place, allowed) == length;
        if (!fits || (place[length] == '\0') != (i + 1 == ARRAY_LEN(parts)))
            return false;
        place += length + (place[length] == '/');
    }
    return true;
}

int gcp_gateway_report_read(const struct node *root, struct str *ret_text, struct error *err)
{
    const struct node *items = node_member(node_member(root, "queryValue"), "items");
    *ret_text = STR("");
    for (size_t i = 0; items && items->kind == NODE_SEQUENCE && i < items->count; i++) {
        const struct node *item = items->items[i], *value = node_member(item, "value");
        if (!str_equal(node_text(item, "namespace"), STR(NAMESPACE)) ||
            !str_equal(node_text(item, "key"), STR(KEY)) || !value || value->kind != NODE_SCALAR)
            continue;
        *ret_text = value->scalar;
        return 0;
    }
    return error_set(err, ERR_PEER, "Compute Engine answered without the attribute " NAMESPACE "/" KEY);
}

static int ask(struct cloud_json *compute, const char *url, struct str *ret_text)
{
    struct cloud_json_answer answer;
    int code = cloud_json_call(compute, "GET", url, STR(""), false, &answer);
    if (code)
        return code;
    if (answer.status == 404) { /* of a machine without the attribute, too */
        *ret_text = STR("");
        return 0;
    }
    return answer.status == 409 ? cloud_json_refusal(compute, &answer)
                                : gcp_gateway_report_read(answer.root, ret_text, compute->err);
}

int gcp_gateway_report(const struct region *region, const char *place, int64_t deadline_mono_ns,
                       struct arena *arena, struct str *ret_text, struct error *err)
{
    struct cloud_json compute = {
        .service = "Compute Engine", .arena = arena, .deadline_mono_ns = deadline_mono_ns, .err = err};
    const char *base = NULL;
    (void)region;
    if (!is_place(place))
        return error_set(err, ERR_CONFIG, "\"%.200s\" is no machine of Compute Engine", place);
    int code = cloud_json_base("GOOGLE_COMPUTE_CUSTOM_ENDPOINT", COMPUTE_URL, arena, &base, err);
    if (code)
        return code;
    code = cloud_json_open(&compute, google_signin_new(GOOGLE_SCOPE_ALL));
    if (!code)
        code =
            ask(&compute,
                arena_printf(arena, "%s/%s/getGuestAttributes?queryPath=" NAMESPACE "%%2F" KEY, base, place),
                ret_text);
    cloud_json_close(&compute);
    return code;
}
