#include "relay/relay.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int relay_control(const char *path, int count, char **words)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char request[256], reply[16384];
    size_t used = 0, length = 0;
    for (int i = 0; i < count && used < sizeof request; i++)
        used += (size_t)snprintf(request + used, sizeof request - used, "%s%s", i ? " " : "", words[i]);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || used >= sizeof request || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        send(fd, request, used, MSG_NOSIGNAL) != (ssize_t)used) {
        (void)fprintf(stderr, "no relay answers at %s\n", path);
        return 1;
    }
    for (ssize_t got;
         length + 1 < sizeof reply && (got = read(fd, reply + length, sizeof reply - 1 - length)) > 0;)
        length += (size_t)got;
    reply[length] = '\0';
    (void)close(fd);
    bool failed = strncmp(reply, "error", 5) == 0 || !length;
    (void)fputs(length ? reply : "no answer\n", failed ? stderr : stdout);
    return failed;
}
