#include "provisioner/self_hosted/exec.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192
#define POLL_MAX_MS    200

extern char **environ;

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* The input as a file in memory: nobody has to wait for a reader. */
static int make_input(struct str input, int *ret_fd, struct error *err)
{
    CLEANUP(close_fd) int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot make a file in memory");
    for (size_t done = 0; done < input.len;) {
        ssize_t wrote = write(fd, input.ptr + done, input.len - done);
        if (wrote < 0 && errno != EINTR)
            return error_set_errno(err, errno, "cannot write a file in memory");
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_set_errno(err, errno, "cannot rewind a file in memory");
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int spawn(const struct exec_request *request, int input, int output, int errors, pid_t *ret_pid,
                 struct error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    (void)posix_spawnattr_setflags(&attributes,
                                   POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    int failure = posix_spawnp(ret_pid, request->argv[0], &actions, &attributes,
                               (char *const *)(uintptr_t)request->argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return failure ? error_set_errno(err, failure, "cannot start %s", request->argv[0]) : 0;
}

struct lines {
    char text[LINE_MAX_BYTES];
    size_t len;
};

static void end_line(const struct exec_request *request, struct lines *lines)
{
    if (lines->len && request->line)
        request->line(request->ctx, (struct str){lines->text, lines->len});
    lines->len = 0;
}

static void take_lines(const struct exec_request *request, struct lines *lines, const char *bytes,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n')
            end_line(request, lines);
        else if (lines->len < sizeof lines->text && bytes[i] != '\r')
            lines->text[lines->len++] = bytes[i];
    }
}

/* False at the end of the stream. */
static bool take(const struct exec_request *request, int fd, struct lines *lines)
{
    char bytes[16384];
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (got <= 0)
        return false;
    if (lines)
        take_lines(request, lines, bytes, (size_t)got);
    else if (request->out)
        buf_append(request->out, bytes, (size_t)got);
    return true;
}

/* Until the child has ended. What it started in the background may keep the pipes open: after the child only
 * what is there already is read. False at the deadline. */
static bool follow(const struct exec_request *request, pid_t pid, int output, int errors, int *ret_status)
{
    struct lines lines = {.len = 0};
    struct pollfd ends[2] = {{.fd = output, .events = POLLIN}, {.fd = errors, .events = POLLIN}};
    bool ended = false, late = false;
    for (int quiet_ms = 1; !late;) {
        int ready = poll(ends, 2, ended ? 0 : quiet_ms);
        if (ready > 0) {
            for (size_t i = 0; i < 2; i++) {
                if (ends[i].revents && !take(request, ends[i].fd, i ? &lines : NULL))
                    ends[i].fd = -1;
            }
            quiet_ms = 1;
        }
        if (ended && ready <= 0)
            break;
        if (ended && ends[0].fd < 0 && ends[1].fd < 0)
            break;
        if (!ended)
            ended = waitpid(pid, ret_status, WNOHANG) == pid;
        quiet_ms = quiet_ms < POLL_MAX_MS ? quiet_ms * 2 : POLL_MAX_MS;
        /* Without pipes to wait for, only the child's end is left. */
        if (!ended && ends[0].fd < 0 && ends[1].fd < 0)
            quiet_ms = quiet_ms > 5 ? 5 : quiet_ms;
        late = !ended && clock_mono_ns() > request->deadline_mono_ns;
    }
    end_line(request, &lines);
    return !late;
}

int exec_run(const struct exec_request *request, int *ret_status, struct error *err)
{
    int out_pipe[2], err_pipe[2], status = 0;
    pid_t pid = 0;
    CLEANUP(close_fd) int input = -1;
    int code = make_input(request->input, &input, err);
    if (code)
        return code;
    if (pipe2(out_pipe, O_CLOEXEC) < 0)
        return error_set_errno(err, errno, "cannot make a pipe");
    CLEANUP(close_fd) int out_read = out_pipe[0];
    CLEANUP(close_fd) int out_write = out_pipe[1];
    if (pipe2(err_pipe, O_CLOEXEC) < 0)
        return error_set_errno(err, errno, "cannot make a pipe");
    CLEANUP(close_fd) int err_read = err_pipe[0];
    CLEANUP(close_fd) int err_write = err_pipe[1];
    code = spawn(request, input, out_write, err_write, &pid, err);
    if (code)
        return code;
    close_fd(&out_write);
    close_fd(&err_write);
    if (!follow(request, pid, out_read, err_read, &status)) {
        (void)kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        return error_set(err, ERR_TIMEOUT, "it did not end in time and was killed");
    }
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 0;
}
