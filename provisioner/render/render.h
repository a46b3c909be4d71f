/* The Terraform folder of a deployment: one small root module a region (indented .tf.json), a last global
 * one, and copies of the hand-written modules, so that the folder works without us.
 *
 *   OUT/README.md
 *   OUT/modules/<provider>/, OUT/modules/global/
 *   OUT/regions/<region>/main.tf.json, OUT/regions/<region>/replication.sql
 *   OUT/global/main.tf.json
 *   OUT/hosts/<region>/, OUT/secrets/<region>/ of regions on own hosts: self_hosted/by_hand.h
 *
 * User text is escaped, since Terraform reads every JSON string as a template. Same input, same bytes. Files
 * are written only when they differ. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_RENDER_H
#define FRAISEQL_PROVISIONER_RENDER_H

#include "lib/core/json.h"
#include "provisioner/deployment.h"

/* The deployment's UUID, which every resource carries as a tag: made at the first deploy and kept in the
 * state. */
struct render_identity {
    const char *deployment_id;
};

/* text with "${" and "%{" made literal for Terraform; NULL is the empty text. Keys of maps are templates too:
 * render_key() is for keys that the user chose. */
void render_text(struct json_writer *json, const char *text);
void render_key(struct json_writer *json, const char *key);
/* `key` is ours, the text is not. */
void render_kv(struct json_writer *json, const char *key, const char *text);
/* Re-indents one JSON document (two spaces): Terraform echoes whole lines in its messages. */
void render_indent(struct str json, struct buf *out);

/* Prefix of the names of everything in one region: readable, stable, made of [a-z0-9-], starts with a letter;
 * another deployment's or region's differs. */
#define RENDER_NAME_MAX 24
const char *render_name(const struct deployment *deployment, const struct region *region,
                        char name[RENDER_NAME_MAX + 1]);

/* Whether the gateways of this deployment's regions talk to each other, and whether this one is part of it.
 */
bool render_is_linked(const struct deployment *deployment, const struct region *region);

/* The root module of one region, or the global one, as a document. */
void render_region(const struct deployment *deployment, const struct region *region,
                   const struct render_identity *identity, struct buf *out);
void render_global(const struct deployment *deployment, const struct render_identity *identity,
                   struct buf *out);
/* A Pulumi program (YAML) that uses the same modules. */
void render_pulumi(const struct deployment *deployment, const struct render_identity *identity,
                   struct buf *out);
/* What the folder tells a reader who has nothing but it. */
enum render_format { RENDER_TERRAFORM, RENDER_PULUMI };
void render_readme(const struct deployment *deployment, enum render_format format, struct buf *out);

struct render_options {
    enum render_format format;
    bool dry_run;                   /* count what would be written and write nothing */
    const struct string_list *only; /* regions by name; NULL or empty: all, and the global root */
    const char *secrets; /* folder of the deployment's secrets; NULL: regions on own hosts are left out */
};

/* What a rendering did. Paths are below the folder and live in the arena. */
struct render_report {
    struct arena *arena;
    size_t written, unchanged;
    struct string_list stale; /* folders of regions that the deployment no longer has; never deleted */
};

/* Everything into a folder (0700; files 0600 where they may hold names of secrets, else 0644). Refused before
 * anything is written: a choice that cannot be rendered, a password where names are expected. `only`: as of
 * the options. */
int render_folder(const struct deployment *deployment, const struct render_identity *identity,
                  const char *folder, const struct string_list *only, struct error *err) CHECK_RESULT;
/* The same in either form and with a report. */
int render_folder_as(const struct deployment *deployment, const struct render_identity *identity,
                     const char *folder, const struct render_options *options, struct render_report *report,
                     struct error *err) CHECK_RESULT;
/* The UUID for a folder: that of the deployment's work folder when it has one, else what OUT/deployment-id
 * says, else a new one; it is kept in OUT/deployment-id unless `dry_run`. */
int render_identity_load(const struct deployment *deployment, const char *folder, bool dry_run,
                         struct arena *arena, struct render_identity *ret_identity, struct error *err)
    CHECK_RESULT;

/* Whether there is anything that needs a global root: DNS, or links between regions. */
bool render_has_global(const struct deployment *deployment);
/* The deployment's work folder, .fraiseql/NAME beside its file; makes nothing. */
const char *render_work_folder(const struct deployment *deployment, struct arena *arena);

/* Where the state of a root is, as the backend's own words: "s3://bucket/key". `root` is "global" or a
 * region's name. */
const char *render_backend_name(const struct deployment *deployment);
void render_state_address(const struct deployment *deployment, const char *root, struct buf *out);

#endif
