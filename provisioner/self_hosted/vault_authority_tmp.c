#include "provisioner/self_hosted/vault.h"
int vault_authority(struct vault *vault, struct str *ret_pem, struct error *err)
{
    (void)vault;
    (void)ret_pem;
    return error_set(err, ERR_UNAVAILABLE, "temporary");
}
