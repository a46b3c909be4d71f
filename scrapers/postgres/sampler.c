#include "scrapers/postgres/sampler.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "scrapers/postgres/connection.h"
#include "scrapers/postgres/lag_source.h"

#include <math.h>
#include <stdlib.h>

#define STALL_INTERVALS 2 /* a tick this much late was ours to miss */
#define QUIET_INTERVALS 4 /* time to hear from the members again, over a new connection if need be */

struct sampler {
    const struct scraper_env *env;
    const struct postgres_config *config;
    struct connection connection;
    struct loop_timer timer;
    struct cluster_member *member;
    struct lag_source *source;
    bool busy, ready; /* a call is under way; connected and not failed since */
    bool identified;  /* the session statement was answered on this connection */
    bool answered;    /* the sample under way has its row */
    int64_t next_connect_ns, backoff_ns;
    int64_t quiet_until_ns; /* after a stall of our own nothing is published until then */
    int64_t sent_mono_ns, sent_wall_ns;
    uint64_t segment_bytes;
    int64_t commit_delay_ns;
    bool has_offset, has_conflict;
    int64_t offset_ns, uncertainty_ns;
    struct error conflict;
    uint64_t samples;
    unsigned open; /* parts that are still to be closed */
    loop_fn *freed;
    void *freed_ctx;
};

enum { SESSION_SYSTEM, SESSION_SEGMENT, SESSION_WRITER_DELAY, SESSION_ADDRESS };

static const char session_sql[] =
    "SELECT system_identifier::text, "
    "(SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'), "
    "(SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_writer_delay'), "
    "host(inet_server_addr()) || ':' || inet_server_port() FROM pg_catalog.pg_control_system()";

enum {
    SAMPLE_STANDBY,
    SAMPLE_WALFILE,
    SAMPLE_TIMELINE,
    SAMPLE_INSERT,
    SAMPLE_FLUSH,
    SAMPLE_RECEIVE,
    SAMPLE_REPLAY,
    SAMPLE_EARLY,
    SAMPLE_AGE,
    SAMPLE_SENDER,
    SAMPLE_CLOCK
};

/* The flush position is read before the insert position, so that it is never ahead of it. A commit may come
 * before its flush where synchronous_commit is off for the server, a database or a role; what a session sets
 * for itself cannot be seen, and is what the loss bound covers. */
static const char sample_sql[] =
    "SELECT r.standby, "
    "CASE WHEN r.standby THEN NULL ELSE pg_walfile_name(pg_current_wal_lsn()) END, "
    "CASE WHEN r.standby THEN coalesce(nullif(w.received_tli, 0), "
    "(SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())) END, "
    "CASE WHEN r.standby THEN NULL ELSE pg_current_wal_insert_lsn() - '0/0' END, "
    "f.flushed - '0/0', "
    "pg_last_wal_receive_lsn() - '0/0', "
    "pg_last_wal_replay_lsn() - '0/0', "
    "CASE WHEN r.standby THEN false ELSE current_setting('synchronous_commit') = 'off' OR EXISTS "
    "(SELECT 1 FROM pg_catalog.pg_db_role_setting WHERE 'synchronous_commit=off' = ANY (setconfig)) END, "
    "CASE WHEN r.standby THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END, "
    "w.sender_host || ':' || w.sender_port, "
    "extract(epoch FROM clock_timestamp()) "
    "FROM (SELECT pg_is_in_recovery() AS standby OFFSET 0) r "
    "CROSS JOIN LATERAL (SELECT CASE WHEN r.standby THEN NULL ELSE pg_current_wal_flush_lsn() END AS flushed "
    "OFFSET 0) f LEFT JOIN pg_catalog.pg_stat_wal_receiver w ON true";

static uint64_t read_u64(const struct pg_result *result, size_t column)
{
    uint64_t number = 0;

    return str_to_u64(pg_value(result, 0, column), &number) ? number : 0;
}

static int64_t read_seconds_ns(const struct pg_result *result, size_t column)
{
    double seconds = 0;

    if (!str_to_double(pg_value(result, 0, column), &seconds) || !(fabs(seconds) < 9e9))
        return 0;
    return (int64_t)(seconds * (double)NS_PER_S);
}

static void copy_text(const struct pg_result *result, size_t column, char *text, size_t size)
{
    struct str value = pg_value(result, 0, column);
    size_t len = value.len < size ? value.len : size - 1;

    memcpy(text, value.len ? value.ptr : "", len);
    text[len] = '\0';
}

