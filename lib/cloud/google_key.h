/* Google's credential files (application_default_credentials.json, a service account's key, the configuration
 * of workload identity federation), read and judged without doing anything with them. Outside bytes.
 *
 * Addresses that are sent a secret must be https, or plain http to this machine. What this version cannot use
 * (executables, AWS as the source of a subject, workforce logins, other universes) is refused by a sentence
 * that names the file.
 * Ownership: texts live in the arena, secrets in the key; google_key_deinit() erases. */
#ifndef FRAISEQL_CLOUD_GOOGLE_KEY_H
#define FRAISEQL_CLOUD_GOOGLE_KEY_H

#include "lib/core/arena.h"
#include "lib/core/secret.h"
#include "lib/net/http_client.h"

#define GOOGLE_KEY_BYTES   (64UL * 1024)
#define GOOGLE_HOPS_MAX    4
#define GOOGLE_HEADERS_MAX 8

enum google_key_kind { GOOGLE_SERVICE_ACCOUNT, GOOGLE_AUTHORIZED_USER, GOOGLE_EXTERNAL_ACCOUNT };

/* A service account whose token is asked for with the token had so far. */
struct google_hop {
    const char *url;       /* ...:generateAccessToken */
    const char *account;   /* its e-mail, from the URL; NULL: not found there */
    const char *delegates; /* a JSON list */
    int64_t lifetime_s;
};

struct google_key {
    enum google_key_kind kind;
    const char *token_url;
    struct secret *secret; /* service account: its private key; user: client secret; external: the same, or
                              NULL */
    /* Service account. */
    const char *client_email, *key_id;
    /* User; external: may be NULL. */
    const char *client_id;
    struct secret *refresh_token;
    /* External: where the subject's token lies, and what it is. */
    const char *audience, *subject_type, *user_project;
    const char *subject_file, *subject_url; /* one of them */
    const char *subject_member;             /* NULL: the whole text is the token */
    struct http_header subject_headers[GOOGLE_HEADERS_MAX];
    size_t subject_header_count;
    /* In the order they are gone; the last account is who we are in the end. */
    struct google_hop hops[GOOGLE_HOPS_MAX];
    size_t hop_count;
};

/* `path` is its name in messages. ERR_CONFIG, or -ENOTSUP for what others could use; nothing is left to erase
 * then. */
int google_key_read(struct arena *arena, struct str bytes, const char *path, struct google_key *ret_key,
                    struct error *err) CHECK_RESULT;
void google_key_deinit(struct google_key *key);
/* Adds a hop at the end; ERR_CONFIG when there are too many. */
int google_key_add_hop(struct arena *arena, struct google_key *key, struct str url, const char *delegates,
                       int64_t lifetime_s, struct error *err) CHECK_RESULT;

#endif
