-- Logical replication of region apac, for psql as the database's administrator. Running it again
-- changes only what differs; run it again after new tables, partitions or sequences.
--
-- First with -v phase=publish in every region, then with -v phase=subscribe in every region: a
-- subscription that is older than its publication would never find it.
-- Variables: replication_password, alike in all regions, peer_us_east, peer_eu_west.
-- A peer is "host=... port=... dbname=... sslmode=...", without user and password.
\set ON_ERROR_STOP on
\if :{?phase}
\else
\warn 'run it with -v phase=publish in every region, then with -v phase=subscribe'
\endif
SELECT :'phase' = 'publish' AS publishing, :'phase' = 'subscribe' AS subscribing \gset

\if :publishing

-- Who fetches rows.
SELECT 'CREATE ROLE fraiseql_replication LOGIN'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fraiseql_replication') \gexec
\if :{?replication_password}
SET password_encryption = 'scram-sha-256';
ALTER ROLE fraiseql_replication LOGIN PASSWORD :'replication_password';
\endif
SELECT CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication')
            THEN 'GRANT rds_replication TO fraiseql_replication'
            ELSE 'ALTER ROLE fraiseql_replication REPLICATION' END \gexec
SELECT format('GRANT USAGE ON SCHEMA %I TO fraiseql_replication', nspname) FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \gexec

-- What leaves this region. A table without a primary key cannot: its updates would fail.
SELECT 'CREATE PUBLICATION fraiseql_apac WITH (publish_via_partition_root = true)'
  WHERE NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'fraiseql_apac') \gexec
SELECT format('ALTER PUBLICATION fraiseql_apac SET TABLE %s', string_agg(format('%I.%I%s', n.nspname, c.relname, ''), ', '
         ORDER BY n.nspname, c.relname))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e')
    AND (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid
         AND (i.indisprimary AND c.relreplident = 'd' OR i.indisreplident)))
  HAVING count(*) > 0 \gexec
SELECT format('ALTER PUBLICATION fraiseql_apac DROP TABLE %I.%I', schemaname, tablename)
  FROM pg_publication_tables WHERE pubname = 'fraiseql_apac' AND NOT EXISTS (SELECT
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e')
    AND (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid
         AND (i.indisprimary AND c.relreplident = 'd' OR i.indisreplident)))
  ) \gexec
SELECT format('REVOKE SELECT ON %I.%I FROM fraiseql_replication', table_schema, table_name)
  FROM information_schema.role_table_grants
  WHERE grantee = 'fraiseql_replication' AND privilege_type = 'SELECT' \gexec
SELECT format('GRANT SELECT ON %I.%I TO fraiseql_replication', schemaname, tablename)
  FROM pg_publication_tables WHERE pubname = 'fraiseql_apac' \gexec

-- Numbers that no other region draws: those that leave 3 when divided by 16.
SELECT format('ALTER SEQUENCE %I.%I INCREMENT BY 16 RESTART WITH %s', schemaname, sequencename,
         (coalesce(last_value, start_value - 1) / 16 + 1) * 16 + 3)
  FROM pg_sequences
  WHERE schemaname !~ '^pg_' AND increment_by > 0
    AND (increment_by <> 16 OR (last_value IS NOT NULL AND last_value % 16 <> 3)) \gexec

-- What regions that no longer take part have left.
DO $fraiseql$
DECLARE gone name;
BEGIN
  FOR gone IN SELECT s.subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
    WHERE d.datname = current_database() AND starts_with(s.subname, 'fraiseql_apac_from_')
      AND s.subname NOT IN ('', 'fraiseql_apac_from_us_east', 'fraiseql_apac_from_eu_west')
  LOOP
    EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', gone);
    EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', gone);
    EXECUTE format('DROP SUBSCRIPTION %I', gone);
  END LOOP;
  PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots
    WHERE database = current_database() AND slot_type = 'logical' AND NOT active
      AND starts_with(slot_name, 'fraiseql_') AND right(slot_name, 10) = '_from_apac'
      AND slot_name NOT IN ('', 'fraiseql_us_east_from_apac', 'fraiseql_eu_west_from_apac');
EXCEPTION WHEN insufficient_privilege OR object_in_use THEN
  RAISE WARNING 'what is left of a region that no longer takes part stays: %', SQLERRM;
END $fraiseql$;

\endif

\if :subscribing

-- From us-east.
\if :{?peer_us_east}
\if :{?replication_password}
SELECT format('CREATE SUBSCRIPTION fraiseql_apac_from_us_east CONNECTION %L PUBLICATION fraiseql_us_east WITH (copy_data = true, streaming = parallel, origin = none)',
         :'peer_us_east' || ' user=fraiseql_replication password=''' ||
         replace(replace(:'replication_password', '\', '\\'), '''', '\''') || '''')
  WHERE NOT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
                    WHERE d.datname = current_database() AND s.subname = 'fraiseql_apac_from_us_east') \gexec
SELECT format('ALTER SUBSCRIPTION fraiseql_apac_from_us_east CONNECTION %L', :'peer_us_east' || ' user=fraiseql_replication password=''' ||
         replace(replace(:'replication_password', '\', '\\'), '''', '\''') || '''') \gexec
\endif
ALTER SUBSCRIPTION fraiseql_apac_from_us_east REFRESH PUBLICATION WITH (copy_data = true);
\else
\warn 'peer_us_east is not given: nothing was done for it'
\endif

-- From eu-west.
\if :{?peer_eu_west}
\if :{?replication_password}
SELECT format('CREATE SUBSCRIPTION fraiseql_apac_from_eu_west CONNECTION %L PUBLICATION fraiseql_eu_west WITH (copy_data = false, streaming = parallel, origin = none)',
         :'peer_eu_west' || ' user=fraiseql_replication password=''' ||
         replace(replace(:'replication_password', '\', '\\'), '''', '\''') || '''')
  WHERE NOT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
                    WHERE d.datname = current_database() AND s.subname = 'fraiseql_apac_from_eu_west') \gexec
SELECT format('ALTER SUBSCRIPTION fraiseql_apac_from_eu_west CONNECTION %L', :'peer_eu_west' || ' user=fraiseql_replication password=''' ||
         replace(replace(:'replication_password', '\', '\\'), '''', '\''') || '''') \gexec
\endif
ALTER SUBSCRIPTION fraiseql_apac_from_eu_west REFRESH PUBLICATION WITH (copy_data = false);
\else
\warn 'peer_eu_west is not given: nothing was done for it'
\endif

\endif
