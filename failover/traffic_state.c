#include "failover/traffic_state.h"

#include "lib/core/json.h"

#define MAX_TAKEN 4096U

struct traffic_state *traffic_state_new(void)
{
    struct arena *arena = arena_new(0);
    struct traffic_state *state = arena_zalloc(arena, sizeof *state);
    state->arena = arena;
    return state;
}

void traffic_state_free(struct traffic_state *state)
{
    if (state)
        arena_free(state->arena);
}

/* A copy with room for what a step may add. */
static struct traffic_state *copy(const struct traffic_state *from, size_t further_holds,
                                  size_t further_taken)
{
    struct traffic_state *to = traffic_state_new();
    struct arena *arena = to->arena;
    to->holds = arena_alloc(arena, (from->hold_count + further_holds + 1) * sizeof *to->holds);
    to->seen = arena_alloc(arena, (from->seen_count + 1) * sizeof *to->seen);
    to->taken = arena_alloc(arena, (from->taken_count + further_taken + 1) * sizeof *to->taken);
    for (size_t i = 0; i < from->hold_count; i++) {
        const struct traffic_hold *hold = &from->holds[i];
        to->holds[to->hold_count++] =
            (struct traffic_hold){.trigger = arena_strdup(arena, str_from(hold->trigger)),
                                  .region = arena_strdup(arena, str_from(hold->region)),
                                  .fingerprint = arena_strdup(arena, str_from(hold->fingerprint)),
                                  .since_wall_ns = hold->since_wall_ns};
    }
    for (size_t i = 0; i < from->seen_count; i++)
        to->seen[to->seen_count++] =
            (struct traffic_seen){arena_strdup(arena, str_from(from->seen[i].id)), from->seen[i].wall_ns};
    for (size_t i = 0; i < from->taken_count; i++)
        to->taken[to->taken_count++] = arena_strdup(arena, str_from(from->taken[i]));
    return to;
}

bool traffic_state_has_seen(const struct traffic_state *state, const char *webhook_id)
{
    for (size_t i = 0; i < state->seen_count; i++) {
        if (strcmp(state->seen[i].id, webhook_id) == 0)
            return true;
    }
    return false;
}

/* --- a step
 * --------------------------------------------------------------------------------------------------- */

static bool counts(const struct traffic_hold *hold, const struct traffic_config *config, int64_t now_wall_ns)
{
    return now_wall_ns - hold->since_wall_ns < config->max_hold_ns &&
           traffic_rule_find(config, hold->trigger, hold->region);
}

/* Holds that do not count any more, and ids that their own timestamp keeps from being taken again. */
static void forget(struct traffic_state *state, const struct traffic_config *config, int64_t now_wall_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->hold_count; i++) {
        if (counts(&state->holds[i], config, now_wall_ns))
            state->holds[kept++] = state->holds[i];
    }
    state->hold_count = kept;
    kept = 0;
    for (size_t i = 0; i < state->seen_count; i++) {
        if (now_wall_ns - state->seen[i].wall_ns <= 2 * config->max_age_ns)
            state->seen[kept++] = state->seen[i];
    }
    state->seen_count = kept;
}

static bool has_taken(const struct traffic_state *state, const char *server)
{
    for (size_t i = 0; i < state->taken_count; i++) {
        if (strcmp(state->taken[i], server) == 0)
            return true;
    }
    return false;
}

static void take(struct traffic_state *state, const struct string_list *servers)
{
    for (size_t i = 0; i < servers->count; i++) {
        if (!has_taken(state, servers->items[i]))
            state->taken[state->taken_count++] = arena_strdup(state->arena, str_from(servers->items[i]));
    }
}

static struct traffic_hold *find_hold(const struct traffic_state *state, const struct traffic_event *event)
{
    for (size_t i = 0; i < state->hold_count; i++) {
        struct traffic_hold *hold = &state->holds[i];
        if (strcmp(hold->fingerprint, event->fingerprint) == 0 &&
            strcmp(hold->trigger, event->trigger) == 0 && strcmp(hold->region, event->region) == 0)
            return hold;
    }
    return NULL;
}