/* The first eight digits of a WAL file's name are its timeline. */
static uint32_t timeline_of_walfile(struct str name)
{
    uint32_t timeline = 0;

    for (size_t i = 0; i < 8 && i < name.len; i++) {
        char c = name.ptr[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
        timeline = timeline << 4 | (digit & 15);
    }
    return timeline;
}

static void read_session(struct sampler *sampler, const struct pg_result *result)
{
    char text[CLUSTER_ADDRESS_MAX];

    copy_text(result, SESSION_SYSTEM, text, sizeof text);
    sampler->has_conflict = cluster_identify(sampler->member, text, &sampler->conflict) < 0;
    sampler->segment_bytes = read_u64(result, SESSION_SEGMENT);
    sampler->commit_delay_ns = 3 * (int64_t)read_u64(result, SESSION_WRITER_DELAY) * NS_PER_MS;
    copy_text(result, SESSION_ADDRESS, text, sizeof text);
    cluster_set_address(sampler->member, 1, text);
    sampler->identified = true;
}

static void read_clock(struct sampler *sampler, const struct pg_result *result, int64_t now_ns)
{
    int64_t server_ns = read_seconds_ns(result, SAMPLE_CLOCK);
    int64_t half_ns = (now_ns - sampler->sent_mono_ns) / 2;

    sampler->has_offset = server_ns != 0;
    sampler->offset_ns = server_ns - (sampler->sent_wall_ns + half_ns);
    sampler->uncertainty_ns = half_ns;
}

static void read_sample(struct sampler *sampler, const struct pg_result *result)
{
    char sender[CLUSTER_ADDRESS_MAX];
    struct cluster_sample sample = {
        .sent_ns = sampler->sent_mono_ns,
        .received_ns = clock_mono_ns(),
        .standby = str_equal(pg_value(result, 0, SAMPLE_STANDBY), STR("t")),
        .flush_lsn = read_u64(result, SAMPLE_FLUSH),
        .insert_lsn = cluster_normalize_insert(read_u64(result, SAMPLE_INSERT), sampler->segment_bytes),
        .receive_lsn = read_u64(result, SAMPLE_RECEIVE),
        .replay_lsn = read_u64(result, SAMPLE_REPLAY),
        .early_commits = str_equal(pg_value(result, 0, SAMPLE_EARLY), STR("t")),
        .commit_delay_ns = sampler->commit_delay_ns,
        .replay_age_ns = read_seconds_ns(result, SAMPLE_AGE),
    };

    if (sample.receive_lsn < sample.replay_lsn)
        sample.receive_lsn =
            sample.replay_lsn; /* archive recovery, or streaming began anew at a segment's start */
    if (sample.standby) {
        sample.timeline = (uint32_t)read_u64(result, SAMPLE_TIMELINE);
        copy_text(result, SAMPLE_SENDER, sender, sizeof sender);
        cluster_set_upstream(sampler->member, sender);
    } else {
        sample.timeline = timeline_of_walfile(pg_value(result, 0, SAMPLE_WALFILE));
    }
    read_clock(sampler, result, sample.received_ns);
    cluster_sample(sampler->member, &sample);
    sampler->samples++;
    sampler->answered = true;
}

static void on_result(void *ctx, size_t index, const struct pg_result *result, const struct error *err)
{
    struct sampler *sampler = ctx;

    if (err || sampler->freed || pg_rows(result) != 1)
        return;
    /* The sample goes last, after the session's own statement where that is due. */
    if (index == 0 && !sampler->identified)
        read_session(sampler, result);
    else
        read_sample(sampler, result);
}

static void give_up(struct sampler *sampler)
{
    int64_t interval_ns = sampler->config->lag_interval_ns;

    sampler->ready = false;
    cluster_lost(sampler->member);
    connection_drop(&sampler->connection);
    sampler->backoff_ns = sampler->backoff_ns ? sampler->backoff_ns * 2 : interval_ns;
    if (sampler->backoff_ns > SAMPLER_RECONNECT_MAX_NS)
        sampler->backoff_ns = SAMPLER_RECONNECT_MAX_NS;
    sampler->next_connect_ns = clock_mono_ns() + sampler->backoff_ns - interval_ns / 2;
}

/* When we stood still ourselves (a suspended machine, SIGSTOP), every bound has grown by our own absence:
 * what members answer within a few intervals decides, not that. */
static void publish(struct sampler *sampler, int64_t now_ns)
{
    if (now_ns >= sampler->quiet_until_ns)
        lag_source_publish(sampler->source, now_ns);
}

static void on_done(void *ctx, const struct error *err)
{
    struct sampler *sampler = ctx;

    sampler->busy = false;
    if (sampler->freed)
        return;
    if (err)
        give_up(sampler);
    else if (sampler->answered)
        sampler->backoff_ns = 0;
    else
        cluster_lost(sampler->member); /* refused or empty: seen, but it says nothing */
    publish(sampler, clock_mono_ns());
}

static int64_t sample_deadline_ns(const struct sampler *sampler)
{
    int64_t patience_ns = 4 * sampler->config->lag_interval_ns;

    return patience_ns > 2 * NS_PER_S ? patience_ns : 2 * NS_PER_S;
}

static void ask(struct sampler *sampler)
{
    struct pg_statement statements[2];
    struct error err;
    size_t count = 0;
    int64_t now_ns = clock_mono_ns();

    if (!sampler->identified)
        statements[count++] = (struct pg_statement){.name = "session", .sql = session_sql};
    statements[count++] = (struct pg_statement){.name = "sample", .sql = sample_sql};
    sampler->answered = false;
    sampler->sent_mono_ns = now_ns;
    sampler->sent_wall_ns = clock_wall_ns();
    sampler->busy = pg_run(sampler->connection.pg, statements, count, now_ns + sample_deadline_ns(sampler),
                           on_result, on_done, sampler, &err) == 0;
    if (!sampler->busy)
        give_up(sampler);
}

static void on_connected(void *ctx, struct pg *pg, const struct error *err)
{
    struct sampler *sampler = ctx;

    (void)pg;
    sampler->busy = false;
    if (sampler->freed)
        return;
    if (err) {
        give_up(sampler);
        return;
    }
    sampler->ready = true;
    sampler->identified = false;
    ask(sampler);
}

static void open_connection(struct sampler *sampler, int64_t now_ns)
{
    struct error err;
    int64_t patience_ns = sample_deadline_ns(sampler);

    sampler->busy = connection_open(&sampler->connection, patience_ns, now_ns + patience_ns, on_connected,
                                    sampler, &err) == 0;
    if (!sampler->busy)
        give_up(sampler);
}

static void on_tick(void *ctx, int64_t lateness_ns)
{
    struct sampler *sampler = ctx;
    int64_t now_ns = clock_mono_ns();

    if (lateness_ns > STALL_INTERVALS * sampler->config->lag_interval_ns)
        sampler->quiet_until_ns = now_ns + QUIET_INTERVALS * sampler->config->lag_interval_ns;
    publish(sampler, now_ns);
    if (sampler->busy)
        return;
    if (sampler->ready && !pg_is_dead(sampler->connection.pg))
        ask(sampler);
    else if (sampler->ready)
        give_up(sampler);
    else if (now_ns >= sampler->next_connect_ns)
        open_connection(sampler, now_ns);
}

struct sampler *sampler_new(const struct scraper_env *env, const struct postgres_config *config)
{
    struct sampler *sampler = xcalloc(1, sizeof *sampler);
    char address[CLUSTER_ADDRESS_MAX];
    int64_t now_ns = clock_mono_ns();

    sampler->env = env;
    sampler->config = config;
    connection_init(&sampler->connection, env, config);
    sampler->member = cluster_join(env->loop, config->cluster ? config->cluster : config->target.name,
                                   config->target.name, config->lag_interval_ns, now_ns);
    pg_conninfo_target(config->dsn, address, sizeof address);
    cluster_set_address(sampler->member, 0, address);
    sampler->source = lag_source_new(env, config, sampler->member);
    loop_timer_init(env->loop, &sampler->timer, "postgres.lag", on_tick, sampler);
    loop_timer_start(&sampler->timer, now_ns, config->lag_interval_ns);
    return sampler;
}

static void on_part_closed(void *ctx)
{
    struct sampler *sampler = ctx;

    if (--sampler->open > 0)
        return;
    loop_fn *freed = sampler->freed;
    void *freed_ctx = sampler->freed_ctx;
    free(sampler);
    freed(freed_ctx);
}

void sampler_shutdown(struct sampler *sampler, loop_fn *freed, void *ctx)
{
    sampler->freed = freed;
    sampler->freed_ctx = ctx;
    sampler->open = 2;
    lag_source_free(TAKE(sampler->source));
    loop_timer_stop(&sampler->timer);
    loop_timer_close(&sampler->timer, on_part_closed);
    connection_shutdown(&sampler->connection, on_part_closed, sampler);
    cluster_leave(TAKE(sampler->member));
}

struct cluster_member *sampler_member(const struct sampler *sampler)
{
    return sampler->member;
}

bool sampler_clock_offset(const struct sampler *sampler, int64_t *ret_offset_ns, int64_t *ret_uncertainty_ns)
{
    *ret_offset_ns = sampler->offset_ns;
    *ret_uncertainty_ns = sampler->uncertainty_ns;
    return sampler->has_offset && sampler->ready;
}

const struct error *sampler_conflict(const struct sampler *sampler)
{
    return sampler->has_conflict ? &sampler->conflict : NULL;
}

uint64_t sampler_round_trips(const struct sampler *sampler)
{
    return connection_round_trips(&sampler->connection);
}

uint64_t sampler_samples(const struct sampler *sampler)
{
    return sampler->samples;
}
