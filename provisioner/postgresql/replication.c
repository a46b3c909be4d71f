#include "provisioner/postgresql/replication.h"

#include <stdio.h>

#define ORIGIN_VERSION   16
#define PARALLEL_VERSION 16
#define STRIDE           16 /* numbers of one node; wider only where there are more regions */
#define STRIDE_WIDE      128

const struct replication_filter *replication_filter_of(const struct deployment *deployment,
                                                       const struct region *region)
{
    const struct section_list *filters = &deployment->replication.filters;
    for (size_t i = 0; i < filters->count; i++) {
        const struct replication_filter *filter = SECTION_AT(const struct replication_filter, *filters, i);
        if (filter->region && strcmp(filter->region, region->name) == 0)
            return filter;
    }
    return NULL;
}

static bool sends(const struct deployment *deployment, const struct region *region)
{
    const char *primary = deployment->replication.primary;
    return deployment_replicates(deployment, region) &&
           (deployment->replication.mode == REPLICATION_ACTIVE_ACTIVE ||
            (primary && strcmp(primary, region->name) == 0));
}

/* --- quoting
 * --------------------------------------------------------------------------------------------------- */

/* 'text' with quotes doubled: psql looks for neither variables nor backslashes inside. */
static void literal(struct buf *sql, struct str text)
{
    buf_append_byte(sql, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_append_byte(sql, '\'');
        buf_append_byte(sql, text.ptr[i]);
    }
    buf_append_byte(sql, '\'');
}

/* A region's name as part of a name in PostgreSQL, where slots take no dashes. */
static void slug(struct buf *sql, const char *name)
{
    for (; *name; name++)
        buf_append_byte(sql, *name == '-' ? '_' : *name);
}

/* The psql variable that says where a peer is. */
static void variable(struct buf *sql, const struct region *from)
{
    buf_append_text(sql, "peer_");
    slug(sql, from->name);
}

static void publication(struct buf *sql, const struct region *region)
{
    buf_append_text(sql, "fraiseql_");
    slug(sql, region->name);
}

static void subscription(struct buf *sql, const struct region *to, const struct region *from)
{
    publication(sql, to);
    buf_append_text(sql, "_from_");
    slug(sql, from->name);
}

/* --- what leaves
 * ----------------------------------------------------------------------------------------------- */

/* A condition that holds for the tables named. Without a schema a table that leaves is one of public, and one
 * that stays is of any schema: what is in doubt stays. */
static void named(struct buf *sql, const struct string_list *tables, bool any_schema, char relation,
                  char schema)
{
    for (size_t i = 0; i < tables->count; i++) {
        const char *name = tables->items[i], *dot = strchr(name, '.');
        buf_append_text(sql, i ? " OR (" : "(");
        if (dot || !any_schema) {
            buf_printf(sql, "%c.nspname = ", schema);
            literal(sql, dot ? (struct str){name, (size_t)(dot - name)} : STR("public"));
            buf_append_text(sql, " AND ");
        }
        buf_printf(sql, "%c.relname = ", relation);
        literal(sql, str_from(dot ? dot + 1 : name));
        buf_append_byte(sql, ')');
    }
}

/* FROM and WHERE over the tables that leave the region: ordinary ones with a key by which a row is found. */
static void tables_that_leave(struct buf *sql, const struct replication_filter *filter)
{
    buf_append_text(
        sql, "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace\n"
             "  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'\n"
             "    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'\n"
             "    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass\n"
             "                    AND d.objid = c.oid AND d.deptype = 'e')\n"
             "    AND (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid\n"
             "         AND (i.indisprimary AND c.relreplident = 'd' OR i.indisreplident)))\n");
    if (filter && filter->tables.count) {
        buf_append_text(sql, "    AND (");
        named(sql, &filter->tables, false, 'c', 'n');
        buf_append_text(sql, ")\n");
    }
    if (filter && filter->exclude.count) {
        buf_append_text(sql, "    AND NOT (");
        named(sql, &filter->exclude, true, 'c', 'n');
        /* A partitioned table leaves whole, so it stays whole where one of its partitions must stay. */
        buf_append_text(
            sql, ")\n    AND NOT EXISTS (SELECT FROM pg_partition_tree(c.oid) t\n"
                 "         JOIN pg_class p ON p.oid = t.relid JOIN pg_namespace m ON m.oid = p.relnamespace\n"
                 "         WHERE ");
        named(sql, &filter->exclude, true, 'p', 'm');
        buf_append_text(sql, ")\n");
    }
}

