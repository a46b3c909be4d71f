/* fraiseql-relay: carries IP packets between the network namespaces of regions on one machine, late or not at
 * all.
 *
 *   fraiseql-relay run CONFIG
 *   fraiseql-relay control SOCKET show | cut PEER|all [out|in] | heal PEER|all | delay PEER MICROSECONDS
 *
 * One runs in each namespace and is attached to a TUN device there, to which the addresses of the other
 * regions are routed. A packet waits in the ring of its link for the link's one-way delay, then goes as one
 * datagram to the other region's relay, which gives it to its own device. A link that is cut drops silently,
 * as a cloud's does: TCP, UDP and ICMP alike, RST and FIN too.
 *
 * Configuration, a line each: `region NAME NUMBER`, `tun DEVICE`, `data SOCKET`, `control SOCKET`,
 * `peer NAME NUMBER ADDRESS DELAY_US SOCKET`.
 *
 * Rings are made once; a packet costs no allocation. Only the C library is used. One thread. */
#ifndef FRAISEQL_RELAY_RELAY_H
#define FRAISEQL_RELAY_RELAY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEERS_MAX    100
#define NAME_BYTES   64
#define PACKET_MAX   1536
#define RING_SLOTS   16384U /* a power of two: 130 ms of 1500 bytes at 1.5 Gbit/s */
#define DELAY_MAX_US 10000000
#define PATH_BYTES   108

struct packet {
    int64_t due_ns;
    uint16_t length;
    unsigned char bytes[PACKET_MAX]; /* the first is the sender's number */
};

/* --- link.c: one direction to one peer, pure --------------------------------------------------------------
 */

struct link {
    char name[NAME_BYTES], socket[PATH_BYTES];
    unsigned char number;
    uint32_t address; /* of the peer's region, network order */
    int64_t delay_ns;
    bool cut_out, cut_in;
    struct packet *ring; /* RING_SLOTS; pages are touched as they are used */
    uint32_t head, tail;
    uint64_t sent, received, dropped; /* dropped: the ring was full, or the peer's relay is not there */
    int fd;                           /* connected to the peer's data socket; -1: not yet */
    bool blocked;                     /* its socket is full */
    int64_t retry_ns;                 /* when to connect again */
};

/* The slot that the next packet is to be read into, NULL: full. link_push() makes it part of the ring. */
struct packet *link_slot(struct link *link);
void link_push(struct link *link, uint16_t length, int64_t now_ns);
/* The packet that waited longest, NULL: none, or not yet due; *ret_wait_ns then says how long (-1: none). */
struct packet *link_due(struct link *link, int64_t now_ns, int64_t *ret_wait_ns);
void link_pop(struct link *link);

/* --- config.c ---------------------------------------------------------------------------------------------
 */

struct relay {
    char region[NAME_BYTES], tun[16], data[PATH_BYTES], control[PATH_BYTES];
    unsigned char number;
    struct link links[PEERS_MAX];
    size_t link_count;
    int tun_fd, data_fd, control_fd;
    uint64_t strays; /* packets for nobody */
};

/* Parses in place. NULL when it is sound, else what is wrong. */
const char *config_parse(char *text, struct relay *ret);
/* Whom an IPv4 packet is for, NULL: nobody. */
struct link *relay_route(struct relay *relay, const unsigned char *packet, size_t length);
struct link *relay_find(struct relay *relay, const char *name);

/* --- command.c --------------------------------------------------------------------------------------------
 */

/* "cut eu out" and so on; the answer is put into reply. */
void command_run(struct relay *relay, char *request, char *reply, size_t size);

/* --- loop.c, client.c -------------------------------------------------------------------------------------
 */

int relay_run(const char *config);
int relay_control(const char *socket, int count, char **words);

#endif
