#include "lib/db/pg.h"
#include "tests/support/support.h"

START_TEST(good_strings_are_accepted)
{
    static const char *const good[] = {"", "host=db.example port=5433 dbname=orders user=watch",
                                       "postgresql://watch@db.example:5433/orders?sslmode=verify-full",
                                       "host=a,b port=1,2 password='with spaces = and more'",
                                       "host=/run/postgresql"};
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        ck_assert_msg(pg_check_conninfo(good[i], &err) == 0, "%s: %s", good[i], err.message);
}
END_TEST

START_TEST(an_unknown_keyword_is_named_with_the_nearest)
{
    struct error err;
    ck_assert_int_eq(pg_check_conninfo("host=a sslmod=require", &err), ERR_CONFIG);
    ck_assert_contains(err.message, "\"sslmod\"");
    ck_assert_contains(err.hint, "sslmode");
    ck_assert_int_eq(pg_check_conninfo("service=orders", &err), ERR_CONFIG);
    ck_assert_contains(err.message, "\"service\"");
    ck_assert_int_eq(pg_check_conninfo("host=a sslmode=maybe", &err), ERR_CONFIG);
    ck_assert_contains(err.message, "sslmode");
    ck_assert_int_eq(pg_check_conninfo("host=a port=99999", &err), ERR_CONFIG);
    ck_assert_contains(err.message, "port");
}
END_TEST

START_TEST(no_message_holds_a_piece_of_the_password)
{
    static const char *const bad[] = {"password=hunter2 swordfish=1 host=a",
                                      "password=hunter2 swordfish host=a",
                                      "password='hunter2 swordfish",
                                      "postgresql://u:hunter2swordfish@:x:y/",
                                      "postgresql://u:hunter2@swordfish@h/db?password=hunter2&swordfish=1",
                                      "password = swordfish\\ hunter2 hunter2=swordfish"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err;
        char text[2048];
        if (pg_check_conninfo(bad[i], &err) == 0)
            continue;
        error_format(&err, text, sizeof text);
        ck_assert_msg(!strstr(text, "hunter2") && !strstr(text, "swordfish"), "%s", text);
    }
}
END_TEST

START_TEST(targets_are_named)
{
    static const struct {
        const char *conninfo, *target;
    } cases[] = {
        {"host=db.example port=5433", "db.example:5433"},
        {"postgresql://u:secret@db.example/orders", "db.example:5432"},
        {"host=a,b port=1,2", "a:1"},
        {"hostaddr=::1", "[::1]:5432"},
        {"", "localhost:5432"},
        {"host=/run/postgresql", "/run/postgresql:5432"},
        {"nonsense", "unknown:5432"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char target[64];
        pg_conninfo_target(cases[i].conninfo, target, sizeof target);
        ck_assert_str_eq(target, cases[i].target);
    }
    char cut[6];
    pg_conninfo_target("host=db.example", cut, sizeof cut);
    ck_assert_str_eq(cut, "db.ex");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pg_conninfo");
    TCase *t = tcase_create("all");
    tcase_add_test(t, good_strings_are_accepted);
    tcase_add_test(t, an_unknown_keyword_is_named_with_the_nearest);
    tcase_add_test(t, no_message_holds_a_piece_of_the_password);
    tcase_add_test(t, targets_are_named);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
