/* A database engine: what it can replicate, what it needs for that, and how it is saved.
 *
 * Adding one is adding a folder with one `const struct database`, and one line in
 * provisioner/database_registry.c. Ownership and threads: as provider.h. */
#ifndef FRAISEQL_PROVISIONER_DATABASE_H
#define FRAISEQL_PROVISIONER_DATABASE_H

#include "lib/core/json.h"
#include "provisioner/deployment.h"

struct database {
    const char *name;    /* "postgresql", as in the file */
    const char *title;   /* "PostgreSQL" */
    const char *refusal; /* as in struct provider */
    int64_t default_version, min_version, max_version;
    int64_t port;

    void (*validate)(const struct deployment *deployment, const struct region *region,
                     struct findings *findings);
    /* Parameters of the server that replication of this deployment needs: members name -> text of an object
     * that is open already. */
    void (*render_parameters)(const struct deployment *deployment, const struct region *region,
                              struct json_writer *json);
    /* SQL that sets replication up in `region` once all databases stand: roles, publications, sequences that
     * do not collide, subscriptions. Rendered to a file; placeholders of secrets are psql variables. */
    void (*render_replication)(const struct deployment *deployment, const struct region *region,
                               struct buf *sql);
    /* The names that this SQL uses for what `to` fetches from `from`, as members of an open object: variable,
     * publication, subscription. False, and nothing written, when it fetches nothing from there. */
    bool (*render_source)(const struct deployment *deployment, const struct region *to,
                          const struct region *from, struct json_writer *json);
};

const struct database *database_find(const char *name);
const struct database *const *database_all(void); /* NULL-terminated */
int database_check_name(const char *text, struct error *err);

#endif
