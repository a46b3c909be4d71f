#include "supervisor/supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROTATE_MS 5000

int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say(const char *name, const char *what, long number)
{
    struct timespec now;
    struct tm utc;
    char stamp[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    (void)fprintf(stderr, "%s %s: %s %ld\n", stamp, name, what, number);
}

static void path_of(const char *folder, const char *name, const char *suffix, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s%s", folder, name, suffix);
}

struct kept *keep_find(struct supervisor *supervisor, const char *name)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        if (strcmp(supervisor->list[i]->name, name) == 0)
            return supervisor->list[i];
    }
    return NULL;
}

void keep_drop(struct supervisor *supervisor, struct kept *kept)
{
    char path[PATH_MAX];
    path_of(supervisor->run, kept->name, ".pid", path);
    (void)unlink(path);
    path_of(supervisor->run, kept->name, ".stopped", path);
    (void)unlink(path);
    for (size_t i = 0; i < supervisor->count; i++) {
        if (supervisor->list[i] != kept)
            continue;
        supervisor->list[i] = supervisor->list[--supervisor->count];
        break;
    }
    if (kept->pidfd >= 0)
        (void)close(kept->pidfd);
    description_free(&kept->description);
    free(kept);
}

struct kept *keep_load(struct supervisor *supervisor, const char *name, const char **ret_why)
{
    struct description description;
    char path[PATH_MAX];
    struct kept *kept = keep_find(supervisor, name);
    *ret_why = "there are too many processes";
    if (!kept && supervisor->count == PROCESSES_MAX)
        return NULL;
    path_of(supervisor->processes, name, ".process", path);
    if (!description_load(path, &description, ret_why))
        return NULL;
    if (!kept) {
        kept = calloc(1, sizeof *kept);
        if (!kept) {
            description_free(&description);
            return NULL;
        }
        (void)snprintf(kept->name, sizeof kept->name, "%s", name);
        kept->pidfd = -1;
        kept->last_status = -1;
        kept->backoff_ms = BACKOFF_FIRST_MS;
        supervisor->list[supervisor->count++] = kept;
    }
    description_free(&kept->description);
    kept->description = description;
    return kept;
}

void keep_mark(struct supervisor *supervisor, const struct kept *kept, bool stopped)
{
    char path[PATH_MAX];
    path_of(supervisor->run, kept->name, ".stopped", path);
    if (!stopped) {
        (void)unlink(path);
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        (void)close(fd);
}

/* --- starting and stopping
 * ------------------------------------------------------------------------------- */

static void watch(struct kept *kept)
{
    if (kept->pidfd >= 0)
        (void)close(kept->pidfd);
    kept->pidfd = pidfd_open(kept->pid, 0);
}

static void start(struct supervisor *supervisor, struct kept *kept)
{
    const char *why;
    char path[PATH_MAX];
    path_of(supervisor->run, kept->name, ".pid", path);
    pid_t pid = launch(&kept->description, path, &why);
    if (pid < 0) {
        say(kept->name, why, (long)kept->restarts);
        kept_failed(kept, now_ms());
        return;
    }
    kept_started(kept, pid, now_ms());
    watch(kept);
    say(kept->name, "started", (long)pid);
}

void keep_stop(struct supervisor *supervisor, struct kept *kept)
{
    (void)supervisor;
    if (!kept->pid) {
        kept->state = kept->wanted ? kept->state : KEPT_STOPPED;
        return;
    }
    if (kept->state != KEPT_STOPPING)
        (void)kill(kept->pid, kept->description.stop_signal);
    kept->state = KEPT_STOPPING;
    kept->kill_ms = now_ms() + (int64_t)kept->description.stop_timeout_s * 1000;
}

/* What is left of its session goes with it, so that the next start meets nobody. */
static void ended(struct supervisor *supervisor, struct kept *kept, int status)
{
    (void)kill(-kept->pid, SIGKILL);
    say(kept->name, "ended with status",
        status < 0          ? -1
        : WIFEXITED(status) ? WEXITSTATUS(status)
                            : 128 + WTERMSIG(status));
    if (kept->pidfd >= 0)
        (void)close(kept->pidfd);
    kept->pidfd = -1;
    kept_ended(kept, status, now_ms());
    char path[PATH_MAX];
    path_of(supervisor->run, kept->name, ".pid", path);
    (void)unlink(path);
    if (kept->forget)
        keep_drop(supervisor, kept);
}

void keep_step(struct supervisor *supervisor)
{
    int64_t now = now_ms();
    for (size_t i = 0; i < supervisor->count; i++) {
        struct kept *kept = supervisor->list[i];
        if (kept->state == KEPT_WAITING && kept->wanted && kept->next_ms <= now)
            start(supervisor, kept);
        else if (kept->pid && kept->kill_ms && kept->kill_ms <= now) {
            say(kept->name, "did not stop in time and is killed", (long)kept->pid);
            (void)kill(-kept->pid, SIGKILL);
            (void)kill(kept->pid, SIGKILL);
            kept->kill_ms = now + 1000;
        }
    }
}

/* --- finding what runs
 * ----------------------------------------------------------------------------------- */

static void adopt(struct supervisor *supervisor, struct kept *kept)
{
    char path[PATH_MAX];
    path_of(supervisor->run, kept->name, ".stopped", path);
    kept->wanted = access(path, F_OK) != 0;
    path_of(supervisor->run, kept->name, ".pid", path);
    pid_t pid = pid_file_read(path, NULL, NULL);
    if (pid) {
        kept_started(kept, pid, now_ms());
        watch(kept);
        say(kept->name, "adopted", (long)pid);
        if (!kept->wanted)
            keep_stop(supervisor, kept);
    } else {
        kept->state = kept->wanted ? KEPT_WAITING : KEPT_STOPPED;
    }
}

void keep_scan(struct supervisor *supervisor)
{
    DIR *folder = opendir(supervisor->processes);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char name[NAME_MAX_BYTES + 1];
        size_t length = strlen(entry->d_name), suffix = strlen(".process");
        const char *why;
        if (length <= suffix || length - suffix > NAME_MAX_BYTES ||
            strcmp(entry->d_name + length - suffix, ".process") != 0)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)(length - suffix), entry->d_name);
        struct kept *kept = name_is_sound(name) ? keep_load(supervisor, name, &why) : NULL;
        if (kept)
            adopt(supervisor, kept);
    }
    if (folder)
        (void)closedir(folder);
}

