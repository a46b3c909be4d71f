#include "provisioner/self_hosted/postgres_config.h"

#include "provisioner/self_hosted/database_roles.h"
#include "provisioner/self_hosted/near.h"

#define SPARE_SENDERS 8 /* beside the standbys: base backups, pg_rewind, people */

struct postgres_paths postgres_paths_of(const struct site *site)
{
    struct arena *arena = site->arena;
    const struct layout *layout = site->layout;
    const char *folder = arena_printf(arena, "%s/postgresql", layout->config);
    return (struct postgres_paths){
        .bin = arena_printf(arena, "/usr/lib/postgresql/%lld/bin", (long long)site->region->database.version),
        .data = arena_printf(arena, "%s/postgresql", layout->data),
        .folder = folder,
        .conf = arena_printf(arena, "%s/postgresql.conf", folder),
        .hba = arena_printf(arena, "%s/pg_hba.conf", folder),
        .ident = arena_printf(arena, "%s/pg_ident.conf", folder),
        .machine = arena_printf(arena, "%s/machine.conf", folder),
        .extra = arena_printf(arena, "%s/conf.d", folder),
        .role = arena_printf(arena, "%s/role.sh", folder),
        .roles = arena_printf(arena, "%s/roles.sql", folder),
        .database = arena_printf(arena, "%s/database.sql", folder),
        .slots = arena_printf(arena, "%s/slots.sql", folder),
        .authority = arena_printf(arena, "%s/ca.pem", folder),
        .certificate = arena_printf(arena, "%s/server.crt", folder),
        .key = arena_printf(arena, "%s/server.key", folder),
        .socket = arena_printf(arena, "%s/postgresql", layout->run),
    };
}

const struct site *const *postgres_sites(const struct site *site, size_t *ret_count)
{
    const struct site **sites = arena_zalloc(site->arena, (site->site_count + 1) * sizeof *sites);
    *ret_count = 0;
    for (size_t i = 0; i < site->site_count; i++) {
        if (near_same_cluster(site, &site->sites[i]))
            sites[(*ret_count)++] = &site->sites[i];
    }
    return sites;
}

const char *postgres_slot(struct arena *arena, const struct region *region)
{
    char *slot = arena_printf(arena, "fraiseql_%s", region->name);
    for (char *at = slot; *at; at++) {
        if (*at == '-')
            *at = '_';
    }
    return slot;
}

const char *postgres_client(const struct site *site, const char *user, const char *suffix)
{
    return arena_printf(site->arena, "%s/postgresql/%s.%s", site->layout->config, user, suffix);
}

/* The host's name is the region's: the certificate holds it, and hostaddr keeps it from being looked up. */
const char *postgres_conninfo(const struct site *from, const struct site *to, const char *user)
{
    return arena_printf(from->arena,
                        "host=%s hostaddr=%s port=%u user=%s sslmode=verify-full sslrootcert=%s sslcert=%s "
                        "sslkey=%s connect_timeout=5 keepalives_idle=5 keepalives_interval=2 "
                        "keepalives_count=3 tcp_user_timeout=10000",
                        to->region->name, to->layout->address, to->layout->ports[PORT_POSTGRES], user,
                        postgres_paths_of(from).authority, postgres_client(from, user, "crt"),
                        postgres_client(from, user, "key"));
}

/* --- postgresql.conf
 * ------------------------------------------------------------------------------------------- */

/* The other regions of the cluster, as a list of synchronous_standby_names. */
static void write_synchronous(const struct site *site, struct buf *out)
{
    const struct deployment_replication *replication = &site->deployment->replication;
    size_t count = 0;
    const struct site *const *sites = postgres_sites(site, &count);
    if (replication->commit == COMMIT_ASYNC || count < 2) {
        buf_append_text(out, "synchronous_standby_names = ''\n");
        return;
    }
    buf_printf(out, "synchronous_standby_names = '%s %lld (",
               replication->commit == COMMIT_QUORUM ? "ANY" : "FIRST",
               (long long)(replication->commit == COMMIT_QUORUM ? replication->quorum : 1));
    for (size_t i = 0, named = 0; i < count; i++) {
        if (strcmp(sites[i]->region->name, site->region->name) != 0)
            buf_printf(out, "%s\"%s\"", named++ ? ", " : "", sites[i]->region->name);
    }
    buf_append_text(out, ")'\n");
}

