/* What stands in a region on own hosts: its database, its service, the proxy in front, its monitoring.
 *
 * Adding one is adding a file with one `const struct component` and one line in self_hosted/components.c.
 * Components are pure: from the deployment and its secrets to steps; they touch no host. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_COMPONENT_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_COMPONENT_H

#include "provisioner/deployment.h"
#include "provisioner/self_hosted/layout.h"
#include "provisioner/self_hosted/step.h"

struct host;
struct replication_facts;
struct vault; /* vault.h: the deployment's secrets and certificates, kept 0600 beside its state */

/* One region on its host. */
struct site {
    const struct deployment *deployment;
    const struct region *region;
    const struct layout *layout;
    struct host *host;        /* NULL while only steps are rendered (plan without a host, tests) */
    const struct site *sites; /* all regions on own hosts, this one among them, in file order */
    size_t site_count;
    const char *primary; /* name of the region that writes now: as the databases themselves say, on a
                          * first deployment replication.primary */
    struct vault *vault;
    struct arena *arena;
};

enum site_writes {
    SITE_EMPTY, /* there is no database */
    SITE_READS, /* a standby */
    SITE_WROTE, /* did when it stopped, and does not answer now: whoever writes now goes before it */
    SITE_WRITES
};

/* Texts live in the site's arena or are static. */
struct component_look {
    const char *state;  /* "standing", "failed", "absent", or a word of its own: "primary", "standby" */
    const char *detail; /* one line; NULL: nothing to say */
    const struct replication_facts *replication; /* facts.h; NULL: it is no database, or does not answer */
};

struct component {
    const char *name; /* "postgresql" */
    /* What its steps cannot do without once they have been done, by its name in the vault: a new one in its
     * place would lock out what stands, or make backups unreadable. Ended by NULL; NULL: nothing. */
    const char *const *secrets;
    /* At the lines of the file. NULL: nothing to judge. */
    void (*validate)(const struct deployment *deployment, const struct region *region,
                     struct findings *findings);
    /* Appends this region's steps, in the order in which they run within a stage. */
    int (*steps)(const struct site *site, struct step_list *list, struct error *err);
    /* Asked on the host, blocking; NULL where it does not apply. Whether this region's database is the one
     * that writes. */
    int (*is_primary)(const struct site *site, enum site_writes *ret, struct error *err);
    /* How it stands, asked on the host. NULL: told from its steps, those whose id starts with "NAME/". */
    int (*look)(const struct site *site, struct component_look *ret, struct error *err);
};

/* In the order of their steps within a stage; NULL-terminated. */
extern const struct component *const host_components[];

static inline bool component_runs(const struct region *region, const char *name)
{
    for (size_t i = 0; i < region->without.count; i++) {
        if (strcmp(region->without.items[i], name) == 0)
            return false;
    }
    return true;
}

static inline const struct site *site_find(const struct site *site, const char *region)
{
    for (size_t i = 0; i < site->site_count; i++) {
        if (strcmp(site->sites[i].region->name, region) == 0)
            return &site->sites[i];
    }
    return NULL;
}
static inline const struct site *site_primary(const struct site *site)
{
    return site_find(site, site->primary);
}
static inline bool site_is_primary(const struct site *site)
{
    return strcmp(site->region->name, site->primary) == 0;
}

#endif
