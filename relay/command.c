#include "relay/relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const struct relay *relay, char *reply, size_t size)
{
    size_t used = 0;
    reply[0] = '\0';
    for (size_t i = 0; i < relay->link_count; i++) {
        const struct link *link = &relay->links[i];
        int wrote = snprintf(
            reply + used, size - used,
            "%s delay_us=%lld out=%s in=%s sent=%llu received=%llu dropped=%llu waiting=%u\n", link->name,
            (long long)(link->delay_ns / 1000), link->cut_out ? "cut" : "open", link->cut_in ? "cut" : "open",
            (unsigned long long)link->sent, (unsigned long long)link->received,
            (unsigned long long)link->dropped, link->head - link->tail);
        if (wrote < 0 || (size_t)wrote >= size - used)
            return;
        used += (size_t)wrote;
    }
}

static bool cut(struct link *link, const char *way, bool cut)
{
    bool out = !way || strcmp(way, "out") == 0, in = !way || strcmp(way, "in") == 0;
    if (out)
        link->cut_out = cut;
    if (in)
        link->cut_in = cut;
    return out || in;
}

static const char *cut_or_heal(struct relay *relay, const char *peer, const char *way, bool cuts)
{
    bool found = false;
    for (size_t i = 0; i < relay->link_count; i++) {
        if (strcmp(peer, "all") != 0 && strcmp(peer, relay->links[i].name) != 0)
            continue;
        if (!cut(&relay->links[i], way, cuts))
            return "error: a way is out or in\n";
        found = true;
    }
    return found ? "ok\n" : "error: there is no such peer\n";
}

static const char *set_delay(struct relay *relay, const char *peer, const char *value)
{
    char *end;
    struct link *link = relay_find(relay, peer);
    errno = 0;
    long delay = value ? strtol(value, &end, 10) : -1;
    if (!link)
        return "error: there is no such peer\n";
    if (errno || delay < 0 || delay > DELAY_MAX_US || end == value || *end)
        return "error: a delay is a number of microseconds up to 10000000\n";
    link->delay_ns = delay * 1000;
    return "ok\n";
}

void command_run(struct relay *relay, char *request, char *reply, size_t size)
{
    char *rest = NULL, *word = strtok_r(request, " \n", &rest);
    char *peer = word ? strtok_r(NULL, " \n", &rest) : NULL,
         *value = peer ? strtok_r(NULL, " \n", &rest) : NULL;
    const char *answer =
        "error: want show, cut PEER|all [out|in], heal PEER|all, or delay PEER MICROSECONDS\n";
    if (word && strcmp(word, "show") == 0) {
        show(relay, reply, size);
        return;
    }
    if (word && peer && strcmp(word, "cut") == 0)
        answer = cut_or_heal(relay, peer, value, true);
    else if (word && peer && strcmp(word, "heal") == 0)
        answer = cut_or_heal(relay, peer, value, false);
    else if (word && peer && strcmp(word, "delay") == 0)
        answer = set_delay(relay, peer, value);
    (void)snprintf(reply, size, "%s", answer);
}