static void write_replication(const struct site *site, struct buf *out)
{
    size_t count = 0;
    (void)postgres_sites(site, &count);
    buf_printf(out,
               "\nwal_level = replica\nwal_log_hints = on\nhot_standby = on\nhot_standby_feedback = on\n"
               "max_wal_senders = %zu\nmax_replication_slots = %zu\nwal_keep_size = 256MB\n"
               "wal_receiver_status_interval = 1s\nwal_sender_timeout = 10s\nwal_receiver_timeout = 10s\n"
               "wal_retrieve_retry_interval = 500ms\n",
               count + SPARE_SENDERS, count + SPARE_SENDERS);
    write_synchronous(site, out);
    /* Switched on from the first day, since it takes a restart; what archives puts its command into conf.d.
     */
    if (site->deployment->backup.enabled)
        buf_append_text(out, "archive_mode = on\narchive_command = '/bin/true'\n");
    const struct site *primary = near_write_site(site);
    if (primary == site || strcmp(primary->region->name, site->region->name) == 0)
        return;
    buf_printf(out, "\nprimary_conninfo = '%s application_name=%s'\nprimary_slot_name = '%s'\n",
               postgres_conninfo(site, primary, POSTGRES_ROLE_REPLICATION), site->region->name,
               postgres_slot(site->arena, site->region));
}

void postgres_write_conf(const struct site *site, struct buf *out)
{
    const struct postgres_paths paths = postgres_paths_of(site);
    const struct layout *layout = site->layout;
    buf_printf(out,
               "# Written by fraiseql deploy; further settings go into conf.d.\n"
               "data_directory = '%s'\nhba_file = '%s'\nident_file = '%s'\n"
               "cluster_name = '%s/%s'\nlisten_addresses = '%s'\nport = %u\n"
               "unix_socket_directories = '%s'\nmax_connections = 200\n"
               "password_encryption = scram-sha-256\n"
               "ssl = on\nssl_min_protocol_version = 'TLSv1.2'\nssl_ca_file = '%s'\nssl_cert_file = '%s'\n"
               "ssl_key_file = '%s'\n",
               paths.data, paths.hba, paths.ident, layout->deployment, layout->region, layout->address,
               layout->ports[PORT_POSTGRES], paths.socket, paths.authority, paths.certificate, paths.key);
    write_replication(site, out);
    buf_printf(out,
               "\ntcp_keepalives_idle = 30\ntcp_keepalives_interval = 5\ntcp_keepalives_count = 3\n"
               "log_line_prefix = '%%m [%%p] %%q%%u@%%d '\nlog_timezone = 'UTC'\ntimezone = 'UTC'\n"
               "log_lock_waits = on\nlog_checkpoints = on\ntrack_io_timing = on\nrandom_page_cost = 1.1\n"
               "\n# Sized to the machine.\ninclude = '%s'\ninclude_dir = '%s'\n",
               paths.machine, paths.extra);
}

/* --- who may connect
 * ------------------------------------------------------------------------------------------- */

void postgres_write_hba(const struct site *site, struct buf *out)
{
    static const struct {
        const char *databases, *role, *method;
    } rules[] = {
        {"replication", POSTGRES_ROLE_REPLICATION, "cert"},
        {"postgres", POSTGRES_ROLE_REWIND, "cert"},
        {DATABASE_NAME, DATABASE_ROLE_SERVICE, "scram-sha-256"},
        {"postgres," DATABASE_NAME, DATABASE_ROLE_MONITOR, "scram-sha-256"},
    };
    size_t count = 0;
    const struct site *const *sites = postgres_sites(site, &count);
    buf_append_text(out, "# Written by fraiseql deploy.\nlocal all postgres peer map=administrators\n");
    for (size_t rule = 0; rule < ARRAY_LEN(rules); rule++) {
        bool loopback = false;
        for (size_t i = 0; i < count; i++) {
            const char *address = sites[i]->layout->address;
            /* Of whatever loopback address is asked, the asker's is 127.0.0.1. */
            if (strncmp(address, "127.", 4) == 0) {
                if (!loopback)
                    buf_printf(out, "hostssl %s %s 127.0.0.0/8 %s\n", rules[rule].databases, rules[rule].role,
                               rules[rule].method);
                loopback = true;
                continue;
            }
            buf_printf(out, "hostssl %s %s %s/32 %s\n", rules[rule].databases, rules[rule].role, address,
                       rules[rule].method);
        }
    }
}

void postgres_write_ident(const struct site *site, struct buf *out)
{
    buf_printf(out,
               "# Written by fraiseql deploy.\nadministrators root postgres\nadministrators %s postgres\n",
               site->layout->postgres_user);
}

