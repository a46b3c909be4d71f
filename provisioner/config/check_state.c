/* The state's backend has what it needs, and nothing that another one would need. */
#include "lib/core/str.h"
#include "provisioner/config/checks.h"

struct state_member {
    const char *key;
    size_t offset;
    unsigned backends, required; /* bits of enum state_backend */
};

#define BIT(backend) (1U << (backend))
#define MEMBER(name, field, known, needed)                                                                   \
    {                                                                                                        \
        name, offsetof(struct deployment_state, field), known, needed                                        \
    }

static const struct state_member members[] = {
    MEMBER("path", path, BIT(STATE_LOCAL), 0),
    MEMBER("bucket", bucket, BIT(STATE_S3) | BIT(STATE_GCS), BIT(STATE_S3) | BIT(STATE_GCS)),
    MEMBER("prefix", prefix, BIT(STATE_S3) | BIT(STATE_GCS) | BIT(STATE_AZURERM) | BIT(STATE_PG), 0),
    MEMBER("location", location, BIT(STATE_S3), BIT(STATE_S3)),
    MEMBER("storage-account", storage_account, BIT(STATE_AZURERM), BIT(STATE_AZURERM)),
    MEMBER("resource-group", resource_group, BIT(STATE_AZURERM), BIT(STATE_AZURERM)),
    MEMBER("container", container, BIT(STATE_AZURERM), BIT(STATE_AZURERM)),
    MEMBER("connection", connection, BIT(STATE_PG), BIT(STATE_PG)),
    MEMBER("namespace", namespace, BIT(STATE_KUBERNETES), BIT(STATE_KUBERNETES)),
    MEMBER("secret-suffix", secret_suffix, BIT(STATE_KUBERNETES), 0),
};

static const char *const backend_names[] = {"local", "s3", "gcs", "azurerm", "pg", "kubernetes"};

static void check_connection(const struct deployment *deployment, struct findings *findings)
{
    const char *text = deployment->state.connection;
    const char *host = text ? strstr(text, "://") : NULL;
    const char *at = host ? strchr(host, '@') : NULL, *colon = host ? strchr(host + 3, ':') : NULL;
    if (text && (strcasestr(text, "password") || (at && colon && colon < at))) {
        struct finding *finding = check_fail(deployment, findings, "secret-in-file", "state.connection",
                                             "holds a password, and this file is no place for one");
        finding_hint(findings, finding, "Give it by PGPASSWORD, PGPASSFILE or a service file.");
    }
}

void check_state(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_state *state = &deployment->state;
    const char *backend = backend_names[state->backend];
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const char *value = *(const char *const *)((const char *)state + members[i].offset);
        const char *path = check_path(deployment, "state.%s", members[i].key);
        bool known = members[i].backends & BIT(state->backend);
        if (value && !known)
            (void)check_fail(deployment, findings, "state", path, "is nothing that backend %s has", backend);
        else if (!value && members[i].required & BIT(state->backend))
            (void)check_fail(deployment, findings, "state", path, "is missing, and backend %s needs it",
                             backend);
        else if (value && known && strcmp(members[i].key, "path") != 0 &&
                 strcmp(members[i].key, "connection") != 0 && *value && !check_is_plain(value, "/._-"))
            (void)check_fail(deployment, findings, "state", path,
                             "want letters, digits and /._-, found \"%.80s\"", value);
    }
    check_connection(deployment, findings);
}
