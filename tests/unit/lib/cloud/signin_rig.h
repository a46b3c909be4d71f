/* Drives a sign-in by hand: the test sees each request and says what is answered, and nothing is sent. Every
 * variable of the environment that a sign-in reads is taken away first. */
#ifndef FRAISEQL_TESTS_SIGNIN_RIG_H
#define FRAISEQL_TESTS_SIGNIN_RIG_H

#include "lib/cloud/signin.h"
#include "lib/core/crypto.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define RIG_WALL_NS (INT64_C(1764131138) * NS_PER_S)

struct rig {
    struct signin *signin;
    struct http_request request; /* the last */
    enum signin_step step;
    struct error err;
    struct cloud_token token;
};

static void rig_clear_environment(void)
{
    static const char *const names[] = {"GOOGLE_OAUTH_ACCESS_TOKEN",
                                        "GOOGLE_CREDENTIALS",
                                        "GOOGLE_CLOUD_KEYFILE_JSON",
                                        "GCLOUD_KEYFILE_JSON",
                                        "GOOGLE_APPLICATION_CREDENTIALS",
                                        "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
                                        "GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT",
                                        "CLOUDSDK_CONFIG",
                                        "GCE_METADATA_HOST",
                                        "ARM_TENANT_ID",
                                        "ARM_CLIENT_ID",
                                        "ARM_CLIENT_SECRET",
                                        "ARM_CLIENT_SECRET_FILE_PATH",
                                        "ARM_CLIENT_ID_FILE_PATH",
                                        "ARM_CLIENT_CERTIFICATE",
                                        "ARM_CLIENT_CERTIFICATE_PATH",
                                        "ARM_CLIENT_CERTIFICATE_PASSWORD",
                                        "ARM_USE_OIDC",
                                        "ARM_USE_AKS_WORKLOAD_IDENTITY",
                                        "ARM_OIDC_TOKEN",
                                        "ARM_OIDC_TOKEN_FILE_PATH",
                                        "ARM_OIDC_REQUEST_TOKEN",
                                        "ARM_OIDC_REQUEST_URL",
                                        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                                        "ACTIONS_ID_TOKEN_REQUEST_URL",
                                        "SYSTEM_OIDCREQUESTURI",
                                        "ARM_USE_MSI",
                                        "ARM_MSI_ENDPOINT",
                                        "ARM_ENVIRONMENT",
                                        "AZURE_TENANT_ID",
                                        "AZURE_CLIENT_ID",
                                        "AZURE_CLIENT_SECRET",
                                        "AZURE_CLIENT_CERTIFICATE_PATH",
                                        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
                                        "AZURE_FEDERATED_TOKEN_FILE",
                                        "AZURE_AUTHORITY_HOST",
                                        "AZURE_CONFIG_DIR",
                                        "IDENTITY_ENDPOINT",
                                        "IDENTITY_HEADER",
                                        "IDENTITY_SERVER_THUMBPRINT",
                                        "IMDS_ENDPOINT"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)unsetenv(names[i]);
}

static UNUSED int rig_begin(struct rig *rig, struct signin *signin)
{
    *rig = (struct rig){.signin = signin};
    return signin_next(signin, NULL, NULL, RIG_WALL_NS, &rig->step, &rig->request, &rig->err);
}

static UNUSED int rig_again(struct rig *rig)
{
    return signin_next(rig->signin, NULL, NULL, RIG_WALL_NS, &rig->step, &rig->request, &rig->err);
}

/* `header` may be NULL: "Name" with `value`. */
static UNUSED int rig_answer_with(struct rig *rig, int status, const char *body, const char *header,
                                  const char *value)
{
    const struct http_header headers[] = {{header, value}};
    const struct http_response response = {
        .status = status, .body = str_from(body), .headers = headers, .header_count = header ? 1 : 0};
    int code = signin_next(rig->signin, &response, NULL, RIG_WALL_NS, &rig->step, &rig->request, &rig->err);
    if (!code && rig->step == SIGNIN_READY)
        signin_token(rig->signin, &rig->token);
    return code;
}

static UNUSED int rig_answer(struct rig *rig, int status, const char *body)
{
    return rig_answer_with(rig, status, body, NULL, NULL);
}

static UNUSED int rig_fail(struct rig *rig, int code, const char *message)
{
    struct error failure = {0};
    (void)error_set(&failure, code, "%s", message);
    return signin_next(rig->signin, NULL, &failure, RIG_WALL_NS, &rig->step, &rig->request, &rig->err);
}

static UNUSED const char *rig_header(const struct rig *rig, const char *name)
{
    for (size_t i = 0; i < rig->request.header_count; i++) {
        if (strcmp(rig->request.headers[i].name, name) == 0)
            return rig->request.headers[i].value;
    }
    return NULL;
}

static int rig_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* A member of the request's form, decoded; NULL when there is none. */
static UNUSED const char *rig_form(struct arena *arena, const struct rig *rig, const char *name)
{
    const char *body = arena_strdup(arena, rig->request.body);
    size_t length = strlen(name);
    while (strncmp(body, name, length) != 0 || body[length] != '=') {
        body = strchr(body, '&');
        if (!body)
            return NULL;
        body++;
    }
    body += length + 1;
    char *value = arena_strdup(arena, (struct str){body, strcspn(body, "&")}), *out = value;
    for (const char *at = value; *at; at++) {
        bool escaped = *at == '%';
        int byte = escaped ? rig_digit(at[1]) << 4 | rig_digit(at[2]) : *at;
        *out++ = (char)byte;
        at += escaped ? 2 : 0;
    }
    *out = '\0';
    return value;
}

static UNUSED bool rig_token_is(const struct rig *rig, const char *text)
{
    return rig->step == SIGNIN_READY && str_equal_text(secret_reveal(rig->token.secret), text);
}

/* No error may carry it. */
static UNUSED void rig_assert_hidden(const struct rig *rig, const char *secret)
{
    ck_assert_ptr_null(strstr(rig->err.message, secret));
    ck_assert_ptr_null(strstr(rig->err.detail, secret));
    ck_assert_ptr_null(strstr(rig->err.hint, secret));
}

#endif
