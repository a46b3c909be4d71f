#include "provisioner/run/known.h"
#include "tests/support/support.h"

#include <unistd.h>

#define HEAD "metadata: {name: demo}\nregions:\n"
#define A    "  a: {provider: aws, location: us-east-1}\n"
#define B    "  b: {provider: aws, location: us-west-2}\n"
#define C    "  c: {provider: aws, location: eu-west-1}\n"

struct rig {
    struct arena *arena;
    char *folder;
    struct workspace workspace;
    struct findings findings;
};

static struct deployment *parse(struct rig *rig, const char *text)
{
    struct deployment *deployment = NULL;
    findings_init(&rig->findings, rig->arena);
    int code = deployment_parse(rig->arena, arena_printf(rig->arena, "%s/f.yaml", rig->folder),
                                str_from(text), &deployment, &rig->findings);
    ck_assert_msg(code == 0, "%s", rig->findings.count ? rig->findings.items[0].message : "no word");
    return deployment;
}

/* Everything that `text` has was deployed. */
static void rig_up(struct rig *rig, const char *text)
{
    *rig = (struct rig){.arena = arena_new(0), .folder = test_folder_new()};
    struct deployment *deployment = parse(rig, text);
    ck_assert_int_eq(workspace_open(deployment, true, rig->arena, &rig->workspace, NULL), 0);
    for (size_t i = 0; i < deployment_region_count(deployment); i++)
        ck_assert_int_eq(
            known_keep(&rig->workspace, deployment, deployment_region(deployment, i), rig->arena, NULL), 0);
}

static void rig_down(struct rig *rig)
{
    workspace_close(&rig->workspace);
    test_folder_remove(rig->folder);
    arena_free(rig->arena);
}

START_TEST(what_the_file_no_longer_has_is_known_as_it_was)
{
    struct rig rig;
    struct string_list left;
    struct deployment *before = NULL;
    rig_up(&rig, HEAD A B C);
    struct deployment *now = parse(&rig, HEAD B);
    known_left(now, rig.arena, &left);
    ck_assert_uint_eq(left.count, 2);
    ck_assert_str_eq(left.items[0], "a");
    ck_assert_str_eq(left.items[1], "c");
    known_find_left(now, &rig.findings);
    ck_assert_uint_eq(rig.findings.warnings, 2);
    ck_assert_int_eq(known_load(now, "c", rig.arena, &before, &rig.findings), 0);
    ck_assert_str_eq(deployment_find_region(before, "c")->network.cidr, "10.2.0.0/16");
    known_forget(&rig.workspace, "a", rig.arena);
    known_left(now, rig.arena, &left);
    ck_assert_uint_eq(left.count, 1);
    rig_down(&rig);
}
END_TEST

START_TEST(what_was_never_deployed_from_here_is_not_known)
{
    struct rig rig;
    struct string_list left;
    struct deployment *before = NULL;
    rig_up(&rig, HEAD A);
    struct deployment *now = parse(&rig, "metadata: {name: other}\nregions:\n" B);
    known_left(now, rig.arena, &left);
    ck_assert_uint_eq(left.count, 0);
    ck_assert_int_eq(known_load(now, "a", rig.arena, &before, &rig.findings), ERR_CONFIG);
    rig_down(&rig);
}
END_TEST

START_TEST(a_file_that_does_not_read_is_named)
{
    struct rig rig;
    struct deployment *before = NULL;
    rig_up(&rig, HEAD A B);
    struct deployment *now = parse(&rig, HEAD A);
    test_file_write(arena_printf(rig.arena, "%s/b.yaml", rig.workspace.regions), STR("regions: 7\n"));
    ck_assert_int_eq(known_load(now, "b", rig.arena, &before, &rig.findings), ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(rig.findings.items[0].file, "/regions/b.yaml"));
    /* That of another region is no help either. */
    test_file_write(arena_printf(rig.arena, "%s/b.yaml", rig.workspace.regions), STR(HEAD A));
    findings_init(&rig.findings, rig.arena);
    ck_assert_int_eq(known_load(now, "b", rig.arena, &before, &rig.findings), ERR_CONFIG);
    rig_down(&rig);
}
END_TEST

START_TEST(a_region_that_moves_up_is_told_its_place)
{
    struct rig rig;
    rig_up(&rig, HEAD A B C);
    known_find_changed(parse(&rig, HEAD A B C), &rig.findings);
    known_find_changed(parse(&rig, HEAD A B), &rig.findings);
    ck_assert_uint_eq(rig.findings.count, 0);
    known_find_changed(parse(&rig, HEAD A C), &rig.findings);
    ck_assert_uint_eq(rig.findings.contradictions, 1);
    ck_assert_str_eq(rig.findings.items[0].message,
                     "regions.c: was deployed at place 3, and has place 2 now");
    ck_assert_uint_eq(rig.findings.items[0].line, 4);
    known_find_changed(parse(&rig, HEAD A "  c: {provider: aws, location: eu-west-1, place: 3}\n"),
                       &rig.findings);
    ck_assert_uint_eq(rig.findings.count, 0);
    rig_down(&rig);
}
END_TEST

START_TEST(a_range_that_is_allotted_anew_is_told)
{
    struct rig rig;
    rig_up(&rig, HEAD A B);
    known_find_changed(parse(&rig, "network: {cidr: 172.16.0.0/12}\n" HEAD A B), &rig.findings);
    ck_assert_uint_eq(rig.findings.contradictions, 2);
    ck_assert_str_eq(rig.findings.items[1].message,
                     "regions.b: was deployed with 10.1.0.0/16, and would be allotted 172.17.0.0/16");
    rig_down(&rig);
}
END_TEST

#define STREAMING "replication: {mode: streaming}\n"
#define OWN(name) "  " name ": {provider: self-hosted, location: here, hosts: [local]}\n"
#define ACTIVE    "replication: {mode: active-active, consistency: causal}\n"

START_TEST(what_replication_leaves_behind_is_told)
{
    struct rig rig;
    rig_up(&rig, ACTIVE HEAD A B C);
    known_find_changed(parse(&rig, ACTIVE HEAD A B), &rig.findings);
    ck_assert_uint_eq(rig.findings.count, 0);
    /* Nobody to replicate with, or nothing asked for. */
    known_find_changed(parse(&rig, HEAD A), &rig.findings);
    ck_assert_uint_eq(rig.findings.warnings, 1);
    ck_assert_str_eq(rig.findings.items[0].rule, "replication-left");
    known_find_changed(parse(&rig, HEAD A B), &rig.findings);
    ck_assert_uint_eq(rig.findings.warnings, 2);
    ck_assert_uint_eq(rig.findings.contradictions, 0);
    rig_down(&rig);
    /* Own hosts drop it themselves. */
    rig_up(&rig, STREAMING HEAD OWN("a") OWN("b"));
    known_find_changed(parse(&rig, HEAD OWN("a") OWN("b")), &rig.findings);
    ck_assert_uint_eq(rig.findings.count, 0);
    rig_down(&rig);
}
END_TEST

static Suite *known_suite(void)
{
    Suite *suite = suite_create("known");
    TCase *tcase = tcase_create("known");
    tcase_add_test(tcase, what_the_file_no_longer_has_is_known_as_it_was);
    tcase_add_test(tcase, what_was_never_deployed_from_here_is_not_known);
    tcase_add_test(tcase, a_file_that_does_not_read_is_named);
    tcase_add_test(tcase, a_region_that_moves_up_is_told_its_place);
    tcase_add_test(tcase, a_range_that_is_allotted_anew_is_told);
    tcase_add_test(tcase, what_replication_leaves_behind_is_told);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(known_suite)
