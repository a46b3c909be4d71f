"""PostgreSQL 18 on a Debian that has only an older one: the packages of a later Debian, unpacked into a folder and run by
the C library that came with them. Nothing is installed but small scripts in /usr/lib/postgresql/18/bin, where a host with
that package has its programs; they are gone with close()."""

import glob
import os
import re
import shutil
import subprocess

import harness

BIN = "/usr/lib/postgresql/18/bin"
SHARE = "/usr/share/postgresql/18"
LATER = "forky"
# A later Debian's packages, looked at as if nothing were installed here.
APT = """Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
"""
SCRIPT = """#!/bin/sh
exec {root}/usr/lib64/ld-linux-x86-64.so.2 --argv0 {bin}/{name} --library-path {root}/usr/lib/x86_64-linux-gnu {root}{bin}/{name} "$@"
"""


class Postgres18:
    """bin: where its programs are. RuntimeError where it cannot be had."""

    def __init__(self):
        self.bin = BIN
        self.folder = None
        self.made = []
        if os.path.exists(BIN + "/postgres"):
            return
        if os.geteuid() or os.uname().machine != "x86_64" or not shutil.which("apt-get"):
            raise RuntimeError("no root, not x86-64, or no apt-get")
        self.folder = harness.Folder()
        try:
            self.fetch()
            self.put()
        except BaseException:
            self.close()
            raise

    def fetch(self):
        path = self.folder.path
        for name in ("lists/partial", "cache/archives/partial", "root"):
            os.makedirs(os.path.join(path, name))
        policy = subprocess.run(["apt-cache", "policy"], capture_output=True, text=True, check=True).stdout
        mirror = re.search(r"https?://\S*/debian(?=/? )", policy)
        self.folder.file("sources.list", f"deb {mirror.group(0) if mirror else 'http://deb.debian.org/debian'} {LATER} main\n")
        self.folder.file("status")
        env = {**os.environ, "APT_CONFIG": self.folder.file("apt.conf", APT.format(folder=path))}
        for words in (["update"], ["-y", "--download-only", "install", "postgresql-18"]):
            done = subprocess.run(["apt-get", "-q", *words], capture_output=True, text=True, env=env, timeout=300)
            if done.returncode:
                raise RuntimeError(f"apt-get {' '.join(words)}, of {LATER}: {done.stderr.strip()}")
        for package in glob.glob(path + "/cache/archives/*.deb"):
            subprocess.run(["dpkg", "-x", package, path + "/root"], check=True)
        shutil.rmtree(path + "/cache")

    def put(self):
        root = self.folder.path + "/root"
        os.chmod(root, 0o755)
        for folder in (BIN, os.path.dirname(SHARE)):
            above = folder
            while not os.path.exists(os.path.dirname(above)):
                above = os.path.dirname(above)
            if not os.path.exists(above):
                self.made.append(above)
            os.makedirs(folder, exist_ok=True)
        for name in os.listdir(root + BIN):
            path = os.path.join(BIN, name)
            with open(path, "w", encoding="ascii") as script:
                script.write(SCRIPT.format(root=root, bin=BIN, name=name))
            os.chmod(path, 0o755)
        for link in (SHARE, os.path.dirname(BIN) + "/lib"):
            os.symlink(root + link, link)
            self.made.append(link)

    def close(self):
        for path in reversed(self.made):
            if os.path.islink(path):
                os.unlink(path)
            else:
                shutil.rmtree(path, ignore_errors=True)
        if self.folder:
            self.folder.remove()
