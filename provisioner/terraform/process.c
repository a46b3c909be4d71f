#include "provisioner/terraform/process.h"

#include "lib/core/arena.h"
#include "lib/core/env.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPTURES_MAX 64U /* as many as regions at a time */

extern char **environ;

static bool can_run(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

const char *process_find(const char *program, char path[PROCESS_PATH_MAX])
{
    if (strchr(program, '/')) {
        (void)snprintf(path, PROCESS_PATH_MAX, "%s", program);
        return can_run(path) ? path : NULL;
    }
    const char *list = env_get("PATH");
    while (list && *list) {
        size_t length = strcspn(list, ":");
        (void)snprintf(path, PROCESS_PATH_MAX, "%.*s/%s", (int)length, list, program);
        if (length && can_run(path))
            return path;
        list += length + (list[length] == ':');
    }
    return NULL;
}

static bool is_set_by(const char *entry, const char *const *variables)
{
    size_t length = strcspn(entry, "=") + 1;
    for (size_t i = 0; variables && variables[i]; i++) {
        if (strncmp(entry, variables[i], length) == 0)
            return true;
    }
    return false;
}

/* malloc'd; the texts stay where they are. */
static char **merge_environment(const char *const *variables)
{
    size_t count = 0, extra = 0;
    while (environ[count])
        count++;
    while (variables && variables[extra])
        extra++;
    char **merged = xcalloc(count + extra + 1, sizeof *merged);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_set_by(environ[i], variables))
            merged[at++] = environ[i];
    }
    for (size_t i = 0; i < extra; i++)
        merged[at++] = (char *)(uintptr_t)variables[i];
    return merged;
}

static int spawn(const struct process_request *request, const char *path, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, request->output, STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, request->errors >= 0 ? request->errors : request->output,
                                           STDERR_FILENO);
    (void)posix_spawnattr_setflags(&attributes,
                                   POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    char **environment = merge_environment(request->variables);
    int failure = posix_spawn(ret_pid, path, &actions, &attributes, (char *const *)(uintptr_t)request->argv,
                              environment);
    free(environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return failure;
}

int process_start(const struct process_request *request, struct process *ret, struct error *err)
{
    char path[PROCESS_PATH_MAX];
    if (!process_find(request->argv[0], path))
        return error_set(err, -ENOENT, "there is no program \"%s\" on the PATH", request->argv[0]);
    int failure = spawn(request, path, &ret->pid);
    if (failure)
        return error_set_errno(err, failure, "cannot start %s", path);
    ret->pidfd = pidfd_open(ret->pid, 0);
    return 0;
}

bool process_wait(struct process *process, int timeout_ms, int *ret_status)
{
    struct pollfd end = {.fd = process->pidfd, .events = POLLIN};
    /* Without a pidfd (an old kernel) this is a sleep. */
    int ready = poll(&end, 1, process->pidfd >= 0 ? timeout_ms : (timeout_ms < 0 ? 50 : timeout_ms));
    (void)ready;
    int status;
    pid_t pid = waitpid(process->pid, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return false;
    if (process->pidfd >= 0)
        (void)close(process->pidfd);
    process->pidfd = -1;
    if (pid < 0)
        *ret_status = 127;
    else
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* False at the end of the stream. */
static bool take_some(int fd, struct buf *into)
{
    char bytes[16384];
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR)
        return true;
    if (got <= 0)
        return false;
    if (into)
        buf_append(into, bytes, (size_t)got);
    return true;
}

static void drain(int output, int errors, struct buf *output_buf, struct buf *errors_buf)
{
    struct pollfd ends[2] = {{.fd = output, .events = POLLIN}, {.fd = errors, .events = POLLIN}};
    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        if (poll(ends, 2, -1) < 0)
            continue;
        if (ends[0].revents && !take_some(ends[0].fd, output_buf))
            ends[0].fd = -1;
        if (ends[1].revents && !take_some(ends[1].fd, errors_buf))
            ends[1].fd = -1;
    }
}

/* --- captures in flight, so that they can be interrupted
 * ---------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pid_t pids[CAPTURES_MAX]; /* 0: free */
} captures = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Puts `now` where `before` is; more than there is room for cannot be interrupted. */
static void note_capture(pid_t before, pid_t now)
{
    (void)pthread_mutex_lock(&captures.lock);
    for (size_t i = 0; i < CAPTURES_MAX; i++) {
        if (captures.pids[i] == before) {
            captures.pids[i] = now;
            break;
        }
    }
    (void)pthread_mutex_unlock(&captures.lock);
}

void process_interrupt_captures(void)
{
    (void)pthread_mutex_lock(&captures.lock);
    for (size_t i = 0; i < CAPTURES_MAX; i++) {
        if (captures.pids[i])
            (void)kill(captures.pids[i], SIGINT);
    }
    (void)pthread_mutex_unlock(&captures.lock);
}

int process_capture(const char *const *argv, const char *const *variables, struct buf *output,
                    struct buf *errors, int *ret_status, struct error *err)
{
    int out_pipe[2], err_pipe[2];
    if (pipe2(out_pipe, O_CLOEXEC) < 0)
        return error_set_errno(err, errno, "cannot make a pipe");
    CLEANUP(close_fd) int out_read = out_pipe[0];
    CLEANUP(close_fd) int out_write = out_pipe[1];
    if (pipe2(err_pipe, O_CLOEXEC) < 0)
        return error_set_errno(err, errno, "cannot make a pipe");
    CLEANUP(close_fd) int err_read = err_pipe[0];
    CLEANUP(close_fd) int err_write = err_pipe[1];
    struct process_request request = {argv, variables, out_write, err_write};
    struct process process;
    int code = process_start(&request, &process, err);
    if (code)
        return code;
    close_fd(&out_write);
    close_fd(&err_write);
    pid_t pid = process.pid;
    note_capture(0, pid);
    drain(out_read, err_read, output, errors);
    /* Not after it was reaped: the number may be another's by then. */
    note_capture(pid, 0);
    while (!process_wait(&process, -1, ret_status)) {
    }
    return 0;
}
