/* A cloud on this machine, for the checks of credentials: what is answered to which path, in the order given,
 * the last one for good. */
#ifndef FRAISEQL_TESTS_CREDENTIALS_RIG_H
#define FRAISEQL_TESTS_CREDENTIALS_RIG_H

#include "lib/core/clock.h"
#include "provisioner/provider.h"
#include "tests/support/test_server.h"
#include "tests/unit/lib/cloud/signin_rig.h"

#define CLOUD_ANSWERS_MAX 24

struct cloud_answer {
    const char *part;   /* of the path */
    const char *status; /* "200 OK" */
    const char *body;
    bool once;
};

static struct {
    struct test_server *server;
    struct cloud_answer answers[CLOUD_ANSWERS_MAX];
    size_t count;
    char asked[16384]; /* "METHOD path\n" of each request */
    char bodies[65536];
    char heads[65536];
    struct arena *arena;
    struct credential_check check;
    struct error err;
} cloud;

static bool cloud_answers(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    (void)snprintf(cloud.asked + strlen(cloud.asked), sizeof cloud.asked - strlen(cloud.asked), "%s %s\n",
                   exchange->method, exchange->path);
    (void)snprintf(cloud.bodies + strlen(cloud.bodies), sizeof cloud.bodies - strlen(cloud.bodies), "%.*s\n",
                   STR_ARGS(exchange->body));
    (void)snprintf(cloud.heads + strlen(cloud.heads), sizeof cloud.heads - strlen(cloud.heads), "%s\n",
                   exchange->head);
    for (size_t i = 0; i < cloud.count; i++) {
        struct cloud_answer *answer = &cloud.answers[i];
        if (!answer->part || !strstr(exchange->path, answer->part))
            continue;
        const char *body = answer->body, *status = answer->status;
        if (answer->once)
            answer->part = NULL;
        return test_server_answer(exchange->fd, status, "", str_from(body));
    }
    return test_server_answer(exchange->fd, "418 Not Asked For", "", STR(""));
}

static UNUSED void cloud_will(const char *part, const char *status, const char *body, bool once)
{
    ck_assert_uint_lt(cloud.count, CLOUD_ANSWERS_MAX);
    cloud.answers[cloud.count++] = (struct cloud_answer){part, status, body, once};
}

static UNUSED const char *cloud_url(const char *path)
{
    return arena_printf(cloud.arena, "http://127.0.0.1:%u%s", (unsigned)test_server_port(cloud.server), path);
}

static UNUSED void cloud_begin(void)
{
    memset(&cloud, 0, sizeof cloud);
    cloud.arena = arena_new(0);
    cloud.server = test_server_new(cloud_answers, NULL);
    rig_clear_environment();
    (void)unsetenv("HOME");
}

static UNUSED void cloud_end(void)
{
    test_server_free(cloud.server);
    arena_free(cloud.arena);
    rig_clear_environment();
}

/* The first region of a deployment of one region. */
static UNUSED int cloud_check(const struct provider *provider, const char *more, int64_t timeout_ns)
{
    struct findings findings;
    struct deployment *deployment;
    bool gcp = strcmp(provider->name, "gcp") == 0;
    const char *text = arena_printf(cloud.arena,
                                    "metadata: {name: shop, environment: production}\n"
                                    "regions:\n"
                                    "  eu: {provider: %s, location: %s, instance_type: %s%s,\n"
                                    "       database: {engine: postgresql, %s}}\n",
                                    provider->name, gcp ? "europe-west1" : "westeurope",
                                    gcp ? "n2-standard-4" : "Standard_D4s_v5", more,
                                    gcp ? "tier: db-custom-4-16384" : "sku: Standard_D4s_v3");
    findings_init(&findings, cloud.arena);
    (void)!deployment_parse(cloud.arena, "d.yaml", str_from(text), &deployment, &findings);
    ck_assert_uint_eq(deployment_region_count(deployment), 1);
    cloud.err = (struct error){0};
    return provider->validate_credentials(deployment, deployment_region(deployment, 0),
                                          clock_mono_ns() + timeout_ns, cloud.arena, &cloud.check,
                                          &cloud.err);
}

#endif
