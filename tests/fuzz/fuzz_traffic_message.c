/* A webhook's body, from whoever has the secret: what is taken is within its bounds, and remembering it gives
 * a state that is read as it was written. */
#include "failover/traffic_state.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void remember(const struct traffic_message *message)
{
    /* Rules for whatever the message names, so that each event is taken. */
    struct traffic_rule rules[TRAFFIC_MAX_EVENTS] = {{0}};
    const char *servers[] = {"read/eu"};
    struct traffic_config config = {.max_age_ns = NS_PER_S, .max_hold_ns = NS_PER_S, .rules = {0, rules}};
    struct traffic_state *before = traffic_state_new(), *after = NULL, *again = NULL;
    struct buf text = BUF_INIT(TRAFFIC_STATE_MAX_BYTES), twice = BUF_INIT(TRAFFIC_STATE_MAX_BYTES);
    for (size_t i = 0; i < message->count; i++)
        rules[config.rules.count++] = (struct traffic_rule){
            .trigger = message->events[i].trigger, .region = message->events[i].region, .cut = {1, servers}};
    assert(traffic_state_step(before, &config, "id", message, 1, &after, NULL) == 0);
    traffic_state_write(after, &text);
    /* An empty region has no rule in a file, and is not read back. */
    if (traffic_state_read(buf_str(&text), &again, NULL) == 0) {
        traffic_state_write(again, &twice);
        assert(str_equal(buf_str(&text), buf_str(&twice)));
    }
    traffic_state_free(again);
    traffic_state_free(after);
    traffic_state_free(before);
    buf_deinit(&text);
    buf_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1024UL * 1024);
    struct traffic_message message;
    struct error err = {0};
    if (traffic_message_read(arena, (struct str){(const char *)data, size}, &message, &err) == 0) {
        assert(message.count && message.count <= TRAFFIC_MAX_EVENTS);
        for (size_t i = 0; i < message.count; i++) {
            assert(message.events[i].trigger[0] && strlen(message.events[i].trigger) <= TRAFFIC_NAME_MAX);
            assert(strlen(message.events[i].region) <= TRAFFIC_NAME_MAX);
            assert(traffic_identity_valid(message.events[i].fingerprint));
        }
        remember(&message);
    } else {
        assert(message.count == 0 && err.message[0]);
    }
    arena_free(arena);
    return 0;
}
