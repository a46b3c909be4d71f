/* From bytes to a checked deployment, step by step. */
#include "provisioner/deployment.h"

#include "lib/core/file.h"
#include "provisioner/config/checks.h"
#include "provisioner/config/internal.h"

/* True when the file says that it is of another version; then nothing else of it can be judged. */
static bool is_foreign(const struct node *root, struct findings *findings)
{
    const struct node_pair *pair = node_find(root, "version");
    int64_t version;
    if (!pair || pair->value->kind != NODE_SCALAR || !str_to_i64(pair->value->scalar, &version) ||
        version == 1)
        return false;
    struct finding *finding =
        findings_add(findings, DIAG_ERROR, "version", pair->value,
                     "this file is of version %lld, and this program reads version 1", (long long)version);
    finding_hint(findings, finding, version > 1 ? "Use a newer fraiseql." : "Write version: 1.");
    return true;
}

static int judge(struct deployment *deployment, struct node *root, struct findings *findings)
{
    struct diag diag;
    diag_init(&diag);
    spelling_normalize(deployment_section(), root, &diag);
    deployment->root = root;
    if (is_foreign(root, findings)) {
        diag_deinit(&diag);
        return ERR_CONFIG;
    }
    int code = option_parse(deployment_section(), root, deployment->arena, deployment, &diag);
    findings_take_diag(findings, "schema", &diag);
    diag_deinit(&diag);
    resolve_deployment(deployment, findings);
    check_deployment(deployment, findings);
    /* Pairs of wishes are looked at when each of them is sound. */
    if (!findings->errors)
        check_contradictions(deployment, findings);
    return code || findings->errors ? ERR_CONFIG : 0;
}

int deployment_parse(struct arena *arena, const char *path, struct str bytes, struct deployment **ret,
                     struct findings *findings)
{
    struct deployment *deployment = arena_zalloc(arena, sizeof *deployment);
    deployment->arena = arena;
    deployment->path = arena_strdup(arena, str_from(path));
    deployment->source = (struct str){arena_strdup(arena, bytes), bytes.len};
    *ret = deployment;
    struct node *root;
    struct diag diag;
    diag_init(&diag);
    int code = yaml_parse(arena, deployment->path, bytes, &root, &diag);
    findings_take_diag(findings, "syntax", &diag);
    diag_deinit(&diag);
    return code ? ERR_CONFIG : judge(deployment, root, findings);
}

int deployment_load(struct arena *arena, const char *path, struct deployment **ret, struct findings *findings)
{
    struct error err = {0};
    struct buf bytes = BUF_INIT(YAML_MAX_BYTES);
    int code = file_read(path, &bytes, &err);
    if (code) {
        struct finding *finding = findings_add(findings, DIAG_ERROR, "file", NULL, "%s", err.message);
        if (err.hint[0])
            finding_hint(findings, finding, "%s", err.hint);
        code = ERR_CONFIG;
    } else {
        code = deployment_parse(arena, path, buf_str(&bytes), ret, findings);
    }
    buf_deinit(&bytes);
    return code;
}
