/* Shared by the files of this folder. */
#ifndef FRAISEQL_PROVISIONER_RENDER_INTERNAL_H
#define FRAISEQL_PROVISIONER_RENDER_INTERNAL_H

#include "provisioner/provider.h"
#include "provisioner/render/render.h"

#define RENDER_MAX_BYTES (16UL * 1024 * 1024)

/* A folder that is being rendered. */
struct render_target {
    const char *path;
    const struct render_options *options;
    struct render_report *report;
    struct error *err;
};

#define RENDER_PUBLIC_MODE 0644U /* modules and READMEs: the same for everybody */
#define RENDER_SECRET_MODE 0600U /* may hold names of secrets */

/* One file below it, written where its bytes or its mode differ. */
int render_put(const struct render_target *target, const char *name, struct str bytes, unsigned mode)
    CHECK_RESULT;
/* The same from a buffer, which is freed. */
int render_put_document(const struct render_target *target, const char *name, struct buf *document,
                        unsigned mode) CHECK_RESULT;
bool render_selects(const struct render_options *options, const struct region *region);

/* The regions on own hosts: steps, files, secrets and a README. Makes the secrets that are missing. */
int render_hosts(const struct deployment *own, const struct deployment *deployment,
                 const struct render_identity *identity, const struct render_target *target) CHECK_RESULT;
/* Fills the {{places}} of an embedded text. */
typedef void render_fill_fn(void *ctx, struct str place, struct buf *out);
void render_template(const char *embedded, render_fill_fn *fill, void *ctx, struct buf *out);
/* Text of the user in Markdown: nothing of it may end a table's cell or a code span. */
void render_append_plain(struct buf *out, const char *text);
/* The name of the deployment's file without its folders. */
const char *render_file_name(const struct deployment *deployment);

/* A region's name as an identifier of Terraform: letters, digits, dashes and underscores after a letter. */
#define RENDER_LABEL_MAX 80
const char *render_label(const struct region *region, char label[RENDER_LABEL_MAX]);

/* Members of the "terraform" block: required_version, the backend of `root`. */
void render_terraform(const struct deployment *deployment, const char *root, struct json_writer *json);
/* The same place as seen by a terraform_remote_state of the global root: members backend and config. */
void render_remote_state(const struct deployment *deployment, const char *root, struct json_writer *json);
/* Refuses what would put a secret into a file. */
int render_check_backend(const struct deployment *deployment, struct error *err) CHECK_RESULT;

/* Puts into the document of a global root the providers of the one at `path` (there may be none) that it
 * lacks. */
void render_carry(struct arena *arena, const char *path, struct buf *document);

/* Arguments of a region's module, without `source`. With `roots` those that an operator may set from outside
 * refer to variables of the root module. */
void render_arguments(const struct deployment *deployment, const struct region *region,
                      const struct render_identity *identity, bool roots, struct json_writer *json);
/* What render_provider and render_requirements of a provider write, as text of an object: {"aws":{...}}. */
void render_provider_object(const struct deployment *deployment, const struct region *region,
                            struct buf *out);
void render_requirements_object(const struct provider *provider, struct buf *out);
/* The outputs that every region module has. */
extern const char *const render_outputs[]; /* NULL-terminated */

/* The region's place, from 0, and how many there are; 0 and 1 of a region that writes alone. */
void render_node(const struct deployment *deployment, const struct region *region, size_t *ret_index,
                 size_t *ret_count);
/* Whether the global root opens this region's gateway. */
bool render_opens_gateway(const struct deployment *deployment, const struct region *region);
/* Where a region is, and the DNS modules' arguments besides `regions`. */
void render_place(const struct region *region, struct json_writer *json);
void render_dns_arguments(const struct deployment *deployment, const struct render_identity *identity,
                          struct json_writer *json);
const char *render_routing(const struct deployment *deployment);
/* The region of `replication.primary`, or the first. */
const struct region *render_primary(const struct deployment *deployment);

#endif
