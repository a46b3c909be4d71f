#include "relay/relay.h"

struct packet *link_slot(struct link *link)
{
    return link->head - link->tail == RING_SLOTS ? NULL : &link->ring[link->head % RING_SLOTS];
}

void link_push(struct link *link, uint16_t length, int64_t now_ns)
{
    struct packet *packet = &link->ring[link->head++ % RING_SLOTS];
    packet->length = length;
    packet->due_ns = now_ns + link->delay_ns;
}

struct packet *link_due(struct link *link, int64_t now_ns, int64_t *ret_wait_ns)
{
    *ret_wait_ns = -1;
    if (link->head == link->tail)
        return NULL;
    struct packet *packet = &link->ring[link->tail % RING_SLOTS];
    if (packet->due_ns > now_ns) {
        *ret_wait_ns = packet->due_ns - now_ns;
        return NULL;
    }
    return packet;
}

void link_pop(struct link *link)
{
    link->tail++;
}
