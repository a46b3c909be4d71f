/* The part of the chain that is written in ~/.aws: a profile's role, web identity or keys. */
#include "lib/cloud/aws_chain_internal.h"

#include <errno.h>

int aws_chain_add_role(struct aws_chain *chain, const struct aws_role *role)
{
    struct aws_plan *plan = chain->plan;
    if (strncmp(role->arn, "arn:", 4) != 0 || !strstr(role->arn, ":role/"))
        return error_set(chain->err, ERR_CONFIG, "%s: \"%.80s\" is not the ARN of a role", role->why,
                         role->arn);
    if (plan->role_count == AWS_ROLES_MAX)
        return error_set(chain->err, ERR_CONFIG, "more than %u roles would be assumed one with the other",
                         AWS_ROLES_MAX);
    plan->roles[plan->role_count++] = *role;
    return 0;
}

static const struct aws_setting *find(const struct aws_chain *chain, const char *profile, const char *key)
{
    return aws_config_find(&chain->plan->config, profile, key);
}

static int refuse(struct aws_chain *chain, const struct aws_setting *setting, const char *what,
                  const char *hint)
{
    (void)error_set(chain->err, ERR_CONFIG, "profile %.60s: %s", setting->profile, what);
    error_set_hint(chain->err, "%s", hint);
    error_set_position(chain->err, setting->file, setting->line, 0);
    return ERR_CONFIG;
}

/* --- the files ----------------------------------------------------------------------------------------- */

static const char *path_of(struct aws_chain *chain, const char *variable, const char *name)
{
    const char *path = chain->env(variable), *home = chain->env("HOME");
    if (path && strncmp(path, "~/", 2) != 0)
        return path;
    if (!home)
        return NULL;
    return path ? arena_printf(chain->arena, "%s%s", home, path + 1)
                : arena_printf(chain->arena, "%s/.aws/%s", home, name);
}