/* A filter by row may read every column only where the old row is written whole, in partitions too. */
static void write_identities(const struct replication_filter *filter, struct buf *sql)
{
    buf_append_text(sql, "-- A filter by row may read every column only where the old row is written whole.\n"
                         "SELECT format('ALTER TABLE %s REPLICA IDENTITY FULL', m.oid::regclass)\n"
                         "  FROM pg_class m WHERE m.relreplident <> 'f' AND m.oid IN (\n"
                         "  WITH leaving AS (SELECT c.oid\n");
    tables_that_leave(sql, filter);
    buf_append_text(sql,
                    "  ) SELECT oid FROM leaving\n"
                    "    UNION SELECT t.relid FROM leaving, pg_partition_tree(leaving.oid) t) \\gexec\n");
}

/* Nothing may go on leaving that did before, and nobody may read what does not leave. */
static void write_withdrawals(const struct region *region, const struct replication_filter *filter,
                              struct buf *sql)
{
    buf_append_text(sql, "SELECT format('ALTER PUBLICATION ");
    publication(sql, region);
    buf_append_text(
        sql, " DROP TABLE %I.%I', schemaname, tablename)\n  FROM pg_publication_tables WHERE pubname = '");
    publication(sql, region);
    buf_append_text(sql, "' AND NOT EXISTS (SELECT\n");
    tables_that_leave(sql, filter);
    buf_append_text(
        sql, "  ) \\gexec\n"
             "SELECT format('REVOKE SELECT ON %I.%I FROM fraiseql_replication', table_schema, table_name)\n"
             "  FROM information_schema.role_table_grants\n"
             "  WHERE grantee = 'fraiseql_replication' AND privilege_type = 'SELECT' \\gexec\n"
             "SELECT format('GRANT SELECT ON %I.%I TO fraiseql_replication', schemaname, tablename)\n"
             "  FROM pg_publication_tables WHERE pubname = '");
    publication(sql, region);
    buf_append_text(sql, "' \\gexec\n");
}

static void write_publication(const struct deployment *deployment, const struct region *region,
                              struct buf *sql)
{
    const struct replication_filter *filter = replication_filter_of(deployment, region);
    struct buf condition = BUF_INIT(64UL * 1024);
    if (filter && filter->rows)
        buf_printf(&condition, " WHERE (%s)", filter->rows);
    buf_append_text(
        sql, "\n-- What leaves this region. A table without a primary key cannot: its updates would fail.\n"
             "SELECT 'CREATE PUBLICATION ");
    publication(sql, region);
    buf_append_text(sql, " WITH (publish_via_partition_root = true)'\n"
                         "  WHERE NOT EXISTS (SELECT FROM pg_publication WHERE pubname = '");
    publication(sql, region);
    buf_append_text(sql, "') \\gexec\n");
    if (condition.len)
        write_identities(filter, sql);
    buf_append_text(sql, "SELECT format('ALTER PUBLICATION ");
    publication(sql, region);
    buf_append_text(sql, " SET TABLE %s', string_agg(format('%I.%I%s', n.nspname, c.relname, ");
    literal(sql, buf_str(&condition));
    buf_append_text(sql, "), ', '\n         ORDER BY n.nspname, c.relname))\n");
    tables_that_leave(sql, filter);
    buf_append_text(sql, "  HAVING count(*) > 0 \\gexec\n");
    buf_deinit(&condition);
    write_withdrawals(region, filter, sql);
}

/* --- sequences
 * ------------------------------------------------------------------------------------------------- */

/* Numbers of node k are those that leave k + 1 when divided by the stride, so two writers never draw one. */
static void write_sequences(const struct deployment *deployment, const struct region *region, struct buf *sql)
{
    int stride = deployment_places(deployment) < STRIDE ? STRIDE : STRIDE_WIDE;
    int rest = (int)region->index + 1;
    buf_printf(
        sql,
        "\n-- Numbers that no other region draws: those that leave %d when divided by %d.\n"
        "SELECT format('ALTER SEQUENCE %%I.%%I INCREMENT BY %d RESTART WITH %%s', schemaname, sequencename,\n"
        "         (coalesce(last_value, start_value - 1) / %d + 1) * %d + %d)\n"
        "  FROM pg_sequences\n"
        "  WHERE schemaname !~ '^pg_' AND increment_by > 0\n"
        "    AND (increment_by <> %d OR (last_value IS NOT NULL AND last_value %% %d <> %d)) \\gexec\n",
        rest, stride, stride, stride, stride, rest, stride, stride, rest % stride);
}

