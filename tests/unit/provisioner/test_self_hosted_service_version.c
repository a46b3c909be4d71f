#include "provisioner/self_hosted/service_version.h"
#include "tests/unit/provisioner/self_hosted_fixture.h"

static const struct {
    const char *text;
    bool read;
    unsigned major, minor;
    int64_t least; /* 0: nothing is known */
} versions[] = {
    {"fraiseql-server 2.19.0\n", true, 2, 19, 18},
    {"2.15", true, 2, 15, 14},
    {"2.16.1", true, 2, 16, 18},
    {"v3.0.0-rc1", true, 3, 0, 18},
    {"2.14.9", true, 2, 14, 0},
    {"1.99", true, 1, 99, 0},
    {"server 7 of 2.15.3", true, 2, 15, 14},
    {"", false, 0, 0, 0},
    {"two", false, 0, 0, 0},
    {"2.", false, 0, 0, 0},
    {"2", false, 0, 0, 0},
};

START_TEST(versions_and_what_they_take)
{
    struct service_version version = {0};
    int64_t least = 0, greatest = 0;
    ck_assert_int_eq(service_version_parse(str_from(versions[_i].text), &version), versions[_i].read);
    if (!versions[_i].read)
        return;
    ck_assert_uint_eq(version.major, versions[_i].major);
    ck_assert_uint_eq(version.minor, versions[_i].minor);
    ck_assert_int_eq(service_version_databases(&version, &least, &greatest), versions[_i].least != 0);
    ck_assert_int_eq(least, versions[_i].least);
}
END_TEST

static const struct {
    const char *service, *database, *part; /* part NULL: it is valid */
} files[] = {
    {"{ binary: /opt/fraiseql-server, version: 2.19.0 }", "15",
     "FraiseQL 2.19 takes PostgreSQL 18 only, and this is 15"},
    {"{ binary: /opt/fraiseql-server, version: 2.19.0 }", "18", NULL},
    {"{ binary: /opt/fraiseql-server, version: 2.15.0 }", "14", NULL},
    {"{ binary: /opt/fraiseql-server, version: x }", "18", "want a version"},
    {"{ binary: fraiseql-server }", "18", "want an absolute path"},
    {"{ version: 2.15.0 }", "15", "is of binary"},
    {"{ command: [serve] }", "15", "absolute path"},
    {"{ command: [/bin/serve, --fast] }", "15", NULL},
    {"{ binary: /a, version: 2.15.0, command: [/b] }", "15", "besides binary"},
    {"{ secret-environment: { A: b } }", "15", "no secret store"},
    {"{ environment: { A: \"it's\" } }", "15", "no quotes"},
    {"{ port: 8078 }", "15", "3 processes take the ports 8078 to 8080, and 8080 is another process's"},
    {"{ port: 8081 }", "15", NULL},
    {"{ binary: /a, version: 2.15.0, schema: \"https://x/s.json\" }", "15", "a path on the hosts"},
};

START_TEST(what_does_not_fit_is_refused_at_its_line)
{
    struct arena *arena = arena_new(0);
    struct deployment *deployment = NULL;
    struct findings findings;
    findings_init(&findings, arena);
    const char *text =
        arena_printf(arena,
                     "metadata: { name: shop }\nregions:\n  x:\n    provider: self-hosted\n    location: "
                     "here\n    hosts: [local]\n    database: { version: %s }\nservice: %s\n",
                     files[_i].database, files[_i].service);
    int code = deployment_parse(arena, "file.yaml", str_from(text), &deployment, &findings);
    if (!files[_i].part) {
        ck_assert_msg(code == 0 && findings.errors == 0, "%s",
                      findings.count ? findings.items[0].message : "refused");
    } else {
        ck_assert_int_ne(code, 0);
        ck_assert_contains(findings.items[0].message, files[_i].part);
        ck_assert_uint_gt(findings.items[0].line, 3);
    }
    arena_free(arena);
}
END_TEST

static Suite *service_version_suite(void)
{
    Suite *suite = suite_create("service_version");
    TCase *tcase = tcase_create("service_version");
    tcase_add_loop_test(tcase, versions_and_what_they_take, 0, (int)ARRAY_LEN(versions));
    tcase_add_loop_test(tcase, what_does_not_fit_is_refused_at_its_line, 0, (int)ARRAY_LEN(files));
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(service_version_suite)
