#include "failover/haproxy_state.h"

/* Columns of the table; src/proxy.c of HAProxy writes it, and the management guide describes it. */
enum {
    COLUMN_BACKEND = 1,
    COLUMN_SERVER = 3,
    COLUMN_OPERATIONAL = 5,
    COLUMN_ADMINISTRATIVE = 6,
    COLUMN_WEIGHT = 7,
    COLUMN_INITIAL_WEIGHT = 8,
    COLUMN_COUNT
};
#define OPERATIONAL_STARTING 1U
#define OPERATIONAL_RUNNING  2U
#define SAID_MAX             160

static struct str take_line(struct str *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t length = end ? (size_t)(end - rest->ptr) : rest->len;
    struct str line = str_trim((struct str){rest->ptr, length});
    size_t step = end ? length + 1 : length;
    *rest = (struct str){rest->ptr + step, rest->len - step};
    return line;
}

static struct str take_word(struct str *rest)
{
    const char *end = memchr(rest->ptr, ' ', rest->len);
    size_t length = end ? (size_t)(end - rest->ptr) : rest->len;
    struct str word = {rest->ptr, length};
    size_t step = end ? length + 1 : length;
    *rest = (struct str){rest->ptr + step, rest->len - step};
    return word;
}

static bool read_server(struct arena *arena, struct str line, struct haproxy_server *server)
{
    struct str words[COLUMN_COUNT];
    uint64_t operational, administrative, weight, initial;
    if (line.len && memchr(line.ptr, 0, line.len)) /* further on names are texts of C */
        return false;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        words[i] = take_word(&line);
    if (!words[COLUMN_BACKEND].len || !words[COLUMN_SERVER].len ||
        !str_to_u64(words[COLUMN_OPERATIONAL], &operational) ||
        !str_to_u64(words[COLUMN_ADMINISTRATIVE], &administrative) ||
        !str_to_u64(words[COLUMN_WEIGHT], &weight) || !str_to_u64(words[COLUMN_INITIAL_WEIGHT], &initial))
        return false;
    server->name =
        arena_printf(arena, "%.*s/%.*s", STR_ARGS(words[COLUMN_BACKEND]), STR_ARGS(words[COLUMN_SERVER]));
    server->backend_size = words[COLUMN_BACKEND].len;
    server->usable =
        administrative == 0 && (operational == OPERATIONAL_RUNNING || operational == OPERATIONAL_STARTING);
    server->weighted = weight > 0;
    server->weighs_nothing = initial == 0;
    return server->name != NULL;
}

static int refuse(struct str said, struct error *err)
{
    char text[SAID_MAX] = "";
    size_t length = 0;
    for (size_t i = 0; i < said.len && length < sizeof text - 1; i++)
        text[length++] = (char)(said.ptr[i] >= ' ' && said.ptr[i] < 127 ? said.ptr[i] : '?');
    return error_set(err, ERR_PEER, "HAProxy says: %s", length ? text : "nothing");
}

int haproxy_state_read(struct arena *arena, struct str answer, struct haproxy_state *ret_state,
                       struct error *err)
{
    struct haproxy_state state = {0};
    struct str line = {0};
    *ret_state = state;
    while (answer.len && !line.len) /* each command before this one is answered by an empty line */
        line = take_line(&answer);
    if (!str_equal_text(line, "1"))
        return refuse(line, err);
    line = take_line(&answer);
    if (!str_starts(line, STR("# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state "
                              "srv_uweight srv_iweight ")))
        return refuse(line, err);
    state.servers = arena_alloc(arena, HAPROXY_MAX_SERVERS * sizeof *state.servers);
    while (answer.len) {
        line = take_line(&answer);
        if (!line.len)
            continue;
        if (state.count == HAPROXY_MAX_SERVERS)
            return error_set(err, ERR_LIMIT, "HAProxy has more than %u servers", HAPROXY_MAX_SERVERS);
        if (!read_server(arena, line, &state.servers[state.count++]))
            return refuse(line, err);
    }
    *ret_state = state;
    return 0;
}

const struct haproxy_server *haproxy_state_find(const struct haproxy_state *state, const char *name)
{
    for (size_t i = 0; i < state->count; i++) {
        if (strcmp(state->servers[i].name, name) == 0)
            return &state->servers[i];
    }
    return NULL;
}