/* --- what arrives
 * ---------------------------------------------------------------------------------------------- */

static void write_connection(struct buf *sql, const struct region *from)
{
    buf_append_text(sql, ":'");
    variable(sql, from);
    buf_append_text(sql,
                    "' || ' user=fraiseql_replication password=''' ||\n"
                    "         replace(replace(:'replication_password', '\\', '\\\\'), '''', '\\''') || ''''");
}

/* The first region that takes part is where first copies come from: a second source would bring every row
 * twice. */
static bool copies_from(const struct deployment *deployment, const struct region *from)
{
    if (deployment->replication.mode == REPLICATION_STREAMING)
        return true;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (region->index < from->index && deployment_replicates(deployment, region))
            return false;
    }
    return true;
}

static void write_subscription(const struct deployment *deployment, const struct region *to,
                               const struct region *from, struct buf *sql)
{
    const char *copy = copies_from(deployment, from) ? "true" : "false";
    bool active = deployment->replication.mode == REPLICATION_ACTIVE_ACTIVE;
    buf_printf(sql, "\n-- From %s.\n\\if :{?", from->name);
    variable(sql, from);
    buf_append_text(sql, "}\n\\if :{?replication_password}\nSELECT format('CREATE SUBSCRIPTION ");
    subscription(sql, to, from);
    buf_append_text(sql, " CONNECTION %L PUBLICATION ");
    publication(sql, from);
    buf_printf(sql, " WITH (copy_data = %s, streaming = %s%s)',\n         ", copy,
               to->database.version >= PARALLEL_VERSION ? "parallel" : "on",
               active && to->database.version >= ORIGIN_VERSION ? ", origin = none" : "");
    write_connection(sql, from);
    buf_append_text(
        sql, ")\n  WHERE NOT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid\n"
             "                    WHERE d.datname = current_database() AND s.subname = '");
    subscription(sql, to, from);
    buf_append_text(sql, "') \\gexec\nSELECT format('ALTER SUBSCRIPTION ");
    subscription(sql, to, from);
    buf_append_text(sql, " CONNECTION %L', ");
    write_connection(sql, from);
    buf_append_text(sql, ") \\gexec\n\\endif\nALTER SUBSCRIPTION ");
    subscription(sql, to, from);
    buf_printf(sql, " REFRESH PUBLICATION WITH (copy_data = %s);\n\\else\n\\warn '", copy);
    variable(sql, from);
    buf_append_text(sql, " is not given: nothing was done for it'\n\\endif\n");
}

/* --- what is left of others
 * ----------------------------------------------------------------------------------------------- */

/* In a list of names after NOT IN; the empty text is no name. */
static void write_others(const struct deployment *deployment, const struct region *region, bool slots,
                         struct buf *sql)
{
    buf_append_text(sql, "(''");
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *other = deployment_region(deployment, i);
        if (other == region || !deployment_replicates(deployment, other) ||
            !sends(deployment, slots ? region : other))
            continue;
        buf_append_text(sql, ", '");
        subscription(sql, slots ? other : region, slots ? region : other);
        buf_append_byte(sql, '\'');
    }
    buf_append_byte(sql, ')');
}

/* A subscription to a region that no longer sends, and a slot for one that no longer fetches: it would hold
 * the log back until the disk is full. A slot that is in use stays until it is not. Without the slot's name a
 * subscription goes although its publisher cannot be asked. */
static void write_removals(const struct deployment *deployment, const struct region *region, struct buf *sql)
{
    buf_append_text(
        sql, "\n-- What regions that no longer take part have left.\n"
             "DO $fraiseql$\nDECLARE gone name;\nBEGIN\n"
             "  FOR gone IN SELECT s.subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid\n"
             "    WHERE d.datname = current_database() AND starts_with(s.subname, '");
    publication(sql, region);
    buf_append_text(sql, "_from_')\n      AND s.subname NOT IN ");
    write_others(deployment, region, false, sql);
    buf_printf(sql,
               "\n  LOOP\n"
               "    EXECUTE format('ALTER SUBSCRIPTION %%I DISABLE', gone);\n"
               "    EXECUTE format('ALTER SUBSCRIPTION %%I SET (slot_name = NONE)', gone);\n"
               "    EXECUTE format('DROP SUBSCRIPTION %%I', gone);\n"
               "  END LOOP;\n"
               "  PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots\n"
               "    WHERE database = current_database() AND slot_type = 'logical' AND NOT active\n"
               "      AND starts_with(slot_name, 'fraiseql_') AND right(slot_name, %zu) = '_from_",
               sizeof "_from_" - 1 + strlen(region->name));
    slug(sql, region->name);
    buf_append_text(sql, "'\n      AND slot_name NOT IN ");
    write_others(deployment, region, true, sql);
    buf_append_text(
        sql, ";\nEXCEPTION WHEN insufficient_privilege OR object_in_use THEN\n"
             "  RAISE WARNING 'what is left of a region that no longer takes part stays: %', SQLERRM;\n"
             "END $fraiseql$;\n");
}

