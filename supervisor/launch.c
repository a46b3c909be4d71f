#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUPS_MAX      64
#define ENVIRONMENT_MAX 256
#define OPEN_FILES      65536

static const struct {
    const char *name;
    int number;
} capability_table[] = {
    {"NET_BIND_SERVICE", CAP_NET_BIND_SERVICE}, {"NET_ADMIN", CAP_NET_ADMIN}, {"NET_RAW", CAP_NET_RAW},
    {"SYS_RESOURCE", CAP_SYS_RESOURCE},         {"SYS_NICE", CAP_SYS_NICE},   {"IPC_LOCK", CAP_IPC_LOCK}};

/* --- who runs it
 * ----------------------------------------------------------------------------------------- */

struct identity {
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS_MAX];
    size_t group_count;
};

/* The files themselves, not the C library's switch: a static program has none, and our users are local. */
static bool find_user(const char *name, struct identity *ret)
{
    FILE *file = fopen("/etc/passwd", "re");
    struct passwd *entry;
    bool found = false;
    while (file && !found && (entry = fgetpwent(file))) {
        if (strcmp(entry->pw_name, name) != 0)
            continue;
        *ret = (struct identity){
            .uid = entry->pw_uid, .gid = entry->pw_gid, .groups = {entry->pw_gid}, .group_count = 1};
        found = true;
    }
    if (file)
        (void)fclose(file);
    return found;
}

static void find_groups(const char *name, struct identity *identity)
{
    FILE *file = fopen("/etc/group", "re");
    struct group *entry;
    while (file && (entry = fgetgrent(file))) {
        for (char **member = entry->gr_mem; *member; member++) {
            if (strcmp(*member, name) == 0 && identity->group_count < GROUPS_MAX)
                identity->groups[identity->group_count++] = entry->gr_gid;
        }
    }
    if (file)
        (void)fclose(file);
}

static uint64_t capability_mask(const struct description *description)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < description->capability_count; i++) {
        for (size_t j = 0; j < sizeof capability_table / sizeof *capability_table; j++) {
            if (strcmp(capability_table[j].name, description->capabilities[i]) == 0)
                mask |= UINT64_C(1) << capability_table[j].number;
        }
    }
    return mask;
}

static bool keep_capabilities(uint64_t mask)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        uint32_t half = (uint32_t)(mask >> (32 * i));
        data[i] = (struct __user_cap_data_struct){half, half, half};
    }
    if (syscall(SYS_capset, &header, data) < 0)
        return false;
    for (int i = 0; i < 64; i++) {
        if (mask >> i & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
            return false;
    }
    return true;
}

