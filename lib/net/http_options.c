#include "lib/net/http_options.h"

static void complain(const struct node *node, struct diag *diag, const char *message)
{
    (void)diag_add(diag, DIAG_ERROR, node->file, node->line, node->column, "%s", message);
}

void http_tls_check(const struct http_tls_options *tls, const char *pair_message, const struct node *node,
                    struct diag *diag)
{
    if (!tls->cert_file != !tls->key_file)
        complain(node, diag, pair_message);
}

void http_credential_check(const struct http_credential_files *files, const char *pair_message,
                           const struct node *node, struct diag *diag)
{
    if (!files->basic_user != !files->basic_password_file)
        complain(node, diag, pair_message);
    if (files->bearer_token_file && files->basic_user)
        complain(node, diag, "bearer_token_file and basic_user exclude each other");
}
