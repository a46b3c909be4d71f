/* Private to vault.c and certificate.c. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_VAULT_INTERNAL_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_VAULT_INTERNAL_H

#include "lib/core/arena.h"
#include "provisioner/self_hosted/vault.h"

#include <pthread.h>

struct vault {
    const char *folder;
    struct arena *arena;  /* what was given out */
    pthread_mutex_t lock; /* held by every public function */
};

/* The file of that name; -ENOENT where there is none. With the lock held. */
int vault_read(struct vault *vault, const char *name, struct str *ret, struct error *err) CHECK_RESULT;
/* 0600, crash-safe. With the lock held. */
int vault_write(struct vault *vault, const char *name, struct str content, struct error *err) CHECK_RESULT;

#endif
