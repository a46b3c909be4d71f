/* A place where regions can be deployed: a cloud, a Kubernetes cluster, own hosts.
 *
 * Adding one is adding a folder with one `const struct provider`, its Terraform module, its catalog data, and
 * one line in provisioner/provider_registry.c. Whatever is a cloud's detail stays behind this table.
 *
 * Ownership: everything returned lives in the arena given. Threads: functions may run at the same time for
 * different regions; implementations keep no state. */
#ifndef FRAISEQL_PROVISIONER_PROVIDER_H
#define FRAISEQL_PROVISIONER_PROVIDER_H

#include "lib/core/json.h"
#include "lib/core/option.h"
#include "provisioner/deployment.h"

struct catalog_provider; /* provisioner/catalog/catalog.h */
struct provider_backups; /* provisioner/backups.h */

/* One answer of a credential check, a region each. */
#define CREDENTIALS_LISTED_MAX 12U /* lacking permissions that a person reads one by one */

struct credential_check {
    const char *region, *provider;
    bool ok;
    const char *identity;       /* who we are: ARN, service account, service principal; NULL when unknown */
    const char *problem;        /* what is missing, one sentence; NULL when ok */
    const char *mend;           /* the command or setting that mends it; NULL when ok */
    const char *note;           /* what was not checked and why, one sentence; NULL: nothing */
    struct string_list missing; /* permissions by name that are known to be lacking */
};

/* A resource that exists and carries the deployment's UUID. */
struct listed_resource {
    const char *address;   /* whole: "module.region.aws_subnet.public[0]" */
    const char *import_id; /* for an `import` block */
};

#define PROVIDER_MODULE "module.region." /* before each address of a region's module */

/* How a provider lists what carries a deployment's UUID: by data sources of its own Terraform provider, so
 * that credentials and endpoints are those of the plan. Each is called PROVIDER_LISTING. */
#define PROVIDER_LISTING "fraiseql_existing"
struct provider_listing {
    /* Writes members of "data": {type: {PROVIDER_LISTING: arguments}}. `changes` are the plan's resource
     * changes, as `terraform show -json` writes them: what they create is what is looked for. */
    void (*render)(const char *deployment_id, const struct region *region, const struct node *changes,
                   struct json_writer *json);
    /* What they answered, from `resources`: a list of {type, name, index, values}, with others among them.
     * What comes from the cloud may be anything: what is no address of the module or cannot be imported is
     * left out. Of two with one address the first counts. */
    void (*read)(const struct node *resources, struct arena *arena, struct listed_resource **ret_list,
                 size_t *ret_count);
};

/* A variable of this provider's module that the deployment's file does not say: the root passes it through,
 * and it is given by a tfvars file or by TF_VAR_name. */
struct provider_variable {
    const char *name, *help;
};

struct provider {
    const char *name;  /* "aws", as in the file */
    const char *title; /* "AWS" */
    /* Set for a provider that this version knows and does not deploy yet: a whole sentence. */
    const char *refusal;
    /* The user's own machines: no catalog, no prices, no Terraform; run/hosts.h deploys to them. */
    bool own_hosts;
    int64_t database_version;     /* default of database.version; 0: the engine's */
    const char *database_product; /* "rds": default of database.type */
    const struct catalog_provider *catalog;

    /* What only this provider can judge of a region: names it allows, types that exist, versions. Reports
     * into findings at the region's own lines. */
    void (*validate_region)(const struct deployment *deployment, const struct region *region,
                            struct findings *findings);
    /* The real check with the cloud; blocking, at most until the deadline. What the cloud refuses is an
     * answer; an error means that it could not be asked. NULL: this version asks nothing of this cloud. */
    int (*validate_credentials)(const struct deployment *deployment, const struct region *region,
                                int64_t deadline_mono_ns, struct arena *arena,
                                struct credential_check *ret_check, struct error *err);
    /* The last lines of the service's log as the cloud has them, oldest first, at most `most` and of the last
     * 24 hours, without escape sequences and secrets; blocking, at most until the deadline. NULL: this
     * version reads no logs of this provider. */
    int (*recent_logs)(const struct deployment *deployment, const struct region *region, size_t most,
                       int64_t deadline_mono_ns, struct arena *arena, struct string_list *ret_lines,
                       struct error *err);
    /* What the region's gateway has left of how replication stands (gateway_report.h reads it) at `place`,
     * its module's output replication_state; empty: nothing yet. Blocking, at most until the deadline. NULL:
     * this version has no gateways there. */
    int (*gateway_report)(const struct region *region, const char *place, int64_t deadline_mono_ns,
                          struct arena *arena, struct str *ret_text, struct error *err);
    /* Backups of a region's database. NULL: this version takes none of this provider. */
    const struct provider_backups *backups;
    /* Folder of the embedded Terraform module ("aws/module"). */
    const char *module;
    /* Writes one member of the root module's "provider" entry, named as Terraform names the provider:
     * "google": {project, region, default_labels}. The global root gives it an alias. */
    void (*render_provider)(const struct deployment *deployment, const struct region *region,
                            struct json_writer *json);
    /* Writes "required_providers" members for the root module: "google": {source, version}. */
    void (*render_requirements)(struct json_writer *json);
    /* Arguments of the module that only this provider has; the common ones are the renderer's. */
    void (*render_arguments)(const struct deployment *deployment, const struct region *region,
                             struct json_writer *json);
    /* NULL, or ended by a NULL name. */
    const struct provider_variable *variables;
    /* The id for an `import` block of a resource that exists already, from its type and the values that the
     * plan knows (a parsed object). NULL when this type cannot be imported by a name that we chose. `tags`
     * tells where the deployment's UUID is found in the existing resource. */
    const char *(*import_id)(const char *resource_type, const struct node *planned_values,
                             struct arena *arena);
    /* NULL where everything has a name to clash by. */
    const struct provider_listing *listing;
};

/* NULL when there is none of that name. */
const struct provider *provider_find(const char *name);
/* NULL-terminated. */
const struct provider *const *provider_all(void);
/* The names that a file may give, for the schema and the reference: all but those that are refused. */
extern const struct option_enum provider_choices[];
/* For an option's `check`: names the known ones and the nearest. */
int provider_check_name(const char *text, struct error *err);

#endif
