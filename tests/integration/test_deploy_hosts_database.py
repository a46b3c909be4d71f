"""PostgreSQL on own hosts: who may connect, what a change restarts, and how a copy that was lost, or went its own way,
comes back. Real servers, on this machine."""

import os
import shutil
import subprocess
import unittest

import harness
from hosts_rig import DATABASE, ROOT, Deployment

REGIONS = ("us", "eu", "ap")
HAVE = ROOT and os.path.isdir(harness.PG_BIN)


def database(deployment, region, sql, name="postgres"):
    """As the administrator, on the socket."""
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", deployment.run_folder(region) + "/postgresql", "-U",
                           "postgres", "-d", name, "-c", sql], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise OSError(done.stderr)
    return done.stdout.strip()


@unittest.skipUnless(HAVE, "no root or no PostgreSQL 15")
class Databases(unittest.TestCase):
    def setUp(self):
        self.one = Deployment(self, {name: {"hosts": ["local"], **DATABASE} for name in REGIONS}, replication={"mode": "streaming"})
        self.one.deploy()
        self.sql("us", "CREATE TABLE orders (id bigserial PRIMARY KEY, what text)", "fraiseql")
        self.sql("us", "INSERT INTO orders (what) SELECT 'tea' FROM generate_series(1, 100)", "fraiseql")

    def sql(self, region, text, name="postgres"):
        return database(self.one, region, text, name)

    def rows(self, region):
        return int(self.sql(region, "SELECT count(*) FROM orders", "fraiseql"))

    def check_all_have(self, rows, writer, timeout=30):
        for region in REGIONS:
            harness.wait_until(lambda r=region: self.rows(r) == rows, timeout=timeout, what=f"{rows} rows in {region}")
            self.assertEqual(self.sql(region, "SELECT pg_is_in_recovery()"), "f" if region == writer else "t")
        names = "SELECT string_agg(application_name, ' ' ORDER BY application_name) FROM pg_stat_replication WHERE state = 'streaming'"
        harness.wait_until(lambda: self.sql(writer, names) == " ".join(sorted(set(REGIONS) - {writer})), timeout=timeout,
                           what=f"the others to follow {writer}")
        self.one.run("plan", self.one.file, status=0)

    def pid(self, region):
        return self.one.processes(region)["postgresql"]["pid"]

    def test_who_may_connect(self):
        config = self.one.base("us") + "/config/postgresql/"
        with open(self.one.base("us") + "/config/postgresql/postgresql.conf", encoding="ascii") as text:
            address = next(line.split("'")[1] for line in text if line.startswith("listen_addresses"))
        secret = self.one.folder.path + "/.fraiseql/" + self.one.name + "/secrets/postgresql-monitor"
        with open(secret, encoding="ascii") as text:
            password = text.read().strip()
        self.assertEqual(os.stat(secret).st_mode & 0o777, 0o600)

        def psql(conninfo, sql="SELECT 1", **env):
            return subprocess.run(["psql", "-XqAt", f"host={address} connect_timeout=5 {conninfo}", "-c", sql], capture_output=True,
                                  text=True, timeout=60, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **env})

        monitor = f"dbname=postgres user=fraiseql_monitor sslrootcert={config}ca.pem "
        self.assertEqual(psql(monitor + "sslmode=verify-full", PGPASSWORD=password).stdout, "1\n")
        self.assertIn("no pg_hba.conf entry", psql(monitor + "sslmode=disable", PGPASSWORD=password).stderr)
        self.assertIn("password authentication failed", psql(monitor + "sslmode=verify-full", PGPASSWORD="x").stderr)
        self.assertIn("certificate verify failed",
                      psql(f"dbname=postgres user=fraiseql_monitor sslmode=verify-full sslrootcert={self.other_authority()}",
                           PGPASSWORD=password).stderr)
        self.assertIn("permission denied", psql(f"{monitor} sslmode=verify-full dbname=fraiseql", "SELECT * FROM orders",
                                                PGPASSWORD=password).stderr)
        replication = f"dbname=postgres replication=true user=fraiseql_replication sslmode=verify-full sslrootcert={config}ca.pem "
        with_key = f"sslcert={config}fraiseql_replication.crt sslkey={config}fraiseql_replication.key"
        self.assertIn("requires a valid client certificate", psql(replication, "IDENTIFY_SYSTEM").stderr)
        self.assertIn("|", psql(replication + with_key, "IDENTIFY_SYSTEM").stdout)
        other_key = with_key.replace("fraiseql_replication", "fraiseql_rewind")
        self.assertIn("certificate authentication failed", psql(replication + other_key, "IDENTIFY_SYSTEM").stderr)
        self.assertIn("no pg_hba.conf entry", psql("dbname=postgres user=postgres sslmode=require").stderr)
        for folder, _, files in os.walk(self.one.base("us") + "/config"):
            for file in files:
                path = os.path.join(folder, file)
                with open(path, "rb") as data:
                    if password.encode() in data.read():
                        self.assertEqual(os.stat(path).st_mode & 0o077, 0, f"{path} holds a password")

    def other_authority(self):
        path = self.one.folder.path + "/other.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=other", "-keyout", self.one.folder.path + "/other.key", "-out", path], check=True,
                       capture_output=True)
        return path

    def test_a_change_is_taken_over_without_a_restart(self):
        before = {region: self.pid(region) for region in REGIONS}
        self.one.file = self.one.write(replication={"mode": "streaming", "commit": "quorum", "quorum": 2})
        self.one.deploy()
        self.assertEqual({region: self.pid(region) for region in REGIONS}, before)
        self.assertEqual(self.sql("us", "SHOW synchronous_standby_names"), 'ANY 2 ("eu", "ap")')
        harness.wait_until(lambda: self.sql("us", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'") == "2")
        self.sql("us", "INSERT INTO orders (what) VALUES ('coffee')", "fraiseql")
        self.check_all_have(101, "us")
        self.one.file = self.one.write(replication={"mode": "streaming", "commit": "quorum", "quorum": 3})
        self.assertIn("wants 3 standbys, and there are 2", self.one.deploy(status=65).stderr)
        self.one.file = self.one.write(replication={"mode": "streaming"})  # one that destroy takes

    def test_a_lost_copy_is_made_again(self):
        shutil.rmtree(self.one.base("eu") + "/data/postgresql")
        self.one.supervisor("ap", "stop", "postgresql")
        self.one.deploy()
        self.sql("us", "INSERT INTO orders (what) VALUES ('coffee')", "fraiseql")
        self.check_all_have(101, "us")

    def test_a_copy_that_fell_behind_its_slot_is_made_again(self):
        self.one.supervisor("eu", "stop", "postgresql")
        self.sql("us", "SELECT pg_drop_replication_slot('fraiseql_eu')")
        self.sql("us", "ALTER SYSTEM SET wal_keep_size = 0")
        self.sql("us", "SELECT pg_reload_conf()")
        for _ in range(3):
            self.sql("us", "INSERT INTO orders (what) VALUES ('coffee')", "fraiseql")
            self.sql("us", "SELECT pg_switch_wal()")
            self.sql("us", "CHECKPOINT")
        self.one.deploy()
        self.check_all_have(103, "us")

    def test_an_old_primary_follows_the_new_one(self):
        """What it wrote after the others had gone their way is taken back; it is never asked to write again."""
        self.one.supervisor("eu", "stop", "postgresql")
        self.one.supervisor("ap", "stop", "postgresql")
        self.sql("us", "INSERT INTO orders (what) VALUES ('never copied')", "fraiseql")
        self.one.supervisor("us", "stop", "postgresql")
        self.one.supervisor("eu", "start", "postgresql")
        harness.wait_until(lambda: self.sql("eu", "SELECT pg_promote()") == "t")
        self.sql("eu", "INSERT INTO orders (what) VALUES ('new'), ('newer')", "fraiseql")
        self.one.deploy()
        self.check_all_have(102, "eu")
        self.assertEqual(os.listdir(self.one.base("us") + "/data"), ["postgresql"], "rewound, and not copied again")

    def test_two_that_write_are_refused(self):
        harness.wait_until(lambda: self.sql("eu", "SELECT pg_promote()") == "t")
        said = self.one.deploy(status=65).stderr
        self.assertIn("the databases of us and eu both say that they are the one that writes", said)
        self.one.supervisor("us", "stop", "postgresql")
        self.one.deploy()
        self.check_all_have(100, "eu")

    def test_an_empty_primary_does_not_take_the_place_of_copies(self):
        self.one.supervisor("us", "stop", "postgresql")
        shutil.rmtree(self.one.base("us") + "/data/postgresql")
        said = self.one.deploy(status=65).stderr
        self.assertIn("no region's database writes", said)
        self.assertEqual(self.rows("eu"), 100)
        self.assertFalse(os.path.exists(self.one.base("us") + "/data/postgresql"))


@unittest.skipUnless(HAVE, "no root or no PostgreSQL 15")
class Refusals(unittest.TestCase):
    def make(self, **region):
        return Deployment(self, {"us": {"hosts": ["local"], **DATABASE, **region}})

    def test_a_foreign_cluster_is_left_alone(self):
        one = self.make()
        folder = one.base("us") + "/data/postgresql"
        os.makedirs(folder)
        with open(folder + "/PG_VERSION", "w", encoding="ascii") as text:
            text.write("15\n")
        said = one.deploy(status=None)
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("is there already, and this deployment did not make it", said.stderr)
        one.destroy("--delete-data")
        self.assertEqual(os.listdir(folder), ["PG_VERSION"], "what it did not make it does not remove")
        shutil.rmtree(one.base("us"))

    def test_a_port_in_use(self):
        one = self.make(address="127.0.0.1", port_base=harness.free_port())
        with harness.socket.socket() as taken:
            taken.bind(("127.0.0.1", one.regions["us"]["port_base"] + 3))
            taken.listen()
            said = one.deploy(status=None)
        self.assertNotEqual(said.returncode, 0)
        self.assertIn(f"port {one.regions['us']['port_base'] + 3} is in use", said.stderr)
        one.deploy()

    def test_active_active_is_refused(self):
        one = Deployment(self, {name: {"hosts": ["local"], **DATABASE} for name in REGIONS}, replication={"mode": "active-active"})
        self.assertIn("active-active is not part of this version on own hosts", one.deploy(status=65).stderr)


if __name__ == "__main__":
    harness.main()