static void apply(struct traffic_state *state, const struct traffic_rule *rule,
                  const struct traffic_event *event, int64_t now_wall_ns)
{
    struct traffic_hold *hold = find_hold(state, event);
    if (!event->firing) {
        if (hold)
            *hold = state->holds[--state->hold_count];
    } else if (!event->unknown && !hold) {
        state->holds[state->hold_count++] =
            (struct traffic_hold){.trigger = arena_strdup(state->arena, str_from(event->trigger)),
                                  .region = arena_strdup(state->arena, str_from(event->region)),
                                  .fingerprint = arena_strdup(state->arena, str_from(event->fingerprint)),
                                  .since_wall_ns = now_wall_ns};
        take(state, &rule->drain);
        take(state, &rule->cut);
    }
}

static bool names_trigger(const struct traffic_config *config, const char *trigger)
{
    for (size_t i = 0; i < config->rules.count; i++) {
        if (strcmp(traffic_rule_at(config, i)->trigger, trigger) == 0)
            return true;
    }
    return false;
}

static int refuse_region(const struct traffic_config *config, const struct traffic_event *event,
                         struct error *err)
{
    char there[ERROR_TEXT_MAX] = "";
    size_t used = 0;
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct traffic_rule *rule = traffic_rule_at(config, i);
        size_t length = strlen(rule->region);
        if (strcmp(rule->trigger, event->trigger) != 0 || used + length + 2 >= sizeof there)
            continue;
        there[used] = ' ';
        memcpy(there + used + 1, rule->region, length + 1);
        used += length + 1;
    }
    return error_set(err, ERR_PEER,
                     "no rule of traffic names %s of the region \"%s\"; there are rules for:%s",
                     event->trigger, event->region, there);
}

int traffic_state_step(const struct traffic_state *before, const struct traffic_config *config,
                       const char *webhook_id, const struct traffic_message *message, int64_t now_wall_ns,
                       struct traffic_state **ret_after, struct error *err)
{
    struct traffic_state *after CLEANUP(traffic_state_free_cleanup) =
        copy(before, message->count, message->count * 2 * TRAFFIC_MAX_SERVERS);
    forget(after, config, now_wall_ns);
    for (size_t i = 0; i < message->count; i++) {
        const struct traffic_event *event = &message->events[i];
        const struct traffic_rule *rule = traffic_rule_find(config, event->trigger, event->region);
        if (rule)
            apply(after, rule, event, now_wall_ns);
        else if (names_trigger(config, event->trigger))
            return refuse_region(config, event, err);
    }
    if (after->hold_count > TRAFFIC_MAX_HOLDS || after->taken_count > MAX_TAKEN)
        return error_set(err, ERR_LIMIT, "more than %u incidents are open", TRAFFIC_MAX_HOLDS);
    if (after->seen_count >= TRAFFIC_MAX_SEEN)
        return error_set(err, ERR_LIMIT, "more than %u webhooks came within twice max_age", TRAFFIC_MAX_SEEN);
    after->seen[after->seen_count++] =
        (struct traffic_seen){arena_strdup(after->arena, str_from(webhook_id)), now_wall_ns};
    *ret_after = TAKE(after);
    return 0;
}

struct traffic_state *traffic_state_without(const struct traffic_state *before, const char *const *back,
                                            size_t back_count)
{
    struct traffic_state *after = copy(before, 0, 0);
    size_t kept = 0;
    for (size_t i = 0; i < after->taken_count; i++) {
        bool is_back = false;
        for (size_t j = 0; j < back_count; j++)
            is_back |= strcmp(after->taken[i], back[j]) == 0;
        if (!is_back)
            after->taken[kept++] = after->taken[i];
    }
    after->taken_count = kept;
    return after;
}

bool traffic_state_wants_out(const struct traffic_state *state, const struct traffic_config *config,
                             const char *server, int64_t now_wall_ns, bool *ret_cut)
{
    bool out = false;
    *ret_cut = false;
    for (size_t i = 0; config && i < state->hold_count; i++) {
        const struct traffic_hold *hold = &state->holds[i];
        const struct traffic_rule *rule =
            counts(hold, config, now_wall_ns) ? traffic_rule_find(config, hold->trigger, hold->region) : NULL;
        bool cut = false;
        if (rule && traffic_rule_names(rule, server, &cut)) {
            out = true;
            *ret_cut |= cut;
        }
    }
    return out;
}

