#include "provisioner/self_hosted/facts.h"

static int64_t number_of(const struct node *node, const char *key)
{
    int64_t value;
    return str_to_i64(node_text(node, key), &value) && value >= 0 ? value : FACT_UNKNOWN;
}

static double seconds_of(const struct node *node, const char *key)
{
    double value;
    return str_to_double(node_text(node, key), &value) && value >= 0 ? value : FACT_UNKNOWN;
}

/* NULL when it is no text. */
static const char *text_of(struct arena *arena, const struct node *node, const char *key)
{
    const struct node *value = node_member(node, key);
    if (!value || value->kind != NODE_SCALAR || node_is_null(value) || !value->scalar.len)
        return NULL;
    return arena_strdup(arena, value->scalar);
}

/* NULL when it is none. */
static const struct node *list_of(struct arena *arena, struct str json, const char *key)
{
    struct node *root = NULL;
    if (json_parse(arena, json, &root, NULL))
        return NULL;
    const struct node *list = key ? node_member(root, key) : root;
    return list && list->kind == NODE_SEQUENCE ? list : NULL;
}

void facts_processes(struct arena *arena, struct str json, struct process_facts *ret)
{
    const struct node *list = list_of(arena, json, NULL);
    *ret = (struct process_facts){0};
    if (!list)
        return;
    ret->items = arena_zalloc(arena, (list->count + 1) * sizeof *ret->items);
    for (size_t i = 0; i < list->count; i++) {
        const struct node *item = list->items[i];
        const char *name = text_of(arena, item, "name"), *state = text_of(arena, item, "state");
        if (name && state)
            ret->items[ret->count++] = (struct process_fact){
                name, state, number_of(item, "pid"), number_of(item, "restarts"), number_of(item, "up_s")};
    }
}

static void take_standbys(struct arena *arena, const struct node *list, struct replication_facts *ret)
{
    ret->standbys = arena_zalloc(arena, (list->count + 1) * sizeof *ret->standbys);
    for (size_t i = 0; i < list->count; i++) {
        const struct node *item = list->items[i];
        const char *name = text_of(arena, item, "name"), *state = text_of(arena, item, "state");
        if (name && state)
            ret->standbys[ret->standby_count++] =
                (struct standby_fact){name, state, number_of(item, "lag_bytes"), seconds_of(item, "lag_s")};
    }
}

void facts_replication(struct arena *arena, const char *role, struct str json, struct replication_facts *ret)
{
    struct node *root = NULL;
    *ret = (struct replication_facts){
        .role = role, .timeline = FACT_UNKNOWN, .lag_bytes = FACT_UNKNOWN, .lag_s = FACT_UNKNOWN};
    if (json_parse(arena, json, &root, NULL) || root->kind != NODE_MAPPING)
        return;
    ret->follows = text_of(arena, root, "follows");
    ret->timeline = number_of(root, "timeline");
    ret->lag_bytes = number_of(root, "lag_bytes");
    ret->lag_s = seconds_of(root, "lag_s");
    const struct node *standbys = node_member(root, "standbys");
    if (standbys && standbys->kind == NODE_SEQUENCE)
        take_standbys(arena, standbys, ret);
}

/* --- writing
 * ------------------------------------------------------------------------------------------------- */

static void put_number(struct json_writer *json, const char *key, int64_t value)
{
    json_key(json, key);
    if (value >= 0)
        json_i64(json, value);
    else
        json_null(json);
}

static void put_seconds(struct json_writer *json, const char *key, double value)
{
    json_key(json, key);
    if (value >= 0)
        json_f64(json, value);
    else
        json_null(json);
}

void facts_put_processes(struct json_writer *json, const struct process_facts *facts)
{
    json_key(json, "processes");
    json_array_begin(json);
    for (size_t i = 0; i < facts->count; i++) {
        json_object_begin(json);
        json_kv_text(json, "name", facts->items[i].name);
        json_kv_text(json, "state", facts->items[i].state);
        put_number(json, "pid", facts->items[i].pid);
        put_number(json, "restarts", facts->items[i].restarts);
        put_number(json, "up_s", facts->items[i].up_s);
        json_object_end(json);
    }
    json_array_end(json);
}

void facts_put_replication(struct json_writer *json, const struct replication_facts *facts)
{
    json_key(json, "replication");
    json_object_begin(json);
    json_kv_text(json, "role", facts->role);
    put_number(json, "timeline", facts->timeline);
    json_kv_text(json, "follows", facts->follows);
    put_number(json, "lag_bytes", facts->lag_bytes);
    put_seconds(json, "lag_s", facts->lag_s);
    json_key(json, "standbys");
    json_array_begin(json);
    for (size_t i = 0; i < facts->standby_count; i++) {
        json_object_begin(json);
        json_kv_text(json, "name", facts->standbys[i].name);
        json_kv_text(json, "state", facts->standbys[i].state);
        put_number(json, "lag_bytes", facts->standbys[i].lag_bytes);
        put_seconds(json, "lag_s", facts->standbys[i].lag_s);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}
