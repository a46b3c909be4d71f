/* AWS's shared files of profiles: ~/.aws/credentials and ~/.aws/config.
 *
 * The grammar is the one that botocore reads: sections, "key = value" (or ":"), whole lines of # or ; as
 * comments, indented lines as a group of the key above them, which nothing here needs. Refused with file and
 * line: what is no line of that grammar, a key twice in one section, a section twice in one file, zero bytes,
 * too large files. In the config file a profile is called [profile NAME], but for [default]; other sections
 * (sso-session, services) are passed over. A key in the credentials file wins over the same key in the config
 * file.
 *
 * Ownership: the struct owns the bytes of both files and wipes them; texts are terminated and point into
 * them. Threads: owned by the caller. */
#ifndef FRAISEQL_CLOUD_AWS_CONFIG_H
#define FRAISEQL_CLOUD_AWS_CONFIG_H

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/core/error.h"

#define AWS_CONFIG_FILE_MAX   (1024UL * 1024)
#define AWS_CONFIG_VALUES_MAX 5000U

struct aws_setting {
    const char *profile, *key, *value; /* the key in lower case */
    const char *file;
    unsigned line;
};

struct aws_config {
    struct buf credentials, config;
    struct aws_setting *settings; /* those of the credentials file first */
    size_t count;
};

enum aws_config_kind { AWS_CREDENTIALS_FILE, AWS_CONFIG_FILE };

void aws_config_init(struct aws_config *config);
void aws_config_deinit(struct aws_config *config); /* wipes */
/* Reads a file, the credentials file first; one that is not there is no error, *ret_found tells. Errors:
 * ERR_CONFIG, with position. Settings grow in the arena; `path` must live as long. */
int aws_config_load(struct aws_config *config, enum aws_config_kind kind, const char *path,
                    struct arena *arena, bool *ret_found, struct error *err) CHECK_RESULT;
/* The same from bytes in config->credentials or config->config, which are changed: for fuzzing. */
int aws_config_parse(struct aws_config *config, enum aws_config_kind kind, const char *path,
                     struct arena *arena, struct error *err) CHECK_RESULT;

bool aws_config_has(const struct aws_config *config, const char *profile);
/* NULL when the profile has no such key, or an empty one. */
const struct aws_setting *aws_config_find(const struct aws_config *config, const char *profile,
                                          const char *key);

#endif