/* --- stored
 * --------------------------------------------------------------------------------------------------- */

void traffic_state_write(const struct traffic_state *state, struct buf *out)
{
    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    json_key(&json, "holds");
    json_array_begin(&json);
    for (size_t i = 0; i < state->hold_count; i++) {
        json_object_begin(&json);
        json_kv_text(&json, "trigger", state->holds[i].trigger);
        json_kv_text(&json, "region", state->holds[i].region);
        json_kv_text(&json, "fingerprint", state->holds[i].fingerprint);
        json_kv_i64(&json, "since_ns", state->holds[i].since_wall_ns);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_key(&json, "seen");
    json_array_begin(&json);
    for (size_t i = 0; i < state->seen_count; i++) {
        json_object_begin(&json);
        json_kv_text(&json, "id", state->seen[i].id);
        json_kv_i64(&json, "at_ns", state->seen[i].wall_ns);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_key(&json, "taken");
    json_array_begin(&json);
    for (size_t i = 0; i < state->taken_count; i++)
        json_text(&json, state->taken[i]);
    json_array_end(&json);
    json_object_end(&json);
}

static bool read_text(const struct node *mapping, const char *key, const char **ret)
{
    const struct node *node = node_member(mapping, key);
    if (!node || node->kind != NODE_SCALAR || !node->scalar.len)
        return false;
    *ret = node->scalar.ptr;
    return true;
}

static bool read_time(const struct node *mapping, const char *key, int64_t *ret)
{
    return str_to_i64(node_text(mapping, key), ret);
}

static bool read_lists(const struct node *root, struct traffic_state *state)
{
    const struct node *holds = node_member(root, "holds"), *seen = node_member(root, "seen"),
                      *taken = node_member(root, "taken");
    if (!holds || !seen || !taken || holds->kind != NODE_SEQUENCE || seen->kind != NODE_SEQUENCE ||
        taken->kind != NODE_SEQUENCE || holds->count > TRAFFIC_MAX_HOLDS || seen->count > TRAFFIC_MAX_SEEN ||
        taken->count > MAX_TAKEN)
        return false;
    state->holds = arena_zalloc(state->arena, (holds->count + 1) * sizeof *state->holds);
    state->seen = arena_zalloc(state->arena, (seen->count + 1) * sizeof *state->seen);
    state->taken = arena_zalloc(state->arena, (taken->count + 1) * sizeof *state->taken);
    for (size_t i = 0; i < holds->count; i++) {
        struct traffic_hold *hold = &state->holds[state->hold_count++];
        if (!read_text(holds->items[i], "trigger", &hold->trigger) ||
            !read_text(holds->items[i], "region", &hold->region) ||
            !read_text(holds->items[i], "fingerprint", &hold->fingerprint) ||
            !read_time(holds->items[i], "since_ns", &hold->since_wall_ns))
            return false;
    }
    for (size_t i = 0; i < seen->count; i++) {
        struct traffic_seen *one = &state->seen[state->seen_count++];
        if (!read_text(seen->items[i], "id", &one->id) || !read_time(seen->items[i], "at_ns", &one->wall_ns))
            return false;
    }
    for (size_t i = 0; i < taken->count; i++) {
        if (taken->items[i]->kind != NODE_SCALAR)
            return false;
        state->taken[state->taken_count++] = taken->items[i]->scalar.ptr;
    }
    return true;
}

int traffic_state_read(struct str stored, struct traffic_state **ret_state, struct error *err)
{
    struct traffic_state *state CLEANUP(traffic_state_free_cleanup) = traffic_state_new();
    struct node *root = NULL;
    int code = json_parse(state->arena, stored, &root, err);
    if (code || !read_lists(root, state))
        return error_set(err, ERR_CORRUPT, "what traffic remembered in the journal is damaged");
    *ret_state = TAKE(state);
    return 0;
}
