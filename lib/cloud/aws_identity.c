#include "lib/cloud/aws_identity.h"

#include <stdio.h>

#define STS_VERSION "2011-06-15"
#define IAM_VERSION "2010-05-08"
#define PAGES_MAX   20U

/* --- who ----------------------------------------------------------------------------------------------- */

/* The n-th of the six parts of an ARN; the last one keeps its colons. */
static struct str arn_part(const char *arn, unsigned n)
{
    bool last = n == 5;
    for (; n; n--) {
        arn = strchr(arn, ':');
        if (!arn)
            return STR("");
        arn++;
    }
    return (struct str){arn, last ? strlen(arn) : strcspn(arn, ":")};
}

static bool is_printable(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c <= ' ' || *c > '~')
            return false;
    }
    return true;
}

bool aws_identity_parse(const char *arn, struct arena *arena, struct aws_identity *ret_identity)
{
    static const struct {
        const char *service, *begin;
        enum aws_identity_kind kind;
    } kinds[] = {
        {"iam", "user/", AWS_IDENTITY_USER},
        {"sts", "assumed-role/", AWS_IDENTITY_ROLE},
        {"sts", "federated-user/", AWS_IDENTITY_FEDERATED},
    };
    struct str partition = arn_part(arn, 1), service = arn_part(arn, 2), account = arn_part(arn, 4);
    struct str rest = arn_part(arn, 5);
    if (!str_equal(arn_part(arn, 0), STR("arn")) || !rest.len || !is_printable(arn) || strlen(arn) > 2048)
        return false;
    *ret_identity = (struct aws_identity){
        .arn = arena_strdup(arena, str_from(arn)),
        .account = arena_strdup(arena, account),
        .user_id = "",
        .kind = str_equal(service, STR("iam")) && str_equal(rest, STR("root")) ? AWS_IDENTITY_ROOT
                                                                               : AWS_IDENTITY_OTHER,
        .partition = arena_strdup(arena, partition),
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_equal_text(service, kinds[i].service) && str_starts(rest, str_from(kinds[i].begin)))
            ret_identity->kind = kinds[i].kind;
    }
    if (ret_identity->kind != AWS_IDENTITY_ROLE)
        return true;
    const char *name = rest.ptr + sizeof "assumed-role/" - 1;
    ret_identity->role = arena_strdup(arena, (struct str){name, strcspn(name, "/")});
    return true;
}

int aws_identity_ask(struct aws_caller *caller, struct arena *arena, struct aws_identity *ret_identity,
                     struct error *err)
{
    struct aws_form form;
    const struct xml *result = NULL;
    aws_form_init(&form, "GetCallerIdentity", STS_VERSION);
    int code = aws_call(caller, "sts", "GetCallerIdentity", &form, arena, &result, NULL, err);
    aws_form_deinit(&form);
    if (code)
        return code;
    if (!aws_identity_parse(xml_text(result, "Arn"), arena, ret_identity))
        return error_set(err, ERR_PEER, "GetCallerIdentity was answered without an ARN");
    ret_identity->account = xml_text(result, "Account");
    ret_identity->user_id = xml_text(result, "UserId");
    if (!is_printable(ret_identity->account))
        return error_set(err, ERR_PEER, "GetCallerIdentity was answered with an account that is none");
    return 0;
}

static const char *role_arn(struct aws_caller *caller, const struct aws_identity *identity,
                            struct arena *arena)
{
    struct aws_form form;
    struct aws_identity found;
    const struct xml *result = NULL;
    aws_form_init(&form, "GetRole", IAM_VERSION);
    aws_form_add(&form, "RoleName", str_from(identity->role));
    int code = aws_call(caller, "iam", "GetRole", &form, arena, &result, NULL, NULL);
    aws_form_deinit(&form);
    const char *arn = code ? "" : xml_text(xml_child(result, "Role"), "Arn");
    if (aws_identity_parse(arn, arena, &found) && strstr(arn, ":role/"))
        return arn;
    return arena_printf(arena, "arn:%s:iam::%s:role/%s", identity->partition, identity->account,
                        identity->role);
}

const char *aws_identity_principal(struct aws_caller *caller, const struct aws_identity *identity,
                                   struct arena *arena)
{
    switch (identity->kind) {
    case AWS_IDENTITY_USER:
        return identity->arn;
    case AWS_IDENTITY_ROLE:
        return role_arn(caller, identity, arena);
    case AWS_IDENTITY_ROOT:
    case AWS_IDENTITY_FEDERATED:
    case AWS_IDENTITY_OTHER:
        break;
    }
    return NULL;
}

