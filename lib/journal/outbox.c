#include "lib/journal/outbox.h"

#include "lib/journal/journal_internal.h"

const char *delivery_state_text(enum delivery_state state)
{
    switch (state) {
    case DELIVERY_PENDING:
        return "pending";
    case DELIVERY_DELIVERED:
        return "delivered";
    case DELIVERY_DEAD:
        return "dead";
    default:
        return "unknown";
    }
}

int outbox_add(struct journal_txn *txn, const struct journal_delivery *delivery, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_DELIVERY_ADD, &statement, err);
    if (code)
        return code;
    bind_text(statement, 1, delivery->id);
    bind_text(statement, 2, delivery->incident_id);
    bind_text(statement, 3, delivery->receiver);
    bind_text(statement, 4, delivery->event);
    bind_blob(statement, 5, delivery->payload);
    bind_i64(statement, 6, delivery->created_wall_ns);
    bind_i64(statement, 7, delivery->next_attempt_wall_ns);
    bind_i64(statement, 8, delivery->attempts);
    bind_i64(statement, 9, delivery->state);
    bind_text(statement, 10, delivery->last_error ? delivery->last_error : "");
    return txn_step(txn, statement, err);
}

int outbox_update(struct journal_txn *txn, const struct journal_delivery *delivery, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_DELIVERY_UPDATE, &statement, err);
    if (code)
        return code;
    bind_i64(statement, 1, delivery->state);
    bind_i64(statement, 2, delivery->attempts);
    bind_i64(statement, 3, delivery->next_attempt_wall_ns);
    bind_text(statement, 4, delivery->last_error ? delivery->last_error : "");
    bind_text(statement, 5, delivery->id);
    return txn_step(txn, statement, err);
}

/* A list that grows in an arena: doubling leaves at most as much behind as it holds. */
static void *grow(struct arena *arena, void *items, size_t count, size_t size)
{
    if (count & (count - 1) || count == 1)
        return items;
    void *grown = arena_alloc(arena, (count ? 2 * count : 2) * size);
    if (count)
        memcpy(grown, items, count * size);
    return grown;
}

static struct str column_bytes(sqlite3_stmt *statement, int at, struct arena *arena)
{
    struct str bytes = column_str(statement, at);
    return (struct str){arena_strdup(arena, bytes), bytes.len};
}

static struct journal_delivery read_delivery(sqlite3_stmt *statement, struct arena *arena)
{
    return (struct journal_delivery){
        .id = column_text(statement, 0, arena),
        .incident_id = column_text(statement, 1, arena),
        .receiver = column_text(statement, 2, arena),
        .event = column_text(statement, 3, arena),
        .payload = column_bytes(statement, 4, arena),
        .created_wall_ns = sqlite3_column_int64(statement, 5),
        .next_attempt_wall_ns = sqlite3_column_int64(statement, 6),
        .attempts = (uint32_t)sqlite3_column_int64(statement, 7),
        .state = (enum delivery_state)sqlite3_column_int(statement, 8),
        .last_error = column_text(statement, 9, arena),
    };
}

static int read_deliveries(struct journal_txn *txn, sqlite3_stmt *statement, struct arena *arena,
                           struct journal_delivery **ret_deliveries, size_t *ret_count, struct error *err)
{
    struct journal_delivery *found = NULL;
    size_t count = 0;
    int code;
    while ((code = txn_step(txn, statement, err)) == 1) {
        found = grow(arena, found, count, sizeof *found);
        found[count++] = read_delivery(statement, arena);
    }
    if (code)
        return code;
    *ret_deliveries = found;
    *ret_count = count;
    return 0;
}

int outbox_load_pending(struct journal_txn *txn, struct arena *arena,
                        struct journal_delivery **ret_deliveries, size_t *ret_count, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_DELIVERY_PENDING, &statement, err);
    return code ? code : read_deliveries(txn, statement, arena, ret_deliveries, ret_count, err);
}

int outbox_load_incident(struct journal_txn *txn, const char *incident_id, struct arena *arena,
                         struct journal_delivery **ret_deliveries, size_t *ret_count, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_DELIVERY_INCIDENT, &statement, err);
    if (code)
        return code;
    bind_text(statement, 1, incident_id);
    return read_deliveries(txn, statement, arena, ret_deliveries, ret_count, err);
}

int outbox_expire(struct journal_txn *txn, int64_t before_wall_ns, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_DELIVERY_EXPIRE, &statement, err);
    if (code)
        return code;
    bind_i64(statement, 1, before_wall_ns);
    return txn_step(txn, statement, err);
}

int incident_put(struct journal_txn *txn, const struct journal_incident *incident, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_INCIDENT_PUT, &statement, err);
    if (code)
        return code;
    bind_text(statement, 1, incident->id);
    bind_text(statement, 2, incident->trigger);
    bind_text(statement, 3, incident->labels);
    bind_text(statement, 4, incident->state);
    bind_i64(statement, 5, incident->started_wall_ns);
    bind_i64(statement, 6, incident->resolved_wall_ns);
    bind_blob(statement, 7, incident->payload);
    return txn_step(txn, statement, err);
}

static int read_incidents(struct journal_txn *txn, sqlite3_stmt *statement, struct arena *arena,
                          struct journal_incident **ret_incidents, size_t *ret_count, struct error *err)
{
    struct journal_incident *found = NULL;
    size_t count = 0;
    int code;
    while ((code = txn_step(txn, statement, err)) == 1) {
        found = grow(arena, found, count, sizeof *found);
        found[count++] = (struct journal_incident){
            .id = column_text(statement, 0, arena),
            .trigger = column_text(statement, 1, arena),
            .labels = column_text(statement, 2, arena),
            .state = column_text(statement, 3, arena),
            .started_wall_ns = sqlite3_column_int64(statement, 4),
            .resolved_wall_ns = sqlite3_column_int64(statement, 5),
            .payload = column_bytes(statement, 6, arena),
        };
    }
    if (code)
        return code;
    *ret_incidents = found;
    *ret_count = count;
    return 0;
}

int incident_list(struct journal_txn *txn, const char *before_id, size_t limit, struct arena *arena,
                  struct journal_incident **ret_incidents, size_t *ret_count, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_INCIDENT_LIST, &statement, err);
    if (code)
        return code;
    if (before_id)
        bind_text(statement, 1, before_id);
    bind_i64(statement, 2, limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
    return read_incidents(txn, statement, arena, ret_incidents, ret_count, err);
}

int incident_load_open(struct journal_txn *txn, struct arena *arena, struct journal_incident **ret_incidents,
                       size_t *ret_count, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_INCIDENT_OPEN, &statement, err);
    return code ? code : read_incidents(txn, statement, arena, ret_incidents, ret_count, err);
}
