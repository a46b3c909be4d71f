#include "relay/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 8

static bool number_of(const char *text, long least, long most, long *ret)
{
    char *end;
    errno = 0;
    *ret = strtol(text, &end, 10);
    return !errno && end != text && !*end && *ret >= least && *ret <= most;
}

static bool copy(char *to, size_t size, const char *from)
{
    return snprintf(to, size, "%s", from) < (int)size;
}

static const char *take_peer(struct relay *relay, char **words)
{
    long number, delay;
    struct in_addr address;
    if (relay->link_count == PEERS_MAX)
        return "there are too many peers";
    struct link *link = &relay->links[relay->link_count];
    *link = (struct link){.fd = -1};
    if (!copy(link->name, sizeof link->name, words[1]) || !number_of(words[2], 0, 255, &number))
        return "a peer has no name or number";
    if (inet_pton(AF_INET, words[3], &address) != 1)
        return "a peer has no IPv4 address";
    if (!number_of(words[4], 0, DELAY_MAX_US, &delay))
        return "a peer's delay is no number of microseconds";
    if (!copy(link->socket, sizeof link->socket, words[5]))
        return "a peer's socket has too long a path";
    link->number = (unsigned char)number;
    link->address = address.s_addr;
    link->delay_ns = delay * 1000;
    relay->link_count++;
    return NULL;
}

static const char *take_line(struct relay *relay, char **words, size_t count)
{
    long number;
    if (count == 6 && strcmp(words[0], "peer") == 0)
        return take_peer(relay, words);
    if (count == 3 && strcmp(words[0], "region") == 0 && number_of(words[2], 0, 255, &number)) {
        relay->number = (unsigned char)number;
        return copy(relay->region, sizeof relay->region, words[1]) ? NULL : "the region's name is too long";
    }
    if (count == 2 && strcmp(words[0], "tun") == 0)
        return copy(relay->tun, sizeof relay->tun, words[1]) ? NULL : "the device's name is too long";
    if (count == 2 && strcmp(words[0], "data") == 0)
        return copy(relay->data, sizeof relay->data, words[1]) ? NULL : "the data socket's path is too long";
    if (count == 2 && strcmp(words[0], "control") == 0)
        return copy(relay->control, sizeof relay->control, words[1])
                   ? NULL
                   : "the control socket's path is too long";
    return "a line is not known";
}

const char *config_parse(char *text, struct relay *ret)
{
    char *rest = NULL;
    *ret = (struct relay){.tun_fd = -1, .data_fd = -1, .control_fd = -1};
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *words[WORDS_MAX], *more = NULL;
        size_t count = 0;
        for (char *word = strtok_r(line, " ", &more); word && count < WORDS_MAX;
             word = strtok_r(NULL, " ", &more))
            words[count++] = word;
        const char *why = count ? take_line(ret, words, count) : NULL;
        if (why)
            return why;
    }
    return ret->region[0] && ret->tun[0] && ret->data[0] && ret->control[0]
               ? NULL
               : "region, tun, data or control is missing";
}

struct link *relay_find(struct relay *relay, const char *name)
{
    for (size_t i = 0; i < relay->link_count; i++) {
        if (strcmp(relay->links[i].name, name) == 0)
            return &relay->links[i];
    }
    return NULL;
}

/* RFC 791: version in the first four bits, destination from byte 16. */
struct link *relay_route(struct relay *relay, const unsigned char *packet, size_t length)
{
    uint32_t destination;
    if (length < 20 || packet[0] >> 4 != 4)
        return NULL;
    memcpy(&destination, packet + 16, sizeof destination);
    for (size_t i = 0; i < relay->link_count; i++) {
        if (relay->links[i].address == destination)
            return &relay->links[i];
    }
    return NULL;
}
