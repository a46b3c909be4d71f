#include "provisioner/self_hosted/self_hosted.h"

#include "provisioner/self_hosted/check.h"
#include "provisioner/self_hosted/host.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Whether its host can be worked on. One that lets nobody in is an answer; one that is down could not be
 * asked. */
static int self_hosted_credentials(const struct deployment *deployment, const struct region *region,
                                   int64_t deadline_mono_ns, struct arena *arena,
                                   struct credential_check *ret_check, struct error *err)
{
    char folder[] = "/tmp/fraiseql-ssh-XXXXXX";
    struct host *host = NULL;
    (void)deployment;
    (void)deadline_mono_ns; /* host_open() has a shorter one of its own */
    if (!mkdtemp(folder))
        return error_set_errno(err, errno, "cannot make a folder below /tmp");
    int code = host_open(region->host, folder, &host, err);
    if (!code) {
        ret_check->ok = true;
        ret_check->identity = arena_printf(arena, "root on %s", host_name(host));
        host_close(host);
    } else if (code == ERR_AUTH) {
        ret_check->problem = arena_strdup(arena, str_from(err->message));
        ret_check->mend = arena_strdup(arena, str_from(err->hint));
        code = 0;
    }
    (void)rmdir(folder);
    return code;
}

const struct provider provider_self_hosted = {
    .name = "self-hosted",
    .title = "Own hosts",
    .own_hosts = true,
    .database_product = "postgresql",
    .database_version = 15, /* what Debian 12 has */
    .validate_region = self_hosted_check,
    .validate_credentials = self_hosted_credentials,
};
