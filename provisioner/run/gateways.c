#include "provisioner/run/gateways.h"

#include "provisioner/log_lines.h"
#include "provisioner/provider.h"

#include <unistd.h>

bool gateways_wanted(const struct run *run)
{
    for (size_t i = 0; run->cloud_count && i < deployment_region_count(run->clouds); i++) {
        if (deployment_replicates(run->clouds, deployment_region(run->clouds, i)))
            return true;
    }
    return false;
}

int gateways_documents(struct run *run, const struct node **ret_documents, struct error *err)
{
    struct run_root *global = &run->global;
    *ret_documents = NULL;
    if (access(arena_printf(run->arena, "%s/main.tf.json", global->folder), F_OK) != 0)
        return 0;
    root_prepare(global);
    if (global->failed) {
        *err = global->err;
        return err->code;
    }
    return root_documents(global, ret_documents, err);
}

struct gateway *gateway_new(struct run_root *root, const char *place, const struct node *documents)
{
    struct gateway *gateway = arena_zalloc(root->arena, sizeof *gateway);
    struct str document = node_text(documents, root->name);
    *gateway = (struct gateway){.place = place,
                                .document = document.len ? arena_strdup(root->arena, document) : "",
                                .state = {.standing = GATEWAY_WAITING, .detail = "not asked yet"}};
    return gateway;
}

static int ask(struct run_root *root, struct gateway *gateway, int64_t deadline_mono_ns,
               struct gateway_report *ret)
{
    const struct provider *provider = root->region->provider;
    struct str text = STR("");
    if (!provider->gateway_report)
        return error_set(&gateway->err, ERR_CONFIG, "this version knows no gateways of %s", provider->title);
    int code = provider->gateway_report(root->region, gateway->place, deadline_mono_ns, root->arena, &text,
                                        &gateway->err);
    return code ? code : gateway_report_parse(text, root->arena, ret, &gateway->err);
}

void gateway_ask(struct run_root *root, struct gateway *gateway, int64_t deadline_mono_ns)
{
    struct gateway_report report;
    error_clear(&gateway->err);
    if (ask(root, gateway, deadline_mono_ns, &report) == 0) {
        gateway_report_judge(&report, gateway->document, root->arena, &gateway->state);
        return;
    }
    const char *text = arena_printf(root->arena, "its report could not be read: %s%s%s%s",
                                    gateway->err.message, gateway->err.detail[0] ? " (" : "",
                                    gateway->err.detail, gateway->err.detail[0] ? ")" : "");
    gateway->state = (struct gateway_state){.standing = GATEWAY_UNKNOWN,
                                            .detail = log_line_shown(str_from(text), root->arena)};
}
