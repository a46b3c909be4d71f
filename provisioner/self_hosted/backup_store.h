/* Where backups of own hosts are kept: backup.store. A folder on the region's host, or a prefix of a bucket
 * of an S3-compatible store; each region has a repository of its own there.
 *
 * Ownership: the site's arena. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_BACKUP_STORE_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_BACKUP_STORE_H

#include "lib/core/buf.h"
#include "provisioner/self_hosted/component.h"

struct backup_store {
    const char *folder; /* on the host; "" where it is elsewhere */
    const char *name;   /* for people, without secrets */
    struct str ca_pem;  /* empty: what the host trusts */
    /* S3 only. */
    const char *path, *host, *location, *key, *secret;
};

/* At the lines of the file. */
void backup_store_validate(const struct deployment *deployment, struct findings *findings);
/* `home`: the region's folder for backups on its host. ERR_AUTH where the key of a store is not given. */
int backup_store_make(const struct site *site, const char *home, struct backup_store *ret, struct error *err)
    CHECK_RESULT;
/* Lines of pgBackRest's settings: secrets among them. `ca_file`: where the host has ca_pem. */
void backup_store_write(const struct site *site, const struct backup_store *store, const char *ca_file,
                        struct buf *out);

#endif