/* --- what ---------------------------------------------------------------------------------------------- */

static void add_context(struct aws_form *form, unsigned number, const char *key, const char *type,
                        const char *value)
{
    char name[80];
    (void)snprintf(name, sizeof name, "ContextEntries.member.%u.ContextKeyName", number);
    aws_form_add(form, name, str_from(key));
    (void)snprintf(name, sizeof name, "ContextEntries.member.%u.ContextKeyType", number);
    aws_form_add(form, name, str_from(type));
    (void)snprintf(name, sizeof name, "ContextEntries.member.%u.ContextKeyValues.member.1", number);
    aws_form_add(form, name, str_from(value));
}

static void fill_form(struct aws_form *form, const struct aws_caller *caller, const char *principal,
                      const char *const *actions, size_t count, const char *resource)
{
    char name[80];
    aws_form_init(form, "SimulatePrincipalPolicy", IAM_VERSION);
    aws_form_add(form, "PolicySourceArn", str_from(principal));
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "ActionNames.member.%zu", i + 1);
        aws_form_add(form, name, str_from(actions[i]));
    }
    if (resource)
        aws_form_add(form, "ResourceArns.member.1", str_from(resource));
    /* What every call of ours carries and policies often ask for. */
    add_context(form, 1, "aws:RequestedRegion", "string", caller->region);
    add_context(form, 2, "ec2:Region", "string", caller->region);
    add_context(form, 3, "aws:SecureTransport", "boolean", "true");
    aws_form_add(form, "MaxItems", STR("1000"));
}

static enum aws_decision decision_of(const struct xml *member)
{
    const char *word = xml_text(member, "EvalDecision");
    if (strcmp(word, "allowed") == 0)
        return AWS_ALLOWED;
    if (strcmp(xml_text(xml_child(member, "OrganizationsDecisionDetail"), "AllowedByOrganizations"),
               "false") == 0 ||
        strcmp(
            xml_text(xml_child(member, "PermissionsBoundaryDecisionDetail"), "AllowedByPermissionsBoundary"),
            "false") == 0)
        return AWS_DENIED_ABOVE;
    if (strcmp(word, "explicitDeny") == 0)
        return AWS_DENIED;
    if (strcmp(word, "implicitDeny") != 0)
        return AWS_UNKNOWN;
    /* A statement that asks for a value we did not give may allow the real call. */
    return xml_child(xml_child(member, "MissingContextValues"), "member") ? AWS_UNKNOWN : AWS_NOT_ALLOWED;
}

static void take_decisions(const struct xml *result, const char *const *actions, size_t count,
                           enum aws_decision *decisions)
{
    const struct xml *member = xml_child(xml_child(result, "EvaluationResults"), "member");
    for (; member; member = xml_again(member)) {
        const char *action = xml_text(member, "EvalActionName");
        for (size_t i = 0; i < count; i++) {
            if (strcmp(actions[i], action) == 0)
                decisions[i] = decision_of(member);
        }
    }
}

int aws_may(struct aws_caller *caller, const char *principal, const char *const *actions, size_t count,
            const char *resource, struct arena *arena, enum aws_decision *decisions,
            struct aws_failure *ret_failure, struct error *err)
{
    const char *marker = NULL;
    if (count > AWS_MAY_ACTIONS_MAX)
        return error_set(err, ERR_LIMIT, "more than %u actions at once", AWS_MAY_ACTIONS_MAX);
    for (size_t i = 0; i < count; i++)
        decisions[i] = AWS_UNKNOWN;
    for (unsigned page = 0; page < PAGES_MAX; page++) {
        struct aws_form form;
        const struct xml *result = NULL;
        fill_form(&form, caller, principal, actions, count, resource);
        if (marker)
            aws_form_add(&form, "Marker", str_from(marker));
        int code =
            aws_call(caller, "iam", "SimulatePrincipalPolicy", &form, arena, &result, ret_failure, err);
        aws_form_deinit(&form);
        if (code)
            return code;
        take_decisions(result, actions, count, decisions);
        marker = xml_text(result, "Marker");
        if (strcmp(xml_text(result, "IsTruncated"), "true") != 0 || !marker[0])
            return 0;
    }
    return error_set(err, ERR_PEER, "SimulatePrincipalPolicy was answered with more than %u pages",
                     PAGES_MAX);
}
