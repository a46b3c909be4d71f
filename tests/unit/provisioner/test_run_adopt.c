#include "lib/core/json.h"
#include "provisioner/run/adopt.h"
#include "tests/support/support.h"

START_TEST(conflicts_in_the_words_of_three_clouds)
{
    static const struct root_problem conflicts[] = {
        {"creating IAM Role (x): EntityAlreadyExists: Role with name x already exists.", "", "a"},
        {"creating SSM Parameter (/x): ParameterAlreadyExists", "", "a"},
        {"creating S3 Bucket (x): BucketAlreadyOwnedByYou", "", "a"},
        {"creating Security Group (x): InvalidGroup.Duplicate", "", "a"},
        {"Error creating Network: googleapi: Error 409: The resource 'x' already exists, alreadyExists", "",
         "a"},
        {"A resource with the ID \"/subscriptions/1/resourceGroups/x\" already exists - to be managed", "",
         "a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(conflicts); i++)
        ck_assert_msg(adopt_is_conflict(&conflicts[i]), "%s", conflicts[i].summary);
    ck_assert(!adopt_is_conflict(&(struct root_problem){"creating VPC: VpcLimitExceeded", "", "a"}));
}
END_TEST

START_TEST(what_is_gone_is_told_from_what_fails)
{
    ck_assert(adopt_is_gone(&(struct root_problem){"Cannot import non-existent remote object", "", "a"}));
    ck_assert(adopt_is_gone(&(struct root_problem){"reading IAM Role", "couldn't find resource", "a"}));
    ck_assert(!adopt_is_gone(&(struct root_problem){"reading IAM Role", "AccessDenied", "a"}));
}
END_TEST

START_TEST(the_id_is_taken_from_azures_sentence)
{
    struct arena *arena = arena_new(0);
    ck_assert_str_eq(
        adopt_id_in_text("A resource with the ID \"/subscriptions/1\" already exists - to", arena),
        "/subscriptions/1");
    ck_assert_ptr_null(adopt_id_in_text("A resource with the ID \"\" already exists", arena));
    ck_assert_ptr_null(adopt_id_in_text("A resource with the ID \"/sub", arena));
    arena_free(arena);
}
END_TEST

static int owner(struct arena *arena, const char *before)
{
    struct node *root = NULL;
    ck_assert_int_eq(json_parse(arena, str_from(before), &root, NULL), 0);
    return adopt_owner(root, "uuid-1");
}

START_TEST(an_owner_is_told_by_the_tag)
{
    struct arena *arena = arena_new(0);
    ck_assert_int_eq(owner(arena, "{\"tags_all\":{\"fraiseql-deployment-id\":\"uuid-1\"},\"tags\":null}"), 1);
    ck_assert_int_eq(owner(arena, "{\"effective_labels\":{\"fraiseql-deployment-id\":\"uuid-1\"}}"), 1);
    ck_assert_int_eq(owner(arena, "{\"tags\":{\"fraiseql-deployment-id\":\"uuid-2\"}}"), -1);
    ck_assert_int_eq(owner(arena, "{\"tags\":null}"), -1);
    ck_assert_int_eq(owner(arena, "{\"name\":\"x\"}"), 0);
    arena_free(arena);
}
END_TEST

START_TEST(import_blocks_are_a_top_level_array)
{
    struct adoption items[] = {{"module.region.aws_subnet.x[\"a\"]", "subnet-1"}};
    struct adoptions list = {items, 1, 1};
    struct buf text = BUF_INIT(4096);
    adopt_write(&list, &text);
    ck_assert_str_eq(
        buf_text(&text),
        "{\"import\":[{\"to\":\"module.region.aws_subnet.x[\\\"a\\\"]\",\"id\":\"subnet-1\"}]}\n");
    buf_deinit(&text);
}
END_TEST

/* Ids and tags are what a cloud answered. */
START_TEST(an_id_is_text_and_no_template)
{
    struct adoption items[] = {{"module.region.aws_lb.x", "a${file(\"/etc/shadow\")}%{ if true }"}};
    struct adoptions list = {items, 1, 1};
    struct buf text = BUF_INIT(4096);
    adopt_write(&list, &text);
    ck_assert_contains(buf_text(&text), "\"id\":\"a$${file(\\\"/etc/shadow\\\")}%%{ if true }\"");
    buf_deinit(&text);
}
END_TEST

static Suite *adopt_suite(void)
{
    Suite *suite = suite_create("adopt");
    TCase *tcase = tcase_create("adopt");
    tcase_add_test(tcase, conflicts_in_the_words_of_three_clouds);
    tcase_add_test(tcase, what_is_gone_is_told_from_what_fails);
    tcase_add_test(tcase, the_id_is_taken_from_azures_sentence);
    tcase_add_test(tcase, an_owner_is_told_by_the_tag);
    tcase_add_test(tcase, import_blocks_are_a_top_level_array);
    tcase_add_test(tcase, an_id_is_text_and_no_template);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(adopt_suite)
