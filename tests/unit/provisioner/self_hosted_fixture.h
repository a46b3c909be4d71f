/* Regions on own hosts as the components see them, without hosts: from the text of a deployment file. */
#ifndef FRAISEQL_TESTS_UNIT_PROVISIONER_SELF_HOSTED_FIXTURE_H
#define FRAISEQL_TESTS_UNIT_PROVISIONER_SELF_HOSTED_FIXTURE_H

#include "provisioner/self_hosted/component.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#define FIXTURE_MAX_SITES 4

struct fixture {
    struct arena *arena;
    struct deployment *deployment;
    struct findings findings;
    struct layout layouts[FIXTURE_MAX_SITES];
    struct site sites[FIXTURE_MAX_SITES];
    size_t count;
};

/* `more` follows regions us-east, eu-west and apac, streaming from us-east, on this machine. */
static inline void fixture_open_text(struct fixture *fixture, const char *text)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->arena = arena_new(0);
    findings_init(&fixture->findings, fixture->arena);
    int code = deployment_parse(fixture->arena, "file.yaml", str_from(text), &fixture->deployment,
                                &fixture->findings);
    ck_assert_msg(!code, "%s", fixture->findings.count ? fixture->findings.items[0].message : "refused");
    fixture->count = deployment_region_count(fixture->deployment);
    for (size_t i = 0; i < fixture->count; i++) {
        const struct region *region = deployment_region(fixture->deployment, i);
        struct error err = {0};
        ck_assert_int_eq(layout_make(fixture->deployment, region, fixture->arena, &fixture->layouts[i], &err),
                         0);
        fixture->sites[i] = (struct site){.deployment = fixture->deployment,
                                          .region = region,
                                          .layout = &fixture->layouts[i],
                                          .sites = fixture->sites,
                                          .site_count = fixture->count,
                                          .primary = "us-east",
                                          .arena = fixture->arena};
    }
}

static inline void fixture_open(struct fixture *fixture, const char *more)
{
    char text[4096];
    (void)snprintf(text, sizeof text,
                   "metadata: { name: shop }\nregions:\n"
                   "  us-east: { provider: self-hosted, location: here, hosts: [local], instances: 2 }\n"
                   "  eu-west: { provider: self-hosted, location: there, hosts: [local], instances: 2 }\n"
                   "  apac: { provider: self-hosted, location: far, hosts: [local], instances: 2 }\n%s",
                   more);
    fixture_open_text(fixture, text);
}

#define FIXTURE_STREAMING "replication: { mode: streaming, primary: us-east }\n"
#define FIXTURE_DISTANT                                                                                      \
    FIXTURE_STREAMING                                                                                        \
        "network: { topology: namespaces, latency-ms: { us-east/eu-west: 80, apac/us-east: 180, "            \
        "eu-west/apac: 160 } }\n"

static inline void fixture_close(struct fixture *fixture)
{
    arena_free(fixture->arena);
}

/* Compares with tests/unit/provisioner/golden/NAME; FRAISEQL_WRITE_GOLDEN=1 writes it anew. */
static inline void fixture_check_golden(const char *name, struct buf *text)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/tests/unit/provisioner/golden/%s", test_source_dir(), name);
    if (getenv("FRAISEQL_WRITE_GOLDEN"))
        test_file_write(path, buf_str(text));
    char *wanted = test_file_read(path);
    ck_assert_msg(strcmp(wanted, buf_text(text)) == 0, "it is not what golden/%s has:\n%s", name,
                  buf_text(text));
    free(wanted);
    buf_deinit(text);
}

#endif
