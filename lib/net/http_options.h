/* Configuration of HTTP(S) requests: rows of option tables for TLS towards a peer and for the files of
 * credentials, and the checks that go with them. Keys, types and defaults stand here once; what a key means
 * to its reader is the section's to say.
 *
 * Ownership: strings live in the arena of the configuration. Threads: any; nothing here has state. */
#ifndef FRAISEQL_NET_HTTP_OPTIONS_H
#define FRAISEQL_NET_HTTP_OPTIONS_H

#include "lib/core/option.h"
#include "lib/net/http_client.h"

/* The row of one member, for the tables below; `preset` is the default's text. */
#define HTTP_OPTION(of, base, member, kind, preset, text)                                                    \
    {                                                                                                        \
        .name = #member, .type = (kind), .offset = (base) + offsetof(struct of, member),                     \
        .default_text = (preset), .help = (text)                                                             \
    }

/* Rows for a struct http_tls_options that lies `base` bytes into the section's struct, 0 when it is that
 * struct. */
#define HTTP_TLS_OPTIONS_SAYING(base, ca_help, cert_help, key_help, name_help, insecure_help)                \
    HTTP_OPTION(http_tls_options, base, ca_file, OPT_PATH, NULL, ca_help),                                   \
        HTTP_OPTION(http_tls_options, base, cert_file, OPT_PATH, NULL, cert_help),                           \
        HTTP_OPTION(http_tls_options, base, key_file, OPT_PATH, NULL, key_help),                             \
        HTTP_OPTION(http_tls_options, base, server_name, OPT_STRING, NULL, name_help),                       \
        HTTP_OPTION(http_tls_options, base, insecure_skip_verify, OPT_BOOL, "false", insecure_help)

/* The same in the words for a target that is asked. */
#define HTTP_TLS_OPTIONS(base)                                                                               \
    HTTP_TLS_OPTIONS_SAYING(base, "PEM file of the authorities to trust; default: the system's.",            \
                            "Client certificate in PEM.", "Key of the client certificate.",                  \
                            "Name to ask for and to verify instead of the URL's host.",                      \
                            "Do not verify the server's certificate.")

/* Who we are in the Authorization header: a token, or a user with a password, or neither. */
struct http_credential_files {
    const char *bearer_token_file;
    const char *basic_user, *basic_password_file;
};

/* Rows for a struct http_credential_files that lies `base` bytes into the section's struct. */
#define HTTP_CREDENTIAL_OPTIONS(base, token_help, user_help)                                                 \
    HTTP_OPTION(http_credential_files, base, bearer_token_file, OPT_SECRET_FILE, NULL, token_help),          \
        HTTP_OPTION(http_credential_files, base, basic_user, OPT_STRING, NULL, user_help),                   \
        HTTP_OPTION(http_credential_files, base, basic_password_file, OPT_SECRET_FILE, NULL,                 \
                    "File with the password of basic_user.")

/* For an option_section's check: errors at `node` when one half of a pair is missing (`pair_message`), and
 * when there are two ways to log in. */
void http_tls_check(const struct http_tls_options *tls, const char *pair_message, const struct node *node,
                    struct diag *diag);
void http_credential_check(const struct http_credential_files *files, const char *pair_message,
                           const struct node *node, struct diag *diag);

#endif