static bool become(const struct identity *identity, uint64_t capabilities)
{
    if (identity->uid == 0)
        return true;
    if (capabilities && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return false;
    return setgroups(identity->group_count, identity->groups) == 0 && setgid(identity->gid) == 0 &&
           setuid(identity->uid) == 0 && (!capabilities || keep_capabilities(capabilities));
}

/* --- its environment
 * ------------------------------------------------------------------------------------- */

static bool add_variables(char *bytes, char **environment, size_t *count)
{
    char *rest = NULL;
    for (char *line = strtok_r(bytes, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (*line == '#' || !strchr(line, '='))
            continue;
        if (*count + 1 >= ENVIRONMENT_MAX)
            return false;
        environment[(*count)++] = line;
    }
    return true;
}

static bool load_environment(const char *path, char **environment, size_t *count)
{
    static char bytes[256 * 1024];
    size_t length = 0;
    ssize_t got;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (!path)
        return true;
    if (fd < 0)
        return false;
    while (length + 1 < sizeof bytes && (got = read(fd, bytes + length, sizeof bytes - 1 - length)) > 0)
        length += (size_t)got;
    (void)close(fd);
    bytes[length] = '\0';
    return add_variables(bytes, environment, count);
}

/* --- the child
 * ------------------------------------------------------------------------------------------- */

static bool write_pid_file(const struct description *description, const char *path)
{
    char text[128], temporary[PATH_MAX];
    int length = snprintf(text, sizeof text, "%d %llu %d %d\n", (int)getpid(),
                          (unsigned long long)process_start_time(getpid()), description->stop_signal,
                          description->stop_timeout_s);
    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool whole = fd >= 0 && write(fd, text, (size_t)length) == length;
    if (fd >= 0)
        (void)close(fd);
    return whole && rename(temporary, path) == 0;
}

static bool open_outputs(const char *log)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(log ? log : "/dev/null", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    return in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2;
}

static void clear_signals(void)
{
    sigset_t none;
    for (int number = 1; number < 32; number++)
        (void)signal(number, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What went wrong, as a short text through the pipe; the errno follows it. */
static void __attribute__((noreturn)) give_up(int report, const char *what)
{
    char text[256];
    int length = snprintf(text, sizeof text, "%s: errno %d", what, errno);
    ssize_t written = write(report, text, (size_t)length);
    (void)written;
    _exit(127);
}

static void __attribute__((noreturn))
be_child(const struct description *description, const struct identity *identity, const char *pid_file,
         int report)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                home[] = "HOME=/", language[] = "LANG=C.UTF-8";
    char *environment[ENVIRONMENT_MAX + 1] = {path, home, language};
    size_t count = 3;
    struct rlimit files = {OPEN_FILES, OPEN_FILES};
    uint64_t capabilities = capability_mask(description);
    (void)setsid();
    clear_signals();
    (void)umask(022);
    (void)setrlimit(RLIMIT_NOFILE, &files);
    if (!load_environment(description->environment_file, environment, &count))
        give_up(report, "its environment file cannot be read");
    if (!open_outputs(description->log))
        give_up(report, "its log cannot be opened");
    if (!write_pid_file(description, pid_file))
        give_up(report, "its pid file cannot be written");
    if (chdir("/") < 0 || !become(identity, capabilities))
        give_up(report, "its user cannot be taken on");
    (void)execve(description->arguments[0], (char *const *)(uintptr_t)description->arguments, environment);
    give_up(report, description->arguments[0]);
}

pid_t launch(const struct description *description, const char *pid_file, const char **ret_why)
{
    static char why[256];
    struct identity identity;
    int ends[2];
    *ret_why = why;
    if (!find_user(description->user, &identity)) {
        (void)snprintf(why, sizeof why, "there is no user %s", description->user);
        return -1;
    }
    find_groups(description->user, &identity);
    if (pipe2(ends, O_CLOEXEC) < 0) {
        (void)snprintf(why, sizeof why, "no pipe: errno %d", errno);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        /* The report's end is 3, all above is not ours to give. */
        int report = dup2(ends[1], 3);
        (void)fcntl(report, F_SETFD, FD_CLOEXEC);
        (void)syscall(SYS_close_range, 4U, ~0U, 0U);
        be_child(description, &identity, pid_file, report);
    }
    (void)close(ends[1]);
    ssize_t said = pid > 0 ? read(ends[0], why, sizeof why - 1) : 0;
    (void)close(ends[0]);
    if (pid < 0) {
        (void)snprintf(why, sizeof why, "no process: errno %d", errno);
        return -1;
    }
    if (said <= 0)
        return pid;
    why[said] = '\0';
    (void)waitpid(pid, NULL, 0);
    (void)unlink(pid_file);
    return -1;
}

/* --- processes of others
 * --------------------------------------------------------------------------------- */

uint64_t process_start_time(pid_t pid)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    /* The name may hold anything: fields are counted after its last parenthesis (proc(5): state is the 3rd,
     * the start time the 22nd). */
    char *at = strrchr(text, ')');
    if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
        return 0;
    char *rest = NULL, *field = strtok_r(at + 2, " ", &rest);
    for (int number = 3; field && number < 22; number++)
        field = strtok_r(NULL, " ", &rest);
    return field ? strtoull(field, NULL, 10) : 0;
}

pid_t pid_file_read(const char *path, int *ret_stop_signal, int *ret_stop_timeout_s)
{
    char text[128], *at = text;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    long pid = strtol(at, &at, 10);
    unsigned long long start = strtoull(at, &at, 10);
    long signal_number = strtol(at, &at, 10), timeout = strtol(at, &at, 10);
    if (pid <= 1 || !start || process_start_time((pid_t)pid) != start)
        return 0;
    if (ret_stop_signal)
        *ret_stop_signal = signal_number > 0 && signal_number < 32 ? (int)signal_number : SIGTERM;
    if (ret_stop_timeout_s)
        *ret_stop_timeout_s = timeout >= 0 && timeout < 86400 ? (int)timeout : 30;
    return (pid_t)pid;
}