/* --- the script
 * ------------------------------------------------------------------------------------------------ */

static void write_head(const struct deployment *deployment, const struct region *region, struct buf *sql)
{
    buf_printf(
        sql,
        "-- Logical replication of region %s, for psql as the database's administrator. Running it again\n"
        "-- changes only what differs; run it again after new tables, partitions or sequences.\n"
        "--\n"
        "-- First with -v phase=publish in every region, then with -v phase=subscribe in every region: a\n"
        "-- subscription that is older than its publication would never find it.\n"
        "-- Variables: replication_password, alike in all regions",
        region->name);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *other = deployment_region(deployment, i);
        if (other != region && sends(deployment, other)) {
            buf_append_text(sql, ", ");
            variable(sql, other);
        }
    }
    buf_append_text(
        sql, ".\n-- A peer is \"host=... port=... dbname=... sslmode=...\", without user and password.\n"
             "\\set ON_ERROR_STOP on\n"
             "\\if :{?phase}\n\\else\n"
             "\\warn 'run it with -v phase=publish in every region, then with -v phase=subscribe'\n"
             "\\endif\n"
             "SELECT :'phase' = 'publish' AS publishing, :'phase' = 'subscribe' AS subscribing \\gset\n");
}

static void write_role(struct buf *sql)
{
    buf_append_text(
        sql, "\n-- Who fetches rows.\n"
             "SELECT 'CREATE ROLE fraiseql_replication LOGIN'\n"
             "  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fraiseql_replication') \\gexec\n"
             "\\if :{?replication_password}\n"
             "SET password_encryption = 'scram-sha-256';\n"
             "ALTER ROLE fraiseql_replication LOGIN PASSWORD :'replication_password';\n"
             "\\endif\n"
             "SELECT CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication')\n"
             "            THEN 'GRANT rds_replication TO fraiseql_replication'\n"
             "            ELSE 'ALTER ROLE fraiseql_replication REPLICATION' END \\gexec\n"
             "SELECT format('GRANT USAGE ON SCHEMA %I TO fraiseql_replication', nspname) FROM pg_namespace\n"
             "  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \\gexec\n");
}

void replication_render(const struct deployment *deployment, const struct region *region, struct buf *sql)
{
    if (!deployment_replicates(deployment, region))
        return;
    write_head(deployment, region, sql);
    buf_append_text(sql, "\n\\if :publishing\n");
    if (sends(deployment, region)) {
        write_role(sql);
        write_publication(deployment, region, sql);
    }
    if (deployment->replication.mode == REPLICATION_ACTIVE_ACTIVE)
        write_sequences(deployment, region, sql);
    write_removals(deployment, region, sql);
    buf_append_text(sql, "\n\\endif\n\n\\if :subscribing\n");
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *other = deployment_region(deployment, i);
        if (other != region && sends(deployment, other))
            write_subscription(deployment, region, other, sql);
    }
    buf_append_text(sql, "\n\\endif\n");
}

bool replication_render_source(const struct deployment *deployment, const struct region *to,
                               const struct region *from, struct json_writer *json)
{
    if (to == from || !deployment_replicates(deployment, to) || !sends(deployment, from))
        return false;
    static void (*const names[])(struct buf *, const struct region *) = {variable, publication};
    static const char *const keys[] = {"variable", "publication"};
    struct buf name = BUF_INIT(4096);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        buf_reset(&name);
        names[i](&name, from);
        json_kv_str(json, keys[i], buf_str(&name));
    }
    buf_reset(&name);
    subscription(&name, to, from);
    json_kv_str(json, "subscription", buf_str(&name));
    buf_deinit(&name);
    return true;
}
