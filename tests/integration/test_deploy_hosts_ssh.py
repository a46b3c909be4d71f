"""Own hosts over SSH: a real sshd on loopback, the OpenSSH client, its control connection, host keys and sudo."""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
import unittest

import harness
from hosts_rig import BARE, ROOT, Deployment, children

SSHD = shutil.which("sshd") or ("/usr/sbin/sshd" if os.path.exists("/usr/sbin/sshd") else None)


class Server:
    """sshd with keys of its own, and a client's configuration that knows it."""

    def __init__(self, folder):
        self.folder = folder.path
        self.port = harness.free_port()
        for name in ("host", "other", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.folder}/{name}"], check=True)
        os.makedirs("/run/sshd", exist_ok=True)
        self.config = folder.file("sshd_config", f"""Port {self.port}
ListenAddress 127.0.0.1
HostKey {self.folder}/host
AuthorizedKeysFile {self.folder}/user.pub
PidFile {self.folder}/sshd.pid
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
MaxSessions 50
LogLevel ERROR
""")
        os.chmod(f"{self.folder}/user.pub", 0o644)
        self.process = None
        self.start()
        self.know("host")

    def start(self):
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.config], stderr=subprocess.DEVNULL)
        harness.wait_until(lambda: os.path.exists(f"{self.folder}/sshd.pid"), what="sshd")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def know(self, key):
        """The client's known_hosts: our key, another one, or none."""
        line = ""
        if key:
            with open(f"{self.folder}/{key}.pub", encoding="ascii") as text:
                line = f"[127.0.0.1]:{self.port} " + " ".join(text.read().split()[:2]) + "\n"
        with open(f"{self.folder}/known", "w", encoding="ascii") as out:
            out.write(line)
        with open(f"{self.folder}/client", "w", encoding="ascii") as out:
            out.write(f"IdentityFile {self.folder}/user\nIdentitiesOnly yes\nUserKnownHostsFile {self.folder}/known\n"
                      "GlobalKnownHostsFile /dev/null\n")

    @property
    def env(self):
        return {"FRAISEQL_SSH_CONFIG": f"{self.folder}/client"}

    def sessions(self):
        """Processes of sshd that serve our connections."""
        return children(self.process.pid)


