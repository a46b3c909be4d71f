"""A machine of its own on which systemd runs: PID 1 of namespaces, on an overlay of this machine's files.

What it writes goes into a tmpfs and ends with it; its network is its own. Units that would touch the kernel that it shares
are masked, and nothing that is enabled on this machine starts."""

import os
import shutil
import signal
import subprocess
import time

import harness

SYSTEMD = "/lib/systemd/systemd"
MASKED = ("systemd-sysctl.service systemd-modules-load.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount "
          "proc-sys-fs-binfmt_misc.mount systemd-remount-fs.service systemd-tmpfiles-setup-dev.service systemd-udevd.service "
          "systemd-udev-trigger.service systemd-logind.service dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount "
          "sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount tmp.mount getty.target systemd-update-utmp.service "
          "systemd-journald-audit.socket systemd-random-seed.service systemd-timesyncd.service systemd-networkd.service "
          "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer").split()
DEVICES = "null zero full random urandom tty net/tun"

SETUP = """set -eu
r=$1; shift
ip link set lo up
mount -t overlay overlay -o "lowerdir=/,upperdir=$r.upper,workdir=$r.work" "$r"
mount -t proc proc "$r/proc"
mount -t sysfs sysfs "$r/sys"
mkdir -p "$r/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$r/run"
mount -t tmpfs -o mode=755 tmpfs "$r/dev"
mkdir "$r/dev/net" "$r/dev/pts" "$r/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$r/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$r/dev/shm"
ln -s pts/ptmx "$r/dev/ptmx"
ln -s /proc/self/fd "$r/dev/fd"
for one in %s; do [ ! -e "/dev/$one" ] || { : >"$r/dev/$one"; mount --bind "/dev/$one" "$r/dev/$one"; }; done
for shared; do mkdir -p "$r$shared"; mount --bind "$shared" "$r$shared"; done
if [ ! -e "$r.booted" ]; then
    : >"$r.booted"
    find "$r/etc/systemd/system" -path '*.wants/*' -delete
    for unit in %s; do ln -sf /dev/null "$r/etc/systemd/system/$unit"; done
fi
exec chroot "$r" /usr/bin/env -i container=fraiseql-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
    %s --system --unit=multi-user.target --log-target=null --show-status=0
""" % (DEVICES, " ".join(MASKED), SYSTEMD)


def cgroup_folder():
    """Where the second version of cgroups is mounted; None: nowhere."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        return next((line.split()[1] for line in mounts if line.split()[2] == "cgroup2"), None)


class Machine:
    """`shared`: folders that it sees as they are here. None of its attributes is valid before start() said yes."""

    def __init__(self, *shared):
        self.folder = harness.Folder()
        self.root = self.folder.path + "/files/root"
        self.shared = shared
        self.cgroup = None
        self.process = self.pid = None
        self.mounted = False

    def start(self):
        """None, or why there can be no such machine here."""
        if os.geteuid() != 0:
            return "it takes root"
        if not os.path.exists(SYSTEMD) or not shutil.which("nsenter"):
            return "there is no systemd or no nsenter here"
        if not cgroup_folder():
            return "the second version of cgroups is not mounted here"
        os.makedirs(self.folder.path + "/files")
        # An overlay's upper folder cannot lie on an overlay, which is what a container has.
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self.folder.path + "/files"], capture_output=True, text=True)
        if done.returncode:
            return "no tmpfs can be mounted: " + done.stderr.strip()
        self.mounted = True
        for name in ("", ".upper", ".work"):
            os.mkdir(self.root + name)
        os.chmod(self.root + ".upper", 0o755)
        try:
            self.cgroup = f"{cgroup_folder()}/fraiseql-test-{os.getpid()}"
            os.mkdir(self.cgroup)
        except OSError as error:
            self.cgroup = None
            return f"no group of processes can be made: {error}"
        return self.boot()

    def boot(self):
        """None, or what kept it from running."""
        script = 'echo $$ > "$1"; shift; exec unshare --pid --fork --kill-child --mount --cgroup --ipc --uts --net --propagation private sh -c "$@"'
        self.process = subprocess.Popen(["sh", "-c", script, "sh", self.cgroup + "/cgroup.procs", SETUP, "sh", self.root, *self.shared],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return "it does not start: " + self.process.stderr.read().strip()[-300:]
            inner = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
            self.pid = inner[0] if inner else None
            said = self.run("systemctl", "is-system-running").stdout.strip() if self.pid and self.is_inside() else ""
            if said in ("running", "degraded"):
                return None
            time.sleep(0.1)
        return f"systemd does not come up within a minute: {said or 'it cannot be asked'}"

    def is_inside(self):
        try:
            with open(f"/proc/{self.pid}/comm", encoding="ascii") as name:
                return name.read().strip() == "systemd"
        except OSError:
            return False

    def run(self, *words, timeout=300, env=None):
        done = subprocess.run(["nsenter", "-t", self.pid, "-a", "-r", "-w", "--", *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})})
        return done

    def power_off(self):
        """As when the current goes: nothing is told."""
        if self.pid and self.is_inside():
            os.kill(int(self.pid), signal.SIGKILL)
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stderr.close()
        self.process = self.pid = None

    def remove(self):
        self.power_off()
        if self.cgroup:
            for folder, _, _ in os.walk(self.cgroup, topdown=False):
                harness.wait_until(lambda: remove_group(folder), what=f"the end of what ran in {folder}")
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder.path + "/files"], capture_output=True)
        self.folder.remove()


def remove_group(folder):
    try:
        os.rmdir(folder)
        return True
    except FileNotFoundError:
        return True
    except OSError:
        return False
