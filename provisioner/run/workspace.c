#include "provisioner/run/workspace.h"

#include "lib/core/clock.h"
#include "lib/core/crypto.h"
#include "lib/core/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_MAX_BYTES 256

static const char *base_folder(const struct deployment *deployment, struct arena *arena)
{
    const char *path = deployment->path, *slash = strrchr(path, '/');
    const char *beside = slash ? arena_strdup(arena, (struct str){path, (size_t)(slash - path) + 1})
                               : arena_strdup(arena, STR(""));
    if (!deployment->state.path)
        return arena_printf(arena, "%s.fraiseql", beside);
    return deployment->state.path[0] == '/' ? deployment->state.path
                                            : arena_printf(arena, "%s%s", beside, deployment->state.path);
}

static int make_folders(struct workspace *workspace, struct error *err)
{
    const char *const folders[] = {workspace->folder, workspace->regions, workspace->render, workspace->plans,
                                   workspace->logs};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        int code = file_make_folder(folders[i], 0700, err);
        if (code)
            return code;
    }
    return 0;
}

/* States and plans lie in it. A folder that was there before us is taken only where nobody else's, and then
 * closed to others. */
static int make_private(const char *folder, struct error *err)
{
    struct stat info;
    if (stat(folder, &info) < 0)
        return error_set_errno(err, errno, "cannot look at %s", folder);
    if (info.st_uid != geteuid() && geteuid() != 0) {
        (void)error_set(err, ERR_CONFLICT, "%s belongs to another user, who could change what is deployed",
                        folder);
        error_set_hint(err, "Deploy as that user, or name a folder of yours in state.path");
        return ERR_CONFLICT;
    }
    if ((info.st_mode & 077) && chmod(folder, info.st_mode & 07700) < 0)
        return error_set_errno(err, errno, "cannot close %s to others", folder);
    return 0;
}

static bool is_uuid(struct str text)
{
    if (text.len != CRYPTO_UUID_SIZE - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (text.ptr[i] == '-') || (!dash && !strchr("0123456789abcdef", text.ptr[i])))
            return false;
    }
    return true;
}

static int write_id(const struct workspace *workspace, const char *id, struct arena *arena, struct error *err)
{
    const char *line = arena_printf(arena, "%s\n", id);
    return file_replace(arena_printf(arena, "%s/id", workspace->folder), str_from(line), 0600, err);
}

static int read_id(struct workspace *workspace, struct arena *arena, struct error *err)
{
    const char *path = arena_printf(arena, "%s/id", workspace->folder);
    struct buf bytes = BUF_INIT(ID_MAX_BYTES);
    int code = 0;
    if (access(path, F_OK) == 0) {
        code = file_read(path, &bytes, err);
        struct str text = str_trim(buf_str(&bytes));
        if (!code && !is_uuid(text))
            code = error_set(err, ERR_CORRUPT,
                             "%s holds no UUID; resources of this deployment carry theirs as the tag "
                             "fraiseql-deployment-id: write it there",
                             path);
        if (!code)
            workspace->id = arena_strdup(arena, text);
    } else {
        char id[CRYPTO_UUID_SIZE];
        crypto_uuid7(clock_wall_ns(), id);
        workspace->id = arena_strdup(arena, str_from(id));
        workspace->new_id = true;
        code = write_id(workspace, id, arena, err);
    }
    buf_deinit(&bytes);
    return code;
}

int workspace_open(const struct deployment *deployment, bool exclusive, struct arena *arena,
                   struct workspace *ret, struct error *err)
{
    *ret = (struct workspace){.lock_fd = -1};
    const char *folder =
        arena_printf(arena, "%s/%s", base_folder(deployment, arena), deployment->metadata.name);
    int code = file_make_folder(folder, 0700, err);
    if (code)
        return code;
    char *absolute = realpath(folder, NULL);
    if (!absolute)
        return error_set_errno(err, errno, "cannot find %s", folder);
    ret->folder = arena_strdup(arena, str_from(absolute));
    free(absolute);
    ret->regions = arena_printf(arena, "%s/regions", ret->folder);
    ret->render = arena_printf(arena, "%s/render", ret->folder);
    ret->plans = arena_printf(arena, "%s/plans", ret->folder);
    ret->logs = arena_printf(arena, "%s/logs", ret->folder);
    ret->journal = arena_printf(arena, "%s/journal.jsonl", ret->folder);
    code = make_private(ret->folder, err);
    if (!code)
        code = make_folders(ret, err);
    if (!code && exclusive) {
        code = file_lock(arena_printf(arena, "%s/lock", ret->folder), &ret->lock_fd, err);
        if (code == ERR_CONFLICT) {
            (void)error_prefix(err, "another run is at work on \"%s\"", deployment->metadata.name);
            error_set_hint(err,
                           "Wait until it ends; `fraiseql deploy status %s` shows how far it is. SIGINT, or "
                           "Ctrl-C where it runs, lets it finish what is in flight and end",
                           deployment->path);
        }
    }
    if (!code && exclusive)
        workspace_clear_plans(ret, arena);
    return code ? code : read_id(ret, arena, err);
}

int workspace_set_id(struct workspace *workspace, const char *id, struct arena *arena, struct error *err)
{
    if (!is_uuid(str_from(id)))
        return error_set(err, ERR_CORRUPT, "the state holds the deployment id \"%s\", which is no UUID", id);
    workspace->id = arena_strdup(arena, str_from(id));
    workspace->new_id = false;
    return write_id(workspace, id, arena, err);
}

void workspace_clear_plans(const struct workspace *workspace, struct arena *arena)
{
    static const char suffix[] = ".tfplan";
    DIR *listing = opendir(workspace->plans);
    if (!listing)
        return;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        size_t length = strlen(entry->d_name);
        if (length >= sizeof suffix && strcmp(entry->d_name + length - (sizeof suffix - 1), suffix) == 0)
            (void)unlink(arena_printf(arena, "%s/%s", workspace->plans, entry->d_name));
    }
    (void)closedir(listing);
}

void workspace_close(struct workspace *workspace)
{
    if (workspace->lock_fd >= 0)
        (void)close(workspace->lock_fd);
    workspace->lock_fd = -1;
}
