#include "provisioner/deployment.h"
#include "tests/support/support.h"

#include <string.h>

static const struct {
    const char *replication, *part;
    bool refused;
} files[] = {
    {"{mode: streaming}", NULL, false},
    {"{mode: streaming, commit: sync}", "each commit in us waits at least 80 ms", false},
    {"{mode: streaming, commit: quorum, quorum: 1}", "at most 12 a second", false},
    {"{mode: streaming, commit: quorum, quorum: 2}", "each commit in us waits at least 160 ms", false},
    {"{mode: streaming, commit: quorum, quorum: 3}", "wants 3 standbys, and there are 2", true},
    {"{mode: streaming, primary: eu, commit: quorum, quorum: 2}", "each commit in eu waits at least 80 ms",
     false},
    {"{mode: streaming, primary: ap, commit: sync}", NULL, false}, /* ap/eu is not delayed */
    {"{mode: none, commit: sync}", "replication.mode is not streaming", true},
    {"{mode: active-active}", "active-active is not part of this version on own hosts", true},
};

START_TEST(what_a_commit_waits_for_is_judged)
{
    struct arena *arena = arena_new(0);
    struct deployment *deployment = NULL;
    struct findings findings;
    bool found = false;
    findings_init(&findings, arena);
    const char *text = arena_printf(
        arena,
        "metadata: {name: shop}\nregions:\n"
        "  us: {provider: self-hosted, location: here, hosts: [local]}\n"
        "  eu: {provider: self-hosted, location: there, hosts: [local]}\n"
        "  ap: {provider: self-hosted, location: far, hosts: [local]}\n"
        "network: {topology: namespaces, latency-ms: {us/eu: 80, us/ap: 160}}\nreplication: %s\n",
        files[_i].replication);
    int code = deployment_parse(arena, "file.yaml", str_from(text), &deployment, &findings);
    ck_assert_msg((code != 0) == files[_i].refused, "%s: %s", files[_i].replication,
                  findings.count ? findings.items[0].message : "no finding");
    for (size_t i = 0; i < findings.count; i++) {
        const char *message = findings.items[i].message;
        found = found || (files[_i].part && strstr(message, files[_i].part));
        ck_assert_msg(files[_i].part || !strstr(message, "each commit"), "%s", message);
    }
    ck_assert_msg(found == (files[_i].part != NULL), "%s: %s", files[_i].replication,
                  findings.count ? findings.items[0].message : "no finding");
    arena_free(arena);
}
END_TEST

static Suite *postgres_suite(void)
{
    Suite *suite = suite_create("postgres");
    TCase *tcase = tcase_create("postgres");
    tcase_add_loop_test(tcase, what_a_commit_waits_for_is_judged, 0, (int)ARRAY_LEN(files));
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(postgres_suite)
