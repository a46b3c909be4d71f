#include "lib/cloud/aws_identity.h"
#include "tests/unit/lib/cloud/aws_caller_fixture.h"

static const char *const *bodies; /* one a request; "" is 403 */

static bool serve(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    const char *body = bodies[test_server_requests(aws.server) - 1];
    return body[0] ? test_server_answer(exchange->fd, "200 OK", "", str_from(body))
                   : test_server_answer(exchange->fd, "403 No", "",
                                        STR("<R><Error><Code>AccessDenied</Code></Error></R>"));
}

static void begin(void)
{
    aws_begin(serve);
}

START_TEST(arns)
{
    static const struct {
        const char *arn;
        enum aws_identity_kind kind;
        const char *role;
    } cases[] = {
        {"arn:aws:iam::123456789012:root", AWS_IDENTITY_ROOT, NULL},
        {"arn:aws:iam::123456789012:user/path/jo", AWS_IDENTITY_USER, NULL},
        {"arn:aws:sts::123456789012:assumed-role/deploy/session", AWS_IDENTITY_ROLE, "deploy"},
        {"arn:aws-cn:sts::123456789012:federated-user/jo", AWS_IDENTITY_FEDERATED, NULL},
        {"arn:aws:sts::123456789012:user/moto", AWS_IDENTITY_OTHER, NULL},
    };
    static const char *const wrong[] = {"",
                                        "arn",
                                        "arn:aws:iam::1",
                                        "arn:aws:iam::1:",
                                        "x:aws:iam::1:root",
                                        "arn:aws:iam::1:user/a b",
                                        "arn:aws:iam::1:user/a\x1b[0m"};
    struct aws_identity identity;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert(aws_identity_parse(cases[i].arn, aws.arena, &identity));
        ck_assert_int_eq(identity.kind, cases[i].kind);
        ck_assert_str_eq(identity.account, "123456789012");
        ck_assert_pstr_eq(identity.role, cases[i].role);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        ck_assert_msg(!aws_identity_parse(wrong[i], aws.arena, &identity), "%s", wrong[i]);
}
END_TEST

START_TEST(who_we_are)
{
    static const char *const list[] = {
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/jo</Arn><UserId>U</"
        "UserId>"
        "<Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"};
    struct aws_identity identity;
    bodies = list;
    ck_assert_msg(aws_identity_ask(&aws.caller, aws.arena, &identity, &aws.err) == 0, "%s", aws.err.message);
    ck_assert_str_eq(identity.arn, "arn:aws:iam::1:user/jo");
    ck_assert_str_eq(identity.user_id, "U");
    ck_assert_str_eq(aws_identity_principal(&aws.caller, &identity, aws.arena), "arn:aws:iam::1:user/jo");
    ck_assert_int_eq(aws_identity_ask(&aws.caller, aws.arena, &identity, &aws.err), ERR_PEER);
    ck_assert_contains(aws.err.message, "without an ARN");
}
END_TEST

START_TEST(the_role_behind_a_session)
{
    static const char *const list[] = {"<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam::1:role/a/b/"
                                       "deploy</Arn></Role></GetRoleResult>"
                                       "</GetRoleResponse>",
                                       ""};
    struct aws_identity identity;
    bodies = list;
    ck_assert(aws_identity_parse("arn:aws:sts::1:assumed-role/deploy/s", aws.arena, &identity));
    ck_assert_str_eq(aws_identity_principal(&aws.caller, &identity, aws.arena),
                     "arn:aws:iam::1:role/a/b/deploy");
    ck_assert_str_eq(aws_identity_principal(&aws.caller, &identity, aws.arena), "arn:aws:iam::1:role/deploy");
    ck_assert(aws_identity_parse("arn:aws:iam::1:root", aws.arena, &identity));
    ck_assert_ptr_null(aws_identity_principal(&aws.caller, &identity, aws.arena));
}
END_TEST

#define PAGE(members, rest)                                                                                  \
    "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>" members            \
    "</EvaluationResults>" rest "</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
#define MEMBER(action, decision, more)                                                                       \
    "<member><EvalActionName>" action "</EvalActionName><EvalDecision>" decision "</EvalDecision>" more      \
    "</member>"

START_TEST(what_we_may_do)
{
    static const char *const list[] = {
        PAGE(MEMBER("a:A", "allowed", "") MEMBER("a:B", "explicitDeny", "")
                 MEMBER("a:C", "implicitDeny",
                        "<MissingContextValues><member>aws:x</member></MissingContextValues>"),
             "<IsTruncated>true</IsTruncated><Marker>m&amp;1</Marker>"),
        PAGE(MEMBER("a:D", "implicitDeny", "<MissingContextValues/>")
                 MEMBER("a:E", "implicitDeny",
                        "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>"
                        "</OrganizationsDecisionDetail>"),
             "<IsTruncated>false</IsTruncated>"),
        ""};
    static const char *const actions[] = {"a:A", "a:B", "a:C", "a:D", "a:E", "a:F"};
    static const enum aws_decision want[] = {AWS_ALLOWED,     AWS_DENIED,       AWS_UNKNOWN,
                                             AWS_NOT_ALLOWED, AWS_DENIED_ABOVE, AWS_UNKNOWN};
    enum aws_decision decisions[ARRAY_LEN(actions)];
    struct aws_failure failure;
    bodies = list;
    ck_assert_msg(aws_may(&aws.caller, "arn:aws:iam::1:user/jo", actions, ARRAY_LEN(actions), NULL, aws.arena,
                          decisions, &failure, &aws.err) == 0,
                  "%s", aws.err.message);
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        ck_assert_msg(decisions[i] == want[i], "%s", actions[i]);
    ck_assert_uint_eq(test_server_requests(aws.server), 2);
    ck_assert_int_eq(aws_may(&aws.caller, "arn:aws:iam::1:user/jo", actions, 1, "arn:x", aws.arena, decisions,
                             &failure, &aws.err),
                     ERR_AUTH);
    ck_assert_str_eq(failure.code, "AccessDenied");
    ck_assert_int_eq(decisions[0], AWS_UNKNOWN);
}
END_TEST

static Suite *identity_suite(void)
{
    Suite *suite = suite_create("aws_identity");
    TCase *tcase = tcase_create("aws_identity");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, aws_end);
    tcase_add_test(tcase, arns);
    tcase_add_test(tcase, who_we_are);
    tcase_add_test(tcase, the_role_behind_a_session);
    tcase_add_test(tcase, what_we_may_do);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(identity_suite)
