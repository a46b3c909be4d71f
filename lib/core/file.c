#include "lib/core/file.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_TEXT_MAX (HOST_NAME_MAX + 64)

#define READ_STEP 65536U

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

int file_read(const char *path, struct buf *ret_bytes, struct error *err)
{
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    for (;;) {
        size_t room = ret_bytes->max - ret_bytes->len;
        /* One byte more than the maximum tells a file that just fits from one that does not. */
        char over;
        char *target = &over;
        size_t step = 1;
        if (room) {
            step = room < READ_STEP ? room : READ_STEP;
            if (!buf_reserve(ret_bytes, step))
                return error_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, ret_bytes->max);
            target = ret_bytes->data + ret_bytes->len;
        }
        ssize_t got = FAULT("file.read") ? -1 : read(fd, target, step);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            return 0;
        if (!room)
            return error_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, ret_bytes->max);
        ret_bytes->len += (size_t)got;
    }
}

static int write_all(int fd, struct str bytes)
{
    while (bytes.len) {
        int fault = FAULT("file.write");
        if (fault)
            return -fault;
        ssize_t wrote = write(fd, bytes.ptr, bytes.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -errno;
        bytes.ptr += wrote;
        bytes.len -= (size_t)wrote;
    }
    return 0;
}

static int sync_fd(int fd)
{
    int fault = FAULT("file.fsync");
    if (fault)
        return -fault;
    return fsync(fd) == 0 ? 0 : -errno;
}

/* The folder of a path, "." for a bare name. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup((struct str){path, (size_t)(slash - path)});
}

static int sync_folder(const char *path)
{
    char *folder = folder_of(path);
    CLEANUP(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = fd < 0 ? -errno : sync_fd(fd);
    free(folder);
    return code;
}

static int fill_file(int fd, struct str bytes, unsigned mode, bool synced)
{
    if (fchmod(fd, mode) != 0)
        return -errno;
    int code = write_all(fd, bytes);
    return code || !synced ? code : sync_fd(fd);
}

static int rename_file(const char *from, const char *to)
{
    int fault = FAULT("file.rename");
    if (fault)
        return -fault;
    return rename(from, to) == 0 ? 0 : -errno;
}

static int replace(const char *path, struct str bytes, unsigned mode, bool synced, struct error *err)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return error_set_errno(err, ENAMETOOLONG, "cannot write %s", path);
    CLEANUP(close_fd) int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot write %s: cannot create a file beside it", path);
    int code = fill_file(fd, bytes, mode, synced);
    if (!code)
        code = rename_file(temporary, path);
    if (code) {
        (void)unlink(temporary);
        return error_set_errno(err, -code, "cannot write %s", path);
    }
    code = synced ? sync_folder(path) : 0;
    if (code)
        return error_set_errno(err, -code, "cannot sync the folder of %s", path);
    return 0;
}

int file_replace(const char *path, struct str bytes, unsigned mode, struct error *err)
{
    return replace(path, bytes, mode, true, err);
}

int file_replace_unsynced(const char *path, struct str bytes, unsigned mode, struct error *err)
{
    return replace(path, bytes, mode, false, err);
}

/* The next word of a line. */
static struct str take_word(struct str *line)
{
    const char *space = line->len ? memchr(line->ptr, ' ', line->len) : NULL;
    struct str word = {line->ptr, space ? (size_t)(space - line->ptr) : line->len};
    size_t used = word.len + (space != NULL);
    line->ptr += used;
    line->len -= used;
    return word;
}

/* Of who holds it, what he wrote there: "4711 build-1 2026-11-27T10:00:00.000Z". */
static int say_locked(const char *path, int fd, struct error *err)
{
    char text[LOCK_TEXT_MAX] = "";
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    struct str line = str_trim((struct str){text, got > 0 ? (size_t)got : 0});
    struct str number = take_word(&line), host = take_word(&line), since = take_word(&line);
    uint64_t pid;
    if (!str_to_u64(number, &pid))
        return error_set(err, ERR_CONFLICT, "%s is locked by another process", path);
    return error_set(err, ERR_CONFLICT, "%s is locked by process %llu%s%.*s%s%.*s", path,
                     (unsigned long long)pid, host.len ? " on " : "", STR_ARGS(host),
                     since.len ? " since " : "", STR_ARGS(since));
}

/* It is only for the message above; the lock is the kernel's. */
static int sign_lock(int fd)
{
    char text[LOCK_TEXT_MAX], host[HOST_NAME_MAX + 1] = "", now[CLOCK_RFC3339_SIZE];
    if (gethostname(host, sizeof host - 1) != 0 || !host[0] || strpbrk(host, " \n"))
        (void)snprintf(host, sizeof host, "?");
    int length = snprintf(text, sizeof text, "%d %s %s\n", (int)getpid(), host,
                          clock_format_rfc3339(clock_wall_ns(), now));
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)length, 0) == length ? 0 : -1;
}

int file_lock(const char *path, int *ret_fd, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open the lock %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int code = errno == EWOULDBLOCK ? say_locked(path, fd, err)
                                        : error_set_errno(err, errno, "cannot lock %s", path);
        (void)close(fd);
        return code;
    }
    if (sign_lock(fd) != 0) {
        int reason = errno;
        (void)close(fd);
        return error_set_errno(err, reason, "cannot write the lock %s", path);
    }
    *ret_fd = fd;
    return 0;
}

static int make_one(const char *path, unsigned mode)
{
    if (mkdir(path, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    struct stat status;
    if (stat(path, &status) != 0)
        return -errno;
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

int file_make_folder(const char *path, unsigned mode, struct error *err)
{
    char partial[PATH_MAX];
    size_t length = strlen(path);
    if (!length || length >= sizeof partial)
        return error_set_errno(err, length ? ENAMETOOLONG : ENOENT, "cannot create the folder %s", path);
    memcpy(partial, path, length + 1);
    int code = 0;
    for (size_t i = 1; i <= length && !code; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        char kept = partial[i];
        partial[i] = '\0';
        code = make_one(partial, mode);
        partial[i] = kept;
    }
    if (code)
        return error_set_errno(err, -code, "cannot create the folder %s", path);
    return 0;
}
