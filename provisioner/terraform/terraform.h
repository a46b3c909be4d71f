/* Runs `tofu` or `terraform` in one root folder.
 *
 * Long commands (init, plan, apply) write their -json stream into a log file of their own (0600), from which
 * events are read while they run; they outlive us when we are killed. What such a log holds: addresses,
 * actions and messages of the cloud, no values that the modules mark as sensitive. Short ones (show, output,
 * state) are captured in memory, since what they print may be secret.
 *
 * Environment given to it: TF_IN_AUTOMATION, TF_INPUT=0, CHECKPOINT_DISABLE, and a plugin cache that all
 * roots share. Terraform's cache is not safe for two `init` at once, so init runs under a lock; and a root
 * without a lock file would download a provider again in spite of the cache unless
 * TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE is set: the lock file then has this platform's checksums
 * only, which suits a folder that we render.
 *
 * Threads: any; struct terraform is immutable. */
#ifndef FRAISEQL_PROVISIONER_TERRAFORM_TERRAFORM_H
#define FRAISEQL_PROVISIONER_TERRAFORM_TERRAFORM_H

#include "lib/core/error.h"
#include "provisioner/terraform/stream.h"

#include <sys/types.h>

#define TF_ARGUMENTS_MAX 512
#define TF_CAPTURE_MAX   (256UL * 1024 * 1024)

struct terraform {
    const char *program; /* absolute path */
    const char *name;    /* "terraform" or "tofu", for messages */
    const char *const *variables;
    const char *init_lock; /* path */
};

/* Who is told about a command while it runs. */
struct tf_watch {
    tf_event_fn *event;                    /* may be NULL */
    void (*started)(void *arg, pid_t pid); /* may be NULL */
    void (*ended)(void *arg);              /* may be NULL */
    void *arg;
};

/* `wanted` is the text of --tf-bin, NULL: tofu, then terraform. ERR_UNAVAILABLE says how to get one. */
int terraform_find(const char *wanted, struct arena *arena, struct terraform *ret, struct error *err)
    CHECK_RESULT;
/* terraform -chdir=FOLDER ARGUMENTS..., output appended to the fresh file `log`. 0 when it ran, whatever its
 * exit status. */
int terraform_run(const struct terraform *terraform, const char *folder, const char *const *arguments,
                  const char *log, const struct tf_watch *watch, int *ret_status, struct error *err)
    CHECK_RESULT;
/* As terraform_run() for `init`, one at a time on this machine. */
int terraform_init(const struct terraform *terraform, const char *folder, const char *log,
                   const struct tf_watch *watch, int *ret_status, struct error *err) CHECK_RESULT;
/* Standard output into `output`; an exit status other than 0 is ERR_PEER with the first line of what it
 * complained. */
int terraform_capture(const struct terraform *terraform, const char *folder, const char *const *arguments,
                      struct buf *output, struct error *err) CHECK_RESULT;

#endif
