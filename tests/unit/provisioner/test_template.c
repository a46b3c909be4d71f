/* What `init` writes is read again without a word. */
#include "provisioner/config/template.h"
#include "provisioner/deployment.h"
#include "tests/support/support.h"

START_TEST(a_written_file_is_valid_on_every_cloud)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    static const struct template_region regions[] = {
        {"us", "aws", "us-east-1"}, {"no", "gcp", "europe-west1"}, {"asia-1", "azure", "southeastasia"}};
    static const char *const sizes[] = {"small", "medium", "large"};
    for (size_t i = 0; i < 3; i++) {
        struct template chosen = {"shop", "staging", sizes[i], regions, 3};
        struct buf text = BUF_INIT(1 << 16);
        struct findings findings;
        struct deployment *deployment;
        findings_init(&findings, arena);
        template_write(&chosen, &text);
        ck_assert_int_eq(deployment_parse(arena, "d.yaml", buf_str(&text), &deployment, &findings), 0);
        ck_assert_uint_eq(findings.count, 0);
        ck_assert_uint_eq(deployment_region_count(deployment), 3);
        ck_assert_str_eq(deployment_region(deployment, 1)->name, "no");
        ck_assert_str_eq(deployment->metadata.environment, "staging");
        buf_deinit(&text);
    }
}
END_TEST

static Suite *template_suite(void)
{
    Suite *suite = suite_create("template");
    TCase *tcase = tcase_create("template");
    tcase_add_test(tcase, a_written_file_is_valid_on_every_cloud);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(template_suite)
