#include "provisioner/azure/gateway_report.h"

#include "lib/cloud/azure_signin.h"
#include "lib/core/env.h"
#include "provisioner/cloud_json.h"

#define VERSION "7.4"
#define NAME    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

/* Vaults of one of Azure's clouds: the end of their names, with the dot; the audience of tokens is the same.
 */
static const char *suffix_of(const struct azure_cloud *cloud)
{
    static const char *const suffixes[][2] = {{"usgovernment", ".vault.usgovcloudapi.net"},
                                              {"china", ".vault.azure.cn"}};
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (strcmp(suffixes[i][0], cloud->name) == 0)
            return suffixes[i][1];
    }
    return ".vault.azure.net";
}

bool azure_gateway_report_place(const char *place, const char *suffix, const char **ret_path)
{
    static const char scheme[] = "https://", path[] = "/secrets/";
    if (strncmp(place, scheme, sizeof scheme - 1) != 0)
        return false;
    place += sizeof scheme - 1;
    size_t length = strspn(place, NAME);
    if (!length || strncmp(place + length, suffix, strlen(suffix)) != 0)
        return false;
    *ret_path = place + length + strlen(suffix);
    if (strncmp(*ret_path, path, sizeof path - 1) != 0)
        return false;
    length = strspn(*ret_path + sizeof path - 1, NAME);
    return length && (*ret_path)[sizeof path - 1 + length] == '\0';
}

int azure_gateway_report_read(const struct node *root, struct str *ret_text, struct error *err)
{
    const struct node *value = node_member(root, "value");
    *ret_text = STR("");
    if (!value || value->kind != NODE_SCALAR || value->plain)
        return error_set(err, ERR_PEER, "the key vault answered with something else than a secret");
    *ret_text = value->scalar;
    return 0;
}

int azure_gateway_report(const struct region *region, const char *place, int64_t deadline_mono_ns,
                         struct arena *arena, struct str *ret_text, struct error *err)
{
    struct cloud_json vault = {
        .service = "Key Vault", .arena = arena, .deadline_mono_ns = deadline_mono_ns, .err = err};
    const struct azure_cloud *cloud = NULL;
    const char *path = NULL, *base = NULL;
    (void)region;
    int code = azure_cloud(&cloud, err);
    if (code)
        return code;
    const char *suffix = suffix_of(cloud);
    if (!azure_gateway_report_place(place, suffix, &path))
        return error_set(err, ERR_CONFIG,
                         "\"%.200s\" is no secret of a key vault (https://NAME%s/secrets/NAME)", place,
                         suffix);
    code = cloud_json_base("FRAISEQL_AZURE_KEY_VAULT",
                           arena_printf(arena, "%.*s", (int)(path - place), place), arena, &base, err);
    if (code)
        return code;
    code = cloud_json_open(&vault,
                           azure_signin_new(arena_printf(arena, "https://%s/.default", suffix + 1), false));
    struct cloud_json_answer answer;
    if (!code)
        code = cloud_json_must(&vault, "GET", arena_printf(arena, "%s%s?api-version=" VERSION, base, path),
                               STR(""), &answer);
    if (!code)
        code = azure_gateway_report_read(answer.root, ret_text, err);
    cloud_json_close(&vault);
    return code;
}