void postgres_write_role(const struct site *site, struct buf *out)
{
    const struct site *primary = near_write_site(site);
    bool writes = strcmp(primary->region->name, site->region->name) == 0;
    buf_printf(
        out, "follows=%s\nsource=%s\nsource_database=%s\nslot=%s\n",
        writes ? "''" : step_quote(site->arena, primary->region->name),
        writes ? "''" : step_quote(site->arena, postgres_conninfo(site, primary, POSTGRES_ROLE_REPLICATION)),
        writes ? "''" : step_quote(site->arena, postgres_conninfo(site, primary, POSTGRES_ROLE_REWIND)),
        postgres_slot(site->arena, site->region));
}

/* --- SQL
 * ----------------------------------------------------------------------------------------------------- */

/* Passwords of the vault are of the base64url alphabet, but who knows who edited them. */
static void write_literal(const char *text, struct buf *out)
{
    buf_append_byte(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_append_byte(out, '\'');
        buf_append_byte(out, *text);
    }
    buf_append_byte(out, '\'');
}

static void write_role(const char *role, const char *rights, const char *password, struct buf *out)
{
    buf_printf(out,
               "SELECT 'CREATE ROLE %s' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%s') "
               "\\gexec\nALTER ROLE %s LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE %s PASSWORD ",
               role, role, role, rights);
    if (password)
        write_literal(password, out);
    else
        buf_append_text(out, "NULL");
    buf_append_text(out, ";\n");
}

void postgres_write_roles(const char *service_password, const char *monitor_password, struct buf *out)
{
    buf_append_text(out, "SET standard_conforming_strings = on;\nSET synchronous_commit = local;\n"
                         "SET log_statement = none;\nSET log_min_duration_statement = -1;\n"
                         "SET log_min_error_statement = panic;\n");
    write_role(POSTGRES_ROLE_REPLICATION, "REPLICATION", NULL, out);
    write_role(POSTGRES_ROLE_REWIND, "NOREPLICATION", NULL, out);
    write_role(DATABASE_ROLE_SERVICE, "NOREPLICATION", service_password, out);
    write_role(DATABASE_ROLE_MONITOR, "NOREPLICATION", monitor_password, out);
    buf_append_text(
        out, "GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean),\n"
             "  pg_read_binary_file(text), pg_read_binary_file(text, bigint, bigint, boolean)\n"
             "  TO " POSTGRES_ROLE_REWIND ";\n"
             "SELECT 'GRANT pg_checkpoint TO " POSTGRES_ROLE_REWIND "'\n"
             "  WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg_checkpoint') \\gexec\n"
             "GRANT pg_monitor TO " DATABASE_ROLE_MONITOR ";\n"
             "SELECT 'CREATE DATABASE " DATABASE_NAME " OWNER " DATABASE_ROLE_SERVICE "'\n"
             "  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '" DATABASE_NAME "') \\gexec\n"
             "REVOKE ALL ON DATABASE " DATABASE_NAME " FROM PUBLIC;\n"
             "GRANT CONNECT ON DATABASE " DATABASE_NAME " TO " DATABASE_ROLE_MONITOR ";\n");
}

void postgres_write_database(struct buf *out)
{
    buf_append_text(out, "SET synchronous_commit = local;\n"
                         "ALTER SCHEMA public OWNER TO " DATABASE_ROLE_SERVICE ";\n"
                         "REVOKE ALL ON SCHEMA public FROM PUBLIC;\n"
                         "GRANT USAGE ON SCHEMA public TO PUBLIC;\n");
}

/* A slot that lost what it kept is of no use; one of a region that is no more keeps WAL for ever. */
void postgres_write_slots(const struct site *site, struct buf *out)
{
    size_t count = 0;
    const struct site *const *sites = postgres_sites(site, &count);
    buf_append_text(out, "CREATE TEMPORARY TABLE wanted AS SELECT unnest(ARRAY[");
    for (size_t i = 0, named = 0; i < count; i++) {
        if (strcmp(sites[i]->region->name, site->region->name) != 0)
            buf_printf(out, "%s'%s'", named++ ? ", " : "", postgres_slot(site->arena, sites[i]->region));
    }
    buf_append_text(
        out, "]::name[]) AS slot;\n"
             "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots\n"
             "  WHERE slot_type = 'physical' AND NOT active AND NOT temporary AND slot_name ~ '^fraiseql_'\n"
             "    AND (wal_status = 'lost' OR slot_name NOT IN (SELECT slot FROM wanted));\n"
             "SELECT pg_create_physical_replication_slot(slot, true) FROM wanted\n"
             "  WHERE slot NOT IN (SELECT slot_name FROM pg_replication_slots);\n");
}
