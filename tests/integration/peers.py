"""Real programs that take long to build, where this machine has them ready: as NAME or NAME.xz in the folder that
FRAISEQL_TEST_PEERS names, in a folder `bin` of a neighbour of this checkout, or on the PATH. A test that finds none is
skipped and says so."""

import glob
import lzma
import os
import shutil
import unittest

import harness

CACHE = os.path.expanduser("~/.cache/fraiseql-tests/peers")


def folders():
    named = os.environ.get("FRAISEQL_TEST_PEERS")
    return ([named] if named else []) + sorted(glob.glob(os.path.join(os.path.dirname(harness.ROOT), "*", "bin")))


def unpacked(name, packed):
    """The program of an .xz file, unpacked once."""
    path = os.path.join(CACHE, name)
    if os.path.exists(path) and os.path.getmtime(path) >= os.path.getmtime(packed):
        return path
    os.makedirs(CACHE, exist_ok=True)
    part = f"{path}.{os.getpid()}"
    with lzma.open(packed) as source, open(part, "wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)
    os.chmod(part, 0o755)
    os.replace(part, path)
    return path


def program(name):
    for folder in folders():
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
        if os.path.exists(path + ".xz"):
            return unpacked(name, path + ".xz")
    path = shutil.which(name)
    if path:
        return path
    raise unittest.SkipTest(f"{name} is not here (FRAISEQL_TEST_PEERS names a folder with it)")
