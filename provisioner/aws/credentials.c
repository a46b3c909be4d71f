#include "provisioner/aws/credentials.h"

#include "lib/cloud/aws_identity.h"
#include "lib/cloud/aws_signin.h"
#include "lib/core/env.h"
#include "provisioner/aws/permissions.h"
#include "provisioner/inquiry.h"

struct aws {
    struct inquiry base;
    struct aws_caller caller;
    struct aws_identity identity;
};

static bool is_role(const char *account)
{
    return account && strncmp(account, "arn:", 4) == 0;
}

static bool right_account(struct aws *aws)
{
    const char *wanted = aws->base.region->account;
    struct arena *arena = aws->base.arena;
    if (!wanted || is_role(wanted) || strcmp(wanted, aws->identity.account) == 0)
        return true;
    (void)inquiry_found(
        &aws->base,
        arena_printf(arena, "the credentials (%s) are of account %.20s, and the file says account %s",
                     aws->caller.token.source, aws->identity.account, wanted),
        arena_printf(arena, "use credentials of %s, or correct regions.%s.account in the file", wanted,
                     aws->base.region->name));
    return false;
}

/* --- permissions --------------------------------------------------------------------------------------- */

static void not_checked(struct aws *aws, const char *why)
{
    inquiry_note(
        &aws->base,
        arena_printf(aws->base.arena, "whether it may do what a deployment does was not checked: %s", why));
}

/* What is not allowed on everything may be allowed on what this deployment makes: asked again, once a kind of
 * resource. */
static int ask_precisely(struct aws *aws, const char *principal, const struct string_list *actions,
                         enum aws_decision *decisions, struct aws_failure *failure, struct error *err)
{
    const char **batch = arena_alloc(aws->base.arena, (actions->count + 1) * sizeof *batch);
    const char **resources = arena_zalloc(aws->base.arena, (actions->count + 1) * sizeof *resources);
    size_t *places = arena_alloc(aws->base.arena, (actions->count + 1) * sizeof *places);
    enum aws_decision *answers = arena_alloc(aws->base.arena, (actions->count + 1) * sizeof *answers);
    for (size_t i = 0; i < actions->count; i++) {
        if (decisions[i] == AWS_NOT_ALLOWED)
            resources[i] =
                aws_permissions_resource(aws->base.deployment, aws->base.region, aws->identity.partition,
                                         aws->identity.account, actions->items[i], aws->base.arena);
    }
    for (size_t i = 0; i < actions->count; i++) {
        const char *resource = resources[i];
        size_t count = 0;
        for (size_t j = i; resource && j < actions->count; j++) {
            if (!resources[j] || strcmp(resources[j], resource) != 0)
                continue;
            batch[count] = actions->items[j];
            places[count++] = j;
            resources[j] = NULL;
        }
        if (!count)
            continue;
        int code =
            aws_may(&aws->caller, principal, batch, count, resource, aws->base.arena, answers, failure, err);
        if (code)
            return code;
        for (size_t j = 0; j < count; j++)
            decisions[places[j]] = answers[j];
    }
    return 0;
}

static void judge(struct aws *aws, const char *principal, const struct string_list *actions,
                  const enum aws_decision *decisions)
{
    struct credential_check *check = aws->base.check;
    const char **missing = arena_alloc(aws->base.arena, (actions->count + 1) * sizeof *missing);
    size_t count = 0, unknown = 0, above = 0;
    for (size_t i = 0; i < actions->count; i++) {
        bool refused = decisions[i] != AWS_ALLOWED && decisions[i] != AWS_UNKNOWN;
        unknown += decisions[i] == AWS_UNKNOWN;
        above += decisions[i] == AWS_DENIED_ABOVE;
        if (refused)
            missing[count++] = actions->items[i];
    }
    const char *shown = inquiry_missing(&aws->base, missing, count);
    if (unknown)
        inquiry_note(
            &aws->base,
            arena_printf(aws->base.arena,
                         "IAM could not say whether it may do %zu of the %zu actions of a deployment: "
                         "its policies ask for what is known in the real call only",
                         unknown, actions->count));
    check->ok = count == 0;
    if (check->ok)
        return;
    const char *problem =
        arena_printf(aws->base.arena, "may not do %zu of the %zu actions of a deployment: %s", count,
                     actions->count, shown);
    const char *mend =
        above ? arena_printf(aws->base.arena,
                             "%zu of them are denied by the organization's policies or a permissions "
                             "boundary, which its administrator changes",
                             above)
              : arena_printf(aws->base.arena, "attach a policy that allows them to %s%s", principal,
                             count > CREDENTIALS_LISTED_MAX
                                 ? "; PowerUserAccess and IAMFullAccess of AWS have them all"
                                 : "");
    (void)inquiry_found(&aws->base, problem, mend);
}

static void check_permissions(struct aws *aws)
{
    struct string_list actions;
    struct error reason = {0};
    struct aws_failure failure;
    aws->base.check->ok = true;
    if (aws->identity.kind == AWS_IDENTITY_ROOT) {
        not_checked(aws,
                    "this is the account's root, which IAM does not simulate; deploy with a role instead");
        return;
    }
    const char *principal = aws_identity_principal(&aws->caller, &aws->identity, aws->base.arena);
    if (!principal) {
        not_checked(aws, "IAM simulates users and roles only");
        return;
    }
    aws_permissions_list(aws->base.deployment, aws->base.region, aws->base.arena, &actions);
    enum aws_decision *decisions = arena_alloc(aws->base.arena, (actions.count + 1) * sizeof *decisions);
    int code = aws_may(&aws->caller, principal, actions.items, actions.count, NULL, aws->base.arena,
                       decisions, &failure, &reason);
    if (!code)
        code = ask_precisely(aws, principal, &actions, decisions, &failure, &reason);
    if (code) {
        bool refused = strncmp(failure.code, "AccessDenied", 12) == 0;
        not_checked(aws, refused ? "iam:SimulatePrincipalPolicy is not allowed to it" : reason.message);
        return;
    }
    judge(aws, principal, &actions, decisions);
}

/* --- the check ----------------------------------------------------------------------------------------- */

static int ask(void *own)
{
    struct aws *aws = own;
    struct error reason = {0};
    aws->caller.client = aws->base.client;
    aws->caller.token = aws->base.token;
    if (aws_identity_ask(&aws->caller, aws->base.arena, &aws->identity, &reason))
        return inquiry_failed(&aws->base, &reason);
    aws->base.check->identity = aws->identity.arn;
    if (right_account(aws))
        check_permissions(aws);
    return 0;
}

int aws_validate_credentials(const struct deployment *deployment, const struct region *region,
                             int64_t deadline_mono_ns, struct arena *arena,
                             struct credential_check *ret_check, struct error *err)
{
    const struct aws_signin_options options = {.region = region->location_name,
                                               .role_arn = is_role(region->account) ? region->account : NULL};
    struct aws aws = {
        .base = {.deployment = deployment,
                 .region = region,
                 .deadline_mono_ns = deadline_mono_ns,
                 .arena = arena,
                 .check = ret_check,
                 .err = err},
        .caller = {.region = region->location_name, .env = env_get, .deadline_mono_ns = deadline_mono_ns},
    };
    *ret_check = (struct credential_check){.region = region->name, .provider = "aws"};
    /* It tries again by itself what is worth it: STS, but no server beside us. */
    return inquiry_run(&aws.base, aws_signin_new(&options), signin_wait, ask, &aws);
}
