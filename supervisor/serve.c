#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_WAIT_MS 1000

/* --- logs
 * ------------------------------------------------------------------------------------------------ */

static bool copy_bytes(int from, int to)
{
    char bytes[65536];
    ssize_t got;
    while ((got = read(from, bytes, sizeof bytes)) > 0) {
        if (write(to, bytes, (size_t)got) != got)
            return false;
    }
    return got == 0;
}

/* The process has the file open for appending: it is copied and emptied, not renamed. Lines written between
 * the two are lost. */
static void rotate(const char *log)
{
    char older[PATH_MAX];
    struct stat info;
    if (!log || stat(log, &info) < 0 || info.st_size < LOG_MAX_BYTES)
        return;
    (void)snprintf(older, sizeof older, "%s.1", log);
    int from = open(log, O_RDONLY | O_CLOEXEC);
    int to = open(older, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    /* On a full disk the bound counts for more than the old lines. */
    if (from >= 0 && to >= 0 && !copy_bytes(from, to))
        (void)unlink(older);
    if (truncate(log, 0) < 0)
        (void)fprintf(stderr, "%s cannot be emptied: errno %d\n", log, errno);
    if (from >= 0)
        (void)close(from);
    if (to >= 0)
        (void)close(to);
}

void rotate_logs(struct supervisor *supervisor)
{
    supervisor->rotated_ms = now_ms();
    for (size_t i = 0; i < supervisor->count; i++)
        rotate(supervisor->list[i]->description.log);
}

/* --- answers
 * --------------------------------------------------------------------------------------------- */

struct reply {
    char text[REPLY_MAX];
    size_t length;
};

static void put(struct reply *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct reply *reply, const char *format, ...)
{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int wrote = vsnprintf(reply->text + reply->length, sizeof reply->text - reply->length, format, arguments);
    __builtin_va_end(arguments);
    if (wrote > 0 && (size_t)wrote < sizeof reply->text - reply->length)
        reply->length += (size_t)wrote;
}

/* Names need no escapes: name_is_sound(). */
static void put_status(const struct supervisor *supervisor, struct reply *reply)
{
    put(reply, "[");
    for (size_t i = 0; i < supervisor->count; i++) {
        const struct kept *kept = supervisor->list[i];
        int64_t up = kept->pid ? (now_ms() - kept->started_ms) / 1000 : 0;
        put(reply, "%s{\"name\":\"%s\",\"state\":\"%s\",\"pid\":%d,\"restarts\":%llu,\"up_s\":%lld}",
            i ? "," : "", kept->name, kept_state_name(kept->state), (int)kept->pid,
            (unsigned long long)kept->restarts, (long long)up);
    }
    put(reply, "]\n");
}

static void put_one(const struct kept *kept, struct reply *reply)
{
    put(reply, "ok %s %d %llu\n", kept ? kept_state_name(kept->state) : "unknown", kept ? (int)kept->pid : 0,
        kept ? (unsigned long long)kept->generation : 0);
}

/* --- requests
 * -------------------------------------------------------------------------------------------- */

static void start_or_restart(struct supervisor *supervisor, const char *name, bool restart,
                             struct reply *reply)
{
    const char *why;
    struct kept *kept = keep_load(supervisor, name, &why);
    if (!kept) {
        put(reply, "error %s: %s\n", name, why);
        return;
    }
    keep_mark(supervisor, kept, false);
    kept->wanted = true;
    kept->forget = false;
    kept->at_once = true;
    kept->backoff_ms = BACKOFF_FIRST_MS;
    /* The answer has the generation before: the client waits for a later one. */
    put_one(kept, reply);
    if (kept->pid && (restart || kept->state == KEPT_STOPPING)) {
        keep_stop(supervisor, kept);
    } else if (!kept->pid) {
        kept->state = KEPT_WAITING;
        kept->next_ms = now_ms();
    }
}

static void stop(struct supervisor *supervisor, const char *name, bool forget, struct reply *reply)
{
    struct kept *kept = keep_find(supervisor, name);
    if (!kept) {
        put_one(NULL, reply);
        return;
    }
    kept->wanted = false;
    kept->forget = forget;
    keep_mark(supervisor, kept, true);
    keep_stop(supervisor, kept);
    put_one(kept, reply);
    if (forget && !kept->pid)
        keep_drop(supervisor, kept);
}

static void end_all(struct supervisor *supervisor)
{
    supervisor->ending = true;
    for (size_t i = 0; i < supervisor->count; i++) {
        supervisor->list[i]->wanted = false;
        keep_stop(supervisor, supervisor->list[i]);
    }
}

static void serve(struct supervisor *supervisor, const char *command, const char *name, struct reply *reply)
{
    if (strcmp(command, "ping") == 0)
        put(reply, "ok\n");
    else if (strcmp(command, "status") == 0)
        put_status(supervisor, reply);
    else if (strcmp(command, "retire") == 0)
        supervisor->retiring = true;
    else if (strcmp(command, "end") == 0)
        end_all(supervisor);
    else if (!name_is_sound(name))
        put(reply, "error this command wants the name of a process\n");
    else if (strcmp(command, "up") == 0)
        put_one(keep_find(supervisor, name), reply);
    else if (strcmp(command, "start") == 0)
        start_or_restart(supervisor, name, false, reply);
    else if (strcmp(command, "restart") == 0)
        start_or_restart(supervisor, name, true, reply);
    else if (strcmp(command, "stop") == 0 || strcmp(command, "forget") == 0)
        stop(supervisor, name, command[0] == 'f', reply);
    else
        put(reply, "error there is no command %s\n", command);
}

/* "COMMAND NAME\n" or "COMMAND\n"; only root can connect. */
void serve_connection(struct supervisor *supervisor, int fd)
{
    static struct reply reply;
    char request[256];
    struct pollfd input = {.fd = fd, .events = POLLIN};
    size_t length = 0;
    while (length < sizeof request - 1 && !memchr(request, '\n', length)) {
        ssize_t got = poll(&input, 1, REQUEST_WAIT_MS) > 0
                          ? read(fd, request + length, sizeof request - 1 - length)
                          : 0;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    request[length] = '\0';
    request[strcspn(request, "\n")] = '\0';
    char *space = strchr(request, ' ');
    if (space)
        *space++ = '\0';
    reply.length = 0;
    reply.text[0] = '\0';
    serve(supervisor, request, space ? space : "", &reply);
    ssize_t sent = send(fd, reply.text, reply.length, MSG_NOSIGNAL);
    (void)sent;
    (void)close(fd);
}
