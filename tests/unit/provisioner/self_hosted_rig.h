/* A deployment on own hosts from text, with layouts and sites, for the tests of provisioner/self_hosted. */
#ifndef FRAISEQL_TESTS_SELF_HOSTED_RIG_H
#define FRAISEQL_TESTS_SELF_HOSTED_RIG_H

#include "provisioner/self_hosted/component.h"
#include "tests/support/support.h"

#include <stdio.h>

#define RIG_SITES_MAX 4

struct hosts_rig {
    struct arena *arena;
    struct deployment *deployment;
    struct layout layouts[RIG_SITES_MAX];
    struct site sites[RIG_SITES_MAX];
    struct step_list steps;
};

/* Regions us, eu and ap on this machine; `more` are further lines of the file. */
static inline void hosts_rig_open(struct hosts_rig *rig, const char *more)
{
    struct findings findings;
    *rig = (struct hosts_rig){.arena = arena_new(0)};
    findings_init(&findings, rig->arena);
    const char *text = arena_printf(rig->arena,
                                    "metadata: {name: shop}\nregions:\n"
                                    "  us: {provider: self-hosted, location: here, hosts: [local]}\n"
                                    "  eu: {provider: self-hosted, location: there, hosts: [local]}\n"
                                    "  ap: {provider: self-hosted, location: far, hosts: [local]}\n%s",
                                    more);
    int code = deployment_parse(rig->arena, "d.yaml", str_from(text), &rig->deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "");
    rig->steps.arena = rig->arena;
    for (size_t i = 0; i < deployment_region_count(rig->deployment); i++) {
        const struct region *region = deployment_region(rig->deployment, i);
        ck_assert_int_eq(layout_make(rig->deployment, region, rig->arena, &rig->layouts[i], NULL), 0);
        rig->sites[i] = (struct site){.deployment = rig->deployment,
                                      .region = region,
                                      .layout = &rig->layouts[i],
                                      .sites = rig->sites,
                                      .site_count = 3,
                                      .primary = "us",
                                      .arena = rig->arena};
    }
}

static inline void hosts_rig_close(struct hosts_rig *rig)
{
    arena_free(rig->arena);
}

static inline const struct host_step *hosts_rig_step(const struct hosts_rig *rig, const char *id)
{
    for (size_t i = 0; i < rig->steps.count; i++) {
        if (strcmp(rig->steps.items[i].id, id) == 0)
            return &rig->steps.items[i];
    }
    ck_abort_msg("there is no step %s", id);
    return NULL;
}

/* Whether a text of sh is well-formed. */
static inline void hosts_rig_check_script(const char *script)
{
    FILE *shell = popen("sh -n", "w");
    ck_assert_ptr_nonnull(shell);
    (void)fputs(script, shell);
    ck_assert_msg(pclose(shell) == 0, "%s", script);
}

/* Every script of every step. */
static inline void hosts_rig_check_scripts(const struct hosts_rig *rig)
{
    for (size_t i = 0; i < rig->steps.count; i++) {
        const struct host_step *step = &rig->steps.items[i];
        const char *const scripts[] = {step->guard, step->check, step->apply, step->undo};
        for (size_t j = 0; j < ARRAY_LEN(scripts); j++) {
            if (scripts[j])
                hosts_rig_check_script(scripts[j]);
        }
    }
}

static inline const struct step_file *hosts_rig_file(const struct host_step *step, const char *suffix)
{
    for (size_t i = 0; i < step->file_count; i++) {
        if (str_ends(str_from(step->files[i].path), str_from(suffix)))
            return &step->files[i];
    }
    ck_abort_msg("%s has no file %s", step->id, suffix);
    return NULL;
}

#endif
