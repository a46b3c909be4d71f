/* The files of a region's PostgreSQL: configuration, who may connect, roles, slots. Pure.
 *
 * TLS is the only way in from the network. Standbys and pg_rewind come with a client certificate of the
 * deployment's authority, the service and the monitor with passwords (SCRAM); the administrator is `postgres`
 * on the Unix socket, for root and the database's system user.
 *
 * Ownership: the site's arena. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_POSTGRES_CONFIG_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_POSTGRES_CONFIG_H

#include "lib/core/buf.h"
#include "provisioner/self_hosted/component.h"

#define POSTGRES_FILE_MAX_BYTES   (256UL * 1024)
#define POSTGRES_ROLE_REPLICATION "fraiseql_replication"
#define POSTGRES_ROLE_REWIND      "fraiseql_rewind"

struct postgres_paths {
    const char *bin;                                  /* folder of the server's programs */
    const char *data;                                 /* the cluster; data.new, data.diverged-* beside it */
    const char *folder;                               /* below layout.config */
    const char *conf, *hba, *ident, *machine, *extra; /* extra: a folder of further *.conf */
    const char *role;                                 /* shell variables: who this region follows */
    const char *roles, *database, *slots;             /* SQL */
    const char *authority, *certificate, *key;        /* of the server */
    const char *socket;                               /* folder of the socket, below layout.run */
};
struct postgres_paths postgres_paths_of(const struct site *site);

/* Regions of the site's cluster, this one among them; count in *ret. */
const struct site *const *postgres_sites(const struct site *site, size_t *ret_count);
/* "fraiseql_us_east": names of slots have no dashes. */
const char *postgres_slot(struct arena *arena, const struct region *region);
/* For libpq: from this region to another one's server as `user`, by certificate. */
const char *postgres_conninfo(const struct site *from, const struct site *to, const char *user);
/* Path of a client certificate's file in this region: postgres_client(site, user, "crt"). */
const char *postgres_client(const struct site *site, const char *user, const char *suffix);

void postgres_write_conf(const struct site *site, struct buf *out);
void postgres_write_hba(const struct site *site, struct buf *out);
void postgres_write_ident(const struct site *site, struct buf *out);
void postgres_write_role(const struct site *site, struct buf *out);
/* Roles and the application's database; holds the passwords. */
void postgres_write_roles(const char *service_password, const char *monitor_password, struct buf *out);
void postgres_write_database(struct buf *out);
/* A slot for each other region where this one writes, none where it does not. */
void postgres_write_slots(const struct site *site, struct buf *out);

#endif
