#include "failover/traffic_message.h"

#include "lib/core/json.h"

bool traffic_identity_valid(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = strlen(text);
    return length && length <= TRAFFIC_IDENTITY_BYTES && strspn(text, allowed) == length;
}

static bool is_text(const struct node *node)
{
    return node && node->kind == NODE_SCALAR && !node->plain;
}

/* NULL with err set. What it is for stands in `what`; a member that is left out is "" unless needed. */
static const char *text_of(const struct node *mapping, const char *key, bool needed, const char *what,
                           struct error *err)
{
    const struct node *node = node_member(mapping, key);
    if (!node && !needed)
        return "";
    if (!is_text(node) || (needed && !node->scalar.len)) {
        (void)error_set(err, ERR_PEER, "%s has no text \"%s\"", what, key);
        return NULL;
    }
    /* Further on it is a text of C, and part of lines that people read. */
    if (node->scalar.len > TRAFFIC_NAME_MAX || strlen(node->scalar.ptr) != node->scalar.len) {
        (void)error_set(err, ERR_PEER, "%s: \"%s\" is longer than %u bytes or holds a zero byte", what, key,
                        TRAFFIC_NAME_MAX);
        return NULL;
    }
    return node->scalar.ptr;
}

static int read_status(const struct node *alert, bool *ret_firing, struct error *err)
{
    const char *status = text_of(alert, "status", true, "an alert", err);
    if (!status)
        return ERR_PEER;
    *ret_firing = strcmp(status, "firing") == 0;
    if (!*ret_firing && strcmp(status, "resolved") != 0)
        return error_set(err, ERR_PEER, "an alert's status is neither firing nor resolved");
    return 0;
}

static int read_event(const struct node *alert, struct traffic_event *event, struct error *err)
{
    const struct node *labels = node_member(alert, "labels"),
                      *state = node_member(node_member(alert, "annotations"), "state");
    if (alert->kind != NODE_MAPPING || !labels || labels->kind != NODE_MAPPING)
        return error_set(err, ERR_PEER, "an alert has no labels");
    if (read_status(alert, &event->firing, err) ||
        !(event->trigger = text_of(labels, "alertname", true, "an alert's labels", err)) ||
        !(event->region = text_of(labels, "region", false, "an alert's labels", err)) ||
        !(event->fingerprint = text_of(alert, "fingerprint", true, "an alert", err)))
        return ERR_PEER;
    if (!traffic_identity_valid(event->fingerprint))
        return error_set(err, ERR_PEER, "an alert's fingerprint is not one of at most %u letters and digits",
                         TRAFFIC_IDENTITY_BYTES);
    event->unknown = event->firing && is_text(state) && str_equal_text(state->scalar, "unknown");
    return 0;
}

int traffic_message_read(struct arena *arena, struct str body, struct traffic_message *ret_message,
                         struct error *err)
{
    struct node *root = NULL;
    *ret_message = (struct traffic_message){0};
    int code = json_parse(arena, body, &root, err);
    if (code)
        return code;
    const struct node *alerts = node_member(root, "alerts"), *version = node_member(root, "version"),
                      *left_out = node_member(root, "truncatedAlerts");
    if (!is_text(version) || !str_equal_text(version->scalar, "4"))
        return error_set(err, ERR_PEER, "this is no Alertmanager webhook of version 4");
    if (!alerts || alerts->kind != NODE_SEQUENCE || !alerts->count || alerts->count > TRAFFIC_MAX_EVENTS)
        return error_set(err, ERR_PEER, "\"alerts\" is no list of 1 to %u", TRAFFIC_MAX_EVENTS);
    if (left_out && !str_equal_text(left_out->scalar, "0"))
        return error_set(err, ERR_PEER, "\"truncatedAlerts\" says that alerts were left out");
    ret_message->events = arena_zalloc(arena, alerts->count * sizeof *ret_message->events);
    if (!ret_message->events)
        return error_set(err, ERR_LIMIT, "the message needs more memory than it may have");
    for (size_t i = 0; i < alerts->count && !code; i++)
        code = read_event(alerts->items[i], &ret_message->events[i], err);
    ret_message->count = code ? 0 : alerts->count;
    return code;
}
