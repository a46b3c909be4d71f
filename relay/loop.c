#include "relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BATCH      64
#define IDLE_NS    1000000000
#define RETRY_NS   100000000
#define CONFIG_MAX (64 * 1024)
#define CONTROL_MS 1000

static int64_t clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int fail(const char *what)
{
    (void)fprintf(stderr, "%s: errno %d\n", what, errno);
    return 1;
}

/* --- opening
 * --------------------------------------------------------------------------------------------- */

static int open_tun(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        return -1;
    return fd;
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static int open_socket(const char *path, int type)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), size = 4 * 1024 * 1024;
    mode_t before = umask(077);
    (void)unlink(path);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    (void)umask(before);
    if (bound)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return bound && (type != SOCK_STREAM || listen(fd, 8) == 0) ? fd : -1;
}

/* The device is all that takes root: what follows is done as the owner of the sockets' folder. */
static bool drop_root(const struct relay *relay)
{
    char folder[PATH_BYTES];
    struct stat info;
    (void)snprintf(folder, sizeof folder, "%s", relay->data);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return false;
    *slash = '\0';
    if (stat(folder, &info) < 0)
        return false;
    return geteuid() != 0 ||
           (setgroups(0, NULL) == 0 && setgid(info.st_gid) == 0 && setuid(info.st_uid) == 0);
}

static bool open_rings(struct relay *relay)
{
    for (size_t i = 0; i < relay->link_count; i++) {
        void *ring = mmap(NULL, RING_SLOTS * sizeof(struct packet), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (ring == MAP_FAILED)
            return false;
        relay->links[i].ring = ring;
    }
    return true;
}

/* The other relay may not run yet, or run anew with another socket. */
static bool connect_link(struct link *link, int64_t now)
{
    struct sockaddr_un address = address_of(link->socket);
    int size = 4 * 1024 * 1024;
    if (link->fd >= 0)
        return true;
    if (now < link->retry_ns)
        return false;
    link->retry_ns = now + RETRY_NS;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        link->fd = fd;
        return true;
    }
    if (fd >= 0)
        (void)close(fd);
    return false;
}

static void disconnect_link(struct link *link)
{
    (void)close(link->fd);
    link->fd = -1;
    link->retry_ns = 0;
}

/* --- packets
 * --------------------------------------------------------------------------------------------- */

/* One packet from the device into the ring of its link. False: there is none. */
static bool take_packet(struct relay *relay, int64_t now)
{
    unsigned char packet[PACKET_MAX];
    ssize_t got = read(relay->tun_fd, packet + 1, sizeof packet - 1);
    if (got <= 0)
        return false;
    struct link *link = relay_route(relay, packet + 1, (size_t)got);
    if (!link) {
        relay->strays++;
        return true;
    }
    if (link->cut_out)
        return true;
    struct packet *slot = link_slot(link);
    if (!slot) {
        link->dropped++;
        return true;
    }
    packet[0] = relay->number;
    memcpy(slot->bytes, packet, (size_t)got + 1);
    link_push(link, (uint16_t)(got + 1), now);
    return true;
}

/* What is due on a link; *ret_wait_ns is lowered to when more is. */
static void send_due(struct link *link, int64_t now, int64_t *ret_wait_ns)
{
    int64_t wait;
    struct packet *packet;
    link->blocked = false;
    while ((packet = link_due(link, now, &wait))) {
        /* Cut while it was on its way: lost as well. */
        ssize_t sent = -1;
        if (!link->cut_out && connect_link(link, now)) {
            sent = send(link->fd, packet->bytes, packet->length, MSG_NOSIGNAL);
            if (sent < 0 && errno == EAGAIN) {
                link->blocked = true;
                return;
            }
            if (sent < 0)
                disconnect_link(link);
        }
        if (sent >= 0)
            link->sent++;
        else
            link->dropped += !link->cut_out;
        link_pop(link);
    }
    if (wait >= 0 && wait < *ret_wait_ns)
        *ret_wait_ns = wait;
}

/* One packet of another relay to the device. False: there is none. */
static bool give_packet(struct relay *relay)
{
    unsigned char packet[PACKET_MAX];
    ssize_t got = recv(relay->data_fd, packet, sizeof packet, 0);
    if (got <= 0)
        return false;
    for (size_t i = 0; i < relay->link_count; i++) {
        struct link *link = &relay->links[i];
        if (link->number != packet[0])
            continue;
        if (!link->cut_in && got > 1 && write(relay->tun_fd, packet + 1, (size_t)got - 1) > 0)
            link->received++;
        break;
    }
    return true;
}

static void serve_control(struct relay *relay)
{
    char request[256], reply[16384];
    int fd = accept4(relay->control_fd, NULL, NULL, SOCK_CLOEXEC);
    struct pollfd input = {.fd = fd, .events = POLLIN};
    if (fd < 0)
        return;
    ssize_t got = poll(&input, 1, CONTROL_MS) > 0 ? read(fd, request, sizeof request - 1) : 0;
    if (got > 0) {
        request[got] = '\0';
        command_run(relay, request, reply, sizeof reply);
        ssize_t sent = send(fd, reply, strlen(reply), MSG_NOSIGNAL);
        (void)sent;
    }
    (void)close(fd);
}

static void turn(struct relay *relay)
{
    struct pollfd ends[3 + PEERS_MAX] = {{.fd = relay->tun_fd, .events = POLLIN},
                                         {.fd = relay->data_fd, .events = POLLIN},
                                         {.fd = relay->control_fd, .events = POLLIN}};
    nfds_t count = 3;
    int64_t now = clock_ns(), wait = IDLE_NS;
    for (size_t i = 0; i < relay->link_count; i++) {
        send_due(&relay->links[i], now, &wait);
        if (relay->links[i].blocked)
            ends[count++] = (struct pollfd){.fd = relay->links[i].fd, .events = POLLOUT};
    }
    struct timespec timeout = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
    if (ppoll(ends, count, &timeout, NULL) <= 0)
        return;
    now = clock_ns();
    for (int i = 0; ends[0].revents && i < BATCH && take_packet(relay, now); i++) {
    }
    for (int i = 0; ends[1].revents && i < BATCH && give_packet(relay); i++) {
    }
    if (ends[2].revents)
        serve_control(relay);
}

static bool read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got = -1;
    while (fd >= 0 && length + 1 < size && (got = read(fd, text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    if (fd >= 0)
        (void)close(fd);
    return got == 0;
}

int relay_run(const char *config)
{
    static struct relay relay;
    static char text[CONFIG_MAX];
    if (!read_file(config, text, sizeof text))
        return fail(config);
    const char *why = config_parse(text, &relay);
    if (why) {
        (void)fprintf(stderr, "%s: %s\n", config, why);
        return 1;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (!open_rings(&relay))
        return fail("no memory for the rings");
    if ((relay.tun_fd = open_tun(relay.tun)) < 0)
        return fail(relay.tun);
    if (!drop_root(&relay))
        return fail("the owner of the sockets' folder cannot be taken on");
    if ((relay.data_fd = open_socket(relay.data, SOCK_DGRAM)) < 0)
        return fail(relay.data);
    if ((relay.control_fd = open_socket(relay.control, SOCK_STREAM)) < 0)
        return fail(relay.control);
    for (;;)
        turn(&relay);
}