@unittest.skipUnless(ROOT and SSHD and shutil.which("ssh"), "no root, or no OpenSSH server and client")
class Ssh(unittest.TestCase):
    def setUp(self):
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        self.server = Server(folder)
        self.addCleanup(self.server.stop)
        # Cleanups run last first: the deployment's wants the server.
        os.environ["FRAISEQL_SSH_CONFIG"] = self.server.env["FRAISEQL_SSH_CONFIG"]
        self.addCleanup(os.environ.pop, "FRAISEQL_SSH_CONFIG", None)

    def make(self, user="root", **regions):
        url = f"ssh://{user}@127.0.0.1:{self.server.port}"
        return Deployment(self, {name: {"hosts": [url], "address": address, **BARE}
                                 for name, address in (regions or {"us": "127.77.1.1", "eu": "127.77.1.2"}).items()})

    def test_deploy_and_destroy(self):
        one = self.make()
        one.deploy()
        one.run("plan", one.file, status=0)
        self.assertEqual(one.supervisor("us", "ping").returncode, 0)
        status = next(record for record in one.records("status", one.file) if record["type"] == "status")
        self.assertEqual({region["state"] for region in status["regions"]}, {"standing"})
        one.destroy()
        self.assertEqual(one.left_behind(), [])
        harness.wait_until(lambda: not self.server.sessions(), what="the control connections to end")
        dead = [name for name in os.listdir("/tmp") if re.match(r"fraiseql-ssh-\d+-", name) and
                not os.path.exists("/proc/" + name.split("-")[2])]
        self.assertEqual(dead, [], "control folders of runs that ended")

    def test_host_keys(self):
        one = self.make()
        self.server.know(None)
        told = one.deploy(status=77)
        self.assertIn("its host key is not known here", told.stderr)
        self.assertIn(f"ssh -p {self.server.port} root@127.0.0.1", told.stderr)
        self.server.know("other")
        told = one.deploy(status=77)
        self.assertIn("not the one that is known", told.stderr)
        self.assertIn(f"ssh-keygen -R '[127.0.0.1]:{self.server.port}'", told.stderr)
        self.assertEqual(one.left_behind(), [])
        asked = next(record for record in one.records("credentials", one.file, status=None) if record["type"] == "credentials")
        self.assertEqual({region["state"] for region in asked["regions"]}, {"refused"})
        self.server.know("host")
        asked = next(record for record in one.records("credentials", one.file) if record["type"] == "credentials")
        self.assertEqual({region["identity"] for region in asked["regions"]}, {f"root on root@127.0.0.1:{self.server.port}"})
        one.deploy()

    def test_key_that_is_not_taken(self):
        one = self.make()
        os.replace(f"{self.server.folder}/other", f"{self.server.folder}/user")
        self.assertIn("does not let us in", one.deploy(status=77).stderr)

    def test_nobody_listens(self):
        one = self.make()
        self.server.stop()
        told = one.deploy(status=1)
        self.assertIn("cannot be reached", told.stderr)
        self.assertIn("Connection refused", told.stderr)
        self.server.start()

    def test_without_sudo(self):
        name = "fqnosudo" + os.urandom(2).hex()
        subprocess.run(["useradd", "--no-create-home", "--shell", "/bin/sh", "-p", "*", name], check=True)
        self.addCleanup(subprocess.run, ["userdel", name], capture_output=True)
        one = self.make(user=name)
        told = one.deploy(status=77)
        self.assertIn("not root there, and `sudo -n` does not", told.stderr)
        self.assertIn("NOPASSWD", told.stderr)
        self.assertEqual(one.left_behind(), [])

    @unittest.skipUnless(shutil.which("sudo"), "no sudo")
    def test_with_sudo(self):
        name = "fqsudo" + os.urandom(2).hex()
        subprocess.run(["useradd", "--no-create-home", "--shell", "/bin/sh", "-p", "*", name], check=True)
        self.addCleanup(subprocess.run, ["userdel", name], capture_output=True)
        path = f"/etc/sudoers.d/{name}"
        with open(path, "w", encoding="ascii") as text:
            text.write(f"{name} ALL=(ALL) NOPASSWD: ALL\n")
        os.chmod(path, 0o440)
        self.addCleanup(os.unlink, path)
        one = self.make(user=name)
        one.deploy()
        self.assertEqual(pwd.getpwuid(os.stat(one.base("us") + "/ledger.jsonl").st_uid).pw_name, "root")
        one.destroy()
        self.assertEqual(one.left_behind(), [])

    def test_connection_lost_in_mid_step(self):
        lost = 0
        one = self.make(us="127.77.2.1")
        for begun in range(1, 8):
            deployer = subprocess.Popen(one.command(one.file, "--yes"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, text=True)
            harness.wait_until(lambda: deployer.poll() is not None or
                               sum(line["event"] == "begin" for line in one.ledger("us")) >= begun, step=0.002)
            # A round that finds nothing left to do loses its connection while it looks.
            while not (sessions := self.server.sessions()) and deployer.poll() is None:
                time.sleep(0.002)
            for pid in sessions:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            _, said = deployer.communicate(timeout=100)
            if deployer.returncode:
                self.assertEqual(deployer.returncode, 1, said)
                self.assertRegex(said, "connection to .* was lost|cannot be (worked on|reached)")
                lost += 1
        self.assertGreater(lost, 0)
        one.deploy()
        one.run("plan", one.file, status=0)
        one.destroy()
        self.assertEqual(one.left_behind(), [])


if __name__ == "__main__":
    harness.main()
