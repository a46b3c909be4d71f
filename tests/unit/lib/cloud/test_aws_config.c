#include "lib/cloud/aws_config.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;
static struct aws_config config;
static struct error err;

static void begin(void)
{
    arena = arena_new(0);
    aws_config_init(&config);
    error_clear(&err);
}

static void end(void)
{
    aws_config_deinit(&config);
    arena_free(arena);
}

static int parse(enum aws_config_kind kind, const char *text)
{
    struct buf *bytes = kind == AWS_CREDENTIALS_FILE ? &config.credentials : &config.config;
    buf_append_text(bytes, text);
    return aws_config_parse(&config, kind, kind == AWS_CREDENTIALS_FILE ? "cred" : "conf", arena, &err);
}

static const char *value(const char *profile, const char *key)
{
    const struct aws_setting *setting = aws_config_find(&config, profile, key);
    return setting ? setting->value : NULL;
}

START_TEST(profiles_of_both_files)
{
    ck_assert_int_eq(parse(AWS_CREDENTIALS_FILE, "# keys\r\n[default]\r\naws_access_key_id = AKIA1\r\n"
                                                 "aws_secret_access_key=a=b:c\r\n\r\n; more\n[ prod ]\n"
                                                 "AWS_ACCESS_KEY_ID : AKIA2\nempty =\n[bare]\n"),
                     0);
    ck_assert_int_eq(parse(AWS_CONFIG_FILE,
                           "\xEF\xBB\xBF[default] # the usual one\nregion = eu-west-1\n"
                           "[profile prod]\nregion = us-east-1\naws_access_key_id = OTHER\n"
                           "s3 =\n  max_queue_size = 10\n  max_queue_size = 11\nrole_arn = r\n"
                           "[profile \"two words\"]\nregion = x\n[sso-session corp]\nsso_region = y\n"
                           "sso_region = y\n[prod]\nregion = not a profile\n[profile\tlast]\na=b"),
                     0);
    ck_assert_str_eq(value("default", "aws_access_key_id"), "AKIA1");
    ck_assert_str_eq(value("default", "aws_secret_access_key"), "a=b:c");
    ck_assert_str_eq(value("default", "region"), "eu-west-1");
    ck_assert_str_eq(value("prod", "aws_access_key_id"), "AKIA2"); /* the credentials file wins */
    ck_assert_str_eq(value("prod", "region"), "us-east-1");
    ck_assert_str_eq(value("prod", "role_arn"), "r");
    ck_assert_ptr_null(value("prod", "max_queue_size"));
    ck_assert_ptr_null(value("prod", "empty"));
    ck_assert_str_eq(value("two words", "region"), "x");
    ck_assert_str_eq(value("last", "a"), "b");
    ck_assert(aws_config_has(&config, "bare"));
    ck_assert(!aws_config_has(&config, "corp"));
    ck_assert(!aws_config_has(&config, "sso-session corp"));
    ck_assert_uint_eq(aws_config_find(&config, "prod", "role_arn")->line, 9);
    ck_assert_str_eq(aws_config_find(&config, "prod", "role_arn")->file, "conf");
}
END_TEST

START_TEST(what_is_no_line_of_the_grammar_is_refused_with_its_place)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *says;
    } cases[] = {
        {"a = b\n", 1, "before the first section"},
        {"[default\n", 1, "ends in ]"},
        {"\n[]\n", 2, "needs a name"},
        {"[default] x\n", 1, "nothing may follow"},
        {"[default]\nAKIAVERYSECRET\n", 2, "neither a section"},
        {"[default]\n= b\n", 2, "without a key"},
        {"[default]\na = 1\nA = 2\n", 3, "twice in its profile"},
        {"[default]\n\n[default]\n", 3, "profile is there twice"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        end();
        begin();
        ck_assert_msg(parse(AWS_CREDENTIALS_FILE, cases[i].text) == ERR_CONFIG, "%s", cases[i].text);
        ck_assert_contains(err.message, cases[i].says);
        ck_assert_uint_eq(err.line, cases[i].line);
        ck_assert_str_eq(err.file, "cred");
        ck_assert_ptr_null(strstr(err.message, "AKIA"));
    }
}
END_TEST

START_TEST(files_on_disk)
{
    char *folder = test_folder_new(), *path = test_path(folder, "credentials");
    bool found = true;
    ck_assert_int_eq(aws_config_load(&config, AWS_CREDENTIALS_FILE, path, arena, &found, &err), 0);
    ck_assert(!found);
    ck_assert_int_eq(aws_config_load(&config, AWS_CREDENTIALS_FILE, folder, arena, &found, &err), ERR_CONFIG);
    end();
    begin();
    test_file_write(path, STR("[default]\na = b\0c\n"));
    ck_assert_int_eq(aws_config_load(&config, AWS_CREDENTIALS_FILE, path, arena, &found, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "zero byte");
    end();
    begin();
    test_file_write(path, STR("[default]\na = b"));
    ck_assert_int_eq(aws_config_load(&config, AWS_CREDENTIALS_FILE, path, arena, &found, &err), 0);
    ck_assert(found);
    ck_assert_str_eq(value("default", "a"), "b");
    free(path);
    test_folder_remove(folder);
}
END_TEST

START_TEST(size_and_number_are_bounded)
{
    buf_append_text(&config.credentials, "[default]\n");
    for (unsigned i = 0; i < AWS_CONFIG_VALUES_MAX; i++)
        buf_printf(&config.credentials, "k%u=1\n", i);
    ck_assert_int_eq(aws_config_parse(&config, AWS_CREDENTIALS_FILE, "cred", arena, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "more settings than");
    end();
    begin();
    while (config.credentials.len < AWS_CONFIG_FILE_MAX)
        buf_append_text(&config.credentials, "#");
    ck_assert_int_eq(aws_config_parse(&config, AWS_CREDENTIALS_FILE, "cred", arena, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "larger than");
}
END_TEST

static Suite *config_suite(void)
{
    Suite *suite = suite_create("aws_config");
    TCase *tcase = tcase_create("aws_config");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, profiles_of_both_files);
    tcase_add_test(tcase, what_is_no_line_of_the_grammar_is_refused_with_its_place);
    tcase_add_test(tcase, files_on_disk);
    tcase_add_test(tcase, size_and_number_are_bounded);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(config_suite)
