#include "provisioner/self_hosted/vault_internal.h"
int vault_authority(struct vault *vault, struct str *ret_pem, struct error *err)
{
    return vault_read(vault, "authority.pem", ret_pem, err);
}