/* --- the loop
 * -------------------------------------------------------------------------------------------- */

static bool open_listener(struct supervisor *supervisor)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[PATH_MAX];
    path_of(supervisor->run, "supervisor", ".lock", path);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0) {
        (void)fprintf(stderr, "another supervisor is at work in %s\n", supervisor->run);
        return false;
    }
    if (snprintf(address.sun_path, sizeof address.sun_path, "%s/supervisor.sock", supervisor->run) >=
        (int)sizeof address.sun_path)
        return false;
    (void)unlink(address.sun_path);
    supervisor->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t before = umask(077);
    bool bound = bind(supervisor->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                 listen(supervisor->listener, 16) == 0;
    (void)umask(before);
    return bound;
}

static bool open_signals(struct supervisor *supervisor)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return supervisor->signals >= 0;
}

static struct kept *by_pid(struct supervisor *supervisor, pid_t pid)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        if (supervisor->list[i]->pid == pid)
            return supervisor->list[i];
    }
    return NULL;
}

/* Our own children, and those that their children left to us. */
static void reap(struct supervisor *supervisor)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct kept *kept = by_pid(supervisor, pid);
        if (kept)
            ended(supervisor, kept, status);
    }
}

static void take_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            supervisor->retiring = true;
    }
}

static int wait_ms(const struct supervisor *supervisor)
{
    int64_t least = ROTATE_MS, now = now_ms();
    for (size_t i = 0; i < supervisor->count; i++) {
        int64_t wait = kept_wait_ms(supervisor->list[i], now);
        least = wait >= 0 && wait < least ? wait : least;
    }
    return (int)least;
}

static void turn(struct supervisor *supervisor)
{
    struct pollfd ends[PROCESSES_MAX + 2];
    struct kept *of[PROCESSES_MAX + 2] = {NULL};
    nfds_t count = 2;
    ends[0] = (struct pollfd){.fd = supervisor->listener, .events = POLLIN};
    ends[1] = (struct pollfd){.fd = supervisor->signals, .events = POLLIN};
    for (size_t i = 0; i < supervisor->count; i++) {
        if (supervisor->list[i]->pidfd < 0)
            continue;
        of[count] = supervisor->list[i];
        ends[count++] = (struct pollfd){.fd = supervisor->list[i]->pidfd, .events = POLLIN};
    }
    if (poll(ends, count, wait_ms(supervisor)) < 0)
        return;
    take_signals(supervisor);
    reap(supervisor);
    /* Adopted ones are no children of ours: their descriptor alone tells that they ended. */
    for (nfds_t i = 2; i < count; i++) {
        bool still = false;
        for (size_t j = 0; j < supervisor->count; j++)
            still = still || supervisor->list[j] == of[i];
        if (ends[i].revents && still && of[i]->pid && of[i]->pidfd == ends[i].fd)
            ended(supervisor, of[i], -1);
    }
    keep_step(supervisor);
    if (ends[0].revents) {
        int fd = accept4(supervisor->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve_connection(supervisor, fd);
        keep_step(supervisor);
    }
    if (now_ms() - supervisor->rotated_ms >= ROTATE_MS)
        rotate_logs(supervisor);
}

static bool any_runs(const struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        if (supervisor->list[i]->pid)
            return true;
    }
    return false;
}

int supervise(const char *run, const char *processes)
{
    struct supervisor supervisor = {.run = run, .processes = processes, .listener = -1, .signals = -1};
    (void)umask(022);
    if (chdir("/") < 0 || !open_listener(&supervisor) || !open_signals(&supervisor))
        return 1;
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    keep_scan(&supervisor);
    keep_step(&supervisor);
    while (!supervisor.retiring && !(supervisor.ending && !any_runs(&supervisor)))
        turn(&supervisor);
    char path[PATH_MAX];
    path_of(run, "supervisor", ".sock", path);
    (void)unlink(path);
    return 0;
}
