#include "supervisor/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS  600000
#define PAUSE_MS 20

static void pause_for(long ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&wait, NULL);
}

/* False: no supervisor answers. */
static bool ask(const char *run, const char *command, const char *name, char *reply, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char request[256];
    size_t length = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/supervisor.sock", run);
    int wanted = snprintf(request, sizeof request, "%s%s%s\n", command, name ? " " : "", name ? name : "");
    reply[0] = '\0';
    if (fd < 0 || wanted >= (int)sizeof request ||
        connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        send(fd, request, (size_t)wanted, MSG_NOSIGNAL) != wanted) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    for (ssize_t got; length + 1 < size && (got = read(fd, reply + length, size - 1 - length)) > 0;)
        length += (size_t)got;
    reply[length] = '\0';
    (void)close(fd);
    return true;
}

struct answer {
    char state[32];
    unsigned long long generation;
};

static bool parse(const char *reply, struct answer *ret)
{
    /* "ok STATE PID GENERATION" */
    *ret = (struct answer){.generation = 0};
    if (strncmp(reply, "ok ", 3) != 0)
        return false;
    size_t length = strcspn(reply + 3, " \n");
    (void)snprintf(ret->state, sizeof ret->state, "%.*s", (int)length, reply + 3);
    const char *at = strchr(reply + 3 + length, ' ');
    at = at ? strchr(at + 1, ' ') : NULL;
    ret->generation = at ? strtoull(at, NULL, 10) : 0;
    return true;
}

static bool is(const char *reply, const char *state)
{
    struct answer answer;
    return parse(reply, &answer) && strcmp(answer.state, state) == 0;
}

/* Until a start after `before` runs. A program that ends at once is started again and again: whoever waits
 * for it to be ready finds that out. */
static int wait_started(const char *run, const char *name, unsigned long long before)
{
    char reply[REPLY_MAX];
    struct answer answer;
    for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; pause_for(PAUSE_MS)) {
        if (ask(run, "up", name, reply, sizeof reply) && parse(reply, &answer) && answer.generation > before)
            return 0;
    }
    return 1;
}

static int wait_gone(const char *run, const char *name)
{
    char reply[REPLY_MAX];
    for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; pause_for(PAUSE_MS)) {
        if (!ask(run, "up", name, reply, sizeof reply) || is(reply, "stopped") || is(reply, "unknown"))
            return 0;
    }
    return 1;
}

/* Without a supervisor its processes may live on. */
static int stop_alone(const char *run, const char *name)
{
    char path[PATH_MAX];
    int stop_signal = SIGTERM, timeout_s = 30;
    (void)snprintf(path, sizeof path, "%s/%s.pid", run, name);
    pid_t pid = pid_file_read(path, &stop_signal, &timeout_s);
    if (pid) {
        (void)kill(pid, stop_signal);
        int64_t end = now_ms() + (int64_t)timeout_s * 1000;
        while (pid_file_read(path, NULL, NULL) == pid && now_ms() < end)
            pause_for(PAUSE_MS);
        (void)kill(-pid, SIGKILL);
        while (pid_file_read(path, NULL, NULL) == pid)
            pause_for(PAUSE_MS);
    }
    (void)unlink(path);
    return 0;
}

static int wait_end(const char *run)
{
    char reply[REPLY_MAX];
    for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; pause_for(PAUSE_MS)) {
        if (!ask(run, "ping", NULL, reply, sizeof reply))
            return 0;
    }
    return 1;
}

static int of_process(const char *run, const char *command, const char *name, const char *reply)
{
    struct answer answer;
    if (strcmp(command, "up") == 0)
        return is(reply, "running") ? 0 : 1;
    if (!parse(reply, &answer)) {
        (void)fprintf(stderr, "%s", reply[0] ? reply : "no answer\n");
        return 1;
    }
    if (strcmp(command, "stop") == 0 || strcmp(command, "forget") == 0)
        return wait_gone(run, name);
    if (strcmp(command, "start") == 0 && strcmp(answer.state, "running") == 0)
        return 0;
    return wait_started(run, name, answer.generation);
}

int control(const char *run, const char *command, const char *name)
{
    static char reply[REPLY_MAX];
    bool stops = strcmp(command, "stop") == 0 || strcmp(command, "forget") == 0;
    if (name && !name_is_sound(name)) {
        (void)fprintf(stderr, "\"%s\" cannot be the name of a process\n", name);
        return 64;
    }
    if (!ask(run, command, name, reply, sizeof reply)) {
        if (stops && name)
            return stop_alone(run, name);
        if (strcmp(command, "up") != 0 && strcmp(command, "ping") != 0)
            (void)fprintf(stderr, "no supervisor answers in %s\n", run);
        return 1;
    }
    if (name)
        return of_process(run, command, name, reply);
    if (strcmp(command, "end") == 0 || strcmp(command, "retire") == 0)
        return wait_end(run);
    (void)fputs(reply, strcmp(command, "ping") == 0 ? stderr : stdout);
    return strncmp(reply, "error", 5) == 0;
}

int control_signal(const char *run, const char *name, const char *signal_name)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"HUP", SIGHUP}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
                   {"INT", SIGINT}, {"TERM", SIGTERM}, {"QUIT", SIGQUIT}};
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s.pid", run, name);
    pid_t pid = name_is_sound(name) ? pid_file_read(path, NULL, NULL) : 0;
    if (!pid) {
        (void)fprintf(stderr, "%s does not run\n", name);
        return 1;
    }
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (strcmp(signals[i].name, signal_name) == 0)
            return kill(pid, signals[i].number) == 0 ? 0 : 1;
    }
    (void)fprintf(stderr, "%s is no signal that is sent\n", signal_name);
    return 64;
}
