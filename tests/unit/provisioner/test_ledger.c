#include "provisioner/self_hosted/ledger.h"

#include "tests/support/support.h"

static struct step_list list;
static struct host_step *step;

static void setup(void)
{
    list = (struct step_list){.arena = arena_new(0)};
    step = step_add(&list, STAGE_TRAFFIC, "proxy/files", "put \"files\"");
    step_put(&list, step, "/a", STR("1"), 0644, "root:root", false);
    step->undo = "rm -rf 'x'\n";
    step->data = true;
}

static void teardown(void)
{
    arena_free(list.arena);
}

static void read_back(struct buf *lines, struct ledger *ledger)
{
    ledger_read(list.arena, buf_str(lines), ledger);
    buf_deinit(lines);
}

START_TEST(what_was_written_is_read)
{
    struct ledger ledger;
    struct buf lines = BUF_INIT(65536);
    char hash[STEP_HASH_SIZE];
    step_hash(step, hash);
    ledger_put_owner(&lines, "the-uuid");
    ledger_put_begin(&lines, step, NULL, "ns");
    ledger_put_done(&lines, step);
    read_back(&lines, &ledger);
    ck_assert_str_eq(ledger.deployment, "the-uuid");
    const struct ledger_entry *entry = ledger_find(&ledger, "proxy/files");
    ck_assert_str_eq(entry->hash, hash);
    ck_assert_str_eq(entry->undo, "rm -rf 'x'\n");
    ck_assert_str_eq(entry->netns, "ns");
    ck_assert_str_eq(entry->title, "put \"files\"");
    ck_assert_int_eq(entry->stage, STAGE_TRAFFIC);
    ck_assert(entry->data && !entry->with_data && !entry->begun);
    ck_assert_uint_eq(entry->files.count, 1);
}
END_TEST

START_TEST(a_step_that_was_begun_again_knows_the_files_of_both)
{
    struct ledger ledger;
    struct string_list old = {2, (const char *[]){"/a", "/old"}};
    const struct ledger_entry before = {.files = old};
    struct buf lines = BUF_INIT(65536);
    ledger_put_begin(&lines, step, &before, NULL);
    read_back(&lines, &ledger);
    ck_assert(ledger.items[0].begun);
    ck_assert_str_eq(ledger.items[0].hash, "");
    ck_assert_uint_eq(ledger.items[0].files.count, 2);
    ck_assert_str_eq(ledger.items[0].files.items[1], "/old");
}
END_TEST

START_TEST(order_is_that_of_the_first_beginning)
{
    struct ledger ledger;
    static const char text[] =
        "{\"event\":\"begin\",\"id\":\"a\"}\n{\"event\":\"begin\",\"id\":\"b\"}\n"
        "{\"event\":\"done\",\"id\":\"a\",\"hash\":\"1\"}\n{\"event\":\"begin\",\"id\":\"c\"}\n"
        "{\"event\":\"begin\",\"id\":\"a\"}\n{\"event\":\"undone\",\"id\":\"b\"}\n"
        "{\"event\":\"undone\",\"id\":\"never\"}\n{\"event\":\"done\",\"id\":\"never\"}\n";
    ledger_read(list.arena, str_from(text), &ledger);
    ck_assert_uint_eq(ledger.count, 2);
    ck_assert_str_eq(ledger.items[0].id, "a");
    ck_assert(ledger.items[0].begun);
    ck_assert_str_eq(ledger.items[1].id, "c");
}
END_TEST

START_TEST(torn_and_foreign_lines_are_passed_over)
{
    struct ledger ledger;
    static const char text[] =
        "nonsense\n[1]\n{\"event\":7}\n{\"event\":\"begin\"}\n\n{\"event\":\"begin\",\"id\":\"a\","
        "\"files\":[1,{},\"/x\"],\"stage\":\"x\"}\n{\"event\":\"done\",\"id\":\"a\"";
    ledger_read(list.arena, str_from(text), &ledger);
    ck_assert_uint_eq(ledger.count, 1);
    ck_assert(ledger.items[0].begun);
    ck_assert_int_eq(ledger.items[0].stage, 0);
    ck_assert_str_eq(ledger.items[0].files.items[ledger.items[0].files.count - 1], "/x");
}
END_TEST

START_TEST(written_anew_it_says_the_same)
{
    struct ledger ledger, again;
    struct buf lines = BUF_INIT(65536);
    ledger_put_owner(&lines, "u");
    for (int i = 0; i < 20; i++) {
        ledger_put_begin(&lines, step, NULL, "ns");
        ledger_put_done(&lines, step);
    }
    struct host_step *other = step_add(&list, STAGE_HOST, "begun/only", "t");
    other->with_data = true;
    ledger_put_begin(&lines, other, NULL, NULL);
    size_t before = lines.len;
    read_back(&lines, &ledger);
    ledger_put_all(&lines, &ledger);
    ck_assert_uint_lt(lines.len, before / 2);
    read_back(&lines, &again);
    ck_assert_str_eq(again.deployment, "u");
    ck_assert_uint_eq(again.count, ledger.count);
    for (size_t i = 0; i < again.count; i++) {
        const struct ledger_entry *a = &ledger.items[i], *b = &again.items[i];
        ck_assert_str_eq(a->id, b->id);
        ck_assert_str_eq(a->hash, b->hash);
        ck_assert_str_eq(a->undo, b->undo);
        ck_assert_str_eq(a->netns, b->netns);
        ck_assert_str_eq(a->title, b->title);
        ck_assert_uint_eq(a->files.count, b->files.count);
        ck_assert(a->stage == b->stage && a->data == b->data && a->with_data == b->with_data &&
                  a->begun == b->begun);
    }
}
END_TEST

static Suite *ledger_suite(void)
{
    Suite *suite = suite_create("ledger");
    TCase *tcase = tcase_create("ledger");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_was_written_is_read);
    tcase_add_test(tcase, a_step_that_was_begun_again_knows_the_files_of_both);
    tcase_add_test(tcase, order_is_that_of_the_first_beginning);
    tcase_add_test(tcase, torn_and_foreign_lines_are_passed_over);
    tcase_add_test(tcase, written_anew_it_says_the_same);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(ledger_suite)
