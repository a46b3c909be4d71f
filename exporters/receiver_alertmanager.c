#include "exporters/receiver_alertmanager.h"

#include <stdlib.h>

/* --- the set */

static void init(struct receiver *receiver)
{
    struct am_state *state = xcalloc(1, sizeof *state);
    map_init(&state->alerts);
    map_init(&state->ids);
    state->pending_end = &state->pending;
    receiver->state = state;
}

static void deinit(struct receiver *receiver)
{
    struct am_state *state = receiver->state;
    MAP_EACH (entry, &state->alerts)
        am_alert_free(entry->value);
    while (state->pending) {
        struct am_delivery *pending = state->pending;
        state->pending = pending->next;
        delivery_free(pending->delivery);
        free(pending);
    }
    while (state->members) {
        struct am_member *member = state->members;
        state->members = member->next;
        am_member_free(member);
    }
    map_deinit(&state->alerts);
    map_deinit(&state->ids);
    free(state);
}

/* --- members */

static bool configured(const struct string_list *urls, const struct am_member *member)
{
    for (size_t i = 0; i < urls->count; i++) {
        if (am_member_serves(member, urls->items[i]))
            return true;
    }
    return false;
}

static struct am_member *member_of(const struct am_state *state, const char *url)
{
    for (struct am_member *member = state->members; member; member = member->next) {
        if (am_member_serves(member, url))
            return member;
    }
    return NULL;
}

static void changed(struct receiver *receiver)
{
    struct am_state *state = receiver->state;
    const struct string_list *urls = &receiver->settings.config->alertmanager->urls;
    for (struct am_member *member = state->members; member; member = member->next) {
        member->retired = !configured(urls, member);
        member->retry_mono_ns = 0;
    }
    for (size_t i = 0; i < urls->count; i++) {
        if (member_of(state, urls->items[i]))
            continue;
        struct am_member *member = am_member_new(receiver, urls->items[i]);
        member->next = state->members;
        state->members = member;
    }
}

static void reap_members(struct am_state *state)
{
    struct am_member **link = &state->members;
    while (*link) {
        struct am_member *member = *link;
        if (!member->retired || member->call) {
            link = &member->next;
            continue;
        }
        *link = member->next;
        am_member_free(member);
    }
}

/* --- the table */

static void pump(struct receiver *receiver, int64_t now_mono_ns)
{
    struct am_state *state = receiver->state;
    reap_members(state);
    for (struct am_member *member = state->members; member; member = member->next) {
        if (am_member_due(member) <= now_mono_ns)
            am_member_send(member);
    }
}

static int64_t due(const struct receiver *receiver)
{
    const struct am_state *state = receiver->state;
    int64_t first = INT64_MAX;
    for (const struct am_member *member = state->members; member; member = member->next) {
        int64_t at = am_member_due(member);
        first = at < first ? at : first;
    }
    return first;
}

static void cancel(struct receiver *receiver)
{
    const struct am_state *state = receiver->state;
    for (struct am_member *member = state->members; member; member = member->next) {
        if (member->call)
            http_call_cancel(member->call);
    }
}

static size_t depth(const struct receiver *receiver)
{
    const struct am_state *state = receiver->state;
    return state->pending_count;
}

static int64_t oldest(const struct receiver *receiver)
{
    const struct am_state *state = receiver->state;
    int64_t first = 0;
    for (const struct am_delivery *pending = state->pending; pending; pending = pending->next) {
        if (first == 0 || pending->delivery->created_wall_ns < first)
            first = pending->delivery->created_wall_ns;
    }
    return first;
}

const struct receiver_ops alertmanager_receiver_ops = {
    .kind = "alertmanager",
    .init = init,
    .deinit = deinit,
    .changed = changed,
    .offer = am_offer,
    .review = am_review,
    .pump = pump,
    .due = due,
    .cancel = cancel,
    .depth = depth,
    .oldest = oldest,
};
