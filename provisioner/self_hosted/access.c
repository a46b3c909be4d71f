#include "provisioner/self_hosted/access.h"

#include "lib/core/clock.h"
#include "provisioner/log_lines.h"
#include "provisioner/self_hosted/host.h"
#include "provisioner/self_hosted/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define LOG_BYTES_MAX (4UL * 1024 * 1024)

int access_open(struct access *access, const struct region *region, struct error *err)
{
    *access = (struct access){.folder = "/tmp/fraiseql-ssh-XXXXXX"};
    if (!mkdtemp(access->folder))
        return error_set_errno(err, errno, "cannot make a folder below /tmp");
    int code = host_open(region->host, access->folder, &access->host, err);
    if (code)
        (void)rmdir(access->folder);
    return code;
}

void access_close(struct access *access)
{
    host_close(access->host);
    (void)rmdir(access->folder);
}

int access_check(const struct deployment *deployment, const struct region *region, int64_t deadline_mono_ns,
                 struct arena *arena, struct credential_check *ret_check, struct error *err)
{
    struct access access;
    (void)deployment;
    (void)deadline_mono_ns; /* host_open() has a shorter one of its own */
    int code = access_open(&access, region, err);
    if (!code) {
        ret_check->ok = true;
        ret_check->identity = arena_printf(arena, "root on %s", host_name(access.host));
        access_close(&access);
    } else if (code == ERR_AUTH) {
        ret_check->problem = arena_strdup(arena, str_from(err->message));
        ret_check->mend = arena_strdup(arena, str_from(err->hint));
        code = 0;
    }
    return code;
}

/* Each instance of the service has a log; they share the lines that are wanted. */
static const char *script_of(const struct layout *layout, size_t most, struct arena *arena)
{
    return arena_printf(arena,
                        "set -- %s/service*.log\n[ -e \"$1\" ] || exit 0\neach=$(( (%zu + $# - 1) / $# ))\n"
                        "for log in \"$@\"; do tail -q -n \"$each\" \"$log\"; done\n",
                        layout->log, most);
}

static int read_logs(struct host *host, const struct layout *layout, size_t most, int64_t timeout_ns,
                     struct arena *arena, struct string_list *ret_lines, struct error *err)
{
    struct buf out = BUF_INIT(LOG_BYTES_MAX);
    struct log_lines lines;
    const struct host_script script = {.text = script_of(layout, most, arena), .timeout_ns = timeout_ns};
    log_lines_init(&lines, most);
    int code = host_do(host, &script, &out, err);
    if (!code) {
        log_lines_add(&lines, 0, buf_str(&out));
        log_lines_give(&lines, arena, ret_lines);
    }
    log_lines_deinit(&lines);
    buf_deinit(&out);
    return code;
}

int access_logs(const struct deployment *deployment, const struct region *region, size_t most,
                int64_t deadline_mono_ns, struct arena *arena, struct string_list *ret_lines,
                struct error *err)
{
    struct access access;
    struct layout layout;
    int code = layout_make(deployment, region, arena, &layout, err);
    if (!code)
        code = access_open(&access, region, err);
    if (code)
        return code;
    int64_t left_ns = deadline_mono_ns - clock_mono_ns();
    code =
        read_logs(access.host, &layout, most, left_ns > NS_PER_S ? left_ns : NS_PER_S, arena, ret_lines, err);
    access_close(&access);
    return code;
}
