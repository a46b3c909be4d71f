#include "lib/cloud/aws_chain.h"

#include "lib/cloud/aws_chain_internal.h"
#include "lib/core/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

void aws_chain_looked(struct aws_chain *chain, const char *format, ...)
{
    char *text = chain->plan->looked;
    size_t length = strlen(text);
    va_list arguments;
    if (length && length + 2 < AWS_LOOKED_MAX) {
        memcpy(text + length, "; ", 3);
        length += 2;
    }
    va_start(arguments, format);
    (void)vsnprintf(text + length, AWS_LOOKED_MAX - length, format, arguments);
    va_end(arguments);
}

/* --- environment --------------------------------------------------------------------------------------- */

int aws_chain_environment(struct aws_chain *chain, bool *ret_found)
{
    const char *id = chain->env("AWS_ACCESS_KEY_ID"), *secret = chain->env("AWS_SECRET_ACCESS_KEY");
    const char *session = chain->env("AWS_SESSION_TOKEN"), *expires = chain->env("AWS_CREDENTIAL_EXPIRATION");
    *ret_found = false;
    if (!session)
        session = chain->env("AWS_SECURITY_TOKEN"); /* its older name */
    if (!id) {
        aws_chain_looked(chain, "AWS_ACCESS_KEY_ID is not set");
        return 0;
    }
    if (!secret) {
        (void)error_set(chain->err, ERR_CONFIG, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
        error_set_hint(chain->err, "Set both, or neither to use a profile");
        return ERR_CONFIG;
    }
    int code = aws_credentials_set(&chain->plan->keys, id, secret, session, chain->err);
    if (code)
        return error_prefix(chain->err, "environment");
    if (expires && !clock_parse_rfc3339(str_from(expires), &chain->plan->keys.expires_wall_ns))
        return error_set(chain->err, ERR_CONFIG,
                         "AWS_CREDENTIAL_EXPIRATION is not a time in UTC such as "
                         "2026-11-26T04:20:32Z");
    chain->plan->source = AWS_FROM_KEYS;
    chain->plan->name = "environment";
    *ret_found = chain->plan->sure = true;
    return 0;
}

/* --- web identity -------------------------------------------------------------------------------------- */

static int web_identity(struct aws_chain *chain, bool *ret_found)
{
    const char *file = chain->env("AWS_WEB_IDENTITY_TOKEN_FILE"), *arn = chain->env("AWS_ROLE_ARN");
    const char *session = chain->env("AWS_ROLE_SESSION_NAME");
    *ret_found = false;
    if (!file) {
        aws_chain_looked(chain, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
        return 0;
    }
    if (!arn) {
        (void)error_set(chain->err, ERR_CONFIG, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
        error_set_hint(chain->err, "AWS_ROLE_ARN names the role that trusts this identity");
        return ERR_CONFIG;
    }
    struct aws_plan *plan = chain->plan;
    plan->source = AWS_FROM_WEB_IDENTITY;
    plan->name = "web identity";
    plan->token_file = file;
    plan->web = (struct aws_role){arn, session ? session : AWS_SESSION_NAME, NULL, NULL, "AWS_ROLE_ARN"};
    *ret_found = plan->sure = true;
    return 0;
}

/* --- containers and instances -------------------------------------------------------------------------- */

/* Plain http would show the keys to whoever listens: only on this machine and to the addresses of ECS and
 * EKS. */
static bool may_be_plain(const char *url)
{
    static const char *const hosts[] = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23",
                                        "[fd00:ec2::23]"};
    const char *host = url + sizeof "http://" - 1;
    size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    if (strchr(url, '@'))
        return false;
    if (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        if (strlen(hosts[i]) == length && strncasecmp(host, hosts[i], length) == 0)
            return true;
    }
    return false;
}

static int container_token(struct aws_chain *chain)
{
    const char *token = chain->env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    chain->plan->token_file = chain->env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (chain->plan->token_file || !token)
        return 0;
    if (strpbrk(token, "\r\n"))
        return error_set(chain->err, ERR_CONFIG, "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line end");
    chain->plan->token = secret_new(str_from(token));
    return 0;
}

int aws_chain_container(struct aws_chain *chain, bool *ret_found)
{
    const char *relative = chain->env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = chain->env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    struct aws_plan *plan = chain->plan;
    *ret_found = false;
    if (!relative && !full) {
        aws_chain_looked(chain, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
        return 0;
    }
    if (relative && relative[0] != '/')
        return error_set(chain->err, ERR_CONFIG,
                         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
    plan->url = relative ? arena_printf(chain->arena, "http://169.254.170.2%s", relative) : full;
    bool plain = strncmp(plan->url, "http://", 7) == 0;
    if (!plain && strncmp(plan->url, "https://", 8) != 0)
        return error_set(chain->err, ERR_CONFIG,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI does not begin with http:// or https://");
    if (plain && !may_be_plain(plan->url)) {
        (void)error_set(
            chain->err, ERR_CONFIG,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI is plain http to a host that is neither this machine "
            "nor ECS's or EKS's");
        error_set_hint(chain->err, "Use https, a loopback address, 169.254.170.2, 169.254.170.23 or "
                                   "[fd00:ec2::23]");
        return ERR_CONFIG;
    }
    plan->source = AWS_FROM_CONTAINER;
    plan->name = "container";
    *ret_found = plan->sure = true;
    return container_token(chain);
}

int aws_chain_instance(struct aws_chain *chain, bool sure)
{
    const char *disabled = chain->env("AWS_EC2_METADATA_DISABLED");
    const char *url = chain->env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = chain->env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    struct aws_plan *plan = chain->plan;
    if (disabled && strcasecmp(disabled, "true") == 0)
        return aws_chain_nothing(plan, "AWS_EC2_METADATA_DISABLED is true", chain->err);
    if (!url)
        url = mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return error_set(chain->err, ERR_CONFIG,
                         "AWS_EC2_METADATA_SERVICE_ENDPOINT does not begin with http:// or https://");
    size_t length = strlen(url);
    while (length && url[length - 1] == '/')
        length--;
    plan->url = arena_strdup(chain->arena, (struct str){url, length});
    plan->source = AWS_FROM_INSTANCE;
    plan->name = "instance metadata";
    plan->sure = sure;
    return 0;
}

/* --- the chain ----------------------------------------------------------------------------------------- */

int aws_chain_nothing(const struct aws_plan *plan, const char *last, struct error *err)
{
    (void)error_set(err, ERR_CONFIG, "no AWS credentials: %s%s%s", plan->looked, plan->looked[0] ? "; " : "",
                    last);
    error_set_hint(err,
                   "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run: aws configure");
    return ERR_CONFIG;
}

static int find(struct aws_chain *chain)
{
    bool found = false;
    int code = chain->options->profile ? 0 : aws_chain_environment(chain, &found);
    if (!code && !found)
        code = aws_chain_profile_role(chain, &found);
    if (!code && !found)
        code = web_identity(chain, &found);
    if (!code && !found)
        code = aws_chain_profile_keys(chain, &found);
    if (!code && !found)
        code = aws_chain_container(chain, &found);
    if (!code && !found)
        code = aws_chain_instance(chain, false);
    return code;
}

int aws_chain_find(const struct aws_chain_options *options, struct arena *arena, struct aws_plan *ret_plan,
                   struct error *err)
{
    struct aws_chain chain = {
        .env = options->env, .arena = arena, .plan = ret_plan, .err = err, .options = options};
    *ret_plan = (struct aws_plan){0};
    aws_config_init(&ret_plan->config);
    int code = find(&chain);
    if (code || !options->role_arn)
        return code;
    const struct aws_role role = {options->role_arn, AWS_SESSION_NAME, options->external_id, NULL,
                                  "the region's account"};
    return aws_chain_add_role(&chain, &role);
}

void aws_plan_deinit(struct aws_plan *plan)
{
    aws_credentials_clear(&plan->keys);
    secret_free(plan->token);
    plan->token = NULL;
    aws_config_deinit(&plan->config);
}