static int load(struct aws_chain *chain)
{
    const struct aws_chain_options *options = chain->options;
    const char *credentials = options->credentials_file
                                  ? options->credentials_file
                                  : path_of(chain, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    const char *config =
        options->config_file ? options->config_file : path_of(chain, "AWS_CONFIG_FILE", "config");
    const char *asked = options->profile ? options->profile : chain->env("AWS_PROFILE");
    bool has_credentials = false, has_config = false;
    int code = 0;
    if (!asked)
        asked = chain->env("AWS_DEFAULT_PROFILE");
    chain->profile = asked ? asked : "default";
    if (credentials)
        code = aws_config_load(&chain->plan->config, AWS_CREDENTIALS_FILE, credentials, chain->arena,
                               &has_credentials, chain->err);
    if (!code && config)
        code = aws_config_load(&chain->plan->config, AWS_CONFIG_FILE, config, chain->arena, &has_config,
                               chain->err);
    if (code || aws_config_has(&chain->plan->config, chain->profile))
        return code;
    if (!credentials && !config)
        aws_chain_looked(chain, "HOME is not set, which is where profiles are looked for");
    else if (!has_credentials && !has_config)
        aws_chain_looked(chain, "neither %.80s nor %.80s is there", credentials ? credentials : "-",
                         config ? config : "-");
    else
        aws_chain_looked(chain, "profile %.40s is not in %.80s%s%.80s", chain->profile,
                         has_credentials ? credentials : config, has_credentials && has_config ? " or " : "",
                         has_credentials && has_config ? config : "");
    if (!asked)
        return 0;
    (void)error_set(chain->err, ERR_CONFIG, "%s names the profile %.60s, and %s",
                    options->profile            ? "the configuration"
                    : chain->env("AWS_PROFILE") ? "AWS_PROFILE"
                                                : "AWS_DEFAULT_PROFILE",
                    asked, chain->plan->looked);
    error_set_hint(chain->err, "aws configure list-profiles shows those that are there");
    return ERR_CONFIG;
}

/* --- roles --------------------------------------------------------------------------------------------- */

static int read_role(struct aws_chain *chain, const char *profile, struct aws_role *ret_role)
{
    const struct aws_setting *arn = find(chain, profile, "role_arn");
    const struct aws_setting *session = find(chain, profile, "role_session_name");
    const struct aws_setting *external = find(chain, profile, "external_id");
    const struct aws_setting *duration = find(chain, profile, "duration_seconds");
    const struct aws_setting *mfa = find(chain, profile, "mfa_serial");
    uint64_t seconds;
    if (mfa)
        return refuse(
            chain, mfa, "mfa_serial asks for a code, and this program has nobody to ask",
            "Get temporary keys with `aws sts assume-role --serial-number ... --token-code ...` and set "
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN");
    if (duration && (!str_to_u64(str_from(duration->value), &seconds) || seconds < 900 || seconds > 43200))
        return refuse(chain, duration, "duration_seconds is not between 900 and 43200", "");
    *ret_role = (struct aws_role){
        .arn = arn->value,
        .session_name = session ? session->value : AWS_SESSION_NAME,
        .external_id = external ? external->value : NULL,
        .duration_s = duration ? duration->value : NULL,
        .why = arena_printf(chain->arena, "profile %.60s", profile),
    };
    return 0;
}

/* credential_source = Environment | Ec2InstanceMetadata | EcsContainer */
static int named_source(struct aws_chain *chain, const struct aws_setting *source)
{
    bool found = true;
    int code;
    if (strcmp(source->value, "Environment") == 0)
        code = aws_chain_environment(chain, &found);
    else if (strcmp(source->value, "EcsContainer") == 0)
        code = aws_chain_container(chain, &found);
    else if (strcmp(source->value, "Ec2InstanceMetadata") == 0)
        code = aws_chain_instance(chain, true);
    else
        return refuse(chain, source,
                      "credential_source is none of Environment, Ec2InstanceMetadata and EcsContainer", "");
    if (!code && !found)
        code = refuse(chain, source, "credential_source names a place where there is nothing",
                      chain->plan->looked);
    return code;
}

static int profile_web_identity(struct aws_chain *chain, const char *profile)
{
    const struct aws_setting *file = find(chain, profile, "web_identity_token_file");
    struct aws_role role;
    int code = read_role(chain, profile, &role);
    if (code)
        return code;
    chain->plan->source = AWS_FROM_WEB_IDENTITY;
    chain->plan->name = arena_printf(chain->arena, "web identity of profile %.60s", profile);
    chain->plan->token_file = file->value;
    chain->plan->web = role;
    chain->plan->sure = true;
    return 0;
}

static int profile_keys(struct aws_chain *chain, const char *profile, bool *ret_found)
{
    const struct aws_setting *id = find(chain, profile, "aws_access_key_id");
    const struct aws_setting *secret = find(chain, profile, "aws_secret_access_key");
    const struct aws_setting *session = find(chain, profile, "aws_session_token");
    *ret_found = id != NULL;
    if (!id)
        return 0;
    if (!secret)
        return refuse(chain, id, "aws_access_key_id is there and aws_secret_access_key is not", "");
    int code = aws_credentials_set(&chain->plan->keys, id->value, secret->value,
                                   session ? session->value : NULL, chain->err);
    if (code) {
        error_set_position(chain->err, id->file, id->line, 0);
        return error_prefix(chain->err, "profile %.60s", profile);
    }
    chain->plan->source = AWS_FROM_KEYS;
    chain->plan->name = arena_printf(chain->arena, "profile %.60s", profile);
    chain->plan->sure = true;
    return 0;
}

/* What a profile says that this program does not do, though others do. */
static int refuse_others(struct aws_chain *chain, const char *profile)
{
    static const struct {
        const char *key, *what, *hint;
    } rules[] = {
        {"sso_session", "signing in by SSO is not part of this program",
         "Sign in with `aws sso login`, then: eval \"$(aws configure export-credentials --format env)\""},
        {"sso_start_url", "signing in by SSO is not part of this program",
         "Sign in with `aws sso login`, then: eval \"$(aws configure export-credentials --format env)\""},
        {"login_session", "signing in by `aws login` is not part of this program",
         "Sign in, then: eval \"$(aws configure export-credentials --format env)\""},
        {"credential_process", "this program runs no credential_process",
         "Run: eval \"$(aws configure export-credentials --format env)\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct aws_setting *setting = find(chain, profile, rules[i].key);
        if (!setting)
            continue;
        (void)refuse(chain, setting, rules[i].what, rules[i].hint);
        if (chain->err)
            chain->err->code = -ENOTSUP;
        return -ENOTSUP;
    }
    return 0;
}

static int end_of_roles(struct aws_chain *chain, const char *profile, const struct aws_setting *named_by)
{
    bool found = false;
    int code = profile_keys(chain, profile, &found);
    if (code || found)
        return code;
    if (find(chain, profile, "web_identity_token_file") && find(chain, profile, "role_arn"))
        return profile_web_identity(chain, profile);
    code = refuse_others(chain, profile);
    if (code)
        return code;
    return refuse(chain, named_by, "source_profile names a profile that has no credentials", "");
}

static bool has_role(const struct aws_chain *chain, const char *profile)
{
    return find(chain, profile, "role_arn") && !find(chain, profile, "web_identity_token_file");
}

/* Follows source_profile from `profile` on; roles are collected from the last to the first. */
static int follow(struct aws_chain *chain, const char *profile, struct aws_role *roles, size_t *count)
{
    for (;;) {
        const struct aws_setting *arn = find(chain, profile, "role_arn");
        const struct aws_setting *source = find(chain, profile, "source_profile");
        const struct aws_setting *named = find(chain, profile, "credential_source");
        if (*count == AWS_ROLES_MAX)
            return refuse(chain, arn, "source_profile leads in a circle, or through too many roles", "");
        int code = read_role(chain, profile, &roles[*count]);
        if (code)
            return code;
        ++*count;
        if (source && named)
            return refuse(chain, named, "source_profile and credential_source exclude each other", "");
        if (named)
            return named_source(chain, named);
        if (!source)
            return refuse(chain, arn, "role_arn needs source_profile or credential_source", "");
        if (!aws_config_has(&chain->plan->config, source->value))
            return refuse(chain, source, "source_profile names a profile that is not there", "");
        /* A profile's own keys come before its role; and one may name itself for its keys. */
        if (find(chain, source->value, "aws_access_key_id") || !has_role(chain, source->value))
            return end_of_roles(chain, source->value, source);
        profile = source->value;
    }
}

int aws_chain_profile_role(struct aws_chain *chain, bool *ret_found)
{
    struct aws_role roles[AWS_ROLES_MAX];
    size_t count = 0;
    int code = load(chain);
    *ret_found = false;
    if (code || !has_role(chain, chain->profile))
        return code;
    code = follow(chain, chain->profile, roles, &count);
    while (!code && count)
        code = aws_chain_add_role(chain, &roles[--count]);
    *ret_found = code == 0;
    return code;
}

int aws_chain_profile_keys(struct aws_chain *chain, bool *ret_found)
{
    const char *profile = chain->profile;
    *ret_found = true;
    if (find(chain, profile, "web_identity_token_file") && find(chain, profile, "role_arn"))
        return profile_web_identity(chain, profile);
    int code = profile_keys(chain, profile, ret_found);
    if (!code && !*ret_found)
        code = refuse_others(chain, profile);
    if (!code && !*ret_found && aws_config_has(&chain->plan->config, profile))
        aws_chain_looked(chain, "profile %.40s has no keys", profile);
    return code;
}
