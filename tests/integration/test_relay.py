"""Links between the namespaces of regions: delay, and partitions that are silent."""

import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

import harness
from hosts_rig import BARE, ROOT, Deployment

ECHO = """
import socket, sys
listener = socket.create_server((sys.argv[1], 7007))
while True:
    peer, _ = listener.accept()
    peer.settimeout(30)
    while True:
        try:
            data = peer.recv(65536)
        except OSError:
            break
        if not data: break
        peer.sendall(data)
"""

ASK = """
import socket, sys, time
began = time.monotonic()
peer = socket.create_connection((sys.argv[1], 7007), timeout=float(sys.argv[2]))
peer.settimeout(float(sys.argv[2]))
times = []
for _ in range(5):
    began = time.monotonic()
    peer.sendall(b"x")
    peer.recv(1)
    times.append(time.monotonic() - began)
print(min(times) * 1000)
"""


@unittest.skipUnless(ROOT and shutil.which("ip") and os.path.exists("/dev/net/tun"), "no root, no ip, or no /dev/net/tun")
class Links(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.one = Deployment(cls, {name: {"hosts": ["local"], **BARE} for name in ("us", "eu", "ap")},
                             network={"topology": "namespaces", "latency-ms": {"us/eu": 60}})
        cls.one.deploy()
        cls.addresses = {}
        for region in ("us", "eu"):
            with open(cls.one.base(region) + "/config/network.conf", encoding="ascii") as text:
                cls.addresses |= {words[1]: words[3] for words in map(str.split, text) if words[0] == "peer"}
        for region in ("us", "eu", "ap"):
            echo = cls.inside(region, ECHO, cls.addresses[region])
            cls.addClassCleanup(echo.wait)
            cls.addClassCleanup(echo.kill)
        for region in ("us", "eu", "ap"):
            harness.wait_until(lambda r=region: socket.create_connection((cls.addresses[r], 7007), timeout=1).close() or True)

    # The rig takes a test's way of cleaning up.
    @classmethod
    def addCleanup(cls, *what):  # pylint: disable=arguments-differ,invalid-name
        cls.addClassCleanup(*what)

    @classmethod
    def inside(cls, region, program, *words, **more):
        return subprocess.Popen(["ip", "netns", "exec", f"fraiseql-{cls.one.name}-{region}", sys.executable, "-c", program, *words], **more)

    def ask(self, region, other, timeout=10):
        """The least round trip in milliseconds, None: no answer."""
        asking = self.inside(region, ASK, self.addresses[other], str(timeout), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        said, _ = asking.communicate()
        return float(said) if asking.returncode == 0 else None

    def test_delay(self):
        self.assertGreaterEqual(self.ask("us", "eu"), 60)
        self.assertLess(self.ask("us", "ap"), 60)
        self.one.relay("us", "delay", "ap", "50000")
        self.assertGreaterEqual(self.ask("us", "ap"), 50, "one way is delayed by the one that sends")
        self.one.relay("us", "delay", "ap", "0")

    def test_a_region_is_cut_off_silently(self):
        self.one.relay("eu", "cut", "all")
        self.assertIsNone(self.ask("us", "eu", 1))
        self.assertIsNone(self.ask("eu", "ap", 1))
        self.assertIsNotNone(self.ask("us", "ap"), "the others still see each other")
        socket.create_connection((self.addresses["eu"], 7007), timeout=5).close()  # and the machine sees it
        self.one.relay("eu", "heal", "all")
        self.assertIsNotNone(self.ask("us", "eu"))

    def test_one_way(self):
        self.one.relay("ap", "cut", "us", "out")
        before = self.one.relay("ap", "show")
        self.assertIsNone(self.ask("us", "ap", 1))
        after = self.one.relay("ap", "show")
        received = [int(next(line for line in text.splitlines() if line.startswith("us ")).split("received=")[1].split()[0])
                    for text in (before, after)]
        self.assertGreater(received[1], received[0], "what comes in still comes in")
        self.one.relay("ap", "heal", "us", "out")
        self.assertIsNotNone(self.ask("us", "ap"))

    def test_connections_outlive_a_cut(self):
        asking = self.inside("us", "import socket, sys, time\npeer = socket.create_connection((sys.argv[1], 7007), timeout=60)\n"
                             "peer.sendall(b'a'); peer.recv(1); print('there', flush=True); sys.stdin.readline()\n"
                             "peer.sendall(b'b'); print(peer.recv(1), flush=True)", self.addresses["eu"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
        self.assertEqual(asking.stdout.readline(), "there\n")
        self.one.relay("us", "cut", "eu")
        asking.stdin.write("\n")
        asking.stdin.flush()
        time.sleep(1.5)
        self.one.relay("us", "heal", "eu")
        self.assertEqual(asking.communicate(timeout=60)[0], "b'b'\n", "sent again once the link was back")

    def test_a_killed_relay_comes_back(self):
        pid = self.one.processes("eu")["network"]["pid"]
        os.kill(pid, 9)
        harness.wait_until(lambda: self.one.processes("eu")["network"]["pid"] not in (0, pid))
        self.assertIsNotNone(self.ask("us", "eu"))
        self.assertIsNotNone(self.ask("eu", "us"))


if __name__ == "__main__":
    harness.main()
